package tabletui

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"levee/clientlib"
	"levee/clientlib/internal/fakeserver"
	"levee/syncproto/hlc"
)

// thePIN is what opens the tablets of tests.
const thePIN = "735194"

// tablet is a tablet of a test, seen through its pages.
type tablet struct {
	*testing.T
	ui     *UI
	server *fakeserver.Server
	folder string
	lang   string
	cookie string
	// script says that requests come from a script on the page.
	script bool

	*clock
}

// clock is the tablet's, and the server's.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// newTablet is the tablet of 王芳, enrolled and signed in, with all that the server had. It syncs only when it is told to.
func newTablet(t *testing.T) *tablet {
	t.Helper()
	return tabletOf(t, "wang-fang")
}

// tabletOf is newTablet for the worker of another code. The profile goes by the same name.
func tabletOf(t *testing.T, code string) *tablet {
	t.Helper()
	t.Parallel() // each PIN takes its time
	tab := emptyTablet(t)
	tab.post("/enrol", url.Values{"profile": {"王芳"}, "pin": {thePIN}, "again": {thePIN}, "code": {tab.server.Code(code)}}).leads("/sync?done=enrolled")
	tab.settles(clientlib.SyncState{})
	return tab
}

// emptyTablet is a tablet on which nobody has enrolled yet.
func emptyTablet(t *testing.T) *tablet {
	t.Helper()
	tab := &tablet{T: t, folder: t.TempDir(), clock: &clock{now: time.Date(2021, 10, 8, 9, 30, 0, 0, time.FixedZone("CST", 8*3600))}, lang: "zh"}
	tab.server = fakeserver.New(t, tab.wall)
	tab.start()
	return tab
}

func (c *clock) wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// later lets time pass.
func (c *clock) later(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// start starts the program, and its browser takes the link.
func (tab *tablet) start() {
	tab.Helper()
	ui, err := New(Config{
		Folder: tab.folder, Log: slog.New(slog.NewTextHandler(tab.Output(), nil)), Options: clientlib.Options{Wall: tab.wall, Transport: tab.server},
		Syncing: clientlib.SyncerOptions{After: func(time.Duration) <-chan time.Time { return nil }},
	})
	if err != nil {
		tab.Fatal(err)
	}
	tab.Cleanup(func() { _ = ui.Close() })
	l, err := (&net.ListenConfig{}).Listen(tab.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tab.Fatal(err)
	}
	tab.Cleanup(func() { _ = l.Close() })
	link, err := ui.Link(l)
	if err != nil {
		tab.Fatal(err)
	}
	tab.ui, tab.cookie = ui, ""
	_, code, _ := strings.Cut(link, "#")
	tab.post("/enter", url.Values{"code": {code}}).leads("/")
}

// restart ends the program as a kill does, as far as what is on the disk goes, starts it again and signs in.
func (tab *tablet) restart() {
	tab.Helper()
	if err := tab.ui.Close(); err != nil {
		tab.Fatal(err)
	}
	tab.start()
	tab.signIn()
}

func (tab *tablet) signIn() {
	tab.Helper()
	tab.post("/sign-in", url.Values{"profile": {"王芳"}, "pin": {thePIN}}).leads("/")
}

// store is the worker's, open.
func (tab *tablet) store() *clientlib.Store { return tab.desk().store }

func (tab *tablet) desk() *desk { return tab.ui.desks.open[filepath.Join(tab.folder, "王芳.db")] }

// sync touches “sync now”, and returns once that has come to an end, a second later.
func (tab *tablet) sync() {
	tab.Helper()
	tab.later(time.Second)
	before := tab.desk().syncer.State()
	tab.post("/sync/now", nil).leads("/sync")
	tab.settles(before)
}

// settles waits until a sync has come to its end, well or not, that is not the one that ended before.
func (tab *tablet) settles(before clientlib.SyncState) {
	tab.Helper()
	y := tab.desk().syncer
	changes, stop := y.Watch()
	defer stop()
	for {
		if s := y.State(); s.Doing != clientlib.SyncRunning && (!s.Last.Equal(before.Last) || s.Err != nil && !s.Next.Equal(before.Next)) {
			return
		}
		select {
		case <-changes:
		case <-tab.Context().Done():
			tab.Fatal("the sync comes to no end")
		}
	}
}

// answer is what the tablet answered.
type answer struct {
	tab *tablet
	*http.Response
	raw  []byte
	text string
	html *html.Node
}

func (tab *tablet) get(path string) *answer {
	tab.Helper()
	return tab.do(httptest.NewRequest(http.MethodGet, path, nil))
}

func (tab *tablet) post(path string, values url.Values) *answer {
	tab.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://"+tab.ui.gate.host)
	return tab.do(r)
}

func (tab *tablet) do(r *http.Request) *answer {
	tab.Helper()
	r.Host = tab.ui.gate.host
	r.Header.Set("Accept-Language", tab.lang)
	if tab.script {
		r.Header.Set("HX-Request", "true")
	}
	if tab.cookie != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: tab.cookie})
	}
	w := httptest.NewRecorder()
	tab.ui.Handler().ServeHTTP(w, r)
	a := &answer{tab: tab, Response: w.Result()}
	for _, c := range a.Cookies() {
		tab.cookie = c.Value
	}
	body, err := io.ReadAll(a.Body)
	if err != nil {
		tab.Fatal(err)
	}
	a.raw = body
	if a.html, err = html.Parse(bytes.NewReader(body)); err != nil {
		tab.Fatal(err)
	}
	a.text = strings.Join(strings.Fields(textOf(a.html)), " ")
	if a.StatusCode >= http.StatusInternalServerError {
		tab.Fatalf("%s %s: %d\n%s", r.Method, r.URL, a.StatusCode, a.text)
	}
	return a
}

