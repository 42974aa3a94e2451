package webui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"levee/server/internal/servertest"
	"levee/server/internal/webtest"
	"levee/server/internal/workbook"
	"levee/syncproto/hlc"
)

// workbook keeps a file for a deployment.
func (s *site) workbook(deployment hlc.ID) hlc.ID {
	s.t.Helper()
	id := hlc.ID{7}
	if kept, err := s.all.Get(deployment).Workbooks.KeepWorkbook(s.t.Context(), workbook.Workbook{ID: id, Name: "民政局", File: servertest.BureauFile(s.t), Cells: []workbook.Cell{}}); err != nil || !kept {
		s.t.Fatalf("kept: %t, %v", kept, err)
	}
	return id
}

// downloaded is the workbook that a link leads to, and what it is called.
func downloaded(t *testing.T, b *webtest.Browser, link string) (f *excelize.File, name string) {
	t.Helper()
	for _, a := range webtest.Find(b.Page, "a") {
		if strings.TrimSpace(webtest.TextOf(a)) != link {
			continue
		}
		to, err := b.At.Parse(webtest.Attribute(a, "href"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := b.Client.Get(to.String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if f, err = excelize.OpenReader(response.Body); err != nil {
			t.Fatalf("%d: %v", response.StatusCode, err)
		}
		return f, response.Header.Get("Content-Disposition")
	}
	t.Fatalf("there is no %s on\n%s", link, b.Text)
	return nil, ""
}

// TestABureausFileIsFilledIn: the coordinator sends a file, names its cells, and gets it back with a day in it.
func TestABureausFileIsFilledIn(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	b := s.as(d, "coordinator", "en")
	b.Open("/deployments/" + d.ID.String() + "/reports?lang=en&date=2021-10-01").Is(http.StatusOK)
	b.Follow("Excel files and their cells").Is(http.StatusOK)
	b.Sees("There is none yet.")
	b.Follow("Add an Excel file").Is(http.StatusOK)
	b.Upload("Send", url.Values{"name": {"County office"}}, "file", "x.xlsx", []byte("no workbook")).Is(http.StatusUnprocessableEntity)
	b.Sees("This is no .xlsx file")
	b.Upload("Send", url.Values{"name": {"County office"}}, "file", "x.xlsx", servertest.BureauFile(t)).Is(http.StatusOK)
	b.Sees("The file is kept.", "Cells of County office")

	b.Send("Save", url.Values{"ref_1": {"B4"}, "value_1": {"done.contacts"}, "ref_2": {"x"}, "value_2": {"to"}, "ref_3": {"C1"}, "value_4": {"to"}, "ref_5": {"C2"}, "value_5": {"total.persons"}, "town_5": {"410621108"}}).Is(http.StatusUnprocessableEntity)
	b.Sees("This is needed.", "A town has figures of the period alone.")
	b.Send("Save", url.Values{"ref_1": {"B4"}, "value_1": {"done.contacts"}, "ref_2": {"x"}, "value_2": {"to"}, "ref_3": {""}, "value_4": {""}, "ref_5": {"C2"}, "value_5": {"done.persons"}, "town_5": {""}}).Is(http.StatusUnprocessableEntity)
	b.Sees("This cell has a formula", "This is no cell")
	b.Send("Save", url.Values{"ref_1": {"b2"}, "value_1": {"done.contacts"}, "ref_2": {"B3"}, "value_2": {"total.contacts"}, "ref_5": {"C2"}, "value_5": {"deployment"}}).Is(http.StatusOK)
	b.Sees("Saved", "3 cells named")

	b.Open("/deployments/" + d.ID.String() + "/reports?lang=en&date=2021-10-01").Is(http.StatusOK)
	f, name := downloaded(t, b, "County office")
	if !strings.Contains(name, `"County office 2021-10-01.xlsx"`) {
		t.Errorf("it is called %s", name)
	}
	for ref, want := range map[string]string{"B2": "31", "B3": "32", "C2": "test"} {
		if got, err := f.GetCellValue("Sheet1", ref); err != nil || got != want {
			t.Errorf("%s is %q, %v", ref, got, err)
		}
	}
	if got, err := f.CalcCellValue("Sheet1", "B4"); err != nil || got != "63" {
		t.Errorf("the formula gives %q, %v", got, err)
	}
	b.Open("/deployments/" + d.ID.String() + "/reports/workbooks?lang=zh").Is(http.StatusOK)
	b.Follow("移除").Is(http.StatusOK)
	b.Send("移除", nil).Is(http.StatusOK)
	b.Sees("已移除", "还没有报表文件。")
}
