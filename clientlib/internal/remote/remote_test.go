package remote_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/remote"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// echo answers every call with as much as was sent.
type echo struct {
	syncv1connect.UnimplementedSyncServiceHandler
	problem *problem.Problem
}

func (e *echo) Sync(_ context.Context, req *connect.Request[syncv1.SyncRequest]) (*connect.Response[syncv1.SyncResponse], error) {
	if e.problem != nil {
		return nil, problem.ToConnect(e.problem)
	}
	return connect.NewResponse(&syncv1.SyncResponse{Time: req.Msg.GetClock(), Certificate: req.Msg.GetCertificate()}), nil
}

func handler(e *echo) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(syncv1connect.NewSyncServiceHandler(e, wire.HandlerOptions()...))
	return http.StripPrefix("/henan", mux)
}

var (
	key    = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	now    = time.Date(2021, 9, 23, 1, 0, 0, 0, time.UTC)
	device = &remote.Device{Deployment: hlc.ID{1}, ID: hlc.ID{2}, Key: key, Now: func() time.Time { return now }}
)

// wiretap is the number of bytes that went over TCP.
type wiretap struct {
	net.Listener
	up, down atomic.Int64
}

func (w *wiretap) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	return &tapped{conn, w}, err
}

type tapped struct {
	net.Conn
	tap *wiretap
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tap.up.Add(int64(n))
	return n, err
}

func (c *tapped) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.tap.down.Add(int64(n))
	return n, err
}

func TestTrafficIsWhatGoesOverTheWire(t *testing.T) {
	server := httptest.NewUnstartedServer(handler(&echo{}))
	tap := &wiretap{Listener: server.Listener}
	server.Listener = tap
	server.Start()
	t.Cleanup(server.Close)
	transport := remote.NewTransport("")
	client := remote.NewSigned(server.URL+"/henan/", transport, device)
	for _, size := range []int{0, 50, 100_000} {
		body := bytes.Repeat([]byte("王庄镇"), size/9)
		answer, err := client.Sync(t.Context(), &syncv1.SyncRequest{Clock: 5, Certificate: &syncv1.Certificate{Body: body}})
		if err != nil || answer.GetTime() != 5 || !bytes.Equal(answer.GetCertificate().GetBody(), body) {
			t.Fatalf("the answer is %v, %v", answer, err)
		}
	}
	transport.CloseIdleConnections()
	server.Close()
	got := client.Traffic()
	if want := (remote.Traffic{Requests: 3, BytesUp: tap.up.Load(), BytesDown: tap.down.Load()}); got != want {
		t.Errorf("it counted %+v, and over the wire went %+v", got, want)
	}
}

