package bench_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"levee/server/bench"
)

// A small field day has all its figures: each device pulled what its mates pushed, which the bench itself compares, and what is
// sent again moves nothing.
func TestFieldDayIsMeasured(t *testing.T) {
	t.Parallel()
	day, err := bench.MeasureFieldDay(t.Context(), bench.FieldDayOptions{Changes: 210, Runs: 2, Seed: 1, Program: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	if day.Changes != 210 || day.Pulled != 9*210 || day.Runs != 2 {
		t.Errorf("%d changes are pushed and %d records pulled in %d runs", day.Changes, day.Pulled, day.Runs)
	}
	if day.AgainMoved != 0 {
		t.Errorf("what is sent again moves %v positions", day.AgainMoved)
	}
	for name, figure := range map[string]float64{
		"push": day.Push, "pull": day.Pull, "floor": day.Floor, "sent again": day.Again, "push ratio": day.PushRatio, "pull ratio": day.PullRatio, "time of sent again": day.AgainTime,
	} {
		if figure <= 0 {
			t.Errorf("%s is %v", name, figure)
		}
	}
	// However well it compresses, a change has an id and a note of its own.
	for name, size := range map[string]float64{"up": day.BodyUp, "down": day.BodyDown, "packed": day.Packed, "one": day.OneBody} {
		if size < 50 || size > 1000 {
			t.Errorf("%s has %v bytes", name, size)
		}
	}
	if day.BytesUp <= day.BodyUp || day.BytesDown <= day.BodyDown || day.NothingNew < 100 || day.PushAnswer <= 0 || day.PullRequest <= 0 {
		t.Errorf("what goes over the wire is not more than the bodies: %+v", day)
	}
	var shown bytes.Buffer
	if err := day.Print(&shown); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(shown.String(), "pushed until durable") || strings.Count(shown.String(), "reached")+strings.Count(shown.String(), "missed") < 8 {
		t.Error(shown.String())
	}
}
