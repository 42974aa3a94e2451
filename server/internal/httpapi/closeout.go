package httpapi

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// mountCloseOut adds the routes by which a deployment is closed, and that show how far it is.
func (a *api) mountCloseOut(h huma.API) {
	route(h, access.SeeTotals, "close-out", "How far a deployment is on its way to the end, and what stands in the way. Who sees some teams alone is told of their items, and how many there are of others", a.closeOut)
	doing(h, http.MethodPut, access.CloseDeployment, "announce", "/api/close-out/announcement", "Announce the close-out, or change the days. Of a closed deployment only the day of erasure can be changed", a.announce)
	post(h, access.CloseDeployment, "waive", "/api/close-out/waivers", "Let one item of a check pass, or all that it has, with a reason which the certificate carries", a.waive)
	doing(h, http.MethodDelete, access.CloseDeployment, "take-back-waiver", "/api/close-out/waivers/{waiver}", "Take a waiver back, while the deployment is not closed", a.takeBackWaiver)
	give(h, http.StatusAccepted, access.CloseDeployment, "close", "/api/close-out/closing", "Freeze the totals and issue the certificate. It is done in the background, since all totals are recounted: /api/close-out says how far it is", a.close)
	give(h, http.StatusAccepted, access.CloseDeployment, "recount", "/api/close-out/recount", "Recount all totals in the background; /api/close-out tells what came of it", a.recount)
	post(h, access.CloseDeployment, "reopen", "/api/close-out/reopening", "Take the deployment one state back: closed to closing, where addenda are taken in, and closing to active", a.reopen)
	routeAt(h, access.SeeTotals, "certificates", "/api/close-out/certificates", "The editions of the certificate, the first one first", a.certificates)
	give(h, http.StatusAccepted, access.CloseDeployment, "issue", "/api/close-out/certificates", "Issue the next edition in the background, once it is decided on addenda", a.issue)
	file := huma.Operation{OperationID: "get-certificate", Method: http.MethodGet, Path: "/api/close-out/certificates/{edition}", Summary: "The file of one edition, byte by byte as it was signed", DefaultStatus: http.StatusOK,
		Metadata: map[string]any{actionOf: access.SeeTotals}, Responses: map[string]*huma.Response{"200": {Description: "The file.", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}}}
	huma.Register(h, file, a.certificateFile)
	report := huma.Operation{OperationID: "get-closing-report", Method: http.MethodGet, Path: "/api/close-out/certificates/{edition}/report.pdf", Summary: "The closing report of one edition as a PDF, in the language asked for, for who sees all totals", DefaultStatus: http.StatusOK,
		Metadata: map[string]any{actionOf: access.SeeTotals}, Responses: map[string]*huma.Response{"200": {Description: "The file.", Content: map[string]*huma.MediaType{"application/pdf": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}}
	huma.Register(h, report, a.closingReport)
	routeAt(h, access.CloseDeployment, "addenda", "/api/close-out/addenda", "What tablets brought after the closing and nobody has decided on, by tablet", a.addenda)
	give(h, http.StatusOK, access.CloseDeployment, "decide-addenda", "/api/close-out/addenda/decision", "Accept or decline changes of addenda. What is accepted moves the totals; the next edition says so", a.decideAddenda)
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

type waiverView struct {
	ID     string    `json:"id" format:"uuid"`
	Reason string    `json:"reason"`
	By     namedView `json:"by"`
	At     time.Time `json:"at"`
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

func viewWaiver(w *closeout.Waiver) *waiverView {
	if w == nil {
		return nil
	}
	return &waiverView{w.ID.String(), w.Reason, viewNamed(w.By), w.At.UTC()}
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

type waiveIn struct {
	Scope
	Body struct {
		Check   string `json:"check" maxLength:"64" example:"open_case"`
		Subject string `json:"subject,omitempty" format:"uuid" doc:"The item; absent for all that the check has. More than that are not waived."`
		Reason  string `json:"reason" minLength:"1" maxLength:"4000" doc:"What was tried, and why it may stay open. No personal data."`
	}
}

func (a *api) waive(ctx context.Context, in *waiveIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		check, ok := closeout.CheckNamed(in.Body.Check)
		if !ok {
			return problem.Newf(problem.InvalidArgument, "check: there is none of this name")
		}
		if d.Closeout.Work().Running() {
			return problem.New(problem.Busy)
		}
		subject, _ := uuid.Parse(in.Body.Subject) // validated; empty is the zero id
		return d.Closeout.Waive(ctx, by, check, subject, in.Body.Reason)
	})
}

func (a *api) takeBackWaiver(ctx context.Context, in *struct {
	Scope
	Waiver string `path:"waiver" format:"uuid" doc:"Id of the waiver."`
}) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		if d.Closeout.Work().Running() {
			return problem.New(problem.Busy)
		}
		id, _ := uuid.Parse(in.Waiver) // validated
		return d.Closeout.TakeBack(ctx, by, id)
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

func (a *api) issue(ctx context.Context, in *struct{ Scope }) (*given[workView], error) {
	return a.begun(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error { return d.Closeout.BeginIssuing(by) })
}

func (a *api) reopen(ctx context.Context, in *struct{ Scope }) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		if d.Closeout.Work().Running() {
			return problem.New(problem.Busy)
		}
		return d.Closeout.Reopen(ctx, by)
	})
}

