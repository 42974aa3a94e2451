package progress

import (
	"cmp"
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

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
	if !from.Valid() || !to.Valid() || from > to || from.DaysUntil(to) >= maxWorkDays {
		return Work{}, problem.Newf(problem.InvalidArgument, "from %v to %v: at most %d days", from, to, maxWorkDays)
	}
	setUp := s.SetUp()
	work := Work{From: from, To: to}
	rows := map[workKey]*WorkRow{}
	err := s.Store.Look(ctx, func(tx Reading) error {
		looked := 0
		for _, kind := range append(slices.Clip(activityKinds), recordv1.Kind_KIND_CASE_SESSION) {
			for _, audience := range []hlc.ID{team, {}} {
				r := DayRange{Kind: kind, Audience: audience, From: from, To: to, Limit: MaxPage}
				for more := true; more; {
					chunk, err := tx.RecordsByDay(r)
					if err != nil {
						return err
					}
					if more = len(chunk) == r.Limit; more {
						r.Before = &chunk[len(chunk)-1]
					}
					n, err := addWork(tx, setUp, rows, chunk, team)
					if err != nil {
						return err
					}
					if looked += n; looked > maxWorkRecords {
						work.Truncated = true
						return nil
					}
				}
			}
		}
		return nil
	})
	for _, r := range rows {
		work.Rows = append(work.Rows, *r)
	}
	slices.SortFunc(work.Rows, func(a, b WorkRow) int {
		return cmp.Or(cmp.Compare(a.Worker.Name, b.Worker.Name), slices.Compare(a.Worker.ID[:], b.Worker.ID[:]), cmp.Compare(a.Day, b.Day))
	})
	return work, err
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

// addWork adds what activities and sessions give to a team, and returns how many records it looked through.
func addWork(tx RecordReading, setUp *syncing.SetUp, rows map[workKey]*WorkRow, of []syncing.Record, team hlc.ID) (int, error) {
	if len(of) == 0 {
		return 0, nil
	}
	facts, records, err := factsOf(tx, of)
	if err != nil {
		return 0, err
	}
	asked := map[hlc.ID]bool{}
	for _, r := range of {
		asked[r.ID] = true
	}
	for _, f := range facts {
		if !asked[f.Setting] || !slices.Contains(f.Cuts, tally.OfTeam(team)) {
			continue
		}
		var minutes int64
		if f.Setting == f.Record {
			if minutes, err = minutesOf(records[f.Record]); err != nil {
				return 0, err
			}
		}
		addFact(setUp, rows, &f, minutes)
	}
	return len(records), nil
}

// addFact adds what one record gives.
func addFact(setUp *syncing.SetUp, rows map[workKey]*WorkRow, f *tally.Fact, minutes int64) {
	key := workKey{day: f.Day}
	for _, c := range f.Cuts {
		if c.Dimension == tally.Worker {
			key.worker = c.Key
		}
	}
	r := rows[key]
	if r == nil {
		r = &WorkRow{Day: f.Day, Values: map[tally.Basis]map[string]int64{}}
		if id, ok := idOfKey(key.worker); ok {
			r.Worker = named(setUp, tally.Worker, id)
		}
		rows[key] = r
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
func minutesOf(r syncing.Record) (int64, error) {
	m, ok := record.New(r.Kind).(interface {
		proto.Message
		GetMinutes() uint32
	})
	if !ok {
		return 0, nil
	}
	t, err := tallied(r)
	if err == nil {
		err = proto.Unmarshal(t.Registers.Fields(), m)
	}
	return int64(m.GetMinutes()), err
}
