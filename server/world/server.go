package world

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"levee/server"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// host is the machine of the server.
type host struct {
	w      *world
	path   string
	keys   string       // the path of its secrets
	off    atomic.Int64 // of its clock, milliseconds
	boots  uint64
	server *server.Server // nil while it is down
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
	if err := w.made.server.write(w.host.path); err != nil {
		return err
	}
	return w.host.start()
}

func (h *host) wall() time.Time { return time.UnixMilli(h.w.now.Load() + h.off.Load()) }

func (h *host) start() (err error) {
	h.boots++
	h.server, err = server.New(h.w.ctx, server.Config{DB: h.path, Keys: h.keys, URL: serverURL, Wall: h.wall, Unlimited: true, After: never, Entropy: entropy(h.w.seed, partServer+h.boots)})
	if err != nil {
		return h.w.broken("the server does not start: %v", err)
	}
	return h.rest()
}

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
	return errors.Join(h.server.Flush(h.w.ctx), h.rest())
}

func (h *host) close() error {
	if h.server == nil {
		return nil
	}
	s := h.server
	h.server = nil
	return s.Close()
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
	h.server.Handler().ServeHTTP(a, in)
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
	if err := m.write(h.path); err != nil {
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
func rows(ctx context.Context, path, query string, scan func(*sql.Rows) error) (err error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return each(ctx, db, query, scan)
}

func each(ctx context.Context, db *sql.DB, query string, scan func(*sql.Rows) error) (err error) {
	found, err := db.QueryContext(ctx, query)
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
	err = rows(h.w.ctx, h.path, fmt.Sprintf(`SELECT kind FROM records WHERE id = x'%x'`, id[:]), func(r *sql.Rows) error { return r.Scan(&k) })
	return k, err
}

// heldNow are the changes that are held, and not discarded.
func (h *host) heldNow() ([]logged, error) {
	log, err := h.log()
	return slices.DeleteFunc(log, func(l logged) bool { return slices.Contains(decidedOutcomes, l.outcome) }), err
}
