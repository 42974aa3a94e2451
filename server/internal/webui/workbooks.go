package webui

import (
	"bytes"
	"cmp"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/places"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/workbook"
	"levee/syncproto/problem"
)

const pathWorkbooks = pathReports + "/workbooks"

// workbookRoutes are those of the Excel files of bureaus into which reports are poured. A bureau gets the figures of the whole.
func workbookRoutes(r *router) {
	r.page(pathWorkbooks, access.SeeTotals, (*visit).workbooks)
	r.page(pathWorkbooks+"/:workbook/filled", access.SeeTotals, (*visit).fillWorkbook)
	r.form(pathWorkbooks+"/new", access.EditSetUp, (*visit).addWorkbook)
	r.form(pathWorkbooks+"/:workbook/cells", access.EditSetUp, (*visit).nameCells)
	r.form(pathWorkbooks+"/:workbook/removal", access.EditSetUp, (*visit).removeWorkbook)
}

func (v *visit) toWorkbooks(more ...string) string {
	return to(v.within.Syncing.Deployment(), append([]string{"reports", "workbooks"}, more...)...)
}

// workbookRow is a bureau's file in the list. Cells and Remove are empty for who may not change it.
type workbookRow struct {
	Name, Named    string
	Fill           []link
	Cells, Removal string
}

// workbooks lists the files, each with its latest reports.
func (v *visit) workbooks() error {
	if v.cut(access.SeeTotals) != nil {
		return problem.New(problem.NotAllowed)
	}
	all, err := v.within.Workbooks.Workbooks(v.context())
	if err != nil {
		return err
	}
	body := struct {
		Rows      []workbookRow
		New, Back string
	}{Back: v.To(to(v.within.Syncing.Deployment(), "reports"))}
	edits := v.may(access.EditSetUp, access.Everyone)
	if edits && len(all) < workbook.Most {
		body.New = v.To(v.toWorkbooks("new"))
	}
	for _, w := range all {
		row := workbookRow{Name: w.Name, Named: v.N("cells_named", int64(len(w.Cells)))}
		if len(w.Cells) > 0 {
			for _, p := range report.Periods {
				row.Fill = append(row.Fill, link{To: v.To(v.toWorkbooks(w.ID.String(), "filled"), "?period=", string(p)), Name: v.T(periodNames[p]), File: true})
			}
		}
		if edits {
			row.Cells, row.Removal = v.To(v.toWorkbooks(w.ID.String(), "cells")), v.To(v.toWorkbooks(w.ID.String(), "removal"))
		}
		body.Rows = append(body.Rows, row)
	}
	return v.show("workbooks", &page{Title: v.T("title_workbooks"), Body: body})
}

// fillWorkbook gives a file with the report of a period in it.
func (v *visit) fillWorkbook() error {
	if v.cut(access.SeeTotals) != nil {
		return problem.New(problem.NotAllowed)
	}
	w, err := v.workbook()
	if err != nil {
		return err
	}
	r, err := v.reportAsked(report.Day, nil)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := w.Fill(&out, r, v.Lang(), v.zone); err != nil {
		return err
	}
	v.Response().Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": w.Filled(r)}))
	return v.Blob(http.StatusOK, workbook.Type, out.Bytes())
}

// workbook is the file that the address names.
func (v *visit) workbook() (workbook.Workbook, error) {
	id, err := v.id("workbook")
	if err != nil {
		return workbook.Workbook{}, err
	}
	w, ok, err := v.within.Workbooks.Workbook(v.context(), id)
	if err == nil && !ok {
		err = problem.New(problem.NotFound)
	}
	return w, err
}

