package clientlib

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"levee/syncproto/problem"
)

// SyncDoing is what a Syncer is doing.
type SyncDoing string

// What a Syncer may be doing.
const (
	// SyncOff: the tablet is not enrolled, or the store was closed.
	SyncOff SyncDoing = "off"
	// SyncIdle: nothing is unsent. It asks for what others wrote at Next.
	SyncIdle SyncDoing = "idle"
	// SyncWaiting: it tries at Next.
	SyncWaiting SyncDoing = "waiting"
	// SyncRunning: a sync is under way.
	SyncRunning SyncDoing = "running"
	// SyncPaused: it waits for Now, or for a network that is not metered. Also after what another try does not mend; see Err.
	SyncPaused SyncDoing = "paused"
)

// SyncState is how it stands with syncing.
type SyncState struct {
	Doing SyncDoing
	// Progress is that of the sync under way, or else of the last one.
	Progress Progress
	// Fraction is how much of the sync under way, or else of the last one, is done: from 0 to 1. It never goes back within one, and
	// is 1 only when Progress.Phase is PhaseDone. It stands still when more turns up meanwhile.
	Fraction float64
	// Status is as the file was after the last step, or the last Wake.
	Status Status
	// Next is when it tries next; zero while it does not wait for a time.
	Next time.Time
	// Last is when a sync last came to its end; zero when none has yet.
	Last time.Time
	// Err is what went wrong in the last one; nil after one that came to its end. That one was stopped is no error.
	Err error
	// Result is what the last one did, whether it came to its end or not.
	Result SyncResult
}

// SyncerOptions are what a Syncer takes from around it. All may be left out.
type SyncerOptions struct {
	// After is time.After when nil.
	After func(time.Duration) <-chan time.Time
	// Random is from 0 to 1; of math/rand when nil.
	Random func() float64
	// Now is the store's own clock, not corrected, when nil.
	Now func() time.Time
}

// When a Syncer tries.
const (
	// burst is how long it waits for more after something was logged, so that a burst of taps is one sync.
	burst = 3 * time.Second
	// freshness is after how long it asks for what team mates wrote.
	freshness = 15 * time.Minute
	// durableAfter is after how long it asks whether what the server has is durable now.
	durableAfter = 5 * time.Minute
	// The shortest and the longest wait after a failure.
	leastWait = 2 * time.Second
	mostWait  = 5 * time.Minute
)

// Syncer syncs a store by itself. All methods may be called at the same time.
type Syncer struct {
	store *Store
	o     SyncerOptions
	end   context.CancelFunc
	ended chan struct{}
	// poked holds a token when there may be something else to do than what is waited for.
	poked chan struct{}
	// reading is held while the status is read, so that an older one never takes the place of a newer one.
	reading sync.Mutex

	mu       sync.Mutex
	state    SyncState
	watchers map[chan struct{}]struct{}
	// cancel ends the sync under way; nil while there is none. forced says that it goes on although the network is metered.
	cancel context.CancelFunc
	forced bool

	// atOnce: by hand or for an urgent record, whatever else holds it back.
	atOnce bool
	// urgent: an urgent record was logged, and no sync has come to its end since.
	urgent bool
	// stopped by hand; metered, and not allowed; hopeless, when another try does not mend what went wrong.
	stopped, metered, hopeless bool
	// unsentSince is when something unsent was first seen since the last sync, if anything is.
	unsentSince time.Time
	// failures is how many tries failed in a row, failed when the last one did, wait how long to wait since.
	failures int
	failed   time.Time
	wait     time.Duration
}

