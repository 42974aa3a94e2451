package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/alerting"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// desk is a deployment whose alerts somebody sees to, step by step as the test has it.
type desk struct {
	*servertest.Deployment
	alerts *alerting.Service
	config alerting.Config
	// tablets are by worker.
	tablets map[string]*servertest.Device
	changes int
	failed  []error
}

// newDesk is a deployment with a duty list of workers by name, who are told after ten minutes each.
func newDesk(t *testing.T, senders map[alerting.Channel]alerting.Sender, duty ...string) *desk {
	t.Helper()
	d := &desk{Deployment: servertest.New(t), tablets: map[string]*servertest.Device{}}
	d.config = alerting.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), SetUp: func() *syncing.SetUp { return d.Service.SetUp() }, Senders: senders,
		Language: func(context.Context, hlc.ID) string { return "zh" }, URL: "https://levee.example.org", Wall: d.Wall,
		Changed: func() { d.changes++ }, Failed: func(err error) { d.failed = append(d.failed, err) }}
	for name, id := range d.Workers {
		d.edit(t, id, &recordv1.Worker{Phone: proto.String("phone of " + name), Email: proto.String(name + "@example.org")})
	}
	m := &recordv1.Deployment{EscalationMinutes: proto.Uint32(10)}
	for _, name := range duty {
		id := d.Workers[name]
		m.DutyList = append(m.DutyList, id[:])
	}
	d.edit(t, d.ID, m)
	d.restart(t)
	return d
}

func (d *desk) edit(t *testing.T, id hlc.ID, m proto.Message) {
	t.Helper()
	if err := d.Service.Add(t.Context(), []syncing.SetUpRecord{{ID: id, Message: m}}); err != nil {
		t.Fatal(err)
	}
}

// restart forgets all that is not on the disk.
func (d *desk) restart(t *testing.T) {
	t.Helper()
	d.alerts = alerting.New(d.config)
	d.Observe(d.alerts.Observe)
	if err := d.alerts.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) tablet(worker string) *servertest.Device {
	if d.tablets[worker] == nil {
		d.tablets[worker] = d.Enrol(worker)
	}
	return d.tablets[worker]
}

// raise has a worker's tablet send an alert.
func (d *desk) raise(worker string, level recordv1.RiskLevel) hlc.ID {
	v := d.tablet(worker)
	c := v.Make(&recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_SUICIDE_OR_SELF_HARM.Enum(), Level: level.Enum(), SeenAt: proto.Int64(d.Wall().Add(-5 * time.Minute).UnixMilli()), Done: proto.String("已陪同")})
	v.Push(c)
	return c.Record
}

// confirm has a worker say on their tablet that they take care of an alert.
func (d *desk) confirm(worker string, alert hlc.ID) {
	v := d.tablet(worker)
	v.Pull()
	v.Push(v.Edit(alert, &recordv1.RiskAlert{AcknowledgedBy: v.Worker[:], AcknowledgedAt: proto.Int64(d.Wall().UnixMilli())}))
}

// look does what is due now.
func (d *desk) look(t *testing.T) { d.alerts.Look(t.Context()) }

// pass lets time pass, and what is due happen.
func (d *desk) pass(t *testing.T, by time.Duration) {
	d.Pass(by)
	d.look(t)
}

// name is that of a worker.
func (d *desk) name(id hlc.ID) string {
	for name, worker := range d.Workers {
		if worker == id {
			return name
		}
	}
	return "nobody"
}

// told are the notices of an alert: step, worker, channel and outcome.
func (d *desk) told(t *testing.T, alert hlc.ID) (all []string) {
	t.Helper()
	notices, err := d.alerts.Notices(t.Context(), alert)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notices {
		all = append(all, fmt.Sprintf("%d %s %s %s", n.Step, d.name(n.Worker), n.Channel, n.Outcome))
	}
	slices.Sort(all)
	return all
}

// sender keeps what is sent.
type sender struct {
	channel alerting.Channel
	// down is the error of each attempt.
	down error
	// to and messages are what arrived.
	to       []string
	messages []alerting.Message
}

func (s *sender) Address(w *recordv1.Worker) string {
	if s.channel == alerting.SMS {
		return w.GetPhone()
	}
	return w.GetEmail()
}

