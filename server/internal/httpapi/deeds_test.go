package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/syncproto/problem"
)

// desk is a stage that is furnished, at which the coordinator asks with a token.
type desk struct {
	*stage
	token string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	s := newStage(t)
	s.furnish()
	return &desk{s, s.token("coordinator")}
}

// send sends something and reads what is answered into a value, if that is not nil. It fails when it is answered with another status.
func (d *desk) send(status int, method, path, body string, into any) (p problemView) {
	d.t.Helper()
	r := httptest.NewRequest(method, d.fill.Replace(path), strings.NewReader(d.fill.Replace(body)))
	r.Header.Set("Authorization", "Bearer "+d.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	if w.Code != status {
		d.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if w.Code >= http.StatusBadRequest && into == nil {
		into = &p
	}
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			d.t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
		}
	}
	return p
}

func (d *desk) audited() string {
	d.t.Helper()
	var log struct{ Entries []struct{ Action string } }
	d.send(ok, "GET", "/api/audit?limit=200", "", &log)
	var actions []string
	for _, e := range log.Entries {
		actions = append(actions, e.Action)
	}
	return strings.Join(actions, " ")
}

type queued struct {
	Records []struct {
		ID, Kind string
		Seen     uint64
		Gives    map[string]int64
	}
	Counts []struct {
		Standing string
		Count    int64
	}
	Unsorted uint64
	Next     string
}

// waiting is how many records stand somewhere.
func (q queued) standing(name string) (n int64) {
	for _, c := range q.Counts {
		if c.Standing == name {
			n += c.Count
		}
	}
	return n
}

// What waits is read by pages, and approved and returned as it was shown.
func TestRecordsAreReviewedOverTheAPI(t *testing.T) {
	d := newDesk(t)
	var first, second, after queued
	d.send(ok, "GET", "/api/review?limit=2", "", &first)
	d.send(ok, "GET", "/api/review?limit=2&after="+first.Next, "", &second)
	if len(first.Records) != 2 || first.Unsorted != 0 || first.standing("waiting") < 4 || len(second.Records) == 0 || second.Records[0].ID == first.Records[1].ID {
		t.Fatalf("%+v\n%+v", first, second)
	}
	var sessions queued
	d.send(ok, "GET", "/api/review?kind=case_session&team={one}&from=2021-10-01&to=2021-10-01", "", &sessions)
	if len(sessions.Records) != 1 || sessions.Records[0].Gives["case_sessions"] != 1 {
		t.Fatalf("sessions: %+v", sessions)
	}
	session := sessions.Records[0]
	var would struct {
		Verified map[string]int64
		Missing  []string
	}
	d.send(ok, "POST", "/api/review/preview", `{"records":["`+session.ID+`","{nothing}"]}`, &would)
	if would.Verified["case_sessions"] != 1 || len(would.Missing) != 1 {
		t.Errorf("preview: %+v", would)
	}
	if p := d.send(old, "POST", "/api/records/"+session.ID+"/approval", `{"seen":1}`, nil); p.Code != string(problem.ChangedMeanwhile) {
		t.Errorf("as it was before: %+v", p)
	}
	d.send(non, "POST", "/api/records/"+session.ID+"/approval", fmt.Sprintf(`{"seen":%d}`, session.Seen), nil)
	d.send(bad, "POST", "/api/records/"+first.Records[0].ID+"/return", fmt.Sprintf(`{"seen":%d}`, first.Records[0].Seen), nil) // without a reason
	d.send(non, "POST", "/api/records/"+first.Records[0].ID+"/return", fmt.Sprintf(`{"seen":%d,"reasons":["numbers"],"comment":"请核对"}`, first.Records[0].Seen), nil)
	var outcomes struct {
		Outcomes []struct {
			ID, Code string
			Approved bool
		}
	}
	d.send(ok, "POST", "/api/review/approvals", fmt.Sprintf(`{"records":[{"id":"%s","seen":%d},{"id":"{nothing}","seen":7}]}`, first.Records[1].ID, first.Records[1].Seen), &outcomes)
	if o := outcomes.Outcomes; len(o) != 2 || !o[0].Approved || o[1].Approved || o[1].Code != string(problem.NotFound) {
		t.Errorf("approvals: %+v", o)
	}
	d.send(ok, "GET", "/api/review?standing=approved", "", &after)
	if after.standing("approved") != 2 || after.standing("returned") != 1 || len(after.Records) != 2 {
		t.Errorf("after: %+v", after)
	}
	var reviewed struct {
		Reviews []struct {
			Outcome, Comment string
			Reasons          []string
		}
	}
	d.send(ok, "GET", "/api/records/"+first.Records[0].ID, "", &reviewed)
	if r := reviewed.Reviews; len(r) != 1 || r[0].Outcome != "returned" || r[0].Comment != "请核对" || strings.Join(r[0].Reasons, "") != "numbers" {
		t.Errorf("the record says %+v", r)
	}
}

