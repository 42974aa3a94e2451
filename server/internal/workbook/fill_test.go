package workbook_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"maps"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"levee/server/internal/report"
	"levee/server/internal/workbook"
	"levee/syncproto/problem"
)

const sheet = "上报表"

// bureau is a county bureau's file: merged cells, styles, a formula over what is filled in, and a second sheet that takes from the first.
func bureau(t *testing.T) []byte {
	t.Helper()
	f := excelize.NewFile()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(f.SetSheetName("Sheet1", sheet))
	must(f.MergeCell(sheet, "A1", "D1"))
	day := "yyyy\"年\"m\"月\"d\"日\""
	date, err := f.NewStyle(&excelize.Style{CustomNumFmt: &day})
	must(err)
	red, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true, Color: "C00000"}, NumFmt: 3, Border: []excelize.Border{{Type: "bottom", Style: 2, Color: "000000"}}})
	must(err)
	must(f.SetCellStyle(sheet, "B2", "B2", date))
	must(f.SetCellStyle(sheet, "B3", "B5", red))
	must(f.SetCellValue(sheet, "A5", "合计"))
	must(f.SetCellValue(sheet, "B5", 999)) // what the formula gave when the file was saved
	must(f.SetCellFormula(sheet, "B5", "SUM(B3:B4)"))
	_, err = f.NewSheet("汇总")
	must(err)
	must(f.SetCellFormula("汇总", "A1", "上报表!B5*2"))
	must(f.SetColWidth(sheet, "A", "A", 33))
	var out bytes.Buffer
	must(f.Write(&out))
	must(f.Close())
	return out.Bytes()
}

var told = &report.Report{
	Name: "=河南暴雨", From: report.Date{Date: 20211008}, To: report.Date{Date: 20211008}, ServiceDays: 16, Period: report.Day,
	Figures: []report.Figure{{Name: "contacts"}, {Name: "persons"}},
	Done:    report.Row{Reported: map[string]int64{"contacts": 41, "persons": 30}, Verified: map[string]int64{"contacts": 12}},
	Total:   report.Row{Reported: map[string]int64{"contacts": 1234, "persons": 900}, Verified: map[string]int64{"contacts": 1000}},
	Towns:   []report.Row{{Key: "410621108", Reported: map[string]int64{"contacts": 29}}},
}

func TestAReportIsPouredIntoABureausFile(t *testing.T) {
	w := &workbook.Workbook{File: bureau(t), Cells: []workbook.Cell{
		{Sheet: sheet, Ref: "c1", Value: workbook.Deployment}, {Sheet: sheet, Ref: "$B$2", Value: workbook.To},
		{Sheet: sheet, Ref: "B3", Value: workbook.Total.Of("contacts")}, {Sheet: sheet, Ref: "B4", Value: workbook.Done.Of("persons")},
		{Sheet: sheet, Ref: "C3", Value: workbook.DoneVerified.Of("contacts")}, {Sheet: sheet, Ref: "C4", Value: workbook.TotalVerified.Of("persons")},
		{Sheet: sheet, Ref: "D3", Value: workbook.Done.Of("contacts"), Town: "410621108"}, {Sheet: sheet, Ref: "D4", Value: workbook.Done.Of("contacts"), Town: "410621105"},
		{Sheet: sheet, Ref: "D5", Value: workbook.Done.Of("no such figure")}, {Sheet: sheet, Ref: "D6", Value: workbook.ServiceDays},
	}}
	before, err := excelize.OpenReader(bytes.NewReader(w.File))
	if err != nil {
		t.Fatal(err)
	}
	if faults, err := workbook.Check(w.File, w.Cells); err != nil || len(faults) > 0 {
		t.Fatalf("%v, %v", faults, err)
	}
	var out bytes.Buffer
	if err := w.Fill(&out, told, "zh", time.UTC); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{"A1": "=河南暴雨", "B2": "2021年10月8日", "B3": "1,234", "B4": "30", "C3": "12", "C4": "0", "D3": "29", "D4": "0", "D5": "", "D6": "16", "A5": "合计", "B5": ""} {
		if got, err := f.GetCellValue(sheet, ref); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", ref, got, err, want)
		}
	}
	for _, ref := range []string{"A1", "B2", "B3", "B4", "B5"} {
		was, err1 := before.GetCellStyle(sheet, ref)
		is, err2 := f.GetCellStyle(sheet, ref)
		style, err3 := f.GetStyle(is)
		old, err4 := before.GetStyle(was)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		if ref != "A1" && was == 0 || was != is || (style.Font == nil) != (old.Font == nil) || style.Font != nil && style.Font.Color != old.Font.Color {
			t.Errorf("the style of %s was %d and is %d", ref, was, is)
		}
	}
	for at, want := range map[[2]string]string{{sheet, "B5"}: "SUM(B3:B4)", {"汇总", "A1"}: "上报表!B5*2", {sheet, "A1"}: ""} {
		if got, err := f.GetCellFormula(at[0], at[1]); err != nil || got != want {
			t.Errorf("the formula of %v is %q, %v", at, got, err)
		}
	}
	if got, err := f.CalcCellValue("汇总", "A1"); err != nil || got != "2528" {
		t.Errorf("the formulas come to %q, %v", got, err)
	}
	if width, err := f.GetColWidth(sheet, "A"); err != nil || width != 33 {
		t.Errorf("column A is %v wide, %v", width, err)
	}
}

