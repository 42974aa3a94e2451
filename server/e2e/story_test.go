package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/server"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// The server's disk is lost an hour after its last backup. Nobody does anything but put the backup on a new disk.
func TestAfterARestoreTheTabletsBringBackWhatTheBackupLacks(t *testing.T) {
	backups := filepath.Join(t.TempDir(), "backups")
	c := newCamp(t, func(config *server.Config) { config.Backups = server.Backups{Dir: backups, Every: time.Hour} })
	anna, ben, lena, carl, dora := c.tablets[0], c.tablets[1], c.tablets[2], c.tablets[3], c.tablets[4]

	// A day's work, which all tablets have sent and seen.
	for i, s := range c.tablets {
		for n := range 5 {
			visit(t, s, uint32(1+i+n))
			activity(t, s, uint32(10*i+n))
		}
	}
	c.syncAll()
	c.syncAll()

	// A backup. Now all of it is safe, and the tablets hear so.
	backup, err := c.server.BackUp(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	c.syncAll()
	for _, s := range c.tablets {
		if st := c.status(s); st.Durable != 15 || st.Sent != 0 || st.Unsent != 0 {
			t.Errorf("after the backup: %+v", st)
		}
	}

	// 200 more changes: 40 by each, lena's about what anna and ben logged in the meantime.
	var counts, activities []hlc.ID
	for i, s := range []*clientlib.Store{anna, ben, carl, dora} {
		for n := range 14 {
			act, count := activity(t, s, uint32(20+i+n))
			if s == anna || s == ben {
				activities, counts = append(activities, act), append(counts, count)
			}
			if n < 8 {
				visit(t, s, uint32(2+n))
			}
		}
		gone, _ := activity(t, s, 1000) // and not one of them
		if err := s.Delete(c.ctx, gone); err != nil {
			t.Fatal(err)
		}
		visit(t, s, 7)
		syncNow(t, s)
	}
	syncNow(t, lena)
	for n := range 10 {
		if err := lena.Update(c.ctx, counts[n], &recordv1.Headcount{FirstTime: proto.Uint32(uint32(50 + n))}); err != nil {
			t.Fatal(err)
		}
		visit(t, lena, uint32(3+n))
		review(t, lena, activities[10+n])
	}
	for n := range 10 {
		if err := lena.Update(c.ctx, counts[10+n], &recordv1.Headcount{Zone: proto.String(fmt.Sprint("东街", n))}); err != nil {
			t.Fatal(err)
		}
	}
	c.syncAll()
	c.syncAll()
	for _, s := range c.tablets {
		if st := c.status(s); st.Sent != 40 || st.Unsent != 0 || st.Held != 0 {
			t.Fatalf("200 changes acknowledged, and not yet safe: %+v", st)
		}
	}
	before := c.sound()
	if got := before.Deployments[0].Changes - backup.Deployments[0].Changes; got != 200 {
		t.Fatalf("%d changes since the backup", got)
	}
	totals := c.totals()
	shown := map[*clientlib.Store]string{}
	for _, s := range c.tablets {
		shown[s] = shows(t, s)
	}

	// The disk is gone. The server says so, and what to do.
	c.down()
	if err := os.RemoveAll(filepath.Dir(c.config.DB)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(c.config.DB), 0o700); err != nil {
		t.Fatal(err)
	}
	var refusal *server.Refusal
	if err := c.start(); !errors.As(err, &refusal) || refusal.Code != server.DatabaseGone {
		t.Fatalf("starting without the database: %v", err)
	}
	restored, err := server.Restore(c.ctx, backup.File, c.config.DB, server.RestoreOptions{Keys: c.config.Keys, Journal: c.config.Journal})
	if err != nil {
		t.Fatal(err)
	}
	if restored.KeysMissing || restored.JournalMissing || restored.Deployments[0].Position != backup.Deployments[0].Position {
		t.Errorf("%+v", restored)
	}
	c.up()
	if c.totals() == totals {
		t.Fatal("nothing was lost: this shows nothing")
	}

	// The next sync of each tablet, that of lena first: the server knows nothing of what she edited.
	for _, s := range []*clientlib.Store{lena, carl, anna, dora, ben} {
		syncNow(t, s)
	}
	if now := c.totals(); now != totals {
		t.Errorf("the totals were\n%s\nand are\n%s", totals, now)
	}
	for i, s := range c.tablets {
		if st := c.status(s); st.Sent != 40 || st.Unsent != 0 || st.Held != 0 {
			t.Errorf("tablet %d: %+v", i, st)
		}
		if now := shows(t, s); now != shown[s] {
			t.Errorf("tablet %d showed\n%s\nand shows\n%s", i, shown[s], now)
		}
	}
	c.sound()
	c.await("the word that nothing is outstanding", func() bool {
		_, body := c.ask("/api/totals?by=whole")
		return strings.Contains(body, `"outstanding":0,`)
	})

	// And all of it is in the next backup.
	if _, err := c.server.BackUp(c.ctx); err != nil {
		t.Fatal(err)
	}
	c.syncAll()
	for i, s := range c.tablets {
		if st := c.status(s); st.Durable != 55 {
			t.Errorf("tablet %d: %+v", i, st)
		}
	}
}

// shows is all that a tablet shows.
func shows(t *testing.T, s *clientlib.Store) string {
	t.Helper()
	text := ""
	for q := (clientlib.Query{Deleted: true, Limit: 200}); ; {
		page, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			text += fmt.Sprintf("%v %v\n", r.ID, r.Message)
		}
		if q.After = page.Next; q.After == "" {
			return text
		}
	}
}

// review approves an activity.
func review(t *testing.T, s *clientlib.Store, of hlc.ID) {
	t.Helper()
	if _, err := s.LogReview(t.Context(), &recordv1.Review{Target: of[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()}); err != nil {
		t.Fatal(err)
	}
}
