package progress_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
)

// TestEachGivenIsAllThatCounts: whatever tablets send, going from root to root hands out each fact once, with its record, whose
// contacts by sex and age are those that it gives.
func TestEachGivenIsAllThatCounts(t *testing.T) {
	if servertest.Raced {
		t.Skip("it takes minutes under the race detector, and has one goroutine")
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		servertest.Grow(rt, d, func() {})
		want := map[hlc.ID]tally.Fact{}
		for _, f := range tally.Facts(d.Records()) {
			want[f.Record] = f
		}
		err := d.DB.Deployment(d.ID).Look(context.Background(), func(tx progress.Reading) error {
			return progress.EachGiven(tx, func(syncing.Record) error { return nil }, func(g progress.Given) error {
				f, ok := want[g.Record]
				if !ok || f.Setting != g.Setting || f.Day != g.Day || g.Of.ID != g.Record || g.Where == recordv1.Kind_KIND_UNKNOWN {
					rt.Fatalf("%+v, counted from all %+v", g, f)
				}
				contacts := int64(0)
				tally.ContactsOf(&g.Of, func(_ recordv1.Sex, _ uint32, n int64) { contacts += n })
				if has := g.At(tally.Cell{Basis: tally.Reported, Figure: tally.Contacts, Cut: tally.Everything()}); contacts != has {
					rt.Fatalf("%v: %d contacts by sex and age, %d in all", g.Kind, contacts, has)
				}
				delete(want, g.Record)
				return nil
			})
		})
		if err != nil || len(want) > 0 {
			rt.Fatalf("%d facts were left out: %v", len(want), err)
		}
	})
}
