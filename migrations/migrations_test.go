package migrations_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" //nolint:depguard // schemas are tested on the engine that they are for

	"levee/migrations"
)

var schemas = map[string]struct {
	schema migrations.Schema
	tables []string
}{
	"client": {migrations.Client, []string{"changes", "enrolments", "forms", "logged_forms", "marks", "records", "tablet"}},
	"sqlite": {migrations.SQLite, []string{"deployments", "log", "records", "replicas", "totals"}},
}

func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestUpMakesTheSchemaOnce(t *testing.T) {
	for name, s := range schemas {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.db")
			db := open(t, path)
			if err := migrations.Up(t.Context(), db, s.schema); err != nil {
				t.Fatal(err)
			}
			got := tables(t, db)
			for _, table := range s.tables {
				if !slices.Contains(got, table) {
					t.Errorf("there is no table %s among %v", table, got)
				}
			}
			if _, err := db.ExecContext(t.Context(), `INSERT INTO `+s.tables[0]+` DEFAULT VALUES`); err == nil {
				t.Error("a row without any value was taken: the columns have lost their NOT NULL")
			}

			before := contents(t, path)
			if err := migrations.Up(t.Context(), db, s.schema); err != nil {
				t.Fatalf("a second time: %v", err)
			}
			if contents(t, path) != before {
				t.Error("bringing a database up that is up to date changed it")
			}
		})
	}
}

// A tablet that was in use before there was recovery keeps its changes, under its number, and can go back.
func TestClientKeepsItsChanges(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "test.db"))
	dir, err := fs.Sub(os.DirFS("."), "client")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := provider.UpTo(ctx, 1); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`INSERT INTO tablet VALUES (1, x'01', x'02', x'03', 'http://levee.test', x'04', x'05', x'06', NULL, 77, 1, 2, x'07', 1, x'08', 1, 1, 2, 1, 5, 0, 3, x'09', 4, 'app')`,
		`INSERT INTO changes VALUES (1, x'0a', x'0a', x'0b', '', 0), (2, x'0c', x'0a', x'0d', 'not_your_team', 1)`,
		`INSERT INTO records VALUES (x'0a', 14, NULL, 20210923, 0, 3, x'0e', x'0f', x'10')`,
	} {
		if _, err := db.ExecContext(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrations.Up(ctx, db, migrations.Client); err != nil {
		t.Fatal(err)
	}
	kept := func(query, want string) {
		t.Helper()
		var got string
		if err := db.QueryRowContext(ctx, query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, want %q; %v", query, got, want, err)
		}
	}
	kept(`SELECT group_concat(replica || ' ' || sequence || ' ' || hex(id) || ' ' || hex(body) || ' ' || held || ' ' || known, ', ') FROM changes`,
		"77 1 0A 0B  0, 77 2 0C 0D not_your_team 1")
	kept(`SELECT coalesce(hex(sent), 'none') || ' ' || dropped || ' ' || hex(proof) FROM records`, " 0 0E")
	kept(`SELECT journal || ' ' || hex(journal_chain) || ' ' || unconfirmed || ' ' || recheck FROM tablet`, "0  0 0")
	if _, err := provider.DownTo(ctx, 1); err != nil {
		t.Fatal(err)
	}
	kept(`SELECT group_concat(sequence || ' ' || hex(id) || ' ' || held, ', ') FROM changes`, "1 0A , 2 0C not_your_team")
}

func TestUpRefusesWhatIsNewer(t *testing.T) {
	for name, s := range schemas {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.db")
			db := open(t, path)
			if err := migrations.Up(t.Context(), db, s.schema); err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
				t.Fatal(err)
			}
			before := contents(t, path)
			err := migrations.Up(t.Context(), db, s.schema)
			if !errors.Is(err, migrations.ErrNewer) {
				t.Fatalf("Up = %v, want ErrNewer", err)
			}
			if !strings.Contains(err.Error(), "9999") {
				t.Errorf("%q does not say which schema it met", err)
			}
			if contents(t, path) != before {
				t.Error("the database was touched")
			}
		})
	}
}

func tables(t *testing.T, db *sql.DB) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
