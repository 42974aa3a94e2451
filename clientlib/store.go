// Package clientlib is a tablet of a deployment: it keeps what its worker logs in one SQLite file, without any network,
// and syncs with the server when there is one.
//
// A call that logs returns when the record is on the disk, and the record stays there. Once enrolled, a tablet works
// without ever reaching its server again. All methods of a Store may be called at the same time, and several
// processes may have the same file open.
//
// # At rest
//
// What was written about people lies sealed in the file (XChaCha20-Poly1305), under a data key that is in the file beside
// it, NAME.key, wrapped under a PIN or passphrase, or under a key that the machine keeps. Without it nobody reads names,
// notes or any other field of a record, nor can act as this tablet; and there is no way around it: who forgets the PIN
// enrols anew. In the open stand ids, kinds, days, which records belong together, when each was changed last, which of
// them wait for somebody (drafts, reviews that returned something, conflicts, this worker's open cases), which referrals were sent, how far the tablet has synced, the server's address, and in the key's file
// the name of the worker and of the deployment. Wrong PINs have to wait longer and longer: that slows whoever holds the
// tablet, and argon2id slows whoever took a copy of both files. A backup of the file needs the key's file with it.
//
// A danger does not wait for a PIN. Beside the file lies NAME.emergency, which tells in the open whom to phone and how far this worker's own
// risk alerts are; and NAME.alert-ID has an alert that was taken before anybody had signed in, sealed to a key that only the file's opens.
// See Emergency and TakeAlert.
//
// Errors carry stable codes, and Message turns them into a sentence for people.
//
// # Logging
//
// Every Log call, and Count, makes one record, fills in what was left out, and returns its id once it is on the disk.
// The message handed in is not changed.
//
// Filled in where absent: author, with the tablet's worker; the day, with that of the activity or session for what is
// counted or written about one, else with today in the deployment's time zone; team, site and place, with those of the
// record that it belongs to, else team and site with the worker's own and place with the site's; the service area of
// sessions, headcounts and attendances, with that of what they belong to; status, for what is held on a day, with held;
// entry, with live, or with backfilled when the day is past. What else is filled in stands with each call.
//
// A record that lacks a required field is kept as a draft, which does not count; see Record.Missing.
//
// Errors of all of them: an *InvalidError when a field is not valid; codes owner_missing and owner_deleted when what the
// record belongs to is not there; deployment_archived, but for risk alerts, once the deployment is over; not_enrolled,
// storage_full, database_busy, cancelled, closed. After an error nothing of the record was kept.
package clientlib

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	// A tablet may have no zone database, and has to know the deployment's days all the same.
	_ "time/tzdata"

	"levee/clientlib/internal/localdb"
	"levee/clientlib/internal/remote"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// Options are what a Store takes from around it. All but Key may be left out.
type Options struct {
	// Key opens the file, and is set as the key of a file that has none yet: PIN or HostKey.
	Key Key
	// Wall is the machine's clock, right or wrong; hlc.Wall when nil.
	Wall func() time.Time
	// Transport carries requests to the server. When nil, connections of the store's own are used, which give up after
	// a minute without a byte, and are closed by Close. A server that signed its certificate itself is reached by those
	// alone: they know it by its pin.
	Transport http.RoundTripper
	// Entropy is where ids and keys come from; crypto/rand when nil. A seeded source makes the same ids again.
	Entropy io.Reader
	// Name is what people call this tablet: at most 100 bytes. The server is told when the tablet enrols.
	Name string
	// App is the program and its version, for the server's list of tablets: at most 60 bytes.
	App string
	// MaxBytes is how large the file may grow; what needs more fails with storage_full, as on a full disk. 0 sets no limit.
	// The write-ahead log beside it, of a few MB, does not count.
	MaxBytes int64
}

