package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/migrations"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Whoever adds a table says whether it goes into the archive of a deployment.
func TestEachTableIsExtractedOrLeftBehind(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "server.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := migrations.Up(t.Context(), db, migrations.SQLite); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'words_%' AND name <> 'goose_db_version'`)
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(store.Copied, store.ByDay, store.LeftBehind)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(all, name) {
			t.Errorf("%s is neither extracted nor left behind", name)
		}
		all = slices.DeleteFunc(all, func(n string) bool { return n == name })
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(all) > 0 {
		t.Errorf("there are no tables %v, %v", all, err)
	}
}

func TestADeploymentIsExtractedBesideAServer(t *testing.T) {
	d := servertest.New(t)
	d.Another(true, "410621108", "410781106")
	anna := d.Enrol("anna")
	anna.Push(anna.Make(&recordv1.CommunityActivity{Name: proto.String("电影放映")}))
	to := filepath.Join(t.TempDir(), "copy")
	if err := sqlite.Extract(t.Context(), d.Path(), to, d.ID); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.OpenScratch(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ids, err := db.Deployments(t.Context())
	if err != nil || len(ids) != 1 || ids[0] != d.ID {
		t.Errorf("deployments %v, %v", ids, err)
	}
	counted, err := progress.Recount(t.Context(), db.Deployment(d.ID), d.ID)
	if err != nil || !counted.Equal() || counted.Have[anna.Replica] != 1 {
		t.Errorf("%+v, %v", counted, err)
	}
	if err := sqlite.Extract(t.Context(), d.Path(), to, d.ID); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a file that is there: %v", err)
	}
	if err := sqlite.Extract(t.Context(), filepath.Join(t.TempDir(), "none"), filepath.Join(t.TempDir(), "copy"), d.ID); err == nil {
		t.Error("from nothing")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := sqlite.Extract(stopped, d.Path(), filepath.Join(t.TempDir(), "copy"), d.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestPlainTablesAreReadAsTheyWereWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plain")
	table := sqlite.PlainTable{Name: "check", Key: 2, Columns: []sqlite.PlainColumn{{Name: "key", Comment: "键 · key"}, {Name: "number", Number: true}, {Name: "text"}}}
	err := sqlite.WritePlain(t.Context(), path, func(w *sqlite.PlainWriter) error {
		return w.Table(table, func(put func(...any) error) error {
			return errors.Join(put("b", int64(1), "2021-10-01"), put("a", int64(10), nil), put("a", int64(9), "007"))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	wrong := errors.New("wrong")
	if err := sqlite.WritePlain(t.Context(), path, func(w *sqlite.PlainWriter) error {
		table.Name = "undone"
		return errors.Join(w.Table(table, func(func(...any) error) error { return nil }), wrong)
	}); !errors.Is(err, wrong) {
		t.Errorf("%v", err)
	}
	db, err := sqlite.OpenToVerify(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	names, err := db.PlainTables(t.Context())
	if err != nil || !slices.Equal(names, []string{"plain_check"}) {
		t.Errorf("%v, %v", names, err)
	}
	var columns []string
	var rows [][]any
	err = db.EachPlain(t.Context(), "plain_check", func(names []string) error { columns = slices.Clone(names); return nil }, func(values []any) error {
		rows = append(rows, slices.Clone(values))
		return nil
	})
	want := [][]any{{"a", int64(9), "007"}, {"a", int64(10), nil}, {"b", int64(1), "2021-10-01"}}
	if err != nil || strings.Join(columns, " ") != "key number text" || !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("%v: %v, %v", columns, rows, err)
	}
	if err := db.EachPlain(t.Context(), "sqlite_schema", func([]string) error { return nil }, func([]any) error { return nil }); err == nil {
		t.Error("a table without a key was read")
	}
}
