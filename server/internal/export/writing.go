package export

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// Writing is how one deployment's values are written in cells and read from them. It may be used by several goroutines.
type Writing struct {
	terms   *words.Terms
	names   *Names
	choices map[protoreflect.FullName]*choices
	bands   *choices
}

// NewWriting is that of a deployment, by its own words and names.
func NewWriting(terms *words.Terms, names *Names) *Writing {
	w := &Writing{terms: terms, names: names, choices: map[protoreflect.FullName]*choices{}, bands: bandsOf(terms)}
	for _, k := range Kinds() {
		w.learn(record.New(k).ProtoReflect().Descriptor())
	}
	return w
}

// learn finds the choices of all fields of a message.
func (w *Writing) learn(m protoreflect.MessageDescriptor) {
	for _, f := range words.Fields(m) {
		switch {
		case f.Enum() != nil && w.choices[f.Enum().FullName()] == nil:
			w.choices[f.Enum().FullName()] = choicesOf(w.terms.Options(f.Enum()))
		case f.Message() != nil:
			w.learn(f.Message())
		}
	}
}

// choices are the values that a field may have, by the names and words for them.
type choices struct {
	names, labels map[int64]string
	numbers       map[string]int64
}

func choicesOf(options []words.Option) *choices {
	c := &choices{names: map[int64]string{}, labels: map[int64]string{}, numbers: map[string]int64{}}
	for _, o := range options {
		c.names[int64(o.Number)] = o.Name
		c.numbers[strings.ToLower(o.Name)] = int64(o.Number)
	}
	for _, o := range options {
		for _, word := range []string{o.Label, o.EN, o.ZH} {
			word = strings.ToLower(strings.TrimSpace(word))
			if _, taken := c.numbers[word]; !taken && word != "" {
				c.numbers[word] = int64(o.Number)
			}
		}
	}
	for _, o := range options {
		c.label(int64(o.Number), o.Label)
	}
	return c
}

// bandsOf are the age bands, written "6–13": a spreadsheet that opens a text file takes "6-13" for a day in June. Both are read.
func bandsOf(terms *words.Terms) *choices {
	c := &choices{names: map[int64]string{}, labels: map[int64]string{}, numbers: map[string]int64{}}
	for _, w := range []*words.Words{english, chinese} {
		c.numbers[w.For(&recordv1.Deployment{}).AgeBand(0)] = 0
	}
	for i, name := range terms.AgeBands() {
		n, word := int64(i), terms.AgeBand(uint64(i))
		c.names[n], c.numbers[name] = strings.Replace(name, "-", "–", 1), n
		c.numbers[c.names[n]] = n
		c.numbers[strings.ToLower(word)] = n
		c.label(n, word)
	}
	return c
}

// label takes the word for a choice, unless another one would be read from it.
func (c *choices) label(n int64, word string) {
	word = strings.TrimSpace(lines(word))
	if c.labels[n] = word; c.numbers[strings.ToLower(word)] != n || word == "" {
		c.labels[n] = c.names[n]
	}
}

// text is what is written for a number: one that only a newer program has a name for is written itself.
func (c *choices) text(n int64, labels bool) string {
	text, ok := c.names[n]
	if labels {
		text, ok = c.labels[n]
	}
	if !ok {
		return strconv.FormatInt(n, 10)
	}
	return text
}

func (c *choices) find(text string) (int64, bool) {
	if n, ok := c.numbers[strings.ToLower(text)]; ok {
		return n, true
	}
	n, err := strconv.ParseInt(text, 10, 32)
	_, named := c.names[n]
	return n, err == nil && n >= 0 && !named && strconv.FormatInt(n, 10) == text
}