func (s *sender) Send(_ context.Context, to string, m alerting.Message) error {
	if s.down == nil {
		s.to, s.messages = append(s.to, to), append(s.messages, m)
	}
	return s.down
}

// phones is one channel that works.
func phones() (*sender, map[alerting.Channel]alerting.Sender) {
	s := &sender{channel: alerting.SMS}
	return s, map[alerting.Channel]alerting.Sender{alerting.SMS: s}
}

func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), strings.Join(want, "; "))
	}
}

func TestOneAfterTheOtherIsTold(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super", "lead")
	d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	wants(t, sms.to, "phone of super")
	a := d.alerts.Open(nil)[0]
	if a.Step() != 1 || !slices.Equal(a.Next, []hlc.ID{d.Workers["lead"]}) || !a.NextAt.Equal(d.Wall().Add(10*time.Minute)) || !a.Received.Equal(d.Wall()) {
		t.Errorf("after the first step: %+v", a)
	}
	d.pass(t, 10*time.Minute-time.Second)
	wants(t, sms.to, "phone of super")
	d.pass(t, time.Second)
	wants(t, sms.to, "phone of super", "phone of lead")
	for range 10 {
		d.pass(t, 10*time.Minute)
	}
	// Then all of them, three times.
	if want := 2 + alerting.MaxRounds*2; len(sms.to) != want {
		t.Errorf("%d messages, not %d", len(sms.to), want)
	}
	if a := d.alerts.Open(nil)[0]; a.Step() != 2+alerting.MaxRounds || a.Next != nil {
		t.Errorf("in the end: step %d, next %v", a.Step(), a.Next)
	}
}

func TestNobodyIsToldOnceSomebodyHasConfirmed(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super", "lead")
	id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	d.confirm("super", id)
	d.pass(t, time.Hour)
	wants(t, sms.to, "phone of super")
	if open := d.alerts.Open(nil); len(open) != 0 || d.alerts.Count() != 0 {
		t.Errorf("still open: %v", open)
	}
	wants(t, d.told(t, id), "1 super mail off", "1 super sms sent")
}

func TestARestartNeitherRepeatsNorSkipsAStep(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super", "lead", "coordinator")
	d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.restart(t) // before anybody was told
	d.look(t)
	d.restart(t)
	d.look(t)
	wants(t, sms.to, "phone of super")
	d.Pass(3 * time.Hour) // it was down for long: the next is told now, and those after it in their time
	d.restart(t)
	d.look(t)
	wants(t, sms.to, "phone of super", "phone of lead")
	d.pass(t, 10*time.Minute)
	wants(t, sms.to, "phone of super", "phone of lead", "phone of coordinator")
}

// What was on the disk and not sent when the server was killed is sent by the next one.
func TestAStepThatWasBegunIsSentAfterARestart(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super")
	id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	stopped, stop := context.WithCancel(t.Context())
	sms.down = errors.New("cut off")
	senders[alerting.SMS] = stopping{sms, stop}
	d.restart(t)
	d.alerts.Look(stopped)
	wants(t, d.told(t, id), "1 super mail off", "1 super sms waiting")
	sms.down, senders[alerting.SMS] = nil, sms
	d.restart(t)
	d.look(t)
	wants(t, sms.to, "phone of super")
	wants(t, d.told(t, id), "1 super mail off", "1 super sms sent")
}

// stopping is a sender during whose first attempt the server is stopped.
type stopping struct {
	*sender
	stop context.CancelFunc
}

func (s stopping) Send(ctx context.Context, to string, m alerting.Message) error {
	s.stop()
	return s.sender.Send(ctx, to, m)
}

