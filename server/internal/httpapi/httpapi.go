// Package httpapi is the server's surface: routes, decoding, calls, and the mapping of errors. Nothing is decided here.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// Config is what the surface needs.
type Config struct {
	// Deployments are those that this server serves.
	Deployments map[hlc.ID]*Deployment
	// Ready reports why the server can't serve now; nil when it can.
	Ready func(context.Context) error
	// APIToken is the SHA-256 of the token that lets a program read the JSON API.
	APIToken [32]byte
	Wall     func() time.Time
	Log      *slog.Logger
	Measures *Measures
}

// Deployment is one deployment behind the surface.
type Deployment struct {
	Syncing  *syncing.Service
	Progress *progress.Service
}

// New is the handler of all routes.
func New(c Config) (http.Handler, error) {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = func(err error, ctx echo.Context) { c.answerError(err, ctx) }
	if err := c.Measures.registry.Register(&standing{slices.Collect(maps.Values(c.Deployments)), c.Log}); err != nil {
		return nil, err
	}
	e.Use(c.Measures.request, c.recoverPanic) // a panic is measured as what it is answered with
	c.mountSync(e)
	if err := c.mountAPI(e); err != nil {
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
	e.GET("/metrics", echo.WrapHandler(c.Measures.handler()))
	return e, nil
}

// answerError is how every error that a route returns reaches the caller of a plain route: as its problem, or as an
// incident whose cause only the log has.
func (c *Config) answerError(err error, ctx echo.Context) {
	if ctx.Response().Committed {
		return
	}
	_ = writeProblem(ctx.Response(), c.toProblem(err), ctx.Request().Header.Get("Accept-Language")) // the caller is gone if this fails
}

// toProblem is what a caller may know of an error.
func (c *Config) toProblem(err error) *problem.Problem {
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
