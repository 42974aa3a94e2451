package syncing

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"levee/server/internal/journal"
	"levee/syncproto/hlc"
)

// ledger is a store that keeps nothing but which transactions were committed.
type ledger struct {
	mu        sync.Mutex
	committed [][]Contact
	opened    chan struct{} // told of each transaction; may be nil
	proceed   chan struct{} // waited for by each; may be nil
}

func (*ledger) Purge(context.Context) error { return nil }

func (*ledger) Durable() error { return nil }

func (l *ledger) Read(context.Context, func(Reading) error) error { return nil }

func (l *ledger) Write(_ context.Context, fn func(Writing) error) error {
	if l.opened != nil {
		l.opened <- struct{}{}
		<-l.proceed
	}
	tx := &page{}
	if err := fn(tx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.committed = append(l.committed, tx.saved)
	return nil
}

// page is one transaction of a ledger. What it is not asked for here it does not have.
type page struct {
	Writing
	saved []Contact
}

func (*page) Head() (Head, error) { return Head{}, nil }

func (*page) Append([]LogEntry) error { return nil }

func (p *page) Save(c Changes) error {
	p.saved = c.Contacts
	return nil
}

// noJournal is a journal that nobody writes to.
type noJournal struct{ Journal }

func (noJournal) Mend(journal.Writing) error { return nil }

func newSelf() *self {
	s := &self{clock: hlc.NewClock(time.Now, 0), journal: noJournal{}}
	s.seen.Store(&place{})
	return s
}

func newWriter(t *testing.T, store Store) *writer {
	w := &writer{store: store, self: newSelf(), wall: time.Now, after: time.After, observe: func(Commit) {}, know: func(Head) error { return nil }, committed: func(bool) {}}
	w.start()
	t.Cleanup(w.close)
	return w
}

// mark is a job that can be seen in what was committed.
func mark(n byte) func(*group) error {
	return func(g *group) error {
		g.contacts = append(g.contacts, Contact{Device: hlc.ID{n}})
		return nil
	}
}

// together queues jobs while a first one holds the writer, so that they are committed as one group.
func together(t *testing.T, l *ledger, w *writer, jobs ...func(*group) error) []error {
	t.Helper()
	l.opened, l.proceed = make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() { first <- w.do(context.Background(), mark(0)) }()
	<-l.opened
	results := make([]chan error, len(jobs))
	for i, run := range jobs {
		j := newJob(t.Context(), run)
		results[i] = j.done
		w.jobs <- j
	}
	go func() {
		for range l.opened {
			l.proceed <- struct{}{}
		}
	}()
	l.proceed <- struct{}{}
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	errs := make([]error, len(jobs))
	for i, r := range results {
		errs[i] = <-r
	}
	return errs
}

func TestWhatArrivesTogetherIsCommittedTogether(t *testing.T) {
	l := &ledger{}
	w := newWriter(t, l)
	for i, err := range together(t, l, w, mark(1), mark(2), mark(3)) {
		if err != nil {
			t.Errorf("job %d: %v", i, err)
		}
	}
	if len(l.committed) != 2 || len(l.committed[1]) != 3 {
		t.Fatalf("committed %v", l.committed)
	}
}

func TestAJobThatFailsOrPanicsHarmsNoOther(t *testing.T) {
	boom := errors.New("boom")
	l := &ledger{}
	w := newWriter(t, l)
	errs := together(t, l, w, mark(1), func(*group) error { return boom }, mark(2), func(*group) error { panic("a bad change") }, mark(3))
	if errs[0] != nil || !errors.Is(errs[1], boom) || errs[2] != nil || errs[3] == nil || errs[4] != nil {
		t.Fatalf("errors %v", errs)
	}
	var marks []byte
	for _, saved := range l.committed {
		for _, c := range saved {
			marks = append(marks, c.Device[0])
		}
	}
	if !slices.Equal(marks, []byte{0, 1, 2, 3}) {
		t.Fatalf("committed %v", marks)
	}
}

func TestWhoeverGivesUpWaitingHarmsNothing(t *testing.T) {
	l := &ledger{}
	w := newWriter(t, l)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = w.do(ctx, mark(1)) // it may have been queued or not
	if err := w.do(context.Background(), mark(2)); err != nil {
		t.Fatal(err)
	}
}

// What devices say of themselves waits until a time has passed by the clock that was given, or until it is asked for.
func TestWhatDevicesSayIsWrittenInTime(t *testing.T) {
	l := &ledger{opened: make(chan struct{}), proceed: make(chan struct{})}
	passed := make(chan time.Time)
	w := &writer{store: l, self: newSelf(), wall: time.Now, observe: func(Commit) {}, know: func(Head) error { return nil }, committed: func(bool) {},
		after: func(d time.Duration) <-chan time.Time {
			if d != contactsEvery {
				t.Errorf("waits for %v", d)
			}
			return passed
		}}
	w.start()
	w.note(Contact{Device: hlc.ID{2}})
	w.note(Contact{Device: hlc.ID{1}})
	passed <- time.Time{}
	<-l.opened
	l.proceed <- struct{}{}
	passed <- time.Time{} // nothing has been said meanwhile: nothing is written
	w.close()
	if len(l.committed) != 1 || !slices.Equal(l.committed[0], []Contact{{Device: hlc.ID{1}}, {Device: hlc.ID{2}}}) {
		t.Errorf("committed %v", l.committed)
	}
}

func TestFlushWritesWhatDevicesSaid(t *testing.T) {
	l := &ledger{}
	w := newWriter(t, l)
	w.note(Contact{Device: hlc.ID{1}})
	if err := (&Service{writer: w}).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(l.committed) != 1 || len(l.committed[0]) != 1 {
		t.Errorf("committed %v", l.committed)
	}
}
