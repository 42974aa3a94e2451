package sqlite

import (
	"errors"
	"io/fs"
	"os"

	"levee/server/internal/store"
)

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
