package tally

import (
	"iter"

	"levee/syncproto/record"
)

// Totals are sums over records. The zero Totals are not usable; see NewTotals.
type Totals struct {
	// Cells holds every figure but Persons, and Tokens how many records name a person, without zeros. They are there to
	// be read and stored; only Add changes them.
	Cells  map[Cell]int64
	Tokens map[TokenCell]int64

	// persons are the distinct tokens of each cut.
	persons map[basisCut]int64
}

type basisCut struct {
	Basis
	Cut
}

// NewTotals are the totals of nothing.
func NewTotals() *Totals {
	return &Totals{Cells: map[Cell]int64{}, Tokens: map[TokenCell]int64{}, persons: map[basisCut]int64{}}
}

// Of counts all records of a deployment up to the as-of day; without one (0), all there are.
func Of(records iter.Seq[Record], asOf record.Date) *Totals {
	return OfFacts(func(yield func(Fact) bool) {
		for f := range factsOf(records) {
			if (asOf == 0 || f.Day <= asOf) && !yield(f) {
				return
			}
		}
	})
}

// OfFacts counts what some records give, each of them once: those of some days, or of some teams.
func OfFacts(facts iter.Seq[Fact]) *Totals {
	t := NewTotals()
	d := Delta{Cells: t.Cells, Tokens: t.Tokens}
	for f := range facts {
		for _, m := range f.Moves() {
			d.add(m)
		}
	}
	for c := range t.Tokens {
		t.persons[basisCut{c.Basis, c.Cut}]++
	}
	return t
}

// Add moves the totals by d.
func (t *Totals) Add(d Delta) {
	for cell, n := range d.Cells {
		increase(t.Cells, cell, n)
	}
	for cell, n := range d.Tokens {
		had := t.Tokens[cell] > 0
		increase(t.Tokens, cell, n)
		switch has := t.Tokens[cell] > 0; {
		case has && !had:
			increase(t.persons, basisCut{cell.Basis, cell.Cut}, 1)
		case had && !has:
			increase(t.persons, basisCut{cell.Basis, cell.Cut}, -1)
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

// Value is the total of one cell.
func (t *Totals) Value(c Cell) int64 {
	if c.Figure == Persons {
		return t.Cells[Cell{c.Basis, PersonsByNumber, c.Cut}] + t.persons[basisCut{c.Basis, c.Cut}]
	}
	return t.Cells[c]
}

// Sum is the total of several cells of one figure that share no record, such as two sites. Persons named in several of
// them count once.
func (t *Totals) Sum(cells ...Cell) int64 {
	var sum int64
	named := map[basisCut]bool{}
	for _, c := range cells {
		if c.Figure == Persons {
			named[basisCut{c.Basis, c.Cut}] = true
			c.Figure = PersonsByNumber
		}
		sum += t.Cells[c]
	}
	if len(named) == 0 {
		return sum
	}
	persons := map[Token]bool{}
	for c, n := range t.Tokens {
		if n > 0 && named[basisCut{c.Basis, c.Cut}] {
			persons[c.Token] = true
		}
	}
	return sum + int64(len(persons))
}

// By divides a figure by a dimension: its totals, without zeros, by key.
func (t *Totals) By(basis Basis, figure Figure, dimension Dimension) map[string]int64 {
	by := map[string]int64{}
	kept := figure
	if figure == Persons {
		kept = PersonsByNumber
		for c := range t.persons {
			if c.Basis == basis && c.Dimension == dimension {
				by[c.Key] = t.Value(Cell{basis, Persons, c.Cut})
			}
		}
	}
	for c := range t.Cells {
		if c.Basis == basis && c.Figure == kept && c.Dimension == dimension {
			by[c.Key] = t.Value(Cell{basis, figure, c.Cut})
		}
	}
	return by
}
