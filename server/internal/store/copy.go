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
	// OfServer belong to people or to the server and not to the deployment.
	OfServer = []string{"accounts", "memberships", "links", "sessions", "api_tokens", "audit", "enrolment_codes", "alert_notices", "workbooks", "erasures", "journal"}
	// MadeAnew are sorted in from the records by a server that finds nothing in them.
	MadeAnew = []string{"indexed", "reviewing", "review_counts", "likenesses", "distinctions", "likely", "casework", "case_days", "open_cases", "documents", "words"}
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
	return pour(read, write, table, `SELECT * FROM `+table+` WHERE deployment = $1`, []any{read.id}, func([]any) {})
}

// pour writes the rows that a query gives into a table, and shows each of them as it is written: texts may be such as its engine has not.
func pour(read, write *Tx, table, query string, args []any, show func(row []any)) error {
	var head string
	var waiting [][]any
	err := read.eachRow(query, args, func(columns []string, values []any) error {
		if head == "" {
			head = `INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `)`
		}
		values = write.valid(values)
		show(values)
		if waiting = append(waiting, values); len(waiting) < bulkRows {
			return nil
		}
		err := write.bulk(head, ``, waiting)
		waiting = waiting[:0]
		return err
	})
	if err != nil {
		return err
	}
	return write.bulk(head, ``, waiting)
}

// eachRow gives all rows of a query, whatever their columns are.
func (t *Tx) eachRow(query string, args []any, row func(columns []string, values []any) error) error {
	rows, err := t.query(query, args)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
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
		if err := row(columns, values); err != nil {
			return err
		}
	}
	return rows.Err()
}
