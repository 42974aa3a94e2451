package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// PlainPrefix begins the names of plain tables: those that an archive has for people with any SQLite tool.
const PlainPrefix = "plain_"

// PlainTable is one of them. Its rows are kept, and read, in the order of its key.
type PlainTable struct {
	// Name has no prefix.
	Name    string
	Columns []PlainColumn
	// Key is how many of the first columns tell a row from the others.
	Key int
}

// PlainColumn is one column: of texts, unless it is of whole numbers.
type PlainColumn struct {
	Name   string
	Number bool
	// Comment stands beside it in the schema, in one line.
	Comment string
}

// PlainWriter makes plain tables.
type PlainWriter struct {
	ctx context.Context
	tx  *sql.Tx
}

// WritePlain runs fn in one transaction on a database that is there, while others may read it.
func WritePlain(ctx context.Context, path string, fn func(*PlainWriter) error) (err error) {
	defer func() { err = classify(err) }()
	db, err := sql.Open("sqlite", dsn(path, "immediate", scratch...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(&PlainWriter{ctx, tx}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Table makes a table, and runs rows, which puts a row into it at a time: its values in the order of the columns, each a string, an
// int64 or nil.
func (w *PlainWriter) Table(t PlainTable, rows func(put func(values ...any) error) error) (err error) {
	if _, err := w.tx.ExecContext(w.ctx, t.schema()); err != nil {
		return fmt.Errorf("making %s: %w", t.Name, err)
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(t.Columns)), ",")
	insert, err := w.tx.PrepareContext(w.ctx, `INSERT INTO `+name(PlainPrefix+t.Name)+` VALUES (`+marks+`)`) //nolint:gosec // a quoted name
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, insert.Close()) }()
	return rows(func(values ...any) error {
		_, err := insert.ExecContext(w.ctx, values...)
		return err
	})
}

// schema is the statement that makes a table. SQLite keeps it as it stands here, and tools show it.
func (t PlainTable) schema() string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", name(PlainPrefix+t.Name))
	var key []string
	for i, c := range t.Columns {
		sort := "TEXT"
		if c.Number {
			sort = "INTEGER"
		}
		if i < t.Key {
			key, sort = append(key, name(c.Name)), sort+" NOT NULL"
		}
		fmt.Fprintf(&b, "  %s %s, -- %s\n", name(c.Name), sort, c.Comment)
	}
	fmt.Fprintf(&b, "  PRIMARY KEY (%s)\n) WITHOUT ROWID", strings.Join(key, ", "))
	return b.String()
}

func name(of string) string { return `"` + of + `"` }

// Still reads a database that nobody writes.
type Still struct{ db *sql.DB }

// OpenToVerify opens the database in a file, whatever else follows it there, and leaves no trace beside it.
func OpenToVerify(path string) (*Still, error) {
	db, err := sql.Open("sqlite", dsn(path, "deferred", "query_only(1)")+"&mode=ro&immutable=1")
	return &Still{db}, err
}

// Close closes it.
func (s *Still) Close() error { return s.db.Close() }

// Integrity tells what SQLite itself finds wrong.
func (s *Still) Integrity(ctx context.Context) ([]string, error) {
	return integrity(ctx, s.db, "integrity_check")
}

// PlainTables are the names of the plain tables, with the prefix.
func (s *Still) PlainTables(ctx context.Context) (names []string, err error) {
	err = s.each(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, $1) = $2 ORDER BY name`, func(values []any) error {
		names = append(names, fmt.Sprint(values[0]))
		return nil
	}, len(PlainPrefix), PlainPrefix)
	return names, err
}

// EachPlain hands out the names of a table's columns, and then its rows in the order of its key: each value a string, an int64 or nil.
// The slices hold until the next row.
func (s *Still) EachPlain(ctx context.Context, table string, columns func([]string) error, row func([]any) error) error {
	var names, key []string
	err := s.each(ctx, `SELECT name, pk FROM pragma_table_info($1) ORDER BY cid`, func(values []any) error {
		names = append(names, fmt.Sprint(values[0]))
		if values[1] != int64(0) {
			key = append(key, name(names[len(names)-1])) // the key's columns are the first ones
		}
		return nil
	}, table)
	if err != nil {
		return err
	}
	if len(key) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, `"`) }) {
		return fmt.Errorf("%s is no plain table", table)
	}
	if err := columns(names); err != nil {
		return err
	}
	return s.each(ctx, `SELECT * FROM `+name(table)+` ORDER BY `+strings.Join(key, ", "), row)
}

// EachPage hands out where in the file each page begins, with the name of the table or index whose it is.
func (s *Still) EachPage(ctx context.Context, page func(at int64, of string) error) error {
	return s.each(ctx, `SELECT pgoffset, name FROM dbstat`, func(values []any) error {
		at, _ := values[0].(int64)
		return page(at, fmt.Sprint(values[1]))
	})
}

func (s *Still) each(ctx context.Context, query string, row func([]any) error, args ...any) (err error) {
	defer func() { err = classify(err) }()
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}
