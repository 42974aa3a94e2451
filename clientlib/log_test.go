package clientlib_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// all logs one record of every kind that a tablet makes, each with only what its worker must say.
func (tab *tablet) all() map[record.Kind]hlc.ID {
	tab.t.Helper()
	ctx := tab.t.Context()
	made := map[record.Kind]hlc.ID{}
	keep := func(k record.Kind) func(hlc.ID, error) hlc.ID {
		return func(id hlc.ID, err error) hlc.ID {
			tab.t.Helper()
			if err != nil {
				tab.t.Fatalf("%v: %v", k, err)
			}
			made[k] = id
			tab.now = tab.now.Add(time.Second)
			return id
		}
	}
	area := recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT
	theCase := keep(recordv1.Kind_KIND_CASE)(tab.LogCase(ctx, aCase("WZ-001")))
	keep(recordv1.Kind_KIND_CASE_IDENTITY)(tab.LogCaseIdentity(ctx, &recordv1.CaseIdentity{Case: theCase[:], Name: proto.String("王秀英")}))
	keep(recordv1.Kind_KIND_CONSENT)(tab.LogConsent(ctx, &recordv1.Consent{Subject: theCase[:]}))
	session := keep(recordv1.Kind_KIND_CASE_SESSION)(tab.LogCaseSession(ctx, aSession(theCase)))
	keep(recordv1.Kind_KIND_CASE_NOTE)(tab.LogCaseNote(ctx, &recordv1.CaseNote{Session: session[:], Process: proto.String("谈到洪水那天。")}))
	keep(recordv1.Kind_KIND_OUTREACH)(tab.LogOutreach(ctx, &recordv1.Outreach{Households: proto.Uint32(12), ServiceArea: area.Enum()}))
	group := keep(recordv1.Kind_KIND_GROUP)(tab.LogGroup(ctx, &recordv1.Group{Name: proto.String("妈妈小组"), ServiceArea: area.Enum()}))
	meeting := keep(recordv1.Kind_KIND_GROUP_SESSION)(tab.LogGroupSession(ctx, &recordv1.GroupSession{
		Group: group[:], Number: proto.Uint32(1), Theme: proto.String("相识"), Minutes: proto.Uint32(90)}))
	keep(recordv1.Kind_KIND_GROUP_NOTE)(tab.LogGroupNote(ctx, &recordv1.GroupNote{Session: meeting[:], Process: proto.String("气氛好。")}))
	festival := keep(recordv1.Kind_KIND_COMMUNITY_ACTIVITY)(tab.LogCommunityActivity(ctx, activity("中秋联欢")))
	keep(recordv1.Kind_KIND_HEADCOUNT)(tab.Count(ctx, &recordv1.Headcount{Zone: proto.String("东区"),
		Activity: festival[:], Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(80), Returning: proto.Uint32(40)}))
	person := keep(recordv1.Kind_KIND_PARTICIPANT)(tab.LogParticipant(ctx, &recordv1.Participant{
		Token: token(7), Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: proto.Uint32(4), Disability: recordv1.Disability_DISABILITY_NO.Enum()}))
	keep(recordv1.Kind_KIND_ATTENDANCE)(tab.LogAttendance(ctx, &recordv1.Attendance{Activity: meeting[:], Participant: person[:]}))
	keep(recordv1.Kind_KIND_RESOURCE_LINK)(tab.LogResourceLink(ctx, &recordv1.ResourceLink{Need: proto.String("棉被"), RecipientCase: theCase[:]}))
	referral := keep(recordv1.Kind_KIND_REFERRAL)(tab.LogReferral(ctx, &recordv1.Referral{Case: theCase[:], ToOrganisation: proto.String("县医院")}))
	keep(recordv1.Kind_KIND_REFERRAL_NOTE)(tab.LogReferralNote(ctx, &recordv1.ReferralNote{Referral: referral[:], Handover: proto.String("每周复诊。")}))
	keep(recordv1.Kind_KIND_RISK_ALERT)(tab.LogRiskAlert(ctx, &recordv1.RiskAlert{
		Subject: theCase[:], Type: recordv1.RiskType_RISK_TYPE_MEDICAL_EMERGENCY.Enum(), Done: proto.String("已拨打120")}))
	meet := keep(recordv1.Kind_KIND_SUPERVISION)(tab.LogSupervision(ctx, &recordv1.Supervision{Supervisor: zhangMin[:], Minutes: proto.Uint32(30)}))
	keep(recordv1.Kind_KIND_SUPERVISION_NOTE)(tab.LogSupervisionNote(ctx, &recordv1.SupervisionNote{Supervision: meet[:], Advice: proto.String("放慢。")}))
	keep(recordv1.Kind_KIND_REVIEW)(tab.LogReview(ctx, &recordv1.Review{
		Target: festival[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()}))
	return made
}

func token(n byte) []byte { return append(make([]byte, 15), n) }

// A worker says what only they know. The rest is filled in, so that every kind counts as it was logged.
func TestEveryKindIsCompleteAsLogged(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	made := tab.all()
	for _, k := range record.Kinds() {
		serverMakes := record.SetUp(k) || k == recordv1.Kind_KIND_CONFLICT || k == recordv1.Kind_KIND_HELD_DECISION || k == recordv1.Kind_KIND_DISTINCTION
		id, ok := made[k]
		if ok == serverMakes {
			t.Errorf("%v: made by a tablet: %v", k, ok)
		}
		if !ok {
			continue
		}
		r := tab.record(id)
		if len(r.Missing) > 0 {
			t.Errorf("%v lacks %v", k, r.Missing)
		}
		m := r.Message
		if r.Kind != k || r.Sending != clientlib.Unsent || r.Deleted ||
			hlc.ID(m.GetAuthor()) != liWei || hlc.ID(m.GetTeam()) != teamA || hlc.ID(m.GetSite()) != wangzhuang ||
			m.GetOccurredOn() != 20210923 || m.GetPlace().GetCode() != "410621108" || m.GetEntry() != recordv1.Entry_ENTRY_LIVE {
			t.Errorf("%v is %+v", k, r)
		}
	}
	if st := tab.status(); st.Unsent != len(made) {
		t.Errorf("%d changes for %d records", st.Unsent, len(made))
	}
}

func TestLogFillsIn(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()

	planned := activity("重阳节")
	planned.Status, planned.OccurredOn = recordv1.Status_STATUS_PLANNED.Enum(), proto.Int32(20211014)
	id, err := tab.LogCommunityActivity(ctx, planned)
	tab.must(err)
	if m := tab.record(id).Message; m.GetStatus() != recordv1.Status_STATUS_PLANNED || m.GetEntry() != recordv1.Entry_ENTRY_LIVE {
		t.Errorf("a planned activity became %v", m)
	}
	if len(planned.GetAuthor()) != 0 || planned.Entry != nil {
		t.Error("the caller's message was changed")
	}

	// It is 00:30 in Henan, and still the day before in UTC.
	tab.now = time.Date(2021, 9, 24, 16, 30, 0, 0, time.UTC)
	s.now = tab.now
	late := activity("晚会")
	late.OccurredOn = proto.Int32(20210924)
	late.Site = xiaohe[:]
	id, err = tab.LogCommunityActivity(ctx, late)
	tab.must(err)
	m := tab.record(id).Message
	if m.GetStatus() != recordv1.Status_STATUS_HELD || m.GetEntry() != recordv1.Entry_ENTRY_BACKFILLED || m.GetPlace().GetCode() != "410621105" {
		t.Errorf("an activity of yesterday at another site became %v", m)
	}
	count, err := tab.Count(ctx, &recordv1.Headcount{Activity: id[:], Zone: proto.String("东区"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(3)})
	tab.must(err)
	head := tab.record(count).Message.(*recordv1.Headcount)
	if head.GetOccurredOn() != 20210924 || hlc.ID(head.GetSite()) != xiaohe || hlc.ID(head.GetCounter()) != liWei ||
		head.GetServiceArea() != late.GetServiceArea() || head.Status != nil {
		t.Errorf("its headcount became %v", head)
	}
	theCase, err := tab.LogCase(ctx, aCase("WZ-002"))
	tab.must(err)
	if m := tab.record(theCase).Message.(*recordv1.Case); m.GetOccurredOn() != 20210925 || hlc.ID(m.GetLead()) != liWei {
		t.Errorf("a case of today became %v", m)
	}

	all := tab.all()
	attendance := tab.record(all[recordv1.Kind_KIND_ATTENDANCE]).Message.(*recordv1.Attendance)
	if !reflect.DeepEqual(attendance.GetToken(), token(7)) || attendance.GetSex() != recordv1.Sex_SEX_FEMALE || attendance.GetAgeBand() != 4 ||
		attendance.GetDisability() != recordv1.Disability_DISABILITY_NO {
		t.Errorf("an attendance became %v", attendance)
	}
	alert, err := tab.LogRiskAlert(ctx, &recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_VIOLENCE.Enum(), Done: proto.String("已报警")})
	tab.must(err)
	if m := tab.record(alert).Message.(*recordv1.RiskAlert); m.GetSeenAt() != tab.now.UnixMilli() {
		t.Errorf("an alert became %v", m)
	}
	if m := tab.record(all[recordv1.Kind_KIND_REVIEW]).Message.(*recordv1.Review); len(m.GetReviewed()) == 0 {
		t.Errorf("a review became %v", m)
	}

	tab.must(tab.SetSite(ctx, xiaohe))
	id, err = tab.LogCommunityActivity(ctx, activity("义诊"))
	tab.must(err)
	if m := tab.record(id).Message; hlc.ID(m.GetSite()) != xiaohe || tab.status().Site != xiaohe {
		t.Errorf("at the chosen site: %v", m)
	}
	if err := tab.SetSite(ctx, teamA); clientlib.Code(err) != "not_found" {
		t.Errorf("a team as site: %v", err)
	}
}

func TestLogFillsInWithinFields(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	ctx := t.Context()
	m := aCase("WZ-001")
	m.Age, m.Place = proto.Uint32(70), &recordv1.Place{Village: proto.String("三组")}
	id, err := tab.LogCase(ctx, m)
	tab.must(err)
	got := tab.record(id).Message.(*recordv1.Case)
	if p := got.GetPlace(); got.GetAgeBand() != 5 || p.GetVillage() != "三组" || p.GetCode() != "410621108" || p.GetEdition() != 2023 {
		t.Errorf("the case became %v", got)
	}
	tab.must(tab.Update(ctx, id, &recordv1.Case{Age: proto.Uint32(17)}))
	if got := tab.record(id).Message.(*recordv1.Case); got.GetAgeBand() != 3 {
		t.Errorf("at 17 the band is %d", got.GetAgeBand())
	}
	tab.must(tab.Update(ctx, id, &recordv1.Case{Age: proto.Uint32(18), AgeBand: proto.Uint32(0)}))
	if got := tab.record(id).Message.(*recordv1.Case); got.GetAgeBand() != 0 {
		t.Errorf("the worker's own band became %d", got.GetAgeBand())
	}
	elsewhere := aCase("WZ-002")
	elsewhere.Place = &recordv1.Place{Code: proto.String("410621105")}
	id, err = tab.LogCase(ctx, elsewhere)
	tab.must(err)
	if p := tab.record(id).Message.GetPlace(); p.GetCode() != "410621105" || p.Edition != nil {
		t.Errorf("the worker's own place became %v", p)
	}
}

func TestDraftWritesNothing(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	ctx := t.Context()
	before := tab.status()
	filled, missing, err := tab.Draft(ctx, &recordv1.CommunityActivity{Minutes: proto.Uint32(60)})
	tab.must(err)
	if !slices.Equal(missing, []string{"service_area", "name", "register_used"}) || hlc.ID(filled.GetSite()) != wangzhuang || filled.GetOccurredOn() != 20210923 {
		t.Errorf("the draft is %v and lacks %v", filled, missing)
	}
	if _, _, err := tab.Draft(ctx, &recordv1.CommunityActivity{Minutes: proto.Uint32(0)}); clientlib.Code(err) != "number_out_of_range" {
		t.Errorf("a draft of no minutes: %v", err)
	}
	if after := tab.status(); after != before {
		t.Errorf("%+v became %+v", before, after)
	}
}

func TestLogRefuses(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	ctx := t.Context()
	theCase, err := tab.LogCase(ctx, aCase("WZ-001"))
	tab.must(err)
	gone, err := tab.LogCase(ctx, aCase("WZ-002"))
	tab.must(err)
	tab.must(tab.Delete(ctx, gone))
	before := tab.status()

	session := func(change func(*recordv1.CaseSession)) error {
		m := aSession(theCase)
		change(m)
		_, err := tab.LogCaseSession(ctx, m)
		return err
	}
	cases := map[string]struct {
		err  error
		code string
		says string // in the error or the message
	}{
		"no case":       {session(func(m *recordv1.CaseSession) { m.Case = nil }), "owner_missing", "case"},
		"unknown case":  {session(func(m *recordv1.CaseSession) { m.Case = gone[:15:15]; m.Case = append(m.Case, gone[15]+1) }), "owner_missing", ""},
		"short case":    {session(func(m *recordv1.CaseSession) { m.Case = theCase[:8] }), "invalid_id", "case"},
		"a site's":      {session(func(m *recordv1.CaseSession) { m.Case = wangzhuang[:] }), "owner_missing", ""},
		"deleted case":  {session(func(m *recordv1.CaseSession) { m.Case = gone[:] }), "owner_deleted", ""},
		"minutes":       {session(func(m *recordv1.CaseSession) { m.Minutes = proto.Uint32(5000) }), "number_out_of_range", "minutes"},
		"before it all": {session(func(m *recordv1.CaseSession) { m.OccurredOn = proto.Int32(20210101) }), "date_outside_deployment", "occurred_on"},
		"no such day":   {session(func(m *recordv1.CaseSession) { m.OccurredOn = proto.Int32(20210931) }), "invalid_date", ""},
		"tomorrow, held": {session(func(m *recordv1.CaseSession) {
			m.OccurredOn = proto.Int32(20211101)
		}), "date_in_future", ""},
		"elsewhere": {session(func(m *recordv1.CaseSession) { m.Place = &recordv1.Place{Code: proto.String("110101")} }), "unknown_place", "place"},
		"not UTF-8": {func() error {
			_, err := tab.LogGroup(ctx, &recordv1.Group{Name: proto.String("\xff")})
			return err
		}(), "invalid_utf8", ""},
		"a group's note": {func() error {
			_, err := tab.LogGroupNote(ctx, &recordv1.GroupNote{Session: theCase[:]})
			return err
		}(), "owner_missing", ""},
		"too long": {func() error {
			_, err := tab.LogGroup(ctx, &recordv1.Group{Name: proto.String(strings.Repeat("长", 500))})
			return err
		}(), "text_too_long", "name"},
		"too large": {func() error {
			long := proto.String(strings.Repeat("长", 6000))
			id, err := tab.LogCaseSession(ctx, aSession(theCase))
			tab.must(err)
			_, err = tab.LogCaseNote(ctx, &recordv1.CaseNote{Session: id[:], Process: long, Assessment: long, Response: long, Plan: long})
			return err
		}(), "too_large", ""},
	}
	for name, c := range cases {
		if got := clientlib.Code(c.err); got != c.code {
			t.Errorf("%s: code %q (%v), want %q", name, got, c.err, c.code)
			continue
		}
		zh, en := clientlib.Message(c.err, "zh-CN"), clientlib.Message(c.err, "en")
		if zh == "" || en == "" || zh == en {
			t.Errorf("%s: people read %q, %q", name, zh, en)
		}
		if !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: %q does not say %q", name, c.err, c.says)
		}
	}
	if after := tab.status(); after.Unsent != before.Unsent+1 { // the session that the large note was to belong to
		t.Errorf("refused records left %d changes", after.Unsent-before.Unsent)
	}

	if _, err := tab.LogRiskAlert(ctx, &recordv1.RiskAlert{
		Subject: gone[:], Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), Done: proto.String("寻找中")}); err != nil {
		t.Errorf("an alert about a deleted case was refused: %v", err)
	}
	if id, err := tab.LogGroup(ctx, nil); err != nil {
		t.Errorf("an empty draft was refused: %v", err)
	} else if missing := tab.record(id).Missing; len(missing) == 0 {
		t.Error("an empty group lacks nothing")
	}
}

