package httpapi

import (
	"bytes"
	"context"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/workbook"
	"levee/syncproto/problem"
)

// mountWorkbooks adds the routes of bureaus' Excel files into which reports are poured. A bureau gets the figures of the whole.
func (a *api) mountWorkbooks(h huma.API) {
	route(h, access.SeeTotals, "workbooks", "Bureaus' own Excel files, and which of their cells gets what. For who sees all totals", a.workbooks)
	huma.Register(h, huma.Operation{
		OperationID: "fill-workbook", Method: http.MethodGet, Path: "/api/workbooks/{workbook}/filled",
		Summary:  "The Excel file with the report of a day, a week or a month in it, in the language of Accept-Language. For who sees all totals",
		Metadata: map[string]any{actionOf: access.SeeTotals}, Responses: map[string]*huma.Response{"200": aFile(workbook.Type)},
	}, a.fillWorkbook)
	huma.Register(h, huma.Operation{
		OperationID: "add-workbook", Method: http.MethodPost, Path: "/api/workbooks", DefaultStatus: http.StatusCreated,
		Summary:      "Keep a bureau's Excel file (.xlsx, at most 2 MB, without macros). Which cells get what is said next",
		MaxBodyBytes: workbook.MaxBytes, BodyReadTimeout: 2 * time.Minute, Metadata: map[string]any{actionOf: access.EditSetUp}, Responses: map[string]*huma.Response{},
	}, a.addWorkbook)
	huma.Register(h, huma.Operation{
		OperationID: "name-cells", Method: http.MethodPut, Path: "/api/workbooks/{workbook}/cells", DefaultStatus: http.StatusNoContent,
		Summary:      "Say which cells of an Excel file get what, in place of what was said before",
		MaxBodyBytes: 64 << 10, Metadata: map[string]any{actionOf: access.EditSetUp}, Responses: map[string]*huma.Response{},
	}, a.nameCells)
	doing(h, http.MethodDelete, access.EditSetUp, "remove-workbook", "/api/workbooks/{workbook}", "Remove an Excel file, and what its cells get", a.removeWorkbook)
}

type workbooksBody struct {
	Workbooks []workbookView `json:"workbooks" nullable:"false" doc:"By name."`
	Values    []string       `json:"values" nullable:"false" doc:"All that a cell can get: done is of the period and total to date."`
}

type workbookView struct {
	ID    string     `json:"id" format:"uuid"`
	Name  string     `json:"name" example:"民政局日报"`
	Cells []cellView `json:"cells" nullable:"false"`
}

// cellView is a workbook.Cell.
type cellView struct {
	Sheet string `json:"sheet" maxLength:"31" example:"上报表" doc:"Name of the sheet."`
	Ref   string `json:"ref" maxLength:"20" example:"B3" doc:"The cell. One with a formula keeps it and gets nothing."`
	Value string `json:"value" maxLength:"100" example:"done.contacts" doc:"One of the values that the list of Excel files has."`
	Town  string `json:"town,omitempty" maxLength:"9" example:"410621108" doc:"Code of the town whose figure it is, of a figure of the period; absent for the whole."`
}

func (a *api) workbooks(ctx context.Context, in *struct{ Scope }) (*answer[workbooksBody], error) {
	return replyWhole(ctx, a, in.Scope, func(d *Deployment, _ string) (workbooksBody, error) {
		body := workbooksBody{Workbooks: []workbookView{}, Values: workbook.Values(workbook.Figures(d.Progress.Figures()))}
		if err := wholeAlone(ctx, d); err != nil {
			return body, err
		}
		all, err := d.Workbooks.Workbooks(ctx)
		for _, w := range all {
			view := workbookView{w.ID.String(), w.Name, []cellView{}}
			for _, c := range w.Cells {
				view.Cells = append(view.Cells, cellView(c))
			}
			body.Workbooks = append(body.Workbooks, view)
		}
		return body, err
	})
}

// wholeAlone refuses who sees some teams alone.
func wholeAlone(ctx context.Context, d *Deployment) error {
	if whole, _ := sight(ctx, d); !whole {
		return problem.New(problem.NotAllowed)
	}
	return nil
}

// OfWorkbook names one Excel file.
type OfWorkbook struct {
	Workbook string `path:"workbook" format:"uuid" doc:"Id of the Excel file, as /api/workbooks has it."`
}

// in finds the file; the problem is not_found when the deployment has none of that id.
func (of OfWorkbook) in(ctx context.Context, d *Deployment) (workbook.Workbook, error) {
	id, _ := uuid.Parse(of.Workbook) // validated
	w, ok, err := d.Workbooks.Workbook(ctx, id)
	if err == nil && !ok {
		err = problem.New(problem.NotFound)
	}
	return w, err
}

type fillIn struct {
	ReportAsked
	OfWorkbook
}

func (a *api) fillWorkbook(ctx context.Context, in *fillIn) (*huma.StreamResponse, error) {
	var out bytes.Buffer
	name, err := a.filled(ctx, in, &out)
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", workbook.Type)
		ctx.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		_, _ = out.WriteTo(ctx.BodyWriter()) // the caller is gone if this fails
	}}, nil
}