// A conflict is shown with its values, which is noted, and settled by another value.
func TestConflictsAreSettledOverTheAPI(t *testing.T) {
	d := newDesk(t)
	var c struct {
		Seen       uint64
		RecordSeen uint64 `json:"record_seen"`
		Record     string
		Field      string
		Writable   bool
		Settled    bool
		Sides      []struct {
			Value  string
			Author struct{ Name string }
			Stands bool
		}
	}
	d.send(ok, "GET", "/api/conflicts/{conflict one}", "", &c)
	if len(c.Sides) != 2 || c.Field != "summary" || !c.Writable || c.Sides[0].Value != "热闹" || c.Sides[1].Author.Name != "ben" || c.Sides[0].Stands == c.Sides[1].Stands {
		t.Fatalf("%+v", c)
	}
	settle := func(status int, how string) problemView {
		return d.send(status, "POST", "/api/conflicts/{conflict one}/settlement", fmt.Sprintf(`{"seen":%d,"record_seen":%d,%s}`, c.Seen, c.RecordSeen, how), nil)
	}
	for _, wrong := range []string{`"keep":"side"`, `"keep":"side","side":3`, `"keep":"value"`, `"keep":"value","value":7`, `"keep":"value","value":""`} {
		if p := settle(bad, wrong); p.Code != string(problem.InvalidArgument) {
			t.Errorf("%s: %+v", wrong, p)
		}
	}
	settle(non, `"keep":"value","value":"又热闹又安静"`)
	d.send(ok, "GET", "/api/conflicts/{conflict one}", "", &c)
	var target struct {
		Fields []struct {
			Name  string
			Value any
		}
	}
	d.send(ok, "GET", "/api/records/"+c.Record, "", &target)
	summary := ""
	for _, f := range target.Fields {
		if f.Name == "summary" {
			summary, _ = f.Value.(string)
		}
	}
	if !c.Settled || summary != "又热闹又安静" {
		t.Errorf("settled %v as %q", c.Settled, summary)
	}
	if log := d.audited(); !strings.Contains(log, string(audit.ConflictSettled)) || !strings.Contains(log, string(audit.RecordRead)) {
		t.Errorf("audited %s", log)
	}
}

// What is likely of one thing is listed, shown side by side, and joined: then one of the two counts no more.
func TestDuplicatesAreJoinedOverTheAPI(t *testing.T) {
	d := newDesk(t)
	type alike struct{ Earlier, Later, Kind string }
	type pairs struct{ Pairs []alike }
	var before, after pairs
	d.send(ok, "GET", "/api/duplicates?limit=200", "", &before)
	if len(before.Pairs) == 0 || before.Pairs[0].Kind != "community_activity" {
		t.Fatalf("%+v", before)
	}
	var pair struct {
		Records []struct {
			ID, SameAs string
			Seen       uint64
		}
		Fields []struct {
			Name    string
			Differs bool
		}
	}
	path := "/api/duplicates/{activity one}/{again one}"
	d.send(ok, "GET", path, "", &pair)
	if len(pair.Records) != 2 || len(pair.Fields) == 0 {
		t.Fatalf("%+v", pair)
	}
	d.send(old, "POST", path+"/decision", `{"keep":"earlier"}`, nil) // without having seen it
	d.send(non, "POST", path+"/decision", fmt.Sprintf(`{"keep":"earlier","seen":%d}`, pair.Records[1].Seen), nil)
	d.send(ok, "GET", "/api/duplicates?limit=200", "", &after)
	if len(after.Pairs) >= len(before.Pairs) || slices.ContainsFunc(after.Pairs, func(p alike) bool { return p.Later == pair.Records[1].ID }) {
		t.Errorf("%+v, then %+v", before, after)
	}
	d.Pass(time.Second)
	d.send(ok, "GET", path, "", &pair)
	d.send(non, "POST", "/api/records/{again one}/separation", fmt.Sprintf(`{"seen":%d}`, pair.Records[1].Seen), nil)
	d.send(ok, "GET", "/api/duplicates?limit=200", "", &after)
	if len(after.Pairs) != len(before.Pairs) {
		t.Errorf("%+v, and then %+v", before, after)
	}
}

