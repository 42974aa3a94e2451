package record

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	recordv1 "levee/syncproto/levee/record/v1"
)

func TestCanonicalEncoding(t *testing.T) {
	const (
		session   = recordv1.Kind_KIND_CASE_SESSION
		headcount = recordv1.Kind_KIND_HEADCOUNT
		caseKind  = recordv1.Kind_KIND_CASE
		unknown   = Kind(9_999)
	)
	for _, tt := range []struct {
		name     string
		kind     Kind
		in, want []byte
	}{
		{"nothing", session, nil, nil},
		{"canonical already", session, []byte{0x20, 0x05, 0xa0, 0x01, 0x32}, []byte{0x20, 0x05, 0xa0, 0x01, 0x32}},
		{"fields ascend", session, []byte{0xa0, 0x01, 0x32, 0x20, 0x05}, []byte{0x20, 0x05, 0xa0, 0x01, 0x32}},
		{"shortest number", session, []byte{0x20, 0x85, 0x80, 0x00}, []byte{0x20, 0x05}},
		{"shortest tag", session, []byte{0xa0, 0x80, 0x00, 0x05}, []byte{0x20, 0x05}},
		{"shortest length", session, []byte{0x0a, 0x81, 0x00, 0x07}, []byte{0x0a, 0x01, 0x07}},
		{"a single value stands once", session, []byte{0x20, 0x05, 0x20, 0x06}, []byte{0x20, 0x06}},
		{"a single text stands once", headcount, []byte{0x92, 0x01, 0x01, 'a', 0x92, 0x01, 0x01, 'b'}, []byte{0x92, 0x01, 0x01, 'b'}},
		{"zero is a value", session, []byte{0x20, 0x00}, []byte{0x20, 0x00}},
		{"yes is 1", session, []byte{0x78, 0x7f}, []byte{0x78, 0x01}},
		{"bits beyond 32 are dropped", session, []byte{0xa0, 0x01, 0xff, 0xff, 0xff, 0xff, 0x1f}, []byte{0xa0, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f}},
		{"a negative number has 64 bits", session, []byte{0x20, 0xff, 0xff, 0xff, 0xff, 0x0f}, []byte{0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}},
		{"parts of a place are joined", session, []byte{0x2a, 0x02, 0x10, 0x05, 0x20, 0x01, 0x2a, 0x03, 0x0a, 0x01, '4'}, []byte{0x20, 0x01, 0x2a, 0x05, 0x0a, 0x01, '4', 0x10, 0x05}},
		{"an empty place is a place", session, []byte{0x2a, 0x00}, []byte{0x2a, 0x00}},
		{"cells keep their order, each in itself canonical", headcount,
			[]byte{0xa2, 0x01, 0x04, 0x10, 0x02, 0x08, 0x01, 0xa2, 0x01, 0x02, 0x08, 0x00},
			[]byte{0xa2, 0x01, 0x04, 0x08, 0x01, 0x10, 0x02, 0xa2, 0x01, 0x02, 0x08, 0x00}},
		{"lists of numbers are packed, in the order sent", caseKind,
			[]byte{0xc8, 0x01, 0x03, 0xca, 0x01, 0x03, 0x02, 0x81, 0x00, 0xc8, 0x01, 0x09}, []byte{0xca, 0x01, 0x04, 0x03, 0x02, 0x01, 0x09}},
		{"an empty list of numbers is none", caseKind, []byte{0xca, 0x01, 0x00}, nil},
		{"lists of ids keep their order", session, []byte{0x42, 0x01, 2, 0x20, 0x01, 0x42, 0x00, 0x42, 0x01, 1}, []byte{0x20, 0x01, 0x42, 0x01, 2, 0x42, 0x00, 0x42, 0x01, 1}},
		{"unknown fields are kept as sent, ordered by number", session,
			[]byte{0xc8, 0x3e, 0x81, 0x00, 0xc0, 0x3e, 0x01, 0x20, 0x05, 0xc8, 0x3e, 0x00},
			[]byte{0x20, 0x05, 0xc0, 0x3e, 0x01, 0xc8, 0x3e, 0x81, 0x00, 0xc8, 0x3e, 0x00}},
		{"unknown fields in a place are kept", session, []byte{0x2a, 0x05, 0x48, 0x81, 0x00, 0x10, 0x05}, []byte{0x2a, 0x05, 0x10, 0x05, 0x48, 0x81, 0x00}},
		{"an unknown kind is kept as sent, ordered by number", unknown, []byte{0x48, 0x81, 0x00, 0x20, 0x05, 0x20, 0x06}, []byte{0x20, 0x05, 0x20, 0x06, 0x48, 0x81, 0x00}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Canonical(tt.kind, tt.in)
			if err != nil || !bytes.Equal(got, tt.want) {
				t.Errorf("Canonical(%v, %x) = %x, %v, want %x", tt.kind, tt.in, got, err, tt.want)
			}
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	const session = recordv1.Kind_KIND_CASE_SESSION
	for _, tt := range []struct {
		name  string
		kind  Kind
		in    []byte
		code  Code
		field protowire.Number
	}{
		{"cut in a tag", session, []byte{0xa0}, CodeMalformed, 0},
		{"cut in a number", session, []byte{0x20, 0x85}, CodeMalformed, 4},
		{"cut in an id", session, []byte{0x0a, 0x10, 1, 2, 3}, CodeMalformed, 1},
		{"cut in a place", session, []byte{0x2a, 0x03, 0x0a, 0x05, '4'}, CodeMalformed, 5},
		{"cut in a place of two parts that would join", session, []byte{0x2a, 0x01, 0x10, 0x2a, 0x01, 0x05}, CodeMalformed, 5},
		{"cut in a list of numbers", recordv1.Kind_KIND_CASE, []byte{0xca, 0x01, 0x02, 0x01, 0x81}, CodeMalformed, 25},
		{"a number of eleven bytes", session, []byte{0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, CodeMalformed, 4},
		{"field 0", session, []byte{0x00, 0x01}, CodeMalformed, 0},
		{"a field beyond all numbers", session, protowire.AppendVarint(protowire.AppendVarint(nil, 1<<29<<3), 1), CodeMalformed, 0},
		{"wire type 6", session, []byte{0x26, 0x01}, CodeMalformed, 4},
		{"a known field as a group", session, []byte{0x2b, 0x2c}, CodeGroupEncoded, 5},
		{"an unknown field as a group", session, []byte{0xc3, 0x3e, 0xc4, 0x3e}, CodeGroupEncoded, 1000},
		{"an end of a group", session, []byte{0x2c}, CodeGroupEncoded, 5},
		{"a group in a place", session, []byte{0x2a, 0x02, 0x4b, 0x4c}, CodeGroupEncoded, 5},
		{"a group in an unknown kind", Kind(9_999), []byte{0x2b, 0x2c}, CodeGroupEncoded, 5},
		{"a number as text", session, []byte{0x22, 0x01, 'x'}, CodeWrongWireType, 4},
		{"a number as fixed64", session, []byte{0x21, 0, 0, 0, 0, 0, 0, 0, 0}, CodeWrongWireType, 4},
		{"an id as number", session, []byte{0x08, 0x01}, CodeWrongWireType, 1},
		{"a place as number", session, []byte{0x28, 0x01}, CodeWrongWireType, 5},
		{"a list of numbers as fixed32", recordv1.Kind_KIND_CASE, []byte{0xcd, 0x01, 0, 0, 0, 0}, CodeWrongWireType, 25},
		{"a wrong type that a right one follows", session, []byte{0x22, 0x01, 'x', 0x20, 0x01}, CodeWrongWireType, 4},
		{"a wrong type in a place", session, []byte{0x2a, 0x02, 0x08, 0x01}, CodeWrongWireType, 5},
		{"invalid UTF-8", recordv1.Kind_KIND_CASE_NOTE, []byte{0x8a, 0x01, 0x02, 0xe5, 0xa0}, CodeInvalidUTF8, 17},
		{"invalid UTF-8 that valid text follows", recordv1.Kind_KIND_CASE_NOTE, []byte{0x8a, 0x01, 0x01, 0xff, 0x8a, 0x01, 0x01, 'a'}, CodeInvalidUTF8, 17},
		{"invalid UTF-8 in a list", recordv1.Kind_KIND_COMMUNITY_ACTIVITY, []byte{0xa2, 0x01, 0x01, 0xff}, CodeInvalidUTF8, 20},
		{"invalid UTF-8 in a place", session, []byte{0x2a, 0x03, 0x0a, 0x01, 0xff}, CodeInvalidUTF8, 5},
		{"too large", session, make([]byte, MaxFieldsBytes+1), CodeTooLarge, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Canonical(tt.kind, tt.in)
			var problem *Problem
			if !errors.As(err, &problem) || problem.Code != tt.code || problem.Field != tt.field || got != nil {
				t.Fatalf("Canonical(%v) = %x, %v, want %s in field %d", tt.kind, got, err, tt.code, tt.field)
			}
			if want := []Problem{*problem}; !slices.Equal(codesOf(Validate(tt.kind, tt.in, henan())), codesOf(want)) {
				t.Errorf("Validate finds %v, Canonical %v", Validate(tt.kind, tt.in, henan()), want)
			}
		})
	}
}

func codesOf(problems []Problem) []Problem {
	var bare []Problem
	for _, p := range problems {
		bare = append(bare, Problem{Code: p.Code, Field: p.Field})
	}
	return bare
}

// Canonical must not write into what it was given, nor hand it back.
func TestCanonicalDoesNotAlias(t *testing.T) {
	in := []byte{0xa0, 0x01, 0x32, 0x20, 0x05}
	was := bytes.Clone(in)
	out, err := Canonical(recordv1.Kind_KIND_CASE_SESSION, in)
	if err != nil || !bytes.Equal(in, was) {
		t.Fatalf("the input became %x, %v", in, err)
	}
	clear(in)
	if want := []byte{0x20, 0x05, 0xa0, 0x01, 0x32}; !bytes.Equal(out, want) {
		t.Errorf("the result became %x with its input", out)
	}
}

// sloppy draws an encoding of a message that any parser accepts: fields in any order and any number, lists packed and
// not, messages in parts, varints longer than they need be.
func sloppy(t *rapid.T, d protoreflect.MessageDescriptor, unknownFields bool) []byte {
	var b []byte
	for range rapid.IntRange(0, 12).Draw(t, "pieces") {
		if unknownFields && rapid.IntRange(0, 5).Draw(t, "unknown") == 0 {
			b = appendUnknown(t, b)
			continue
		}
		f := d.Fields().Get(rapid.IntRange(0, d.Fields().Len()-1).Draw(t, "field"))
		switch {
		case f.Message() != nil:
			b = appendSloppyBytes(t, b, f.Number(), sloppy(t, f.Message(), unknownFields))
		case f.Kind() == protoreflect.StringKind:
			b = appendSloppyBytes(t, b, f.Number(), []byte(rapid.StringN(0, 6, -1).Draw(t, "text")))
		case f.Kind() == protoreflect.BytesKind:
			b = appendSloppyBytes(t, b, f.Number(), rapid.SliceOfN(rapid.Byte(), 0, 17).Draw(t, "bytes"))
		case f.Kind() == protoreflect.Fixed64Kind:
			b = appendSloppyVarint(t, b, protowire.EncodeTag(f.Number(), protowire.Fixed64Type))
			b = protowire.AppendFixed64(b, rapid.Uint64().Draw(t, "fixed"))
		case f.IsPacked() && rapid.Bool().Draw(t, "packed"):
			var packed []byte
			for range rapid.IntRange(0, 3).Draw(t, "values") {
				packed = appendSloppyVarint(t, packed, rapid.Uint64().Draw(t, "number"))
			}
			b = appendSloppyBytes(t, b, f.Number(), packed)
		default:
			b = appendSloppyVarint(t, b, protowire.EncodeTag(f.Number(), protowire.VarintType))
			b = appendSloppyVarint(t, b, rapid.Uint64().Draw(t, "number"))
		}
	}
	return b
}

func appendUnknown(t *rapid.T, b []byte) []byte {
	number := protowire.Number(rapid.Int32Range(1000, 1005).Draw(t, "unknown number"))
	switch rapid.IntRange(0, 3).Draw(t, "unknown type") {
	case 0:
		return appendSloppyVarint(t, protowire.AppendTag(b, number, protowire.VarintType), rapid.Uint64().Draw(t, "number"))
	case 1:
		return protowire.AppendFixed32(protowire.AppendTag(b, number, protowire.Fixed32Type), rapid.Uint32().Draw(t, "fixed"))
	case 2:
		return protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), rapid.Uint64().Draw(t, "fixed"))
	default:
		return appendSloppyBytes(t, b, number, rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "bytes"))
	}
}

