package migrations_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" //nolint:depguard // schemas are tested on the engine that they are for

	"levee/migrations"
)

var schemas = map[string]struct {
	schema migrations.Schema
	tables []string
}{
	"client": {migrations.Client, []string{"changes", "enrolments", "marks", "records", "tablet"}},
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
