// Package tabletui is what a worker holds in her hand: the pages of a tablet, served on loopback by the tablet itself, so that
// they work with no network at all. They are plain HTML from templates, in both languages; without scripts all can be done,
// with them what is typed is kept as she types, and figures and the state of the sync move by themselves.
//
// Nobody but the browser that took the link may see them; see gate. A worker signs in with the PIN of her file; what is
// open stays open, and goes on syncing, while the pages are locked again.
package tabletui

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"levee/clientlib"
	"levee/syncproto/hlc"
)

// Config is what the pages need. All but Folder may be left out.
type Config struct {
	// Folder is where the workers' files are.
	Folder string
	// Profile is the name of the one whose file is opened; empty lets the worker choose.
	Profile string
	// Language is "zh" or "en" where nobody has chosen one yet; empty leaves it to the browser.
	Language string
	// Options are for each store; the key is filled in.
	Options clientlib.Options
	// Syncing is when the pages sync by themselves.
	Syncing clientlib.SyncerOptions
	// Entropy is where the secrets of the pages come from; crypto/rand when nil.
	Entropy io.Reader
	// Log is where what must not happen is told, without anything that somebody wrote; nowhere when nil.
	Log *slog.Logger
}

//go:embed pages assets
var embedded embed.FS

// UI are the pages of one tablet.
type UI struct {
	Config
	gate      gate
	desks     desks
	templates map[string]*template.Template
	assets    map[string]asset
	mux       *http.ServeMux
	wall      func() time.Time
	// spoken is the language that was chosen before anybody had signed in.
	spoken atomic.Pointer[string]
	// life ends when Close is called, and with it what listens to events.
	life context.Context
	end  context.CancelFunc
}

// New reads the pages that are in the program.
func New(c Config) (*UI, error) {
	if c.Entropy == nil {
		c.Entropy = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	u := &UI{Config: c, templates: map[string]*template.Template{}, assets: map[string]asset{}, mux: http.NewServeMux(), wall: c.Options.Wall}
	if u.wall == nil {
		u.wall = hlc.Wall
	}
	u.desks.open = map[string]*desk{}
	u.life, u.end = context.WithCancel(context.Background())
	var err error
	if u.gate.pass, err = u.secret(); err != nil {
		return nil, err
	}
	if u.gate.code, err = u.secret(); err != nil {
		return nil, err
	}
	u.gate.refused = u.refuse
	if err := u.load(); err != nil {
		return nil, err
	}
	for _, r := range routes() {
		u.mux.HandleFunc(r.method+" "+r.path, u.handle(r))
	}
	u.mux.HandleFunc("GET "+pathAssets+"{name}", u.asset)
	u.mux.HandleFunc("/", u.handle(route{do: func(*visit) error { return errNoPage }, open: true}))
	return u, nil
}

// Link is the address at which a browser opens the pages served on l. It works once.
func (u *UI) Link(l net.Listener) (string, error) {
	if err := u.gate.listen(l); err != nil {
		return "", err
	}
	return u.gate.link(), nil
}

// Serve answers on l, which must be on loopback and have been handed to Link, until ctx ends.
func (u *UI) Serve(ctx context.Context, l net.Listener) error {
	if err := u.gate.listen(l); err != nil {
		return err
	}
	server := &http.Server{
		Handler: u.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(u.Log.Handler(), slog.LevelWarn),
	}
	stop := context.AfterFunc(ctx, func() {
		u.end() // whoever listens to events would keep the server from ending
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(patience) // a request that takes longer is cut
		_ = server.Close()
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the pages: %w", err)
	}
	return nil
}

// Handler answers all requests. Host is checked against the listener that Link was handed.
func (u *UI) Handler() http.Handler { return u.gate.guard(u.mux) }

// Close closes all stores that were opened. A sync that is under way is stopped.
func (u *UI) Close() error {
	u.end()
	return u.desks.close()
}

// speakFirst chooses the language of the pages before signing in.
func (u *UI) speakFirst(language string) { u.spoken.Store(&language) }

// secret is 128 random bits as text.
func (u *UI) secret() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(u.Entropy, b); err != nil {
		return "", fmt.Errorf("making a secret: %w", err)
	}
	return fmt.Sprintf("%x", b), nil
}

// load reads what is embedded.
func (u *UI) load() error {
	layout, err := template.New("layout.html").Funcs(functions).ParseFS(embedded, "pages/layout.html", "pages/parts.html")
	if err != nil {
		return fmt.Errorf("the pages' layout: %w", err)
	}
	names, err := fs.Glob(embedded, "pages/*.html")
	if err != nil {
		return fmt.Errorf("the pages: %w", err)
	}
	for _, name := range names {
		base := path.Base(name)
		if base == "layout.html" || base == "parts.html" {
			continue
		}
		one, err := layout.Clone()
		if err == nil {
			one, err = one.ParseFS(embedded, name)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		u.templates[strings.TrimSuffix(base, ".html")] = one
	}
	return u.loadAssets()
}