// addWorkbook takes a bureau's file, and goes on to its cells.
func (v *visit) addWorkbook() error {
	f := v.form("submit_send").add(&field{Name: "name", Label: v.T("field_workbook"), Required: true}, &field{Name: "file", Label: v.T("field_workbook_file"), Hint: v.T("hint_workbook_file"), Sort: "file"})
	f.Files = true
	show := func() error {
		return v.show("form", &page{Title: v.T("title_new_workbook"), Lead: []string{v.T("workbook_lead")}, Form: f, Links: []link{{To: v.To(v.toWorkbooks()), Name: v.T("go_back")}}})
	}
	if !v.posted() {
		return show()
	}
	v.Request().Body = http.MaxBytesReader(v.Response(), v.Request().Body, workbook.MaxBytes+1<<16) // what else is in the form is small
	file, _, err := v.fileSent("file")
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) || len(file) > workbook.MaxBytes {
		f.wrong("file", v.T("wrong_workbook_large"))
		return show() // the rest of the form can't be read any more
	}
	if filled := v.filled(f); len(file) == 0 {
		f.wrong("file", v.T("wrong_file_missing"))
	} else if !filled {
		return show()
	}
	if !workbook.Nameable(f.value("name")) {
		f.wrong("name", v.T("wrong_text"))
	}
	if !f.ok() {
		return show()
	}
	if _, err := workbook.Sheets(file); errors.Is(err, problem.New(problem.InvalidArgument)) {
		f.wrong("file", v.T("wrong_workbook"))
		return show()
	} else if err != nil {
		return err
	}
	id, err := v.within.Syncing.NewID()
	if err != nil {
		return err
	}
	kept, err := v.within.Workbooks.KeepWorkbook(v.context(), workbook.Workbook{ID: id, Name: f.value("name"), File: file, Cells: []workbook.Cell{}})
	if err != nil {
		return err
	}
	if !kept {
		f.Error = v.T("wrong_workbooks_many", workbook.Most)
		return show()
	}
	if err := v.note(audit.SetUpChanged, audit.OfDeployment, v.within.Syncing.Deployment()); err != nil {
		return err
	}
	return v.done(v.toWorkbooks(id.String(), "cells"), "workbook_added")
}

// emptyCells is how many rows for further cells the form has.
const emptyCells = 8

// nameCells says which cell of a file gets what.
func (v *visit) nameCells() error {
	w, err := v.workbook()
	if err != nil {
		return err
	}
	sheets, err := workbook.Sheets(w.File)
	if err != nil {
		return err
	}
	f, rows := v.cellsForm(w, sheets)
	show := func() error {
		return v.show("form", &page{Title: v.T("title_cells", w.Name), Lead: []string{v.T("cells_lead"), v.T("cells_more")}, Form: f, Links: []link{{To: v.To(v.toWorkbooks()), Name: v.T("go_back")}}})
	}
	if !v.filled(f) {
		return show()
	}
	cells, row := []workbook.Cell{}, []string{}
	for i := range rows {
		at := strconv.Itoa(i + 1)
		c := workbook.Cell{Sheet: f.value("sheet_" + at), Ref: strings.ReplaceAll(f.value("ref_"+at), " ", ""), Value: f.value("value_" + at), Town: f.value("town_" + at)}
		switch {
		case c.Ref == "" && c.Value == "":
			continue
		case c.Ref == "":
			f.wrong("ref_"+at, v.T("wrong_missing"))
		case c.Value == "":
			f.wrong("value_"+at, v.T("wrong_missing"))
		case c.Town != "" && !workbook.OfTown(c.Value):
			f.wrong("town_"+at, v.T("wrong_town"))
		}
		cells, row = append(cells, c), append(row, at)
	}
	if len(cells) > workbook.MaxCells {
		f.Error = v.T("wrong_cells_many", workbook.MaxCells)
	}
	if !f.ok() {
		return show()
	}
	faults, err := workbook.Check(w.File, cells)
	if err != nil {
		return err
	}
	for i, fault := range faults {
		f.wrong("ref_"+row[i], v.T(cellFaults[fault]))
	}
	if !f.ok() {
		return show()
	}
	w.Cells = cells
	if _, err := v.within.Workbooks.KeepWorkbook(v.context(), w); err != nil {
		return err
	}
	if err := v.note(audit.SetUpChanged, audit.OfDeployment, v.within.Syncing.Deployment()); err != nil {
		return err
	}
	return v.done(v.toWorkbooks(), "saved")
}

// cellFaults are the messages for what is wrong with the naming of a cell.
var cellFaults = map[workbook.Fault]string{workbook.NoSheet: "wrong_choice", workbook.NoCell: "wrong_cell", workbook.HasFormula: "wrong_cell_formula", workbook.Twice: "wrong_cell_twice"}

