// Package demo replays the reference deployment with a real server and real tablets: twelve volunteers in three towns,
// offline for most of 75 days, over a network that loses, repeats, delays and cuts what they send. It ends with the
// server's totals beside the published ones.
package demo

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"levee/clientlib"
	"levee/server"
)

// Options choose a replay.
type Options struct {
	// Seed makes up the division of the totals over days, towns, teams and people. The totals are the same for all.
	Seed uint64
	// Network is good, rough or awful.
	Network string
	// DB is the postgres:// URL of the server's database, which must be empty; a SQLite file in Dir when empty.
	DB string
	// Servers is how many serve the database, which must be PostgreSQL's where they are several; one when 0. Each request of a tablet
	// goes to any of them.
	Servers int
	// Dir is where the databases are left: server.db and a file for each tablet. A temporary folder, removed by Close,
	// when empty.
	Dir string
	// Language is a tag of the names in the result: Chinese for "zh…", else English.
	Language string
	// Progress is told of each day that is over; it may be nil.
	Progress func(day, of int)
}

// Days is how many days are replayed.
const Days = days

// Demo is a server, or several, and their tablets, open.
type Demo struct {
	options   Options
	dir       string
	temporary bool
	clock     *clock
	server    *server.Server // the first one
	servers   []*served
	token     string
	stop      context.CancelFunc
	transport *http.Transport
	teams     [][]*tablet
}

// served is one of the servers.
type served struct {
	*server.Server
	url  string
	done chan error
}

// ServerDB is the name of the server's database in the folder.
const ServerDB = "server.db"

