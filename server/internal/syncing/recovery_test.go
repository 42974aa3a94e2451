package syncing_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// sync sends a request that must be answered.
func syncs(t *testing.T, v *servertest.Device, r *syncv1.SyncRequest) *syncv1.SyncResponse {
	t.Helper()
	answer, err := v.Sync(r)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// asks is a request that pushes nothing, of a device that wrote what it remembers.
func asks(v *servertest.Device) *syncv1.SyncRequest { return v.Request(v.BatchOf()) }

// back is a record as a device gives it back.
func back(v *servertest.Device, id hlc.ID) *syncv1.GivenRecord {
	p := v.Pulled[id]
	return &syncv1.GivenRecord{Id: p.GetId(), Kind: p.GetKind(), State: p.GetState(), Proof: p.GetProof()}
}

// stands is a record as the server has it; nothing when it is not there.
func stands(t *testing.T, d *servertest.Deployment, id hlc.ID) syncing.Record {
	t.Helper()
	var found []syncing.Record
	err := d.DB.Deployment(d.ID).Read(context.Background(), func(tx syncing.Reading) (err error) {
		found, err = tx.Records([]hlc.ID{id})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return syncing.Record{}
	}
	return found[0]
}

// outcomes are what became of the changes of a record, in the order of the log, without entries that are no changes.
func outcomes(t *testing.T, d *servertest.Deployment, id hlc.ID) []string {
	t.Helper()
	var all []string
	err := d.DB.Deployment(d.ID).Read(context.Background(), func(tx syncing.Reading) error {
		entries, err := tx.History(id)
		for _, e := range entries {
			if e.Outcome != syncing.NewAudience && e.Outcome != syncing.Settled {
				all = append(all, e.Outcome)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// adds up: the recount finds nothing.
func addsUp(t *testing.T, d *servertest.Deployment) {
	t.Helper()
	r, err := progress.Recount(context.Background(), d.DB.Deployment(d.ID), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Equal() {
		t.Fatalf("the recount differs: %+v %+v", r.Faults, r.Totals)
	}
	raw := d.Raw()
	defer func() { _ = raw.Close() }() // another database may take its place next
	var apart int
	if err := raw.QueryRowContext(t.Context(), `SELECT count(*) FROM log l LEFT JOIN records r ON r.deployment = l.deployment AND r.id = l.record AND r.made = l.position
		WHERE l.made = 1 AND r.id IS NULL`).Scan(&apart); err != nil || apart > 0 {
		t.Fatalf("%d entries are in no record's history; %v", apart, err)
	}
}

func numbered(no string) *recordv1.Case {
	return &recordv1.Case{CaseNo: proto.String(no), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1)}
}

// The server is set back, and nobody says so. Ben's tablet finds it by its cursor, and brings back Anna's case, which she
// had sent and does not need to send again; his own edit of it is taken only then.
func TestWhatAServerLostComesBack(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	anna.Push(anna.Make(numbered("1")))
	ben.Pull()
	early := ben.Cursor
	older := d.Copy()
	second := anna.Make(numbered("2"))
	anna.Push(second)
	ben.Pull()
	d.SetBack(older)

	edit := ben.Edit(second.Record, &recordv1.Case{CaseNo: proto.String("2b")})
	request := ben.Request(ben.Batch(edit))
	answer := syncs(t, ben, request)
	if !answer.GetPage().GetSendMarks() || len(answer.GetPage().GetRecords()) > 0 || answer.GetAcknowledgement().GetHave() != 0 {
		t.Fatalf("to a cursor that is not of this log: %v", answer)
	}
	head := ben.Cursor
	request = ben.Request(ben.Batch(edit))
	request.Pull.Marks = []*syncv1.Mark{head, early, {}}
	answer = syncs(t, ben, request)
	if !proto.Equal(answer.GetPage().GetCommon(), early) || answer.GetAcknowledgement().GetHave() != 0 {
		t.Fatalf("to its marks: %v", answer)
	}
	request = asks(ben)
	request.Unsent = 1
	request.GiveBack = []*syncv1.GivenRecord{back(ben, second.Record)}
	answer = syncs(t, ben, request)
	if len(answer.GetGiven()) != 1 || answer.GetGiven()[0].GetCode() != "" {
		t.Fatalf("what was given back: %v", answer.GetGiven())
	}
	position := stands(t, d, second.Record).Position
	if answer = syncs(t, ben, request); answer.GetGiven()[0].GetCode() != "" || stands(t, d, second.Record).Position != position {
		t.Error("given back twice, it moves")
	}
	ben.Push(edit)

	// Anna sends again what the server lost: it has it all, and hers raises no conflict with what came after it.
	request = anna.Request(batch.Seal(anna.Key, anna.ID, anna.Replica, anna.Nonce, 2, chainAt(anna, 1), anna.Sent[1:]))
	request.Accepted = 2
	request.Pull = nil
	if ack := syncs(t, anna, request).GetAcknowledgement(); ack.GetHave() != 2 || !slices.Equal(ack.GetKnown(), []uint64{2}) {
		t.Errorf("sent again: %v", ack)
	}
	if got := outcomes(t, d, second.Record); !slices.Equal(got, []string{"given", "", "known"}) {
		t.Errorf("outcomes %q", got)
	}
	addsUp(t, d)
}

func chainAt(v *servertest.Device, n int) batch.Hash {
	chain := batch.Start(v.ID, v.Replica)
	for _, b := range v.Sent[:n] {
		chain = batch.Next(chain, batch.HashOf(b))
	}
	return chain
}

// An edit that was once acknowledged is sent again behind a newer one of somebody else that was given back: no conflict.
func TestWhatWasAcknowledgedRaisesNoNewConflict(t *testing.T) {
	for _, accepted := range []uint64{0, 2} {
		d := servertest.New(t)
		anna, ben := d.Enrol("anna"), d.Enrol("ben")
		made := anna.Make(numbered("1"))
		anna.Push(made)
		anna.Pull()
		anna.Seen[made.Record] = made.Registers() // her own, whose body is left out
		older := d.Copy()
		d.Pass(time.Minute)
		edit := anna.Edit(made.Record, &recordv1.Case{CaseNo: proto.String("2")})
		anna.Push(edit)
		ben.Pull()
		ben.Push(ben.Edit(made.Record, &recordv1.Case{CaseNo: proto.String("3")}))
		ben.Cursor = &syncv1.Mark{} // so that he gets his own edit too
		ben.Pull()
		ben.Push(ben.Edit(made.Record, &recordv1.Case{CaseNo: proto.String("4")}))
		ben.Cursor = &syncv1.Mark{}
		ben.Pull()
		d.SetBack(older)
		request := asks(ben)
		request.Pull = nil
		request.Push = nil
		request.GiveBack = []*syncv1.GivenRecord{back(ben, made.Record)}
		syncs(t, ben, request)
		request = anna.Request(batch.Seal(anna.Key, anna.ID, anna.Replica, anna.Nonce, 2, chainAt(anna, 1), anna.Sent[1:]))
		request.Accepted, request.Pull = accepted, nil
		syncs(t, anna, request)
		conflicts := 0
		if err := d.DB.Deployment(d.ID).Read(context.Background(), func(tx syncing.Reading) error {
			found, err := tx.OfKind(recordv1.Kind_KIND_CONFLICT)
			conflicts = len(found)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if want := map[uint64]int{0: 1, 2: 0}[accepted]; conflicts != want {
			t.Errorf("with %d accepted, %d conflicts", accepted, conflicts)
		}
		addsUp(t, d)
	}
}

// Nobody can make a server take what it never sent: that waits for the coordinator, who has it merged, or taken back.
func TestWithoutProofItWaitsForTheCoordinator(t *testing.T) {
	d := servertest.New(t)
	anna, lead, coordinator := d.Enrol("anna"), d.Enrol("lead"), d.Enrol("coordinator")
	made := anna.Make(numbered("1"))
	anna.Push(made)
	coordinator.Pull()
	forged := func(no string) *syncv1.GivenRecord {
		c := anna.Edit(made.Record, &recordv1.Case{CaseNo: proto.String(no)})
		state := record.EncodeState(record.Merge(made.Registers(), c.Registers()))
		return &syncv1.GivenRecord{Id: made.Record[:], Kind: uint32(recordv1.Kind_KIND_CASE), State: state, Proof: coordinator.Pulled[made.Record].GetProof()}
	}
	give := func(r *syncv1.GivenRecord) string {
		request := asks(anna)
		request.GiveBack = []*syncv1.GivenRecord{r}
		return syncs(t, anna, request).GetGiven()[0].GetCode()
	}
	first, second := forged("forged"), forged("forged again")
	if code := give(first); code != "unproven" {
		t.Fatalf("without proof: %q", code)
	}
	if code := give(first); code != "unproven" || len(outcomes(t, d, made.Record)) != 2 {
		t.Fatalf("the same again: %q, %q", code, outcomes(t, d, made.Record))
	}
	id := func(r *syncv1.GivenRecord) hlc.ID {
		h := batch.HashOf(encoded(t, &syncv1.GivenRecord{Id: r.GetId(), Kind: r.GetKind(), State: r.GetState()}))
		return hlc.ID(h[:16])
	}
	// A lead may not.
	lead.Push(lead.Make(decisionOn(id(first), recordv1.Decision_DECISION_RELEASE)))
	if got := outcomes(t, d, made.Record); !slices.Equal(got, []string{"", "unproven"}) {
		t.Fatalf("after a lead's decision: %q", got)
	}
	coordinator.Push(coordinator.Make(decisionOn(id(first), recordv1.Decision_DECISION_RELEASE)))
	if got := outcomes(t, d, made.Record); !slices.Equal(got, []string{"", "given"}) {
		t.Fatalf("after the coordinator's: %q", got)
	}
	if code := give(second); code != "unproven" {
		t.Fatalf("another: %q", code)
	}
	coordinator.Pull()
	coordinator.Push(coordinator.Make(decisionOn(id(second), recordv1.Decision_DECISION_DISCARD)))
	page := lead.Pull()
	if !slices.ContainsFunc(page.GetDropped(), func(id []byte) bool { return bytes.Equal(id, made.Record[:]) }) {
		t.Error("who may have what was discarded is not told to drop it")
	}
	if !slices.ContainsFunc(page.GetRecords(), func(r *syncv1.PulledRecord) bool {
		return bytes.Equal(r.GetId(), made.Record[:]) && r.GetState() != nil
	}) {
		t.Error("and does not get the server's version")
	}
	addsUp(t, d)
}

func encoded(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decisionOn(change hlc.ID, d recordv1.Decision) *recordv1.HeldDecision {
	return &recordv1.HeldDecision{Change: change[:], Decision: d.Enum()}
}

// What belongs to a case comes back before the case: it finds its place when the case is there, and counts there.
func TestASessionComesBackBeforeItsCase(t *testing.T) {
	d := servertest.New(t)
	anna, ben, carl := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("carl")
	older := d.Copy()
	made := anna.Make(numbered("1"))
	session := anna.Make(&recordv1.CaseSession{Case: made.Record[:], Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode(1).Enum(),
		Minutes: proto.Uint32(30), Attendees: proto.Uint32(2), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(), Status: recordv1.Status_STATUS_HELD.Enum()})
	anna.Push(made, session)
	ben.Pull()
	d.SetBack(older)
	give := func(id hlc.ID) {
		request := &syncv1.SyncRequest{Protocol: 1, Clock: d.Wall().UnixMilli(), GiveBack: []*syncv1.GivenRecord{back(ben, id)}}
		if code := syncs(t, ben, request).GetGiven()[0].GetCode(); code != "" {
			t.Fatalf("held: %s", code)
		}
		addsUp(t, d)
	}
	give(session.Record)
	if r := stands(t, d, session.Record); r.Root != session.Record || r.OrphanOf != made.Record {
		t.Errorf("the orphan hangs on %v", r)
	}
	give(made.Record)
	if r := stands(t, d, session.Record); r.Root != made.Record || r.OrphanOf != (hlc.ID{}) || r.Audience != d.Teams[0] {
		t.Errorf("then it hangs on %v", r)
	}
	if len(carl.Pull().GetRecords()) == 0 {
		t.Error("the set-up did not come") // and nothing else that is not his: Pull would have failed on team one's
	}
	for id := range carl.Seen {
		if id == made.Record || id == session.Record {
			t.Error("another team got it")
		}
	}
}

// A tablet was cloned, and the other copy wrote on under its number: the server says where they part, asked twice.
func TestWhereTwoCopiesPart(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	for range 6 {
		anna.Push(anna.Make(numbered("1")))
	}
	clone := *anna
	anna.Push(anna.Make(numbered("anna's 7")))
	clone.Sent, clone.Seen = slices.Clone(clone.Sent), map[hlc.ID]record.Registers{}

	// With something new.
	answer := syncs(t, &clone, clone.Request(clone.Batch(clone.Make(numbered("the clone's 7")))))
	if ack := answer.GetAcknowledgement(); !ack.GetForked() || ack.GetMatched() != 6 || answer.GetPage() != nil {
		t.Errorf("with a change: %v", answer)
	}
	// With nothing new.
	if ack := syncs(t, &clone, asks(&clone)).GetAcknowledgement(); !ack.GetForked() || ack.GetMatched() != 6 {
		t.Errorf("with none: %v", ack)
	}
	// A tablet whose acknowledgement says that the server lost what it had is asked about chains further back.
	strange := clone
	strange.Sent = slices.Clone(clone.Sent)
	strange.Sent[3] = []byte("something else")
	request := strange.Request(batch.Seal(strange.Key, strange.ID, strange.Replica, strange.Nonce, 7, chainAt(&strange, 6), nil))
	for _, n := range []int{2, 3, 4, 5} {
		chain := chainAt(&strange, n)
		request.Chains = append(request.Chains, &syncv1.ReplicaMark{Sequence: uint64(n), Chain: chain[:batch.ShortChain]})
	}
	if ack := syncs(t, &strange, request).GetAcknowledgement(); !ack.GetForked() || ack.GetMatched() != 3 {
		t.Errorf("asked: %v", ack)
	}
	request.Chains = make([]*syncv1.ReplicaMark, 65)
	if _, err := strange.Sync(request); problem.CodeOf(err) != problem.Malformed {
		t.Errorf("too many chains: %v", err)
	}
}

// An edit comes before the record that it edits, and what belongs to a case before the case: both wait, and are applied
// when it comes. Their tablet is told.
func TestHeldChangesWaitForWhatIsMissing(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	made := anna.Make(numbered("1"))
	ben.Seen[made.Record] = made.Registers()
	d.Pass(time.Second)
	edit := ben.Edit(made.Record, &recordv1.Case{CaseNo: proto.String("2")})
	link := ben.Make(&recordv1.ResourceLink{RecipientCase: made.Record[:], Need: proto.String("棉被")})
	answer := ben.Push(edit, link)
	var codes []string
	for _, h := range answer.GetAcknowledgement().GetHeld() {
		codes = append(codes, h.GetCode())
	}
	if !slices.Equal(codes, []string{"record_missing", "owner_missing"}) {
		t.Fatalf("held: %q", codes)
	}
	anna.Push(made)
	page := ben.Pull()
	if len(page.GetSettled()) != 2 || page.GetSettled()[0].GetCode() != "" || page.GetSettled()[1].GetCode() != "" {
		t.Errorf("settled: %v", page.GetSettled())
	}
	if ben.Seen[link.Record] == nil || !bytes.Contains(ben.Seen[made.Record].Fields(), []byte("\x012")) {
		t.Error("what was released does not come with the page")
	}
	if again := ben.Pull(); len(again.GetSettled()) > 0 {
		t.Error("told twice")
	}
	if settled := anna.Pull().GetSettled(); len(settled) > 0 {
		t.Errorf("another tablet is told: %v", settled)
	}
	addsUp(t, d)
}

// Carl's change of another team's record is held. He may discard it; the lead of that team may have it applied.
func TestDecisionsOnHeldChanges(t *testing.T) {
	d := servertest.New(t)
	anna, carl, lead, super := d.Enrol("anna"), d.Enrol("carl"), d.Enrol("lead"), d.Enrol("super")
	made := anna.Make(numbered("1"))
	anna.Push(made)
	carl.Seen[made.Record] = made.Registers()
	d.Pass(time.Second)
	changes := []*record.Change{carl.Edit(made.Record, &recordv1.Case{CaseNo: proto.String("2")}), carl.Edit(made.Record, &recordv1.Case{CaseNo: proto.String("3")}), carl.Edit(made.Record, &recordv1.Case{ClientCount: proto.Uint32(3)})}
	carl.Push(changes...)
	if got := outcomes(t, d, made.Record); !slices.Equal(got, []string{"", "not_your_team", "not_your_team", "not_your_team"}) {
		t.Fatalf("outcomes %q", got)
	}
	// A colleague can't discard it, and nobody decides in another's name.
	anna.Push(anna.Make(decisionOn(changes[0].ID, recordv1.Decision_DECISION_DISCARD)))
	posing := anna.Make(decisionOn(changes[0].ID, recordv1.Decision_DECISION_DISCARD))
	inLeadsName, err := record.Canonical(recordv1.Kind_KIND_HELD_DECISION, encoded(t, &recordv1.HeldDecision{Team: anna.Team[:], Author: lead.Worker[:], OccurredOn: proto.Int32(20211001), Change: changes[0].ID[:], Decision: recordv1.Decision_DECISION_RELEASE.Enum()}))
	if err != nil {
		t.Fatal(err)
	}
	posing.Fields = inLeadsName
	if held := anna.Push(posing).GetAcknowledgement().GetHeld(); len(held) != 1 || held[0].GetCode() != "not_allowed" {
		t.Errorf("in another's name: %v", held)
	}
	settled := carl.Push(carl.Make(decisionOn(changes[0].ID, recordv1.Decision_DECISION_DISCARD))).GetPage().GetSettled()
	lead.Push(lead.Make(decisionOn(changes[1].ID, recordv1.Decision_DECISION_RELEASE)))
	if got := outcomes(t, d, made.Record); !slices.Equal(got, []string{"", "discarded", "", "not_your_team"}) {
		t.Fatalf("after decisions: %q", got)
	}
	codes := map[hlc.ID]string{}
	for _, s := range append(settled, carl.Pull().GetSettled()...) {
		codes[hlc.ID(s.GetChange())] = s.GetCode()
	}
	if len(codes) != 2 || codes[changes[0].ID] != "discarded" || codes[changes[1].ID] != "" {
		t.Errorf("settled: %v", codes)
	}
	// The newest decision holds, also when it changes a former one. What is applied stays applied.
	d.Pass(time.Second)
	super.Push(super.Make(decisionOn(changes[0].ID, recordv1.Decision_DECISION_RELEASE)), super.Make(decisionOn(changes[1].ID, recordv1.Decision_DECISION_DISCARD)))
	if got := outcomes(t, d, made.Record); !slices.Equal(got, []string{"", "", "", "not_your_team"}) {
		t.Fatalf("after the supervisor's: %q", got)
	}
	addsUp(t, d)
}

// The decision is there before the change, which the server lost with its disk: it is carried out when the change comes.
func TestADecisionOutlivesASetBack(t *testing.T) {
	d := servertest.New(t)
	anna, carl, lead := d.Enrol("anna"), d.Enrol("carl"), d.Enrol("lead")
	made := anna.Make(numbered("1"))
	anna.Push(made)
	older := d.Copy()
	carl.Seen[made.Record] = made.Registers()
	change := carl.Edit(made.Record, &recordv1.Case{CaseNo: proto.String("2")})
	carl.Push(change)
	lead.Push(lead.Make(decisionOn(change.ID, recordv1.Decision_DECISION_RELEASE)))
	decision := lead.Sent[0]
	d.SetBack(older)
	lead.Sent, lead.Chain = nil, batch.Start(lead.ID, lead.Replica)
	lead.Cursor = &syncv1.Mark{}
	lead.PushBodies(decision)
	carl.Sent, carl.Chain = nil, batch.Start(carl.ID, carl.Replica)
	carl.Cursor = &syncv1.Mark{}
	if held := carl.Push(change).GetAcknowledgement().GetHeld(); len(held) > 0 {
		t.Errorf("held again: %v", held)
	}
	addsUp(t, d)
}

// A tablet was enrolled after the backup was made: the server knows it by its certificate alone. What it sends is held
// until a coordinator confirms it, and then judged as any other's.
func TestATabletThatOnlyItsCertificateKnows(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	older := d.Copy()
	anna := d.Enrol("anna")
	certificate := func() *syncv1.Certificate {
		c, err := d.Keys.Certify(d.ID, anna.Device, anna.Team, 1, d.Wall())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}()
	d.SetBack(older)
	if _, err := d.Service.Device(ctx, anna.Device.ID); problem.CodeOf(err) != problem.DeviceUnknown {
		t.Fatalf("the device: %v", err)
	}
	if _, err := d.Service.Introduced(anna.Device.ID, &syncv1.Certificate{Body: certificate.GetBody(), Signature: make([]byte, 64)}); problem.CodeOf(err) != problem.DeviceUnknown {
		t.Errorf("a certificate that nobody signed: %v", err)
	}
	introduced, err := d.Service.Introduced(anna.Device.ID, certificate)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Service.Admit(ctx, introduced); err != nil {
		t.Fatal(err)
	}
	anna.Device = introduced
	made := anna.Make(numbered("1"))
	answer := anna.Push(made, anna.Make(&recordv1.CommunityActivity{Name: proto.String("讲座")}))
	if held := answer.GetAcknowledgement().GetHeld(); len(held) != 2 || held[0].GetCode() != "unconfirmed" || !answer.GetUnconfirmed() || answer.GetPage() != nil {
		t.Fatalf("before it is confirmed: %v", answer)
	}
	if err := d.Service.Confirm(ctx, anna.Device.ID); err != nil {
		t.Fatal(err)
	}
	if anna.Device, err = d.Service.Device(ctx, anna.Device.ID); err != nil {
		t.Fatal(err)
	}
	answer = syncs(t, anna, asks(anna))
	if answer.GetUnconfirmed() || len(answer.GetPage().GetSettled()) != 2 || stands(t, d, made.Record).ID != made.Record {
		t.Errorf("after: %v", answer)
	}
	addsUp(t, d)
	// The journal outlives another set-back: the tablet need not be confirmed again.
	d.SetBack(older)
	if introduced, err = d.Service.Introduced(anna.Device.ID, certificate); err != nil || introduced.AdmittedAt != 0 {
		t.Errorf("after another set-back: %+v %v", introduced, err)
	}
}

// A code was used after the backup: no second tablet comes in by it.
func TestAUsedCodeStaysUsed(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	secret, err := d.Service.NewEnrolmentCode(ctx, d.Workers["anna"], hlc.ID{}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	older := d.Copy()
	enrol := func(key byte) (*syncv1.EnrolResponse, error) {
		return d.Service.Enrol(ctx, &syncv1.EnrolRequest{Protocol: 1, Secret: secret, PublicKey: bytes.Repeat([]byte{key}, 32)})
	}
	if _, err := enrol(1); err != nil {
		t.Fatal(err)
	}
	d.SetBack(older)
	if _, err := enrol(2); problem.CodeOf(err) != problem.EnrolmentCodeUsed {
		t.Errorf("another tablet: %v", err)
	}
	if _, err := enrol(1); err != nil {
		t.Errorf("the same tablet, whose answer was lost: %v", err)
	}
}

// The journal's file is lost as well. A tablet brings it back.
func TestTabletsCarryTheJournal(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	answer := syncs(t, anna, asks(anna))
	carried := answer.GetJournalEntries()
	if len(carried) != 1 || answer.GetJournal().GetPosition() != 1 {
		t.Fatalf("the journal: %v", answer)
	}
	if answer = syncs(t, anna, asks(anna)); len(answer.GetJournalEntries()) > 0 || answer.GetJournal() != nil {
		t.Errorf("again: %v", answer)
	}
	d.LoseJournal()
	if answer = syncs(t, anna, asks(anna)); !answer.GetSendJournal() {
		t.Fatalf("to a mark of a journal that is gone: %v", answer)
	}
	forged := proto.Clone(carried[0]).(*syncv1.JournalEntry)
	forged.Subject = bytes.Repeat([]byte{9}, 32)
	request := asks(anna)
	request.Journal, request.JournalEntries = nil, []*syncv1.JournalEntry{carried[0], forged}
	if answer = syncs(t, anna, request); len(answer.GetJournalEntries()) != 1 || !proto.Equal(answer.GetJournalEntries()[0], carried[0]) {
		t.Errorf("brought back: %v", answer.GetJournalEntries())
	}
}

// The server's clock had run ahead, and with an older copy of its database it was set right. What is given back from that
// time waits: it would win for ever. The change that a tablet sends again is held too, and stops nothing.
func TestStampsFromTheFutureWait(t *testing.T) {
	d := servertest.New(t)
	anna, coordinator := d.Enrol("anna"), d.Enrol("coordinator")
	older := d.Copy()
	right := d.Wall()
	d.SetWall(d.Wall().AddDate(0, 1, 0))
	made := anna.Make(numbered("1"))
	anna.Push(made)
	coordinator.Pull()
	d.SetWall(right)
	d.SetBack(older)

	request := &syncv1.SyncRequest{Protocol: 1, Clock: d.Wall().UnixMilli(), GiveBack: []*syncv1.GivenRecord{back(coordinator, made.Record)}}
	if code := syncs(t, coordinator, request).GetGiven()[0].GetCode(); code != "stamp_in_future" {
		t.Fatalf("given back: %q", code)
	}
	anna.Sent, anna.Chain = nil, batch.Start(anna.ID, anna.Replica)
	send := anna.Request(anna.Batch(made, anna.Make(&recordv1.Outreach{Households: proto.Uint32(3)})))
	send.Pull = nil
	if _, err := anna.Sync(send); problem.CodeOf(err) != problem.ClockSkew {
		t.Fatalf("a new change with a stamp from the future: %v", err)
	}
	anna.Clock = hlc.NewClock(d.Wall, 0)
	send = anna.Request(anna.Batch(made, anna.Make(&recordv1.Outreach{Households: proto.Uint32(3)})))
	send.Pull, send.Accepted = nil, 1
	if ack := syncs(t, anna, send).GetAcknowledgement(); ack.GetHave() != 2 || len(ack.GetHeld()) != 1 || ack.GetHeld()[0].GetCode() != "stamp_in_future" {
		t.Fatalf("sent again: %v", ack)
	}
	coordinator.Clock = hlc.NewClock(d.Wall, 0)
	coordinator.Cursor = &syncv1.Mark{}
	coordinator.Push(coordinator.Make(decisionOn(made.ID, recordv1.Decision_DECISION_RELEASE)))
	// With the one comes what was held for the same reason.
	if got := outcomes(t, d, made.Record); !slices.Equal(got, []string{"given", ""}) && !slices.Equal(got, []string{"given", "known"}) {
		t.Errorf("released: %q", got)
	}
	anna.Clock.Observe(made.Stamp.Time)
	anna.Cursor = &syncv1.Mark{}
	anna.Remember(made.Encode())
	anna.Remember(send.GetPush().GetEntries()[1].GetChange())
	if held := anna.Push(anna.Make(&recordv1.Outreach{Households: proto.Uint32(5)})).GetAcknowledgement().GetHeld(); len(held) > 0 {
		t.Errorf("what follows is held: %v", held)
	}
	// Who released it wants it; what comes after it must be able to, and the server starts again.
	d.Close()
	d.Open()
	addsUp(t, d)
}

// Ben moves to the other team: his tablet is told to drop what it may not have any more, by name. Who stays keeps it.
func TestATabletIsToldWhatToDrop(t *testing.T) {
	d := servertest.New(t)
	anna, ben, coordinator := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("coordinator")
	stays, goes := anna.Make(numbered("1")), anna.Make(numbered("2"))
	anna.Push(stays, goes)
	ben.Pull()
	coordinator.Pull()
	d.Pass(time.Second)
	coordinator.Push(coordinator.Edit(goes.Record, &recordv1.Case{Team: d.Teams[1][:]}))
	if dropped := ben.Pull().GetDropped(); len(dropped) != 1 || !bytes.Equal(dropped[0], goes.Record[:]) {
		t.Errorf("a case went to another team: %x", dropped)
	}
	coordinator.Push(coordinator.Edit(d.Workers["ben"], &recordv1.Worker{Team: d.Teams[1][:]}))
	if dropped := ben.Pull().GetDropped(); len(dropped) != 1 || !bytes.Equal(dropped[0], stays.Record[:]) {
		t.Errorf("he went to another team: %x", dropped)
	}
	if dropped := anna.Pull().GetDropped(); len(dropped) != 1 || !bytes.Equal(dropped[0], goes.Record[:]) {
		t.Errorf("who stays is told to drop %x", dropped)
	}
	if dropped := coordinator.Pull().GetDropped(); len(dropped) > 0 {
		t.Errorf("a coordinator is told to drop %x", dropped)
	}
}

// Bytes that no tablet sends: a change of the record of no id, and a record of no id given back.
func TestTheRecordOfNoID(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	c := anna.Make(numbered("1"))
	c.Record = hlc.ID{}
	if held := anna.Push(c).GetAcknowledgement().GetHeld(); len(held) != 1 {
		t.Errorf("held: %v", held)
	}
	request := asks(anna)
	request.GiveBack = []*syncv1.GivenRecord{{Id: make([]byte, 16), Kind: 5}}
	if _, err := anna.Sync(request); problem.CodeOf(err) != problem.Malformed {
		t.Errorf("given back: %v", err)
	}
}
