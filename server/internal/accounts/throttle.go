package accounts

import (
	"net/netip"
	"sync"
	"time"

	"levee/syncproto/problem"
)

// Wrong attempts are free a few times; from then on each one more doubles how long the next must wait. By login the wait
// stays short, since anybody can make attempts at anybody's login and must not lock them out; by address it grows long.
const (
	freeAttempts   = 5
	maxLoginWait   = time.Minute
	maxAddressWait = 15 * time.Minute
	// forgetAttempts is how long after the last attempt they are forgotten.
	forgetAttempts = time.Hour
	// maxAttempts bounds how many logins and addresses are remembered.
	maxAttempts = 20000
)

// throttle counts wrong attempts. It is in memory alone: a restart forgets them, and costs an attacker more than it gives.
type throttle struct {
	mu   sync.Mutex
	seen map[string]*attempts
}

type attempts struct {
	wrong int
	last  time.Time
	until time.Time
}

func newThrottle() *throttle { return &throttle{seen: map[string]*attempts{}} }

// allow counts an attempt as wrong before it is made, so that many at once count as well. The error says how long to wait.
func (t *throttle) allow(now time.Time, login, address string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := []struct {
		key string
		max time.Duration
	}{{"l" + login, maxLoginWait}, {"a" + addressKey(address), maxAddressWait}}
	var wait time.Duration
	for _, k := range keys {
		if a := t.seen[k.key]; a != nil && now.Before(a.until) {
			wait = max(wait, a.until.Sub(now))
		}
	}
	if wait > 0 {
		return &problem.Problem{Code: problem.TooManyRequests, RetryAfter: wait}
	}
	for _, k := range keys {
		a := t.seen[k.key]
		if a == nil || now.Sub(a.last) > forgetAttempts {
			t.makeRoom(now)
			a = &attempts{}
			t.seen[k.key] = a
		}
		a.wrong, a.last = a.wrong+1, now
		if over := a.wrong - freeAttempts; over >= 0 {
			a.until = now.Add(min(k.max, time.Second<<min(over, 20)))
		}
	}
	return nil
}

// takeBack takes an attempt back that was not wrong. Those before it stay: one's own login must not clear the way for
// attempts at others', nor a right password for attempts at its time code.
func (t *throttle) takeBack(login, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range []string{"l" + login, "a" + addressKey(address)} {
		if a := t.seen[key]; a != nil {
			a.wrong--
			a.until = time.Time{}
		}
	}
}

// succeed forgets the wrong attempts at a login, whose owner has signed in.
func (t *throttle) succeed(login, address string) {
	t.takeBack(login, address)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.seen, "l"+login)
}

func (t *throttle) makeRoom(now time.Time) {
	if len(t.seen) < maxAttempts {
		return
	}
	for key, a := range t.seen {
		if now.Sub(a.last) > forgetAttempts {
			delete(t.seen, key)
		}
	}
	for key := range t.seen { // some give way, so many that this is not done for each one that comes
		if len(t.seen) <= maxAttempts*3/4 {
			break
		}
		delete(t.seen, key)
	}
}

// addressKey is the address, or the network of an IPv6 one: who has one address there has them all.
func addressKey(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
