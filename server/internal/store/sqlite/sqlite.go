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
	write, err := sql.Open("sqlite", dsn(path, "immediate"))
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := migrations.Up(ctx, write, migrations.SQLite); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := sql.Open("sqlite", dsn(path, "deferred"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), write.Close())
	}
	// One connection writes; the other is there while statements are prepared.
	write.SetMaxOpenConns(2)
	write.SetMaxIdleConns(2)
	read.SetMaxIdleConns(8)
	return store.New(write, read, classify), nil
}

// dsn sets busy_timeout first, so that the pragmas after it wait as well. WAL lets readers go on beside the writer;
// FULL makes a commit wait for the disk.
func dsn(path, txlock string) string {
	q := url.Values{}
	for _, pragma := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-16000)", "temp_store(MEMORY)"} {
		q.Add("_pragma", pragma)
	}
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
