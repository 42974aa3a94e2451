package webui_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// worker is whom a deployment has by a name.
func (s *site) worker(d *syncing.Service, name string) hlc.ID {
	s.t.Helper()
	for id, w := range d.SetUp().Workers {
		if w.GetName() == name {
			return id
		}
	}
	s.t.Fatalf("nobody is called %s", name)
	return hlc.ID{}
}

// follows waits until the desk's tables hold what was sent.
func (s *site) follows(d *servertest.Deployment) {
	s.t.Helper()
	if err := s.all.Get(d.ID).Indexing.Follow(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// row is what the row of a table says that has a text in its head.
func row(b *webtest.Browser, head string) string {
	for _, tr := range webtest.Find(b.Page, "tr") {
		for _, th := range webtest.Find(tr, "th") {
			if strings.Contains(webtest.TextOf(th), head) && webtest.Attribute(th, "scope") != "col" {
				return webtest.TextOf(tr)
			}
		}
	}
	return ""
}

// fieldWork is a team's work of the week from 27 September 2021: anna holds two sessions of her case on Thursday and Friday,
// ben an activity with 30 people on Friday; a case of anna's was quiet for ten days, and its next step is overdue.
func (s *site) fieldWork() *servertest.Deployment {
	s.t.Helper()
	d := s.field()
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	on := proto.Int32
	lively := anna.Make(&recordv1.Case{CaseNo: proto.String("王-01"), OpenedOn: on(20210928), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Lead: anna.Worker[:]})
	quiet := anna.Make(&recordv1.Case{CaseNo: proto.String("王-02"), OpenedOn: on(20210923), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_ASSESSMENT.Enum(), Lead: anna.Worker[:], NextDueOn: on(20210930)})
	closed := anna.Make(&recordv1.Case{CaseNo: proto.String("王-03"), OpenedOn: on(20210923), ClosedOn: on(20210925), FollowupDueOn: on(20210929), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum(), Lead: anna.Worker[:]})
	session := func(day int32, minutes uint32) *recordv1.CaseSession {
		return &recordv1.CaseSession{Case: lively.Record[:], OccurredOn: &day, Status: recordv1.Status_STATUS_HELD.Enum(), Minutes: &minutes, Attendees: proto.Uint32(1),
			Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()}
	}
	anna.Push(lively, quiet, closed, anna.Make(session(20210930, 45)), anna.Make(session(20211001, 60)))
	activity := ben.Make(&recordv1.CommunityActivity{Name: proto.String("义诊"), OccurredOn: on(20211001), Status: recordv1.Status_STATUS_HELD.Enum(), Form: recordv1.ActivityForm_ACTIVITY_FORM_CLINIC.Enum(), Minutes: proto.Uint32(90), RegisterUsed: proto.Bool(false)})
	ben.Push(activity, ben.Make(&recordv1.Headcount{Activity: activity.Record[:], Counter: ben.Worker[:], Zone: proto.String("东"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(30)}))
	target := func(figure string, period recordv1.TargetPeriod, of recordv1.TargetOf, value uint32) *recordv1.Target {
		return &recordv1.Target{Figure: &figure, Period: period.Enum(), Of: of.Enum(), Value: &value}
	}
	err := d.Service.ChangeSetUp(s.t.Context(), d.Workers["coordinator"], syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: d.ID, Message: &recordv1.Deployment{Targets: []*recordv1.Target{
		target("case_sessions", recordv1.TargetPeriod_TARGET_PERIOD_WEEK, recordv1.TargetOf_TARGET_OF_TEAM, 4),
		target("contacts", recordv1.TargetPeriod_TARGET_PERIOD_DAY, recordv1.TargetOf_TARGET_OF_TEAM, 8),
		target("cases", recordv1.TargetPeriod_TARGET_PERIOD_WHOLE, recordv1.TargetOf_TARGET_OF_TEAM, 2),
		target("persons", recordv1.TargetPeriod_TARGET_PERIOD_WEEK, recordv1.TargetOf_TARGET_OF_TEAM, 10),
		target("case_sessions", recordv1.TargetPeriod_TARGET_PERIOD_WEEK, recordv1.TargetOf_TARGET_OF_WORKER, 2),
	}}}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.follows(d)
	return d
}

// TestWhatATeamDid: what a team did in the week stands beside what is expected of it, by worker and day, and in each language.
func TestWhatATeamDid(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	path := "/deployments/" + d.ID.String()
	b := s.as(d, "super", "en")
	b.Open(path+"/teams").Sees("one", "王庄镇", "2 of 4 (50%)", "32 of 40 (80%)", "3 of 2 (150%)", "counted for the whole time alone", "2 open", "1 with a next step overdue", "2 tablets")
	if strings.Contains(b.Text, "上乐村镇") {
		t.Errorf("a supervisor sees another team: %s", b.Text)
	}
	b.Follow("one").Sees("2 of 2 (100%)", "0 of 2 (0%)", "王-01", "王-02", "anna")
	for head, want := range map[string]string{"anna": "anna 2 0 0 0 2 1 h 45 min", "30 Sep 2021, Thursday": "30 Sep 2021, Thursday 1 0 0 0 1 0 h 45 min", "The whole team": "The whole team 2 0 1 0 32 3 h 15 min"} {
		if got := row(b, head); !strings.HasPrefix(got, want) {
			t.Errorf("the row %q says %q, want %q", head, got, want)
		}
	}
	b.Follow("Week before").Sees("20 Sep 2021 to 26 Sep 2021")
	if strings.Contains(b.Text, "Week before") { // the deployment started on 23 Sep
		t.Errorf("the first week leads to one before: %s", b.Text)
	}
	if got := row(b, "The whole team"); !strings.HasPrefix(got, "The whole team 0 0 0 0 0 0 h 0 min") {
		t.Errorf("the week before: %q", got)
	}
	b.Follow("Week after").Follow("anna").Sees("volunteer", "By week", "Cases led", "王-02")
	if got := row(b, "1 Oct 2021, Friday"); got != "1 Oct 2021, Friday 1 0 0 0 1 1 h 0 min" {
		t.Errorf("anna's Friday: %q", got)
	}
	if got := row(b, "27 Sep 2021 to 3 Oct 2021"); got != "27 Sep 2021 to 3 Oct 2021 2 0 0 0 2 1 h 45 min" {
		t.Errorf("anna's week: %q", got)
	}
	if got := row(b, "20 Sep 2021 to 26 Sep 2021"); !strings.HasPrefix(got, "20 Sep 2021 to 26 Sep 2021 0") || strings.Contains(b.Text, "13 Sep 2021") {
		t.Errorf("anna's weeks begin: %s", b.Text)
	}
	if got := row(b, "Since the start"); got != "Since the start 2 0 0 0 2" {
		t.Errorf("anna since the start: %q", got)
	}
	s.as(d, "lead", "zh").Open(path+"/teams?lang=zh").Sees("已完成 2，目标 4（50%）", "在办 2 个", "1 个下次服务已逾期", "2 台")
}

// TestWhoseWork: a field worker sees the own team's work, and nothing of tablets and of other teams.
func TestWhoseWork(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	path := "/deployments/" + d.ID.String()
	b := s.as(d, "anna", "en").Open(path + "/workers/" + d.Workers["anna"].String()).Is(http.StatusOK)
	b.Open(path + "/workers/" + d.Workers["carl"].String()).Is(http.StatusNotFound)
	b.Open(path + "/teams/" + d.Teams[1].String()).Is(http.StatusNotFound)
	b.Open(path + "/teams/" + d.Teams[0].String()).Is(http.StatusOK)
	b.Open(path + "/workers/" + d.Workers["coordinator"].String()).Is(http.StatusNotFound) // who has no team
	s.as(d, "coordinator", "en").Open(path + "/workers/" + d.Workers["coordinator"].String()).Is(http.StatusOK)
	b.Open(path + "/teams/" + d.Teams[0].String())
	for _, word := range []string{"Tablets", "Write a supervision session"} {
		if strings.Contains(b.Text, word) {
			t.Errorf("a field worker sees %q", word)
		}
	}
}

// TestCasesThatWait: each list has the cases that wait for what it is about, narrowed by team and lead.
func TestCasesThatWait(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	path := "/deployments/" + d.ID.String() + "/cases"
	b := s.as(d, "coordinator", "en")
	numbers := func(query string) (all []string) {
		b.Open(path + query).Is(http.StatusOK)
		for _, a := range webtest.Find(b.Page, "a") {
			if strings.Contains(webtest.Attribute(a, "href"), "/records/") {
				all = append(all, webtest.TextOf(a))
			}
		}
		return all
	}
	for query, want := range map[string][]string{
		"":                                       {"王-02"},
		"?list=next":                             {"王-02"},
		"?list=unevaluated":                      {"王-03"},
		"?list=followup":                         {"王-03"},
		"?list=open":                             {"王-02", "王-01"},
		"?list=open&team=" + d.Teams[1].String(): nil,
		"?list=open&lead=" + d.Workers["anna"].String():    {"王-02", "王-01"},
		"?list=open&lead=" + d.Workers["ben"].String():     nil,
		"?list=nonsense&team=nonsense&after=nonsense":      {"王-02"},
		"?list=open&after=2021-09-23." + hlc.ID{}.String(): {"王-02", "王-01"},
	} {
		got := numbers(query)
		if list := webtest.StandingIn(webtest.Find(b.Page, "main")[0]).Get("list"); strings.Contains(query, "list=open") && list != "open" {
			t.Errorf("%s: what narrows it leads to the list %q", query, list)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	b.Open(path).Sees("8 days without a session", "overdue", "30 Sep 2021")
	s.Pass(5 * 24 * time.Hour)
	s.as(d, "super", "zh").Open(path+"?lang=zh").Sees("久未跟进", "13 天没有服务", "已逾期")
}

// TestTasksOfSupervisionStayOpen however many sessions came after the one that left them.
func TestTasksOfSupervisionStayOpen(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	super := d.Enrol("super")
	hold := func(day int32, tasks string) *record.Change {
		m := &recordv1.Supervision{OccurredOn: &day, Minutes: proto.Uint32(30), Supervisor: super.Worker[:]}
		if tasks != "" {
			m.Tasks = &tasks
		}
		return super.Make(m)
	}
	sessions := []*record.Change{hold(20210924, "复访王-02")}
	for range 35 {
		sessions = append(sessions, hold(20210925, ""))
	}
	for i := range 31 {
		sessions = append(sessions, hold(20210926, "补填量表 "+strconv.Itoa(i)))
	}
	super.Push(sessions...)
	b := s.as(d, "super", "en").Open("/deployments/" + d.ID.String() + "/supervision").Sees("补填量表 30")
	if strings.Contains(b.Text, "复访王-02") {
		t.Error("the first page has all tasks")
	}
	b.Follow("Earlier tasks").Sees("复访王-02", "补填量表 0").Follow("Further").Sees("复访王-02")
}

// TestASupervisionSession is a supervisor's session: written, read by whom it is for, its task looked at, and never
// overwritten unseen.
func TestASupervisionSession(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	path := "/deployments/" + d.ID.String() + "/supervision"
	b := s.as(d, "super", "en").Open(path).Sees("There is no session yet.")
	b.Follow("New supervision session")
	b.Send("Save", webtest.Values("minutes", "0", "supervisees", b.Choice("anna"), "advice", "先稳定情绪\n再谈补偿")).Is(http.StatusUnprocessableEntity).Sees("A number from 1 to 1,440.", "先稳定情绪")
	standing := func() url.Values { return webtest.StandingIn(webtest.Find(webtest.Find(b.Page, "main")[0], "form")[0]) }
	filled := standing()
	for name, values := range webtest.Values("minutes", "40", "form", b.Option("individual"), "mode", b.Option("on site"), "functions", b.Choice("supportive"), "tasks", "复访王-02\n\n补填量表") {
		filled[name] = values
	}
	form := b.At.Path
	for range 2 { // the second time by who went back, or pressed twice
		b.Do(http.MethodPost, form, filled)
		b.Is(http.StatusOK)
	}
	b.Sees("Saved.", "super", "anna", "40 minutes", "individual", "on site", "supportive", "复访王-02", "补填量表", "先稳定情绪 再谈补偿")
	session := b.At.Path
	b.Open(path).Sees("复访王-02", "1 Oct 2021")
	if n := strings.Count(b.Text, "40 minutes"); n != 1 {
		t.Errorf("sent twice, it is there %d times", n)
	}
	if strings.Contains(b.Text, "先稳定情绪") {
		t.Error("the list of sessions tells the advice")
	}
	b.Open(path + "?supervisee=" + d.Workers["ben"].String()).Sees("There is no session yet.")
	b.Open("/deployments/"+d.ID.String()+"/workers/"+d.Workers["anna"].String()).Sees("Supervision received", "40 minutes")

	anna := s.as(d, "anna", "zh").Open(session+"?lang=zh").Is(http.StatusOK).Sees("复访王-02", "没有您可以查看的督导意见")
	anna.Open(session + "/edit").Is(http.StatusForbidden)

	lead := s.as(d, "lead", "en").Open(session).Sees("There is no advice that you may see.")
	b.Open(session + "/edit")
	stale := standing()
	lead.Send("Looked at 复访王-02", nil).Sees("The task is off the list.", "补填量表")
	if strings.Contains(lead.Text, "复访王-02") {
		t.Error("the task is still there")
	}
	stale.Set("tasks", "复访王-02")
	b.Do(http.MethodPost, session+"/edit", stale)
	b.Is(http.StatusUnprocessableEntity).Sees("Somebody changed this meanwhile")
	b.Open(session+"/edit").Send("Save", webtest.Values("advice", "先稳定情绪", "tasks", "", "form", "")).Is(http.StatusOK).Sees("先稳定情绪", "Nothing is left to be looked at.")
	if strings.Contains(b.Text, "individual") || strings.Contains(b.Text, "再谈补偿") {
		t.Errorf("what was taken away is still there: %s", b.Text)
	}
	audit := s.as(d, "coordinator", "en").Open("/deployments/" + d.ID.String() + "/audit")
	audit.Sees("read what is confidential")
}
