package webui

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func figuresRoutes(r *router) {
	r.page(pathIn+"/figures/:figure", access.SeeTotals, (*visit).figure)
	r.page(pathIn+"/figures/:figure/records", access.SeeTotals, (*visit).behindFigure)
}

// divisions are what figures are divided by, in the order in which pages offer it, and the names of their messages. Who sees
// some teams alone is offered teams and workers: of the rest nobody keeps which part is whose.
var divisions = []struct {
	by     tally.Dimension
	name   string
	shared bool // with who sees some teams
	people bool // only figures of people
}{
	{tally.Day, "by_day", false, false},
	{tally.Place, "by_place", false, false},
	{tally.Site, "by_site", false, false},
	{tally.Team, "by_team", true, false},
	{tally.Worker, "by_worker", true, false},
	{tally.ServiceArea, "by_service_area", false, false},
	{tally.Sex, "by_sex", false, true},
	{tally.AgeBand, "by_age_band", false, true},
	{tally.Disability, "by_disability", false, true},
}

// levels are the names of the messages for progress.Levels.
var levels = map[string]string{"province": "level_province", "city": "level_city", "county": "level_county", "town": "level_town", "village": "level_village"}

// figureBody is what the page of a figure shows.
type figureBody struct {
	Rule, AsOf string
	// Whole is the figure undivided; nil where the visitor sees some teams alone.
	Whole *figureRow
	// Verifies: both bases are told. On the calendar there is one number.
	Verifies         bool
	Divisions, Level []link
	Division         string
	Rows             []figureRow
	Truncated        bool
	// Adds says that rows do not add up to the whole.
	Adds string
}

// figureRow is how much a figure is under one key.
type figureRow struct {
	Label string
	// Into leads to the parts of a place; empty elsewhere.
	Into               string
	Reported, Verified link
}

// sight is which teams' totals the visitor sees: all, or some.
func (v *visit) sight() (whole bool, teams []hlc.ID) { return access.Teams(v.person, access.SeeTotals) }

// seesKey reports whether who sees some teams sees the totals under a key.
func (v *visit) seesKey(by tally.Dimension, key string) bool {
	whole, teams := v.sight()
	if whole {
		return true
	}
	id, err := uuid.Parse(key)
	if err != nil || by != tally.Team && by != tally.Worker {
		return false
	}
	if by == tally.Worker {
		id = v.within.Syncing.Person(id).Team
	}
	return id != access.Everyone && slices.Contains(teams, id)
}

// figureNamed is the figure that the address names; not found when there is none.
func (v *visit) figureNamed() (progress.Figure, error) {
	all := v.within.Progress.Figures()
	i := slices.IndexFunc(all, func(f progress.Figure) bool { return f.Name == v.Param("figure") })
	if i < 0 {
		return progress.Figure{}, problem.New(problem.NotFound)
	}
	return all[i], nil
}

var bothBases = []tally.Basis{tally.Reported, tally.Verified}

func (v *visit) toFigure(f progress.Figure, by, key, basis string) string {
	return v.toRecordsBehind(v.within.Syncing.Deployment(), f.Name, by, key, basis)
}

// toRecordsBehind leads to the records behind a figure of a deployment.
func (v *visit) toRecordsBehind(deployment hlc.ID, figure, by, key, basis string) string {
	query := url.Values{"by": {by}, "key": {key}, "basis": {basis}}
	return v.To(to(deployment, "figures", figure, "records") + "?" + query.Encode())
}

// figureRow is a row of totals; each number leads to the records behind it.
func (v *visit) figureRow(f progress.Figure, by tally.Dimension, row progress.Row) figureRow {
	number := func(basis tally.Basis) link {
		n := row.Values[basis][f.Name]
		l := link{Name: v.Number(n)}
		if n != 0 {
			l.To = v.toFigure(f, by.String(), row.Key, basis.String())
		}
		return l
	}
	return figureRow{Label: v.keyLabel(by, row), Reported: number(tally.Reported), Verified: number(tally.Verified)}
}

// keyLabel is what people call the key of a row.
func (v *visit) keyLabel(by tally.Dimension, row progress.Row) string {
	if by == tally.Day {
		if day, err := record.ParseDate(row.Key); err == nil && day.Valid() {
			return v.Date(day)
		}
	}
	if label := row.Label.In(v.Lang()); label != "" {
		return label
	}
	return v.T("not_known_here")
}

