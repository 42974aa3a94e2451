package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"levee/syncproto/levee/sync/v1/syncv1connect"
)

// pipes is a listener whose connections are in memory, so that they take part in a bubble's time.
type pipes struct{ conns chan net.Conn }

func (p *pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p *pipes) Close() error   { close(p.conns); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8410} }

func (p *pipes) dial() net.Conn {
	client, served := net.Pipe()
	p.conns <- served
	return client
}

// inBubble serves a deployment where time costs nothing.
func inBubble(t *testing.T, do func(t *testing.T, l *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(t.Context(), Config{DB: filepath.Join(t.TempDir(), "server.db"), Wall: time.Now, SetUp: &SetUp{Name: "鹤壁", Start: "2000-01-01"}})
		if err != nil {
			t.Fatal(err)
		}
		l := &pipes{make(chan net.Conn)}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error)
		go func() { served <- s.Serve(ctx, l) }()
		do(t, l)
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

const request = "POST " + syncv1connect.SyncServiceSyncProcedure + " HTTP/1.1\r\nHost: levee.test\r\nContent-Type: application/proto\r\nAuthorization: Bearer x\r\n"

// drip sends a text a byte now and then, until the server has had enough, and says when that was and what it answered.
func drip(c net.Conn, text string, every time.Duration) (after time.Duration, answer string) {
	began := time.Now()
	answered := make(chan string)
	go func() {
		b, _ := io.ReadAll(c) // the server hangs up in the end
		answered <- string(b)
	}()
	for i := range len(text) {
		if _, err := c.Write([]byte{text[i]}); err != nil {
			break
		}
		time.Sleep(every)
	}
	answer = <-answered
	return time.Since(began), answer
}

// healthy asks on a new connection whether the server is well, and wants an answer at once.
func healthy(t *testing.T, l *pipes) {
	t.Helper()
	began := time.Now()
	c := l.dial()
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: levee.test\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if took := time.Since(began); response.StatusCode != http.StatusOK || took > time.Second {
		t.Errorf("%s after %v", response.Status, took)
	}
}

func TestWhoSendsSlowlyIsCutAndOthersAreServed(t *testing.T) {
	for _, c := range []struct {
		what, text string
		want       time.Duration
		answer     string
	}{
		{"headers", request + "X-Filler: " + strings.Repeat("x", 100), readHeaderTimeout, ""},
		{"a body", request + "Content-Length: 4000000\r\n\r\n" + strings.Repeat("x", 1000), readTimeout, `"malformed"`},
		{"a body in chunks", request + "Transfer-Encoding: chunked\r\n\r\nffff\r\n" + strings.Repeat("x", 1000), readTimeout, `"malformed"`},
		{"a body that the JSON API does not read", "GET /api/totals HTTP/1.1\r\nHost: levee.test\r\nContent-Length: 4000000\r\n\r\n" + strings.Repeat("x", 1000), readTimeout, `"unauthenticated"`},
	} {
		t.Run(c.what, func(t *testing.T) {
			inBubble(t, func(t *testing.T, l *pipes) {
				slow := l.dial()
				defer func() { _ = slow.Close() }()
				head, rest, found := strings.Cut(c.text, "\r\n\r\n")
				if found {
					go func() { _, _ = io.WriteString(slow, head+"\r\n\r\n") }()
					synctest.Wait()
				} else {
					rest = c.text
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					for range 5 {
						time.Sleep(3 * time.Second)
						healthy(t, l)
					}
				}()
				after, answer := drip(slow, rest, 700*time.Millisecond)
				<-done
				if after > c.want+10*time.Second || !strings.Contains(answer, c.answer) || strings.Contains(answer, "incident") {
					t.Errorf("it was answered %q after %v", answer, after)
				}
			})
		})
	}
}

func TestConnectionsThatDoNothingAreClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, l *pipes) {
		const many = 500
		closed := make(chan time.Duration, 2*many)
		began := time.Now()
		for i := range 2 * many {
			c := l.dial()
			go func() {
				if i%2 == 0 { // one request, and then nothing
					_, _ = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: levee.test\r\n\r\n")
				}
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
				closed <- time.Since(began)
			}()
		}
		synctest.Wait()
		healthy(t, l)
		for range 2 * many {
			if after := <-closed; after > idleTimeout+10*time.Second {
				t.Errorf("a connection was open for %v", after)
			}
		}
	})
}

func TestHeadersThatAreTooLargeAreRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, l *pipes) {
		for what, headers := range map[string]string{
			"one large":   "Authorization: Bearer " + strings.Repeat("x", 2*maxHeaderBytes),
			"very many":   strings.Repeat("A: b\r\n", maxHeaderBytes) + "A: b",
			"one endless": "X-" + strings.Repeat("x", 2*maxHeaderBytes),
		} {
			c := l.dial()
			go func() { _, _ = io.WriteString(c, request+headers+"\r\n\r\n") }()
			b, _ := io.ReadAll(c)
			_ = c.Close()
			if !strings.Contains(string(b), "431 ") {
				t.Errorf("%s: %q", what, b)
			}
			healthy(t, l)
		}
	})
}

func TestABodyThatIsFramedWronglyIsTheCallersFault(t *testing.T) {
	inBubble(t, func(t *testing.T, l *pipes) {
		for what, c := range map[string]struct{ sent, want string }{
			"no chunk":          {"Transfer-Encoding: chunked\r\n\r\nzz\r\n", `"malformed"`},
			"an endless chunk":  {"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", `"malformed"`},
			"a bad trailer":     {"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n:\r\n\r\n", `"malformed"`},
			"a negative length": {"Content-Length: -1\r\n\r\n", "400 Bad Request"},
			"two lengths":       {"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400 Bad Request"},
		} {
			conn := l.dial()
			go func() { _, _ = io.WriteString(conn, request+"Connection: close\r\n"+c.sent) }()
			b, _ := io.ReadAll(conn)
			_ = conn.Close()
			if answer := string(b); !strings.Contains(answer, c.want) || strings.Contains(answer, "internal") {
				t.Errorf("%s: %q", what, answer)
			}
			healthy(t, l)
		}
	})
}
