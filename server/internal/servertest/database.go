package servertest

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"testing"

	"levee/server/internal/pgtest"
	"levee/server/internal/store"
	"levee/server/internal/store/postgres"
	"levee/server/internal/store/sqlite"
)

// OnPostgres says that deployments are kept in PostgreSQL: the same tests run on each engine.
var OnPostgres = os.Getenv("LEVEE_TEST_DB") == "postgres"

// NewStore is the address of a new database, in the engine that tests run on; a file in a folder, unless that is PostgreSQL.
func NewStore(t testing.TB, file string) string {
	t.Helper()
	if OnPostgres {
		return pgtest.New(t)
	}
	return file
}

// OpenStore opens a database by its address.
func OpenStore(ctx context.Context, at string) (*store.DB, error) {
	if OnPostgres {
		return postgres.Open(ctx, at)
	}
	return sqlite.Open(ctx, at)
}

// RawStore opens a database without its store, to do what no server does.
func RawStore(t testing.TB, at string) *sql.DB {
	t.Helper()
	if OnPostgres {
		return pgtest.Open(t, at)
	}
	db, err := sql.Open("sqlite", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// StoredIn are the bytes of all files of a database, whether or not they are in use.
func StoredIn(t testing.TB, at string) (all []byte) {
	t.Helper()
	if OnPostgres {
		return pgtest.Files(t, at)
	}
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(at + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// Copied is a database as it was.
type Copied struct {
	file []byte
	// at is that of a database which nobody opens.
	at string
}

// CopyOf copies a database that nobody has open.
func CopyOf(t testing.TB, at string) (c Copied) {
	t.Helper()
	var err error
	if OnPostgres {
		c.at = pgtest.Copy(t, at)
	} else if c.file, err = os.ReadFile(at); err != nil {
		t.Fatal(err)
	}
	return c
}

// Put makes a database of the copy, in place of the one at an address if that can be, and gives its address.
func (c Copied) Put(t testing.TB, at string) string {
	t.Helper()
	if OnPostgres {
		return pgtest.Copy(t, c.at)
	}
	if err := os.WriteFile(at, c.file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, beside := range []string{"-wal", "-shm"} {
		if err := os.Remove(at + beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return at
}
