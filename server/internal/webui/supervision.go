package webui

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/server/internal/review"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

func supervisionRoutes(r *router) {
	r.page(pathIn+"/supervision", access.SeeRecords, (*visit).supervision)
	r.section(pathIn+"/supervision", "nav_supervision", access.SeeRecords)
	r.page(pathIn+"/supervision/new", access.ReviewRecords, (*visit).chooseSupervised)
	r.form(pathIn+"/supervision/new/:team", access.ReviewRecords, (*visit).newSupervision)
	r.page(pathIn+"/supervision/:supervision", access.SeeRecords, reads((*visit).supervisionSession))
	r.form(pathIn+"/supervision/:supervision/edit", access.ReviewRecords, reads((*visit).editSupervision))
	r.deed(pathIn+"/supervision/:supervision/looked-at", access.ReviewRecords, (*visit).lookedAt)
}

const (
	// supervisionShown is how many sessions stand on a page, supervisionGlimpsed how many on that of a worker.
	supervisionShown    = 30
	supervisionGlimpsed = 10
)

// supervisionBody is what the page of supervision shows.
type supervisionBody struct {
	// New leads to the form of a session; empty where the visitor may write none.
	New string
	narrowing
	// Tasks are those of a page of the sessions that left some; FurtherTasks leads to the next such page, Further to that of Sessions.
	Tasks                 []taskRow
	Sessions              []supervisionRow
	FurtherTasks, Further string
}

// supervisionRow is a session in a list.
type supervisionRow struct {
	To, Day, Form, Supervisor, Supervisees, Team, Minutes string
	Tasks                                                 []string
}

// taskRow is something that was to be looked at again, and the session it comes from.
type taskRow struct {
	Text    string
	Session supervisionRow
}

func (v *visit) toSupervision(parts ...string) string {
	return to(v.within.Syncing.Deployment(), append([]string{"supervision"}, parts...)...)
}

// supervision lists the sessions that the visitor may see, and what they left to be looked at.
func (v *visit) supervision() error {
	body := supervisionBody{narrowing: narrowing{Action: v.toSupervision()}}
	if v.may(access.ReviewRecords, access.Everyone) {
		body.New = v.To(v.toSupervision("new"))
	}
	teams, supervisees := v.byTeamAndWorker("supervisee")
	body.Narrow = []*field{teams, supervisees}
	only := parsed(teams.Value)
	q := progress.SupervisionQuery{Supervisee: parsed(supervisees.Value), Page: progress.Page[hlc.ID]{Limit: supervisionShown, Sees: func(team hlc.ID) bool {
		return v.may(access.SeeRecords, team) && (only == hlc.ID{} || team == only)
	}}}
	// onePage is the page of a list that the address names as after, and where it goes on, with the other list as it is.
	onePage := func(q progress.SupervisionQuery, after string) ([]supervisionRow, string, error) {
		q.After = parsed(v.QueryParam(after))
		rows, next, err := v.supervisionRows(q)
		if err != nil || next == (hlc.ID{}) {
			return rows, "", err
		}
		query := url.Values{"team": {teams.Value}, "supervisee": {supervisees.Value}, "after": {v.QueryParam("after")}, "tasks_after": {v.QueryParam("tasks_after")}}
		query.Set(after, next.String())
		return rows, v.To(body.Action, "?", query.Encode()), nil
	}
	var err error
	if body.Sessions, body.Further, err = onePage(q, "after"); err != nil {
		return err
	}
	q.Tasks = true
	sessions, further, err := onePage(q, "tasks_after")
	if err != nil {
		return err
	}
	body.FurtherTasks = further
	for _, row := range sessions {
		for _, text := range row.Tasks {
			body.Tasks = append(body.Tasks, taskRow{text, row})
		}
	}
	return v.show("supervision", &page{Title: v.T("title_supervision"), Body: body})
}

// supervisionRows are a page of sessions, as a list shows them.
func (v *visit) supervisionRows(q progress.SupervisionQuery) (rows []supervisionRow, next hlc.ID, err error) {
	sessions, next, err := v.within.Progress.Supervisions(v.context(), q)
	for _, s := range sessions {
		rows = append(rows, v.supervisionRow(s.ID, s.Session, s.Team.Name))
	}
	return rows, next, err
}

