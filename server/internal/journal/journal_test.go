package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/journal"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

var (
	key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	own = hlc.ID{1}
)

func entry(subject byte) *syncv1.JournalEntry {
	e := &syncv1.JournalEntry{Sort: wire.JournalRevoked, Subject: bytes.Repeat([]byte{subject}, 16), At: 7}
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

func TestEntriesAreThereAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	f := open(t, path)
	j := f.Deployment(own)
	if err := j.Add(entry(1), entry(2)); err != nil {
		t.Fatal(err)
	}
	if err := j.Add(entry(2), entry(3)); err != nil {
		t.Fatal(err)
	}
	mark := all(t, j, entry(1), entry(2), entry(3))
	all(t, f.Deployment(hlc.ID{2}))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, path).Deployment(own)
	all(t, j, entry(1), entry(2), entry(3))
	if err := j.Add(entry(4)); err != nil {
		t.Fatal(err)
	}
	entries, _, same := j.After(mark, 100)
	if !same || len(entries) != 1 || !proto.Equal(entries[0], entry(4)) {
		t.Errorf("after the mark: %v", entries)
	}
	if _, _, same := j.After(&syncv1.Mark{Position: 2, Chain: mark.GetChain()}, 1); same {
		t.Error("a mark of another journal is taken")
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
	if err := f.Deployment(own).Add(entry(1), entry(2)); err != nil {
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
	if err := j.Add(entry(2)); err != nil {
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
func TestTwoProcessesWriteToOneJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	server, command := open(t, path).Deployment(own), open(t, path).Deployment(own)
	for i, add := range []struct {
		to *journal.Journal
		e  *syncv1.JournalEntry
	}{{server, entry(1)}, {command, entry(2)}, {command, entry(1)}, {server, entry(3)}, {command, entry(4)}} {
		if err := add.to.Add(add.e); err != nil {
			t.Fatal(i, err)
		}
	}
	if server.Find(wire.JournalRevoked, entry(4).GetSubject()) != nil {
		t.Error("what was not read is there")
	}
	if err := server.Refresh(); err != nil {
		t.Fatal(err)
	}
	for _, j := range []*journal.Journal{server, command, open(t, path).Deployment(own)} {
		all(t, j, entry(1), entry(2), entry(3), entry(4))
	}
}