// A held change is shown with what it would do, and once it is discarded it says so.
func TestHeldChangesAreShownOverTheAPI(t *testing.T) {
	d := newDesk(t)
	var h struct {
		Kind, Code, Message string
		Hidden              bool
		Fields              []struct {
			Name            string
			Value, Standing any
		}
	}
	d.send(ok, "GET", "/api/held/{held one}", "", &h)
	if h.Kind != "case" || h.Code != "not_your_team" || h.Message == "" || h.Hidden || len(h.Fields) != 1 || h.Fields[0].Value != "2" || h.Fields[0].Standing != "2021-two" {
		t.Errorf("%+v", h)
	}
	d.send(non, "POST", "/api/held/{held one}/decision", `{"decision":"discard","reason":"误改"}`, nil)
	d.send(ok, "GET", "/api/held/{held one}", "", &h)
	if h.Code != "discarded" {
		t.Errorf("then %+v", h)
	}
}

type alertList struct {
	Alerts []struct {
		ID, Type, Level string
		Seen            uint64
		ClosedOn        string `json:"closed_on"`
		AcknowledgedBy  struct{ Name string }
	}
}

// An alert is open until somebody acknowledges it, and only then can be closed.
func TestAlertsAreSeenToOverTheAPI(t *testing.T) {
	d := newDesk(t)
	var open, past alertList
	d.send(ok, "GET", "/api/alerts", "", &open)
	if len(open.Alerts) != 2 || open.Alerts[0].Type != "missing" || open.Alerts[0].Level != "red" {
		t.Fatalf("%+v", open)
	}
	closes := func(status int, day string) {
		var a struct {
			Seen   uint64
			Record struct{ Kind string }
		}
		d.send(ok, "GET", "/api/alerts/{alert one}", "", &a)
		if a.Record.Kind != "risk_alert" {
			t.Errorf("it says %+v", a)
		}
		d.send(status, "POST", "/api/alerts/{alert one}/closing", fmt.Sprintf(`{"seen":%d,"closed_on":"%s"}`, a.Seen, day), nil)
	}
	closes(bad, "2021-10-01") // nobody has acknowledged it
	d.send(non, "POST", "/api/alerts/{alert one}/acknowledgement", "", nil)
	closes(bad, "2021-10-02") // a day to come
	closes(non, "2021-10-01")
	d.send(ok, "GET", "/api/alerts", "", &open)
	d.send(ok, "GET", "/api/alerts?state=acknowledged", "", &past)
	if len(open.Alerts) != 1 || len(past.Alerts) != 1 || past.Alerts[0].ClosedOn != "2021-10-01" {
		t.Errorf("open %+v, past %+v", open, past)
	}
	if log := d.audited(); !strings.Contains(log, string(audit.AlertClosed)+" ") || !strings.Contains(log, string(audit.ConfidentialRead)) {
		t.Errorf("audited %s", log)
	}
}