func appendSloppyBytes(t *rapid.T, b []byte, number protowire.Number, v []byte) []byte {
	b = appendSloppyVarint(t, b, protowire.EncodeTag(number, protowire.BytesType))
	return append(appendSloppyVarint(t, b, uint64(len(v))), v...)
}

func appendSloppyVarint(t *rapid.T, b []byte, v uint64) []byte {
	b = protowire.AppendVarint(b, v)
	for n := rapid.IntRange(0, min(2, 10-protowire.SizeVarint(v))).Draw(t, "too long"); n > 0; n-- {
		b[len(b)-1] |= 0x80
		b = append(b, 0)
	}
	return b
}

func drawKind(t *rapid.T) Kind { return rapid.SampledFrom(Kinds()).Draw(t, "kind") }

func TestCanonicalParsesEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKind(t)
		in := sloppy(t, New(k).ProtoReflect().Descriptor(), true)
		out, err := Canonical(k, in)
		if err != nil {
			t.Fatalf("a %v that parsers accept is refused: %v", k, err)
		}
		sent, got := New(k), New(k)
		if err := proto.Unmarshal(in, sent); err != nil {
			t.Fatal(err)
		}
		if err := proto.Unmarshal(out, got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(sent, got) {
			t.Fatalf("%x reads as %v, its canonical form %x as %v", in, sent, out, got)
		}
	})
}

