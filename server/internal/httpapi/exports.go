package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/export"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// mountExports adds the routes by which files are ordered and taken.
func (a *api) mountExports(h huma.API) {
	operation := func(method, id, path, summary string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, MaxBodyBytes: 16 << 10, Metadata: map[string]any{actionOf: access.Export}, Responses: map[string]*huma.Response{}}
	}
	huma.Register(h, operation(http.MethodPost, "order-export", "/api/exports", "Have a file made of what the caller sees, all of one moment. One at a time; it is noted in the audit log", http.StatusCreated), a.orderExport)
	huma.Register(h, operation(http.MethodGet, "list-exports", "/api/exports", "Files that the caller ordered and may have still, the newest first", http.StatusOK), a.listExports)
	huma.Register(h, operation(http.MethodGet, "get-export", "/api/exports/{export}", "How far a file is that was ordered. It is kept for an hour", http.StatusOK), a.getExport)
	file := operation(http.MethodGet, "get-export-file", "/api/exports/{export}/file", "The file, once it is ready", http.StatusOK)
	file.Responses["200"] = aFile("application/octet-stream")
	huma.Register(h, file, a.exportFile)
	drop := operation(http.MethodDelete, "drop-export", "/api/exports/{export}", "Break off a file that is being made, or remove it", http.StatusNoContent)
	huma.Register(h, drop, a.dropExport)
}

