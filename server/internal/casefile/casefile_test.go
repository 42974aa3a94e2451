package casefile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

var ctx = context.Background()

// office is a deployment with one case of team one, which anna leads: ben wrote one of its two notes.
type office struct {
	*servertest.Deployment
	t                                                     testing.TB
	service                                               *casefile.Service
	log                                                   *audit.Log
	anna, ben                                             *servertest.Device
	file, identity, consent, session, hers, his, activity hlc.ID
}

// record is a record as its page shows it, without what stands around it.
func (o *office) record(ctx context.Context, by casefile.Reader, id hlc.ID) (casefile.Record, error) {
	f, err := o.service.File(ctx, by, id)
	return f.Record, err
}

func open(t *testing.T) *office {
	d := servertest.New(t)
	external := d.NewID()
	d.Workers["external"] = external
	if err := d.Service.Add(ctx, []syncing.SetUpRecord{{ID: external, Message: &recordv1.Worker{Name: proto.String("external"),
		Role: recordv1.Role_ROLE_SUPERVISOR.Enum(), Team: d.Teams[1][:], Supervises: [][]byte{d.Teams[0][:]}, External: proto.Bool(true)}}}); err != nil {
		t.Fatal(err)
	}
	o := &office{Deployment: d, t: t, log: audit.New(d.DB, d.Wall), anna: d.Enrol("anna"), ben: d.Enrol("ben")}
	o.service = casefile.New(casefile.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Audit: o.log})
	file := o.anna.Make(&recordv1.Case{CaseNo: proto.String("2021-01"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(2), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: o.anna.Worker[:],
		ClientTokens: [][]byte{slices.Repeat([]byte{3}, 16), slices.Repeat([]byte{4}, 16)}})
	identity := o.anna.Make(&recordv1.CaseIdentity{Case: file.Record[:], Name: proto.String("王秀英")})
	consent := o.anna.Make(&recordv1.Consent{Subject: file.Record[:], GivenOn: proto.Int32(20211001)})
	session := o.anna.Make(&recordv1.CaseSession{Case: file.Record[:], Minutes: proto.Uint32(30), Attendees: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()})
	hers := o.anna.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String("谈到房屋")})
	o.anna.Push(file, identity, consent, session, hers)
	o.ben.Pull()
	his := o.ben.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String("陪同就医")})
	o.ben.Push(his)
	o.file, o.identity, o.consent, o.session, o.hers, o.his = file.Record, identity.Record, consent.Record, session.Record, hers.Record, his.Record
	boss := d.Enrol("coordinator")
	everyones := boss.Make(&recordv1.CommunityActivity{Name: proto.String("义诊"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(true)})
	boss.Push(everyones)
	o.activity = everyones.Record
	return o
}

func (o *office) reader(worker string) casefile.Reader {
	id := o.Workers[worker]
	return casefile.Reader{Person: o.Service.Person(id), Actor: audit.Actor{Worker: id}, May: func(access.Action) bool { return true }}
}

func (o *office) audited() []string {
	o.t.Helper()
	entries, _, err := o.log.Page(ctx, o.ID, 0, 200)
	if err != nil {
		o.t.Fatal(err)
	}
	var all []string
	for _, e := range slices.Backward(entries) {
		all = append(all, fmt.Sprintf("%s %s", e.Action, o.name(e.Subject.ID)))
		if e.Subject.Kind != audit.OfRecord || e.Actor.Worker == (hlc.ID{}) {
			o.t.Errorf("noted: %+v", e)
		}
	}
	return all
}

func (o *office) name(id hlc.ID) string {
	for name, one := range map[string]hlc.ID{"case": o.file, "identity": o.identity, "consent": o.consent, "session": o.session, "hers": o.hers, "his": o.his, "activity": o.activity} {
		if one == id {
			return name
		}
	}
	return id.String()
}

