package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// sampler makes records as tablets log them: always the same ones. Their ids are noID, because no two are alike.
type sampler struct {
	sentences []string
	// mute leaves out what somebody would write at length.
	mute bool
	rand *rand.Rand
	at   time.Time
}

var noID = make([]byte, 16)

func newSampler(sentences []string) *sampler {
	return &sampler{sentences: sentences, rand: rand.New(rand.NewPCG(1, 1)), at: time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)} //nolint:gosec // the same numbers again
}

// kinds are those that tablets write, the ones that they write often more than once.
var kinds = []record.Kind{
	recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_CASE_NOTE, recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_HEADCOUNT,
	recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_CASE_NOTE, recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_OUTREACH,
	recordv1.Kind_KIND_CASE_IDENTITY, recordv1.Kind_KIND_CONSENT, recordv1.Kind_KIND_GROUP, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_GROUP_NOTE,
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_PARTICIPANT, recordv1.Kind_KIND_ATTENDANCE, recordv1.Kind_KIND_RESOURCE_LINK,
	recordv1.Kind_KIND_REFERRAL, recordv1.Kind_KIND_REFERRAL_NOTE, recordv1.Kind_KIND_RISK_ALERT, recordv1.Kind_KIND_SUPERVISION,
}

// bodies are the fields of changes without their ids, which are not to be compressed.
func (s *sampler) bodies() ([][]byte, error) {
	var all [][]byte
	for range 5000 {
		fields, err := s.fields(kinds[s.rand.IntN(len(kinds))])
		if err != nil {
			return nil, err
		}
		all = append(all, bytes.ReplaceAll(fields, noID, nil))
	}
	every := make([]byte, 256) // whatever a message has, the dictionary has a code for it
	for i := range every {
		every[i] = byte(i)
	}
	all = append(all, every)
	return all, nil
}

// shapes are fields without text and ids: what each kind has between them.
func (s *sampler) shapes() ([][]byte, error) {
	var all [][]byte
	s.mute = true
	seen := map[string]bool{}
	for range 3 {
		for _, k := range kinds {
			fields, err := s.fields(k)
			if err != nil {
				return nil, err
			}
			for _, piece := range bytes.Split(fields, noID) {
				if len(piece) > 4 && !seen[string(piece)] {
					seen[string(piece)] = true
					all = append(all, piece)
				}
			}
		}
	}
	return all, nil
}

// fields are those of a new record of a kind, as a change has them.
func (s *sampler) fields(k record.Kind) ([]byte, error) {
	s.at = s.at.Add(time.Duration(s.rand.Int64N(int64(20 * time.Minute))))
	m := record.New(k)
	fill := m.ProtoReflect()
	fields := fill.Descriptor().Fields()
	for i := range fields.Len() {
		switch f := fields.Get(i); f.Name() {
		case "site", "team", "author", "lead", "counter", "leader":
			fill.Set(f, protoreflect.ValueOfBytes(noID))
		case "co_workers", "duplicate_of", "deleted", "supervisees", "workers", "present", "absent": // seldom
		default:
			if s.rand.IntN(4) > 0 {
				s.set(fill, f)
			}
		}
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	if encoded, err = record.Canonical(k, encoded); err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	return encoded, nil
}

func (s *sampler) set(m protoreflect.Message, f protoreflect.FieldDescriptor) {
	if !f.IsList() {
		m.Set(f, s.value(m.NewField(f), f))
		return
	}
	list := m.Mutable(f).List()
	for range 1 + s.rand.IntN(6) {
		if f.Message() != nil {
			list.Append(s.value(list.NewElement(), f))
		} else {
			list.Append(s.value(protoreflect.Value{}, f))
		}
	}
}

// value is one for a field; into is an empty message where it is one.
func (s *sampler) value(into protoreflect.Value, f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.MessageKind:
		fields := into.Message().Descriptor().Fields()
		for i := range fields.Len() {
			s.set(into.Message(), fields.Get(i))
		}
		return into
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(noID)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(s.text(f.Name()))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(f.Enum().Values().Get(s.rand.IntN(f.Enum().Values().Len())).Number())
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(s.rand.IntN(2) == 0)
	case protoreflect.Int32Kind:
		if f.Name() == "edition" {
			return protoreflect.ValueOfInt32(2023)
		}
		return protoreflect.ValueOfInt32(int32(s.at.Year()*10000 + int(s.at.Month())*100 + s.at.Day())) //nolint:gosec // a day
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(s.at.UnixMilli())
	default:
		return protoreflect.ValueOfUint32(s.rand.Uint32N(12))
	}
}

// text is what somebody writes into a field.
func (s *sampler) text(field protoreflect.Name) string {
	sentence := []rune(s.sentences[s.rand.IntN(len(s.sentences))])
	switch field {
	case "code", "place_code":
		return fmt.Sprintf("%d", 110101001+s.rand.IntN(540000000))
	case "phone", "id_number", "case_no", "guardian_phone":
		return fmt.Sprintf("%d", 10000+s.rand.IntN(90000))
	case "village", "name", "zone", "unit", "dialect", "relation":
		return string(sentence[:2+s.rand.IntN(3)])
	}
	if s.mute {
		return ""
	}
	text := string(sentence)
	for len(text) < 120+s.rand.IntN(200) {
		text += "，" + s.sentences[s.rand.IntN(len(s.sentences))]
	}
	return text + "。"
}
