package httpapi

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"levee/server/internal/alerting"
	"levee/server/internal/syncing"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// Measures are what /metrics shows. No label holds what a caller made up, nor who anybody is.
type Measures struct {
	registry *prometheus.Registry

	requests   *prometheus.HistogramVec
	refusals   *prometheus.CounterVec
	syncs      *prometheus.HistogramVec
	enrolments *prometheus.CounterVec
	received   prometheus.Counter
	answered   prometheus.Counter
	changes    *prometheus.CounterVec
	pulled     prometheus.Counter
	commits    prometheus.Histogram
	waits      prometheus.Histogram
	jobs       prometheus.Histogram
	grown      prometheus.Histogram
	database   *prometheus.HistogramVec
	messages   *prometheus.CounterVec

	backupFailures prometheus.Counter
	backupSeconds  prometheus.Histogram
	backupBytes    prometheus.Gauge
	newestBackup   atomic.Pointer[time.Time]
}

// What became of a request of a tablet.
const (
	syncOK = "ok"
	// syncRefused: it lay with the tablet, or whoever sent it.
	syncRefused = "refused"
	// syncFailed: it lay with the server, and the tablet tries again.
	syncFailed = "failed"
)

// NewMeasures registers all measures but those of the deployments, which New adds.
func NewMeasures() (*Measures, error) {
	m := &Measures{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "levee_http_request_seconds", Help: "How long requests took, by method, route and status.", Buckets: []float64{.005, .02, .1, .5, 2, 10, 60},
		}, []string{"method", "route", "status"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "levee_refusals_total", Help: "Requests that were answered with a problem, by its code: those of tablets, of the JSON API and of pages.",
		}, []string{"code"}),
		syncs: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "levee_sync_seconds", Help: "How long the server worked on syncs, the time on the line left out, by outcome: ok, refused (it lay with the caller) or failed (with the server).",
			Buckets: []float64{.003, .01, .03, .1, .3, 1, 3, 10, 30},
		}, []string{"outcome"}),
		enrolments: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "levee_enrolments_total", Help: "Tablets that asked to be let in, by outcome, as of syncs."}, []string{"outcome"}),
		received:   prometheus.NewCounter(prometheus.CounterOpts{Name: "levee_sync_received_bytes_total", Help: "Bodies of tablets' requests, as they came over the line."}),
		answered:   prometheus.NewCounter(prometheus.CounterOpts{Name: "levee_sync_sent_bytes_total", Help: "Bodies of answers to tablets, as they went over the line."}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "levee_changes_total", Help: "Changes that entered the log: applied, known from another replica, erased (without a body), or held.",
		}, []string{"outcome"}),
		pulled:  prometheus.NewCounter(prometheus.CounterOpts{Name: "levee_records_pulled_total", Help: "Records that tablets were sent."}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "levee_commit_seconds", Help: "How long commits took.", Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3}}),
		waits:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "levee_commit_wait_seconds", Help: "How long the first batch of a commit had waited for the writer.", Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10}}),
		grown:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "levee_commit_positions", Help: "By how many positions a commit made the log longer.", Buckets: []float64{0, 1, 4, 16, 64, 256, 1024, 4096, 16384}}),
		database: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "levee_database_seconds", Help: "Where the time of database transactions went: to wait for a turn, to work, to commit, and until the disk had it; those that read and those that write.",
			Buckets: []float64{.0001, .0003, .001, .003, .01, .03, .1, .3, 1, 3},
		}, []string{"transaction", "part"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "levee_alert_messages_total", Help: "Attempts to send a message about a risk alert, by channel and by what came of them: sent or failed.",
		}, []string{"channel", "outcome"}),
		jobs: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "levee_commit_batches", Help: "How many batches a commit carried.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64}}),
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.requests, m.refusals, m.syncs, m.enrolments, m.received, m.answered, m.changes, m.pulled,
		m.commits, m.waits, m.jobs, m.grown, m.database, m.messages,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		errs = append(errs, m.registry.Register(c))
	}
	// What an operator is to be woken by is there from the beginning: a first failure is to be seen as one more.
	for _, outcome := range []string{syncOK, syncRefused, syncFailed} {
		m.syncs.WithLabelValues(outcome)
		m.enrolments.WithLabelValues(outcome)
	}
	for _, code := range []problem.Code{problem.Internal, problem.StorageFull, problem.Busy, problem.Unavailable} {
		m.refusals.WithLabelValues(string(code))
	}
	return m, errors.Join(errs...)
}

// WatchBackups adds what tells whether backups are made, by the server's clock.
func (m *Measures) WatchBackups(wall func() time.Time) error {
	m.backupFailures = prometheus.NewCounter(prometheus.CounterOpts{Name: "levee_backup_failures_total", Help: "Backups that could not be made."})
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "levee_backup_age_seconds", Help: "How old the newest verified backup is; infinite while there is none.",
	}, func() float64 {
		newest := m.newestBackup.Load()
		if newest == nil {
			return math.Inf(1)
		}
		return wall().Sub(*newest).Seconds()
	})
	m.backupSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "levee_backup_seconds", Help: "How long backups took that were made and verified.", Buckets: []float64{.1, .3, 1, 3, 10, 30, 100, 300, 1000}})
	m.backupBytes = prometheus.NewGauge(prometheus.GaugeOpts{Name: "levee_backup_bytes", Help: "How large the backup is that was made last."})
	return errors.Join(m.registry.Register(m.backupFailures), m.registry.Register(age), m.registry.Register(m.backupSeconds), m.registry.Register(m.backupBytes))
}