// KeepSyncing syncs whenever something is unsent, and asks for what others wrote when the server has not answered for a quarter
// of an hour, until Close is called on the Syncer or the store. Failures are followed by longer and longer waits.
func (s *Store) KeepSyncing(o SyncerOptions) *Syncer {
	if o.After == nil {
		o.After = time.After
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Now == nil {
		o.Now = s.wall
	}
	y := &Syncer{store: s, o: o, ended: make(chan struct{}), poked: make(chan struct{}, 1), watchers: map[chan struct{}]struct{}{}, state: SyncState{Doing: SyncOff}}
	ctx, leave, err := s.enter(context.Background()) // Store.Close waits for the goroutine
	if err != nil {
		y.end = func() {}
		close(y.ended)
		return y
	}
	ctx, y.end = context.WithCancel(ctx)
	y.look(ctx)
	go func() {
		defer close(y.ended)
		defer leave()
		y.keep(ctx)
	}()
	return y
}

// State is how it stands. It reads nothing.
func (y *Syncer) State() SyncState {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.state
}

// Watch is a channel that holds a token whenever something has changed since the last one was taken. stop ends that.
func (y *Syncer) Watch() (changes <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	y.mu.Lock()
	defer y.mu.Unlock()
	y.watchers[c] = struct{}{}
	return c, func() {
		y.mu.Lock()
		defer y.mu.Unlock()
		delete(y.watchers, c)
	}
}

// Now syncs at once, also when the network is metered, after Stop and after what another try does not mend.
func (y *Syncer) Now() {
	y.change(func() {
		y.stopped = false
		y.force()
	})
}

// Wake says that something was logged. It is sent after a moment in which more may come; when it is urgent, a risk alert, at once,
// whatever else holds it back. It is called after enrolment, too, which is followed by the first sync at once. The state has what is
// new when Wake returns.
func (y *Syncer) Wake(urgent bool) {
	before := y.State().Status
	y.look(context.Background())
	y.change(func() {
		if y.urgent = y.urgent || urgent; urgent || y.state.Status.Enrolled && !before.Enrolled {
			y.force()
		}
	})
}

// force has a sync made at once.
func (y *Syncer) force() { y.atOnce, y.forced, y.failures = true, true, 0 }

// Stop ends the sync under way, and waits for Now. What it brought stays.
func (y *Syncer) Stop() {
	y.change(func() {
		y.stopped, y.atOnce, y.urgent = true, false, false
		if y.cancel != nil {
			y.cancel()
		}
	})
}

// SetMetered says that what is sent and received now costs the worker money, and whether she allows that. While she does not, it
// syncs only what is urgent or asked for by Now.
func (y *Syncer) SetMetered(metered, allowed bool) {
	y.change(func() {
		y.metered = metered && !allowed
		if y.metered && y.cancel != nil && !y.forced {
			y.cancel()
		}
	})
}

// Close stops it and waits until nothing of it runs. It may be called again, and after the store was closed.
func (y *Syncer) Close() {
	y.end()
	<-y.ended
}

// change changes what is to be done.
func (y *Syncer) change(f func()) {
	y.mu.Lock()
	f()
	y.mu.Unlock()
	select {
	case y.poked <- struct{}{}:
	default:
	}
}

// tell changes the state, and tells those who watch.
func (y *Syncer) tell(f func(*SyncState)) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.changed(f)
}

