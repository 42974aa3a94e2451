package tally

import (
	"iter"
	"slices"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Fact is what one record that counts gives to the totals. All totals are sums of facts, so the facts under a cell are
// the records behind its figure.
type Fact struct {
	Record hlc.ID
	Kind   record.Kind
	// Setting is the record that says where it counts: the activity of a headcount or attendance, else the record itself.
	Setting hlc.ID
	// Day is the day on which it counts.
	Day record.Date
	// Verified facts count for both bases.
	Verified bool
	// Standing is that of the record itself: what it belongs to may stand otherwise.
	Standing Standing
	// Frame is the case or group with which a session counts; zero for what is no session.
	Frame hlc.ID
	// Cuts are all under which Amounts and Tokens count: the whole, day, site, places, team, worker, service area.
	Cuts    []Cut
	Amounts []Amount
	// Split are the same people by sex, age band and disability.
	Split []SplitAmount
	// Tokens are the persons that the record names, each once. They also count under TokenCuts.
	Tokens    []Token
	TokenCuts []Cut
	// Workers are those who worked at it, each once: the author and co-workers of a session, an activity or a round of visits,
	// who counted heads, and who wrote down an attendance. To open a case takes nobody any time. Minutes is how long each did.
	Workers []hlc.ID
	Minutes int64
}

// Amount is so much of a figure.
type Amount struct {
	Figure Figure
	N      int64
}

// SplitAmount is so much of a figure under one cut.
type SplitAmount struct {
	Cut Cut
	Amount
}

// At is what f gives to a cell. Of Persons it is how many f names or numbers; some may be named by other records too.
func (f *Fact) At(c Cell) int64 {
	if c.Basis == Verified && !f.Verified {
		return 0
	}
	if c.Figure == Persons {
		n := f.At(Cell{c.Basis, PersonsByNumber, c.Cut})
		if slices.Contains(f.Cuts, c.Cut) || slices.Contains(f.TokenCuts, c.Cut) {
			n += int64(len(f.Tokens))
		}
		return n
	}
	var n int64
	if slices.Contains(f.Cuts, c.Cut) {
		for _, a := range f.Amounts {
			if a.Figure == c.Figure {
				n += a.N
			}
		}
	}
	for _, s := range f.Split {
		if s.Figure == c.Figure && s.Cut == c.Cut {
			n += s.N
		}
	}
	return n
}

// add adds to a figure; people adds to one that is divided by sex, age band and disability too.
func (f *Fact) add(figure Figure, n int64) {
	if n != 0 {
		f.Amounts = append(f.Amounts, Amount{figure, n})
	}
}

func (f *Fact) people(figure Figure, n int64, cuts []Cut) {
	f.add(figure, n)
	for _, c := range cuts {
		f.split(figure, n, c)
	}
}

// split puts n of a figure under a cut.
func (f *Fact) split(figure Figure, n int64, c Cut) {
	if n == 0 {
		return
	}
	for i := range f.Split {
		if s := &f.Split[i]; s.Figure == figure && s.Cut == c {
			s.N += n
			return
		}
	}
	f.Split = append(f.Split, SplitAmount{c, Amount{figure, n}})
}

// countsSame reports whether f and o, which may be nil, give the same, verified or not, and took the same people as long.
func (f *Fact) countsSame(o *Fact) bool {
	if f == nil || o == nil {
		return f == o
	}
	return slices.Equal(f.Cuts, o.Cuts) && slices.Equal(f.Amounts, o.Amounts) && slices.Equal(f.Split, o.Split) &&
		slices.Equal(f.Tokens, o.Tokens) && slices.Equal(f.TokenCuts, o.TokenCuts) && slices.Equal(f.Workers, o.Workers) && f.Minutes == o.Minutes
}

// on reports whether f, which may be nil, counts for a basis.
func (f *Fact) on(b Basis) bool { return f != nil && (b == Reported || f.Verified) }

// Facts are what the records of whole families (see Delta) give, in the order of the records.
func Facts(records []Record) []Fact {
	return slices.Collect(factsOf(slices.Values(records)))
}

func factsOf(records iter.Seq[Record]) iter.Seq[Fact] {
	return func(yield func(Fact) bool) {
		v := &newViews(slices.Collect(records))[0]
		for n := range v.nodes {
			if f := v.fact(int32(n)); f != nil && !yield(*f) {
				return
			}
		}
	}
}
