package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/journal"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

var (
	key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	own = hlc.ID{1}
)

// table is the table of a database, without the database.
type table struct {
	entries map[hlc.ID][]*syncv1.JournalEntry
	chains  map[hlc.ID][]batch.Hash
	// read counts the entries that were read.
	read int
}

func newTable() *table {
	return &table{entries: map[hlc.ID][]*syncv1.JournalEntry{}, chains: map[hlc.ID][]batch.Hash{}}
}

// setBack is the table as it was when it had so many entries.
func (t *table) setBack(number int) {
	t.entries[own], t.chains[own] = t.entries[own][:number], t.chains[own][:number]
}

func (t *table) JournalEnd(of hlc.ID) (uint64, batch.Hash, error) {
	n := len(t.chains[of])
	if n == 0 {
		return 0, wire.JournalStart(of), nil
	}
	return uint64(n), t.chains[of][n-1], nil
}

func (t *table) JournalAfter(of hlc.ID, number uint64) ([]*syncv1.JournalEntry, error) {
	rows := slices.Clone(t.entries[of][min(number, uint64(len(t.entries[of]))):])
	t.read += len(rows)
	return rows, nil
}

func (t *table) SaveJournal(of hlc.ID, number uint64, entries []*syncv1.JournalEntry, chains []batch.Hash) error {
	if number != uint64(len(t.entries[of])) || len(entries) != len(chains) {
		return errors.New("not at the end")
	}
	t.entries[of], t.chains[of] = append(t.entries[of], entries...), append(t.chains[of], chains...)
	return nil
}

func entry(subject byte) *syncv1.JournalEntry { return entryAt(subject, 7) }

func entryAt(subject byte, at int64) *syncv1.JournalEntry {
	e := &syncv1.JournalEntry{Sort: wire.JournalRevoked, Subject: bytes.Repeat([]byte{subject}, 16), At: at}
	wire.SealJournalEntry(key, own, e)
	return e
}

func open(t *testing.T, path string) *journal.File {
	t.Helper()
	f, err := journal.Open(path, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func all(t *testing.T, j *journal.Journal, want ...*syncv1.JournalEntry) *syncv1.Mark {
	t.Helper()
	entries, mark, same := j.After(nil, 100)
	if !same || len(entries) != len(want) {
		t.Fatalf("entries %v, want %v", entries, want)
	}
	for i, e := range entries {
		if !proto.Equal(e, want[i]) {
			t.Errorf("entry %d is %v, want %v", i, e, want[i])
		}
	}
	return mark
}

func refresh(t *testing.T, j *journal.Journal, tx *table, wantNews, wantLacking bool) {
	t.Helper()
	news, lacking, err := j.Refresh(tx)
	if err != nil || news != wantNews || lacking != wantLacking {
		t.Fatalf("refreshed: news %v, the table lacks some %v, %v", news, lacking, err)
	}
}

func TestEntriesAreThereAgain(t *testing.T) {
	path, tx := filepath.Join(t.TempDir(), "journal"), newTable()
	f := open(t, path)
	j := f.Deployment(own)
	if err := j.Add(tx, entry(1), entry(2)); err != nil {
		t.Fatal(err)
	}
	if err := j.Add(tx, entry(2), entry(3)); err != nil {
		t.Fatal(err)
	}
	mark := all(t, j, entry(1), entry(2), entry(3))
	all(t, f.Deployment(hlc.ID{2}))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, path).Deployment(own)
	all(t, j, entry(1), entry(2), entry(3))
	if err := j.Add(tx, entry(4)); err != nil {
		t.Fatal(err)
	}
	entries, _, same := j.After(mark, 100)
	if !same || len(entries) != 1 || !proto.Equal(entries[0], entry(4)) {
		t.Errorf("after the mark: %v", entries)
	}
	if _, _, same := j.After(&syncv1.Mark{Position: 2, Chain: mark.GetChain()}, 1); same {
		t.Error("a mark of another journal is taken")
	}
	if !j.Any(wire.JournalRevoked) || j.Any(wire.JournalCodeUsed) {
		t.Error("it has not the sorts that it has")
	}
	if j.Find(wire.JournalRevoked, entry(3).GetSubject()) == nil || j.Find(wire.JournalCodeUsed, entry(3).GetSubject()) != nil {
		t.Error("what is found is not what is there")
	}
}

// A crash while a line is written leaves a part of it, which nobody was answered for. Any other line that is not as it was
// written is damage.
func TestACutLineIsWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	f := open(t, path)
	if err := f.Deployment(own).Add(newTable(), entry(1), entry(2)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	j := open(t, path).Deployment(own)
	all(t, j, entry(1))
	if err := j.Add(newTable(), entry(2)); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, whole) {
		t.Errorf("the file is %q, %v", again, err)
	}
	whole[len(whole)/4] ^= 1
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(path, key.Public().(ed25519.PublicKey)); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("a changed line: %v", err)
	}
}

// A command writes to the journal while a server runs on it.
func TestTwoProcessesWriteToOneFile(t *testing.T) {
	path, tx := filepath.Join(t.TempDir(), "journal"), newTable()
	server, command := open(t, path).Deployment(own), open(t, path).Deployment(own)
	for i, add := range []struct {
		to *journal.Journal
		e  *syncv1.JournalEntry
	}{{server, entry(1)}, {command, entry(2)}, {command, entry(1)}, {server, entry(3)}, {command, entry(4)}} {
		if err := add.to.Add(tx, add.e); err != nil {
			t.Fatal(i, err)
		}
	}
	if server.Find(wire.JournalRevoked, entry(4).GetSubject()) != nil {
		t.Error("what was not read is there")
	}
	refresh(t, server, tx, true, false)
	for _, j := range []*journal.Journal{server, command, open(t, path).Deployment(own)} {
		all(t, j, entry(1), entry(2), entry(3), entry(4))
	}
}