// figure shows a figure: its rule, how much it is, and how that is divided.
func (v *visit) figure() error {
	f, err := v.figureNamed()
	if err != nil {
		return err
	}
	whole, _ := v.sight()
	b := figureBody{Rule: f.Rule.In(v.Lang()), Verifies: !f.OnCalendar()}
	if whole {
		t, err := v.within.Progress.Totals(v.context(), progress.TotalsQuery{Bases: bothBases, Figures: []string{f.Name}, By: tally.Whole})
		if err != nil {
			return err
		}
		b.AsOf = v.T("as_of", v.Date(t.AsOf))
		row := v.figureRow(f, tally.Whole, t.Rows[0])
		if f.OnCalendar() {
			row.Reported = link{Name: v.Number(int64(t.ServiceDays))}
		}
		b.Whole = &row
	}
	if !f.OnCalendar() {
		if err := v.divide(f, &b); err != nil {
			return err
		}
	}
	return v.show("figure", &page{Title: f.Label.In(v.Lang()), Body: b})
}

// divide fills in how a figure is divided, by what the address asks for.
func (v *visit) divide(f progress.Figure, b *figureBody) error {
	whole, _ := v.sight()
	here := to(v.within.Syncing.Deployment(), "figures", f.Name)
	asked := v.QueryParam("by")
	var by tally.Dimension
	for _, d := range divisions {
		if !whole && !d.shared || d.people && !f.People {
			continue
		}
		if by == 0 && asked == "" || asked == d.by.String() {
			by, asked = d.by, d.by.String()
			b.Division = v.T(d.name)
		}
		b.Divisions = append(b.Divisions, link{To: v.To(here + "?by=" + d.by.String()), Name: v.T(d.name), Here: by == d.by})
	}
	if by == 0 {
		return problem.New(problem.NotFound)
	}
	q := progress.TotalsQuery{Bases: bothBases, Figures: []string{f.Name}, By: by}
	if by == tally.Place {
		q.Below = v.QueryParam("below")
		if q.Level = v.QueryParam("level"); q.Level == "" && q.Below == "" {
			q.Level = "town"
		}
		for _, l := range progress.Levels {
			if l.Digits > len(q.Below) {
				b.Level = append(b.Level, link{To: v.To(here + "?" + url.Values{"by": {asked}, "level": {l.Name}, "below": {q.Below}}.Encode()), Name: v.T(levels[l.Name]), Here: l.Name == q.Level})
			}
		}
	}
	t, err := v.within.Progress.Totals(v.context(), q)
	if err != nil {
		return err
	}
	b.AsOf, b.Truncated = v.T("as_of", v.Date(t.AsOf)), t.Truncated
	if distinct(f) {
		b.Adds = v.T("persons_do_not_add")
	}
	for _, one := range t.Rows {
		if !v.seesKey(by, one.Key) {
			continue
		}
		row := v.figureRow(f, by, one)
		if n := len(one.Key); by == tally.Place && n > 0 && n < 12 {
			row.Into = v.To(here + "?" + url.Values{"by": {asked}, "below": {one.Key}}.Encode())
		}
		b.Rows = append(b.Rows, row)
	}
	return nil
}

// distinct reports whether a figure is of distinct people, whom its parts can't be added up to.
func distinct(f progress.Figure) bool {
	return f.Name == tally.Persons.String() || f.Name == progress.Beneficiaries
}

// behindBody is what the page of the records behind a figure shows.
type behindBody struct {
	Rule, Cut, AsOf string
	// Bases lead from the records of one basis to those of the other, with how much each is.
	Bases []link
	Rows  []behindRow
	Adds  string
	Back  string
	Next  string
}

type behindRow struct {
	To, What, Day, Site, Team, By string
	Verified                      bool
	Amount                        string
}

const recordsOfPage = 50

