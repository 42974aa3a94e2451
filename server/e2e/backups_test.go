package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"levee/server"
)

// A change is safe once a backup holds it, and tablets say so.
func TestChangesAreDurableOnceABackupHoldsThem(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "backups")
	c := newCamp(t, func(config *server.Config) { config.Backups = server.Backups{Dir: dir, Every: time.Hour} })
	anna := c.tablets[0]
	check := func(when string, sent, durable int) {
		t.Helper()
		syncNow(t, anna)
		if st := c.status(anna); st.Sent != sent || st.Durable != durable || st.Unsent != 0 {
			t.Errorf("%s: %+v", when, st)
		}
	}
	visit(t, anna, 1)
	visit(t, anna, 2)
	check("no backup holds them", 2, 0)
	if _, err := c.server.BackUp(c.ctx); err != nil {
		t.Fatal(err)
	}
	check("a backup holds them", 0, 2)
	visit(t, anna, 3)
	check("one came after the backup", 1, 2)
	c.down()
	c.up()
	check("after a start", 1, 2)
	c.down()
	c.config.Backups = server.Backups{}
	c.up()
	check("without backups", 0, 3)
}

// The backups fail when their disk does. Service goes on, whoever watches is told, and backups begin again by themselves.
func TestBackupsThatFailStopNothing(t *testing.T) {
	// The folder is a link, which is led elsewhere in one step: a backup may begin at any time, and makes a folder that is not there.
	disk := t.TempDir()
	dir, away := filepath.Join(disk, "backups"), filepath.Join(disk, "file")
	lead := func(to string) {
		t.Helper()
		next := filepath.Join(disk, "next")
		if err := os.Symlink(to, next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, dir); err != nil {
			t.Fatal(err)
		}
	}
	there := t.TempDir()
	lead(there)
	if err := os.WriteFile(away, nil, 0o600); err != nil { // a file is no folder
		t.Fatal(err)
	}
	c := newCamp(t, func(config *server.Config) {
		config.Backups = server.Backups{Dir: dir, Every: 5 * time.Millisecond, Keep: 3}
	})
	if failed := c.measure("levee_backup_failures_total"); failed != 0 {
		t.Fatalf("%v backups failed", failed)
	}
	lead(away)
	c.await("a failure", func() bool { return c.measure("levee_backup_failures_total") > 0 })
	visit(t, c.tablets[0], 1)
	syncNow(t, c.tablets[0])
	if st := c.status(c.tablets[0]); st.Sent != 1 {
		t.Errorf("durable, and there are no backups: %+v", st)
	}
	lead(there)
	c.await("a backup with the change", func() bool {
		syncNow(t, c.tablets[0])
		return c.status(c.tablets[0]).Durable == 1
	})
	c.down()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 || len(files) > 4 { // one more, if the server was stopped between making and removing
		t.Errorf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "Z.db") {
			t.Errorf("%s was left", f.Name())
		}
	}
}
