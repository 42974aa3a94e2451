package clientlib_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

// The states of a deployment that is being closed.
const (
	active   = recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE
	closing  = recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING
	closed   = recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
	archived = recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED
)

// at lets both sides come to a time.
func (tab *tablet) at(s *fakeServer, now time.Time) {
	tab.now = now
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// becomes has the coordinator bring the deployment to a state, and the tablet hear of it.
func (tab *tablet) becomes(s *fakeServer, state recordv1.DeploymentState, lastDay int32) {
	tab.t.Helper()
	s.set(s.deployment, &recordv1.Deployment{State: state.Enum(), EndOn: &lastDay})
	tab.sync()
}

// Days are those of the deployment's time zone, whatever the tablet's own is.
func TestStatusTellsHowFarTheDeploymentHasCome(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	if st := tab.status(); st.State != active || st.Since != 0 || st.LastDay != 0 || st.DaysLeft != 0 || st.Edition != 0 {
		t.Errorf("at first %+v", st)
	}
	henan := time.FixedZone("CST", 8*3600)
	for _, c := range []struct {
		now   time.Time
		state recordv1.DeploymentState
		since record.Date
		left  int
	}{
		{time.Date(2021, 11, 30, 23, 0, 0, 0, henan), active, 20211130, 6},
		{time.Date(2021, 12, 1, 0, 30, 0, 0, henan), closing, 20211201, 5}, // in London it is still November
		{time.Date(2021, 12, 6, 23, 59, 0, 0, henan), closing, 20211201, 0},
		{time.Date(2021, 12, 7, 0, 0, 0, 0, henan), closed, 20211207, -1},
		{time.Date(2022, 3, 6, 8, 0, 0, 0, henan), archived, 20220306, -90},
	} {
		tab.at(s, c.now.UTC())
		tab.becomes(s, c.state, 20211206)
		if st := tab.status(); st.State != c.state || st.Since != c.since || st.LastDay != 20211206 || st.DaysLeft != c.left {
			t.Errorf("at %v it is %v since %d until %d, %d days are left", c.now, st.State, st.Since, st.LastDay, st.DaysLeft)
		}
	}
}

func TestStatusTellsTheNewestEdition(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	issued := func(n byte, edition, part uint32, day int32) {
		s.set(testID(29, n), &recordv1.Certificate{Edition: &edition, Part: &part, Parts: proto.Uint32(2), Document: []byte{1}, OccurredOn: &day})
	}
	for _, c := range []struct {
		issue   func()
		edition int
		on      record.Date
	}{
		{func() { issued(9, 1, 1, 20211207); issued(2, 1, 2, 20211207) }, 1, 20211207},
		{func() { issued(7, 2, 2, 20211207); issued(1, 2, 1, 20211207) }, 2, 20211207}, // on the same day, with a smaller id
		{func() { issued(5, 3, 1, 20220101) }, 3, 20220101},
	} {
		c.issue()
		tab.sync()
		if st := tab.status(); st.Edition != c.edition || st.CertifiedOn != c.on {
			t.Errorf("edition %d of %d, want %d of %d", st.Edition, st.CertifiedOn, c.edition, c.on)
		}
	}
}

func TestWhatATabletStillOwes(t *testing.T) {
	s := newServer(t)
	lead, tab, share := squadOf(t, s)
	ctx := t.Context()
	owes := func(what string, want clientlib.Owed) {
		t.Helper()
		got, err := tab.Owed(ctx)
		tab.must(err)
		if got != want || got.Nothing() != (want == clientlib.Owed{}) {
			t.Errorf("%s: it owes %+v, want %+v", what, got, want)
		}
	}
	owes("at first", clientlib.Owed{})
	theCase, err := tab.LogCase(ctx, aCase("WZ-001"))
	tab.must(err)
	owes("with a case", clientlib.Owed{Unsent: 1, OpenCases: 1})
	share()
	owes("sent", clientlib.Owed{OpenCases: 1})
	_, err = lead.LogCase(ctx, aCase("WZ-002"))
	lead.must(err)
	share()
	owes("a colleague's case", clientlib.Owed{OpenCases: 1})

	referral, err := tab.LogReferral(ctx, &recordv1.Referral{
		Case: theCase[:], ToOrganisation: proto.String("县社工站"), Progress: recordv1.ReferralProgress_REFERRAL_PROGRESS_SENT.Enum(),
	})
	tab.must(err)
	share()
	owes("referred", clientlib.Owed{})
	tab.must(tab.Update(ctx, referral, &recordv1.Referral{Progress: recordv1.ReferralProgress_REFERRAL_PROGRESS_DECLINED.Enum()}))
	share()
	owes("declined", clientlib.Owed{OpenCases: 1})
	tab.must(tab.Update(ctx, theCase, &recordv1.Case{Stage: recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum()}))
	share()
	owes("closed", clientlib.Owed{})

	draft, err := tab.LogGroup(ctx, &recordv1.Group{ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()})
	tab.must(err)
	form, err := tab.NewFormID()
	tab.must(err)
	tab.must(tab.SaveForm(ctx, clientlib.Form{ID: form, Kind: recordv1.Kind_KIND_OUTREACH}))
	share()
	owes("with a draft and a form", clientlib.Owed{Drafts: 1, Forms: 1})
	tab.must(tab.Update(ctx, draft, &recordv1.Group{Name: proto.String("妈妈小组")}))
	tab.must(tab.DropForm(ctx, form))
	share()
	lead.review(theCase, recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED)
	share()
	owes("returned", clientlib.Owed{Returned: 1})
	tab.must(tab.Update(ctx, theCase, &recordv1.Case{ClientCount: proto.Uint32(2)}))
	share()
	owes("mended", clientlib.Owed{})

	conflict := &recordv1.Conflict{Target: theCase[:], TargetKind: recordv1.Kind_KIND_CASE.Enum(), Field: proto.Uint32(16), Settled: proto.Bool(false)}
	s.set(testID(25, 1), conflict)
	share()
	owes("in conflict", clientlib.Owed{Conflicts: 1})
	s.set(testID(25, 1), &recordv1.Conflict{Settled: proto.Bool(true)})
	s.hold = func(*record.Change) string { return "not_your_team" }
	_, err = tab.LogOutreach(ctx, &recordv1.Outreach{Households: proto.Uint32(3), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()})
	tab.must(err)
	share()
	owes("held", clientlib.Owed{Held: 1})
}

// What came after the closing is told apart from what is held otherwise, and what became of it stays known.
func TestAnAddendumIsCountedByWhatBecameOfIt(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	log := func(code record.Code) hlc.ID {
		t.Helper()
		s.hold = func(*record.Change) string { return string(code) }
		id, err := tab.LogOutreach(ctx, &recordv1.Outreach{Households: proto.Uint32(3), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()})
		tab.must(err)
		tab.sync()
		s.hold = nil
		return id
	}
	log(record.CodeNotYourTeam)
	tab.becomes(s, closed, 20211206)
	accepted, declined := log(record.CodeDeploymentClosed), log(record.CodeDeploymentClosed)
	log(record.CodeDeploymentClosed)
	is := func(what string, want clientlib.Addendum, held int) {
		t.Helper()
		st := tab.status()
		owed, err := tab.Owed(ctx)
		tab.must(err)
		if st.Addendum != want || st.Addendum.Any() != (want != clientlib.Addendum{}) || st.Held != held || owed.Held != 1 {
			t.Errorf("%s: %+v and %d held, of which %d are owed", what, st.Addendum, st.Held, owed.Held)
		}
	}
	is("first", clientlib.Addendum{Waiting: 3}, 4)
	reason := "那天的走访已经由小河镇的同事记过。"
	s.set(testID(26, 1), &recordv1.HeldDecision{Change: declined[:], Decision: recordv1.Decision_DECISION_DISCARD.Enum(), Reason: &reason})
	s.settled = []*syncv1.SettledChange{{Change: accepted[:]}, {Change: declined[:], Code: string(record.CodeDiscarded)}}
	tab.sync()
	is("decided", clientlib.Addendum{Waiting: 1, Accepted: 1, Declined: 1}, 2)
	held, err := tab.Held(ctx)
	tab.must(err)
	late := 0
	for _, h := range held {
		if h.InAddendum() {
			late++
		}
		if h.Late != (h.Code != string(record.CodeNotYourTeam)) {
			t.Errorf("%s, late: %v", h.Code, h.Late)
		}
		if h.Change == declined && (h.Reason != reason || !h.Discarded()) {
			t.Errorf("declined: %q, %s", h.Reason, h.Code)
		}
	}
	if late != 1 || len(held) != 3 {
		t.Errorf("%d of %d wait for the coordinator", late, len(held))
	}
	tab.reopen()
	is("after a restart", clientlib.Addendum{Waiting: 1, Accepted: 1, Declined: 1}, 2)
}

// After the last day no work is logged but the follow-up visit of a case in its last stage; until the deployment is archived what is
// logged is kept.
func TestTheLastDayAndTheArchive(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	tab.at(s, time.Date(2021, 12, 8, 2, 0, 0, 0, time.UTC))
	theCase, err := tab.LogCase(ctx, aCase("WZ-001"))
	tab.must(err)
	day := func(day int32, stage recordv1.CaseStage) *recordv1.CaseSession {
		m := aSession(theCase)
		m.OccurredOn, m.Stage = &day, stage.Enum()
		return m
	}
	const evaluation, closure = recordv1.CaseStage_CASE_STAGE_EVALUATION, recordv1.CaseStage_CASE_STAGE_CLOSURE
	all := []recordv1.DeploymentState{closing, closed, archived}
	for _, state := range all {
		tab.becomes(s, state, 20211206)
		over := ""
		if state == archived {
			over = clientlib.CodeDeploymentArchived
		}
		for name, c := range map[string]struct {
			log  func() error
			code string
		}{
			"on the last day":  {func() error { _, err := tab.LogCaseSession(ctx, day(20211206, evaluation)); return err }, over},
			"after it":         {func() error { _, err := tab.LogCaseSession(ctx, day(20211207, evaluation)); return err }, "date_outside_deployment"},
			"a visit after it": {func() error { _, err := tab.LogCaseSession(ctx, day(20211207, closure)); return err }, over},
			"today":            {func() error { _, err := tab.LogGroup(ctx, &recordv1.Group{}); return err }, "date_outside_deployment"},
			"an edit": {func() error {
				return tab.Update(ctx, theCase, &recordv1.Case{NextDueOn: proto.Int32(int32(20211210 + state))})
			}, over},
			"a form": {func() error {
				id, err := tab.NewFormID()
				tab.must(err)
				_, err = tab.LogForm(ctx, id, clientlib.Family{Record: day(20211206, evaluation)})
				return err
			}, over},
			"a decision": {func() error {
				_, err := tab.Decide(ctx, testID(9, 9), recordv1.Decision_DECISION_DISCARD, "")
				return err
			}, over},
			"an alert": {func() error {
				_, err := tab.LogRiskAlert(ctx, &recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_MEDICAL_EMERGENCY.Enum(), Done: proto.String("已打 120")})
				return err
			}, ""},
		} {
			before := tab.status()
			if err := c.log(); clientlib.Code(err) != c.code {
				t.Errorf("%v, %s: %v", state, name, err)
			}
			if after := tab.status(); (after.Unsent > before.Unsent) != (c.code == "") {
				t.Errorf("%v, %s: %d unsent, before %d", state, name, after.Unsent, before.Unsent)
			}
		}
	}
	if err := tab.Delete(ctx, theCase); clientlib.Code(err) != clientlib.CodeDeploymentArchived {
		t.Errorf("deleting in an archived deployment: %v", err)
	}
}