// An activity is planned, planned anew as it was shown, and cancelled.
func TestActivitiesArePlannedOverTheAPI(t *testing.T) {
	d := newDesk(t)
	var made struct{ ID string }
	d.send(bad, "POST", "/api/planned", `{"name":"讲座","day":"2021-10-09","service_area":"nonsense"}`, nil)
	d.send(bad, "POST", "/api/planned", `{"name":"讲座","day":"2021-10-09","service_area":"other","team":"{nothing}"}`, nil)
	d.send(add, "POST", "/api/planned", `{"name":"讲座","day":"2021-10-09","service_area":"other","team":"{one}","form":"talk"}`, &made)
	type plan struct {
		ID, Name, Day, Form string
		Seen                uint64
		Team                struct{ Name string }
	}
	listed := func() *plan {
		var list struct{ Activities []plan }
		d.send(ok, "GET", "/api/planned?from=2021-10-08&to=2021-10-31", "", &list)
		for _, p := range list.Activities {
			if p.ID == made.ID {
				return &p
			}
		}
		return nil
	}
	p := listed()
	if p == nil || p.Name != "讲座" || p.Form != "talk" || p.Team.Name != "one" {
		t.Fatalf("planned: %+v", p)
	}
	d.Pass(time.Second)
	again := `{"name":"防灾讲座","day":"2021-10-10","service_area":"other","team":"{one}","seen":%d}`
	d.send(non, "PUT", "/api/planned/"+made.ID, fmt.Sprintf(again, p.Seen), nil)
	changed := listed()
	if changed == nil || changed.Name != "防灾讲座" || changed.Day != "2021-10-10" || changed.Form != "unknown" {
		t.Fatalf("planned anew: %+v", changed)
	}
	d.Pass(time.Second)
	d.send(non, "POST", "/api/planned/"+made.ID+"/cancellation", fmt.Sprintf(`{"seen":%d}`, changed.Seen), nil)
	d.send(hid, "POST", "/api/planned/"+made.ID+"/cancellation", fmt.Sprintf(`{"seen":%d}`, changed.Seen), nil)
	if listed() != nil {
		t.Error("it is planned still")
	}
}

