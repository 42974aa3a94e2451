package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// full is a station whose tablet has something to show on every page.
type full struct {
	*station
	// file is a case with all that belongs to one, talk an activity with counts of its own worker and a colleague's.
	file, talk hlc.ID
	// one is a record of each kind that the tablet has.
	one map[record.Kind]hlc.ID
}

// newFull sets a tablet up, and fills it: its worker and two colleagues work for a day, and do not agree on all of it.
func newFull(t *testing.T) *full {
	t.Helper()
	f := &full{station: newStation(t), one: map[record.Kind]hlc.ID{}}
	me, mate, lead := f.store("李娜", f.code), f.store("王芳", f.colleagues["王芳"]), f.store("赵敏", f.colleagues["赵敏"])
	f.worksOnACase(me)
	f.leadsAGroup(me)
	f.holdsATalk(me, mate)
	f.isContradicted(me, mate, lead)
	f.leavesOpen(me)
	all, err := me.List(t.Context(), clientlib.Query{Limit: 500})
	f.must(err)
	for _, r := range all.Records {
		f.one[r.Kind] = r.ID
	}
	f.one[recordv1.Kind_KIND_CASE] = f.file
	for _, s := range []*clientlib.Store{me, mate, lead} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// store is the file of a worker, who enrols: on this tablet, or that of the supervisor on another.
func (f *full) store(worker, code string) *clientlib.Store {
	f.t.Helper()
	s := f.opened(worker)
	f.must(s.Enrol(f.t.Context(), code))
	syncNow(f.t, s)
	return s
}

// opened is the file of a worker, made when it is not there.
func (f *full) opened(worker string) *clientlib.Store {
	f.t.Helper()
	path := f.path(filepath.Join("tablet", "levee", worker+".db"))
	if worker == "赵敏" {
		path = f.path(filepath.Join("other", worker+".db"))
	}
	f.must(os.MkdirAll(filepath.Dir(path), 0o700))
	s, err := clientlib.Open(f.t.Context(), path, clientlib.Options{Key: clientlib.PIN(tabletPIN), App: "e2e"})
	f.must(err)
	f.t.Cleanup(func() { _ = s.Close() })
	return s
}

func (s *station) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// logged is the id of a record that was logged.
func (f *full) logged(id hlc.ID, err error) []byte {
	f.t.Helper()
	f.must(err)
	return id[:]
}

// today is the day in the deployment's zone.
func today() record.Date { return record.DateOf(time.Now(), time.FixedZone("CST", 8*3600)) }

func (f *full) worksOnACase(me *clientlib.Store) {
	f.t.Helper()
	ctx, area := f.t.Context(), recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum()
	file := f.logged(me.LogCase(ctx, &recordv1.Case{
		CaseNo: proto.String("WZ-2021-014"), ClientType: recordv1.ClientType_CLIENT_TYPE_INDIVIDUAL.Enum(), ClientCount: proto.Uint32(1), ServiceArea: area,
		Source: recordv1.CaseSource_CASE_SOURCE_OUTREACH.Enum(), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Risk: recordv1.RiskDegree_RISK_DEGREE_HIGH.Enum(),
		NextDueOn: proto.Int32(int32(today().AddDays(-2))), Place: &recordv1.Place{Village: proto.String("东王庄")},
		Categories: []recordv1.CaseCategory{recordv1.CaseCategory_CASE_CATEGORY_BEREAVED}, Problems: []recordv1.CaseProblem{recordv1.CaseProblem_CASE_PROBLEM_GRIEF},
	}))
	f.file = hlc.ID(file)
	f.logged(me.LogCaseIdentity(ctx, &recordv1.CaseIdentity{
		Case: file, Name: proto.String("王秀兰"), Phone: proto.String("13800138000"), Address: proto.String("东王庄三组，村委会往北第二条巷子，临时住在女儿家"), BirthDate: proto.Int32(19510312),
		EmergencyContact: &recordv1.Contact{Name: proto.String("刘强"), Phone: proto.String("13900139000")},
	}))
	consent := f.logged(me.LogConsent(ctx, &recordv1.Consent{
		Subject: file, Basis: recordv1.ConsentBasis_CONSENT_BASIS_CONSENT.Enum(), Giver: recordv1.ConsentGiver_CONSENT_GIVER_SELF.Enum(), Form: recordv1.ConsentForm_CONSENT_FORM_ORAL_WITH_WITNESS.Enum(),
		Scopes: []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_SERVICE, recordv1.ConsentScope_CONSENT_SCOPE_SHARE},
	}))
	for n := range uint32(3) {
		session := f.logged(me.LogCaseSession(ctx, &recordv1.CaseSession{
			Case: file, Number: proto.Uint32(n + 1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), Minutes: proto.Uint32(45 + n),
			Attendees: proto.Uint32(1), RiskSeen: recordv1.RiskSeen_RISK_SEEN_SUSPECTED.Enum(), OccurredOn: proto.Int32(int32(today())),
		}))
		f.logged(me.LogCaseNote(ctx, &recordv1.CaseNote{
			Session: session, Process: proto.String("睡不好，谈了水灾那夜。说到老伴时哭了很久，之后愿意一起去看安置点的菜地。"), Plan: proto.String("周五再去，带上女儿。"),
		}))
	}
	referral := f.logged(me.LogReferral(ctx, &recordv1.Referral{
		Case: file, Consent: consent, ToOrganisation: proto.String("市人民医院心理科"), Reason: proto.String("持续失眠"), Urgency: recordv1.Urgency_URGENCY_URGENT.Enum(),
	}))
	f.logged(me.LogReferralNote(ctx, &recordv1.ReferralNote{Referral: referral, Handover: proto.String("周四上午九点，有女儿陪同。")}))
	f.logged(me.LogResourceLink(ctx, &recordv1.ResourceLink{
		RecipientCase: file, Recipient: recordv1.RecipientType_RECIPIENT_TYPE_CASE.Enum(), Need: proto.String("冬被"), Type: recordv1.ResourceType_RESOURCE_TYPE_GOODS.Enum(),
		Progress: recordv1.LinkProgress_LINK_PROGRESS_MATCHED.Enum(), Quantity: proto.Uint32(2), Unit: proto.String("床"),
	}))
	f.logged(me.LogRiskAlert(ctx, &recordv1.RiskAlert{
		Subject: file, Type: recordv1.RiskType_RISK_TYPE_SUICIDE_OR_SELF_HARM.Enum(), Level: recordv1.RiskLevel_RISK_LEVEL_RED.Enum(), Done: proto.String("女儿陪着，已电话告诉督导。"),
		ReportedTo: proto.String("赵敏"), SupervisorTold: recordv1.SupervisorTold_SUPERVISOR_TOLD_PHONE.Enum(), SeenAt: proto.Int64(time.Now().Add(-time.Hour).UnixMilli()),
	}))
	supervision := f.logged(me.LogSupervision(ctx, &recordv1.Supervision{
		Form: recordv1.SupervisionForm_SUPERVISION_FORM_GROUP.Enum(), Mode: recordv1.SupervisionMode_SUPERVISION_MODE_ON_SITE.Enum(), Minutes: proto.Uint32(60),
		Functions: []recordv1.SupervisionFunction{recordv1.SupervisionFunction_SUPERVISION_FUNCTION_SUPPORTIVE},
	}))
	f.logged(me.LogSupervisionNote(ctx, &recordv1.SupervisionNote{Supervision: supervision, Advice: proto.String("先照顾好自己，再去看望大家。")}))
	f.logged(me.LogCase(ctx, &recordv1.Case{CaseNo: proto.String("WZ-2021-015"), ClientCount: proto.Uint32(3), ServiceArea: area, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum()}))
}

