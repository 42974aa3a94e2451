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

// Whoever finds the line full is told a time of their own, after all who came before.
func TestWhoFindsNoRoomComesLater(t *testing.T) {
	clock := &stopped{now: time.Unix(1e9, 0)}
	s := newTurns(Limits{Working: 1, Waiting: 3}, clock.wall)
	var leave []func()
	holding := func() {
		done, err := s.take(t.Context(), 0)
		if err != nil {
			t.Error(err)
		}
		leave = append(leave, done)
	}
	holding()
	left := make(chan func())
	for n := range 3 {
		go func() {
			done, err := s.take(t.Context(), 0)
			if err != nil {
				t.Error(err)
			}
			left <- done
		}()
		waitingFor(s, n+1)
	}
	refused := func() time.Duration {
		t.Helper()
		var p *problem.Problem
		if _, err := s.take(t.Context(), 0); !errors.As(err, &p) || p.Code != problem.Busy {
			t.Fatal(err)
		}
		return p.RetryAfter
	}
	if wait := refused(); wait != shortestRefusal {
		t.Errorf("before anything is known it is %v", wait)
	}
	// One is done each 32 seconds while others wait: of that a sixteenth is believed at once.
	leave[0]()
	second := <-left
	clock.now = clock.now.Add(32 * time.Second)
	second()
	third := <-left
	if s.each != 2*time.Second {
		t.Fatalf("each takes %v", s.each)
	}
	done := make(chan struct{})
	for n := range 2 {
		go func() {
			if leave, err := s.take(t.Context(), 0); err == nil {
				defer leave()
			}
			done <- struct{}{}
		}()
		waitingFor(s, n+2)
	}
	// Three wait, which is six seconds.
	for n, want := range []time.Duration{8 * time.Second, 10 * time.Second, 12 * time.Second} {
		if wait := refused(); wait != want {
			t.Errorf("refusal %d is for %v, want %v", n, wait, want)
		}
	}
	for range 1000 {
		if wait := refused(); wait > longestRefusal+s.each {
			t.Fatalf("somebody is sent away for %v", wait)
		}
	}
	third()
	(<-left)()
	<-done
	<-done
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
