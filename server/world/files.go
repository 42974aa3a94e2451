package world

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// image is a copy of a database: its file and the log that SQLite writes ahead of it, and of a tablet's the file of its key.
type image struct {
	db, wal, key []byte
	// database is the name of a copy in PostgreSQL; empty for files.
	database string
}

// copyOf copies a database that nobody is writing.
func copyOf(path string) (image, error) {
	db, err := os.ReadFile(path) //nolint:gosec // a file of this world
	if err != nil {
		return image{}, fmt.Errorf("copying a database: %w", err)
	}
	m := image{db: db}
	for suffix, into := range map[string]*[]byte{"-wal": &m.wal, ".key": &m.key} {
		if *into, err = os.ReadFile(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) { //nolint:gosec // a file of this world
			return image{}, fmt.Errorf("copying a database: %w", err)
		}
	}
	return m, nil
}

// write puts a copy in a database's place. Nobody may have it open.
func (m image) write(path string) error {
	for _, f := range []struct {
		suffix string
		bytes  []byte
	}{{"", m.db}, {"-wal", m.wal}, {".key", m.key}} {
		if f.suffix == ".key" && f.bytes == nil {
			continue // a server has none
		}
		if err := os.WriteFile(path+f.suffix, f.bytes, 0o600); err != nil {
			return fmt.Errorf("putting a copy in place: %w", err)
		}
	}
	if err := os.Remove(path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("putting a copy in place: %w", err)
	}
	return nil
}

const (
	walHeader   = 32
	frameHeader = 24
	saltAt      = 16 // in the log's header
)

// commits are the places in the log at which its commits end, oldest first. Frames of an earlier turn of the log, which
// lie behind the last commit, have other salts.
func (m image) commits() []int {
	if len(m.wal) < walHeader {
		return nil
	}
	page := int(binary.BigEndian.Uint32(m.wal[8:]))
	salt := m.wal[saltAt : saltAt+8]
	var ends []int
	for at := walHeader; at+frameHeader+page <= len(m.wal); {
		frame := m.wal[at:]
		if !slices.Equal(frame[8:16], salt) {
			break
		}
		at += frameHeader + page
		if binary.BigEndian.Uint32(frame[4:]) != 0 { // the size of the database after it: only the last frame of a commit has one
			ends = append(ends, at)
		}
	}
	return ends
}

// continues reports whether the log is the one of an older copy, gone on.
func (m image) continues(older image) bool {
	return len(older.wal) < walHeader || slices.Equal(m.wal[saltAt:saltAt+8], older.wal[saltAt:saltAt+8])
}

// torn is the copy as a power cut would leave it in the middle of one of the commits since an older copy: at is where in
// them the cut falls, from 0 to 1. It says false when there was none, or when no copy has the file as it was then.
//
// The file beside the log is one from before the cut: SQLite takes over into it only what the disk certainly has.
func (m image) torn(older image, at float64) (image, bool) {
	ends, first, db := m.commits(), 0, m.db // what lay before the log's first commit is in the file
	if m.continues(older) {
		first, db = len(older.commits()), older.db
	} else if m.takenOver() {
		return m, false
	}
	if len(ends) <= first {
		return m, false
	}
	which := at * float64(len(ends)-first)
	torn := first + int(which)
	start, last := walHeader, ends[torn]
	if torn > 0 {
		start = ends[torn-1]
	}
	cut := start + int((which-float64(int(which)))*float64(last-start))
	return image{db: db, wal: slices.Clone(m.wal[:min(cut, last-1)]), key: m.key}, true
}

// checkpointPages is from which size of the log on SQLite takes it over into the file.
const checkpointPages = 1000

// takenOver reports whether the file may hold some of what is in the log.
func (m image) takenOver() bool {
	return len(m.wal) > checkpointPages*int(binary.BigEndian.Uint32(m.wal[8:]))
}

// lagging is the copy as a standby has it that lacks the newest commits; false when that can't be told from the copy.
func (m image) lagging(commits int) (image, bool) {
	ends := m.commits()
	if commits == 0 || len(ends) <= commits || m.takenOver() {
		return m, false
	}
	return image{db: m.db, wal: slices.Clone(m.wal[:ends[len(ends)-1-commits]]), key: m.key}, true
}