func (f *full) leadsAGroup(me *clientlib.Store) {
	f.t.Helper()
	ctx, area := f.t.Context(), recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum()
	group := f.logged(me.LogGroup(ctx, &recordv1.Group{
		Name: proto.String("河边奶奶互助小组"), Type: recordv1.GroupType_GROUP_TYPE_SUPPORT.Enum(), ServiceArea: area, SessionsPlanned: proto.Uint32(6), Goals: proto.String("有人说话，有事可做。"),
	}))
	session := f.logged(me.LogGroupSession(ctx, &recordv1.GroupSession{
		Group: group, Number: proto.Uint32(1), Theme: proto.String("一起做馍"), Minutes: proto.Uint32(90), ServiceArea: area,
	}))
	f.logged(me.LogGroupNote(ctx, &recordv1.GroupNote{Session: session, Process: proto.String("八个人来，气氛很好。")}))
}

func (f *full) holdsATalk(me, mate *clientlib.Store) {
	f.t.Helper()
	ctx, area := f.t.Context(), recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum()
	talk := f.logged(me.LogCommunityActivity(ctx, &recordv1.CommunityActivity{
		Name: proto.String("广场义诊和消毒知识讲座"), Form: recordv1.ActivityForm_ACTIVITY_FORM_CLINIC.Enum(), Minutes: proto.Uint32(120), RegisterUsed: proto.Bool(true), ServiceArea: area,
		Partners: []string{"镇卫生院", "河南省心理卫生协会志愿者团队"},
	}))
	f.talk = hlc.ID(talk)
	if _, err := me.Register(ctx, f.talk, clientlib.Person{
		Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE, Phone: "13700137000", Sex: recordv1.Sex_SEX_FEMALE, AgeBand: 4, Village: "东王庄",
	}); err != nil {
		f.t.Fatal(err)
	}
	count := func(s *clientlib.Store, zone string, heads uint32) {
		f.logged(s.Count(ctx, &recordv1.Headcount{
			Activity: talk, Zone: proto.String(zone), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), ServiceArea: area,
			Cells: []*recordv1.HeadcountCell{{Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: proto.Uint32(4), FirstTime: proto.Uint32(heads)}},
		}))
	}
	count(me, "西门", 21)
	syncNow(f.t, me)
	syncNow(f.t, mate)
	count(mate, "主席台前", 16)
	syncNow(f.t, mate)
	f.logged(me.LogCommunityActivity(ctx, &recordv1.CommunityActivity{
		Name: proto.String("中秋联欢"), Minutes: proto.Uint32(120), RegisterUsed: proto.Bool(false), ServiceArea: area, Status: recordv1.Status_STATUS_PLANNED.Enum(), OccurredOn: proto.Int32(int32(today().AddDays(1))),
	}))
}

