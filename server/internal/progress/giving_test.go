package progress_test

import (
	"context"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
)

// What single records give is what the totals have of them; what was said of them by their newest review is told with it.
func TestWhatRecordsGive(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	s := progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
	anna, boss := d.Enrol("anna"), d.Enrol("super")
	held := recordv1.Status_STATUS_HELD.Enum()
	talk := anna.Make(&recordv1.CommunityActivity{Name: proto.String("义诊"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: held})
	heads := anna.Make(&recordv1.Headcount{Activity: talk.Record[:], Counter: anna.Worker[:], Zone: proto.String("东"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(20), Returning: proto.Uint32(3), Status: held})
	draft := anna.Make(&recordv1.CommunityActivity{Name: proto.String("未完"), Status: held})
	anna.Push(talk, heads, draft)
	boss.Pull()
	boss.Push(boss.Make(&recordv1.Review{Target: talk.Record[:], Reviewed: tally.Reviewed(recordv1.Kind_KIND_COMMUNITY_ACTIVITY, boss.Seen[talk.Record]), Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), Comment: proto.String("几点？")}))

	giving, err := s.Giving(ctx, []hlc.ID{heads.Record, d.NewID(), talk.Record, draft.Record})
	if err != nil || len(giving) != 3 {
		t.Fatalf("%d given, %v", len(giving), err)
	}
	if g := giving[0]; g.ID != heads.Record || g.Name != "义诊" || g.Author.Name != "anna" || g.Team.Name != "one" || g.Day != 20211001 || g.Values["contacts"] != 23 || g.Values["persons"] != 20 || g.Outcome != 0 {
		t.Errorf("the heads: %+v", g)
	}
	if g := giving[1]; g.Values["community_activities"] != 1 || g.Position == 0 || g.Comment != "几点？" || g.Outcome != recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED || !g.Judged.Equal(d.Wall()) {
		t.Errorf("the activity: %+v", g)
	}
	if g := giving[2]; len(g.Values) != 0 || g.Name != "未完" || g.Day != 20211001 {
		t.Errorf("the draft: %+v", g)
	}
	if _, err := s.Giving(ctx, make([]hlc.ID, progress.MaxPage+1)); err == nil {
		t.Error("more than a page is given")
	}
}
