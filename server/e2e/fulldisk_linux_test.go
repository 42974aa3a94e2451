package e2e

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"levee/clientlib"
	"levee/server"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// disk is a small file system.
type disk struct {
	t   *testing.T
	dir string
}

// smallDisk mounts a file system of some size, if this process may.
func smallDisk(t *testing.T, size string) *disk {
	t.Helper()
	d := &disk{t, filepath.Join(t.TempDir(), "disk")}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("levee", d.dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("not run: a small file system could not be mounted here, which takes the rights of root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill takes all the room that there is.
func (d *disk) fill() {
	d.t.Helper()
	f, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, n := range []int{1 << 20, 4096, 1} {
		for block := make([]byte, n); err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			d.t.Fatal(err)
		}
		err = nil
	}
	if err := f.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// makeRoom takes the ballast away.
func (d *disk) makeRoom() {
	d.t.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		d.t.Fatal(err)
	}
}

// The server's disk is full. Tablets are told so and keep what they have, whoever reads is served, and all goes on by
// itself once there is room.
func TestAFullDiskOnTheServer(t *testing.T) {
	d := smallDisk(t, "32m")
	c := newCamp(t, func(config *server.Config) {
		config.DB, config.Journal = filepath.Join(d.dir, "levee.db"), filepath.Join(d.dir, "levee.journal")
	})
	logged := 0
	for _, s := range c.tablets {
		for n := range 5 {
			visit(t, s, uint32(n+1))
			logged++
		}
	}
	c.syncAll()
	c.syncAll()
	setUp := c.sound().Deployments[0].Changes - logged

	for round := range 3 {
		code, err := c.server.NewEnrolment(c.ctx, "ben", hlc.ID{})
		if err != nil {
			t.Fatal(err)
		}
		d.fill()
		// The WAL may have room left for a few commits.
		full := false
		anna := c.tablets[0]
		for tries := 0; !full; tries++ {
			if tries == 1000 {
				t.Fatal("the disk does not become full")
			}
			for range 20 {
				visit(t, anna, 2)
				logged++
			}
			_, err := anna.Sync(c.ctx, nil)
			if full = clientlib.Code(err) == string(problem.StorageFull); err != nil && !full {
				t.Fatalf("round %d: a sync with a full disk: %v", round, err)
			}
		}
		// Whoever else comes, many at once, is told the same.
		var syncs sync.WaitGroup
		for _, s := range c.tablets[1:4] {
			for range 20 {
				visit(t, s, 3)
				logged++
			}
			syncs.Go(func() {
				if _, err := s.Sync(c.ctx, nil); clientlib.Code(err) != string(problem.StorageFull) {
					t.Errorf("round %d: a sync with a full disk: %v", round, err)
				}
			})
		}
		syncs.Wait()
		if _, err := c.server.NewEnrolment(c.ctx, "anna", hlc.ID{}); problem.CodeOf(err) != problem.StorageFull {
			t.Errorf("an enrolment code: %v", err)
		}
		another := openTablet(t, filepath.Join(t.TempDir(), "another.db"), nil)
		if err := another.Enrol(c.ctx, code.Code); clientlib.Code(err) != string(problem.StorageFull) {
			t.Errorf("enrolling: %v", err)
		}
		// Who only reads gets what is there.
		syncNow(t, c.tablets[4])
		totals := c.totals()
		for _, path := range []string{"/healthz", "/readyz", "/metrics", "/api/devices", "/api/records?figure=outreach_rounds&by=whole"} {
			if status, body := c.ask(path); status != http.StatusOK {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		if st := c.status(anna); st.Unsent == 0 || st.Held != 0 {
			t.Errorf("%+v", st)
		}

		d.makeRoom()
		if err := another.Enrol(c.ctx, code.Code); err != nil {
			t.Errorf("enrolling: %v", err)
		}
		c.syncAll()
		c.syncAll()
		for i, s := range c.tablets {
			if st := c.status(s); st.Unsent != 0 || st.Held != 0 {
				t.Errorf("tablet %d: %+v", i, st)
			}
		}
		if c.totals() == totals {
			t.Error("the totals stand still")
		}
		if got := c.sound().Deployments[0].Changes - setUp; got != logged {
			t.Errorf("round %d: %d changes on the server, %d were logged", round, got, logged)
		}
	}
}

func TestAServerThatCannotStartOnAFullDiskSaysSo(t *testing.T) {
	d := smallDisk(t, "8m")
	c := newCamp(t, func(config *server.Config) { config.DB = filepath.Join(d.dir, "levee.db") })
	visit(t, c.tablets[0], 1)
	c.syncAll()
	c.down()
	d.fill()
	var refusal *server.Refusal
	if err := c.start(); !errors.As(err, &refusal) || refusal.Code != server.DiskFull {
		t.Fatalf("starting with a full disk: %v", err)
	}
	d.makeRoom()
	c.up()
	c.syncAll()
	c.sound()
}

// The disk of the backups is full: the backup fails and leaves nothing of itself, and the ones before stay.
func TestAFullDiskForBackups(t *testing.T) {
	d := smallDisk(t, "2m") // two backups of a server that has hardly anything take more than one
	c := newCamp(t, func(config *server.Config) { config.Backups = server.Backups{Dir: d.dir, Every: time.Hour} })
	good, err := c.server.BackUp(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(good.File)
	if err != nil {
		t.Fatal(err)
	}
	d.fill()
	files := namesIn(t, d.dir)
	visit(t, c.tablets[0], 1)
	if _, err := c.server.BackUp(c.ctx); problem.CodeOf(err) != problem.StorageFull {
		t.Errorf("a backup on a full disk: %v", err)
	}
	if _, err := server.Backup(c.ctx, c.config.DB, filepath.Join(d.dir, "mine.db"), false); problem.CodeOf(err) != problem.StorageFull {
		t.Errorf("a backup on a full disk: %v", err)
	}
	if now := namesIn(t, d.dir); now != files {
		t.Errorf("the folder had\n%s\nand has\n%s", files, now)
	}
	if now, err := os.ReadFile(good.File); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the backup before changed: %v", err)
	}
	if failed := c.measure("levee_backup_failures_total"); failed != 1 {
		t.Errorf("%v failures measured", failed)
	}
	syncNow(t, c.tablets[0])
	if st := c.status(c.tablets[0]); st.Sent != 1 || st.Durable != 0 {
		t.Errorf("%+v", st)
	}
	d.makeRoom()
	if _, err := c.server.BackUp(c.ctx); err != nil {
		t.Fatal(err)
	}
	syncNow(t, c.tablets[0])
	if st := c.status(c.tablets[0]); st.Sent != 0 || st.Durable != 1 {
		t.Errorf("%+v", st)
	}
}

func namesIn(t *testing.T, dir string) (names string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names += e.Name() + "\n"
	}
	return names
}
