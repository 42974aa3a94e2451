package store

import (
	"context"
	"slices"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/tally"
)

// BodiesAfter implements syncing.Erasing.
func (t *Tx) BodiesAfter(position uint64, limit int) ([]syncing.LogEntry, error) {
	return t.logEntries(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND position > $2 AND body IS NOT NULL ORDER BY position LIMIT $3`,
		t.id, int64(position), limit) //nolint:gosec // a position of the log
}

// RecordsAfter implements syncing.Erasing.
func (t *Tx) RecordsAfter(id hlc.ID, limit int) ([]syncing.Record, error) {
	return t.recordsOf(`SELECT `+recordColumns+` FROM records WHERE deployment = $1 AND id > $2 ORDER BY id LIMIT $3`, t.id, id[:], limit)
}

// tokenRows is how many token counts are read at once.
const tokenRows = 1000

// tokenCount is how often a token is met in one cut.
type tokenCount struct {
	basis, dimension, key string
	token                 []byte
	count                 int64
}

// ReplaceTokens implements syncing.Erasing. Rows that it writes may be read again further on, and stand as they are then.
func (t *Tx) ReplaceTokens(with func(token hlc.ID) hlc.ID) error {
	var last tokenCount
	for {
		var rows []tokenCount
		err := t.each(`SELECT basis, dimension, key, token, count FROM tokens
			WHERE deployment = $1 AND (basis, dimension, key, token) > ($2, $3, $4, $5) ORDER BY basis, dimension, key, token LIMIT $6`,
			[]any{t.id, last.basis, last.dimension, last.key, orEmpty(last.token), tokenRows}, func(row scanner) error {
				var r tokenCount
				err := row.Scan(&r.basis, &r.dimension, &r.key, &r.token, &r.count)
				rows = append(rows, r)
				return err
			})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return t.replaceMet(with)
		}
		for _, r := range rows {
			if next := with(hlc.ID(r.token)); next != hlc.ID(r.token) {
				if err := t.replaceToken(r, next); err != nil {
					return err
				}
			}
		}
		last = rows[len(rows)-1]
	}
}

// replaceMet does so for the days on which tokens are met.
func (t *Tx) replaceMet(with func(token hlc.ID) hlc.ID) error {
	for last := []byte{}; ; {
		tokens, err := rowsOf(t, `SELECT DISTINCT token FROM meetings WHERE deployment = $1 AND token > $2 ORDER BY token LIMIT $3`, []any{t.id, last, tokenRows},
			func(row scanner) (token tally.Token, err error) {
				var b []byte
				err = row.Scan(&b)
				copy(token[:], b)
				return token, err
			})
		if err != nil || len(tokens) == 0 {
			return err
		}
		last = slices.Clone(tokens[len(tokens)-1][:])
		moved := map[progress.Meeting]int64{}
		err = t.meetingsOf(tokens, func(m progress.Meeting, n int64) {
			if next := tally.Token(with(hlc.ID(m.Token))); next != m.Token {
				moved[m] -= n
				m.Token = next
				moved[m] += n
			}
		})
		if err != nil {
			return err
		}
		if err := t.saveMet(moved); err != nil {
			return err
		}
	}
}

func orEmpty(token []byte) []byte {
	if token == nil {
		return []byte{}
	}
	return token
}

func (t *Tx) replaceToken(r tokenCount, next hlc.ID) error {
	var now int64
	if _, err := t.one(`INSERT INTO tokens (deployment, basis, dimension, key, token, count) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (deployment, basis, dimension, key, token) DO UPDATE SET count = tokens.count + excluded.count RETURNING count`,
		[]any{t.id, r.basis, r.dimension, r.key, next[:], r.count}, &now); err != nil {
		return err
	}
	if err := t.run(`DELETE FROM tokens WHERE deployment = $1 AND basis = $2 AND dimension = $3 AND key = $4 AND token = $5`,
		t.id, r.basis, r.dimension, r.key, r.token); err != nil {
		return err
	}
	if now == r.count {
		return nil
	}
	return t.run(`UPDATE totals SET value = value - 1 WHERE deployment = $1 AND basis = $2 AND figure = $3 AND dimension = $4 AND key = $5`,
		t.id, r.basis, tally.Persons.String(), r.dimension, r.key)
}

// AllKept implements syncing.Erasing.
func (t *Tx) AllKept() ([]syncing.LogEntry, error) {
	return t.logEntries(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND `+isKept+` ORDER BY position`, t.id)
}

// Rewrite implements syncing.Erasing.
func (t *Tx) Rewrite(entries []syncing.LogEntry) error {
	for _, e := range entries {
		if err := t.run(`UPDATE log SET outcome = $3, waits_for = $4, body = $5, hash = $6 WHERE deployment = $1 AND position = $2`,
			t.id, int64(e.Position), e.Outcome, orNull(e.WaitsFor), e.Body, e.Hash); err != nil { //nolint:gosec // below 63 bits
			return err
		}
	}
	return nil
}

// Remove implements syncing.Erasing.
func (t *Tx) Remove(ids []hlc.ID) error {
	t.tell(true) // an alert may be among them
	if err := t.removeIndexed(ids); err != nil {
		return err
	}
	for _, id := range ids {
		// From now on no record says where the entry is with which it came to be.
		if err := t.run(`UPDATE log SET made = 0 WHERE deployment = $1 AND position = (SELECT made FROM records WHERE deployment = $1 AND id = $2)`, t.id, id[:]); err != nil {
			return err
		}
		if err := t.run(`DELETE FROM records WHERE deployment = $1 AND id = $2`, t.id, id[:]); err != nil {
			return err
		}
	}
	return nil
}

// ErasureNoted implements syncing.Erasing.
func (t *Tx) ErasureNoted(sort string, subject []byte) (bool, error) {
	var one int
	return t.one(`SELECT 1 FROM erasures WHERE deployment = $1 AND sort = $2 AND subject = $3`, []any{t.id, sort, subject}, &one)
}

// NoteErasure implements syncing.Erasing.
func (t *Tx) NoteErasure(sort string, subject []byte) error {
	return t.run(`INSERT INTO erasures (deployment, sort, subject) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, t.id, sort, subject)
}

// Purge implements syncing.Store: copies of what was erased may be left in unused parts of the files. They are written anew if
// anything was erased since that was last done.
func (d *Deployment) Purge(ctx context.Context) error {
	some := false
	if err := d.Snapshot(ctx, func(tx *Tx) (err error) {
		var one int
		some, err = tx.one(`SELECT 1 FROM erasures WHERE deployment = $1 AND purged = 0 LIMIT 1`, []any{tx.id}, &one)
		return err
	}); err != nil || !some {
		return err
	}
	if err := d.db.rewrite(ctx); err != nil {
		return err
	}
	return d.db.change(ctx, d.id, func(tx *Tx) error {
		return tx.run(`UPDATE erasures SET purged = 1 WHERE deployment = $1 AND purged = 0`, d.id[:])
	})
}

// rewrite has the engine leave nothing in its files but what is stored.
func (d *DB) rewrite(ctx context.Context) error {
	release, err := acquire(ctx, d.writing)
	if err != nil {
		return err
	}
	defer release()
	return d.engine.Classify(d.engine.Purge(ctx, d.write))
}