// Who sees which record on the web. What somebody may not see answers as what is not there, and only what is seen is noted.
func TestWhoReadsWhat(t *testing.T) {
	o := open(t)
	for _, c := range []struct{ worker, sees string }{
		{"anna", "case identity consent session hers his activity"}, // leads the case
		{"ben", "case session his activity"},                        // wrote a note, and does not work on the case
		{"lead", "case session activity"},
		{"carl", "activity"}, // of another team
		{"super", "case identity consent session hers his activity"},
		{"external", "case session hers his activity"}, // supervises this team too, and is from outside
		{"coordinator", "case identity consent session hers his activity"},
		{"nobody", ""},
	} {
		var sees, noted []string
		by := o.reader(c.worker)
		before := len(o.audited())
		for _, id := range []hlc.ID{o.file, o.identity, o.consent, o.session, o.hers, o.his, o.activity} {
			r, err := o.record(ctx, by, id)
			switch {
			case err == nil && r.ID == id:
				sees = append(sees, o.name(id))
				action := "record_read "
				if record.Confidential(r.Kind) {
					action = "confidential_read "
				}
				noted = append(noted, action+o.name(id))
			case problem.CodeOf(err) != problem.NotFound:
				t.Errorf("%s reads %s: %v", c.worker, o.name(id), err)
			}
		}
		if got := strings.Join(sees, " "); got != c.sees {
			t.Errorf("%s sees %q, want %q", c.worker, got, c.sees)
		}
		if got := o.audited()[before:]; !slices.Equal(got, noted) {
			t.Errorf("%s: noted %v, want %v", c.worker, got, noted)
		}
	}
	if _, err := o.record(ctx, o.reader("coordinator"), o.NewID()); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("what is not there: %v", err)
	}
}

// What is confidential of a case comes as one list, cut to what the reader may see.
func TestWhatIsConfidentialOfACase(t *testing.T) {
	o := open(t)
	for _, c := range []struct{ worker, sees string }{
		{"anna", "identity consent hers his"},
		{"ben", "his"},
		{"super", "identity consent hers his"},
		{"external", "hers his"},
		{"coordinator", "identity consent hers his"},
		{"lead", "not_found"},
		{"carl", "not_found"},
		{"nobody", "not_found"},
	} {
		before := len(o.audited())
		records, err := o.service.Confidential(ctx, o.reader(c.worker), o.file)
		var sees []string
		for _, r := range records {
			sees = append(sees, o.name(r.ID))
		}
		want := []string{"confidential_read case"}
		if err != nil {
			sees, want = []string{string(problem.CodeOf(err))}, nil
		}
		if got := strings.Join(sees, " "); got != c.sees {
			t.Errorf("%s sees %q, want %q", c.worker, got, c.sees)
		}
		if got := o.audited()[before:]; !slices.Equal(got, want) {
			t.Errorf("%s: noted %v, want %v", c.worker, got, want)
		}
	}
	for name, id := range map[string]hlc.ID{"a session": o.session, "nothing": o.NewID()} {
		if _, err := o.service.Confidential(ctx, o.reader("coordinator"), id); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("of %s: %v", name, err)
		}
	}
	// Of a case without anything confidential, who may see that gets an empty list; who opened it for others does not.
	bare := o.ben.Make(&recordv1.Case{CaseNo: proto.String("2021-02"), Lead: o.anna.Worker[:]})
	o.ben.Push(bare)
	for worker, want := range map[string]problem.Code{"anna": "", "super": "", "ben": problem.NotFound} {
		records, err := o.service.Confidential(ctx, o.reader(worker), bare.Record)
		if len(records) != 0 || (want == "") != (err == nil) || err != nil && problem.CodeOf(err) != want {
			t.Errorf("%s, of a bare case: %d, %v", worker, len(records), err)
		}
	}
}

// A token narrows what its worker sees.
func TestATokenWithoutTheScopeReadsNothingConfidential(t *testing.T) {
	o := open(t)
	by := o.reader("coordinator")
	by.May = func(a access.Action) bool { return a == access.SeeRecords }
	if _, err := o.record(ctx, by, o.session); err != nil {
		t.Errorf("a session: %v", err)
	}
	for _, id := range []hlc.ID{o.identity, o.hers} {
		if _, err := o.record(ctx, by, id); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%s: %v", o.name(id), err)
		}
	}
	if _, err := o.service.Confidential(ctx, by, o.file); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("the case: %v", err)
	}
}

type full struct{}

func (full) Write(context.Context, audit.Entry) error { return errors.New("full") }

func TestWhatCanNotBeNotedIsNotShown(t *testing.T) {
	o := open(t)
	o.service.Audit = full{}
	if r, err := o.record(ctx, o.reader("anna"), o.hers); err == nil || r.ID != (hlc.ID{}) {
		t.Errorf("a note: %v", r)
	}
	if all, err := o.service.Confidential(ctx, o.reader("anna"), o.file); err == nil || all != nil {
		t.Errorf("a case: %v", all)
	}
}

