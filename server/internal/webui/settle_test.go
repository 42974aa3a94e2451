package webui_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/httpapi"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

// office is a deployment in which the visitor supervises a team that has logged two activities.
type office struct {
	*site
	deployment *httpapi.Deployment
	worker     hlc.ID
	device     syncing.Device
	first      hlc.ID
	second     hlc.ID
}

func newOffice(t *testing.T) (*office, *webtest.Browser) {
	s := newSite(t)
	b, params := s.visitor("supervisor")
	o := &office{site: s, deployment: s.all.All()[0], worker: parseID(t, params["worker"])}
	var err error
	if o.device, err = o.deployment.Syncing.Device(t.Context(), parseID(t, params["device"])); err != nil {
		t.Fatal(err)
	}
	o.first, o.second = o.log("放映电影"), o.log("看电影")
	return o, b
}

func parseID(t *testing.T, text string) hlc.ID {
	t.Helper()
	id, err := uuid.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (o *office) newID() hlc.ID {
	o.t.Helper()
	id, err := o.deployment.Syncing.NewID()
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}

// log makes an activity of the worker's team.
func (o *office) log(name string) hlc.ID {
	o.t.Helper()
	id := o.newID()
	team := o.deployment.Syncing.Person(o.worker).Team
	if err := o.deployment.Syncing.Act(o.t.Context(), o.worker, syncing.Deed{ID: id, Message: &recordv1.CommunityActivity{Team: team[:], Author: o.worker[:], OccurredOn: proto.Int32(20260301), Name: &name,
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum(), Status: recordv1.Status_STATUS_HELD.Enum(), Minutes: proto.Uint32(90), RegisterUsed: proto.Bool(false)}}); err != nil {
		o.t.Fatal(err)
	}
	return id
}

// conflict makes one about the minutes of the first activity.
func (o *office) conflict(minutes ...uint64) {
	o.t.Helper()
	const field = 18
	m := &recordv1.Conflict{Target: o.first[:], TargetKind: recordv1.Kind_KIND_COMMUNITY_ACTIVITY.Enum(), Field: proto.Uint32(field), Settled: proto.Bool(false)}
	for i, n := range minutes {
		m.Sides = append(m.Sides, &recordv1.ConflictSide{Value: protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), n), Time: proto.Uint64(uint64(hlc.TimeOf(o.Wall())) + uint64(i)), Replica: proto.Uint64(1), Author: o.worker[:]})
	}
	if err := o.deployment.Syncing.Add(o.t.Context(), []syncing.SetUpRecord{{ID: o.newID(), Message: m}}); err != nil {
		o.t.Fatal(err)
	}
}

// hold has the worker's tablet give back what this server never sent: it is held.
func (o *office) hold(name string) {
	o.t.Helper()
	key := make([]byte, 8)
	_, _ = rand.Read(key)
	id := o.newID()
	m := &recordv1.CommunityActivity{Author: o.worker[:], OccurredOn: proto.Int32(20260301), Name: &name}
	team := o.deployment.Syncing.Person(o.worker).Team
	m.Team = team[:]
	encoded, err := proto.Marshal(m)
	if err != nil {
		o.t.Fatal(err)
	}
	fields, err := record.Canonical(recordv1.Kind_KIND_COMMUNITY_ACTIVITY, encoded)
	if err != nil {
		o.t.Fatal(err)
	}
	c := &record.Change{ID: id, Record: id, Kind: recordv1.Kind_KIND_COMMUNITY_ACTIVITY, Stamp: hlc.Stamp{Time: hlc.TimeOf(o.Wall()), Replica: 1}, Fields: fields}
	answer, err := o.deployment.Syncing.Sync(o.t.Context(), o.device, syncing.Arrival{Began: o.Wall(), TokenExpires: o.Wall().Add(time.Minute)}, &syncv1.SyncRequest{Protocol: 1, Clock: o.Wall().UnixMilli(), Pull: &syncv1.Pull{},
		GiveBack: []*syncv1.GivenRecord{{Id: id[:], Kind: uint32(c.Kind), State: record.EncodeState(c.Registers()), Proof: key}}})
	if err != nil || len(answer.GetGiven()) != 1 || answer.GetGiven()[0].GetCode() != string(record.CodeUnproven) {
		o.t.Fatalf("given back: %v, %v", answer.GetGiven(), err)
	}
}

func (o *office) minutes() uint32 {
	o.t.Helper()
	var m recordv1.CommunityActivity
	if err := proto.Unmarshal(o.registers(o.first).Fields(), &m); err != nil {
		o.t.Fatal(err)
	}
	return m.GetMinutes()
}

func (o *office) registers(id hlc.ID) (registers record.Registers) {
	o.t.Helper()
	if err := o.db.Deployment(o.deployment.Syncing.Deployment()).Read(o.t.Context(), func(tx syncing.Reading) error {
		found, err := tx.Records([]hlc.ID{id})
		if err != nil || len(found) == 0 {
			return err
		}
		registers, err = record.DecodeState(found[0].State)
		return err
	}); err != nil {
		o.t.Fatal(err)
	}
	return registers
}

// A supervisor sees both values of a field, and writes a third; then what stands is everybody's.
func TestASupervisorSettlesAConflict(t *testing.T) {
	o, b := newOffice(t)
	o.conflict(60, 45)
	b.Open("/deployments/" + o.deployment.Syncing.Deployment().String()).Follow("To settle").Sees("李娜").Follow("community activity")
	b.Sees("60", "45", "李娜", "Had seen before", "What counts now: 90")
	b.Send("Settle", webtest.Values("keep", "other", "other", "x")).Is(http.StatusUnprocessableEntity).Sees("This does not fit here.")
	b.Send("Settle", webtest.Values("keep", "other", "other", "50")).Is(http.StatusOK).Sees("Settled.", "Nothing is filled in differently.")
	if got := o.minutes(); got != 50 {
		t.Errorf("%d minutes", got)
	}
}

