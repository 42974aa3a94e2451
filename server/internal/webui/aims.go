package webui

import (
	"slices"

	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// aim is what was done beside a target that the coordinator set.
type aim struct {
	// Name says what is expected, Words how much of it was done.
	Name, Words string
	// Done of Expected is drawn. Expected is 0 where it is not known how much was done.
	Done, Expected int64
	// Reached says that all of it was done; empty while it was not.
	Reached string
}

// counts are figures by their names, and progress.Minutes.
type counts map[string]int64

// workFigures are what people do on a day, in the order of the columns.
var workFigures = []string{"case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts"}

// sum adds up, as reported, what somebody did.
func sum(rows []progress.WorkRow) counts {
	w := progress.Work{Rows: rows}
	return w.Sum()[tally.Reported]
}

// aims are the targets of one team, or of one worker of a team, beside what was done in a week and what in the whole.
func (v *visit) aims(of recordv1.TargetOf, team hlc.ID, w week, done, whole counts) (all []aim) {
	deployment := v.within.Syncing.SetUp().Deployment
	for _, t := range deployment.GetTargets() {
		if for1 := idOf(t.GetTeam()); t.GetOf() != of || for1 != (hlc.ID{}) && for1 != team {
			continue
		}
		expected, n := int64(t.GetValue()), done[t.GetFigure()]
		known, label := slices.Contains(workFigures, t.GetFigure()), v.figureName(t.GetFigure())
		name := v.T("aim_week", label, t.GetValue())
		switch t.GetPeriod() {
		case recordv1.TargetPeriod_TARGET_PERIOD_DAY:
			name = v.T("aim_day", label, t.GetValue())
			expected *= v.served(deployment, w)
		case recordv1.TargetPeriod_TARGET_PERIOD_WHOLE:
			name = v.T("aim_whole", label, t.GetValue())
			n, known = whole[t.GetFigure()], true
		}
		if expected == 0 { // no day of the week was one of the deployment
			continue
		}
		one := aim{Name: name, Words: v.T("aim_unknown")}
		if known {
			one = aim{Name: name, Words: v.T("aim_done", n, expected, n*100/expected), Done: n, Expected: expected}
		}
		if known && n >= expected {
			one.Reached = v.T("target_reached")
		}
		all = append(all, one)
	}
	return all
}

// served is how many days of a week have come and lie within the deployment.
func (v *visit) served(d *recordv1.Deployment, w week) (days int64) {
	for _, day := range v.begun(w) {
		if start, end := record.Date(d.GetStartOn()), record.Date(d.GetEndOn()); day >= start && (end == 0 || day <= end) {
			days++
		}
	}
	return days
}

// figureName is what a figure is called here.
func (v *visit) figureName(name string) string {
	for _, f := range v.within.Progress.Figures() {
		if f.Name == name {
			return v.figureLabel(f)
		}
	}
	return name
}

// workHeads are the columns of what people do.
func (v *visit) workHeads() (heads []string) {
	for _, name := range workFigures {
		heads = append(heads, v.figureName(name))
	}
	return append(heads, v.T("column_hours"))
}

// cell is one number of a row, under the head of its column.
type cell struct {
	Head, Text string
	// None: it is 0, and left out where there is little room.
	None bool
}

// workCells are what somebody did, in the order of the columns.
func (v *visit) workCells(heads []string, done counts) (cells []cell) {
	for i, name := range workFigures {
		cells = append(cells, cell{heads[i], v.Number(done[name]), done[name] == 0})
	}
	minutes := done[progress.Minutes]
	return append(cells, cell{heads[len(workFigures)], v.T("hours", minutes/60, minutes%60), false})
}

// whole is what teams, or workers, did since the start, by their ids.
func (v *visit) whole(by tally.Dimension) (map[string]counts, error) {
	t, err := v.within.Progress.Totals(v.context(), progress.TotalsQuery{Bases: []tally.Basis{tally.Reported}, By: by})
	if err != nil {
		return nil, err
	}
	all := map[string]counts{}
	for _, row := range t.Rows {
		all[row.Key] = row.Values[tally.Reported]
	}
	return all, nil
}
