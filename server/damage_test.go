package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"levee/server"
	"levee/server/internal/indexing"
	"levee/server/internal/syncing"
	"levee/syncproto/tally"
)

// damages are what can happen to a database's file.
var damages = []struct {
	name    string
	damage  func(*testing.T, string)
	refusal server.RefusalCode
	found   string // the first fault of a check
}{
	{"its header overwritten", func(t *testing.T, path string) { overwrite(t, path, 0, bytes.Repeat([]byte{0xaa}, 100)) }, server.DatabaseDamaged, "database_damaged"},
	{"its first page overwritten after the header", func(t *testing.T, path string) { overwrite(t, path, 100, bytes.Repeat([]byte{0xaa}, 3000)) }, server.DatabaseDamaged, "database_damaged"},
	{"pages overwritten in the middle", func(t *testing.T, path string) { scribble(t, path, 0.5) }, server.DatabaseDamaged, "database_damaged"},
	{"pages overwritten at the end", func(t *testing.T, path string) { scribble(t, path, 0.9) }, server.DatabaseDamaged, "database_damaged"},
	{"a page lost to zeros", func(t *testing.T, path string) { overwrite(t, path, 8*4096, make([]byte, 4096)) }, server.DatabaseDamaged, "database_damaged"},
	{"cut in half", func(t *testing.T, path string) { cut(t, path, 0.5) }, server.DatabaseDamaged, "database_damaged"},
	{"cut within a page", func(t *testing.T, path string) { cut(t, path, 0.777) }, server.DatabaseDamaged, "database_damaged"},
	{"cut to its header", func(t *testing.T, path string) { cut(t, path, 0.0005) }, server.DatabaseDamaged, "database_damaged"},
	{"cut to nothing", func(t *testing.T, path string) { cut(t, path, 0) }, server.DatabaseGone, "database_missing"},
	{"another file in its place", func(t *testing.T, path string) {
		if err := os.WriteFile(path, bytes.Repeat([]byte("<html>"), 9000), 0o600); err != nil {
			t.Fatal(err)
		}
	}, server.DatabaseDamaged, "database_damaged"},
	{"gone", func(t *testing.T, path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}, server.DatabaseGone, "database_missing"},
}

