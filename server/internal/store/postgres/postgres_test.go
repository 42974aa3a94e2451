package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"levee/migrations"
	"levee/server/internal/pgtest"
	"levee/server/internal/store"
	"levee/server/internal/store/postgres"
	"levee/server/internal/store/storetest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) *store.DB {
		db, err := postgres.Open(context.Background(), pgtest.New(t))
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}

func open(t *testing.T, at string) *store.DB {
	t.Helper()
	db, err := postgres.Open(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	at := pgtest.Bare(t)
	if _, err := postgres.OpenToRead(t.Context(), at); !errors.Is(err, store.ErrForeign) {
		t.Errorf("opened an empty database to read: %v", err)
	}
	if err := open(t, at).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.OpenToRead(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Deployment(hlc.ID{1}).Write(t.Context(), func(syncing.Writing) error { return nil })
	if err == nil {
		t.Error("what was opened to read was written to")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := pgtest.Open(t, at).ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(context.Context, string) (*store.DB, error){postgres.Open, postgres.OpenToRead} {
		if _, err := open(t.Context(), at); !errors.Is(err, migrations.ErrNewer) {
			t.Errorf("opened a newer database: %v", err)
		}
	}
}

func TestAnotherProgramsDatabaseIsRefused(t *testing.T) {
	at := pgtest.Bare(t)
	if _, err := pgtest.Open(t, at).ExecContext(t.Context(), `CREATE TABLE deploys (id BIGINT)`); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), at); !errors.Is(err, store.ErrForeign) {
		t.Errorf("opened another program's database: %v", err)
	}
	var tables int
	if err := pgtest.Open(t, at).QueryRowContext(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables); err != nil || tables != 1 {
		t.Errorf("%d tables after that, %v", tables, err)
	}
}

// TestServersStartTogether: several open an empty database at once, and one of them makes the tables.
func TestServersStartTogether(t *testing.T) {
	at := pgtest.Bare(t)
	var servers sync.WaitGroup
	for range 4 {
		servers.Go(func() {
			db, err := postgres.Open(context.Background(), at)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	servers.Wait()
}

// TestPositionsAreCommittedInOrder: servers that write to one deployment go one after the other, each from where the one before it
// ended, and whoever reads never sees a position before all those below it.
func TestPositionsAreCommittedInOrder(t *testing.T) {
	at := pgtest.New(t)
	const servers, each = 3, 20
	deployment := hlc.ID{1}
	var writing sync.WaitGroup
	for range servers {
		db := open(t, at)
		for range 2 {
			writing.Go(func() {
				for range each {
					err := db.Deployment(deployment).Write(context.Background(), func(tx syncing.Writing) error {
						head, err := tx.Head()
						if err != nil {
							return err
						}
						head.Position++
						return tx.Save(syncing.Changes{Head: head, Log: []syncing.LogEntry{{Position: head.Position, Replica: 7, Sequence: head.Position}}})
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	reader, seen := open(t, at).Deployment(deployment), 0
	for last := false; !last; {
		select {
		case <-done:
			last = true
		default:
		}
		err := reader.Snapshot(context.Background(), func(tx *store.Tx) error {
			head, err := tx.Head()
			if err != nil {
				return err
			}
			entries, err := tx.Entries(0, 1000)
			if uint64(len(entries)) != head.Position || len(entries) < seen {
				t.Errorf("%d entries up to position %d, after %d were seen", len(entries), head.Position, seen)
			}
			seen = len(entries)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen != servers*2*each {
		t.Errorf("%d entries of %d", seen, servers*2*each)
	}
}

// TestDeploymentsAreWrittenSideBySide: a long transaction of one keeps nobody else waiting, in this server and in others.
func TestDeploymentsAreWrittenSideBySide(t *testing.T) {
	at := pgtest.New(t)
	a, b := open(t, at), open(t, at)
	nothing := func(syncing.Writing) error { return nil }
	err := a.Deployment(hlc.ID{1}).Write(t.Context(), func(syncing.Writing) error {
		return errors.Join(a.Deployment(hlc.ID{2}).Write(t.Context(), nothing), b.Deployment(hlc.ID{3}).Write(t.Context(), nothing))
	})
	if err != nil {
		t.Fatal(err)
	}
	// Of the same deployment, the second waits: here until it is told that the server is busy.
	waiting, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = a.Deployment(hlc.ID{1}).Write(t.Context(), func(syncing.Writing) error {
		for _, db := range []*store.DB{a, b} {
			if err := db.Deployment(hlc.ID{1}).Write(waiting, nothing); problem.CodeOf(err) != problem.Busy {
				return fmt.Errorf("the deployment was written to by two: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	// What only held a deployment's row has made none.
	if ids, err := a.Deployments(t.Context()); err != nil || len(ids) > 0 {
		t.Errorf("deployments %v, %v", ids, err)
	}
}

func TestErrorsNeverTellThePassword(t *testing.T) {
	for _, at := range []string{"postgres://levee:hunter2@127.0.0.1:1/levee?connect_timeout=1", "postgres://levee:hunter2@%zz/levee", "postgres://levee:hunter2@localhost/x?sslmode=hunter2"} {
		_, err := postgres.Open(t.Context(), at)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
}

func TestAServerThatIsAwayIsBusy(t *testing.T) {
	c := pgtest.NewCluster(t, pgtest.Options{Durable: true})
	db := open(t, c.URL("postgres"))
	deployment := db.Deployment(hlc.ID{1})
	save := func(position uint64) error {
		return deployment.Write(context.Background(), func(tx syncing.Writing) error {
			return tx.Save(syncing.Changes{Head: syncing.Head{Position: position}, Log: []syncing.LogEntry{{Position: position, Replica: 1, Sequence: position}}})
		})
	}
	if err := save(1); err != nil {
		t.Fatal(err)
	}
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := save(2); problem.CodeOf(err) != problem.Busy {
			t.Errorf("without a database: %v", err)
		}
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := save(2); err != nil {
		t.Errorf("once it is there again: %v", err)
	}
	ids, err := db.Deployments(t.Context())
	if err != nil || !slices.Equal(ids, []hlc.ID{{1}}) {
		t.Errorf("deployments %v, %v", ids, err)
	}
}