type certificatesBody struct {
	Certificates []editionView `json:"certificates" nullable:"false"`
}

type editionView struct {
	Edition     int       `json:"edition" example:"1"`
	IssuedAt    time.Time `json:"issued_at"`
	IssuedBy    namedView `json:"issued_by"`
	SHA256      string    `json:"sha256" doc:"Of its file, in hexadecimal digits."`
	Key         string    `json:"key" doc:"Fingerprint of the key that signed it."`
	Differences int       `json:"differences" doc:"Lines in which it differs from the edition before."`
}

func (a *api) certificates(ctx context.Context, in *struct{ Scope }) (*answer[certificatesBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (certificatesBody, error) {
		body := certificatesBody{Certificates: []editionView{}}
		editions, err := d.Closeout.Editions(ctx)
		for _, e := range editions {
			body.Certificates = append(body.Certificates, editionView{e.Edition, e.Issued.At, namedView{idText(e.Issued.Worker), e.Issued.Name}, certificate.Hash(e.File), certificate.Fingerprint(e.Key), len(e.Differences)})
		}
		return body, err
	})
}

type editionIn struct {
	Scope
	Edition int `path:"edition" minimum:"1" doc:"Which one, from 1."`
}

func (a *api) certificateFile(ctx context.Context, in *editionIn) (*huma.StreamResponse, error) {
	_, e, err := a.edition(ctx, in)
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	return a.blob("application/json", e.File), nil
}

// closingReport is the report of an edition. It has all totals: whoever sees those of some teams alone finds none.
func (a *api) closingReport(ctx context.Context, in *editionIn) (*huma.StreamResponse, error) {
	d, e, err := a.edition(ctx, in)
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	if whole, _ := sight(ctx, d); !whole {
		return nil, a.refusal(problem.New(problem.NotFound), in.Asked)
	}
	r, err := d.Final.MakeAsSet(ctx, e.File, languageOf(in.AcceptLanguage))
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	var drawn bytes.Buffer
	if err := r.WritePDF(&drawn); err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	return a.blob("application/pdf", drawn.Bytes()), nil
}

// edition is the edition of a deployment's certificate that a request names.
func (a *api) edition(ctx context.Context, in *editionIn) (*Deployment, *closeout.Edition, error) {
	d, err := a.enter(ctx, in.Deployment)
	if err != nil {
		return nil, nil, err
	}
	editions, err := d.Closeout.Editions(ctx)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(editions, func(e closeout.Edition) bool { return e.Edition == in.Edition })
	if i < 0 {
		return nil, nil, problem.New(problem.NotFound)
	}
	return d, &editions[i], nil
}

