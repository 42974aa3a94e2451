package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

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

func (d *disk) flush() error {
	if !d.hold.Load() {
		return nil
	}
	d.flushes.Add(1)
	d.begun <- struct{}{}
	return <-d.pass
}

func openOn(t *testing.T) (*disk, *store.DB) {
	d := &disk{begun: make(chan struct{}), pass: make(chan error)}
	db, err := sqlite.OpenOn(t.Context(), filepath.Join(t.TempDir(), "server.db"), d.flush)
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
