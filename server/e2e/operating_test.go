package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/server"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
)

// What a real server measures of real syncs, of those that it refused too.
func TestRealSyncsAreMeasured(t *testing.T) {
	c := newCamp(t, func(config *server.Config) {
		config.Backups = server.Backups{Dir: filepath.Join(t.TempDir(), "backups")}
	})
	anna := c.tablets[0]
	for range 3 {
		visit(t, anna, 2)
	}
	names := []string{`levee_sync_seconds_count{outcome="ok"}`, `levee_changes_total{outcome="applied"}`, "levee_sync_received_bytes_total", "levee_sync_sent_bytes_total",
		"levee_commit_wait_seconds_count", "levee_commit_positions_sum", "levee_commit_batches_sum", `levee_database_seconds_count{part="commit",transaction="write"}`,
		`levee_database_seconds_count{part="work",transaction="read"}`, `levee_database_seconds_sum{part="work",transaction="write"}`}
	c.syncAll()
	before := map[string]float64{}
	for _, name := range names {
		before[name] = c.measure(name)
	}
	for range 2 {
		visit(t, anna, 2)
	}
	syncNow(t, anna)
	by := func(name string) float64 { return c.measure(name) - before[name] }
	if n := by(names[0]); n < 1 || n > 5 {
		t.Errorf("%v syncs", n)
	}
	if n := by(names[1]); n != 2 {
		t.Errorf("%v changes", n)
	}
	for _, name := range names[2:] {
		if by(name) <= 0 {
			t.Errorf("%s has not grown", name)
		}
	}
	if sent := by("levee_sync_received_bytes_total"); sent > 10_000 {
		t.Errorf("two changes took %v bytes", sent)
	}
	if n := c.measure(`levee_enrolments_total{outcome="ok"}`); n != 5 {
		t.Errorf("%v enrolments", n)
	}

	stranger := openTablet(t, filepath.Join(t.TempDir(), "x.db"), nil)
	if err := stranger.Enrol(c.ctx, c.server.Made.Enrolments[0].Code); clientlib.Code(err) != string(problem.EnrolmentCodeUsed) {
		t.Fatalf("a used code: %v", err)
	}
	response, err := http.Post("http://"+c.addr+syncv1connect.SyncServiceSyncProcedure, "application/proto", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	c.ask("/api/records?figure=nothing")
	for name, want := range map[string]float64{
		`levee_sync_seconds_count{outcome="refused"}`: 1, `levee_refusals_total{code="unauthenticated"}`: 1,
		`levee_enrolments_total{outcome="refused"}`: 1, `levee_refusals_total{code="enrolment_code_used"}`: 1,
		`levee_refusals_total{code="invalid_argument"}`: 1,
		"levee_backup_seconds_count":                    1, "levee_backup_failures_total": 0, "levee_live_pages": 0, "levee_journal_entries": 5,
	} {
		if got := c.measure(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"levee_backup_bytes", "levee_journal_bytes"} {
		if c.measure(name) <= 0 {
			t.Errorf("%s is nothing", name)
		}
	}
	if err := c.server.SortedIn(c.ctx); err != nil {
		t.Fatal(err)
	}
	_, body := c.ask("/metrics")
	of := regexp.MustCompile(`levee_devices(\{deployment="[0-9a-f-]{36}"\})`).FindStringSubmatch(body)[1]
	for name, want := range map[string]float64{"levee_unindexed_positions": 0, "levee_queued_batches": 0, "levee_deployment_open": 1, "levee_devices_unheard": 0, "levee_devices": 5} {
		c.await(fmt.Sprintf("%s %v", name, want), func() bool { return c.measure(name+of) == want }) // a slow reading is kept for a while
	}
}

// spanPath is a span with those above it.
func spanPath(span sdktrace.ReadOnlySpan, all map[string]sdktrace.ReadOnlySpan) string {
	if above, ok := all[span.Parent().SpanID().String()]; ok {
		return spanPath(above, all) + " > " + span.Name()
	}
	return span.Name()
}

// A sync can be followed from its request down to the commit, and a trace holds nothing of a person or a tablet.
func TestASyncIsTraced(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	traces := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	c := newCamp(t, func(config *server.Config) { config.Traces = traces })
	anna := c.tablets[0]
	for range 3 {
		visit(t, anna, 2)
	}
	recorder.Reset()
	c.syncAll()
	c.ask("/api/records?figure=nothing&secret-of-a-caller=1")
	c.ask("/secret-of-a-caller")
	c.down()

	all := map[string]sdktrace.ReadOnlySpan{}
	for _, span := range recorder.Ended() {
		all[span.SpanContext().SpanID().String()] = span
	}
	var paths []string
	told := map[string]bool{}
	for _, span := range recorder.Ended() {
		paths = append(paths, spanPath(span, all))
		for _, a := range span.Attributes() {
			told[string(a.Key)+"="+a.Value.String()] = true
		}
		if len(span.Events()) != 0 {
			t.Errorf("%s has events: %+v", span.Name(), span.Events())
		}
	}
	const route = "POST /levee.sync.v1.SyncService/*"
	for _, want := range []string{
		route, route + " > sync", route + " > sync > database read", route + " > sync > write", route + " > sync > write > commit", route + " > sync > write > commit > database write",
		"GET /api/records", "GET none",
	} {
		if !slices.Contains(paths, want) {
			t.Errorf("no %s in\n%s", want, strings.Join(slices.Compact(slices.Sorted(slices.Values(paths))), "\n"))
		}
	}
	allowed := regexp.MustCompile(`^(http\.request\.method=(GET|POST)|http\.route=(none|/api/records|/levee\.sync\.v1\.SyncService/\*)|http\.response\.status_code=\d{3}|` +
		`levee\.deployment=[0-9a-f-]{36}|levee\.(changes|given|held|records|batches|positions)=\d+|levee\.code=[a-z_]+)$`)
	for attribute := range told {
		if !allowed.MatchString(attribute) {
			t.Errorf("a trace tells %s", attribute)
		}
	}
	for _, want := range []string{"levee.changes=3", "levee.positions=3", "levee.batches=1", "http.response.status_code=200", "http.response.status_code=422", "http.response.status_code=404"} {
		if !told[want] {
			t.Errorf("no trace tells %s: %v", want, told)
		}
	}
}

// receiver takes traces as a collector does.
type receiver struct {
	mu    sync.Mutex
	names []string
	of    []string
	bad   []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(request.Body)
	var got collectorv1.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &got) != nil || request.URL.Path != "/v1/traces" || request.Header.Get("Content-Type") != "application/x-protobuf" {
		r.bad = append(r.bad, request.URL.Path+" "+string(body))
		return
	}
	for _, resource := range got.GetResourceSpans() {
		for _, a := range resource.GetResource().GetAttributes() {
			r.of = append(r.of, a.GetKey()+"="+a.GetValue().GetStringValue())
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.names = append(r.names, span.GetName())
				if span.GetStatus().GetCode() == tracev1.Status_STATUS_CODE_ERROR {
					r.bad = append(r.bad, span.String())
				}
			}
		}
	}
	answer, _ := proto.Marshal(&collectorv1.ExportTraceServiceResponse{})
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

// An operator runs a server as a service: it sends traces where the environment says, when asked to, and answers at its admin
// address.
func TestAServerIsOperated(t *testing.T) {
	collector := &receiver{}
	h := httptest.NewServer(collector)
	defer h.Close()
	for _, traced := range []bool{true, false} {
		dir, address, admin := t.TempDir(), freeAddress(t), freeAddress(t)
		env := []string{"LEVEE_LISTEN=" + address, "LEVEE_DB=" + filepath.Join(dir, "levee.db"), "LEVEE_ADMIN_ADDRESS=" + admin, "OTEL_EXPORTER_OTLP_ENDPOINT=" + h.URL,
			"OTEL_RESOURCE_ATTRIBUTES=deployment.environment=drill"}
		args := []string{"--name", "x", "--start", "2026-01-01", "--site", "王庄镇=410621108", "--team", "一队=王庄镇", "--worker", "李娜=一队"}
		if traced {
			args = append(args, "--traces")
		}
		p := up(t, env, args...)
		tablet := openTablet(t, filepath.Join(dir, "a.db"), nil)
		if err := tablet.Enrol(context.Background(), codePattern.FindString(p.said)); err != nil {
			t.Fatal(err)
		}
		visit(t, tablet, 2)
		syncNow(t, tablet)
		if out, err := exec.Command(program(t, "leveed"), "health", "--admin-address", admin).CombinedOutput(); err != nil || string(out) != "ok\n" {
			t.Errorf("health: %v\n%s", err, out)
		}
		for at, want := range map[string]string{
			"http://" + admin + "/metrics": `levee_sync_seconds_count{outcome="ok"}`, "http://" + admin + "/debug/pprof/goroutine?debug=1": "goroutine profile",
			"http://" + address + "/metrics": `levee_refusals_total{code="internal"} 0`, "http://" + address + "/debug/pprof/goroutine?debug=1": `"not_found"`,
		} {
			response, err := http.Get(at)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if !strings.Contains(string(body), want) {
				t.Errorf("%s: %.300s", at, body)
			}
		}
		p.terminate(t) // the last spans are sent
		if out, err := exec.Command(program(t, "leveed"), "health", "--admin-address", admin).CombinedOutput(); err == nil {
			t.Errorf("a server that has stopped is well: %s", out)
		}
		collector.mu.Lock()
		names := slices.Compact(slices.Sorted(slices.Values(collector.names)))
		if len(collector.bad) != 0 {
			t.Errorf("received: %v", collector.bad)
		}
		switch {
		case !traced && len(names) != 0:
			t.Errorf("sent, and nobody asked for it: %v", names)
		case traced:
			for _, want := range []string{"POST /levee.sync.v1.SyncService/*", "commit", "database read", "database write", "sync", "write"} {
				if !slices.Contains(names, want) {
					t.Errorf("no %s in %v", want, names)
				}
			}
			for _, want := range []string{"service.name=leveed", "deployment.environment=drill"} {
				if !slices.Contains(collector.of, want) {
					t.Errorf("no %s in %v", want, collector.of)
				}
			}
		}
		collector.names = nil
		collector.mu.Unlock()
	}
}
