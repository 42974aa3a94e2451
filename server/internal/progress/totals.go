package progress

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"levee/server/internal/syncing"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// MaxRows is how many rows an answer of totals has at most.
const MaxRows = 5000

// Levels of administrative places, and how many digits their codes have.
var Levels = []struct {
	Name   string
	Digits int
}{{"province", 2}, {"city", 4}, {"county", 6}, {"town", 9}, {"village", 12}}

// TotalsQuery says which totals are wanted.
type TotalsQuery struct {
	Bases []tally.Basis
	// Figures are names; all when there is none.
	Figures []string
	By      tally.Dimension
	// Level is the name of a level, and Below the code of a place; only for tally.Place. Without a level it is the one
	// right below Below, or the province.
	Level, Below string
	// AsOf is the last day that counts; without one (0) all there is counts.
	AsOf record.Date
	// HeardSince is from when on a contact makes a tablet one that was heard from.
	HeardSince time.Time
}

// Totals are the answer.
type Totals struct {
	// AsOf is the last day that counts: without one asked for it is today or the deployment's end, or a later day on which
	// something counts.
	AsOf record.Date
	// Recounted says that the totals were counted from the records, because the stored ones know later days.
	Recounted   bool
	ServiceDays int
	// Figures are those that the rows hold, and ServiceDays unless others were asked for.
	Figures []Figure
	Rows    []Row
	// Truncated says that there are more rows than MaxRows.
	Truncated    bool
	Completeness Completeness
}

// Row is the totals under one key.
type Row struct {
	Key    string
	Label  Text
	Place  string // code of a site's place
	Values map[tally.Basis]map[string]int64
}

// Totals reads totals from the table that each sync moves. Only an as-of day after which something counts makes it
// count the records again.
func (s *Service) Totals(ctx context.Context, q TotalsQuery) (Totals, error) {
	setUp := s.SetUp()
	day, err := s.dayAsked(setUp, q.AsOf)
	if err != nil {
		return Totals{}, err
	}
	wanted, err := q.figures(s.Figures())
	if err != nil {
		return Totals{}, err
	}
	digits, err := q.digits()
	if err != nil {
		return Totals{}, err
	}
	t := Totals{AsOf: day, Figures: wanted}
	if start := record.Date(setUp.Deployment.GetStartOn()); start.Valid() {
		t.ServiceDays = tally.ServiceDays(start, day)
	}
	values := newTable(setUp, q.By)
	var recount uint64
	err = s.Store.Look(ctx, func(tx Reading) error {
		if t.Completeness, err = s.CompletenessIn(tx, q.HeardSince, nil); err != nil {
			return err
		}
		last, err := lastDay(tx, day)
		if err != nil {
			return err
		}
		if t.Recounted = last > day && q.AsOf != 0; t.Recounted {
			recount = t.Completeness.Position
			return nil
		}
		t.AsOf = last
		return q.read(tx, wanted, digits, values)
	})
	if err == nil && t.Recounted {
		err = s.fromRecords(ctx, recount, day, func(counted *tally.Totals) { q.pick(counted, wanted, digits, values) })
	}
	t.Rows, t.Truncated = values.rows(setUp, q.By)
	return t, err
}

// figures are those of a query.
func (q *TotalsQuery) figures(all []Figure) ([]Figure, error) {
	var wanted []Figure
	for _, f := range all {
		if peopleOnly(q.By) && !f.People && !f.OnCalendar() {
			continue
		}
		if len(q.Figures) == 0 || slices.Contains(q.Figures, f.Name) {
			wanted = append(wanted, f)
		}
	}
	if len(wanted) == 0 {
		return nil, problem.Newf(problem.InvalidArgument, "figure: %v is not divided by %s", strings.Join(q.Figures, ", "), q.By)
	}
	return wanted, nil
}

// digits is how long the keys of a query are; 0 when that does not matter.
func (q *TotalsQuery) digits() (int, error) {
	if q.By != tally.Place {
		if q.Level != "" || q.Below != "" {
			return 0, problem.Newf(problem.InvalidArgument, "level, below: only with by=place")
		}
		return 0, nil
	}
	for _, l := range Levels {
		if l.Digits <= len(q.Below) {
			if l.Name == q.Level {
				return 0, problem.Newf(problem.InvalidArgument, "level: %s is not below %s", q.Level, q.Below)
			}
			continue
		}
		if q.Level == "" || q.Level == l.Name {
			return l.Digits, nil
		}
	}
	return 0, problem.Newf(problem.InvalidArgument, "level: there is none below %s", q.Below)
}

