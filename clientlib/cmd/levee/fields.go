package main

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// shortNames are what people write for fields whose own names are long, or are not words for people.
var shortNames = map[protoreflect.Name]string{
	"first_time":    "first",
	"cells":         "cell",
	"token":         "code",
	"client_tokens": "client-code",
}

// nameOf is what people write for a field on the command line.
func nameOf(f protoreflect.FieldDescriptor) string {
	if short, ok := shortNames[f.Name()]; ok {
		return short
	}
	return strings.ReplaceAll(string(f.Name()), "_", "-")
}

// fieldNamed is the field of a message that people call name: by its short name, its own, or its word in either
// language, which need not name the unit.
func fieldNamed(fields []protoreflect.FieldDescriptor, name string) protoreflect.FieldDescriptor {
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
	for _, f := range fields {
		own := strings.ReplaceAll(string(f.Name()), "_", "-")
		label := words.In("zh").Field(f)
		withoutUnit, _, _ := strings.Cut(label, "（")
		if slices.Contains([]string{nameOf(f), own, label, withoutUnit, strings.ToLower(words.In("en").Field(f))}, name) {
			return f
		}
	}
	return nil
}

// set reads what a person wrote for a field, once or several times, into a message of kind k.
func (s *session) set(k record.Kind, m protoreflect.Message, f protoreflect.FieldDescriptor, written []string) error {
	if !f.IsList() {
		if len(written) > 1 {
			return s.refuse(f, written[1], s.Say(onlyOnce))
		}
		v, err := s.value(k, f, written[0], m.NewField(f))
		if err != nil {
			return err
		}
		m.Set(f, v)
		return nil
	}
	separators := ",，"
	if words.FormOf(f) == words.Compound {
		separators = ";；"
	}
	list := m.Mutable(f).List()
	var items []protoreflect.Value
	for _, text := range written {
		for _, item := range split(text, separators) {
			v, err := s.value(k, f, item, list.NewElement())
			if err != nil {
				return err
			}
			items = append(items, v)
		}
	}
	if f.Name() == "cells" {
		slices.SortStableFunc(items, func(a, b protoreflect.Value) int {
			x, y := a.Message().Interface().(*recordv1.HeadcountCell), b.Message().Interface().(*recordv1.HeadcountCell)
			return cmp.Or(cmp.Compare(x.GetSex(), y.GetSex()), cmp.Compare(x.GetAgeBand(), y.GetAgeBand()))
		})
	}
	for _, v := range items {
		list.Append(v)
	}
	return nil
}