func TestCellsAreChecked(t *testing.T) {
	cells := []workbook.Cell{{Sheet: "没有", Ref: "B3"}, {Sheet: sheet, Ref: "B"}, {Sheet: sheet, Ref: "b5"}, {Sheet: sheet, Ref: "b3"}, {Sheet: sheet, Ref: "B3"}, {Sheet: sheet, Ref: "d1"}, {Sheet: sheet, Ref: "A1"}, {Sheet: sheet, Ref: "XFE1"}}
	faults, err := workbook.Check(bureau(t), cells)
	if want := map[int]workbook.Fault{0: workbook.NoSheet, 1: workbook.NoCell, 2: workbook.HasFormula, 4: workbook.Twice, 6: workbook.Twice, 7: workbook.NoCell}; err != nil || !maps.Equal(faults, want) {
		t.Errorf("%v, %v", faults, err)
	}
	if cells[3].Ref != "B3" || cells[5].Ref != "A1" {
		t.Errorf("%+v", cells)
	}
}

// What is no workbook, one with programs in it, and one that is small but comes to very much are refused.
func TestOtherFilesAreRefused(t *testing.T) {
	with := func(name string, content io.Reader) []byte {
		t.Helper()
		was, err := zip.NewReader(bytes.NewReader(bureau(t)), int64(len(bureau(t))))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for _, f := range was.File {
			if err := z.Copy(f); err != nil {
				t.Fatal(err)
			}
		}
		part, err := z.Create(name)
		if err == nil {
			_, err = io.Copy(part, content)
		}
		if err = errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, file := range map[string][]byte{
		"text": []byte("no workbook"), "empty": nil, "programs": with("xl/vbaProject.bin", bytes.NewReader([]byte("x"))),
		"bomb": with("xl/worksheets/sheet9.xml", io.LimitReader(zeros{}, 100<<20)),
	} {
		if _, err := workbook.Sheets(file); !errors.Is(err, problem.New(problem.InvalidArgument)) {
			t.Errorf("%s (%d bytes): %v", name, len(file), err)
		}
	}
	if _, err := workbook.Sheets(make([]byte, workbook.MaxBytes+1)); !errors.Is(err, problem.New(problem.BodyTooLarge)) {
		t.Errorf("too large: %v", err)
	}
	if sheets, err := workbook.Sheets(bureau(t)); err != nil || len(sheets) != 2 || sheets[0] != sheet {
		t.Errorf("%v, %v", sheets, err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
