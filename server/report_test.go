package server_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"levee/server"
	"levee/server/internal/servertest"
	"levee/server/internal/workbook"
	"levee/syncproto/hlc"
)

// A bureau's Excel file is filled in beside a running server; a name that there is not, or twice, lists those that there are.
func TestABureausFileIsFilledInByCommand(t *testing.T) {
	d := recounted(t)
	keep := func(id hlc.ID, name string) {
		t.Helper()
		w := workbook.Workbook{ID: id, Name: name, File: servertest.BureauFile(t), Cells: []workbook.Cell{{Sheet: "Sheet1", Ref: "B2", Value: workbook.Total.Of("cases")}, {Sheet: "Sheet1", Ref: "C1", Value: workbook.Text}}}
		if kept, err := d.DB.Deployment(d.ID).KeepWorkbook(t.Context(), w); err != nil || !kept {
			t.Fatalf("%t, %v", kept, err)
		}
	}
	first, second := d.NewID(), d.NewID()
	keep(first, "民政局日报")
	report := func(named string) (*server.Reported, error) {
		return server.Report(context.Background(), d.Address(), server.ReportOptions{Period: "day", Date: "2021-10-01", Workbook: named, Wall: d.Wall})
	}
	out := filepath.Join(t.TempDir(), "filled.xlsx")
	for lang, begins := range map[string]string{"zh_CN.UTF-8": "【日报】", "en_US.UTF-8": "[Daily report]"} {
		for _, named := range []string{"民政局日报", first.String()} {
			r, err := report(named)
			if err == nil {
				err = r.Fill(out, lang)
			}
			if err != nil {
				t.Fatal(err)
			}
			f, err := excelize.OpenFile(out)
			if err != nil {
				t.Fatal(err)
			}
			cases, err1 := f.GetCellValue("Sheet1", "B2")
			text, err2 := f.GetCellValue("Sheet1", "C1")
			if err := errors.Join(err1, err2, f.Close()); err != nil || cases != "1" || !strings.HasPrefix(text, begins) {
				t.Errorf("%s: %q, %q, %v", lang, cases, text, err)
			}
			refused(t, r.Fill(out, lang), server.ExportThere)
			if err := os.Remove(out); err != nil {
				t.Fatal(err)
			}
		}
	}
	keep(second, "民政局日报")
	for _, named := range []string{"民政局周报", "民政局日报"} {
		_, err := report(named)
		refused(t, err, server.WorkbookUnclear)
		var refusal *server.Refusal
		for _, lang := range []string{"zh", "en"} {
			if errors.As(err, &refusal) && (!strings.Contains(refusal.In(lang), "民政局日报  "+first.String()) || !strings.Contains(refusal.In(lang), second.String())) {
				t.Errorf("%s", refusal.In(lang))
			}
		}
	}
}
