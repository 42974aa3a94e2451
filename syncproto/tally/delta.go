package tally

import (
	"bytes"
	"maps"
	"slices"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Delta is by how much totals move. It holds no zeros.
type Delta struct {
	Cells  map[Cell]int64
	Tokens map[TokenCell]int64
	// Moves are the facts that came and went, for totals that are divided by several dimensions at once. Cells and Tokens are
	// their sums; of facts where only who worked, or for how long, is another, these are empty.
	Moves []Move
}

// IsZero reports whether d moves no total.
func (d Delta) IsZero() bool { return len(d.Cells) == 0 && len(d.Tokens) == 0 }

// DeltaOf is by how much totals move when records change from before to after.
//
// Both must hold the whole family of every record that differs: what belongs to it, what that belongs to in turn, what
// it belongs to, the reviews of all these, and whatever is linked with any of them by duplicate_of, in either direction.
// Of records that neither differ nor are reached from one that does (other sessions of the case of a new session) both
// may hold any, as long as they hold the same. They cost least when both hold the same slice of registers.
//
// Every day counts, also one to come. The sum of the deltas of any sequence of changes is what Of counts without an
// as-of day.
func DeltaOf(before, after []Record) Delta {
	views := newViews(before, after)
	b, a := &views[0], &views[1]
	var moves []Move
	cells, tokens := 0, 0
	for _, i := range reached(b, a) {
		was, is := b.fact(i), a.fact(i)
		same := was.countsSame(is)
		for _, basis := range []Basis{Reported, Verified} {
			if same && was.on(basis) == is.on(basis) {
				continue
			}
			for _, m := range []Move{{was, basis, -1}, {is, basis, 1}} {
				if m.on(basis) {
					moves = append(moves, m)
					cells += len(m.Amounts)*len(m.Cuts) + len(m.Split)
					tokens += len(m.Tokens) * (len(m.Cuts) + len(m.TokenCuts))
				}
			}
		}
	}
	// The facts of a large group count on the same days and places: few cells get much.
	const many = 256
	d := Delta{Cells: make(map[Cell]int64, min(cells, many)), Tokens: make(map[TokenCell]int64, min(tokens, many)), Moves: moves}
	for _, m := range moves {
		d.add(m)
	}
	if len(moves) > 1 { // what one took away another may have brought back
		maps.DeleteFunc(d.Cells, func(_ Cell, n int64) bool { return n == 0 })
		maps.DeleteFunc(d.Tokens, func(_ TokenCell, n int64) bool { return n == 0 })
	}
	return d
}

// Move adds a fact to a basis so many times: once, or -1 times where it goes.
type Move struct {
	*Fact
	Basis Basis
	Times int64
}

// Moves add a fact to the bases for which it counts.
func (f *Fact) Moves() []Move {
	if !f.Verified {
		return []Move{{f, Reported, 1}}
	}
	return []Move{{f, Reported, 1}, {f, Verified, 1}}
}

// reached are the records that differ, and those whose facts may differ because of them: what belongs to them, what
// says that it is a duplicate of them, and what a review is of.
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
			reach(int32(i))
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
			if n.Record != nil && n.Kind == recordv1.Kind_KIND_REVIEW {
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
	return !identical(a, b) && (a.Kind != b.Kind || !slices.EqualFunc(a.Registers, b.Registers, func(x, y record.Register) bool {
		return x.Field == y.Field && x.Stamp == y.Stamp && bytes.Equal(x.Value, y.Value)
	}))
}

func (d Delta) add(m Move) {
	for _, a := range m.Amounts {
		for _, c := range m.Cuts {
			d.Cells[Cell{m.Basis, a.Figure, c}] += a.N * m.Times
		}
	}
	for _, s := range m.Split {
		d.Cells[Cell{m.Basis, s.Figure, s.Cut}] += s.N * m.Times
	}
	for _, t := range m.Tokens {
		for _, c := range m.Cuts {
			d.Tokens[TokenCell{m.Basis, c, t}] += m.Times
		}
		for _, c := range m.TokenCuts {
			d.Tokens[TokenCell{m.Basis, c, t}] += m.Times
		}
	}
}
