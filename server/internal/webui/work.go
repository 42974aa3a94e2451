package webui

import (
	"time"

	"levee/server/internal/access"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// weeksShown is how many weeks the page of a worker tells of: with their days, no more than are asked for at once.
const weeksShown = 4

// workerBody is what the page of a worker shows.
type workerBody struct {
	// Post is what the worker is, and in which team. Certificate leads to that of the worker's service.
	Post, Certificate string

	Team  *link
	Week  week
	Heads []string
	Aims  []aim
	Days  []dayWork
	// Weeks are the latest ones up to the chosen one, the newest first, and Whole what was done since the start.
	Weeks         []dayWork
	Whole         []cell
	Truncated     bool
	Cases         []caseRow
	AllCases      string
	Tablets       []tabletRow
	MaySeeTablets bool
	Sessions      []supervisionRow
}

// weekdays are the names of their messages, from Sunday.
var weekdays = [...]string{"weekday_sunday", "weekday_monday", "weekday_tuesday", "weekday_wednesday", "weekday_thursday", "weekday_friday", "weekday_saturday"}

// dayOfWeek is a day with its day of the week.
func (v *visit) dayOfWeek(d record.Date) string {
	return v.T("day_of_week", v.Date(d), v.T(weekdays[d.Start(time.UTC).Weekday()]))
}

// worker shows what one worker did by day and week, the cases that they lead, their tablets, and the supervision they had.
func (v *visit) worker() error {
	setUp, deployment := v.within.Syncing.SetUp(), v.within.Syncing.Deployment()
	id, err := v.id("worker")
	if err != nil {
		return err
	}
	w := setUp.Workers[id]
	if w == nil {
		return problem.New(problem.NotFound)
	}
	if !v.maySeeWorker(id) {
		return problem.New(problem.NotFound)
	}
	team := idOf(w.GetTeam())
	terms := v.terms()
	body := workerBody{Post: v.T("post", choice(terms, w.GetRole()), choice(terms, w.GetType())), Certificate: v.To(to(deployment, "reports", "workers", id.String())), Week: v.week(to(deployment, "workers", id.String())), Heads: v.workHeads(),
		AllCases: v.To(to(deployment, "cases"), "?list=open&lead=", id.String()), MaySeeTablets: v.may(access.SeeDevices, team)}
	if team != (hlc.ID{}) {
		body.Team = &link{To: v.To(to(deployment, "teams", team.String()), "?week=", body.Week.From.String()), Name: setUp.Teams[team].GetName()}
	}
	if err := v.workOf(&body, id, team); err != nil {
		return err
	}
	if body.Cases, err = v.caseRows(indexing.CasesQuery{List: indexing.OpenCases, Teams: v.cut(access.SeeRecords), Lead: id, Limit: casesGlimpsed}); err != nil {
		return err
	}
	if body.Tablets, err = v.tabletsOf(func(t progress.Tablet) bool { return t.Worker == id }); err != nil {
		return err
	}
	if body.Sessions, _, err = v.supervisionRows(progress.SupervisionQuery{Supervisee: id, Page: progress.Page[hlc.ID]{Limit: supervisionGlimpsed, Sees: v.sees(access.SeeRecords)}}); err != nil {
		return err
	}
	return v.show("worker", &page{Title: w.GetName(), Body: body})
}

// maySeeWorker reports whether the visitor may see what a worker did. Who has no team worked for no team that others see: that is for
// coordinators and for the worker.
func (v *visit) maySeeWorker(id hlc.ID) bool {
	team := idOf(v.within.Syncing.SetUp().Workers[id].GetTeam())
	if team == (hlc.ID{}) && v.person.Role != recordv1.Role_ROLE_COORDINATOR && v.person.Worker != id {
		return false
	}
	return v.may(access.SeeTotals, team)
}

// workOf fills in what a worker did.
func (v *visit) workOf(body *workerBody, id, team hlc.ID) error {
	first := max(body.Week.From.AddDays(-7*(weeksShown-1)), v.firstWeek())
	work, err := v.within.Progress.Work(v.context(), team, first, body.Week.To)
	if err != nil {
		return err
	}
	whole, err := v.whole(tally.Worker)
	if err != nil {
		return err
	}
	weeks, days := map[record.Date][]progress.WorkRow{}, map[record.Date]counts{}
	for _, r := range work.Rows {
		if r.Worker.ID == id {
			weeks[r.Day.Monday()], days[r.Day] = append(weeks[r.Day.Monday()], r), r.Values[tally.Reported]
		}
	}
	for _, d := range v.begun(body.Week) {
		body.Days = append(body.Days, dayWork{Name: v.dayOfWeek(d), Cells: v.workCells(body.Heads, days[d])})
	}
	here := to(v.within.Syncing.Deployment(), "workers", id.String())
	for from := body.Week.From; from >= first; from = from.AddDays(-7) {
		body.Weeks = append(body.Weeks, dayWork{Name: v.weekFrom(from).Name, To: v.To(here, "?week=", from.String()), Cells: v.workCells(body.Heads, sum(weeks[from]))})
	}
	body.Truncated = work.Truncated
	body.Whole = v.workCells(body.Heads, whole[id.String()])[:len(progress.DailyFigures)] // the totals know of no hours
	body.Aims = v.aims(recordv1.TargetOf_TARGET_OF_WORKER, team, body.Week, sum(weeks[body.Week.From]), whole[id.String()])
	return nil
}

// sees reports of an audience whether the visitor may do something to what belongs to it.
func (v *visit) sees(a access.Action) func(hlc.ID) bool {
	return func(audience hlc.ID) bool { return v.may(a, audience) }
}
