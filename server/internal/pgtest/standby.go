package pgtest

import (
	"context"
	"database/sql"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Standby makes a standby of a cluster, which follows it by streaming and may be read. It is gone at the end of the test.
func (c *Cluster) Standby(t testing.TB, config ...string) *Cluster {
	t.Helper()
	s, err := begin(func(s *Cluster) error {
		return s.Run("pg_basebackup", "-D", s.data(), "-h", c.Dir, "-U", superuser, "-X", "stream", "-c", "fast", "-R")
	}, Options{Durable: true, Config: config})
	return s.until(t, err)
}

// Follow waits until a standby shows all that is committed on its primary by now.
func (c *Cluster) Follow(t testing.TB, primary *Cluster) {
	t.Helper()
	var end string
	ask(t, primary, `SELECT pg_current_wal_insert_lsn()::text`, &end)
	c.wait(t, `SELECT pg_last_wal_replay_lsn() >= '`+end+`'`)
}

// Cut cuts a standby off from its primary. Once it returns, nothing that is committed there arrives any more.
func (c *Cluster) Cut(t testing.TB) {
	t.Helper()
	ask(t, c, `SHOW primary_conninfo`, &c.primary)
	c.reload(t, `ALTER SYSTEM SET primary_conninfo = ''`)
	c.wait(t, `SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)`)
}

// Rejoin has a standby that was cut off follow its primary again.
func (c *Cluster) Rejoin(t testing.TB) {
	t.Helper()
	c.reload(t, `ALTER SYSTEM SET primary_conninfo = '`+strings.ReplaceAll(c.primary, `'`, `''`)+`'`)
}

// Freeze has a standby take nothing in any more, and stay connected. Thaw has it go on.
func (c *Cluster) Freeze(t testing.TB) { c.signal(t, syscall.SIGSTOP) }

// Thaw is the end of Freeze.
func (c *Cluster) Thaw(t testing.TB) { c.signal(t, syscall.SIGCONT) }

func (c *Cluster) signal(t testing.TB, what syscall.Signal) {
	t.Helper()
	var receiver int
	if ask(t, c, `SELECT pid FROM pg_stat_wal_receiver`, &receiver); syscall.Kill(receiver, what) != nil {
		t.Fatalf("process %d does not take %v", receiver, what)
	}
}

// Promote makes a standby the primary.
func (c *Cluster) Promote() error { return c.Run("pg_ctl", "promote", "-w", "-D", c.data()) }

// reload runs a statement that changes the configuration, and has it apply.
func (c *Cluster) reload(t testing.TB, statement string) {
	t.Helper()
	if err := run(c.URL("postgres"), statement); err != nil {
		t.Fatal(err)
	}
	if err := run(c.URL("postgres"), `SELECT pg_reload_conf()`); err != nil {
		t.Fatal(err)
	}
}

// wait asks until the answer is true.
func (c *Cluster) wait(t testing.TB, question string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		var is bool
		if ask(t, c, question, &is); is {
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("for a minute not true: %s", question)
		}
	}
}

func ask(t testing.TB, of *Cluster, question string, into any) {
	t.Helper()
	db, err := sql.Open("pgx", of.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(context.Background(), question).Scan(into); err != nil {
		t.Fatalf("%s: %v", question, err)
	}
}
