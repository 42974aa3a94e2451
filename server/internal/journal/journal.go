// Package journal keeps what must outlive a restore of the database: used enrolment codes, revoked and confirmed devices.
// It is one append-only file apart from the database and its backups, and tablets carry its entries too. Entries can't be
// undone, so their order decides nothing, and one that is there already is not added again.
//
// Several servers on one database have a file each. A table of the database has the entries too, in the one order that
// tablets are told: what a server adds goes into both, what others added comes from the table into its file, and what the
// table lost with the database comes back from the files.
package journal

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// ErrDamaged says that a line of the file is not an entry that the server signed.
var ErrDamaged = errors.New("the journal is damaged")

// line is an entry as it stands in the file: one JSON object a line.
type line struct {
	Deployment hlc.ID `json:"deployment"`
	Sort       string `json:"sort"`
	Subject    []byte `json:"subject"`
	Detail     []byte `json:"detail,omitempty"`
	At         int64  `json:"at"`
	Signature  []byte `json:"signature"`
}

// File is the journal of a server. It is safe for concurrent use.
type File struct {
	key ed25519.PublicKey

	mu   sync.Mutex
	file *os.File
	// whole is where the last whole line ends, lines how many there are.
	whole       int64
	lines       int
	deployments map[hlc.ID]*Journal
}

// Journal is what is known of one deployment: the entries of the table in its order, and behind them those that the file
// alone has.
type Journal struct {
	file       *File
	deployment hlc.ID
	entries    []*syncv1.JournalEntry
	// stored is how many of them the table was last seen to have.
	stored    uint64
	bySubject map[entryKey]*syncv1.JournalEntry
	// sorts are those of which there are entries.
	sorts map[string]bool
	// chains[i] is the chain before entry i; the last one is that of the end.
	chains []batch.Hash
}

// entryKey is what there is one entry of.
type entryKey struct{ sort, subject string }

// Open reads the file, or makes it. A last line that was cut by a crash was never answered for, and the next one is written
// in its place; any other line that is not as the server wrote it is ErrDamaged.
func Open(path string, key ed25519.PublicKey) (*File, error) {
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	j := &File{key: key, file: f, deployments: map[hlc.ID]*Journal{}}
	if err := j.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the journal %s: %w", path, err), f.Close())
	}
	return j, nil
}

// Check reads the file as Open does, and makes nothing.
func Check(path string, key ed25519.PublicKey) error {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	return errors.Join((&File{key: key, file: f, deployments: map[hlc.ID]*Journal{}}).read(), f.Close())
}

// read reads what is behind the last whole line that is known.
func (f *File) read() error {
	in := bufio.NewReader(io.NewSectionReader(f.file, f.whole, math.MaxInt64-f.whole))
	for number := f.lines + 1; ; number++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrDamaged, number, err)
		}
		e := &syncv1.JournalEntry{Sort: l.Sort, Subject: l.Subject, Detail: l.Detail, At: l.At, Signature: l.Signature}
		if err := wire.CheckJournalEntry(f.key, l.Deployment, e); err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrDamaged, number, err)
		}
		f.deployment(l.Deployment).append(e)
		f.whole += int64(len(text))
		f.lines++
	}
}

// refresh reads what another process, such as a command that works beside a server, has written since.
func (f *File) refresh() error {
	info, err := f.file.Stat()
	if err != nil || info.Size() <= f.whole {
		return err
	}
	return f.read()
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Close()
}

// Len is how many entries the file has.
func (f *File) Len() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, j := range f.deployments {
		n += len(j.entries)
	}
	return n
}

// Bytes is how long the file is.
func (f *File) Bytes() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.whole
}

// Deployment is the part about one deployment.
func (f *File) Deployment(id hlc.ID) *Journal {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.deployment(id)
}

func (f *File) deployment(id hlc.ID) *Journal {
	j := f.deployments[id]
	if j == nil {
		j = &Journal{file: f, deployment: id, chains: []batch.Hash{wire.JournalStart(id)}, bySubject: map[entryKey]*syncv1.JournalEntry{}, sorts: map[string]bool{}}
		f.deployments[id] = j
	}
	return j
}

func keyOf(e *syncv1.JournalEntry) entryKey { return entryKey{e.GetSort(), string(e.GetSubject())} }

