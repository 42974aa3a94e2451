package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// mountSupervision adds the routes that show supervision sessions.
func (a *api) mountSupervision(h huma.API) {
	route(h, access.SeeRecords, "supervision", "Supervision sessions and the tasks that they left, the newest day first", a.supervision)
	routeAt(h, access.SeeRecords, "supervision-session", "/api/supervision/{session}", "One supervision session, with the advice in it that the caller may see. Each reading is noted in the audit log", a.supervisionSession)
}

type supervisionBody struct {
	Sessions []SessionView `json:"sessions" nullable:"false" doc:"What was advised is not shown."`
	Next     string        `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one. A page may have no rows, and yet a next one."`
}

// SessionView is a supervision session, without what was advised.
type SessionView struct {
	ID          string      `json:"id" format:"uuid"`
	Day         string      `json:"day,omitempty" format:"date"`
	Team        namedView   `json:"team"`
	Form        string      `json:"form" enum:"unknown,individual,group,peer"`
	Mode        string      `json:"mode" enum:"unknown,on_site,online"`
	Functions   []string    `json:"functions" nullable:"false" example:"educational"`
	Supervisor  namedView   `json:"supervisor"`
	Supervisees []namedView `json:"supervisees" nullable:"false"`
	Minutes     uint32      `json:"minutes"`
	Tasks       []string    `json:"tasks" nullable:"false" doc:"What was left to be looked at again."`
}

func viewSession(s *syncing.SetUp, id hlc.ID, team progress.Named, m *recordv1.Supervision) SessionView {
	v := SessionView{ID: id.String(), Day: dateText(record.Date(m.GetOccurredOn())), Team: viewNamed(team), Form: choiceText(m.GetForm()), Mode: choiceText(m.GetMode()), Functions: []string{},
		Supervisor: workerIn(s, idOf(m.GetSupervisor())), Supervisees: []namedView{}, Minutes: m.GetMinutes(), Tasks: append([]string{}, progress.TasksIn(m.GetTasks())...)}
	for _, f := range m.GetFunctions() {
		v.Functions = append(v.Functions, choiceText(f))
	}
	for _, worker := range m.GetSupervisees() {
		v.Supervisees = append(v.Supervisees, workerIn(s, idOf(worker)))
	}
	return v
}

func (a *api) supervision(ctx context.Context, in *struct {
	Scope
	Team       string `query:"team" format:"uuid" doc:"Only those of this team."`
	Supervisee string `query:"supervisee" format:"uuid" doc:"Only those in which this worker was supervised."`
	Paging
}) (*answer[supervisionBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (supervisionBody, error) {
		body := supervisionBody{Sessions: []SessionView{}}
		only, err := within(ctx, d, in.Team)
		if err != nil {
			return body, err
		}
		_, sees := sight(ctx, d)
		supervisee, _ := uuid.Parse(in.Supervisee) // validated; empty is the zero id
		q := progress.SupervisionQuery{Supervisee: supervisee, Page: in.page()}
		q.Sees = func(team hlc.ID) bool { return sees(team) && (in.Team == "" || team == only[0]) }
		sessions, next, err := d.Progress.Supervisions(ctx, q)
		for _, s := range sessions {
			body.Sessions = append(body.Sessions, viewSession(d.Syncing.SetUp(), s.ID, s.Team, s.Session))
		}
		body.Next = idText(next)
		return body, err
	})
}

type sessionBody struct {
	SessionView
	Seen   uint64       `json:"seen" doc:"Position of its newest change in the log."`
	Advice []adviceView `json:"advice" nullable:"false" doc:"The oldest first."`
}

type adviceView struct {
	By   namedView `json:"by"`
	Text string    `json:"text"`
}

func (a *api) supervisionSession(ctx context.Context, in *struct {
	Scope
	Session string `path:"session" format:"uuid" doc:"Id of the session."`
}) (*answer[sessionBody], error) {
	return noted(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader, _ string) (sessionBody, error) {
		id, _ := uuid.Parse(in.Session) // validated
		s, err := d.Casefile.Supervision(ctx, by, id)
		body := sessionBody{SessionView: viewSession(d.Syncing.SetUp(), s.ID, s.Team, s.Session), Seen: s.Position, Advice: []adviceView{}}
		for _, one := range s.Advice {
			body.Advice = append(body.Advice, adviceView{viewNamed(one.By), one.Text})
		}
		return body, err
	})
}
