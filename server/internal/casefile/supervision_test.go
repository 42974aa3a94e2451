package casefile_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// A session is read by its team; the advice in it by who wrote it, the team's supervisors and the coordinator, and that is noted
// as what is confidential.
func TestWhoReadsWhatASupervisorAdvised(t *testing.T) {
	o := open(t)
	super := o.Enrol("super")
	session := super.Make(&recordv1.Supervision{OccurredOn: proto.Int32(20211001), Minutes: proto.Uint32(40), Supervisor: super.Worker[:], Supervisees: [][]byte{o.anna.Worker[:]}})
	advice := super.Make(&recordv1.SupervisionNote{Supervision: session.Record[:], Advice: proto.String("先稳定情绪")})
	super.Push(session, advice)
	for _, c := range []struct {
		worker        string
		reads, advice bool
	}{
		{"super", true, true}, {"coordinator", true, true}, {"external", true, true},
		{"anna", true, false}, {"lead", true, false}, {"carl", false, false}, {"nobody", false, false},
	} {
		before := len(o.audited())
		s, err := o.service.Supervision(ctx, o.reader(c.worker), session.Record)
		if (err == nil) != c.reads || err != nil && problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%s reads the session: %v", c.worker, err)
		}
		if c.reads && (s.Session.GetMinutes() != 40 || s.Team.ID != o.Teams[0] || s.Position == 0) {
			t.Errorf("%s reads %+v", c.worker, s)
		}
		if got := len(s.Advice) == 1 && s.Advice[0].Text == "先稳定情绪" && s.Advice[0].By.Name == "super" && s.Advice[0].ID == advice.Record; got != c.advice {
			t.Errorf("%s reads the advice: %v", c.worker, s.Advice)
		}
		var want []string
		switch {
		case c.advice:
			want = []string{"confidential_read " + session.Record.String()}
		case c.reads:
			want = []string{"record_read " + session.Record.String()}
		}
		if got := o.audited()[before:]; !slices.Equal(got, want) {
			t.Errorf("%s: noted %v, want %v", c.worker, got, want)
		}
	}
	if _, err := o.service.Supervision(ctx, o.reader("super"), o.session); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a session of a case: %v", err)
	}
	super.Push(super.Edit(session.Record, &recordv1.Supervision{Deleted: proto.Bool(true)}))
	if _, err := o.service.Supervision(ctx, o.reader("super"), session.Record); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a deleted session: %v", err)
	}
}
