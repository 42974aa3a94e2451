package alerting_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"levee/server/internal/alerting"
)

func ptr[T any](v T) *T { return &v }

// decoded is the text of a letter.
func decoded(m *mail.Message) io.Reader {
	if strings.EqualFold(m.Header.Get("Content-Transfer-Encoding"), "base64") {
		return base64.NewDecoder(base64.StdEncoding, m.Body)
	}
	return m.Body
}

// gateway is an SMS gateway on this machine.
type gateway struct {
	*httptest.Server
	mu        sync.Mutex
	to, texts []string
	keys      []string
}

const gatewayToken = "a token of the gateway"

func serveSMS(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m map[string]string
		if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer "+gatewayToken || r.Header.Get("Content-Type") != "application/json" ||
			json.NewDecoder(r.Body).Decode(&m) != nil || len(m) != 2 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.to, g.texts, g.keys = append(g.to, m["to"]), append(g.texts, m["text"]), append(g.keys, r.Header.Get("Idempotency-Key"))
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) by(t *testing.T) alerting.Sender { return texter(t, g.URL, gatewayToken) }

func texter(t *testing.T, url, token string) alerting.Sender {
	t.Helper()
	sender, err := alerting.NewTexter(alerting.SMSGateway{URL: url, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func TestSMSIsHandedToTheGateway(t *testing.T) {
	g := serveSMS(t)
	if err := g.by(t).Send(t.Context(), "13800000000", aMessage); err != nil {
		t.Fatal(err)
	}
	wants(t, g.to, "13800000000")
	wants(t, g.texts, aMessage.Short)
	wants(t, g.keys, aMessage.ID)
	if err := texter(t, g.URL, "another").Send(t.Context(), "13800000000", aMessage); err == nil || err.Error() != "the SMS gateway answered 400" {
		t.Errorf("with a wrong token: %v", err)
	}
}

// A gateway that leads elsewhere would have numbers and its token go there.
func TestSMSGoesNowhereElse(t *testing.T) {
	elsewhere := serveSMS(t)
	leads := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(leads.Close)
	if err := texter(t, leads.URL, gatewayToken).Send(t.Context(), "13800000000", aMessage); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("led away: %v", err)
	}
	if len(elsewhere.to) != 0 {
		t.Error("somebody else got it")
	}
	for _, url := range []string{"http://sms.example.org/send", "http://127.0.0.1.example.org/", "ftp://sms.example.org", "https://user:secret@sms.example.org/", "sms.example.org", "https://", "https://sms.example.org/#x", ""} {
		if _, err := alerting.NewTexter(alerting.SMSGateway{URL: url}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{"https://sms.example.org/send?region=cn", "http://localhost:9000/", "http://[::1]:9000/"} {
		texter(t, url, "")
	}
}

// What a gateway answers, however much, is not kept and not logged.
func TestAGatewaysAnswerIsBounded(t *testing.T) {
	written := make(chan int64, 1)
	g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var n int64
		defer func() { written <- n }()
		w.WriteHeader(http.StatusInternalServerError)
		for range 1000 { // 64 MB
			m, err := w.Write(make([]byte, 1<<16))
			if n += int64(m); err != nil {
				return
			}
		}
	}))
	t.Cleanup(g.Close)
	if err := texter(t, g.URL, gatewayToken).Send(t.Context(), "13800000000", aMessage); err == nil || err.Error() != "the SMS gateway answered 500" {
		t.Errorf("the error is %v", err)
	}
	if n := <-written; n > 32<<20 {
		t.Errorf("%d bytes were taken", n)
	}
}

func TestAGatewayThatDoesNotAnswerIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	g := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(g.Close)
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := texter(t, g.URL+"/?key=secret", gatewayToken).Send(ctx, "13800000000", aMessage)
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "13800000000") {
		t.Errorf("the error is %v", err)
	}
}