func TestRequestsAreSignedAndShort(t *testing.T) {
	var seen *http.Request
	next := handler(&echo{})
	transport := roundTrip(func(req *http.Request) (*http.Response, error) {
		seen = req
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		token, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
		if deployment, id, err := wire.TokenOwner(token); err != nil || deployment != device.Deployment || id != device.ID {
			t.Errorf("the token is of %v in %v: %v", id, deployment, err)
		}
		expires, err := wire.VerifyToken(token, key.Public().(ed25519.PublicKey), device.Deployment, device.ID, body)
		if err != nil || !expires.After(now) {
			t.Errorf("the token does not hold: %v, expires %v", err, expires)
		}
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(body))
		w := httptest.NewRecorder()
		next.ServeHTTP(w, req)
		return w.Result(), nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if _, err := remote.NewSigned("http://levee.test/henan", transport, device).Sync(ctx, &syncv1.SyncRequest{Clock: 5}); err != nil {
		t.Fatal(err)
	}
	if seen.Header.Get("Connect-Timeout-Ms") != "" || len(seen.UserAgent()) > 10 || seen.Header.Get("Accept-Encoding") != wire.Levee1 {
		t.Errorf("the headers are %v", seen.Header)
	}
	if _, err := remote.New("http://levee.test/henan", roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.Header.Get("Authorization") != "" {
			t.Error("an enrolment was signed")
		}
		return nil, errors.New("no network")
	})).Enrol(t.Context(), &syncv1.EnrolRequest{}); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("without a network: %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestErrorsAreProblems(t *testing.T) {
	redirected := false
	mux := http.NewServeMux()
	mux.Handle("/skewed/", http.StripPrefix("/skewed", unprefixed(&echo{problem: &problem.Problem{Code: problem.ClockSkew, ServerTime: now}})))
	mux.HandleFunc("/portal/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/login", func(http.ResponseWriter, *http.Request) { redirected = true })
	mux.HandleFunc("/page/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Welcome</html>") })
	mux.HandleFunc("/proxy/", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	transport := remote.NewTransport("")
	t.Cleanup(transport.CloseIdleConnections)
	for path, want := range map[string]problem.Code{
		"/skewed": problem.ClockSkew, "/portal": problem.Unavailable, "/page": problem.Unavailable, "/proxy": problem.Unavailable, "/nothing": problem.Unavailable,
	} {
		_, err := remote.NewSigned(server.URL+path, transport, device).Sync(t.Context(), &syncv1.SyncRequest{})
		var p *problem.Problem
		if !errors.As(err, &p) || p.Code != want || (want == problem.ClockSkew && !p.ServerTime.Equal(now)) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if redirected {
		t.Error("what a device signed went where a redirect said")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := remote.NewSigned(server.URL, transport, device).Sync(ctx, &syncv1.SyncRequest{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller gave up: %v", err)
	}
}

func unprefixed(e *echo) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(syncv1connect.NewSyncServiceHandler(e, wire.HandlerOptions()...))
	return mux
}

// An answer that breaks off is no answer, whatever of it came.
func TestAnswerThatBreaksOff(t *testing.T) {
	whole := httptest.NewRecorder()
	var request bytes.Buffer
	capture := roundTrip(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(&request, req.Body)
		r := req.Clone(req.Context())
		r.Body = io.NopCloser(bytes.NewReader(request.Bytes()))
		handler(&echo{}).ServeHTTP(whole, r)
		return whole.Result(), nil
	})
	ask := &syncv1.SyncRequest{Clock: 5, Certificate: &syncv1.Certificate{Body: []byte("小河镇上乐村镇")}}
	if _, err := remote.NewSigned("http://levee.test/henan", capture, device).Sync(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := whole.Result().Write(&raw); err != nil {
		t.Fatal(err)
	}
	for cut := range raw.Len() {
		broken := roundTrip(func(req *http.Request) (*http.Response, error) {
			return http.ReadResponse(bufio.NewReader(bytes.NewReader(raw.Bytes()[:cut])), req)
		})
		if answer, err := remote.NewSigned("http://levee.test/henan", broken, device).Sync(t.Context(), ask); problem.CodeOf(err) != problem.Unavailable {
			t.Fatalf("cut at %d of %d: %v, %v", cut, raw.Len(), answer, err)
		}
	}
}

// One bit that flips on the way never becomes part of an answer, and never a refusal that says that nothing was stored.
func TestAnswerWithAFlippedBit(t *testing.T) {
	ask := &syncv1.SyncRequest{Clock: 5, Certificate: &syncv1.Certificate{Body: []byte("小河镇上乐村镇")}}
	var raw bytes.Buffer
	capture := roundTrip(func(req *http.Request) (*http.Response, error) {
		whole := httptest.NewRecorder()
		handler(&echo{}).ServeHTTP(whole, req)
		if err := whole.Result().Write(&raw); err != nil {
			return nil, err
		}
		return http.ReadResponse(bufio.NewReader(bytes.NewReader(raw.Bytes())), req)
	})
	want, err := remote.NewSigned("http://levee.test/henan", capture, device).Sync(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range raw.Len() * 8 {
		flipped := bytes.Clone(raw.Bytes())
		flipped[bit/8] ^= 1 << (bit % 8)
		broken := roundTrip(func(req *http.Request) (*http.Response, error) {
			return http.ReadResponse(bufio.NewReader(bytes.NewReader(flipped)), req)
		})
		got, err := remote.NewSigned("http://levee.test/henan", broken, device).Sync(t.Context(), ask)
		if err == nil && !proto.Equal(got, want) {
			t.Fatalf("bit %d of byte %d flipped: %v", bit%8, bit/8, got)
		}
		if err != nil && problem.CodeOf(err) != problem.Unavailable {
			t.Fatalf("bit %d of byte %d flipped: %v", bit%8, bit/8, err)
		}
	}
	plain := roundTrip(func(req *http.Request) (*http.Response, error) {
		req.Header.Del("Accept-Encoding") // as a proxy does that wants to read along
		whole := httptest.NewRecorder()
		handler(&echo{}).ServeHTTP(whole, req)
		return whole.Result(), nil
	})
	if _, err := remote.NewSigned("http://levee.test/henan", plain, device).Sync(t.Context(), ask); problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("an answer without a checksum: %v", err)
	}
}