// A record tells who set which field, and what happened to it, without what others' values were.
func TestARecordTellsWhoSetWhat(t *testing.T) {
	o := open(t)
	o.ben.Pull()
	o.ben.Push(o.ben.Edit(o.session, &recordv1.CaseSession{Minutes: proto.Uint32(45)}))
	carl := o.Enrol("carl")
	carl.Seen[o.session] = o.ben.Seen[o.session] // which he can't have, and his change is held
	carl.Push(carl.Edit(o.session, &recordv1.CaseSession{Attendees: proto.Uint32(9)}))

	r, err := o.record(ctx, o.reader("super"), o.session)
	if err != nil {
		t.Fatal(err)
	}
	type set struct {
		value any
		by    string
	}
	got := map[string]set{}
	for _, f := range r.Fields {
		got[f.Name] = set{f.Value, f.By.Name}
		if f.At.IsZero() {
			t.Errorf("%s was set at no time", f.Name)
		}
		if f.From.Name != f.By.Name || f.From.ID == (hlc.ID{}) { // tablets are called as their workers
			t.Errorf("%s was set by %s on the tablet %+v", f.Name, f.By.Name, f.From)
		}
	}
	for name, want := range map[string]set{
		"minutes": {uint32(45), "ben"}, "attendees": {uint32(1), "anna"}, "occurred_on": {"2021-10-01", "anna"}, "stage": {"intervention", "anna"},
		"mode": {"home_visit", "anna"}, "case": {o.file.String(), "anna"},
	} {
		if !reflect.DeepEqual(got[name], want) {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
	if r.Root != o.file || r.Team.Name != "one" || r.Deleted {
		t.Errorf("stands at %+v", r)
	}
	var history []string
	var position uint64
	for _, e := range r.History {
		if e.From.Name != e.By.Name || e.Position <= position {
			t.Errorf("%s at position %d by %s on the tablet %s", e.What, e.Position, e.By.Name, e.From.Name)
		}
		position = e.Position
		history = append(history, fmt.Sprint(e.What, " ", e.Code, " ", e.By.Name, " ", strings.Join(e.Fields, ",")))
	}
	want := []string{"made  anna team,author,occurred_on,service_area,case,stage,mode,minutes,attendees,risk_seen", "edited  ben minutes", "held not_your_team carl attendees"}
	if !slices.Equal(history, want) {
		t.Errorf("history %q, want %q", history, want)
	}
}

// What was done on the web is named by who did it there; what a tablet claims of that is not believed.
func TestWhatWasDoneOnTheWebIsItsWorkers(t *testing.T) {
	o := open(t)
	shown, err := o.record(ctx, o.reader("super"), o.session)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Service.Act(ctx, o.Workers["super"], syncing.Deed{ID: o.session, Message: &recordv1.CaseSession{Minutes: proto.Uint32(40)}, Seen: shown.Position}); err != nil {
		t.Fatal(err)
	}
	o.ben.Pull()
	his := o.ben.Edit(o.session, &recordv1.CaseSession{Attendees: proto.Uint32(2)})
	his.Worker = o.Workers["coordinator"]
	o.ben.Push(his)
	r, err := o.record(ctx, o.reader("super"), o.session)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Fields {
		if want := map[string]string{"minutes": "super", "attendees": "ben"}[f.Name]; want != "" && f.By.Name != want {
			t.Errorf("%s was set by %q, want %s", f.Name, f.By.Name, want)
		}
	}
	var by []string
	for _, e := range r.History {
		by = append(by, e.What+" "+e.By.Name)
	}
	if want := []string{"made anna", "edited super", "edited ben"}; !slices.Equal(by, want) {
		t.Errorf("history %q, want %q", by, want)
	}
}

// names are what entries name, in their order.
func (o *office) names(entries []casefile.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, o.name(e.ID))
	}
	return strings.Join(all, " ")
}

