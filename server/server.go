// Package server is Levee's server: here, and only here, its parts are put together.
package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
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

	"go.opentelemetry.io/otel/trace"

	"levee/server/internal/accounts"
	"levee/server/internal/alerting"
	"levee/server/internal/audit"
	"levee/server/internal/database"
	"levee/server/internal/export"
	"levee/server/internal/httpapi"
	"levee/server/internal/journal"
	"levee/server/internal/live"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/server/internal/tracing"
	"levee/server/internal/webui"
	"levee/syncproto/hlc"
	"levee/syncproto/wire"
)

// Config says how a server runs.
type Config struct {
	// DB is the path of a SQLite file, which is made when it is not there, or the postgres:// URL of a PostgreSQL database, in which
	// the tables are made when there are none.
	DB string
	// Keys is the path of the file with the server's secrets; when empty, that of the SQLite file with ".keys", and "levee.keys" for
	// PostgreSQL. Back it up apart from the database.
	Keys string
	// Journal is the path of what must outlive a restore of the database; when empty, that of the SQLite file, or for PostgreSQL that of
	// the keys without their ".keys", with ".journal". It is made when it is not there. Back it up apart from the database.
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
	// DurableOnStandby has changes count as durable once a standby of the PostgreSQL database has them on its disk, and not when they
	// are committed.
	DurableOnStandby bool
	// Alerts says how people are told of risk alerts, besides on the pages.
	Alerts Alerts
	// Hashing is how passwords are hashed; as RFC 9106 recommends when zero.
	Hashing accounts.Hashing
	// TrustedProxies are the networks of proxies whose word on where a request comes from is taken.
	TrustedProxies []netip.Prefix
	// Unlimited lets callers ask as often as they like: where tablets are simulated, seconds of work pass in no time by Wall.
	Unlimited bool
	// Traces records spans of requests; nil for none.
	Traces trace.TracerProvider
	// Grace is how long running requests may take after the server was told to stop; 10 seconds when 0.
	Grace time.Duration

	// archive is what is shown, where nothing else may be done; nil where it is no archive.
	archive *webui.Archive
}

// journalSuffix is what the journal adds to the name of what it lies beside.
const journalSuffix = ".journal"

