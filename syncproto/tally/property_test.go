package tally_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// books keeps records as a server does, and totals by deltas.
type books struct {
	ids     []hlc.ID
	records map[hlc.ID]tally.Record
	totals  *tally.Totals
}

func newBooks() *books {
	return &books{records: map[hlc.ID]tally.Record{}, totals: tally.NewTotals()}
}

func (b *books) all() []tally.Record {
	all := make([]tally.Record, 0, len(b.ids))
	for _, id := range b.ids {
		all = append(all, b.records[id])
	}
	return all
}

func (b *books) merge(c *record.Change) {
	r, ok := b.records[c.Record]
	if !ok {
		b.ids = append(b.ids, c.Record)
	}
	b.records[c.Record] = tally.Record{ID: c.Record, Kind: c.Kind, Registers: record.Merge(r.Registers, c.Registers())}
}

// apply merges some changes and moves the totals by the delta over whole families.
func (b *books) apply(changes ...*record.Change) {
	before := b.all()
	changed := map[hlc.ID]bool{}
	for _, c := range changes {
		b.merge(c)
		changed[c.Record] = true
	}
	after := b.all()
	family := families(changed, before, after)
	d := tally.DeltaOf(only(family, before), only(family, after))
	b.totals.Add(d)
	for c, n := range d.Cells {
		if n == 0 {
			panic(fmt.Sprintf("a delta moves %v by nothing", c))
		}
	}
	for c, n := range d.Tokens {
		if n == 0 {
			panic(fmt.Sprintf("a delta moves %v by nothing", c))
		}
	}
}

// families are all records linked with the changed ones, before or after, by owner, review or duplicate_of.
func families(changed map[hlc.ID]bool, before, after []tally.Record) map[hlc.ID]bool {
	family := maps.Clone(changed)
	for grown := true; grown; {
		grown = false
		for _, r := range slices.Concat(before, after) {
			owner, same := tally.Links(&r)
			linked := []hlc.ID{r.ID, owner, same}
			if !slices.ContainsFunc(linked, func(id hlc.ID) bool { return family[id] }) {
				continue
			}
			for _, id := range linked {
				if id != (hlc.ID{}) && !family[id] {
					family[id], grown = true, true
				}
			}
		}
	}
	return family
}

func only(family map[hlc.ID]bool, records []tally.Record) []tally.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r tally.Record) bool { return !family[r.ID] })
}

// named are the totals with every figure, also Persons, in the oracle's form.
func named(t *tally.Totals) map[oracle.Cell]int64 {
	all := map[oracle.Cell]int64{}
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		for _, figure := range tally.Figures() {
			for _, dimension := range tally.Dimensions() {
				for key, n := range t.By(basis, figure, dimension) {
					all[oracle.Cell{Basis: basis.String(), Figure: figure.String(), Dimension: dimension.String(), Key: key}] = n
				}
			}
		}
	}
	return all
}

func oracles(records []tally.Record) []oracle.Record {
	var all []oracle.Record
	for _, r := range records {
		all = append(all, oracle.Record(r))
	}
	return all
}

func mustEqual[K comparable](t interface{ Fatalf(string, ...any) }, what string, got, want map[K]int64) {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(got)), maps.Keys(want))
	for _, k := range keys {
		g, there := got[k]
		if w, wanted := want[k]; g != w || there != wanted {
			t.Fatalf("%s: %v is %d (there: %v), want %d (there: %v)", what, k, g, there, w, wanted)
		}
	}
}

func TestDeltasAddUpToTheWholeAndBothToTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, b := oracle.NewWorld(t), newBooks()
		pending := slices.Clone(w.Changes)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if c := w.Step(t); c != nil {
				pending = append(pending, c)
			}
			// Changes arrive in any order, one by one or together: an edit may come before what it edits.
			if len(pending) > 0 && rapid.Bool().Draw(t, "sync") {
				arriving := rapid.Permutation(pending).Draw(t, "order")
				n := rapid.IntRange(1, len(arriving)).Draw(t, "how many")
				b.apply(arriving[:n]...)
				pending = arriving[n:]
			}
		}
		for _, c := range pending {
			b.apply(c)
		}
		whole := tally.Of(slices.Values(b.all()), 0)
		mustEqual(t, "cells by deltas", b.totals.Cells, whole.Cells)
		mustEqual(t, "tokens by deltas", b.totals.Tokens, whole.Tokens)
		mustEqual(t, "by deltas", named(b.totals), named(whole))
		mustEqual(t, "whole beside the oracle", named(whole), oracle.Tally(oracles(b.all()), 0))

		asOf := w.Start.AddDays(rapid.IntRange(0, 45).Draw(t, "as of"))
		mustEqual(t, "as of a day beside the oracle", named(tally.Of(slices.Values(b.all()), asOf)), oracle.Tally(oracles(b.all()), asOf))
	})
}

