package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// api is the JSON API: for reading, and for what people decide. The structs of its requests and answers are its documentation, at
// /api/openapi.json, which document.go completes.
type api struct{ *Config }

// Document is the OpenAPI document of the JSON API, as every server serves it.
func Document() ([]byte, error) { return (&Config{}).mountAPI(echo.New()) }

// mountAPI adds the routes of the JSON API, and returns the document that describes them.
func (c *Config) mountAPI(e *echo.Echo) ([]byte, error) {
	a := &api{c}
	of := describe()
	of.Transformers = []huma.Transformer{a.explain}
	h := humaecho.New(e, of)
	h.UseMiddleware(a.authenticate)

	route(h, access.SeeSetUp, "deployments", "Deployments of the caller, and what they are set up with", a.deployments)
	route(h, access.SeeSetUp, "figures", "What is counted, by which rule", a.figures)
	route(h, access.SeeTotals, "totals", "Totals and how complete they are. Who sees some teams alone asks by team or worker", a.totals)
	route(h, access.SeeRecords, "records", "Records behind a total. Who sees some teams alone asks by team or worker", a.records)
	routeAt(h, access.SeeRecords, "record", "/api/records/{id}", "One record: who set which field when, and what else happened to it. Each reading is noted in the audit log", a.record)
	routeAt(h, access.SeeConfidential, "confidential", "/api/cases/{id}/confidential", "What is confidential of a case: for those who work on it, their supervisors and coordinators. Each reading is noted in the audit log", a.confidential)
	route(h, access.SeeDevices, "devices", "Tablets and their backlog", a.devices)
	route(h, access.SeeHeld, "held", "Changes that were received and not applied", a.held)
	route(h, access.SeeConflicts, "conflicts", "Fields that two people filled in differently, and nobody has settled", a.conflicts)
	route(h, access.SeeAudit, "audit", "Who did what to what, when, and from where", a.auditLog)
	a.mountRollUp(h)
	a.mountSetUp(h)
	a.mountReview(h)
	a.mountSettling(h)
	a.mountAlerts(h)
	a.mountWork(h)
	a.mountReports(h)
	a.mountWorkbooks(h)
	a.mountSupervision(h)
	a.mountPlanned(h)
	a.mountSearch(h)
	a.mountImporting(h)
	a.mountDecisions(h)
	a.mountTablets(h)
	a.mountExports(h)
	a.mountCloseOut(h)
	document, err := documentOf(h.OpenAPI())
	if err != nil {
		return nil, err
	}
	e.GET("/api/openapi.json", func(ctx echo.Context) error { return ctx.Blob(http.StatusOK, "application/openapi+json", document) })
	return document, nil
}

// actionOf is where an operation has the action that its caller must be allowed.
const actionOf = "levee action"

// route adds one route, for those who may do what it shows.
func route[I, B any](h huma.API, action access.Action, name, summary string, handler func(context.Context, *I) (*answer[B], error)) {
	routeAt(h, action, name, "/api/"+name, summary, handler)
}

func routeAt[I, B any](h huma.API, action access.Action, name, path, summary string, handler func(context.Context, *I) (*answer[B], error)) {
	huma.Register(h, huma.Operation{
		OperationID: "get-" + name, Method: http.MethodGet, Path: path, Summary: summary, Metadata: map[string]any{actionOf: action},
		Responses: map[string]*huma.Response{"304": {Description: "Nothing has changed since the answer that If-None-Match names."}},
	}, handler)
}

// authenticate finds out who calls. What they may do, each route asks where it knows what it is about.
func (a *api) authenticate(ctx huma.Context, next func(huma.Context)) {
	c := humaecho.Unwrap(ctx)
	who, err := a.Caller(c.Response(), c.Request())
	if err != nil {
		a.answerError(err, c)
		return
	}
	ctx = huma.WithValue(ctx, askerKey{}, who)
	ctx = huma.WithValue(ctx, actionKey{}, ctx.Operation().Metadata[actionOf])
	ctx.SetHeader(echo.HeaderCacheControl, "no-store")
	ctx.SetHeader(echo.HeaderVary, "Accept-Language")
	ctx.SetHeader("Content-Language", languageOf(ctx.Header("Accept-Language")))
	next(ctx)
}

// explain turns what the library finds wrong with a request into a problem.
func (a *api) explain(ctx huma.Context, _ string, body any) (any, error) {
	number := humaecho.Unwrap(ctx).Response().Header().Get(requestID)
	if p, ok := body.(interface{ number(request string) }); ok {
		p.number(number)
		return p, nil
	}
	found, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	p := misread(found)
	if found.Status == http.StatusInternalServerError {
		p = a.known(found)
	}
	a.Measures.refused(p)
	b := bodyOf(p, languageOf(ctx.Header("Accept-Language")))
	b.Status, b.Request = found.Status, number
	return b, nil
}

// misread is the problem of a request that the library could not take.
func misread(found *huma.ErrorModel) *problem.Problem {
	p := problem.New(problem.Malformed) // a body that does not parse, came too slowly, or is of another type
	switch found.Status {
	case problem.HTTPStatus(problem.InvalidArgument):
		var wrong []string
		for _, e := range found.Errors {
			_, parameter, _ := strings.Cut(e.Location, ".") // as in query.limit
			wrong = append(wrong, parameter+": "+e.Message)
		}
		p = problem.Newf(problem.InvalidArgument, "%s", strings.Join(wrong, "; "))
	case problem.HTTPStatus(problem.BodyTooLarge):
		p = problem.New(problem.BodyTooLarge)
	}
	return p
}

