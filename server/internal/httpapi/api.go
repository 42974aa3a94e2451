package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
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

// answer is what is sent; with status 304 it has no body.
type answer[B any] struct {
	Status   int
	ETag     string `header:"ETag" doc:"Changes whenever this answer may have changed."`
	Language string `header:"Content-Language"`
	Body     B
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

// Asked is what every request may say.
type Asked struct {
	AcceptLanguage string `header:"Accept-Language" doc:"中文 or English; English when absent." example:"zh-CN"`
	IfNoneMatch    string `header:"If-None-Match" doc:"ETag of the answer that the caller has."`
}

// Scope is the deployment that a request is about.
type Scope struct {
	Asked
	Deployment string `query:"deployment" format:"uuid" doc:"Id of the deployment. It may be left out by who sees only one."`
}

// Paging says which part of a list is wanted.
type Paging struct {
	After string `query:"after" format:"uuid" doc:"The next of the page before; absent for the first page."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many rows to give at most."`
}

func (p Paging) page() progress.Page[hlc.ID] {
	after, _ := uuid.Parse(p.After) // validated; empty is the zero id
	return progress.Page[hlc.ID]{After: after, Limit: p.Limit}
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

// refusal is an error as it is answered.
func (a *api) refusal(err error, asked Asked) error {
	return bodyOf(a.toProblem(err), languageOf(asked.AcceptLanguage))
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

// reply answers a request about a deployment, unless the caller has the answer already. The version is read before what
// it stands for, so that an ETag can be too old and never too new.
func reply[B any](ctx context.Context, a *api, s Scope, read func(d *Deployment, lang string) (B, error)) (*answer[B], error) {
	return replyAt(ctx, a, s, func(*Deployment) (uint64, error) { return 0, nil }, read)
}

// replySorted is reply for what is read from the tables of package indexing: how far these are behind belongs to the version.
func replySorted[B any](ctx context.Context, a *api, s Scope, read func(d *Deployment, lang string) (B, error)) (*answer[B], error) {
	return replyAt(ctx, a, s, func(d *Deployment) (uint64, error) { return d.Indexing.Behind(ctx) }, read)
}

func replyAt[B any](ctx context.Context, a *api, s Scope, behind func(*Deployment) (uint64, error), read func(d *Deployment, lang string) (B, error)) (*answer[B], error) {
	lang := languageOf(s.AcceptLanguage)
	d, err := a.enter(ctx, s.Deployment)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	version, err := d.Progress.Version(ctx)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	unsorted, err := behind(d)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	out := &answer[B]{Language: lang, ETag: fmt.Sprintf(`W/"%x-%x-%x-%x-%s"`, version.Position, version.Contact, int32(version.Day), unsorted, lang)}
	if matches(s.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Status = http.StatusOK
	if out.Body, err = read(d, lang); err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	return out, nil
}

// replyWhole is reply for what changes without the log's growing: the ETag is the digest of the answer.
func replyWhole[B any](ctx context.Context, a *api, s Scope, read func(d *Deployment, lang string) (B, error)) (*answer[B], error) {
	out := &answer[B]{Status: http.StatusOK, Language: languageOf(s.AcceptLanguage)}
	d, err := a.enter(ctx, s.Deployment)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	if out.Body, err = read(d, out.Language); err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	encoded, err := json.Marshal(out.Body)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	digest := sha256.Sum256(encoded)
	if out.ETag = fmt.Sprintf(`W/"%x-%s"`, digest[:12], out.Language); matches(s.IfNoneMatch, out.ETag) {
		var none B
		out.Status, out.Body = http.StatusNotModified, none
	}
	return out, nil
}

// matches reports whether a list of ETags has one, compared weakly.
func matches(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
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

// TotalsAsked says which totals are wanted.
type TotalsAsked struct {
	Scope
	By         string    `query:"by" default:"whole" enum:"whole,day,site,place,team,worker,service_area,sex,age_band,disability" doc:"What the totals are divided by. By sex, age_band and disability there are only figures of people."`
	Basis      string    `query:"basis" default:"both" enum:"reported,verified,both" doc:"reported counts everything; verified counts what a supervisor approved and what has not changed since in a counted field."`
	Figure     []string  `query:"figure" enum:"cases,case_sessions,group_sessions,community_activities,outreach_rounds,contacts,persons,beneficiaries,persons_by_number,persons_estimated" doc:"Only these, with commas between them."`
	Level      string    `query:"level" enum:"province,city,county,town,village" doc:"With by=place: the level of the places; the one right below below, or province, when absent. What was logged without a place of that level is in no row."`
	Below      string    `query:"below" pattern:"^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9})$" doc:"With by=place: only places within the one with this code."`
	AsOf       string    `query:"as_of" format:"date" doc:"The last day that counts, in the deployment's time zone; when absent, all there is counts."`
	HeardSince time.Time `query:"heard_since" doc:"A tablet with a contact since then was heard from; a day ago when absent."`
}

func (a *api) totals(ctx context.Context, in *TotalsAsked) (*answer[totalsBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (totalsBody, error) {
		q := progress.TotalsQuery{Figures: in.Figure, Level: in.Level, Below: in.Below, HeardSince: in.HeardSince}
		var err error
		if q.By, err = tally.ParseDimension(in.By); err != nil {
			return totalsBody{}, err
		}
		if q.AsOf, err = dateOf("as_of", in.AsOf); err != nil {
			return totalsBody{}, err
		}
		for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
			if in.Basis == basis.String() || in.Basis == "both" {
				q.Bases = append(q.Bases, basis)
			}
		}
		whole, sees := sight(ctx, d)
		if !whole && q.By != tally.Team && q.By != tally.Worker {
			return totalsBody{}, problem.New(problem.NotAllowed)
		}
		t, err := d.Progress.Totals(ctx, q)
		if !whole {
			t.Rows = slices.DeleteFunc(t.Rows, func(row progress.Row) bool { return !seesRow(d, sees, q.By, row.Key) })
		}
		return viewTotals(q, t), err
	})
}

// RecordsAsked says which total the records are behind.
type RecordsAsked struct {
	Scope
	Figure string `query:"figure" required:"true" enum:"cases,case_sessions,group_sessions,community_activities,outreach_rounds,contacts,persons,beneficiaries,persons_by_number,persons_estimated" doc:"The figure."`
	Basis  string `query:"basis" default:"reported" enum:"reported,verified" doc:"The basis."`
	By     string `query:"by" default:"whole" enum:"whole,day,site,place,team,worker,service_area,sex,age_band,disability" doc:"What the total is divided by."`
	Key    string `query:"key" maxLength:"64" doc:"The row, by its key; empty for the whole and for what was not stated."`
	AsOf   string `query:"as_of" format:"date" doc:"The last day that counts, as in totals."`
	Paging
}

func (a *api) records(ctx context.Context, in *RecordsAsked) (*answer[recordsBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (recordsBody, error) {
		q := progress.BehindQuery{Figure: in.Figure, Page: in.page()}
		var err error
		if q.Basis, err = tally.ParseBasis(in.Basis); err != nil {
			return recordsBody{}, err
		}
		if q.Cut.Dimension, err = tally.ParseDimension(in.By); err != nil {
			return recordsBody{}, err
		}
		if q.AsOf, err = dateOf("as_of", in.AsOf); err != nil {
			return recordsBody{}, err
		}
		q.Cut.Key = in.Key
		if whole, sees := sight(ctx, d); !whole {
			if q.Cut.Dimension != tally.Team && q.Cut.Dimension != tally.Worker {
				return recordsBody{}, problem.New(problem.NotAllowed)
			}
			if !seesRow(d, sees, q.Cut.Dimension, q.Cut.Key) {
				return recordsBody{}, problem.New(problem.NotFound)
			}
		}
		b, err := d.Progress.Behind(ctx, q)
		return viewRecords(b), err
	})
}

// seesRow reports whether who sees some teams sees a row of totals by team or worker.
func seesRow(d *Deployment, sees func(hlc.ID) bool, by tally.Dimension, key string) bool {
	id, err := uuid.Parse(key)
	if err != nil {
		return false
	}
	if by == tally.Worker {
		id = d.Syncing.Person(id).Team
	}
	return id != access.Everyone && sees(id)
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

// dateOf reads a date that may be absent, of the parameter of a name.
func dateOf(name, text string) (record.Date, error) {
	if text == "" {
		return 0, nil
	}
	day, err := record.ParseDate(text)
	if err != nil {
		return 0, problem.Newf(problem.InvalidArgument, "%s: %v", name, err)
	}
	return day, nil
}
