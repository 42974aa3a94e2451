package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// disk is one whose flushes a test lets pass, once it has said that it holds them up.
type disk struct {
	flushes atomic.Int64
	hold    atomic.Bool
	begun   chan struct{}
	pass    chan error
}

func (d *disk) Flush() error {
	if !d.hold.Load() {
		return nil
	}
	d.flushes.Add(1)
	d.begun <- struct{}{}
	return <-d.pass
}

func (*disk) Close() error { return nil }

func openOn(t *testing.T) (*disk, *store.DB) {
	d := &disk{begun: make(chan struct{}), pass: make(chan error)}
	db, err := sqlite.OpenOn(t.Context(), filepath.Join(t.TempDir(), "server.db"), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	d.hold.Store(true)
	return d, db
}

// writes commits something, and does not wait for the disk.
func writes(db *store.DB, position uint64) error {
	return db.Deployment(hlc.ID{1}).Write(context.Background(), func(tx syncing.Writing) error {
		return tx.Save(syncing.Changes{Head: syncing.Head{Position: position, Time: 1}})
	})
}

// While the disk takes what one has committed, others go on, and then it takes what all of these have committed at once.
func TestNobodyWaitsForTheDiskButWhoAsksForIt(t *testing.T) {
	d, db := openOn(t)
	results := make(chan error)
	durable := func() { results <- db.Durable() }
	if err := writes(db, 1); err != nil {
		t.Fatal(err)
	}
	go durable()
	<-d.begun
	for position := range uint64(3) {
		if err := writes(db, position+2); err != nil {
			t.Fatal(err)
		}
	}
	var asked sync.WaitGroup
	for range 3 {
		asked.Add(1)
		go func() {
			asked.Done()
			durable()
		}()
	}
	asked.Wait()
	d.pass <- nil                     // for the first
	<-d.begun                         // the others were committed after that had begun
	if err := <-results; err != nil { // the first one's: the disk has not taken the others yet
		t.Error(err)
	}
	d.pass <- nil
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := d.flushes.Load(); n != 2 {
		t.Errorf("%d flushes", n)
	}
	if err := db.Durable(); err != nil || d.flushes.Load() != 2 {
		t.Errorf("with nothing new: %v, %d flushes", err, d.flushes.Load())
	}
}

// What a disk refused once may never be on it, even if it says nothing the next time.
func TestNothingIsWrittenOnceTheDiskHasFailed(t *testing.T) {
	d, db := openOn(t)
	if err := writes(db, 1); err != nil {
		t.Fatal(err)
	}
	go func() {
		<-d.begun
		d.pass <- syscall.EIO
	}()
	if err := db.Durable(); !errors.Is(err, store.ErrUnsynced) || !errors.Is(err, syscall.EIO) {
		t.Errorf("when it fails: %v", err)
	}
	d.hold.Store(false)
	if err := db.Durable(); !errors.Is(err, store.ErrUnsynced) {
		t.Errorf("afterwards: %v", err)
	}
	if err := writes(db, 2); !errors.Is(err, store.ErrUnsynced) {
		t.Errorf("written: %v", err)
	}
	if err := db.Ping(t.Context()); !errors.Is(err, store.ErrUnsynced) {
		t.Errorf("it seems to be well: %v", err)
	}
	if err := db.Deployment(hlc.ID{1}).Read(t.Context(), func(syncing.Reading) error { return nil }); err != nil {
		t.Errorf("reading: %v", err)
	}
}

// Beside the link that an operator names, as to another disk, there is no WAL: the one beside what it leads to is what the disk must take.
func TestADatabaseBehindALink(t *testing.T) {
	at, folder := filepath.Join(t.TempDir(), "server.db"), t.TempDir()
	middle, link := filepath.Join(folder, "middle.db"), filepath.Join(folder, "link.db")
	if err := errors.Join(os.Symlink(at, middle), os.Symlink("middle.db", link)); err != nil {
		t.Fatal(err)
	}
	first, err := sqlite.Hold(t.Context(), link, false) // as a server does before its first start
	if err != nil {
		t.Fatal(err)
	}
	if also, err := sqlite.Hold(t.Context(), at, true); !errors.Is(err, store.ErrHeld) {
		t.Errorf("held twice before the first start: %v, %v", also, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for position := range uint64(3) {
		if err := errors.Join(writes(db, position+1), db.Durable()); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := sqlite.Copy(t.Context(), link, copied); err != nil {
		t.Fatal(err)
	}
	if got := head(t, copied).Position; got != 3 {
		t.Errorf("the copy is at position %d", got)
	}
	held, err := sqlite.Hold(t.Context(), at, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	if also, err := sqlite.Hold(t.Context(), link, true); !errors.Is(err, store.ErrHeld) {
		t.Errorf("held twice: %v, %v", also, err)
	}
}

// A database that was just opened has an empty WAL, and commits may be moved into its file at any time.
func TestADatabaseInUseIsNotTakenForOneThatLiesAlone(t *testing.T) {
	at := filepath.Join(t.TempDir(), "server.db")
	db, err := sqlite.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if mode := sqlite.ModeToCopy(at); mode != "ro" {
		t.Errorf("in use it is opened with %s", mode)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if mode := sqlite.ModeToCopy(at); mode != "ro&immutable=1" {
		t.Errorf("alone it is opened with %s", mode)
	}
}

// Whoever reads the database all day, as a program does that copies its WAL, holds up no start.
func TestAReaderDoesNotHoldUpAStart(t *testing.T) {
	at := filepath.Join(t.TempDir(), "server.db")
	first, err := sqlite.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Close() })
	if err := writes(first, 1); err != nil {
		t.Fatal(err)
	}
	err = first.Deployment(hlc.ID{1}).Read(t.Context(), func(tx syncing.Reading) error {
		if h, err := tx.Head(); err != nil || h.Position != 1 {
			t.Errorf("%+v, %v", h, err)
		}
		// What a disk may have failed to take is written again, though it can't be moved into the database now.
		if err := os.Chtimes(at+"-wal", time.Time{}, time.Unix(1, 0)); err != nil {
			return err
		}
		began := time.Now()
		second, err := sqlite.Open(t.Context(), at)
		if err != nil {
			return err
		}
		if took := time.Since(began); took > 9*time.Second { // it waits 10 s for those who write
			t.Errorf("it took %v", took)
		}
		if wal, err := os.Stat(at + "-wal"); err != nil || wal.ModTime().Unix() == 1 {
			t.Errorf("the log was left as it was: %v", err)
		}
		return errors.Join(writes(second, 2), second.Durable(), second.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func head(t *testing.T, at string) (h syncing.Head) {
	t.Helper()
	db, err := sqlite.OpenStill(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Deployment(hlc.ID{1}).Read(t.Context(), func(tx syncing.Reading) error {
		h, err = tx.Head()
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return h
}
