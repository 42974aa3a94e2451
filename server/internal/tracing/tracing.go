// Package tracing makes spans of what the server does for a request, where the surface records one. What is below the surface
// finds it in its context, so that nothing has to be handed around, and where nothing is recorded a span costs a look there.
//
// A span's name and attributes hold routes, codes, counts and the ids of deployments: nothing of a person or a tablet.
package tracing

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"levee/syncproto/problem"
)

// Scope names this program's spans among those of others.
const Scope = "levee/server"

// Code is the attribute with the code of the problem that something ended with.
const Code = attribute.Key("levee.code")

var none trace.Span = noop.Span{}

// Start begins a span below the one of ctx, and gives a ctx with it.
func Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	above := trace.SpanFromContext(ctx)
	if !above.IsRecording() {
		return ctx, none
	}
	return above.TracerProvider().Tracer(Scope).Start(ctx, name, options...)
}

// Together begins a span for what is done once for several. It stands below the first of theirs that is recorded, and is linked
// to the others; its ctx ends with none of them.
func Together(theirs []trace.Span, name string) (context.Context, trace.Span) {
	ctx := context.Background()
	var links []trace.Link
	for _, span := range theirs {
		switch {
		case !span.IsRecording():
		case trace.SpanFromContext(ctx).IsRecording():
			links = append(links, trace.Link{SpanContext: span.SpanContext()})
		default:
			ctx = trace.ContextWithSpan(ctx, span)
		}
	}
	if links == nil {
		return Start(ctx, name)
	}
	return Start(ctx, name, trace.WithLinks(links...))
}

// End ends a span. Of an error it tells the code alone, and takes it for a failure when it lay with the server.
func End(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		code := problem.CodeOf(err)
		span.SetAttributes(Code.String(string(code)))
		if problem.HTTPStatus(code) >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, string(code))
		}
	}
	span.End()
}
