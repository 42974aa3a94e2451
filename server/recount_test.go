package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
)

// recounted is a database with one case in it.
func recounted(t *testing.T) *servertest.Deployment {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	anna.Push(anna.Make(&recordv1.Case{
		Site: d.Sites[0][:], CaseNo: proto.String("HN-0007"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(2),
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:],
	}))
	return d
}

func recount(t *testing.T, path string, asJSON bool) (bool, string) {
	t.Helper()
	var out bytes.Buffer
	equal, err := server.Recount(context.Background(), path, &out, asJSON)
	if err != nil {
		t.Fatal(err)
	}
	return equal, out.String()
}

func TestRecountBesideARunningServer(t *testing.T) {
	d := recounted(t)
	for _, when := range []string{"while the server runs", "after it stopped"} {
		equal, out := recount(t, d.Address(), false)
		if !equal || strings.Contains(out, "DIFFERS") {
			t.Errorf("%s: %s", when, out)
		}
		for _, words := range []string{"reported  cases", "王庄镇", "All equal."} {
			if !strings.Contains(out, words) {
				t.Errorf("%s: %q is not in %s", when, words, out)
			}
		}
		if strings.Contains(out, "HN-0007") {
			t.Errorf("%s: it shows what a record says: %s", when, out)
		}
		d.Close()
	}
}

func TestRecountNamesTheFigureThatDiffers(t *testing.T) {
	d := recounted(t)
	delta := tally.Delta{Cells: map[tally.Cell]int64{{Basis: tally.Reported, Figure: tally.Cases, Cut: tally.Everything()}: 4}}
	if err := d.DB.Deployment(d.ID).Write(context.Background(), func(tx syncing.Writing) error { return tx.Save(syncing.Changes{Totals: delta}) }); err != nil {
		t.Fatal(err)
	}
	equal, out := recount(t, d.Address(), false)
	if equal || !strings.Contains(out, "Differs: reported cases, whole  : stored 5, counted 1\n") || strings.Contains(out, "All equal") || strings.Count(out, "DIFFERS") != 1 {
		t.Errorf("%v: %s", equal, out)
	}
	equal, out = recount(t, d.Address(), true)
	var report struct {
		Equal       bool
		Deployments []struct {
			Equal   bool
			Records int
			Totals  []struct {
				Basis, Figure, By, Key string
				Stored, Counted        int64
			}
			Faults []any
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || equal || report.Equal || len(report.Deployments) != 1 {
		t.Fatalf("%v, %v: %s", equal, err, out)
	}
	of, differ := report.Deployments[0], 0
	for _, l := range of.Totals {
		if l.Stored != l.Counted {
			differ++
			if l.Figure != "cases" || l.By != "whole" || l.Stored != 5 || l.Counted != 1 {
				t.Errorf("%+v", l)
			}
		}
	}
	if of.Equal || of.Records == 0 || differ != 1 || of.Faults == nil || len(of.Faults) != 0 {
		t.Errorf("%+v", of)
	}
}

func TestRecountLeavesFilesAlone(t *testing.T) {
	folder := t.TempDir()
	missing := filepath.Join(folder, "missing.db")
	if _, err := server.Recount(context.Background(), missing, &bytes.Buffer{}, false); err == nil {
		t.Error("a file that is not there was counted")
	}
	if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it made the file: %v", err)
	}
	other := filepath.Join(folder, "other.db")
	for _, content := range []string{"", "this is no database, but a text that is longer than the header of one would be, so that nobody takes it for an empty file"} {
		if err := os.WriteFile(other, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Recount(context.Background(), other, &bytes.Buffer{}, false); err == nil || !strings.Contains(err.Error(), "other.db") {
			t.Errorf("%q: %v", content, err)
		}
		if now, err := os.ReadFile(other); err != nil || string(now) != content {
			t.Errorf("%q became %q, %v", content, now, err)
		}
	}
}
