package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/server/internal/finalreport"
	"levee/server/internal/handover"
	"levee/server/internal/httpapi"
	"levee/server/internal/importing"
	"levee/server/internal/indexing"
	"levee/server/internal/journal"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/review"
	"levee/server/internal/rollup"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/wire"
)

// Made is what a first start made, to be shown once.
type Made struct {
	// Enrolments are a code for each worker.
	Enrolments []Enrolment
}

// Enrolment is the code with which a worker's tablet is let in.
type Enrolment struct {
	Worker string
	Team   string
	// Code is the whole of it, which is scanned or copied. Typed is typed by hand, beside Address.
	Code, Typed, Address string
}

// deploymentNamed is the deployment of an id; the only one there is when the id is empty.
func deploymentNamed(ctx context.Context, db *store.DB, id string) (hlc.ID, error) {
	all, err := db.Deployments(ctx)
	if err != nil {
		return hlc.ID{}, err
	}
	if len(all) == 0 {
		return hlc.ID{}, errNoDeployment
	}
	var names []string
	for _, d := range all {
		if names = append(names, d.String()); id == d.String() || id == "" && len(all) == 1 {
			return d, nil
		}
	}
	return hlc.ID{}, refuse(DeploymentUnclear, nil, strings.Join(names, "\n"))
}

// enrolmentLife is how long an enrolment code may be used.
const enrolmentLife = 14 * 24 * time.Hour

// NewDeployment makes a deployment and serves it. by is noted as its maker; where it counts the same people as another one, there
// too.
func (s *Server) NewDeployment(ctx context.Context, by audit.Actor, from *SetUp) (hlc.ID, error) {
	s.making.Lock()
	defer s.making.Unlock()
	d, err := s.setUp(ctx, from)
	if err != nil {
		return hlc.ID{}, err
	}
	id := d.Syncing.Deployment()
	s.deployments.Add(d)
	made := audit.Subject{Kind: audit.OfDeployment, ID: id}
	if from.SamePeople != (hlc.ID{}) {
		if err := s.audit.Write(ctx, audit.Entry{Deployment: from.SamePeople, Actor: by, Action: audit.DeploymentLinked, Subject: made}); err != nil {
			return id, err
		}
	}
	return id, s.audit.Write(ctx, audit.Entry{Deployment: id, Actor: by, Action: audit.DeploymentMade, Subject: made})
}

