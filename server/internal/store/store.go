// Package store is the one SQL body behind the stores: statements that SQLite and PostgreSQL both take. Its folders
// hold what differs.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"levee/server/internal/tracing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// What can be wrong with a database as a whole.
var (
	// ErrDamaged: what is on the disk is not what was written there.
	ErrDamaged = errors.New("the database is damaged")
	// ErrForeign: a database, and not one of a server.
	ErrForeign = errors.New("it is no database of a Levee server")
	// ErrArchive: it is the archive of a deployment, which is only read.
	ErrArchive = errors.New("it is an archive, and nothing is written to it")
	// ErrHeld: a server runs on the database, or another one is being put in its place.
	ErrHeld = errors.New("the database is in use")
)

// DB is an open database. Reads never wait for those who write.
type DB struct {
	write, read *sql.DB
	engine      Engine
	sender      string
	observe     func(Took)
	// writing and reading hold a token for each open transaction.
	writing, reading chan struct{}
	flushes          flushes
	forms            forms
	// unsure has something once a commit has failed, or its answer was lost.
	unsure chan struct{}

	mu       sync.Mutex
	prepared map[preparedKey]*sql.Stmt
	// turns are those of the deployments that somebody writes to, or waits to.
	turns map[hlc.ID]*turn
}

type preparedKey struct {
	db    *sql.DB
	query string
}

// Engine is what differs between databases.
type Engine struct {
	// Classify turns a driver's error into a problem that people may see, where there is one for it.
	Classify func(error) error
	// Taken reports whether an error says that there is a row of the same key.
	Taken func(error) bool
	Words Words
	// Writers and Readers are how many transactions may be open at once.
	Writers, Readers int
	// Reads are the options of a transaction that reads: all of it sees one state.
	Reads sql.TxOptions
	// Locks says that several write side by side, in this process and in others: each holds the row of its deployment. Where it is
	// false, the database itself lets one write at a time.
	Locks bool
	// Prepare gives a statement the form in which it is prepared here, which takes a connection besides the transaction's own. It is nil
	// where the driver prepares by itself.
	Prepare func(query string) string
	// InsertMany stands for INSERT where many rows are inserted at once; empty where that is the word.
	InsertMany string
	// ValidText says that a text is valid UTF-8 without the character 0. What else is in one is replaced.
	ValidText bool
	// Standbys are how it is asked what standbys of the database have; the zero one where it has none.
	Standbys Standbys
	// Alone are statements that keep all others from writing until the transaction ends, if they are its first. There are none where a
	// database is held as a whole.
	Alone []string
	// Telling is how its servers tell each other what they have changed; the zero one where there is one alone.
	Telling Telling
	// Disk is nil where a commit waits for it itself.
	Disk Disk
	// Purge leaves nothing in the files of what was deleted. It takes the place of one writer.
	Purge func(ctx context.Context, write *sql.DB) error
}

// New is a store over two pools of one database, one to write and one to read.
func New(write, read *sql.DB, e Engine) *DB {
	return &DB{write: write, read: read, engine: e, sender: newSender(), observe: func(Took) {}, writing: make(chan struct{}, e.Writers), reading: make(chan struct{}, e.Readers),
		prepared: map[preparedKey]*sql.Stmt{}, unsure: make(chan struct{}, 1), turns: map[hlc.ID]*turn{}}
}

// Took is where the time of a transaction went.
type Took struct {
	ReadOnly bool
	// Waited is how long it waited for its turn, Worked how long it took until its commit or its end, and Committed how long the
	// commit took: 0 when it only read, or was undone.
	Waited, Worked, Committed time.Duration
	// Flushed is how long the disk took for what one or several had committed; all else is 0 then.
	Flushed time.Duration
}

// Observe has a function told of each transaction. It is for before the first one.
func (d *DB) Observe(fn func(Took)) { d.observe = fn }

// Close closes both pools.
func (d *DB) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, s := range d.prepared {
		errs = append(errs, s.Close())
	}
	errs = append(errs, d.read.Close(), d.write.Close())
	if d.engine.Disk != nil {
		errs = append(errs, d.engine.Disk.Close())
	}
	return errors.Join(errs...)
}

// Ping reports whether the database answers, and its disk takes what is written.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.flushes.failure(); err != nil {
		return err
	}
	return d.engine.Classify(d.read.PingContext(ctx))
}

// Deployment is the part of the database that belongs to one deployment.
func (d *DB) Deployment(id hlc.ID) *Deployment { return &Deployment{db: d, id: id} }

// Deployments are the ids of all deployments.
func (d *DB) Deployments(ctx context.Context) ([]hlc.ID, error) {
	var ids []hlc.ID
	err := d.snapshot(ctx, nil, func(tx *Tx) (err error) {
		ids, err = tx.ids(`SELECT deployment FROM deployments WHERE position > 0 ORDER BY deployment`)
		return err
	})
	return ids, err
}

// Deployment is one deployment's store.
type Deployment struct {
	db *DB
	id hlc.ID
}

// Tx is one transaction over one deployment.
type Tx struct {
	ctx context.Context
	db  *DB
	of  *sql.DB
	tx  *sql.Tx
	id  []byte
	// locked are the deployments whose rows it holds.
	locked map[hlc.ID]bool
	// told are the deployments of which others are told, and whether alerts of theirs have changed.
	told map[hlc.ID]bool
	// bound are the statements that this transaction has used: it holds what it binds until its end, so each is bound once.
	bound map[string]*sql.Stmt
}

// snapshot runs fn over one state of the database. id is that of the deployment that it is about, or nil.
func (d *DB) snapshot(ctx context.Context, id []byte, fn func(*Tx) error) error {
	return d.transact(ctx, transaction{began: time.Now(), name: "database read", of: d.read, tokens: d.reading, options: d.engine.Reads, id: id}, fn)
}