func (v *visit) supervisionRow(id hlc.ID, s *recordv1.Supervision, team string) supervisionRow {
	terms, row := v.terms(), supervisionRow{To: v.To(v.toSupervision(id.String())), Supervisor: v.workerNamed(s.GetSupervisor()), Team: team, Tasks: progress.TasksIn(s.GetTasks())}
	if day := record.Date(s.GetOccurredOn()); day.Valid() {
		row.Day = v.Date(day)
	} else {
		row.Day = v.T("day_unknown")
	}
	if s.Form != nil {
		row.Form = choice(terms, s.GetForm())
	}
	var names []string
	for _, b := range s.GetSupervisees() {
		names = append(names, v.workerNamed(b))
	}
	row.Supervisees = v.List(names)
	if s.Minutes != nil {
		row.Minutes = v.N("minutes", int64(s.GetMinutes()))
	}
	return row
}

// workerNamed is what the worker is called whose id a record holds.
func (v *visit) workerNamed(id []byte) string {
	if name := v.within.Syncing.SetUp().Workers[idOf(id)].GetName(); name != "" {
		return name
	}
	return v.T("worker_unknown")
}

// sessionBody is what the page of a session shows.
type sessionBody struct {
	supervisionRow
	Mode, Functions string
	// Advice is that which the visitor may see.
	Advice []struct{ By, Text string }
	// Edit leads to the form, and LookedAt takes a task off; both empty where the visitor may not.
	Edit, LookedAt string
	Seen           string
	History, Back  string
}

// sessionAsked is the session of the address.
func (v *visit) sessionAsked() (casefile.Supervision, error) {
	id, err := v.id("supervision")
	if err != nil {
		return casefile.Supervision{}, err
	}
	return v.within.Casefile.Supervision(v.context(), v.reader(), id)
}

// supervisionSession shows one session with the advice.
func (v *visit) supervisionSession() error {
	s, err := v.sessionAsked()
	if err != nil {
		return err
	}
	terms := v.terms()
	body := sessionBody{supervisionRow: v.supervisionRow(s.ID, s.Session, s.Team.Name), Seen: strconv.FormatUint(s.Position, 10), Back: v.To(v.toSupervision()),
		History: v.To(to(v.within.Syncing.Deployment(), "records", s.ID.String()))}
	if s.Session.Mode != nil {
		body.Mode = choice(terms, s.Session.GetMode())
	}
	var functions []string
	for _, f := range s.Session.GetFunctions() {
		functions = append(functions, choice(terms, f))
	}
	body.Functions = v.List(functions)
	for _, a := range s.Advice {
		body.Advice = append(body.Advice, struct{ By, Text string }{cmp.Or(a.By.Name, v.T("worker_unknown")), a.Text})
	}
	if v.may(access.ReviewRecords, s.Team.ID) {
		body.Edit, body.LookedAt = v.To(v.toSupervision(s.ID.String(), "edit")), v.To(v.toSupervision(s.ID.String(), "looked-at"))
	}
	return v.show("session", &page{Title: v.T("title_session", body.Day), Body: body})
}

// chooseSupervised asks of which team a session is; who has one alone is led on.
func (v *visit) chooseSupervised() error {
	teams := v.teamsOf(access.ReviewRecords)
	if len(teams) == 1 {
		return v.done(v.toSupervision("new", teams[0].String()), "")
	}
	var links []link
	for _, id := range teams {
		links = append(links, link{To: v.To(v.toSupervision("new", id.String())), Name: v.within.Syncing.SetUp().Teams[id].GetName()})
	}
	return v.show("choose", &page{Title: v.T("new_supervision"), Lead: []string{v.T("choose_team")}, Links: links})
}

// newSupervision writes a session of a team.
func (v *visit) newSupervision() error {
	team, err := v.id("team")
	if err != nil {
		return err
	}
	if v.within.Syncing.SetUp().Teams[team] == nil {
		return problem.New(problem.NotFound)
	}
	if err := v.must(access.ReviewRecords, team); err != nil {
		return err
	}
	id, err := v.within.Syncing.NewID()
	if err != nil {
		return err
	}
	day := int32(v.today())
	return v.writeSupervision(casefile.Supervision{ID: id, Team: progress.Named{ID: team}, Session: &recordv1.Supervision{OccurredOn: &day, Supervisor: v.person.Worker[:]}}, "new_supervision")
}

// editSupervision changes a session.
func (v *visit) editSupervision() error {
	s, err := v.sessionAsked()
	if err != nil {
		return err
	}
	if err := v.must(access.ReviewRecords, s.Team.ID); err != nil {
		return err
	}
	return v.writeSupervision(s, "edit_supervision")
}

// own is the advice that the visitor wrote; one with a new id, which is to be made, when there is none.
func (v *visit) own(s casefile.Supervision) (casefile.Advice, error) {
	for _, a := range s.Advice {
		if a.By.ID == v.person.Worker {
			return a, nil
		}
	}
	id, err := v.within.Syncing.NewID()
	return casefile.Advice{ID: id}, err
}

