package oracle

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"levee/syncproto/record"
	"levee/syncproto/words"
)

// Values draw what the fields of records may hold, by their form.
type Values struct {
	// Text draws texts, Reference ids of records, of 16 bytes.
	Text      *rapid.Generator[string]
	Reference *rapid.Generator[[]byte]
}

// Bytes draws any 16 bytes.
var Bytes = rapid.SliceOfN(rapid.Byte(), 16, 16)

// Draw puts a value into a field, or leaves it empty.
func (v Values) Draw(t *rapid.T, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	if rapid.Bool().Draw(t, "empty") {
		return
	}
	if !f.IsList() {
		m.Set(f, v.value(t, f, m.NewField(f)))
		return
	}
	list := m.Mutable(f).List()
	for range rapid.IntRange(1, 3).Draw(t, "items") {
		list.Append(v.value(t, f, list.NewElement()))
	}
}

func (v Values) value(t *rapid.T, f protoreflect.FieldDescriptor, empty protoreflect.Value) protoreflect.Value {
	name := string(f.Name())
	switch words.FormOf(f) {
	case words.Number:
		if f.Kind() == protoreflect.Uint32Kind {
			return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, name))
		}
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, name))
	case words.Date:
		return protoreflect.ValueOfInt32(int32(record.Date(19000101).AddDays(rapid.IntRange(0, 100_000).Draw(t, name))))
	case words.Instant:
		return protoreflect.ValueOfInt64(rapid.Int64Range(946684800_000, 4102444800_000).Draw(t, name)) // 2000 to 2100
	case words.YesOrNo:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, name))
	case words.Choice: // some that only a newer program knows
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.Int32Range(0, 40).Draw(t, name)))
	case words.AgeBand:
		return protoreflect.ValueOfUint32(rapid.Uint32Range(0, 9).Draw(t, name))
	case words.Reference:
		return protoreflect.ValueOfBytes(v.Reference.Draw(t, name))
	case words.Code:
		return protoreflect.ValueOfBytes(Bytes.Draw(t, name))
	case words.Compound:
		for _, part := range words.Fields(f.Message()) {
			v.Draw(t, empty.Message(), part)
		}
		return empty
	default:
		return protoreflect.ValueOfString(v.Text.Draw(t, name))
	}
}