// What stands around a record is cut to what the reader may see of it.
func TestWhatStandsAroundARecord(t *testing.T) {
	o := open(t)
	for _, c := range []struct {
		worker, record string
		id             hlc.ID
		above, below   string
	}{
		{"super", "case", o.file, "", "identity consent session"},
		{"external", "case", o.file, "", "session"},
		{"lead", "case", o.file, "", "session"},
		{"super", "session", o.session, "case", "hers his"},
		{"ben", "session", o.session, "case", "his"},
		{"super", "hers", o.hers, "session case", ""},
	} {
		f, err := o.service.File(ctx, o.reader(c.worker), c.id)
		if err != nil {
			t.Fatal(err)
		}
		if above, below := o.names(f.Above), o.names(f.Below); above != c.above || below != c.below {
			t.Errorf("%s reads %s: above %q, below %q, want %q, %q", c.worker, c.record, above, below, c.above, c.below)
		}
	}
	f, err := o.service.File(ctx, o.reader("super"), o.session)
	if err != nil {
		t.Fatal(err)
	}
	if one := f.Named[o.file]; one.Name != "2021-01" || one.Kind != recordv1.Kind_KIND_CASE || one.Day != 20211001 || one.Author.Name != "anna" {
		t.Errorf("its case is named %+v", one)
	}
	for _, field := range f.Fields {
		if field.From.Name != "anna" || field.Position != f.History[0].Position || field.Position == 0 {
			t.Errorf("%s came from %q at %d", field.Name, field.From.Name, field.Position)
		}
	}
}

// A review says what it was of: what changed since is named, and where that came.
func TestWhatChangedSinceAReview(t *testing.T) {
	o := open(t)
	boss := o.Enrol("super")
	boss.Pull()
	review := func(outcome recordv1.ReviewOutcome, comment string) {
		boss.Pull()
		boss.Push(boss.Make(&recordv1.Review{Target: o.session[:], Reviewed: tally.Reviewed(recordv1.Kind_KIND_CASE_SESSION, boss.Seen[o.session]), Outcome: &outcome, Comment: &comment,
			Reasons: []recordv1.ReviewReason{recordv1.ReviewReason_REVIEW_REASON_NUMBERS}}))
		o.Pass(time.Minute)
	}
	read := func() casefile.File {
		f, err := o.service.File(ctx, o.reader("super"), o.session)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	edit := func(m *recordv1.CaseSession) {
		o.ben.Pull()
		o.ben.Push(o.ben.Edit(o.session, m))
		o.Pass(time.Minute)
	}
	review(recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED, "几人？")
	if f := read(); len(f.Reviews) != 1 || f.Reviews[0].Answered || f.Reviews[0].Comment != "几人？" || f.Reviews[0].By.Name != "super" || len(f.Late) != 0 {
		t.Errorf("returned: %+v", f.Reviews)
	}
	edit(&recordv1.CaseSession{Attendees: proto.Uint32(2)})
	if f := read(); !f.Reviews[0].Answered || !slices.Equal(f.Reviews[0].Changed, []string{"attendees"}) {
		t.Errorf("answered: %+v", f.Reviews)
	}
	review(recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED, "")
	edit(&recordv1.CaseSession{Minutes: proto.Uint32(50)}) // counts nowhere
	if f := read(); len(f.Reviews) != 2 || f.Reviews[0].Outcome != recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED || len(f.Reviews[0].Changed) != 0 || len(f.Late) != 1 {
		t.Errorf("approved: %+v", f)
	}
	edit(&recordv1.CaseSession{Attendees: proto.Uint32(3)})
	f := read()
	if last := f.History[len(f.History)-1]; !slices.Equal(f.Reviews[0].Changed, []string{"attendees"}) || len(f.Late) != 2 || f.Late[1] != last.Position {
		t.Errorf("lapsed: %+v, late %v", f.Reviews, f.Late)
	}
}

// Tokens stand for people: how many there are can be shown, and no more.
func TestTokensAreNotShown(t *testing.T) {
	o := open(t)
	r, err := o.record(ctx, o.reader("coordinator"), o.file)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Fields, func(f casefile.Field) bool { return f.Name == "client_tokens" })
	if i < 0 || r.Fields[i].Value != 2 {
		t.Errorf("tokens: %+v", r.Fields)
	}
	// Whatever kinds come to have: no field of people's tokens has another name.
	for _, k := range record.Kinds() {
		fields := record.New(k).ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if name := string(fields.Get(i).Name()); strings.Contains(name, "token") && name != "token" && name != "client_tokens" {
				t.Errorf("%v.%s: is it a token of people?", k, name)
			}
		}
	}
}

