// Package rollup tells the figures of several deployments of one server together, by place: what a city sees of its stations. It
// adds up what package progress has of each, and counts persons anew where deployments can tell that somebody is in several of
// them. It declares the Store that it needs.
package rollup

import (
	"context"
	"maps"
	"slices"
	"strings"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Store keeps one deployment.
type Store interface {
	// TokensOf are the tokens after one that are met within a cut, ascending; nil asks for the first ones. Each call sees a
	// state of its own.
	TokensOf(ctx context.Context, basis tally.Basis, cut tally.Cut, after *tally.Token, limit int) ([]tally.Token, error)
}

// Member is a deployment that is told of together with others.
type Member struct {
	Syncing  *syncing.Service
	Progress *progress.Service
	Store    Store
}

// ID is that of the deployment.
func (m *Member) ID() hlc.ID { return m.Syncing.Deployment() }

// Query says which places are wanted.
type Query struct {
	// Level is the name of one of progress.Levels, and Below the code of a place, or empty. Without a level it is the one right
	// below Below, or the province.
	Level, Below string
}

// RollUp is the answer. All that has come counts, up to each deployment's last day on which something counts.
type RollUp struct {
	// Figures are those that rows hold, in the common words: deployments may have words of their own.
	Figures []progress.Figure
	// Deployments are those that are told of, in the order in which they were given.
	Deployments []Standing
	// Linked divides them into those that share a linkage key: among them a person who is registered in several counts once.
	Linked [][]hlc.ID
	// Whole is all of Below, or all there is, with what has no place.
	Whole Row
	// Rows are the places of the level, by their codes. Truncated says that there are more than progress.MaxRows.
	Rows      []Row
	Truncated bool
	// Targets are those for places within Below, by deployment.
	Targets []Target
	// Moving says that records came in while it was counted, each time that this was tried: then persons may lack some of those
	// who came meanwhile.
	Moving bool
}

// Standing is how far a deployment is told of.
type Standing struct {
	ID   hlc.ID
	Name string
	// AsOf is the last day that counts.
	AsOf         record.Date
	Completeness progress.Completeness
}

// Row is the figures of one place.
type Row struct {
	// Key is the code of the place; empty for all there is.
	Key    string
	Label  progress.Text
	Values Values
	// Persons is how the persons in it were counted.
	Persons  Rule
	Stations Stations
	// Parts are what the deployments give, in their order; who gives nothing has none.
	Parts []Part
}

// Part is what one deployment gives to a row.
type Part struct {
	Deployment hlc.ID
	Values     Values
	Stations   Stations
}

// Values are figures by their names.
type Values map[tally.Basis]map[string]int64

// Rule is how persons of several deployments are counted together. Those known by number only are added up by any rule.
type Rule string

// The rules.
const (
	// Alone: all persons are of one deployment, or there are none.
	Alone Rule = "alone"
	// Once: all deployments with persons share a linkage key, so that who is registered in several counts once.
	Once Rule = "once"
	// Added: persons of deployments that share no linkage key are added up, so that somebody may count once in each.
	Added Rule = "added"
)

var bases = []tally.Basis{tally.Reported, tally.Verified}

// attempts is how often is counted while records come in.
const attempts = 3

// Of tells of some deployments together. Problem invalid_argument when there are no such places.
func Of(ctx context.Context, members []Member, q Query) (*RollUp, error) {
	whole, err := q.whole()
	if err != nil {
		return nil, err
	}
	digits, err := q.digits()
	if err != nil {
		return nil, err
	}
	c := counting{members: members, digits: digits, whole: whole, parts: progress.TotalsQuery{Bases: bases, By: tally.Place, Level: q.Level, Below: q.Below}}
	if err := c.divide(ctx); err != nil {
		return nil, err
	}
	var r *RollUp
	for range attempts {
		if r, err = c.rollUp(ctx, q.Below); err != nil || !r.Moving {
			break
		}
	}
	return r, err
}

// whole asks for the place whose parts are wanted, or for all there is.
func (q *Query) whole() (progress.TotalsQuery, error) {
	whole := progress.TotalsQuery{Bases: bases, By: tally.Whole}
	if q.Below == "" {
		return whole, nil
	}
	around := ""
	for _, l := range progress.Levels {
		if l.Digits == len(q.Below) && strings.Trim(q.Below, "0123456789") == "" {
			whole.By, whole.Level, whole.Below = tally.Place, l.Name, around
			return whole, nil
		}
		around = q.Below[:min(l.Digits, len(q.Below))]
	}
	return whole, problem.Newf(problem.InvalidArgument, "below: there is no place %q", q.Below)
}

// digits is how long the codes of the places of the level are.
func (q *Query) digits() (int, error) {
	for _, l := range progress.Levels {
		if l.Digits > len(q.Below) && (q.Level == "" || q.Level == l.Name) {
			return l.Digits, nil
		}
	}
	return 0, problem.Newf(problem.InvalidArgument, "level: there is no %q below %q", q.Level, q.Below)
}

// within reports whether a place is one, or in it; all are in the empty code.
func within(code, place string) bool { return strings.HasPrefix(code, place) }

// counting is one roll-up under way.
type counting struct {
	members []Member
	linked  [][]hlc.ID
	// digits is how long the codes of the places are that are told of.
	digits       int
	whole, parts progress.TotalsQuery
}

// divide finds out which deployments share a linkage key.
func (c *counting) divide(ctx context.Context) error {
	services := make([]*syncing.Service, len(c.members))
	for i, m := range c.members {
		services[i] = m.Syncing
	}
	divided, err := syncing.Linked(ctx, services)
	for _, division := range divided {
		ids := make([]hlc.ID, len(division))
		for i, s := range division {
			ids[i] = s.Deployment()
		}
		c.linked = append(c.linked, ids)
	}
	return err
}

// rollUp counts once.
func (c *counting) rollUp(ctx context.Context, below string) (*RollUp, error) {
	r := &RollUp{Linked: c.linked, Whole: Row{Key: below}}
	rows, end := map[string]*Row{}, ""
	row := func(key string) *Row {
		if rows[key] == nil {
			rows[key] = &Row{Key: key}
		}
		return rows[key]
	}
	for i := range c.members {
		m := &c.members[i]
		whole, err := m.Progress.Totals(ctx, c.whole)
		if err != nil {
			return nil, err
		}
		places, err := m.Progress.Totals(ctx, c.parts)
		if err != nil {
			return nil, err
		}
		r.Deployments = append(r.Deployments, Standing{ID: m.ID(), Name: m.Syncing.SetUp().Deployment.GetName(), AsOf: whole.AsOf, Completeness: whole.Completeness})
		r.Moving = r.Moving || whole.Completeness.Position != places.Completeness.Position
		r.Figures = common(places.Figures)
		for _, one := range whole.Rows {
			if one.Key == below {
				r.Whole.give(m.ID(), one.Values)
			}
		}
		for _, one := range places.Rows {
			row(one.Key).give(m.ID(), one.Values)
		}
		at := map[string]Stations{}
		err = m.stations(ctx, func(code string, s Stations) {
			sum := at[code]
			sum.add(s)
			at[code] = sum
			if !within(code, below) {
				return
			}
			r.Whole.part(m.ID()).Stations.add(s)
			if len(code) >= c.digits {
				row(code[:c.digits]).part(m.ID()).Stations.add(s)
			}
		})
		if err != nil {
			return nil, err
		}
		targets, err := c.targets(ctx, m, below, at)
		if err != nil {
			return nil, err
		}
		r.Targets = append(r.Targets, targets...)
		if places.Truncated { // the others know of places of which this one does not tell
			if last := places.Rows[len(places.Rows)-1].Key; end == "" || last < end {
				end = last
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if r.Truncated = len(r.Rows) == progress.MaxRows || end != "" && key > end; r.Truncated {
			break
		}
		r.Rows = append(r.Rows, *rows[key])
	}
	r.Truncated = r.Truncated || end != ""
	if err := c.sum(ctx, &r.Whole, tally.Cut{Dimension: c.whole.By, Key: below}); err != nil {
		return nil, err
	}
	for i := range r.Rows {
		if err := c.sum(ctx, &r.Rows[i], tally.Cut{Dimension: tally.Place, Key: r.Rows[i].Key}); err != nil {
			return nil, err
		}
	}
	return r, c.look(ctx, r)
}

// look finds out whether the deployments still are as they were told of.
func (c *counting) look(ctx context.Context, r *RollUp) error {
	for i, m := range c.members {
		now, err := m.Progress.Version(ctx)
		if err != nil {
			return err
		}
		r.Moving = r.Moving || now.Position != r.Deployments[i].Completeness.Position
	}
	return nil
}

// common are the figures that rows hold, in the common words.
func common(of []progress.Figure) (figures []progress.Figure) {
	for _, f := range of {
		if one, ok := progress.FigureNamed(f.Name); ok {
			figures = append(figures, one)
		}
	}
	return figures
}

// give adds the part of one deployment, if there is anything in it.
func (r *Row) give(deployment hlc.ID, values Values) {
	for _, figures := range values {
		for _, n := range figures {
			if n != 0 {
				r.part(deployment).Values = values
				return
			}
		}
	}
}

// part is the part of the deployment that is told of now.
func (r *Row) part(deployment hlc.ID) *Part {
	if n := len(r.Parts); n == 0 || r.Parts[n-1].Deployment != deployment {
		r.Parts = append(r.Parts, Part{Deployment: deployment})
	}
	return &r.Parts[len(r.Parts)-1]
}

// placeLabel is what a place is called, whatever sites are called there.
func placeLabel(code string) progress.Text {
	return progress.LabelOf(&syncing.SetUp{}, tally.Place, code)
}

// sum fills in the sums of a row's parts, and what its place is called.
func (c *counting) sum(ctx context.Context, r *Row, cut tally.Cut) error {
	r.Label, r.Values, r.Persons = progress.LabelOf(&syncing.SetUp{}, cut.Dimension, cut.Key), Values{}, c.rule(r)
	for _, p := range r.Parts {
		r.Stations.add(p.Stations)
	}
	for _, basis := range bases {
		r.Values[basis] = map[string]int64{}
		for _, p := range r.Parts {
			for figure, n := range p.Values[basis] {
				if !distinct(figure) {
					r.Values[basis][figure] += n
				}
			}
		}
		n, err := c.persons(ctx, r, basis, cut)
		if err != nil {
			return err
		}
		r.Values[basis][tally.Persons.String()], r.Values[basis][progress.Beneficiaries] = n, n
	}
	return nil
}

// distinct reports whether a figure is of distinct people, whom parts can't be added up to.
func distinct(figure string) bool {
	return figure == tally.Persons.String() || figure == progress.Beneficiaries
}
