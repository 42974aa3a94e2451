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
)

// form is how people write the values of a field. It follows from the field's type, so that a new field needs no code.
type form int

const (
	aText form = iota
	aNumber
	aDate
	anInstant
	aYesOrNo
	aChoice
	anAgeBand
	aReference
	aCode
	aCompound
)

func formOf(f protoreflect.FieldDescriptor) form {
	switch f.Kind() {
	case protoreflect.EnumKind:
		return aChoice
	case protoreflect.BoolKind:
		return aYesOrNo
	case protoreflect.MessageKind:
		return aCompound
	case protoreflect.Int64Kind:
		return anInstant
	case protoreflect.BytesKind:
		if f.Name() == "token" || f.Name() == "client_tokens" {
			return aCode
		}
		return aReference
	case protoreflect.Int32Kind:
		if f.Name() == "edition" {
			return aNumber
		}
		return aDate
	case protoreflect.Uint32Kind, protoreflect.Sint32Kind:
		if f.Name() == "age_band" {
			return anAgeBand
		}
		return aNumber
	default:
		return aText
	}
}

// settable are the fields of a kind that people set, its own before the common ones.
func settable(k record.Kind) []protoreflect.FieldDescriptor {
	var own, common []protoreflect.FieldDescriptor
	fields := record.New(k).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		switch f := fields.Get(i); {
		case f.Number() == record.DeletedField: // by the commands delete and restore
		case record.Secret(k, f.Number()):
		case f.Name() == "reviewed": // filled in when a review is logged
		case isCommon(f):
			common = append(common, f)
		default:
			own = append(own, f)
		}
	}
	return append(own, common...)
}

// isCommon reports whether all kinds have a field.
func isCommon(f protoreflect.FieldDescriptor) bool { return f.Number() < 16 }

// fieldNamed is the field of a message that people call name: by its short name, its own, or its word in either
// language, which need not name the unit.
func fieldNamed(fields []protoreflect.FieldDescriptor, name string) protoreflect.FieldDescriptor {
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
	for _, f := range fields {
		own := strings.ReplaceAll(string(f.Name()), "_", "-")
		label := wordsIn("zh").label(f)
		withoutUnit, _, _ := strings.Cut(label, "（")
		if slices.Contains([]string{nameOf(f), own, label, withoutUnit, strings.ToLower(wordsIn("en").label(f))}, name) {
			return f
		}
	}
	return nil
}

func fieldsOf(m protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	fields := make([]protoreflect.FieldDescriptor, m.Fields().Len())
	for i := range fields {
		fields[i] = m.Fields().Get(i)
	}
	return fields
}

