package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	driver "modernc.org/sqlite"

	"levee/server/internal/store"
	"levee/syncproto/problem"
)

// copyPages is how many pages are copied before it is looked whether anybody still wants them.
const copyPages = 1024

// Copy copies a database as it is at one moment to a file that is not there yet. Whoever uses the database goes on
// meanwhile. When it returns, the copy is on the disk; after an error nothing is left of it.
func Copy(ctx context.Context, from, to string) (err error) {
	// The copy holds personal data as well: it is made for its owner alone.
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(to))
		}
	}()
	if err := f.Close(); err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	if err := copyPagesOf(ctx, from, to); err != nil {
		return fmt.Errorf("copying the database: %w", classify(err))
	}
	return Sync(to)
}

// backuper is the driver's connection, which SQLite's online backup goes through.
type backuper interface {
	NewBackup(dsn string) (*driver.Backup, error)
}

// modeToCopy is how a database is opened to be copied.
func modeToCopy(from string) string {
	from = Resolved(from)
	wal, err := os.Stat(from + "-wal")
	_, unshared := os.Stat(from + "-shm")
	if err == nil && (wal.Size() > 0 || unshared == nil) {
		return "ro" // a database in use, or one that was not closed: its newest commits are in the WAL, or come into it any time
	}
	return "ro&immutable=1" // a file that lies alone may lie on a disk that can't be written
}

// maxLinks is how many links may lead from one to the next, as on Linux.
const maxLinks = 40

// Resolved is where a database lies, or will, to which links may lead. SQLite's other files lie beside it.
func Resolved(path string) string {
	for range maxLinks {
		if to, err := filepath.EvalSymlinks(path); err == nil {
			return to
		}
		// It is not there yet, but its folder is.
		if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(dir, filepath.Base(path))
		}
		to, err := os.Readlink(path)
		if err != nil {
			return path
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return path
}

func copyPagesOf(ctx context.Context, from, to string) (err error) {
	db, err := sql.Open("sqlite", dsn(from, "deferred", "query_only(1)")+"&mode="+modeToCopy(from))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// In one transaction all pages are of one moment. Without it, each commit of a busy server would start the copy again.
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var tables int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	return conn.Raw(func(c any) error {
		// What is thrown away after a crash needs no journal.
		backup, err := c.(backuper).NewBackup(dsn(to, "deferred", "journal_mode(OFF)", "synchronous(OFF)"))
		if err != nil {
			return err
		}
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return errors.Join(err, backup.Finish())
			}
			if more, err = backup.Step(copyPages); err != nil {
				_ = backup.Finish() // it says the same again
				return err
			}
		}
		return backup.Finish()
	})
}

// Sync makes a file and its name survive a power cut.
func Sync(path string) error {
	for _, name := range []string{path, filepath.Dir(path)} {
		f, err := os.Open(name) //nolint:gosec // the operator names the file
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("syncing %s: %w", name, err)
		}
	}
	return nil
}

// Integrity looks through every page of a database, which may be in use, and tells what is damaged. With still it is one
// that nobody has open.
func Integrity(ctx context.Context, path string, still bool) (faults []string, err error) {
	mode := "rw"
	if still {
		mode = "ro&immutable=1"
	}
	db, err := sql.Open("sqlite", dsn(path, "deferred", "query_only(1)")+"&mode="+mode)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return integrity(ctx, db, "integrity_check")
}

// integrity is what one of SQLite's checks finds: quick_check leaves out whether indexes hold what their tables do.
func integrity(ctx context.Context, db *sql.DB, check string) (faults []string, err error) {
	rows, err := db.QueryContext(ctx, `PRAGMA `+check+`(20)`)
	if err != nil {
		return nil, classify(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var fault string
		if err := rows.Scan(&fault); err != nil {
			return nil, classify(err)
		}
		if fault != "ok" {
			faults = append(faults, fault)
		}
	}
	return faults, classify(rows.Err())
}

// Hold holds a database until it is closed, or the process ends however it ends. Servers hold it together; what puts
// another database in its place holds it alone. store.ErrHeld says that somebody else holds it, store.ErrArchive that it is an archive,
// which nobody does.
//
// What is locked is a file beside the database, which is never renamed and may stay.
func Hold(ctx context.Context, path string, alone bool) (io.Closer, error) {
	if err := refuseArchive(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("holding the database: %w", err)
	}
	path = Resolved(path) + ".lock"
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("holding the database: %w", err)
	}
	db, err := sql.Open("sqlite", uri(path, nil))
	if err != nil {
		return nil, fmt.Errorf("holding the database: %w", err)
	}
	db.SetMaxOpenConns(1)
	begin := `BEGIN`
	if alone {
		begin = `BEGIN EXCLUSIVE`
	}
	// One connection, which has the lock for as long as its transaction lasts.
	_, err = db.ExecContext(ctx, begin)
	if err == nil {
		var tables int
		err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables)
	}
	if err = classify(err); err == nil {
		return db, nil
	}
	if problem.CodeOf(err) == problem.Busy {
		err = store.ErrHeld
	}
	return nil, errors.Join(err, db.Close())
}