// start opens a deployment. It is served once it is added to the others.
func (s *Server) start(ctx context.Context, id hlc.ID) (*httpapi.Deployment, error) {
	var service *syncing.Service
	failed := func(err error) { s.config.Log.Error("in the background", "error", err) }
	index := indexing.New(indexing.Config{Store: s.db.Deployment(id), SetUp: func() *syncing.SetUp { return service.SetUp() }, Wall: s.config.Wall, Failed: failed,
		Busy:    func() bool { return service.Busy() },
		Indexed: func(uint64) { s.live.Publish(id) }})
	alerts := s.alerting(id, func() *syncing.SetUp { return service.SetUp() }, failed)
	service, err := syncing.Start(ctx, syncing.Config{Deployment: id, Store: s.db.Deployment(id), Keys: s.keys, Journal: s.journal.Deployment(id), Wall: s.config.Wall, After: s.config.After, Entropy: s.config.Entropy,
		Observe: func(c syncing.Commit) {
			s.committed(id, c, index)
			alerts.Observe(c)
		},
		Copies: s.config.Backups.Dir != "" || s.config.DurableOnStandby,
		Failed: failed})
	var behind *syncing.ClockBehindError
	if errors.As(err, &behind) {
		return nil, refuse(ClockBehind, nil, s.at, behind.Behind.Round(time.Second))
	}
	if errors.Is(err, journal.ErrDamaged) {
		return nil, refuse(JournalDamaged, err, s.config.Journal)
	}
	if err != nil {
		return nil, err
	}
	figures := progress.New(progress.Config{Store: s.db.Deployment(id), SetUp: service.SetUp, Wall: s.config.Wall})
	d := &httpapi.Deployment{Workbooks: s.db.Deployment(id), Syncing: service, Indexing: index, Alerting: alerts, Progress: figures,
		Reports:   report.New(report.Config{Deployment: id, Store: s.db.Deployment(id), Progress: figures}),
		Casefile:  casefile.New(casefile.Config{Deployment: id, Store: s.db.Deployment(id), SetUp: service.SetUp, Audit: s.audit}),
		Member:    &rollup.Member{Syncing: service, Progress: figures, Store: s.db.Deployment(id)},
		Importing: importing.New(importing.Config{Syncing: service, Store: s.db.Deployment(id), Audit: s.audit, Wall: s.config.Wall}),
		Review:    review.New(review.Config{Syncing: service, Store: s.db.Deployment(id), Audit: s.audit, Wall: s.config.Wall}),
		Final:     finalreport.New(finalreport.Config{Deployment: id, Store: s.db.Deployment(id), Progress: figures}),
		Handover:  handover.New(handover.Config{Deployment: id, Store: s.db.Deployment(id), SetUp: service.SetUp, Audit: s.audit, Wall: s.config.Wall}),
		Closeout: closeout.New(closeout.Config{Syncing: service, Store: s.db.Deployment(id), Progress: figures, Indexing: index, Audit: s.audit, Key: s.keys.Signing,
			Backups: s.config.Backups.Dir != "", Standby: s.config.DurableOnStandby, Wall: s.config.Wall, Changed: func() { s.live.Publish(id) }, Failed: failed})}
	if !s.begun {
		return d, nil
	}
	if err := d.Begin(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// committed notes a commit of a deployment. One without jobs notes contacts, which pages show as well.
func (s *Server) committed(deployment hlc.ID, c syncing.Commit, index *indexing.Service) {
	s.measures.Commit(c)
	if len(c.Log) > 0 {
		index.Notice()
	}
	s.live.Publish(deployment)
}

// enrolments makes a code for each worker of a deployment, in the order of the set-up.
func (s *Server) enrolments(ctx context.Context, id hlc.ID) ([]Enrolment, error) {
	var all []Enrolment
	service := s.deployments.Get(id).Syncing
	for _, worker := range service.SetUp().WorkerIDs() {
		e, err := s.newEnrolment(ctx, service, worker, hlc.ID{})
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

func (s *Server) newEnrolment(ctx context.Context, service *syncing.Service, worker, replaces hlc.ID) (Enrolment, error) {
	secret, err := service.NewEnrolmentCode(ctx, worker, replaces, enrolmentLife)
	if err != nil {
		return Enrolment{}, err
	}
	w := service.SetUp().Workers[worker]
	code := wire.EnrolmentCode{ServerURL: s.config.URL, Deployment: service.Deployment(), Worker: worker, Secret: secret, Pin: s.pin}
	e := Enrolment{Worker: w.GetName(), Code: code.String(), Typed: code.Typed(), Address: wire.TypedAddress(s.config.URL)}
	if len(w.GetTeam()) == len(hlc.ID{}) {
		e.Team = service.SetUp().Teams[hlc.ID(w.GetTeam())].GetName()
	}
	return e, nil
}

// NewEnrolment makes a code for the worker of a name, of whatever deployment this server serves. The tablet that replaces
// names, unless it is the zero id, is revoked when the code is used.
func (s *Server) NewEnrolment(ctx context.Context, name string, replaces hlc.ID) (Enrolment, error) {
	d, worker, err := s.findWorker(name)
	if err != nil {
		return Enrolment{}, err
	}
	return s.newEnrolment(ctx, d.Syncing, worker, replaces)
}

func (s *Server) findWorker(name string) (*httpapi.Deployment, hlc.ID, error) {
	for _, d := range s.deployments.All() {
		setUp := d.Syncing.SetUp()
		for _, id := range setUp.WorkerIDs() {
			if setUp.Workers[id].GetName() == name {
				return d, id, nil
			}
		}
	}
	return nil, hlc.ID{}, fmt.Errorf("there is no worker called %q", name)
}
