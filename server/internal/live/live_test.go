package live

import (
	"context"
	"testing"
	"time"

	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

var (
	flood, quake = hlc.ID{1}, hlc.ID{2}
	session      = hlc.ID{3}
)

// clock is time that passes when the test says so.
type clock struct{ waits chan wait }

type wait struct {
	d    time.Duration
	done chan time.Time
}

func newClock() *clock { return &clock{make(chan wait, 8)} }

func (c *clock) after(d time.Duration) <-chan time.Time {
	done := make(chan time.Time, 1)
	c.waits <- wait{d, done}
	return done
}

// pass lets the time pass that somebody waits for, and says how long it was.
func (c *clock) pass() time.Duration {
	w := <-c.waits
	w.done <- time.Time{}
	return w.d
}

func watch(t *testing.T, h *Hub, deployment, session hlc.ID) *Watch {
	t.Helper()
	w, err := h.Watch(deployment, session, h.State(deployment))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// next is the next event, which must come without time passing: the clock stands still.
func next(t *testing.T, w *Watch) Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e := w.Next(ctx)
	if ctx.Err() != nil {
		t.Fatal("nothing came")
	}
	return e
}

func TestChangesAreToldOnceAndToWhomTheyConcern(t *testing.T) {
	c := newClock()
	h := New(100, c.after)
	of, other := watch(t, h, flood, session), watch(t, h, quake, session)
	before := h.State(flood)
	for range 50 { // with nobody reading, none of them may wait
		h.Publish(flood)
	}
	if h.State(flood) == before || h.State(quake) != 100 {
		t.Errorf("the states are %d and %d", h.State(flood), h.State(quake))
	}
	if e := next(t, of); e != Changed {
		t.Errorf("event %d", e)
	}
	if len(of.changed) != 0 || len(other.changed) != 0 {
		t.Error("more is to be told")
	}
}

func TestWhoMissedAChangeIsToldAtOnce(t *testing.T) {
	h := New(100, newClock().after)
	known := h.State(flood)
	h.Publish(flood)
	w, err := h.Watch(flood, session, known)
	if err != nil {
		t.Fatal(err)
	}
	if e := next(t, w); e != Changed {
		t.Errorf("event %d", e)
	}
	if w := watch(t, h, flood, session); len(w.changed) != 0 {
		t.Error("who knows the state is told of it")
	}
}

// While changes do not end, pages ask less and less often; after a while of quiet the next one is told at once again.
func TestChangesWithoutEndAreToldMoreSeldom(t *testing.T) {
	c := newClock()
	h := New(0, c.after)
	w := watch(t, h, flood, session)
	events := make(chan Event)
	go func() {
		for {
			e := w.Next(t.Context())
			events <- e
			if e == Ended {
				return
			}
		}
	}()
	h.Publish(flood)
	if <-c.waits; <-events != Changed { // the heartbeat is waited for besides
		t.Fatal("the first change is not told")
	}
	for _, want := range []time.Duration{shortest, 2 * shortest, 4 * shortest, 8 * shortest, longest, longest} {
		h.Publish(flood)
		if got := c.pass(); got != want {
			t.Errorf("waits %v, want %v", got, want)
		}
		<-c.waits // the heartbeat
		if e := <-events; e != Changed {
			t.Errorf("event %d", e)
		}
	}
	if got := c.pass(); got != longest {
		t.Errorf("waits %v, want %v", got, longest)
	}
	if got := c.pass(); got != heartbeat { // nothing came meanwhile
		t.Errorf("waits %v, want the heartbeat", got)
	}
	if e := <-events; e != Still {
		t.Errorf("event %d", e)
	}
	<-c.waits
	h.Publish(flood)
	<-events
	if got := c.pass(); got != shortest {
		t.Errorf("after a quiet time it waits %v", got)
	}
	h.Close()
	if e := <-events; e != Ended {
		t.Errorf("event %d", e)
	}
}

func TestASessionHasSoMany(t *testing.T) {
	h := New(0, newClock().after)
	first := watch(t, h, flood, session)
	for range MostOfSession - 1 {
		watch(t, h, flood, session)
	}
	watch(t, h, quake, hlc.ID{4})
	if len(h.watches) != MostOfSession+1 {
		t.Fatalf("%d watch", len(h.watches))
	}
	last := watch(t, h, quake, session)
	if e := next(t, first); e != Replaced || len(h.watches) != MostOfSession+1 {
		t.Errorf("event %d; %d watch", e, len(h.watches))
	}
	last.Stop()
	first.Stop()
	if len(h.watches) != MostOfSession {
		t.Errorf("%d watch after one stopped", len(h.watches))
	}
}

func TestSoManyInAll(t *testing.T) {
	h := New(0, newClock().after)
	for i := range Most {
		watch(t, h, flood, hlc.ID{5, byte(i >> 8), byte(i)})
	}
	if _, err := h.Watch(flood, session, 0); problem.CodeOf(err) != problem.Busy {
		t.Errorf("one too many: %v", err)
	}
}

func TestClosingEndsAll(t *testing.T) {
	h := New(0, newClock().after)
	waiting, pausing := watch(t, h, flood, session), watch(t, h, flood, session)
	pausing.told = true
	h.Close()
	h.Close()
	for _, w := range []*Watch{waiting, pausing} {
		if e := next(t, w); e != Ended {
			t.Errorf("event %d", e)
		}
	}
	if _, err := h.Watch(flood, session, 0); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("watching a closed hub: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if e := watch(t, New(0, newClock().after), flood, session).Next(gone); e != Ended {
		t.Errorf("who has gone: event %d", e)
	}
}
