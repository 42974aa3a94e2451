package world

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"levee/clientlib"
	"levee/server"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// serverURL is where tablets reach the server. Nothing listens there.
const serverURL = "http://levee.invalid"

const deploymentName = "world"

// template is a world in which everybody has enrolled and nothing has happened yet. Each world begins as a copy of it.
type template struct {
	server         image
	keys           []byte // the file of the server's secrets
	tablets        []enrolled
	newer, office  *hand
	teams, workers map[string]hlc.ID
}

type enrolled struct {
	name  string
	role  recordv1.Role
	image image
}

func (t *template) worker(name string) []byte {
	id := t.workers[name]
	return id[:]
}

// theTemplate is made once in a process for each engine.
func theTemplate(postgres string) (t *template, err error) {
	templates.Lock()
	defer templates.Unlock()
	if t := templates.made[postgres]; t != nil {
		return t, nil
	}
	dir, err := os.MkdirTemp("", "levee-world-")
	if err == nil {
		t, err = makeTemplate(context.Background(), dir, postgres)
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return nil, fmt.Errorf("making a world: %w", err)
	}
	templates.made[postgres] = t
	return t, nil
}

func makeTemplate(ctx context.Context, dir, postgres string) (*template, error) {
	w := &world{ctx: ctx, dir: dir, config: Config{Postgres: postgres}, made: &template{}, accepted: map[hlc.ID][]told{}, untold: sha256.New(), result: &Result{}}
	w.now.Store(began.UnixMilli())
	w.journey = &journey{rand: rand.New(rand.NewPCG(0, 0))} //nolint:gosec // worlds are drawn from seeds
	t := w.made
	h := &host{w: w, path: filepath.Join(dir, "server.db"), keys: filepath.Join(dir, "keys")}
	w.host = h
	err := h.keep()
	if err == nil && h.postgres != nil {
		h.postgres.database, err = h.postgres.create(ctx, "")
		h.path = h.postgres.address(h.postgres.database)
	}
	if err != nil {
		return nil, err
	}
	h.server, err = server.New(ctx, server.Config{DB: h.path, Keys: h.keys, URL: serverURL, Wall: h.wall, Unlimited: true, After: never, Entropy: entropy(0, partServer), SetUp: &server.SetUp{
		Name: deploymentName, Start: "2021-09-23",
		Sites: []server.SetUpSite{{Name: "王庄镇", Code: "410621108"}, {Name: "上乐村镇", Code: "410781106"}},
		Teams: []server.SetUpTeam{{Name: "one", Site: "王庄镇"}, {Name: "two", Site: "上乐村镇"}},
		Workers: []server.SetUpWorker{
			{Name: "anna", Team: "one"}, {Name: "ben", Team: "one"}, {Name: "lena", Team: "one", Role: "team_lead"},
			{Name: "carl", Team: "two"}, {Name: "sven", Team: "two", Role: "supervisor"}, {Name: "cora", Role: "coordinator"},
			{Name: "nora", Team: "one"}, {Name: "otto", Role: "coordinator"},
		},
	}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = h.close() }()
	roles := []recordv1.Role{recordv1.Role_ROLE_FIELD_WORKER, recordv1.Role_ROLE_FIELD_WORKER, recordv1.Role_ROLE_TEAM_LEAD, recordv1.Role_ROLE_FIELD_WORKER, recordv1.Role_ROLE_SUPERVISOR, recordv1.Role_ROLE_COORDINATOR}
	for i, e := range h.server.Made.Enrolments {
		if i < len(roles) {
			if err := w.enrol(e, roles[i]); err != nil {
				return nil, err
			}
			continue
		}
		d := &hand{w: w, name: e.Worker, entropy: entropy(0, partHand+uint64(i)), clock: hlc.NewClock(w.wall, 0), next: &link{w: w, name: e.Worker}}
		if err := d.enrol(ctx, e.Code); err != nil {
			return nil, err
		}
		if e.Worker == "nora" {
			t.newer = d
		} else {
			t.office = d
		}
	}
	if err := h.close(); err != nil {
		return nil, err
	}
	if t.keys, err = os.ReadFile(h.keys); err != nil {
		return nil, err
	}
	if h.postgres != nil { // which is the template, and stays
		t.server = image{database: h.postgres.database}
		return t, nil
	}
	t.server, err = h.copied()
	return t, err
}

// enrol makes a tablet and lets it sync once.
func (w *world) enrol(e server.Enrolment, role recordv1.Role) (err error) {
	t := w.made
	path := filepath.Join(w.dir, e.Worker+".db")
	s, err := clientlib.Open(w.ctx, path, clientlib.Options{Key: tabletKey, Wall: w.wall, Transport: &link{w: w, name: e.Worker}, Entropy: entropy(0, partTablet+uint64(len(t.tablets))), Name: e.Worker, App: "world"})
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.Close())
		if err == nil {
			var m image
			m, err = copyOf(path)
			t.tablets = append(t.tablets, enrolled{e.Worker, role, m})
		}
	}()
	if err := s.Enrol(w.ctx, e.Code); err != nil {
		return err
	}
	if _, err := s.Sync(w.ctx, nil); err != nil {
		return err
	}
	workers, err := s.Workers(w.ctx)
	if err != nil {
		return err
	}
	t.workers, t.teams = map[string]hlc.ID{}, map[string]hlc.ID{}
	for _, r := range workers {
		t.workers[r.Message.GetName()] = r.ID
	}
	teams, err := s.Teams(w.ctx)
	for _, r := range teams {
		t.teams[r.Message.GetName()] = r.ID
	}
	return err
}
