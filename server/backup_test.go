package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server"
	"levee/server/internal/servertest"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
)

// house is a database with its keys, as a server keeps them.
type house struct {
	*servertest.Deployment
	anna *servertest.Device
	keys string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	d := servertest.New(t)
	h := &house{Deployment: d, anna: d.Enrol("anna"), keys: d.Path() + ".keys"}
	keys, err := json.Marshal(map[string][]byte{"signing_key": d.Keys.Signing.Seed(), "proof_key": d.Keys.ProofKey, "api_token_sha256": make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.keys, keys, 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// visits logs some and sends them.
func (h *house) visits(n int) {
	h.T.Helper()
	for range n {
		h.anna.Push(h.anna.Make(&recordv1.Outreach{Site: h.Sites[0][:], Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(2)}))
	}
}

func (h *house) position() (position uint64) {
	h.T.Helper()
	if err := h.DB.Deployment(h.ID).Read(context.Background(), func(tx syncing.Reading) error {
		head, err := tx.Head()
		position = head.Position
		return err
	}); err != nil {
		h.T.Fatal(err)
	}
	return position
}

func (h *house) backup(name string) *server.Backed {
	h.T.Helper()
	b, err := server.Backup(context.Background(), h.Path(), filepath.Join(h.T.(*testing.T).TempDir(), name), false)
	if err != nil {
		h.T.Fatal(err)
	}
	return b
}

// start is a server on a database, which may refuse.
func (h *house) start(path string) error {
	s, err := server.New(context.Background(), server.Config{DB: path, Keys: h.keys, Journal: h.Path() + ".journal", URL: "http://levee.test", Wall: h.Wall})
	if err != nil {
		return err
	}
	return s.Close()
}

// sound is a check that finds nothing.
func (h *house) sound(path string) *server.Checked {
	h.T.Helper()
	c, err := server.Check(context.Background(), path, server.CheckOptions{Keys: h.keys, Journal: h.Path() + ".journal"})
	if err != nil || !c.OK || len(c.Deployments) != 1 {
		h.T.Fatalf("%s: %+v, %v", path, c, err)
	}
	return c
}

func refused(t *testing.T, err error, code server.RefusalCode) {
	t.Helper()
	var r *server.Refusal
	if !errors.As(err, &r) || r.Code != code {
		t.Errorf("%v, want %s", err, code)
		return
	}
	for _, text := range []string{r.In("zh-CN"), r.In("en")} {
		if text == "" || strings.Contains(text, "%!") {
			t.Errorf("%s: %q", code, text)
		}
	}
	if r.In("zh") == r.In("en") {
		t.Errorf("%s is said alike in both languages", code)
	}
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestBackupsOfABusyServerAreEachOfOneMoment(t *testing.T) {
	h := newHouse(t)
	dir := t.TempDir()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				h.visits(3)
			}
		}
	}()
	newest := uint64(0)
	for i := range 8 {
		b, err := server.Backup(context.Background(), h.Path(), filepath.Join(dir, string(rune('a'+i))+".db"), false)
		if err != nil {
			t.Fatal(err)
		}
		if b.Deployments[0].Position < newest {
			t.Errorf("backup %d holds %d positions, the one before %d", i, b.Deployments[0].Position, newest)
		}
		newest = b.Deployments[0].Position
	}
	close(stop)
	<-stopped
	if got := filesIn(t, dir); !slices.Equal(got, []string{"a.db", "b.db", "c.db", "d.db", "e.db", "f.db", "g.db", "h.db"}) {
		t.Errorf("files: %v", got)
	}
	for _, name := range filesIn(t, dir) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		h.sound(path)
	}
	if newest < 12 {
		t.Errorf("nothing was written meanwhile: %d positions", newest)
	}
}

func TestABackupOverwritesNothingUnlessTold(t *testing.T) {
	h := newHouse(t)
	file := filepath.Join(t.TempDir(), "levee.db")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := server.Backup(context.Background(), h.Path(), file, false)
	refused(t, err, server.BackupThere)
	if contentOf(t, file) != "mine" {
		t.Error("it was overwritten")
	}
	if _, err := server.Backup(context.Background(), h.Path(), file, true); err != nil {
		t.Fatal(err)
	}
	h.sound(file)
}

