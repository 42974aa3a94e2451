package server_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// An archive that was made at the pages verifies, is kept for an hour, and is gone when the server stops. Once something has come that no
// certificate has, none is made.
func TestArchivesOfThePagesAreKeptForAWhile(t *testing.T) {
	d, _, _ := archived(t)
	ctx := context.Background()
	all, err := server.NewArchives(server.Config{DB: d.Path(), Keys: d.Path() + ".keys", Wall: d.Wall})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all.Open(d.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("before one was made: %v", err)
	}
	if err := all.Make(ctx, d.ID); err != nil {
		t.Fatal(err)
	}
	kept, ok := all.Kept(d.ID)
	if !ok || kept.Edition != 1 || kept.Size == 0 || !kept.Until.Equal(d.Wall().Add(time.Hour)) {
		t.Errorf("%+v, %t", kept, ok)
	}
	f, err := all.Open(d.ID)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	taken := filepath.Join(t.TempDir(), "taken.levee")
	if err := errors.Join(err, f.Close(), os.WriteFile(taken, content, 0o600)); err != nil || int64(len(content)) != kept.Size {
		t.Fatal(len(content), err)
	}
	if found, err := server.VerifyFile(ctx, taken, ""); err != nil || !found.OK {
		t.Errorf("%+v, %v", found, err)
	}
	d.Pass(61 * time.Minute)
	if _, ok := all.Kept(d.ID); ok {
		t.Error("it is kept for longer than an hour")
	}
	if _, err := all.Open(d.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("after an hour: %v", err)
	}
	anna := d.Enrol("anna")
	anna.Push(anna.Make(&recordv1.Case{CaseNo: proto.String("HN-0008"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:]}))
	if err := all.Make(ctx, d.ID); problem.CodeOf(err) != problem.Uncertified {
		t.Errorf("of what is not certified: %v", err)
	}
	if err := all.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.Path() + ".archives"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the server stopped: %v", err)
	}
}
