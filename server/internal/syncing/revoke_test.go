package syncing_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// look reads a device as the next request finds it.
func look(t *testing.T, v *servertest.Device) syncing.Device {
	t.Helper()
	d, err := v.Service.Device(context.Background(), v.Device.ID)
	if err != nil {
		t.Fatal(err)
	}
	v.Device = d
	return d
}

// allHeld fails unless an answer holds every change of a batch because the device was revoked, and gives nothing.
func allHeld(t *testing.T, v *servertest.Device, answer *syncv1.SyncResponse, count int) {
	t.Helper()
	held := answer.GetAcknowledgement().GetHeld()
	for _, h := range held {
		if h.GetCode() != string(record.CodeDeviceRevoked) {
			t.Errorf("change %d is held as %q", h.GetSequence(), h.GetCode())
		}
	}
	if len(held) != count {
		t.Errorf("%d of %d changes are held", len(held), count)
	}
	if answer.GetPage() != nil || answer.GetCertificate() != nil || len(answer.GetJournalEntries()) > 0 || !answer.GetUnconfirmed() {
		t.Errorf("a revoked device was given: %v", answer)
	}
	e := answer.GetRevocation()
	if err := wire.CheckJournalEntry(v.Keys.PublicKey(), v.ID, e); err != nil || e.GetSort() != wire.JournalRevoked || hlc.ID(e.GetSubject()) != v.Device.ID {
		t.Errorf("the revocation %v: %v", e, err)
	}
}

func TestWhatARevokedTabletStillSendsIsHeld(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	anna, ben, coordinator := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("coordinator")
	before := anna.Make(numbered("before"))
	anna.Push(before)
	ben.Pull()
	if err := d.Service.Revoke(ctx, d.NewID()); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a device that is not there: %v", err)
	}
	stale := anna.Device // as a request has it that was let in just before
	for range 2 {
		if err := d.Service.Revoke(ctx, anna.Device.ID); err != nil {
			t.Fatal(err)
		}
	}
	if look(t, anna).RevokedAt != d.Wall().UnixMilli() {
		t.Fatalf("not revoked: %+v", anna.Device)
	}
	anna.Device = stale
	made := anna.Make(numbered("meanwhile"))
	allHeld(t, anna, anna.Push(made), 1)

	look(t, anna)
	changes := []*record.Change{anna.Edit(before.Record, &recordv1.Case{CaseNo: proto.String("edited")})}
	changes = append(changes, anna.Edit(d.NewID(), &recordv1.Case{CaseNo: proto.String("of a record that is nowhere")}))
	for i := range 18 {
		changes = append(changes, anna.Make(numbered(fmt.Sprint(i))))
	}
	bodies := make([][]byte, len(changes))
	for i, c := range changes {
		bodies[i] = c.Encode()
	}
	request := anna.Request(anna.BatchOf(bodies...))
	request.GiveBack = []*syncv1.GivenRecord{back(ben, before.Record)}
	request.Certificate, _ = d.Keys.Certify(d.ID, anna.Device, anna.Team, 1, d.Wall())
	answer := syncs(t, anna, request)
	anna.Remember(bodies...)
	allHeld(t, anna, answer, 20)
	if len(answer.GetGiven()) > 0 || answer.GetAcknowledgement().GetHave() != 22 {
		t.Errorf("given %v, have %d", answer.GetGiven(), answer.GetAcknowledgement().GetHave())
	}
	// The answer was lost: it is given again, and nothing is taken twice.
	allHeld(t, anna, syncs(t, anna, request), 20)
	if got := outcomes(t, d, before.Record); !slices.Equal(got, []string{syncing.Applied, string(record.CodeDeviceRevoked)}) {
		t.Errorf("the record's changes: %q", got)
	}
	for _, c := range changes[2:] {
		if stands(t, d, c.Record).ID != (hlc.ID{}) {
			t.Error("a held record is there")
		}
	}
	tampered := anna.Request(anna.Batch(anna.Make(numbered("tampered"))))
	tampered.Push.Signature[0] ^= 1
	if _, err := anna.Sync(tampered); problem.CodeOf(err) != problem.SignatureInvalid {
		t.Errorf("a batch that it did not sign: %v", err)
	}
	// A coordinator releases what is good; a team's supervisor may not.
	if err := d.Service.Decide(ctx, made.ID, recordv1.Decision_DECISION_RELEASE, d.Workers["super"], ""); problem.CodeOf(err) != problem.InvalidArgument {
		t.Errorf("a supervisor: %v", err)
	}
	for _, c := range []*record.Change{made, changes[0]} {
		if err := d.Service.Decide(ctx, c.ID, recordv1.Decision_DECISION_RELEASE, d.Workers["coordinator"], ""); err != nil {
			t.Errorf("the coordinator: %v", err)
		}
	}
	coordinator.Pull()
	var edited recordv1.Case
	if err := proto.Unmarshal(coordinator.Seen[before.Record].Fields(), &edited); err != nil || edited.GetCaseNo() != "edited" || coordinator.Seen[made.Record] == nil {
		t.Errorf("released: %v, %v", &edited, err)
	}
	addsUp(t, d)
}

// What waited for another record before the tablet was revoked is judged as ever when that comes.
func TestWhatCameBeforeTheRevocationStands(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	of := ben.Make(numbered("of"))
	session := anna.Make(&recordv1.CaseSession{Case: of.Record[:], Minutes: proto.Uint32(30)})
	if held := anna.Push(session).GetAcknowledgement().GetHeld(); len(held) != 1 || held[0].GetCode() != string(record.CodeOwnerMissing) {
		t.Fatalf("held: %v", held)
	}
	if err := d.Service.Revoke(ctx, anna.Device.ID); err != nil {
		t.Fatal(err)
	}
	ben.Push(of)
	if got := outcomes(t, d, session.Record); len(got) != 1 || got[0] != syncing.Applied {
		t.Errorf("it is %q", got)
	}
	addsUp(t, d)
}

