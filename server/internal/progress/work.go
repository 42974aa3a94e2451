package progress

import (
	"cmp"
	"context"
	"slices"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Minutes is the name of the time that sessions and activities took, as Work has it beside the figures.
const Minutes = "minutes"

// workFigures are what people do on a day.
var workFigures = []tally.Figure{tally.CaseSessions, tally.GroupSessions, tally.CommunityActivities, tally.OutreachRounds, tally.Contacts}

const (
	// maxWorkDays is how many days are told at once, maxWorkRecords how many records are looked through for it.
	maxWorkDays    = 31
	maxWorkRecords = 20000
)

// Work is what a team did in some days.
type Work struct {
	From, To record.Date
	// Rows are by worker and then day; who did nothing on a day has no row for it.
	Rows []WorkRow
	// Truncated says that the team did more than is looked through at once: the rows lack some of it.
	Truncated bool
}

// WorkRow is what one worker did on one day.
type WorkRow struct {
	Worker Named
	Day    record.Date
	// Values are figures by their names, and Minutes.
	Values map[tally.Basis]map[string]int64
}

// Work tells what a team did from a day to another, at most 31 days. It counts what belongs to the team or to all teams, as
// the totals do, and what stands in a case of another team is left to that team.
func (s *Service) Work(ctx context.Context, team hlc.ID, from, to record.Date) (Work, error) {
	all, err := s.WorkOfTeams(ctx, []hlc.ID{team}, from, to)
	if err != nil {
		return Work{}, err
	}
	return all[team], nil
}

// WorkOfTeams tells what each of some teams did from a day to another, at most 31 days, in one snapshot. However many teams
// there are, no more is looked through than for one: each may have its share.
func (s *Service) WorkOfTeams(ctx context.Context, teams []hlc.ID, from, to record.Date) (map[hlc.ID]Work, error) {
	if !from.Valid() || !to.Valid() || from > to || from.DaysUntil(to) >= maxWorkDays {
		return nil, problem.Newf(problem.InvalidArgument, "from %v to %v: at most %d days", from, to, maxWorkDays)
	}
	setUp, all := s.SetUp(), map[hlc.ID]Work{}
	err := s.Store.Look(ctx, func(tx Reading) error {
		for _, team := range teams {
			w := workReader{tx: tx, setUp: setUp, team: team, from: from, to: to, bound: maxWorkRecords / len(teams), rows: map[workKey]*WorkRow{}}
			truncated, err := w.through()
			if err != nil {
				return err
			}
			all[team] = Work{From: from, To: to, Rows: w.sorted(), Truncated: truncated}
		}
		return nil
	})
	return all, err
}

// workReader goes through what a team did.
type workReader struct {
	tx       RecordReading
	setUp    *syncing.SetUp
	team     hlc.ID
	from, to record.Date
	// bound is how many records are looked through, give or take a chunk.
	bound int
	rows  map[workKey]*WorkRow
}

// through goes through the days, and reports whether the team did more than is looked through.
func (w *workReader) through() (truncated bool, err error) {
	looked := 0
	for _, kind := range append(slices.Clip(activityKinds), recordv1.Kind_KIND_CASE_SESSION) {
		for _, audience := range []hlc.ID{w.team, {}} {
			r := DayRange{Kind: kind, Audience: audience, From: w.from, To: w.to, Limit: MaxPage}
			for more := true; more; {
				chunk, err := w.tx.RecordsByDay(r)
				if err != nil {
					return false, err
				}
				if more = len(chunk) == r.Limit; more {
					r.Before = &chunk[len(chunk)-1]
				}
				n, err := w.add(chunk)
				if err != nil {
					return false, err
				}
				if looked += n; looked > w.bound {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// sorted are the rows by worker and then day.
func (w *workReader) sorted() (rows []WorkRow) {
	for _, r := range w.rows {
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b WorkRow) int {
		return cmp.Or(cmp.Compare(a.Worker.Name, b.Worker.Name), hlc.CompareIDs(a.Worker.ID, b.Worker.ID), cmp.Compare(a.Day, b.Day))
	})
	return rows
}

// Sum is what all did in all the days.
func (w *Work) Sum() map[tally.Basis]map[string]int64 {
	sum := table{}
	for _, r := range w.Rows {
		for basis, values := range r.Values {
			for name, n := range values {
				sum.set("", basis, name, sum[""][basis][name]+n)
			}
		}
	}
	return sum[""]
}

type workKey struct {
	worker string
	day    record.Date
}

// add adds what activities and sessions give to the team, and returns how many records it looked through.
func (w *workReader) add(of []syncing.Record) (int, error) {
	if len(of) == 0 {
		return 0, nil
	}
	facts, records, err := factsOf(w.tx, of)
	if err != nil {
		return 0, err
	}
	asked := map[hlc.ID]bool{}
	for _, r := range of {
		asked[r.ID] = true
	}
	for _, f := range facts {
		if !asked[f.Setting] || !slices.Contains(f.Cuts, tally.OfTeam(w.team)) {
			continue
		}
		var minutes int64
		if f.Setting == f.Record {
			if minutes, err = minutesOf(records[f.Record]); err != nil {
				return 0, err
			}
		}
		w.addFact(&f, minutes)
	}
	return len(records), nil
}

// addFact adds what one record gives.
func (w *workReader) addFact(f *tally.Fact, minutes int64) {
	key := workKey{day: f.Day}
	for _, c := range f.Cuts {
		if c.Dimension == tally.Worker {
			key.worker = c.Key
		}
	}
	r := w.rows[key]
	if r == nil {
		r = &WorkRow{Day: f.Day, Values: map[tally.Basis]map[string]int64{}}
		if id, ok := idOfKey(key.worker); ok {
			r.Worker = named(w.setUp, tally.Worker, id)
		}
		w.rows[key] = r
	}
	for _, basis := range bases {
		if basis == tally.Verified && !f.Verified {
			continue
		}
		if r.Values[basis] == nil {
			r.Values[basis] = map[string]int64{}
		}
		for _, figure := range workFigures {
			if n := f.At(tally.Cell{Basis: basis, Figure: figure, Cut: tally.Everything()}); n != 0 {
				r.Values[basis][figure.String()] += n
			}
		}
		if minutes != 0 {
			r.Values[basis][Minutes] += minutes
		}
	}
}

// minutesOf is how long a session or activity took; 0 of what takes no time.
func minutesOf(r counting) (int64, error) {
	m, err := messageOf(r.tallied)
	if timed, ok := m.(interface{ GetMinutes() uint32 }); ok {
		return int64(timed.GetMinutes()), err
	}
	return 0, err
}
