package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"levee/server"
	"levee/server/internal/servertest"
)

// Every format there is can be named on the command line, and no other; what is there is not written over.
func TestExportCommand(t *testing.T) {
	d := servertest.New(t)
	t.Setenv("LC_ALL", "zh_CN.UTF-8")
	for _, format := range server.ExportFormats() {
		args := []string{"export", "--db", d.Address(), "--format", format, "--out", filepath.Join(t.TempDir(), "out")}
		if code := realMain(t.Context(), args); code != 0 {
			t.Errorf("%s: exit %d", format, code)
		}
		if code := realMain(t.Context(), args); code != 1 {
			t.Errorf("%s once more: exit %d", format, code)
		}
	}
	folder := filepath.Join(t.TempDir(), "out")
	if code := realMain(t.Context(), []string{"export", "--db", d.Address(), "--format", "csv", "--out", folder}); code != 0 {
		t.Fatalf("exit %d", code)
	}
	text, err := os.ReadFile(filepath.Join(folder, "totals.csv"))
	if err != nil || !strings.Contains(string(text), "basis,figure,dimension,key,name,value") {
		t.Errorf("%q, %v", text, err)
	}
	if all := server.ExportFormats(); !slices.Contains(all, "csv") || !slices.Contains(all, "xlsx") {
		t.Errorf("%v", all)
	}
}
