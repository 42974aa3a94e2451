package httpapi

import (
	"cmp"
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// mountWork adds the routes that tell what teams and workers did, day by day and beside the targets, and which cases wait.
func (a *api) mountWork(h huma.API) {
	route(h, access.SeeTotals, "teams", "Teams of the caller with a week of each beside its targets, its cases, and what waits for review", a.teams)
	routeAt(h, access.SeeTotals, "team-work", "/api/teams/{team}/work", "What a team did in a week, or some, by worker and day, beside the targets", a.teamWork)
	routeAt(h, access.SeeTotals, "worker-work", "/api/workers/{worker}/work", "What one worker did in a week, or some, by day, beside the targets", a.workerWork)
	route(h, access.SeeRecords, "cases", "Cases on a list: all open ones, or those that wait for something", a.cases)
}

// WeekAsked says which week is wanted, from Monday to Sunday.
type WeekAsked struct {
	Scope
	Week string `query:"week" format:"date" doc:"Any day of the week; this week when absent."`
}

// WeeksAsked is WeekAsked with those before.
type WeeksAsked struct {
	WeekAsked
	Weeks int `query:"weeks" minimum:"1" maximum:"4" default:"1" doc:"How many weeks, with those before. Sum and targets are of the week alone."`
}

// week is the one that is asked for, of a deployment whose today is given: its Monday, and its last day that has come.
func (w WeekAsked) week(today record.Date) (from, to record.Date, err error) {
	day := today
	if w.Week != "" {
		if day, err = dateOf("week", w.Week); err != nil {
			return 0, 0, err
		}
	}
	if day > today {
		return 0, 0, problem.Newf(problem.InvalidArgument, "week: one to come")
	}
	return day.Monday(), min(day.Monday().AddDays(6), today), nil
}

// today is the day that it is where a deployment is.
func (a *api) today(d *Deployment) record.Date {
	return record.DateOf(a.Wall(), d.Syncing.SetUp().Location)
}

// aimView is a target with what was done of it.
type aimView struct {
	TargetView
	Expected int64  `json:"expected" doc:"How much the days of the week that have come, or the whole deployment, call for."`
	Done     *int64 `json:"done,omitempty" doc:"How much was done; absent where nobody counts the figure by day."`
}

func viewAims(d *Deployment, of recordv1.TargetOf, team hlc.ID, from, to record.Date, done, whole map[string]int64) []aimView {
	setUp, views := d.Syncing.SetUp(), []aimView{}
	for _, aim := range progress.Aims(setUp.Deployment, of, team, from, to, done, whole) {
		view := aimView{TargetView: viewTarget(setUp, aim.Target), Expected: aim.Expected}
		if aim.Known {
			view.Done = &aim.Done
		}
		views = append(views, view)
	}
	return views
}

type teamsBody struct {
	From  string     `json:"from" format:"date" doc:"First day of the week."`
	To    string     `json:"to" format:"date" doc:"Last day of it that has come."`
	Teams []teamView `json:"teams" nullable:"false" doc:"By name."`
	Next  string     `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one."`
}

type teamView struct {
	ID        string           `json:"id" format:"uuid"`
	Name      string           `json:"name"`
	Site      namedView        `json:"site"`
	Reported  map[string]int64 `json:"reported" nullable:"false" doc:"What the team did in the week: figures by their names, and minutes."`
	Verified  map[string]int64 `json:"verified" nullable:"false"`
	Truncated bool             `json:"truncated" doc:"The team did more than is looked through at once."`
	Targets   []aimView        `json:"targets" nullable:"false"`
	OpenCases int64            `json:"open_cases"`
	Overdue   int64            `json:"overdue" doc:"Open cases whose next step is overdue."`
	Waiting   int64            `json:"waiting" doc:"Records that wait for a review."`
}

// teamsAtOnce is how many teams a page has: each is looked through for what it did in the week.
const teamsAtOnce = 20

func (a *api) teams(ctx context.Context, in *struct {
	WeekAsked
	After string `query:"after" format:"uuid" doc:"The next of the page before; absent for the first page."`
}) (*answer[teamsBody], error) {
	return replySorted(ctx, a, in.Scope, func(d *Deployment, _ string) (teamsBody, error) {
		from, to, err := in.week(a.today(d))
		if err != nil {
			return teamsBody{}, err
		}
		body := teamsBody{From: from.String(), To: to.String(), Teams: []teamView{}}
		after, _ := uuid.Parse(in.After) // validated; empty is the zero id
		teams := teamsOf(ctx, d)
		teams = teams[slices.Index(teams, after)+1:]
		if len(teams) > teamsAtOnce {
			teams = teams[:teamsAtOnce]
			body.Next = teams[len(teams)-1].String()
		}
		counted, err := a.countTeams(ctx, d, teams, from, to)
		if err != nil {
			return body, err
		}
		setUp := d.Syncing.SetUp()
		for _, id := range teams {
			work := counted.work[id]
			sum := work.Sum()
			body.Teams = append(body.Teams, teamView{ID: id.String(), Name: setUp.Teams[id].GetName(), Site: siteIn(setUp, idOf(setUp.Teams[id].GetSite())),
				Reported: figuresIn(sum, tally.Reported), Verified: figuresIn(sum, tally.Verified), Truncated: work.Truncated,
				Targets:   viewAims(d, recordv1.TargetOf_TARGET_OF_TEAM, id, from, to, sum[tally.Reported], counted.whole[id.String()]),
				OpenCases: counted.open[id], Overdue: counted.overdue[id], Waiting: counted.waiting[id]})
		}
		return body, nil
	})
}

// teamsOf are the teams in which the caller may do what the route does, by name.
func teamsOf(ctx context.Context, d *Deployment) (teams []hlc.ID) {
	setUp := d.Syncing.SetUp()
	_, sees := sight(ctx, d)
	for id := range setUp.Teams {
		if sees(id) {
			teams = append(teams, id)
		}
	}
	slices.SortFunc(teams, func(a, b hlc.ID) int {
		return cmp.Or(cmp.Compare(setUp.Teams[a].GetName(), setUp.Teams[b].GetName()), slices.Compare(a[:], b[:]))
	})
	return teams
}

// teamCounts are what is counted for all teams at once.
type teamCounts struct {
	whole                  map[string]map[string]int64
	open, overdue, waiting map[hlc.ID]int64
	work                   map[hlc.ID]progress.Work
}

func (a *api) countTeams(ctx context.Context, d *Deployment, teams []hlc.ID, from, to record.Date) (c teamCounts, err error) {
	if c.whole, err = wholeOf(ctx, d, tally.Team); err != nil {
		return c, err
	}
	if c.open, err = d.Indexing.CaseCounts(ctx, indexing.OpenCases, a.today(d), indexing.ByTeam); err != nil {
		return c, err
	}
	if c.overdue, err = d.Indexing.CaseCounts(ctx, indexing.NextStepDue, a.today(d), indexing.ByTeam); err != nil {
		return c, err
	}
	reviews, err := d.Indexing.ReviewCounts(ctx, teams)
	if err != nil {
		return c, err
	}
	c.waiting = map[hlc.ID]int64{}
	for _, one := range reviews {
		if one.Standing == tally.Waiting {
			c.waiting[one.Audience] += one.Count
		}
	}
	c.work, err = d.Progress.WorkOfTeams(ctx, teams, from, to)
	return c, err
}

// wholeOf are what teams, or workers, did since the start as reported, by their ids.
func wholeOf(ctx context.Context, d *Deployment, by tally.Dimension) (map[string]map[string]int64, error) {
	t, err := d.Progress.Totals(ctx, progress.TotalsQuery{Bases: []tally.Basis{tally.Reported}, By: by})
	all := map[string]map[string]int64{}
	for _, row := range t.Rows {
		all[row.Key] = row.Values[tally.Reported]
	}
	return all, err
}

// figuresIn are the figures of a basis; empty and not nil without any.
func figuresIn(sum map[tally.Basis]map[string]int64, basis tally.Basis) map[string]int64 {
	if sum[basis] == nil {
		return map[string]int64{}
	}
	return sum[basis]
}

type teamWorkBody struct {
	WorkSpan
	Team     namedView        `json:"team"`
	Reported map[string]int64 `json:"reported" nullable:"false" doc:"What all did in the week: figures by their names, and minutes."`
	Verified map[string]int64 `json:"verified" nullable:"false"`
	Targets  []aimView        `json:"targets" nullable:"false" doc:"Those of the team."`
	Workers  []workerAims     `json:"workers" nullable:"false" doc:"Workers of the team, and who else did something in it, by name."`
}

// WorkSpan are days with what was done in them.
type WorkSpan struct {
	From      string    `json:"from" format:"date" doc:"First day of the week."`
	To        string    `json:"to" format:"date" doc:"Last day of it that has come."`
	Days      []workDay `json:"days" nullable:"false" doc:"By worker and day, from the first of the weeks; who did nothing on a day has no row for it."`
	Truncated bool      `json:"truncated" doc:"More was done than is looked through at once: the days lack some of it."`
}

type workDay struct {
	Worker   namedView        `json:"worker"`
	Day      string           `json:"day" format:"date"`
	Reported map[string]int64 `json:"reported" nullable:"false" doc:"Figures by their names, and minutes."`
	Verified map[string]int64 `json:"verified" nullable:"false"`
}

type workerAims struct {
	Worker   namedView        `json:"worker"`
	Reported map[string]int64 `json:"reported" nullable:"false" doc:"What they did in the week."`
	Targets  []aimView        `json:"targets" nullable:"false"`
}

// workIn is what a team did in some weeks, and the rows of the last of them.
func workIn(ctx context.Context, d *Deployment, team hlc.ID, from, to record.Date, weeks int) (span WorkSpan, all, last []progress.WorkRow, err error) {
	work, err := d.Progress.Work(ctx, team, from.AddDays(-7*(weeks-1)), to)
	for _, r := range work.Rows {
		if r.Day >= from {
			last = append(last, r)
		}
	}
	return WorkSpan{From: from.String(), To: to.String(), Days: []workDay{}, Truncated: work.Truncated}, work.Rows, last, err
}

func viewWorkDay(r progress.WorkRow) workDay {
	return workDay{viewNamed(r.Worker), r.Day.String(), figuresIn(r.Values, tally.Reported), figuresIn(r.Values, tally.Verified)}
}

func sumOf(rows []progress.WorkRow) map[tally.Basis]map[string]int64 {
	w := progress.Work{Rows: rows}
	return w.Sum()
}

func (a *api) teamWork(ctx context.Context, in *struct {
	WeeksAsked
	Team string `path:"team" format:"uuid" doc:"Id of the team."`
}) (*answer[teamWorkBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (teamWorkBody, error) {
		teams, err := within(ctx, d, in.Team)
		if err != nil {
			return teamWorkBody{}, err
		}
		from, to, err := in.week(a.today(d))
		if err != nil {
			return teamWorkBody{}, err
		}
		team, setUp := teams[0], d.Syncing.SetUp()
		span, all, week, err := workIn(ctx, d, team, from, to, in.Weeks)
		if err != nil {
			return teamWorkBody{}, err
		}
		byTeam, err := wholeOf(ctx, d, tally.Team)
		if err != nil {
			return teamWorkBody{}, err
		}
		byWorker, err := wholeOf(ctx, d, tally.Worker)
		if err != nil {
			return teamWorkBody{}, err
		}
		sum := sumOf(week)
		body := teamWorkBody{WorkSpan: span, Team: teamIn(setUp, team), Reported: figuresIn(sum, tally.Reported), Verified: figuresIn(sum, tally.Verified), Workers: []workerAims{},
			Targets: viewAims(d, recordv1.TargetOf_TARGET_OF_TEAM, team, from, to, sum[tally.Reported], byTeam[team.String()])}
		of := map[hlc.ID][]progress.WorkRow{}
		for id, w := range setUp.Workers {
			if idOf(w.GetTeam()) == team {
				of[id] = nil
			}
		}
		for _, r := range all {
			body.Days = append(body.Days, viewWorkDay(r))
		}
		for _, r := range week {
			of[r.Worker.ID] = append(of[r.Worker.ID], r)
		}
		for id, rows := range of {
			done := figuresIn(sumOf(rows), tally.Reported)
			body.Workers = append(body.Workers, workerAims{workerIn(setUp, id), done, viewAims(d, recordv1.TargetOf_TARGET_OF_WORKER, team, from, to, done, byWorker[id.String()])})
		}
		slices.SortFunc(body.Workers, func(a, b workerAims) int {
			return cmp.Or(cmp.Compare(a.Worker.Name, b.Worker.Name), cmp.Compare(a.Worker.ID, b.Worker.ID))
		})
		return body, nil
	})
}

type workerWorkBody struct {
	WorkSpan
	Worker  namedView        `json:"worker"`
	Team    namedView        `json:"team"`
	Week    map[string]int64 `json:"week" nullable:"false" doc:"What they did in the week, as reported: figures by their names, and minutes."`
	Whole   map[string]int64 `json:"whole" nullable:"false" doc:"What they did since the start, as reported: figures by their names."`
	Targets []aimView        `json:"targets" nullable:"false"`
}

func (a *api) workerWork(ctx context.Context, in *struct {
	WeeksAsked
	Worker string `path:"worker" format:"uuid" doc:"Id of the worker."`
}) (*answer[workerWorkBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (workerWorkBody, error) {
		id, _ := uuid.Parse(in.Worker) // validated
		setUp := d.Syncing.SetUp()
		team := idOf(setUp.Workers[id].GetTeam())
		if _, sees := sight(ctx, d); setUp.Workers[id] == nil || !sees(team) {
			return workerWorkBody{}, problem.New(problem.NotFound)
		}
		from, to, err := in.week(a.today(d))
		if err != nil {
			return workerWorkBody{}, err
		}
		span, all, week, err := workIn(ctx, d, team, from, to, in.Weeks)
		if err != nil {
			return workerWorkBody{}, err
		}
		whole, err := wholeOf(ctx, d, tally.Worker)
		if err != nil {
			return workerWorkBody{}, err
		}
		theirs := func(r progress.WorkRow) bool { return r.Worker.ID == id }
		for _, r := range all {
			if theirs(r) {
				span.Days = append(span.Days, viewWorkDay(r))
			}
		}
		done := figuresIn(sumOf(slices.DeleteFunc(week, func(r progress.WorkRow) bool { return !theirs(r) })), tally.Reported)
		body := workerWorkBody{WorkSpan: span, Worker: workerIn(setUp, id), Team: teamIn(setUp, team), Week: done, Whole: map[string]int64{},
			Targets: viewAims(d, recordv1.TargetOf_TARGET_OF_WORKER, team, from, to, done, whole[id.String()])}
		if of := whole[id.String()]; of != nil {
			body.Whole = of
		}
		return body, nil
	})
}
