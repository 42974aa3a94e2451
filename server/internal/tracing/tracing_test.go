package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"levee/server/internal/tracing"
	"levee/syncproto/problem"
)

type someKey struct{}

func TestASpanOfNothingCostsNothing(t *testing.T) {
	ctx := context.WithValue(t.Context(), someKey{}, "something")
	failed := error(problem.New(problem.StorageFull))
	if n := testing.AllocsPerRun(100, func() {
		below, span := tracing.Start(ctx, "x")
		if below != ctx || span.IsRecording() {
			t.Error("something is recorded")
		}
		tracing.End(span, failed)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestASpanTellsTheCodeAndNothingElseOfAnError(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	ctx, above := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test").Start(t.Context(), "above")
	for _, c := range []struct {
		err    error
		code   string
		failed bool
	}{
		{nil, "", false},
		{fmt.Errorf("anna: %w", problem.Newf(problem.InvalidArgument, "anna")), "invalid_argument", false},
		{problem.New(problem.StorageFull), "storage_full", true},
		{errors.New("anna"), "internal", true},
	} {
		_, span := tracing.Start(ctx, "below")
		tracing.End(span, c.err)
		ended := recorder.Ended()
		got := ended[len(ended)-1]
		want := []attribute.KeyValue{tracing.Code.String(c.code)}
		if c.code == "" {
			want = nil
		}
		if got.Parent().SpanID() != above.SpanContext().SpanID() || fmt.Sprint(got.Attributes()) != fmt.Sprint(want) || len(got.Events()) != 0 ||
			(got.Status().Code == codes.Error) != c.failed || (c.failed && got.Status().Description != c.code) {
			t.Errorf("%v: %v, %v", c.err, got.Attributes(), got.Status())
		}
	}
}