// behindFigure lists the records behind a figure.
func (v *visit) behindFigure() error {
	f, err := v.figureNamed()
	if err != nil {
		return err
	}
	q := progress.BehindQuery{Figure: f.Name, Page: progress.Page[hlc.ID]{Limit: recordsOfPage, After: parsed(v.QueryParam("after"))}}
	if q.Basis, err = tally.ParseBasis(cmp.Or(v.QueryParam("basis"), tally.Reported.String())); err != nil {
		return problem.New(problem.NotFound)
	}
	if q.Cut.Dimension, err = tally.ParseDimension(cmp.Or(v.QueryParam("by"), tally.Whole.String())); err != nil || f.OnCalendar() {
		return problem.New(problem.NotFound)
	}
	if q.Cut.Key = v.QueryParam("key"); !v.seesKey(q.Cut.Dimension, q.Cut.Key) {
		return problem.New(problem.NotFound)
	}
	row, err := v.rowOf(f, q.Cut)
	if err != nil {
		return err
	}
	found, err := v.within.Progress.Behind(v.context(), q)
	if err != nil {
		return err
	}
	by := q.Cut.Dimension.String()
	b := behindBody{Rule: f.Rule.In(v.Lang()), Cut: v.keyLabel(q.Cut.Dimension, row), AsOf: v.T("as_of", v.Date(found.AsOf)),
		Back: v.To(to(v.within.Syncing.Deployment(), "figures", f.Name) + "?by=" + by)}
	if q.Cut.Dimension == tally.Whole {
		b.Back = v.To(to(v.within.Syncing.Deployment(), "figures", f.Name))
	}
	for _, basis := range bothBases {
		b.Bases = append(b.Bases, link{To: v.toFigure(f, by, q.Cut.Key, basis.String()), Name: v.Labelled(v.T("basis_"+basis.String()), v.Number(row.Values[basis][f.Name])), Here: basis == q.Basis})
	}
	if distinct(f) {
		b.Adds = v.T("people_in_several")
	}
	names, err := v.namesOf(found.Rows)
	if err != nil {
		return err
	}
	terms := v.terms()
	for _, part := range found.Rows {
		b.Rows = append(b.Rows, behindRow{To: v.To(v.toRecord(part.ID)), What: v.entryName(terms, casefile.Entry{Kind: part.Kind, Name: names[part.ID]}), Day: v.day(part.Day), Site: part.Site.Name, Team: part.Team.Name, By: part.Author.Name,
			Verified: part.Verified, Amount: v.Number(part.Amount)})
	}
	if found.Next != (hlc.ID{}) {
		query := url.Values{"by": {by}, "key": {q.Cut.Key}, "basis": {q.Basis.String()}, "after": {found.Next.String()}}
		b.Next = v.To(to(v.within.Syncing.Deployment(), "figures", f.Name, "records") + "?" + query.Encode())
	}
	return v.show("behind", &page{Title: f.Label.In(v.Lang()), Body: b})
}

// namesOf are what the records behind a figure are called.
func (v *visit) namesOf(parts []progress.Part) (map[hlc.ID]string, error) {
	ids := make([]hlc.ID, len(parts))
	for i, part := range parts {
		ids[i] = part.ID
	}
	giving, err := v.within.Progress.Giving(v.context(), ids)
	names := map[hlc.ID]string{}
	for _, g := range giving {
		names[g.ID] = g.Name
	}
	return names, err
}

// rowOf is the row of totals of a figure under a cut.
func (v *visit) rowOf(f progress.Figure, cut tally.Cut) (progress.Row, error) {
	q := progress.TotalsQuery{Bases: bothBases, Figures: []string{f.Name}, By: cut.Dimension}
	if cut.Dimension == tally.Place {
		i := slices.IndexFunc(progress.Levels, func(l struct {
			Name   string
			Digits int
		}) bool {
			return l.Digits == len(cut.Key)
		})
		if i < 0 {
			return progress.Row{}, problem.New(problem.NotFound)
		}
		q.Level = progress.Levels[i].Name
	}
	t, err := v.within.Progress.Totals(v.context(), q)
	if err != nil {
		return progress.Row{}, err
	}
	for _, row := range t.Rows {
		if row.Key == cut.Key {
			return row, nil
		}
	}
	return progress.Row{}, problem.New(problem.NotFound)
}

// day is a day as people read it; empty when unset.
func (w *wording) day(d record.Date) string {
	if !d.Valid() {
		return ""
	}
	return w.Date(d)
}
