package httpapi

import (
	"testing"
	"time"
)

func TestGate(t *testing.T) {
	g := newGate[string](2)
	first, err := g.enter("a")
	if err != nil {
		t.Fatal(err)
	}
	second, err := g.enter("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.enter("a"); err == nil {
		t.Error("a third request at once")
	}
	if _, err := g.enter("b"); err != nil {
		t.Error("another caller waits", err)
	}
	first()
	if _, err := g.enter("a"); err != nil {
		t.Error("nobody leaves", err)
	}
	second()
}

// Whoever makes up callers can't fill the memory, and can't make a busy one be forgotten before idle ones.
func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter[int](Rate{Burst: 2, PerSecond: 1})
	now := time.Unix(1e9, 0)
	for key := range maxKeys {
		if err := l.take(now, key); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Second) // all are owed nothing
	if err := l.take(now, 0); err != nil {
		t.Fatal(err)
	}
	if err := l.take(now, 0); err != nil {
		t.Fatal(err)
	}
	if err := l.take(now, maxKeys); err != nil {
		t.Fatal(err)
	}
	if len(l.of) > 2 {
		t.Errorf("%d idle callers are remembered", len(l.of))
	}
	if err := l.take(now, 0); err == nil {
		t.Error("a busy caller was forgotten")
	}
	for key := range 3 * maxKeys {
		_ = l.take(now, key)
	}
	if len(l.of) > maxKeys {
		t.Errorf("%d callers are remembered", len(l.of))
	}
}
