package syncing_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// A team mate's edit that lies on a later page must come whole, though the puller's own push has moved the record since
// and the cursor has come past the edit's place by the time that page is asked for.
func TestATeamMatesEditComesWholeOnALaterPage(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	anna.Pull()
	made := anna.Make(aCase())
	anna.Push(made)
	ben.Pull()
	anna.Seen[made.Record] = made.Registers()
	filler := func() *record.Change {
		c := aCase()
		c.CaseNo = proto.String(strings.Repeat("y", 100))
		return anna.Make(c)
	}
	for range 10 {
		anna.Push(filler())
	}
	anna.Push(anna.Edit(made.Record, &recordv1.Case{CaseNo: proto.String("edited by anna")}))
	for range 60 {
		anna.Push(filler())
	}
	own := ben.Edit(made.Record, &recordv1.Case{Age: proto.Uint32(70)})
	request := ben.Request(ben.Batch(own))
	request.Pull.MaxBytes = 4096
	answer, err := ben.Sync(request)
	if err != nil {
		t.Fatal(err)
	}
	ben.Remember(own.Encode())
	ben.Seen[made.Record] = record.Merge(ben.Seen[made.Record], own.Registers())
	pages := 1
	for ; answer.GetPage().GetRemaining() > 0; pages++ {
		request := ben.Request(ben.BatchOf())
		request.Pull.MaxBytes = 4096
		if answer, err = ben.Sync(request); err != nil {
			t.Fatal(err)
		}
	}
	var got recordv1.Case
	if err := proto.Unmarshal(ben.Seen[made.Record].Fields(), &got); err != nil || got.GetCaseNo() != "edited by anna" || pages < 3 {
		t.Fatalf("after %d pages ben sees %q, %v", pages, got.GetCaseNo(), err)
	}
}

