package record

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// layout is how a message is encoded, and what its values must be. It is made once from the descriptors, so that
// Canonical and Validate can work on the encoded fields without building messages.
type layout struct {
	fields []field // by number; where a number is not used, the zero field
	pairs  []pair
}

// field is one field of a layout.
type field struct {
	number  protowire.Number
	kind    protoreflect.Kind
	list    bool
	message *layout // of the field's own message, if it has one
	check   rule
	whole   listRule // of a list as a whole, if there is one
}

// pair is two numbers or dates of a message of which the first must not be greater.
type pair struct {
	low, high protowire.Number
	code      Code
}

// field finds a field by number; nil when the layout does not know it.
func (l *layout) field(n protowire.Number) *field {
	if int(n) >= len(l.fields) || l.fields[n].number == 0 {
		return nil
	}
	return &l.fields[n]
}

// wireType is how a single value of f is encoded.
func (f *field) wireType() protowire.Type {
	switch f.kind {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	default:
		return protowire.VarintType
	}
}

// packs reports whether f is a list whose values are encoded together.
func (f *field) packs() bool { return f.list && f.wireType() != protowire.BytesType }

// unknownLayout knows no field: it is the layout of kinds that this version does not know.
var unknownLayout = &layout{}

func layoutOf(k Kind) *layout {
	if !Known(k) {
		return unknownLayout
	}
	return layouts[k]
}

var layouts = func() map[Kind]*layout {
	all := make(map[Kind]*layout, len(kinds))
	for _, k := range Kinds() {
		all[k] = newLayout(kinds[k].message.ProtoReflect().Descriptor())
	}
	return all
}()

func newLayout(d protoreflect.MessageDescriptor) *layout {
	l := &layout{}
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		f := field{number: fd.Number(), kind: fd.Kind(), list: fd.IsList(), check: ruleOf(fd), whole: listRules[fd.Name()]}
		if fd.Message() != nil {
			f.message = newLayout(fd.Message())
		}
		if missing := int(f.number) + 1 - len(l.fields); missing > 0 {
			l.fields = append(l.fields, make([]field, missing)...)
		}
		l.fields[f.number] = f
	}
	for _, p := range pairsInOrder {
		if low, high := d.Fields().ByName(p.low), d.Fields().ByName(p.high); low != nil && high != nil {
			l.pairs = append(l.pairs, pair{low.Number(), high.Number(), p.code})
		}
	}
	return l
}
