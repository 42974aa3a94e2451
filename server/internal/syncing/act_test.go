package syncing_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Numbers of fields of a CaseSession and a Conflict.
const (
	minutesField = 20
	settledField = 20
)

// desk is a deployment with a case session of anna's, as the people on the web and ben see it.
type desk struct {
	*servertest.Deployment
	t         *testing.T
	anna, ben *servertest.Device
	file, met hlc.ID
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := servertest.New(t)
	k := &desk{Deployment: d, t: t, anna: d.Enrol("anna"), ben: d.Enrol("ben")}
	file := k.anna.Make(aCase())
	met := k.anna.Make(session(file.Record))
	k.anna.Push(file, met)
	k.anna.Pull()
	k.ben.Pull()
	k.file, k.met = file.Record, met.Record
	return k
}

func (k *desk) act(worker string, deeds ...syncing.Deed) error {
	k.t.Helper()
	err := k.Service.Act(k.t.Context(), k.Workers[worker], deeds...)
	return err
}

func (k *desk) must(worker string, deeds ...syncing.Deed) {
	k.t.Helper()
	if err := k.act(worker, deeds...); err != nil {
		k.t.Fatal(err)
	}
}

// refused checks with which code deeds are refused, and that nothing is kept of them.
func (k *desk) refused(what, worker string, code problem.Code, deeds ...syncing.Deed) {
	k.t.Helper()
	before := k.head()
	if err := k.act(worker, deeds...); err == nil || problem.CodeOf(err) != code {
		k.t.Errorf("%s: %v, want %s", what, err, code)
	}
	if after := k.head(); after != before {
		k.t.Errorf("%s: the log went from %d to %d", what, before, after)
	}
}

func (k *desk) head() (position uint64) {
	k.t.Helper()
	if err := k.DB.Deployment(k.ID).Read(k.t.Context(), func(tx syncing.Reading) error {
		head, err := tx.Head()
		position = head.Position
		return err
	}); err != nil {
		k.t.Fatal(err)
	}
	return position
}

func (k *desk) at(id hlc.ID) uint64 { return stands(k.t, k.Deployment, id).Position }

// onTheWeb are the changes of a record that the server made for somebody.
func (k *desk) onTheWeb(id hlc.ID) (all []*record.Change) {
	k.t.Helper()
	if err := k.DB.Deployment(k.ID).Read(k.t.Context(), func(tx syncing.Reading) error {
		entries, err := tx.History(id)
		for _, e := range entries {
			c, err := record.DecodeChange(e.Body, e.Replica)
			if r, _ := tx.Replica(e.Replica); err == nil && r.Device == (hlc.ID{}) {
				all = append(all, c)
			}
		}
		return err
	}); err != nil {
		k.t.Fatal(err)
	}
	return all
}

// minutes is a deed that sets how long the session took.
func (k *desk) minutes(n uint32, seen uint64) syncing.Deed {
	return syncing.Deed{ID: k.met, Message: &recordv1.CaseSession{Minutes: proto.Uint32(n)}, Seen: seen}
}

func (k *desk) review(of hlc.ID, seen uint64) syncing.Deed {
	return syncing.Deed{ID: k.NewID(), Seen: seen, Message: &recordv1.Review{Target: of[:], Author: make16(7), OccurredOn: proto.Int32(20211001),
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum(), Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()}}
}

func (k *desk) checkTotals() {
	k.t.Helper()
	if counted, err := progress.Recount(k.t.Context(), k.DB.Deployment(k.ID), k.ID); err != nil || !counted.Equal() {
		k.t.Errorf("recount: %v, %+v", err, counted)
	}
}

