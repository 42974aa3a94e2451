package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"levee/server/internal/store"
)

// renewWAL has the disk take anew what a WAL holds. It waits for no reader: a program that copies the WAL all day always is one.
func renewWAL(ctx context.Context, db *sql.DB, path string) (err error) {
	defer func() { err = classify(err) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout(0)`); err != nil {
		return err
	}
	var busy, log, moved int
	err = conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &moved)
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA busy_timeout(%d)`, busyTimeout)); err != nil {
		return err
	}
	if err != nil || busy == 0 {
		return err
	}
	// It could not be emptied, and commits come behind what it holds. As long as nobody else writes, that can be written again where it stands.
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	defer func() {
		_, ended := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		err = errors.Join(err, ended)
	}()
	return rewrite(path + "-wal")
}

// rewrite writes what is in a file over itself, and has the disk take it.
func rewrite(path string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // beside the database
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	part := make([]byte, 1<<20)
	for at := int64(0); ; {
		n, err := f.ReadAt(part, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 0 {
			return sync(f)
		}
		if _, err := f.WriteAt(part[:n], at); err != nil {
			return err
		}
		at += int64(n)
	}
}

// wal is the write-ahead log of an open database, held open: that a disk has failed to take something is told to each who had the file open
// by then, and not to who opens it afterwards.
type wal struct {
	path string
	file *os.File
	is   os.FileInfo
}

func openWAL(database string) (store.Disk, error) {
	w := &wal{path: database + "-wal"}
	return w, w.open()
}

func (w *wal) open() (err error) {
	if w.file, err = os.OpenFile(w.path, os.O_RDWR, 0); err != nil {
		return err
	}
	w.is, err = w.file.Stat()
	return err
}

// Flush implements store.Disk.
func (w *wal) Flush() error {
	// SQLite removes the log when it closes its last connection, once all is in the database and synced, and makes another with the next.
	now, err := os.Stat(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !os.SameFile(now, w.is) {
		err = errors.Join(w.Close(), w.open())
	}
	if err != nil {
		return err
	}
	return sync(w.file)
}

// Close implements store.Disk. Like that of the pools it may be called again.
func (w *wal) Close() error {
	if err := w.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
