package e2e

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"levee/server"
	"levee/syncproto/problem"
)

// The database is damaged while the server runs on it. The server answers with an incident and goes on; nothing is
// acknowledged that is not kept.
func TestADatabaseThatIsDamagedWhileTheServerRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "backups")
	c := newCamp(t, func(config *server.Config) { config.Backups = server.Backups{Dir: dir, Every: time.Hour} })
	for _, s := range c.tablets {
		for n := range 30 {
			activity(t, s, uint32(n))
		}
	}
	c.syncAll()
	backup, err := c.server.BackUp(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	totals := c.totals()
	c.down() // what was in the WAL is in the file now
	c.up()
	spoilPages(t, c.config.DB)

	anna := c.tablets[0]
	visit(t, anna, 1)
	_, err = anna.Sync(c.ctx, nil)
	var p *problem.Problem
	if !errors.As(err, &p) || p.Code != problem.Internal || p.Incident == "" {
		t.Errorf("a sync: %v", err)
	}
	if st := c.status(anna); st.Unsent != 1 {
		t.Errorf("%+v", st)
	}
	if status, body := c.ask("/api/records?figure=community_activities&by=whole"); status != http.StatusInternalServerError || !strings.Contains(body, `"incident"`) || strings.Contains(body, "malformed") {
		t.Errorf("records: %d %s", status, body)
	}
	if status, _ := c.ask("/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
	checked, err := server.Check(c.ctx, c.config.DB, server.CheckOptions{Keys: c.config.Keys, Journal: c.config.Journal})
	if err != nil || checked.OK || checked.Faults[0].Code != string(server.DatabaseDamaged) {
		t.Errorf("check: %+v, %v", checked, err)
	}
	if _, err := c.server.BackUp(c.ctx); err == nil {
		t.Error("a damaged database was backed up")
	}

	c.down()
	var refusal *server.Refusal
	if err := c.start(); !errors.As(err, &refusal) || refusal.Code != server.DatabaseDamaged {
		t.Fatalf("starting: %v", err)
	}
	if _, err := server.Restore(c.ctx, backup.File, c.config.DB, server.RestoreOptions{Keys: c.config.Keys, Journal: c.config.Journal}); err != nil {
		t.Fatal(err)
	}
	c.up()
	if now := c.totals(); now != totals {
		t.Errorf("the totals were\n%s\nand are\n%s", totals, now)
	}
	c.syncAll()
	if st := c.status(anna); st.Unsent != 0 || st.Held != 0 {
		t.Errorf("%+v", st)
	}
	c.sound()
}

// spoilPages writes noise over all pages of a database but the first.
func spoilPages(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0x5a}, int(info.Size())-4096), 4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
