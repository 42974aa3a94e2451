package e2e

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"levee/clientlib"
)

// desk is a coordinator's browser at a real server, with a tablet that is enrolled there.
type desk struct {
	*browser
	server *served
	tablet *clientlib.Store
	// deployment is the address of its first page.
	deployment string
}

func openDesk(t *testing.T) *desk {
	t.Helper()
	b, p := serving(t, laptop, "en")
	d := &desk{browser: b, server: p, tablet: openTablet(t, filepath.Join(t.TempDir(), "a.db"), nil)}
	d.deployment, _, _ = strings.Cut(b.at().String(), "/codes/")
	if err := d.tablet.Enrol(context.Background(), eval[string](b, `Array.from(document.querySelectorAll('code'), c => c.textContent).find(c => c.startsWith('levee1.'))`)); err != nil {
		t.Fatal(err)
	}
	return d
}

// listens waits until the page is told of changes.
func (b *browser) listens() *browser {
	b.t.Helper()
	b.until("the page to listen", func(context.Context, *chromedp.Target) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, a := range b.answers[b.before:] {
			if strings.Contains(a.URL, "/events?") && a.Status == http.StatusOK {
				return nil
			}
		}
		return errors.New("it does not")
	})
	return b
}

// atOnce is how fast the fastest of several changes must show on an open page. On a machine with nothing else to do it is a fraction of
// the second that people are promised, which the log tells; where all other tests run as well, everything takes a multiple.
const atOnce = 5 * time.Second

// live checks that what changed showed by itself and at once.
func (b *browser) live(what string, fastest time.Duration) {
	b.t.Helper()
	b.t.Logf("%s shows after %v", what, fastest.Round(time.Millisecond))
	if fastest > atOnce {
		b.t.Errorf("%s shows after %v", what, fastest)
	}
}

const stateShown = `document.getElementById('updated').dataset.state`

// A sync shows on a page that is open, by itself and at once. The page is not loaded anew for it, and what its reader had
// opened stays open.
func TestASyncShowsOnAnOpenPage(t *testing.T) {
	d := openDesk(t)
	d.open(d.deployment + "/tablets").sees("李娜")
	d.listens()
	eval[bool](d.browser, `document.getElementById('menu').open = window.stayed = true`)
	fastest := time.Hour
	for range 3 { // the machine may be busy with something else once
		visit(t, d.tablet, 3)
		before := eval[string](d.browser, stateShown)
		syncNow(t, d.tablet)
		synced := time.Now()
		d.until("the sync to show", func(ctx context.Context, at *chromedp.Target) error {
			if state, err := chromedp.Evaluate[string](stateShown)(ctx, at); err != nil || state == before {
				return errors.Join(errors.New("it does not"), err)
			}
			return nil
		})
		fastest = min(fastest, time.Since(synced))
	}
	d.live("a sync", fastest)
	d.sees("e2e") // what the tablet said of its version
	if !eval[bool](d.browser, `window.stayed && document.getElementById('menu').open && document.getElementById('not-live').hidden`) {
		t.Error("the page was loaded anew, or is not live")
	}
}

// Pages that listen do not keep a server from stopping, and say that they stay as they are now.
func TestAServerStopsAtOnceWithPagesOpen(t *testing.T) {
	d := openDesk(t)
	d.open(d.deployment + "/tablets")
	d.listens()
	began := time.Now()
	if err := d.server.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.server.ended
	if took := time.Since(began); d.server.err != nil || took > 5*time.Second { // half of what running requests are given
		t.Errorf("stopping took %v: %v", took, d.server.err)
	}
	d.sees("This page no longer updates by itself.")
}
