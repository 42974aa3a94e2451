package indexing

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/inorder"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// neighbours is with how many records, made before and after it, one is compared. Those that are alike in what
// record.Likeness looks at are few; where they are many (a year of paper entered at once) the nearest must do.
const neighbours = 8

// window is how many positions of the log are compared at once: a record is not compared with those of later windows that come between
// it and its neighbours. So what is found does not depend on how much of the log one transaction takes.
const window = 100

// indexLikely compares the touched records with those that are alike.
func (x *indexer) indexLikely() error {
	ids := make([]hlc.ID, 0, len(x.touched))
	wanted := make(map[hlc.ID]Likeness, len(x.touched))
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
	candidates, err := x.indexLikenesses(ids, stored, wanted)
	if err != nil {
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
	return x.compareAll(candidates, was)
}

// indexLikenesses brings up to date by what the touched records are found. It returns which pairs of them and their neighbours may be
// similar.
func (x *indexer) indexLikenesses(ids []hlc.ID, stored []Likeness, wanted map[hlc.ID]Likeness) (map[[2]hlc.ID]bool, error) {
	changes := difference(ids, stored, wanted, func(l Likeness) hlc.ID { return l.Record },
		func(a, b Likeness) bool {
			return bytes.Equal(a.Likeness, b.Likeness) && bytes.Equal(a.Traits, b.Traits)
		})
	gone := changes.Drop
	for _, l := range stored {
		if w, ok := wanted[l.Record]; ok && !bytes.Equal(l.Likeness, w.Likeness) {
			gone = append(gone, l.Record)
		}
	}
	if err := x.tx.SaveLikenesses(Rows[Likeness, hlc.ID]{Drop: gone}); err != nil {
		return nil, err
	}
	// What comes in this transaction is not there yet: it comes window by window.
	rows, err := x.tx.Alike(slices.Collect(maps.Values(wanted)), neighbours)
	if err != nil {
		return nil, err
	}
	alike := alike{}
	for _, l := range rows {
		if w, ok := wanted[l.Record]; ok {
			l = w
		}
		alike.add(l)
	}
	candidates := map[[2]hlc.ID]bool{}
	for _, touched := range x.windows {
		for _, id := range touched {
			if l, ok := wanted[id]; ok {
				alike.add(l)
			}
		}
		for _, id := range touched {
			if l, ok := wanted[id]; ok {
				alike.unlessUnlike(l, func(other hlc.ID) { candidates[ordered(id, other)] = true })
			}
		}
	}
	return candidates, x.tx.SaveLikenesses(Rows[Likeness, hlc.ID]{Put: changes.Put})
}

// alike are records by their likeness, ascending by their ids.
type alike map[string][]Likeness

func (a alike) find(l Likeness) (of []Likeness, at int, found bool) {
	of = a[string(l.Likeness)]
	at, found = slices.BinarySearchFunc(of, l.Record, func(l Likeness, id hlc.ID) int { return hlc.CompareIDs(l.Record, id) })
	return of, at, found
}

func (a alike) add(l Likeness) {
	if of, at, found := a.find(l); !found {
		a[string(l.Likeness)] = slices.Insert(of, at, l)
	}
}

// unlessUnlike hands out the neighbours of a record that may be similar to it, as far as traits tell.
func (a alike) unlessUnlike(l Likeness, candidate func(hlc.ID)) {
	of, at, _ := a.find(l)
	for _, other := range of[max(0, at-neighbours):min(len(of), at+neighbours+1)] {
		if other.Record != l.Record && !record.Unlike(l.Traits, other.Traits, madeAt(l.Record), madeAt(other.Record)) {
			candidate(other.Record)
		}
	}
}

// madeAt is when a record was made.
func madeAt(id hlc.ID) time.Time { return hlc.IDTime(id).Wall() }

// indexDistinctions brings up to date what the touched records say of others being different. It returns what they say, and
// what they said before.
func (x *indexer) indexDistinctions(ids []hlc.ID) ([]Distinction, error) {
	var saying []hlc.ID
	wanted := map[hlc.ID]Distinction{}
	for _, id := range ids {
		e := x.records[id]
		if e != nil && e.Kind != recordv1.Kind_KIND_DISTINCTION {
			continue // a record's kind never changes
		}
		saying = append(saying, id)
		if d, ok := distinctionOf(e); ok {
			wanted[id] = d
		}
	}
	said, err := x.tx.Distinctions(saying)
	if err != nil {
		return nil, err
	}
	changes := difference(saying, said, wanted, func(d Distinction) hlc.ID { return d.Record }, func(a, b Distinction) bool { return a == b })
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
	pairs := map[[2]hlc.ID]Pair{}
	var similar [][2]hlc.ID
	for _, ids := range keys {
		if pair, ok := pairOf(x.records[ids[0]], x.records[ids[1]]); ok {
			pairs[ids] = pair
			similar = append(similar, ids)
		}
	}
	distinct, err := x.distinct(similar)
	if err != nil {
		return err
	}
	likely := &x.changes.Likely
	for _, ids := range keys {
		old, had := was[ids]
		pair, ok := pairs[ids]
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
	if l == nil {
		return Likeness{}, false
	}
	return Likeness{Record: e.ID, Likeness: l, Traits: record.Traits(e.Kind, e.message())}, true
}

// pairOf is the pair of two records, the first of which was made earlier, if they are likely of one thing. Either may be nil.
func pairOf(a, b *entry) (Pair, bool) {
	if a == nil || b == nil || a.Kind != b.Kind || a.message() == nil || b.message() == nil ||
		!record.Similar(a.Kind, a.message(), b.message(), madeAt(a.ID), madeAt(b.ID)) {
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
