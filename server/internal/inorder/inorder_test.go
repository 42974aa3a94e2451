package inorder_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"levee/server/internal/inorder"
)

// from reads a run of numbers, and counts how many were read.
func from(run []int, read *int) inorder.Read[int] {
	return func(last *int, limit int) ([]int, error) {
		at := 0
		if last != nil {
			at = slices.Index(run, *last) + 1
		}
		rows := slices.Clone(run[at:min(at+limit, len(run))])
		*read += len(rows)
		return rows, nil
	}
}

// Whatever the runs are: merged they are what they are when sorted together, and hardly more is read than is taken.
func TestRunsAreMergedInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfDistinct(rapid.IntRange(0, 999), rapid.ID[int]).Draw(t, "numbers")
		runs := make([][]int, rapid.IntRange(1, 5).Draw(t, "runs"))
		for _, n := range numbers {
			runs[n%len(runs)] = append(runs[n%len(runs)], n)
		}
		odd := func(n int) bool { return n%2 == 1 }
		keep := rapid.SampledFrom([]func(int) bool{nil, odd}).Draw(t, "keep")
		merged, read := inorder.Runs[int]{Compare: cmp.Compare[int], Ahead: rapid.IntRange(1, 9).Draw(t, "ahead")}, 0
		for _, run := range runs {
			slices.Sort(run)
			merged.Add(from(run, &read), keep)
		}
		want := slices.Sorted(slices.Values(numbers))
		if keep != nil {
			want = slices.DeleteFunc(want, func(n int) bool { return !odd(n) })
		}
		limit := rapid.IntRange(0, 50).Draw(t, "limit")
		first, err := merged.First(limit)
		if err != nil || !slices.Equal(first, want[:min(limit, len(want))]) {
			t.Fatalf("%v, want %v; %v", first, want, err)
		}
		if keep == nil && read > len(first)+len(runs)*merged.Ahead {
			t.Fatalf("%d were read for %d", read, len(first))
		}
		rest, err := merged.First(len(numbers))
		if err != nil || !slices.Equal(rest, want[len(first):]) {
			t.Fatalf("and then %v, want %v; %v", rest, want[len(first):], err)
		}
	})
}

func TestAnErrorEndsIt(t *testing.T) {
	broken := errors.New("broken")
	merged := inorder.Runs[int]{Compare: cmp.Compare[int], Ahead: 1}
	merged.Add(func(*int, int) ([]int, error) { return nil, broken }, nil)
	if _, err := merged.First(1); !errors.Is(err, broken) {
		t.Error(err)
	}
}
