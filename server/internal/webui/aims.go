package webui

import (
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
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

// sum adds up, as reported, what somebody did.
func sum(rows []progress.WorkRow) counts {
	w := progress.Work{Rows: rows}
	return w.Sum()[tally.Reported]
}

// aims are the targets of one team, or of one worker of a team, beside what was done in a week and what in the whole.
func (v *visit) aims(of recordv1.TargetOf, team hlc.ID, w week, done, whole counts) (all []aim) {
	for _, a := range progress.Aims(v.within.Syncing.SetUp().Deployment, of, team, w.From, min(w.To, v.today()), done, whole) {
		message := "aim_week"
		switch a.GetPeriod() {
		case recordv1.TargetPeriod_TARGET_PERIOD_DAY:
			message = "aim_day"
		case recordv1.TargetPeriod_TARGET_PERIOD_WHOLE:
			message = "aim_whole"
		}
		one := aim{Name: v.T(message, v.figureName(a.GetFigure()), a.GetValue()), Words: v.T("aim_unknown")}
		if a.Known {
			one.Words, one.Done, one.Expected = v.T("aim_done", a.Done, a.Expected, a.Done*100/a.Expected), a.Done, a.Expected
		}
		if a.Known && a.Done >= a.Expected {
			one.Reached = v.T("target_reached")
		}
		all = append(all, one)
	}
	return all
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
	for _, name := range progress.DailyFigures {
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
	for i, name := range progress.DailyFigures {
		cells = append(cells, cell{heads[i], v.Number(done[name]), done[name] == 0})
	}
	minutes := done[progress.Minutes]
	return append(cells, cell{heads[len(progress.DailyFigures)], v.T("hours", minutes/60, minutes%60), false})
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
