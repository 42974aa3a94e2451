// Package localdb is what a tablet keeps, in one SQLite file: records, its own changes, and how far it has synced. All
// SQL of the tablet is here, and with it the rule that ties the tables together: a record's view is its base merged
// with the own changes that the server has neither acknowledged nor held.
package localdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"levee/migrations"
)

// What can be wrong with the file, whatever was asked of it.
var (
	ErrFull    = errors.New("the disk is full")
	ErrDamaged = errors.New("the database is damaged, or is no database")
	ErrBusy    = errors.New("another program holds the database for too long")
)

// DB is one tablet's file. It is safe for concurrent use, also by several processes.
type DB struct {
	// write has a single connection: SQLite takes one writer at a time, and waiting in line here is fair and can be
	// cancelled, while waiting for SQLite's lock is neither.
	write *sql.DB
	read  *sql.DB
}

// pageSize is SQLite's own.
const pageSize = 4096

// readers is how many reads go on at a time in one process.
const readers = 4

// Open opens the file, makes it if it is not there, and brings its schema up to date. A file whose schema is newer is
// refused with migrations.ErrNewer and left as it is. Where maxBytes is not 0, the file does not grow beyond it: what needs
// more fails with ErrFull.
func Open(ctx context.Context, path string, maxBytes int64) (*DB, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	db := &DB{}
	var err error
	// busy_timeout comes first: the pragmas behind it may have to wait for another process.
	options := "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(ON)"
	if maxBytes > 0 {
		options += fmt.Sprintf("&_pragma=max_page_count(%d)", max(1, maxBytes/pageSize))
	}
	if db.write, err = sql.Open("sqlite", dsn(path, options)); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	db.write.SetMaxOpenConns(1)
	if err := migrations.Up(ctx, db.write, migrations.Client); err != nil {
		_ = db.write.Close()
		return nil, fmt.Errorf("opening %s: %w", path, ofDamage(ctx, path, classify(err)))
	}
	if db.read, err = sql.Open("sqlite", dsn(path, "_pragma=busy_timeout(10000)&_pragma=query_only(1)")); err != nil {
		_ = db.write.Close()
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	db.read.SetMaxOpenConns(readers)
	return db, nil
}

// ofDamage says of an error that SQLite has no code for whether the file is damaged: where pages are missing, a table
// may be there and not there.
func ofDamage(ctx context.Context, path string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) || e.Code()&0xff != lib.SQLITE_ERROR {
		return err
	}
	if healthy, herr := Healthy(ctx, path); herr != nil || healthy {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// create makes an empty file that only its owner can read. SQLite gives the files beside it the same mode.
func create(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	return f.Close()
}

// dsn names the file as a URI, so that no character of its path is taken for anything else.
func dsn(path, options string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path // file:///C:/…
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options}).String()
}

// Close waits for what is under way and closes the file.
func (db *DB) Close() error {
	return errors.Join(classify(db.read.Close()), classify(db.write.Close()))
}

// Tx is one transaction. It ends with the function that it was handed to.
type Tx struct {
	ctx context.Context
	sql *sql.Tx
}

// Write runs f in a transaction that commits when f returns nil; then what f wrote is on the disk. It waits for other
// writers as long as ctx lets it. Once f runs, ctx no longer interrupts: it takes milliseconds.
func (db *DB) Write(ctx context.Context, f func(*Tx) error) error {
	return transact(ctx, db.write, nil, f)
}

// Read runs f on one snapshot.
func (db *DB) Read(ctx context.Context, f func(*Tx) error) error {
	return transact(ctx, db.read, &sql.TxOptions{ReadOnly: true}, f)
}

func transact(ctx context.Context, db *sql.DB, options *sql.TxOptions, f func(*Tx) error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return classify(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx = context.WithoutCancel(ctx)
	tx, err := conn.BeginTx(ctx, options)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if err := f(&Tx{ctx, tx}); err != nil {
		return classify(err)
	}
	return classify(tx.Commit())
}

func (tx *Tx) exec(query string, args ...any) error {
	_, err := tx.sql.ExecContext(tx.ctx, query, args...)
	return err
}

// each runs a query and hands every row to scan.
func (tx *Tx) each(scan func(row) error, query string, args ...any) (err error) {
	rows, err := tx.sql.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row is one row of a query.
type row interface{ Scan(...any) error }

// classify names what SQLite's codes say about the file, so that no caller needs to know SQLite.
func classify(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	default:
		return err
	}
}