func TestARecordThatGrowsWithoutBoundIsHeld(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	made := anna.Make(aCase())
	anna.Push(made)
	for i := range 20 {
		field := protowire.AppendTag(nil, protowire.Number(1000+i), protowire.BytesType)
		c, err := record.Edit(anna.NewID(), made.Record, made.Kind, anna.Stamp(), nil, protowire.AppendBytes(field, make([]byte, 60<<10)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if codes := held(anna.Push(c)); len(codes) > 0 {
			if codes[uint64(len(anna.Sent))] != string(record.CodeTooLarge) || i < 5 {
				t.Fatalf("change %d: %v", i, codes)
			}
			return
		}
	}
	t.Fatal("a record of more than a megabyte was taken")
}

// Emptied fields hold nothing, and each has a number and stamps all the same: a record of very many must not grow past
// what a page can carry, or its team would never pull again.
func TestARecordOfVeryManyEmptiedFieldsStaysWithinAPage(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	made := anna.Make(aCase())
	anna.Push(made)
	const each = 4_000
	var codes map[uint64]string
	for i := range 20 {
		id := anna.NewID()
		c := &record.Change{ID: id, Record: made.Record, Kind: recordv1.Kind_KIND_CASE, Stamp: anna.Stamp()}
		for f := range each {
			c.Cleared = append(c.Cleared, protowire.Number(20_000+i*each+f))
		}
		codes = held(anna.Push(c))
	}
	if codes[21] != string(record.CodeTooLarge) {
		t.Errorf("the last change is %q", codes[21])
	}
	size := 0
	for _, r := range ben.Pull().GetRecords() {
		size = max(size, len(r.GetState()))
	}
	if size < 10<<10 || size > 513<<10 {
		t.Errorf("the record has %d bytes", size)
	}
}

func TestTwoValuesOfOneStampAreBothKept(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	made := anna.Make(aCase())
	anna.Push(made)
	other, err := record.Edit(anna.NewID(), made.Record, made.Kind, made.Stamp, nil, protowire.AppendString(protowire.AppendTag(nil, 16, protowire.BytesType), "a clone's"), nil)
	if err != nil {
		t.Fatal(err)
	}
	anna.Push(other)
	c := conflictsIn(t, anna)
	if len(c) != 1 || len(c[0].GetSides()) != 2 || bytes.Compare(c[0].GetSides()[0].GetValue(), c[0].GetSides()[1].GetValue()) >= 0 {
		t.Fatalf("conflict %v", c)
	}
}

func TestAnEditOverAHeldOneOfTheSameAuthorIsNoConflict(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	made := anna.Make(aCase())
	anna.Push(made)
	anna.Seen[made.Record] = made.Registers()
	absurd := anna.Edit(made.Record, &recordv1.Case{ClientCount: proto.Uint32(1 << 30)})
	anna.Seen[made.Record] = record.Merge(anna.Seen[made.Record], absurd.Registers())
	mended := anna.Edit(made.Record, &recordv1.Case{ClientCount: proto.Uint32(4)})
	if codes := held(anna.Push(absurd, mended)); len(codes) != 1 {
		t.Fatalf("held: %v", codes)
	}
	if c := conflictsIn(t, anna); len(c) != 0 {
		t.Fatalf("a worker conflicts with herself: %v", c)
	}
}

func TestWhatATabletSaysAboutItselfIsBounded(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	request := anna.Request(anna.BatchOf())
	request.Unsent = 1 << 63
	if _, err := anna.Sync(request); problem.CodeOf(err) != problem.Malformed {
		t.Errorf("an absurd backlog: %v", err)
	}
	request = anna.Request(anna.BatchOf())
	request.App = strings.Repeat("x", 61)
	if _, err := anna.Sync(request); problem.CodeOf(err) != problem.Malformed {
		t.Errorf("a long name of the program: %v", err)
	}
}

func TestABacklogIsKnownAfterTheNextCommit(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	request := anna.Request(anna.Batch(anna.Make(aCase())))
	request.Unsent = 7
	request.Push.Signature[0] ^= 1
	if _, err := anna.Sync(request); problem.CodeOf(err) != problem.SignatureInvalid {
		t.Fatal(err)
	}
	request.Push.Signature[0] ^= 1
	request.Unsent = 5
	if _, err := anna.Sync(request); err != nil {
		t.Fatal(err)
	}
	d.Close() // what tablets said is written before the store is closed
	d.Open()
	v, err := d.Service.Device(context.Background(), anna.Device.ID)
	if err != nil || v.Unsent != 5 || v.LastContact != d.Wall().UnixMilli() {
		t.Fatalf("%+v, %v", v, err)
	}
}

// The vector of syncproto ties the server's proof to what the protocol says.
func TestTheProofIsTheProtocols(t *testing.T) {
	text, err := os.ReadFile("../../../syncproto/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Device struct {
			Deployment string `json:"deployment"`
		} `json:"device"`
		Proof struct {
			Key   string `json:"key"`
			ID    string `json:"id"`
			Kind  int32  `json:"kind"`
			State string `json:"state"`
			Proof string `json:"proof"`
		} `json:"proof"`
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	b := func(s string) []byte {
		v, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	p := vectors.Proof
	keys := &syncing.Keys{ProofKey: b(p.Key)}
	if got := keys.Proof(hlc.ID(b(vectors.Device.Deployment)), hlc.ID(b(p.ID)), record.Kind(p.Kind), b(p.State)); hex.EncodeToString(got) != p.Proof {
		t.Fatalf("proof %x, want %s", got, p.Proof)
	}
}

// A request that the network doubled may wait for the writer together with its twin. Whichever answer the tablet gets,
// it must learn what is held.
func TestBothAnswersToADoubledRequestTellWhatIsHeld(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	good := anna.Make(&recordv1.Outreach{})
	b := anna.Batch(good, anna.Make(&recordv1.Review{Target: good.ID[:]}), anna.Make(&recordv1.Outreach{}))
	acks, err := d.Service.PushTogether(context.Background(), d.Wall(), syncing.Sent{Device: anna.Device, Batch: b}, syncing.Sent{Device: anna.Device, Batch: b})
	if err != nil {
		t.Fatal(err)
	}
	for i, ack := range acks {
		if ack.GetHave() != 3 || len(ack.GetHeld()) != 1 || ack.GetHeld()[0].GetSequence() != 2 || ack.GetHeld()[0].GetCode() != "not_allowed" {
			t.Errorf("answer %d: %v", i, ack)
		}
	}
}

// Two programs may sync one tablet at the same time. The page of a request that acknowledged less than the other one
// sent must bring whole what the other one sent.
func TestWhatAnAnswerDoesNotAcknowledgeComesWhole(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	anna.Pull()
	request := anna.Request(anna.Batch())
	answer := anna.Push(anna.Make(&recordv1.Outreach{}))
	for _, c := range []struct {
		ack   *syncv1.Acknowledgement
		whole bool
	}{{&syncv1.Acknowledgement{}, true}, {answer.GetAcknowledgement(), false}} {
		page, err := d.Service.PullAfter(context.Background(), anna.Device, request, c.ack)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.GetRecords()) != 1 || (page.GetRecords()[0].GetState() != nil) != c.whole {
			t.Errorf("after %d changes were acknowledged: %v", c.ack.GetHave(), page.GetRecords())
		}
	}
}

// A chain of reviews of reviews in which each record is older than what it hangs on follows its root to another team, to
// its end; and no review may become one of itself.
func TestALongChainOfReviewsFollowsItsRootAndNeverCloses(t *testing.T) {
	d := servertest.New(t)
	lead, boss, carl := d.Enrol("lead"), d.Enrol("coordinator"), d.Enrol("carl")
	visit := lead.Make(&recordv1.Outreach{})
	changes := []*record.Change{visit}
	var reviews []hlc.ID
	for range 7 {
		c := lead.Make(&recordv1.Review{Target: visit.ID[:]})
		changes, reviews = append(changes, c), append(reviews, c.ID)
	}
	lead.Push(changes...)
	lead.Pull()
	for i, id := range reviews[:6] {
		if held := lead.Push(lead.Edit(id, &recordv1.Review{Target: reviews[i+1][:]})).GetAcknowledgement().GetHeld(); len(held) > 0 {
			t.Fatalf("review %d: %v", i, held)
		}
	}
	for i, id := range reviews[1:] {
		held := lead.Push(lead.Edit(id, &recordv1.Review{Target: reviews[0][:]})).GetAcknowledgement().GetHeld()
		if len(held) != 1 || held[0].GetCode() != string(record.CodeOwnerMissing) {
			t.Errorf("review %d became one of itself: %v", i+1, held)
		}
	}
	boss.Pull()
	boss.Push(boss.Edit(visit.ID, &recordv1.Outreach{Team: d.Teams[1][:]}))
	carl.Pull()
	for i, id := range reviews {
		if carl.Seen[id] == nil {
			t.Errorf("the other team has not got review %d", i)
		}
	}
}

// Who leaves is served nothing more from the moment on at which their posting ends.
func TestAPageIsForTheWorkerAsPostedInItsSnapshot(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	ben.Pull()
	if err := d.Service.Add(context.Background(), []syncing.SetUpRecord{{ID: ben.Worker, Message: &recordv1.Worker{Team: d.Teams[1][:]}}}); err != nil {
		t.Fatal(err)
	}
	made := anna.Make(aCase())
	anna.Push(made)
	page := states(ben.Pull())
	if page[made.Record] != nil || page[ben.Worker] == nil {
		t.Fatalf("after the move ben got %v", page)
	}
}
