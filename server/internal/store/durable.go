package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrUnsynced says that the disk did not take what was committed, and nothing more is written until the program is started anew: what the
// system has in its memory may never reach a disk that failed once, though it says nothing the next time.
var ErrUnsynced = errors.New("the disk did not take what was written")

// Disk is what a database lies on, where a commit does not wait for it.
type Disk interface {
	// Flush has it take all that is committed.
	Flush() error
	Close() error
}

// flushes are how far the disk has what was committed. Whoever commits need not hold others up until then.
type flushes struct {
	// begun counts the transactions that wrote and were to be committed, ended those of which it is known what became of it: others may read
	// what one wrote before its commit returns. The disk has as many of them as flushed.
	begun, ended, flushed atomic.Uint64
	// one flushes for all that are committed by then.
	one    sync.Mutex
	failed atomic.Pointer[error]
}

func (f *flushes) failure() error {
	if err := f.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Durable returns once the disk has all that can be read by now of what this program wrote; ErrUnsynced when it does not take it. Nothing
// that was read or written may be told to a tablet before.
func (d *DB) Durable() error {
	f := &d.flushes
	upTo := f.begun.Load()
	if d.engine.Disk == nil || f.flushed.Load() >= upTo {
		return f.failure()
	}
	f.one.Lock()
	defer f.one.Unlock()
	if err := f.failure(); err != nil || f.flushed.Load() >= upTo {
		return err // somebody has flushed it meanwhile
	}
	// Of one that has not ended, what was read is on its way to the disk already, and the rest may not be.
	ended := f.ended.Load()
	began := time.Now()
	if err := d.engine.Disk.Flush(); err != nil {
		err = fmt.Errorf("%w: %w", ErrUnsynced, err)
		f.failed.Store(&err)
		return err
	}
	f.flushed.Store(ended)
	d.observe(Took{Flushed: time.Since(began)})
	return nil
}

// Durable implements syncing.Store.
func (d *Deployment) Durable() error { return d.db.Durable() }