func TestADeedOnTheWebIsItsWorkers(t *testing.T) {
	k := newDesk(t)
	k.must("super", k.minutes(70, k.at(k.met)), k.review(k.file, k.at(k.file)))
	k.checkTotals()
	k.anna.Pull()
	if got := k.anna.Seen[k.met].Get(minutesField).Number(); got != 70 {
		t.Errorf("anna sees %d minutes", got)
	}
	made := k.onTheWeb(k.met)
	if len(made) != 1 || made[0].Worker != k.Workers["super"] || len(made[0].Parents) != 1 {
		t.Errorf("changes on the web: %+v", made)
	}
	// What is said again as it stands is no change.
	before := k.head()
	k.must("super", k.minutes(70, k.at(k.met)))
	if after := k.head(); after != before {
		t.Errorf("the log went from %d to %d", before, after)
	}
}

func TestAReviewOnTheWebListsWhatWasShown(t *testing.T) {
	k := newDesk(t)
	d := k.review(k.met, k.at(k.met))
	k.must("super", d)
	var review recordv1.Review
	if err := proto.Unmarshal(k.ben.Seen[d.ID].Fields(), &review); err != nil {
		t.Fatal(err)
	}
	k.ben.Pull()
	if err := proto.Unmarshal(k.ben.Seen[d.ID].Fields(), &review); err != nil {
		t.Fatal(err)
	}
	if want := tally.Reviewed(recordv1.Kind_KIND_CASE_SESSION, k.ben.Seen[k.met]); !slices.EqualFunc(review.GetReviewed(), want, func(a, b *recordv1.ReviewedField) bool { return proto.Equal(a, b) }) {
		t.Errorf("reviewed %v, want %v", review.GetReviewed(), want)
	}
}

// Each deed is refused as the change of a tablet would be held, and what stands beside it is not done either.
func TestActRefuses(t *testing.T) {
	k := newDesk(t)
	seen, good := k.at(k.met), k.minutes(70, k.at(k.met))
	note := syncing.Deed{ID: k.NewID(), Message: &recordv1.CaseNote{Session: make16(5), Process: proto.String("x")}}
	for _, c := range []struct {
		what, worker string
		code         problem.Code
		deed         syncing.Deed
	}{
		{"somebody of another team", "carl", problem.NotAllowed, good},
		{"nobody", "nobody", problem.NotAllowed, good},
		{"a review by a field worker", "anna", problem.NotAllowed, k.review(k.met, seen)},
		{"a conflict that is made", "coordinator", problem.NotAllowed, syncing.Deed{ID: k.NewID(), Message: &recordv1.Conflict{Target: k.met[:]}}},
		{"what the whole deployment would see", "super", problem.NotAllowed, syncing.Deed{ID: k.NewID(), Message: &recordv1.CommunityActivity{Name: proto.String("x")}}},
		{"the set-up", "super", problem.NotAllowed, syncing.Deed{ID: k.Sites[0], Message: &recordv1.Site{Name: proto.String("x")}, Seen: k.at(k.Sites[0])}},
		{"another kind", "super", problem.InvalidArgument, syncing.Deed{ID: k.met, Message: &recordv1.Case{CaseNo: proto.String("x")}, Seen: seen}},
		{"text that is none", "super", problem.InvalidArgument, syncing.Deed{ID: k.file, Message: &recordv1.Case{CaseNo: proto.String("\xff")}, Seen: seen}},
		{"an edit of what is not there", "super", problem.NotFound, syncing.Deed{ID: k.NewID(), Message: &recordv1.Case{CaseNo: proto.String("x")}, Seen: seen}},
		{"a review of what is not there", "super", problem.NotFound, k.review(k.NewID(), seen)},
		{"an id that is taken", "super", problem.ChangedMeanwhile, k.minutes(80, 0)},
	} {
		k.refused(c.what, c.worker, c.code, c.deed)
		if c.worker == "super" || c.worker == "coordinator" {
			k.refused(c.what+", beside a good one", c.worker, c.code, good, c.deed)
		}
	}
	text := strings.Repeat("x", 19_000)
	large := syncing.Deed{ID: k.NewID(), Message: &recordv1.CaseNote{Session: k.met[:], Process: &text, Assessment: &text, Response: &text, Plan: &text}}
	for code, d := range map[record.Code]syncing.Deed{record.CodeNumberOutOfRange: k.minutes(9999, seen), record.CodeOwnerMissing: note, record.CodeTooLarge: large} {
		var wrong *record.Problem
		if err := k.act("super", good, d); !errors.As(err, &wrong) || wrong.Code != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	if made := k.onTheWeb(k.met); len(made) != 0 {
		t.Errorf("changed beside what was refused: %v", made)
	}
	k.must("coordinator") // nothing to do is no error
	if err := k.Service.ChangeSetUp(t.Context(), k.Workers["coordinator"], changeOf(k.ID, &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED.Enum()})); err != nil {
		t.Fatal(err)
	}
	var wrong *record.Problem
	if err := k.act("super", good); !errors.As(err, &wrong) || wrong.Code != record.CodeDeploymentClosed {
		t.Errorf("in a closed deployment: %v", err)
	}
}

