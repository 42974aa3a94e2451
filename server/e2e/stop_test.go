package e2e

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/server"
	recordv1 "levee/syncproto/levee/record/v1"
)

// heldUp is a way to the server that stops in the middle of a request: arrived is closed when the server reads the body,
// and the body goes on once goOn is.
type heldUp struct {
	transport     *http.Transport
	arrived, goOn chan struct{}
	once          sync.Once
}

func holdUp() *heldUp {
	return &heldUp{transport: &http.Transport{ExpectContinueTimeout: time.Minute}, arrived: make(chan struct{}), goOn: make(chan struct{})}
}

// RoundTrip implements http.RoundTripper.
func (h *heldUp) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{Got100Continue: func() { h.once.Do(func() { close(h.arrived) }) }}
	r = r.Clone(httptrace.WithClientTrace(r.Context(), trace))
	r.Header.Set("Expect", "100-continue")
	r.Body = &heldBody{h, r.Body}
	return h.transport.RoundTrip(r)
}

type heldBody struct {
	*heldUp
	io.ReadCloser
}

func (b *heldBody) Read(p []byte) (int, error) {
	<-b.goOn
	return b.ReadCloser.Read(p)
}

// visit logs an outreach visit.
func visit(t testing.TB, s *clientlib.Store, households uint32) {
	t.Helper()
	_, err := s.LogOutreach(context.Background(), &recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(),
		Households: proto.Uint32(households), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_RESOURCE_LINKING.Enum()})
	if err != nil {
		t.Fatal(err)
	}
}

// tabletKey opens the files of tablets.
var tabletKey = clientlib.HostKey([32]byte{'e'})

// openTablet opens a tablet's file for the length of the test.
func openTablet(t *testing.T, path string, transport http.RoundTripper) *clientlib.Store {
	t.Helper()
	s, err := clientlib.Open(context.Background(), path, clientlib.Options{Key: tabletKey, Transport: transport, App: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func syncNow(t testing.TB, s *clientlib.Store) clientlib.SyncResult {
	t.Helper()
	result, err := s.Sync(context.Background(), nil)
	if err != nil {
		t.Fatalf("syncing: %v", err)
	}
	return result
}

func TestSIGTERMLetsARunningSyncFinish(t *testing.T) {
	dir, addr := t.TempDir(), freeAddress(t)
	env := []string{"LEVEE_LISTEN=" + addr, "LEVEE_DB=" + filepath.Join(dir, "server.db")}
	p := up(t, env, "--name", "stop", "--start", "2026-01-01", "--site", "王庄镇=410621108", "--team", "one=王庄镇", "--worker", "anna=one")
	tablet := openTablet(t, filepath.Join(dir, "a.db"), nil)
	if err := tablet.Enrol(context.Background(), codePattern.FindString(p.said)); err != nil {
		t.Fatal(err)
	}
	syncNow(t, tablet)
	visit(t, tablet, 3)
	if err := tablet.Close(); err != nil {
		t.Fatal(err)
	}

	slow := holdUp()
	tablet = openTablet(t, filepath.Join(dir, "a.db"), slow)
	answered := make(chan error, 1)
	var result clientlib.SyncResult
	go func() {
		var err error
		result, err = tablet.Sync(context.Background(), nil)
		answered <- err
	}()
	<-slow.arrived
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for { // until it takes no more requests
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			break
		}
		_ = c.Close()
		time.Sleep(time.Millisecond)
	}
	select {
	case <-p.ended:
		t.Fatalf("the server did not wait: %v", p.err)
	default:
	}
	close(slow.goOn)
	if err := <-answered; err != nil || result.Sent != 1 {
		t.Errorf("the sync that was under way: %+v, %v", result, err)
	}
	<-p.ended
	if p.err != nil {
		t.Errorf("the server did not stop well: %v\n%s", p.err, p.errs)
	}

	up(t, env).terminate(t)
	if checked, err := server.Check(context.Background(), filepath.Join(dir, "server.db"), server.CheckOptions{}); err != nil || !checked.OK {
		t.Errorf("%+v, %v", checked, err)
	}
}

func TestASyncThatTakesLongerThanTheGraceTimeIsCut(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(ctx, server.Config{DB: filepath.Join(dir, "server.db"), URL: server.URLOf(listener), Grace: time.Millisecond, SetUp: &server.SetUp{
		Name: "stop", Start: "2026-01-01", Sites: []server.SetUpSite{{Name: "王庄镇", Code: "410621108"}},
		Teams: []server.SetUpTeam{{Name: "one", Site: "王庄镇"}}, Workers: []server.SetUpWorker{{Name: "anna", Team: "one"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Serve(serving, listener) }()
	tablet := openTablet(t, filepath.Join(dir, "a.db"), nil)
	if err := tablet.Enrol(ctx, s.Made.Enrolments[0].Code); err != nil {
		t.Fatal(err)
	}
	visit(t, tablet, 3)
	if err := tablet.Close(); err != nil {
		t.Fatal(err)
	}

	slow := holdUp()
	tablet = openTablet(t, filepath.Join(dir, "a.db"), slow)
	answered := make(chan error, 1)
	go func() {
		_, err := tablet.Sync(ctx, nil)
		answered <- err
	}()
	<-slow.arrived
	stop()
	if err := <-stopped; err != nil {
		t.Errorf("stopping: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	close(slow.goOn)
	if err := <-answered; clientlib.Code(err) != "unavailable" {
		t.Errorf("the sync that was cut: %v", err)
	}
	if status, err := tablet.Status(ctx); err != nil || status.Unsent != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}
