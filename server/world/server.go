package world

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"levee/server"
	"levee/server/internal/database"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// host is the machine of the server.
type host struct {
	w     *world
	path  string       // or its URL
	keys  string       // the path of its secrets
	off   atomic.Int64 // of its clock, milliseconds
	boots uint64
	// server is nil while it is down, and so are others then, which are on the same database. balance says whom each request reaches.
	server  *server.Server
	others  []*server.Server
	balance *rand.Rand
	// postgres keeps the database; nil where it is a file.
	postgres *onPostgres
	// promised is how far tablets were told that the server has each replica, since it was last set back.
	promised map[int64]int64
	// copies are older states of the database, setBacks how often it became one of them again.
	copies   []copied
	setBacks int
	// sane is the database from before the clock ran ahead; nil while it does not.
	sane *image
	// allowed is what each worker's tablet may ever have had, as lost histories tell.
	allowed allowed
}

func (w *world) openHost() error {
	w.host = &host{w: w, path: filepath.Join(w.dir, "server.db"), keys: filepath.Join(w.dir, "keys"), promised: map[int64]int64{}, allowed: allowed{}}
	if err := os.WriteFile(w.host.keys, w.made.keys, 0o600); err != nil {
		return err
	}
	if err := w.host.keep(); err != nil {
		return err
	}
	if err := w.host.put(w.made.server); err != nil {
		return err
	}
	return w.host.start()
}

// keep says where the database is kept.
func (h *host) keep() error {
	h.balance = h.w.random(partBalance)
	if h.w.config.Postgres == "" {
		return nil
	}
	c, err := openCluster(h.w.config.Postgres)
	h.postgres = &onPostgres{cluster: c}
	return err
}

// put puts a copy in the database's place. No server may run.
func (h *host) put(m image) error {
	if h.postgres == nil {
		return m.write(h.path)
	}
	err := h.postgres.put(h.w.ctx, m)
	h.path = h.postgres.address(h.postgres.database)
	return err
}

// copied is a copy of the database as it is now. In PostgreSQL nobody may have it open meanwhile.
func (h *host) copied() (m image, err error) {
	if h.postgres == nil {
		return copyOf(h.path)
	}
	running := h.server != nil
	if err := h.close(); err != nil {
		return m, err
	}
	if m, err = h.postgres.copied(h.w.ctx); err != nil || !running {
		return m, err
	}
	return m, h.start()
}

// remove leaves nothing of the database where that is not in the world's folder.
func (h *host) remove() error {
	if h.postgres == nil {
		return nil
	}
	return h.postgres.close(h.w.ctx)
}

func (h *host) wall() time.Time { return time.UnixMilli(h.w.now.Load() + h.off.Load()) }

func (h *host) start() (err error) {
	h.boots++
	config := server.Config{DB: h.path, Keys: h.keys, URL: serverURL, Wall: h.wall, Unlimited: true, After: never, Entropy: entropy(h.w.seed, partServer+h.boots)}
	if h.server, err = server.New(h.w.ctx, config); err != nil {
		return h.w.broken("the server does not start: %v", err)
	}
	for n := 2; n <= h.w.config.Servers; n++ {
		h.boots++
		config.Journal, config.Entropy = fmt.Sprint(h.keys, ".journal", n), entropy(h.w.seed, partServer+h.boots)
		other, err := server.New(h.w.ctx, config)
		if err != nil {
			return h.w.broken("server %d does not start: %v", n, err)
		}
		h.others = append(h.others, other)
	}
	return h.rest()
}

// all are the servers that run.
func (h *host) all() []*server.Server { return append([]*server.Server{h.server}, h.others...) }

// rest waits until the server has done what it does after a commit without being asked: its database is as the story says.
func (h *host) rest() error {
	if err := h.server.SortedIn(h.w.ctx); err != nil {
		return h.w.broken("the server does not sort in what it has: %v", err)
	}
	return nil
}

// never is the server's way to wait for a time: what it would do then, it does when the world says.
func never(time.Duration) <-chan time.Time { return nil }

// flushAfter is after how long the server writes what devices said, in a commit of its own.
const flushAfter = 2 * time.Second

// pass lets the server do what it does when nobody has asked for a while.
func (h *host) pass(d time.Duration) error {
	if d < flushAfter || h.server == nil {
		return nil
	}
	var errs []error
	for _, one := range h.all() {
		errs = append(errs, one.Flush(h.w.ctx))
	}
	return errors.Join(append(errs, h.rest())...)
}

func (h *host) close() error {
	if h.server == nil {
		return nil
	}
	var errs []error
	for _, one := range h.all() {
		errs = append(errs, one.Close())
	}
	h.server, h.others = nil, nil
	return errors.Join(errs...)
}

// serve hands a request to the server, and kills it where that was planned.
func (h *host) serve(r *http.Request, body io.Reader) (*http.Response, error) {
	j := h.w.journey
	if d := j.serverDies; d != nil && d.request <= j.count {
		j.serverDies = nil
		answer, err := h.die(d, r, body)
		h.w.fatal = errors.Join(h.w.fatal, err)
		if answer == nil {
			return nil, errLink
		}
		return answer, nil
	}
	if h.server == nil {
		return nil, errLink
	}
	return h.answer(r, body), nil
}

// clientAddress is where all requests come from.
const clientAddress = "192.0.2.1:1"

// answer calls the server's handler.
func (h *host) answer(r *http.Request, body io.Reader) *http.Response {
	in := r.Clone(context.WithoutCancel(r.Context()))
	in.Body, in.RequestURI, in.RemoteAddr = io.NopCloser(body), r.URL.RequestURI(), clientAddress
	a := &answer{header: http.Header{}}
	asked := h.server
	if all := h.all(); len(all) > 1 {
		asked = all[h.balance.IntN(len(all))]
	}
	asked.Handler().ServeHTTP(a, in)
	a.WriteHeader(http.StatusOK) // unless it was written
	h.w.fatal = errors.Join(h.w.fatal, h.rest())
	h.w.sum(a.body.Bytes())
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.sent, Body: io.NopCloser(bytes.NewReader(a.body.Bytes())), ContentLength: int64(a.body.Len()), Request: r,
	}
}

