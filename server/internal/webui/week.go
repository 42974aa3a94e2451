package webui

import "levee/syncproto/record"

// week is the one that a page tells of, from Monday to Sunday.
type week struct {
	From, To record.Date
	// Name says which it is. Before and After lead to the weeks beside it; After is empty in the present one, Before in the first.
	Name, Before, After string
	// Action is the page itself, which takes the week of any day.
	Action string
}

// today is the day that it is where the deployment is.
func (v *visit) today() record.Date { return record.DateOf(v.Wall(), v.zone) }

// firstWeek is the Monday of the week in which the deployment starts, or of this one while it has not begun.
func (v *visit) firstWeek() record.Date {
	start, today := record.Date(v.within.Syncing.SetUp().Deployment.GetStartOn()), v.today()
	if !start.Valid() || start > today {
		return today.Monday()
	}
	return start.Monday()
}

// week is the one of the day that the address names as week: this week when it names none, or one to come, and the first one when it
// names an earlier one.
func (v *visit) week(path string) week {
	today, first := v.today(), v.firstWeek()
	from := today.Monday()
	if asked, err := record.ParseDate(v.QueryParam("week")); err == nil && asked.Valid() && asked <= today {
		from = max(asked.Monday(), first)
	}
	w := v.weekFrom(from)
	at := func(d record.Date) string { return v.To(path, "?week=", d.String()) }
	w.Action = path
	if from > first {
		w.Before = at(from.AddDays(-7))
	}
	if next := from.AddDays(7); next <= today {
		w.After = at(next)
	}
	return w
}

func (v *visit) weekFrom(from record.Date) week {
	to := from.AddDays(6)
	return week{From: from, To: to, Name: v.T("dates_between", v.Date(from), v.Date(to))}
}

// begun are the days of a week that have come.
func (v *visit) begun(w week) (days []record.Date) {
	for d := w.From; d <= min(w.To, v.today()); d = d.AddDays(1) {
		days = append(days, d)
	}
	return days
}
