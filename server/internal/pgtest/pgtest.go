// Package pgtest gives tests databases on a real PostgreSQL. It starts a server of its own from what Debian's postgresql installs, or
// uses the one that LEVEE_TEST_POSTGRES names, a postgres:// URL of a role that may create databases. Where there is neither, tests
// that need it are skipped.
package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"levee/server/internal/store/postgres" // registers the driver too
	"levee/syncproto/testneed"
)

// server is the URL of a database from which others are made.
type server struct {
	url string
	// own is held for as long as the process lasts: who lets go of it ends it. It has a template of databases.
	own *Cluster
}

const template = "levee_template"

// shared is the server of this process. It ends with the process, however that ends.
var shared = sync.OnceValues(func() (server, error) {
	s := server{url: os.Getenv("LEVEE_TEST_POSTGRES")}
	if s.url != "" {
		return s, nil
	}
	var err error
	if s.own, err = start(Options{Config: []string{"wal_level = minimal", "max_wal_senders = 0", "max_connections = 200"}}); err != nil {
		return s, err
	}
	s.url = s.own.URL("postgres")
	if err := run(s.url, `CREATE DATABASE `+template); err != nil {
		return s, err
	}
	db, err := postgres.Open(context.Background(), s.database(template))
	if err != nil {
		return s, err
	}
	return s, db.Close()
})

// empty are databases that a test is done with, and that have been emptied: to make one takes half a second.
var empty struct {
	sync.Mutex
	urls []string
}

// New gives the URL of a database in which nothing is stored. The test must not change its tables.
func New(t testing.TB) string {
	t.Helper()
	s := need(t)
	if s.own == nil { // what is made on a server of others does not stay there
		return Bare(t)
	}
	empty.Lock()
	defer empty.Unlock()
	var at string
	if last := len(empty.urls) - 1; last >= 0 {
		at, empty.urls = empty.urls[last], empty.urls[:last]
	} else {
		database := name()
		if err := run(s.url, `CREATE DATABASE `+database+` TEMPLATE `+template); err != nil {
			t.Fatal(err)
		}
		at = s.database(database)
	}
	t.Cleanup(func() {
		if err := run(at, emptying); err != nil {
			t.Error(err)
			return
		}
		empty.Lock()
		defer empty.Unlock()
		empty.urls = append(empty.urls, at)
	})
	return at
}

// emptying leaves nothing of what a test did in a database, whatever it left open.
const emptying = `DO $$
DECLARE t name;
BEGIN
	PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';
	ALTER TABLE audit DISABLE TRIGGER USER;
	FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'goose_db_version' LOOP
		EXECUTE 'DELETE FROM ' || t;
	END LOOP;
	ALTER TABLE audit ENABLE TRIGGER USER;
END $$`

// Bare makes a database without tables, which is gone at the end of the test.
func Bare(t testing.TB) string {
	t.Helper()
	return fresh(t, "template0 ENCODING 'UTF8'")
}

func need(t testing.TB) server {
	t.Helper()
	s, err := shared()
	if errors.Is(err, errMissing) {
		testneed.Missing(t, "%v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fresh(t testing.TB, from string) string {
	t.Helper()
	s := need(t)
	database := name()
	if err := run(s.url, `CREATE DATABASE `+database+` TEMPLATE `+from); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run(s.url, `DROP DATABASE `+database+` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return s.database(database)
}

// Copy makes a copy of a database to which nobody is connected, and gives its URL.
func Copy(t testing.TB, of string) string {
	t.Helper()
	u, err := url.Parse(of)
	if err != nil {
		t.Fatal(err)
	}
	return fresh(t, u.Path[1:])
}

// Files are the bytes of all files of a database, whether or not they are in use.
func Files(t testing.TB, of string) (all []byte) {
	t.Helper()
	s := need(t)
	if s.own == nil {
		testneed.Missing(t, "the files of a PostgreSQL of our own: unset LEVEE_TEST_POSTGRES")
	}
	db, err := sql.Open("pgx", of)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var oid string
	if _, err := db.ExecContext(t.Context(), `CHECKPOINT`); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRowContext(t.Context(), `SELECT oid FROM pg_database WHERE datname = current_database()`).Scan(&oid); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join(s.own.data(), "base", oid))
	for _, f := range files {
		b, rerr := os.ReadFile(filepath.Join(s.own.data(), "base", oid, f.Name())) //nolint:gosec // in a folder of our own
		if !errors.Is(rerr, fs.ErrNotExist) {                                      // what is no longer used goes away at its time
			err = errors.Join(err, rerr)
		}
		all = append(all, b...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Open opens a database without its store, as an administrator's tool would.
func Open(t testing.TB, at string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// name is one that no other database has.
func name() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	return fmt.Sprintf("levee_test_%x", b)
}

// database is the URL of a database of a name.
func (s server) database(name string) string {
	u, err := url.Parse(s.url)
	if err != nil {
		return s.url // which is refused where it is opened
	}
	u.Path = "/" + name
	return u.String()
}

func run(at, statement string) (err error) {
	db, err := sql.Open("pgx", at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err = db.ExecContext(context.Background(), statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