// Fields of a session that the form sets.
const (
	sessionFormField      = 16
	sessionModeField      = 17
	sessionFunctionsField = 18
	sessionTasksField     = 22
)

// writeSupervision asks for what there is to say of a session, and writes it down: the advice in a record of its own, which
// is confidential.
func (v *visit) writeSupervision(s casefile.Supervision, title string) error {
	own, err := v.own(s)
	if err != nil {
		return err
	}
	f := v.supervisionForm(s, own)
	show := func() error { return v.show("form", &page{Title: v.T(title), Form: f}) }
	if !v.filled(f) {
		return show()
	}
	session, cleared := v.supervisionIn(f)
	if !f.ok() {
		return show()
	}
	write := review.Session{Supervision: review.Seen{ID: s.ID, Position: positionIn(f.value("seen"))}, Note: review.Seen{ID: own.ID, Position: positionIn(f.value("seen_advice"))},
		Message: session, Cleared: cleared, Advice: f.value("advice")}
	if own.Position == 0 {
		write.Note.ID = parsed(f.value("advice_id"))
	}
	if s.Position == 0 {
		session.Team, session.Status, write.Cleared = s.Team.ID[:], recordv1.Status_STATUS_HELD.Enum(), nil
		write.Supervision.ID = parsed(f.value("id"))
	}
	if write.Supervision.ID == (hlc.ID{}) || write.Note.ID == (hlc.ID{}) {
		f.Error = v.T("wrong_form")
		return show()
	}
	err = v.within.Review.WriteSession(v.context(), v.reader(), write)
	var wrong *record.Problem
	switch {
	case errors.As(err, &wrong):
		f.Error = record.Message(wrong.Code, v.Lang())
		return show()
	case err != nil:
		return v.refused(err, f, nil, show)
	}
	return v.done(v.toSupervision(write.Supervision.ID.String()), "saved")
}

