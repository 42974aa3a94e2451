package tabletui

import (
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
)

// cookieName is that of the cookie by which the browser that took the link is known. It is worth nothing after the program
// has ended.
const cookieName = "levee_tablet"

// maxBody is how large a request may be.
const maxBody = 1 << 20

// policy allows a page what this program serves, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// errNotLoopback: the pages are for this tablet alone.
var errNotLoopback = errors.New("the pages of a tablet are served on loopback only")

// gate lets through this tablet's own browser. Other machines can't connect; other sites that the browser has open are told
// apart by Host (a name that was made to point here, DNS rebinding), Origin and Sec-Fetch-Site; other programs and other
// people on this machine by a cookie, which is given once, for the code in the link.
type gate struct {
	// host is the one under which the pages are served, such as 127.0.0.1:41234.
	host    string
	pass    string // the cookie's value
	mu      sync.Mutex
	code    string // of the link; empty once it was used
	refused func(http.ResponseWriter, *http.Request, reason)
}

// reason is why somebody is not let through.
type reason int

const (
	otherHost reason = iota
	otherOrigin
	notThisBrowser
)

// listen checks where the pages are about to be served.
func (g *gate) listen(l net.Listener) error {
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok || !at.IP.IsLoopback() {
		return errNotLoopback
	}
	g.host = at.String()
	return nil
}

// link is the address that opens the pages, once.
func (g *gate) link() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return "http://" + g.host + "/enter#" + g.code
}

// take uses up the code of the link and reports whether it was that.
func (g *gate) take(code string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.code == "" || subtle.ConstantTimeCompare([]byte(code), []byte(g.code)) != 1 {
		return false
	}
	g.code = ""
	return true
}

// guard stands before all pages.
func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Host != g.host:
			g.refused(w, r, otherHost)
		case !g.ours(r):
			g.refused(w, r, otherOrigin)
		case !g.known(r) && r.URL.Path != pathEnter && !strings.HasPrefix(r.URL.Path, pathAssets):
			g.refused(w, r, notThisBrowser)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			next.ServeHTTP(w, r)
		}
	})
}

// ours reports whether a request comes from a page of this program, or from the address line of the browser. Browsers too old
// to send either header are kept apart by the cookie, which is not sent from other sites.
func (g *gate) ours(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+g.host {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin":
		return true
	case "none": // typed, or a bookmark
		return r.Method == http.MethodGet
	default: // another site, or another port of this machine
		return false
	}
}

// known reports whether a request comes from the browser that took the link.
func (g *gate) known(r *http.Request) bool {
	c, err := r.Cookie(cookieName)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(g.pass)) == 1
}

// admit makes a browser known.
func (g *gate) admit(w http.ResponseWriter) {
	//nolint:gosec // loopback has no TLS; what is sent stays on this machine
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: g.pass, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
}
