package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"levee/server"
)

// profiles are addresses of net/http/pprof.
var profiles = []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline", "/debug/pprof/symbol", "/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1"}

func newServer(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.New(t.Context(), server.Config{DB: filepath.Join(t.TempDir(), "server.db"), URL: "http://localhost"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestProfilesAreNotOnThePublicAddress(t *testing.T) {
	s := newServer(t)
	for _, path := range profiles {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequest(method, path, nil)
			r.RemoteAddr = "127.0.0.1:1" // not even for this machine
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != http.StatusNotFound {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
}

func TestOperatorsLookIntoTheRunningProgram(t *testing.T) {
	s := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.ServeAdmin(ctx, l) }()
	url := "http://" + l.Addr().String()
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ok\n", "/metrics": "levee_database_seconds_count", "/debug/pprof/": "goroutine",
		"/debug/pprof/goroutine?debug=1": "goroutine profile: total", "/debug/pprof/heap?debug=1": "heap profile:", "/debug/pprof/cmdline": "server.test",
	} {
		if body := get(t, url+path, ""); !strings.Contains(body, want) {
			t.Errorf("%s: %.300s", path, body)
		}
	}
	for what, change := range map[string]func(*http.Request){
		"a proxy":     func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1") },
		"another one": func(r *http.Request) { r.Header.Set("Forwarded", "for=127.0.0.1") },
		"a page whose name was made to lead here": func(r *http.Request) { r.Host = "evil.example:8411" },
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/debug/pprof/goroutine?debug=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(request)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusNotFound || strings.Contains(string(body), "goroutine") {
			t.Errorf("through %s: %d %.100s", what, response.StatusCode, body)
		}
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestTheAdminAddressIsRefusedWhereOthersReachIt(t *testing.T) {
	s := newServer(t)
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	err = s.ServeAdmin(t.Context(), l)
	var refused *server.Refusal
	if !errors.As(err, &refused) || refused.Code != server.AdminReachable || refused.In("zh") == refused.In("en") {
		t.Errorf("%v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it listens still: %v", err)
	}
}
