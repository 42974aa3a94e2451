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

// flushes are how far the disk has what was committed. Whoever commits need not hold others up until then.
type flushes struct {
	// committed counts transactions that wrote; the disk has as many of them as flushed.
	committed, flushed atomic.Uint64
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

// Durable returns once the disk has all that is committed by now; ErrUnsynced when it does not take it. Nothing that was read or written
// may be told to a tablet before.
func (d *DB) Durable() error {
	f := &d.flushes
	if d.engine.Flush == nil || f.flushed.Load() >= f.committed.Load() {
		return f.failure()
	}
	upTo := f.committed.Load()
	f.one.Lock()
	defer f.one.Unlock()
	if err := f.failure(); err != nil || f.flushed.Load() >= upTo {
		return err // somebody has flushed it meanwhile
	}
	upTo = f.committed.Load()
	began := time.Now()
	if err := d.engine.Flush(); err != nil {
		err = fmt.Errorf("%w: %w", ErrUnsynced, err)
		f.failed.Store(&err)
		return err
	}
	f.flushed.Store(upTo)
	d.observe(Took{Flushed: time.Since(began)})
	return nil
}

// Durable implements syncing.Store.
func (d *Deployment) Durable() error { return d.db.Durable() }
