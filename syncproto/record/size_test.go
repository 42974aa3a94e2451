package record_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/cputime"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// soon is far more than the largest message takes that may come, and far less than it takes when each field is looked
// for among all others.
const soon = 5 * time.Second

func within(t *testing.T, what string, do func()) {
	t.Helper()
	if took := cputime.Of(do); took > soon && !raced {
		t.Errorf("%s took %v", what, took)
	}
}

// As many registers as fit into a message, each with a stamp of its own, in the order that is the hardest.
func TestAStateOfVeryManyFieldsIsReadAndWrittenSoon(t *testing.T) {
	const fields = 120_000
	m := &syncv1.State{Stamps: make([]*syncv1.Stamping, 0, fields)}
	for f := uint32(fields); f > 0; f-- {
		m.Stamps = append(m.Stamps, &syncv1.Stamping{Stamp: &syncv1.Stamp{Time: uint64(f), Replica: 1}, Fields: []uint32{f}})
	}
	b, err := proto.Marshal(m)
	if err != nil || len(b) > wire.MaxMessageBytes {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	var rs record.Registers
	within(t, "reading", func() { rs, err = record.DecodeState(b) })
	if err != nil || len(rs) != fields || rs.Get(fields).Stamp.Time != fields {
		t.Fatalf("%d registers, %v", len(rs), err)
	}
	within(t, "merging", func() { rs = record.Merge(rs, rs) })
	within(t, "writing", func() { b = record.EncodeState(rs) })
	if again, err := record.DecodeState(b); err != nil || !same(again, rs) {
		t.Fatalf("it comes back as %d registers, %v", len(again), err)
	}
}

// As many fields as fit into a change: the emptied ones stand before those that are set.
func TestAChangeOfVeryManyFieldsIsReadSoon(t *testing.T) {
	const cleared, set = 15_000, 6_000
	m := &syncv1.Change{Id: slices.Repeat([]byte{1}, 16), Kind: 9_999}
	for f := protowire.Number(1); f <= cleared; f++ {
		m.Cleared = append(m.Cleared, uint32(f))
	}
	for f := protowire.Number(cleared + 1); f <= cleared+set; f++ {
		m.Fields = protowire.AppendVarint(protowire.AppendTag(m.Fields, f, protowire.VarintType), 1)
	}
	b, err := proto.Marshal(m)
	if err != nil || len(b) > batch.MaxChangeBytes {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	c, err := record.DecodeChange(b, 7)
	if err != nil {
		t.Fatal(err)
	}
	times := 200 // six full batches
	if raced {
		times = 2
	}
	within(t, "what it sets", func() {
		for range times {
			if rs := c.Registers(); len(rs) != cleared+set || rs[0].Stamp != c.Stamp {
				t.Fatalf("%d registers", len(rs))
			}
		}
	})
	// Each field has a parent of its own.
	for f := protowire.Number(1); f <= cleared; f++ {
		c.Parents[f] = hlc.Stamp{Time: hlc.Time(f), Replica: 1}
	}
	within(t, "writing it with parents", func() { b = c.Encode() })
	if again, err := record.DecodeChange(b, 7); err != nil || len(again.Parents) != cleared {
		t.Fatalf("%d parents, %v", len(again.Parents), err)
	}
}
