package closeout_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

const (
	closing  = recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING
	closed   = recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
	archived = recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED
	active   = recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE
)

// field is a deployment with tablets of anna, ben and carl, and a coordinator on the web.
type field struct {
	*servertest.Deployment
	t               *testing.T
	service         *closeout.Service
	log             *audit.Log
	anna, ben, carl *servertest.Device
}

func open(t *testing.T) *field {
	d := servertest.New(t)
	f := &field{Deployment: d, t: t, log: audit.New(d.DB, d.Wall), anna: d.Enrol("anna"), ben: d.Enrol("ben"), carl: d.Enrol("carl")}
	figures := progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
	index := indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall, Failed: func(err error) { t.Error(err) }})
	d.Observe(func(syncing.Commit) { index.Notice() })
	index.Start()
	t.Cleanup(index.Close)
	f.service = closeout.New(closeout.Config{Syncing: d.Service, Store: d.DB.Deployment(d.ID), Progress: figures, Indexing: index, Audit: f.log,
		Key: d.Keys.Signing, Backups: true, Wall: d.Wall})
	return f
}

func (f *field) by(worker string) casefile.Reader {
	id := f.Workers[worker]
	return casefile.Reader{Person: f.Service.Person(id), Actor: audit.Actor{Worker: id}, May: func(access.Action) bool { return true }}
}

func (f *field) coordinator() casefile.Reader { return f.by("coordinator") }

// backUp says that a backup holds everything.
func (f *field) backUp() {
	f.t.Helper()
	have := map[hlc.Replica]uint64{}
	for _, v := range []*servertest.Device{f.anna, f.ben, f.carl} {
		have[v.Replica] = uint64(len(v.Sent))
	}
	f.must(f.Service.Durable(f.t.Context(), have))
}

func (f *field) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// refused is the problem of a step that must not go through.
func (f *field) refused(err error, want problem.Code) {
	f.t.Helper()
	if got := problem.CodeOf(err); err == nil || got != want {
		f.t.Errorf("refused with %v (%s), want %s", err, got, want)
	}
}

// open is how many items of each check stand in the way, by the check's name.
func (f *field) open() map[string]int {
	f.t.Helper()
	f.must(f.Service.Durable(f.t.Context(), nil)) // what contacts have queued is written
	list, err := f.service.Recount(f.t.Context())
	f.must(err)
	open := map[string]int{}
	for _, c := range list.Checks {
		if c.Blocks() {
			open[closeout.CheckName(c.Check)] = c.Open - c.Waived
		}
	}
	return open
}

func (f *field) blocks(want map[string]int) {
	f.t.Helper()
	got := f.open()
	for name := range want {
		if got[name] != want[name] {
			f.t.Errorf("%s: %d, want %d", name, got[name], want[name])
		}
		delete(got, name)
	}
	if len(got) > 0 {
		f.t.Errorf("and besides %v", got)
	}
}

// A standby that has everything is as good as a backup; one that has not, and none at all, is not.
func TestAStandbyStandsInForABackup(t *testing.T) {
	f := open(t)
	f.anna.Push(f.anna.Make(&recordv1.Outreach{}))
	missing := func(want int) {
		t.Helper()
		if got := f.open()["backup"]; got != want {
			t.Errorf("with backups %v and a standby %v, %d copies are missing, not %d", f.service.Backups, f.service.Standby, got, want)
		}
	}
	f.service.Backups, f.service.Standby = false, true
	missing(1)
	f.backUp()
	missing(0)
	f.service.Standby = false
	missing(1)
}

// waiveAll waives whatever blocks: items one by one where there are any, and else the check.
func (f *field) waiveAll(reason string) {
	f.t.Helper()
	list, err := f.service.Checklist(f.t.Context())
	f.must(err)
	for _, c := range list.Checks {
		if !c.Blocks() {
			continue
		}
		if len(c.Items) == 0 {
			f.must(f.service.Waive(f.t.Context(), f.coordinator(), c.Check, hlc.ID{}, reason))
		}
		for _, item := range c.Items {
			f.must(f.service.Waive(f.t.Context(), f.coordinator(), c.Check, item.Subject, reason))
		}
	}
}

