package record

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// MaxFieldsBytes is the most that the fields of one change may be together.
const MaxFieldsBytes = 256 << 10

// Canonical is the one encoding of a message of kind k: fields ascend by number, varints and tags are as short as can
// be, a single value stands once (the last one sent), the parts of a message field are joined, lists of numbers are
// packed, empty lists of numbers are left out, and the same holds within message fields. So equal values are equal
// bytes, however they were sent.
//
// Fields that the kind does not have, and all fields of a kind that is not known, are kept as they were sent, ordered
// by number.
//
// Canonical never panics. The error is a *Problem with CodeTooLarge, CodeMalformed, CodeGroupEncoded,
// CodeWrongWireType or CodeInvalidUTF8. The result does not alias fields.
func Canonical(k Kind, fields []byte) ([]byte, error) {
	canonical, problem := canonicalFields(k, make([]byte, 0, len(fields)), fields)
	if problem != nil {
		return nil, problem
	}
	return canonical, nil
}

// canonicalFields appends what Canonical gives to dst.
func canonicalFields(k Kind, dst, fields []byte) ([]byte, *Problem) {
	if len(fields) > MaxFieldsBytes {
		return nil, &Problem{Code: CodeTooLarge}
	}
	return layoutOf(k).canonical(dst, fields)
}

// canonical appends the canonical encoding of src to dst. It goes as deep as the layout does: what is in a field that
// the layout does not know is never looked at.
func (l *layout) canonical(dst, src []byte) ([]byte, *Problem) {
	var some [16]piece // most messages have no more fields, and so need no memory
	sent, problem := cut(some[:0], src)
	if problem != nil {
		return nil, problem
	}
	byNumber := func(a, b piece) int { return cmp.Compare(a.number, b.number) }
	if !slices.IsSortedFunc(sent, byNumber) {
		slices.SortStableFunc(sent, byNumber)
	}
	for len(sent) > 0 {
		number, n := sent[0].number, 1
		for n < len(sent) && sent[n].number == number {
			n++
		}
		if f := l.field(number); f != nil {
			dst, problem = f.canonical(dst, sent[:n])
			if problem != nil {
				problem.Field = number // within a message field, it is the outer number that people know
				return nil, problem
			}
		} else {
			for _, p := range sent[:n] {
				dst = append(dst, p.raw...)
			}
		}
		sent = sent[n:]
	}
	return dst, nil
}

// piece is one field as it was sent.
type piece struct {
	number protowire.Number
	typ    protowire.Type
	raw    []byte // with its tag
	value  []byte // without its tag and, of type bytes, without its length
}

// cut appends the fields of a message to pieces.
func cut(pieces []piece, b []byte) ([]piece, *Problem) {
	for len(b) > 0 {
		number, typ, tag := protowire.ConsumeTag(b)
		switch {
		case tag < 0:
			return nil, &Problem{Code: CodeMalformed, Cause: protowire.ParseError(tag)}
		case !number.IsValid():
			return nil, &Problem{Code: CodeMalformed}
		case typ == protowire.StartGroupType, typ == protowire.EndGroupType:
			return nil, &Problem{Code: CodeGroupEncoded, Field: number}
		}
		size := protowire.ConsumeFieldValue(number, typ, b[tag:])
		if size < 0 {
			return nil, &Problem{Code: CodeMalformed, Field: number, Cause: protowire.ParseError(size)}
		}
		p := piece{number: number, typ: typ, raw: b[:tag+size], value: b[tag : tag+size]}
		if typ == protowire.BytesType {
			p.value, _ = protowire.ConsumeBytes(p.value)
		}
		pieces = append(pieces, p)
		b = b[tag+size:]
	}
	return pieces, nil
}

// canonical appends the canonical encoding of f, of which sent are all the pieces.
func (f *field) canonical(dst []byte, sent []piece) ([]byte, *Problem) {
	for _, p := range sent {
		switch {
		case p.typ != f.wireType() && (p.typ != protowire.BytesType || !f.packs()):
			return nil, &Problem{Code: CodeWrongWireType}
		case f.kind == protoreflect.StringKind && !utf8.Valid(p.value):
			return nil, &Problem{Code: CodeInvalidUTF8}
		}
	}
	switch {
	case f.message != nil:
		return f.canonicalMessages(dst, sent)
	case f.packs():
		return f.canonicalPacked(dst, sent)
	}
	if !f.list {
		sent = sent[len(sent)-1:]
	}
	for _, p := range sent {
		dst = protowire.AppendTag(dst, f.number, f.wireType())
		if f.wireType() == protowire.BytesType {
			dst = protowire.AppendBytes(dst, p.value)
		} else {
			dst, _ = f.appendScalar(dst, p.value)
		}
	}
	return dst, nil
}

func (f *field) canonicalMessages(dst []byte, sent []piece) ([]byte, *Problem) {
	var joined []byte
	for _, p := range sent {
		m, problem := f.message.canonical(nil, p.value)
		switch {
		case problem != nil:
			return nil, problem
		case f.list:
			dst = protowire.AppendTag(dst, f.number, protowire.BytesType)
			dst = protowire.AppendBytes(dst, m)
		default:
			joined = append(joined, m...)
		}
	}
	if f.list {
		return dst, nil
	}
	if len(sent) > 1 {
		m, problem := f.message.canonical(nil, joined)
		if problem != nil {
			return nil, problem
		}
		joined = m
	}
	dst = protowire.AppendTag(dst, f.number, protowire.BytesType)
	return protowire.AppendBytes(dst, joined), nil
}

func (f *field) canonicalPacked(dst []byte, sent []piece) ([]byte, *Problem) {
	var packed []byte
	for _, p := range sent {
		for rest := p.value; len(rest) > 0; {
			var size int
			if packed, size = f.appendScalar(packed, rest); size < 0 {
				return nil, &Problem{Code: CodeMalformed, Cause: protowire.ParseError(size)}
			}
			rest = rest[size:]
		}
	}
	if len(packed) == 0 {
		return dst, nil // an empty list is no list
	}
	dst = protowire.AppendTag(dst, f.number, protowire.BytesType)
	return protowire.AppendBytes(dst, packed), nil
}

// appendScalar appends the first number in b as its kind encodes it, and says how many bytes of b it was; a negative
// size is one of protowire's errors. Bits beyond the kind's width are dropped, as every parser drops them.
func (f *field) appendScalar(dst, b []byte) ([]byte, int) {
	if f.wireType() != protowire.VarintType {
		size := protowire.ConsumeFieldValue(f.number, f.wireType(), b)
		if size > 0 {
			dst = append(dst, b[:size]...)
		}
		return dst, size
	}
	v, size := protowire.ConsumeVarint(b)
	if size < 0 {
		return dst, size
	}
	switch f.kind {
	case protoreflect.BoolKind:
		v = protowire.EncodeBool(protowire.DecodeBool(v))
	case protoreflect.Int32Kind, protoreflect.EnumKind:
		v = uint64(int64(int32(v))) //nolint:gosec // negative numbers are encoded with 64 bits
	case protoreflect.Uint32Kind, protoreflect.Sint32Kind:
		v &= math.MaxUint32
	}
	return protowire.AppendVarint(dst, v), size
}
