package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
)

// badlink is the way between a tablet and the server: it loses, cuts, repeats and delays.
type badlink struct {
	next   http.RoundTripper
	faulty int // of a hundred requests

	mu     sync.Mutex
	rand   *rand.Rand
	late   []*carried
	faults int
}

// carried is a request that can be carried again.
type carried struct {
	request *http.Request
	body    []byte
}

var errLink = errors.New("the link broke")

// RoundTrip carries a request, or not.
func (l *badlink) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c := &carried{r, body}
	l.mu.Lock()
	dice, kind, at := l.rand.IntN(100), l.rand.IntN(6), l.rand.Float64()
	var first *carried
	if len(l.late) > 0 && l.rand.IntN(2) == 0 {
		first, l.late = l.late[0], l.late[1:]
	}
	bad := dice < l.faulty
	if bad {
		l.faults++
	}
	l.mu.Unlock()
	if first != nil {
		l.deliver(first)
	}
	if !bad {
		return l.next.RoundTrip(c.again())
	}
	switch kind {
	case 0: // lost
		return nil, errLink
	case 1: // the answer is lost
		l.deliver(c)
		return nil, errLink
	case 2: // cut on the way there
		cut := c.again()
		cut.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:int(at*float64(len(body)))]), cutOff{}))
		if response, err := l.next.RoundTrip(cut); err == nil {
			_ = response.Body.Close()
		}
		return nil, errLink
	case 3: // cut on the way back
		response, err := l.next.RoundTrip(c.again())
		if err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return nil, err
		}
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(answer[:int(at*float64(len(answer)))]), cutOff{}))
		return response, nil
	case 4: // late
		l.mu.Lock()
		l.late = append(l.late, c)
		l.mu.Unlock()
		return nil, errLink
	default: // repeated, and both are under way at the same time
		var twin sync.WaitGroup
		twin.Go(func() { l.deliver(c) })
		response, err := l.next.RoundTrip(c.again())
		twin.Wait()
		return response, err
	}
}

// mend lets everything late arrive, and breaks nothing from then on.
func (l *badlink) mend() {
	l.mu.Lock()
	late := l.late
	l.late, l.faulty = nil, 0
	l.mu.Unlock()
	for _, c := range late {
		l.deliver(c)
	}
}

// deliver carries a request whose answer nobody gets.
func (l *badlink) deliver(c *carried) {
	response, err := l.next.RoundTrip(c.again())
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// again is the request with a body that was not read yet. It outlives whoever sent it first.
func (c *carried) again() *http.Request {
	r := c.request.Clone(context.WithoutCancel(c.request.Context()))
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	return r
}

// cutOff is the rest of a body after the link broke.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, errLink }