// cell is a field's value in a cell.
func (w *Writing) cell(f protoreflect.FieldDescriptor, v protoreflect.Value, labels bool) string {
	if !f.IsList() {
		text := w.item(f, v, labels)
		switch words.FormOf(f) {
		case words.Number, words.Date, words.Instant:
			return text
		default:
			return Neutral(text)
		}
	}
	var items []string
	for i := range v.List().Len() {
		item := v.List().Get(i)
		if words.FormOf(f) == words.Compound {
			items = append(items, w.parts(item.Message(), labels))
		} else {
			items = append(items, escaped(w.item(f, item, labels)))
		}
	}
	return Neutral(strings.Join(items, "; "))
}

// parts is a value of several parts, as one of several.
func (w *Writing) parts(m protoreflect.Message, labels bool) string {
	var parts []string
	for _, part := range words.Fields(m.Descriptor()) {
		if !m.Has(part) {
			continue
		}
		name := string(part.Name())
		if labels {
			name = w.terms.Field(part)
		}
		parts = append(parts, name+"="+escaped(w.item(part, m.Get(part), labels)))
	}
	if len(parts) == 0 {
		return nothing
	}
	return strings.Join(parts, ", ")
}

func (w *Writing) item(f protoreflect.FieldDescriptor, v protoreflect.Value, labels bool) string {
	switch words.FormOf(f) {
	case words.Number:
		return strconv.FormatInt(words.Integer(v), 10)
	case words.Date:
		return record.Date(v.Int()).String() //nolint:gosec // the field has 32 bits
	case words.Instant:
		return w.instant(v).Format(time.RFC3339Nano)
	case words.YesOrNo:
		return yesOrNo(v.Bool())
	case words.Choice:
		return w.choices[f.Enum().FullName()].text(int64(v.Enum()), labels)
	case words.AgeBand:
		return w.bands.text(int64(v.Uint()), labels) //nolint:gosec // the field has 32 bits
	case words.Reference:
		return w.names.text(namedBy[f.Name()], v.Bytes())
	case words.Code:
		return hex.EncodeToString(v.Bytes())
	default:
		return lines(v.String())
	}
}

func (w *Writing) instant(v protoreflect.Value) time.Time {
	return time.UnixMilli(v.Int()).In(w.terms.Zone())
}

func yesOrNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// read is a field's value, read from a cell; no value when there is none in it.
func (w *Writing) read(m protoreflect.Message, f protoreflect.FieldDescriptor, text string) (protoreflect.Value, Code) {
	if !f.IsList() {
		return w.readItem(f, text)
	}
	list := m.NewField(f).List()
	for _, piece := range pieces(text, itemEnds) {
		if words.FormOf(f) == words.Compound {
			item := list.NewElement()
			if code := w.readParts(item.Message(), piece); code != "" {
				return protoreflect.Value{}, code
			}
			list.Append(item)
			continue
		}
		item, code := w.readItem(f, unescaped(piece))
		if code != "" {
			return protoreflect.Value{}, code
		}
		list.Append(item)
	}
	if list.Len() == 0 {
		return protoreflect.Value{}, ""
	}
	return protoreflect.ValueOfList(list), ""
}

func (w *Writing) readParts(m protoreflect.Message, text string) Code {
	if text == nothing {
		return ""
	}
	for _, piece := range pieces(text, partEnds) {
		at, width := find(piece, equals)
		part := partNamed(m.Descriptor(), trimmed(piece[:at]))
		if part == nil || width == 0 {
			return CodeUnknownPart
		}
		v, code := w.readItem(part, unescaped(strings.Trim(piece[at+width:], " ")))
		if code != "" {
			return code
		}
		m.Set(part, v)
	}
	return ""
}

// partNamed is the part of a name, or of the word for it in either language; nil when there is none.
func partNamed(m protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	for _, part := range words.Fields(m) {
		if string(part.Name()) == name || english.Field(part) == name || chinese.Field(part) == name {
			return part
		}
	}
	return nil
}

