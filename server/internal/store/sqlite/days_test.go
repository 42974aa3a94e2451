package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/migrations"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/store/sqlite"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestWhatOlderProgramsCountedIsKeptByDayToo: the tables by day of a database that was made before there were any are filled when a
// server opens it. Until that is done, nobody reads them.
func TestWhatOlderProgramsCountedIsKeptByDayToo(t *testing.T) {
	ctx := context.Background()
	d := servertest.New(t)
	anna := d.Enrol("anna")
	day, held := proto.Int32(20211001), recordv1.Status_STATUS_HELD.Enum()
	anna.Push(
		anna.Make(&recordv1.Case{OccurredOn: day, CaseNo: proto.String("1"), OpenedOn: day, ClientCount: proto.Uint32(1), ClientTokens: [][]byte{[]byte("a token of 16 by")}, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:]}),
		anna.Make(&recordv1.CommunityActivity{OccurredOn: day, Status: held, Name: proto.String("义诊"), Minutes: proto.Uint32(45), RegisterUsed: proto.Bool(false)}),
		anna.Make(&recordv1.ResourceLink{OccurredOn: day, Need: proto.String("棉被"), Type: recordv1.ResourceType_RESOURCE_TYPE_GOODS.Enum(), Quantity: proto.Uint32(7)}),
		anna.Make(&recordv1.RiskAlert{OccurredOn: day, SeenAt: proto.Int64(d.Wall().UnixMilli()), Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), Done: proto.String("在找")}))
	d.Close()

	tables := []string{"day_sums", "work_days", "meetings", "met_days", "goods_days", "alert_days"}
	func() {
		db, err := sql.Open("sqlite", d.Path())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for _, table := range tables {
			done, err := db.ExecContext(ctx, `DELETE FROM `+table)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				t.Errorf("there was nothing in %s, %v", table, err)
			}
		}
		if _, err := db.ExecContext(ctx, `UPDATE deployments SET days = 0`); err != nil {
			t.Fatal(err)
		}
	}()
	if _, err := sqlite.OpenToRead(ctx, d.Path()); !errors.Is(err, migrations.ErrOlder) {
		t.Errorf("opened to read before it was filled: %v", err)
	}
	for range 2 { // nothing is filled twice
		d.Open()
		recount, err := progress.Recount(ctx, d.DB.Deployment(d.ID), d.ID)
		if err != nil || !recount.Equal() {
			t.Errorf("%+v, %v", recount, err)
		}
		d.Close()
	}
}
