package syncing_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// What a worker is reached by in these tests.
const (
	workerPhone = "13911112222"
	workerEmail = "anna@example.org"
)

// reachable gives a worker of the deployment a phone, first another one.
func reachable(t *testing.T, c *client) {
	t.Helper()
	for _, phone := range []string{"13911110000", workerPhone} {
		err := c.Service.ChangeSetUp(context.Background(), hlc.ID{}, syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: c.Workers["anna"],
			Message: &recordv1.Worker{Phone: proto.String(phone), Email: proto.String(workerEmail)}}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// inFiles reports whether something stands in the files of the server's database.
func inFiles(t *testing.T, d *servertest.Deployment, what []byte) bool {
	t.Helper()
	return bytes.Contains(d.Stored(), what)
}

func eraseAll(t *testing.T, d *servertest.Deployment) syncing.Erasures {
	t.Helper()
	done, err := d.Service.EraseAll(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// register is a field of a record as it stands.
func register(t *testing.T, d *servertest.Deployment, id hlc.ID, field protowire.Number) record.Register {
	t.Helper()
	registers, err := record.DecodeState(stands(t, d, id).State)
	if err != nil {
		t.Fatal(err)
	}
	return registers.Get(field)
}

// indexed fails unless what the pages are made of is what the records give.
func indexed(t *testing.T, d *servertest.Deployment) {
	t.Helper()
	service := indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
	if err := service.CatchUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	differences, err := indexing.Verify(context.Background(), d.DB.Deployment(d.ID))
	if err != nil || differences != nil {
		t.Errorf("the index: %v, %v", err, differences)
	}
}

func TestAnErasedDeploymentHasNothingOfAnybody(t *testing.T) {
	c := newClient(t)
	reachable(t, c)
	indexed(t, c.Deployment)
	key, _ := record.CutBytes(register(t, c.Deployment, c.ID, record.LinkageKeyField).Value)
	// Held: by whom may not, of what has no owner, of an unknown kind, and what can't be read.
	carl := c.Enrol("carl")
	identity := carl.Make(&recordv1.CaseIdentity{Case: c.file.Record[:], Name: proto.String(clientName)})
	nobody := c.NewID()
	lost := carl.Make(&recordv1.Review{Target: nobody[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), Comment: proto.String(clientNote)})
	tokens := carl.Make(&recordv1.Case{CaseNo: proto.String("WZ-7"), ClientTokens: [][]byte{[]byte(oldToken)}, ClientCount: proto.Uint32(99999999)})
	strange := *identity
	strange.ID, strange.Kind, strange.Stamp = c.NewID(), 99, carl.Stamp()
	strange.Record = strange.ID
	if held := carl.Push(identity, lost, tokens).GetAcknowledgement().GetHeld(); len(held) != 3 {
		t.Fatalf("held: %v", held)
	}
	carl.Push(&strange)
	carl.PushBodies([]byte("no change: " + clientName))
	before := c.totals(t)
	head := c.head(t)
	for _, trace := range [][]byte{[]byte(workerPhone), []byte(workerEmail), key} {
		if !inFiles(t, c.Deployment, trace) {
			t.Fatalf("%x is nowhere", trace)
		}
	}
	if done := eraseAll(t, c.Deployment); done.Records < 7 || done.TokensIn != 3 {
		t.Errorf("erased %+v", done)
	}
	c.traces(t, false)
	// An index of words keeps the beginning of one only once for several.
	for _, trace := range [][]byte{[]byte(workerPhone), []byte("13911110000"), []byte("3911112222"), []byte("1112222"), []byte(workerEmail), key} {
		if inFiles(t, c.Deployment, trace) {
			t.Errorf("%x is there still", trace)
		}
	}
	if after := c.totals(t); !slices.Equal(before, after) {
		t.Errorf("totals moved:\n%v\n%v", before, after)
	}
	indexed(t, c.Deployment)
	if chain, ok := c.chainAt(t, head.Position); !ok || chain != head.Chain {
		t.Error("the log's chain is another one")
	}
	for _, id := range c.personal() {
		if stands(t, c.Deployment, id).State != nil {
			t.Errorf("record %v is there", id)
		}
	}
	for _, kept := range []*record.Change{c.file, c.session, c.referral, c.other, c.attendance} {
		if stands(t, c.Deployment, kept.Record).State == nil {
			t.Errorf("record %v is gone", kept.Record)
		}
	}
	// One token for one person still, of which nobody can tell of whom it is.
	file, attendance := register(t, c.Deployment, c.file.Record, 21).ID(), register(t, c.Deployment, c.attendance.Record, 18).ID()
	if file != attendance || file == hlc.ID([]byte(oldToken)) || file == (hlc.ID{}) {
		t.Errorf("tokens %v and %v", file, attendance)
	}
	if name, _ := record.CutBytes(register(t, c.Deployment, c.Workers["anna"], 16).Value); string(name) != "anna" {
		t.Errorf("a worker is called %q", name)
	}
	if c.Service.SetUp().Workers[c.Workers["anna"]].GetPhone() != "" || !c.Service.Erased() {
		t.Error("the set-up is not read anew")
	}
	// Again nothing happens, neither at the next start nor by erasing one client.
	again := eraseAll(t, c.Deployment)
	c.purge(t)
	if one := c.erase(t); again != (syncing.Erasures{}) || one != (syncing.Erasures{}) || register(t, c.Deployment, c.file.Record, 21).ID() != file {
		t.Errorf("again erased %+v and %+v", again, one)
	}
	if register(t, c.Deployment, c.ID, record.LinkageKeyField).Value != nil {
		t.Error("there is a linkage key again")
	}
}

// head is the end of the log.
func (c *client) head(t *testing.T) (head syncing.Head) {
	t.Helper()
	err := c.DB.Deployment(c.ID).Read(context.Background(), func(tx syncing.Reading) (err error) {
		head, err = tx.Head()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// chainAt is the log's chain at a position.
func (c *client) chainAt(t *testing.T, position uint64) (chain batch.Hash, ok bool) {
	t.Helper()
	err := c.DB.Deployment(c.ID).Read(context.Background(), func(tx syncing.Reading) (err error) {
		chain, ok, err = tx.ChainAt(position)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return chain, ok
}

// A tablet that was away brings nothing back, and what else it wrote is counted.
func TestWhatComesLateForAnErasedDeploymentIsNotKept(t *testing.T) {
	c := newClient(t)
	file2 := c.anna.Make(&recordv1.Case{CaseNo: proto.String("WZ-2"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), ClientTokens: [][]byte{[]byte(oldToken)},
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: c.anna.Worker[:]})
	more := c.anna.Make(&recordv1.CaseIdentity{Case: file2.Record[:], Name: proto.String(clientName)})
	alert := c.anna.Make(&recordv1.RiskAlert{Done: proto.String(clientNote)})
	later := c.anna.Edit(c.note.Record, &recordv1.CaseNote{Reflection: proto.String(clientNote)})
	said := c.lead.Make(&recordv1.Review{Target: c.note.Record[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), Comment: proto.String(clientNote)})
	judged := c.lead.Make(&recordv1.Review{Target: c.note.Record[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), Comment: proto.String(clientNote)})
	c.lead.Push(judged)
	c.lead.Pull()
	again := c.lead.Edit(judged.Record, &recordv1.Review{Comment: proto.String(clientNote + "!")}) // which does not say of what
	claimed := *c.anna.Edit(c.note.Record, &recordv1.CaseNote{Plan: proto.String(clientNote)})
	claimed.ID, claimed.Kind, claimed.Stamp = c.NewID(), recordv1.Kind_KIND_OUTREACH, c.anna.Stamp()
	person := register(t, c.Deployment, c.attendance.Record, 17).ID()
	met := c.anna.Make(&recordv1.Attendance{Activity: c.other.Record[:], Participant: person[:], Token: []byte(oldToken)})
	fresh := c.anna.Make(&recordv1.Participant{Token: bytes.Repeat([]byte{3}, 16)})
	eraseAll(t, c.Deployment)
	answer := c.anna.Push(file2, more, alert, later, &claimed, met, fresh)
	if held := answer.GetAcknowledgement().GetHeld(); len(held) != 0 {
		t.Errorf("held: %v", held)
	}
	c.lead.Push(said, again)
	for _, gone := range []*record.Change{more, alert, later, said, judged} {
		if stands(t, c.Deployment, gone.Record).State != nil {
			t.Errorf("record %v is there", gone.Record)
		}
	}
	token := register(t, c.Deployment, c.file.Record, 21).ID()
	if a, b := register(t, c.Deployment, file2.Record, 21).ID(), register(t, c.Deployment, met.Record, 18).ID(); a != token || b != token {
		t.Errorf("tokens %v and %v for %v", a, b, token)
	}
	if register(t, c.Deployment, fresh.Record, 16).ID() == hlc.ID(bytes.Repeat([]byte{3}, 16)) {
		t.Error("a token that was not known is kept")
	}
	// What the server sent once is given back.
	request := asks(c.lead)
	request.Pull = nil
	request.GiveBack = []*syncv1.GivenRecord{back(c.lead, c.ID), back(c.lead, c.Workers["anna"]), back(c.lead, c.identity.Record), back(c.lead, c.file.Record)}
	if codes := syncs(t, c.lead, request).GetGiven(); codes[0].GetCode() != "" || codes[2].GetCode() != syncing.Erased || codes[3].GetCode() != "" {
		t.Errorf("given: %v", codes)
	}
	c.totals(t)
	c.purge(t)
	c.traces(t, false)
	indexed(t, c.Deployment)
}

// A store that is older, or whose journal is lost, learns of it before it serves, or from the first tablet.
func TestARestoreForgetsNoErasureOfADeployment(t *testing.T) {
	c := newClient(t)
	reachable(t, c)
	older := c.Copy()
	c.Pass(time.Minute)
	before := c.totals(t)
	c.erase(t) // one client first: their token was replaced once already
	eraseAll(t, c.Deployment)
	kept := syncs(t, c.lead, asks(c.lead)).GetJournalEntries()
	if !said(&syncv1.SyncResponse{JournalEntries: kept}, wire.JournalDeploymentErased, c.ID[:]) {
		t.Fatal("the tablets are not told")
	}
	token := register(t, c.Deployment, c.file.Record, 21).ID()
	afterwards := func() {
		t.Helper()
		c.traces(t, false)
		if inFiles(t, c.Deployment, []byte(workerPhone)) {
			t.Error("a phone is there again")
		}
		if after := c.totals(t); !slices.Equal(before, after) {
			t.Errorf("totals moved:\n%v\n%v", before, after)
		}
		if register(t, c.Deployment, c.file.Record, 21).ID() != token {
			t.Error("the same person has another token")
		}
	}
	c.SetBack(older)
	afterwards()
	c.LoseJournal()
	c.SetBack(older)
	c.traces(t, true)
	// A tablet that has the new token, and gives a record back, before one that tells.
	giving := asks(c.lead)
	giving.Pull, giving.GiveBack = nil, []*syncv1.GivenRecord{back(c.lead, c.file.Record)}
	syncs(t, c.lead, giving)
	c.totals(t)
	telling := asks(c.lead)
	telling.Journal, telling.JournalEntries = nil, kept
	syncs(t, c.lead, telling)
	c.traces(t, false)
	c.totals(t)
}

// Whatever people did, nothing that is counted moves, and the log stays whole.
func TestErasingADeploymentMovesNoTotal(t *testing.T) {
	if servertest.Raced {
		t.Skip("it has no goroutines of its own")
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		servertest.Grow(rt, d, func() {})
		recount := func() *progress.Recounted {
			counted, err := progress.Recount(context.Background(), d.DB.Deployment(d.ID), d.ID)
			if err != nil || !counted.Equal() {
				rt.Fatalf("recount: %v, %+v", err, counted)
			}
			return counted
		}
		before := recount()
		eraseAll(t, d)
		after := recount()
		if !slices.Equal(before.Totals, after.Totals) {
			rt.Fatalf("totals were\n%v\nand are\n%v", before.Totals, after.Totals)
		}
		indexed(t, d)
	})
}

// Copies of one tablet may set a field at one time twice; then the greater value has won. What stands in the place of a token, or of a
// phone, must not have the other one win. Of each case there is a conflict of three sides, the third of which came later.
func TestErasingLeavesTheWinnerAmongEqualStamps(t *testing.T) {
	const cases = 8 // so that among the tokens that replace them some are in the other order
	for name, erase := range map[string]func(*client, *testing.T, []hlc.ID){
		"one client": func(c *client, t *testing.T, files []hlc.ID) {
			for _, id := range files {
				if _, err := c.Service.Erase(context.Background(), id); err != nil {
					t.Fatal(err)
				}
			}
		},
		"the whole deployment": func(c *client, t *testing.T, _ []hlc.ID) { eraseAll(t, c.Deployment) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t)
			var files []hlc.ID
			var tokens [][]byte
			for i := range byte(cases) {
				one, two, three := bytes.Repeat([]byte{i + 1}, 16), bytes.Repeat([]byte{i + 101}, 16), bytes.Repeat([]byte{i + 201}, 16)
				made := c.anna.Make(&recordv1.Case{CaseNo: proto.String("WZ-9"), OpenedOn: proto.Int32(20211001), ClientTokens: [][]byte{one, two}, Lead: c.anna.Worker[:]})
				c.anna.Push(made)
				c.anna.Pull()
				greater, lesser := c.anna.Edit(made.Record, &recordv1.Case{ClientTokens: [][]byte{three}}), c.anna.Edit(made.Record, &recordv1.Case{ClientTokens: [][]byte{two, one}})
				lesser.Stamp = greater.Stamp
				c.anna.Push(greater, lesser)
				files, tokens = append(files, made.Record), append(tokens, one, two, three)
			}
			coordinator := c.Enrol("coordinator")
			coordinator.Pull()
			greater := coordinator.Edit(c.Workers["anna"], &recordv1.Worker{Phone: proto.String("2")})
			coordinator.Push(coordinator.Edit(c.Workers["anna"], &recordv1.Worker{Phone: proto.String("0")}))
			coordinator.Pull()
			lesser := coordinator.Edit(c.Workers["anna"], &recordv1.Worker{Phone: proto.String("1")}) // of the greater parent
			lesser.Stamp = greater.Stamp
			if held := coordinator.Push(greater, lesser).GetAcknowledgement().GetHeld(); held != nil {
				t.Fatalf("held: %v", held)
			}
			before := c.totals(t)
			erase(c, t, files)
			if after := c.totals(t); !slices.Equal(before, after) {
				t.Errorf("totals moved:\n%v\n%v", before, after)
			}
			for _, token := range tokens {
				if inFiles(t, c.Deployment, token) {
					t.Errorf("the token %x… is there still", token[:2])
				}
			}
			for _, id := range files {
				if tokens := register(t, c.Deployment, id, 21).IDs(); len(tokens) != 1 {
					t.Errorf("case %v has %d tokens", id, len(tokens))
				}
			}
		})
	}
}