// lastDay is the last day on which anything counts, and not before another day. Little lies after today, or after the end
// of a deployment: what tablets logged whose day has begun already, or before the end was set.
func lastDay(tx Reading, day record.Date) (record.Date, error) {
	last := day
	for _, figure := range tally.Figures() {
		err := tx.Totals(TotalsRange{Basis: tally.Reported, Figure: figure, Dimension: tally.Day, After: last.String(), Limit: MaxRows},
			func(key string, _ int64) error {
				if on, err := record.ParseDate(key); err == nil {
					last = max(last, on)
				}
				return nil
			})
		if err != nil {
			return last, err
		}
	}
	return last, nil
}

func (q *TotalsQuery) read(tx Reading, wanted []Figure, digits int, into table) error {
	for _, basis := range q.Bases {
		for _, f := range wanted {
			if f.OnCalendar() {
				continue
			}
			err := tx.Totals(TotalsRange{Basis: basis, Figure: f.of, Dimension: q.By, Prefix: q.Below, Length: digits, Limit: MaxRows + 1},
				func(key string, value int64) error { into.set(key, basis, f.Name, value); return nil })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// pick takes from counted totals what read takes from the stored ones.
func (q *TotalsQuery) pick(counted *tally.Totals, wanted []Figure, digits int, into table) {
	for _, basis := range q.Bases {
		for _, f := range wanted {
			for key, value := range counted.By(basis, f.of, q.By) {
				if strings.HasPrefix(key, q.Below) && (digits == 0 || len(key) == digits) {
					into.set(key, basis, f.Name, value)
				}
			}
		}
	}
}

// table is values by key.
type table map[string]map[tally.Basis]map[string]int64

// newTable has a key already for each site, team and worker there is, so that who reported nothing is seen as well.
func newTable(setUp *syncing.SetUp, by tally.Dimension) table {
	t := table{}
	switch by {
	case tally.Whole:
		t[""] = nil
	case tally.Site:
		for id := range setUp.Sites {
			t[id.String()] = nil
		}
	case tally.Team:
		for id := range setUp.Teams {
			t[id.String()] = nil
		}
	case tally.Worker:
		for id := range setUp.Workers {
			t[id.String()] = nil
		}
	}
	return t
}

func (t table) set(key string, basis tally.Basis, figure string, value int64) {
	if t[key] == nil {
		t[key] = map[tally.Basis]map[string]int64{}
	}
	if t[key][basis] == nil {
		t[key][basis] = map[string]int64{}
	}
	t[key][basis][figure] = value
}

// rows are in the order of their keys; numbers by their value.
func (t table) rows(setUp *syncing.SetUp, by tally.Dimension) (rows []Row, truncated bool) {
	keys := slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		if by == tally.AgeBand || by == tally.ServiceArea {
			return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
		}
		return cmp.Compare(a, b)
	})
	if len(keys) > MaxRows {
		keys, truncated = keys[:MaxRows], true
	}
	for _, key := range keys {
		label, place := labelOf(setUp, by, key)
		rows = append(rows, Row{Key: key, Label: label, Place: place, Values: t[key]})
	}
	return rows, truncated
}

// recounted are totals as counted from the records at a position of the log.
type recounted struct {
	position uint64
	day      record.Date
	totals   *tally.Totals
}

// fromRecords counts all records up to an as-of day. Only one count is under way at a time, and the last one is kept:
// who looks at a past day asks for several divisions of it. position is the log's, as just read.
func (s *Service) fromRecords(ctx context.Context, position uint64, day record.Date, use func(*tally.Totals)) error {
	var last recounted
	select {
	case last = <-s.counted:
	case <-ctx.Done():
		return problem.New(problem.Busy)
	}
	defer func() { s.counted <- last }()
	if last.totals == nil || last.position < position || last.day != day {
		counted := recounted{day: day}
		var records []tally.Record
		err := s.Store.Look(ctx, func(tx Reading) error {
			head, err := tx.Head()
			if err != nil {
				return err
			}
			counted.position = head.Position
			return tx.EachRecord(func(r syncing.Record) error {
				if !mayCount(r.Kind) {
					return nil
				}
				t, err := tallied(r)
				records = append(records, t)
				return err
			})
		})
		if err != nil {
			return err
		}
		counted.totals = tally.Of(slices.Values(records), day)
		last = counted
	}
	use(last.totals)
	return nil
}
