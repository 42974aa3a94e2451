package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	_ "modernc.org/sqlite" // the floor is what its driver can do

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// row is a visit as a table has it: its id, its kind and its twelve fields.
type row struct {
	id    hlc.ID
	visit *recordv1.Outreach
}

// The table of the floor: 14 columns and an index.
const (
	floorTable = `CREATE TABLE visits (id BLOB PRIMARY KEY, kind INTEGER, site BLOB, team BLOB, author BLOB, occurred_on INTEGER, place BLOB, status INTEGER, service_area INTEGER,
		entry INTEGER, mode INTEGER, households INTEGER, needs TEXT, follow INTEGER) WITHOUT ROWID`
	floorIndex  = `CREATE INDEX visits_of_team ON visits (team, occurred_on)`
	floorInsert = `INSERT INTO visits VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
)

func (r row) columns() ([]any, error) {
	place, err := proto.Marshal(r.visit.GetPlace())
	v := r.visit
	return []any{r.id[:], int64(record.KindOf(v)), v.GetSite(), v.GetTeam(), v.GetAuthor(), int64(v.GetOccurredOn()), place, int64(v.GetStatus()), int64(v.GetServiceArea()),
		int64(v.GetEntry()), int64(v.GetMode()), int64(v.GetHouseholds()), v.GetNeeds(), int64(v.GetFollow())}, err
}

// floor writes rows into a database in a folder, in transactions of batchSize, as durable as the server's, and is how long
// that takes: there is no network, nobody is asked who they are, and nothing is merged, counted or kept of what was before.
func floor(ctx context.Context, dir string, rows []row) (took time.Duration, err error) {
	arguments := make([][]any, 0, len(rows))
	for _, r := range rows {
		columns, err := r.columns()
		if err != nil {
			return 0, err
		}
		arguments = append(arguments, columns)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "floor.db")+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range []string{floorTable, floorIndex} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return 0, fmt.Errorf("making the floor's table: %w", err)
		}
	}
	insert, err := db.PrepareContext(ctx, floorInsert)
	if err != nil {
		return 0, fmt.Errorf("preparing the floor's statement: %w", err)
	}
	began := time.Now()
	for len(arguments) > 0 {
		n := min(len(arguments), batchSize)
		if err := insertAll(ctx, db, insert, arguments[:n]); err != nil {
			return 0, fmt.Errorf("writing the floor's rows: %w", err)
		}
		arguments = arguments[n:]
	}
	return time.Since(began), nil
}

func insertAll(ctx context.Context, db *sql.DB, insert *sql.Stmt, arguments [][]any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	statement := tx.StmtContext(ctx, insert) //nolint:sqlclosecheck // the transaction's end closes it
	for _, columns := range arguments {
		if _, err := statement.ExecContext(ctx, columns...); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}