// append adds an entry, unless it is there.
func (j *Journal) append(e *syncv1.JournalEntry) {
	key := keyOf(e)
	if j.bySubject[key] != nil {
		return
	}
	j.entries, j.bySubject[key], j.sorts[e.GetSort()] = append(j.entries, e), e, true
	j.chains = append(j.chains, wire.NextJournal(j.chains[len(j.chains)-1], j.deployment, e))
}

func (j *Journal) find(sort string, subject []byte) *syncv1.JournalEntry {
	return j.bySubject[entryKey{sort, string(subject)}]
}

// Find is the entry of a sort about a subject; nil when there is none.
func (j *Journal) Find(sort string, subject []byte) *syncv1.JournalEntry {
	j.file.mu.Lock()
	defer j.file.mu.Unlock()
	return j.find(sort, subject)
}

// Any reports whether there are entries of a sort. Unlike All it looks at none of them.
func (j *Journal) Any(sort string) bool {
	j.file.mu.Lock()
	defer j.file.mu.Unlock()
	return j.sorts[sort]
}

// All are the entries of a sort.
func (j *Journal) All(sort string) []*syncv1.JournalEntry {
	j.file.mu.Lock()
	defer j.file.mu.Unlock()
	var all []*syncv1.JournalEntry
	for _, e := range j.entries {
		if e.GetSort() == sort {
			all = append(all, e)
		}
	}
	return all
}

// keep writes entries that are not known into the file, and then knows them. They are on the disk when it returns. The
// caller holds the lock.
func (j *Journal) keep(entries []*syncv1.JournalEntry) (err error) {
	if !slices.ContainsFunc(entries, j.lacks) {
		return nil
	}
	unlock, err := lock(j.file.file)
	if err != nil {
		return fmt.Errorf("locking the journal: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := j.file.refresh(); err != nil { // or lines that another process wrote would be written over
		return fmt.Errorf("reading the journal again: %w", err)
	}
	var text []byte
	var kept []*syncv1.JournalEntry
	for _, e := range entries {
		if !j.lacks(e) {
			continue
		}
		b, err := json.Marshal(line{j.deployment, e.GetSort(), e.GetSubject(), e.GetDetail(), e.GetAt(), e.GetSignature()})
		if err != nil {
			return fmt.Errorf("encoding a journal entry: %w", err)
		}
		text, kept = append(append(text, b...), '\n'), append(kept, e)
	}
	if len(kept) == 0 {
		return nil
	}
	if err := j.file.write(text); err != nil {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return &problem.Problem{Code: problem.StorageFull, Detail: "writing the journal: " + err.Error()}
		}
		return fmt.Errorf("writing the journal: %w", err)
	}
	for _, e := range kept {
		j.append(e)
	}
	return nil
}

func (j *Journal) lacks(e *syncv1.JournalEntry) bool { return j.bySubject[keyOf(e)] == nil }

// write appends whole lines, or nothing: what a full disk took half of is taken off again.
func (f *File) write(text []byte) error {
	if err := f.file.Truncate(f.whole); err != nil {
		return err
	}
	_, err := f.file.WriteAt(text, f.whole)
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		return errors.Join(err, f.file.Truncate(f.whole))
	}
	f.whole += int64(len(text))
	f.lines += bytes.Count(text, []byte{'\n'})
	return nil
}

// After are the entries that follow a mark, at most so many, and the mark behind them; nil when there are none. same is
// false when the mark is no place of this journal.
func (j *Journal) After(m *syncv1.Mark, most int) (entries []*syncv1.JournalEntry, next *syncv1.Mark, same bool) {
	j.file.mu.Lock()
	defer j.file.mu.Unlock()
	at := m.GetPosition()
	if at > uint64(len(j.entries)) || (at > 0 && !batch.Same(m.GetChain(), j.chains[at])) {
		return nil, nil, false
	}
	entries = slices.Clone(j.entries[at:min(uint64(len(j.entries)), at+uint64(most))]) //nolint:gosec // a small bound
	if len(entries) == 0 {
		return nil, nil, true
	}
	end := at + uint64(len(entries))
	return entries, &syncv1.Mark{Position: end, Chain: slices.Clone(j.chains[end][:batch.ShortChain])}, true
}
