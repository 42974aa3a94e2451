package progress

import (
	"context"
	"slices"
	"time"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
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

// Period adds up what is kept of the days, however many records there are. Only persons whom some teams met, as somebody may be
// met by several of them, are counted one by one, by index.
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
	err := s.Store.Look(ctx, func(tx Reading) (err error) {
		if p.Completeness, err = s.CompletenessIn(tx, q.HeardSince, teams); err != nil {
			return err
		}
		if p.Workers, err = workTimes(tx, setUp, q.From, q.To, teams); err != nil {
			return err
		}
		if err := p.divide(setUp, daysRead{tx, q.From, q.To, teams}); err != nil {
			return err
		}
		p.Total, err = totalUntil(tx, setUp, p.Figures, teams, q.To)
		return err
	})
	return p, err
}

// TownDigits is how many digits the code of a town has.
const TownDigits = 9

// divide fills in the figures of the period.
func (p *Period) divide(setUp *syncing.SetUp, days daysRead) error {
	tables := map[tally.Dimension]table{tally.Whole: {"": nil}, tally.Site: {}, tally.Team: {}, tally.ServiceArea: {}, tally.Place: {}}
	for _, basis := range bases {
		counted, err := days.count(basis, divisions)
		if err != nil {
			return err
		}
		for cut, n := range counted {
			put := func(name string, value int64) {
				if value != 0 {
					tables[cut.Dimension].set(cut.Key, basis, name, value)
				}
			}
			for _, f := range p.Figures {
				put(f.Name, n.figure(f.of))
			}
			put(NewPersons, n.fresh+n.figure(tally.PersonsByNumber))
		}
	}
	whole, _ := tables[tally.Whole].rows(setUp, tally.Whole)
	p.Done = whole[0]
	for by, rows := range map[tally.Dimension]*[]Row{tally.Site: &p.Sites, tally.Team: &p.Teams, tally.ServiceArea: &p.ServiceAreas, tally.Place: &p.Towns} {
		*rows, _ = tables[by].rows(setUp, by)
	}
	return nil
}

// totalUntil are the totals of all days up to one. They are stored up to the last day on which anything counts alone.
func totalUntil(tx Reading, setUp *syncing.SetUp, wanted []Figure, teams []hlc.ID, to record.Date) (Row, error) {
	last, err := lastDay(tx, to)
	if err != nil {
		return Row{}, err
	}
	if last <= to && teams != nil {
		o := Overview{Figures: wanted}
		err := o.sumOfTeams(tx, setUp, teams)
		return o.Whole, err
	}
	sum := table{"": nil}
	if last <= to {
		q := TotalsQuery{Bases: bases, By: tally.Whole}
		err = q.read(tx, wanted, 0, sum)
	} else {
		err = untilDay(daysRead{tx, 1, to, teams}, wanted, sum)
	}
	rows, _ := sum.rows(setUp, tally.Whole)
	return rows[0], err
}

// untilDay sets the figures of all days up to one, also those that are 0.
func untilDay(days daysRead, wanted []Figure, whole table) error {
	for _, basis := range bases {
		counted, err := days.count(basis, []tally.Dimension{tally.Whole})
		if err != nil {
			return err
		}
		n := counted[tally.Everything()]
		for _, f := range wanted {
			whole.set("", basis, f.Name, n.figure(f.of))
		}
	}
	return nil
}
