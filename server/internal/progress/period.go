package progress

import (
	"context"
	"slices"
	"time"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// NewPersons is the name of the persons of a period who were met on no day before it, as Period has them beside the figures.
const NewPersons = "persons_new"

// PeriodQuery says of which days a Period is wanted.
type PeriodQuery struct {
	From, To record.Date
	// Whole asks for the whole deployment; else it is about some teams, those that who asks sees.
	Whole bool
	Teams []hlc.ID
	// HeardSince is from when on a contact makes a tablet one that was heard from; the zero time stands for a day ago.
	HeardSince time.Time
}

// Period is what was done from a day to another, both counted.
type Period struct {
	// Figures are those that the rows hold. NewPersons stands in them besides.
	Figures []Figure
	// Done are the figures of the period, Total those of all days up to its last one.
	Done, Total Row
	// Towns, Sites, Teams and ServiceAreas divide Done; what has nothing in the period has no row.
	Towns, Sites, Teams, ServiceAreas []Row
	Workers                           []WorkTime
	Completeness                      Completeness
}

// Period reads the records of the days alone, by index, counts them as the totals were, and takes from the stored totals what
// lies before. Only what some teams did up to a past day needs a recount.
func (s *Service) Period(ctx context.Context, q PeriodQuery) (Period, error) {
	if !q.From.Valid() || !q.To.Valid() || q.From > q.To {
		return Period{}, problem.Newf(problem.InvalidArgument, "from %v to %v", q.From, q.To)
	}
	if !q.Whole && len(q.Teams) == 0 {
		return Period{}, problem.New(problem.NotFound)
	}
	var teams []hlc.ID
	if !q.Whole {
		teams = q.Teams
	}
	setUp := s.SetUp()
	p := Period{Figures: slices.DeleteFunc(s.Figures(), Figure.OnCalendar)}
	recount := false
	err := s.Store.Look(ctx, func(tx Reading) (err error) {
		if p.Completeness, err = s.CompletenessIn(tx, q.HeardSince, teams); err != nil {
			return err
		}
		r := periodReader{tx: tx, setUp: setUp, from: q.From, to: q.To, teams: teams, times: map[hlc.ID]*WorkTime{}}
		counted, err := r.count()
		if err != nil {
			return err
		}
		p.Workers = r.workers()
		if err := p.divide(tx, setUp, counted, q.From, q.To); err != nil {
			return err
		}
		p.Total, recount, err = totalUntil(tx, setUp, p.Figures, teams, q.To)
		return err
	})
	if err == nil && recount {
		err = s.fromRecords(ctx, p.Completeness.Position, q.To, func(counted *tally.Totals) { p.Total = ofCounted(setUp, p.Figures, counted, teams) })
	}
	return p, err
}

// divide fills in the figures of the period.
func (p *Period) divide(tx Counted, setUp *syncing.SetUp, counted *tally.Totals, from, to record.Date) error {
	parts := []struct {
		TotalsQuery
		digits int
		rows   *[]Row
	}{
		{TotalsQuery{By: tally.Site}, 0, &p.Sites},
		{TotalsQuery{By: tally.Team}, 0, &p.Teams},
		{TotalsQuery{By: tally.ServiceArea}, 0, &p.ServiceAreas},
		{TotalsQuery{By: tally.Place}, TownDigits, &p.Towns},
	}
	fresh, err := newPersons(tx, counted, from, to)
	if err != nil {
		return err
	}
	whole := table{"": nil}
	fill := func(q TotalsQuery, digits int, into table) {
		q.Bases = bases
		q.pick(counted, p.Figures, digits, into)
		for key := range into {
			for _, basis := range bases {
				if n := fresh[tally.Cell{Basis: basis, Cut: tally.Cut{Dimension: q.By, Key: key}}]; n != 0 {
					into.set(key, basis, NewPersons, n)
				}
			}
		}
	}
	fill(TotalsQuery{By: tally.Whole}, 0, whole)
	rows, _ := whole.rows(setUp, tally.Whole)
	p.Done = rows[0]
	for _, part := range parts {
		t := table{}
		fill(part.TotalsQuery, part.digits, t)
		*part.rows, _ = t.rows(setUp, part.By)
	}
	return nil
}

// TownDigits is how many digits the code of a town has.
const TownDigits = 9

// newPersons are how many persons of each cut of a period were met on no day before it: those known by number, who are
// first-time heads and clients of cases that were opened then, and those whose token was not met before.
func newPersons(tx Counted, counted *tally.Totals, from, to record.Date) (map[tally.Cell]int64, error) {
	fresh := map[tally.Cell]int64{}
	for c, n := range counted.Cells {
		if c.Figure == tally.PersonsByNumber {
			fresh[tally.Cell{Basis: c.Basis, Cut: c.Cut}] += n
		}
	}
	for _, basis := range bases {
		met := map[tally.Token]bool{}
		if err := tx.FirstMet(basis, from, to, func(t tally.Token) error { met[t] = true; return nil }); err != nil {
			return nil, err
		}
		for c := range counted.Tokens {
			if c.Basis == basis && met[c.Token] {
				fresh[tally.Cell{Basis: c.Basis, Cut: c.Cut}]++
			}
		}
	}
	return fresh, nil
}

// totalUntil are the totals of all days up to one. Of some teams they are stored up to the last day alone: of a day before,
// recount says that the records must be counted.
func totalUntil(tx Reading, setUp *syncing.SetUp, wanted []Figure, teams []hlc.ID, to record.Date) (total Row, recount bool, err error) {
	last, err := lastDay(tx, to)
	if err != nil {
		return Row{}, false, err
	}
	if teams != nil {
		if last > to {
			return Row{}, true, nil
		}
		o := Overview{Figures: wanted}
		err := o.sumOfTeams(tx, setUp, teams)
		return o.Whole, false, err
	}
	sum := table{"": nil}
	q := TotalsQuery{Bases: bases, By: tally.Whole}
	if err := q.read(tx, wanted, 0, sum); err != nil {
		return Row{}, false, err
	}
	if last > to {
		err = takeAway(tx, wanted, to.AddDays(1), last, sum)
	}
	rows, _ := sum.rows(setUp, tally.Whole)
	return rows[0], false, err
}

// takeAway takes what the days after one give off the whole: persons are those who are not first met on them.
func takeAway(tx Counted, wanted []Figure, from, last record.Date, whole table) error {
	for _, basis := range bases {
		for _, f := range wanted {
			if f.of == tally.Persons {
				continue
			}
			n, err := sumOfDays(tx, basis, f.of, from, last)
			if err != nil {
				return err
			}
			whole.set("", basis, f.Name, whole[""][basis][f.Name]-n)
		}
		later, err := sumOfDays(tx, basis, tally.PersonsByNumber, from, last)
		if err != nil {
			return err
		}
		if err := tx.FirstMet(basis, from, last, func(tally.Token) error { later++; return nil }); err != nil {
			return err
		}
		persons := whole[""][basis]["persons"] - later
		whole.set("", basis, "persons", persons)
		whole.set("", basis, Beneficiaries, persons)
	}
	return nil
}

// sumOfDays is what the days from one to another give to a figure that adds up.
func sumOfDays(tx Counted, basis tally.Basis, figure tally.Figure, from, to record.Date) (sum int64, err error) {
	r := TotalsRange{Basis: basis, Figure: figure, Dimension: tally.Day, After: from.AddDays(-1).String(), Limit: from.DaysUntil(to) + 1}
	return sum, tx.Totals(r, func(key string, n int64) error {
		if key <= to.String() {
			sum += n
		}
		return nil
	})
}

// ofCounted are the totals of some teams, as counted from the records: somebody whom two teams met is one person.
func ofCounted(setUp *syncing.SetUp, wanted []Figure, counted *tally.Totals, teams []hlc.ID) Row {
	sum := table{"": nil}
	for _, basis := range bases {
		for _, f := range wanted {
			cells := make([]tally.Cell, 0, len(teams))
			for _, team := range teams {
				cells = append(cells, tally.Cell{Basis: basis, Figure: f.of, Cut: tally.OfTeam(team)})
			}
			sum.set("", basis, f.Name, counted.Sum(cells...))
		}
	}
	rows, _ := sum.rows(setUp, tally.Whole)
	return rows[0]
}

// periodReader goes through the records of some days.
type periodReader struct {
	tx       Reading
	setUp    *syncing.SetUp
	from, to record.Date
	// teams are those that are told of; all when nil.
	teams []hlc.ID
	times map[hlc.ID]*WorkTime
}

// count counts what the records of the period give to its teams, and takes note of who worked.
func (r *periodReader) count() (counted *tally.Totals, err error) {
	counted = tally.OfFacts(func(yield func(tally.Fact) bool) {
		err = r.each(func(f tally.Fact) bool { return !r.has(&f) || yield(f) })
	})
	return counted, err
}

// has reports whether a fact is one of the period and of its teams.
func (r *periodReader) has(f *tally.Fact) bool {
	return r.teams == nil || slices.ContainsFunc(r.teams, func(team hlc.ID) bool { return slices.Contains(f.Cuts, tally.OfTeam(team)) })
}

// each hands out the facts of the period.
func (r *periodReader) each(fact func(tally.Fact) bool) error {
	for _, kind := range contactKinds {
		audiences, err := r.tx.Audiences(kind)
		if err != nil {
			return err
		}
		for _, audience := range audiences {
			of := DayRange{Kind: kind, Audience: audience, From: r.from, To: r.to, Limit: MaxPage}
			for more := true; more; {
				var chunk []syncing.Record
				if chunk, more, err = nextOf(r.tx, &of); err != nil {
					return err
				}
				if err := r.give(chunk, r.from, r.to, fact); err != nil {
					return err
				}
			}
		}
	}
	return r.eachCase(fact)
}

// nextOf are the next records of a run, and whether there may be more of it.
func nextOf(tx RecordReading, run *DayRange) (chunk []syncing.Record, more bool, err error) {
	chunk, err = tx.RecordsByDay(*run)
	if more = len(chunk) == run.Limit; more {
		run.Before = &chunk[len(chunk)-1]
	}
	return chunk, more, err
}

// give hands out what some settings give in some days, with all that belongs to them.
func (r *periodReader) give(settings []syncing.Record, from, to record.Date, fact func(tally.Fact) bool) error {
	if len(settings) == 0 {
		return nil
	}
	facts, records, err := factsOf(r.tx, settings)
	if err != nil {
		return err
	}
	asked := map[hlc.ID]bool{}
	for _, s := range settings {
		asked[s.ID] = true
	}
	for _, f := range facts {
		if !asked[f.Setting] || f.Day < from || f.Day > to {
			continue
		}
		if err := r.note(&f, records); err != nil {
			return err
		}
		if !fact(f) {
			return nil
		}
	}
	return nil
}

// eachCase hands out the cases that were opened in the period. They say to have occurred on some day of theirs, most of them on
// that one or shortly before: it looks further until there are as many as the stored totals know.
func (r *periodReader) eachCase(fact func(tally.Fact) bool) error {
	left, err := sumOfDays(r.tx, tally.Reported, tally.Cases, r.from, r.to)
	if err != nil {
		return err
	}
	audiences, err := r.tx.Audiences(recordv1.Kind_KIND_CASE)
	if err != nil {
		return err
	}
	const last = record.Date(99999999)
	for _, days := range [][2]record.Date{{r.from, r.to}, {0, r.from - 1}, {r.to + 1, last}} {
		var runs []*DayRange
		for _, audience := range audiences {
			runs = append(runs, &DayRange{Kind: recordv1.Kind_KIND_CASE, Audience: audience, From: days[0], To: days[1], Limit: casesChunk})
		}
		for left > 0 && len(runs) > 0 { // a chunk of each, so that none is gone through to its beginning for nothing
			var going []*DayRange
			for _, run := range runs {
				chunk, more, err := nextOf(r.tx, run)
				if err != nil {
					return err
				}
				if chunk, err = opened(chunk, r.from, r.to); err != nil {
					return err
				}
				if err := r.give(chunk, r.from, r.to, func(f tally.Fact) bool { left--; return fact(f) }); err != nil {
					return err
				}
				if more {
					going = append(going, run)
				}
			}
			runs = going
		}
	}
	return nil
}
