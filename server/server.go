// Package server is Levee's server: here, and only here, its parts are put together.
package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a server in a bare container has no zone database

	"levee/server/internal/accounts"
	"levee/server/internal/alerting"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/httpapi"
	"levee/server/internal/indexing"
	"levee/server/internal/journal"
	"levee/server/internal/live"
	"levee/server/internal/progress"
	"levee/server/internal/review"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/wire"
)

// Config says how a server runs.
type Config struct {
	// DB is the path of the SQLite file. It is made when it is not there.
	DB string
	// Keys is the path of the file with the server's secrets; DB with ".keys" when empty. Back it up apart from the
	// database.
	Keys string
	// Journal is the path of what must outlive a restore of the database; DB with ".journal" when empty. It is made when it
	// is not there. Back it up apart from the database.
	Journal string
	// SetUp is what the first deployment is made from when the database has none. Without it a server starts empty, and
	// deployments are made later.
	SetUp *SetUp
	// URL is where tablets reach this server: it stands in enrolment codes.
	URL string
	// TLS says how connections are encrypted.
	TLS TLS
	// Wall is the clock; the machine's when nil.
	Wall func() time.Time
	// After tells when a time has passed by the clock; time.After when nil. Backups go by the machine's alone.
	After func(time.Duration) <-chan time.Time
	// Entropy makes keys, ids and secrets; crypto/rand when nil.
	Entropy io.Reader
	Log     *slog.Logger
	// Backups are made while the server serves.
	Backups Backups
	// Alerts says how people are told of risk alerts, besides on the pages.
	Alerts Alerts
	// Hashing is how passwords are hashed; as RFC 9106 recommends when zero.
	Hashing accounts.Hashing
	// TrustedProxies are the networks of proxies whose word on where a request comes from is taken.
	TrustedProxies []netip.Prefix
	// Unlimited lets callers ask as often as they like: where tablets are simulated, seconds of work pass in no time by Wall.
	Unlimited bool
	// Grace is how long running requests may take after the server was told to stop; 10 seconds when 0.
	Grace time.Duration
}

// Server is a running server. Close it in the end.
type Server struct {
	config   Config
	keyring  *keyring
	keys     *syncing.Keys
	journal  *journal.File
	db       *store.DB
	audit    *audit.Log
	accounts *accounts.Service
	// making is held while a deployment is made.
	making      sync.Mutex
	deployments *httpapi.Deployments
	measures    *httpapi.Measures
	// live tells open pages of changes.
	live *live.Hub
	// senders are the channels on which people are told of risk alerts.
	senders map[alerting.Channel]alerting.Sender
	handler http.Handler
	// tls is how the server shakes hands, nil when it does not; pin is what enrolment codes carry of it.
	tls       *tls.Config
	pin       wire.Pin
	held      io.Closer
	backingUp sync.Mutex
	// Made tells what a first start made; nil at later starts.
	Made *Made
}

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

// enrolmentLife is how long an enrolment code may be used.
const enrolmentLife = 14 * 24 * time.Hour