// Each of several servers has its file on its own machine, and tells tablets the same entries in the same order.
func TestServersWithAFileEachHaveTheSameEntries(t *testing.T) {
	dir, tx := t.TempDir(), newTable()
	one, two := open(t, filepath.Join(dir, "one")).Deployment(own), open(t, filepath.Join(dir, "two")).Deployment(own)
	for i, add := range []struct {
		to *journal.Journal
		e  *syncv1.JournalEntry
	}{{one, entry(1)}, {two, entry(2)}, {two, entryAt(1, 8)}, {one, entry(3)}, {two, entry(4)}} {
		if err := add.to.Add(tx, add.e); err != nil {
			t.Fatal(i, err)
		}
	}
	refresh(t, one, tx, true, false)
	refresh(t, one, tx, false, false)
	mark := all(t, one, entry(1), entry(2), entry(3), entry(4))
	if other := all(t, two, entry(1), entry(2), entry(3), entry(4)); !proto.Equal(mark, other) {
		t.Errorf("the marks are %v and %v", mark, other)
	}
	for _, name := range []string{"one", "two"} { // the files have them all, whatever becomes of the database
		j := open(t, filepath.Join(dir, name)).Deployment(own)
		for subject := byte(1); subject <= 4; subject++ {
			if j.Find(wire.JournalRevoked, entry(subject).GetSubject()) == nil {
				t.Errorf("the file %s lacks entry %d", name, subject)
			}
		}
	}
	tx.read = 0
	if err := two.Add(tx, entry(5)); err != nil {
		t.Fatal(err)
	}
	refresh(t, one, tx, true, false)
	if tx.read != 2 { // the new one, and the one before
		t.Errorf("%d entries were read", tx.read)
	}
}

// A database that is set back lacks entries, and may have got others by the time that somebody looks.
func TestATableThatIsSetBackGetsItsEntriesAgain(t *testing.T) {
	dir, tx := t.TempDir(), newTable()
	one, two := open(t, filepath.Join(dir, "one")).Deployment(own), open(t, filepath.Join(dir, "two")).Deployment(own)
	if err := one.Add(tx, entry(1), entry(2)); err != nil {
		t.Fatal(err)
	}
	if err := two.Add(tx, entry(3)); err != nil {
		t.Fatal(err)
	}
	tx.setBack(1)
	refresh(t, one, tx, false, true)
	three := open(t, filepath.Join(dir, "three")).Deployment(own)
	if err := three.Add(tx, entry(4)); err != nil {
		t.Fatal(err)
	}
	refresh(t, two, tx, true, true)
	all(t, two, entry(1), entry(4), entry(2), entry(3))
	if err := one.Mend(tx); err != nil {
		t.Fatal(err)
	}
	all(t, one, entry(1), entry(4), entry(2))
	if err := two.Mend(tx); err != nil {
		t.Fatal(err)
	}
	refresh(t, one, tx, true, false)
	for _, j := range []*journal.Journal{one, two} {
		all(t, j, entry(1), entry(4), entry(2), entry(3))
	}
}

// An entry stays whose transaction came to nothing: the table gets it next time.
func TestAnEntryStaysThoughItsTransactionFailed(t *testing.T) {
	dir, tx := t.TempDir(), newTable()
	one, two := open(t, filepath.Join(dir, "one")).Deployment(own), open(t, filepath.Join(dir, "two")).Deployment(own)
	if err := one.Add(tx, entry(1)); err != nil {
		t.Fatal(err)
	}
	if err := one.Add(tx, entry(2)); err != nil {
		t.Fatal(err)
	}
	tx.setBack(1) // rolled back
	if err := two.Add(tx, entry(3)); err != nil {
		t.Fatal(err)
	}
	if err := one.Mend(tx); err != nil {
		t.Fatal(err)
	}
	all(t, one, entry(1), entry(3), entry(2))
	refresh(t, two, tx, true, false)
	all(t, two, entry(1), entry(3), entry(2))
}

// Whoever can write to the database can't write to the journal: its entries are signed.
func TestWhatTheServerDidNotSignIsDamage(t *testing.T) {
	for name, forged := range map[string]*syncv1.JournalEntry{
		"a new one":               {Sort: wire.JournalRevoked, Subject: bytes.Repeat([]byte{9}, 16), At: 7, Signature: make([]byte, 64)},
		"one in place of another": {Sort: wire.JournalRevoked, Subject: entry(1).GetSubject(), Detail: []byte("x"), At: 7, Signature: entry(1).GetSignature()},
	} {
		t.Run(name, func(t *testing.T) {
			tx := newTable()
			j := open(t, filepath.Join(t.TempDir(), "one")).Deployment(own)
			if err := j.Add(tx, entry(1)); err != nil {
				t.Fatal(err)
			}
			tx.setBack(0)
			if err := tx.SaveJournal(own, 0, []*syncv1.JournalEntry{forged}, make([]batch.Hash, 1)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := j.Refresh(tx); !errors.Is(err, journal.ErrDamaged) {
				t.Errorf("taken: %v", err)
			}
			all(t, j, entry(1))
		})
	}
}
