package rollup

import (
	"context"
	"slices"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Names of the figures of stations, for targets.
const (
	SitesPlanned     = "sites_planned"
	SitesActive      = "sites_active"
	WorkersQualified = "workers_qualified"
)

// StationFigures are all of them.
var StationFigures = []string{SitesPlanned, SitesActive, WorkersQualified}

// Stations are the sites at a place and those who work there. They are of one deployment each, so that they add up: who works in two
// deployments counts in both.
type Stations struct {
	// Active are sites at which anything was done, as reported. Planned are those that were chosen and are not yet open.
	Planned, Active int64
	// Qualified are workers of teams there who have a qualification as a social worker, and are there on the last day that counts.
	Qualified int64
}

// Of is one of StationFigures; 0 for another.
func (s Stations) Of(figure string) int64 {
	switch figure {
	case SitesPlanned:
		return s.Planned
	case SitesActive:
		return s.Active
	case WorkersQualified:
		return s.Qualified
	default:
		return 0
	}
}

func (s *Stations) add(more Stations) {
	s.Planned, s.Active, s.Qualified = s.Planned+more.Planned, s.Active+more.Active, s.Qualified+more.Qualified
}

// done are the figures of what is done at a site.
var done = []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds"}

// stations hands out what a deployment has, each with the code of its place; it is empty where none is known.
func (m *Member) stations(ctx context.Context, add func(code string, s Stations)) error {
	t, err := m.Progress.Totals(ctx, progress.TotalsQuery{Bases: []tally.Basis{tally.Reported}, Figures: done, By: tally.Site})
	if err != nil {
		return err
	}
	active := map[string]bool{}
	for _, row := range t.Rows {
		for _, n := range row.Values[tally.Reported] {
			active[row.Key] = active[row.Key] || n != 0
		}
	}
	setUp := m.Syncing.SetUp()
	for id, site := range setUp.Sites {
		switch code := site.GetPlace().GetCode(); {
		case active[id.String()]: // it is open, whatever the set-up says
			add(code, Stations{Active: 1})
		case site.GetPlanned():
			add(code, Stations{Planned: 1})
		}
	}
	for _, w := range setUp.Workers {
		if qualified(w, t.AsOf) {
			add(placeOf(setUp, w), Stations{Qualified: 1})
		}
	}
	return nil
}

// qualified reports whether somebody who is there on a day has a qualification.
func qualified(w *recordv1.Worker, day record.Date) bool {
	from, to := record.Date(w.GetFromOn()), record.Date(w.GetToOn())
	return w.GetQualification() >= recordv1.Qualification_QUALIFICATION_ASSISTANT && from <= day && (to == 0 || day <= to)
}

// placeOf is the code of the place at which a worker's team works; empty when it has none.
func placeOf(setUp *syncing.SetUp, w *recordv1.Worker) string {
	team := setUp.Teams[idOf(w.GetTeam())]
	if code := team.GetPlace().GetCode(); code != "" {
		return code
	}
	return setUp.Sites[idOf(team.GetSite())].GetPlace().GetCode()
}

func idOf(b []byte) (id hlc.ID) {
	if len(b) == len(id) {
		id = hlc.ID(b)
	}
	return id
}

// Target is what one deployment expects of a place.
type Target struct {
	Deployment hlc.ID
	// Place is its code, and Figure one of StationFigures or of what records give, as reported.
	Place  string
	Label  progress.Text
	Figure string
	// Done is how much there is now, also of what came after the day.
	Expected, Done int64
	// Due is the day by which it is expected, without one the deployment's last day; 0 when there is none. Passed says that the
	// day is over.
	Due    record.Date
	Passed bool
}

// targets are those of a deployment for places within one, in their order.
func (c *counting) targets(ctx context.Context, m *Member, below string, at map[string]Stations) (all []Target, err error) {
	d := m.Syncing.SetUp().Deployment
	for _, t := range d.GetTargets() {
		code := t.GetPlaceCode()
		if t.GetOf() != recordv1.TargetOf_TARGET_OF_PLACE || code == "" || !within(code, below) {
			continue
		}
		one := Target{Deployment: m.ID(), Place: code, Label: placeLabel(code), Figure: t.GetFigure(), Expected: int64(t.GetValue()), Due: record.Date(max(t.GetDueOn(), 0))}
		if one.Due == 0 {
			one.Due = record.Date(d.GetEndOn())
		}
		one.Passed = one.Due.Valid() && one.Due < record.DateOf(m.Progress.Wall(), m.Syncing.SetUp().Location)
		station := slices.Contains(StationFigures, one.Figure)
		if _, known := progress.FigureNamed(one.Figure); !known && !station { // a newer server's
			continue
		}
		if station {
			for place, s := range at {
				if within(place, code) {
					one.Done += s.Of(one.Figure)
				}
			}
		} else if one.Done, err = m.doneAt(ctx, one.Figure, code); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// doneAt is a figure of a deployment at a place.
func (m *Member) doneAt(ctx context.Context, figure, code string) (int64, error) {
	q := Query{Below: code}
	at, err := q.whole()
	if err != nil {
		return 0, err
	}
	at.Bases, at.Figures = []tally.Basis{tally.Reported}, []string{figure}
	t, err := m.Progress.Totals(ctx, at)
	for _, row := range t.Rows {
		if row.Key == code {
			return row.Values[tally.Reported][figure], nil
		}
	}
	return 0, err
}
