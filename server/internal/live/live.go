// Package live tells the pages that somebody has open that something of their deployment has changed. It says that, and not
// what: the page asks for itself, and is answered what its reader may see.
package live

import (
	"context"
	"slices"
	"sync"
	"time"

	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// Limits on those who watch.
const (
	// MostOfSession is how many may watch in one session: a further one takes the place of the first, since who lost the
	// network is not seen to be gone for a while.
	MostOfSession = 6
	// Most is how many may watch in all.
	Most = 500
)

// How often somebody is told.
const (
	// shortest is how long after a change the next is told at the earliest. While changes do not end, each waits twice as
	// long as the one before, up to longest: a page that a hundred tablets keep changing must not keep the server busy.
	shortest = 250 * time.Millisecond
	longest  = 4 * time.Second
	// heartbeat is how long nothing is said.
	heartbeat = 20 * time.Second
)

// Hub knows who watches which deployment.
type Hub struct {
	after func(time.Duration) <-chan time.Time
	// closing is closed with the hub.
	closing chan struct{}

	mu      sync.Mutex
	first   uint64
	changes map[hlc.ID]uint64
	// watches are in the order in which they began.
	watches []*Watch
}

// New is a hub that nobody watches yet. first is the number of the first state of each deployment: one that no hub before
// had, such as a time, so that a page from before a restart knows that it missed something. after tells when a time has
// passed; time.After when nil.
func New(first uint64, after func(time.Duration) <-chan time.Time) *Hub {
	if after == nil {
		after = time.After
	}
	return &Hub{after: after, closing: make(chan struct{}), first: first, changes: map[hlc.ID]uint64{}}
}

// Watching is how many watch.
func (h *Hub) Watching() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watches)
}

// State is the number of a deployment's present state. It is another one after each change.
func (h *Hub) State(deployment hlc.ID) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.first + h.changes[deployment]
}

// Publish says that a deployment has changed. It waits for nobody.
func (h *Hub) Publish(deployment hlc.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes[deployment]++
	for _, w := range h.watches {
		if w.deployment == deployment {
			w.wake()
		}
	}
}

// Watch is one who watches a deployment. It is not for several goroutines.
type Watch struct {
	hub                 *Hub
	deployment, session hlc.ID
	// changed holds one sign at the most: however much changed, it is told once.
	changed chan struct{}
	// replaced is closed when another one of the session took its place.
	replaced chan struct{}
	// pause is how long it waits before it tells again.
	pause time.Duration
	told  bool
}

func (w *Watch) wake() {
	select {
	case w.changed <- struct{}{}:
	default: // it will be told anyway
	}
}

// Watch begins to watch a deployment in a session. since is the number of the state that is known already: if it is past,
// that is told at once. The problem is busy when too many watch, and unavailable once the hub is closed.
func (h *Hub) Watch(deployment, session hlc.ID, since uint64) (*Watch, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.closing:
		return nil, problem.New(problem.Unavailable)
	default:
	}
	var own []*Watch
	for _, w := range h.watches {
		if w.session == session {
			own = append(own, w)
		}
	}
	switch {
	case len(own) >= MostOfSession:
		close(own[0].replaced)
		h.drop(own[0])
	case len(h.watches) >= Most:
		return nil, problem.New(problem.Busy)
	}
	w := &Watch{hub: h, deployment: deployment, session: session, changed: make(chan struct{}, 1), replaced: make(chan struct{}), pause: shortest}
	if since != h.first+h.changes[deployment] {
		w.wake()
	}
	h.watches = append(h.watches, w)
	return w, nil
}

// drop forgets one who watches. The caller holds the lock.
func (h *Hub) drop(w *Watch) {
	h.watches = slices.DeleteFunc(h.watches, func(other *Watch) bool { return other == w })
}

// Stop ends watching.
func (w *Watch) Stop() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	w.hub.drop(w)
}

// Event is what one who watches is told.
type Event int

// The events.
const (
	// Changed: the deployment has another state, whose number is State.
	Changed Event = iota
	// Still: nothing has changed for a while.
	Still
	// Replaced: another one took the place, and this one should not come again by itself.
	Replaced
	// Ended: the hub was closed, or who waits has gone.
	Ended
)

// Next waits for the next event.
func (w *Watch) Next(ctx context.Context) Event {
	if w.told {
		select {
		case <-w.hub.after(w.pause):
		case <-w.replaced:
			return Replaced
		case <-w.hub.closing:
			return Ended
		case <-ctx.Done():
			return Ended
		}
		w.pause = min(2*w.pause, longest)
		if len(w.changed) == 0 {
			w.pause = shortest
		}
	}
	w.told = false
	select {
	case <-w.changed:
		w.told = true
		return Changed
	case <-w.hub.after(heartbeat):
		return Still
	case <-w.replaced:
		return Replaced
	case <-w.hub.closing:
		return Ended
	case <-ctx.Done():
		return Ended
	}
}

// Close ends all that watch, at once. Nobody may watch any more.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.closing:
	default:
		close(h.closing)
	}
}