func TestABackupThatDoesNotHoldIsNotKept(t *testing.T) {
	for name, spoil := range map[string]func(*house){
		"a damaged page": func(h *house) { h.Close(); scribble(t, h.Path(), 0.5) },
		"a broken chain": func(h *house) {
			write(t, h, syncing.Changes{Log: []syncing.LogEntry{{Position: h.position() + 1, Replica: 7, Sequence: 1, Body: []byte{1}}},
				Head: syncing.Head{Position: h.position() + 1}})
		},
		"a replica that is not as noted": func(h *house) {
			write(t, h, syncing.Changes{Replicas: []syncing.Replica{{Number: h.anna.Replica, Have: 1000}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.visits(40)
			spoil(h)
			dir := t.TempDir()
			_, err := server.Backup(context.Background(), h.Path(), filepath.Join(dir, "levee.db"), false)
			refused(t, err, server.DatabaseDamaged)
			if got := filesIn(t, dir); len(got) != 0 {
				t.Errorf("it left %v", got)
			}
		})
	}
}

func write(t *testing.T, h *house, c syncing.Changes) {
	t.Helper()
	if err := h.DB.Deployment(h.ID).Write(context.Background(), func(tx syncing.Writing) error { return tx.Save(c) }); err != nil {
		t.Fatal(err)
	}
}

// scribble writes noise over three pages from a part of the file on.
func scribble(t *testing.T, path string, from float64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 3*4096)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	if _, err := f.WriteAt(noise, int64(from*float64(info.Size()))/4096*4096); err != nil {
		t.Fatal(err)
	}
}

func TestRestore(t *testing.T) {
	h := newHouse(t)
	h.visits(5)
	backup := h.backup("early.db")
	h.visits(3)
	was := h.position()
	h.Close()
	apart := []string{h.keys, h.Path() + ".journal"}
	kept := []string{contentOf(t, apart[0]), contentOf(t, apart[1])}
	r, err := server.Restore(context.Background(), backup.File, h.Path(), server.RestoreOptions{Wall: h.Wall})
	if err != nil {
		t.Fatal(err)
	}
	if now := h.sound(h.Path()); now.Deployments[0].Position != was-3 || r.Deployments[0].Position != was-3 || r.Before[0].Position != was || r.KeysMissing || r.JournalMissing {
		t.Errorf("%+v, %+v", now, r)
	}
	if r.Aside != h.Path()+".before-20211001T040000Z" || h.sound(r.Aside).Deployments[0].Position != was {
		t.Errorf("the database before is not at %q", r.Aside)
	}
	for i, path := range apart {
		if contentOf(t, path) != kept[i] || kept[i] == "" {
			t.Errorf("%s changed", path)
		}
	}
	if got, want := filesIn(t, filepath.Dir(h.Path())), []string{"server.db", "server.db.before-20211001T040000Z", "server.db.journal", "server.db.keys", "server.db.lock"}; !slices.Equal(got, want) {
		t.Errorf("files: %v", got)
	}
	for lang, words := range map[string]string{"en": "had 19 positions: the last 3 come back", "zh": "原来的数据库有 19 个位置：最后 3 个"} {
		var out bytes.Buffer
		if err := r.Print(&out, lang); err != nil || !strings.Contains(out.String(), words) || strings.Contains(out.String(), "%!") {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
	if err := h.start(h.Path()); err != nil {
		t.Errorf("the restored database: %v", err)
	}
	// The same second again: the name is taken.
	if r, err := server.Restore(context.Background(), backup.File, h.Path(), server.RestoreOptions{Wall: h.Wall}); err != nil || !strings.HasSuffix(r.Aside, "Z-2") {
		t.Errorf("%+v, %v", r, err)
	}
	// And where there is nothing: a new disk.
	elsewhere := filepath.Join(t.TempDir(), "levee.db")
	if r, err := server.Restore(context.Background(), backup.File, elsewhere, server.RestoreOptions{}); err != nil || r.Aside != "" || !r.KeysMissing || !r.JournalMissing {
		t.Errorf("%+v, %v", r, err)
	}
	h.sound(elsewhere)
}

// A server that was killed leaves a WAL. It belongs to the database before, and must not be taken for the new one's.
func TestRestoreAfterAKill(t *testing.T) {
	h := newHouse(t)
	h.visits(5)
	backup := h.backup("early.db")
	h.visits(3)
	was := h.position()
	killed := filepath.Join(t.TempDir(), "levee.db")
	for _, suffix := range []string{"", "-wal"} {
		if err := os.WriteFile(killed+suffix, []byte(contentOf(t, h.Path()+suffix)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(killed + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("there is no WAL: %v", err)
	}
	// Such files are a backup too, though not one that leveed made.
	copied := filepath.Join(t.TempDir(), "levee.db")
	if r, err := server.Restore(context.Background(), killed, copied, server.RestoreOptions{}); err != nil || r.Deployments[0].Position != was {
		t.Errorf("%+v, %v", r, err)
	}
	r, err := server.Restore(context.Background(), backup.File, killed, server.RestoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if now := h.sound(killed).Deployments[0]; now.Position != was-3 {
		t.Errorf("restored to position %d, want %d", now.Position, was-3)
	}
	if before := h.sound(r.Aside).Deployments[0]; before.Position != was {
		t.Errorf("kept at position %d, want %d", before.Position, was)
	}
}

func TestRestoreRefusesWhatIsNoBackup(t *testing.T) {
	h := newHouse(t)
	h.visits(40)
	good := h.backup("good.db").File
	dir := t.TempDir()
	for name, spoil := range map[string]func(string) error{
		"noise":     func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("levee"), 5000), 0o600) },
		"empty":     func(path string) error { return os.Truncate(path, 0) },
		"cut":       func(path string) error { return os.Truncate(path, 8*4096) },
		"scribbled": func(path string) error { scribble(t, path, 0.6); return nil },
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(contentOf(t, good)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := spoil(path); err != nil {
			t.Fatal(err)
		}
		h.Close()
		before := contentOf(t, h.Path())
		_, err := server.Restore(context.Background(), path, h.Path(), server.RestoreOptions{})
		refused(t, err, server.BackupDamaged)
		if contentOf(t, h.Path()) != before {
			t.Errorf("%s: the database changed", name)
		}
		if got := filesIn(t, filepath.Dir(h.Path())); !slices.Equal(got, []string{"server.db", "server.db.journal", "server.db.keys", "server.db.lock"}) {
			t.Errorf("%s: files: %v", name, got)
		}
	}
	if _, err := server.Restore(context.Background(), filepath.Join(dir, "nothing"), h.Path(), server.RestoreOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no backup: %v", err)
	}
}

func TestARestoreAndAServerExcludeEachOther(t *testing.T) {
	h := newHouse(t)
	backup := h.backup("levee.db").File
	h.Close()
	s, err := server.New(context.Background(), server.Config{DB: h.Path(), Wall: h.Wall})
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Restore(context.Background(), backup, h.Path(), server.RestoreOptions{})
	refused(t, err, server.DatabaseInUse)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	restoring, err := sqlite.Hold(context.Background(), h.Path(), true)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, h.start(h.Path()), server.RestoreUnderWay)
	if err := restoring.Close(); err != nil {
		t.Fatal(err)
	}
	// Broken off after the copy was made, before it was in place.
	if err := os.Rename(h.Path(), h.Path()+".before-x"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.Path()+".restore", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, h.start(h.Path()), server.RestoreUnderWay)
	if _, err := server.Restore(context.Background(), backup, h.Path(), server.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := h.start(h.Path()); err != nil {
		t.Error(err)
	}
}

// backedUp is a server with a folder for backups.
func backedUp(t *testing.T, keep int) (h *house, s *server.Server, dir string) {
	t.Helper()
	h = newHouse(t)
	h.visits(3)
	h.Close()
	dir = filepath.Join(t.TempDir(), "backups [1]")
	s, err := server.New(context.Background(), server.Config{DB: h.Path(), Wall: h.Wall, Backups: server.Backups{Dir: dir, Every: time.Hour, Keep: keep}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return h, s, dir
}

func TestTheServerKeepsTheNewestBackups(t *testing.T) {
	h, s, dir := backedUp(t, 2)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	others := []string{"server-notes.db", "other-20211001T040000.000Z.db"}
	for _, name := range append(others, "server-20211001T030000.000Z.db.part", "server-20211001T030000.000Z.db.part-journal") {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		h.Pass(15 * time.Minute)
		if _, err := s.BackUp(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	want := append([]string{"server-20211001T044500.000Z.db", "server-20211001T050000.000Z.db"}, others...)
	slices.Sort(want)
	if got := filesIn(t, dir); !slices.Equal(got, want) {
		t.Errorf("files: %v", got)
	}
	h.sound(filepath.Join(dir, "server-20211001T050000.000Z.db"))
}
