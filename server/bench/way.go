package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"levee/syncproto/hlc"
	"levee/syncproto/wire"
)

// traffic is what a device's requests cost so far.
type traffic struct {
	requests atomic.Int64
	// What bodies have, as they are compressed.
	bodyUp, bodyDown atomic.Int64
	// What goes over the connections, headers and all.
	up, down atomic.Int64
}

// reach has the device call a server, on a way there.
func (d *device) reach(url string, way http.RoundTripper) {
	d.rpc = wire.NewClient(&http.Client{Transport: &signed{way, d}}, strings.TrimRight(url, "/"))
}

// connect has the device call a server over a connection of its own, which it keeps. leave closes that.
func (d *device) connect(url string) (leave func()) {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return &counted{conn, &d.traffic}, err
		},
		MaxIdleConnsPerHost: 1,
		DisableCompression:  true, // Connect asks for what it wants
	}
	d.reach(url, transport)
	return transport.CloseIdleConnections
}

// counted counts what goes over a connection.
type counted struct {
	net.Conn
	traffic *traffic
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.traffic.down.Add(int64(n))
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.traffic.up.Add(int64(n))
	return n, err
}

// signed sends requests as tablets do: signed by the device, and with no header more than theirs.
type signed struct {
	next   http.RoundTripper
	device *device
}

func (s *signed) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading a request: %w", err)
	}
	r = r.Clone(r.Context())
	r.Body, r.GetBody, r.ContentLength = io.NopCloser(bytes.NewReader(body)), nil, int64(len(body))
	wire.Trim(r.Header)
	d := s.device
	if d.id != (hlc.ID{}) {
		token, err := wire.SignToken(d.key, d.deployment, d.id, body, d.wall())
		if err != nil {
			return nil, fmt.Errorf("signing a request: %w", err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	d.traffic.requests.Add(1)
	d.traffic.bodyUp.Add(int64(len(body)))
	answer, err := s.next.RoundTrip(r)
	if err == nil {
		answer.Body = &countedBody{answer.Body, &d.traffic}
	}
	return answer, err
}

// countedBody counts what is read of an answer.
type countedBody struct {
	io.ReadCloser
	traffic *traffic
}

func (c *countedBody) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.traffic.bodyDown.Add(int64(n))
	return n, err
}

// inProcess hands requests to a server without a network between.
type inProcess struct{ handler http.Handler }

func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Del("Accept-Encoding") // nothing is gained by it here
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}
