// Package database tells by its address what a server's database is: a SQLite file, or a PostgreSQL database. Whatever depends on that
// outside the stores is here.
package database

import (
	"context"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"levee/server/internal/store"
	"levee/server/internal/store/postgres"
	"levee/server/internal/store/sqlite"
	"levee/syncproto/hlc"
)

// At is the address of a database: the path of a file, or a URL that begins with postgres:// or postgresql://. It may have a password
// in it: what is shown to people, and what is logged, is its String.
type At string

// OnPostgres reports whether it is a PostgreSQL database, which has no file of its own here.
func (a At) OnPostgres() bool {
	return strings.HasPrefix(string(a), "postgres://") || strings.HasPrefix(string(a), "postgresql://")
}

// String is the address as it may be shown: of a URL, where it leads, without a user, a password or settings.
func (a At) String() string {
	if !a.OnPostgres() {
		return string(a)
	}
	u, err := url.Parse(string(a))
	if err != nil { // as with several hosts and ports
		_, rest, _ := strings.Cut(string(a), "://")
		rest, _, _ = strings.Cut(rest, "?")
		return "postgres://" + rest[strings.LastIndex(rest, "@")+1:]
	}
	shown := url.URL{Scheme: "postgres", Host: u.Host, Path: u.Path}
	return shown.String()
}

// MarshalText has it shown as its String in JSON too.
func (a At) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Keys is where the server's secrets are unless somebody says otherwise: beside the file, or in the folder in which the program runs.
func (a At) Keys() string {
	if a.OnPostgres() {
		return "levee" + keysSuffix
	}
	return string(a) + keysSuffix
}

const keysSuffix = ".keys"

// Beside is the path of what lies beside the database; of a PostgreSQL database, beside the server's keys.
func (a At) Beside(keys, suffix string) string {
	if a.OnPostgres() {
		return strings.TrimSuffix(keys, keysSuffix) + suffix
	}
	return string(a) + suffix
}

// Name is what the database is called.
func (a At) Name() string {
	base := filepath.Base(a.String())
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// Open opens or makes it, and brings its schema up to date: see sqlite.Open and postgres.Open.
func (a At) Open(ctx context.Context) (*store.DB, error) {
	if a.OnPostgres() {
		return postgres.Open(ctx, string(a))
	}
	return sqlite.Open(ctx, string(a))
}

// OpenToRead opens one that is there, and never writes to it. It works beside a running server.
func (a At) OpenToRead(ctx context.Context) (*store.DB, error) {
	if a.OnPostgres() {
		return postgres.OpenToRead(ctx, string(a))
	}
	return sqlite.OpenToRead(ctx, string(a))
}

// Made reports whether there is anything at the address: a file that is not empty, or tables.
func (a At) Made(ctx context.Context) (bool, error) {
	if a.OnPostgres() {
		return postgres.Made(ctx, string(a))
	}
	info, err := os.Stat(string(a))
	if os.IsNotExist(err) {
		return false, nil
	}
	return err == nil && info.Size() > 0, err
}

// Hold holds a file until it is closed: see sqlite.Hold. A PostgreSQL database is never put in another's place under a server, and needs
// no holding.
func (a At) Hold(ctx context.Context, alone bool) (io.Closer, error) {
	if a.OnPostgres() {
		return nobody{}, nil
	}
	return sqlite.Hold(ctx, string(a), alone)
}

type nobody struct{}

func (nobody) Close() error { return nil }

// Integrity looks through every page of a file, and tells what is damaged. The pages of PostgreSQL are its own to look through.
func (a At) Integrity(ctx context.Context) (faults []string, err error) {
	if a.OnPostgres() {
		return nil, nil
	}
	return sqlite.Integrity(ctx, string(a), false)
}

// Extract copies what one deployment has, as it is at one moment, to a SQLite database in a file that is not there yet.
func (a At) Extract(ctx context.Context, to string, deployment hlc.ID) error {
	if !a.OnPostgres() {
		return sqlite.Extract(ctx, string(a), to, deployment)
	}
	db, err := postgres.OpenToRead(ctx, string(a))
	if err != nil {
		return err
	}
	err = sqlite.ExtractFrom(ctx, db, to, deployment)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return err
}