// Where all fields are known, the library's own encoding is the canonical one: whatever was sent, equal messages have
// equal bytes, and a client that builds its messages with a library sends canonical ones.
func TestCanonicalIsWhatTheLibraryWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKind(t)
		in := sloppy(t, New(k).ProtoReflect().Descriptor(), false)
		m := New(k)
		if err := proto.Unmarshal(in, m); err != nil {
			t.Fatal(err)
		}
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Canonical(k, in); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("Canonical(%v, %x) = %x, %v, want %x", k, in, got, err, want)
		}
	})
}

// arbitrary draws bytes that may be anything: noise, or an encoded message with some bytes changed and cut at any place.
func arbitrary(t *rapid.T, k Kind) []byte {
	if rapid.Bool().Draw(t, "noise") || !Known(k) {
		return rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "bytes")
	}
	b := sloppy(t, New(k).ProtoReflect().Descriptor(), true)
	for range rapid.IntRange(0, 3).Draw(t, "changed bytes") {
		if len(b) > 0 {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
	}
	return b[:rapid.IntRange(0, len(b)).Draw(t, "cut")]
}

func TestCanonicalOfArbitraryBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(append(Kinds(), -1, 0, 9_999)).Draw(t, "kind")
		checkCanonical(t, k, arbitrary(t, k))
	})
}

