package webui_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/alerting"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/server/internal/export"
	"levee/server/internal/finalreport"
	"levee/server/internal/handover"
	"levee/server/internal/httpapi"
	"levee/server/internal/importing"
	"levee/server/internal/indexing"
	"levee/server/internal/journal"
	"levee/server/internal/live"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/review"
	"levee/server/internal/rollup"
	"levee/server/internal/servertest"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/server/internal/webui"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// site is the pages on a real store, with a clock that the test moves.
type site struct {
	// made is from what the last deployment was made.
	made webui.NewDeployment
	t    *testing.T
	servertest.WallClock
	db       *store.DB
	keys     *syncing.Keys
	journal  *journal.File
	accounts *accounts.Service
	audit    *audit.Log
	all      httpapi.Deployments
	live     *live.Hub
	senders  map[alerting.Channel]alerting.Sender
	server   *httptest.Server
	log      bytes.Buffer
	// fields are the databases of deployments that stand in files of their own; exported is told of exports.
	fields   map[hlc.ID]*store.DB
	exported chan hlc.ID
	// worked is told when something is begun, and ended, in the background of a close-out.
	worked chan hlc.ID
	// backUp makes a backup.
	backUp func(context.Context) error
	// shelf keeps archives, and erase erases a deployment once more than EraseAll has.
	shelf *shelf
	erase func() error
	// tolerated is an error that a test means to happen in the background.
	tolerated error
}

type keys struct{ session accounts.SessionKey }

