package tabletui

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// ask makes a request as given, with nothing filled in but the cookie.
func (tab *tablet) ask(method, path, host string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.AddCookie(&http.Cookie{Name: cookieName, Value: tab.cookie})
	w := httptest.NewRecorder()
	tab.ui.Handler().ServeHTTP(w, r)
	return w
}

func TestOnlyThisTabletsOwnPagesAreLetIn(t *testing.T) {
	tab := newTablet(t)
	host := tab.ui.gate.host
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, host string
		header             http.Header
		status             int
	}{
		{"the address line", http.MethodGet, host, http.Header{"Sec-Fetch-Site": {"none"}}, http.StatusOK},
		{"a page of its own", http.MethodGet, host, http.Header{"Sec-Fetch-Site": {"same-origin"}}, http.StatusOK},
		{"a browser that is too old to say", http.MethodGet, host, nil, http.StatusOK},
		{"a name that was made to point here", http.MethodGet, "evil.example:" + port, nil, http.StatusForbidden},
		{"the same name without a port", http.MethodGet, "127.0.0.1", nil, http.StatusForbidden},
		{"localhost, whose cookies others share", http.MethodGet, "localhost:" + port, nil, http.StatusForbidden},
		{"another site", http.MethodGet, host, http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		{"another port of this machine", http.MethodGet, host, http.Header{"Sec-Fetch-Site": {"same-site"}}, http.StatusForbidden},
		{"another origin", http.MethodGet, host, http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden},
		{"another port as origin", http.MethodPost, host, http.Header{"Origin": {"http://127.0.0.1:1"}}, http.StatusForbidden},
		{"no origin that can be told", http.MethodPost, host, http.Header{"Origin": {"null"}}, http.StatusForbidden},
		{"a form sent from nowhere", http.MethodPost, host, http.Header{"Sec-Fetch-Site": {"none"}}, http.StatusForbidden},
	} {
		path := "/"
		if c.method == http.MethodPost {
			path = "/lock"
		}
		if got := tab.ask(c.method, path, c.host, c.header).Code; got != c.status {
			t.Errorf("%s: %d, not %d", c.name, got, c.status)
		}
	}
	tab.get("/").says("王芳", "王庄镇").silent("登录") // nothing of it locked the pages
}

func TestTheLinkLetsOneBrowserIn(t *testing.T) {
	tab := newTablet(t)
	mine := tab.cookie
	link := tab.ui.gate.link() // that used its code up
	_, code, _ := strings.Cut(link, "#")
	tab.cookie = ""
	tab.get("/").says("这个浏览器没有本次的链接")
	tab.get("/emergency").says("这个浏览器没有本次的链接") // needs no PIN, but this tablet
	for _, wrong := range []string{code, "", "0"} {
		if a := tab.post("/enter", url.Values{"code": {wrong}}); a.StatusCode != http.StatusForbidden || tab.cookie != "" {
			t.Errorf("the code %q: %d, cookie %q", wrong, a.StatusCode, tab.cookie)
		}
	}
	tab.cookie = mine
	tab.get("/").silent("这个浏览器没有本次的链接")
}

func TestPagesAreServedOnLoopbackAlone(t *testing.T) {
	ui, err := New(Config{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ui.Close() }()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if _, err := ui.Link(l); err == nil {
		t.Error("it gives a link to a listener that others reach")
	}
	if err := ui.Serve(t.Context(), l); err == nil {
		t.Error("it serves others")
	}
}

func TestPagesAllowNothingFromOutside(t *testing.T) {
	tab := newTablet(t)
	for _, path := range []string{"/", "/new", "/sync", "/assets/tablet.css"} {
		a := tab.get(path)
		csp := a.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy lacks %s: %q", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %q", path, csp)
		}
	}
	if a := tab.get("/"); a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page may be kept: %q", a.Header.Get("Cache-Control"))
	}
}

// TestPagesLockThemselves: whoever picks up the tablet after a while needs the PIN.
func TestPagesLockThemselves(t *testing.T) {
	tab := newTablet(t)
	tab.get("/").says("今天已做")
	tab.later(lockAfter - time.Second)
	tab.get("/").says("今天已做")
	tab.later(lockAfter - time.Second)
	tab.get("/badge") // what the pages ask by themselves is no sign of anybody
	tab.later(2 * time.Second)
	tab.get("/sync").leads("/sign-in?next=%2Fsync")
	tab.get("/badge").leads("/sign-in")
	wrong := tab.post("/sign-in", url.Values{"profile": {"王芳"}, "pin": {"735195"}, "next": {"/new"}})
	if wrong.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a wrong PIN: %d", wrong.StatusCode)
	}
	wrong.says("PIN 不对")
	tab.post("/sign-in", url.Values{"profile": {"王芳"}, "pin": {thePIN}, "next": {"/new"}}).leads("/new")
	tab.post("/sign-in", url.Values{"profile": {"王芳"}, "pin": {thePIN}, "next": {"//evil.example"}}).leads("/")
	tab.post("/lock", nil).leads("/sign-in")
	tab.get("/").leads("/sign-in?next=%2F")
	// Set back, the clock keeps nothing open.
	tab.signIn()
	tab.later(-time.Hour)
	tab.get("/").leads("/sign-in?next=%2F")
}

func TestBigRequestsAreRefused(t *testing.T) {
	tab := newTablet(t)
	to := tab.get("/new/outreach").to()
	path, _, _ := strings.Cut(to, "?")
	a := tab.post(path, url.Values{"_kind": {"outreach"}, "needs": {strings.Repeat("水", maxBody)}})
	if a.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d: %s", a.StatusCode, a.text)
	}
	a.says("超过")
}
