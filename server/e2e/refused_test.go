package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// strange is a page of another site that somebody has open in the tablet's browser: it fetches the tablet's pages, posts to them, and
// shows them in a frame.
const strange = `<!doctype html><html lang="en"><title>strange</title><h1>strange</h1>
<iframe name="posted"></iframe><iframe src="%[1]s/" title="framed"></iframe>
<form method="post" action="%[1]s/lock" target="posted"><button>Post</button></form>
<form method="post" action="%[1]s/lock"><button>Go there</button></form>
<script>
const tries = [
	fetch("%[1]s/"), fetch("%[1]s/", {credentials: "include"}), fetch("%[1]s/", {mode: "no-cors", credentials: "include"}).then(r => r.text().then(text => { if (!text) throw "opaque"; return text })),
	fetch("%[1]s/lock", {method: "POST", credentials: "include", headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: ""}),
	new Promise((read, refused) => { const image = new Image(); image.onload = read; image.onerror = refused; image.src = "%[1]s/assets/levee.svg" }),
	new Promise((read, refused) => { const events = new EventSource("%[1]s/events", {withCredentials: true}); events.onopen = read; events.onerror = refused }),
]
Promise.allSettled(tries).then(all => { document.title = "got " + all.filter(one => one.status === "fulfilled").length })
</script>`

// Whoever signed in on the tablet may have any page of the world open beside it: nothing but the tablet's own pages get anything from it.
func TestOtherSitesAreRefused(t *testing.T) {
	b, s := openBrowser(t, phone, "en"), newStation(t)
	tablet := s.tablet()
	s.enrol(b, tablet).follow("Today").sees("Done today")
	link, err := url.Parse(tablet.link)
	s.must(err)
	home := "http://" + link.Host

	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path != "/quiet" {
			_, _ = fmt.Fprintf(w, strange, home)
		}
	}))
	defer site.Close()
	b.open(home + "/").open(site.URL + "/quiet") // the tablet's own page asks no more
	b.mu.Lock()
	b.answers, b.before = nil, 0
	b.mu.Unlock()
	// The same host under another port, and a name that is another site to the browser as well.
	for _, origin := range []string{site.URL, strings.Replace(site.URL, "127.0.0.1", "localhost", 1)} {
		b.open(origin)
		b.until("all tries to end", func(ctx context.Context, tab *chromedp.Target) error {
			title, err := chromedp.Title()(ctx, tab)
			if err == nil && !strings.HasPrefix(title, "got ") {
				err = fmt.Errorf("the title is %q", title)
			}
			if err == nil && title != "got 0" {
				t.Errorf("%s %s of the tablet", origin, title)
			}
			return err
		})
		b.tap("Post").follow("Go there")
		if b.status != http.StatusForbidden {
			t.Errorf("%s posts to the tablet, which answers %d", origin, b.status)
		}
		b.sees("Another website tried to open this page")
	}
	b.mu.Lock()
	asked := 0
	for _, a := range b.answers {
		if strings.HasPrefix(a.URL, home) && !strings.HasPrefix(a.URL, home+"/assets/") { // the refusal itself is a page with a style
			asked++
			if a.Status != http.StatusForbidden {
				t.Errorf("another site gets %d from %s", a.Status, a.URL)
			}
		}
	}
	b.faults = nil // what was refused
	b.mu.Unlock()
	if asked < 6 {
		t.Errorf("the tablet was asked %d times", asked)
	}
	b.open(home + "/").sees("Done today") // nothing of it has locked the pages
}

// Other programs on the tablet, and whoever has the browser asked under another name, get nothing either. The link is good once.
func TestOtherProgramsAreRefused(t *testing.T) {
	b, s := openBrowser(t, phone, "en"), newStation(t)
	tablet := s.tablet()
	s.enrol(b, tablet)
	link, err := url.Parse(tablet.link)
	s.must(err)
	cookies := eval[string](b, `document.cookie`)
	if cookies != "" {
		t.Errorf("scripts read %q", cookies)
	}
	cookie := b.cookie("levee_tablet")
	_, port, _ := strings.Cut(link.Host, ":")
	for _, c := range []struct {
		what, host, path string
		cookie           bool
		status           int
	}{
		{"the tablet's own browser", link.Host, "/", true, http.StatusOK},
		{"a name that was made to point here", "levee.example:" + port, "/", true, http.StatusForbidden},
		{"a name that was made to point here, without a port", "levee.example", "/assets/tablet.css", true, http.StatusForbidden},
		{"another name of this machine", "localhost:" + port, "/", true, http.StatusForbidden},
		{"somebody without the cookie", link.Host, "/", false, http.StatusForbidden},
		{"somebody without the cookie, in an emergency", link.Host, "/emergency", false, http.StatusForbidden},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+link.Host+c.path, nil)
		s.must(err)
		request.Host = c.host
		if c.cookie {
			request.AddCookie(&http.Cookie{Name: "levee_tablet", Value: cookie})
		}
		response, err := http.DefaultClient.Do(request)
		s.must(err)
		body, err := io.ReadAll(response.Body)
		s.must(errors.Join(err, response.Body.Close()))
		if response.StatusCode != c.status {
			t.Errorf("%s: %d, not %d", c.what, response.StatusCode, c.status)
		}
		if c.status == http.StatusForbidden && strings.Contains(string(body), "李娜") {
			t.Errorf("%s is told who works here", c.what)
		}
	}

	again := openBrowser(t, phone, "en").open(tablet.link).sees("This code was used before")
	if again.cookie("levee_tablet") != "" {
		t.Error("the link lets a second browser in")
	}
}

// cookie is the value of a cookie that the browser has for the page; empty where there is none.
func (b *browser) cookie(name string) string {
	b.t.Helper()
	ctx, cancel := b.within()
	defer cancel()
	var value string
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		got, err := cdp.Call(ctx, t, network.GetCookies, network.GetCookiesParams{})
		if err != nil {
			return err
		}
		for _, c := range got.Cookies {
			if c.Name == name {
				value = c.Value
			}
		}
		return nil
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}
