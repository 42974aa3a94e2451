package webui

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/tally"
)

func teamsRoutes(r *router) {
	r.page(pathIn+"/teams", access.SeeTotals, (*visit).teams)
	r.page(pathIn+"/teams/:team", access.SeeTotals, (*visit).team)
	r.page(pathIn+"/workers/:worker", access.SeeTotals, (*visit).worker)
	r.section(pathIn+"/teams", "nav_teams", access.SeeTotals, pathIn+"/workers")
}

// teamsShown is how many teams stand on a page: each is looked through for what it did in the week.
const teamsShown = 20

// teamsBody is what the page of teams shows.
type teamsBody struct {
	Week  week
	Heads []string
	Teams []teamCard
	// Review and Tablets say whether the visitor sees what waits for review, and tablets.
	Review, Tablets bool
	Further         string
}

// teamCard is a team at a glance.
type teamCard struct {
	Name, Site, To string
	// Truncated: the team did more than is looked through at once.
	Truncated     bool
	Cells         []cell
	Aims          []aim
	Open, Overdue link
	Waiting       link
	Contact       contact
}

// contact is when tablets were last heard from, and what they hold still.
type contact struct{ Tablets, Last, Machine, Backlog string }

// teamsOf are the teams of which the visitor may see something, by name.
func (v *visit) teamsOf(a access.Action) (teams []hlc.ID) {
	setUp := v.within.Syncing.SetUp()
	all, some := access.Teams(v.person, a)
	for id := range setUp.Teams {
		if all || slices.Contains(some, id) {
			teams = append(teams, id)
		}
	}
	slices.SortFunc(teams, func(a, b hlc.ID) int {
		return cmp.Or(cmp.Compare(setUp.Teams[a].GetName(), setUp.Teams[b].GetName()), slices.Compare(a[:], b[:]))
	})
	return teams
}

// teamOptions are those teams to choose from.
func (v *visit) teamOptions(a access.Action) (list []option) {
	for _, id := range v.teamsOf(a) {
		list = append(list, option{id.String(), v.within.Syncing.SetUp().Teams[id].GetName()})
	}
	return list
}

// teams lists the visitor's teams, with what each did this week.
func (v *visit) teams() error {
	path := to(v.within.Syncing.Deployment(), "teams")
	body := teamsBody{Week: v.week(path), Heads: v.workHeads(), Review: v.may(access.ReviewRecords, access.Everyone), Tablets: v.may(access.SeeDevices, access.Everyone)}
	teams := v.teamsOf(access.SeeTotals)
	from, err := strconv.Atoi(v.QueryParam("from"))
	if err != nil || from < 0 || from > len(teams) {
		from = 0
	}
	end := min(from+teamsShown, len(teams))
	if end < len(teams) {
		body.Further = v.To(path, "?week=", body.Week.From.String(), "&from=", strconv.Itoa(end))
	}
	g, err := v.teamSums()
	if err != nil {
		return err
	}
	if g.work, err = v.within.Progress.WorkOfTeams(v.context(), teams[from:end], body.Week.From, body.Week.To); err != nil {
		return err
	}
	for _, id := range teams[from:end] {
		body.Teams = append(body.Teams, v.teamCard(g, id, body.Heads, body.Week))
	}
	return v.show("teams", &page{Title: v.T("title_teams"), Body: body})
}

// teamSums are what is counted for all teams at once.
type teamSums struct {
	whole                  map[string]counts
	open, overdue, waiting map[hlc.ID]int64
	tablets                map[hlc.ID][]progress.Tablet
	work                   map[hlc.ID]progress.Work
}

func (v *visit) teamSums() (g teamSums, err error) {
	if g.whole, err = v.whole(tally.Team); err != nil {
		return g, err
	}
	if g.open, err = v.within.Indexing.CaseCounts(v.context(), indexing.OpenCases, v.today(), indexing.ByTeam); err != nil {
		return g, err
	}
	if g.overdue, err = v.within.Indexing.CaseCounts(v.context(), indexing.NextStepDue, v.today(), indexing.ByTeam); err != nil {
		return g, err
	}
	reviews, err := v.within.Indexing.ReviewCounts(v.context(), nil)
	if err != nil {
		return g, err
	}
	g.waiting = map[hlc.ID]int64{}
	for _, c := range reviews {
		if c.Standing == tally.Waiting {
			g.waiting[c.Audience] += c.Count
		}
	}
	all, err := v.allTablets()
	g.tablets = map[hlc.ID][]progress.Tablet{}
	for _, t := range all {
		g.tablets[t.Team.ID] = append(g.tablets[t.Team.ID], t)
	}
	return g, err
}

func (v *visit) teamCard(g teamSums, id hlc.ID, heads []string, w week) teamCard {
	setUp, deployment := v.within.Syncing.SetUp(), v.within.Syncing.Deployment()
	done, t := sum(g.work[id].Rows), setUp.Teams[id]
	cases := to(deployment, "cases") + "?team=" + id.String()
	return teamCard{
		Truncated: g.work[id].Truncated, Name: t.GetName(), Site: setUp.Sites[idOf(t.GetSite())].GetName(), To: v.To(to(deployment, "teams", id.String()), "?week=", w.From.String()),
		Cells: v.workCells(heads, done), Aims: v.aims(recordv1.TargetOf_TARGET_OF_TEAM, id, w, done, g.whole[id.String()]),
		Open: link{To: v.To(cases, "&list=open"), Name: v.N("open_cases", g.open[id])}, Overdue: link{To: v.To(cases, "&list=next"), Name: v.N("overdue", g.overdue[id]), Count: g.overdue[id]},
		Waiting: link{Name: v.N("waiting", g.waiting[id])}, Contact: v.contact(g.tablets[id]),
	}
}