// Server is a running server. Close it in the end.
type Server struct {
	config   Config
	at       database.At
	keyring  *keyring
	keys     *syncing.Keys
	journal  *journal.File
	db       *store.DB
	audit    *audit.Log
	accounts *accounts.Service
	// making is held while a deployment is made.
	making sync.Mutex
	// hearing is what other servers on the database tell.
	hearing hearing
	// begun says that deployments do by themselves what they do; making is held where it is set.
	begun       bool
	deployments *httpapi.Deployments
	measures    *httpapi.Measures
	// exports makes files for people at the pages.
	exports *export.Desk
	// archives are those that were made at the pages.
	archives *archives
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

// New opens the database and the keys, makes what is not there yet, and opens the deployments. It listens nowhere, and until
// Begin it does nothing that nobody asks for.
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
	at := database.At(c.DB)
	if c.Keys == "" {
		c.Keys = at.Keys()
	}
	if c.Journal == "" {
		c.Journal = at.Beside(c.Keys, journalSuffix)
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
	s := &Server{config: c, at: at, live: live.New(uint64(c.Wall().UnixMicro()), nil)}
	s.deployments = &httpapi.Deployments{Other: s.otherDeployment}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Begin lets the server do what it does by itself: it sorts in what has come for the pages, and sees to the alerts. Serve
// does it too.
func (s *Server) Begin(ctx context.Context) error {
	s.making.Lock()
	defer s.making.Unlock()
	if s.begun {
		return nil
	}
	s.begun = true
	s.listen(context.WithoutCancel(ctx))
	for _, d := range s.deployments.All() {
		if err := d.Begin(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) open(ctx context.Context) (err error) {
	if s.at.OnPostgres() && s.config.Backups.Dir != "" {
		return refuse(PostgresBackups, nil, s.at)
	}
	s.held, err = s.at.Hold(ctx, false)
	if errors.Is(err, store.ErrHeld) {
		return refuse(RestoreUnderWay, nil, s.at)
	}
	if err != nil {
		return refusedAt(s.at, err)
	}
	if _, err := os.Lstat(s.config.DB + restoreSuffix); err == nil {
		return refuse(RestoreUnderWay, nil, s.at)
	}
	if s.measures, err = httpapi.NewMeasures(); err != nil {
		return err
	}
	if s.config.Backups.Dir != "" {
		if err := s.measures.WatchBackups(s.config.Wall); err != nil {
			return err
		}
	}
	if err := s.measures.Gauge("levee_live_pages", "Open pages that are kept up to date.", func() float64 { return float64(s.live.Watching()) }); err != nil {
		return err
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
		if err := s.db.First(ctx, func() error { return s.makeFirst(ctx) }); err != nil {
			return err
		}
	}
	if s.exports, err = s.newDesk(); err != nil {
		return err
	}
	if s.archives, err = newArchives(s.config); err != nil {
		return err
	}
	pages, err := s.pages()
	if err != nil {
		return err
	}
	var tracer trace.Tracer
	if s.config.Traces != nil {
		tracer = s.config.Traces.Tracer(tracing.Scope)
	}
	s.handler, err = httpapi.New(httpapi.Config{Pages: pages, Deployments: s.deployments, Accounts: s.accounts, Audit: s.audit, Exports: s.exports, Ready: s.db.Ping, Durable: s.db.Durable, Wall: s.config.Wall,
		Log: s.config.Log, Measures: s.measures, Tracer: tracer, Codes: httpapi.Codes{ServerURL: s.config.URL, Pin: s.pin, Life: enrolmentLife}, TrustedProxies: s.config.TrustedProxies, Limits: s.limits(), ReadOnly: s.config.archive != nil})
	return err
}

// makeFirst makes the first deployment, unless another server has come first.
func (s *Server) makeFirst(ctx context.Context) error {
	ids, err := s.db.Deployments(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := s.otherDeployment(ctx, id); err != nil {
			return err
		}
	}
	if len(ids) > 0 {
		return nil
	}
	id, err := s.NewDeployment(ctx, audit.Actor{}, s.config.SetUp)
	if err != nil {
		return err
	}
	s.Made = &Made{}
	s.Made.Enrolments, err = s.enrolments(ctx, id)
	return err
}

// openFiles opens database, keys and journal, or makes all three. That some are there and others not is refused: the
// database would be served by keys that no tablet knows, or the keys would serve a database that nobody knows.
func (s *Server) openFiles(ctx context.Context) (ids []hlc.ID, err error) {
	c := s.config
	kept := exists(c.Keys)
	gone := DatabaseGone
	if s.at.OnPostgres() {
		gone = PostgresGone
	}
	if made, err := s.at.Made(ctx); err != nil {
		return nil, refusedAt(s.at, err)
	} else if kept && !made {
		return nil, refuse(gone, nil, s.at, c.Keys)
	}
	if s.db, err = s.at.Open(ctx); err != nil {
		return nil, refusedAt(s.at, err)
	}
	s.db.Observe(s.measured)
	if c.DurableOnStandby {
		if err := s.db.SeesStandbys(ctx); err != nil {
			return nil, standbysUnseen(s.at, err)
		}
	}
	if ids, err = s.db.Deployments(ctx); err != nil {
		return nil, err
	}
	someone, err := hasAccounts(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if !kept && (len(ids) > 0 || someone) {
		return nil, refuse(KeysMissing, nil, s.at, c.Keys)
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
	entries := s.journal
	if err := errors.Join(
		s.measures.Gauge("levee_journal_entries", "Entries of the journal.", func() float64 { return float64(entries.Len()) }),
		s.measures.Gauge("levee_journal_bytes", "How long the journal's file is.", func() float64 { return float64(entries.Bytes()) })); err != nil {
		return nil, err
	}
	if len(ids) == 0 && !someone && s.journal.Len() > 0 {
		return nil, refuse(gone, nil, s.at, c.Keys) // there was somebody: an empty database took the place of theirs
	}
	s.audit = audit.New(s.db, c.Wall)
	s.accounts, err = accounts.Start(ctx, accounts.Config{Store: s.db, Keys: s.keyring, Signing: s.keys.Signing, Journal: s.journal.Deployment(hlc.ID{}),
		Wall: c.Wall, Entropy: c.Entropy, Hashing: c.Hashing})
	if errors.Is(err, journal.ErrDamaged) { // what the database has of it
		err = refuse(JournalDamaged, err, c.Journal)
	}
	return ids, err
}

// measured notes where the time of a transaction went.
func (s *Server) measured(t store.Took) {
	switch {
	case t.Flushed > 0:
		s.measures.Flushed(t.Flushed)
	case t.ReadOnly:
		s.measures.Read(t.Waited, t.Worked)
	default:
		s.measures.Wrote(t.Waited, t.Worked, t.Committed)
	}
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

// Flush writes what devices said of themselves and no commit has taken along yet. That happens by itself, after a while.
func (s *Server) Flush(ctx context.Context) error {
	var errs []error
	for _, d := range s.deployments.All() {
		errs = append(errs, d.Syncing.Flush(ctx))
	}
	return errors.Join(errs...)
}

// SortedIn waits until all that is committed by now is sorted in for the pages. Before Begin it sorts in by itself.
func (s *Server) SortedIn(ctx context.Context) error {
	for _, d := range s.deployments.All() {
		if err := d.Indexing.CatchUp(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close finishes what has queued and closes the database.
func (s *Server) Close() error {
	s.hearing.close()
	for _, d := range s.deployments.Clear() {
		d.Close()
	}
	var errs []error
	if s.exports != nil {
		errs = append(errs, s.exports.Close())
	}
	if s.archives != nil {
		errs = append(errs, s.archives.Close())
	}
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.held != nil {
		errs = append(errs, s.held.Close())
	}
	s.exports, s.archives, s.journal, s.db, s.held = nil, nil, nil, nil, nil
	return errors.Join(errs...)
}

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