// A deed is refused if somebody set what it overwrites since it was shown, and only then.
func TestNothingUnseenIsOverwritten(t *testing.T) {
	k := newDesk(t)
	seen := k.at(k.met)
	k.anna.Push(k.anna.Edit(k.met, &recordv1.CaseSession{Minutes: proto.Uint32(60), Attendees: proto.Uint32(4)}))
	stage := syncing.Deed{ID: k.met, Message: &recordv1.CaseSession{Stage: recordv1.CaseStage_CASE_STAGE_PLANNING.Enum()}, Seen: seen}
	remove := syncing.Deed{ID: k.met, Message: &recordv1.CaseSession{Deleted: proto.Bool(true)}, Seen: seen}
	k.refused("the field that was set", "super", problem.ChangedMeanwhile, k.minutes(70, seen))
	k.refused("to the same value", "super", problem.ChangedMeanwhile, k.minutes(60, seen))
	k.refused("emptied", "super", problem.ChangedMeanwhile, syncing.Deed{ID: k.met, Message: &recordv1.CaseSession{}, Cleared: []protowire.Number{minutesField}, Seen: seen})
	k.refused("deleted", "super", problem.ChangedMeanwhile, remove)
	k.refused("reviewed", "super", problem.ChangedMeanwhile, k.review(k.met, seen))
	k.refused("shown before the log was set back", "super", problem.ChangedMeanwhile, k.minutes(70, k.head()+1))
	k.must("super", stage) // another field

	// A field that gives nothing to the totals does not matter to a review.
	seen = k.at(k.file)
	k.anna.Push(k.anna.Edit(k.file, &recordv1.Case{CaseNo: proto.String("2")}))
	k.must("super", k.review(k.file, seen))
	// What was held when the record was shown, and was released since.
	carl := k.Enrol("carl")
	carl.Seen[k.met] = k.anna.Seen[k.met]
	carl.Clock.Observe(carl.Seen[k.met].Newest())
	his := carl.Edit(k.met, &recordv1.CaseSession{RiskSeen: recordv1.RiskSeen_RISK_SEEN_YES.Enum()})
	carl.Push(his)
	seen = k.head()
	if err := k.Service.Decide(t.Context(), his.ID, recordv1.Decision_DECISION_RELEASE, k.Workers["super"], "seen"); err != nil {
		t.Fatal(err)
	}
	k.refused("released since", "super", problem.ChangedMeanwhile, syncing.Deed{ID: k.met, Message: &recordv1.CaseSession{RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()}, Seen: seen})
	// An edit of what was deleted since.
	remove.Seen = k.at(k.met)
	stage.Message, stage.Seen = &recordv1.CaseSession{Stage: recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum()}, remove.Seen
	k.must("super", remove)
	k.refused("deleted since", "super", problem.ChangedMeanwhile, stage)
	if c := conflictsIn(t, k.anna); len(c) != 0 {
		t.Errorf("conflicts: %v", c)
	}
}