func TestWhatFailsIsTriedAgainAndHoldsUpNothing(t *testing.T) {
	sms, mail := &sender{channel: alerting.SMS}, &sender{channel: alerting.Mail, down: errors.New("no route to host")}
	d := newDesk(t, map[alerting.Channel]alerting.Sender{alerting.SMS: sms, alerting.Mail: mail}, "super", "lead")
	id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	d.look(t) // not at once
	wants(t, d.told(t, id), "1 super mail failed", "1 super sms sent")
	if n := d.alerts.Open(nil)[0].Notices[0]; n.Attempts != 1 || !n.Tried.Equal(d.Wall()) {
		t.Errorf("the notice is %+v", n)
	}
	d.pass(t, alerting.FirstBackOff)
	d.pass(t, alerting.FirstBackOff) // the third comes later
	if n := d.alerts.Open(nil)[0].Notices[0]; n.Attempts != 2 {
		t.Errorf("the notice is %+v", n)
	}
	d.restart(t)
	d.look(t)
	if n := d.alerts.Open(nil)[0].Notices[0]; n.Attempts != 2 {
		t.Errorf("after a restart the notice is %+v", n)
	}
	d.pass(t, 9*time.Minute)
	wants(t, d.told(t, id), "1 super mail failed", "1 super sms sent", "2 lead mail failed", "2 lead sms sent")
	mail.down = nil
	d.pass(t, 5*time.Minute)
	wants(t, mail.to, "lead@example.org", "super@example.org")
	wants(t, d.told(t, id), "1 super mail sent", "1 super sms sent", "2 lead mail sent", "2 lead sms sent")
	if len(d.failed) == 0 || strings.Contains(fmt.Sprint(d.failed), "example.org") {
		t.Errorf("logged: %v", d.failed)
	}
}

func TestWhoHasNoAddressHoldsUpNobody(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super", "lead", "coordinator")
	d.edit(t, d.Workers["super"], &recordv1.Worker{Phone: proto.String("")})
	id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	wants(t, sms.to, "phone of lead")
	wants(t, d.told(t, id), "1 super mail off", "1 super sms no_address", "2 lead mail off", "2 lead sms sent")
	d.pass(t, 10*time.Minute)
	wants(t, sms.to, "phone of lead", "phone of coordinator")
}

// Where no channel is configured, the pages show whose turn it is.
func TestWithoutChannelsTurnsAreTakenAllTheSame(t *testing.T) {
	d := newDesk(t, nil, "super", "lead")
	id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	wants(t, d.told(t, id), "1 super mail off", "1 super sms off")
	d.pass(t, 10*time.Minute)
	wants(t, d.told(t, id), "1 super mail off", "1 super sms off", "2 lead mail off", "2 lead sms off")
}

func TestWithoutADutyListSupervisorsAndThenCoordinatorsAreTold(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders)
	other := d.NewID()
	d.edit(t, other, &recordv1.Worker{Name: proto.String("other"), Role: recordv1.Role_ROLE_SUPERVISOR.Enum(), Phone: proto.String("phone of other"),
		Team: d.Teams[1][:], Supervises: [][]byte{d.Teams[0][:]}})
	d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	for range 3 {
		d.pass(t, 10*time.Minute)
	}
	wants(t, sms.to, "phone of super", "phone of other", "phone of coordinator")
	sms.to = nil
	d.raise("carl", recordv1.RiskLevel_RISK_LEVEL_RED) // of a team that super does not have
	d.look(t)
	if !slices.Contains(sms.to, "phone of other") || slices.Contains(sms.to, "phone of super") {
		t.Errorf("told: %v", sms.to)
	}
}

func TestWhoComesToTheListIsToldBeforeAllAreToldAgain(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super")
	d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	d.pass(t, 10*time.Minute)
	super, lead := d.Workers["super"], d.Workers["lead"]
	d.edit(t, d.ID, &recordv1.Deployment{DutyList: [][]byte{super[:], lead[:]}})
	d.look(t)
	if a := d.alerts.Open(nil)[0]; !slices.Equal(a.Next, []hlc.ID{lead}) {
		t.Errorf("next is %v", a.Next)
	}
	for range 5 {
		d.pass(t, 10*time.Minute)
	}
	wants(t, sms.to, "phone of super", "phone of super", "phone of lead", "phone of super", "phone of lead", "phone of super", "phone of lead")
}

func TestTheWorstComeFirst(t *testing.T) {
	d := newDesk(t, nil, "super")
	red := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.Pass(time.Minute)
	unknown := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_UNKNOWN)
	yellow := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_YELLOW)
	orange := d.raise("carl", recordv1.RiskLevel_RISK_LEVEL_ORANGE)
	d.Pass(time.Minute)
	newest := d.raise("ben", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	var order []hlc.ID
	for _, a := range d.alerts.Open(nil) {
		order = append(order, a.ID)
	}
	if !slices.Equal(order, []hlc.ID{red, newest, orange, yellow, unknown}) {
		t.Errorf("the order is %v", order)
	}
	a := d.alerts.Open(nil)[0]
	if a.Type != recordv1.RiskType_RISK_TYPE_SUICIDE_OR_SELF_HARM || a.Team != d.Teams[0] || a.Author != d.Workers["anna"] || !a.SeenAt.Equal(a.Received.Add(-5*time.Minute)) {
		t.Errorf("the alert is %+v", a)
	}
}

