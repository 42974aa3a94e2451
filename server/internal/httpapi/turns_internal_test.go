package httpapi

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"levee/syncproto/problem"
)

// stopped is a clock that a test moves.
type stopped struct{ now time.Time }

func (s *stopped) wall() time.Time { return s.now }

// waitingFor waits until so many wait in line.
func waitingFor(t *turns, n int) {
	for {
		t.mu.Lock()
		waiting := t.line.Len()
		t.mu.Unlock()
		if waiting == n {
			return
		}
		runtime.Gosched()
	}
}

func TestTurnsComeInOrder(t *testing.T) {
	s := newTurns(Limits{Working: 1, Waiting: 10}, (&stopped{}).wall)
	done, err := s.take(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan int, 5)
	for n := range 5 {
		go func() {
			done, err := s.take(t.Context(), 0)
			if err != nil {
				t.Error(err)
			}
			came <- n
			done()
		}()
		waitingFor(s, n+1)
	}
	done()
	for n := range 5 {
		if got := <-came; got != n {
			t.Errorf("number %d comes %d.", got, n)
		}
	}
}

// Who waits, is worked on and was sent away is measured.
func TestTheLineIsMeasured(t *testing.T) {
	s := newTurns(Limits{Working: 2, Waiting: 1}, (&stopped{}).wall)
	m, err := NewMeasures()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.watchTurns(s); err != nil {
		t.Fatal(err)
	}
	measured := func(waiting, working, sentAway float64) {
		t.Helper()
		families, err := m.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			one := f.GetMetric()[0]
			got[f.GetName()] = one.GetGauge().GetValue() + one.GetCounter().GetValue()
		}
		for name, want := range map[string]float64{"levee_sync_waiting": waiting, "levee_sync_working": working, "levee_sync_sent_away_total": sentAway} {
			if is, there := got[name]; !there || is != want {
				t.Errorf("%s is %v, not %v", name, is, want)
			}
		}
	}
	take := func() func() {
		t.Helper()
		done, err := s.take(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	measured(0, 0, 0)
	first, second := take(), take()
	third := make(chan func())
	go func() {
		done, err := s.take(t.Context(), 0)
		if err != nil {
			t.Error(err)
		}
		third <- done
	}()
	waitingFor(s, 1)
	for range 3 {
		if err := s.room(); err == nil {
			t.Error("there is room")
		}
	}
	measured(1, 2, 3)
	first()
	last := <-third
	measured(0, 2, 3)
	second()
	last()
	measured(0, 0, 3)
}

// Whoever finds the line full is told a time of their own: as many come back as can be worked on.
func TestWhoFindsNoRoomComesLater(t *testing.T) {
	clock := &stopped{now: time.Unix(1e9, 0)}
	s := newTurns(Limits{Working: 1, Waiting: 2}, clock.wall)
	refused := func() time.Duration {
		t.Helper()
		var p *problem.Problem
		if _, err := s.take(t.Context(), 0); !errors.As(err, &p) || p.Code != problem.Busy {
			t.Fatal(err)
		}
		return p.RetryAfter
	}
	done, err := s.take(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	turn := make(chan func())
	queue := func(n int) {
		go func() {
			done, err := s.take(t.Context(), 0)
			if err != nil {
				t.Error(err)
			}
			turn <- done
		}()
		waitingFor(s, n)
	}
	queue(1)
	queue(2)
	if wait := refused(); wait != shortestRefusal {
		t.Errorf("before anything is known it is %v", wait)
	}
	// Four at a time are done, each eight seconds.
	for n := range 40 * leastMeasured {
		if n%4 == 0 {
			clock.now = clock.now.Add(8 * time.Second)
		}
		done()
		done = <-turn
		queue(2)
	}
	if off := s.each - 2*time.Second; off.Abs() > 100*time.Millisecond {
		t.Fatalf("each takes %v", s.each)
	}
	for n := range 3 {
		if wait, want := refused(), time.Duration(n+1)*(s.each*3/4); wait != want {
			t.Errorf("refusal %d is for %v, want %v", n, wait, want)
		}
	}
	for range 1000 {
		if wait := refused(); wait > longestRefusal+s.each {
			t.Fatalf("somebody is sent away for %v", wait)
		}
	}
	for range 2 {
		done()
		done = <-turn
	}
	done()
	if _, err := s.take(t.Context(), 0); err != nil {
		t.Error("with nobody in line:", err)
	}
}

// The line is no longer than tablets can wait, and what is in memory no more than it may be.
func TestTheLineIsBounded(t *testing.T) {
	s := newTurns(Limits{Working: 1, Waiting: 1000}, time.Now)
	done, err := s.take(t.Context(), maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.take(t.Context(), 0); problem.CodeOf(err) != problem.Busy {
		t.Error("with so much in memory:", err)
	}
	done()
	s.each = longestLine / 2
	if done, err = s.take(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	for n := range 3 {
		go func() {
			_, err := s.take(ctx, 5)
			gone <- err
		}()
		waitingFor(s, n+1)
	}
	if err := s.room(); problem.CodeOf(err) != problem.Busy {
		t.Error("after three who take longer than anybody waits:", err)
	}
	cancel()
	for range 3 {
		if err := <-gone; problem.CodeOf(err) != problem.Busy {
			t.Error(err)
		}
	}
	if done(); s.line.Len() != 0 || s.bytes != 0 {
		t.Errorf("%d wait with %d bytes when all are gone", s.line.Len(), s.bytes)
	}
}
