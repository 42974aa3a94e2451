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
	"levee/server/internal/closeout"
	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// An archive that was made at the pages verifies, is kept for an hour, and is gone when the server stops. It is so also of a
// deployment that is erased and archived.
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
	var far closeout.Progress
	if err := all.Make(ctx, d.ID, func(p closeout.Progress) { far = p }); err != nil {
		t.Fatal(err)
	}
	if far.Part.Name != "signing" || far.Part.Said.ZH == "" || far.Part.At != 5 || far.Part.Parts != 5 {
		t.Errorf("in the end it is at %+v", far)
	}
	kept, ok := all.Kept(d.ID)
	if !ok || kept.Edition != 1 || kept.Size == 0 || !kept.Until.Equal(d.Wall().Add(time.Hour)) {
		t.Errorf("%+v, %t", kept, ok)
	}
	verifies := func(when string) {
		t.Helper()
		f, err := all.Open(d.ID)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(f)
		taken := filepath.Join(t.TempDir(), "taken.levee")
		if err := errors.Join(err, f.Close(), os.WriteFile(taken, content, 0o600)); err != nil {
			t.Fatal(err)
		}
		if found, err := server.VerifyFile(ctx, taken, ""); err != nil || !found.OK {
			t.Errorf("%s: %+v, %v", when, found, err)
		}
	}
	verifies("with personal data in the database")
	if _, err := d.Service.EraseAll(ctx); err != nil {
		t.Fatal(err)
	}
	over := syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: d.ID, Message: &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED.Enum()}}}
	if err := d.Service.ChangeSetUp(ctx, d.Workers["coordinator"], over); err != nil {
		t.Fatal(err)
	}
	if err := all.Make(ctx, d.ID, func(closeout.Progress) {}); err != nil {
		t.Fatal(err)
	}
	verifies("once it is erased")
	d.Pass(61 * time.Minute)
	if _, ok := all.Kept(d.ID); ok {
		t.Error("it is kept for longer than an hour")
	}
	if _, err := all.Open(d.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("after an hour: %v", err)
	}
	if err := all.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.Path() + ".archives"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the server stopped: %v", err)
	}
}

// Once something has come that no certificate has, no archive is made.
func TestOnlyWhatIsCertifiedIsArchived(t *testing.T) {
	d, _, _ := archived(t)
	all, err := server.NewArchives(server.Config{DB: d.Path(), Keys: d.Path() + ".keys", Wall: d.Wall})
	if err != nil {
		t.Fatal(err)
	}
	ben := d.Enrol("ben")
	ben.Push(ben.Make(&recordv1.Case{CaseNo: proto.String("HN-0008"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: ben.Worker[:]}))
	if err := all.Make(context.Background(), d.ID, func(closeout.Progress) {}); problem.CodeOf(err) != problem.Uncertified {
		t.Errorf("of what is not certified: %v", err)
	}
	if _, ok := all.Kept(d.ID); ok {
		t.Error("it is kept all the same")
	}
	if err := all.Close(); err != nil {
		t.Error(err)
	}
}
