package clientlib_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkLog logs a session: a durable commit, and what it takes to read, check and encode. Its bound is two syncs of the
// disk, of 4 KB that are appended, and 2 ms; those syncs are measured between the calls, so that both meet the same disk. of-bound
// is the part of the bound that a call took.
func BenchmarkLog(b *testing.B) {
	tab := enrolled(b, newServer(b), "li-wei")
	theCase, err := tab.LogCase(b.Context(), aCase("WZ-001"))
	tab.must(err)
	file, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	tab.must(err)
	defer func() { tab.must(file.Close()) }()
	var floor, took []time.Duration
	for b.Loop() {
		began := time.Now()
		_, err := tab.LogCaseSession(b.Context(), aSession(theCase))
		took = append(took, time.Since(began))
		tab.must(err)
		b.StopTimer()
		began = time.Now()
		_, err = file.Write(make([]byte, 4096))
		tab.must(errors.Join(err, file.Sync()))
		floor = append(floor, time.Since(began))
		b.StartTimer()
	}
	slices.Sort(floor)
	slices.Sort(took)
	sync, call := floor[len(floor)/2], took[len(took)/2]
	b.ReportMetric(float64(sync.Nanoseconds()), "sync-ns")
	b.ReportMetric(float64(call.Nanoseconds()), "median-ns")
	b.ReportMetric(float64(call)/float64(2*sync+2*time.Millisecond), "of-bound")
}

func BenchmarkSync(b *testing.B) {
	for _, n := range []int{1, 400} {
		b.Run(fmt.Sprint(n, " changes"), func(b *testing.B) {
			tab := enrolled(b, newServer(b), "li-wei")
			for b.Loop() {
				b.StopTimer()
				for i := range n {
					_, err := tab.LogCommunityActivity(b.Context(), activity(fmt.Sprint(i)))
					tab.must(err)
				}
				b.StartTimer()
				tab.sync()
			}
		})
	}
}
