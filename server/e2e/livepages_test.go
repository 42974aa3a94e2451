package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
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

// stateShown is the number of the state that the page shows.
const stateShown = `document.getElementById('updated').dataset.state`

// showsAfter waits until the page shows another state than it did before.
func (d *desk) showsAfter(before string) {
	d.t.Helper()
	d.until("the sync to show", func(ctx context.Context, t *chromedp.Target) error {
		if state, err := chromedp.Evaluate[string](stateShown)(ctx, t); err != nil || state == before {
			return errors.Join(errors.New("it does not"), err)
		}
		return nil
	})
}

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
		d.showsAfter(before)
		fastest = min(fastest, time.Since(synced))
	}
	d.live("a sync", fastest)
	d.sees("e2e") // what the tablet said of its version
	if !eval[bool](d.browser, `window.stayed && document.getElementById('menu').open && document.getElementById('not-live').hidden`) {
		t.Error("the page was loaded anew, or is not live")
	}
}

// What somebody presses stays where it is until they let go, whatever comes meanwhile: the press meets it. What came is shown then.
func TestAPressIsNotLostToASync(t *testing.T) {
	d := openDesk(t)
	d.open(d.deployment)
	at, _ := d.syncsUnder("contacts", "How it is counted")
	d.loads("letting go of a link", func(ctx context.Context) (*network.Response, error) {
		return chromedp.RunResponse(ctx, mouse(chromedp.MouseReleased, at))
	})
	if at := d.at().Path; !strings.HasSuffix(at, "/figures/contacts") {
		t.Errorf("the link led to %s", at)
	}

	d.open(d.deployment)
	at, before := d.syncsUnder("How it is counted", "contacts")
	if err := chromedp.Do(d.ctx, mouse(chromedp.MouseReleased, at)); err != nil {
		t.Fatal(err)
	}
	d.showsAfter(before)
}

// syncsUnder presses something, and has a tablet sync before it is let go, of which the page must show nothing yet. It returns where that is,
// and the state that the page shows.
func (d *desk) syncsUnder(name, within string) (at point, before string) {
	d.t.Helper()
	d.listens()
	eval[chromedp.Void](d.browser, `document.addEventListener('htmx:finally:request', () => { window.renewed = true })`)
	d.until(fmt.Sprintf("%q to press", name), func(ctx context.Context, t *chromedp.Target) error {
		node, err := find(ctx, t, tapped, name, within)
		if err != nil {
			return err
		}
		at, err = onNode[point](ctx, t, node, scrolledTo)
		return err
	})
	if err := chromedp.Do(d.ctx, mouse(chromedp.MousePressed, at)); err != nil {
		d.t.Fatal(err)
	}
	before = eval[string](d.browser, stateShown)
	visit(d.t, d.tablet, 3)
	syncNow(d.t, d.tablet)
	d.until("the page to ask for what has changed", func(ctx context.Context, t *chromedp.Target) error {
		if asked, err := chromedp.Evaluate[bool](`'renewed' in window`)(ctx, t); err != nil || !asked {
			return errors.Join(errors.New("it does not"), err)
		}
		return nil
	})
	if now := eval[string](d.browser, stateShown); now != before {
		d.t.Errorf("the page went from state %s to %s while something was pressed", before, now)
	}
	return at, before
}

// mouse presses the button of the mouse somewhere, or lets it go.
func mouse(does input.DispatchMouseEventType, at point) chromedp.Action[chromedp.Void] {
	return chromedp.MouseEvent(does, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1))
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
	if took := time.Since(began); d.server.err != nil || took > 9*time.Second { // running requests are given 10
		t.Errorf("stopping took %v: %v", took, d.server.err)
	}
	d.sees("This page no longer updates by itself.")
}