func TestARevocationOutlivesASetBack(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	unknown := d.Copy()
	anna := d.Enrol("anna")
	certificate, err := d.Keys.Certify(d.ID, anna.Device, anna.Team, 1, d.Wall())
	if err != nil {
		t.Fatal(err)
	}
	known := d.Copy()
	if err := d.Service.Revoke(ctx, anna.Device.ID); err != nil {
		t.Fatal(err)
	}
	d.SetBack(known)
	var listed syncing.Device
	if err := d.DB.Deployment(d.ID).Read(ctx, func(tx syncing.Reading) (err error) {
		listed, _, err = tx.Device(anna.Device.ID)
		return err
	}); err != nil || listed.RevokedAt == 0 {
		t.Errorf("the list has it as %+v, %v", listed, err)
	}
	look(t, anna)
	allHeld(t, anna, anna.Push(anna.Make(numbered("1"))), 1)

	d.SetBack(unknown)
	introduced, err := d.Service.Introduced(anna.Device.ID, certificate)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Service.Admit(ctx, introduced); err != nil {
		t.Fatal(err)
	}
	anna.Device = introduced
	anna.Renumber()
	allHeld(t, anna, anna.Push(anna.Make(numbered("2"))), 1)
	if err := d.Service.Confirm(ctx, anna.Device.ID); problem.CodeOf(err) != problem.InvalidArgument {
		t.Errorf("a revoked tablet was confirmed: %v", err)
	}
	// Even with the journal lost a database that has it noted is enough.
	d.LoseJournal()
	look(t, anna)
	allHeld(t, anna, anna.Push(anna.Make(numbered("3"))), 1)
	addsUp(t, d)
}

func TestANewTabletTakesThePlaceOfAnOldOne(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	old := d.Enrol("anna")
	enrol := func(secret string, key byte) (*syncv1.EnrolResponse, error) {
		return d.Service.Enrol(ctx, &syncv1.EnrolRequest{Protocol: 1, Secret: secret, PublicKey: append(make([]byte, 31), key), Name: "new"})
	}
	if _, err := d.Service.NewEnrolmentCode(ctx, d.Workers["ben"], old.Device.ID, time.Hour); problem.CodeOf(err) != problem.InvalidArgument {
		t.Errorf("another worker's: %v", err)
	}
	if _, err := d.Service.NewEnrolmentCode(ctx, d.Workers["anna"], d.NewID(), time.Hour); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("no tablet: %v", err)
	}
	secret, err := d.Service.NewEnrolmentCode(ctx, d.Workers["anna"], old.Device.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if look(t, old).RevokedAt != 0 {
		t.Fatal("revoked before the code was used")
	}
	answer, err := enrol(secret, 1)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := enrol(secret, 1); err != nil || hlc.ID(again.GetDevice()) != hlc.ID(answer.GetDevice()) {
		t.Errorf("asked again: %v, %v", again, err)
	}
	if got := look(t, old); got.RevokedAt == 0 || got.ReplacedBy != hlc.ID(answer.GetDevice()) {
		t.Errorf("the old tablet: %+v", got)
	}
	allHeld(t, old, old.Push(old.Make(numbered("late"))), 1)
	if _, err := d.Service.NewEnrolmentCode(ctx, d.Workers["anna"], old.Device.ID, time.Hour); problem.CodeOf(err) != problem.InvalidArgument {
		t.Errorf("a revoked tablet was replaced: %v", err)
	}
	// A revoked tablet does not enrol anew with the code that let it in.
	if err := d.Service.Revoke(ctx, hlc.ID(answer.GetDevice())); err != nil {
		t.Fatal(err)
	}
	if _, err := enrol(secret, 1); problem.CodeOf(err) != problem.DeviceRevoked {
		t.Errorf("a revoked tablet enrolled: %v", err)
	}
}

func TestATabletGetsAnotherName(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	anna := d.Enrol("anna")
	for _, name := range []string{"", " ", string(make([]byte, 101)), "\xff"} {
		if err := d.Service.Rename(ctx, anna.Device.ID, name); problem.CodeOf(err) != problem.InvalidArgument {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := d.Service.Rename(ctx, d.NewID(), "x"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("no tablet: %v", err)
	}
	if err := d.Service.Rename(ctx, anna.Device.ID, "王庄一号"); err != nil {
		t.Fatal(err)
	}
	if look(t, anna).Name != "王庄一号" {
		t.Errorf("it is %q", anna.Device.Name)
	}
	anna.Push(anna.Make(numbered("1")))
	d.Close()
	d.Open()
	if look(t, anna).Name != "王庄一号" {
		t.Errorf("after a restart it is %q", anna.Device.Name)
	}
}

func TestATypedCodeIsKnownByItsSecret(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	older := d.Copy()
	secret, err := d.Service.NewEnrolmentCode(ctx, d.Workers["anna"], hlc.ID{}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	knows := func(secret string) bool {
		known, err := d.Service.KnowsCode(ctx, secret)
		if err != nil {
			t.Fatal(err)
		}
		return known
	}
	if !knows(secret) || knows("WRONG") {
		t.Error("codes are not told apart")
	}
	if _, err := d.Service.Enrol(ctx, &syncv1.EnrolRequest{Protocol: 1, Secret: secret, PublicKey: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	d.SetBack(older)
	if !knows(secret) {
		t.Error("a used code is forgotten with the database")
	}
}
