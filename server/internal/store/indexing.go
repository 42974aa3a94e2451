package store

import (
	"context"
	"strconv"

	"levee/server/internal/indexing"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// Index implements indexing.Store.
func (d *Deployment) Index(ctx context.Context, fn func(indexing.Writing) error) error {
	return d.db.change(ctx, d.id, func(tx *Tx) error {
		return fn(tx)
	})
}

// LookUp implements indexing.Store.
func (d *Deployment) LookUp(ctx context.Context, fn func(indexing.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}

// Cursor implements indexing.Following and indexing.Reading.
func (t *Tx) Cursor() (indexing.Cursor, error) {
	var c indexing.Cursor
	there, err := t.one(`SELECT number, version, position FROM indexed WHERE deployment = $1`, []any{t.id}, &c.Number, &c.Version, &c.Position)
	if err != nil || there || t.of != t.db.write {
		return c, err
	}
	if t.db.engine.Words.Apart {
		c.Number = 1
		return c, nil
	}
	_, err = t.one(`SELECT coalesce(max(number), 0) + 1 FROM indexed`, nil, &c.Number)
	return c, err
}

// Entries implements indexing.Following.
func (t *Tx) Entries(after uint64, limit int) ([]syncing.LogEntry, error) {
	const query = `SELECT position, replica, change, record, outcome, CASE WHEN change = record AND replica <> 0 THEN NULL ELSE body END
		FROM log WHERE deployment = $1 AND position > $2 ORDER BY position LIMIT $3`
	return rowsOf(t, query, []any{t.id, int64(after), limit}, func(row scanner) (e syncing.LogEntry, err error) { //nolint:gosec // a position of the log
		var position, replica int64
		err = row.Scan(&position, &replica, &e.Change, &e.Record, &e.Outcome, &e.Body)
		e.Position, e.Replica = uint64(position), hlc.Replica(replica) //nolint:gosec // below 63 bits
		return e, err
	})
}

// SaveIndex implements indexing.Writing.
func (t *Tx) SaveIndex(c indexing.Changes) error {
	t.tell(false)
	for _, save := range []func(indexing.Changes) error{t.saveReviewing, t.saveLikely, t.saveCases, t.saveDocuments} {
		if err := save(c); err != nil {
			return err
		}
	}
	return t.run(`INSERT INTO indexed (deployment, number, version, position) VALUES ($1, $2, $3, $4)
		ON CONFLICT (deployment) DO UPDATE SET version = excluded.version, position = excluded.position`,
		t.id, int64(c.Cursor.Number), c.Cursor.Version, int64(c.Cursor.Position)) //nolint:gosec // below 63 bits
}

// removeIndexed takes records that are removed out of all that is made from them, in the same transaction.
func (t *Tx) removeIndexed(ids []hlc.ID) error {
	reviewed, err := t.Reviewing(ids)
	if err != nil {
		return err
	}
	for _, r := range reviewed {
		if err := t.countReviews([]indexing.ReviewCount{{Audience: r.Audience, Kind: r.Kind, Standing: r.Standing, Count: -1}}); err != nil {
			return err
		}
	}
	cases, err := t.Cases(ids)
	if err != nil {
		return err
	}
	for _, c := range cases {
		if c.Closed {
			continue
		}
		if err := t.countOpen([]indexing.StageCount{{Audience: c.Audience, Stage: c.Stage, Count: -1}}); err != nil {
			return err
		}
	}
	if err := t.unword(ids); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM reviewing WHERE deployment = $1 AND record IN (…)`,
		`DELETE FROM likenesses WHERE deployment = $1 AND record IN (…)`,
		`DELETE FROM distinctions WHERE deployment = $1 AND record IN (…)`,
		`DELETE FROM likely WHERE deployment = $1 AND earlier IN (…)`,
		`DELETE FROM likely WHERE deployment = $1 AND later IN (…)`,
		`DELETE FROM casework WHERE deployment = $1 AND record IN (…)`,
		`DELETE FROM case_days WHERE deployment = $1 AND record IN (…)`,
	} {
		if err := t.drop(statement, ids); err != nil {
			return err
		}
	}
	return nil
}

// drop runs a statement that deletes.
func (t *Tx) drop(statement string, ids []hlc.ID) error {
	return t.in(statement, ids, func(scanner) error { return nil })
}

// rowsIn are the rows of some records.
func rowsIn[Row any](t *Tx, query string, ids []hlc.ID, scan func(scanner) (Row, error)) ([]Row, error) {
	var rows []Row
	err := t.in(query, ids, func(s scanner) error {
		row, err := scan(s)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

func rowsOf[Row any](t *Tx, query string, args []any, scan func(scanner) (Row, error)) ([]Row, error) {
	var rows []Row
	err := t.each(query, args, func(s scanner) error {
		row, err := scan(s)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

// conditions builds the end of a query: conditions on columns, each with its arguments.
type conditions struct {
	text string
	args []any
}

// add adds a condition in which ? stands for each argument.
func (c *conditions) add(condition string, args ...any) {
	for _, part := range condition {
		if part != '?' {
			c.text += string(part)
			continue
		}
		c.args = append(c.args, args[0])
		args = args[1:]
		c.text += "$" + strconv.Itoa(len(c.args))
	}
}

// RecordsAt implements indexing.Searching.
func (t *Tx) RecordsAt(positions []uint64) (map[uint64]hlc.ID, error) {
	keys := make([]any, len(positions))
	for i, position := range positions {
		keys[i] = int64(position) //nolint:gosec // a position of the log
	}
	at := make(map[uint64]hlc.ID, len(positions))
	err := t.inKeys(`SELECT position, record FROM log WHERE deployment = $1 AND position IN (…)`, keys, func(row scanner) error {
		var position uint64
		var id []byte
		if err := row.Scan(&position, &id); err != nil {
			return err
		}
		at[position] = idOrNone(id)
		return nil
	})
	return at, err
}

func eachOf[Row any](t *Tx, query string, scan func(scanner) (Row, error), fn func(Row) error) error {
	return t.each(query, []any{t.id}, func(s scanner) error {
		row, err := scan(s)
		if err != nil {
			return err
		}
		return fn(row)
	})
}
