package httpapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
)

// Content policies: an answer of the API shows nothing; pages take everything from this server, and nothing inline.
const (
	contentOfAPI   = "default-src 'none'; frame-ancestors 'none'"
	contentOfPages = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

// hsts is how long browsers keep to TLS: a year.
const hsts = "max-age=31536000"

// requestID is the header with the number by which the log names a request.
const requestID = "X-Request-Id"

// forTablets reports whether a request goes to the route of tablets, where every byte counts.
func forTablets(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/"+syncv1connect.SyncServiceName+"/")
}

// protect gives answers a number and the headers that keep browsers from doing what nobody means, and refuses what
// another site's page has a browser send.
func (c *Config) protect(next echo.HandlerFunc) echo.HandlerFunc {
	crossOrigin := http.NewCrossOriginProtection()
	return func(ctx echo.Context) error {
		r := ctx.Request()
		if forTablets(r) {
			return next(ctx)
		}
		h := ctx.Response().Header()
		h.Set(requestID, uuid.NewString())
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer browsers hide their origin from this server too
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Content-Security-Policy", contentOfPages)
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Content-Security-Policy", contentOfAPI)
		}
		if c.origin.secure(r) {
			h.Set("Strict-Transport-Security", hsts)
		}
		if err := crossOrigin.Check(r); err != nil {
			return problem.New(problem.NotAllowed)
		}
		if r.URL.Path != "/healthz" { // which costs nothing, and is asked by those who watch the server
			if err := c.byAddress.take(c.Wall(), c.origin.network(r)); err != nil {
				return err
			}
		}
		return next(ctx)
	}
}

// tell logs a request: by its route, which holds no names, and without where it came from.
func (c *Config) tell(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ctx echo.Context) error {
		began := time.Now()
		if err := next(ctx); err != nil {
			ctx.Error(err)
		}
		response := ctx.Response()
		route := ctx.Path()
		if route == "" || response.Status == http.StatusNotFound && strings.HasSuffix(route, "*") {
			route = "none"
		}
		attributes := []any{"method", ctx.Request().Method, "route", route, "status", response.Status, "took", time.Since(began).Round(time.Millisecond), "bytes", response.Size}
		if id := response.Header().Get(requestID); id != "" {
			attributes = append(attributes, "request", id)
		}
		c.Log.Info("request", attributes...)
		return nil
	}
}

// onDisk has an answer wait until the disk has all that it may show, so that nobody saves a certificate that a power cut takes away. A disk
// that has failed takes nothing more, and what is there is shown all the same. Tablets are answered with more care: see syncing.Service.
func (c *Config) onDisk(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ctx echo.Context) error {
		if !strings.HasPrefix(ctx.Request().URL.Path, "/"+syncv1connect.SyncServiceName+"/") {
			ctx.Response().Before(func() { _ = c.Durable() })
		}
		return next(ctx)
	}
}

// readOnly refuses every deed where there are none: all but to look, to search, which is sent as a form, and to sign out.
func (c *Config) readOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ctx echo.Context) error {
		r := ctx.Request()
		looks := r.Method == http.MethodGet || r.Method == http.MethodHead || strings.HasSuffix(r.URL.Path, "/search") || r.URL.Path == "/sign-out"
		if c.ReadOnly && !looks {
			return problem.New(problem.ReadOnly)
		}
		return next(ctx)
	}
}