func (f *field) announce() {
	f.t.Helper()
	f.must(f.service.Announce(f.t.Context(), f.coordinator(), 20211206, 20220606))
}

func (f *field) opened(v *servertest.Device, number string) *record.Change {
	return v.Make(&recordv1.Case{CaseNo: &number, OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Lead: v.Worker[:]})
}

func session(number uint32) *recordv1.CommunityActivity {
	return &recordv1.CommunityActivity{Name: proto.String("电影放映"), Minutes: proto.Uint32(60 + number), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum()}
}

// afterTheEnd moves the clock to noon of the day after the last one.
func (f *field) afterTheEnd() { f.SetWall(time.Date(2021, 12, 7, 4, 0, 0, 0, time.UTC)) }

// A coordinator closes a deployment with what such deployments have left over: two tablets that nobody hears from, three open cases, a
// field in which two people disagree. A tablet comes back a month later with seven changes: they count apart until they are accepted.
func TestFromTheLastTabletToTheSecondEdition(t *testing.T) {
	f := open(t)
	one, two, three := f.opened(f.anna, "2021-1"), f.opened(f.anna, "2021-2"), f.opened(f.carl, "2021-3")
	shared := f.ben.Make(session(1))
	f.ben.Push(shared)
	f.anna.Pull()
	f.anna.Push(one, two, f.anna.Edit(shared.Record, session(2)))
	f.ben.Push(f.ben.Edit(shared.Record, session(3))) // without having seen anna's
	f.carl.Push(three)
	f.carl.Pull()
	late := []*record.Change{f.carl.Make(session(10)), f.carl.Make(session(11)), f.carl.Make(session(12)), f.opened(f.carl, "2021-4")}
	late = append(late, f.carl.Edit(late[0].Record, session(20)), f.carl.Edit(three.Record, &recordv1.Case{ClosedOn: proto.Int32(20211001), Stage: recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum()}),
		f.carl.Make(&recordv1.Headcount{Activity: late[1].Record[:], Counter: f.carl.Worker[:], Zone: proto.String("大院"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(20)}))

	f.announce()
	f.afterTheEnd()
	f.anna.Pull()
	f.blocks(map[string]int{"unheard": 2, "open_case": 3, "conflict": 1, "consent": 3, "unreviewed": 4, "backup": 1})
	_, err := f.service.Close(t.Context(), f.coordinator())
	f.refused(err, problem.NotReady)
	if f.service.State() != closing {
		t.Fatalf("refused, and it is %v", f.service.State())
	}
	f.backUp()
	f.waiveAll("已电话核对")
	f.blocks(nil)
	first, err := f.service.Close(t.Context(), f.coordinator())
	f.must(err)
	if f.service.State() != closed || first.Edition != 1 || len(first.Waivers) != 10 || first.Waivers[0].Reason != "已电话核对" || first.Issued.Name != "coordinator" || first.Previous != nil {
		t.Errorf("%v, %+v", f.service.State(), first.Certificate)
	}
	if got := total(first, "cases"); got != 3 {
		t.Errorf("%d cases in the certificate", got)
	}

	f.SetWall(time.Date(2022, 1, 7, 4, 0, 0, 0, time.UTC))
	f.carl.Push(late...)
	addenda, err := f.service.Addenda(t.Context())
	f.must(err)
	if len(addenda) != 1 || len(addenda[0].Changes) != 7 || addenda[0].Worker.Name != "carl" {
		t.Fatalf("addenda %+v", addenda)
	}
	_, err = f.service.Issue(t.Context(), f.coordinator())
	f.refused(err, problem.Unchanged)
	var changes []hlc.ID
	for _, c := range addenda[0].Changes {
		changes = append(changes, c.Change)
	}
	gain, err := f.service.Gain(t.Context(), addenda, changes)
	f.must(err)
	left, err := f.service.Decide(t.Context(), f.coordinator(), true, "平板迟到", changes)
	if f.must(err); len(left) > 0 {
		t.Errorf("not accepted: %v", left)
	}
	second, err := f.service.Issue(t.Context(), f.coordinator())
	f.must(err)
	if second.Edition != 2 || second.Previous.SHA256 != certificate.Hash(first.File) || len(second.Addenda) != 1 || second.Addenda[0].Accepted != 7 || !slices.Equal(second.Addenda[0].Reasons, []string{"平板迟到"}) {
		t.Errorf("%+v", second.Certificate)
	}
	whole := map[string]int64{}
	for _, d := range second.Differences {
		if d.Key == "" && d.Basis == "reported" {
			whole[d.Figure] = d.After - d.Before
		}
	}
	for figure, want := range map[string]int64{"cases": 1, "community_activities": 3, "contacts": 20, "persons": 21} {
		if whole[figure] != want {
			t.Errorf("the second edition differs by %d %s, want %d", whole[figure], figure, want)
		}
	}
	if told := byName(gain); !maps.Equal(told, whole) {
		t.Errorf("it was told to gain %v, and gains %v", told, whole)
	}
	if again, _, err := certificate.Open(first.File); err != nil || again.Edition != 1 {
		t.Errorf("edition 1 afterwards: %v", err)
	}
	editions, err := f.service.Editions(t.Context())
	f.must(err)
	if len(editions) != 2 || !bytes.Equal(editions[0].File, first.File) || !bytes.Equal(editions[1].File, second.File) || !editions[1].Key.Equal(f.Keys.PublicKey()) {
		t.Errorf("%d editions are kept", len(editions))
	}
}

func byName(gain map[tally.Figure]int64) map[string]int64 {
	named := map[string]int64{}
	for f, n := range gain {
		named[f.String()] = n
	}
	return named
}

// total is a figure of the whole as reported.
func total(e *closeout.Edition, figure string) int64 {
	for _, t := range e.Totals {
		if t.Basis == "reported" && t.Figure == figure && t.Key == "" {
			return t.Value
		}
	}
	return 0
}

// What is declined stays out with its reason, and the next edition says so.
func TestWhatIsDeclinedStaysOut(t *testing.T) {
	f := open(t)
	late := f.anna.Make(session(1))
	f.announce()
	f.afterTheEnd()
	f.waiveAll("没有信号")
	first, err := f.service.Close(t.Context(), f.coordinator())
	f.must(err)
	f.anna.Push(late)
	_, err = f.service.Decide(t.Context(), f.coordinator(), false, " ", []hlc.ID{late.ID})
	f.refused(err, problem.InvalidArgument)
	_, err = f.service.Decide(t.Context(), f.coordinator(), false, "与另一条重复", []hlc.ID{late.ID})
	f.must(err)
	second, err := f.service.Issue(t.Context(), f.coordinator())
	f.must(err)
	if len(second.Differences) > 0 || len(second.Addenda) != 1 || second.Addenda[0].Declined != 1 || second.Addenda[0].Reasons[0] != "与另一条重复" || len(second.Totals) != len(first.Totals) {
		t.Errorf("%+v", second.Certificate)
	}
}

// Opened again, the addendum comes in by itself, and closing again is the next edition.
func TestReopened(t *testing.T) {
	f := open(t)
	f.refused(f.service.Reopen(t.Context(), f.coordinator()), problem.WrongState)
	late := f.anna.Make(session(1))
	f.announce()
	f.afterTheEnd()
	f.waiveAll("没有信号")
	_, err := f.service.Close(t.Context(), f.coordinator())
	f.must(err)
	f.anna.Push(late)
	f.must(f.service.Reopen(t.Context(), f.coordinator()))
	if addenda, err := f.service.Addenda(t.Context()); err != nil || len(addenda) > 0 || f.service.State() != closing {
		t.Errorf("%v: %v, %v", f.service.State(), addenda, err)
	}
	f.backUp()
	f.blocks(map[string]int{"unreviewed": 1})
	f.waiveAll("督导已离队")
	second, err := f.service.Close(t.Context(), f.coordinator())
	f.must(err)
	if second.Edition != 2 || total(second, "community_activities") != 1 || len(second.Differences) == 0 {
		t.Errorf("%+v", second.Certificate)
	}
}

// Steps are taken by coordinators alone, in their order.
func TestStepsInTheirOrder(t *testing.T) {
	f := open(t)
	ctx := t.Context()
	_, err := f.service.Close(ctx, f.coordinator())
	f.refused(err, problem.WrongState)
	_, err = f.service.Issue(ctx, f.coordinator())
	f.refused(err, problem.WrongState)
	_, err = f.service.Decide(ctx, f.coordinator(), true, "", nil)
	f.refused(err, problem.WrongState)
	f.refused(f.service.Archived(ctx, f.coordinator()), problem.WrongState)
	for _, worker := range []string{"anna", "lead", "super"} {
		f.refused(f.service.Announce(ctx, f.by(worker), 20211206, 0), problem.NotAllowed)
		f.refused(f.service.Waive(ctx, f.by(worker), recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKUP, hlc.ID{}, "x"), problem.NotAllowed)
	}
	f.refused(f.service.Announce(ctx, casefile.Reader{May: func(access.Action) bool { return true }}, 20211206, 0), problem.NotFound)
	for _, days := range [][2]record.Date{{0, 0}, {20210901, 0}, {20211332, 0}, {20211206, 20211206}} {
		f.refused(f.service.Announce(ctx, f.coordinator(), days[0], days[1]), problem.InvalidArgument)
	}
	if f.service.State() != active {
		t.Fatalf("it is %v", f.service.State())
	}
	f.announce()
	f.refused(f.service.Waive(ctx, f.coordinator(), recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKUP, hlc.ID{}, "  "), problem.InvalidArgument)
	f.refused(f.service.Waive(ctx, f.coordinator(), recordv1.CloseOutCheck_CLOSE_OUT_CHECK_CONFLICT, hlc.ID{}, "x"), problem.InvalidArgument)
	f.refused(f.service.Waive(ctx, f.coordinator(), recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNHEARD, hlc.ID{9}, "x"), problem.InvalidArgument)
	f.refused(f.service.Waive(ctx, f.coordinator(), recordv1.CloseOutCheck_CLOSE_OUT_CHECK_RECOUNT, hlc.ID{}, "x"), problem.NotAllowed)
	f.afterTheEnd()
	f.waiveAll("没有信号")
	_, err = f.service.Close(ctx, f.coordinator())
	f.must(err)
	f.refused(f.service.Announce(ctx, f.coordinator(), 20211207, 0), problem.WrongState)
	f.refused(f.service.Waive(ctx, f.coordinator(), recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKUP, hlc.ID{}, "x"), problem.WrongState)
	f.must(f.service.EraseFrom(ctx, f.coordinator(), 20230101))
	if _, err := f.Service.EraseAll(ctx); err != nil {
		t.Fatal(err)
	}
	f.refused(f.service.Reopen(ctx, f.coordinator()), problem.WrongState) // what was erased does not come back
	f.must(f.service.Archived(ctx, f.coordinator()))
	if f.service.State() != archived {
		t.Errorf("it is %v", f.service.State())
	}
	f.refused(f.service.Reopen(ctx, f.coordinator()), problem.WrongState)
	f.refused(f.service.EraseFrom(ctx, f.coordinator(), 20230102), problem.WrongState)
}

// A waiver of all holds for as many as there were, and can be taken back.
func TestAWaiverIsForWhatThereWas(t *testing.T) {
	f := open(t)
	f.anna.Push(f.anna.Make(session(1)), f.anna.Make(session(50)))
	f.announce()
	unreviewed := recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNREVIEWED
	f.must(f.service.Waive(t.Context(), f.coordinator(), unreviewed, hlc.ID{}, "督导已离队"))
	if f.open()["unreviewed"] != 0 {
		t.Error("it blocks although it was waived")
	}
	f.anna.Push(f.anna.Make(session(99)))
	if f.open()["unreviewed"] != 3 {
		t.Error("it does not block although there is one more")
	}
	f.must(f.service.Waive(t.Context(), f.coordinator(), unreviewed, hlc.ID{}, "督导已离队"))
	waivers, err := f.service.Waivers(t.Context())
	f.must(err)
	for _, w := range waivers {
		f.must(f.service.TakeBack(t.Context(), f.coordinator(), w.ID))
	}
	if f.open()["unreviewed"] != 3 {
		t.Error("it does not block although what waived it was taken back")
	}
	f.refused(f.service.TakeBack(t.Context(), f.coordinator(), hlc.ID{9}), problem.NotFound)
}

// Each check finds what it is for, and whom to call.
func TestChecks(t *testing.T) {
	f := open(t)
	f.SetWall(time.Date(2021, 10, 2, 4, 0, 0, 0, time.UTC))
	if err := f.Service.ChangeSetUp(t.Context(), f.Workers["coordinator"], syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: f.Workers["anna"], Message: &recordv1.Worker{Phone: proto.String("139 0000 0001")}}}); err != nil {
		t.Fatal(err)
	}
	handed, waits, declined := f.opened(f.anna, "handed over"), f.opened(f.anna, "waits for a receipt"), f.opened(f.anna, "declined")
	referral := func(of *record.Change, p recordv1.ReferralProgress) *record.Change {
		return f.anna.Make(&recordv1.Referral{Case: of.Record[:], ToOrganisation: proto.String("浚县社会工作站"), Progress: p.Enum()})
	}
	f.anna.Push(handed, waits, declined,
		referral(handed, recordv1.ReferralProgress_REFERRAL_PROGRESS_ACCEPTED), referral(waits, recordv1.ReferralProgress_REFERRAL_PROGRESS_SENT), referral(declined, recordv1.ReferralProgress_REFERRAL_PROGRESS_DECLINED),
		f.anna.Make(&recordv1.Consent{Subject: handed.Record[:], Scopes: []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_SERVICE}}),
		f.anna.Make(&recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), SeenAt: proto.Int64(f.Wall().UnixMilli()), Done: proto.String("已报警")}))
	request := f.ben.Request(f.ben.Batch(f.ben.Make(session(1)), f.ben.Edit(hlc.ID{7}, session(2))))
	request.Unsent = 5
	if _, err := f.ben.Sync(request); err != nil {
		t.Fatal(err)
	}
	f.blocks(map[string]int{"backlog": 1, "unheard": 1, "open_case": 1, "open_alert": 1, "held": 1, "unreviewed": 4, "consent": 2, "referral": 1, "backup": 1})
	list, err := f.service.Checklist(t.Context())
	f.must(err)
	for _, c := range list.Checks {
		if c.Check == recordv1.CloseOutCheck_CLOSE_OUT_CHECK_OPEN_CASE && (c.Items[0].Name != "declined" || c.Items[0].Worker.Name != "anna" || c.Items[0].Phone != "139 0000 0001") {
			t.Errorf("%+v", c.Items)
		}
		if c.Check == recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKLOG && (c.Items[0].Count != 5 || c.Items[0].Worker.Name != "ben") {
			t.Errorf("%+v", c.Items)
		}
	}
}