// cellsForm has a row for each cell that is named, and some more.
func (v *visit) cellsForm(w workbook.Workbook, sheets []string) (f *form, rows int) {
	f, rows = v.form("submit_save"), len(w.Cells)+emptyCells
	var sheetOptions []option
	for _, s := range sheets {
		sheetOptions = append(sheetOptions, option{s, s})
	}
	values, towns := v.cellValues(), v.townOptions()
	for i := range rows {
		c := workbook.Cell{Sheet: sheets[0]}
		if i < len(w.Cells) {
			c = w.Cells[i]
		}
		at, group := strconv.Itoa(i+1), v.T("cell_n", i+1)
		f.add(&field{Name: "sheet_" + at, Label: v.T("field_sheet"), Group: group, Sort: "select", Required: true, Value: c.Sheet, Options: sheetOptions},
			&field{Name: "ref_" + at, Label: v.T("field_cell"), Group: group, Value: c.Ref},
			&field{Name: "value_" + at, Label: v.T("field_gets"), Group: group, Sort: "select", Value: c.Value, Options: values},
			&field{Name: "town_" + at, Label: v.T("field_of_town"), Group: group, Sort: "select", Value: c.Town, Options: towns})
	}
	return f, rows
}

// factNames are the names of the messages for the values that are no figures.
var factNames = map[string]string{workbook.Deployment: "gets_deployment", workbook.From: "gets_from", workbook.To: "gets_to", workbook.ServiceDays: "gets_service_days", workbook.Text: "gets_text",
	workbook.Tablets: "gets_tablets", workbook.HeardFrom: "gets_heard_from", workbook.Outstanding: "gets_outstanding"}

// partNames are the names of the messages for the parts.
var partNames = map[workbook.Part]string{workbook.Done: "gets_done", workbook.DoneVerified: "gets_done_verified", workbook.Total: "gets_total", workbook.TotalVerified: "gets_total_verified"}

// cellValues are all that a cell can get.
func (v *visit) cellValues() (list []option) {
	for _, fact := range workbook.Facts {
		list = append(list, option{fact, v.T(factNames[fact])})
	}
	for _, part := range workbook.Parts {
		for _, f := range workbook.Figures(v.within.Progress.Figures()) {
			list = append(list, option{part.Of(f.Name), v.T(partNames[part], v.figureLabel(f))})
		}
	}
	return list
}

// townOptions are the towns in which the deployment has sites.
func (v *visit) townOptions() (list []option) {
	for _, site := range v.within.Syncing.SetUp().Sites {
		code := site.GetPlace().GetCode()
		if len(code) < progress.TownDigits || slices.ContainsFunc(list, func(o option) bool { return o.Value == code[:progress.TownDigits] }) {
			continue
		}
		code = code[:progress.TownDigits]
		list = append(list, option{code, cmp.Or(places.Name(code), code)})
	}
	slices.SortFunc(list, func(a, b option) int { return strings.Compare(a.Value, b.Value) })
	return list
}

// removeWorkbook takes a file away.
func (v *visit) removeWorkbook() error {
	w, err := v.workbook()
	if err != nil {
		return err
	}
	f := v.form("submit_remove")
	f.Danger = true
	return v.sure(v.T("title_remove_workbook", w.Name), []string{v.T("remove_workbook_gone")}, v.toWorkbooks(), f, func() error {
		if err := v.within.Workbooks.RemoveWorkbook(v.context(), w.ID); err != nil {
			return err
		}
		if err := v.note(audit.SetUpChanged, audit.OfDeployment, v.within.Syncing.Deployment()); err != nil {
			return err
		}
		return v.done(v.toWorkbooks(), "workbook_removed")
	})
}

// fillLinks lead to the files with a report in them, for who sees the whole.
func (v *visit) fillLinks(r *report.Report) (links []link, err error) {
	if !r.Whole {
		return nil, nil
	}
	all, err := v.within.Workbooks.Workbooks(v.context())
	for _, w := range all {
		if len(w.Cells) > 0 {
			links = append(links, link{To: v.To(v.toWorkbooks(w.ID.String(), "filled"), "?period=", string(r.Period), "&date=", r.To.String()), Name: w.Name, File: true})
		}
	}
	return links, err
}
