package export

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// leftOut are the kinds of which no tables are made: what the server found or was told about changes, and no work. Nothing
// is counted by them.
var leftOut = []record.Kind{recordv1.Kind_KIND_CONFLICT, recordv1.Kind_KIND_HELD_DECISION, recordv1.Kind_KIND_DISTINCTION}

// Kinds are those of which tables are made, in the order of the tables: the set-up first, then what names it and each other.
func Kinds() []record.Kind {
	return slices.DeleteFunc(record.Kinds(), func(k record.Kind) bool { return slices.Contains(leftOut, k) })
}

// confidentialFields are those of kinds that are not confidential themselves: who a person is in disguise, and how workers
// are reached.
var confidentialFields = map[record.Kind][]protoreflect.Name{
	recordv1.Kind_KIND_CASE:        {"client_tokens"},
	recordv1.Kind_KIND_PARTICIPANT: {"token"},
	recordv1.Kind_KIND_ATTENDANCE:  {"token"},
	recordv1.Kind_KIND_WORKER:      {"phone", "email"},
}

// Row is one record, as a row of its kind's table.
type Row struct {
	ID hlc.ID
	// Message has the fields that are set, those of the delete among them.
	Message record.Common
}

// Column is one column of a kind's table: its id, a field, or a part of a field that has several.
type Column struct {
	// Name is stable: the field's name in the proto, such as "occurred_on"; that of a part stands behind it, as in
	// "place_code".
	Name string

	writing *Writing
	// field is nil in the column of ids; part is nil where the column has the whole field.
	field, part protoreflect.FieldDescriptor
}

// Columns are those of a kind's table: the id, then the fields in the order of the proto, the common ones first. What is
// confidential is among them only when asked for, and what is for programs alone never.
func (w *Writing) Columns(kind record.Kind, confidential bool) []Column {
	columns := []Column{{Name: "id", writing: w}}
	for _, f := range words.Fields(record.New(kind).ProtoReflect().Descriptor()) {
		switch {
		case record.Secret(kind, f.Number()):
		case f.Name() == "reviewed": // the stamps that a review judged: no other database has them
		case !confidential && slices.Contains(confidentialFields[kind], f.Name()):
		case words.FormOf(f) == words.Compound && !f.IsList():
			for _, part := range words.Fields(f.Message()) {
				columns = append(columns, Column{Name: string(f.Name() + "_" + part.Name()), writing: w, field: f, part: part})
			}
		default:
			columns = append(columns, Column{Name: string(f.Name()), writing: w, field: f})
		}
	}
	return columns
}

// Label is what people read above the column, in the language of the writing.
func (c Column) Label() string { return c.labelIn(c.writing.terms.Words) }

func (c Column) labelIn(w *words.Words) string {
	switch {
	case c.field == nil:
		return w.Say(idLabel)
	case c.part == nil:
		return w.Field(c.field)
	default:
		return w.Labelled(w.Field(c.field), w.Field(c.part))
	}
}

// Labels are what people read above the column, in Chinese and in English.
func (c Column) Labels() (zh, en string) { return c.labelIn(chinese), c.labelIn(english) }

// Called reports whether a heading names the column: by its stable name, or by its label in either language.
func (c Column) Called(heading string) bool {
	return heading == c.Name || strings.EqualFold(heading, c.labelIn(english)) || heading == c.labelIn(chinese)
}

// Field is the number of the field that the column has, or has a part of; 0 of the column of ids.
func (c Column) Field() protowire.Number {
	if c.field == nil {
		return 0
	}
	return c.field.Number()
}

// Named is the kind of the records that stand in the column by their names; KIND_UNKNOWN when it has no such.
func (c Column) Named() record.Kind {
	if c.field == nil {
		return recordv1.Kind_KIND_UNKNOWN
	}
	return namedBy[c.field.Name()]
}

// value is what a row has in the column; false when it has nothing there.
func (c Column) value(r Row) (protoreflect.FieldDescriptor, protoreflect.Value, bool) {
	m, f := r.Message.ProtoReflect(), c.field
	if !m.Has(f) {
		return f, protoreflect.Value{}, false
	}
	if c.part != nil {
		m, f = m.Get(f).Message(), c.part
	}
	return f, m.Get(f), m.Has(f)
}

// Text is what stands in a row's cell in a text file: stable names, no words of a language. It is empty where the row has
// nothing there, and no spreadsheet takes it for a formula.
func (c Column) Text(r Row) string {
	if c.field == nil {
		return r.ID.String()
	}
	f, v, ok := c.value(r)
	if !ok {
		return ""
	}
	return c.writing.cell(f, v, false)
}

// Number reports whether the column has whole numbers.
func (c Column) Number() bool {
	f := c.field
	if c.part != nil {
		f = c.part
	}
	return f != nil && !f.IsList() && words.FormOf(f) == words.Number
}

// Options are the values that may stand in a column of choices, with the words for them; none in another.
func (c Column) Options() []words.Option {
	f := c.field
	if c.part != nil {
		f = c.part
	}
	if f == nil || words.FormOf(f) != words.Choice {
		return nil
	}
	return c.writing.terms.Options(f.Enum())
}

// Value is what a row has in the column where it is kept in a table of a database: nil where there is nothing, an int64 in a column of
// numbers, else the text of a text file, as it is.
func (c Column) Value(r Row) any {
	if c.Number() {
		if _, v, ok := c.value(r); ok {
			return words.Integer(v)
		}
		return nil
	}
	if text := c.Text(r); text != "" {
		return Meant(text)
	}
	return nil
}

// Cell is what stands in a row's cell in a spreadsheet: nil where there is nothing, an int64, a bool, a record.Date, a
// time.Time in the deployment's time zone, or else a string in the words of the language.
func (c Column) Cell(r Row) any {
	if c.field == nil {
		return r.ID.String()
	}
	f, v, ok := c.value(r)
	if !ok {
		return nil
	}
	if !f.IsList() {
		switch words.FormOf(f) {
		case words.Number:
			return words.Integer(v)
		case words.YesOrNo:
			return v.Bool()
		case words.Date:
			return record.Date(v.Int()) //nolint:gosec // the field has 32 bits
		case words.Instant:
			return c.writing.instant(v)
		}
	}
	return c.writing.cell(f, v, true)
}

// Parse reads a cell into a row, in either form; of a spreadsheet, as it is kept and not as it is shown. An empty one leaves the row as it is. What has no place in the column is
// refused with a *CellError; whether the values themselves are valid, record.Validate says.
func (c Column) Parse(cell string, r *Row) error {
	if cell == "" {
		return nil
	}
	if c.field == nil {
		id, ok := idFrom(trimmed(cell))
		if !ok {
			return c.Wrong(Code(record.CodeInvalidID))
		}
		r.ID = id
		return nil
	}
	m, f := r.Message.ProtoReflect(), c.field
	holder := m
	if c.part != nil {
		holder, f = m.NewField(f).Message(), c.part
		if m.Has(c.field) {
			proto.Merge(holder.Interface(), m.Get(c.field).Message().Interface())
		}
	}
	v, code := c.writing.read(holder, f, Meant(cell))
	if code != "" {
		return c.Wrong(code)
	}
	if !v.IsValid() {
		return nil
	}
	holder.Set(f, v)
	if c.part != nil {
		m.Set(c.field, protoreflect.ValueOfMessage(holder))
	}
	return nil
}

// Wrong says that something is wrong with a cell of the column.
func (c Column) Wrong(code Code) *CellError { return &CellError{Code: code, column: c} }