// positionIn is one that a form brings back; what is none was not shown, and is refused.
func positionIn(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// supervisionForm is the form of a session, and of the visitor's advice. The ids of what is to be made come with it, so that a form which
// is sent twice makes it once.
func (v *visit) supervisionForm(s casefile.Supervision, own casefile.Advice) *form {
	terms, of := v.terms(), s.Session
	day := ""
	if on := record.Date(of.GetOccurredOn()); on.Valid() {
		day = on.String()
	}
	minutes := ""
	if of.Minutes != nil {
		minutes = strconv.FormatUint(uint64(of.GetMinutes()), 10)
	}
	chosenOf := func(set bool, e protoreflect.Enum) string {
		if !set {
			return ""
		}
		return terms.OptionOf(e.Descriptor(), e.Number()).Name
	}
	var functions []string
	for _, one := range of.GetFunctions() {
		functions = append(functions, terms.OptionOf(one.Descriptor(), one.Number()).Name)
	}
	return v.form("submit_save").add(
		&field{Name: "id", Sort: "hidden", Value: s.ID.String()},
		&field{Name: "advice_id", Sort: "hidden", Value: own.ID.String()},
		&field{Name: "seen", Sort: "hidden", Value: strconv.FormatUint(s.Position, 10)},
		&field{Name: "seen_advice", Sort: "hidden", Value: strconv.FormatUint(own.Position, 10)},
		&field{Name: "day", Sort: "date", Required: true, Value: day, Focus: true},
		&field{Name: "supervisor", Sort: "select", Required: true, Value: chosen(of.GetSupervisor()), Options: v.supervisors(s.Team.ID, of)},
		&field{Name: "supervisees", Sort: "checks", Values: chosenAll(of.GetSupervisees()), Options: v.supervisees(s.Team.ID, of)},
		&field{Name: "form", Sort: "select", Value: chosenOf(of.Form != nil, of.GetForm()), Options: choices(terms, of.GetForm().Descriptor())},
		&field{Name: "mode", Sort: "select", Value: chosenOf(of.Mode != nil, of.GetMode()), Options: choices(terms, of.GetMode().Descriptor())},
		&field{Name: "functions", Sort: "checks", Values: functions, Options: choices(terms, recordv1.SupervisionFunction(0).Descriptor())},
		&field{Name: "minutes", Required: true, Value: minutes, Mode: "numeric"},
		&field{Name: "advice", Sort: "area", Value: own.Text},
		&field{Name: "tasks", Sort: "area", Value: of.GetTasks()})
}

// supervisors are who may have led a session of a team: who leads or supervises it, and coordinators; and whom it names.
func (v *visit) supervisors(team hlc.ID, s *recordv1.Supervision) []option {
	return v.workersWho(func(id hlc.ID, w *recordv1.Worker) bool {
		return id == idOf(s.GetSupervisor()) || w.GetRole() == recordv1.Role_ROLE_COORDINATOR ||
			(w.GetRole() != recordv1.Role_ROLE_FIELD_WORKER && v.within.Syncing.Person(id).Has(team))
	})
}

// supervisees are who may have been supervised in a session of a team: its own people; and whom it names.
func (v *visit) supervisees(team hlc.ID, s *recordv1.Supervision) []option {
	return v.workersWho(func(id hlc.ID, w *recordv1.Worker) bool {
		return idOf(w.GetTeam()) == team || slices.ContainsFunc(s.GetSupervisees(), func(b []byte) bool { return idOf(b) == id })
	})
}

func (v *visit) workersWho(which func(hlc.ID, *recordv1.Worker) bool) []option {
	some := map[hlc.ID]*recordv1.Worker{}
	for id, w := range v.within.Syncing.SetUp().Workers {
		if which(id, w) {
			some[id] = w
		}
	}
	return options(some)
}

// maxMinutes is how long a session can have taken: a day.
const maxMinutes = 24 * 60

// supervisionIn is the session that a form says, and the fields that it empties.
func (v *visit) supervisionIn(f *form) (*recordv1.Supervision, []protowire.Number) {
	var cleared []protowire.Number
	supervisor := parsed(f.value("supervisor"))
	s := &recordv1.Supervision{Supervisor: supervisor[:]}
	if day, err := record.ParseDate(f.value("day")); err != nil || !day.Valid() || day > v.today() {
		f.wrong("day", v.T("wrong_day_past"))
	} else {
		s.OccurredOn = proto.Int32(int32(day))
	}
	if n, err := strconv.ParseUint(f.value("minutes"), 10, 32); err != nil || n == 0 || n > maxMinutes {
		f.wrong("minutes", v.T("wrong_minutes", maxMinutes))
	} else {
		s.Minutes = proto.Uint32(uint32(n))
	}
	for _, one := range f.field("supervisees").Values {
		id := parsed(one)
		s.Supervisees = append(s.Supervisees, id[:])
	}
	if len(s.Supervisees) == 0 {
		f.wrong("supervisees", v.T("wrong_missing"))
	}
	if name := f.value("form"); name != "" {
		s.Form = recordv1.SupervisionForm(recordv1.SupervisionForm_value["SUPERVISION_FORM_"+strings.ToUpper(name)]).Enum()
	} else {
		cleared = append(cleared, sessionFormField)
	}
	if name := f.value("mode"); name != "" {
		s.Mode = recordv1.SupervisionMode(recordv1.SupervisionMode_value["SUPERVISION_MODE_"+strings.ToUpper(name)]).Enum()
	} else {
		cleared = append(cleared, sessionModeField)
	}
	for _, name := range f.field("functions").Values {
		s.Functions = append(s.Functions, recordv1.SupervisionFunction(recordv1.SupervisionFunction_value["SUPERVISION_FUNCTION_"+strings.ToUpper(name)]))
	}
	if len(s.Functions) == 0 {
		cleared = append(cleared, sessionFunctionsField)
	}
	if tasks := strings.Join(progress.TasksIn(f.value("tasks")), "\n"); tasks != "" {
		s.Tasks = &tasks
	} else {
		cleared = append(cleared, sessionTasksField)
	}
	return s, cleared
}

// lookedAt takes a task off a session. What it was stays in the session's history.
func (v *visit) lookedAt() error {
	s, err := v.sessionAsked()
	if err != nil {
		return err
	}
	if err := v.must(access.ReviewRecords, s.Team.ID); err != nil {
		return err
	}
	f := v.form("looked_at").add(&field{Name: "task", Sort: "hidden", Required: true}, &field{Name: "seen", Sort: "hidden", Required: true})
	tasks := progress.TasksIn(s.Session.GetTasks())
	i := -1
	if v.filled(f) {
		i = slices.Index(tasks, f.value("task"))
	}
	if i < 0 {
		return problem.New(problem.NotFound)
	}
	without := review.Session{Supervision: review.Seen{ID: s.ID, Position: positionIn(f.value("seen"))}, Message: &recordv1.Supervision{}}
	if rest := strings.Join(slices.Delete(tasks, i, i+1), "\n"); rest != "" {
		without.Message.Tasks = &rest
	} else {
		without.Cleared = []protowire.Number{sessionTasksField}
	}
	if err := v.within.Review.WriteSession(v.context(), v.reader(), without); err != nil {
		return err
	}
	return v.done(v.toSupervision(s.ID.String()), "looked_at")
}
