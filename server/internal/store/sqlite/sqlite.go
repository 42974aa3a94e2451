// Package sqlite opens the server's store in one SQLite file.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"levee/migrations"
	"levee/server/internal/store"
	"levee/syncproto/problem"
)

// Open opens or makes the database in a file, and brings its schema up to date. A database of a newer program is
// refused with migrations.ErrNewer.
func Open(ctx context.Context, path string) (*store.DB, error) {
	// The file holds personal data: it is made for its owner alone, before SQLite makes it for everybody.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	write, err := sql.Open("sqlite", dsn(path, "immediate", pragmas...))
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := migrations.Up(ctx, write, migrations.SQLite); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := sql.Open("sqlite", dsn(path, "deferred", pragmas...))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), write.Close())
	}
	// One connection writes; the other is there while statements are prepared.
	write.SetMaxOpenConns(2)
	write.SetMaxIdleConns(2)
	read.SetMaxIdleConns(8)
	return store.New(write, read, classify), nil
}

// OpenToRead opens the database in a file that is there, and never writes to it. It works beside a running server.
func OpenToRead(ctx context.Context, path string) (*store.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	// With rw the file is not made. With ro a WAL that was left could not be read.
	read, err := sql.Open("sqlite", dsn(path, "deferred", "query_only(1)")+"&mode=rw")
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	var tables int
	err = read.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'deployments'`).Scan(&tables)
	switch {
	case err != nil:
		err = fmt.Errorf("opening %s: %w", path, err)
	case tables == 0:
		err = fmt.Errorf("%s is no database of a Levee server", path)
	default:
		err = migrations.Check(ctx, read, migrations.SQLite)
	}
	if err != nil {
		return nil, errors.Join(err, read.Close())
	}
	return store.New(read, read, classify), nil
}

// pragmas of a server: WAL lets readers go on beside the writer; FULL makes a commit wait for the disk.
var pragmas = []string{"journal_mode(WAL)", "synchronous(FULL)", "cache_size(-16000)", "temp_store(MEMORY)"}

// dsn sets busy_timeout first, so that the pragmas after it wait as well.
func dsn(path, txlock string, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	q.Set("_txlock", txlock)
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// classify tells what people can do something about: a disk that is full, a database that is busy.
func classify(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL:
		return &problem.Problem{Code: problem.StorageFull, Detail: err.Error()}
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return &problem.Problem{Code: problem.Busy, Detail: err.Error()}
	default:
		return err
	}
}