// mine are the deployments in which a caller may do something.
func (a *api) mine(who *Caller, action access.Action) []*Deployment {
	var all []*Deployment
	for _, d := range a.Deployments.All() {
		if who.May(d, action, access.Where{}) == nil {
			all = append(all, d)
		}
	}
	return all
}

// enter is the deployment that a request is about, once it is sure that the caller may do there what the route does.
func (a *api) enter(ctx context.Context, id string) (*Deployment, error) {
	action, _ := ctx.Value(actionKey{}).(access.Action)
	return a.enterFor(ctx, id, action)
}

// enterFor is enter, for a route that asks later for more than this action.
func (a *api) enterFor(ctx context.Context, id string, action access.Action) (*Deployment, error) {
	who := callerOf(ctx)
	if id == "" {
		all := a.mine(who, access.SeeSetUp)
		if len(all) != 1 {
			return nil, problem.Newf(problem.InvalidArgument, "deployment: name one of %d; see /api/deployments", len(all))
		}
		id = all[0].Syncing.Deployment().String()
	}
	parsed, err := uuid.Parse(id)
	if err != nil {
		return nil, problem.New(problem.NotFound)
	}
	d, err := a.Deployments.Enter(ctx, parsed)
	if err != nil {
		return nil, err
	}
	return d, who.May(d, action, access.Where{})
}

// sight is what the caller of a route sees of a deployment: whether all of it, and of which teams.
func sight(ctx context.Context, d *Deployment) (whole bool, sees func(team hlc.ID) bool) {
	who := callerOf(ctx)
	action, _ := ctx.Value(actionKey{}).(access.Action)
	whole, _ = access.Teams(who.Person(d), action)
	return whole, func(team hlc.ID) bool { return who.May(d, action, access.Where{Team: team}) == nil }
}

// reader is the caller of a route as one who reads and judges records, within the scopes of their token.
func reader(ctx context.Context, d *Deployment) casefile.Reader {
	who := callerOf(ctx)
	return casefile.Reader{Person: who.Person(d), Actor: who.Actor(d.Syncing.Deployment()),
		May: func(action access.Action) bool { return who.Token == nil || who.Token.May(scopeOf(action)) }}
}

// within are the teams to which a list is cut: those in which the caller may do what the route does, or the one of these that is asked
// for. It is nil for all.
func within(ctx context.Context, d *Deployment, team string) ([]hlc.ID, error) {
	who := callerOf(ctx)
	action, _ := ctx.Value(actionKey{}).(access.Action)
	if team == "" {
		all, some := access.Teams(who.Person(d), action)
		if all {
			return nil, nil
		}
		return append([]hlc.ID{}, some...), nil // who has no team gets none, and not all
	}
	asked, _ := uuid.Parse(team) // validated
	if d.Syncing.SetUp().Teams[asked] == nil || who.May(d, action, access.Where{Team: asked}) != nil {
		return nil, problem.New(problem.NotFound)
	}
	return []hlc.ID{asked}, nil
}

func (a *api) deployments(ctx context.Context, in *struct{ Asked }) (*answer[deploymentsBody], error) {
	body := deploymentsBody{Deployments: []deploymentView{}}
	for _, d := range a.mine(callerOf(ctx), access.SeeSetUp) {
		body.Deployments = append(body.Deployments, viewDeployment(d.Syncing.Deployment(), d.Syncing.SetUp()))
	}
	return &answer[deploymentsBody]{Status: http.StatusOK, Language: languageOf(in.AcceptLanguage), Body: body}, nil
}

func (a *api) figures(ctx context.Context, in *struct{ Scope }) (*answer[figuresBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (figuresBody, error) {
		return figuresBody{Figures: viewFigures(d.Progress.Figures())}, nil
	})
}

func (a *api) devices(ctx context.Context, in *struct {
	Scope
	Paging
}) (*answer[devicesBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (devicesBody, error) {
		page := in.page()
		_, page.Sees = sight(ctx, d)
		tablets, next, err := d.Progress.Tablets(ctx, page)
		return viewDevices(tablets, next), err
	})
}

func (a *api) held(ctx context.Context, in *struct {
	Scope
	After int64 `query:"after" minimum:"0" doc:"The next of the page before; absent for the first page."`
	Limit int   `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many rows to give at most."`
}) (*answer[heldBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, lang string) (heldBody, error) {
		page := progress.Page[uint64]{After: uint64(in.After), Limit: in.Limit} //nolint:gosec // not negative
		_, page.Sees = sight(ctx, d)
		held, next, err := d.Progress.Held(ctx, page)
		return viewHeld(held, next, lang), err
	})
}

func (a *api) conflicts(ctx context.Context, in *struct {
	Scope
	Paging
}) (*answer[conflictsBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (conflictsBody, error) {
		page := in.page()
		_, page.Sees = sight(ctx, d)
		conflicts, next, err := d.Progress.Conflicts(ctx, page)
		return viewConflicts(conflicts, next), err
	})
}
