package server_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"levee/server"
	"levee/server/internal/audit"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
)

// noted are the newest actions in a deployment's audit log, newest first.
func noted(t *testing.T, d *servertest.Deployment) (actions []audit.Action) {
	t.Helper()
	entries, _, err := audit.New(d.DB, d.Wall).Page(context.Background(), d.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.File.Format == "" || e.File.Position == 0 || e.Actor != (audit.Actor{}) || e.Subject != (audit.Subject{Kind: audit.OfDeployment, ID: d.ID}) {
			t.Errorf("%+v", e)
		}
		actions = append(actions, e.Action)
	}
	return actions
}

func TestExportBesideARunningServer(t *testing.T) {
	d := recounted(t)
	folder := t.TempDir()
	out := func(name string) string { return filepath.Join(folder, name) }
	for i, o := range []server.ExportOptions{
		{Format: "csv", Out: out("csv")}, {Format: "csv", Out: out("all.ZIP"), Confidential: true}, {Format: "xlsx", Out: out("all.xlsx"), Lang: "zh", Deployment: d.ID.String()},
		{Format: "hxl", Out: out("4w.csv")}, {Format: "geojson", Out: out("sites.geojson")},
	} {
		var done, of uint64
		o.Progress = func(d, o uint64) { done, of = d, o }
		made, err := server.Export(context.Background(), d.Address(), o)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if made.Deployment != d.ID || made.Records == 0 || made.Position == 0 || done != made.Records || of != made.Records || made.At.IsZero() {
			t.Errorf("%+v, told %d of %d", made, done, of)
		}
		info, err := os.Stat(o.Out)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", o.Out, info, err)
		}
		for _, lang := range []string{"zh_CN.UTF-8", "en"} {
			var b strings.Builder
			if err := made.Print(&b, lang); err != nil || !strings.Contains(b.String(), o.Out) || strings.Contains(b.String(), "%!") {
				t.Errorf("%q, %v", b.String(), err)
			}
		}
	}
	if actions := noted(t, d); !slices.Equal(actions, []audit.Action{audit.Exported, audit.Exported, audit.Exported, audit.ConfidentialExported, audit.Exported}) {
		t.Errorf("noted: %v", actions)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 5 {
		t.Errorf("there are %v, %v", left, err)
	}
}

// What can't be exported leaves nothing behind, and nothing is written over.
func TestExportRefuses(t *testing.T) {
	d := recounted(t)
	folder := t.TempDir()
	there := filepath.Join(folder, "there.xlsx")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusal := func(o server.ExportOptions) server.RefusalCode {
		_, err := server.Export(context.Background(), d.Address(), o)
		var refused *server.Refusal
		if !errors.As(err, &refused) {
			t.Errorf("%+v: %v", o, err)
			return ""
		}
		return refused.Code
	}
	if code := refusal(server.ExportOptions{Format: "xlsx", Out: there}); code != server.ExportThere {
		t.Error(code)
	}
	if code := refusal(server.ExportOptions{Format: "csv", Out: filepath.Join(folder, "new"), Deployment: hlc.ID{1}.String()}); code != server.DeploymentUnclear {
		t.Error(code)
	}
	if _, err := server.Export(context.Background(), d.Address(), server.ExportOptions{Format: "pdf", Out: filepath.Join(folder, "new")}); err == nil || !strings.Contains(err.Error(), "csv, geojson, hxl, xlsx") {
		t.Error(err)
	}
	if _, err := server.Export(context.Background(), d.Address(), server.ExportOptions{Format: "hxl", Out: filepath.Join(folder, "new"), Confidential: true}); err == nil {
		t.Error("what is meant for others can be had with what is confidential")
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := server.Export(ctx, d.Address(), server.ExportOptions{Format: "csv", Out: filepath.Join(folder, "new"), Progress: func(uint64, uint64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after it was broken off: %v", err)
	}
	if text, err := os.ReadFile(there); err != nil || string(text) != "mine" {
		t.Errorf("what was there is %q, %v", text, err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("there are %v, %v", left, err)
	}
}
