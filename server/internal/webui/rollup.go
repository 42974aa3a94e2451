package webui

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"levee/server/internal/access"
	"levee/server/internal/places"
	"levee/server/internal/progress"
	"levee/server/internal/rollup"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/tally"
)

const pathRollUp = "/rollup"

// rollUpRoutes are those of figures over several deployments.
func rollUpRoutes(r *router) {
	r.page(pathRollUp, access.OwnAccount, (*visit).rollUp)
}

// rollUpFigures are those that are told of several deployments together, in the order of the columns.
var rollUpFigures = []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts", "persons"}

// rollUpBody is what the page of several deployments shows.
type rollUpBody struct {
	// Path leads to the place that is told of and those around it, Levels to its parts on other levels, Bases to the other basis.
	Path, Levels, Bases []link
	// Rules say how persons were counted, and Moving that records came in meanwhile; empty when none did.
	Rules  []string
	Moving string
	// Heads are what the cells of all tables are, and Level is what the rows of Places are.
	Heads     []string
	Level     string
	Whole     rollUpRow
	Places    []rollUpRow
	Truncated bool
	// Stations are the sites and qualified workers of the places that have any, under StationHeads.
	StationHeads []string
	Stations     []rollUpRow
	Targets      []rollUpTarget
	Deployments  []rollUpRow
	Completeness []rollUpStanding
}

// rollUpRow is a row of figures. To leads to the parts of a place, or to a deployment; empty where there is nothing to lead to.
type rollUpRow struct {
	Name, To string
	Cells    []rollUpCell
	// Persons says by which rule persons were counted; empty where there are none.
	Persons string
}

// rollUpCell is one number: it leads to the records behind it where they are those of one deployment.
type rollUpCell struct {
	Head string
	link
	None bool
}

// rollUpTarget is what a deployment expects of a place by a day.
type rollUpTarget struct {
	Place, Deployment, Due string
	aim
	// State says that it was not reached in time; empty while there is time, and once it is reached.
	State string
}

// rollUpStanding says how complete the figures of a deployment are.
type rollUpStanding struct {
	Name  string
	Lines []string
}

// rollUp tells the figures of several deployments together, by place.
func (v *visit) rollUp() error {
	members := v.Deployments.Together(v.personIn)
	if len(members) == 0 {
		return problem.New(problem.NotFound)
	}
	basis, err := tally.ParseBasis(cmp.Or(v.QueryParam("basis"), tally.Reported.String()))
	if err != nil {
		return problem.New(problem.NotFound)
	}
	q := rollup.Query{Level: v.QueryParam("level"), Below: v.QueryParam("below")}
	r, err := rollup.Of(v.context(), members, q)
	if err != nil {
		return err
	}
	if zone := members[0].Syncing.SetUp().Location; zone != nil {
		v.zone = zone
	}
	return v.show("rollup", &page{Title: v.T("title_rollup"), Body: v.rollUpBody(r, q, basis)})
}

func (v *visit) rollUpBody(r *rollup.RollUp, q rollup.Query, basis tally.Basis) rollUpBody {
	b := rollUpBody{Rules: v.rollUpRules(r), Truncated: r.Truncated}
	if r.Moving {
		b.Moving = v.T("rollup_moving")
	}
	for _, name := range rollUpFigures {
		i := slices.IndexFunc(r.Figures, func(f progress.Figure) bool { return f.Name == name })
		b.Heads = append(b.Heads, r.Figures[i].Label.In(v.Lang()))
	}
	b.Path = []link{{To: v.toRollUp("", "", basis), Name: v.T("overview_everywhere"), Here: q.Below == ""}}
	for _, p := range places.Path(q.Below) {
		b.Path = append(b.Path, link{To: v.toRollUp("", p.Code, basis), Name: p.Name, Here: p.Code == q.Below})
	}
	for _, l := range progress.Levels {
		if l.Digits <= len(q.Below) {
			continue
		}
		here := q.Level == l.Name || q.Level == "" && b.Levels == nil
		if here {
			b.Level = v.T(levels[l.Name])
		}
		b.Levels = append(b.Levels, link{To: v.toRollUp(l.Name, q.Below, basis), Name: v.T(levels[l.Name]), Here: here})
	}
	for _, one := range bothBases {
		b.Bases = append(b.Bases, link{To: v.toRollUp(q.Level, q.Below, one), Name: v.T(basisNames[one]), Here: one == basis})
	}
	b.Whole = v.rollUpRow(r.Whole, b.Heads, basis)
	for _, row := range r.Rows {
		shown := v.rollUpRow(row, b.Heads, basis)
		if len(row.Key) < villageDigits {
			shown.To = v.toRollUp("", row.Key, basis)
		}
		b.Places = append(b.Places, shown)
	}
	b.StationHeads = []string{v.T("figure_sites_active"), v.T("figure_sites_planned"), v.T("figure_workers_qualified")}
	for i, row := range append(slices.Clip(r.Rows), r.Whole) {
		if row.Stations == (rollup.Stations{}) {
			continue
		}
		shown := rollUpRow{Name: row.Label.In(v.Lang())}
		if i < len(b.Places) {
			shown.To = b.Places[i].To
		}
		for column, n := range []int64{row.Stations.Active, row.Stations.Planned, row.Stations.Qualified} {
			shown.Cells = append(shown.Cells, rollUpCell{Head: b.StationHeads[column], link: link{Name: v.Number(n)}, None: n == 0})
		}
		b.Stations = append(b.Stations, shown)
	}
	names := namesOf(r)
	for _, t := range r.Targets {
		b.Targets = append(b.Targets, v.rollUpTarget(t, names[t.Deployment]))
	}
	for _, d := range r.Deployments {
		b.Deployments = append(b.Deployments, v.rollUpPart(r.Whole, d, b.Heads, basis))
		b.Completeness = append(b.Completeness, rollUpStanding{d.Name, v.completenessOf(d.AsOf, &d.Completeness)})
	}
	return b
}