// change runs fn in a transaction that writes to a deployment, whose row it holds, and returns once the disk has what it wrote. Accounts
// are written under the zero one.
func (d *DB) change(ctx context.Context, deployment hlc.ID, fn func(*Tx) error) error {
	if err := d.commit(ctx, deployment, fn); err != nil {
		return err
	}
	return d.Durable()
}

// commit does as change, and does not wait for the disk: see Durable.
func (d *DB) commit(ctx context.Context, deployment hlc.ID, fn func(*Tx) error) error {
	began := time.Now()
	done, err := d.takeTurn(ctx, deployment)
	if err != nil {
		return err
	}
	defer done()
	return d.transact(ctx, d.writeTo(began, deployment[:]), func(tx *Tx) error {
		if err := tx.lock(deployment); err != nil {
			return err
		}
		return fn(tx)
	})
}

// changeUnlocked runs fn in a transaction that writes, and locks what it needs by itself. It returns once the disk has what that wrote.
func (d *DB) changeUnlocked(ctx context.Context, id []byte, fn func(*Tx) error) error {
	if err := d.transact(ctx, d.writeTo(time.Now(), id), fn); err != nil {
		return err
	}
	return d.Durable()
}

func (d *DB) writeTo(began time.Time, id []byte) transaction {
	return transaction{began: began, name: "database write", of: d.write, tokens: d.writing, id: id}
}

func acquire(ctx context.Context, tokens chan struct{}) (release func(), err error) {
	select {
	case tokens <- struct{}{}:
		return func() { <-tokens }, nil
	case <-ctx.Done():
		return nil, problem.New(problem.Busy)
	}
}

// transaction is what one is like.
type transaction struct {
	// began is since when it waits for its turn.
	began   time.Time
	name    string
	of      *sql.DB
	tokens  chan struct{}
	options sql.TxOptions
	id      []byte
}

func (d *DB) transact(ctx context.Context, t transaction, fn func(*Tx) error) (err error) {
	ctx, span := tracing.Start(ctx, t.name)
	defer func() { tracing.End(span, err) }()
	release, err := acquire(ctx, t.tokens)
	if err != nil {
		return err
	}
	defer release()
	if !t.options.ReadOnly {
		if err := d.flushes.failure(); err != nil {
			return err
		}
	}
	took := Took{ReadOnly: t.options.ReadOnly, Waited: time.Since(t.began)}
	defer func() {
		took.Worked = time.Since(t.began) - took.Waited - took.Committed
		d.observe(took)
	}()
	tx, err := t.of.BeginTx(ctx, &t.options)
	if err != nil {
		return d.engine.Classify(err)
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	run := &Tx{ctx: ctx, db: d, of: t.of, tx: tx, id: t.id, locked: map[hlc.ID]bool{}}
	if err := fn(run); err != nil {
		return d.engine.Classify(err)
	}
	if err := run.sayTold(); err != nil {
		return d.engine.Classify(err)
	}
	if t.options.ReadOnly {
		return d.engine.Classify(tx.Commit())
	}
	committing := time.Now()
	d.flushes.begun.Add(1)
	err = d.engine.Classify(tx.Commit())
	d.flushes.ended.Add(1)
	if err != nil {
		select {
		case d.unsure <- struct{}{}:
		default:
		}
		return err
	}
	took.Committed = time.Since(committing)
	return nil
}

// statement is a prepared form of a query, which the pool keeps for every connection that has used it.
func (t *Tx) statement(query string) (*sql.Stmt, error) {
	if s, ok := t.bound[query]; ok {
		return s, nil
	}
	t.db.mu.Lock()
	defer t.db.mu.Unlock()
	key := preparedKey{t.of, query}
	s, ok := t.db.prepared[key]
	if !ok {
		var err error
		// This takes a connection besides the transaction's own, so the pools must not be limited to one.
		if s, err = t.of.PrepareContext(t.ctx, t.db.engine.Prepare(query)); err != nil {
			return nil, fmt.Errorf("preparing %q: %w", query, err)
		}
		t.db.prepared[key] = s
	}
	bound := t.tx.StmtContext(t.ctx, s)
	if t.bound == nil {
		t.bound = map[string]*sql.Stmt{}
	}
	t.bound[query] = bound
	return bound, nil
}

func (t *Tx) query(query string, args []any) (*sql.Rows, error) {
	if t.db.engine.Prepare == nil {
		return t.tx.QueryContext(t.ctx, query, t.valid(args)...)
	}
	s, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(t.ctx, args...)
}

// valid are arguments with such texts as the engine has.
func (t *Tx) valid(args []any) []any {
	if !t.db.engine.ValidText {
		return args
	}
	for i, arg := range args {
		if text, ok := arg.(string); ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			args = slices.Clone(args)
			args[i] = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
		}
	}
	return args
}

type scanner interface{ Scan(...any) error }

// one reads at most one row; false when there is none.
func (t *Tx) one(query string, args []any, into ...any) (found bool, err error) {
	rows, err := t.query(query, args)
	if err != nil {
		return false, err
	}
	defer func() { _ = rows.Close() }()
	if found = rows.Next(); found {
		err = rows.Scan(into...)
	}
	return found, errors.Join(err, rows.Close(), rows.Err())
}

func (t *Tx) each(query string, args []any, row func(scanner) error) error {
	rows, err := t.query(query, args)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *Tx) run(query string, args ...any) error {
	if t.db.engine.Prepare == nil {
		_, err := t.tx.ExecContext(t.ctx, query, t.valid(args)...)
		return err
	}
	s, err := t.statement(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(t.ctx, args...)
	return err
}
