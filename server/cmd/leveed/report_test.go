package main

import (
	"os"
	"path/filepath"
	"testing"

	"levee/server/internal/servertest"
	"levee/server/internal/workbook"
)

// A bureau's Excel file is filled in where the command says, and a flag that it needs is not forgotten.
func TestReportCommandFillsInABureausFile(t *testing.T) {
	d := servertest.New(t)
	w := workbook.Workbook{ID: d.NewID(), Name: "民政局", File: servertest.BureauFile(t), Cells: []workbook.Cell{{Sheet: "Sheet1", Ref: "B2", Value: workbook.To}}}
	if kept, err := d.DB.Deployment(d.ID).KeepWorkbook(t.Context(), w); err != nil || !kept {
		t.Fatalf("%t, %v", kept, err)
	}
	out := filepath.Join(t.TempDir(), "out.xlsx")
	for _, tt := range []struct {
		more []string
		want int
	}{{[]string{"--workbook", "财政局"}, 1}, {[]string{"--workbook", "民政局"}, 0}, {[]string{"--workbook", "民政局"}, 1}} {
		args := append([]string{"report", "--db", d.Address(), "--date", "2021-10-01", "--lang", "zh", "--out", out}, tt.more...)
		if code := realMain(t.Context(), args); code != tt.want {
			t.Errorf("%v: exit %d", tt.more, code)
		}
	}
	if _, err := os.Stat(out); err != nil {
		t.Error(err)
	}
}
