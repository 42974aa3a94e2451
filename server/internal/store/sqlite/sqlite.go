// Package sqlite opens the server's store in one SQLite file.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"levee/migrations"
	"levee/server/internal/store"
	"levee/syncproto/problem"
)

// Open opens or makes the database in a file, and brings its schema up to date. A database of a newer program is
// refused with migrations.ErrNewer, one that is damaged with store.ErrDamaged, and one of another program with
// store.ErrForeign, an archive with store.ErrArchive; they are left as they are.
func Open(ctx context.Context, path string) (*store.DB, error) {
	return open(ctx, path, pragmas, openWAL)
}

func open(ctx context.Context, path string, pragmas []string, diskOf func(path string) (store.Disk, error)) (*store.DB, error) {
	// The file holds personal data: it is made for its owner alone, before SQLite makes it for everybody.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	path = Resolved(path)
	if err := refuseArchive(path); err != nil { // before the pragmas, which write
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	// A commit is as durable without the times of the files, and takes half as long. Where the system knows no such call, all is synced.
	if _, err := driver.Fdatasync(true); err != nil && !errors.Is(err, driver.ErrFdatasyncUnavailable) {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	write, err := sql.Open("sqlite", dsn(path, "immediate", pragmas...))
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := examine(ctx, write); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	if err := migrations.Up(ctx, write, migrations.SQLite); err != nil {
		return nil, errors.Join(classify(err), write.Close())
	}
	// What a disk refused to a server that ended then may be in the system's memory alone, as part of the WAL: it is written anew. A disk
	// that is full has no room for that, and a server reads all the same.
	if err := renewWAL(ctx, write, path); err != nil && problem.CodeOf(err) != problem.StorageFull {
		return nil, errors.Join(err, write.Close())
	}
	// There are many readers, and each has a cache of its own: what they read is in the cache of the system too.
	read, err := sql.Open("sqlite", dsn(path, "deferred", append(slices.Clone(pragmas), "cache_size(-4000)")...))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), write.Close())
	}
	// One connection writes; the other is there while statements are prepared.
	write.SetMaxOpenConns(2)
	write.SetMaxIdleConns(2)
	read.SetMaxIdleConns(8)
	serving := engine
	if serving.Disk, err = diskOf(path); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), read.Close(), write.Close())
	}
	db := store.New(write, read, serving)
	if err := db.FillDays(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("filling the tables by day: %w", err), db.Close())
	}
	return db, nil
}

// examine refuses what is damaged, and what is not a server's: a file that is empty may become one.
func examine(ctx context.Context, db *sql.DB) error {
	switch whose, err := belongs(ctx, db); {
	case err != nil:
		return err
	case whose == foreign:
		return store.ErrForeign
	case whose == nobodys:
		return nil
	}
	faults, err := integrity(ctx, db, "quick_check")
	if err == nil && len(faults) > 0 {
		err = fmt.Errorf("%w: %s", store.ErrDamaged, faults[0])
	}
	return err
}

type owner int

const (
	nobodys owner = iota // no tables
	servers
	foreign
)

// belongs tells whose database it is by its tables.
func belongs(ctx context.Context, db *sql.DB) (owner, error) {
	var ours, all int
	err := db.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE name = 'deployments'), count(*) FROM sqlite_schema
		WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'`).Scan(&ours, &all)
	switch {
	case err != nil:
		return nobodys, classify(err)
	case ours > 0:
		return servers, nil
	case all > 0:
		return foreign, nil
	default:
		return nobodys, nil
	}
}

// OpenToRead opens the database in a file that is there, and never writes to it. It works beside a running server.
func OpenToRead(ctx context.Context, path string) (*store.DB, error) {
	// With rw the file is not made. With ro a WAL that was left could not be read.
	return openToRead(ctx, path, "rw")
}

// OpenStill opens a database that nobody has open, as a backup that was just made, and leaves no trace beside it.
func OpenStill(ctx context.Context, path string) (*store.DB, error) {
	return openToRead(ctx, path, "ro&immutable=1")
}

// OpenAside opens a database that is no longer in use, and may be damaged, to look at it: not even what its WAL holds is
// moved into it.
func OpenAside(ctx context.Context, path string) (*store.DB, error) {
	return openToRead(ctx, path, "ro")
}

func openToRead(ctx context.Context, path, mode string) (*store.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	read, err := sql.Open("sqlite", dsn(path, "deferred", "query_only(1)")+"&mode="+mode)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	whose, err := belongs(ctx, read)
	switch {
	case err != nil:
		err = fmt.Errorf("opening %s: %w", path, err)
	case whose != servers:
		err = fmt.Errorf("%s: %w", path, store.ErrForeign)
	default:
		err = classify(migrations.Check(ctx, read, migrations.SQLite))
	}
	if err != nil {
		return nil, errors.Join(err, read.Close())
	}
	db := store.New(read, read, engine)
	if full, err := db.DaysFilled(ctx); err != nil || !full {
		if err == nil {
			err = fmt.Errorf("%w: the tables by day are not filled", migrations.ErrOlder)
		}
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// engine is what SQLite is like: one writes, and reads run beside it. A statement that fails leaves the rows that it has written: its
// transaction is undone in any case, and nothing needs to be kept aside so that the statement alone could be.
var engine = store.Engine{Classify: classify, Taken: taken, Words: words, Writers: 1, Readers: 16, Reads: sql.TxOptions{ReadOnly: true}, Prepare: unnumbered, InsertMany: "INSERT OR FAIL", Purge: purge}

// purge writes the whole file anew, so that it holds nothing but what is stored, and empties the WAL.
func purge(ctx context.Context, db *sql.DB) error {
	for _, statement := range []string{`INSERT INTO words (words) VALUES ('optimize')`, `VACUUM`} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	var busy, log, moved int
	if err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return errReaders
	}
	return nil
}

// errReaders says that the WAL could not be emptied, because somebody reads what is in it.
var errReaders = errors.New("the write-ahead log is being read")

// pragmas of a server: WAL lets readers go on beside the writer. NORMAL keeps the file sound whenever the power fails; a commit does not
// wait for the disk by itself, so that the next transaction need not either: see store.DB.Durable. What is deleted is overwritten.
// The WAL is moved into the file at 16000 pages (64 MB), not at SQLite's 1000: the pages that every commit writes are moved once for sixteen
// times as many commits. It grows beyond that only while somebody reads an old snapshot.
var pragmas = []string{"journal_mode(WAL)", "synchronous(NORMAL)", "wal_autocheckpoint(16000)", "cache_size(-16000)", "temp_store(MEMORY)", "secure_delete(ON)"}

// busyTimeout is how long is waited for those who write, in milliseconds.
const busyTimeout = 10_000

// dsn sets busy_timeout first, so that the pragmas after it wait as well.
func dsn(path, txlock string, pragmas ...string) string {
	return uri(path, url.Values{"_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", busyTimeout)}, pragmas...), "_txlock": {txlock}})
}

func uri(path string, q url.Values) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// taken reports whether an error says that there is a row of the same key.
func taken(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && (e.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == lib.SQLITE_CONSTRAINT_UNIQUE)
}

// classify tells what people can do something about: a disk that is full, a database that is busy or damaged.
func classify(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Code() == lib.SQLITE_IOERR_SHMSIZE { // no room for the file beside the WAL, which is made when a database is opened
		return &problem.Problem{Code: problem.StorageFull, Detail: err.Error()}
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL:
		return &problem.Problem{Code: problem.StorageFull, Detail: err.Error()}
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return &problem.Problem{Code: problem.Busy, Detail: err.Error()}
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	default:
		return err
	}
}
