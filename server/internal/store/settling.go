package store

import (
	"context"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// isKept tells changes that are held or discarded. It is the condition of the index log_kept, to the letter.
const isKept = `outcome <> '' AND outcome NOT IN ('known', 'erased', 'audience', 'given', 'settled')`

// Kept implements syncing.Settling.
func (t *Tx) Kept(change hlc.ID) ([]syncing.LogEntry, error) {
	return t.logEntries(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND change = $2 AND `+isKept+` ORDER BY position`, t.id, change[:])
}

// HeldOf implements syncing.Settling.
func (t *Tx) HeldOf(device hlc.ID) ([]syncing.LogEntry, error) {
	return t.logEntries(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND `+isHeld+`
		AND replica IN (SELECT replica FROM replicas WHERE deployment = $1 AND device = $2) ORDER BY position`, t.id, device[:])
}

// HeldWith implements syncing.Settling.
func (t *Tx) HeldWith(code string) ([]syncing.LogEntry, error) {
	return t.logEntries(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND `+isHeld+` AND outcome = $2 ORDER BY position`, t.id, code)
}

// Waiting implements syncing.Settling.
func (t *Tx) Waiting(ids []hlc.ID) ([]syncing.LogEntry, error) {
	var entries []syncing.LogEntry
	if some, err := t.some(`SELECT 1 FROM log WHERE deployment = $1 AND waits_for IS NOT NULL LIMIT 1`); err != nil || !some {
		return nil, err
	}
	err := t.in(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND waits_for IS NOT NULL AND waits_for IN (…) ORDER BY position`, ids, func(row scanner) error {
		e, err := scanLog(row)
		entries = append(entries, e)
		return err
	})
	return entries, err
}

// Orphans implements syncing.Settling.
func (t *Tx) Orphans(ids []hlc.ID) ([]syncing.Record, error) {
	if some, err := t.some(`SELECT 1 FROM records WHERE deployment = $1 AND orphan_of IS NOT NULL LIMIT 1`); err != nil || !some {
		return nil, err
	}
	return t.recordsIn(`SELECT `+recordColumns+` FROM records WHERE deployment = $1 AND orphan_of IS NOT NULL AND orphan_of IN (…)`, ids)
}

// some reports whether a query of a deployment finds anything. What most deployments have none of, or a handful, need not be looked for
// with each of hundreds of ids.
func (t *Tx) some(query string) (bool, error) {
	var one int
	return t.one(query, []any{t.id}, &one)
}

// Decisions implements syncing.Settling.
func (t *Tx) Decisions(change hlc.ID) ([]hlc.ID, error) {
	return t.ids(`SELECT record FROM decisions WHERE deployment = $1 AND change = $2 ORDER BY record`, t.id, change[:])
}

// InAudience implements syncing.Settling.
func (t *Tx) InAudience(audience hlc.ID) ([]hlc.ID, error) {
	return t.ids(`SELECT id FROM records WHERE deployment = $1 AND audience = $2 AND position >= 0 ORDER BY position`, t.id, audience[:])
}

func (t *Tx) ids(query string, args ...any) ([]hlc.ID, error) {
	var ids []hlc.ID
	err := t.each(query, args, func(row scanner) error {
		var id []byte
		if err := row.Scan(&id); err != nil {
			return err
		}
		ids = append(ids, hlc.ID(id))
		return nil
	})
	return ids, err
}

// AcceptTime has stamps taken up to the newest in the log, wherever the clock stands. It returns that.
func (d *Deployment) AcceptTime(ctx context.Context) (until hlc.Time, err error) {
	err = d.db.change(ctx, d.id, func(tx *Tx) error {
		_, err := tx.one(`UPDATE deployments SET ahead = time WHERE deployment = $1 RETURNING ahead`, []any{d.id[:]}, &until)
		return err
	})
	return until, err
}

// Settled implements syncing.Reading.
func (t *Tx) Settled(after, to uint64) ([]syncing.LogEntry, error) {
	return t.logEntries(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND position > $2 AND position <= $3 AND outcome = 'settled' ORDER BY position`,
		t.id, int64(after), int64(to)) //nolint:gosec // positions of the log
}

// Departures implements syncing.Reading.
func (t *Tx) Departures(audiences []hlc.ID, after, to uint64) ([]syncing.Departure, error) {
	var all []syncing.Departure
	for _, audience := range audiences {
		err := t.each(`SELECT position, record, reset FROM departures WHERE deployment = $1 AND audience = $2 AND position > $3 AND position <= $4 ORDER BY position, record`,
			[]any{t.id, audience[:], int64(after), int64(to)}, func(row scanner) error { //nolint:gosec // positions of the log
				d := syncing.Departure{Audience: audience}
				var rec []byte
				err := row.Scan(&d.Position, &rec, &d.Reset)
				d.Record = hlc.ID(rec)
				all = append(all, d)
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
