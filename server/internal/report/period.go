package report

import (
	"time"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Period is how long a report tells of.
type Period string

// The periods.
const (
	Day Period = "day"
	// Week is from Monday to Sunday.
	Week  Period = "week"
	Month Period = "month"
	// Whole is all days up to one: for a certificate of somebody's whole service.
	Whole Period = "whole"
)

// Periods are all, the shortest first.
var Periods = []Period{Day, Week, Month, Whole}

// Dates are the days of a deployment.
type Dates struct {
	// Start and End are the first and the last day; 0 where there is none.
	Start, End record.Date
	// Today is the day that it is where the deployment is.
	Today record.Date
}

// DatesOf are those of a deployment, and the day that it is there.
func DatesOf(d *recordv1.Deployment, today record.Date) Dates {
	dates := Dates{Today: today}
	if start := record.Date(d.GetStartOn()); start.Valid() {
		dates.Start = start
	}
	if end := record.Date(d.GetEndOn()); end.Valid() {
		dates.End = end
	}
	return dates
}

// Last is the last day that can be told of: today, or the deployment's end; before it begins, its first day.
func (d Dates) Last() record.Date {
	last := d.Today
	if d.End != 0 {
		last = min(last, d.End)
	}
	return max(last, d.Start)
}

// Has reports whether a day is one of the deployment's that has come.
func (d Dates) Has(day record.Date) bool { return day.Valid() && d.Start <= day && day <= d.Last() }

// Span is the period in which a day lies, without what is no day of the deployment or is yet to come. Without a day (0) it is
// the last one. Problem invalid_argument when there is no such period, or the day is none of the deployment's.
func (p Period) Span(day record.Date, d Dates) (from, to record.Date, err error) {
	if day == 0 {
		day = d.Last()
	}
	if !d.Has(day) {
		return 0, 0, problem.Newf(problem.InvalidArgument, "date: %v is no day of the deployment that has come", day)
	}
	switch p {
	case Day:
		from, to = day, day
	case Week:
		from = day.Monday()
		to = from.AddDays(6)
	case Month:
		from = day - day%100 + 1
		to = record.DateOf(from.Start(time.UTC).AddDate(0, 1, -1), time.UTC)
	case Whole:
		from, to = d.Start, day
		if from == 0 {
			from = 1_01_01
		}
	default:
		return 0, 0, problem.Newf(problem.InvalidArgument, "period: there is no %q", string(p))
	}
	return max(from, d.Start), min(to, d.Last()), nil
}
