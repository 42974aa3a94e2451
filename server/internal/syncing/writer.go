package syncing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"levee/server/internal/tracing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// self is the server as a replica of one deployment.
type self struct {
	deployment hlc.ID
	// replica is its number, a hlc.Replica.
	replica atomic.Uint64
	// seen is the newest place of the log that it knows.
	seen    atomic.Pointer[place]
	clock   *hlc.Clock
	entropy io.Reader
	keys    *Keys
	journal Journal
	// rules are what changes are validated by, as of now.
	rules func() record.Deployment
	// ahead is Head.Ahead as last committed.
	ahead atomic.Uint64
	// erasing is how far an erasure of the whole deployment has come. carriedOut: the store is known to have nothing of it left.
	erasing    struct{ done, of atomic.Uint64 }
	carriedOut atomic.Bool
}

// futureAt is the highest stamp that is taken at a time of the server's clock, when stamps up to ahead were accepted
// wherever the clock stands: what follows them must be able to come after them.
func futureAt(now time.Time, ahead hlc.Time) hlc.Time {
	if now.Before(ahead.Wall()) {
		now = ahead.Wall()
	}
	return hlc.TimeOf(now.Add(MaxSkew)) | (1<<16 - 1)
}

// Commit is what one transaction of the writer did.
type Commit struct {
	// Jobs is how many batches and other jobs shared it; 0 when it only noted contacts.
	Jobs int
	// Waited is how long the first of them had waited for the writer, Took how long the commit took.
	Waited, Took time.Duration
	// Log is what it added to the log.
	Log []LogEntry
	// Records are those that changed, as they are now, and Removed those that were erased.
	Records []Record
	Removed []hlc.ID
	// SetUpChanged: some of the records are of the set-up.
	SetUpChanged bool
}

// maxGroup bounds how many jobs share one transaction, so that the first of them does not wait for ever.
const maxGroup = 64

// job is something to be done in a writing transaction. It may run twice: with others, and alone if one of them failed.
type job struct {
	run    func(*group) error
	done   chan error
	queued time.Time
	// span is that of who waits for it.
	span trace.Span
}

func newJob(ctx context.Context, run func(*group) error) job {
	return job{run: run, done: make(chan error, 1), queued: time.Now(), span: trace.SpanFromContext(ctx)}
}

// writer is the one goroutine that writes a deployment. Jobs that arrive while it is busy are committed together.
type writer struct {
	store Store
	self  *self
	wall  func() time.Time
	after func(time.Duration) <-chan time.Time
	// know is called with the end of the log before anything is done to it: another server may have changed it.
	know func(Head) error
	// committed is called after each commit, before its jobs are answered.
	committed func(setUpChanged bool)
	observe   func(Commit)

	jobs chan job
	// undone is how many jobs are waited for.
	undone atomic.Int64
	stop   chan struct{}
	gone   sync.WaitGroup

	mu       sync.Mutex
	contacts map[hlc.ID]Contact
}

func (w *writer) start() {
	w.jobs, w.stop, w.contacts = make(chan job, 4*maxGroup), make(chan struct{}), map[hlc.ID]Contact{}
	w.gone.Go(w.loop)
}

// close finishes what has queued and ends the goroutine. Nobody may call do any more.
func (w *writer) close() {
	close(w.stop)
	w.gone.Wait()
}

// queue is how many jobs wait.
func (w *writer) queue() int { return len(w.jobs) }

// do runs a job and returns once the disk has what it did. While that is waited for, the next jobs are carried out.
func (w *writer) do(ctx context.Context, run func(*group) error) (err error) {
	ctx, span := tracing.Start(ctx, "write")
	defer func() { tracing.End(span, err) }()
	w.undone.Add(1)
	defer w.undone.Add(-1)
	j := newJob(ctx, run)
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return problem.New(problem.Busy)
	}
	// Once queued it is carried out, whether anybody still waits or not.
	select {
	case err := <-j.done:
		if err != nil {
			return err
		}
		return w.store.Durable()
	case <-ctx.Done():
		return problem.New(problem.Busy)
	}
}

