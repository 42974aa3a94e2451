package tally_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// What a server does for every change: here a session with 13 fields is added to a case that has some.
func BenchmarkDeltaOfOneMoreCaseSession(b *testing.B) {
	for _, sessions := range []int{0, 20, 200} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			s := newScene(b)
			c := s.log(aCase())
			for range sessions {
				s.log(aCaseSession(c))
			}
			before := s.all()
			s.log(aCaseSession(c))
			after := s.all()
			b.ReportAllocs()
			for b.Loop() {
				if d := tally.DeltaOf(before, after); len(d.Cells) == 0 {
					b.Fatal("nothing was added")
				}
			}
		})
	}
}

// A recount of a busy deployment: activities with two headcounts and three attendances each, all approved.
func BenchmarkOf(b *testing.B) {
	s := newScene(b)
	a := s.log(anActivity())
	s.log(aHeadcount(a, cell(male, 2, 10, 2, 1), cell(female, 2, 20, 0, 0), cell(female, 5, 5, 3, 0)))
	s.log(aHeadcount(a, cell(male, 4, 10, 2, 1), cell(female, 4, 20, 0, 0)))
	for _, name := range []string{"王", "赵", "李"} {
		s.log(anAttendance(a, person(name)))
	}
	for _, id := range slices.Clone(s.ids) {
		s.approve(id)
	}
	family := s.all()
	var records []tally.Record
	for i := range uint32(2000) { // the same again, under other ids
		for _, r := range family {
			records = append(records, renamed(r, i))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if totals := tally.Of(slices.Values(records), 0); totals.Value(tally.Cell{Basis: tally.Verified, Figure: tally.CommunityActivities, Cut: whole}) != 2000 {
			b.Fatal("not all was counted")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}

// renamed is r with a number in its id and in that of the record which it belongs to.
func renamed(r tally.Record, number uint32) tally.Record {
	binary.BigEndian.PutUint32(r.ID[:], number)
	r.Registers = slices.Clone(r.Registers)
	field := record.OwnerField(r.Kind)
	for i, reg := range r.Registers {
		if field != 0 && reg.Field == field {
			r.Registers[i].Value = slices.Clone(reg.Value)
			binary.BigEndian.PutUint32(r.Registers[i].Value[len(reg.Value)-16:], number)
		}
	}
	return r
}
