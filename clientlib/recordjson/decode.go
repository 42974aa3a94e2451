package recordjson

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/record"
	"levee/syncproto/words"
)

// Decode reads the fields of a record of a kind: one object in the form that Fields gives. A field that is null, or an empty list, is to be emptied:
// its name is in emptied, as Store.Update takes it, and it is not in the message. Numbers that this program has no name for may stand
// in the place of a choice's name ("77") or of an age band (9), since Fields gives them so.
//
// It refuses what has no place in the record, and leaves to Store whether the values themselves are valid. The error is an
// *Error.
func Decode(t *words.Terms, k record.Kind, object []byte) (m record.Common, emptied []string, err error) {
	if m = record.New(k); m == nil {
		return nil, nil, &Error{Code: string(record.CodeUnknownKind)}
	}
	if !utf8.Valid(object) {
		return nil, nil, &Error{Code: string(record.CodeInvalidUTF8)}
	}
	r := reader{t, k}
	members, ok := membersOf(object)
	if !ok {
		return nil, nil, &Error{Code: string(record.CodeMalformed)}
	}
	for _, member := range members {
		f := m.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(member.name))
		if f == nil || hidden(f) {
			return nil, nil, &Error{Code: CodeUnknownField, Field: member.name}
		}
		empty, err := r.read(m.ProtoReflect(), f, member)
		if err != nil {
			return nil, nil, err
		}
		if empty {
			emptied = append(emptied, string(f.Name()))
		}
	}
	return m, emptied, nil
}

// member is a name of an object with its value.
type member struct {
	name  string
	value json.RawMessage
}

// membersOf takes an object apart. It is no object when a name stands in it twice: programs do not agree on which one then holds.
func membersOf(text []byte) ([]member, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	var members []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		m := member{name: name.(string)} // before a value, the decoder lets nothing else pass
		if d.Decode(&m.value) != nil || slices.ContainsFunc(members, func(o member) bool { return o.name == m.name }) {
			return nil, false
		}
		members = append(members, m)
	}
	if _, err := d.Token(); err != nil { // the end of the object
		return nil, false
	}
	_, err := d.Token()
	return members, errors.Is(err, io.EOF)
}

// reader reads values of one deployment's records.
type reader struct {
	*words.Terms
	kind record.Kind
}

// read puts a value into a field of a message, and says whether it empties the field instead.
func (r reader) read(m protoreflect.Message, f protoreflect.FieldDescriptor, from member) (empty bool, err error) {
	if isNull(from.value) {
		return true, nil
	}
	if !f.IsList() {
		v, err := r.item(f, from, m.NewField(f))
		if err == nil {
			m.Set(f, v)
		}
		return false, err
	}
	var items []json.RawMessage
	if json.Unmarshal(from.value, &items) != nil {
		return false, r.fail(CodeWrongType, f, from)
	}
	list := m.NewField(f).List()
	for _, text := range items {
		v, err := r.item(f, member{from.name, text}, list.NewElement())
		if err != nil {
			return false, err
		}
		list.Append(v)
	}
	if list.Len() == 0 {
		return true, nil
	}
	m.Set(f, protoreflect.ValueOfList(list))
	return false, nil
}

func isNull(text json.RawMessage) bool { return string(text) == "null" }

// item reads one value of a field. empty is a value of its type, which compounds are read into.
func (r reader) item(f protoreflect.FieldDescriptor, from member, empty protoreflect.Value) (protoreflect.Value, error) {
	switch words.FormOf(f) {
	case words.Number:
		return r.number(f, from)
	case words.YesOrNo:
		var b bool
		if isNull(from.value) || json.Unmarshal(from.value, &b) != nil {
			return protoreflect.Value{}, r.fail(CodeWrongType, f, from)
		}
		return protoreflect.ValueOfBool(b), nil
	case words.AgeBand:
		return r.ageBand(f, from)
	case words.Compound:
		return empty, r.parts(f, from, empty.Message())
	default:
		var text string
		if isNull(from.value) || json.Unmarshal(from.value, &text) != nil {
			return protoreflect.Value{}, r.fail(CodeWrongType, f, from)
		}
		return r.written(f, from, text)
	}
}