// filled writes a file with a report in it, and says what it is called.
func (a *api) filled(ctx context.Context, in *fillIn, out *bytes.Buffer) (name string, err error) {
	d, err := a.enter(ctx, in.Deployment)
	if err != nil {
		return "", err
	}
	if err := wholeAlone(ctx, d); err != nil {
		return "", err
	}
	w, err := in.in(ctx, d)
	if err != nil {
		return "", err
	}
	r, err := in.of(ctx, d, nil)
	if err != nil {
		return "", err
	}
	return w.Filled(r), w.Fill(out, r, languageOf(in.AcceptLanguage), d.Syncing.SetUp().Location)
}

type addWorkbookIn struct {
	Scope
	Name    string `query:"name" required:"true" maxLength:"60" example:"民政局日报" doc:"What people call it: one line."`
	RawBody []byte `contentType:"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"`
}

type workbookMade struct {
	ID     string   `json:"id" format:"uuid"`
	Sheets []string `json:"sheets" nullable:"false" doc:"Names of its sheets, in their order."`
}

func (a *api) addWorkbook(ctx context.Context, in *addWorkbookIn) (*given[workbookMade], error) {
	made := workbookMade{}
	if _, err := a.do(ctx, in.Scope, func(d *Deployment) (action audit.Action, subject audit.Subject, err error) {
		if !workbook.Nameable(in.Name) {
			return "", subject, problem.Newf(problem.InvalidArgument, "name: one line of at most %d characters, without spaces around it", workbook.MaxName)
		}
		if made.Sheets, err = workbook.Sheets(in.RawBody); err != nil {
			return "", subject, err
		}
		id, err := d.Syncing.NewID()
		if err != nil {
			return "", subject, err
		}
		made.ID = id.String()
		return keep(ctx, d, workbook.Workbook{ID: id, Name: in.Name, File: in.RawBody, Cells: []workbook.Cell{}})
	}); err != nil {
		return nil, err
	}
	return &given[workbookMade]{languageOf(in.AcceptLanguage), made}, nil
}

// keep writes a workbook, and says how that is noted.
func keep(ctx context.Context, d *Deployment, w workbook.Workbook) (audit.Action, audit.Subject, error) {
	kept, err := d.Workbooks.KeepWorkbook(ctx, w)
	if err == nil && !kept {
		err = problem.Newf(problem.InvalidArgument, "there are %d Excel files already: remove one first", workbook.Most)
	}
	return audit.SetUpChanged, ofDeployment(d), err
}

func ofDeployment(d *Deployment) audit.Subject {
	return audit.Subject{Kind: audit.OfDeployment, ID: d.Syncing.Deployment()}
}

type nameCellsIn struct {
	Scope
	OfWorkbook
	Body struct {
		Cells []cellView `json:"cells" nullable:"false" maxItems:"200"`
	}
}

func (a *api) nameCells(ctx context.Context, in *nameCellsIn) (*struct{}, error) {
	return a.do(ctx, in.Scope, func(d *Deployment) (action audit.Action, subject audit.Subject, err error) {
		w, err := in.in(ctx, d)
		if err != nil {
			return "", subject, err
		}
		if w.Cells, err = cellsFor(d, &w, in.Body.Cells); err != nil {
			return "", subject, err
		}
		return keep(ctx, d, w)
	})
}

// townCode is the form of a town's code.
var townCode = regexp.MustCompile(`^[0-9]{9}$`)

// cellsFor are cells as they are kept. The problem is invalid_argument, and names each that can't be filled in, counted from 0.
func cellsFor(d *Deployment, w *workbook.Workbook, views []cellView) ([]workbook.Cell, error) {
	cells, values := make([]workbook.Cell, len(views)), workbook.Values(workbook.Figures(d.Progress.Figures()))
	for i, view := range views {
		cells[i] = workbook.Cell(view)
	}
	faults, err := workbook.Check(w.File, cells)
	if err != nil {
		return nil, err
	}
	for i, c := range cells {
		switch {
		case !slices.Contains(values, c.Value):
			faults[i] = "no_value"
		case c.Town != "" && (!workbook.OfTown(c.Value) || !townCode.MatchString(c.Town)):
			faults[i] = "no_town"
		}
	}
	var wrong []string
	for _, i := range slices.Sorted(maps.Keys(faults)) {
		wrong = append(wrong, "cells["+strconv.Itoa(i)+"]: "+string(faults[i]))
	}
	if len(wrong) > 0 {
		return nil, problem.Newf(problem.InvalidArgument, "%s", strings.Join(wrong, "; "))
	}
	return cells, nil
}

type removeWorkbookIn struct {
	Scope
	OfWorkbook
}

func (a *api) removeWorkbook(ctx context.Context, in *removeWorkbookIn) (*struct{}, error) {
	return a.do(ctx, in.Scope, func(d *Deployment) (action audit.Action, subject audit.Subject, err error) {
		w, err := in.in(ctx, d)
		if err != nil {
			return "", subject, err
		}
		return audit.SetUpChanged, ofDeployment(d), d.Workbooks.RemoveWorkbook(ctx, w.ID)
	})
}
