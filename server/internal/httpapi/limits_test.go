package httpapi_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/httpapi"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// few are limits that a test reaches.
var few = httpapi.Limits{Device: httpapi.Rate{Burst: 3, PerSecond: 0.5}, Address: httpapi.Rate{Burst: 5, PerSecond: 0.1}, AtOnce: 2, Working: 100, Waiting: 100}

// from asks for a page from an address, by proxies, and gives the status and how long to wait.
func from(s *surface, peer string, forwarded ...string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, "/readyz", nil)
	r.RemoteAddr = peer
	for _, f := range forwarded {
		r.Header.Add("X-Forwarded-For", f)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Code, w.Header().Get("Retry-After")
}

func TestLimitByAddress(t *testing.T) {
	d := servertest.New(t)
	s := handleWithin(t, few, d)
	for range 5 {
		if status, _ := from(s, "192.0.2.1:1000"); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	if status, wait := from(s, "192.0.2.1:2000"); status != http.StatusTooManyRequests || wait != "10" {
		t.Fatal(status, wait)
	}
	if status, _ := from(s, "192.0.2.2:1000"); status != http.StatusOK {
		t.Error("another address pays for it", status)
	}
	d.Pass(10 * time.Second)
	if status, _ := from(s, "192.0.2.1:1000"); status != http.StatusOK {
		t.Error("it is never forgotten", status)
	}
	// Who has one address of IPv6 has a network of them.
	for i := range 6 {
		status, _ := from(s, "[2001:db8:1:2::"+string(rune('1'+i))+"]:1000")
		if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < 5]; status != want {
			t.Errorf("request %d of a network: %d", i+1, status)
		}
	}
}

func TestWhoIsBehindAProxy(t *testing.T) {
	s := handleWithin(t, few, servertest.New(t))
	const proxy = "203.0.113.7:1000"
	ask := func(want int, peer string, forwarded ...string) {
		t.Helper()
		if status, _ := from(s, peer, forwarded...); status != want {
			t.Errorf("%s, %v: %d", peer, forwarded, status)
		}
	}
	for range 5 {
		ask(http.StatusOK, proxy, "192.0.2.1")
	}
	ask(http.StatusTooManyRequests, proxy, "192.0.2.1")
	ask(http.StatusOK, proxy, "192.0.2.2")
	// What the caller wrote there themselves is not believed, nor by another proxy that adds to it.
	ask(http.StatusTooManyRequests, proxy, "198.51.100.1, 192.0.2.1")
	ask(http.StatusTooManyRequests, proxy, "198.51.100.1, 192.0.2.1", "203.0.113.8")
	ask(http.StatusOK, proxy, "192.0.2.1, 198.51.100.1")
	// Nor is who is no proxy.
	for range 5 {
		ask(http.StatusOK, "198.51.100.9:1", "192.0.2.3")
	}
	ask(http.StatusTooManyRequests, "198.51.100.9:1", "192.0.2.4")
}

// syncFrom sends a request of a tablet, signed with its key unless another token is given.
func syncFrom(t *testing.T, s *surface, v *servertest.Device, token string, body io.Reader) (int, problem.Code, string) {
	t.Helper()
	encoded, err := proto.Marshal(v.Request(nil))
	if err != nil {
		t.Fatal(err)
	}
	if token == "" {
		if token, err = wire.SignToken(v.Key, v.ID, v.Device.ID, encoded, v.Wall()); err != nil {
			t.Fatal(err)
		}
	}
	if body == nil {
		body = bytes.NewReader(encoded)
	}
	r := httptest.NewRequest(http.MethodPost, syncv1connect.SyncServiceSyncProcedure, body)
	r.Header.Set("Content-Type", "application/proto")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	code := problem.Code("")
	for _, c := range []problem.Code{problem.TooManyRequests, problem.Busy, problem.Unauthenticated, problem.DeviceUnknown} {
		if strings.Contains(w.Body.String(), problem.Message(c, "en")) {
			code = c
		}
	}
	return w.Code, code, w.Body.String()
}

func TestLimitByDevice(t *testing.T) {
	d := servertest.New(t)
	s := handleWithin(t, few, d)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	// Tablets of one camp share an address, and none pays for another.
	for range 3 {
		for _, v := range []*servertest.Device{anna, ben} {
			if status, _, body := syncFrom(t, s, v, "", nil); status != http.StatusOK {
				t.Fatal(status, body)
			}
		}
	}
	if status, code, _ := syncFrom(t, s, anna, "", nil); status != http.StatusTooManyRequests || code != problem.TooManyRequests {
		t.Fatal(status, code)
	}
	d.Pass(2 * time.Second)
	if status, _, body := syncFrom(t, s, anna, "", nil); status != http.StatusOK {
		t.Fatal(status, body)
	}
}

// TestWhoIsNoTabletIsNotEvenRead: after some requests that were no tablet's, an address is refused before its body is read.
func TestWhoIsNoTabletIsNotEvenRead(t *testing.T) {
	d := servertest.New(t)
	s := handleWithin(t, few, d)
	anna := d.Enrol("anna")
	forged, err := wire.SignToken(anna.Key, d.ID, hlc.ID{9}, nil, d.Wall())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, code, body := syncFrom(t, s, anna, forged, nil); code != problem.DeviceUnknown {
			t.Fatal(code, body)
		}
	}
	unread := &counting{}
	if _, code, body := syncFrom(t, s, anna, forged, unread); code != problem.TooManyRequests || unread.n > 0 {
		t.Error(code, unread.n, body)
	}
	// Who shares the address and is a tablet is read, and answered.
	if status, code, body := syncFrom(t, s, anna, "", nil); status != http.StatusOK {
		t.Error("a tablet behind the same address:", code, body)
	}
}

// TestABusyServerReadsNothing: where no more may wait, a tablet is told when to come again, and what it has is not read.
func TestABusyServerReadsNothing(t *testing.T) {
	d := servertest.New(t)
	s := handleWithin(t, httpapi.Limits{Device: httpapi.Rate{Burst: 10, PerSecond: 1}, Address: httpapi.Rate{Burst: 10, PerSecond: 1}, AtOnce: 2}, d)
	unread := &counting{}
	status, code, body := syncFrom(t, s, d.Enrol("anna"), "", unread)
	if status != http.StatusTooManyRequests || code != problem.Busy || unread.n > 0 || !strings.Contains(body, `"retryAfter":"1000"`) {
		t.Error(status, code, unread.n, body)
	}
}

type counting struct{ n int }

func (c *counting) Read(p []byte) (int, error) { c.n += len(p); return 0, io.EOF }

func TestMetricsAreForThisMachine(t *testing.T) {
	s := handle(t, servertest.New(t))
	for _, c := range []struct {
		peer, forwarded string
		want            int
	}{{"127.0.0.1:1", "", http.StatusOK}, {"[::1]:1", "", http.StatusOK}, {"192.0.2.1:1", "", http.StatusNotFound}, {"127.0.0.1:1", "192.0.2.1", http.StatusNotFound}} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%+v: %d", c, w.Code)
		}
	}
}