// A tablet that edits what was edited on the web, and has not seen that, makes a conflict, as with any other: it shows both values,
// and whose they are.
func TestATabletThatHasNotSeenTheWebMakesAConflictOfBoth(t *testing.T) {
	k := newDesk(t)
	k.must("super", k.minutes(70, k.at(k.met)))
	mine := k.ben.Edit(k.met, &recordv1.CaseSession{Minutes: proto.Uint32(80)})
	k.ben.Push(mine)
	theirs := k.anna.Edit(k.met, &recordv1.CaseSession{Minutes: proto.Uint32(90)})
	k.anna.Push(theirs)
	found := conflictsIn(t, k.anna)
	if len(found) != 1 || found[0].GetSettled() || len(found[0].GetSides()) != 3 {
		t.Fatalf("conflicts: %v", found)
	}
	whose := map[int64]string{70: "super", 80: "ben", 90: "anna"}
	for _, side := range found[0].GetSides() {
		minutes := record.Register{Field: minutesField, Value: side.GetValue()}.Number()
		if hlc.ID(side.GetAuthor()) != k.Workers[whose[minutes]] {
			t.Errorf("%d minutes are of %x, want %s", minutes, side.GetAuthor(), whose[minutes])
		}
	}
	k.ben.Pull()
	var conflict hlc.ID
	for id, p := range k.ben.Pulled {
		if record.Kind(p.GetKind()) == recordv1.Kind_KIND_CONFLICT {
			conflict = id
		}
	}
	// Settled: a value that nobody had, and the word that it is. Both tablets get them.
	settle := syncing.Deed{ID: conflict, Message: &recordv1.Conflict{Settled: proto.Bool(true)}, Seen: k.at(conflict)}
	k.must("super", k.minutes(75, k.at(k.met)), settle)
	k.anna.Pull()
	k.ben.Pull()
	for _, v := range []*servertest.Device{k.anna, k.ben} {
		if v.Seen[k.met].Get(minutesField).Number() != 75 || v.Seen[conflict].Get(settledField).Number() != 1 {
			t.Errorf("a tablet sees %d, settled %v", v.Seen[k.met].Get(minutesField).Number(), v.Seen[conflict].Get(settledField))
		}
	}
	// One more side, and who settles it has not seen that.
	settle.Seen = k.at(conflict)
	late := k.ben.Edit(k.met, &recordv1.CaseSession{Minutes: proto.Uint32(85)})
	k.must("super", k.minutes(65, k.at(k.met)))
	k.ben.Push(late)
	k.refused("a conflict with a new side", "super", problem.ChangedMeanwhile, settle)
}

// A tablet can't say that somebody else did what it did.
func TestWhomATabletNamesIsNotBelieved(t *testing.T) {
	k := newDesk(t)
	mine := k.ben.Edit(k.met, &recordv1.CaseSession{Minutes: proto.Uint32(80)})
	mine.Worker = k.Workers["coordinator"]
	k.ben.Push(mine)
	k.anna.Push(k.anna.Edit(k.met, &recordv1.CaseSession{Minutes: proto.Uint32(90)}))
	for _, c := range conflictsIn(t, k.anna) {
		for _, side := range c.GetSides() {
			if author := hlc.ID(side.GetAuthor()); author != k.ben.Worker && author != k.anna.Worker {
				t.Errorf("a side is of %v", author)
			}
		}
	}
}