// written reads a value that JSON has as a text.
func (r reader) written(f protoreflect.FieldDescriptor, from member, text string) (protoreflect.Value, error) {
	none := protoreflect.Value{}
	switch words.FormOf(f) {
	case words.Date:
		d, err := record.ParseDate(text)
		if err != nil {
			return none, r.fail(string(record.CodeInvalidDate), f, from)
		}
		return protoreflect.ValueOfInt32(int32(d)), nil
	case words.Instant:
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return none, r.fail(CodeInvalidTime, f, from)
		}
		if at.Before(time.Unix(0, 0)) || at.UTC().Year() > 9998 { // what no deployment takes, and not every zone can write
			return none, r.fail(string(record.CodeTimeOutOfRange), f, from)
		}
		return protoreflect.ValueOfInt64(at.UnixMilli()), nil
	case words.Choice:
		return r.choice(f, from, text)
	case words.Reference:
		id, err := uuid.Parse(text)
		if err != nil || len(text) != len(uuid.UUID{}.String()) { // other ways to write one are nobody's here
			return none, r.fail(string(record.CodeInvalidID), f, from)
		}
		return protoreflect.ValueOfBytes(id[:]), nil
	case words.Code:
		code, err := hex.DecodeString(text)
		if err != nil || len(code) != 16 {
			return none, r.fail(string(record.CodeInvalidToken), f, from)
		}
		return protoreflect.ValueOfBytes(code), nil
	default:
		return protoreflect.ValueOfString(text), nil
	}
}

// number reads an integer, written without a fraction or an exponent.
func (r reader) number(f protoreflect.FieldDescriptor, from member) (protoreflect.Value, error) {
	low, high := int64(math.MinInt32), int64(math.MaxInt32)
	unsigned := f.Kind() == protoreflect.Uint32Kind
	if unsigned {
		low, high = 0, math.MaxUint32
	}
	n, err := strconv.ParseInt(string(from.value), 10, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return protoreflect.Value{}, r.fail(CodeWrongType, f, from)
	case err != nil || n < low || n > high:
		return protoreflect.Value{}, r.fail(string(record.CodeNumberOutOfRange), f, from)
	case unsigned:
		return protoreflect.ValueOfUint32(uint32(n)), nil //nolint:gosec // within its range, as above
	default:
		return protoreflect.ValueOfInt32(int32(n)), nil //nolint:gosec // as above
	}
}

func (r reader) choice(f protoreflect.FieldDescriptor, from member, text string) (protoreflect.Value, error) {
	options := r.Options(f.Enum())
	for _, o := range options {
		if o.Name == text {
			return protoreflect.ValueOfEnum(o.Number), nil
		}
	}
	// A newer program gave it, and this one shows it by its number.
	n, err := strconv.ParseInt(text, 10, 32)
	unnamed := !slices.ContainsFunc(options, func(o words.Option) bool { return int64(o.Number) == n })
	if err != nil || !unnamed || strconv.FormatInt(n, 10) != text {
		return protoreflect.Value{}, r.fail(CodeUnknownChoice, f, from)
	}
	return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), nil
}

func (r reader) ageBand(f protoreflect.FieldDescriptor, from member) (protoreflect.Value, error) {
	bands := r.AgeBands()
	var text string
	if json.Unmarshal(from.value, &text) == nil && !isNull(from.value) {
		if i := slices.Index(bands, text); i >= 0 {
			return protoreflect.ValueOfUint32(uint32(i)), nil //nolint:gosec // an index of a short list
		}
		return protoreflect.Value{}, r.fail(string(record.CodeUnknownAgeBand), f, from)
	}
	// The deployment had more bands when it was written.
	v, err := r.number(f, from)
	if err == nil && v.Uint() < uint64(len(bands)) {
		err = r.fail(string(record.CodeUnknownAgeBand), f, from)
	}
	return v, err
}

// parts reads an object into a value of several parts. A part that is null is left out.
func (r reader) parts(f protoreflect.FieldDescriptor, from member, into protoreflect.Message) error {
	members, ok := membersOf(from.value)
	if !ok {
		return r.fail(CodeWrongType, f, from)
	}
	for _, m := range members {
		part := into.Descriptor().Fields().ByName(protoreflect.Name(m.name))
		m.name = from.name + "." + m.name
		if part == nil {
			return &Error{Code: CodeUnknownField, Field: m.name}
		}
		if _, err := r.read(into, part, m); err != nil {
			return err
		}
	}
	return nil
}

func (r reader) fail(code string, f protoreflect.FieldDescriptor, from member) error {
	return &Error{Code: code, Field: from.name, field: f}
}