// New opens the database and the keys, makes what is not there yet, and starts the deployments. It listens nowhere.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.Wall == nil {
		c.Wall = hlc.Wall
	}
	if c.Entropy == nil {
		c.Entropy = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Keys == "" {
		c.Keys = c.DB + ".keys"
	}
	if c.Journal == "" {
		c.Journal = c.DB + ".journal"
	}
	if c.Backups.Every == 0 {
		c.Backups.Every = DefaultBackupEvery
	}
	if c.Backups.Keep == 0 {
		c.Backups.Keep = DefaultBackupKeep
	}
	if c.Grace == 0 {
		c.Grace = graceTime
	}
	s := &Server{config: c, deployments: &httpapi.Deployments{}, live: live.New(uint64(c.Wall().UnixMicro()), nil)}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	s.held, err = sqlite.Hold(ctx, s.config.DB, false)
	if errors.Is(err, store.ErrHeld) {
		return refuse(RestoreUnderWay, nil, s.config.DB)
	}
	if err != nil {
		return err
	}
	if _, err := os.Lstat(s.config.DB + restoreSuffix); err == nil {
		return refuse(RestoreUnderWay, nil, s.config.DB)
	}
	if s.measures, err = httpapi.NewMeasures(); err != nil {
		return err
	}
	if s.config.Backups.Dir != "" {
		if err := s.measures.WatchBackups(s.config.Wall); err != nil {
			return err
		}
	}
	if s.senders, err = s.config.Alerts.senders(); err != nil {
		return err
	}
	ids, err := s.openFiles(ctx)
	if err != nil {
		return err
	}
	if s.tls, s.pin, err = s.config.TLS.config(s.config.Keys, s.keys.Signing, s.config.URL, s.config.Log); err != nil {
		return err
	}
	for _, id := range ids {
		d, err := s.start(ctx, id)
		if err != nil {
			return err
		}
		s.deployments.Add(d)
	}
	if len(ids) == 0 && s.config.SetUp != nil {
		id, err := s.NewDeployment(ctx, audit.Actor{}, s.config.SetUp)
		if err != nil {
			return err
		}
		s.Made = &Made{}
		if s.Made.Enrolments, err = s.enrolments(ctx, id); err != nil {
			return err
		}
	}
	pages, err := s.pages()
	if err != nil {
		return err
	}
	s.handler, err = httpapi.New(httpapi.Config{Pages: pages, Deployments: s.deployments, Accounts: s.accounts, Audit: s.audit, Ready: s.db.Ping, Wall: s.config.Wall,
		Log: s.config.Log, Measures: s.measures, Codes: httpapi.Codes{ServerURL: s.config.URL, Pin: s.pin, Life: enrolmentLife}, TrustedProxies: s.config.TrustedProxies, Limits: s.limits()})
	return err
}

