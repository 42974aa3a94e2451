package record_test

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
)

func TestAChangeComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := oracle.NewWorld(t)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.Step(t)
		}
		for _, c := range w.Changes {
			back, err := record.DecodeChange(c.Encode(), c.Stamp.Replica)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(back.Fields, c.Fields) || !bytes.Equal(back.Seen, c.Seen) || !slices.Equal(back.Cleared, c.Cleared) ||
				!maps.Equal(back.Parents, c.Parents) {
				t.Fatalf("%+v came back as %+v", c, back)
			}
			back.Fields, back.Seen, back.Cleared, back.Parents = c.Fields, c.Seen, c.Cleared, c.Parents
			if !reflect.DeepEqual(back, c) {
				t.Fatalf("%+v came back as %+v", c, back)
			}
			if !same(back.Registers(), c.Registers()) {
				t.Fatalf("registers %v came back as %v", c.Registers(), back.Registers())
			}
			for _, r := range c.Registers() {
				if r.Stamp != c.Stamp || r.Parent != c.Parents[r.Field] || (len(r.Value) == 0) != slices.Contains(c.Cleared, r.Field) {
					t.Fatalf("%+v sets %+v", c, r)
				}
			}
			if !bytes.Equal(c.Registers().Fields(), c.Fields) {
				t.Fatalf("%+v sets %v", c, c.Registers())
			}
		}
	})
}

// What DecodeChange accepts must do no harm later: its registers are merged and kept as a state.
func TestDecodeChangeTakesAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := oracle.NewWorld(t)
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			w.Step(t)
		}
		sent := w.Changes[rapid.IntRange(0, len(w.Changes)-1).Draw(t, "change")].Encode()
		c, err := record.DecodeChange(spoiled(t, sent), 7)
		if err != nil {
			mustBeProblem(t, err, record.CodeMalformed, record.CodeUnknownKind, record.CodeNotCanonical)
			return
		}
		rs := c.Registers()
		if back, err := record.DecodeState(record.EncodeState(record.Merge(nil, rs))); err != nil || !same(back, rs) {
			t.Fatalf("%v is kept as %v, %v", rs, back, err)
		}
		record.DeletionClashes(oracle.Registers(t), c)
		again, err := record.DecodeChange(c.Encode(), 7)
		if err != nil || again.ID != c.ID || again.Stamp != c.Stamp || !same(again.Registers(), rs) {
			t.Fatalf("what was read is %+v, and reads as %+v, %v", c, again, err)
		}
	})
}

func TestDecodeChangeRefusesWhatEncodeNeverWrites(t *testing.T) {
	id := hlc.ID{6: 0x70, 15: 1}
	sound := func() *syncv1.Change {
		return &syncv1.Change{Id: id[:], Kind: 5, Time: 1 << 20, Fields: text(16, "HN-2021-001")}
	}
	for _, c := range []struct {
		what  string
		spoil func(*syncv1.Change)
		code  record.Code
	}{
		{"nothing", func(*syncv1.Change) {}, ""},
		{"no id", func(m *syncv1.Change) { m.Id = nil }, record.CodeMalformed},
		{"a short id", func(m *syncv1.Change) { m.Id = id[:15] }, record.CodeMalformed},
		{"a long record", func(m *syncv1.Change) { m.Record = make([]byte, 17) }, record.CodeMalformed},
		{"no kind", func(m *syncv1.Change) { m.Kind = 0 }, record.CodeUnknownKind},
		{"a negative kind", func(m *syncv1.Change) { m.Kind = 1 << 31 }, record.CodeUnknownKind},
		{"a time before 1970", func(m *syncv1.Change) { m.Time = -1 << 20 }, record.CodeMalformed},
		{"a time of more than 63 bits", func(m *syncv1.Change) { m.Time = -1 << 63 }, record.CodeMalformed},
		{"fields out of order", func(m *syncv1.Change) { m.Fields = append(text(17, "村"), text(16, "镇")...) }, record.CodeNotCanonical},
		{"fields that are cut short", func(m *syncv1.Change) { m.Fields = text(17, "村")[:3] }, record.CodeNotCanonical},
		{"a field number beyond protobuf's", func(m *syncv1.Change) { m.Fields = text(protowire.MaxValidNumber+1, "村") }, record.CodeNotCanonical},
		{"cleared out of order", func(m *syncv1.Change) { m.Cleared = []uint32{18, 17} }, record.CodeNotCanonical},
		{"cleared twice", func(m *syncv1.Change) { m.Cleared = []uint32{17, 17} }, record.CodeNotCanonical},
		{"cleared and set", func(m *syncv1.Change) { m.Cleared = []uint32{16} }, record.CodeNotCanonical},
		{"cleared field 0", func(m *syncv1.Change) { m.Cleared = []uint32{0} }, record.CodeNotCanonical},
	} {
		m := sound()
		c.spoil(m)
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		change, err := record.DecodeChange(b, 7)
		if err != nil && strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: the error reads %q", c.what, err)
		}
		var code record.Code
		if p, ok := err.(*record.Problem); ok { //nolint:errorlint // the doc says that it is one
			code = p.Code
		}
		if code != c.code || (err == nil) != (c.code == "") {
			t.Errorf("%s is read as %+v, %v", c.what, change, err)
		}
	}
}

func TestAnEditLeavesOutWhatItDoesNotChange(t *testing.T) {
	by := hlc.Stamp{Time: 1, Replica: 1}
	seen := record.Registers{
		{Field: 16, Value: text(16, "旧名"), Stamp: by}, {Field: 17, Value: text(17, "不变"), Stamp: by}, {Field: 18, Stamp: by},
	}
	id, rec := hlc.ID{15: 2}, hlc.ID{15: 1}
	form := slices.Concat(text(16, "新名"), text(17, "不变"))
	c, err := record.Edit(id, rec, recordv1.Kind_KIND_GROUP, hlc.Stamp{Time: 2, Replica: 1}, seen, form, []protowire.Number{18, 19})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.Fields, text(16, "新名")) || len(c.Cleared) != 0 || !maps.Equal(c.Parents, map[protowire.Number]hlc.Stamp{16: by}) {
		t.Errorf("%+v", c)
	}
	if c, err := record.Edit(id, rec, recordv1.Kind_KIND_GROUP, hlc.Stamp{Time: 2, Replica: 1}, seen, text(17, "不变"), nil); c != nil || err != nil {
		t.Errorf("an edit that changes nothing: %+v, %v", c, err)
	}
}
