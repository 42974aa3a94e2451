package httpapi

import (
	"math"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"levee/syncproto/problem"
)

// Limits bound how much one caller may ask for. A tablet that has been away for weeks sends and pulls some hundred requests in
// one go; a camp's people share one address.
type Limits struct {
	// Device is for each enrolled tablet, Address for each address of everybody else.
	Device, Address Rate
	// AtOnce is how many requests of one tablet are worked on at once: each takes a multiple of its body in memory.
	AtOnce int
	// Working is how many requests of all tablets are worked on at once, and Waiting how many more wait for that.
	Working, Waiting int
}

// Rate allows so many requests at once, and so many a second from then on.
type Rate struct {
	Burst     int
	PerSecond float64
}

// DefaultLimits are those of a server. Behind one address a whole office may have pages open that keep themselves up to date.
// Batches that are worked on at once share a commit, so they are more than the processors need.
var DefaultLimits = Limits{Device: Rate{Burst: 400, PerSecond: 5}, Address: Rate{Burst: 600, PerSecond: 20}, AtOnce: 2,
	Working: max(32, 4*runtime.GOMAXPROCS(0)), Waiting: 2000}

// Unlimited is for callers that are part of a simulation.
var Unlimited = Limits{Device: Rate{Burst: math.MaxInt32, PerSecond: math.MaxInt32}, Address: Rate{Burst: math.MaxInt32, PerSecond: math.MaxInt32}, AtOnce: math.MaxInt32,
	Working: math.MaxInt32, Waiting: math.MaxInt32}

// maxKeys bounds how many callers are remembered. When there are more, those that are owed nothing are forgotten first.
const maxKeys = 20000

// limiter holds a bucket for each caller.
type limiter[K comparable] struct {
	rate Rate
	mu   sync.Mutex
	of   map[K]*rate.Limiter
}

func newLimiter[K comparable](r Rate) *limiter[K] {
	return &limiter[K]{rate: r, of: map[K]*rate.Limiter{}}
}

// take takes one request from a caller's bucket; the error says how long to wait.
func (l *limiter[K]) take(now time.Time, key K) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.of[key]
	if bucket == nil {
		l.makeRoom(now)
		bucket = rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst)
		l.of[key] = bucket
	}
	return empty(bucket.AllowN(now, 1), bucket, now)
}

// look reports what take would, and takes nothing.
func (l *limiter[K]) look(now time.Time, key K) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.of[key]
	if bucket == nil {
		return nil
	}
	return empty(bucket.TokensAt(now) >= 1, bucket, now)
}

func empty(allowed bool, bucket *rate.Limiter, now time.Time) error {
	if allowed {
		return nil
	}
	missing := 1 - bucket.TokensAt(now)
	wait := time.Duration(missing / float64(bucket.Limit()) * float64(time.Second))
	return &problem.Problem{Code: problem.TooManyRequests, RetryAfter: max(wait, time.Second)}
}

func (l *limiter[K]) makeRoom(now time.Time) {
	if len(l.of) < maxKeys {
		return
	}
	for key, bucket := range l.of {
		if bucket.TokensAt(now) >= float64(l.rate.Burst) {
			delete(l.of, key)
		}
	}
	for key := range l.of { // too many are busy: some give way, so many that this is not done for each one that comes
		if len(l.of) <= maxKeys*3/4 {
			break
		}
		delete(l.of, key)
	}
}

// gate bounds how many requests of one caller are worked on at once.
type gate[K comparable] struct {
	most int
	mu   sync.Mutex
	of   map[K]int
}

func newGate[K comparable](most int) *gate[K] { return &gate[K]{most: most, of: map[K]int{}} }

// enter lets a request in until leave is called.
func (g *gate[K]) enter(key K) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of[key] >= g.most {
		return nil, &problem.Problem{Code: problem.TooManyRequests, RetryAfter: time.Second}
	}
	g.of[key]++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.of[key]--; g.of[key] == 0 {
			delete(g.of, key)
		}
	}, nil
}

// origin is where a request comes from: the peer or, when that is a trusted proxy, who that says sent it.
type origin struct{ trusted []netip.Prefix }

// address is the address of who sent a request. Of what a proxy adds, only what trusted ones wrote is believed: that is read
// from the end, up to the first address that is no trusted proxy's.
func (o origin) address(r *http.Request) netip.Addr {
	peer := peerOf(r)
	if !o.trusts(peer) {
		return peer
	}
	var hops []string
	for _, line := range r.Header.Values("X-Forwarded-For") {
		hops = append(hops, strings.Split(line, ",")...)
	}
	for i := len(hops) - 1; i >= 0; i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return peer
		}
		peer = addr.Unmap()
		if !o.trusts(peer) {
			return peer
		}
	}
	return peer
}

// network is what requests are counted by: the address or, of IPv6, the network that one caller has to themselves.
func (o origin) network(r *http.Request) netip.Prefix {
	addr := o.address(r)
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{} // all that can't be read count as one
	}
	return prefix
}

// secure reports whether a request came over TLS, all the way or up to a trusted proxy.
func (o origin) secure(r *http.Request) bool {
	return r.TLS != nil || o.trusts(peerOf(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// local reports whether a request comes from this machine, by itself and not through a proxy.
func (o origin) local(r *http.Request) bool {
	return peerOf(r).IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

func (o origin) trusts(addr netip.Addr) bool {
	for _, p := range o.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func peerOf(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap()
}
