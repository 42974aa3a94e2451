package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"levee/server/internal/access"
	"levee/server/internal/indexing"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

type (
	reviewedRows = indexing.Rows[indexing.Reviewed, hlc.ID]
	caseRows     = indexing.Rows[indexing.Case, hlc.ID]
	documentRows = indexing.Rows[indexing.Document, indexing.Document]
	pairRows     = indexing.Rows[indexing.Pair, [2]hlc.ID]
)

func index(t *testing.T, db *store.DB, of hlc.ID, fn func(indexing.Writing) error) {
	t.Helper()
	if err := db.Deployment(of).Index(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func lookUp(t *testing.T, db *store.DB, of hlc.ID, fn func(indexing.Reading) error) {
	t.Helper()
	if err := db.Deployment(of).LookUp(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func equal[Row any](t *testing.T, what string, got []Row, err error, want ...Row) {
	t.Helper()
	if err != nil || fmt.Sprint(got) != fmt.Sprint(append([]Row{}, want...)) {
		t.Errorf("%s: %v, want %v, %v", what, got, want, err)
	}
}

func testCursors(t *testing.T, db *store.DB) {
	var numbers [2]uint64
	for n, of := range []hlc.ID{deployment, id(2), deployment} {
		index(t, db, of, func(tx indexing.Writing) error {
			at, err := tx.Cursor()
			if n < 2 {
				numbers[n] = at.Number
			}
			if err != nil || at.Number == 0 || at.Number != numbers[n%2] || (n < 2 && at.Position != 0) || (n == 2 && (at.Position != 10 || at.Version != 3)) {
				t.Errorf("cursor %+v, %v", at, err)
			}
			at.Position += 10
			at.Version = 3
			return tx.SaveIndex(indexing.Changes{Cursor: at})
		})
	}
	lookUp(t, db, deployment, func(tx indexing.Reading) error {
		if at, err := tx.Cursor(); err != nil || at != (indexing.Cursor{Number: numbers[0], Version: 3, Position: 20}) {
			t.Errorf("cursor %+v, %v", at, err)
		}
		return nil
	})
}

func testQueue(t *testing.T, db *store.DB) {
	talk, round := recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_OUTREACH
	row := func(n, team int, k record.Kind, s tally.Standing, day record.Date) indexing.Reviewed {
		return indexing.Reviewed{Record: id(n), Audience: id(team), Kind: k, Standing: s, Day: day, Author: id(9)}
	}
	a, b, c := row(11, 50, talk, tally.Waiting, 20211001), row(12, 50, talk, tally.Waiting, 20211002), row(13, 50, round, tally.Waiting, 20211002)
	other, done := row(14, 51, talk, tally.Waiting, 20211002), row(15, 50, talk, tally.Approved, 20211002)
	counts := func(n int64) []indexing.ReviewCount {
		return []indexing.ReviewCount{{Audience: id(50), Kind: round, Standing: tally.Waiting, Count: 1}, {Audience: id(50), Kind: talk, Standing: tally.Waiting, Count: n}}
	}
	index(t, db, deployment, func(tx indexing.Writing) error {
		return tx.SaveIndex(indexing.Changes{Reviewing: reviewedRows{Put: []indexing.Reviewed{a, b, c, other, done}}, Counts: counts(2)})
	})
	run := indexing.QueueRun{Standing: tally.Waiting, Team: id(50), To: 20211231, Limit: 10}
	lookUp(t, db, deployment, func(tx indexing.Reading) error {
		got, err := tx.Queue(run)
		equal(t, "newest first", got, err, c, b, a)
		next := run
		next.After, next.Limit = c.Place(), 1
		got, err = tx.Queue(next)
		equal(t, "after", got, err, b)
		next = run
		next.Kind, next.From = talk, 20211002
		got, err = tx.Queue(next)
		equal(t, "of a kind from a day", got, err, b)
		moved, err := tx.ReviewCounts()
		equal(t, "counts", moved, err, counts(2)...)
		return nil
	})
	lookUp(t, db, id(2), func(tx indexing.Reading) error {
		got, err := tx.Queue(run)
		equal(t, "of another deployment", got, err)
		return nil
	})
	index(t, db, deployment, func(tx indexing.Writing) error {
		a.Standing = tally.Approved
		if err := tx.SaveIndex(indexing.Changes{Reviewing: reviewedRows{Put: []indexing.Reviewed{a}, Drop: []hlc.ID{b.Record, id(99)}},
			Counts: []indexing.ReviewCount{{Audience: id(50), Kind: talk, Standing: tally.Waiting, Count: -2}}}); err != nil {
			return err
		}
		got, err := tx.Reviewing([]hlc.ID{a.Record, b.Record, id(99)})
		equal(t, "of some records", got, err, a)
		return nil
	})
	lookUp(t, db, deployment, func(tx indexing.Reading) error {
		got, err := tx.Queue(run)
		equal(t, "what is left", got, err, c)
		left, err := tx.ReviewCounts()
		equal(t, "counts that are 0 are left out", left, err, counts(0)[0])
		return nil
	})
}

func testLikely(t *testing.T, db *store.DB) {
	pair := func(a, b int, day record.Date, team int) indexing.Pair {
		return indexing.Pair{Earlier: id(a), Later: id(b), Kind: recordv1.Kind_KIND_CASE, Day: day, Audience: id(team), LaterAudience: id(51)}
	}
	one, two, three := pair(11, 12, 20211001, 50), pair(11, 13, 20211002, 50), pair(12, 13, 20211002, 52)
	likeness := func(n int, l string) indexing.Likeness {
		return indexing.Likeness{Record: id(n), Likeness: []byte(l), Traits: []byte{byte(n)}}
	}
	said := indexing.Distinction{Record: id(30), Earlier: id(11), Later: id(12)}
	index(t, db, deployment, func(tx indexing.Writing) error {
		rows := indexing.Rows[indexing.Likeness, hlc.ID]{Put: []indexing.Likeness{likeness(20, "b")}}
		for n := range 10 {
			rows.Put = append(rows.Put, likeness(10+n, "a"))
		}
		if err := errors.Join(tx.SaveLikenesses(rows), tx.SaveLikenesses(indexing.Rows[indexing.Likeness, hlc.ID]{Drop: []hlc.ID{id(16)}}),
			tx.SaveDistinctions(indexing.Rows[indexing.Distinction, hlc.ID]{Put: []indexing.Distinction{said}}),
			tx.SaveIndex(indexing.Changes{Likely: pairRows{Put: []indexing.Pair{one, two, three}}})); err != nil {
			return err
		}
		near, err := tx.Alike([]indexing.Likeness{likeness(15, "a"), likeness(21, "b"), likeness(22, "c")}, 2)
		slices.SortFunc(near, func(a, b indexing.Likeness) int { return hlc.CompareIDs(a.Record, b.Record) })
		equal(t, "near", near, err, likeness(13, "a"), likeness(14, "a"), likeness(15, "a"), likeness(17, "a"), likeness(18, "a"), likeness(20, "b"))
		got, err := tx.Likenesses([]hlc.ID{id(16), id(20)})
		equal(t, "likenesses", got, err, likeness(20, "b"))
		distinct, err := tx.Distinct([]hlc.ID{id(11), id(12)})
		equal(t, "distinct", distinct, err, said)
		distinct, err = tx.Distinctions([]hlc.ID{said.Record})
		equal(t, "said", distinct, err, said)
		return nil
	})
	lookUp(t, db, deployment, func(tx indexing.Reading) error {
		team := id(50)
		got, err := tx.Likely(indexing.LikelyRun{Limit: 9})
		equal(t, "newest day first", got, err, three, two, one)
		got, err = tx.Likely(indexing.LikelyRun{Limit: 1, After: three.Place()})
		equal(t, "after", got, err, two)
		got, err = tx.Likely(indexing.LikelyRun{Limit: 9, Team: &team})
		equal(t, "of a team", got, err, two, one)
		got, err = tx.Pairs([]hlc.ID{id(13)})
		equal(t, "of a record", got, err, two, three)
		return nil
	})
	index(t, db, deployment, func(tx indexing.Writing) error {
		two.Day = 20211003
		return errors.Join(tx.SaveDistinctions(indexing.Rows[indexing.Distinction, hlc.ID]{Drop: []hlc.ID{said.Record}}),
			tx.SaveIndex(indexing.Changes{Likely: pairRows{Put: []indexing.Pair{two}, Drop: [][2]hlc.ID{{one.Earlier, one.Later}}}}))
	})
	lookUp(t, db, deployment, func(tx indexing.Reading) error {
		got, err := tx.Likely(indexing.LikelyRun{Limit: 9})
		equal(t, "changed", got, err, two, three)
		return tx.EachDistinction(func(d indexing.Distinction) error { return fmt.Errorf("%v is left", d) })
	})
}

// Of a likeness that very many records have, those near each that is asked for are found, and few others are read.
func testManyAlike(t *testing.T, db *store.DB) {
	const all, limit = 400, 3
	var rows, of []indexing.Likeness
	for n := range all {
		rows = append(rows, indexing.Likeness{Record: id(2 * n), Likeness: []byte("a"), Traits: []byte{}})
	}
	ask := func(from, to int) {
		for n := from; n <= to; n++ {
			of = append(of, indexing.Likeness{Record: id(n), Likeness: []byte("a")}) // only the even ones are there
		}
	}
	ask(0, 3)
	ask(46, 47) // at the end of what is read at once
	ask(100, 250)
	ask(500, 500)
	ask(797, 801)
	index(t, db, deployment, func(tx indexing.Writing) error {
		if err := tx.SaveLikenesses(indexing.Rows[indexing.Likeness, hlc.ID]{Put: rows}); err != nil {
			return err
		}
		alike, err := tx.Alike(of, limit)
		if err != nil {
			return err
		}
		if most := len(of) * 4 * limit; len(alike) > most {
			t.Errorf("%d rows are read, of at most %d", len(alike), most)
		}
		found := map[hlc.ID]bool{}
		for _, l := range alike {
			found[l.Record] = true
		}
		for _, l := range of {
			at, there := slices.BinarySearchFunc(rows, l.Record, func(l indexing.Likeness, id hlc.ID) int { return hlc.CompareIDs(l.Record, id) })
			to := at + limit
			if there {
				to++
			}
			for _, near := range rows[max(0, at-limit):min(all, to)] {
				if !found[near.Record] {
					t.Errorf("%v is not found, which is near %v", near.Record, l.Record)
				}
			}
		}
		return nil
	})
}

func testCases(t *testing.T, db *store.DB) {
	open := indexing.Case{Record: id(11), Audience: id(50), Lead: id(8), Stage: 3, OpenedOn: 20211001, LastSessionOn: 20211003, NextDueOn: 20211009}
	closed := indexing.Case{Record: id(12), Audience: id(51), Lead: id(8), Stage: 6, OpenedOn: 20211002, Closed: true, ClosedOn: 20211005, FollowupDueOn: 20211020}
	index(t, db, deployment, func(tx indexing.Writing) error {
		return tx.SaveIndex(indexing.Changes{Cases: caseRows{Put: []indexing.Case{open, closed}}})
	})
	lists := func(what string, want map[indexing.CaseList][]indexing.CaseDay) {
		t.Helper()
		lookUp(t, db, deployment, func(tx indexing.Reading) error {
			for list := indexing.OpenCases; list <= indexing.NotEvaluated; list++ {
				team, lead := id(50), id(8)
				got, err := tx.CaseDays(indexing.CaseRun{List: list, Until: 20211231, Limit: 9})
				equal(t, what, got, err, want[list]...)
				got, err = tx.CaseDays(indexing.CaseRun{List: list, Until: 20211231, Limit: 9, Lead: &lead})
				equal(t, what+", by lead", got, err, want[list]...)
				of := slices.DeleteFunc(slices.Clone(want[list]), func(d indexing.CaseDay) bool { return d.Audience != team })
				got, err = tx.CaseDays(indexing.CaseRun{List: list, Until: 20211231, Limit: 9, Team: &team})
				equal(t, what+", of a team", got, err, of...)
				counts, err := tx.CaseCounts(list, 20211231, indexing.ByLead)
				if n := int64(len(want[list])); n > 0 {
					equal(t, what+", counted", counts, err, indexing.CaseCount{Of: lead, Count: n})
				}
			}
			return nil
		})
	}
	day := func(c indexing.Case, d record.Date) []indexing.CaseDay {
		return []indexing.CaseDay{{Record: c.Record, Day: d, Audience: c.Audience}}
	}
	lists("at first", map[indexing.CaseList][]indexing.CaseDay{indexing.OpenCases: day(open, 20211001), indexing.QuietCases: day(open, 20211003),
		indexing.NextStepDue: day(open, 20211009), indexing.FollowUpDue: day(closed, 20211020), indexing.NotEvaluated: day(closed, 20211005)})
	lookUp(t, db, deployment, func(tx indexing.Reading) error {
		got, err := tx.CaseDays(indexing.CaseRun{List: indexing.NextStepDue, Until: 20211008, Limit: 9})
		equal(t, "until the day before", got, err)
		got, err = tx.CaseDays(indexing.CaseRun{List: indexing.OpenCases, Until: 20211231, After: indexing.CasePlace{Day: 20211001, Record: open.Record}, Limit: 9})
		equal(t, "after the last", got, err)
		rows, err := tx.Cases([]hlc.ID{closed.Record})
		equal(t, "row", rows, err, closed)
		return nil
	})
	closed.Evaluated = true
	index(t, db, deployment, func(tx indexing.Writing) error {
		return tx.SaveIndex(indexing.Changes{Cases: caseRows{Put: []indexing.Case{closed}, Drop: []hlc.ID{open.Record}}})
	})
	lists("changed", map[indexing.CaseList][]indexing.CaseDay{indexing.FollowUpDue: day(closed, 20211020)})
}

func testWords(t *testing.T, db *store.DB) {
	document := func(n int, number uint64, words string) indexing.Document {
		return indexing.Document{Record: id(n), Number: number, Digest: uint64(len(words)), Words: words}
	}
	save := func(rows documentRows) {
		t.Helper()
		index(t, db, deployment, func(tx indexing.Writing) error { return tx.SaveIndex(indexing.Changes{Documents: rows}) })
	}
	find := func(want []uint64, q indexing.WordQuery) {
		t.Helper()
		lookUp(t, db, deployment, func(tx indexing.Reading) error {
			got, err := tx.Find(q, 1, 100, 10)
			equal(t, fmt.Sprint(q), got, err, want...)
			return nil
		})
	}
	save(documentRows{Put: []indexing.Document{document(11, 1, "心理 理健 and §k7"), document(12, 2, "心理 not §k8 §c"), document(13, 100, "心理"), document(14, 101, "心理")}})
	find([]uint64{100, 2, 1}, indexing.WordQuery{All: []string{"心理"}})
	find([]uint64{1}, indexing.WordQuery{All: []string{"心理", "理健"}})
	find([]uint64{1}, indexing.WordQuery{All: []string{"and"}})
	find([]uint64{2, 1}, indexing.WordQuery{All: []string{"心理"}, Any: [][]string{{"§k7", "§k8"}}})
	find([]uint64{1}, indexing.WordQuery{All: []string{"心理"}, Any: [][]string{{"§k7", "§k8"}}, None: []string{"§c"}})
	find(nil, indexing.WordQuery{All: []string{`"`}})
	find(nil, indexing.WordQuery{All: []string{"理"}})
	lookUp(t, db, deployment, func(tx indexing.Reading) error {
		got, err := tx.Find(indexing.WordQuery{All: []string{"心理"}}, 2, 101, 2)
		equal(t, "within bounds", got, err, 101, 100)
		return nil
	})
	save(documentRows{Put: []indexing.Document{document(11, 1, "别的")}, Drop: []indexing.Document{document(12, 2, "")}})
	find([]uint64{100}, indexing.WordQuery{All: []string{"心理"}})
	find([]uint64{1}, indexing.WordQuery{All: []string{"别的"}})
	index(t, db, deployment, func(tx indexing.Writing) error {
		got, err := tx.Documents([]hlc.ID{id(11), id(12)})
		equal(t, "documents", got, err, indexing.Document{Record: id(11), Number: 1, Digest: uint64(len("别的"))})
		return nil
	})
}

// testWordsApart: what one deployment has is not found in another, wherever in their logs it stands.
func testWordsApart(t *testing.T, db *store.DB) {
	all := []hlc.ID{deployment, id(2)}
	number := func(c indexing.Cursor) uint64 { return c.Number<<40 | 5 }
	for n, of := range all {
		index(t, db, of, func(tx indexing.Writing) error {
			at, err := tx.Cursor()
			return errors.Join(err, tx.SaveIndex(indexing.Changes{Cursor: at, Documents: documentRows{Put: []indexing.Document{
				{Record: id(11 + n), Number: number(at), Words: fmt.Sprint("心理 ", n)}}}}))
		})
	}
	for n, of := range all {
		lookUp(t, db, of, func(tx indexing.Reading) error {
			at, err := tx.Cursor()
			if err != nil {
				return err
			}
			got, err := tx.Find(indexing.WordQuery{All: []string{"心理", fmt.Sprint(n)}}, number(at)-5, number(at)+5, 10)
			equal(t, "own", got, err, number(at))
			got, err = tx.Find(indexing.WordQuery{All: []string{fmt.Sprint(1 - n)}}, number(at)-5, number(at)+5, 10)
			equal(t, "the other's", got, err)
			return nil
		})
	}
	index(t, db, all[1], func(tx indexing.Writing) error {
		at, err := tx.Cursor()
		return errors.Join(err, tx.SaveIndex(indexing.Changes{Cursor: at, Documents: documentRows{Drop: []indexing.Document{{Record: id(12), Number: number(at)}}}}))
	})
	lookUp(t, db, deployment, func(tx indexing.Reading) error {
		at, err := tx.Cursor()
		if err != nil {
			return err
		}
		got, err := tx.Find(indexing.WordQuery{All: []string{"心理"}}, number(at), number(at), 10)
		equal(t, "after the other was dropped", got, err, number(at))
		return nil
	})
}

// testRemovedFromTables: what is removed from the records is in no table any more, at once.
func testRemovedFromTables(t *testing.T, db *store.DB) {
	gone, stays := aRecord(11, 1), aRecord(12, 2)
	write(t, db, syncing.Changes{Head: syncing.Head{Position: 2}, Log: []syncing.LogEntry{entry(1), entry(2)}, Records: []syncing.Record{gone, stays}})
	row := func(r syncing.Record) indexing.Reviewed {
		return indexing.Reviewed{Record: r.ID, Audience: access.Everyone, Kind: r.Kind, Standing: tally.Waiting, Day: 20211001}
	}
	file := func(r syncing.Record) indexing.Case { return indexing.Case{Record: r.ID, OpenedOn: 20211001} }
	word := func(r syncing.Record, number uint64) indexing.Document {
		return indexing.Document{Record: r.ID, Number: number, Words: "心理"}
	}
	index(t, db, deployment, func(tx indexing.Writing) error {
		return errors.Join(tx.SaveLikenesses(indexing.Rows[indexing.Likeness, hlc.ID]{Put: []indexing.Likeness{{Record: gone.ID, Likeness: []byte("a")}}}),
			tx.SaveIndex(indexing.Changes{
				Reviewing: reviewedRows{Put: []indexing.Reviewed{row(gone), row(stays)}},
				Counts:    []indexing.ReviewCount{{Kind: gone.Kind, Standing: tally.Waiting, Count: 2}},
				Likely:    pairRows{Put: []indexing.Pair{{Earlier: gone.ID, Later: stays.ID}, {Earlier: id(3), Later: gone.ID}}},
				Cases:     caseRows{Put: []indexing.Case{file(gone), file(stays)}},
				Open:      []indexing.StageCount{{Count: 2}},
				Documents: documentRows{Put: []indexing.Document{word(gone, 1), word(stays, 2)}},
			}))
	})
	inWrite(t, db, func(tx syncing.Writing) error { return tx.Remove([]hlc.ID{gone.ID}) })
	lookUp(t, db, deployment, func(tx indexing.Reading) error {
		queue, err := tx.Queue(indexing.QueueRun{Standing: tally.Waiting, To: 20211231, Limit: 9})
		equal(t, "queue", queue, err, row(stays))
		counts, err := tx.ReviewCounts()
		equal(t, "counts", counts, err, indexing.ReviewCount{Kind: gone.Kind, Standing: tally.Waiting, Count: 1})
		pairs, err := tx.Likely(indexing.LikelyRun{Limit: 9})
		equal(t, "pairs", pairs, err)
		days, err := tx.CaseDays(indexing.CaseRun{List: indexing.OpenCases, Until: 20211231, Limit: 9})
		equal(t, "lists", days, err, indexing.CaseDay{Record: stays.ID, Day: 20211001})
		open, err := tx.OpenCases()
		equal(t, "open cases", open, err, indexing.StageCount{Count: 1})
		numbers, err := tx.Find(indexing.WordQuery{All: []string{"心理"}}, 1, 9, 9)
		equal(t, "words", numbers, err, 2)
		return tx.EachLikeness(func(l indexing.Likeness) error { return fmt.Errorf("%v is left", l) })
	})
}
