package progress

import (
	"slices"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// DailyFigures are those that people give on a day, in the order in which they are shown: Work has each of them, and Minutes.
var DailyFigures = namesOf(workFigures)

func namesOf(figures []tally.Figure) (names []string) {
	for _, f := range figures {
		names = append(names, f.String())
	}
	return names
}

// Aim is a target that the coordinator set 目标, with what was done of it.
type Aim struct {
	*recordv1.Target
	// Expected is how much of the figure the days that were asked about, or the whole deployment, call for.
	Expected int64
	// Done is how much was done. Where it is not Known, nobody counts the figure by day.
	Done  int64
	Known bool
}

// Aims are the targets of one team, or of one worker of a team, beside what was done from a day to another and what in the whole, by the
// names of figures. Those that ask for nothing, since none of the days is one of the deployment, are left out.
func Aims(d *recordv1.Deployment, of recordv1.TargetOf, team hlc.ID, from, to record.Date, done, whole map[string]int64) (all []Aim) {
	for _, t := range d.GetTargets() {
		if only := t.GetTeam(); t.GetOf() != of || len(only) == len(team) && hlc.ID(only) != team {
			continue
		}
		a := Aim{Target: t, Expected: int64(t.GetValue()), Done: done[t.GetFigure()], Known: slices.Contains(DailyFigures, t.GetFigure())}
		switch t.GetPeriod() {
		case recordv1.TargetPeriod_TARGET_PERIOD_DAY:
			a.Expected *= daysOf(d, from, to)
		case recordv1.TargetPeriod_TARGET_PERIOD_WHOLE:
			a.Done, a.Known = whole[t.GetFigure()], true
		}
		if a.Expected != 0 {
			all = append(all, a)
		}
	}
	return all
}

// daysOf is how many days, from one to another, lie within the deployment.
func daysOf(d *recordv1.Deployment, from, to record.Date) (days int64) {
	for day := from; day <= to; day = day.AddDays(1) {
		if start, end := record.Date(d.GetStartOn()), record.Date(d.GetEndOn()); day >= start && (end == 0 || day <= end) {
			days++
		}
	}
	return days
}