// answer keeps what a handler writes.
type answer struct {
	header, sent http.Header
	status       int
	body         bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// die kills the server around a request, and starts it again from what was on its disk. The answer is nil when it did not
// get out.
func (h *host) die(d *death, r *http.Request, body io.Reader) (answer *http.Response, err error) {
	if h.postgres != nil {
		return h.dieApart(d, r, body)
	}
	left, err := copyOf(h.path)
	if err != nil {
		return nil, err
	}
	when := d.when
	if when != beforeCommit {
		before := left
		got := h.answer(r, body)
		if left, err = copyOf(h.path); err != nil {
			return nil, err
		}
		var committed bool
		switch when {
		case inCommit:
			if left, committed = left.torn(before, d.at); !committed {
				when = afterCommit // the request wrote nothing
			}
		case afterAnswer:
			answer = got
		}
	}
	h.w.met([...]Fault{ServerKilledBefore, ServerKilledIn, ServerKilledAfter, ServerKilledAnswered}[when])
	h.w.say("  the server is killed %s", when)
	return answer, errors.Join(h.become(left), h.keepsItsWord())
}

// dieApart does so where the database is not the server's own: what was not committed is gone with the connection.
func (h *host) dieApart(d *death, r *http.Request, body io.Reader) (answer *http.Response, err error) {
	if d.when == afterCommit || d.when == afterAnswer {
		if answer = h.answer(r, body); d.when == afterCommit {
			answer = nil
		}
	}
	h.w.met([...]Fault{ServerKilledBefore, ServerKilledIn, ServerKilledAfter, ServerKilledAnswered}[d.when])
	h.w.say("  the server is killed %s", d.when)
	if err := h.close(); err != nil {
		return nil, err
	}
	return answer, errors.Join(h.start(), h.keepsItsWord())
}

// keepsItsWord checks that the server has, after it was killed, all that tablets were told it has.
func (h *host) keepsItsWord() error {
	have := map[int64]int64{}
	err := rows(h.w.ctx, h.path, `SELECT replica, have FROM replicas`, func(r *sql.Rows) error {
		var replica, n int64
		err := r.Scan(&replica, &n)
		have[replica] = n
		return err
	})
	for replica, n := range h.promised {
		if have[replica] < n {
			h.w.result.Lost++
			h.w.wrong("lost: the server said that it had %d changes of replica %d; after it was killed it has %d", n, replica, have[replica])
		}
	}
	return err
}

// become puts a copy in the database's place and starts the server again.
func (h *host) become(m image) error {
	if err := h.close(); err != nil {
		return err
	}
	if err := h.put(m); err != nil {
		return err
	}
	return h.start()
}

// logged is an entry of the server's log.
type logged struct {
	position          uint64
	replica, sequence int64
	change, record    hlc.ID
	outcome           string
	body, chain       []byte
}

// log reads the server's log.
func (h *host) log() ([]logged, error) {
	var all []logged
	err := rows(h.w.ctx, h.path, `SELECT position, replica, sequence, change, record, outcome, body, chain FROM log ORDER BY position`, func(r *sql.Rows) error {
		var l logged
		var change, rec []byte
		err := r.Scan(&l.position, &l.replica, &l.sequence, &change, &rec, &l.outcome, &l.body, &l.chain)
		l.change, l.record = hlc.ID(change), hlc.ID(rec)
		all = append(all, l)
		return err
	})
	return all, err
}

// stored is a record as a database has it.
type stored struct {
	kind      record.Kind
	state     []byte
	registers record.Registers
}

// records reads records by a query for id, kind and state.
func records(ctx context.Context, path, query string) (map[hlc.ID]stored, error) {
	all := map[hlc.ID]stored{}
	err := rows(ctx, path, query, func(r *sql.Rows) error {
		var id []byte
		var s stored
		if err := r.Scan(&id, &s.kind, &s.state); err != nil {
			return err
		}
		var err error
		s.registers, err = record.DecodeState(s.state)
		all[hlc.ID(id)] = s
		return err
	})
	return all, err
}

// rows reads a database directly: what people are shown leaves out the stamps.
func rows(ctx context.Context, path, query string, scan func(*sql.Rows) error, args ...any) (err error) {
	driver := "sqlite"
	if database.At(path).OnPostgres() {
		driver = "pgx"
	}
	db, err := sql.Open(driver, path)
	if err != nil {
		return fmt.Errorf("reading %v: %w", database.At(path), err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return each(ctx, db, query, scan, args...)
}

func each(ctx context.Context, db *sql.DB, query string, scan func(*sql.Rows) error, args ...any) (err error) {
	found, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("reading a database: %w", err)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		if err := scan(found); err != nil {
			return fmt.Errorf("reading a database: %w", err)
		}
	}
	return found.Err()
}

// kindOf is a record's kind; 0 when it is not there.
func (h *host) kindOf(id hlc.ID) (k record.Kind, err error) {
	err = rows(h.w.ctx, h.path, `SELECT kind FROM records WHERE id = $1`, func(r *sql.Rows) error { return r.Scan(&k) }, id[:])
	return k, err
}

// heldNow are the changes that are held, and not discarded.
func (h *host) heldNow() ([]logged, error) {
	log, err := h.log()
	return slices.DeleteFunc(log, func(l logged) bool { return slices.Contains(decidedOutcomes, l.outcome) }), err
}
