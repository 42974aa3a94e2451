package bench_test

import (
	"testing"

	"levee/server/bench"
)

// Every page that is measured is there, and shows something, with a few records too.
func TestPagesAreMeasured(t *testing.T) {
	measured, err := bench.MeasurePages(t.Context(), bench.PagesOptions{Records: []int{300}, Times: 2, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(measured) != 1 || len(measured[0].Pages) < 10 {
		t.Fatalf("measured %+v", measured)
	}
	for _, p := range measured[0].Pages {
		if p.Median <= 0 || p.Median > p.P95 || p.P95 > p.Max || p.Bytes < 1000 {
			t.Errorf("%+v", p)
		}
	}
}
