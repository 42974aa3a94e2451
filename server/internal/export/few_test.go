package export

import (
	"testing"

	"pgregory.net/rapid"

	"levee/server/internal/report"
)

// TestNobodyIsFoundByTakingTheOthersAway: of parts whose sum is known, no small one is told, and what is not told has more than one
// possible value. Nothing more is left out than that takes.
func TestNobodyIsFoundByTakingTheOthersAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.Int64Range(0, 12), 0, 8).Draw(t, "parts")
		out := Untold(parts)
		var count, sum, all, large int64
		for i, n := range parts {
			all += n
			switch {
			case !out[i] && n > 0 && n < report.Small:
				t.Fatalf("%d is told of %v: %v", n, parts, out)
			case out[i] && n == 0:
				t.Fatalf("that there is nobody is left out of %v: %v", parts, out)
			case out[i]:
				count++
				sum += n
				if n >= report.Small {
					large++
				}
			}
		}
		if count == 0 || sum == all && all < report.Small { // the sum itself is not told then
			return
		}
		if count < 2 || sum < report.Small {
			t.Fatalf("of %v one can tell what was left out: %v", parts, out)
		}
		if large > 1 {
			t.Fatalf("more of %v than need be is left out: %v", parts, out)
		}
	})
}

func TestWhatAgeBandsTellApart(t *testing.T) {
	tags := func(bands ...uint32) (all []string) {
		for _, g := range peopleGroups(bands)[:len(peopleGroups(bands))/2] {
			all = append(all, g.tag())
		}
		return all
	}
	for _, one := range []struct {
		bands, want int
		got         []string
	}{{5, 3, tags(5, 13, 17, 59, 79)}, {2, 2, tags(17, 64)}, {2, 1, tags(18, 59)}} {
		if len(one.got) != one.want {
			t.Errorf("%v", one.got)
		}
	}
	g := peopleGroups([]uint32{5, 17, 59})
	if !g[0].has(2, 2) || g[0].has(2, 3) || g[0].has(1, 1) || !g[1].has(2, 3) || g[1].has(2, 0) || !g[2].has(2, 4) || !g[3].has(1, 1) {
		t.Errorf("%+v", g)
	}
}
