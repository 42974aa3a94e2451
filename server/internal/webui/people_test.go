package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"levee/server/internal/accounts"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
)

// supervised is a supervisor with an account in the deployment of a coordinator, who stands at its people.
func (s *site) supervised() (coordinator, supervisor *webtest.Browser) {
	s.t.Helper()
	b := s.coordinator("en")
	b.Follow("Add a worker").Send("Save", webtest.Values("name", "陈督导", "role", "supervisor")).Is(http.StatusOK)
	d := s.all.All()[0].Syncing
	var chen hlc.ID
	for id, w := range d.SetUp().Workers {
		if w.GetName() == "陈督导" {
			chen = id
		}
	}
	return b, s.member("chen", accounts.Invitation{Membership: accounts.Membership{Deployment: d.Deployment(), Worker: chen}})
}

// TestTakeTheWebAway: who is no member any more sees nothing of the deployment, and may be invited again.
func TestTakeTheWebAway(t *testing.T) {
	s := newSite(t)
	b, chen := s.supervised()
	people := b.At.Path
	chen.Open(people).Is(http.StatusOK)
	b.Open(people).Follow("Take the web away").Sees("The account chen can no longer open this deployment", "Tablets of this worker go on")
	chen.Open(people).Is(http.StatusOK)
	b.Send("Take it away", nil).Sees("can no longer open this deployment", "no account", "Invite to the web")
	chen.Open(people).Is(http.StatusNotFound)
	for id, w := range s.setUp().Workers {
		if w.GetName() == "周协调" { // nobody locks themselves out
			b.Open(strings.TrimSuffix(people, "people") + "workers/" + id.String() + "/account").Is(http.StatusNotFound)
		}
	}
}

// TestAdministratorsEndSessions: one, and all, of somebody's.
func TestAdministratorsEndSessions(t *testing.T) {
	s := newSite(t)
	b, chen := s.supervised()
	signIn := func() *webtest.Browser {
		c := s.browser("en").Open("/sign-in")
		return c.Send("Sign in", webtest.Values("login", "chen", "password", password)).Is(http.StatusOK)
	}
	second := signIn()
	b.Open("/accounts")
	at := ""
	for _, a := range webtest.Find(b.Page, "a") {
		if webtest.Attribute(a, "aria-label") == "Sessions: chen" {
			at = webtest.Attribute(a, "href")
		}
	}
	b.Open(at).Sees("Sessions of chen").Send("End", nil).Sees("The session is ended.")
	signedIn := 0
	for _, c := range []*webtest.Browser{chen, second} {
		if c.Open("/account"); c.At.Path == "/account" {
			signedIn++
		}
	}
	if signedIn != 1 {
		t.Errorf("%d of two are signed in", signedIn)
	}
	third := signIn()
	b.Open(at).Send("End all", nil).Sees("All sessions are ended.", "They are signed in nowhere.")
	for _, c := range []*webtest.Browser{chen, second, third} {
		if c.Open("/account"); c.At.Path == "/account" {
			t.Error("one is signed in still")
		}
	}
	b.Open("/audit").Sees("chen")
}
