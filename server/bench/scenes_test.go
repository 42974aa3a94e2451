package bench_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"levee/server/bench"
)

// What each scene pulls and pushes it compares itself, and fails where anything is missing; here it is seen that nothing else is
// counted either.

func TestDripIsMeasured(t *testing.T) {
	t.Parallel()
	drip, err := bench.MeasureDrip(t.Context(), bench.DripOptions{Records: 100, Syncs: 25, Seed: 1, Program: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	// In the first round each device finds three records of each that had its turn before, from then on of all nine others.
	if want := 3 * (45 + 15*9); drip.Records != 100 || drip.Syncs != 25 || drip.Pulled != want {
		t.Errorf("%+v, where %d records are to be pulled", drip, want)
	}
	if drip.PerSecond <= 0 || drip.P50 <= 0 || drip.P50 > drip.P99 || drip.P99 > drip.Longest || drip.Up <= 0 || drip.Down <= 0 {
		t.Errorf("%+v", drip)
	}
	shows(t, drip.Print, "99 of 100 took at most")
}

func TestFirstSyncIsMeasured(t *testing.T) {
	t.Parallel()
	first, err := bench.MeasureFirstSync(t.Context(), bench.FirstSyncOptions{Records: 300, Seed: 1, Program: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	if first.Records != 300 || first.Devices != 10 || first.Pulled < 10*300 || first.Pulled%10 != 0 {
		t.Errorf("%+v", first)
	}
	if first.Half <= 0 || first.Half > first.Longest || first.Longest > first.Seconds || first.PerSecond <= 0 || first.Down <= 0 {
		t.Errorf("%+v", first)
	}
	shows(t, first.Print, "all have all after")
}

func TestGrowthIsMeasured(t *testing.T) {
	t.Parallel()
	growth, err := bench.MeasureGrowth(t.Context(), bench.GrowthOptions{Records: []int{100, 300}, Syncs: 12, Seed: 1, Program: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	if len(growth.Sizes) != 2 || growth.Sizes[0].Records != 100 || growth.Sizes[1].Drip.Records != 300 || growth.P99Ratio <= 0 || growth.FirstSyncRatio <= 0 {
		t.Fatalf("%+v", growth)
	}
	for _, s := range growth.Sizes {
		if s.FirstSync.Pulled < 10*s.Records || s.Drip.Syncs != 12 || s.Filled <= 0 {
			t.Errorf("%+v", s)
		}
	}
	shows(t, growth.Print, "99th percentile")
}

func TestHerdIsMeasured(t *testing.T) {
	t.Parallel()
	herd, err := bench.MeasureHerd(t.Context(), bench.HerdOptions{Devices: 30, Changes: 4, Seed: 1, Program: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	// What a device finds of its mates depends on who came before it: of any two at least one finds the other's.
	if most := 9 * herd.Changes; herd.Devices != 30 || herd.Changes != 120 || herd.Pulled < most/2 || herd.Pulled > most {
		t.Errorf("%+v", herd)
	}
	if herd.Half <= 0 || herd.Half > herd.P99 || herd.P99 > herd.Longest || herd.Longest > herd.Seconds || herd.AtOnce < 1 || herd.AtOnce > 30 || herd.Unanswered != 0 {
		t.Errorf("%+v", herd)
	}
	shows(t, herd.Print, "the longest wait")
}

func shows(t *testing.T, show func(to io.Writer) error, line string) {
	t.Helper()
	var shown bytes.Buffer
	if err := show(&shown); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(shown.String(), line) {
		t.Error(shown.String())
	}
}
