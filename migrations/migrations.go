// Package migrations holds every schema as embedded SQL and brings a database up to it.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed client/*.sql sqlite/*.sql postgres/*.sql
var files embed.FS

// Schema is one of the embedded schemas.
type Schema struct {
	dir     string
	dialect goose.Dialect
}

// The schemas.
var (
	// Client is the tablet's store.
	Client = Schema{"client", goose.DialectSQLite3}
	// SQLite is the server's store in SQLite.
	SQLite = Schema{"sqlite", goose.DialectSQLite3}
	// Postgres is the server's store in PostgreSQL.
	Postgres = Schema{"postgres", goose.DialectPostgres}
)

// ErrNewer says that the database was written by a newer program. Nothing in it was touched.
var ErrNewer = errors.New("the database was made by a newer version of this program; update the program to open it")

// ErrOlder says that the database was written by an older program, and must be brought up to date first.
var ErrOlder = errors.New("the database was made by an older version of this program; start the server with it once to bring it up to date")

// Up brings a database to the newest version of its schema. A database that is newer than this program is refused with
// ErrNewer.
func Up(ctx context.Context, db *sql.DB, s Schema) error {
	provider, err := compare(ctx, db, s)
	if !errors.Is(err, ErrOlder) {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	return nil
}

// Check reports whether a database has the newest version of its schema, with ErrNewer or ErrOlder if it has not. It
// changes nothing.
func Check(ctx context.Context, db *sql.DB, s Schema) error {
	_, err := compare(ctx, db, s)
	return err
}

func compare(ctx context.Context, db *sql.DB, s Schema) (*goose.Provider, error) {
	dir, err := fs.Sub(files, s.dir)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	provider, err := goose.NewProvider(s.dialect, db, dir)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	// goose itself accepts a newer database without a word.
	current, target, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the schema's version: %w", err)
	case current > target:
		return nil, fmt.Errorf("%w (schema %d, this program knows %d)", ErrNewer, current, target)
	case current < target:
		return provider, fmt.Errorf("%w (schema %d, this program needs %d)", ErrOlder, current, target)
	default:
		return provider, nil
	}
}
