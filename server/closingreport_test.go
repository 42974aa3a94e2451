package server_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"levee/server"
)

// The closing report of an edition is written beside a running server, as a PDF or as a workbook; nothing is written over.
func TestAClosingReportIsWrittenByCommand(t *testing.T) {
	d := recounted(t)
	folder := t.TempDir()
	report := func(o server.ClosingReportOptions) error {
		o.Out, o.Wall = filepath.Join(folder, o.Out), d.Wall
		made, err := server.ClosingReport(context.Background(), d.Address(), o)
		if err != nil {
			return err
		}
		var zh, en strings.Builder
		if err := errors.Join(made.Print(&zh, "zh_CN.UTF-8"), made.Print(&en, "en")); err != nil || !strings.Contains(zh.String(), "收队报告，第 1 版") || !strings.Contains(en.String(), "edition 1") {
			t.Errorf("%q, %q, %v", zh.String(), en.String(), err)
		}
		return nil
	}
	if err := report(server.ClosingReportOptions{Format: "pdf", Out: "none.pdf"}); !errors.Is(err, server.ErrNoEdition) {
		t.Errorf("before it is closed: %v", err)
	}
	d.Issue(d.Certify(1))
	for _, one := range []struct {
		o      server.ClosingReportOptions
		begins string
	}{
		{server.ClosingReportOptions{Format: "pdf", Lang: "zh_CN.UTF-8", Out: "one.pdf"}, "%PDF-"},
		{server.ClosingReportOptions{Format: "xlsx", Lang: "en", Edition: 1, Deployment: d.ID.String(), Out: "one.xlsx"}, "PK"},
	} {
		if err := report(one.o); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, one.o.Out)
		content, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(content), one.begins) {
			t.Errorf("%s: %v", file, err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
		refused(t, report(one.o), server.ExportThere)
	}
	if err := report(server.ClosingReportOptions{Format: "pdf", Edition: 2, Out: "two.pdf"}); !errors.Is(err, server.ErrNoEdition) {
		t.Errorf("edition 2: %v", err)
	}
	if err := report(server.ClosingReportOptions{Format: "docx", Out: "one.docx"}); err == nil {
		t.Error("a format that there is not")
	}
}
