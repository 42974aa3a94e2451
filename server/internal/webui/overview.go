package webui

import (
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"levee/server/internal/access"
	"levee/server/internal/charts"
	"levee/server/internal/progress"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func overviewRoutes(r *router) {
	r.page(pathIn, access.SeeSetUp, (*visit).overview)
	r.section(pathIn, "nav_overview", access.SeeSetUp)
	r.page(pathIn+"/charts/:chart", access.SeeTotals, (*visit).chart)
}

// overviewBody is what the first page of a deployment shows.
type overviewBody struct {
	Dates string
	// Shown is false for who sees no totals: administrators, and who is in no team.
	Shown        bool
	Cards        []figureCard
	Completeness []string
	// Lacks says what is not shown to who sees some teams alone; empty for others.
	Lacks string
	// Figures lead to the divisions of another figure.
	Figures []link
	// Divisions stand in rows: one, or two that are read together.
	Divisions [][]division
}

// figureCard is one figure, and the rule by which it is counted.
type figureCard struct {
	// Name is the figure's own, To the page of it alone.
	Name, To, Label, Rule, Reported string
	// Verified is empty for what is counted on the calendar.
	Verified string
}

// division is how a figure is divided: an image, and the table that it was drawn from.
type division struct {
	ID, Title string
	// Columns are what the numbers of each row are.
	Columns []string
	Rows    []divisionRow
	// Path leads to the place that is divided and those around it, Levels to its parts on other levels; empty where no place is.
	Path, Levels []link
	// Image is where the image is, ImageNarrow the one for phones; empty when there is nothing to draw.
	Image, ImageNarrow string
	// Missing are the rows that are not in the image, as sites without coordinates.
	Missing []string
	draw    func(charts.Style) ([]byte, error)
}

// divisionRow is a row of a division's table.
type divisionRow struct {
	Label string
	// Into leads to the parts of a place; empty elsewhere.
	Into string
	// Numbers lead to the records behind them, but for those that are 0.
	Numbers []link
}

// overview is the first page of a deployment: what was done, how complete that is, and where and when.
func (v *visit) overview() error {
	d := v.within.Syncing.SetUp().Deployment
	body := overviewBody{Dates: v.dates(d)}
	g, ok, err := v.glance(0)
	if err != nil {
		return err
	}
	if ok {
		f, err := v.dividedFigure(&g.overview)
		if err != nil {
			return err
		}
		body.Shown = true
		if body.Completeness, err = v.completeness(&g.overview); err != nil {
			return err
		}
		body.Cards, body.Figures = v.figureCards(&g.overview), v.dividedFigures(&g.overview, f)
		if !g.of.whole {
			body.Lacks = v.T("overview_lacks")
		}
		body.Divisions = rowsOfDivisions(v.divisions(g, f))
	}
	return v.show("overview", &page{Title: d.GetName(), Body: body})
}

func (v *visit) figureCards(o *progress.Overview) []figureCard {
	cards := make([]figureCard, 0, len(o.Figures))
	for _, f := range o.Figures {
		card := figureCard{Name: f.Name, To: v.To(to(v.within.Syncing.Deployment(), "figures", f.Name)), Label: f.Label.In(v.Lang()), Rule: f.Rule.In(v.Lang())}
		if f.OnCalendar() {
			card.Reported = v.Number(int64(o.ServiceDays))
		} else {
			card.Reported = v.Number(o.Whole.Values[tally.Reported][f.Name])
			card.Verified = v.Number(o.Whole.Values[tally.Verified][f.Name])
		}
		cards = append(cards, card)
	}
	return cards
}

// completeness are sentences about how much of what was done the figures can know.
func (v *visit) completeness(o *progress.Overview) ([]string, error) {
	all := v.completenessOf(o.AsOf, &o.Completeness)
	sorting, err := v.sorting()
	if sorting > 0 {
		all = append(all, v.N("overview_sorting", sorting))
	}
	return all, err
}

// completenessOf says how complete figures as of a day are.
func (v *visit) completenessOf(asOf record.Date, c *progress.Completeness) []string {
	return []string{
		v.T("overview_as_of", v.Date(asOf)),
		v.T("overview_heard", c.HeardFrom, c.Enrolled-c.Revoked, v.Time(c.Since)),
		v.N("overview_outstanding", c.Outstanding),
		v.T("overview_waiting", c.Held, c.Conflicts),
	}
}

// divided is the figure that is divided unless the address asks for another.
const divided = "contacts"

// dividedFigure is the figure that the address asks to have divided; not found when it can't be.
func (v *visit) dividedFigure(o *progress.Overview) (progress.Figure, error) {
	asked := v.QueryParam("figure")
	if asked == "" {
		asked = divided
	}
	i := slices.IndexFunc(o.Figures, func(f progress.Figure) bool { return f.Name == asked && dividable(f) })
	if i < 0 {
		return progress.Figure{}, problem.New(problem.NotFound)
	}
	return o.Figures[i], nil
}

// dividable reports whether a figure is offered to be divided: not what is a part of persons, or persons by another name.
func dividable(f progress.Figure) bool {
	return slices.Contains([]string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts", "persons"}, f.Name)
}

// dividedFigures lead to the same page with another figure divided.
func (v *visit) dividedFigures(o *progress.Overview, chosen progress.Figure) (all []link) {
	for _, f := range o.Figures {
		if dividable(f) {
			all = append(all, link{To: v.overviewOf(f.Name, v.QueryParam("below"), v.QueryParam("level")), Name: f.Label.In(v.Lang()), Here: f.Name == chosen.Name})
		}
	}
	return all
}

// overviewOf is the address of the overview with a figure divided, and the parts of a place on a level; empty for those that
// are shown anyway.
func (v *visit) overviewOf(figure, below, level string) string {
	query := url.Values{}
	for name, value := range map[string]string{"figure": figure, "below": below, "level": level} {
		if value != "" && value != divided {
			query.Set(name, value)
		}
	}
	address := to(v.within.Syncing.Deployment())
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return v.To(address)
}

// divisions divide a figure in every way that is kept. Of what is no figure of people nobody knows sex and age.
func (v *visit) divisions(g glance, f progress.Figure) []division {
	o := &g.overview
	d := divider{visit: v, figure: f, label: f.Label.In(v.Lang()), at: g.position(), below: g.of.below, level: g.of.level}
	d.add(tally.Day, o.Days, charts.Days)
	d.addPlaces(o)
	d.addSites(o.Sites)
	d.add(tally.Team, o.Teams, charts.Bars)
	d.add(tally.Worker, o.Workers, charts.Bars)
	d.add(tally.ServiceArea, o.ServiceAreas, charts.Bars)
	if f.People {
		d.add(tally.Sex, o.Sexes, charts.Bars)
		d.add(tally.AgeBand, o.AgeBands, charts.Bars)
	}
	return d.all
}

// rowsOfDivisions puts sex and age beside each other: nothing is kept of both together.
func rowsOfDivisions(all []division) (rows [][]division) {
	for _, d := range all {
		if n := len(rows); d.ID == tally.AgeBand.String() && n > 0 && rows[n-1][0].ID == tally.Sex.String() {
			rows[n-1][0].Image, d.Image = rows[n-1][0].ImageNarrow, d.ImageNarrow // each has half the width
			rows[n-1] = append(rows[n-1], d)
			continue
		}
		rows = append(rows, []division{d})
	}
	return rows
}

// divider makes the divisions of one figure.
type divider struct {
	*visit
	figure progress.Figure
	label  string
	// at, below and level are what images are asked for with, so that they show what the tables say.
	at, below, level string
	all              []division
}

// divisionTitles are the names of the messages that are above divisions.
var divisionTitles = map[tally.Dimension]string{tally.Day: "overview_by_day", tally.Place: "overview_by_place", tally.Site: "overview_by_site", tally.Team: "overview_by_team",
	tally.Worker: "overview_by_worker", tally.ServiceArea: "overview_by_service_area", tally.Sex: "overview_by_sex", tally.AgeBand: "overview_by_age_band"}

// add adds a division; nil when it has no rows.
func (d *divider) add(by tally.Dimension, rows []progress.Row, draw func(charts.Table, charts.Style) ([]byte, error)) *division {
	if len(rows) == 0 {
		return nil
	}
	t := charts.Table{Title: capital(d.T(divisionTitles[by], d.label)), Columns: []string{d.T("basis_reported"), d.T("basis_verified")}, Rest: d.T("overview_rest")}
	one := division{ID: by.String(), Title: t.Title, Columns: t.Columns}
	for _, r := range rows {
		row := charts.Row{Label: r.Label.In(d.Lang())}
		if day, err := record.ParseDate(r.Key); by == tally.Day && err == nil {
			row.Label, row.Short = d.Date(day), day.Start(time.UTC).Format(d.Either("2 Jan", "1月2日"))
		}
		told := divisionRow{Label: row.Label}
		for _, basis := range bothBases {
			n := r.Values[basis][d.figure.Name]
			number := link{Name: d.Number(n)}
			if n != 0 && (r.Key != "" || by != tally.Place) { // what says no place is below none
				number.To = d.toFigure(d.figure, by.String(), r.Key, basis.String())
			}
			row.Values, told.Numbers = append(row.Values, n), append(told.Numbers, number)
		}
		t.Rows, one.Rows = append(t.Rows, row), append(one.Rows, told)
	}
	one.draw = func(s charts.Style) ([]byte, error) { return draw(t, s) }
	query := url.Values{"at": {d.at}, "figure": {d.figure.Name}}
	if d.below != "" || d.level != "" {
		query["below"], query["level"] = []string{d.below}, []string{d.level}
	}
	image := to(d.within.Syncing.Deployment(), "charts", one.ID) + "?"
	one.Image = d.To(image + query.Encode())
	query.Set("narrow", "1")
	one.ImageNarrow = d.To(image + query.Encode())
	d.all = append(d.all, one)
	return &d.all[len(d.all)-1]
}

// capital is a text that begins with a capital letter, where its writing has any.
func capital(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}

// villageDigits is how long the codes are that have no parts.
const villageDigits = 12

// addPlaces divides by places, with the ways down into each and up again.
func (d *divider) addPlaces(o *progress.Overview) {
	one := d.add(tally.Place, o.Places, charts.Bars)
	if one == nil {
		return
	}
	for i, r := range o.Places {
		if r.Key != "" && len(r.Key) < villageDigits {
			one.Rows[i].Into = d.overviewOf(d.figure.Name, r.Key, "")
		}
	}
	if d.below != "" {
		one.Path = []link{{To: d.overviewOf(d.figure.Name, "", ""), Name: d.T("overview_everywhere")}}
	}
	for _, p := range o.Path {
		one.Path = append(one.Path, link{To: d.overviewOf(d.figure.Name, p.Code, ""), Name: p.Name, Here: p.Code == d.below})
	}
	for _, l := range progress.Levels {
		if l.Digits > len(d.below) {
			one.Levels = append(one.Levels, link{To: d.overviewOf(d.figure.Name, d.below, l.Name), Name: d.T(levels[l.Name]), Here: l.Name == o.Level})
		}
	}
}

// addSites divides by sites, which a map shows.
func (d *divider) addSites(sites []progress.SiteRow) {
	var rows []progress.Row
	var at []charts.Position
	var missing []string
	for _, site := range sites {
		rows = append(rows, site.Row)
		p := charts.Position{Latitude: site.Latitude, Longitude: site.Longitude, Area: site.County}
		if p.Latitude == 0 && p.Longitude == 0 {
			missing = append(missing, site.Label.In(d.Lang()))
		}
		at = append(at, p)
	}
	one := d.add(tally.Site, rows, func(t charts.Table, s charts.Style) ([]byte, error) { return charts.Map(t, at, s), nil })
	if one == nil {
		return
	}
	if one.Missing = missing; len(missing) == len(sites) {
		one.Image = "" // none is on the map
	}
}

// position is where the log stood, as images are asked for.
func (g *glance) position() string {
	return strconv.FormatUint(g.overview.Completeness.Position, 10)
}
