package postgres_test

import (
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"levee/server/internal/pgtest"
	"levee/server/internal/store/postgres"
	"levee/server/internal/store/sqlite"
)

// TestBothEnginesHaveTheSameTables: what is added to one schema is added to the other. How words are kept is each engine's own.
func TestBothEnginesHaveTheSameTables(t *testing.T) {
	at, path := pgtest.Bare(t), filepath.Join(t.TempDir(), "server.db")
	theirs, err := postgres.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{theirs.Close(), ours.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	file, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	want := schemaOf(t, file, `SELECT m.name, c.name, c.type, c."notnull" <> 0, coalesce(c.dflt_value, ''), c.pk
		FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'words%' AND m.name <> 'goose_db_version'
		ORDER BY m.name, c.cid`)
	got := schemaOf(t, pgtest.Open(t, at), `SELECT c.relname, a.attname,
			CASE format_type(a.atttypid, NULL) WHEN 'bytea' THEN 'BLOB' WHEN 'bigint' THEN 'INTEGER' WHEN 'text' THEN 'TEXT' ELSE format_type(a.atttypid, NULL) END,
			a.attnotnull, replace(replace(coalesce(pg_get_expr(d.adbin, d.adrelid), ''), '''\x''::bytea', 'x'''''), '::text', ''),
			coalesce(array_position(i.indkey::int2[], a.attnum), -1) + 1
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
			LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('words', 'goose_db_version')
		ORDER BY c.relname COLLATE "C", a.attnum`)
	if len(want) < 30 || !slices.Contains(want["audit"], "position INTEGER true 0 0") {
		t.Fatalf("of SQLite's schema this is seen: %v", want)
	}
	for table := range maps.Keys(want) {
		if !slices.Equal(got[table], want[table]) {
			t.Errorf("%s:\nPostgreSQL\n\t%s\nSQLite\n\t%s", table, strings.Join(got[table], "\n\t"), strings.Join(want[table], "\n\t"))
		}
		delete(got, table)
	}
	if len(got) > 0 {
		t.Errorf("only PostgreSQL has %v", got)
	}
}

// schemaOf are the columns of each table.
func schemaOf(t *testing.T, db *sql.DB, query string) map[string][]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	tables := map[string][]string{}
	for rows.Next() {
		var table, column, sort, value string
		var notNull bool
		var key int
		if err := rows.Scan(&table, &column, &sort, &notNull, &value, &key); err != nil {
			t.Fatal(err)
		}
		tables[table] = append(tables[table], fmt.Sprint(column, " ", sort, " ", notNull, " ", value, " ", key))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return tables
}

// perPerson are the tables of people, who may work in several deployments. They are the same wherever a deployment's rows are.
var perPerson = []string{"accounts", "memberships", "links", "sessions", "api_tokens"}

// TestEveryKeyLeadsWithTheDeployment: so that an engine that splits tables by it finds all of a deployment in one place. Of texts,
// the order is that of their bytes.
func TestEveryKeyLeadsWithTheDeployment(t *testing.T) {
	db := pgtest.Open(t, pgtest.New(t))
	for query, says := range map[string]string{
		`SELECT c.relname || ': ' || x.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relname NOT IN ('goose_db_version', '` + strings.Join(perPerson, "', '") + `')
			AND a.attname <> 'deployment' AND x.relname <> 'words_by_text'`: "this index does not lead with the deployment",
		`SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_collation o ON o.oid = a.attcollation
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND o.collname <> 'C'`: "this text is compared by the rules of a language",
	} {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var what string
			if err := rows.Scan(&what); err != nil {
				t.Fatal(err)
			}
			t.Errorf("%s: %s", says, what)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}