// What a page shows is cut by the caller, with what decides about records everywhere.
func TestOpenAlertsAreThoseThatOneSees(t *testing.T) {
	d := newDesk(t, nil, "super")
	id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.raise("carl", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	seen := func(worker string) (ids []hlc.ID) {
		p := d.Service.Person(d.Workers[worker])
		for _, a := range d.alerts.Open(func(r syncing.Record, c syncing.Circle) bool {
			return access.May(p, access.Seeing(c.Shows), c.Where(p, r.Audience)) == access.Yes
		}) {
			ids = append(ids, a.ID)
		}
		return ids
	}
	for worker, want := range map[string]int{"anna": 1, "ben": 0, "super": 1, "coordinator": 2} {
		if got := seen(worker); len(got) != want || want == 1 && got[0] != id {
			t.Errorf("%s sees %v", worker, got)
		}
	}
}

// What somebody confirmed is found by who sees it, page by page, and what is open is not among it.
func TestPastAlerts(t *testing.T) {
	d := newDesk(t, nil, "super")
	var confirmed []hlc.ID
	for range 5 {
		id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
		d.Pass(time.Minute)
		d.confirm("super", id)
		confirmed = append([]hlc.ID{id}, confirmed...)
	}
	elsewhere, open := d.raise("carl", recordv1.RiskLevel_RISK_LEVEL_RED), d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_YELLOW)
	d.confirm("coordinator", elsewhere)
	gone := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.confirm("super", gone)
	d.tablet("anna").Pull()
	d.tablet("anna").Push(d.tablet("anna").Edit(gone, &recordv1.RiskAlert{Deleted: proto.Bool(true)}))
	if err := d.alerts.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	sees := func(r syncing.Record, c syncing.Circle) bool {
		return r.ID != confirmed[1] && c.Author == d.Workers["anna"]
	}
	var got []hlc.ID
	for q := (alerting.PastQuery{Teams: d.Teams[:1], Sees: sees, Limit: 2}); ; {
		page, next, err := d.alerts.Past(t.Context(), q)
		if err != nil || len(page) > q.Limit {
			t.Fatalf("%d, %v", len(page), err)
		}
		for _, a := range page {
			if a.AcknowledgedBy != d.Workers["super"] || a.Open() {
				t.Errorf("%+v", a)
			}
			got = append(got, a.ID)
		}
		if q.After = next; next == (hlc.ID{}) {
			break
		}
	}
	if want := slices.Delete(slices.Clone(confirmed), 1, 2); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if page, _, err := d.alerts.Past(t.Context(), alerting.PastQuery{Sees: func(syncing.Record, syncing.Circle) bool { return true }, Limit: 10}); err != nil || len(page) != 6 {
		t.Errorf("of all teams: %d, %v", len(page), err)
	}
	if a, err := d.alerts.Find(t.Context(), open, sees); err != nil || !a.Open() || a.ID != open {
		t.Errorf("the open one: %+v, %v", a, err)
	}
	for name, id := range map[string]hlc.ID{"hidden": confirmed[1], "another's": elsewhere, "deleted": gone, "no alert": d.Workers["anna"], "nothing": {1}} {
		if _, err := d.alerts.Find(t.Context(), id, sees); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeletedAndErasedAlertsAreNotOpen(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super", "lead")
	anna := d.tablet("anna")
	client := anna.Make(&recordv1.Case{CaseNo: proto.String("1")})
	erased := anna.Make(&recordv1.RiskAlert{Subject: client.Record[:], Type: recordv1.RiskType_RISK_TYPE_VIOLENCE.Enum(), Done: proto.String("x")})
	deleted := anna.Make(&recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_VIOLENCE.Enum(), Done: proto.String("x")})
	anna.Push(client, erased, deleted)
	d.look(t)
	if d.alerts.Count() != 2 {
		t.Fatalf("%d are open", d.alerts.Count())
	}
	anna.Pull()
	anna.Push(anna.Edit(deleted.Record, &recordv1.RiskAlert{Deleted: proto.Bool(true)}))
	d.look(t)
	if d.alerts.Count() != 1 {
		t.Errorf("%d are open after one was deleted", d.alerts.Count())
	}
	if _, err := d.Service.Erase(t.Context(), client.Record); err != nil {
		t.Fatal(err)
	}
	d.look(t)
	if d.alerts.Count() != 0 {
		t.Errorf("%d are open after all are gone", d.alerts.Count())
	}
	d.pass(t, time.Hour)
	wants(t, sms.to, "phone of super", "phone of super")
}

func TestChangesAreToldOnce(t *testing.T) {
	_, senders := phones()
	d := newDesk(t, senders, "super")
	d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	d.changes = 0
	d.tablet("anna").Push(d.tablet("anna").Make(&recordv1.Case{CaseNo: proto.String("2")}))
	d.look(t)
	if d.changes != 0 {
		t.Errorf("told %d times of nothing", d.changes)
	}
	d.pass(t, 10*time.Minute)
	if d.changes == 0 {
		t.Error("a step was not told")
	}
}

func TestATabletGoneMadCostsNoMoreThanSomeMessages(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super")
	for range alerting.MaxAnHour + 5 {
		d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_YELLOW)
	}
	_, again := d.alerts.Look(t.Context())
	if len(sms.to) != alerting.MaxAnHour || !again.Equal(d.Wall().Add(time.Hour)) {
		t.Fatalf("%d messages; the next at %v", len(sms.to), again)
	}
	d.SetWall(again)
	_, senders[alerting.SMS] = d.Wall(), sms
	d.look(t)
	if len(sms.to) <= alerting.MaxAnHour {
		t.Errorf("an hour later %d messages", len(sms.to))
	}
}