// Records that a change does not reach may be left out of both sides.
func TestADeltaNeedsOnlyWhatAChangeReaches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, b := oracle.NewWorld(t), newBooks()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			c := w.Step(t)
			if c == nil {
				continue
			}
			before := b.all()
			b.merge(c)
			after := b.all()
			needed := reach(c.Record, before, after)
			all, some := tally.DeltaOf(before, after), tally.DeltaOf(only(needed, before), only(needed, after))
			mustEqual(t, "cells", some.Cells, all.Cells)
			mustEqual(t, "tokens", some.Tokens, all.Tokens)
		}
	})
}

// reach are the records that DeltaOf asks for: downwards what belongs to the changed one or is said to be the same, and
// for all of these upwards what they belong to and are said to be the same as, with the reviews of all.
func reach(changed hlc.ID, before, after []tally.Record) map[hlc.ID]bool {
	needed := map[hlc.ID]bool{changed: true}
	grow := func(add func(r tally.Record, owner, same hlc.ID) []hlc.ID) {
		for grown := true; grown; {
			grown = false
			for _, r := range slices.Concat(before, after) {
				owner, same := tally.Links(&r)
				for _, id := range add(r, owner, same) {
					if id != (hlc.ID{}) && !needed[id] {
						needed[id], grown = true, true
					}
				}
			}
		}
	}
	grow(func(r tally.Record, owner, same hlc.ID) (more []hlc.ID) {
		if needed[owner] || needed[same] {
			more = append(more, r.ID)
		}
		if needed[r.ID] && r.Kind == recordv1.Kind_KIND_REVIEW {
			more = append(more, owner)
		}
		return more
	})
	grow(func(r tally.Record, owner, same hlc.ID) (more []hlc.ID) {
		if needed[r.ID] {
			more = append(more, owner, same)
		}
		if needed[owner] && r.Kind == recordv1.Kind_KIND_REVIEW {
			more = append(more, r.ID)
		}
		return more
	})
	return needed
}

func TestTheCellsOfADimensionAddUpToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, b := oracle.NewWorld(t), newBooks()
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			w.Step(t)
		}
		b.apply(w.Changes...)
		for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
			for _, figure := range tally.Figures() {
				if figure == tally.Persons {
					continue // can't be summed
				}
				whole := b.totals.Value(tally.Cell{Basis: basis, Figure: figure, Cut: tally.Everything()})
				for _, d := range tally.Dimensions() {
					if d >= tally.Sex && figure < tally.Contacts {
						continue // not of people
					}
					var sum int64
					for key, n := range b.totals.By(basis, figure, d) {
						if d != tally.Place || len(key) <= 2 {
							sum += n
						}
					}
					if sum != whole {
						t.Fatalf("%v %v by %v add up to %d, the whole is %d", basis, figure, d, sum, whole)
					}
				}
			}
		}
	})
}

