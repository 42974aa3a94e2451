package webui

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"levee/server/internal/access"
	"levee/server/internal/charts"
	"levee/server/internal/closeout"
	"levee/server/internal/finalreport"
	"levee/syncproto/problem"
)

const pathClosingReport = pathCloseout + "/report/:edition"

// closingReportRoutes are those of the closing report, which has all totals: whoever sees those of some teams alone finds none.
func closingReportRoutes(r *router) {
	r.page(pathClosingReport, access.SeeTotals, (*visit).closingReport)
	r.page(pathClosingReport+"/pdf", access.SeeTotals, (*visit).closingReportPDF)
	r.page(pathClosingReport+"/xlsx", access.SeeTotals, (*visit).closingReportXLSX)
	r.page(pathClosingReport+"/charts/:chart", access.SeeTotals, (*visit).closingReportChart)
}

// closingReportLinks lead to the report of an edition, and to its files; none for who may not read it.
func (v *visit) closingReportLinks(edition int) (page link, files []link) {
	if whole, _ := v.sight(); !whole {
		return page, nil
	}
	at := v.toCloseout("report", strconv.Itoa(edition))
	return link{To: v.To(at), Name: v.T("report_edition")}, []link{{To: v.To(at + "/pdf"), Name: v.T("report_pdf"), File: true}, {To: v.To(at + "/xlsx"), Name: v.T("report_xlsx"), File: true}}
}

// closingReportMade is the report that the address names, in the language of the page.
func (v *visit) closingReportMade() (*closeout.Edition, *finalreport.Report, error) {
	if whole, _ := v.sight(); !whole {
		return nil, nil, problem.New(problem.NotFound)
	}
	e, err := v.editionFound()
	if err != nil {
		return nil, nil, err
	}
	r, err := v.within.Final.MakeAsSet(v.context(), e.File, v.Lang())
	return e, r, err
}

// closingReportBody is what the page of the closing report shows.
type closingReportBody struct {
	*finalreport.Report
	Files    []link
	Sections []reportSection
	// Certificate leads to the edition of the certificate, and Back to the close-out.
	Certificate link
	Back        string
}

type reportSection struct {
	ID, Title string
	Blocks    []reportBlock
}

// reportBlock is a block with its table and images as pages show them; empty where it has none.
type reportBlock struct {
	finalreport.Block
	Rows                   *closingTable
	Image, ImageNarrow, QR string
}

// closingReport shows the report as one page.
func (v *visit) closingReport() error {
	e, r, err := v.closingReportMade()
	if err != nil {
		return err
	}
	_, files := v.closingReportLinks(e.Edition)
	body := closingReportBody{Report: r, Files: files, Certificate: link{To: v.To(v.toEdition(e.Edition)), Name: v.T("edition_number", e.Edition)}, Back: v.To(v.toCloseout())}
	drawn := 0
	for _, s := range r.Sections {
		section := reportSection{ID: strings.ReplaceAll(s.Name, "_", "-"), Title: s.Title}
		for _, b := range s.Blocks {
			shown := reportBlock{Block: b}
			if b.Table != nil {
				shown.Rows = closingTableOf(b.Table)
			}
			if b.Chart != nil && len(b.Chart.Rows) > 0 {
				at := v.toCloseout("report", strconv.Itoa(e.Edition), "charts", strconv.Itoa(drawn))
				shown.Image, shown.ImageNarrow = v.To(at), v.To(at, "?narrow=1")
				drawn++
			}
			if b.QR != "" {
				shown.QR = v.To(v.toEdition(e.Edition, "image"))
			}
			section.Blocks = append(section.Blocks, shown)
		}
		body.Sections = append(body.Sections, section)
	}
	return v.show("closingreport", &page{Title: r.Title, Body: body})
}

// closingReportChart is one of the report's charts, by its place among them.
func (v *visit) closingReportChart() error {
	_, r, err := v.closingReportMade()
	if err != nil {
		return err
	}
	var all []*charts.Table
	for _, s := range r.Sections {
		for _, b := range s.Blocks {
			if b.Chart != nil && len(b.Chart.Rows) > 0 {
				all = append(all, b.Chart)
			}
		}
	}
	i, err := strconv.Atoi(v.Param("chart"))
	if err != nil || i < 0 || i >= len(all) {
		return problem.New(problem.NotFound)
	}
	svg, err := charts.Bars(*all[i], charts.Style{Narrow: v.QueryParam("narrow") != "", Number: v.plain})
	if err != nil {
		return err
	}
	return v.Blob(http.StatusOK, "image/svg+xml", svg)
}

func (v *visit) closingReportPDF() error {
	return v.closingReportFile("pdf", "application/pdf", (*finalreport.Report).WritePDF)
}

func (v *visit) closingReportXLSX() error {
	return v.closingReportFile("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (*finalreport.Report).WriteXLSX)
}

// closingReportFile sends the report as a file.
func (v *visit) closingReportFile(extension, contentType string, write func(*finalreport.Report, io.Writer) error) error {
	e, r, err := v.closingReportMade()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := write(r, &b); err != nil {
		return err
	}
	return v.sendFile(fmt.Sprintf("levee-report-%d-%s.%s", e.Edition, v.Lang(), extension), contentType, b.Bytes())
}

// sendFile sends something to keep.
func (v *visit) sendFile(name, contentType string, content []byte) error {
	v.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	return v.Blob(http.StatusOK, contentType, content)
}

// closingTable is a table of the report. First is what its rows are.
type closingTable struct {
	Title, First string
	Columns      []finalreport.Column
	Rows         []closingRow
}

// closingRow is a row of it; Name is moved in as deep as the row is, and a dash where there is none, as of a tablet without a name.
type closingRow struct {
	Name  string
	Sum   bool
	Cells []closingCell
}

type closingCell struct {
	Head, Text string
	Number     bool
}

func closingTableOf(t *finalreport.Table) *closingTable {
	shown := &closingTable{Title: t.Title, First: t.Columns[0].Label, Columns: t.Columns[1:]}
	for _, r := range t.Rows {
		row := closingRow{Name: strings.Repeat("\u2003", r.Depth) + cmp.Or(r.Cells[0].Text, "—"), Sum: r.Sum}
		for i, c := range r.Cells[1:] {
			row.Cells = append(row.Cells, closingCell{shown.Columns[i].Label, c.Text, shown.Columns[i].Number})
		}
		shown.Rows = append(shown.Rows, row)
	}
	return shown
}