func TestNotEnrolledAndClosed(t *testing.T) {
	s := newServer(t)
	tab := newTablet(t, s, 1)
	calls := map[string]func() error{
		"log":    func() error { _, err := tab.LogCase(t.Context(), aCase("1")); return err },
		"update": func() error { return tab.Update(t.Context(), liWei, aCase("1")) },
		"list":   func() error { _, err := tab.List(t.Context(), clientlib.Query{}); return err },
		"totals": func() error { _, err := tab.Totals(t.Context(), 0); return err },
		"sync":   func() error { _, err := tab.Sync(t.Context(), nil); return err },
	}
	for name, call := range calls {
		if err := call(); clientlib.Code(err) != clientlib.CodeNotEnrolled {
			t.Errorf("%s before enrolment: %v", name, err)
		}
	}
	if st := tab.status(); st != (clientlib.Status{}) {
		t.Errorf("Status before enrolment = %+v", st)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tab.must(tab.Enrol(t.Context(), s.code("http://levee.test", "li-wei")))
	if _, err := tab.LogCase(ctx, aCase("1")); clientlib.Code(err) != clientlib.CodeCancelled || !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
	tab.must(tab.Close())
	tab.must(tab.Close())
	calls["status"] = func() error { _, err := tab.Status(t.Context()); return err }
	calls["enrol"] = func() error { return tab.Enrol(t.Context(), s.code("http://levee.test", "li-wei")) }
	for name, call := range calls {
		if err := call(); clientlib.Code(err) != clientlib.CodeClosed {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}
