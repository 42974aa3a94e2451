package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// mountCloseOut adds the routes by which a deployment is closed, and that show how far it is.
func (a *api) mountCloseOut(h huma.API) {
	route(h, access.SeeTotals, "close-out", "How far a deployment is on its way to the end, and what stands in the way. Who sees some teams alone is told of their items, and how many there are of others", a.closeOut)
	doing(h, http.MethodPut, access.CloseDeployment, "announce", "/api/close-out/announcement", "Announce the close-out, or change the days. Of a closed deployment only the day of erasure can be changed", a.announce)
	give(h, http.StatusAccepted, access.CloseDeployment, "close", "/api/close-out/closing", "Freeze the totals and issue the certificate. It is done in the background, since all totals are recounted: /api/close-out says how far it is", a.close)
	give(h, http.StatusAccepted, access.CloseDeployment, "recount", "/api/close-out/recount", "Recount all totals in the background; /api/close-out tells what came of it", a.recount)
	post(h, access.CloseDeployment, "reopen", "/api/close-out/reopening", "Take the deployment one state back: closed to closing, where addenda are taken in, and closing to active", a.reopen)
	a.mountWaivers(h)
	a.mountCertificates(h)
	a.mountAddenda(h)
}

type closeOutBody struct {
	State     string       `json:"state" enum:"active,closing,closed,archived"`
	EndOn     string       `json:"end_on,omitempty" format:"date" doc:"The last day of work." example:"2021-12-06"`
	DaysLeft  *int         `json:"days_left,omitempty" doc:"Until the last day; below 0 when that is over. Absent where none is set."`
	EraseOn   string       `json:"erase_on,omitempty" format:"date" doc:"The day from which personal data may be erased."`
	Checks    []checkView  `json:"checks" nullable:"false" doc:"What must be in order; empty once the deployment is closed."`
	Blocked   int          `json:"blocked" doc:"How many checks stand in the way."`
	Waiting   int          `json:"changes_waiting" doc:"Changes that came after the closing and wait for a decision. They are in no total."`
	Work      *workView    `json:"work,omitempty" doc:"What is done in the background, or was done last since the server started."`
	Recounted *recountView `json:"recounted,omitempty" doc:"The newest recount since the server started."`
}

type checkView struct {
	Check  string      `json:"check" example:"open_case"`
	Open   int         `json:"open"`
	Waived int         `json:"waived" doc:"How many of the open ones may pass."`
	Waiver *waiverView `json:"waiver,omitempty" doc:"That for all that there were."`
	Items  []itemView  `json:"items" nullable:"false" doc:"The first 200, as far as the caller may see them; of what is only counted there are none."`
}

type itemView struct {
	Subject string      `json:"subject" format:"uuid" doc:"The device, record, conflict or change that is open."`
	Name    string      `json:"name,omitempty" doc:"A tablet's name, a case's number, the code of a held change, the field of a conflict."`
	Kind    string      `json:"kind,omitempty" example:"case"`
	Team    namedView   `json:"team"`
	Worker  namedView   `json:"worker" doc:"Whose tablet it is, who leads the case, or who wrote it."`
	Phone   string      `json:"phone,omitempty" doc:"For who may close the deployment."`
	Since   *time.Time  `json:"since,omitempty" doc:"The last contact of a tablet; when the rest was seen or received."`
	Backlog int64       `json:"backlog,omitempty" doc:"How many changes a tablet holds still."`
	Other   string      `json:"other,omitempty" format:"uuid" doc:"The earlier record of a likely pair."`
	Waiver  *waiverView `json:"waiver,omitempty"`
}

type workView struct {
	Step    string     `json:"step" enum:"closing,issuing,recounting,backing_up,archiving,erasing"`
	Began   time.Time  `json:"began_at"`
	Part    string     `json:"part,omitempty" doc:"What is being done within it, of an archive." example:"tables"`
	Done    uint64     `json:"done,omitempty" doc:"How much of that is ready, of how much; absent where that is not known."`
	Of      uint64     `json:"of,omitempty"`
	Ended   *time.Time `json:"ended_at,omitempty" doc:"Absent while it is being done."`
	Problem string     `json:"problem,omitempty" doc:"The code of what it came to nothing by." example:"totals_differ"`
}

type recountView struct {
	At       time.Time `json:"at"`
	Position uint64    `json:"position" doc:"How long the change log was."`
	Equal    bool      `json:"equal"`
}

