package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
)

// quality is how often, out of a hundred requests, something goes wrong in each way.
type quality struct {
	lost, answerLost, cutUp, cutDown, repeated, late int
}

// Networks are the qualities that can be chosen.
var networks = map[string]quality{
	"good":  {},
	"rough": {lost: 8, answerLost: 6, cutUp: 4, cutDown: 4, repeated: 6, late: 5},
	"awful": {lost: 20, answerLost: 12, cutUp: 10, cutDown: 10, repeated: 10, late: 10},
}

// network is the way between one tablet and the server.
type network struct {
	next http.RoundTripper
	quality

	mu     sync.Mutex
	rand   *rand.Rand
	onWay  []*delayed // requests that come late
	faults int
}

type delayed struct {
	request *http.Request
	body    []byte
}

var errLink = errors.New("the link broke")

// faults are what can happen to one request.
type fault int

const (
	none fault = iota
	lost
	answerLost
	cutUp
	cutDown
	repeated
	late
)

// draw decides what happens to the next request, at which byte a cut falls, and whether an old one comes first.
func (n *network) draw() (f fault, at float64, first *delayed) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.onWay) > 0 && n.rand.IntN(2) == 0 {
		i := n.rand.IntN(len(n.onWay))
		first = n.onWay[i]
		n.onWay = append(n.onWay[:i], n.onWay[i+1:]...)
	}
	dice := n.rand.IntN(100)
	for i, chance := range []int{n.lost, n.answerLost, n.cutUp, n.cutDown, n.repeated, n.late} {
		if dice < chance {
			f = lost + fault(i)
			n.faults++
			break
		}
		dice -= chance
	}
	return f, n.rand.Float64(), first
}

// RoundTrip carries a request, or not.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	f, at, first := n.draw()
	if first != nil { // out of order: an older request arrives before this one, and nobody waits for its answer
		n.deliver(first.request, first.body)
	}
	switch f {
	case lost:
		return nil, errLink
	case cutUp:
		cut := r.Clone(r.Context())
		cut.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:int(at*float64(len(body)))]), broken{}))
		if response, err := n.next.RoundTrip(cut); err == nil {
			_ = response.Body.Close()
		}
		return nil, errLink
	case answerLost:
		n.deliver(r, body)
		return nil, errLink
	case late:
		n.mu.Lock()
		n.onWay = append(n.onWay, &delayed{r, body})
		n.mu.Unlock()
		return nil, errLink
	case repeated:
		n.deliver(r, body)
	}
	response, err := n.next.RoundTrip(again(r, body))
	if err != nil || f != cutDown {
		return response, err
	}
	answer, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(answer[:int(at*float64(len(answer)))]), broken{}))
	return response, nil
}

// balancer takes each request to one of several servers, whichever that is.
type balancer struct {
	next  http.RoundTripper
	hosts []string

	mu   sync.Mutex
	rand *rand.Rand
}

// anyServer is the way from a tablet to the servers.
func (d *Demo) anyServer(part uint64) http.RoundTripper {
	if len(d.servers) == 1 {
		return d.transport
	}
	b := &balancer{next: d.transport, rand: d.random(part)}
	for _, one := range d.servers {
		b.hosts = append(b.hosts, strings.TrimPrefix(one.url, "http://"))
	}
	return b
}

// RoundTrip carries a request.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	host := b.hosts[b.rand.IntN(len(b.hosts))]
	b.mu.Unlock()
	to := r.Clone(r.Context())
	to.URL.Host, to.Host = host, host
	return b.next.RoundTrip(to)
}

// deliver carries a request whose answer nobody gets.
func (n *network) deliver(r *http.Request, body []byte) {
	response, err := n.next.RoundTrip(again(r, body))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// again is the request with a body that was not read yet. It outlives whoever sent it first.
func again(r *http.Request, body []byte) *http.Request {
	c := r.Clone(context.WithoutCancel(r.Context()))
	c.Body = io.NopCloser(bytes.NewReader(body))
	return c
}

// broken is the rest of a body after the link broke.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errLink }
