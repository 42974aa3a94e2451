package tally

import (
	"bytes"
	"slices"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Delta is by how much totals move. It holds no zeros.
type Delta struct {
	Cells  map[Cell]int64
	Tokens map[TokenCell]int64
}

// IsZero reports whether d moves nothing.
func (d Delta) IsZero() bool { return len(d.Cells) == 0 && len(d.Tokens) == 0 }

// DeltaOf is by how much totals move when records change from before to after.
//
// Both must hold the whole family of every record that differs: what belongs to it, what that belongs to in turn, what
// it belongs to, the reviews of all these, and whatever is linked with any of them by duplicate_of, in either direction.
// Of records that neither differ nor are reached from one that does (other sessions of the case of a new session) both
// may hold any, as long as they hold the same.
//
// Every day counts, also one to come. The sum of the deltas of any sequence of changes is what Of counts without an
// as-of day.
func DeltaOf(before, after []Record) Delta {
	ns := make(numbering, max(len(before), len(after)))
	ns.number(before)
	ns.number(after)
	b, a := ns.view(before), ns.view(after)
	d := Delta{Cells: map[Cell]int64{}, Tokens: map[TokenCell]int64{}}
	for _, i := range reached(b, a) {
		was, is := b.fact(i), a.fact(i)
		same := was.countsSame(is)
		for _, basis := range []Basis{Reported, Verified} {
			if same && was.on(basis) == is.on(basis) {
				continue
			}
			if was.on(basis) {
				d.add(was, basis, -1)
			}
			if is.on(basis) {
				d.add(is, basis, 1)
			}
		}
	}
	return d
}

// reached are the records that differ, and those whose facts may differ because of them: what belongs to them, what a
// review is of, and duplicates in both directions.
func reached(before, after *view) []int32 {
	var queue []int32
	seen := make([]bool, len(before.nodes))
	reach := func(i int32) {
		if i != none && !seen[i] {
			seen[i] = true
			queue = append(queue, i)
		}
	}
	for i := range seen {
		if differ(before.nodes[i].Record, after.nodes[i].Record) {
			reach(int32(i)) //nolint:gosec // there are not that many records
		}
	}
	for next := 0; next < len(queue); next++ {
		for _, v := range []*view{before, after} {
			n := &v.nodes[queue[next]]
			for i := n.belongings; i != none; i = v.nodes[i].nextOfOwner {
				reach(i)
			}
			for i := n.duplicates; i != none; i = v.nodes[i].nextOfSame {
				reach(i)
			}
			if n.Record == nil {
				continue
			}
			reach(n.same)
			if n.Kind == recordv1.Kind_KIND_REVIEW {
				reach(n.owner)
			}
		}
	}
	return queue
}

func differ(a, b *Record) bool {
	if a == nil || b == nil {
		return a != b
	}
	return a.Kind != b.Kind || !slices.EqualFunc(a.Registers, b.Registers, func(x, y record.Register) bool {
		return x.Field == y.Field && x.Stamp == y.Stamp && bytes.Equal(x.Value, y.Value)
	})
}

// add adds a fact so many times.
func (d Delta) add(f *Fact, basis Basis, times int64) {
	for _, a := range f.Amounts {
		for _, c := range f.Cuts {
			increase(d.Cells, Cell{basis, a.Figure, c}, a.N*times)
		}
	}
	for _, s := range f.Split {
		increase(d.Cells, Cell{basis, s.Figure, s.Cut}, s.N*times)
	}
	for _, t := range f.Tokens {
		for _, c := range f.Cuts {
			increase(d.Tokens, TokenCell{basis, c, t}, times)
		}
		for _, c := range f.TokenCuts {
			increase(d.Tokens, TokenCell{basis, c, t}, times)
		}
	}
}

// increase keeps m free of zeros.
func increase[K comparable](m map[K]int64, key K, n int64) {
	if sum := m[key] + n; sum != 0 {
		m[key] = sum
	} else {
		delete(m, key)
	}
}
