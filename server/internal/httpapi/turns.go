package httpapi

import (
	"bytes"
	"container/list"
	"context"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"levee/syncproto/problem"
)

// turns bound how much of what tablets ask for is in the server's memory at once, when thousands come back in the same minute.
// So many requests are worked on; those that come meanwhile wait in a line, and get their turn in the order in which they came.
// When that line is as long as a tablet can wait, or what is in memory is as much as it may be, others are refused before they
// are read: each is told another time to come, so that they come spread out, as fast as the server can do them. Tablets add
// some time of their own choice to that.
type turns struct {
	wall func() time.Time
	// all is how many can be worked on at once, most how many wait at most.
	all, most int

	mu sync.Mutex
	// free is how many more can be worked on; 0 while any wait.
	free int
	// line are those that wait, by a channel each that is closed when it is their turn.
	line list.List
	// bytes are those of bodies that wait or are worked on, and of answers that are under way.
	bytes int
	// each is how long one takes after the one before, while others wait: measured since then, over so many.
	each  time.Duration
	since time.Time
	over  int
	// promised is when those that were refused will have come.
	promised time.Time
	// sentAway is how many were refused.
	sentAway int
}

const (
	// longestLine is how long a request may have to wait for its turn: tablets give up a connection on which nothing moves for a minute.
	longestLine = 15 * time.Second
	// maxBytes is how much bodies and answers may have together. Other than these, what is worked on is bounded by its number.
	maxBytes = 256 << 20
	// shortestRefusal and longestRefusal bound for how long a tablet is sent away.
	shortestRefusal = time.Second
	longestRefusal  = 5 * time.Minute
	// leastMeasured is how many must have been done before it is known how long each takes.
	leastMeasured = 64
)

func newTurns(l Limits, wall func() time.Time) *turns {
	return &turns{wall: wall, all: l.Working, most: l.Waiting, free: l.Working}
}

// room reports whether one more may come; problem busy with when to come again.
func (t *turns) room() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hasRoom()
}

func (t *turns) hasRoom() error {
	ahead := time.Duration(t.line.Len()) * t.each
	if t.bytes < maxBytes && (t.free > 0 || t.line.Len() < t.most && ahead <= longestLine) {
		return nil
	}
	t.sentAway++
	now := t.wall()
	if t.promised.Before(now) {
		t.promised = now
	}
	if latest := now.Add(longestRefusal); t.promised.After(latest) {
		t.promised = latest
	}
	// A little sooner than they can be done: the line evens that out, and a server that waits for tablets loses time.
	t.promised = t.promised.Add(t.each * 3 / 4)
	return &problem.Problem{Code: problem.Busy, RetryAfter: max(shortestRefusal, t.promised.Sub(now))}
}

// take waits for a turn, and holds it until done is called. Problem busy when there is no room, or ctx ends.
func (t *turns) take(ctx context.Context, body int) (done func(), err error) {
	t.mu.Lock()
	if err := t.hasRoom(); err != nil {
		t.mu.Unlock()
		return nil, err
	}
	t.bytes += body
	done = func() { t.done(body) }
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return done, nil
	}
	turn := make(chan struct{})
	place := t.line.PushBack(turn)
	t.mu.Unlock()
	select {
	case <-turn:
		return done, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	select {
	case <-turn: // just now: it goes to the next one
		t.mu.Unlock()
		done()
	default:
		t.line.Remove(place)
		t.bytes -= body
		t.mu.Unlock()
	}
	return nil, problem.New(problem.Busy)
}

// done gives a turn to the next in line.
func (t *turns) done(body int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes -= body
	next := t.line.Front()
	if next == nil {
		t.free++
		t.over = 0 // how soon another one is done says how soon it came
		return
	}
	close(t.line.Remove(next).(chan struct{})) //nolint:forcetypeassert // of which the line is made
	t.note(t.wall())
}

// note measures how long each takes. Batches that share a commit are done at once, so it takes many to tell; and only the
// last ones count, a few hundred.
func (t *turns) note(now time.Time) {
	if t.over == 0 {
		t.since = now
	}
	t.over++
	taken := now.Sub(t.since)
	if t.over > leastMeasured {
		t.each = taken / time.Duration(t.over-1)
	}
	if t.over > 8*leastMeasured {
		t.over /= 2
		t.since = t.since.Add(taken / 2)
	}
}

// counts are how many wait and are worked on now, and how many were sent away so far.
func (t *turns) counts() (waiting, working, sentAway int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.line.Len(), t.all - t.free, t.sentAway
}

// underWay counts bytes of answers that are being sent.
func (t *turns) underWay(bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes += bytes
}

// keeping keeps what a handler answers until its turn is over: a slow line must not keep others from theirs.
type keeping struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newKeeping() *keeping { return &keeping{header: http.Header{}, status: http.StatusOK} }

func (k *keeping) Header() http.Header { return k.header }

func (k *keeping) WriteHeader(status int) { k.status = status }

func (k *keeping) Write(b []byte) (int, error) { return k.body.Write(b) }

// send sends it.
func (k *keeping) send(w http.ResponseWriter) {
	header := w.Header()
	maps.Copy(header, k.header)
	header.Set("Content-Length", strconv.Itoa(k.body.Len()))
	w.WriteHeader(k.status)
	_, _ = w.Write(k.body.Bytes()) // the caller is gone if this fails
}