// leads checks that the answer leads on to a path.
func (a *answer) leads(to string) {
	a.tab.Helper()
	if got := a.to(); got != to {
		a.tab.Fatalf("it leads to %q, not to %q (status %d)\n%s", got, to, a.StatusCode, a.text)
	}
}

// to is where the answer leads on to; empty when it is a page itself.
func (a *answer) to() string { return a.Header.Get("Location") }

// follow follows the answer.
func (a *answer) follow() *answer {
	a.tab.Helper()
	if a.to() == "" {
		a.tab.Fatalf("it leads nowhere (status %d)\n%s", a.StatusCode, a.text)
	}
	return a.tab.get(a.to())
}

// says checks that the page says something.
func (a *answer) says(texts ...string) *answer {
	a.tab.Helper()
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			a.tab.Fatalf("it does not say %q (status %d)\n%s", text, a.StatusCode, a.text)
		}
	}
	return a
}

// silent checks that the page does not say something.
func (a *answer) silent(texts ...string) *answer {
	a.tab.Helper()
	for _, text := range texts {
		if strings.Contains(a.text, text) {
			a.tab.Fatalf("it says %q (status %d)\n%s", text, a.StatusCode, a.text)
		}
	}
	return a
}

// form is what the form with an action begins with, filled in with more.
func (a *answer) form(action string, more url.Values) url.Values {
	a.tab.Helper()
	var found *html.Node
	for n := range a.html.Descendants() {
		if n.Data == "form" && attribute(n, "action") == action {
			found = n
		}
	}
	if found == nil {
		a.tab.Fatalf("there is no form for %q\n%s", action, a.text)
	}
	values := url.Values{}
	for n := range found.Descendants() {
		name := attribute(n, "name")
		switch {
		case n.Type != html.ElementNode || name == "" || n.Data == "button":
		case n.Data == "textarea":
			values.Add(name, strings.TrimSuffix(textOf(n), " "))
		case n.Data == "select":
			for o := range n.Descendants() {
				if o.Data == "option" && has(o, "selected") {
					values.Add(name, attribute(o, "value"))
				}
			}
		case attribute(n, "type") == "radio" || attribute(n, "type") == "checkbox":
			if has(n, "checked") {
				values.Add(name, attribute(n, "value"))
			}
		default:
			values.Add(name, attribute(n, "value"))
		}
	}
	for name, all := range more {
		values[name] = all
	}
	return values
}

// link is where a link that says something leads to.
func (a *answer) link(text string) string {
	a.tab.Helper()
	for n := range a.html.Descendants() {
		if n.Data == "a" && strings.Contains(textOf(n), text) {
			return attribute(n, "href")
		}
	}
	a.tab.Fatalf("there is no link %q\n%s", text, a.text)
	return ""
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func textOf(n *html.Node) string {
	var text strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
			text.WriteString(d.Data)
			text.WriteString(" ")
		}
	}
	return text.String()
}

// log logs what a form came to, through the pages, and returns the page that it leads to.
func (tab *tablet) log(kind string, of string, values url.Values) *answer {
	tab.Helper()
	to := tab.get(pathNew + "/" + kind + of).to()
	path, _, _ := strings.Cut(to, "?")
	filled := tab.get(to).form(path, values)
	filled.Set(valueDo, doLog)
	return tab.post(path, filled)
}

// id is the id that a text has.
func (tab *tablet) id(text string) hlc.ID {
	tab.Helper()
	id, err := parseID(text)
	if err != nil {
		tab.Fatalf("%q is no id", text)
	}
	return id
}