// Whatever people do on the web and tablets send, in any order: a deed is done or refused, makes no conflict, and overwrites only what
// its author was shown. Log, records and totals stay what they say to be.
func TestDeedsMakeNoConflict(t *testing.T) {
	done, refused, clashed := 0, 0, 0
	for seed := range uint64(25) {
		k := newDesk(t)
		r := rand.New(rand.NewPCG(seed, 6))
		// What was shown to the person on the web, as tablets have it: by their last pull.
		shown, position := k.ben.Seen[k.met], k.head()
		for range 30 {
			set, cleared := &recordv1.CaseSession{}, []protowire.Number(nil)
			switch r.IntN(8) {
			case 0, 1, 2:
				set.Minutes = proto.Uint32(1 + r.Uint32N(90))
			case 3, 4:
				set.Attendees = proto.Uint32(r.Uint32N(9))
			case 5:
				cleared = []protowire.Number{minutesField}
			default:
				set.Deleted = proto.Bool(r.IntN(2) == 0)
			}
			switch r.IntN(5) {
			case 0:
				k.anna.Pull()
			case 1:
				k.ben.Pull()
				shown, position = k.ben.Seen[k.met], k.head()
			case 2:
				if set.GetDeleted() == shown.Deleted() && set.Deleted != nil || (len(cleared) > 0 && len(k.anna.Seen[k.met].Get(minutesField).Value) == 0) {
					continue
				}
				if c, err := record.Edit(k.NewID(), k.met, recordv1.Kind_KIND_CASE_SESSION, k.anna.Stamp(), k.anna.Seen[k.met], canonical(t, set), cleared); err == nil && c != nil {
					k.anna.Push(c)
				}
			default:
				standing, err := record.DecodeState(stands(t, k.Deployment, k.met).State)
				if err != nil {
					t.Fatal(err)
				}
				sides := sidesIn(t, k.anna)
				err = k.act("super", syncing.Deed{ID: k.met, Message: set, Cleared: cleared, Seen: position})
				after, stateErr := record.DecodeState(stands(t, k.Deployment, k.met).State)
				if stateErr != nil {
					t.Fatal(stateErr)
				}
				unseen := false
				for _, was := range standing {
					changed := after.Get(was.Field).Stamp != was.Stamp
					unseen = unseen || (changed && was.Stamp != shown.Get(was.Field).Stamp)
				}
				switch {
				case err == nil:
					done++
				case problem.CodeOf(err) != problem.ChangedMeanwhile:
					t.Fatalf("seed %d: %v", seed, err)
				default:
					refused++
				}
				if unseen || sidesIn(t, k.anna) != sides {
					t.Fatalf("seed %d: %v overwrote what was not shown: %v, sides %d, then %d", seed, set, unseen, sides, sidesIn(t, k.anna))
				}
			}
		}
		clashed += sidesIn(t, k.anna)
		k.checkTotals()
	}
	if done < 20 || refused < 20 || clashed < 20 {
		t.Errorf("%d deeds were done, %d refused, and tablets made %d sides: that tries little", done, refused, clashed)
	}
}

func sidesIn(t *testing.T, v *servertest.Device) (sides int) {
	t.Helper()
	for _, c := range conflictsIn(t, v) {
		sides += len(c.GetSides())
	}
	return sides
}

func canonical(t *testing.T, m proto.Message) []byte {
	t.Helper()
	encoded, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := record.Canonical(record.KindOf(m), encoded)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// Who did something on the web is known still when the tokens in it were replaced.
func TestErasureKeepsWhoDidItOnTheWeb(t *testing.T) {
	c := newClient(t)
	k := &desk{Deployment: c.Deployment, t: t, anna: c.anna}
	k.must("super", syncing.Deed{ID: c.file.Record, Message: &recordv1.Case{ClientTokens: [][]byte{[]byte(oldToken), make16(2)}}, Seen: k.at(c.file.Record)})
	c.erase(t)
	made := k.onTheWeb(c.file.Record)
	if len(made) != 1 || made[0].Worker != k.Workers["super"] || strings.Contains(string(made[0].Fields), oldToken) {
		t.Errorf("on the web: %+v", made)
	}
}

// What people say of two alerts that look alike may tell of the client: it goes with the alert, also when it comes later.
func TestADistinctionGoesWithWhatItIsAbout(t *testing.T) {
	c := newClient(t)
	say := func() *record.Change {
		return c.lead.Make(&recordv1.Distinction{Record: c.alert.Record[:], Other: make16(4), Reason: proto.String(clientNote)})
	}
	early, late := say(), say()
	c.lead.Push(early)
	c.erase(t)
	c.lead.Push(late)
	c.traces(t, false)
	for _, id := range []hlc.ID{early.Record, late.Record} {
		if stands(t, c.Deployment, id).State != nil {
			t.Errorf("record %v is there", id)
		}
	}
}
