// Package httpapi is the server's surface: routes, decoding, calls, and the mapping of errors. Nothing is decided here.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/trace"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/export"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// Config is what the surface needs.
type Config struct {
	// Deployments are those that this server serves.
	Deployments *Deployments
	Accounts    *accounts.Service
	Audit       *audit.Log
	// Exports makes files of what a deployment holds.
	Exports *export.Desk
	// Ready reports why the server can't serve now; nil when it can.
	Ready func(context.Context) error
	// Durable returns once the disk has all that can be read by now.
	Durable func() error
	Wall    func() time.Time
	// Stopwatch is the machine's clock, by which measures that are dear to read are read more seldom; time.Now when nil.
	Stopwatch func() time.Time
	Log       *slog.Logger
	// TrustedProxies are the networks of proxies whose word on where a request comes from is taken.
	TrustedProxies []netip.Prefix
	// Limits are DefaultLimits when zero.
	Limits   Limits
	Measures *Measures
	// Tracer records requests; nil for none.
	Tracer trace.Tracer
	// ReadOnly: nothing is done but to look and to search, whoever asks.
	ReadOnly bool
	// Codes are what enrolment codes say.
	Codes Codes
	// Pages are what people see; nil for none.
	Pages Pages

	origin    origin
	byAddress *limiter[netip.Prefix]
	byDevice  *limiter[hlc.ID]
	atOnce    *gate[hlc.ID]
	turns     *turns
}

// Pages are the pages of a server.
type Pages interface {
	// Mount adds their routes. One of them shows the document of the JSON API.
	Mount(e *echo.Echo, document []byte) error
	// Answer shows what is wrong as a page.
	Answer(echo.Context, *problem.Problem) error
}

// New is the handler of all routes.
func New(c Config) (http.Handler, error) { return newRouter(&c) }

func newRouter(c *Config) (*echo.Echo, error) {
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits
	}
	if c.Stopwatch == nil {
		c.Stopwatch = time.Now
	}
	c.origin = origin{c.TrustedProxies}
	c.byAddress, c.byDevice, c.atOnce = newLimiter[netip.Prefix](c.Limits.Address), newLimiter[hlc.ID](c.Limits.Device), newGate[hlc.ID](c.Limits.AtOnce)
	c.turns = newTurns(c.Limits, c.Wall)
	e := echo.New()
	e.IPExtractor = func(r *http.Request) string { return c.origin.address(r).String() }
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = func(err error, ctx echo.Context) { c.answerError(err, ctx) }
	if err := errors.Join(c.Measures.watchTurns(c.turns), c.Measures.registry.Register(&standing{deployments: c.Deployments, log: c.Log, now: c.Stopwatch})); err != nil {
		return nil, err
	}
	e.Use(c.span, c.tell, c.Measures.request, c.recoverPanic, c.protect, c.readOnly, c.onDisk) // a panic is measured as what it is answered with
	c.mountSync(e)
	document, err := c.mountAPI(e)
	if err != nil {
		return nil, err
	}
	e.GET("/healthz", func(ctx echo.Context) error { return ctx.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", func(ctx echo.Context) error {
		if err := c.Ready(ctx.Request().Context()); err != nil {
			c.Log.Error("not ready", "error", err)
			return problem.New(problem.Unavailable)
		}
		return ctx.String(http.StatusOK, "ok\n")
	})
	// Programs on the server's own machine measure it; for others there is nothing here.
	e.GET("/metrics", func(ctx echo.Context) error {
		if !c.origin.local(ctx.Request()) {
			return problem.New(problem.NotFound)
		}
		return echo.WrapHandler(c.Measures.handler())(ctx)
	})
	if c.Pages != nil {
		if err := c.Pages.Mount(e, document); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// answerError is how every error that a route returns reaches the caller of a plain route: as its problem, or as an
// incident whose cause only the log has.
func (c *Config) answerError(err error, ctx echo.Context) {
	if ctx.Response().Committed {
		return
	}
	p := c.toProblem(err)
	if c.Pages != nil && wantsPage(ctx.Request()) {
		shown := c.Pages.Answer(ctx, p)
		if shown == nil {
			return
		}
		c.Log.Error("answering with a page", "error", shown)
	}
	_ = writeProblem(ctx.Response(), p, ctx.Request().Header.Get("Accept-Language")) // the caller is gone if this fails
}

// wantsPage reports whether a person's browser asks for a page, and no program.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.HasPrefix(r.URL.Path, "/api/") && !forTablets(r)
}

// toProblem is what a caller is answered of an error, which counts as a refusal.
func (c *Config) toProblem(err error) *problem.Problem {
	p := c.known(err)
	c.Measures.refused(p)
	return p
}

// known is what a caller may know of an error.
func (c *Config) known(err error) *problem.Problem {
	var p *problem.Problem
	if errors.As(err, &p) && p.Code != problem.Internal {
		return p
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		switch he.Code {
		case http.StatusNotFound, http.StatusMethodNotAllowed:
			return problem.New(problem.NotFound)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return problem.New(problem.Busy)
	}
	incident := uuid.NewString()
	c.Log.Error("internal error", "incident", incident, "error", err)
	return &problem.Problem{Code: problem.Internal, Incident: incident}
}

func (c *Config) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ctx echo.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler { //nolint:errorlint // the sentinel that net/http compares itself
					panic(v)
				}
				err = panicked{v}
			}
		}()
		return next(ctx)
	}
}