// Store is a tablet's file, open.
type Store struct {
	db        *localdb.DB
	wall      func() time.Time
	entropy   io.Reader
	transport http.RoundTripper // nil: the store's own
	name, app string
	// revoked: the server has put this tablet out of use, and what its file held is destroyed.
	revoked atomic.Bool

	// syncing holds a token while no sync is under way.
	syncing chan struct{}
	// alerted: a risk alert was logged or changed since the emergency card was written last.
	alerted atomic.Bool

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
	// own are the store's own connections, by the pin of the server.
	own map[wire.Pin]*http.Transport
	// life ends when Close is called.
	life context.Context
	end  context.CancelFunc
}

// Open opens the file of a tablet and makes it if it is not there. Codes of errors: database_newer (the file is left as
// it was), database_damaged, database_busy, storage_full; key_needed, key_weak for a first key, key_wrong, key_wait,
// key_missing, key_damaged, key_destroyed.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	db, err := localdb.Open(ctx, path, o.below())
	if err != nil {
		return nil, known(err)
	}
	s := &Store{
		db: db, wall: o.Wall, entropy: o.Entropy, transport: o.Transport, own: map[wire.Pin]*http.Transport{},
		name: o.Name, app: o.App, syncing: make(chan struct{}, 1),
	}
	s.syncing <- struct{}{}
	if s.wall == nil {
		s.wall = hlc.Wall
	}
	if s.entropy == nil {
		s.entropy = rand.Reader
	}
	s.life, s.end = context.WithCancel(context.Background())
	_ = s.relabel(ctx) // what is wrong with the file is told by whatever needs it
	s.logWaitingAlerts(ctx)
	s.renewCard(ctx)
	return s, nil
}

// Close stops a sync that is under way, waits for all calls to return and closes the file. Nothing of the store runs
// on afterwards, and calls fail with code closed. Closing again does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()

	s.end()
	s.calls.Wait()
	for _, own := range s.own { // no call is left that could make another
		own.CloseIdleConnections()
	}
	return known(s.db.Close())
}

// way is what carries requests to a server with a pin, or with none.
func (s *Store) way(pin wire.Pin) http.RoundTripper {
	if s.transport != nil {
		return s.transport
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own[pin] == nil {
		s.own[pin] = remote.NewTransport(pin)
	}
	return s.own[pin]
}

// enter begins a call: the context that it gets ends with the store. leave must be called when the call is done.
func (s *Store) enter(ctx context.Context) (_ context.Context, leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, &Error{CodeClosed, nil}
	}
	s.calls.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.life, cancel)
	return ctx, func() {
		stop()
		cancel()
		s.calls.Done()
	}, nil
}

// read runs f on one snapshot of an enrolled tablet's file.
func (s *Store) read(ctx context.Context, f func(*localdb.Tx, *localdb.Tablet) error) error {
	return s.in(ctx, s.db.Read, f)
}

// write runs f in one transaction of an enrolled tablet's file.
func (s *Store) write(ctx context.Context, f func(*localdb.Tx, *localdb.Tablet) error) error {
	err := s.in(ctx, s.db.Write, f)
	if err == nil && s.alerted.Swap(false) {
		s.renewCard(ctx)
	}
	return err
}

func (s *Store) in(ctx context.Context, transact func(context.Context, func(*localdb.Tx) error) error, f func(*localdb.Tx, *localdb.Tablet) error) error {
	return s.even(ctx, transact, func(tx *localdb.Tx, t *localdb.Tablet) error {
		if t.Revoked {
			return problem.New(problem.DeviceRevoked)
		}
		return f(tx, t)
	})
}

// even does what in does, even on a revoked tablet.
func (s *Store) even(ctx context.Context, transact func(context.Context, func(*localdb.Tx) error) error, f func(*localdb.Tx, *localdb.Tablet) error) error {
	ctx, leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if s.revoked.Load() {
		return problem.New(problem.DeviceRevoked)
	}
	return known(transact(ctx, func(tx *localdb.Tx) error {
		t, err := tx.Tablet()
		if err != nil {
			return err
		}
		return f(tx, t)
	}))
}