// The loops do by themselves what the other tests do step by step.
func TestWithinAMomentPeopleAreTold(t *testing.T) {
	arrived := make(chan string, 10)
	d := newDesk(t, map[alerting.Channel]alerting.Sender{alerting.SMS: handing{arrived}}, "super", "lead")
	timers := make(chan chan time.Time, 10)
	d.config.After = func(time.Duration) <-chan time.Time {
		timer := make(chan time.Time, 1)
		timers <- timer
		return timer
	}
	d.alerts = alerting.New(d.config)
	d.Observe(d.alerts.Observe)
	if err := d.alerts.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	if to := <-arrived; to != "phone of super" {
		t.Errorf("told %s", to)
	}
	timer := <-timers
	d.alerts.Close()
	d.Pass(10 * time.Minute)
	timer <- d.Wall()
	d.alerts = alerting.New(d.config)
	if err := d.alerts.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if to := <-arrived; to != "phone of lead" {
		t.Errorf("told %s", to)
	}
	d.alerts.Close()
}

// handing is a sender that hands on whom it told.
type handing struct{ to chan<- string }

func (handing) Address(w *recordv1.Worker) string { return w.GetPhone() }

func (h handing) Send(_ context.Context, to string, _ alerting.Message) error {
	h.to <- to
	return nil
}

// interrupted is a store on which something happens once a step is on the disk and before it is sent.
type interrupted struct {
	alerting.Store
	then func()
}

func (s *interrupted) WriteNotices(ctx context.Context, fn func(alerting.Writing) error) error {
	err := s.Store.WriteNotices(ctx, fn)
	if then := s.then; then != nil {
		s.then = nil
		then()
	}
	return err
}

