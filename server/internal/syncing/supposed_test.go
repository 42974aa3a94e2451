package syncing_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

// A change that makes a record comes from a second tablet too, as from a copy of the first: nobody looks whether the record is there before
// it is written, and it is found nevertheless, by what is done with it and by what is not.
func TestARecordThatIsThereIsNotTakenForNew(t *testing.T) {
	visit := func(households uint32) *recordv1.Outreach {
		return &recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(households)}
	}
	for name, c := range map[string]struct {
		// second are the changes of the second tablet, of which first made the record and edit changes it.
		second    func(copied, edit *record.Change) []*record.Change
		known     []uint64
		held      int
		household int64
	}{
		"made again":            {func(copied, _ *record.Change) []*record.Change { return []*record.Change{copied} }, []uint64{1}, 0, 1},
		"made again and edited": {func(copied, edit *record.Change) []*record.Change { return []*record.Change{copied, edit} }, []uint64{1}, 0, 2},
		"edited and made again": {func(copied, edit *record.Change) []*record.Change { return []*record.Change{edit, copied} }, []uint64{2}, 0, 2},
		"made on no day, and edited": {func(copied, edit *record.Change) []*record.Change {
			copied.Fields = bytes.Replace(copied.Fields, protowire.AppendVarint([]byte{0x20}, 20211001), protowire.AppendVarint([]byte{0x20}, 20211399), 1)
			return []*record.Change{copied, edit}
		}, []uint64{1}, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			d := servertest.New(t)
			anna, ben := d.Enrol("anna"), d.Enrol("ben")
			first := anna.Make(visit(1))
			anna.Push(first)
			ben.Pull()
			copied := *first
			copied.Stamp.Replica = ben.Replica
			commits := 0
			d.Observe(func(c syncing.Commit) { commits += min(c.Jobs, 1) })
			ack := ben.Push(c.second(&copied, ben.Edit(first.Record, visit(2)))...).GetAcknowledgement()
			if !slices.Equal(ack.GetKnown(), c.known) || len(ack.GetHeld()) != c.held || commits != 1 {
				t.Errorf("known %v, held %v, in %d commits", ack.GetKnown(), ack.GetHeld(), commits)
			}
			if n := register(t, d, first.Record, 17).Number(); n != c.household {
				t.Errorf("%d households", n)
			}
		})
	}
}

// Another batch of the same commit may bring in the record that was taken for new, with its family.
func TestARecordThatComesWithItsFamilyIsNotTakenForNew(t *testing.T) {
	d := servertest.New(t)
	anna, ben, copier := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("anna")
	made := anna.Make(numbered("1"))
	anna.Push(made)
	visit := anna.Make(&recordv1.CaseSession{Case: made.Record[:], OccurredOn: proto.Int32(20211001)})
	anna.Push(visit)
	ben.Pull()
	if err := d.Service.Revoke(t.Context(), copier.Device.ID); err != nil {
		t.Fatal(err)
	}
	look(t, copier)
	copied := *made
	copied.Stamp.Replica = copier.Replica
	acks, err := d.Service.PushTogether(t.Context(), d.Wall(),
		syncing.Sent{Device: copier.Device, Batch: copier.Batch(&copied)},
		syncing.Sent{Device: ben.Device, Batch: ben.Batch(ben.Edit(visit.Record, &recordv1.CaseSession{Minutes: proto.Uint32(30)}), ben.Edit(made.Record, numbered("2")))})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(acks[0].GetKnown(), []uint64{1}) || len(acks[0].GetHeld()) > 0 || acks[1].GetHave() != 2 || len(acks[1].GetHeld()) > 0 {
		t.Errorf("%v", acks)
	}
	addsUp(t, d)
}

// undone is a store that undoes the next transaction that writes, once all of it was done.
type undone struct {
	syncing.Store
	next *bool
}

func (u undone) Write(ctx context.Context, fn func(syncing.Writing) error) error {
	return u.Store.Write(ctx, func(tx syncing.Writing) error {
		err := fn(tx)
		if err == nil && *u.next {
			*u.next, err = false, syncing.ErrNotNew
		}
		return err
	})
}

// What was noted in the journal stands, though the commit is done again because of what another batch in it supposed.
func TestATabletThatEnrolsTwiceOverIsOne(t *testing.T) {
	d := servertest.New(t)
	old := d.Enrol("anna")
	var next bool
	d.Between = func(s syncing.Store) syncing.Store { return undone{s, &next} }
	d.Close()
	d.Open()
	secret, err := d.Service.NewEnrolmentCode(t.Context(), d.Workers["anna"], old.Device.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	next = true
	answer, err := d.Service.Enrol(t.Context(), &syncv1.EnrolRequest{Protocol: 1, Secret: secret, PublicKey: make([]byte, 32), Name: "new"})
	if err != nil || next {
		t.Fatal(err, next)
	}
	if by := look(t, old).ReplacedBy; by != hlc.ID(answer.GetDevice()) {
		t.Errorf("%v took the place, and the old tablet says %v", hlc.ID(answer.GetDevice()), by)
	}
}
