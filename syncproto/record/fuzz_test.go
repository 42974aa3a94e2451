package record_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
)

// drawnWorld is what some replicas logged: examples for the fuzzer to start from.
func drawnWorld() *oracle.World {
	return rapid.Custom(func(t *rapid.T) *oracle.World {
		w := oracle.NewWorld(t)
		for range 60 {
			w.Step(t)
		}
		return w
	}).Example(1)
}

// mustHaveCode checks that an error is a Problem with one of the codes that its function says.
func mustHaveCode(t *testing.T, err error, codes ...record.Code) {
	t.Helper()
	var p *record.Problem
	if !errors.As(err, &p) || !slices.Contains(codes, p.Code) {
		t.Fatalf("%v, want one of %q", err, codes)
	}
}

// FuzzDecodeChange: whatever is read as a change is written and read again as the same, and does no harm to any state
// that it meets.
func FuzzDecodeChange(f *testing.F) {
	for _, c := range drawnWorld().Changes {
		f.Add(c.Encode(), record.EncodeState(c.Registers()))
	}
	f.Fuzz(func(t *testing.T, b, state []byte) {
		c, err := record.DecodeChange(b, 7)
		if err != nil {
			mustHaveCode(t, err, record.CodeMalformed, record.CodeUnknownKind, record.CodeNotCanonical)
			return
		}
		encoded := c.Encode()
		again, err := record.DecodeChange(encoded, 7)
		if err != nil || !reflect.DeepEqual(tidy(again), tidy(c)) || !bytes.Equal(again.Encode(), encoded) {
			t.Fatalf("what was read is %+v, and reads as %+v, %v", c, again, err)
		}
		set := c.Registers()
		mustAscend(t, set)
		if !bytes.Equal(set.Fields(), c.Fields) {
			t.Fatalf("%x sets %x", c.Fields, set.Fields())
		}
		for _, r := range set {
			if r.Stamp != c.Stamp || r.Parent != c.Parents[r.Field] {
				t.Fatalf("%+v sets %+v", c, r)
			}
		}

		standing, err := record.DecodeState(state)
		if err != nil {
			return
		}
		merged := record.Merge(standing, set)
		if back, err := record.DecodeState(record.EncodeState(merged)); err != nil || !same(back, merged) {
			t.Fatalf("%v is kept as %v, %v", merged, back, err)
		}
		record.DeletionClashes(standing, c)
		seen := *c
		seen.Seen, seen.DeletionSeen = standing.Digest(), standing.Get(record.DeletedField).Stamp
		if record.DeletionClashes(standing, &seen) {
			t.Fatalf("%+v saw all of %v, and clashes", seen, standing)
		}
		none := func(hlc.Stamp) bool { return false }
		for _, r := range set {
			stands := standing.Get(r.Field)
			r.Parent = stands.Stamp
			if got := record.Meet(stands, r, none); got != record.Succeeds {
				t.Fatalf("%+v names what stands as its parent and meets it as %v", r, got)
			}
		}
	})
}

// tidy is a change without the difference between nothing and no bytes.
func tidy(c *record.Change) record.Change {
	tidied := *c
	tidied.Fields, tidied.Seen = append([]byte{}, c.Fields...), append([]byte{}, c.Seen...)
	return tidied
}

func mustAscend(t *testing.T, rs record.Registers) {
	t.Helper()
	for i, r := range rs {
		if !r.Field.IsValid() || (i > 0 && r.Field <= rs[i-1].Field) {
			t.Fatalf("%v do not ascend", rs)
		}
	}
}

// FuzzDecodeState: what is read as a state has one encoding, which reads as the same.
func FuzzDecodeState(f *testing.F) {
	for _, r := range drawnWorld().Records() {
		f.Add(record.EncodeState(r.Registers))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rs, err := record.DecodeState(b)
		if err != nil {
			mustHaveCode(t, err, record.CodeMalformed)
			return
		}
		mustAscend(t, rs)
		encoded := record.EncodeState(rs)
		again, err := record.DecodeState(encoded)
		if err != nil || !same(again, rs) || !bytes.Equal(record.EncodeState(again), encoded) {
			t.Fatalf("what was read is %v, and reads as %v, %v", rs, again, err)
		}
		if size := len(rs.Fields()); size != rs.Size() {
			t.Fatalf("%d bytes are said to be %d", size, rs.Size())
		}
		for _, r := range rs { // what is asked of registers by those who do not know their kind
			if ids := r.IDs(); r.ID() != (hlc.ID{}) && (len(ids) != 1 || ids[0] != r.ID()) {
				t.Fatalf("%x holds %v and %v", r.Value, r.ID(), ids)
			}
			r.Number()
		}
		rs.Deleted()
	})
}

// FuzzMerge: any states merge into one, whatever the order, and as the oracle merges them.
func FuzzMerge(f *testing.F) {
	records := drawnWorld().Records()
	for i := range records {
		f.Add(record.EncodeState(records[i].Registers), record.EncodeState(records[(i+1)%len(records)].Registers), []byte{1, 7, 0, 1, 2, 1, 6, 1})
	}
	f.Add([]byte{1, 7, 1, 1, 2, 1, 0, 2}, []byte{1, 7, 1, 2, 2, 1, 0, 1}, []byte{1, 8, 1, 1})
	f.Fuzz(func(t *testing.T, x, y, z []byte) {
		a, b, c := registersFrom(x), registersFrom(y), registersFrom(z)
		was := [][]byte{record.EncodeState(a), record.EncodeState(b), record.EncodeState(c)}
		ab := record.Merge(a, b)
		all := record.Merge(ab, c)
		mustAscend(t, all)
		switch {
		case !same(ab, record.Merge(b, a)):
			t.Fatalf("%v and %v do not commute", a, b)
		case !same(all, record.Merge(a, record.Merge(b, c))):
			t.Fatalf("%v, %v and %v do not associate", a, b, c)
		case !same(record.Merge(all, b), all), !same(record.Merge(a, a), a):
			t.Fatalf("%v comes twice and counts twice", b)
		case !same(all, oracle.Merge(a, b, c)):
			t.Fatalf("%v, want %v", all, oracle.Merge(a, b, c))
		case !bytes.Equal(record.EncodeState(all), record.EncodeState(oracle.Merge(c, b, a))):
			t.Fatalf("%v has two encodings", all)
		case !slices.EqualFunc(was, []record.Registers{a, b, c}, func(b []byte, rs record.Registers) bool { return bytes.Equal(b, record.EncodeState(rs)) }):
			t.Fatal("Merge changed an argument")
		}
	})
}

// registersFrom reads an encoded state. What is none still says something: pairs of bytes are registers, with few
// fields, stamps and values, so that the states of one input meet.
func registersFrom(b []byte) record.Registers {
	if rs, err := record.DecodeState(b); err == nil {
		return rs
	}
	fields := []protowire.Number{1, 4, record.DeletedField, 500, protowire.MaxValidNumber}
	var rs record.Registers
	for len(b) >= 2 {
		how := binary.BigEndian.Uint16(b)
		b = b[2:]
		field := fields[int(how)%len(fields)]
		r := record.Register{Field: field, Stamp: hlc.Stamp{Time: hlc.Time(how >> 4 & 3), Replica: hlc.Replica(how >> 6 & 3)},
			Parent: hlc.Stamp{Time: hlc.Time(how >> 8 & 3), Replica: hlc.Replica(how >> 10 & 3)}}
		if value := how >> 12 & 3; value > 0 {
			r.Value = text(field, "村镇县"[:3*value])
		}
		rs = record.Merge(rs, record.Registers{r})
	}
	return rs
}
