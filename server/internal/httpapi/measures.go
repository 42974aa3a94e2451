package httpapi

import (
	"context"
	"errors"
	"log/slog"
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
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	syncv1 "levee/syncproto/levee/sync/v1"
)

// Measures are what /metrics shows. No label holds what a caller made up, nor who anybody is.
type Measures struct {
	registry *prometheus.Registry

	requests *prometheus.HistogramVec
	changes  *prometheus.CounterVec
	pulled   prometheus.Counter
	commits  prometheus.Histogram
	jobs     prometheus.Histogram
	messages *prometheus.CounterVec

	backupFailures prometheus.Counter
	newestBackup   atomic.Pointer[time.Time]
}

// NewMeasures registers all measures but those of the deployments, which New adds.
func NewMeasures() (*Measures, error) {
	m := &Measures{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "levee_http_request_seconds", Help: "How long requests took, by method, route and status.", Buckets: []float64{.005, .02, .1, .5, 2, 10, 60},
		}, []string{"method", "route", "status"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "levee_changes_total", Help: "Changes that entered the log: applied, known from another replica, erased (without a body), or held.",
		}, []string{"outcome"}),
		pulled:  prometheus.NewCounter(prometheus.CounterOpts{Name: "levee_records_pulled_total", Help: "Records that tablets were sent."}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "levee_commit_seconds", Help: "How long commits took.", Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3}}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "levee_alert_messages_total", Help: "Attempts to send a message about a risk alert, by channel and by what came of them: sent or failed.",
		}, []string{"channel", "outcome"}),
		jobs: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "levee_commit_batches", Help: "How many batches a commit carried.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64}}),
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.requests, m.changes, m.pulled, m.commits, m.jobs, m.messages,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		errs = append(errs, m.registry.Register(c))
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
	return errors.Join(m.registry.Register(m.backupFailures), m.registry.Register(age))
}

// BackedUp notes a verified backup of a time.
func (m *Measures) BackedUp(at time.Time) { m.newestBackup.Store(&at) }

// BackupFailed notes a backup that could not be made.
func (m *Measures) BackupFailed() { m.backupFailures.Inc() }

// Commit notes a commit: it is for syncing.Config.Observe.
func (m *Measures) Commit(c syncing.Commit) {
	m.commits.Observe(c.Took.Seconds())
	if c.Jobs > 0 {
		m.jobs.Observe(float64(c.Jobs))
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

// request is the middleware that measures requests, by the route as it was declared: a raw path could hold anything.
func (m *Measures) request(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ctx echo.Context) error {
		start := time.Now()
		if err := next(ctx); err != nil {
			ctx.Error(err) // answers, so that the status is known
		}
		route := ctx.Path()
		if route == "" {
			route = "none"
		}
		m.requests.WithLabelValues(methodLabel(ctx.Request().Method), route, strconv.Itoa(ctx.Response().Status)).Observe(time.Since(start).Seconds())
		return nil
	}
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

// standing measures where each deployment stands, at the moment when it is asked.
type standing struct {
	deployments *Deployments
	log         *slog.Logger
}

// scrapeTime is how long reading the deployments may take.
const scrapeTime = 5 * time.Second

// measure is one number of a deployment's completeness.
type measure struct {
	desc  *prometheus.Desc
	value func(progress.Completeness) float64
}

var standings = []measure{
	gauge("levee_devices", "Tablets that were let in.", func(c progress.Completeness) float64 { return float64(c.Enrolled) }),
	gauge("levee_devices_heard_from", "Tablets in use with a contact within a day.", func(c progress.Completeness) float64 { return float64(c.HeardFrom) }),
	gauge("levee_devices_with_backlog", "Tablets that said to hold unsent changes.", func(c progress.Completeness) float64 { return float64(c.WithBacklog) }),
	gauge("levee_outstanding_changes", "Changes that tablets said to hold still.", func(c progress.Completeness) float64 { return float64(c.Outstanding) }),
	gauge("levee_oldest_contact_seconds", "How long the most silent tablet in use has been silent.", func(c progress.Completeness) float64 {
		if c.OldestContact == 0 {
			return 0
		}
		return c.At.Sub(time.UnixMilli(c.OldestContact)).Seconds()
	}),
	gauge("levee_held_changes", "Changes that were received and not applied.", func(c progress.Completeness) float64 { return float64(c.Held) }),
	gauge("levee_open_conflicts", "Conflicts that nobody has settled.", func(c progress.Completeness) float64 { return float64(c.Conflicts) }),
	gauge("levee_log_position", "How long the change log is.", func(c progress.Completeness) float64 { return float64(c.Position) }),
}

func gauge(name, help string, value func(progress.Completeness) float64) measure {
	return measure{prometheus.NewDesc(name, help, []string{"deployment"}, nil), value}
}

var openAlerts = prometheus.NewDesc("levee_open_alerts", "Risk alerts that nobody has confirmed.", []string{"deployment"}, nil)

// Describe implements prometheus.Collector.
func (s *standing) Describe(descs chan<- *prometheus.Desc) {
	descs <- openAlerts
	for _, m := range standings {
		descs <- m.desc
	}
}

// Collect implements prometheus.Collector. A deployment that can't be read is missing, and the others are there.
func (s *standing) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	for _, d := range s.deployments.All() {
		metrics <- prometheus.MustNewConstMetric(openAlerts, prometheus.GaugeValue, float64(d.Alerting.Count()), d.Syncing.Deployment().String())
		c, err := d.Progress.Completeness(ctx, time.Time{})
		if err != nil {
			s.log.Error("measuring a deployment", "error", err)
			continue
		}
		for _, m := range standings {
			metrics <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, m.value(c), d.Syncing.Deployment().String())
		}
	}
}
