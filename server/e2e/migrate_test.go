package e2e

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"levee/server"
	"levee/server/internal/pgtest"
)

// A deployment moves from a file to PostgreSQL and back. Its tablets go on as if nothing had been: they send what they logged
// meanwhile, and nothing again.
func TestADatabaseMovesToPostgreSQLAndBack(t *testing.T) {
	c := newCamp(t, nil)
	for n, s := range c.tablets {
		activity(t, s, uint32(n+1))
		visit(t, s, 3)
	}
	c.syncAll()
	c.syncAll() // each has what the others logged
	c.revokeLast()
	file, at, back := c.config.DB, pgtest.Bare(t), filepath.Join(t.TempDir(), "back.db")
	c.cantMove(server.MigrateInUse, file, at)

	before, was := c.totals(), c.sound()
	c.down()
	c.cantMove(server.MigrateNothing, back, at)
	c.cantMove(server.MigrateNotEmpty, file, file)
	c.moves(file, at)
	c.noticesNothing(before, was)
	c.cantMove(server.MigrateInUse, at, back)

	before, was = c.totals(), c.sound()
	c.down()
	c.cantMove(server.MigrateNotEmpty, file, at)
	c.moves(at, back)
	c.noticesNothing(before, was)
}

func (c *camp) moves(from, to string) {
	c.t.Helper()
	m, err := server.Migrate(c.ctx, from, to, server.MigrateOptions{Keys: c.config.Keys, Journal: c.config.Journal})
	if err != nil {
		c.t.Fatal(err)
	}
	var said strings.Builder
	if err := m.Print(&said, "en"); err != nil || len(m.Missing) > 0 || m.Rows < 100 || strings.Contains(said.String(), "%!") {
		c.t.Errorf("%+v, %v\n%s", m, err, said.String())
	}
	c.config.DB = to
}

func (c *camp) cantMove(code server.RefusalCode, from, to string) {
	c.t.Helper()
	_, err := server.Migrate(c.ctx, from, to, server.MigrateOptions{Keys: c.config.Keys, Journal: c.config.Journal})
	var refused *server.Refusal
	if !errors.As(err, &refused) || refused.Code != code {
		c.t.Errorf("from %s to %s: %v, want %s", from, to, err, code)
	}
}

// revokeLast puts the last tablet out of use.
func (c *camp) revokeLast() {
	c.t.Helper()
	last := len(c.tablets) - 1
	if status, body := c.post("/api/devices/"+c.status(c.tablets[last]).Device.String()+"/revocation", "application/json", ""); status >= 300 {
		c.t.Fatalf("revoking: %d %s", status, body)
	}
	c.tablets = c.tablets[:last]
}

// noticesNothing starts the server on the database that has moved, and syncs all tablets; one has logged something meanwhile.
func (c *camp) noticesNothing(before string, was *server.Checked) {
	c.t.Helper()
	visit(c.t, c.tablets[0], 5)
	c.up()
	if now := c.totals(); now != before {
		c.t.Errorf("the totals were\n%s\nand are\n%s", before, now)
	}
	if now := c.sound(); now.Deployments[0].Position != was.Deployments[0].Position || now.Deployments[0].Changes != was.Deployments[0].Changes {
		c.t.Errorf("was %+v, is %+v", was.Deployments, now.Deployments)
	}
	for i, s := range c.tablets {
		sent, received := 0, 0
		if i == 0 {
			sent = 1
		}
		if i < 3 { // those of the team, its own among them
			received = 1
		}
		r := syncNow(c.t, s)
		if r.Sent != sent || r.Received != received || r.Held+r.GivenBack > 0 || r.NewReplica || r.Unconfirmed {
			c.t.Errorf("tablet %d: %+v", i, r)
		}
	}
	c.sound()
}

// TestAMoveThatIsBrokenOff: nothing is left that could be taken for a database, and run again, it works.
func TestAMoveThatIsBrokenOff(t *testing.T) {
	c := newCamp(t, nil)
	for _, s := range c.tablets {
		for n := range 20 {
			visit(t, s, uint32(n+1))
		}
	}
	c.syncAll()
	was := c.sound()
	c.down()
	file, at, back := c.config.DB, pgtest.Bare(t), filepath.Join(t.TempDir(), "back.db")
	c.alter(`UPDATE totals SET value = value + 1`)
	c.cantMove(server.MigrateNotSound, file, at)
	c.alter(`UPDATE totals SET value = value - 1`)
	c.alter(`UPDATE devices SET app = 'e2e' || char(0)`) // as PostgreSQL has no text
	for _, when := range []string{"deployments", "log", "journal", "verifying"} {
		c.breaksOff(file, at, when)
		c.config.DB = at
		c.cantStart(server.PostgresGone)
	}
	c.kills(file, func() string { return pgtest.Bare(t) })
	c.moves(file, at)
	for _, when := range []string{"log", "verifying"} {
		c.breaksOff(at, back, when)
		c.config.DB = back
		c.cantStart(server.DatabaseGone)
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(back), "*migrate*")); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
	c.kills(at, func() string { return filepath.Join(t.TempDir(), "killed.db") })
	c.moves(at, back)
	if now := c.sound(); now.Deployments[0].Position != was.Deployments[0].Position {
		t.Errorf("was %+v, is %+v", was.Deployments, now.Deployments)
	}
}

// alter changes the database behind the server's back.
func (c *camp) alter(statement string) {
	c.t.Helper()
	db, err := sql.Open("sqlite", c.config.DB)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := db.ExecContext(c.ctx, statement); err != nil {
		c.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// breaksOff is told to stop when it comes to a table.
func (c *camp) breaksOff(from, to, when string) {
	c.t.Helper()
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	came := false
	_, err := server.Migrate(ctx, from, to, server.MigrateOptions{Keys: c.config.Keys, Journal: c.config.Journal, Progress: func(table string, _, _ uint64) {
		if table == when {
			came = true
			stop()
		}
	}})
	if !came || !errors.Is(err, context.Canceled) {
		c.t.Errorf("told to stop at %s: %v, %v", when, came, err)
	}
}

func (c *camp) cantStart(code server.RefusalCode) {
	c.t.Helper()
	var refused *server.Refusal
	if err := c.start(); !errors.As(err, &refused) || refused.Code != code {
		c.t.Fatalf("starting: %v, want %s", err, code)
	}
}

// kills kills moves at any moment. Each has left nothing, or all of it.
func (c *camp) kills(from string, fresh func() string) {
	c.t.Helper()
	seed, ended := uint64(time.Now().UnixNano()), map[string]int{}
	random := rand.New(rand.NewPCG(seed, 0))
	for range 3 {
		to := fresh()
		k := exec.Command(program(c.t, "leveed"), "migrate", "--from", from, "--to", to, "--keys", c.config.Keys, "--journal", c.config.Journal)
		if err := k.Start(); err != nil {
			c.t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(random.IntN(600))*time.Millisecond, func() { _ = k.Process.Kill() })
		_ = k.Wait()
		kill.Stop()
		_, err := server.Migrate(c.ctx, from, to, server.MigrateOptions{Keys: c.config.Keys, Journal: c.config.Journal})
		var refused *server.Refusal
		switch {
		case err == nil:
			ended["broken off"]++
		case errors.As(err, &refused) && refused.Code == server.MigrateNotEmpty:
			ended["done"]++
		default:
			c.t.Fatalf("seed %d: after a kill: %v", seed, err)
		}
		c.config.DB = to
		c.sound()
	}
	c.t.Log(ended)
}