// changed is tell while mu is held.
func (y *Syncer) changed(f func(*SyncState)) {
	f(&y.state)
	for c := range y.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// look reads the status anew. One that can't be read now stays as it was.
func (y *Syncer) look(ctx context.Context) {
	y.reading.Lock()
	defer y.reading.Unlock()
	st, err := y.store.Status(ctx)
	if err != nil {
		return
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	before := y.state.Status
	if st == before {
		return
	}
	if before.Unsent == 0 {
		y.unsentSince = y.o.Now()
	}
	y.changed(func(state *SyncState) { state.Status = st })
}

// keep syncs until ctx ends.
func (y *Syncer) keep(ctx context.Context) {
	defer y.tell(func(state *SyncState) { state.Doing, state.Next = SyncOff, time.Time{} })
	due := false
	for ctx.Err() == nil {
		sync, wait, waits := y.plan(ctx, due)
		if due = false; sync != nil {
			y.sync(sync)
			continue
		}
		var timer <-chan time.Time
		if waits {
			timer = y.o.After(wait)
		}
		select {
		case <-ctx.Done():
		case <-y.poked:
		case <-timer:
			due = true
			y.look(ctx) // another program may have synced, or logged
		}
	}
}

// plan is what is to be done: a sync, which ends with the context that is returned, or how long to wait for the next, if for a time
// at all. due says that the time that was waited for has come, whatever a clock says that was set meanwhile.
func (y *Syncer) plan(ctx context.Context, due bool) (sync context.Context, wait time.Duration, waits bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	doing, next := SyncPaused, time.Time{}
	switch st := y.state.Status; {
	case y.atOnce:
		doing = SyncRunning
	case !st.Enrolled:
		doing = SyncOff
	case y.hopeless, (y.stopped || y.metered) && !y.urgent:
	default:
		now := y.o.Now()
		if wait = y.left(now); wait <= 0 || due {
			doing = SyncRunning
			break
		}
		doing, next, waits = SyncIdle, now.Add(wait), true
		if st.Unsent > 0 || y.failures > 0 {
			doing = SyncWaiting
		}
	}
	if doing == SyncRunning {
		sync, y.cancel = context.WithCancel(ctx)
		y.forced = y.atOnce || y.urgent
		y.atOnce = false
	}
	y.changed(func(state *SyncState) {
		if state.Doing, state.Next = doing, next; doing == SyncRunning {
			state.Progress, state.Fraction = Progress{}, 0
		}
	})
	return sync, wait, waits
}

// left is how long to wait for the next try.
func (y *Syncer) left(now time.Time) time.Duration {
	if y.failures > 0 {
		return left(y.failed, y.wait, now)
	}
	st := y.state.Status
	contact := st.LastContact.Add(-st.ClockOffset)
	next := left(contact, freshness, now)
	if st.Sent > 0 {
		next = min(next, left(contact, durableAfter, now))
	}
	if st.Unsent > 0 {
		next = min(next, left(y.unsentSince, burst, now))
	}
	return next
}

// left is what is left of a wait. Where the clock was set back, that is not more than the whole.
func left(since time.Time, wait time.Duration, now time.Time) time.Duration {
	return min(wait, max(0, wait-now.Sub(since)))
}

// sync syncs once.
func (y *Syncer) sync(ctx context.Context) {
	var done Progress
	result, err := y.store.sync(ctx, func(p Progress) {
		if p.Phase == PhaseDone {
			done = p // that it is done is said when the call has returned
			return
		}
		y.look(ctx)
		y.tell(func(state *SyncState) { state.Progress, state.Fraction = p, max(state.Fraction, p.Fraction()) })
	}, func(up, down int64) {
		y.tell(func(state *SyncState) { state.Progress.BytesUp, state.Progress.BytesDown = up, down })
	})
	y.look(context.WithoutCancel(ctx))
	stopped := err != nil && ctx.Err() != nil
	y.mu.Lock()
	defer y.mu.Unlock()
	y.cancel()
	y.cancel, y.forced = nil, false
	if err == nil {
		// What was logged as it ended is still to be sent.
		more := y.state.Status.Unsent > 0
		y.atOnce, y.urgent, y.hopeless, y.failures = y.atOnce && more, y.urgent && more, false, 0
		y.unsentSince = y.o.Now()
	} else if !stopped {
		y.fail(err)
	}
	y.changed(func(state *SyncState) {
		state.Result = result
		state.Progress.BytesUp, state.Progress.BytesDown = result.BytesUp, result.BytesDown
		switch {
		case err == nil:
			state.Progress, state.Fraction, state.Last, state.Err = done, 1, y.o.Now(), nil
		case !stopped:
			state.Err = err
		}
	})
}

// fail takes note of a try that failed.
func (y *Syncer) fail(err error) {
	switch Code(err) {
	case string(problem.DeviceRevoked), CodeKeyDestroyed, CodeServerNotTrusted, CodeForked:
		y.hopeless, y.urgent, y.failures = true, false, 0
		return
	}
	most := mostWait
	if y.failures < 8 {
		most = min(mostWait, leastWait<<(y.failures+1))
	}
	y.failures++
	y.failed, y.wait = y.o.Now(), leastWait+time.Duration(y.o.Random()*float64(most-leastWait))
	var p *problem.Problem
	if errors.As(err, &p) {
		y.wait += p.RetryAfter // all tablets are told the same, and must not come back all at once
	}
}
