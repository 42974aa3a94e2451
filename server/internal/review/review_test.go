package review_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/server/internal/review"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// office is a deployment with an activity of team one, which anna logged with a headcount of 20 first-timers.
type office struct {
	*servertest.Deployment
	t              *testing.T
	service        *review.Service
	log            *audit.Log
	anna, ben      *servertest.Device
	activity, head hlc.ID
}

func open(t *testing.T) *office {
	d := servertest.New(t)
	o := &office{Deployment: d, t: t, log: audit.New(d.DB, d.Wall), anna: d.Enrol("anna"), ben: d.Enrol("ben")}
	o.service = review.New(review.Config{Syncing: d.Service, Store: d.DB.Deployment(d.ID), Audit: o.log, Wall: d.Wall})
	activity := o.anna.Make(film())
	head := o.anna.Make(&recordv1.Headcount{Activity: activity.Record[:], Counter: o.anna.Worker[:], Zone: proto.String("大院"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(20)})
	o.anna.Push(activity, head)
	o.anna.Pull()
	o.ben.Pull()
	o.activity, o.head = activity.Record, head.Record
	return o
}

func film() *recordv1.CommunityActivity {
	return &recordv1.CommunityActivity{Name: proto.String("电影放映"), Minutes: proto.Uint32(90), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum()}
}

func (o *office) by(worker string) casefile.Reader {
	id := o.Workers[worker]
	return casefile.Reader{Person: o.Service.Person(id), Actor: audit.Actor{Worker: id}, May: func(access.Action) bool { return true }}
}

func (o *office) stands(id hlc.ID) syncing.Record {
	o.t.Helper()
	var found []syncing.Record
	if err := o.DB.Deployment(o.ID).Read(o.t.Context(), func(tx syncing.Reading) (err error) {
		found, err = tx.Records([]hlc.ID{id})
		return err
	}); err != nil {
		o.t.Fatal(err)
	}
	if len(found) == 0 {
		return syncing.Record{}
	}
	return found[0]
}

// seen is a record as it stands.
func (o *office) seen(id hlc.ID) review.Seen {
	return review.Seen{ID: id, Position: o.stands(id).Position}
}

// figure is how much of a figure is reported, and verified; it checks that a recount says the same.
func (o *office) figure(f tally.Figure) string {
	o.t.Helper()
	counted, err := progress.Recount(o.t.Context(), o.DB.Deployment(o.ID), o.ID)
	if err != nil || !counted.Equal() {
		o.t.Fatalf("recount: %v, %+v", err, counted)
	}
	of := map[string]int64{}
	for _, row := range counted.Totals {
		if row.Figure == f.String() && row.Dimension == tally.Whole.String() {
			of[row.Basis] = row.Value
		}
	}
	return fmt.Sprintf("%d/%d", of[tally.Reported.String()], of[tally.Verified.String()])
}

func (o *office) audited() string {
	o.t.Helper()
	entries, _, err := o.log.Page(o.t.Context(), o.ID, 0, 200)
	if err != nil {
		o.t.Fatal(err)
	}
	var all []string
	for _, e := range slices.Backward(entries) {
		all = append(all, string(e.Action))
	}
	return strings.Join(all, " ")
}

func (o *office) check(what string, err error, want problem.Code) {
	o.t.Helper()
	if (err == nil) != (want == "") || (err != nil && problem.CodeOf(err) != want) {
		o.t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// A returned record reaches who logged it, with the comment; mended and approved it is verified. What is reported never falls.
func TestReturnMendApprove(t *testing.T) {
	o := open(t)
	ctx, super := t.Context(), o.by("super")
	activity := o.seen(o.activity)
	o.check("a return without a word", o.service.Return(ctx, super, activity, nil, ""), problem.InvalidArgument)
	o.check("a return", o.service.Return(ctx, super, activity, []recordv1.ReviewReason{recordv1.ReviewReason_REVIEW_REASON_DATE}, "是哪一天？"), "")
	o.check("an approval of the headcount", o.service.Approve(ctx, super, o.seen(o.head)), "")
	if got := o.figure(tally.Contacts); got != "20/0" {
		t.Errorf("contacts %s", got)
	}
	o.anna.Pull()
	returned := 0
	for id, p := range o.anna.Pulled {
		var m recordv1.Review
		if record.Kind(p.GetKind()) == recordv1.Kind_KIND_REVIEW && proto.Unmarshal(o.anna.Seen[id].Fields(), &m) == nil && m.GetComment() == "是哪一天？" {
			returned++
			if hlc.ID(m.GetAuthor()) != o.Workers["super"] || hlc.ID(m.GetTarget()) != o.activity || m.GetOccurredOn() != 20211001 {
				t.Errorf("the review is %v", &m)
			}
		}
	}
	if returned != 1 {
		t.Errorf("%d reviews with the comment reached the tablet", returned)
	}
	o.anna.Push(o.anna.Edit(o.activity, &recordv1.CommunityActivity{OccurredOn: proto.Int32(20210930)}))
	o.check("an approval of what was shown before", o.service.Approve(ctx, super, activity), problem.ChangedMeanwhile)
	o.check("an approval", o.service.Approve(ctx, super, o.seen(o.activity)), "")
	if got := o.figure(tally.Contacts); got != "20/20" {
		t.Errorf("contacts %s", got)
	}
	o.check("by a field worker", o.service.Approve(ctx, o.by("ben"), o.seen(o.head)), problem.NotAllowed)
	o.check("by somebody of another team", o.service.Approve(ctx, o.by("carl"), o.seen(o.head)), problem.NotFound)
	o.check("of nothing", o.service.Approve(ctx, super, review.Seen{ID: o.NewID(), Position: 1}), problem.NotFound)
	if got, want := o.audited(), "record_reviewed record_reviewed record_reviewed"; got != want {
		t.Errorf("audited %q", got)
	}
}

// Many are approved at once: what changed meanwhile, or is not for the reviewer, keeps none of the others from it. The preview said what it
// would verify.
func TestApproveMany(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	mine := o.anna.Make(film())
	o.anna.Push(mine)
	changed, nothing := o.seen(mine.Record), o.NewID()
	preview, err := o.service.Preview(ctx, o.by("super"), []hlc.ID{o.activity, o.head, mine.Record, nothing})
	if err != nil || !slices.Equal(preview.Missing, []hlc.ID{nothing}) {
		t.Errorf("preview %+v, %v", preview, err)
	}
	if got := fmt.Sprint(preview.Figures[tally.CommunityActivities], preview.Figures[tally.Contacts], preview.Figures[tally.CaseSessions]); got != "2 20 0" {
		t.Errorf("preview %s", got)
	}
	o.anna.Seen[mine.Record] = mine.Registers()
	o.anna.Push(o.anna.Edit(mine.Record, &recordv1.CommunityActivity{OccurredOn: proto.Int32(20210930)}))
	outcomes, err := o.service.ApproveMany(ctx, o.by("super"), []review.Seen{o.seen(o.activity), changed, {ID: o.NewID()}, o.seen(o.head)})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []problem.Code{"", problem.ChangedMeanwhile, problem.NotFound, ""} {
		o.check(fmt.Sprint("item ", i), outcomes[i], want)
	}
	if got := o.figure(tally.CommunityActivities); got != "2/1" {
		t.Errorf("activities %s", got)
	}
	if got := o.figure(tally.Contacts); got != "20/20" {
		t.Errorf("contacts %s", got)
	}
	_, err = o.service.ApproveMany(ctx, o.by("super"), make([]review.Seen, review.MaxMany+1))
	o.check("too many", err, problem.InvalidArgument)
}

// clash makes a conflict about the minutes of the activity: anna says one number, and then ben another.
func (o *office) clash(hers, bens uint32) *review.Conflict {
	o.t.Helper()
	mine, his := o.anna.Edit(o.activity, &recordv1.CommunityActivity{Minutes: proto.Uint32(hers)}), o.ben.Edit(o.activity, &recordv1.CommunityActivity{Minutes: proto.Uint32(bens)})
	o.anna.Push(mine)
	o.ben.Push(his)
	return o.conflict()
}

// conflict is the only one that there is.
func (o *office) conflict() *review.Conflict {
	o.t.Helper()
	o.ben.Pull()
	for id, p := range o.ben.Pulled {
		if record.Kind(p.GetKind()) == recordv1.Kind_KIND_CONFLICT {
			c, err := o.service.Conflict(o.t.Context(), o.by("super"), id)
			if err != nil {
				o.t.Fatal(err)
			}
			return c
		}
	}
	o.t.Fatal("no conflict")
	return nil
}

func minutes(v review.Value) uint32 { return v.Common.(*recordv1.CommunityActivity).GetMinutes() }

// A conflict is read with both values, who set them, and what each had seen; then one is kept, or another written.
func TestAConflictIsReadAndSettled(t *testing.T) {
	o := open(t)
	c := o.clash(60, 45)
	if c.Kind != recordv1.Kind_KIND_COMMUNITY_ACTIVITY || c.Of.Name() != "minutes" || !c.Writable() || c.Deletion() || c.Settled || len(c.Sides) != 2 || c.Target.ID != o.activity {
		t.Fatalf("the conflict is %+v", c)
	}
	var values []string
	kept := 0
	for i, side := range c.Sides {
		if side.Before == nil {
			t.Fatalf("what was seen before %d is not known", minutes(side.Value))
		}
		values = append(values, fmt.Sprintf("%d by %s after %d", minutes(side.Value), o.Service.SetUp().Workers[side.Author].GetName(), minutes(*side.Before)))
		if side.Stands != (minutes(side.Value) == minutes(c.Standing)) {
			t.Errorf("%d stands: %v", minutes(side.Value), side.Stands)
		}
		if minutes(side.Value) == 60 {
			kept = i + 1
		}
	}
	slices.Sort(values)
	if want := []string{"45 by ben after 90", "60 by anna after 90"}; !slices.Equal(values, want) {
		t.Errorf("sides %q, want %q", values, want)
	}
	settle := func(by string, s review.Settlement) error {
		s.Conflict, s.Target = c.Seen, c.Target
		return o.service.Settle(t.Context(), o.by(by), s)
	}
	o.check("by a field worker", settle("ben", review.Settlement{Side: kept}), problem.NotAllowed)
	o.check("another team", settle("carl", review.Settlement{Side: kept}), problem.NotFound)
	o.check("no such side", settle("super", review.Settlement{Side: 3}), problem.InvalidArgument)
	o.check("a value of another kind", settle("super", review.Settlement{Value: review.Value{Common: &recordv1.Case{}}}), problem.InvalidArgument)
	o.check("anna's", settle("super", review.Settlement{Side: kept}), "")
	o.check("again", settle("super", review.Settlement{Side: kept}), "")
	o.check("otherwise, by who saw it open", settle("lead", review.Settlement{Value: review.Value{Common: &recordv1.CommunityActivity{Minutes: proto.Uint32(50)}}}), problem.ChangedMeanwhile)
	for _, v := range []*servertest.Device{o.anna, o.ben} {
		v.Pull()
		if m, s := minutesOf(t, v.Seen[o.activity]), v.Seen[c.ID].Get(20).Number(); m != 60 || s != 1 {
			t.Errorf("a tablet sees %d minutes, settled %d", m, s)
		}
	}
	// A value that nobody had, and what stands.
	c = o.clash(61, 46)
	o.check("a third value", settle("super", review.Settlement{Value: review.Value{Common: &recordv1.CommunityActivity{Minutes: proto.Uint32(50)}}}), "")
	o.ben.Pull()
	o.anna.Pull()
	if m := minutesOf(t, o.ben.Seen[o.activity]); m != 50 {
		t.Errorf("%d minutes after a third value", m)
	}
	c = o.clash(62, 47)
	before := minutes(c.Standing)
	o.check("what stands", settle("super", review.Settlement{}), "")
	o.anna.Pull()
	if m := minutesOf(t, o.anna.Seen[o.activity]); m != before || o.anna.Seen[c.ID].Get(20).Number() != 1 {
		t.Errorf("%d minutes, which were %d", m, before)
	}
}

func minutesOf(t *testing.T, rs record.Registers) uint32 {
	t.Helper()
	var m recordv1.CommunityActivity
	if err := proto.Unmarshal(rs.Fields(), &m); err != nil {
		t.Fatal(err)
	}
	return m.GetMinutes()
}

// Of a record that was deleted here and edited there, people say whether it is.
func TestADeletionIsSettled(t *testing.T) {
	for _, restored := range []bool{true, false} {
		o := open(t)
		remove := o.ben.Edit(o.activity, &recordv1.CommunityActivity{Deleted: proto.Bool(true)})
		o.anna.Push(o.anna.Edit(o.activity, &recordv1.CommunityActivity{Minutes: proto.Uint32(60)}))
		o.ben.Push(remove)
		c := o.conflict()
		if !c.Deletion() || c.Writable() || len(c.Sides) != 2 {
			t.Fatalf("the conflict is %+v", c)
		}
		side := 1 + slices.IndexFunc(c.Sides, func(s review.Side) bool { return s.Stands != restored })
		o.check("settled", o.service.Settle(t.Context(), o.by("super"), review.Settlement{Conflict: c.Seen, Target: c.Target, Side: side}), "")
		registers, err := record.DecodeState(o.stands(o.activity).State)
		if err != nil || registers.Deleted() == restored {
			t.Errorf("restored %v: deleted %v, %v", restored, registers.Deleted(), err)
		}
	}
}

// Two records of one thing count once when they are joined, and twice when that is taken back; that two are different is said once.
func TestDuplicates(t *testing.T) {
	o := open(t)
	ctx, super := t.Context(), o.by("super")
	twin, third := o.ben.Make(film()), o.ben.Make(film())
	o.ben.Push(twin, third)
	o.check("joined", o.service.Join(ctx, super, o.activity, o.seen(twin.Record)), "")
	o.check("again", o.service.Join(ctx, super, o.activity, o.seen(twin.Record)), "")
	o.check("the other way round", o.service.Join(ctx, super, twin.Record, o.seen(o.activity)), problem.InvalidArgument)
	o.check("with itself", o.service.Join(ctx, super, twin.Record, o.seen(twin.Record)), problem.InvalidArgument)
	o.check("another kind", o.service.Join(ctx, super, o.activity, o.seen(o.head)), problem.InvalidArgument)
	o.check("a third, with one that counts no more", o.service.Join(ctx, super, twin.Record, o.seen(third.Record)), "")
	if same := o.stands(third.Record).DuplicateOf; same != o.activity {
		t.Errorf("the third is the same as %v", same)
	}
	if got := o.figure(tally.CommunityActivities); got != "1/0" {
		t.Errorf("activities %s", got)
	}
	o.check("taken back", o.service.Unjoin(ctx, super, o.seen(third.Record)), "")
	o.check("again", o.service.Unjoin(ctx, super, o.seen(third.Record)), "")
	if got := o.figure(tally.CommunityActivities); got != "2/0" {
		t.Errorf("activities %s", got)
	}
	o.check("apart", o.service.Apart(ctx, super, third.Record, o.activity, "上午、下午各一场"), "")
	o.check("by another, the other way round", o.service.Apart(ctx, o.by("lead"), o.activity, third.Record, ""), "")
	o.check("by a field worker", o.service.Apart(ctx, o.by("ben"), o.activity, third.Record, ""), problem.NotAllowed)
	o.check("from itself", o.service.Apart(ctx, super, o.activity, o.activity, ""), problem.InvalidArgument)
	said := 0
	o.ben.Pull()
	for id, p := range o.ben.Pulled {
		var m recordv1.Distinction
		if record.Kind(p.GetKind()) == recordv1.Kind_KIND_DISTINCTION && proto.Unmarshal(o.ben.Seen[id].Fields(), &m) == nil {
			said++
			if hlc.ID(m.GetRecord()) != o.activity || hlc.ID(m.GetOther()) != third.Record || m.GetReason() == "" {
				t.Errorf("said %v", &m)
			}
		}
	}
	if said != 1 {
		t.Errorf("said %d times", said)
	}
	if got, want := o.audited(), "records_joined records_joined records_separated records_told_apart records_told_apart"; got != want {
		t.Errorf("audited %q", got)
	}
}

// A held change is shown with why and what it would do, and decided on.
func TestHeldChangesAreShownAndDecidedOn(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	carl := o.Enrol("carl")
	carl.Seen[o.activity] = o.ben.Seen[o.activity]
	carl.Clock.Observe(carl.Seen[o.activity].Newest())
	his := carl.Edit(o.activity, &recordv1.CommunityActivity{Minutes: proto.Uint32(30)}, 24)
	carl.Push(his)
	_, err := o.service.Held(ctx, o.by("super"), his.ID) // carl is not of a team of hers
	o.check("another team's", err, problem.NotFound)
	h, err := o.service.Held(ctx, o.by("coordinator"), his.ID)
	if err != nil {
		t.Fatal(err)
	}
	if h.Code != record.CodeNotYourTeam || h.Makes || h.Record != o.activity || h.Worker != carl.Worker || h.Tablet != "carl" || h.Made.IsZero() ||
		h.Message.(*recordv1.CommunityActivity).GetMinutes() != 30 || h.Standing.(*recordv1.CommunityActivity).GetMinutes() != 90 {
		t.Errorf("held: %+v", h)
	}
	o.check("released by another team", o.service.Decide(ctx, o.by("super"), his.ID, recordv1.Decision_DECISION_RELEASE, "x"), problem.NotFound)
	o.check("released", o.service.Decide(ctx, o.by("coordinator"), his.ID, recordv1.Decision_DECISION_RELEASE, "帮忙代填"), "")
	o.check("again", o.service.Decide(ctx, o.by("coordinator"), his.ID, recordv1.Decision_DECISION_RELEASE, ""), problem.NotFound)
	if got, want := o.audited(), "record_read held_released"; got != want {
		t.Errorf("audited %q", got)
	}
}

// An alert is acknowledged once, by who may see it and leads; its tablet then knows.
func TestAnAlertIsAcknowledgedOnce(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	alert := o.anna.Make(&recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), SeenAt: proto.Int64(o.Wall().UnixMilli()), Done: proto.String("已报警")})
	o.anna.Push(alert)
	o.check("by who wrote it, and leads nobody", o.service.Acknowledge(ctx, o.by("anna"), alert.Record), problem.NotAllowed)
	o.check("by a team lead who does not work on it", o.service.Acknowledge(ctx, o.by("lead"), alert.Record), problem.NotFound)
	o.check("of no alert", o.service.Acknowledge(ctx, o.by("super"), o.activity), problem.NotFound)
	o.check("closed before anybody acknowledged it", o.service.CloseAlert(ctx, o.by("super"), o.seen(alert.Record), 20211001), problem.InvalidArgument)
	o.check("acknowledged", o.service.Acknowledge(ctx, o.by("super"), alert.Record), "")
	o.check("again", o.service.Acknowledge(ctx, o.by("coordinator"), alert.Record), "")
	o.check("closed on a day to come", o.service.CloseAlert(ctx, o.by("super"), o.seen(alert.Record), 20211002), problem.InvalidArgument)
	o.check("closed", o.service.CloseAlert(ctx, o.by("super"), o.seen(alert.Record), 20211001), "")
	o.anna.Pull()
	var m recordv1.RiskAlert
	if err := proto.Unmarshal(o.anna.Seen[alert.Record].Fields(), &m); err != nil || hlc.ID(m.GetAcknowledgedBy()) != o.Workers["super"] || m.GetAcknowledgedAt() != o.Wall().UnixMilli() || m.GetClosedOn() != 20211001 {
		t.Errorf("the tablet has %v, %v", &m, err)
	}
	if got, want := o.audited(), "alert_acknowledged alert_closed"; got != want {
		t.Errorf("audited %q", got)
	}
}

// A supervision session is written with its advice, and edited; what was advised can be emptied.
func TestSupervisionIsWritten(t *testing.T) {
	o := open(t)
	ctx, super := t.Context(), o.by("super")
	id := o.NewID()
	made := func(minutes uint32, advice hlc.ID) review.Session {
		return review.Session{Supervision: review.Seen{ID: id}, Note: review.Seen{ID: advice}, Message: &recordv1.Supervision{Minutes: &minutes, Tasks: proto.String("补写计划")}, Advice: "先稳定情绪"}
	}
	first := o.NewID()
	o.check("written", o.service.WriteSession(ctx, super, made(60, first)), "")
	o.check("sent again", o.service.WriteSession(ctx, super, made(60, first)), "")
	o.check("sent again with another number", o.service.WriteSession(ctx, super, made(45, first)), problem.ChangedMeanwhile)
	o.check("by a field worker", o.service.WriteSession(ctx, o.by("ben"), review.Session{Supervision: review.Seen{ID: o.NewID()}, Message: &recordv1.Supervision{Minutes: proto.Uint32(60)}}), problem.NotAllowed)
	var note hlc.ID
	if err := o.DB.Deployment(o.ID).Read(ctx, func(tx syncing.Reading) error {
		all, err := tx.OfKind(recordv1.Kind_KIND_SUPERVISION_NOTE)
		if len(all) != 1 {
			t.Errorf("%d notes", len(all))
		}
		for _, r := range all {
			note = r.ID
			if r.Root != id || r.Audience != o.Teams[0] {
				t.Errorf("the note stands at %+v", r)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	shown := o.seen(id)
	o.check("edited", o.service.WriteSession(ctx, super, review.Session{Supervision: shown, Note: o.seen(note), Message: &recordv1.Supervision{Minutes: proto.Uint32(90)}}), "")
	registers, err := record.DecodeState(o.stands(note).State)
	if err != nil || len(registers.Get(17).Value) > 0 {
		t.Errorf("the advice is %q, %v", registers.Get(17).Value, err)
	}
	o.check("by who had not seen that", o.service.WriteSession(ctx, super, review.Session{Supervision: shown, Message: &recordv1.Supervision{Minutes: proto.Uint32(30)}}), problem.ChangedMeanwhile)
}

// A plan is changed as it was shown, by who plans for its team, and cancelled once.
func TestPlansAreChanged(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	m := film()
	m.Team, m.OccurredOn, m.Status = o.Teams[0][:], proto.Int32(20211005), nil
	id, err := o.service.Plan(ctx, o.by("super"), m)
	o.check("planned", err, "")
	shown := o.seen(id)
	later := &recordv1.CommunityActivity{OccurredOn: proto.Int32(20211006)}
	o.Pass(time.Second)
	o.check("by a field worker", o.service.Replan(ctx, o.by("anna"), shown, later, nil), problem.NotAllowed)
	o.check("what is no plan", o.service.Replan(ctx, o.by("super"), o.seen(o.activity), later, nil), problem.NotFound)
	o.check("put off", o.service.Replan(ctx, o.by("super"), shown, later, nil), "")
	o.Pass(time.Second)
	o.check("put off again, as it was before", o.service.Replan(ctx, o.by("super"), shown, &recordv1.CommunityActivity{OccurredOn: proto.Int32(20211007)}, nil), problem.ChangedMeanwhile)
	o.check("cancelled", o.service.CancelPlanned(ctx, o.by("coordinator"), o.seen(id)), "")
	o.check("cancelled again", o.service.CancelPlanned(ctx, o.by("coordinator"), o.seen(id)), problem.NotFound)
	if got, want := o.audited(), "record_made record_changed record_changed"; got != want {
		t.Errorf("audited %q", got)
	}
}

// What is planned for a team reaches its tablets, and what is planned for all reaches everybody's: that is for coordinators.
func TestPlansReachTablets(t *testing.T) {
	o := open(t)
	ctx, carl := t.Context(), o.Enrol("carl")
	plan := func(by string, m record.Common) (hlc.ID, error) { return o.service.Plan(ctx, o.by(by), m) }
	teams := film()
	teams.Team, teams.OccurredOn, teams.Status = o.Teams[0][:], proto.Int32(20211005), nil
	one, err := plan("super", teams)
	o.check("for a team", err, "")
	all := film()
	all.Status = nil
	everyones, err := plan("coordinator", all)
	o.check("for all", err, "")
	_, err = plan("super", proto.CloneOf(all))
	o.check("for all, by a supervisor", err, problem.NotAllowed)
	_, err = plan("carl", proto.CloneOf(teams))
	o.check("by a field worker", err, problem.NotFound)
	_, err = plan("coordinator", &recordv1.Case{})
	o.check("a case", err, problem.InvalidArgument)
	carl.Pull()
	o.ben.Pull()
	if carl.Seen[one] != nil || carl.Seen[everyones] == nil || o.ben.Seen[one] == nil || o.ben.Seen[everyones] == nil {
		t.Error("plans reach the wrong tablets")
	}
	if status := recordv1.Status(o.ben.Seen[one].Get(6).Number()); status != recordv1.Status_STATUS_PLANNED {
		t.Errorf("planned as %v", status)
	}
}