// What is confidential is found, and alerts are seen, by who may, with a token that is for it; each is noted.
func TestSearchOverTheAPI(t *testing.T) {
	d := newDesk(t)
	type found struct {
		Names []struct{ Name string }
		Hits  []struct {
			Kind, Field  string
			Confidential bool
			Snippet      []struct {
				Text  string
				Found bool
			}
		}
	}
	var all, names, few found
	d.send(ok, "POST", "/api/search", `{"text":"房屋"}`, &all)
	if len(all.Hits) != 2 || !all.Hits[0].Confidential || all.Hits[0].Field != "process" || len(all.Hits[0].Snippet) != 2 {
		t.Errorf("%+v", all)
	}
	if log := d.audited(); strings.Count(log, string(audit.ConfidentialRead)) != 2 {
		t.Errorf("audited %s", log)
	}
	d.send(ok, "POST", "/api/search", `{"text":"ann"}`, &names)
	if len(names.Names) != 1 || names.Names[0].Name != "anna" {
		t.Errorf("%+v", names)
	}
	d.send(bad, "POST", "/api/search", `{"text":"…"}`, nil)
	d.send(bad, "POST", "/api/search", `{"text":"x","kind":"nonsense"}`, nil)

	text, _, err := d.accounts.NewToken(t.Context(), audit.Actor{}, accounts.NewToken{Name: "x", Membership: accounts.Membership{Deployment: d.ID, Worker: d.Workers["coordinator"]}, Scopes: []accounts.Scope{accounts.ScopeRead}, Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	d.token = text
	var open alertList
	d.send(ok, "POST", "/api/search", `{"text":"房屋"}`, &few)
	d.send(ok, "GET", "/api/alerts", "", &open)
	if len(few.Hits) != 0 || len(open.Alerts) != 0 {
		t.Errorf("a token that only reads sees %+v and %+v", few, open)
	}
	d.send(hid, "GET", "/api/alerts/{alert one}", "", nil)
	d.send(no, "GET", "/api/review", "", nil)
}

// Work is told by worker and day beside the targets, and a week to come is refused.
func TestWorkOverTheAPI(t *testing.T) {
	d := newDesk(t)
	var work struct {
		From, To string
		Days     []struct {
			Worker   struct{ Name string }
			Day      string
			Reported map[string]int64
		}
		Reported map[string]int64
		Workers  []struct{ Worker struct{ Name string } }
	}
	d.send(ok, "GET", "/api/teams/{one}/work?week=2021-10-01&weeks=2", "", &work)
	if work.From != "2021-09-27" || work.To != "2021-10-01" || work.Reported["case_sessions"] != 1 || len(work.Days) != 1 || work.Days[0].Worker.Name != "anna" || work.Days[0].Reported["community_activities"] != 2 || len(work.Workers) != 4 {
		t.Errorf("%+v", work)
	}
	d.send(bad, "GET", "/api/teams?week=2021-10-04", "", nil)
	d.send(hid, "GET", "/api/teams/{nothing}/work", "", nil)
	var teams struct {
		Teams []struct {
			Name      string
			OpenCases int64 `json:"open_cases"`
			Waiting   int64
		}
	}
	d.send(ok, "GET", "/api/teams", "", &teams)
	if len(teams.Teams) != 2 || teams.Teams[0].Name != "one" || teams.Teams[0].OpenCases != 1 || teams.Teams[0].Waiting == 0 {
		t.Errorf("%+v", teams)
	}
	var cases struct{ Cases []struct{ Number string } }
	d.send(ok, "GET", "/api/cases?list=open&team={one}", "", &cases)
	if len(cases.Cases) != 1 || cases.Cases[0].Number != "2021-one" {
		t.Errorf("%+v", cases)
	}
}

// Records come in from a file: what is wrong with it is named, and the same file again makes nothing.
func TestImport(t *testing.T) {
	d := newDesk(t)
	type answer struct {
		Made, Wrong   int
		Code, Request string
		Tables        []struct {
			Kind string
			Same int
		}
		Faults []struct {
			Row                      int
			Column, Heading, Message string
		}
		Unknown []struct{ Heading string }
	}
	file := "team,occurred_on,service_area,households,colour\none,2021-09-28,心理疏导,3,red\none,2021-09-28,心理疏导,many,red\n"
	var a answer
	for path, status := range map[string]int{"/api/imports?name=outreach.csv&check=true": ok, "/api/imports?name=outreach.csv": bad} {
		a = answer{}
		d.send(status, "POST", path, file, &a)
		if a.Made != 0 || a.Wrong != 1 || len(a.Faults) != 1 || a.Faults[0].Row != 3 || a.Faults[0].Column != "D" || a.Faults[0].Heading != "households" || a.Faults[0].Message != "households: write a whole number" {
			t.Errorf("a bad file: %d %+v", status, a)
		}
		if status == ok && len(a.Unknown) != 1 || status == bad && (a.Code != string(problem.FileWrong) || a.Request == "") {
			t.Errorf("a bad file: %d %+v", status, a)
		}
	}
	a = answer{}
	d.send(bad, "POST", "/api/imports?name=outreach.csv", "team,households\n"+strings.Repeat("one,many\n", 2000), &a)
	if a.Wrong < 2000 || len(a.Faults) != 300 {
		t.Errorf("a file that is wrong all over: %d, of which %d are named", a.Wrong, len(a.Faults))
	}
	file = strings.Replace(file, "many", "4", 1)
	for i, want := range []int{0, 2, 0} {
		a = answer{}
		d.send(ok, "POST", "/api/imports?kind=outreach&name=x&check="+fmt.Sprint(i == 0), file, &a)
		if a.Made != want || a.Wrong != 0 || len(a.Tables) != 1 || a.Tables[0].Kind != "outreach" || a.Tables[0].Same != 2*(i/2) {
			t.Errorf("%d: %+v", i, a)
		}
	}
	if p := d.send(bad, "POST", "/api/imports?kind=whale", file, nil); p.Code != string(problem.InvalidArgument) {
		t.Errorf("an unknown kind: %+v", p)
	}
	d.send(http.StatusRequestEntityTooLarge, "POST", "/api/imports?name=x.csv", strings.Repeat("x", 4<<20+1), nil)
	if log := d.audited(); !strings.HasPrefix(log, "imported ") || strings.Count(log, "imported") != 1 {
		t.Errorf("noted: %s", log)
	}
}
