package tabletui

import (
	"context"
	"errors"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/words"
)

// How long the pages stay open without a touch, and what is behind the PIN without another.
const (
	lockAfter     = 15 * time.Minute
	identityAfter = 5 * time.Minute
)

// desk is one worker's file, open. It stays open, and syncs, until the program ends: what was locked are the pages.
type desk struct {
	path   string
	store  *clientlib.Store
	syncer *clientlib.Syncer

	mu       sync.Mutex
	settings settings
	// paid: what goes through the network is paid for, as the browser said last.
	paid bool
	// identity is until when identities are shown: a PIN was entered for them a moment ago.
	identity time.Time
	// search is what was looked for last among the cases; it goes when identities are hidden.
	search search
}

// desks are the files that were opened since the program began, and which of them the pages show.
type desks struct {
	mu      sync.Mutex
	open    map[string]*desk
	current *desk
	// touched is when the pages were last used.
	touched time.Time
}

// at is the desk whose pages are shown, nil when they are locked. Asking is a touch.
func (d *desks) at(now time.Time) *desk {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil && now.Sub(d.touched).Abs() > lockAfter { // also when the clock was set
		d.current = nil
	}
	d.touched = now
	return d.current
}

// peek is what at is, without a touch: for what the pages ask by themselves.
func (d *desks) peek(now time.Time) *desk {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil && now.Sub(d.touched).Abs() > lockAfter {
		d.current = nil
	}
	return d.current
}

// lock locks the pages.
func (d *desks) lock() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil {
		d.current.forgetIdentity()
	}
	d.current = nil
}

// drop closes a desk for good.
func (d *desks) drop(gone *desk) error {
	d.mu.Lock()
	delete(d.open, gone.path)
	if d.current == gone {
		d.current = nil
	}
	d.mu.Unlock()
	return gone.close()
}

func (d *desks) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, one := range d.open {
		errs = append(errs, one.close())
	}
	d.open, d.current = map[string]*desk{}, nil
	return errors.Join(errs...)
}

func (d *desk) close() error {
	d.syncer.Close()
	return d.store.Close()
}

// signIn opens a worker's file with its key, or shows one that is open already to who knows the key.
func (u *UI) signIn(ctx context.Context, path string, key clientlib.Key) (*desk, error) {
	u.desks.mu.Lock()
	defer u.desks.mu.Unlock()
	d := u.desks.open[path]
	if d != nil {
		if err := d.store.Verify(ctx, key); err != nil {
			return nil, err
		}
	} else {
		options := u.Options
		options.Key = key
		store, err := clientlib.Open(ctx, path, options)
		debug.FreeOSMemory() // trying a PIN takes 64 MB, which a small tablet needs back at once
		if err != nil {
			return nil, err
		}
		d = &desk{path: path, store: store, settings: readSettings(path), syncer: store.KeepSyncing(u.Syncing)}
		d.syncer.SetMetered(false, d.settings.Metered)
		u.desks.open[path] = d
	}
	d.forgetIdentity()
	u.desks.current, u.desks.touched = d, u.wall()
	return d, nil
}

// profile is the name of the file.
func (d *desk) profile() string {
	base := filepath.Base(d.path)
	return base[:len(base)-len(filepath.Ext(base))]
}

func (d *desk) wants() settings {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settings
}

// set changes the settings, and keeps them.
func (d *desk) set(change func(*settings)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.settings
	change(&s)
	if err := s.write(d.path); err != nil {
		return err
	}
	d.settings = s
	d.syncer.SetMetered(d.paid, s.Metered)
	return nil
}

// identified reports whether identities may be shown without asking for the PIN again.
func (d *desk) identified(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return now.Before(d.identity) && d.identity.Sub(now) <= identityAfter
}

func (d *desk) showIdentity(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.identity = now.Add(identityAfter)
}

func (d *desk) forgetIdentity() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.identity, d.search = time.Time{}, search{}
}

// around is what a page needs of the deployment: its words, and who and where the worker is.
type around struct {
	status     clientlib.Status
	terms      *words.Terms
	deployment *recordv1.Deployment
	me         hlc.ID
	workers    map[hlc.ID]*recordv1.Worker
	sites      map[hlc.ID]*recordv1.Site
	teams      map[hlc.ID]*recordv1.Team
}

// look reads it. A tablet that has not synced yet has none of it, and shows what it has.
func (d *desk) look(ctx context.Context, w *words.Words) (*around, error) {
	a := &around{
		deployment: &recordv1.Deployment{}, workers: map[hlc.ID]*recordv1.Worker{}, sites: map[hlc.ID]*recordv1.Site{}, teams: map[hlc.ID]*recordv1.Team{},
	}
	status, err := d.store.Status(ctx)
	if err != nil {
		return nil, err
	}
	a.status, a.me = status, status.Worker
	if status.Enrolled && !status.Revoked {
		if err := a.read(ctx, d.store); err != nil {
			return nil, err
		}
	}
	a.terms = w.For(a.deployment)
	return a, nil
}

func (a *around) read(ctx context.Context, store *clientlib.Store) error {
	deployment, err := store.Deployment(ctx)
	switch {
	case err == nil:
		a.deployment = deployment.Message
	case clientlib.Code(err) != clientlib.CodeRecordMissing:
		return err
	}
	workers, err := store.Workers(ctx)
	if err != nil {
		return err
	}
	for _, w := range workers {
		a.workers[w.ID] = w.Message
	}
	sites, err := store.Sites(ctx)
	if err != nil {
		return err
	}
	for _, s := range sites {
		a.sites[s.ID] = s.Message
	}
	teams, err := store.Teams(ctx)
	if err != nil {
		return err
	}
	for _, t := range teams {
		a.teams[t.ID] = t.Message
	}
	return nil
}