// Start makes the server and lets twelve tablets in.
func Start(ctx context.Context, o Options) (_ *Demo, err error) {
	if _, ok := networks[o.Network]; !ok {
		return nil, fmt.Errorf("network %q: choose good, rough or awful", o.Network)
	}
	if o.Servers > 1 && o.DB == "" {
		return nil, errors.New("several servers need a PostgreSQL database")
	}
	d := &Demo{options: o, dir: o.Dir, clock: &clock{}, stop: func() {}, transport: &http.Transport{MaxIdleConnsPerHost: len(towns) * workersPerTeam}}
	d.clock.set(0, 6*60)
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if d.dir == "" {
		d.temporary = true
		if d.dir, err = os.MkdirTemp("", "levee-demo-"); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := os.Stat(d.keys()); err == nil {
		return nil, fmt.Errorf("%s has the databases of an earlier demo: choose another folder", d.dir)
	}
	if err := d.startServers(ctx); err != nil {
		return nil, err
	}
	return d, d.enrolTablets(ctx)
}

// tokenLife outlives the replay and whoever looks at it afterwards.
const tokenLife = 365 * 24 * time.Hour

func (d *Demo) startServers(ctx context.Context) (err error) {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	if d.server, err = d.startServer(ctx, serving, d.keys(), 0); err != nil {
		return err
	}
	if d.server.Made == nil {
		return errors.New("the database has deployments already: a demo wants an empty one")
	}
	if d.token, err = d.server.NewToken(ctx, coordinator, []string{"read"}, tokenLife); err != nil {
		return err
	}
	for n := 2; n <= d.options.Servers; n++ {
		keys, err := d.keysFor(n)
		if err != nil {
			return err
		}
		if _, err := d.startServer(ctx, serving, keys, uint64(2000+n)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Demo) startServer(ctx, serving context.Context, keys string, part uint64) (*server.Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	one := &served{url: server.URLOf(listener), done: make(chan error, 1)}
	one.Server, err = server.New(ctx, server.Config{DB: d.Database(), Keys: keys, SetUp: setUp(), URL: one.url, Wall: d.clock.wall, Unlimited: true,
		Entropy: d.entropy(part), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	d.servers = append(d.servers, one)
	go func() { one.done <- one.Serve(serving, listener) }()
	return one.Server, nil
}

// keysFor gives a further server the keys of the first one, in a folder of its own, as on another machine.
func (d *Demo) keysFor(n int) (string, error) {
	folder := filepath.Join(d.dir, fmt.Sprintf("server-%d", n))
	path := filepath.Join(folder, filepath.Base(d.keys()))
	keys, err := os.ReadFile(d.keys())
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	if err == nil {
		err = os.WriteFile(path, keys, 0o600) //nolint:gosec // the operator names the folder
	}
	return path, err
}

func (d *Demo) enrolTablets(ctx context.Context) error {
	d.teams = make([][]*tablet, len(towns))
	for n, e := range d.server.Made.Enrolments {
		if e.Worker == coordinator {
			continue
		}
		team := slices.IndexFunc(towns, func(s server.SetUpSite) bool { return teamAt(s) == e.Team })
		// Tablets come in over a good link; what happens in the field is what is shown.
		way := &network{next: d.anyServer(uint64(3000 + n)), rand: d.random(uint64(100 + n))}
		store, err := clientlib.Open(ctx, filepath.Join(d.dir, fmt.Sprintf("tablet-%d-%d.db", team+1, len(d.teams[team])+1)), clientlib.Options{Key: hostKey(d.entropy(uint64(1000 + n))),
			Wall: d.clock.wall, Transport: way, Entropy: d.entropy(uint64(1 + n)), Name: e.Worker, App: "levee demo"})
		if err != nil {
			return err
		}
		d.teams[team] = append(d.teams[team], &tablet{store: store, name: e.Worker, net: way, rand: d.random(uint64(200 + n))})
		if err := store.Enrol(ctx, e.Code); err != nil {
			return fmt.Errorf("enrolling %s: %w", e.Worker, err)
		}
		way.quality = networks[d.options.Network]
	}
	return nil
}

// hostKey is the key that a tablet's machine keeps.
func hostKey(from *rand.ChaCha8) clientlib.Key {
	var key [32]byte
	_, _ = from.Read(key[:]) // it never fails
	return clientlib.HostKey(key)
}

// entropy and random give each part its own source, so that what one draws changes nothing for another.
func (d *Demo) entropy(part uint64) *rand.ChaCha8 {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], d.options.Seed)
	binary.LittleEndian.PutUint64(seed[8:], part)
	return rand.NewChaCha8(seed)
}

func (d *Demo) random(part uint64) *rand.Rand {
	return rand.New(rand.NewPCG(d.options.Seed, part)) //nolint:gosec // a replay wants the same numbers again
}

// Replay plays the 75 days and reads the result from the server's JSON API. It fails when a total differs from the
// published one, when a tablet's own totals differ from the server's, or when something is left unsent.
func (d *Demo) Replay(ctx context.Context) (*Result, error) {
	r := &replay{seed: d.options.Seed, clock: d.clock, rand: d.random(300), teams: d.teams, done: func(day int) {
		if d.options.Progress != nil {
			d.options.Progress(day, Days)
		}
	}}
	r.schedule(divide(d.options.Seed))
	if err := r.run(ctx); err != nil {
		return nil, err
	}
	if err := d.server.SortedIn(ctx); err != nil { // who looks at what is kept finds lists and open cases as they are at the end
		return nil, err
	}
	result, err := d.result(ctx)
	if err != nil {
		return nil, err
	}
	return result, d.check(ctx, result)
}

// URL is where the server listens, the last one of several, and Token what reads its JSON API.
func (d *Demo) URL() (url, token string) { return d.servers[len(d.servers)-1].url, d.token }

// Database is the address of the server's database.
func (d *Demo) Database() string { return cmp.Or(d.options.DB, filepath.Join(d.dir, ServerDB)) }

// keys is the path of the server's keys.
func (d *Demo) keys() string { return filepath.Join(d.dir, ServerDB+".keys") }

// Close stops the server and closes every store.
func (d *Demo) Close() error {
	var errs []error
	for _, team := range d.teams {
		for _, t := range team {
			errs = append(errs, t.store.Close())
		}
	}
	d.transport.CloseIdleConnections()
	d.stop()
	for _, one := range d.servers {
		errs = append(errs, <-one.done)
	}
	for _, one := range d.servers {
		errs = append(errs, one.Close())
	}
	if d.temporary {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}