// Who decides on what changed since it was shown is told so, and sees it as it stands.
func TestASupervisorIsToldWhatChangedMeanwhile(t *testing.T) {
	o, b := newOffice(t)
	o.conflict(60, 45)
	b.Open("/deployments/" + o.deployment.Syncing.Deployment().String() + "/conflicts").Follow("community activity")
	if err := o.deployment.Syncing.Act(t.Context(), o.worker, syncing.Deed{ID: o.first, Message: &recordv1.CommunityActivity{Minutes: proto.Uint32(75)}, Seen: o.position(o.first)}); err != nil {
		t.Fatal(err)
	}
	b.Send("Settle", webtest.Values("keep", "1")).Is(http.StatusUnprocessableEntity).Sees("Somebody changed this meanwhile", "What counts now: 75")
	if got := o.minutes(); got != 75 {
		t.Errorf("%d minutes", got)
	}
	b.Send("Settle", webtest.Values("keep", "1")).Is(http.StatusOK).Sees("Settled.")
	if got := o.minutes(); got != 60 {
		t.Errorf("%d minutes", got)
	}
}

func (o *office) position(id hlc.ID) (position uint64) {
	o.t.Helper()
	if err := o.db.Deployment(o.deployment.Syncing.Deployment()).Read(o.t.Context(), func(tx syncing.Reading) error {
		found, err := tx.Records([]hlc.ID{id})
		for _, r := range found {
			position = r.Position
		}
		return err
	}); err != nil {
		o.t.Fatal(err)
	}
	return position
}

// Two records side by side: joined, the later one counts no more. Before that the page says what becomes of the numbers, and after
// it a wrong join is taken back.
func TestASupervisorJoinsTwoRecords(t *testing.T) {
	o, b := newOffice(t)
	at := "/deployments/" + o.deployment.Syncing.Deployment().String()
	pair := at + "/duplicates/" + o.first.String() + "/" + o.second.String()
	joinedWith := func(want hlc.ID) {
		t.Helper()
		const duplicateOf = 10
		if same := o.registers(o.second).Get(duplicateOf).ID(); same != want {
			t.Errorf("the second is the same as %v, want %v", same, want)
		}
	}
	b.Open(pair+"?lang=zh").Sees("两条记录只计一次", "两位计数人的计数都保留")
	b.Open(pair).Sees("放映电影", "看电影", "differs", "The two count once", "still adds up: the headcounts of both counters")
	b.Open(pair + "/separation").Sees("one or two?") // there is nothing to be taken back
	b.Open(pair).Send("Settle", webtest.Values("same", "earlier")).Is(http.StatusOK).Sees("Settled.")
	joinedWith(o.first)
	b.Do(http.MethodPost, pair, webtest.Values("earlier_seen", "1", "later_seen", "1", "same", "later")) // by who has the page open still
	b.Is(http.StatusUnprocessableEntity).Sees("They are joined: the one logged first counts.")

	b.Open(at + "/records/" + o.second.String()).Follow("Said to be the same as another record: compare the two").Sees("They are joined: the one logged first counts.").Follow("Take this back")
	b.Sees("count the two separately again?")
	joinedWith(o.first) // nothing is done by looking
	b.Send("Count them separately", nil).Is(http.StatusOK).Sees("They count separately again.", "If they are one thing")
	joinedWith(hlc.ID{})
}

// What a tablet gave back without proof is for a coordinator to decide.
func TestHeldChangesAreDecidedOn(t *testing.T) {
	o, b := newOffice(t)
	o.hold("补记的活动")
	b.Open("/deployments/" + o.deployment.Syncing.Deployment().String() + "/held").Follow("community activity")
	b.Sees("补记的活动", "It waits for the coordinator.") // whom else the supervisor has to ask
	b.Send("Decide", webtest.Values("decision", "release", "reason", "x")).Is(http.StatusUnprocessableEntity).Sees("This can't be done")
	b.Send("Decide", webtest.Values("decision", "discard", "reason", "")).Is(http.StatusUnprocessableEntity)
}

// Why a change is held is said by who reads it: who can have it applied is told what to do, and not to ask somebody else.
func TestWhyAChangeIsHeldIsSaidByWhoReadsIt(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	carl := c.Enrol("carl")
	carl.Pull()
	hold := func(by *servertest.Device, m record.Common) {
		t.Helper()
		if held := by.Push(by.Make(m)).GetAcknowledgement().GetHeld(); len(held) != 1 {
			t.Fatalf("held %v", held)
		}
	}
	hold(carl, &recordv1.CaseSession{Case: c.file[:], Minutes: proto.Uint32(30)})                                        // of another team's case
	hold(c.anna, &recordv1.Review{Target: c.session[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()}) // which is not for her
	at := "/deployments/" + c.ID.String() + "/held"
	coordinator := s.as(c.Deployment, "coordinator", "en").Open(at).Sees("or who answers for both teams, can apply this", "Apply it if it is right")
	if strings.Contains(coordinator.Text, "tell your supervisor") {
		t.Errorf("a coordinator is told to ask: %s", coordinator.Text)
	}
	s.as(c.Deployment, "super", "zh").Open(at + "?lang=zh").Sees("填写人的角色不能做这项更改。如果内容无误")
}