func viewWork(w *closeout.Work) *workView {
	if w == nil {
		return nil
	}
	view := &workView{Step: string(w.Step), Began: w.Began.UTC(), Part: w.Part.Name, Done: w.Done, Of: w.Of}
	if !w.Running() {
		ended := w.Ended.UTC()
		view.Ended = &ended
	}
	if w.Err != nil {
		view.Problem = string(problem.CodeOf(w.Err))
	}
	return view
}

// stamped is a time that may not be known.
func stamped(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (a *api) closeOut(ctx context.Context, in *struct{ Scope }) (*answer[closeOutBody], error) {
	return replyWhole(ctx, a, in.Scope, func(d *Deployment, _ string) (closeOutBody, error) {
		deployment := d.Syncing.SetUp().Deployment
		body := closeOutBody{State: choiceText(d.Closeout.State()), EndOn: dateText(record.Date(deployment.GetEndOn())), EraseOn: dateText(record.Date(deployment.GetEraseOn())), Checks: []checkView{}, Work: viewWork(d.Closeout.Work())}
		if end := record.Date(deployment.GetEndOn()); end.Valid() {
			left := a.today(d).DaysUntil(end)
			body.DaysLeft = &left
		}
		if last := d.Closeout.LastRecount(); last != nil {
			body.Recounted = &recountView{last.At.UTC(), last.Position, last.Equal}
		}
		if d.Syncing.SetUp().Closed() {
			waiting, err := d.Closeout.Addenda(ctx)
			for _, addendum := range waiting {
				body.Waiting += len(addendum.Changes)
			}
			return body, err
		}
		list, err := d.Closeout.Checklist(ctx)
		if err != nil {
			return body, err
		}
		body.Blocked = list.Blocked()
		for _, c := range list.Checks {
			body.Checks = append(body.Checks, viewCheck(callerOf(ctx), d, c))
		}
		return body, nil
	})
}

func viewCheck(who *Caller, d *Deployment, c closeout.Check) checkView {
	view := checkView{closeout.CheckName(c.Check), c.Open, c.Waived, viewWaiver(c.Waiver), []itemView{}}
	calls := who.May(d, access.CloseDeployment, access.Where{}) == nil
	for _, item := range c.Items {
		if who.May(d, closeout.ShownTo(c.Check), access.Where{Team: item.Team}) != nil {
			continue
		}
		one := itemView{Subject: item.Subject.String(), Name: item.Name, Team: teamIn(d.Syncing.SetUp(), item.Team), Worker: viewNamed(item.Worker), Since: stamped(item.Since), Backlog: item.Count, Other: idText(item.Other), Waiver: viewWaiver(item.Waiver)}
		if item.Kind != 0 {
			one.Kind = kindText(item.Kind)
		}
		if calls { // whom to call is for who calls
			one.Phone = item.Phone
		}
		view.Items = append(view.Items, one)
	}
	return view
}

type announceIn struct {
	Scope
	Body struct {
		EndOn   string `json:"end_on,omitempty" format:"date" doc:"The last day of work; needed while the deployment is not closed." example:"2021-12-06"`
		EraseOn string `json:"erase_on,omitempty" format:"date" doc:"The day from which personal data may be erased; it must lie after the last one of work." example:"2022-06-06"`
	}
}

func (a *api) announce(ctx context.Context, in *announceIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		end, err := dateOf("end_on", in.Body.EndOn)
		if err != nil {
			return err
		}
		erase, err := dateOf("erase_on", in.Body.EraseOn)
		if err != nil {
			return err
		}
		if d.Syncing.SetUp().Closed() {
			return d.Closeout.EraseFrom(ctx, by, erase)
		}
		return d.Closeout.Announce(ctx, by, end, erase)
	})
}

// begun has something done in the background, and tells how far it is.
func (a *api) begun(ctx context.Context, s Scope, begin func(*Deployment, casefile.Reader) error) (*given[workView], error) {
	return ask(ctx, a, s, func(d *Deployment, by casefile.Reader) (workView, error) {
		if err := begin(d, by); err != nil {
			return workView{}, err
		}
		return *viewWork(d.Closeout.Work()), nil
	})
}

func (a *api) close(ctx context.Context, in *struct{ Scope }) (*given[workView], error) {
	return a.begun(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error { return d.Closeout.BeginClosing(ctx, by) })
}

func (a *api) recount(ctx context.Context, in *struct{ Scope }) (*given[workView], error) {
	return a.begun(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error { return d.Closeout.BeginRecount(by) })
}

func (a *api) reopen(ctx context.Context, in *struct{ Scope }) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		if d.Closeout.Work().Running() {
			return problem.New(problem.Busy)
		}
		return d.Closeout.Reopen(ctx, by)
	})
}