// Somebody may confirm an alert on a page in the moment in which the first step begins: then nobody is told any more.
func TestAnAlertIsConfirmedWhileAStepBegins(t *testing.T) {
	sms := &sender{channel: alerting.SMS}
	d := newDesk(t, map[alerting.Channel]alerting.Sender{alerting.SMS: sms}, "super")
	store := &interrupted{Store: d.config.Store}
	d.config.Store = store
	d.restart(t)
	alert := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	store.then = func() {
		d.confirm("coordinator", alert)
		if err := d.alerts.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	d.look(t)
	if d.alerts.Count() != 0 || len(sms.to) != 0 {
		t.Errorf("%d are open, and %v were told", d.alerts.Count(), sms.to)
	}
}

// watched is a store that counts how often alerts are read, and on which something happens while they are.
type watched struct {
	alerting.Store
	read int
	then func()
}

func (s *watched) ReadAlerts(ctx context.Context, fn func(alerting.Reading) error) error {
	s.read++
	return s.Store.ReadAlerts(ctx, func(tx alerting.Reading) error {
		if then := s.then; then != nil {
			s.then = nil
			if _, err := tx.OfKind(recordv1.Kind_KIND_RISK_ALERT); err != nil { // from here on the snapshot stands
				return err
			}
			then()
		}
		return fn(tx)
	})
}

// newWatchedDesk is a desk whose readings are counted.
func newWatchedDesk(t *testing.T) (*desk, *watched) {
	_, senders := phones()
	d := newDesk(t, senders, "super")
	store := &watched{Store: d.config.Store}
	d.config.Store = store
	d.restart(t)
	return d, store
}

// An alert may be open for hours while a camp syncs: that reads nothing again.
func TestWhatIsNoneOfTheAlertsReadsNone(t *testing.T) {
	d, store := newWatchedDesk(t)
	anna := d.tablet("anna")
	alert := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	read := store.read
	file := anna.Make(&recordv1.Case{CaseNo: proto.String("2")})
	anna.Push(file)
	anna.Push(anna.Edit(file.Record, &recordv1.Case{CaseNo: proto.String("3")}))
	d.look(t)
	if store.read != read {
		t.Errorf("read %d times", store.read-read)
	}
	d.confirm("super", alert)
	d.look(t)
	if store.read == read || d.alerts.Count() != 0 {
		t.Errorf("%d are open after one was confirmed", d.alerts.Count())
	}
}

func TestWhoSeesAnAlertFollowsItsCase(t *testing.T) {
	d, _ := newWatchedDesk(t)
	carl, anna, coordinator := d.tablet("carl"), d.Workers["anna"], d.tablet("coordinator")
	client := carl.Make(&recordv1.Case{CaseNo: proto.String("1"), Lead: carl.Worker[:], Workers: [][]byte{anna[:]}})
	carl.Push(client, carl.Make(&recordv1.RiskAlert{Subject: client.Record[:], Type: recordv1.RiskType_RISK_TYPE_VIOLENCE.Enum(), Done: proto.String("x")}))
	seen := func(by hlc.ID) int {
		d.look(t)
		return len(d.alerts.Open(func(_ syncing.Record, c syncing.Circle) bool { return slices.Contains(c.Assigned, by) }))
	}
	if seen(anna) != 1 {
		t.Fatal("who works on the case does not see its alert")
	}
	carl.Pull()
	carl.Push(carl.Edit(client.Record, &recordv1.Case{}, 30))
	if seen(anna) != 0 || seen(carl.Worker) != 1 {
		t.Error("who works on the case no more sees its alert")
	}
	carl.Pull()
	coordinator.Seen[client.Record] = carl.Seen[client.Record]
	d.Pass(time.Minute) // later than what stands
	coordinator.Push(coordinator.Edit(client.Record, &recordv1.Case{Team: d.Teams[0][:]}))
	d.look(t)
	if open := d.alerts.Open(nil); len(open) != 1 || open[0].Team != d.Teams[0] {
		t.Errorf("the case was moved, not its alert: %+v", open)
	}
}

// An erasure leaves no alert open, not even one that is being read.
func TestAnAlertIsErasedWhileItIsRead(t *testing.T) {
	d, store := newWatchedDesk(t)
	anna := d.tablet("anna")
	client := anna.Make(&recordv1.Case{CaseNo: proto.String("1")})
	anna.Push(client, anna.Make(&recordv1.RiskAlert{Subject: client.Record[:], Type: recordv1.RiskType_RISK_TYPE_VIOLENCE.Enum(), Done: proto.String("x")}))
	gone, purged := make(chan struct{}), make(chan error, 1)
	d.Observe(func(c syncing.Commit) {
		d.alerts.Observe(c)
		if len(c.Removed) > 0 {
			close(gone)
		}
	})
	store.then = func() {
		go func() {
			_, err := d.Service.Erase(t.Context(), client.Record) // it purges the files once nobody reads them
			purged <- err
		}()
		<-gone
	}
	d.look(t)
	d.look(t)
	if err := <-purged; err != nil {
		t.Error(err)
	}
	if d.alerts.Count() != 0 {
		t.Errorf("%d are open", d.alerts.Count())
	}
}