// isContradicted: a visit comes back from review, a colleague has written another number, and a record of another team's is refused.
func (f *full) isContradicted(me, mate, lead *clientlib.Store) {
	f.t.Helper()
	ctx, area := f.t.Context(), recordv1.ServiceArea_SERVICE_AREA_RESOURCE_LINKING.Enum()
	visit := func(households uint32, village string, team []byte) hlc.ID {
		return hlc.ID(f.logged(me.LogOutreach(ctx, &recordv1.Outreach{
			Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: &households, ServiceArea: area, Needs: proto.String("缺冬被，老人用药快断了"), Team: team,
			Place: &recordv1.Place{Village: &village},
		})))
	}
	returned, disputed := visit(12, "东王庄", nil), visit(7, "西王庄", nil)
	syncNow(f.t, me)
	syncNow(f.t, mate)
	syncNow(f.t, lead)
	f.logged(lead.LogReview(ctx, &recordv1.Review{
		Target: returned[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), Reasons: []recordv1.ReviewReason{recordv1.ReviewReason_REVIEW_REASON_NUMBERS}, Comment: proto.String("户数是不是 21？"),
	}))
	syncNow(f.t, lead)
	f.must(me.Update(ctx, disputed, &recordv1.Outreach{Households: proto.Uint32(9)}))
	f.must(mate.Update(ctx, disputed, &recordv1.Outreach{Households: proto.Uint32(11)}))
	syncNow(f.t, me)
	syncNow(f.t, mate)

	teams, err := me.Teams(ctx)
	f.must(err)
	for _, team := range teams {
		if team.Message.GetName() == "二队" {
			visit(4, "南街", team.ID[:])
		}
	}
	syncNow(f.t, me)
	syncNow(f.t, me)
	for what, n := range map[string]int{"returned": len(must(me.Returned(ctx))(f.t)), "held": len(must(me.Held(ctx))(f.t)), "conflicts": len(must(me.Conflicts(ctx))(f.t))} {
		if n == 0 {
			f.t.Errorf("nothing is %s", what)
		}
	}
}

// must is what was asked for, which must be there.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// leavesOpen leaves a form unfinished and a record incomplete, and something that was not sent.
func (f *full) leavesOpen(me *clientlib.Store) {
	f.t.Helper()
	ctx := f.t.Context()
	f.logged(me.LogOutreach(ctx, &recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_PHONE.Enum()}))
	deleted, err := me.LogOutreach(ctx, &recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_STREET.Enum(), Households: proto.Uint32(30)})
	f.must(err)
	f.must(me.Delete(ctx, deleted))
	form := must(me.NewFormID())(f.t)
	f.must(me.SaveForm(ctx, clientlib.Form{ID: form, Kind: recordv1.Kind_KIND_OUTREACH, Values: []byte("households=12&mode=home")}))
}