// split parts a text at any of the separators. A backslash before one keeps it in the text.
func split(text, separators string) []string {
	parts := []string{""}
	escaped := false
	for _, r := range text {
		last := &parts[len(parts)-1]
		switch isSeparator := strings.ContainsRune(separators, r); {
		case escaped:
			if !isSeparator {
				*last += `\`
			}
			*last += string(r)
			escaped = false
		case r == '\\':
			escaped = true
		case isSeparator:
			parts = append(parts, "")
		default:
			*last += string(r)
		}
	}
	if escaped {
		parts[len(parts)-1] += `\`
	}
	return parts
}

// value reads one value of a field. empty is a value of its type, which compounds are read into.
func (s *session) value(k record.Kind, f protoreflect.FieldDescriptor, written string, empty protoreflect.Value) (protoreflect.Value, error) {
	none := protoreflect.Value{}
	text := strings.TrimSpace(written)
	switch words.FormOf(f) {
	case words.Number:
		return s.numberValue(f, text)
	case words.Date:
		d, err := record.ParseDate(text)
		if err != nil {
			return none, s.refuse(f, written, s.Say(likeADate))
		}
		return protoreflect.ValueOfInt32(int32(d)), nil
	case words.Instant:
		t, err := s.parseInstant(text)
		if err != nil {
			return none, s.refuse(f, written, s.Say(likeAnInstant))
		}
		return protoreflect.ValueOfInt64(t.UnixMilli()), nil
	case words.YesOrNo:
		switch strings.ToLower(text) {
		case "yes", "true", "是":
			return protoreflect.ValueOfBool(true), nil
		case "no", "false", "否":
			return protoreflect.ValueOfBool(false), nil
		}
		return none, s.refuse(f, written, s.Say(yesOrNo))
	case words.Choice:
		return s.choiceValue(f, text)
	case words.AgeBand:
		return s.ageBandValue(f, text)
	case words.Reference:
		r, err := s.find(text, s.kindsMeant(k, f)...)
		if err != nil {
			return none, err
		}
		return protoreflect.ValueOfBytes(r[:]), nil
	case words.Code:
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != 16 {
			return none, s.refuse(f, written, s.Say(likeACode))
		}
		return protoreflect.ValueOfBytes(b), nil
	case words.Compound:
		return empty, s.readParts(k, f, text, empty.Message())
	default:
		text, err := s.textOrInput(f, written)
		return protoreflect.ValueOfString(text), err
	}
}

func (s *session) numberValue(f protoreflect.FieldDescriptor, text string) (protoreflect.Value, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	unsigned := f.Kind() == protoreflect.Uint32Kind
	if err != nil || n > math.MaxInt32 || n < math.MinInt32 || (unsigned && n < 0) {
		return protoreflect.Value{}, s.refuse(f, text, s.Say(wholeNumber))
	}
	if unsigned {
		return protoreflect.ValueOfUint32(uint32(n)), nil //nolint:gosec // not negative
	}
	return protoreflect.ValueOfInt32(int32(n)), nil
}

func (s *session) choiceValue(f protoreflect.FieldDescriptor, text string) (protoreflect.Value, error) {
	wanted := strings.ReplaceAll(strings.ToLower(text), "-", "_")
	options := s.terms().Options(f.Enum())
	for _, o := range options {
		if wanted == o.Name || text == o.Label || text == o.ZH || strings.EqualFold(text, o.EN) {
			return protoreflect.ValueOfEnum(o.Number), nil
		}
	}
	return protoreflect.Value{}, s.refuse(f, text, s.Say(oneOf, s.List(s.choiceNames(options))))
}

// choiceNames are the choices as people write them, with their words beside them where those are other ones.
func (s *session) choiceNames(options []words.Option) []string {
	var names []string
	for _, o := range options {
		name := strings.ReplaceAll(o.Name, "_", "-")
		if s.Lang() == "zh" || strings.ReplaceAll(name, "-", " ") != o.Label {
			name += " " + o.Label
		}
		names = append(names, name)
	}
	return append(names[1:], names[0]) // unknown goes last
}

func (s *session) ageBandValue(f protoreflect.FieldDescriptor, text string) (protoreflect.Value, error) {
	bands := s.terms().AgeBands()
	wanted := strings.NewReplacer("–", "-", "岁", "", "以上", "+", "不详", "unknown").Replace(strings.ToLower(text))
	if i := slices.Index(bands, wanted); i >= 0 {
		return protoreflect.ValueOfUint32(uint32(i)), nil //nolint:gosec // an index of a short list
	}
	return protoreflect.Value{}, s.refuse(f, text, s.Say(oneOf, s.List(append(bands[1:], bands[0]))))
}

// readParts reads a value that has parts, such as "female,18-59,first=12": parts without a name are those of the message
// in their order.
func (s *session) readParts(k record.Kind, f protoreflect.FieldDescriptor, text string, into protoreflect.Message) error {
	fields := words.Fields(f.Message())
	for i, part := range split(text, ",，") {
		name, value, named := strings.Cut(strings.Replace(part, "＝", "=", 1), "=")
		var field protoreflect.FieldDescriptor
		switch {
		case named:
			field = fieldNamed(fields, name)
		case i < len(fields):
			field, value = fields[i], part
		}
		if field == nil {
			return s.refuse(f, part, s.Say(partsAre, s.partNames(f.Message())))
		}
		if strings.TrimSpace(value) == "" {
			continue // a part left out
		}
		if err := s.set(k, into, field, []string{value}); err != nil {
			return err
		}
	}
	return nil
}

// partNames says how a value with parts is written.
func (s *session) partNames(m protoreflect.MessageDescriptor) string {
	var names []string
	for _, f := range words.Fields(m) {
		names = append(names, nameOf(f))
	}
	return strings.Join(names, ",")
}

// textOrInput is a text; "-" stands for what comes from standard input, so that a narrative need not be typed into a
// command line, where others may see it.
func (s *session) textOrInput(f protoreflect.FieldDescriptor, written string) (string, error) {
	if written != "-" {
		return written, nil
	}
	if s.inputTaken {
		return "", s.refuse(f, written, s.Say(onlyOnce))
	}
	s.inputTaken = true
	b, err := io.ReadAll(io.LimitReader(s.in, record.MaxFieldsBytes))
	return string(bytes.TrimRight(b, "\r\n")), err
}

var instantLayouts = []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05"}

// parseInstant reads a day and a time of day of the deployment's time zone, or a time with a zone of its own.
func (s *session) parseInstant(text string) (time.Time, error) {
	for _, layout := range instantLayouts {
		if t, err := time.ParseInLocation(layout, text, s.zone()); err == nil {
			return t, nil
		}
	}
	return time.Parse(time.RFC3339, text)
}

// shownText is a value as people read it.
func (s *session) shownText(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	return s.terms().Value(f, v, s.named)
}

// idOf is an id that stands in a field.
func idOf(b []byte) (hlc.ID, bool) {
	if len(b) != len(hlc.ID{}) {
		return hlc.ID{}, false
	}
	return hlc.ID(b), true
}