// blob is an answer that is a file.
func (a *api) blob(contentType string, content []byte) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		c := humaecho.Unwrap(ctx)
		if err := c.Blob(http.StatusOK, contentType, content); err != nil {
			a.answerError(err, c)
		}
	}}
}

type addendaBody struct {
	Addenda []addendumView `json:"addenda" nullable:"false"`
}

type addendumView struct {
	Device  namedView        `json:"device"`
	Worker  namedView        `json:"worker"`
	Team    namedView        `json:"team"`
	First   time.Time        `json:"first_received_at"`
	Last    time.Time        `json:"last_received_at"`
	New     map[string]int   `json:"new_records" doc:"How many records of each kind would be made."`
	Changes []addedChangeRow `json:"changes" nullable:"false" doc:"In the order in which they came; /api/held/{change} shows what each would set."`
}

type addedChangeRow struct {
	Change   string    `json:"change" format:"uuid"`
	Record   string    `json:"record,omitempty" format:"uuid"`
	Kind     string    `json:"kind" example:"case_session"`
	Makes    bool      `json:"makes" doc:"The record is not there, and would be."`
	Received time.Time `json:"received_at"`
}

func (a *api) addenda(ctx context.Context, in *struct{ Scope }) (*answer[addendaBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (addendaBody, error) {
		body := addendaBody{Addenda: []addendumView{}}
		waiting, err := d.Closeout.Addenda(ctx)
		for _, addendum := range waiting {
			body.Addenda = append(body.Addenda, viewAddendum(addendum))
		}
		return body, err
	})
}

func viewAddendum(of closeout.Addendum) addendumView {
	view := addendumView{Device: viewNamed(of.Device), Worker: viewNamed(of.Worker), Team: viewNamed(of.Team), First: of.First.UTC(), Last: of.Last.UTC(), New: map[string]int{}, Changes: []addedChangeRow{}}
	for kind, n := range of.NewRecords() {
		view.New[kindText(kind)] = n
	}
	for _, h := range of.Changes {
		view.Changes = append(view.Changes, addedChangeRow{h.Change.String(), idText(h.Record), kindText(h.Kind), of.New[h.Record], h.Received.UTC()})
	}
	return view
}

type decideAddendaIn struct {
	Scope
	Body struct {
		Decision string   `json:"decision" enum:"accept,decline"`
		Changes  []string `json:"changes" minItems:"1" maxItems:"400" nullable:"false" doc:"Ids of changes, as /api/close-out/addenda has them; those of a record are taken in the order in which they were made."`
		Reason   string   `json:"reason,omitempty" maxLength:"500" doc:"Needed to decline; the next edition tells it. No personal data."`
	}
}

type leftView struct {
	Left []string `json:"left" nullable:"false" doc:"Changes that can't be applied as they are: they go on waiting."`
}

func (a *api) decideAddenda(ctx context.Context, in *decideAddendaIn) (*given[leftView], error) {
	return ask(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader) (leftView, error) {
		body := leftView{Left: []string{}}
		if d.Closeout.Work().Running() {
			return body, problem.New(problem.Busy)
		}
		changes := make([]hlc.ID, 0, len(in.Body.Changes))
		for _, text := range in.Body.Changes {
			id, err := uuid.Parse(text)
			if err != nil {
				return body, problem.Newf(problem.InvalidArgument, "changes: %q is no id", text)
			}
			changes = append(changes, id)
		}
		left, err := d.Closeout.Decide(ctx, by, in.Body.Decision == "accept", in.Body.Reason, changes)
		for _, id := range left {
			body.Left = append(body.Left, id.String())
		}
		return body, err
	})
}