// watchTurns adds how the requests of tablets stand in line.
func (m *Measures) watchTurns(t *turns) error {
	sentAway := prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "levee_sync_sent_away_total", Help: "Requests of tablets that were told to come later, since the server had too much to do."}, func() float64 {
		_, _, sentAway := t.counts()
		return float64(sentAway)
	})
	return errors.Join(
		m.Gauge("levee_sync_waiting", "Requests of tablets that wait for their turn.", func() float64 {
			waiting, _, _ := t.counts()
			return float64(waiting)
		}),
		m.Gauge("levee_sync_working", "Requests of tablets that are worked on.", func() float64 {
			_, working, _ := t.counts()
			return float64(working)
		}),
		m.registry.Register(sentAway))
}

// Gauge adds a measure that is asked for its value at each scrape, which costs it next to nothing.
func (m *Measures) Gauge(name, help string, value func() float64) error {
	return m.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// BackupThere notes that there is a verified backup of a time.
func (m *Measures) BackupThere(at time.Time) { m.newestBackup.Store(&at) }

// BackedUp notes a verified backup of a time that was made now, and what it came to.
func (m *Measures) BackedUp(at time.Time, took time.Duration, bytes int64) {
	m.BackupThere(at)
	m.backupSeconds.Observe(took.Seconds())
	m.backupBytes.Set(float64(bytes))
}

// BackupFailed notes a backup that could not be made.
func (m *Measures) BackupFailed() { m.backupFailures.Inc() }

// Commit notes a commit: it is for syncing.Config.Observe.
func (m *Measures) Commit(c syncing.Commit) {
	m.commits.Observe(c.Took.Seconds())
	if c.Jobs > 0 {
		m.jobs.Observe(float64(c.Jobs))
		m.waits.Observe(c.Waited.Seconds())
		m.grown.Observe(float64(len(c.Log)))
	}
	for _, e := range c.Log {
		switch {
		case e.Held():
			m.changes.WithLabelValues("held").Inc()
		case e.Outcome == syncing.Applied:
			m.changes.WithLabelValues("applied").Inc()
		case e.Outcome != syncing.NewAudience:
			m.changes.WithLabelValues(e.Outcome).Inc()
		}
	}
}

// Read notes a reading transaction of the database: how long it waited for its turn, and worked.
func (m *Measures) Read(waited, worked time.Duration) {
	m.database.WithLabelValues("read", "wait").Observe(waited.Seconds())
	m.database.WithLabelValues("read", "work").Observe(worked.Seconds())
}

// Wrote notes a writing one, and how long its commit took; 0 when it was undone.
func (m *Measures) Wrote(waited, worked, committed time.Duration) {
	m.database.WithLabelValues("write", "wait").Observe(waited.Seconds())
	m.database.WithLabelValues("write", "work").Observe(worked.Seconds())
	if committed > 0 {
		m.database.WithLabelValues("write", "commit").Observe(committed.Seconds())
	}
}

// Flushed notes how long the disk took for what was committed.
func (m *Measures) Flushed(took time.Duration) {
	m.database.WithLabelValues("write", "flush").Observe(took.Seconds())
}

// refused notes a request that was answered with a problem.
func (m *Measures) refused(p *problem.Problem) { m.refusals.WithLabelValues(string(p.Code)).Inc() }

// outcomeOf is what became of a request of a tablet that was answered with a code; with none, it was done.
func outcomeOf(code problem.Code) string {
	switch {
	case code == "":
		return syncOK
	case code == problem.Busy || problem.HTTPStatus(code) >= http.StatusInternalServerError:
		return syncFailed
	default:
		return syncRefused
	}
}

// AlertMessage notes an attempt to send a message about a risk alert: it is for alerting.Config.Tried.
func (m *Measures) AlertMessage(channel alerting.Channel, err error) {
	outcome := alerting.Sent
	if err != nil {
		outcome = alerting.Failed
	}
	m.messages.WithLabelValues(string(channel), string(outcome)).Inc()
}

// sent notes what a tablet is answered.
func (m *Measures) sent(r *syncv1.SyncResponse) { m.pulled.Add(float64(len(r.GetPage().GetRecords()))) }

// visit is a request of a tablet while it is worked on.
type visit struct {
	enrols bool
	// began is when it had been read.
	began time.Time
	// done: what became of it is noted.
	done bool
	// rest is to stand behind the answer; nil when that is whole.
	rest *wire.Shared
}

// end notes what became of a visit; code is that of the problem that it is answered with, "" with none. The first word holds.
func (m *Measures) end(v *visit, code problem.Code) {
	switch {
	case v.done:
	case v.enrols:
		m.enrolments.WithLabelValues(outcomeOf(code)).Inc()
	default:
		m.syncs.WithLabelValues(outcomeOf(code)).Observe(time.Since(v.began).Seconds())
	}
	v.done = true
}

// request is the middleware that measures requests, by the route as it was declared: a raw path could hold anything.
func (m *Measures) request(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ctx echo.Context) error {
		start := time.Now()
		if err := next(ctx); err != nil {
			ctx.Error(err) // answers, so that the status is known
		}
		m.requests.WithLabelValues(methodLabel(ctx.Request().Method), routeLabel(ctx), strconv.Itoa(ctx.Response().Status)).Observe(time.Since(start).Seconds())
		return nil
	}
}

func routeLabel(ctx echo.Context) string {
	if route := ctx.Path(); route != "" {
		return route
	}
	return "none"
}

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// handler answers with all measures.
func (m *Measures) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}
