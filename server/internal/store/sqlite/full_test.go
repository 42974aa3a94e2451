package sqlite_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"
	driver "modernc.org/sqlite"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// roomFor is how many pages a database may have whose connections are opened now; empty sets no limit.
var roomFor atomic.Value

func init() {
	roomFor.Store("")
	driver.RegisterConnectionHook(func(conn driver.ExecQuerierContext, _ string) error {
		pages := roomFor.Load().(string)
		if pages == "" {
			return nil
		}
		_, err := conn.ExecContext(context.Background(), `PRAGMA max_page_count = `+pages, nil)
		return err
	})
}

func TestWhatAFullDatabaseRefusesIsTakenOnceThereIsRoom(t *testing.T) {
	d := servertest.New(t)
	_ = d.Path() // SQLite alone has this bound: on another engine the database would never be full
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	d.Close()
	roomFor.Store("95")
	defer roomFor.Store("")
	d.Open()
	visit := func() []byte {
		return anna.Make(&recordv1.Outreach{Site: d.Sites[0][:], Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(1),
			Needs: proto.String(strings.Repeat("棉被", 300))}).Encode()
	}
	var body []byte
	for taken := 0; ; taken++ {
		body = visit()
		_, err := anna.Sync(anna.Request(anna.BatchOf(body)))
		if err != nil {
			if problem.CodeOf(err) != problem.StorageFull || taken == 0 {
				t.Fatalf("after %d changes: %v", taken, err)
			}
			break
		}
		anna.Remember(body)
	}
	if page := ben.Pull(); len(page.GetRecords()) < len(anna.Sent) {
		t.Errorf("pulled %d records of %d", len(page.GetRecords()), len(anna.Sent))
	}
	if _, err := anna.Sync(anna.Request(anna.BatchOf(body))); problem.CodeOf(err) != problem.StorageFull {
		t.Errorf("again: %v", err)
	}
	d.Close()
	roomFor.Store("")
	d.Open()
	anna.PushBodies(body)
	counted, err := progress.Recount(context.Background(), d.DB.Deployment(d.ID), d.ID)
	if err != nil || !counted.Equal() || counted.Have[anna.Replica] != uint64(len(anna.Sent)) {
		t.Errorf("%+v, %v", counted, err)
	}
}
