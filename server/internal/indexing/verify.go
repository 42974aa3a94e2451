package indexing

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Verify lays the tables of a deployment beside what its records give, from one snapshot, and tells what differs, in
// English. Of tables that are behind the log, as while a server runs or after one that was ended at once, it tells nothing:
// they are brought up to date by the next one. What records say is held in memory.
func Verify(ctx context.Context, store Store) (differences []string, err error) {
	err = store.LookUp(ctx, func(tx Reading) error {
		head, err := tx.Head()
		if err != nil {
			return err
		}
		at, err := tx.Cursor()
		if err != nil || at.Position != head.Position || at.Version != version {
			return err
		}
		v := &verifier{tx: tx, records: map[hlc.ID]*entry{}}
		err = v.compare()
		differences = v.differences
		return err
	})
	return differences, err
}

type verifier struct {
	tx          Reading
	records     map[hlc.ID]*entry
	differences []string
}

func (v *verifier) differ(table string, id hlc.ID) {
	v.differences = append(v.differences, fmt.Sprintf("%s of record %v", table, id))
}

func (v *verifier) compare() error {
	var counting []tally.Record
	err := v.tx.EachRecord(func(r syncing.Record) error {
		registers, err := record.DecodeState(r.State)
		if err != nil {
			return nil //nolint:nilerr // a recount says so; it is as good as not there
		}
		r.State = nil
		v.records[r.ID] = &entry{Record: r, registers: registers}
		if tally.Decides(r.Kind) {
			counting = append(counting, tally.Record{ID: r.ID, Kind: r.Kind, Registers: registers})
		}
		return nil
	})
	if err != nil {
		return err
	}
	standing, cases := rowsOf(tally.Facts(counting), func(id hlc.ID) *entry { return v.records[id] })
	likenesses, documents, distinctions := map[hlc.ID]Likeness{}, map[hlc.ID]Document{}, map[hlc.ID]Distinction{}
	distinct := map[[2]hlc.ID]bool{}
	var of wordsOf
	for id, e := range v.records {
		if l, ok := likenessOf(e); ok {
			likenesses[id] = l
		}
		if words := of.document(e); words != "" {
			documents[id] = Document{Record: id, Digest: digest(words)}
		}
		if d, ok := distinctionOf(e); ok {
			distinctions[id] = d
			distinct[d.ids()] = true
		}
		e.decoded = nil // it is large
	}
	counts, open := moved(nil, standing), movedOpen(func(func(Case) bool) {}, maps.Values(cases))
	steps := []func() error{
		func() error {
			return compareTable(v, "standing", v.tx.EachReviewed, standing, func(r Reviewed) hlc.ID { return r.Record }, func(a, b Reviewed) bool { return a == b })
		},
		func() error {
			return compareTable(v, "case", v.tx.EachCase, cases, func(c Case) hlc.ID { return c.Record }, func(a, b Case) bool { return a == b })
		},
		func() error {
			return compareTable(v, "likeness", v.tx.EachLikeness, likenesses, func(l Likeness) hlc.ID { return l.Record }, func(a, b Likeness) bool {
				return bytes.Equal(a.Likeness, b.Likeness) && bytes.Equal(a.Traits, b.Traits)
			})
		},
		func() error {
			return compareTable(v, "words", v.tx.EachDocument, documents, func(d Document) hlc.ID { return d.Record }, func(a, b Document) bool { return a.Digest == b.Digest })
		},
		func() error {
			return compareTable(v, "distinction", v.tx.EachDistinction, distinctions, func(d Distinction) hlc.ID { return d.Record }, func(a, b Distinction) bool { return a == b })
		},
		func() error { return v.comparePairs(distinct) },
		func() error { return v.compareCounts(counts) },
		func() error { return v.compareOpen(open) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// compareTable lays stored rows beside those that should be there.
func compareTable[Row any](v *verifier, table string, each func(func(Row) error) error, wanted map[hlc.ID]Row, of func(Row) hlc.ID, equal func(a, b Row) bool) error {
	err := each(func(row Row) error {
		want, ok := wanted[of(row)]
		if !ok || !equal(row, want) {
			v.differ(table, of(row))
		}
		delete(wanted, of(row))
		return nil
	})
	for _, id := range slices.SortedFunc(maps.Keys(wanted), hlc.CompareIDs) {
		v.differ(table, id)
	}
	return err
}

// comparePairs looks whether each stored pair is one. That one is missing can't be told: of many that are alike only the
// nearest are compared, and which were near changes.
func (v *verifier) comparePairs(distinct map[[2]hlc.ID]bool) error {
	return v.tx.EachPair(func(p Pair) error {
		if want, ok := pairOf(v.records[p.Earlier], v.records[p.Later]); !ok || want != p || distinct[p.ids()] {
			v.differ("pair", p.Later)
		}
		return nil
	})
}

func (v *verifier) compareCounts(wanted []ReviewCount) error {
	stored, err := v.tx.ReviewCounts()
	if err == nil && !slices.Equal(stored, wanted) {
		v.differences = append(v.differences, "counts of where records stand")
	}
	return err
}

func (v *verifier) compareOpen(wanted []StageCount) error {
	stored, err := v.tx.OpenCases()
	if err == nil && !slices.Equal(stored, wanted) {
		v.differences = append(v.differences, "counts of open cases")
	}
	return err
}
