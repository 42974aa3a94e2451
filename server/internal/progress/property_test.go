package progress_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func serviceOf(d *servertest.Deployment) *progress.Service {
	return progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
}

// TestTotalsAreWhatRecordsGive: whatever tablets send, in whatever order, what is read from the stored totals is what a
// count of all records gives, whole and up to a day; each total leads to the records that make it; and a recount finds
// everything equal.
func TestTotalsAreWhatRecordsGive(t *testing.T) {
	if servertest.Raced {
		t.Skip("it takes minutes under the race detector, and has one goroutine")
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		servertest.Grow(rt, d, func() {})
		s := serviceOf(d)
		records := d.Records()

		checkTotals(rt, s, progress.TotalsQuery{}, tally.Of(slices.Values(records), 0))
		checkNaively(rt, records)
		day := record.Date(20210923).AddDays(rapid.IntRange(0, 40).Draw(rt, "as of"))
		checkTotals(rt, s, progress.TotalsQuery{AsOf: day}, tally.Of(slices.Values(records), day))
		checkBehind(rt, s, tally.Of(slices.Values(records), 0))
		checkOverview(rt, d, s, tally.Of(slices.Values(records), 0))
		checkWork(rt, d, s, records)

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

// checkOverview: at a glance, everything is what a count of all records gives, also of some teams.
func checkOverview(t *rapid.T, d *servertest.Deployment, s *progress.Service, want *tally.Totals) {
	o, err := s.Overview(context.Background(), progress.OverviewQuery{Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	checkRow(t, o.Whole, func(basis tally.Basis, f tally.Figure) int64 {
		return want.Value(tally.Cell{Basis: basis, Figure: f, Cut: tally.Everything()})
	})
	var sites []progress.Row
	for _, site := range o.Sites {
		sites = append(sites, site.Row)
	}
	for by, rows := range map[tally.Dimension][]progress.Row{tally.Day: o.Days, tally.Site: sites, tally.Team: o.Teams, tally.ServiceArea: o.ServiceAreas, tally.Sex: o.Sexes, tally.AgeBand: o.AgeBands} {
		keys := map[string]bool{}
		for _, r := range rows {
			keys[r.Key] = true
			checkRow(t, r, func(basis tally.Basis, f tally.Figure) int64 {
				if !divided(by, f) {
					return 0
				}
				return want.Value(tally.Cell{Basis: basis, Figure: f, Cut: tally.Cut{Dimension: by, Key: r.Key}})
			})
		}
		for _, f := range tally.Figures() {
			for key, n := range want.By(tally.Reported, f, by) {
				if n != 0 && divided(by, f) && !keys[key] {
					t.Fatalf("by %v there is no row %q, with %d %v", by, key, n, f)
				}
			}
		}
	}
	for _, teams := range [][]hlc.ID{d.Teams[:1], d.Teams} {
		o, err := s.Overview(context.Background(), progress.OverviewQuery{Teams: teams})
		if err != nil {
			t.Fatal(err)
		}
		checkRow(t, o.Whole, func(basis tally.Basis, f tally.Figure) int64 {
			var cells []tally.Cell
			for _, team := range teams {
				cells = append(cells, tally.Cell{Basis: basis, Figure: f, Cut: tally.OfTeam(team)})
			}
			return want.Sum(cells...)
		})
		if len(o.Teams) != len(teams) || o.Days != nil || o.Sites != nil {
			t.Fatalf("of %d teams: %+v", len(teams), o)
		}
	}
}

// divided reports whether a figure is divided by a dimension.
func divided(by tally.Dimension, f tally.Figure) bool {
	return by != tally.Sex && by != tally.AgeBand || f >= tally.Contacts
}

func checkRow(t *rapid.T, r progress.Row, want func(tally.Basis, tally.Figure) int64) {
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		for _, f := range tally.Figures() {
			if got := r.Values[basis][f.String()]; got != want(basis, f) {
				t.Fatalf("row %q: %d %v %v, counted %d", r.Key, got, basis, f, want(basis, f))
			}
		}
	}
}

// checkWork: what the workers of a team did on some days is what the records that belong to the team, or to all teams, give.
func checkWork(t *rapid.T, d *servertest.Deployment, s *progress.Service, records []tally.Record) {
	team := rapid.SampledFrom(d.Teams).Draw(t, "team")
	from := record.Date(20210923).AddDays(rapid.IntRange(0, 40).Draw(t, "from"))
	to := from.AddDays(rapid.IntRange(0, 30).Draw(t, "days"))
	work, err := s.Work(context.Background(), team, from, to)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, r := range work.Rows {
		for basis, values := range r.Values {
			for name, n := range values {
				got[fmt.Sprint(r.Worker.ID, r.Day, basis, name)] += n
			}
		}
	}
	audiences := map[hlc.ID]hlc.ID{}
	_ = d.DB.Deployment(d.ID).Look(context.Background(), func(tx progress.Reading) error {
		return tx.EachRecord(func(r syncing.Record) error { audiences[r.ID] = r.Audience; return nil })
	})
	want := map[string]int64{}
	for _, f := range tally.Facts(records) {
		if a := audiences[f.Setting]; a != team && a != (hlc.ID{}) || f.Kind == recordv1.Kind_KIND_CASE || f.Day < from || f.Day > to || !slices.Contains(f.Cuts, tally.OfTeam(team)) {
			continue
		}
		worker := hlc.ID{}
		for _, c := range f.Cuts {
			if c.Dimension == tally.Worker && c.Key != "" {
				worker = uuid.MustParse(c.Key)
			}
		}
		for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
			for _, figure := range []tally.Figure{tally.CaseSessions, tally.GroupSessions, tally.CommunityActivities, tally.OutreachRounds, tally.Contacts} {
				if n := f.At(tally.Cell{Basis: basis, Figure: figure, Cut: tally.Everything()}); n != 0 {
					want[fmt.Sprint(worker, f.Day, basis, figure.String())] += n
				}
			}
		}
	}
	maps.DeleteFunc(got, func(key string, _ int64) bool { return strings.HasSuffix(key, progress.Minutes) })
	if !maps.Equal(got, want) {
		t.Fatalf("team %v from %v to %v: %v, counted %v", team, from, to, got, want)
	}
}