// A review lapses exactly when something changes that could move a figure.
func TestCountedFieldsAreThoseThatMoveFigures(t *testing.T) {
	s := newScene(t)
	c, otherCase := s.log(aCase()), s.log(aCase())
	g, otherGroup := s.log(aGroup()), s.log(aGroup())
	a, otherActivity := s.log(anActivity()), s.log(anOutreach())
	session, groupSession, outreach := s.log(aCaseSession(c)), s.log(aGroupSession(g)), s.log(anOutreach())
	inCells := aHeadcount(a, cell(male, 2, 10, 2, 0))
	inCells.DisabilityAsked, inCells.DisabilityYes = proto.Uint32(2), proto.Uint32(1)
	totals := aHeadcount(a)
	totals.FirstTime, totals.Returning, totals.Unsure = proto.Uint32(7), proto.Uint32(8), proto.Uint32(9)
	attendance := anAttendance(a, person("王"))
	attendance.Sex, attendance.AgeBand, attendance.Disability = male.Enum(), proto.Uint32(2), recordv1.Disability_DISABILITY_NO.Enum()
	cells, withoutCells, came := s.log(inCells), s.log(totals), s.log(attendance)

	for _, records := range [][]hlc.ID{{c}, {session}, {groupSession}, {a}, {outreach}, {cells, withoutCells}, {came}} {
		kind := s.records[records[0]].Kind
		var move []protowire.Number
		fields := record.New(kind).ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			if f.Number() == record.DeletedField {
				continue
			}
			for _, id := range records {
				owner := map[record.Kind]hlc.ID{
					recordv1.Kind_KIND_CASE_SESSION: otherCase, recordv1.Kind_KIND_GROUP_SESSION: otherGroup,
				}[kind]
				if kind == recordv1.Kind_KIND_HEADCOUNT || kind == recordv1.Kind_KIND_ATTENDANCE {
					owner = otherActivity
				}
				if movesFigures(s, id, f, owner) && !slices.Contains(move, f.Number()) {
					move = append(move, f.Number())
				}
			}
		}
		if want := tally.CountedFields(kind); !slices.Equal(move, want) {
			t.Errorf("of a %v the fields %v move figures, %v are counted", kind, move, want)
		}
	}
}

// movesFigures sets a field of a record to another value, and reports whether any fact changes. That an owner is
// another one shows only when the other one is elsewhere.
func movesFigures(s *scene, id hlc.ID, f protoreflect.FieldDescriptor, owner hlc.ID) bool {
	r := s.records[id]
	m := record.New(r.Kind).ProtoReflect()
	switch {
	case f.Name() == "duplicate_of":
		twin := r
		twin.ID = hlc.ID(named16("同一件事"))
		m.Set(f, protoreflect.ValueOfBytes(twin.ID[:]))
		return !factsEqual(append(s.all(), twin), merged(s, append(s.all(), twin), id, m))
	case f.Number() == record.OwnerField(r.Kind):
		elsewhere := s.records[owner]
		elsewhere.Registers = record.Merge(elsewhere.Registers, registers(s, elsewhere.Kind, placeOf(elsewhere.Kind)))
		all := slices.DeleteFunc(s.all(), func(o tally.Record) bool { return o.ID == owner })
		m.Set(f, protoreflect.ValueOfBytes(owner[:]))
		all = append(all, elsewhere)
		bare := slices.Clone(all) // without a site of its own a session has that of its owner
		for i := range bare {
			if bare[i].ID == id {
				bare[i].Registers = slices.DeleteFunc(slices.Clone(bare[i].Registers), func(r record.Register) bool { return r.Field <= 2 || r.Field == 5 })
			}
		}
		return !factsEqual(bare, merged(s, bare, id, m))
	case f.Name() == "place":
		m.Set(f, protoreflect.ValueOfMessage(place("410781106").ProtoReflect()))
	case f.Name() == "cells":
		m.Mutable(f).List().Append(protoreflect.ValueOfMessage(cell(female, 3, 1, 1, 1).ProtoReflect()))
	case f.IsList() && f.Kind() == protoreflect.BytesKind:
		m.Mutable(f).List().Append(protoreflect.ValueOfBytes(person("另一人")))
	case f.IsList():
		for range 2 {
			m.Mutable(f).List().Append(another(f))
		}
	default:
		m.Set(f, another(f))
	}
	return !factsEqual(s.all(), merged(s, s.all(), id, m))
}

func another(f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(named16("另一个"))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("另一个")
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(20211015)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(4)
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	default:
		return protoreflect.ValueOfEnum(3)
	}
}

func placeOf(k record.Kind) protoreflect.Message {
	m := record.New(k).ProtoReflect()
	m.Set(m.Descriptor().Fields().ByName("site"), protoreflect.ValueOfBytes(site("另一处")))
	return m
}

func registers(s *scene, k record.Kind, m protoreflect.Message) record.Registers {
	c := record.Change{Kind: k, Fields: s.encode(m.Interface().(record.Common)), Stamp: hlc.Stamp{Time: 1 << 40, Replica: replica}}
	return c.Registers()
}

func merged(s *scene, records []tally.Record, id hlc.ID, m protoreflect.Message) []tally.Record {
	records = slices.Clone(records)
	for i := range records {
		if records[i].ID == id {
			records[i].Registers = record.Merge(records[i].Registers, registers(s, records[i].Kind, m))
		}
	}
	return records
}

func factsEqual(before, after []tally.Record) bool { return tally.DeltaOf(before, after).IsZero() }
