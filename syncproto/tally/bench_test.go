package tally_test

import (
	"fmt"
	"testing"

	"levee/syncproto/tally"
)

// What a server does for every change: here a session with 12 fields is added to a case that has some.
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
