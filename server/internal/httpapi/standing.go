package httpapi

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"levee/server/internal/progress"
	"levee/syncproto/hlc"
)

// standing measures where each deployment stands.
type standing struct {
	deployments *Deployments
	log         *slog.Logger
	// now is the machine's clock, for how long a reading takes.
	now func() time.Time

	mu   sync.Mutex
	last map[hlc.ID]reading
}

// reading is what was read of a deployment, and until when it does.
type reading struct {
	of    stood
	until time.Time
}

// stood is where a deployment stood.
type stood struct {
	progress.Completeness
	// unindexed is how many positions of its log are not sorted in yet.
	unindexed uint64
}

const (
	// scrapeTime is how long reading the deployments may take.
	scrapeTime = 5 * time.Second
	// cheapReading is how long a reading may take to be made at every scrape. It goes by the number of tablets, not of records.
	cheapReading = 50 * time.Millisecond
	// dearFor is for how many times as long as it took a dearer one does, so that scrapes take a fiftieth of a reader at most.
	dearFor = 50
)

// measure is one number of where a deployment stands.
type measure struct {
	desc  *prometheus.Desc
	value func(stood) float64
}

var standings = []measure{
	gauge("levee_devices", "Tablets that were let in.", func(s stood) float64 { return float64(s.Enrolled) }),
	gauge("levee_devices_heard_from", "Tablets in use with a contact within a day.", func(s stood) float64 { return float64(s.HeardFrom) }),
	gauge("levee_devices_unheard", "Tablets in use without a contact for a day.", func(s stood) float64 { return float64(s.Enrolled - s.Revoked - s.HeardFrom) }),
	gauge("levee_devices_with_backlog", "Tablets that said to hold unsent changes.", func(s stood) float64 { return float64(s.WithBacklog) }),
	gauge("levee_outstanding_changes", "Changes that tablets said to hold still.", func(s stood) float64 { return float64(s.Outstanding) }),
	gauge("levee_oldest_contact_seconds", "How long the most silent tablet in use has been silent.", func(s stood) float64 {
		if s.OldestContact == 0 {
			return 0
		}
		return s.At.Sub(time.UnixMilli(s.OldestContact)).Seconds()
	}),
	gauge("levee_held_changes", "Changes that were received and not applied.", func(s stood) float64 { return float64(s.Held) }),
	gauge("levee_open_conflicts", "Conflicts that nobody has settled.", func(s stood) float64 { return float64(s.Conflicts) }),
	gauge("levee_log_position", "How long the change log is.", func(s stood) float64 { return float64(s.Position) }),
	gauge("levee_unindexed_positions", "Positions of the log that are not sorted in for the pages yet.", func(s stood) float64 { return float64(s.unindexed) }),
}

func gauge(name, help string, value func(stood) float64) measure {
	return measure{perDeployment(name, help), value}
}

func perDeployment(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"deployment"}, nil)
}

// What is in memory, and asked at every scrape.
var (
	openAlerts     = perDeployment("levee_open_alerts", "Risk alerts that nobody has confirmed.")
	deploymentOpen = perDeployment("levee_deployment_open", "1 until the deployment is closed, then 0: its tablets may be silent.")
	queuedJobs     = perDeployment("levee_queued_batches", "Batches and other jobs that wait for the writer.")
)

// Describe implements prometheus.Collector.
func (s *standing) Describe(descs chan<- *prometheus.Desc) {
	descs <- openAlerts
	descs <- deploymentOpen
	descs <- queuedJobs
	for _, m := range standings {
		descs <- m.desc
	}
}

// Collect implements prometheus.Collector. A deployment that can't be read is missing, and the others are there.
func (s *standing) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	for _, d := range s.deployments.All() {
		id := d.Syncing.Deployment().String()
		put := func(desc *prometheus.Desc, value float64) {
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, id)
		}
		put(openAlerts, float64(d.Alerting.Count()))
		put(queuedJobs, float64(d.Syncing.Queued()))
		open := 1.0
		if d.Syncing.SetUp().Closed() {
			open = 0
		}
		put(deploymentOpen, open)
		now, err := s.read(ctx, d)
		if err != nil {
			s.log.Error("measuring a deployment", "error", err)
			continue
		}
		for _, m := range standings {
			put(m.desc, m.value(now))
		}
	}
}

// read is where a deployment stands: as it was read before, while that does.
func (s *standing) read(ctx context.Context, d *Deployment) (now stood, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	began := s.now()
	if last, ok := s.last[d.Syncing.Deployment()]; ok && began.Before(last.until) {
		return last.of, nil
	}
	if now.Completeness, err = d.Progress.Completeness(ctx, time.Time{}); err != nil {
		return now, err
	}
	if now.unindexed, err = d.Indexing.Behind(ctx); err != nil {
		return now, err
	}
	if took := s.now().Sub(began); took > cheapReading {
		if s.last == nil {
			s.last = map[hlc.ID]reading{}
		}
		s.last[d.Syncing.Deployment()] = reading{now, began.Add(took * dearFor)}
	}
	return now, nil
}
