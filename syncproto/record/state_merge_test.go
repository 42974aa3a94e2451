package record_test

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
)

func TestAStateComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := oracle.Registers(t)
		back, err := record.DecodeState(record.EncodeState(rs))
		if err != nil || !same(back, rs) {
			t.Fatalf("%v came back as %v, %v", rs, back, err)
		}
	})
}

// Proofs are made over the bytes.
func TestStatesAreEqualExactlyWhenTheirBytesAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := oracle.Registers(t), oracle.Registers(t)
		if rapid.Bool().Draw(t, "one field apart") && len(a) > 0 {
			b = append(record.Registers{}, a...)
			i := rapid.IntRange(0, len(b)-1).Draw(t, "field")
			b[i].Stamp = oracle.Stamp(t)
		}
		if bytesEqual := bytes.Equal(record.EncodeState(a), record.EncodeState(b)); bytesEqual != same(a, b) {
			t.Fatalf("%v and %v: equal bytes: %v", a, b, bytesEqual)
		}
	})
}

// spoiled draws bytes that are nearly b, or nothing like it.
func spoiled(t *rapid.T, b []byte) []byte {
	b = bytes.Clone(b)
	for range rapid.IntRange(0, 4).Draw(t, "spoilings") {
		if len(b) == 0 {
			break
		}
		i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			b[i] = rapid.Byte().Draw(t, "byte")
		case 1:
			b = b[:i]
		case 2:
			b = append(b[:i], b[min(len(b), i+rapid.IntRange(1, 5).Draw(t, "cut")):]...)
		default:
			b = append(b[:i], append(rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "more"), b[i:]...)...)
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "anything") == 5 {
		return rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
	}
	return b
}

func TestDecodeStateTakesAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs, err := record.DecodeState(spoiled(t, record.EncodeState(oracle.Registers(t))))
		if err != nil {
			mustBeProblem(t, err, record.CodeMalformed)
			return
		}
		again, err := record.DecodeState(record.EncodeState(rs))
		if err != nil || !same(again, rs) {
			t.Fatalf("what was read is %v, and reads as %v, %v", rs, again, err)
		}
	})
}

func mustBeProblem(t *rapid.T, err error, codes ...record.Code) {
	var p *record.Problem
	if !errors.As(err, &p) {
		t.Fatalf("%T is no Problem: %v", err, err)
	}
	for _, c := range codes {
		if p.Code == c {
			return
		}
	}
	t.Fatalf("code %q, want one of %q", p.Code, codes)
}

func TestDecodeStateRefusesWhatEncodeStateNeverWrites(t *testing.T) {
	stamp := &syncv1.Stamping{Stamp: &syncv1.Stamp{Time: 1, Replica: 1}}
	naming := func(fields ...uint32) *syncv1.Stamping {
		return &syncv1.Stamping{Stamp: &syncv1.Stamp{Time: 2, Replica: 1}, Fields: fields}
	}
	for what, m := range map[string]*syncv1.State{
		"fields without a stamp":                {Fields: text(16, "村")},
		"a field that is named twice":           {Fields: text(16, "村"), Stamps: []*syncv1.Stamping{stamp, naming(17), naming(17)}},
		"the first stamp names what it has":     {Fields: text(16, "村"), Stamps: []*syncv1.Stamping{naming(16)}},
		"fields out of order":                   {Fields: append(text(17, "村"), text(16, "镇")...), Stamps: []*syncv1.Stamping{stamp}},
		"field number 0":                        {Stamps: []*syncv1.Stamping{naming(0)}},
		"a field number beyond protobuf's":      {Stamps: []*syncv1.Stamping{naming(uint32(protowire.MaxValidNumber) + 1)}},
		"a value of a number beyond protobuf's": {Fields: text(protowire.MaxValidNumber+1, "村"), Stamps: []*syncv1.Stamping{stamp}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		rs, err := record.DecodeState(b)
		var p *record.Problem
		if !errors.As(err, &p) || p.Code != record.CodeMalformed {
			t.Errorf("%s is read as %v, %v", what, rs, err)
		}
	}
}

func TestNoStateIsNoBytes(t *testing.T) {
	if b := record.EncodeState(nil); len(b) != 0 {
		t.Errorf("%x", b)
	}
	if rs, err := record.DecodeState(nil); err != nil || len(rs) != 0 {
		t.Errorf("%v, %v", rs, err)
	}
}

// The bytes as a client in another language has to write them.
func TestAStateByteByByte(t *testing.T) {
	early, late := hlc.Stamp{Time: 1, Replica: 2}, hlc.Stamp{Time: 3, Replica: 4}
	state := record.EncodeState(record.Registers{
		{Field: 1, Value: text(1, "a"), Stamp: early, Parent: late},
		{Field: 2, Value: text(2, "b"), Stamp: early},
		{Field: 3, Value: text(3, "c"), Stamp: late},
		{Field: 4, Stamp: late},
	})
	var want []byte
	want = append(want, 0x0a, 9, 0x0a, 1, 'a', 0x12, 1, 'b', 0x1a, 1, 'c') // fields
	want = append(want, 0x12, 16,                                          // the stamping with most fields goes first, and names only those without a value
		0x0a, 11, 0x08, 3, 0x11, 4, 0, 0, 0, 0, 0, 0, 0,
		0x1a, 1, 4)
	want = append(want, 0x12, 16, // then by stamp and parent
		0x0a, 11, 0x08, 1, 0x11, 2, 0, 0, 0, 0, 0, 0, 0,
		0x1a, 1, 2)
	want = append(want, 0x12, 29,
		0x0a, 11, 0x08, 1, 0x11, 2, 0, 0, 0, 0, 0, 0, 0,
		0x12, 11, 0x08, 3, 0x11, 4, 0, 0, 0, 0, 0, 0, 0,
		0x1a, 1, 1)
	if !bytes.Equal(state, want) {
		t.Errorf("% x\n, want\n% x", state, want)
	}
}

// One stamp is written once, however many fields share it.
func TestAStateOfOneChangeAndOneEditIsShort(t *testing.T) {
	made, edited := hlc.Stamp{Time: 1 << 57, Replica: 1 << 62}, hlc.Stamp{Time: 1<<57 - 1, Replica: 1 << 62}
	var rs record.Registers
	fields := 0
	for f := protowire.Number(1); f <= 12; f++ {
		rs = append(rs, record.Register{Field: f, Value: text(f, "村"), Stamp: made})
		fields += len(rs[f-1].Value)
	}
	rs[4].Stamp = edited // of a tablet whose clock is behind
	if b := record.EncodeState(rs); len(b) > fields+55 {
		t.Errorf("%d bytes of fields became %d", fields, len(b))
	}
}

func TestAValueCanNotRunIntoItsNeighbour(t *testing.T) {
	by := hlc.Stamp{Time: 1, Replica: 1}
	rs, err := record.DecodeState(record.EncodeState(record.Registers{
		{Field: 1, Value: text(1, "甲"), Stamp: by}, {Field: 2, Value: text(2, "乙"), Stamp: by},
	}))
	if err != nil {
		t.Fatal(err)
	}
	_ = append(rs[0].Value, "丙丙丙"...)
	if !bytes.Equal(rs[1].Value, text(2, "乙")) {
		t.Errorf("the neighbour became %q", rs[1].Value)
	}
}