// openFiles opens database, keys and journal, or makes all three. That some are there and others not is refused: the
// database would be served by keys that no tablet knows, or the keys would serve a database that nobody knows.
func (s *Server) openFiles(ctx context.Context) (ids []hlc.ID, err error) {
	c := s.config
	kept := exists(c.Keys)
	if info, err := os.Stat(c.DB); kept && (err != nil || info.Size() == 0) {
		return nil, refuse(DatabaseGone, err, c.DB, c.Keys)
	}
	if s.db, err = sqlite.Open(ctx, c.DB); err != nil {
		return nil, refusedAt(c.DB, err)
	}
	if ids, err = s.db.Deployments(ctx); err != nil {
		return nil, err
	}
	someone, err := hasAccounts(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if !kept && (len(ids) > 0 || someone) {
		return nil, refuse(KeysMissing, nil, c.DB, c.Keys)
	}
	if s.keyring, err = openKeys(c.Keys, c.Entropy, c.Wall(), c.Log); err != nil {
		return nil, err
	}
	s.keys = s.keyring.file.syncing()
	s.journal, err = journal.Open(c.Journal, s.keys.PublicKey())
	if errors.Is(err, journal.ErrDamaged) {
		return nil, refuse(JournalDamaged, err, c.Journal)
	}
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 && !someone && s.journal.Len() > 0 {
		return nil, refuse(DatabaseGone, nil, c.DB, c.Keys) // there was somebody: an empty database took the place of theirs
	}
	s.audit = audit.New(s.db, c.Wall)
	s.accounts, err = accounts.Start(ctx, accounts.Config{Store: s.db, Keys: s.keyring, Signing: s.keys.Signing, Journal: s.journal.Deployment(hlc.ID{}),
		Wall: c.Wall, Entropy: c.Entropy, Hashing: c.Hashing})
	return ids, err
}

func hasAccounts(ctx context.Context, db *store.DB) (has bool, err error) {
	err = db.ReadAccounts(ctx, func(tx accounts.Reading) error {
		all, err := tx.Accounts()
		has = len(all) > 0
		return err
	})
	return has, err
}

// SetUpLink is a one-time link with which the first account is made; empty once there is one. Its code stands behind the
// #, which no program sends and no log has.
func (s *Server) SetUpLink(ctx context.Context) (string, error) {
	needs, err := s.accounts.NeedsSetUp(ctx)
	if err != nil || !needs {
		return "", err
	}
	code, err := s.accounts.SetUpCode(ctx)
	return s.config.URL + "/set-up#" + code, err
}

// ResetLink is a one-time link with which the owner of a login sets a new password, and signs in without a time code.
func (s *Server) ResetLink(ctx context.Context, login string) (string, error) {
	code, err := s.accounts.ResetCodeFor(ctx, login)
	return s.config.URL + "/reset#" + code, err
}

// NewToken makes an API token that acts as the worker of a name, of whatever deployment this server serves. Its text is
// nowhere kept.
func (s *Server) NewToken(ctx context.Context, name string, scopes []string, life time.Duration) (string, error) {
	d, worker, err := s.findWorker(name)
	if err != nil {
		return "", err
	}
	n := accounts.NewToken{Name: "leveed token", Membership: accounts.Membership{Deployment: d.Syncing.Deployment(), Worker: worker}, Life: life}
	for _, scope := range scopes {
		n.Scopes = append(n.Scopes, accounts.Scope(scope))
	}
	text, _, err := s.accounts.NewToken(ctx, audit.Actor{}, n)
	return text, err
}

// NewDeployment makes a deployment and serves it. by is noted as its maker.
func (s *Server) NewDeployment(ctx context.Context, by audit.Actor, from *SetUp) (hlc.ID, error) {
	s.making.Lock()
	defer s.making.Unlock()
	d, err := s.setUp(ctx, from)
	if err != nil {
		return hlc.ID{}, err
	}
	id := d.Syncing.Deployment()
	s.deployments.Add(d)
	return id, s.audit.Write(ctx, audit.Entry{Deployment: id, Actor: by, Action: audit.DeploymentMade, Subject: audit.Subject{Kind: audit.OfDeployment, ID: id}})
}

// start opens a deployment. It is served once it is added to the others.
func (s *Server) start(ctx context.Context, id hlc.ID) (*httpapi.Deployment, error) {
	var service *syncing.Service
	failed := func(err error) { s.config.Log.Error("in the background", "error", err) }
	index := indexing.New(indexing.Config{Store: s.db.Deployment(id), SetUp: func() *syncing.SetUp { return service.SetUp() }, Wall: s.config.Wall, Failed: failed,
		Indexed: func(uint64) { s.live.Publish(id) }})
	alerts := s.alerting(id, func() *syncing.SetUp { return service.SetUp() }, failed)
	service, err := syncing.Start(ctx, syncing.Config{Deployment: id, Store: s.db.Deployment(id), Keys: s.keys, Journal: s.journal.Deployment(id), Wall: s.config.Wall, After: s.config.After, Entropy: s.config.Entropy,
		Observe: func(c syncing.Commit) {
			s.committed(id, c, index)
			alerts.Observe(c)
		},
		Backups: s.config.Backups.Dir != "",
		Failed:  failed})
	var behind *syncing.ClockBehindError
	if errors.As(err, &behind) {
		return nil, refuse(ClockBehind, nil, s.config.DB, behind.Behind.Round(time.Second))
	}
	if err != nil {
		return nil, err
	}
	if err := alerts.Start(ctx); err != nil {
		service.Close()
		return nil, err
	}
	index.Start()
	return &httpapi.Deployment{Syncing: service, Indexing: index, Alerting: alerts,
		Progress: progress.New(progress.Config{Store: s.db.Deployment(id), SetUp: service.SetUp, Wall: s.config.Wall}),
		Casefile: casefile.New(casefile.Config{Deployment: id, Store: s.db.Deployment(id), SetUp: service.SetUp, Audit: s.audit}),
		Review:   review.New(review.Config{Syncing: service, Store: s.db.Deployment(id), Audit: s.audit, Wall: s.config.Wall})}, nil
}

// committed notes a commit of a deployment. One without jobs notes contacts, which pages show as well.
func (s *Server) committed(deployment hlc.ID, c syncing.Commit, index *indexing.Service) {
	s.measures.Commit(c)
	index.Notice()
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

// Flush writes what devices said of themselves and no commit has taken along yet. That happens by itself, after a while.
func (s *Server) Flush(ctx context.Context) error {
	var errs []error
	for _, d := range s.deployments.All() {
		errs = append(errs, d.Syncing.Flush(ctx))
	}
	return errors.Join(errs...)
}

// SortedIn waits until all that is committed by now is sorted in for the pages.
func (s *Server) SortedIn(ctx context.Context) error {
	for _, d := range s.deployments.All() {
		now, err := d.Progress.Version(ctx)
		if err == nil {
			err = d.Indexing.Wait(ctx, now.Position)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) limits() httpapi.Limits {
	if s.config.Unlimited {
		return httpapi.Unlimited
	}
	return httpapi.DefaultLimits
}

// Handler answers requests, wherever they come from.
func (s *Server) Handler() http.Handler { return s.handler }

// Limits on connections. A body of 4 MB over a link of 64 kbit/s takes nine minutes: who sends that slowly sends less.
const (
	readHeaderTimeout = 20 * time.Second
	readTimeout       = 5 * time.Minute
	writeTimeout      = 5 * time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
	// graceTime is how long running requests may take after the server was told to stop.
	graceTime = 10 * time.Second
)

// Serve answers on a listener until ctx is done; then it lets running requests finish. An address that other machines can
// reach is refused where nothing encrypts: see TLS.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if err := s.config.TLS.Check(l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	hs := &http.Server{Handler: s.handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		WriteTimeout:   readTimeout + writeTimeout, // it begins with the body, and whoever sends that slowly must get an answer too
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn)}
	hs.RegisterOnShutdown(s.live.Close) // pages listen without end, and come again to the next server
	served := make(chan error, 1)
	go func() {
		if s.tls == nil {
			served <- hs.Serve(l)
			return
		}
		hs.TLSConfig = s.tls
		served <- hs.ServeTLS(l, "", "")
	}()
	if s.config.Backups.Dir != "" {
		backing, stop := context.WithCancel(ctx)
		var backups sync.WaitGroup
		backups.Go(func() { s.keepBackedUp(backing) })
		defer func() { stop(); backups.Wait() }()
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Grace)
	defer cancel()
	err := hs.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = hs.Close() // who still sends after the grace time sends again to the next server
	}
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// Close finishes what has queued and closes the database.
func (s *Server) Close() error {
	for _, d := range s.deployments.Clear() {
		d.Alerting.Close()
		d.Syncing.Close()
		d.Indexing.Close()
	}
	var errs []error
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.held != nil {
		errs = append(errs, s.held.Close())
	}
	s.journal, s.db, s.held = nil, nil, nil
	return errors.Join(errs...)
}

// URLOf is where tablets reach a listener that does not encrypt, when the operator does not say.
func URLOf(l net.Listener) string { return TLS{}.URLOf(l) }

// URLOf is where tablets reach a listener, when the operator does not say.
func (c TLS) URLOf(l net.Listener) string {
	addr := l.Addr().String()
	if host, port, err := net.SplitHostPort(addr); err == nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		addr = net.JoinHostPort(strings.TrimSuffix(host, "."), port)
	}
	scheme := "http"
	if c.encrypts() {
		scheme = "https"
	}
	return scheme + "://" + addr
}
