package webui

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"levee/server/internal/access"
	"levee/server/internal/live"
	"levee/syncproto/hlc"
)

const pathEvents = pathIn + "/events"

func eventsRoutes(r *router) { r.page(pathEvents, access.SeeTotals, (*visit).events) }

// liveness is what keeps an open page up to date: the script listens at Events, and asks for the page at Reload again when
// something has changed, of which it takes the parts marked data-live.
type liveness struct {
	Events, Reload string
	// State is the number of the state that the page shows.
	State uint64
	// Updated is the time of day when the page was made.
	Updated string
}

// liveness is for pages that are looked at: what a form was answered with stays.
func (v *visit) liveness() *liveness {
	if v.posted() || !v.may(access.SeeTotals, access.Everyone) {
		return nil
	}
	reload := v.Request().URL.Query()
	reload.Del("done")
	at := v.Request().URL.Path
	if len(reload) > 0 {
		at += "?" + reload.Encode()
	}
	return &liveness{Events: to(v.within.Syncing.Deployment(), "events") + "?since=" + strconv.FormatUint(v.known, 10), Reload: at, State: v.known,
		Updated: v.T("updated", v.Wall().In(v.zone).Format("15:04:05"))}
}

// renews reports whether it is not a person who asks, but an open page of theirs, for its parts anew.
func (v *visit) renews() bool { return v.Request().Header.Get("HX-Request") == "true" }

// frame is what stands around a page, for one that reads records: nobody read them again because something changed
// elsewhere, and the audit log must not say so. What the page itself shows stays until it is loaded by hand.
func (v *visit) frame() error { return v.show("frame", &page{Title: v.T("brand"), Still: true}) }

// reads is a page that reads records, and is not read again by itself.
func reads(page func(*visit) error) func(*visit) error {
	return func(v *visit) error {
		if v.renews() && !v.posted() {
			return v.frame()
		}
		return page(v)
	}
}

// tellTime is how long a browser may take to hear of an event.
const tellTime = 30 * time.Second

// events tells an open page whenever its deployment has changed, until the page goes (server-sent events). What has changed
// it does not say.
func (v *visit) events() error {
	since, err := strconv.ParseUint(v.QueryParam("since"), 10, 64)
	if last := v.Request().Header.Get("Last-Event-ID"); last != "" { // it comes again after it was cut off
		since, err = strconv.ParseUint(last, 10, 64)
	}
	if err != nil {
		since = 0 // no state has that number
	}
	id := v.within.Syncing.Deployment()
	watch, err := v.Live.Watch(id, v.session.ID, since)
	if err != nil {
		return err
	}
	defer watch.Stop()
	s := v.stream()
	if s.tell("retry: 2000\n\n") != nil {
		return nil // the browser has gone; so below
	}
	for {
		event := watch.Next(v.context())
		if event == live.Ended {
			return nil
		}
		if event == live.Replaced || v.stillMay(id) != nil {
			_ = s.tell("event: over\ndata:\n\n") // it need not be heard
			return nil
		}
		said := ": still here\n\n"
		if event == live.Changed {
			state := v.Live.State(id)
			said = fmt.Sprintf("id: %d\nevent: changed\ndata: %d\n\n", state, state)
		}
		if s.tell(said) != nil {
			return nil
		}
	}
}

// stillMay is the problem of who has lost meanwhile what the route asks for: their session, their part in the deployment.
func (v *visit) stillMay(deployment hlc.ID) error {
	session, err := v.Accounts.Stands(v.context(), *v.session)
	if err != nil {
		return err
	}
	d, err := v.Deployments.Enter(v.context(), deployment)
	if err != nil {
		return err
	}
	v.session, v.within = &session, d
	v.person = v.personIn(d)
	return v.must(v.route.rule, access.Everyone)
}

// stream is an answer that goes on.
type stream struct {
	to      http.ResponseWriter
	control *http.ResponseController
}

// stream begins an answer of server-sent events.
func (v *visit) stream() stream {
	s := stream{v.Response(), http.NewResponseController(v.Response())}
	_ = s.control.SetReadDeadline(time.Time{}) // the server's limits are for requests that end; without them nothing is lost
	h := v.Response().Header()
	h.Set(echo.HeaderContentType, "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // or nginx would keep it all back
	v.Response().WriteHeader(http.StatusOK)
	return s
}

// tell writes some lines. The error says that nobody hears them.
func (s stream) tell(lines string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(tellTime)) // as above
	if _, err := strings.NewReader(lines).WriteTo(s.to); err != nil {
		return err
	}
	return s.control.Flush()
}
