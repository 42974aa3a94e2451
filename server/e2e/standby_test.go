package e2e

import (
	"errors"
	"strings"
	"testing"

	"levee/server"
	"levee/server/internal/pgtest"
)

// What a tablet has sent is durable once a standby has it, where the operator wants that, and not while the standby is away.
func TestDurableFollowsAStandby(t *testing.T) {
	primary := pgtest.NewCluster(t, pgtest.Options{Durable: true})
	standby := primary.Standby(t, "wal_retrieve_retry_interval = 100ms")
	admin := pgtest.Open(t, primary.URL("postgres"))
	for _, statement := range []string{`CREATE ROLE plain LOGIN`, `CREATE DATABASE levee OWNER plain`} {
		if _, err := admin.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	at := strings.Replace(primary.URL("levee"), "user=levee", "user=plain", 1)
	refused := func(db string, want server.RefusalCode) {
		t.Helper()
		_, err := server.New(t.Context(), server.Config{DB: db, Keys: t.TempDir() + "/keys", DurableOnStandby: true})
		var said *server.Refusal
		if !errors.As(err, &said) || said.Code != want {
			t.Errorf("%s: %v, want %s", db, err, want)
		}
	}
	refused(at, server.StandbyHidden)
	refused(t.TempDir()+"/server.db", server.StandbyNone)
	if _, err := admin.ExecContext(t.Context(), `GRANT pg_monitor TO plain`); err != nil {
		t.Fatal(err)
	}

	c := newCamp(t, func(config *server.Config) { config.DB, config.DurableOnStandby = at, true })
	s := c.tablets[0]
	durable := func() bool {
		syncNow(t, s)
		return c.status(s).Sent == 0
	}
	visit(t, s, 1)
	c.await("the standby's word", durable)

	standby.Cut(t)
	visit(t, s, 2)
	if durable() {
		t.Error("what the primary alone has is durable")
	}
	standby.Rejoin(t)
	c.await("the standby's word", durable)
}
