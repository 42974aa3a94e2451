package words

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/record"
)

// Form is how people write the values of a field. It follows from the field's type, so that a new field needs no code.
type Form int

// The forms.
const (
	// Text is whatever somebody writes.
	Text Form = iota
	// Number is a whole number.
	Number
	// Date is a day.
	Date
	// Instant is a day and the time of day.
	Instant
	// YesOrNo is one of the two.
	YesOrNo
	// Choice is a value of an enumeration.
	Choice
	// AgeBand is the number of one of the deployment's age bands.
	AgeBand
	// Reference is the id of another record.
	Reference
	// Code is what a client or participant is known by in the place of a name.
	Code
	// Compound is a message of several fields.
	Compound
)

// String is the stable name of a form, such as "age_band".
func (f Form) String() string {
	return [...]string{"text", "number", "date", "instant", "yes_or_no", "choice", "age_band", "reference", "code", "compound"}[f]
}

// FormOf is the form of a field's values; of each of them, where it has several.
func FormOf(f protoreflect.FieldDescriptor) Form {
	switch f.Kind() {
	case protoreflect.EnumKind:
		return Choice
	case protoreflect.BoolKind:
		return YesOrNo
	case protoreflect.MessageKind:
		return Compound
	case protoreflect.Int64Kind:
		return Instant
	case protoreflect.BytesKind:
		if f.Name() == "token" || f.Name() == "client_tokens" {
			return Code
		}
		return Reference
	case protoreflect.Int32Kind:
		if f.Name() == "edition" {
			return Number
		}
		return Date
	case protoreflect.Uint32Kind, protoreflect.Sint32Kind:
		if f.Name() == "age_band" {
			return AgeBand
		}
		return Number
	default:
		return Text
	}
}

// Settable are the fields of a kind that people set, its own before the common ones. The kind must be a known one.
func Settable(k record.Kind) []protoreflect.FieldDescriptor {
	var own, common []protoreflect.FieldDescriptor
	for _, f := range Fields(record.New(k).ProtoReflect().Descriptor()) {
		switch {
		case f.Number() == record.DeletedField: // by deleting and restoring
		case record.Secret(k, f.Number()):
		case f.Name() == "reviewed": // filled in when a review is logged
		case IsCommon(f):
			common = append(common, f)
		default:
			own = append(own, f)
		}
	}
	return append(own, common...)
}

// IsCommon reports whether all kinds have a field of a kind.
func IsCommon(f protoreflect.FieldDescriptor) bool { return f.Number() < 16 }

// Fields are all fields of a message, in the order of the proto.
func Fields(m protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	fields := make([]protoreflect.FieldDescriptor, m.Fields().Len())
	for i := range fields {
		fields[i] = m.Fields().Get(i)
	}
	return fields
}
