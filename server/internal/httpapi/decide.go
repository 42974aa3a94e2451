package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// mountDecisions adds the routes by which a coordinator settles what a set-back, or a tablet, left to be decided.
func (a *api) mountDecisions(h huma.API) {
	post(h, access.DecideHeld, "decide", "/api/held/{change}/decision", "Have a held change applied after all, or decide that it never is. What is decided is a record, which tablets see", a.decide)
	post(h, access.ConfirmTablet, "confirm", "/api/devices/{device}/confirmation", "Let a tablet sync again that came back after a restore, and is known by its certificate alone", a.confirm)
	post(h, access.EraseClient, "erase", "/api/cases/{case}/erasure", "Erase the personal data of a case's clients, for ever: on the server, and on tablets at their next sync. Backups made before keep it. The case and all totals stay as they are", a.erase)
}

// post adds a route that changes something and answers nothing.
func post[I any](h huma.API, action access.Action, id, path, summary string, handler func(context.Context, *I) (*struct{}, error)) {
	doing(h, http.MethodPost, action, id, path, summary, handler)
}

// change adds a route that changes a part of what its path names, and answers nothing.
func change[I any](h huma.API, action access.Action, id, path, summary string, handler func(context.Context, *I) (*struct{}, error)) {
	doing(h, http.MethodPatch, action, id, path, summary, handler)
}

// given is what a deed, or a question that is sent, answers.
type given[B any] struct {
	Language string `header:"Content-Language"`
	Body     B
}

// give adds a route to which something is sent, and which answers.
func give[I, B any](h huma.API, status int, action access.Action, id, path, summary string, handler func(context.Context, *I) (*given[B], error)) {
	sending(h, http.MethodPost, status, action, id, path, summary, handler)
}

func doing[I any](h huma.API, method string, action access.Action, id, path, summary string, handler func(context.Context, *I) (*struct{}, error)) {
	sending(h, method, http.StatusNoContent, action, id, path, summary, handler)
}

func sending[I, O any](h huma.API, method string, status int, action access.Action, id, path, summary string, handler func(context.Context, *I) (*O, error)) {
	huma.Register(h, huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, MaxBodyBytes: 16 << 10,
		Metadata: map[string]any{actionOf: action}, Responses: map[string]*huma.Response{},
	}, handler)
}

// deed carries something out in a deployment by a service that notes who did it, and has the lists of what waits catch up.
func (a *api) deed(ctx context.Context, s Scope, what func(*Deployment, casefile.Reader) error) (*struct{}, error) {
	d, err := a.enter(ctx, s.Deployment)
	if err == nil {
		err = unfit(what(d, reader(ctx, d)))
	}
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	sorted(ctx, d)
	return nil, nil
}

// unfit is the problem of who says what can't stand in a record. One that comes with more words is of a record that is damaged where it
// is kept, and no fault of theirs.
func unfit(err error) error {
	said, ok := err.(*record.Problem) //nolint:errorlint // see above
	switch {
	case !ok:
		return err
	case said.Field == 0:
		return problem.Newf(problem.InvalidArgument, "%s", said.Code)
	default:
		return problem.Newf(problem.InvalidArgument, "%s in field %d", said.Code, said.Field)
	}
}

// ask has a service answer what was sent.
func ask[B any](ctx context.Context, a *api, s Scope, what func(*Deployment, casefile.Reader) (B, error)) (*given[B], error) {
	d, err := a.enter(ctx, s.Deployment)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	out := &given[B]{Language: languageOf(s.AcceptLanguage)}
	if out.Body, err = what(d, reader(ctx, d)); err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	return out, nil
}

// sorted waits until lists know what was done just now, or not much longer: they catch up by themselves, and say how far they are.
func sorted(ctx context.Context, d *Deployment) {
	ctx, stop := context.WithTimeout(ctx, sortingTime)
	defer stop()
	_ = d.Indexing.CatchUp(ctx)
}

const sortingTime = 3 * time.Second

type decideIn struct {
	Scope
	Change string `path:"change" format:"uuid" doc:"Id of the held change, as /api/held has it."`
	Body   struct {
		Decision string `json:"decision" enum:"release,discard" doc:"release applies the change; it is judged as if the worker had written it."`
		Reason   string `json:"reason,omitempty" maxLength:"500" doc:"Why, for those who read it later. No personal data."`
	}
}

func (a *api) decide(ctx context.Context, in *decideIn) (*struct{}, error) {
	return a.do(ctx, in.Scope, func(d *Deployment) (audit.Action, audit.Subject, error) {
		change, _ := uuid.Parse(in.Change) // validated
		decision, action := recordv1.Decision_DECISION_DISCARD, audit.HeldDiscarded
		if in.Body.Decision == "release" {
			decision, action = recordv1.Decision_DECISION_RELEASE, audit.HeldReleased
		}
		return action, audit.Subject{Kind: audit.OfChange, ID: change}, d.Syncing.Decide(ctx, change, decision, callerOf(ctx).Person(d).Worker, in.Body.Reason)
	})
}

// do carries something out in a deployment, and notes who did it.
func (a *api) do(ctx context.Context, s Scope, what func(*Deployment) (audit.Action, audit.Subject, error)) (*struct{}, error) {
	d, err := a.enter(ctx, s.Deployment)
	if err == nil {
		var action audit.Action
		var subject audit.Subject
		if action, subject, err = what(d); err == nil {
			id := d.Syncing.Deployment()
			err = a.Audit.Write(ctx, audit.Entry{Deployment: id, Actor: callerOf(ctx).Actor(id), Action: action, Subject: subject})
		}
	}
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	return nil, nil
}

type confirmIn struct {
	Scope
	Device string `path:"device" format:"uuid" doc:"Id of the tablet, as /api/devices has it."`
}

func (a *api) confirm(ctx context.Context, in *confirmIn) (*struct{}, error) {
	return a.do(ctx, in.Scope, func(d *Deployment) (audit.Action, audit.Subject, error) {
		device, _ := uuid.Parse(in.Device) // validated
		return audit.DeviceConfirmed, audit.Subject{Kind: audit.OfDevice, ID: device}, d.Syncing.Confirm(ctx, device)
	})
}

type eraseIn struct {
	Scope
	Case string `path:"case" format:"uuid" doc:"Id of the case."`
}

func (a *api) erase(ctx context.Context, in *eraseIn) (*struct{}, error) {
	return a.do(ctx, in.Scope, func(d *Deployment) (audit.Action, audit.Subject, error) {
		id, _ := uuid.Parse(in.Case) // validated
		subject, of := audit.Subject{Kind: audit.OfRecord, ID: id}, d.Syncing.Deployment()
		// Before: a part of it can't be undone either.
		if err := a.Audit.Write(ctx, audit.Entry{Deployment: of, Actor: callerOf(ctx).Actor(of), Action: audit.ClientErasureStarted, Subject: subject}); err != nil {
			return "", subject, err
		}
		_, err := d.Syncing.Erase(ctx, id)
		return audit.ClientErased, subject, err
	})
}