// Both values of a conflict are shown as its record would show them, to those who see that record.
func TestAConflictShowsItsSides(t *testing.T) {
	o := open(t)
	o.ben.Pull()
	mine, his := o.anna.Edit(o.session, &recordv1.CaseSession{Minutes: proto.Uint32(40)}), o.ben.Edit(o.session, &recordv1.CaseSession{Minutes: proto.Uint32(50)})
	o.anna.Push(mine)
	o.ben.Push(his)
	o.anna.Pull()
	var conflict hlc.ID
	for id, p := range o.anna.Pulled {
		if record.Kind(p.GetKind()) == recordv1.Kind_KIND_CONFLICT {
			conflict = id
		}
	}
	r, err := o.record(ctx, o.reader("lead"), conflict)
	if err != nil {
		t.Fatal(err)
	}
	var values []any
	for _, f := range r.Fields {
		if f.Name != "sides" {
			continue
		}
		for _, side := range f.Value.([]any) {
			values = append(values, side.(map[string]any)["value"])
		}
	}
	if !reflect.DeepEqual(values, []any{uint32(40), uint32(50)}) && !reflect.DeepEqual(values, []any{uint32(30), uint32(40), uint32(50)}) {
		t.Errorf("sides %v of %+v", values, r.Fields)
	}
}

// A conflict about what is confidential is as confidential as that, and stands in the list of its case.
func TestAConflictIsAsConfidentialAsItsTarget(t *testing.T) {
	o := open(t)
	o.Workers["dora"] = o.NewID()
	dora := o.Workers["dora"]
	if err := o.Service.Add(ctx, []syncing.SetUpRecord{{ID: dora, Message: &recordv1.Worker{Name: proto.String("dora"), Role: recordv1.Role_ROLE_FIELD_WORKER.Enum(), Team: o.Teams[0][:]}}}); err != nil {
		t.Fatal(err)
	}
	second := o.Enrol("dora")
	o.anna.Pull()
	o.anna.Push(o.anna.Edit(o.file, &recordv1.Case{Workers: [][]byte{dora[:]}}))
	second.Pull()
	for v, name := range map[*servertest.Device]string{o.anna: "王秀兰", second: "王秀云"} {
		v.Push(v.Edit(o.identity, &recordv1.CaseIdentity{Name: &name}))
	}
	for v, process := range map[*servertest.Device]string{o.anna: "第一次", second: "第二次"} {
		v.Push(v.Edit(o.hers, &recordv1.CaseNote{Process: &process}))
	}
	for worker, want := range map[string]string{"anna": "CASE_IDENTITY CASE_NOTE", "super": "CASE_IDENTITY CASE_NOTE", "external": "CASE_NOTE", "ben": ""} {
		records, err := o.service.Confidential(ctx, o.reader(worker), o.file)
		if err != nil {
			t.Fatal(err)
		}
		var about []string
		for _, r := range records {
			if r.Kind != recordv1.Kind_KIND_CONFLICT {
				continue
			}
			for _, f := range r.Fields {
				if f.Name == "target_kind" {
					about = append(about, strings.ToUpper(f.Value.(string)))
				}
			}
		}
		slices.Sort(about)
		if got := strings.Join(about, " "); got != want {
			t.Errorf("%s sees conflicts about %q, want %q", worker, got, want)
		}
	}
	// Who sees what is confidential, and not what it belongs to, as an API token may have it, sees what belongs to it.
	narrow := o.reader("super")
	narrow.May = func(a access.Action) bool { return a == access.SeeConfidential }
	f, err := o.service.File(ctx, narrow, o.hers)
	if err != nil || len(f.Above) != 0 || len(f.Below) != 1 || f.Below[0].Kind != recordv1.Kind_KIND_CONFLICT {
		t.Errorf("above %v, below %v: %v", f.Above, f.Below, err)
	}
}

// The key by which tablets make tokens is for nobody to see, in no record.
func TestTheLinkageKeyIsNotShown(t *testing.T) {
	o := open(t)
	key, conflict := o.LinkageKey(), o.LinkageConflict()
	for _, id := range []hlc.ID{o.ID, conflict} {
		r, err := o.record(ctx, o.reader("coordinator"), id)
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]any{}
		for _, f := range r.Fields {
			values[f.Name], values[f.Name+" plain"] = f.Value, fmt.Sprint(f.Plain)
		}
		text, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		if form := servertest.Shows(string(text), key); form != "" {
			t.Errorf("%v shows it, %s: %s", r.Kind, form, text)
		}
		if slices.ContainsFunc(r.Fields, func(f casefile.Field) bool { return f.Name == "linkage_key" }) {
			t.Errorf("%v says that there is one: %+v", r.Kind, r.Fields)
		}
	}
}
