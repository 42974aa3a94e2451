package e2e

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// mostForNothing is what a sync with nothing new may send both ways, headers and all.
const mostForNothing = 800

// A tablet that finds nothing new, and has nothing to send, asks and is answered in less than a packet.
func TestASyncWithNothingNewIsSmall(t *testing.T) {
	c := newCamp(t, nil)
	var wire metered
	transport := &http.Transport{DialContext: wire.dial, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	tablet := openTablet(t, filepath.Join(t.TempDir(), "cora.db"), transport)
	for _, e := range c.server.Made.Enrolments {
		if e.Worker == "cora" {
			if err := tablet.Enrol(c.ctx, e.Code); err != nil {
				t.Fatal(err)
			}
		}
	}
	activity(t, tablet, 12)
	syncNow(t, tablet)
	before := wire.bytes.Load()
	if r := syncNow(t, tablet); r.Requests != 1 || r.Received != 0 || r.Sent != 0 {
		t.Fatalf("there was something new: %+v", r)
	}
	sent := wire.bytes.Load() - before
	if t.Logf("%d bytes both ways", sent); sent > mostForNothing || sent < 300 {
		t.Errorf("%d bytes both ways, at most %d", sent, mostForNothing)
	}
}

// metered counts what goes over connections.
type metered struct{ bytes atomic.Int64 }

func (w *metered) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return &meteredConn{conn, w}, err
}

type meteredConn struct {
	net.Conn
	by *metered
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.by.bytes.Add(int64(n))
	return n, err
}

func (c *meteredConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.by.bytes.Add(int64(n))
	return n, err
}
