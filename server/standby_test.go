package server_test

import (
	"path/filepath"
	"testing"
	"time"

	"levee/server"
	"levee/server/internal/audit"
	"levee/server/internal/pgtest"
)

// What the primary alone has is not durable, however often it is looked; once a standby has it, it is.
func TestNothingIsDurableWithoutAStandby(t *testing.T) {
	primary := pgtest.NewCluster(t, pgtest.Options{Durable: true})
	standby := primary.Standby(t)
	if _, err := pgtest.Open(t, primary.URL("postgres")).ExecContext(t.Context(), `CREATE DATABASE levee`); err != nil {
		t.Fatal(err)
	}
	at := primary.URL("levee")
	s, err := server.New(t.Context(), server.Config{DB: at, Keys: filepath.Join(t.TempDir(), "keys"), SetUp: camp(), URL: "http://levee.test", DurableOnStandby: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	db, look := pgtest.Open(t, at), server.LooksAtStandby(s)
	open := func() (n int) { // replicas of which not all is durable
		t.Helper()
		if err := look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM replicas WHERE durable < have`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	await := func() {
		t.Helper()
		for end := time.Now().Add(time.Minute); open() > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("it does not become durable")
			}
		}
	}
	await()

	standby.Freeze(t)
	second := camp()
	second.Name = "second"
	if _, err := s.NewDeployment(t.Context(), audit.Actor{}, second); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if open() == 0 {
			t.Fatal("what the primary alone has is durable")
		}
	}
	standby.Thaw(t)
	await()
}
