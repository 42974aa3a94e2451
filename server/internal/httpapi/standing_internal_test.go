package httpapi

import (
	"testing"
	"time"

	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
)

// Reading where a large deployment stands takes at most a fiftieth of the time, however often it is scraped; a small one's is
// read each time.
func TestADearReadingServesForAWhile(t *testing.T) {
	d := servertest.New(t)
	of := &Deployment{Syncing: d.Service, Progress: progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall}),
		Indexing: indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})}
	now, takes := time.Unix(0, 0), cheapReading
	s := &standing{now: func() time.Time { now = now.Add(takes); return now }}
	devices := func() int64 {
		t.Helper()
		got, err := s.read(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		return got.Enrolled
	}
	for want := range int64(3) {
		if got := devices(); got != want {
			t.Errorf("cheap: %d devices, not %d", got, want)
		}
		d.Enrol("anna")
	}
	takes = 2 * cheapReading
	if got := devices(); got != 3 {
		t.Errorf("%d devices", got)
	}
	read := now // when it was there
	d.Enrol("anna")
	takes = 0
	for now = read; now.Before(read.Add(dearFor*2*cheapReading - 2*cheapReading)); now = now.Add(time.Second / 2) {
		if got := devices(); got != 3 {
			t.Errorf("read again after %v: %d", now.Sub(read), got)
		}
	}
	if now = read.Add(dearFor * 2 * cheapReading); devices() != 4 {
		t.Error("it serves for ever")
	}
}
