package indexing

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/inorder"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// neighbours is with how many records, made before and after it, one is compared. Those that are alike in what
// record.Likeness looks at are few; where they are many (a year of paper entered at once) the nearest must do.
const neighbours = 8

// indexLikely compares the touched records with those that are alike.
func (x *indexer) indexLikely() error {
	ids := make([]hlc.ID, 0, len(x.touched))
	wanted := map[hlc.ID]Likeness{}
	for _, t := range x.touched {
		ids = append(ids, t.record)
		if l, ok := likenessOf(x.records[t.record]); ok {
			wanted[t.record] = l
		}
	}
	stored, err := x.tx.Likenesses(ids)
	if err != nil {
		return err
	}
	// Before the comparing, so that what is new in this transaction is found too.
	if err := x.tx.SaveLikenesses(difference(ids, stored, wanted, func(l Likeness) hlc.ID { return l.Record },
		func(a, b Likeness) bool { return bytes.Equal(a.Likeness, b.Likeness) })); err != nil {
		return err
	}
	said, err := x.indexDistinctions(ids)
	if err != nil {
		return err
	}
	// Only what had a likeness can be in a pair; what somebody says of two records may be of a pair that nobody touched.
	of := make([]hlc.ID, 0, len(stored)+len(said))
	for _, l := range stored {
		of = append(of, l.Record)
	}
	candidates := map[[2]hlc.ID]bool{}
	for _, d := range said {
		of = append(of, d.Later)
		candidates[d.ids()] = true
	}
	pairs, err := x.tx.Pairs(of)
	if err != nil {
		return err
	}
	was := map[[2]hlc.ID]Pair{}
	for _, p := range pairs {
		was[p.ids()] = p
		candidates[p.ids()] = true
	}
	for _, id := range ids {
		l, ok := wanted[id]
		if !ok {
			continue
		}
		alike, err := x.tx.Alike(l, neighbours)
		if err != nil {
			return err
		}
		for _, other := range alike {
			candidates[ordered(id, other)] = true
		}
	}
	return x.compareAll(candidates, was)
}

// indexDistinctions brings up to date what the touched records say of others being different. It returns what they say, and
// what they said before.
func (x *indexer) indexDistinctions(ids []hlc.ID) ([]Distinction, error) {
	wanted := map[hlc.ID]Distinction{}
	for _, id := range ids {
		if d, ok := distinctionOf(x.records[id]); ok {
			wanted[id] = d
		}
	}
	said, err := x.tx.Distinctions(ids)
	if err != nil {
		return nil, err
	}
	changes := difference(ids, said, wanted, func(d Distinction) hlc.ID { return d.Record }, func(a, b Distinction) bool { return a == b })
	return append(said, changes.Put...), x.tx.SaveDistinctions(changes)
}

// distinctionOf is what a record, which may be nil, says of two others.
func distinctionOf(e *entry) (Distinction, bool) {
	if e == nil || e.Kind != recordv1.Kind_KIND_DISTINCTION || e.registers.Deleted() {
		return Distinction{}, false
	}
	one, other := e.registers.Get(distinctionRecord).ID(), e.registers.Get(distinctionOther).ID()
	ids := ordered(one, other)
	return Distinction{Record: e.ID, Earlier: ids[0], Later: ids[1]}, one != (hlc.ID{}) && other != (hlc.ID{})
}

func (d Distinction) ids() [2]hlc.ID { return [2]hlc.ID{d.Earlier, d.Later} }

// compareAll keeps of some pairs those that are likely of one thing.
func (x *indexer) compareAll(candidates map[[2]hlc.ID]bool, was map[[2]hlc.ID]Pair) error {
	var missing []hlc.ID
	keys := make([][2]hlc.ID, 0, len(candidates))
	for ids := range candidates {
		keys = append(keys, ids)
		for _, id := range ids {
			if x.records[id] == nil {
				missing = append(missing, id)
			}
		}
	}
	others, err := x.tx.Records(missing)
	if err != nil {
		return err
	}
	for _, r := range others {
		x.put(r)
	}
	slices.SortFunc(keys, func(a, b [2]hlc.ID) int { return slices.CompareFunc(a[:], b[:], hlc.CompareIDs) })
	distinct, err := x.distinct(keys)
	if err != nil {
		return err
	}
	likely := &x.changes.Likely
	for _, ids := range keys {
		old, had := was[ids]
		pair, ok := pairOf(x.records[ids[0]], x.records[ids[1]])
		ok = ok && !distinct[ids]
		switch {
		case ok && (!had || old != pair):
			likely.Put = append(likely.Put, pair)
		case had && !ok:
			likely.Drop = append(likely.Drop, ids)
		}
	}
	return nil
}