// set reads what a person wrote for a field, once or several times, into a message of kind k.
func (s *session) set(k record.Kind, m protoreflect.Message, f protoreflect.FieldDescriptor, written []string) error {
	if !f.IsList() {
		if len(written) > 1 {
			return s.refuse(f, written[1], s.say(onlyOnce))
		}
		v, err := s.value(k, f, written[0], m.NewField(f))
		if err != nil {
			return err
		}
		m.Set(f, v)
		return nil
	}
	separators := ",，"
	if formOf(f) == aCompound {
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
	switch formOf(f) {
	case aNumber:
		return s.numberValue(f, text)
	case aDate:
		d, err := record.ParseDate(text)
		if err != nil {
			return none, s.refuse(f, written, s.say(likeADate))
		}
		return protoreflect.ValueOfInt32(int32(d)), nil
	case anInstant:
		t, err := s.parseInstant(text)
		if err != nil {
			return none, s.refuse(f, written, s.say(likeAnInstant))
		}
		return protoreflect.ValueOfInt64(t.UnixMilli()), nil
	case aYesOrNo:
		switch strings.ToLower(text) {
		case "yes", "true", "是":
			return protoreflect.ValueOfBool(true), nil
		case "no", "false", "否":
			return protoreflect.ValueOfBool(false), nil
		}
		return none, s.refuse(f, written, s.say(yesOrNo))
	case aChoice:
		return s.choiceValue(f, text)
	case anAgeBand:
		return s.ageBandValue(f, text)
	case aReference:
		r, err := s.find(text, s.kindsMeant(k, f)...)
		if err != nil {
			return none, err
		}
		return protoreflect.ValueOfBytes(r[:]), nil
	case aCode:
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != 16 {
			return none, s.refuse(f, written, s.say(likeACode))
		}
		return protoreflect.ValueOfBytes(b), nil
	case aCompound:
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
		return protoreflect.Value{}, s.refuse(f, text, s.say(wholeNumber))
	}
	if unsigned {
		return protoreflect.ValueOfUint32(uint32(n)), nil //nolint:gosec // not negative
	}
	return protoreflect.ValueOfInt32(int32(n)), nil
}

func (s *session) choiceValue(f protoreflect.FieldDescriptor, text string) (protoreflect.Value, error) {
	wanted := strings.ReplaceAll(strings.ToLower(text), "-", "_")
	choices := s.choices(f.Enum())
	for _, c := range choices {
		if wanted == c.name || text == c.label || text == c.zh || strings.EqualFold(text, c.en) {
			return protoreflect.ValueOfEnum(c.number), nil
		}
	}
	return protoreflect.Value{}, s.refuse(f, text, s.say(oneOf, s.list(s.choiceNames(choices))))
}

// choice is a value of an enumeration.
type choice struct {
	number protoreflect.EnumNumber
	name   string // stable
	en, zh string
	label  string // in the language of the session
}

// choices are the values of an enumeration, the deployment's own service areas among them.
func (s *session) choices(e protoreflect.EnumDescriptor) []choice {
	var all []choice
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		all = append(all, choice{v.Number(), choiceName(v), wordsIn("en").choice(v), wordsIn("zh").choice(v), s.choice(v)})
	}
	if e.Name() != "ServiceArea" {
		return all
	}
	for _, named := range s.deployment().GetServiceAreas() {
		c := choice{
			number: named.GetNumber().Number(), name: strconv.Itoa(int(named.GetNumber())), en: named.GetLabelEn(), zh: named.GetLabelZh(),
			label: s.either(named.GetLabelEn(), named.GetLabelZh()),
		}
		if c.label == "" {
			c.label = cmp.Or(c.zh, c.en, c.name)
		}
		if i := slices.IndexFunc(all, func(o choice) bool { return o.number == c.number }); i >= 0 {
			c.name = all[i].name
			all[i] = c
		} else {
			all = append(all, c)
		}
	}
	return all
}

// choiceNames are the choices as people write them, with their words beside them where those are other ones.
func (s *session) choiceNames(choices []choice) []string {
	var names []string
	for _, c := range choices {
		name := strings.ReplaceAll(c.name, "_", "-")
		if s.chinese || strings.ReplaceAll(name, "-", " ") != c.label {
			name += " " + c.label
		}
		names = append(names, name)
	}
	return append(names[1:], names[0]) // unknown goes last
}

// ageBands are the deployment's age bands as people write them; number 0 is unknown.
func (s *session) ageBands() []string {
	bands := []string{"unknown"}
	low := uint32(0)
	for _, high := range record.AgeBands(s.deployment()) {
		bands = append(bands, strconv.Itoa(int(low))+"-"+strconv.Itoa(int(high)))
		low = high + 1
	}
	return append(bands, strconv.Itoa(int(low))+"+")
}

func (s *session) ageBandValue(f protoreflect.FieldDescriptor, text string) (protoreflect.Value, error) {
	bands := s.ageBands()
	wanted := strings.NewReplacer("–", "-", "岁", "", "以上", "+", "不详", "unknown").Replace(strings.ToLower(text))
	if i := slices.Index(bands, wanted); i >= 0 {
		return protoreflect.ValueOfUint32(uint32(i)), nil //nolint:gosec // an index of a short list
	}
	return protoreflect.Value{}, s.refuse(f, text, s.say(oneOf, s.list(append(bands[1:], bands[0]))))
}

