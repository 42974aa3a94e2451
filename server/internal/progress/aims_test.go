package progress_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// A target by day asks for the days of the deployment alone, one by week for the week, and one of the whole is held against the whole.
func TestAims(t *testing.T) {
	one, two := hlc.ID{1}, hlc.ID{2}
	target := func(figure string, period recordv1.TargetPeriod, of recordv1.TargetOf, team []byte) *recordv1.Target {
		return &recordv1.Target{Figure: &figure, Period: period.Enum(), Of: of.Enum(), Team: team, Value: proto.Uint32(3)}
	}
	const day, week, whole = recordv1.TargetPeriod_TARGET_PERIOD_DAY, recordv1.TargetPeriod_TARGET_PERIOD_WEEK, recordv1.TargetPeriod_TARGET_PERIOD_WHOLE
	const team, worker = recordv1.TargetOf_TARGET_OF_TEAM, recordv1.TargetOf_TARGET_OF_WORKER
	d := &recordv1.Deployment{StartOn: proto.Int32(20210929), EndOn: proto.Int32(20211206), Targets: []*recordv1.Target{
		target("case_sessions", day, team, nil), target("contacts", week, team, one[:]), target("cases", whole, team, nil), target("persons", week, team, nil),
		target("contacts", week, team, two[:]), target("contacts", day, worker, nil),
	}}
	done := map[string]int64{"case_sessions": 4, "contacts": 2, "persons": 9}
	aims := progress.Aims(d, team, one, 20210927, 20211003, done, map[string]int64{"cases": 7})
	type row struct {
		figure         string
		expected, done int64
		known          bool
	}
	want := []row{{"case_sessions", 15, 4, true}, {"contacts", 3, 2, true}, {"cases", 3, 7, true}, {"persons", 3, 9, false}}
	if len(aims) != len(want) {
		t.Fatalf("%d aims: %+v", len(aims), aims)
	}
	for i, a := range aims {
		if got := (row{a.GetFigure(), a.Expected, a.Done, a.Known}); got != want[i] {
			t.Errorf("%+v, want %+v", got, want[i])
		}
	}
	if before := progress.Aims(d, worker, one, 20210920, 20210926, done, nil); len(before) != 0 {
		t.Errorf("before the deployment: %+v", before)
	}
}