// distinct are those of some pairs of which somebody said that they are of different things.
func (x *indexer) distinct(pairs [][2]hlc.ID) (map[[2]hlc.ID]bool, error) {
	earlier := make([]hlc.ID, 0, len(pairs))
	for _, ids := range pairs {
		if n := len(earlier); n == 0 || earlier[n-1] != ids[0] {
			earlier = append(earlier, ids[0])
		}
	}
	said, err := x.tx.Distinct(earlier)
	distinct := make(map[[2]hlc.ID]bool, len(said))
	for _, d := range said {
		distinct[d.ids()] = true
	}
	return distinct, err
}

// likenessOf is by what a record, which may be nil, is found.
func likenessOf(e *entry) (Likeness, bool) {
	if e == nil || e.message() == nil {
		return Likeness{}, false
	}
	l := record.Likeness(e.Kind, e.message())
	return Likeness{Record: e.ID, Likeness: l}, l != nil
}

// pairOf is the pair of two records, the first of which was made earlier, if they are likely of one thing. Either may be nil.
func pairOf(a, b *entry) (Pair, bool) {
	if a == nil || b == nil || a.Kind != b.Kind || a.message() == nil || b.message() == nil ||
		!record.Similar(a.Kind, a.message(), b.message(), hlc.IDTime(a.ID).Wall(), hlc.IDTime(b.ID).Wall()) {
		return Pair{}, false
	}
	return Pair{Earlier: a.ID, Later: b.ID, Kind: a.Kind, Day: record.Date(b.Day), Audience: a.Audience, LaterAudience: b.Audience}, true
}

func (p Pair) ids() [2]hlc.ID { return [2]hlc.ID{p.Earlier, p.Later} }

// ordered are two ids, that of the record which was made first before the other.
func ordered(a, b hlc.ID) [2]hlc.ID {
	if hlc.CompareIDs(a, b) > 0 {
		a, b = b, a
	}
	return [2]hlc.ID{a, b}
}

// LikelyQuery says which pairs are wanted.
type LikelyQuery struct {
	// Teams are those of whose records both are; all when nil. What the whole deployment receives is among them.
	Teams []hlc.ID
	After PairPlace
	// Limit is from 1 to MaxPage.
	Limit int
}

// PairPlace is where a page ended: the zero place asks for the first one.
type PairPlace struct {
	Day            record.Date
	Earlier, Later hlc.ID
}

// Place is where a page ends whose last row this is.
func (p Pair) Place() PairPlace { return PairPlace{p.Day, p.Earlier, p.Later} }

// Likely are pairs of records that are likely of one thing, the newest day first.
func (s *Service) Likely(ctx context.Context, q LikelyQuery) (page []Pair, err error) {
	err = s.Store.LookUp(ctx, func(tx Reading) error {
		if q.Teams == nil {
			page, err = tx.Likely(LikelyRun{After: q.After, Limit: q.Limit})
			return err
		}
		merged := inorder.Runs[Pair]{Ahead: readAhead, Compare: func(a, b Pair) int {
			return cmp.Or(cmp.Compare(b.Day, a.Day), hlc.CompareIDs(b.Earlier, a.Earlier), hlc.CompareIDs(b.Later, a.Later))
		}}
		for _, team := range withEverybody(q.Teams) {
			run := LikelyRun{Team: &team, After: q.After}
			// Both records of a pair must be seen. Pairs of two teams are few: they have nothing in common but a case's number.
			merged.Add(func(last *Pair, limit int) ([]Pair, error) {
				if last != nil {
					run.After = last.Place()
				}
				run.Limit = limit
				return tx.Likely(run)
			}, func(p Pair) bool { return sees(q.Teams, p.LaterAudience) })
		}
		page, err = merged.First(q.Limit)
		return err
	})
	return page, err
}

// withEverybody are some teams, and the audience of what the whole deployment receives.
func withEverybody(teams []hlc.ID) []hlc.ID {
	if slices.Contains(teams, access.Everyone) {
		return teams
	}
	return append(slices.Clone(teams), access.Everyone)
}