func (w *Writing) readItem(f protoreflect.FieldDescriptor, text string) (protoreflect.Value, Code) {
	form := words.FormOf(f)
	if form == words.Text {
		return protoreflect.ValueOfString(lines(text)), ""
	}
	if text = trimmed(text); text == "" {
		return protoreflect.Value{}, CodeNothing
	}
	switch form {
	case words.Number:
		return readNumber(f, text)
	case words.Date:
		if d, ok := words.ReadDate(text); ok {
			return protoreflect.ValueOfInt32(int32(d)), ""
		}
		if at, ok := fromSerial(text, time.UTC); ok && at.Equal(at.Truncate(24*time.Hour)) {
			return protoreflect.ValueOfInt32(int32(record.DateOf(at, time.UTC))), ""
		}
		return protoreflect.Value{}, Code(record.CodeInvalidDate)
	case words.Instant:
		return w.readInstant(text)
	case words.YesOrNo:
		b, ok := words.ReadYesOrNo(text)
		if !ok {
			return protoreflect.Value{}, CodeNotYesOrNo
		}
		return protoreflect.ValueOfBool(b), ""
	case words.Choice:
		n, ok := w.choices[f.Enum().FullName()].find(text)
		if !ok {
			return protoreflect.Value{}, CodeUnknownChoice
		}
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), "" //nolint:gosec // read as 32 bits
	case words.AgeBand:
		n, ok := w.bands.find(text)
		if !ok {
			return protoreflect.Value{}, Code(record.CodeUnknownAgeBand)
		}
		return protoreflect.ValueOfUint32(uint32(n)), "" //nolint:gosec // read as 32 bits, not negative
	case words.Reference:
		return w.readReference(f, text)
	default: // a code
		code, err := hex.DecodeString(text)
		if err != nil || len(code) != len(hlc.ID{}) {
			return protoreflect.Value{}, Code(record.CodeInvalidToken)
		}
		return protoreflect.ValueOfBytes(code), ""
	}
}

func (w *Writing) readReference(f protoreflect.FieldDescriptor, text string) (protoreflect.Value, Code) {
	kind, named := namedBy[f.Name()]
	if !named {
		id, ok := idFrom(text)
		if !ok {
			return protoreflect.Value{}, Code(record.CodeInvalidID)
		}
		return protoreflect.ValueOfBytes(id[:]), ""
	}
	id, code := w.names.find(kind, text)
	return protoreflect.ValueOfBytes(id[:]), code
}

// readNumber reads a whole number; spreadsheets may write it with a fraction of nothing.
func readNumber(f protoreflect.FieldDescriptor, text string) (protoreflect.Value, Code) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		x, ferr := strconv.ParseFloat(text, 64)
		if n = int64(x); ferr != nil || float64(n) != x {
			return protoreflect.Value{}, CodeNotANumber
		}
	}
	unsigned := f.Kind() == protoreflect.Uint32Kind
	switch {
	case unsigned && n == int64(uint32(n)): //nolint:gosec // that is what is asked
		return protoreflect.ValueOfUint32(uint32(n)), "" //nolint:gosec // as above
	case !unsigned && n == int64(int32(n)): //nolint:gosec // that is what is asked
		return protoreflect.ValueOfInt32(int32(n)), "" //nolint:gosec // as above
	default:
		return protoreflect.Value{}, Code(record.CodeNumberOutOfRange)
	}
}

// instantLayouts are how spreadsheets write an instant in the deployment's time zone, the one of this package first.
var instantLayouts = []string{"2006-01-02 15:04:05.000", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-1-2 15:04", "2006/1/2 15:04", "2006年1月2日 15:04"}

func (w *Writing) readInstant(text string) (protoreflect.Value, Code) {
	at, err := time.Parse(time.RFC3339, text)
	for _, layout := range instantLayouts {
		if err != nil {
			at, err = time.ParseInLocation(layout, text, w.terms.Zone())
		}
	}
	if err != nil {
		var ok bool
		if at, ok = fromSerial(text, w.terms.Zone()); !ok {
			return protoreflect.Value{}, CodeInvalidTime
		}
	}
	return protoreflect.ValueOfInt64(at.UnixMilli()), ""
}

func trimmed(text string) string { return strings.TrimSpace(text) }
