package export_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"levee/server/internal/export"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

var somebody, other = hlc.ID{1}, hlc.ID{2}

// desk is one over a deployment, what tells of its exports, and what lets their time pass.
func (d *worked) desk(t *testing.T) (desk *export.Desk, dir string, changed chan hlc.ID, passed chan time.Time) {
	t.Helper()
	dir, changed, passed = filepath.Join(t.TempDir(), "exports"), make(chan hlc.ID, 10), make(chan time.Time)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "left over"), []byte("secret"), 0o600)); err != nil {
		t.Fatal(err)
	}
	desk, err := export.NewDesk(export.DeskConfig{Dir: dir, Store: func(id hlc.ID) export.Store { return d.DB.Deployment(id) }, Wall: d.Wall, After: func(time.Duration) <-chan time.Time { return passed },
		Changed: func(id hlc.ID) { changed <- id }, Failed: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := desk.Close(); err != nil {
			t.Error(err)
		}
	})
	return desk, dir, changed, passed
}

func (d *worked) order(account hlc.ID, format string) export.Order {
	return export.Order{Account: account, Deployment: d.ID, Format: export.FormatNamed(format), Query: export.Query{Whole: true}, Note: func(context.Context, uint64) error { return nil }}
}

func TestAnExportIsMadeAndTaken(t *testing.T) {
	d := work(t)
	desk, dir, changed, _ := d.desk(t)
	var noted uint64
	order := d.order(somebody, "hxl")
	order.Note = func(_ context.Context, position uint64) error { noted = position; return nil }
	started, err := desk.Start(order)
	if err != nil || started.State != export.Running {
		t.Fatalf("%+v, %v", started, err)
	}
	if got := <-changed; got != d.ID {
		t.Errorf("told of %v", got)
	}
	made, err := desk.Get(somebody, d.ID, started.ID)
	if err != nil || made.State != export.Ready || made.Done != made.Of || made.Of == 0 || made.Position == 0 || made.Position != noted || !made.Until.Equal(d.Wall().Add(time.Hour)) {
		t.Fatalf("%+v, %v", made, err)
	}
	f, err := desk.Open(somebody, d.ID, started.ID)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || !bytes.Contains(content, []byte("#reached+ind")) || int64(len(content)) != made.Size {
		t.Errorf("%s, %v", content, err)
	}
	for _, id := range []hlc.ID{other, {}} {
		if _, err := desk.Open(id, d.ID, started.ID); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("somebody else: %v", err)
		}
	}
	if _, err := desk.Get(somebody, other, started.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("in another deployment: %v", err)
	}
	if all := desk.Of(somebody, d.ID); len(all) != 1 || len(desk.Of(other, d.ID)) != 0 {
		t.Errorf("%+v", all)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("there are %v, %v", left, err)
	}
	d.Pass(time.Hour + time.Second)
	if _, err := desk.Open(somebody, d.ID, started.ID); problem.CodeOf(err) != problem.NotFound || len(desk.Of(somebody, d.ID)) != 0 {
		t.Errorf("after an hour: %v", err)
	}
	if err := desk.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("files are left: %v", err)
	}
	if _, err := desk.Start(d.order(somebody, "hxl")); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("after the end: %v", err)
	}
}

// TestOneAtATime: while one of an account is being made no other is, and it can be broken off.
func TestOneAtATime(t *testing.T) {
	d := work(t)
	desk, dir, changed, _ := d.desk(t)
	entered, going := make(chan struct{}), make(chan struct{})
	order := d.order(somebody, "csv")
	order.Note = func(context.Context, uint64) error { close(entered); <-going; return nil } // before any record is read
	if _, err := desk.Start(order); err != nil {
		t.Fatal(err)
	}
	<-entered
	if _, err := desk.Start(d.order(somebody, "xlsx")); problem.CodeOf(err) != problem.TooManyRequests {
		t.Errorf("a second one: %v", err)
	}
	running := desk.Of(somebody, d.ID)[0]
	if _, err := desk.Open(somebody, d.ID, running.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("before it is made: %v", err)
	}
	if err := desk.Drop(other, d.ID, running.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("somebody else breaks it off: %v", err)
	}
	if err := desk.Drop(somebody, d.ID, running.ID); err != nil || len(desk.Of(somebody, d.ID)) != 0 {
		t.Errorf("%v", err)
	}
	close(going)
	<-changed
	<-changed
	if err := desk.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("files are left: %v", err)
	}
}

// TestFilesGo: those whose time has passed, and the oldest of who orders many.
func TestFilesGo(t *testing.T) {
	d := work(t)
	desk, dir, changed, passed := d.desk(t)
	var first string
	for i := range 5 {
		o, err := desk.Start(d.order(somebody, "geojson"))
		if err != nil {
			t.Fatal(err)
		}
		if <-changed; i == 0 {
			first = o.ID
		}
	}
	if all := desk.Of(somebody, d.ID); len(all) != 4 {
		t.Errorf("%d are kept", len(all))
	}
	if _, err := desk.Get(somebody, d.ID, first); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("the oldest: %v", err)
	}
	<-changed // it is removed
	for range 4 {
		passed <- time.Time{}
		<-changed
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 || len(desk.Of(somebody, d.ID)) != 0 {
		t.Errorf("after their time there are %v, %v", left, err)
	}
}

func TestAFileThatIsTooLarge(t *testing.T) {
	d := work(t)
	desk, _, changed, _ := d.desk(t)
	desk.Limit(100)
	o, err := desk.Start(d.order(somebody, "hxl"))
	if err != nil {
		t.Fatal(err)
	}
	<-changed
	if o, err = desk.Get(somebody, d.ID, o.ID); err != nil || o.State != export.TooLarge || o.Size != 0 {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := desk.Open(somebody, d.ID, o.ID); problem.CodeOf(err) != problem.NotFound {
		t.Error(err)
	}
}

// What can't be noted is not exported.
func TestWhatCannotBeNoted(t *testing.T) {
	d := work(t)
	dir, full, failed, changed := t.TempDir(), errors.New("full"), make(chan error, 1), make(chan hlc.ID, 10)
	desk, err := export.NewDesk(export.DeskConfig{Dir: dir, Store: func(id hlc.ID) export.Store { return d.DB.Deployment(id) }, Wall: d.Wall,
		Changed: func(id hlc.ID) { changed <- id }, Failed: func(err error) { failed <- err }})
	if err != nil {
		t.Fatal(err)
	}
	order := d.order(somebody, "csv")
	order.Note = func(context.Context, uint64) error { return full }
	o, err := desk.Start(order)
	if err != nil {
		t.Fatal(err)
	}
	<-changed
	if o, err = desk.Get(somebody, d.ID, o.ID); err != nil || o.State != export.Failed || !errors.Is(<-failed, full) {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := desk.Open(somebody, d.ID, o.ID); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("it can be taken: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, o.ID)); err != nil || info.Size() != 0 {
		t.Errorf("something was written: %v, %v", info, err)
	}
	if err := desk.Close(); err != nil {
		t.Error(err)
	}
}