// note keeps what a device said of itself until the next commit, so that a sync with nothing new waits for no disk.
func (w *writer) note(c Contact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.App == "" {
		c.App = w.contacts[c.Device].App
	}
	w.contacts[c.Device] = c
}

func (w *writer) noted() []Contact {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Contact
	for _, device := range inOrder(w.contacts) {
		all = append(all, w.contacts[device])
	}
	clear(w.contacts)
	return all
}

// contactsEvery is how long what devices said waits for other commits before it gets one of its own.
const contactsEvery = 2 * time.Second

func (w *writer) loop() {
	for {
		select {
		case j := <-w.jobs:
			w.commit(w.gather(j))
		case <-w.after(contactsEvery):
			w.flushContacts()
		case <-w.stop:
			for {
				select {
				case j := <-w.jobs:
					w.commit(w.gather(j))
				default:
					w.flushContacts()
					return
				}
			}
		}
	}
}

func (w *writer) gather(first job) []job {
	group := []job{first}
	for len(group) < maxGroup {
		select {
		case j := <-w.jobs:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// commit carries out a group in one transaction, once more where what it supposed was wrong. If it fails, each job is tried again alone, so
// that a bad one harms only itself.
func (w *writer) commit(jobs []job) {
	err := w.transact(jobs, false)
	if errors.Is(err, ErrNotNew) {
		err = w.transact(jobs, true)
	}
	if err == nil || len(jobs) == 1 {
		for _, j := range jobs {
			j.done <- err
		}
		return
	}
	for _, j := range jobs {
		j.done <- w.transact([]job{j}, true)
	}
}

func (w *writer) transact(jobs []job, careful bool) (err error) {
	start := time.Now()
	contacts := w.noted()
	commit := Commit{Jobs: len(jobs)}
	spans := make([]trace.Span, len(jobs))
	for i, j := range jobs {
		commit.Waited = max(commit.Waited, start.Sub(j.queued))
		spans[i] = j.span
	}
	ctx, span := tracing.Together(spans, "commit")
	defer func() { tracing.End(span, err) }()
	var saved Head
	seen := w.self.seen.Load()
	err = w.store.Write(ctx, func(tx Writing) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic while writing: %v\n%s", v, debug.Stack())
			}
		}()
		g, err := newGroup(tx, w.self, w.wall(), careful)
		if err != nil {
			return err
		}
		if err := seen.leadsTo(tx, g.head); err != nil {
			return err
		}
		w.self.clock.Observe(g.head.Time)
		if err := w.self.journal.Mend(tx); err != nil {
			return err
		}
		if err := w.know(g.head); err != nil {
			return err
		}
		g.contacts = contacts
		for _, j := range jobs {
			if err := j.run(g); err != nil {
				return err
			}
		}
		changes, err := g.save()
		if err != nil {
			return err
		}
		commit.Log, commit.Records, commit.Removed, commit.SetUpChanged = g.log, slices.Concat(changes.Made, changes.Records), g.removed, g.setUpChanged
		saved = g.head
		return nil
	})
	if err != nil {
		for _, c := range contacts { // not written: they wait for the next commit, unless newer ones came
			w.mu.Lock()
			if _, newer := w.contacts[c.Device]; !newer {
				w.contacts[c.Device] = c
			}
			w.mu.Unlock()
		}
		return err
	}
	w.self.saw(saved)
	w.self.ahead.Store(uint64(saved.Ahead))
	commit.Took = time.Since(start)
	if span.IsRecording() {
		span.SetAttributes(attribute.Int("levee.batches", commit.Jobs), attribute.Int("levee.positions", len(commit.Log)))
	}
	w.committed(commit.SetUpChanged)
	w.observe(commit) // once all can be read, the set-up too
	return nil
}

func (w *writer) flushContacts() {
	w.mu.Lock()
	waiting := len(w.contacts)
	w.mu.Unlock()
	if waiting > 0 {
		_ = w.transact(nil, true) // they stay noted and are tried again
	}
}