// contact sums up tablets: the one in use that has been silent for longest, and what all hold still.
func (v *visit) contact(tablets []progress.Tablet) contact {
	inUse, oldest, unsent := int64(0), int64(0), int64(0)
	for _, t := range tablets {
		unsent += int64(t.Unsent) //nolint:gosec // bounded when it arrived
		if t.RevokedAt != 0 {
			continue
		}
		if inUse++; oldest == 0 || t.LastContact < oldest {
			oldest = t.LastContact
		}
	}
	c := contact{Tablets: v.N("tablets", inUse), Backlog: v.N("changes", unsent)}
	if oldest != 0 {
		c.Last, c.Machine = v.Time(time.UnixMilli(oldest)), v.Machine(time.UnixMilli(oldest))
	}
	return c
}

// teamBody is what the page of a team shows.
type teamBody struct {
	Site    string
	Week    week
	Heads   []string
	Aims    []aim
	Total   []cell
	Workers []workerCard
	// Truncated: the team did more than is looked through at once.
	Truncated bool
	Cases     []caseRow
	AllCases  string
	// Tablets are those that the visitor may see; MaySeeTablets says whether that is any.
	Tablets       []tabletRow
	MaySeeTablets bool
	// Supervise leads to the form of a supervision session; empty where the visitor may not write one.
	Supervise string
}

// workerCard is what one worker did in a week.
type workerCard struct {
	Name, To string
	Total    []cell
	Days     []dayWork
	Aims     []aim
}

// dayWork is what was done on one day, or in one week.
type dayWork struct {
	Name, To string
	Cells    []cell
}

// team shows what a team did in a week, by worker and day, its open cases and its tablets.
func (v *visit) team() error {
	setUp, deployment := v.within.Syncing.SetUp(), v.within.Syncing.Deployment()
	id, err := v.id("team")
	if err != nil {
		return err
	}
	t := setUp.Teams[id]
	if t == nil {
		return problem.New(problem.NotFound)
	}
	if err := v.must(access.SeeTotals, id); err != nil {
		return err
	}
	body := teamBody{Site: setUp.Sites[idOf(t.GetSite())].GetName(), Week: v.week(to(deployment, "teams", id.String())), Heads: v.workHeads(),
		AllCases: v.To(to(deployment, "cases"), "?list=open&team=", id.String()), MaySeeTablets: v.may(access.SeeDevices, id)}
	work, err := v.within.Progress.Work(v.context(), id, body.Week.From, body.Week.To)
	if err != nil {
		return err
	}
	teams, err := v.whole(tally.Team)
	if err != nil {
		return err
	}
	done := sum(work.Rows)
	body.Truncated, body.Total = work.Truncated, v.workCells(body.Heads, done)
	body.Aims = v.aims(recordv1.TargetOf_TARGET_OF_TEAM, id, body.Week, done, teams[id.String()])
	if body.Workers, err = v.workersOf(id, body.Heads, body.Week, work.Rows); err != nil {
		return err
	}
	if body.Cases, err = v.caseRows(indexing.CasesQuery{List: indexing.OpenCases, Teams: []hlc.ID{id}, Limit: casesGlimpsed}); err != nil {
		return err
	}
	if body.Tablets, err = v.tabletsOf(func(t progress.Tablet) bool { return t.Team.ID == id }); err != nil {
		return err
	}
	if v.may(access.ReviewRecords, id) {
		body.Supervise = v.To(to(deployment, "supervision", "new", id.String()))
	}
	return v.show("team", &page{Title: t.GetName(), Body: body})
}

// workersOf are those of a team, and who else did something in it, by name.
func (v *visit) workersOf(team hlc.ID, heads []string, w week, rows []progress.WorkRow) (cards []workerCard, err error) {
	setUp := v.within.Syncing.SetUp()
	whole, err := v.whole(tally.Worker)
	if err != nil {
		return nil, err
	}
	of := map[hlc.ID][]progress.WorkRow{}
	for id, worker := range setUp.Workers {
		if idOf(worker.GetTeam()) == team {
			of[id] = nil
		}
	}
	for _, r := range rows {
		of[r.Worker.ID] = append(of[r.Worker.ID], r)
	}
	for id, rows := range of {
		done := sum(rows)
		card := workerCard{Name: setUp.Workers[id].GetName(), To: v.To(to(v.within.Syncing.Deployment(), "workers", id.String()), "?week=", w.From.String()), Total: v.workCells(heads, done),
			Aims: v.aims(recordv1.TargetOf_TARGET_OF_WORKER, team, w, done, whole[id.String()])}
		if card.Name == "" {
			card.Name, card.To = v.T("worker_unknown"), ""
		}
		if !v.maySeeWorker(id) {
			card.To = ""
		}
		for _, r := range rows {
			card.Days = append(card.Days, dayWork{Name: v.dayOfWeek(r.Day), Cells: v.workCells(heads, r.Values[tally.Reported])})
		}
		cards = append(cards, card)
	}
	slices.SortFunc(cards, func(a, b workerCard) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.To, b.To)) })
	return cards, nil
}

// tabletsOf are the rows of some of the tablets that the visitor may see.
func (v *visit) tabletsOf(which func(progress.Tablet) bool) (rows []tabletRow, err error) {
	all, err := v.allTablets()
	for _, t := range all {
		if which(t) {
			rows = append(rows, v.tabletRow(t))
		}
	}
	return rows, err
}