func overwrite(t *testing.T, path string, at int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(with, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func cut(t *testing.T, path string, to float64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(to*float64(info.Size()))); err != nil {
		t.Fatal(err)
	}
}

func TestAServerWithADamagedDatabaseRefusesToStartAndSaysWhatToDo(t *testing.T) {
	h := newHouse(t)
	h.visits(60)
	backup := h.backup("levee.db").File
	h.Close()
	whole := contentOf(t, h.Path())
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "levee.db")
			if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			d.damage(t, path)
			was, _ := os.ReadFile(path)

			checked, err := server.Check(context.Background(), path, server.CheckOptions{Keys: h.keys, Journal: h.Path() + ".journal"})
			if err != nil || checked.OK || len(checked.Faults) == 0 || checked.Faults[0].Code != d.found {
				t.Errorf("check: %+v, %v", checked, err)
			}
			err = h.start(path)
			refused(t, err, d.refusal)
			var r *server.Refusal
			if errors.As(err, &r) {
				for _, text := range []string{r.In("zh"), r.In("en")} {
					if !strings.Contains(text, "leveed restore ") || !strings.Contains(text, path) {
						t.Errorf("it does not say what to do: %s", text)
					}
					for _, jargon := range []string{"goose", "SQL", "malformed", "schema"} {
						if strings.Contains(text, jargon) {
							t.Errorf("nobody understands %q: %s", jargon, text)
						}
					}
				}
			}
			if now, _ := os.ReadFile(path); !bytes.Equal(now, was) {
				t.Error("the damaged file was changed")
			}
			if _, err := server.Restore(context.Background(), backup, path, server.RestoreOptions{Keys: h.keys}); err != nil {
				t.Fatal(err)
			}
			h.sound(path)
			if err := h.start(path); err != nil {
				t.Errorf("after the restore: %v", err)
			}
		})
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	check := func(t *testing.T, h *house, want string) {
		t.Helper()
		c, err := server.Check(context.Background(), h.Path(), server.CheckOptions{Keys: h.keys, Journal: h.Path() + ".journal"})
		if err != nil || c.OK || !slices.ContainsFunc(c.Faults, func(f server.CheckFault) bool { return f.Code == want && f.Detail != "" }) {
			t.Errorf("%+v, %v", c, err)
			return
		}
		for _, lang := range []string{"zh", "en"} {
			var out bytes.Buffer
			if err := c.Print(&out, lang); err != nil || !strings.Contains(out.String(), want) || strings.Contains(out.String(), "%!") {
				t.Errorf("%v: %s", err, out.String())
			}
		}
		encoded, err := json.Marshal(c)
		if err != nil || !strings.Contains(string(encoded), `"code":"`+want+`"`) {
			t.Errorf("%s, %v", encoded, err)
		}
	}
	for want, spoil := range map[string]func(*house){
		"totals_differ": func(h *house) {
			write(t, h, syncing.Changes{Totals: tally.Delta{Cells: map[tally.Cell]int64{{Basis: tally.Reported, Figure: tally.Cases, Cut: tally.Everything()}: 4}}})
		},
		"index_differs": func(h *house) {
			store := h.DB.Deployment(h.ID)
			s := indexing.New(indexing.Config{Store: store, SetUp: h.Service.SetUp, Wall: h.Wall})
			if err := s.Follow(context.Background()); err != nil {
				h.T.Fatal(err)
			}
			h.sound(h.Path())
			if err := store.Index(context.Background(), func(tx indexing.Writing) error {
				at, err := tx.Cursor()
				if err != nil {
					return err
				}
				return tx.SaveIndex(indexing.Changes{Cursor: at, Counts: []indexing.ReviewCount{{Standing: tally.Waiting, Count: 1}}})
			}); err != nil {
				h.T.Fatal(err)
			}
		},
		"replica_chain": func(h *house) {
			write(t, h, syncing.Changes{Replicas: []syncing.Replica{{Number: h.anna.Replica, Have: 1000}}})
		},
		"keys_missing":    func(h *house) { _ = os.Remove(h.keys) },
		"journal_missing": func(h *house) { _ = os.Remove(h.Path() + ".journal") },
		"journal_damaged": func(h *house) { overwrite(h.T.(*testing.T), h.Path()+".journal", 10, []byte("x")) },
		"keys_damaged":    func(h *house) { _ = os.WriteFile(h.keys, []byte("{}"), 0o600) },
	} {
		t.Run(want, func(t *testing.T) {
			h := newHouse(t)
			h.visits(2)
			h.sound(h.Path())
			spoil(h)
			check(t, h, want)
		})
	}
}

// A server whose keys are there had a deployment. It must not make another one, which no tablet would know.
func TestALostDatabaseIsNotMadeAnew(t *testing.T) {
	dir := t.TempDir()
	config := server.Config{DB: filepath.Join(dir, "levee.db"), Keys: filepath.Join(dir, "levee.keys"), SetUp: &server.SetUp{Name: "x", Start: "2026-01-01"}}
	s, err := server.New(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(config.DB); err != nil {
		t.Fatal(err)
	}
	_, err = server.New(context.Background(), config)
	refused(t, err, server.DatabaseGone)
	if err := os.Remove(config.Keys); err != nil {
		t.Fatal(err)
	}
	if s, err = server.New(context.Background(), config); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAServerWithADamagedJournalRefusesToStart(t *testing.T) {
	h := newHouse(t)
	h.Close()
	journal := h.Path() + ".journal"
	overwrite(t, journal, 10, []byte("x"))
	was := contentOf(t, journal)
	refused(t, h.start(h.Path()), server.JournalDamaged)
	if contentOf(t, journal) != was {
		t.Error("the journal was changed")
	}
}
