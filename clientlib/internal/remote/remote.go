// Package remote is the tablet's way to its server: the calls of the sync service, signed, and what they cost.
package remote

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// Device is who signs requests.
type Device struct {
	Deployment, ID hlc.ID
	Key            ed25519.PrivateKey
	// Now is the tablet's corrected clock.
	Now func() time.Time
}

// Client calls one server.
type Client struct {
	rpc     syncv1connect.SyncServiceClient
	carrier *carrier
}

// New is a client without a device, which can only enrol.
func New(serverURL string, transport http.RoundTripper) *Client {
	return NewSigned(serverURL, transport, nil)
}

// NewSigned is a client whose requests a device signs.
func NewSigned(serverURL string, transport http.RoundTripper, device *Device) *Client {
	c := &carrier{next: transport, device: device}
	return &Client{carrier: c, rpc: wire.NewClient(
		&http.Client{
			Transport: c,
			// A redirect is a hotspot's sign-in page or a mistake: what a device signed goes to its server alone.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		strings.TrimRight(serverURL, "/"))}
}

// Enrol asks for a place for a new device. Errors are *problem.Problem, ErrNotTrusted, or those of ctx.
func (c *Client) Enrol(ctx context.Context, req *syncv1.EnrolRequest) (*syncv1.EnrolResponse, error) {
	return call(ctx, c.rpc.Enrol, req)
}

// Sync does one round trip. Errors are *problem.Problem, ErrNotTrusted, or those of ctx.
func (c *Client) Sync(ctx context.Context, req *syncv1.SyncRequest) (*syncv1.SyncResponse, error) {
	return call(ctx, c.rpc.Sync, req)
}

func call[Req, Res any](ctx context.Context, rpc func(context.Context, *connect.Request[Req]) (*connect.Response[Res], error), req *Req) (*Res, error) {
	res, err := rpc(ctx, connect.NewRequest(req))
	switch {
	case err == nil:
		return res.Msg, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("calling the server: %w", ctx.Err())
	case notTrusted(err):
		return nil, fmt.Errorf("%w: %w", ErrNotTrusted, err)
	default:
		return nil, problem.FromConnect(err)
	}
}

// Traffic is what a client's requests cost so far: how many they were, and the bytes of HTTP each way: request and
// status lines, headers and bodies as they are compressed. What lies below HTTP (TLS, TCP, HTTP/2's compression of
// headers) is not in it. Of an answer that broke off, what had arrived counts.
type Traffic struct {
	Requests           int
	BytesUp, BytesDown int64
}

// Traffic is what the requests cost so far.
func (c *Client) Traffic() Traffic {
	return Traffic{int(c.carrier.requests.Load()), c.carrier.up.Load(), c.carrier.down.Load()}
}

// Arriving has f called whenever a part of an answer has come in, by whoever waits for that answer.
func (c *Client) Arriving(f func()) { c.carrier.arriving = f }

// carrier signs and counts requests on their way.
type carrier struct {
	next   http.RoundTripper
	device *Device

	requests, up, down atomic.Int64
	arriving           func() // may be nil
}

func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.GetBody = nil // a copy that is sent again by itself would not be counted
	req.ContentLength = int64(len(body))
	wire.Trim(req.Header)
	if c.device != nil {
		token, err := wire.SignToken(c.device.Key, c.device.Deployment, c.device.ID, body, c.device.Now())
		if err != nil {
			return nil, fmt.Errorf("signing the request: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	c.requests.Add(1)
	c.up.Add(requestHead(req) + int64(len(body)))
	res, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	c.down.Add(responseHead(res))
	res.Body = &counted{res.Body, c}
	if res.StatusCode == http.StatusOK && !wire.Checked(res.Header.Get("Content-Encoding")) {
		_ = res.Body.Close()
		return nil, errUnchecked
	}
	return res, nil
}

// errUnchecked is about an answer whose bytes nothing vouches for. A frame of zstd ends with a checksum; in a plain one, a
// bit that flipped on the way would become a record. What is plain comes from a hotspot's page or from a proxy.
var errUnchecked = errors.New("the answer has no checksum")

// requestHead is the size of a request's line and headers in HTTP/1.1.
func requestHead(req *http.Request) int64 {
	size := len(req.Method+" "+req.URL.RequestURI()+" HTTP/1.1\r\n") + len("Host: "+req.URL.Host+"\r\n") + len("\r\n")
	return int64(size+len("Content-Length: \r\n")+len(strconv.FormatInt(req.ContentLength, 10))) + headers(req.Header)
}

// responseHead is the size of a response's line and headers in HTTP/1.1.
func responseHead(res *http.Response) int64 {
	return int64(len("HTTP/1.1 "+res.Status+"\r\n")+len("\r\n")) + headers(res.Header)
}

func headers(h http.Header) int64 {
	size := 0
	for name, values := range h {
		for _, v := range values {
			size += len(name) + len(": ") + len(v) + len("\r\n")
		}
	}
	return int64(size)
}

// counted counts what is read of a body.
type counted struct {
	io.ReadCloser
	by *carrier
}

func (b *counted) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.by.down.Add(int64(n))
	if n > 0 && b.by.arriving != nil {
		b.by.arriving()
	}
	return n, err
}

// stall is how long a connection may go without a byte. There is no limit on a request as a whole: one that moves, however
// slowly, arrives.
const stall = time.Minute

// NewTransport makes connections of its own, which are given up when they stall. With a pin they are made to the server
// that has it, and to no other.
func NewTransport(pin wire.Pin) *http.Transport {
	dialer := &net.Dialer{Timeout: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if tcp, ok := conn.(*net.TCPConn); ok {
				// What the system has taken over from us moves unseen: it must be little, or a slow line would look like a dead one.
				_ = tcp.SetWriteBuffer(64 << 10)
			}
			return &moving{conn}, nil
		},
		ForceAttemptHTTP2:   true,
		TLSClientConfig:     trusting(pin),
		TLSHandshakeTimeout: 30 * time.Second,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     stall,
		DisableCompression:  true, // Connect asks for what it wants
	}
}

// moving is a connection that fails when nothing moves.
type moving struct{ net.Conn }

func (c *moving) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(hlc.Wall().Add(stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *moving) Write(p []byte) (int, error) {
	// The read that waits for the answer to this began earlier.
	if err := c.SetDeadline(hlc.Wall().Add(stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
