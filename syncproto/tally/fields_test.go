package tally

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
)

func TestFieldNumbersAreThoseOfTheProtos(t *testing.T) {
	type numbers = map[protoreflect.Name]protowire.Number
	for m, fields := range map[proto.Message]numbers{
		&recordv1.Place{}: {"code": placeCode},
		&recordv1.Case{}: {
			"opened_on": caseOpenedOn, "client_count": caseClientCount, "client_tokens": caseClientTokens, "sex": caseSex,
			"age_band": caseAgeBand, "lead": caseLead,
		},
		&recordv1.CaseSession{}:       {"case": caseSessionCase, "minutes": caseSessionMinutes, "attendees": caseSessionAttendees, "co_workers": coWorkers},
		&recordv1.GroupSession{}:      {"group": groupSessionGroup, "minutes": groupSessionMinutes, "co_workers": coWorkers},
		&recordv1.CommunityActivity{}: {"minutes": activityMinutes, "co_workers": coWorkers},
		&recordv1.Outreach{}:          {"co_workers": coWorkers},
		&recordv1.Headcount{}: {
			"activity": headcountActivity, "counter": headcountCounter, "method": headcountMethod, "cells": headcountCells,
			"first_time": headcountFirstTime, "returning": headcountReturning, "unsure": headcountUnsure,
			"disability_asked": headcountDisabilityAsked, "disability_yes": headcountDisabilityYes,
		},
		&recordv1.HeadcountCell{}: {
			"sex": cellSex, "age_band": cellAgeBand, "first_time": cellFirstTime, "returning": cellReturning, "unsure": cellUnsure,
		},
		&recordv1.Attendance{}: {
			"activity": attendanceActivity, "token": attendanceToken, "sex": attendanceSex, "age_band": attendanceAgeBand,
			"disability": attendanceDisability,
		},
		&recordv1.Review{}:        {"reviewed": reviewReviewed},
		&recordv1.ReviewedField{}: {"field": reviewedField, "time": reviewedTime, "replica": reviewedReplica},
	} {
		d := m.ProtoReflect().Descriptor()
		for name, number := range fields {
			if f := d.Fields().ByName(name); f == nil || f.Number() != number {
				t.Errorf("%s of %s is not %d", name, d.Name(), number)
			}
		}
	}
}

func TestDraftsAreWhatRecordMissingSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := oracle.NewWorld(t)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.Step(t)
		}
		for _, r := range w.Records() {
			m := record.New(r.Kind)
			if m == nil {
				if (*Record)(&r).complete() {
					t.Fatalf("a record of the unknown kind %d is complete", r.Kind)
				}
				continue
			}
			if err := proto.Unmarshal(r.Registers.Fields(), m); err != nil {
				t.Fatal(err)
			}
			fields := m.ProtoReflect().Descriptor().Fields()
			for _, f := range record.Missing(r.Kind, record.New(r.Kind)) { // lacking, empty, or there
				switch rapid.IntRange(0, 9).Draw(t, "required") {
				case 7:
					m.ProtoReflect().Clear(fields.ByNumber(f))
				case 8:
					if !fields.ByNumber(f).IsList() {
						m.ProtoReflect().Set(fields.ByNumber(f), empty(fields.ByNumber(f)))
					}
				}
			}
			b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			c := record.Change{Fields: b}
			rs := c.Registers()
			lacks := record.Missing(r.Kind, m)
			if got := (&Record{Kind: r.Kind, Registers: rs}).complete(); got != (len(lacks) == 0) {
				t.Fatalf("a %v that lacks %v is complete: %v", r.Kind, lacks, got)
			}
		}
	})
}

// empty is a value that is there and says nothing: an empty text, a 0.
func empty(f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{})
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(0)
	default:
		return f.Default()
	}
}

// Kinds that are not known are kept unread; once they are, what was kept may hold anything.
func TestNothingThatRegistersHoldPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := oracle.NewWorld(t)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			w.Step(t)
		}
		var records []Record
		for _, r := range w.Records() {
			for i := range r.Registers {
				if rapid.IntRange(0, 3).Draw(t, "spoil") == 2 {
					r.Registers[i].Value = rapid.OneOf(
						rapid.SliceOfN(rapid.Byte(), 0, 40),
						rapid.Custom(func(t *rapid.T) []byte {
							b := protowire.AppendTag(nil, r.Registers[i].Field, protowire.BytesType)
							return protowire.AppendBytes(b, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "content"))
						}),
					).Draw(t, "value")
				}
			}
			records = append(records, Record(r))
		}
		Facts(records)
		DeltaOf(nil, records)
	})
}
