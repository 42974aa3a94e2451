package store

import (
	"context"
	"fmt"
	"strings"

	"levee/syncproto/hlc"
)

// What becomes of each table when a deployment is copied. Each is in one of these lists.
var (
	// Copied are those that make up a deployment.
	Copied = []string{"deployments", "log", "replicas", "records", "totals", "tokens", "devices", "postings", "decisions", "departures"}
	// ByDay are filled from the records when a database is opened that has none of it.
	ByDay = []string{"day_sums", "work_days", "meetings", "met_days", "goods_days", "alert_days"}
	// LeftBehind belong to people or to the server and not to the deployment, or are made anew from the records.
	LeftBehind = []string{
		"accounts", "memberships", "links", "sessions", "api_tokens", "audit", "enrolment_codes", "alert_notices", "workbooks", "erasures", "journal",
		"indexed", "reviewing", "review_counts", "likenesses", "distinctions", "likely", "casework", "case_days", "open_cases", "documents", "words",
	}
)

// Copy copies the rows that a deployment has in some tables, as they are at one moment, to another database, of whichever engine,
// that has none of them. It is all there afterwards, or nothing is.
func Copy(ctx context.Context, from, to *DB, deployment hlc.ID, tables []string) error {
	return from.snapshot(ctx, deployment[:], func(read *Tx) error {
		return to.changeUnlocked(ctx, deployment[:], func(write *Tx) error {
			for _, table := range tables {
				if err := copyTable(read, write, table); err != nil {
					return fmt.Errorf("copying %s: %w", table, err)
				}
			}
			return nil
		})
	})
}

func copyTable(read, write *Tx, table string) error {
	rows, err := read.query(`SELECT * FROM `+table+` WHERE deployment = $1`, []any{read.id})
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	head := `INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `)`
	var waiting [][]any
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok && b == nil { // as SQLite hands out bytes of which there are none: they are not NULL
				values[i] = []byte{}
			}
		}
		if waiting = append(waiting, values); len(waiting) == bulkRows {
			if err := write.bulk(head, ``, waiting); err != nil {
				return err
			}
			waiting = waiting[:0]
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return write.bulk(head, ``, waiting)
}