func (v *visit) toRollUp(level, below string, basis tally.Basis) string {
	query := url.Values{"basis": {basis.String()}}
	for name, value := range map[string]string{"level": level, "below": below} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return v.To(pathRollUp + "?" + query.Encode())
}

// rollUpRules say among which deployments persons count once, and between which somebody may count more than once.
func (v *visit) rollUpRules(r *rollup.RollUp) (rules []string) {
	names := namesOf(r)
	var divisions []string
	for _, division := range r.Linked {
		var linked []string
		for _, id := range division {
			linked = append(linked, names[id])
		}
		if divisions = append(divisions, strings.Join(linked, v.T("rollup_and"))); len(linked) > 1 {
			rules = append(rules, v.T("rollup_once", v.List(linked)))
		}
	}
	if len(divisions) > 1 {
		rules = append(rules, v.T("rollup_added", v.List(divisions)))
	}
	return append(rules, v.T("rollup_by_number"))
}

// basisNames are the names of the messages for bases.
var basisNames = map[tally.Basis]string{tally.Reported: "basis_reported", tally.Verified: "basis_verified"}

func namesOf(r *rollup.RollUp) map[hlc.ID]string {
	names := map[hlc.ID]string{}
	for _, d := range r.Deployments {
		names[d.ID] = d.Name
	}
	return names
}

// stationFigures are the names of the messages for figures of stations.
var stationFigures = map[string]string{rollup.SitesPlanned: "figure_sites_planned", rollup.SitesActive: "figure_sites_active", rollup.WorkersQualified: "figure_workers_qualified"}

// rollUpTarget is a target beside what was done.
func (v *visit) rollUpTarget(t rollup.Target, deployment string) rollUpTarget {
	shown := rollUpTarget{Place: t.Label.In(v.Lang()), Deployment: deployment, Due: v.day(t.Due),
		aim: aim{Name: v.placeFigure(t.Figure), Words: v.T("aim_done", t.Done, t.Expected, t.Done*100/max(t.Expected, 1)), Done: min(t.Done, t.Expected), Expected: t.Expected}}
	switch {
	case t.Done >= t.Expected:
		shown.Reached = v.T("target_reached")
	case t.Passed:
		shown.State = v.T("target_late")
	}
	return shown
}

// placeFigure is what a figure for which a place has a target is called.
func (v *visit) placeFigure(name string) string {
	if message, ok := stationFigures[name]; ok {
		return v.T(message)
	}
	f, _ := progress.FigureNamed(name)
	return f.Label.In(v.Lang())
}

// personRules are the names of the messages for the rules.
var personRules = map[rollup.Rule]string{rollup.Alone: "rollup_rule_alone", rollup.Once: "rollup_rule_once", rollup.Added: "rollup_rule_added"}

// rollUpRow is a row of several deployments.
func (v *visit) rollUpRow(row rollup.Row, heads []string, basis tally.Basis) rollUpRow {
	shown := rollUpRow{Name: row.Label.In(v.Lang())}
	if row.Values[basis][tally.Persons.String()] > 0 {
		shown.Persons = v.T(personRules[row.Persons])
	}
	for i, figure := range rollUpFigures {
		n := row.Values[basis][figure]
		c := rollUpCell{Head: heads[i], link: link{Name: v.Number(n)}, None: n == 0}
		if of, ok := onlyOne(row.Parts, figure, basis); ok {
			c.To = v.toRecordsAt(of, figure, row.Key, basis)
		}
		shown.Cells = append(shown.Cells, c)
	}
	return shown
}

// onlyOne is the deployment that alone gives a figure; false when none does, or several.
func onlyOne(parts []rollup.Part, figure string, basis tally.Basis) (of hlc.ID, ok bool) {
	for _, p := range parts {
		if p.Values[basis][figure] == 0 {
			continue
		}
		if ok {
			return of, false
		}
		of, ok = p.Deployment, true
	}
	return of, ok
}

// rollUpPart is what one deployment gives to the whole.
func (v *visit) rollUpPart(whole rollup.Row, d rollup.Standing, heads []string, basis tally.Basis) rollUpRow {
	one := rollup.Row{Key: whole.Key}
	for _, p := range whole.Parts {
		if p.Deployment == d.ID {
			one.Values, one.Parts = p.Values, []rollup.Part{p}
		}
	}
	shown := v.rollUpRow(one, heads, basis)
	shown.Name, shown.To = d.Name, v.To(to(d.ID))
	return shown
}

// toRecordsAt leads to the records behind a figure of a deployment at a place, or everywhere.
func (v *visit) toRecordsAt(deployment hlc.ID, figure, place string, basis tally.Basis) string {
	by := tally.Place
	if place == "" {
		by = tally.Whole
	}
	return v.toRecordsBehind(deployment, figure, by.String(), place, basis.String())
}
