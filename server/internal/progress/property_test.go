package progress_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func serviceOf(d *servertest.Deployment) *progress.Service {
	return progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
}

// recordsOf are all records as merged.
func recordsOf(t testing.TB, d *servertest.Deployment) []tally.Record {
	var records []tally.Record
	err := d.DB.Deployment(d.ID).Look(context.Background(), func(tx progress.Reading) error {
		return tx.EachRecord(func(r syncing.Record) error {
			registers, err := record.DecodeState(r.State)
			records = append(records, tally.Record{ID: r.ID, Kind: r.Kind, Registers: registers})
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// TestTotalsAreWhatRecordsGive: whatever tablets send, in whatever order, what is read from the stored totals is what a
// count of all records gives, whole and up to a day; each total leads to the records that make it; and a recount finds
// everything equal.
func TestTotalsAreWhatRecordsGive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		servertest.Grow(rt, d, func() {})
		s := serviceOf(d)
		records := recordsOf(t, d)

		checkTotals(rt, s, progress.TotalsQuery{}, tally.Of(slices.Values(records), 0))
		checkNaively(rt, records)
		day := record.Date(20210923).AddDays(rapid.IntRange(0, 40).Draw(rt, "as of"))
		checkTotals(rt, s, progress.TotalsQuery{AsOf: day}, tally.Of(slices.Values(records), day))
		checkBehind(rt, s, tally.Of(slices.Values(records), 0))

		recount, err := progress.Recount(context.Background(), d.DB.Deployment(d.ID), d.ID)
		if err != nil {
			rt.Fatal(err)
		}
		if !recount.Equal() || recount.Records != len(records) {
			rt.Fatalf("%d records: %+v", len(records), recount)
		}
	})
}

// checkNaively counts a second time, by code that shares nothing with the first.
func checkNaively(t *rapid.T, records []tally.Record) {
	var plain []oracle.Record
	for _, r := range records {
		plain = append(plain, oracle.Record(r))
	}
	counted := tally.Of(slices.Values(records), 0)
	for c, n := range oracle.Tally(plain, 0) {
		basis, _ := tally.ParseBasis(c.Basis)
		figure, _ := tally.ParseFigure(c.Figure)
		dimension, _ := tally.ParseDimension(c.Dimension)
		if got := counted.Value(tally.Cell{Basis: basis, Figure: figure, Cut: tally.Cut{Dimension: dimension, Key: c.Key}}); got != n {
			t.Fatalf("%v: %d, counted naively %d", c, got, n)
		}
	}
}

func checkTotals(t *rapid.T, s *progress.Service, q progress.TotalsQuery, want *tally.Totals) {
	q.Bases = []tally.Basis{tally.Reported, tally.Verified}
	for _, q.By = range tally.Dimensions() {
		levels := []string{""}
		if q.By == tally.Place {
			levels = []string{"province", "city", "county", "town", "village"}
		}
		got := map[tally.Cell]int64{}
		for _, q.Level = range levels {
			totals, err := s.Totals(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range totals.Rows {
				for basis, values := range row.Values {
					for figure, n := range values {
						if f, err := tally.ParseFigure(figure); err == nil && n != 0 {
							got[tally.Cell{Basis: basis, Figure: f, Cut: tally.Cut{Dimension: q.By, Key: row.Key}}] = n
						}
						if figure == progress.Beneficiaries && n != values["persons"] {
							t.Fatalf("%v %s: %d beneficiaries, %d persons", q.By, row.Key, n, values["persons"])
						}
					}
				}
			}
		}
		counted := map[tally.Cell]int64{}
		for _, basis := range q.Bases {
			for _, f := range tally.Figures() {
				for key, n := range want.By(basis, f, q.By) {
					if n != 0 && (q.By != tally.Place || key != "") { // what was logged without a place is at no level
						counted[tally.Cell{Basis: basis, Figure: f, Cut: tally.Cut{Dimension: q.By, Key: key}}] = n
					}
				}
			}
		}
		if !maps.Equal(got, counted) {
			t.Fatalf("by %v, as of %v: %v, counted %v", q.By, q.AsOf, got, counted)
		}
	}
}

// checkBehind draws some totals and adds up what the records behind them give.
func checkBehind(t *rapid.T, s *progress.Service, totals *tally.Totals) {
	cells := slices.Collect(maps.Keys(totals.Cells))
	slices.SortFunc(cells, func(a, b tally.Cell) int {
		return slices.Compare([]string{a.Basis.String(), a.Figure.String(), a.Dimension.String(), a.Key}, []string{b.Basis.String(), b.Figure.String(), b.Dimension.String(), b.Key})
	})
	for range min(len(cells), 5) {
		cell := rapid.SampledFrom(cells).Draw(t, "total")
		q := progress.BehindQuery{Basis: cell.Basis, Figure: cell.Figure.String(), Cut: cell.Cut, Page: progress.Page[hlc.ID]{Limit: rapid.IntRange(1, 4).Draw(t, "limit")}}
		var sum int64
		for met := map[hlc.ID]bool{}; ; {
			page, err := s.Behind(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Rows) > q.Limit {
				t.Fatalf("%d rows in a page of %d", len(page.Rows), q.Limit)
			}
			for _, row := range page.Rows {
				if met[row.ID] || row.Amount == 0 {
					t.Fatalf("after %v: %+v", q.After, row)
				}
				met[row.ID] = true
				sum += row.Amount
			}
			if q.After = page.Next; q.After == (hlc.ID{}) {
				break
			}
		}
		if sum != totals.Value(cell) {
			t.Fatalf("%v: %d, and the records behind it give %d", cell, totals.Value(cell), sum)
		}
	}
}
