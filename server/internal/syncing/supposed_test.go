package syncing_test

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
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
