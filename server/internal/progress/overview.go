package progress

import (
	"context"
	"slices"
	"time"

	"levee/server/internal/places"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// OverviewQuery says what is wanted at a glance.
type OverviewQuery struct {
	// Whole asks for the whole deployment; else it is about some teams, those that who asks sees.
	Whole bool
	Teams []hlc.ID
	// Below is the code of the place whose parts are wanted, and Level the name of their level: the next one below, or towns
	// where no place is named.
	Below, Level string
	// HeardSince is from when on a contact makes a tablet one that was heard from.
	HeardSince time.Time
}

// Overview is a deployment at a glance: all figures on both bases, from one snapshot of the stored totals. It never counts
// records. Of some teams only the whole, the teams and their workers are stored, and the other divisions are empty.
type Overview struct {
	// AsOf is the last day that counts: today or the deployment's end, or a later day on which something counts.
	AsOf        record.Date
	ServiceDays int
	Figures     []Figure
	Whole       Row
	// Days has a row for each day from the start, and from the first on which anything counts, to AsOf: at most MaxDays, the
	// latest.
	Days []Row
	// Places are those of a level by name, and Path leads to the one in which they lie.
	Places []Row
	Level  string
	Path   []places.Place
	Sites  []SiteRow
	Teams  []Row
	// Workers are those who are in the teams now; only of some teams.
	Workers      []Row
	ServiceAreas []Row
	// Sexes and AgeBands divide the figures of people alone.
	Sexes, AgeBands []Row
	Completeness    Completeness
}

// MaxDays is how many days an overview has.
const MaxDays = 400

// SiteRow is a site with its totals, for a list and for a map.
type SiteRow struct {
	Row
	// Latitude and Longitude are in 1e-6 degrees, north and east positive; both 0 where the site has no coordinates.
	Latitude, Longitude int32
	// County is what its county is called; empty when the site has no place, or an unknown one.
	County  string
	Planned bool
}

// bases are both, in the order in which people read them.
var bases = []tally.Basis{tally.Reported, tally.Verified}

// Overview reads everything in one snapshot.
func (s *Service) Overview(ctx context.Context, q OverviewQuery) (Overview, error) {
	setUp := s.SetUp()
	o := Overview{AsOf: asOf(setUp, s.Wall()), Figures: s.Figures()}
	start := record.Date(setUp.Deployment.GetStartOn())
	if start.Valid() {
		o.ServiceDays = tally.ServiceDays(start, o.AsOf)
	}
	var teams []hlc.ID
	if !q.Whole {
		if teams = q.Teams; len(teams) == 0 {
			return Overview{}, problem.New(problem.NotFound)
		}
	}
	err := s.Store.Look(ctx, func(tx Reading) (err error) {
		if o.Completeness, err = s.CompletenessIn(tx, q.HeardSince, teams); err != nil {
			return err
		}
		if o.AsOf, err = lastDay(tx, o.AsOf); err != nil {
			return err
		}
		if q.Whole {
			return o.ofAll(tx, setUp, q, start)
		}
		return o.ofTeams(tx, setUp, teams)
	})
	return o, err
}

func (o *Overview) ofAll(tx Reading, setUp *syncing.SetUp, q OverviewQuery, start record.Date) error {
	var sites, whole []Row
	for _, part := range []struct {
		by   tally.Dimension
		rows *[]Row
	}{{tally.Whole, &whole}, {tally.Day, &o.Days}, {tally.Site, &sites}, {tally.Team, &o.Teams}, {tally.ServiceArea, &o.ServiceAreas}, {tally.Sex, &o.Sexes}, {tally.AgeBand, &o.AgeBands}} {
		var err error
		if *part.rows, err = o.rows(tx, setUp, TotalsQuery{By: part.by}, 0); err != nil {
			return err
		}
	}
	o.Whole = whole[0]
	o.Days = everyDay(o.Days, start, o.AsOf)
	for _, r := range sites {
		o.Sites = append(o.Sites, siteRow(setUp, r))
	}
	return o.byPlace(tx, setUp, TotalsQuery{By: tally.Place, Below: q.Below, Level: q.Level})
}

// rows are the totals of one dimension; of places those of a length below a code.
func (o *Overview) rows(tx Reading, setUp *syncing.SetUp, q TotalsQuery, digits int) ([]Row, error) {
	q.Bases = bases
	wanted := slices.DeleteFunc(slices.Clone(o.Figures), func(f Figure) bool { return f.OnCalendar() || peopleOnly(q.By) && !f.People })
	values := newTable(setUp, q.By)
	if err := q.read(tx, wanted, digits, values); err != nil {
		return nil, err
	}
	rows, _ := values.rows(setUp, q.By)
	return rows, nil
}

// byPlace divides by the places of a level.
func (o *Overview) byPlace(tx Reading, setUp *syncing.SetUp, q TotalsQuery) error {
	if q.Below == "" && q.Level == "" {
		q.Level = "town"
	}
	digits, err := q.digits()
	if err != nil {
		return err // there is no such level below
	}
	o.Level, o.Path = levelOf(digits), places.Path(q.Below)
	o.Places, err = o.rows(tx, setUp, q, digits)
	return err
}

func levelOf(digits int) string {
	i := slices.IndexFunc(Levels, func(l struct {
		Name   string
		Digits int
	}) bool {
		return l.Digits == digits
	})
	return Levels[i].Name
}

// everyDay fills in the days on which nothing counts.
func everyDay(rows []Row, start, end record.Date) []Row {
	first, valid := start, start.Valid()
	if len(rows) > 0 {
		if day, err := record.ParseDate(rows[0].Key); err == nil && (!valid || day < first) {
			first, valid = day, true
		}
	}
	if !valid || first > end {
		return rows
	}
	if first.DaysUntil(end) >= MaxDays {
		first = end.AddDays(1 - MaxDays)
	}
	byKey := map[string]Row{}
	for _, r := range rows {
		byKey[r.Key] = r
	}
	days := make([]Row, 0, first.DaysUntil(end)+1)
	for day := first; day <= end; day = day.AddDays(1) {
		key := day.String()
		r, ok := byKey[key]
		if !ok {
			r = Row{Key: key, Label: same(key)}
		}
		days = append(days, r)
	}
	return days
}

func siteRow(setUp *syncing.SetUp, r Row) SiteRow {
	row := SiteRow{Row: r}
	id, ok := idOfKey(r.Key)
	if !ok {
		return row
	}
	site := setUp.Sites[id]
	row.Latitude, row.Longitude, row.Planned = site.GetLatitudeE6(), site.GetLongitudeE6(), site.GetPlanned()
	if code := site.GetPlace().GetCode(); len(code) >= 6 {
		row.County = places.Name(code[:6])
	}
	return row
}

func (o *Overview) ofTeams(tx Reading, setUp *syncing.SetUp, teams []hlc.ID) error {
	if err := o.sumOfTeams(tx, setUp, teams); err != nil {
		return err
	}
	return o.ofWorkers(tx, setUp, teams)
}

// sumOfTeams sums some teams up. Numbers of things add up; persons are counted over all of the teams, so that somebody whom
// two teams met is one.
func (o *Overview) sumOfTeams(tx Reading, setUp *syncing.SetUp, teams []hlc.ID) error {
	rows, err := o.rows(tx, setUp, TotalsQuery{By: tally.Team}, 0)
	if err != nil {
		return err
	}
	sum := table{"": nil}
	keys := make([]string, 0, len(teams))
	for _, r := range rows {
		id, ok := idOfKey(r.Key)
		if !ok || !slices.Contains(teams, id) {
			continue
		}
		o.Teams, keys = append(o.Teams, r), append(keys, r.Key)
		for basis, values := range r.Values {
			for figure, n := range values {
				sum.set("", basis, figure, sum[""][basis][figure]+n)
			}
		}
	}
	if len(keys) == 0 {
		return problem.New(problem.NotFound)
	}
	for _, basis := range bases {
		if len(keys) == 1 {
			break // its persons are stored
		}
		persons, err := tx.DistinctTokens(basis, tally.Team, keys)
		if err != nil {
			return err
		}
		persons += sum[""][basis]["persons_by_number"]
		sum.set("", basis, "persons", persons)
		sum.set("", basis, Beneficiaries, persons)
	}
	whole, _ := sum.rows(setUp, tally.Whole)
	o.Whole = whole[0]
	return nil
}

// ofWorkers tells what those did who are in some teams now.
func (o *Overview) ofWorkers(tx Reading, setUp *syncing.SetUp, teams []hlc.ID) error {
	rows, err := o.rows(tx, setUp, TotalsQuery{By: tally.Worker}, 0)
	for _, r := range rows {
		if id, ok := idOfKey(r.Key); ok && slices.Contains(teams, teamOf(setUp, id).ID) {
			o.Workers = append(o.Workers, r)
		}
	}
	return err
}
