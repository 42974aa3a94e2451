package syncing

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// What waits for the writer is counted, a commit says how long it waited, and its span stands in the trace of the first that is
// recorded, with links to the others.
func TestWhatWaitsForTheWriterIsMeasured(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")
	l := &ledger{opened: make(chan struct{}), proceed: make(chan struct{})}
	w := newWriter(t, l)
	var commits []Commit
	w.observe = func(c Commit) { commits = append(commits, c) }
	first := make(chan error, 1)
	go func() { first <- w.do(t.Context(), mark(0)) }()
	<-l.opened
	ctx, one := tracer.Start(t.Context(), "one")
	other, two := tracer.Start(t.Context(), "two")
	jobs := []job{newJob(t.Context(), mark(1)), newJob(ctx, mark(2)), newJob(other, mark(3))}
	for _, j := range jobs {
		w.jobs <- j
	}
	if n := w.queue(); n != len(jobs) {
		t.Errorf("%d wait, not %d", n, len(jobs))
	}
	l.proceed <- struct{}{}
	<-l.opened
	l.proceed <- struct{}{}
	for _, j := range jobs {
		if err := <-j.done; err != nil {
			t.Error(err)
		}
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
	if len(commits) != 2 || commits[1].Jobs != 3 || commits[1].Waited <= 0 || w.queue() != 0 {
		t.Errorf("%+v, %d wait", commits, w.queue())
	}
	spans := recorder.Ended()
	if len(spans) != 1 || spans[0].Name() != "commit" || spans[0].Parent().SpanID() != one.SpanContext().SpanID() ||
		len(spans[0].Links()) != 1 || spans[0].Links()[0].SpanContext.SpanID() != two.SpanContext().SpanID() {
		t.Errorf("%+v", spans)
	}
}

// Where nobody records, a job is written in no span, and who waits for it pays nothing for that.
func TestNothingIsRecordedUnlessAskedFor(t *testing.T) {
	w := newWriter(t, &ledger{})
	var seen context.Context
	w.store = writing(func(ctx context.Context) { seen = ctx })
	if err := w.do(t.Context(), mark(1)); err != nil || seen != context.Background() {
		t.Errorf("%v, %v", seen, err)
	}
}

// writing is a store that only tells with which context it was to write.
type writing func(context.Context)

func (writing) Read(context.Context, func(Reading) error) error { return nil }
func (writing) Purge(context.Context) error                     { return nil }
func (writing) Durable() error                                  { return nil }
func (w writing) Write(ctx context.Context, fn func(Writing) error) error {
	w(ctx)
	return fn(&page{})
}