// readParts reads a value that has parts, such as "female,18-59,first=12": parts without a name are those of the message
// in their order.
func (s *session) readParts(k record.Kind, f protoreflect.FieldDescriptor, text string, into protoreflect.Message) error {
	fields := fieldsOf(f.Message())
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
			return s.refuse(f, part, s.say(partsAre, s.partNames(f.Message())))
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
	for _, f := range fieldsOf(m) {
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
		return "", s.refuse(f, written, s.say(onlyOnce))
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
	if f.IsList() {
		var items []string
		for i := range v.List().Len() {
			items = append(items, s.shownItem(f, v.List().Get(i)))
		}
		if formOf(f) == aCompound {
			return strings.Join(items, s.either("; ", "；"))
		}
		return s.list(items)
	}
	return s.shownItem(f, v)
}

func (s *session) shownItem(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch formOf(f) {
	case aNumber:
		if f.Name() == "edition" { // a year has no thousands
			return strconv.FormatInt(integer(v), 10)
		}
		return s.number(integer(v))
	case aDate:
		return s.date(record.Date(v.Int())) //nolint:gosec // the field has 32 bits
	case anInstant:
		return s.instant(time.UnixMilli(v.Int()).In(s.zone()))
	case aYesOrNo:
		if v.Bool() {
			return s.say(yes)
		}
		return s.say(no)
	case aChoice:
		return s.choiceOf(f.Enum(), v.Enum()).label
	case anAgeBand:
		return s.shownBand(v.Uint())
	case aReference:
		return s.named(v.Bytes())
	case aCode:
		return hex.EncodeToString(v.Bytes())
	case aCompound:
		var parts []string
		for _, part := range fieldsOf(f.Message()) {
			if v.Message().Has(part) {
				parts = append(parts, s.say(partIs, s.label(part), s.shownText(part, v.Message().Get(part))))
			}
		}
		return s.list(parts)
	default:
		return v.String()
	}
}

// integer is the number in a value of any integer type.
func integer(v protoreflect.Value) int64 {
	switch n := v.Interface().(type) {
	case uint32:
		return int64(n)
	case int32:
		return int64(n)
	default:
		return v.Int()
	}
}

// choiceOf is a value of an enumeration; its number where only a newer program has a name for it.
func (s *session) choiceOf(e protoreflect.EnumDescriptor, number protoreflect.EnumNumber) choice {
	for _, c := range s.choices(e) {
		if c.number == number {
			return c
		}
	}
	plain := strconv.Itoa(int(number))
	return choice{number: number, name: plain, label: plain}
}

func (s *session) shownBand(number uint64) string {
	bands := s.ageBands()
	switch {
	case number == 0:
		return s.say(unknownAge)
	case number < uint64(len(bands)):
		return strings.Replace(bands[number], "-", "–", 1)
	default:
		return strconv.FormatUint(number, 10)
	}
}

// fieldValues are the fields of a message as JSON has them: days as "2021-09-23", instants by RFC 3339, choices and age
// bands by their names, references as UUIDs.
func (s *session) fieldValues(m protoreflect.Message) map[string]any {
	values := map[string]any{}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Name() != "deleted" && f.Name() != "reviewed" {
			values[string(f.Name())] = s.fieldValue(f, v)
		}
		return true
	})
	return values
}

func (s *session) fieldValue(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	if !f.IsList() {
		return s.plain(f, v)
	}
	items := []any{}
	for i := range v.List().Len() {
		items = append(items, s.plain(f, v.List().Get(i)))
	}
	return items
}

func (s *session) plain(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch formOf(f) {
	case aNumber:
		return integer(v)
	case aDate:
		return record.Date(v.Int()).String() //nolint:gosec // the field has 32 bits
	case anInstant:
		return time.UnixMilli(v.Int()).In(s.zone()).Format(time.RFC3339Nano)
	case aYesOrNo:
		return v.Bool()
	case aChoice:
		return s.choiceOf(f.Enum(), v.Enum()).name
	case anAgeBand:
		if bands := s.ageBands(); v.Uint() < uint64(len(bands)) {
			return bands[v.Uint()]
		}
		return v.Uint()
	case aReference:
		if id, ok := idOf(v.Bytes()); ok {
			return id.String()
		}
		return hex.EncodeToString(v.Bytes())
	case aCode:
		return hex.EncodeToString(v.Bytes())
	case aCompound:
		return s.fieldValues(v.Message())
	default:
		return v.String()
	}
}

// idOf is an id that stands in a field.
func idOf(b []byte) (hlc.ID, bool) {
	if len(b) != len(hlc.ID{}) {
		return hlc.ID{}, false
	}
	return hlc.ID(b), true
}