func (k keys) SessionKeys() []accounts.SessionKey { return []accounts.SessionKey{k.session} }
func (keys) SealKey() []byte                      { return make([]byte, 32) }

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, keys: &syncing.Keys{Signing: newKey(t), ProofKey: make([]byte, 32)}, live: live.New(1, nil), fields: map[hlc.ID]*store.DB{}, exported: make(chan hlc.ID, 100), worked: make(chan hlc.ID, 100), backUp: func(context.Context) error { return nil }}
	s.SetWall(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	path := filepath.Join(t.TempDir(), "server.db")
	s.shelf, s.erase = &shelf{path: path + ".levee", wall: s.Wall, making: func(closeout.Tell) {}}, func() error { return nil }
	var err error
	if s.db, err = servertest.OpenStore(t.Context(), servertest.NewStore(t, path)); err != nil {
		t.Fatal(err)
	}
	if s.journal, err = journal.Open(path+".journal", s.keys.PublicKey()); err != nil {
		t.Fatal(err)
	}
	s.accounts, err = accounts.Start(t.Context(), accounts.Config{Store: s.db, Keys: keys{accounts.SessionKey{ID: "one", Key: newKey(t)}}, Signing: s.keys.Signing,
		Journal: s.journal.Deployment(hlc.ID{}), Wall: s.Wall, Entropy: rand.Reader, Hashing: accounts.Hashing{Memory: 64, Passes: 1, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewTLSServer(nil)
	s.audit = audit.New(s.db, s.Wall)
	t.Cleanup(func() {
		s.server.Close()
		for _, d := range s.all.Clear() {
			d.Closeout.Stop()
			d.Syncing.Close()
			d.Indexing.Close()
			d.Alerting.Close()
		}
		if err := errors.Join(s.db.Close(), s.journal.Close()); err != nil {
			t.Error(err)
		}
	})
	exports, err := export.NewDesk(export.DeskConfig{Dir: path + ".exports", Wall: s.Wall,
		Store:   func(id hlc.ID) export.Store { return cmp.Or(s.fields[id], s.db).Deployment(id) },
		Changed: func(id hlc.ID) { s.exported <- id }, Failed: func(err error) { s.t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := exports.Close(); err != nil {
			t.Error(err)
		}
	})
	pages, err := webui.New(webui.Config{Accounts: s.accounts, Audit: s.audit, Deployments: &s.all, Live: s.live, Exports: exports, NewDeployment: s.makeDeployment, URL: s.server.URL, Wall: s.Wall,
		BackUp: func(ctx context.Context) error { return s.backUp(ctx) }, Archives: s.shelf, Erase: s.eraseAll})
	if err != nil {
		t.Fatal(err)
	}
	measures, err := httpapi.NewMeasures()
	if err != nil {
		t.Fatal(err)
	}
	many := httpapi.Rate{Burst: 1e6, PerSecond: 1e6}
	handler, err := httpapi.New(httpapi.Config{Deployments: &s.all, Accounts: s.accounts, Audit: s.audit, Ready: s.db.Ping, Durable: s.db.Durable, Wall: s.Wall, Log: slog.New(slog.NewTextHandler(&s.log, nil)), Measures: measures,
		Limits: httpapi.Limits{Device: many, Address: many, AtOnce: 2, Working: 100, Waiting: 100}, Pages: pages})
	if err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = handler
	return s
}

// eraseAll stands in for the server that the pages are put into.
func (s *site) eraseAll(ctx context.Context, deployment hlc.ID, _ audit.Actor, _ bool, _ closeout.Tell) error {
	_, err := s.all.Get(deployment).Syncing.EraseAll(ctx)
	return errors.Join(err, s.erase())
}

// shelf makes archives that say which edition they are of, and keeps the newest one.
type shelf struct {
	path  string
	wall  func() time.Time
	wrong error
	until time.Time
	// making is called when one is to be made.
	making func(closeout.Tell)
}

func (s *shelf) Make(_ context.Context, _ hlc.ID, tell closeout.Tell) error {
	s.making(tell)
	s.until = s.wall().Add(time.Hour)
	return errors.Join(s.wrong, os.WriteFile(s.path, []byte("edition 1"), 0o600))
}

func (s *shelf) Kept(hlc.ID) (webui.KeptArchive, bool) {
	return webui.KeptArchive{Edition: 1, Size: 9, Until: s.until}, s.wall().Before(s.until)
}

func (s *shelf) Open(hlc.ID) (*os.File, error) { return os.Open(s.path) }

// makeDeployment stands in for the server that the pages are put into.
func (s *site) makeDeployment(ctx context.Context, _ audit.Actor, n webui.NewDeployment) (deployment, coordinator hlc.ID, err error) {
	clock := hlc.NewClock(s.Wall, 0)
	id := func() hlc.ID {
		one, err := hlc.NewID(clock.Now(), rand.Reader)
		if err != nil {
			s.t.Error(err)
		}
		return one
	}
	s.made, deployment, coordinator = n, id(), id()
	start, err := record.ParseDate(n.Start)
	if err != nil {
		return deployment, coordinator, err
	}
	var service *syncing.Service
	index := indexing.New(indexing.Config{Store: s.db.Deployment(deployment), SetUp: func() *syncing.SetUp { return service.SetUp() }, Wall: s.Wall,
		Indexed: func(uint64) { s.live.Publish(deployment) }, Failed: func(err error) { s.t.Error(err) }})
	alerts := s.alerting(s.db, deployment, func() *syncing.SetUp { return service.SetUp() })
	service, err = syncing.Start(ctx, syncing.Config{Deployment: deployment, Store: s.db.Deployment(deployment), Keys: s.keys, Journal: s.journal.Deployment(deployment), Wall: s.Wall,
		Entropy: rand.Reader, Observe: func(c syncing.Commit) {
			index.Notice()
			alerts.Observe(c)
			s.live.Publish(deployment)
		}, Failed: func(err error) { s.t.Error(err) }})
	if err != nil {
		return deployment, coordinator, err
	}
	index.Start()
	s.all.Add(s.behind(s.db, service, index, alerts))
	if err := alerts.Start(ctx); err != nil {
		return deployment, coordinator, err
	}
	records := []syncing.SetUpRecord{{ID: deployment, Message: &recordv1.Deployment{Name: &n.Name, StartOn: proto.Int32(int32(start)), TimeZone: &n.TimeZone}},
		{ID: coordinator, Message: &recordv1.Worker{Name: &n.Coordinator, Role: recordv1.Role_ROLE_COORDINATOR.Enum(), Type: recordv1.WorkerType_WORKER_TYPE_SOCIAL_WORKER.Enum()}}}
	for _, one := range n.Sites {
		place, team := id(), id()
		records = append(records, syncing.SetUpRecord{ID: place, Message: &recordv1.Site{Name: &one.Name, Place: &recordv1.Place{Code: &one.Code, Edition: proto.Int32(2023)}}})
		if one.Team != "" {
			records = append(records, syncing.SetUpRecord{ID: team, Message: &recordv1.Team{Name: &one.Team, Site: place[:]}})
		}
	}
	if other := s.all.Get(n.SamePeople); other != nil {
		return deployment, coordinator, service.AddLinked(ctx, records, other.Syncing)
	}
	return deployment, coordinator, service.Add(ctx, records)
}

// behind is a deployment as the pages have it.
func (s *site) behind(db *store.DB, service *syncing.Service, index *indexing.Service, alerts *alerting.Service) *httpapi.Deployment {
	id := service.Deployment()
	figures := progress.New(progress.Config{Store: db.Deployment(id), SetUp: service.SetUp, Wall: s.Wall})
	return &httpapi.Deployment{Workbooks: db.Deployment(id), Syncing: service, Indexing: index, Alerting: alerts, Progress: figures,
		Reports: report.New(report.Config{Deployment: id, Store: db.Deployment(id), Progress: figures}),
		Closeout: closeout.New(closeout.Config{Syncing: service, Store: db.Deployment(id), Progress: figures, Indexing: index, Audit: s.audit, Key: s.keys.Signing, Backups: true, Wall: s.Wall,
			Changed: func() { s.worked <- id }, Failed: func(err error) {
				if !errors.Is(err, s.tolerated) {
					s.t.Error(err)
				}
			}}),
		Final:     finalreport.New(finalreport.Config{Deployment: id, Store: db.Deployment(id), Progress: figures}),
		Handover:  handover.New(handover.Config{Deployment: id, Store: db.Deployment(id), SetUp: service.SetUp, Audit: s.audit, Wall: s.Wall}),
		Review:    review.New(review.Config{Syncing: service, Store: db.Deployment(id), Audit: s.audit, Wall: s.Wall}),
		Member:    &rollup.Member{Syncing: service, Progress: figures, Store: db.Deployment(id)},
		Importing: importing.New(importing.Config{Syncing: service, Store: db.Deployment(id), Audit: s.audit, Wall: s.Wall}),
		Casefile:  casefile.New(casefile.Config{Deployment: id, Store: db.Deployment(id), SetUp: service.SetUp, Audit: s.audit})}
}

// alerting sees to the alerts of a deployment, and tells people through the site's senders. What is due later does not happen.
func (s *site) alerting(db *store.DB, id hlc.ID, setUp func() *syncing.SetUp) *alerting.Service {
	return alerting.New(alerting.Config{Deployment: id, Store: db.Deployment(id), SetUp: setUp, Senders: s.senders, Language: func(context.Context, hlc.ID) string { return "zh" },
		Wall: s.Wall, After: func(time.Duration) <-chan time.Time { return nil }, Changed: func() { s.live.Publish(id) }, Failed: func(err error) {
			if !errors.Is(err, errRefused) {
				s.t.Error(err)
			}
		}})
}

// field is a deployment on the site with tablets that write by hand, where it is noon of 2021-10-01.
func (s *site) field() *servertest.Deployment {
	s.t.Helper()
	d := servertest.New(s.t)
	s.SetWall(d.Wall())
	s.fields[d.ID] = d.DB
	index := indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall, Failed: func(err error) { s.t.Error(err) }})
	alerts := s.alerting(d.DB, d.ID, d.Service.SetUp)
	d.Observe(func(c syncing.Commit) {
		index.Notice()
		alerts.Observe(c)
		s.live.Publish(d.ID)
	})
	index.Start()
	if err := alerts.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	behind := s.behind(d.DB, d.Service, index, alerts)
	s.all.Add(behind)
	s.t.Cleanup(func() { // it closes itself
		behind.Closeout.Stop()
		index.Close()
		alerts.Close()
		for _, one := range s.all.Clear() {
			if one.Syncing != d.Service {
				s.all.Add(one)
			}
		}
	})
	return d
}

// as is a browser in which a worker of a deployment is signed in.
func (s *site) as(d *servertest.Deployment, worker, lang string) *webtest.Browser {
	s.t.Helper()
	b := s.member(worker, accounts.Invitation{Membership: accounts.Membership{Deployment: d.ID, Worker: d.Workers[worker]}})
	b.Lang = lang
	return b
}

func (s *site) browser(lang string) *webtest.Browser {
	s.t.Helper()
	return webtest.New(s.t, s.server.URL, s.server.Client(), lang)
}

// renewed is what an open page gets that asks for its parts anew.
func (s *site) renewed(b *webtest.Browser, path string) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("HX-Request", "true")
	answer, err := b.Client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatal(answer.Status, err)
	}
	return string(text)
}