func FuzzCanonical(f *testing.F) {
	for _, m := range completeRecords() {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(int32(KindOf(m)), b)
	}
	f.Add(int32(9_999), []byte{0x48, 0x81, 0x00, 0x20, 0x05})
	f.Fuzz(func(t *testing.T, k int32, b []byte) { checkCanonical(t, Kind(k), b) })
}

// checkCanonical checks what must hold for any bytes at all. Reaching its end is that nothing panicked.
func checkCanonical(t interface {
	Helper()
	Fatalf(string, ...any)
}, k Kind, in []byte) {
	t.Helper()
	problems := Validate(k, in, henan())
	for i, p := range problems {
		if messages[p.Code].en == "" || slices.Contains(problems[:i], p) || (p.Field != 0 && !p.Field.IsValid()) {
			t.Fatalf("Validate finds %v in %x", problems, in)
		}
	}
	out, err := Canonical(k, in)
	if err != nil {
		var problem *Problem
		if !errors.As(err, &problem) || messages[problem.Code].en == "" {
			t.Fatalf("an error that has no code: %v", err)
		}
		if len(problems) != 1 || problems[0].Code != problem.Code {
			t.Fatalf("Canonical refuses with %v, Validate finds %v", err, problems)
		}
		return
	}
	if again, err := Canonical(k, out); err != nil || !bytes.Equal(again, out) {
		t.Fatalf("the canonical form of %x is %x, and of that %x, %v", in, out, again, err)
	}
	if rs, err := split(out); err != nil || !bytes.Equal(rs.Fields(), out) {
		t.Fatalf("%x does not split into registers: %v", out, err)
	}
	if notCanonical := len(problems) == 1 && problems[0].Code == CodeNotCanonical; notCanonical == bytes.Equal(in, out) {
		t.Fatalf("the canonical form of %x is %x, Validate finds %v", in, out, problems)
	}
	if !Known(k) {
		return
	}
	if err := proto.Unmarshal(in, New(k)); err != nil {
		t.Fatalf("a %v that parsers refuse has a canonical form: %v", k, err)
	}
}
