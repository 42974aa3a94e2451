package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// span records a request, by its route. What a caller says of a trace that it is in is passed over: anybody could have
// everything recorded by that.
func (c *Config) span(next echo.HandlerFunc) echo.HandlerFunc {
	if c.Tracer == nil {
		return next
	}
	return func(ctx echo.Context) error {
		r := ctx.Request()
		method, route := methodLabel(r.Method), routeLabel(ctx)
		within, span := c.Tracer.Start(r.Context(), method+" "+route, trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route)))
		defer span.End()
		ctx.SetRequest(r.WithContext(within))
		if err := next(ctx); err != nil {
			ctx.Error(err) // answers, so that the status is known
		}
		status := ctx.Response().Status
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		return nil
	}
}