// aFile is how the document describes an answer that is a file of a media type.
func aFile(mediaType string) *huma.Response {
	return &huma.Response{Description: "The file.", Content: map[string]*huma.MediaType{mediaType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
}

type orderExportIn struct {
	Scope
	Body struct {
		Format       string `json:"format" enum:"csv,geojson,hxl,xlsx" doc:"csv: a ZIP file with a file for each kind of record, and the totals. xlsx: a workbook of the same. For others, without records and without numbers of few people: hxl, who did what, where and when; geojson, the sites with their totals."`
		Confidential bool   `json:"confidential,omitempty" doc:"What is confidential too, of csv and xlsx, for who may see it."`
	}
}

// ofExport names one export.
type ofExport struct {
	Scope
	Export string `path:"export" maxLength:"64" doc:"Its id, as it was given when it was ordered."`
}

type exportOut struct {
	Language string `header:"Content-Language"`
	Body     exportView
}

type exportView struct {
	ID           string     `json:"id"`
	Format       string     `json:"format"`
	Confidential bool       `json:"confidential"`
	State        string     `json:"state" enum:"running,ready,failed,too_large"`
	Done         uint64     `json:"done" doc:"Records that are read."`
	Of           uint64     `json:"of" doc:"Records there are to read; 0 until that is known."`
	Ordered      time.Time  `json:"ordered_at"`
	Until        *time.Time `json:"kept_until,omitempty" doc:"Absent while it is running."`
	Position     uint64     `json:"position" doc:"How long the change log was at the moment that all of it is of."`
	Size         int64      `json:"size" doc:"In bytes; 0 until it is ready."`
}

func viewExport(o *export.Ordered) exportView {
	view := exportView{o.ID, o.Format.Name, o.Query.Confidential, o.State.String(), o.Done, o.Of, o.Ordered.UTC(), nil, o.Position, o.Size}
	if o.State != export.Running {
		until := o.Until.UTC()
		view.Until = &until
	}
	return view
}

// orderer is whose exports a caller's are: a program has its own.
func orderer(who *Caller) hlc.ID {
	if who.Token != nil {
		return who.Token.ID
	}
	return who.Session.Account.ID
}

func (a *api) orderExport(ctx context.Context, in *orderExportIn) (*exportOut, error) {
	lang := languageOf(in.AcceptLanguage)
	o, err := a.startExport(ctx, in, lang)
	if err != nil {
		return nil, bodyOf(a.toProblem(err), lang)
	}
	return &exportOut{lang, viewExport(&o)}, nil
}

func (a *api) startExport(ctx context.Context, in *orderExportIn, lang string) (o export.Ordered, err error) {
	d, err := a.enter(ctx, in.Deployment)
	if err != nil {
		return o, err
	}
	who, id, action := callerOf(ctx), d.Syncing.Deployment(), audit.Exported
	q := export.Allowed(who.Person(d), lang, in.Body.Confidential)
	if in.Body.Confidential {
		action = audit.ConfidentialExported
		if !q.Confidential || who.Token != nil && !who.Token.May(scopeOf(access.SeeConfidential)) {
			return o, problem.New(problem.NotAllowed)
		}
	}
	return a.Exports.Start(export.Order{Account: orderer(who), Deployment: id, Format: export.FormatNamed(in.Body.Format), Query: q, Note: func(ctx context.Context, position uint64) error {
		return a.Audit.Write(ctx, audit.Entry{Deployment: id, Actor: who.Actor(id), Action: action, Subject: ofDeployment(d), File: audit.File{Format: in.Body.Format, Position: position}})
	}})
}

type exportsBody struct {
	Exports []exportView `json:"exports" nullable:"false" doc:"The newest first."`
}

func (a *api) listExports(ctx context.Context, in *struct{ Scope }) (*given[exportsBody], error) {
	return ask(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader) (exportsBody, error) {
		body := exportsBody{Exports: []exportView{}}
		for _, o := range a.Exports.Of(orderer(callerOf(ctx)), d.Syncing.Deployment()) {
			if o.MayTake(by.Person) {
				body.Exports = append(body.Exports, viewExport(&o))
			}
		}
		return body, nil
	})
}

// ordered is an export that the caller ordered and may have still.
func (a *api) ordered(ctx context.Context, in *ofExport) (d *Deployment, o export.Ordered, err error) {
	if d, err = a.enter(ctx, in.Deployment); err != nil {
		return nil, o, err
	}
	who := callerOf(ctx)
	o, err = a.Exports.Get(orderer(who), d.Syncing.Deployment(), in.Export)
	if err == nil && !o.MayTake(who.Person(d)) {
		err = problem.New(problem.NotFound)
	}
	return d, o, err
}

func (a *api) getExport(ctx context.Context, in *ofExport) (*exportOut, error) {
	lang := languageOf(in.AcceptLanguage)
	_, o, err := a.ordered(ctx, in)
	if err != nil {
		return nil, bodyOf(a.toProblem(err), lang)
	}
	return &exportOut{lang, viewExport(&o)}, nil
}

func (a *api) dropExport(ctx context.Context, in *ofExport) (*struct{}, error) {
	d, o, err := a.ordered(ctx, in)
	if err == nil {
		err = a.Exports.Drop(o.Account, d.Syncing.Deployment(), o.ID)
	}
	if err != nil {
		return nil, bodyOf(a.toProblem(err), languageOf(in.AcceptLanguage))
	}
	return nil, nil
}

func (a *api) exportFile(ctx context.Context, in *ofExport) (*huma.StreamResponse, error) {
	d, o, err := a.ordered(ctx, in)
	if err == nil && o.State != export.Ready {
		err = problem.New(problem.NotFound)
	}
	if err != nil {
		return nil, bodyOf(a.toProblem(err), languageOf(in.AcceptLanguage))
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		c := humaecho.Unwrap(ctx)
		if err := SendExport(c.Response(), c.Request(), a.Exports, o, d.Syncing.SetUp().Location); err != nil {
			a.answerError(err, c)
		}
	}}, nil
}

// exportTime is how long a file may take to be sent: there are slow networks, and the server's own limit is for pages.
const exportTime = 30 * time.Minute

// SendExport answers with a file that was ordered, named after when, in a zone.
func SendExport(w http.ResponseWriter, r *http.Request, desk *export.Desk, o export.Ordered, zone *time.Location) error {
	file, err := desk.Open(o.Account, o.Deployment, o.ID)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()                                            // it was only read
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportTime)) // where it can't be set, a slow one is cut
	w.Header().Set("Content-Type", o.Format.Type)
	w.Header().Set("Content-Disposition", `attachment; filename="levee-`+o.Format.Name+"-"+o.Ordered.In(zone).Format("20060102-1504")+o.Format.Extension+`"`)
	http.ServeContent(w, r, "", time.Time{}, file)
	return nil
}
