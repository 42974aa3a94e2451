package webui_test

import (
	"bufio"
	"context"
	"net/http"
	"testing"
	"time"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/webtest"
	"levee/server/internal/webui"
)

// listening is an open page that is told of changes.
type listening struct {
	t     *testing.T
	lines *bufio.Scanner
}

// listen begins to listen as a page does that knows a state.
func (s *site) listen(b *webtest.Browser, since string) *listening {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	s.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+"/deployments/"+s.all.All()[0].Syncing.Deployment().String()+"/events?since="+since, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := b.Client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("%d %q", response.StatusCode, response.Header.Get("Content-Type"))
	}
	return &listening{s.t, bufio.NewScanner(response.Body)}
}

// hears reads up to a line that must come.
func (l *listening) hears(want string) {
	l.t.Helper()
	for l.lines.Scan() {
		if l.lines.Text() == want {
			return
		}
	}
	l.t.Fatalf("it ends without %q: %v", want, l.lines.Err())
}

// ends reads to the end, which must come without another change.
func (l *listening) ends() {
	l.t.Helper()
	for l.lines.Scan() {
		if l.lines.Text() == "event: changed" {
			l.t.Error("it is told of a change")
		}
	}
	if err := l.lines.Err(); err != nil {
		l.t.Errorf("it does not end: %v", err)
	}
}

// TestOpenPagesAreTold of changes for as long as whoever looks at them may see them, and no longer.
func TestOpenPagesAreTold(t *testing.T) {
	for name, tt := range map[string]struct {
		// shut is what happens; said is what the page is told at the next change.
		shut func(*site, *webtest.Browser, audit.Actor, accounts.Account)
		said string
	}{
		"signed out": {func(_ *site, b *webtest.Browser, _ audit.Actor, _ accounts.Account) {
			b.Do(http.MethodPost, "/sign-out", nil)
		}, "event: over"},
		"disabled": {func(s *site, _ *webtest.Browser, by audit.Actor, a accounts.Account) {
			if err := s.accounts.Disable(s.t.Context(), by, a.ID); err != nil {
				s.t.Error(err)
			}
		}, "event: over"},
		"removed from the deployment": {func(s *site, _ *webtest.Browser, by audit.Actor, a accounts.Account) {
			if err := s.accounts.RemoveMembership(s.t.Context(), by, a.ID, a.Memberships[0].Deployment); err != nil {
				s.t.Error(err)
			}
		}, "event: over"},
		"idle for too long": {func(s *site, _ *webtest.Browser, _ audit.Actor, _ accounts.Account) {
			s.Pass(accounts.SessionIdle)
		}, "event: over"},
		"another page changes": {func(*site, *webtest.Browser, audit.Actor, accounts.Account) {}, "event: changed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b, _ := s.visitor("coordinator")
			deployment := s.all.All()[0].Syncing.Deployment()
			all, err := s.accounts.Accounts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var own accounts.Account
			for _, a := range all {
				if a.Login == "visitor" {
					own = a
				}
			}
			l := s.listen(b, "0")
			l.hears("event: changed") // it knew of no state
			tt.shut(s, b, audit.Actor{}, own)
			s.live.Publish(deployment)
			l.hears(tt.said)
			s.live.Close()
			l.ends()
		})
	}
}

// TestOpenPagesSayWhatTheyKnow: a page is told of what happened since it was made, and of nothing else's deployment.
func TestOpenPagesSayWhatTheyKnow(t *testing.T) {
	s := newSite(t)
	b := s.coordinator("en")
	d := s.all.All()[0]
	now, err := d.Progress.Version(t.Context())
	if err == nil {
		err = d.Indexing.Wait(t.Context(), now.Position)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.Open(b.At.Path)
	var state string
	for _, n := range webtest.Find(b.Page, "span") {
		if webtest.Attribute(n, "id") == "updated" {
			state = webtest.Attribute(n, "data-state")
		}
	}
	if state == "" {
		t.Fatal("the page names no state")
	}
	l := s.listen(b, state)
	l.hears("retry: 2000")
	if _, _, err := s.makeDeployment(t.Context(), audit.Actor{}, newElsewhere); err != nil {
		t.Fatal(err)
	}
	s.live.Close()
	l.ends()
}

var newElsewhere = webui.NewDeployment{Name: "elsewhere", Start: "2026-02-01", TimeZone: "UTC", Coordinator: "周协调"}
