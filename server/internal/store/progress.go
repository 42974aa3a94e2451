package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Look implements progress.Store.
func (d *Deployment) Look(ctx context.Context, fn func(progress.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}

// DeviceSums implements progress.Standing.
func (t *Tx) DeviceSums(since int64) (progress.DeviceSums, error) {
	var s progress.DeviceSums
	_, err := t.one(`SELECT count(*), count(CASE WHEN revoked_at <> 0 THEN 1 END), count(CASE WHEN revoked_at = 0 AND last_contact >= $2 THEN 1 END),
			coalesce(min(CASE WHEN revoked_at = 0 THEN last_contact END), 0), coalesce(max(last_contact), 0),
			coalesce(sum(unsent), 0), count(CASE WHEN unsent > 0 THEN 1 END)
		FROM devices WHERE deployment = $1`, []any{t.id, since},
		&s.Enrolled, &s.Revoked, &s.HeardFrom, &s.OldestContact, &s.NewestContact, &s.Outstanding, &s.WithBacklog)
	return s, err
}

// Devices implements progress.Standing.
func (t *Tx) Devices(after hlc.ID, limit int) ([]progress.Device, error) {
	where, args := ``, []any{t.id, limit}
	if after != (hlc.ID{}) {
		where = ` AND (name, device) > (SELECT name, device FROM devices WHERE deployment = $1 AND device = $3)`
		args = append(args, after[:])
	}
	var devices []progress.Device
	at := map[hlc.ID]int{}
	err := t.each(`SELECT `+deviceColumns+` FROM devices WHERE deployment = $1`+where+` ORDER BY name, device LIMIT $2`, args, func(row scanner) error {
		d, err := scanDevice(row)
		at[d.ID] = len(devices)
		devices = append(devices, progress.Device{Device: d})
		return err
	})
	if err != nil {
		return nil, err
	}
	counts := func(query string, add func(*progress.Device, uint64)) error {
		return t.countsBy(query, func(id hlc.ID, n uint64) error {
			if i, ok := at[id]; ok {
				add(&devices[i], n)
			}
			return nil
		})
	}
	if err := counts(`SELECT device, sum(have) FROM replicas WHERE deployment = $1 GROUP BY device`,
		func(d *progress.Device, n uint64) { d.Have = n }); err != nil {
		return nil, err
	}
	if err := counts(`SELECT device, count(*) FROM replicas WHERE deployment = $1 GROUP BY device`,
		func(d *progress.Device, n uint64) { d.Copies = n }); err != nil {
		return nil, err
	}
	return devices, counts(`SELECT r.device, count(*) FROM log l JOIN replicas r ON r.deployment = l.deployment AND r.replica = l.replica
		WHERE l.deployment = $1 AND l.`+isHeld+` GROUP BY r.device`, func(d *progress.Device, n uint64) { d.Held = n })
}

// isHeld tells held changes from others. It is the condition of the index log_held, to the letter.
const isHeld = `outcome <> '' AND outcome NOT IN ('known', 'erased', 'audience', 'given', 'settled', 'discarded')`

// HeldCount implements progress.Standing.
func (t *Tx) HeldCount() (n uint64, err error) {
	_, err = t.one(`SELECT count(*) FROM log WHERE deployment = $1 AND `+isHeld, []any{t.id}, &n)
	return n, err
}

// Held implements progress.Standing.
func (t *Tx) Held(after uint64, limit int) ([]progress.HeldEntry, error) {
	var held []progress.HeldEntry
	err := t.each(`SELECT l.position, l.replica, l.sequence, l.change, l.record, l.outcome, l.body, l.received, d.device, d.worker, coalesce(d.name, '')
		FROM log l LEFT JOIN replicas r ON r.deployment = l.deployment AND r.replica = l.replica
			LEFT JOIN devices d ON d.deployment = r.deployment AND d.device = r.device
		WHERE l.deployment = $1 AND l.position > $2 AND l.`+isHeld+` ORDER BY l.position LIMIT $3`,
		[]any{t.id, int64(after), limit}, func(row scanner) error { //nolint:gosec // a position that does not fit is not found
			var e progress.HeldEntry
			var change, rec, device, worker []byte
			if err := row.Scan(&e.Position, &e.Replica, &e.Sequence, &change, &rec, &e.Outcome, &e.Body, &e.Received, &device, &worker, &e.DeviceName); err != nil {
				return err
			}
			// A record given back is of no device.
			e.Change, e.Record, e.Device, e.Worker = hlc.ID(change), hlc.ID(rec), idOrNone(device), idOrNone(worker)
			held = append(held, e)
			return nil
		})
	return held, err
}

// Entry implements progress.LogReading.
func (t *Tx) Entry(position uint64) (syncing.LogEntry, bool, error) {
	entries, err := t.logEntries(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND position = $2`, t.id, int64(position)) //nolint:gosec // a position that does not fit is not found
	if err != nil || len(entries) == 0 {
		return syncing.LogEntry{}, false, err
	}
	return entries[0], true, nil
}

// EachContact implements progress.Standing.
func (t *Tx) EachContact(row func(progress.DeviceContact) error) error {
	return t.each(`SELECT worker, revoked_at <> 0, last_contact, unsent FROM devices WHERE deployment = $1`, []any{t.id}, func(s scanner) error {
		var c progress.DeviceContact
		var worker []byte
		if err := s.Scan(&worker, &c.Revoked, &c.Last, &c.Unsent); err != nil {
			return err
		}
		c.Worker = hlc.ID(worker)
		return row(c)
	})
}

// HeldBy implements progress.Standing.
func (t *Tx) HeldBy(row func(worker hlc.ID, n uint64) error) error {
	return t.countsBy(`SELECT d.worker, count(*) FROM log l JOIN replicas r ON r.deployment = l.deployment AND r.replica = l.replica
			JOIN devices d ON d.deployment = r.deployment AND d.device = r.device
		WHERE l.deployment = $1 AND l.`+isHeld+` GROUP BY d.worker`, row)
}

// countsBy hands on the rows of a query that counts by an id.
func (t *Tx) countsBy(query string, row func(of hlc.ID, n uint64) error) error {
	return t.each(query, []any{t.id}, func(s scanner) error {
		var of []byte
		var n uint64
		if err := s.Scan(&of, &n); err != nil {
			return err
		}
		return row(hlc.ID(of), n)
	})
}

// Audiences implements progress.RecordReading. It goes from one to the next by the index, and looks at none of the records.
func (t *Tx) Audiences(kind record.Kind) ([]hlc.ID, error) {
	var audiences []hlc.ID
	for next := []byte{}; ; {
		var found []byte
		ok, err := t.one(`SELECT audience FROM records WHERE deployment = $1 AND kind = $2 AND audience > $3 ORDER BY audience LIMIT 1`,
			[]any{t.id, int32(kind), next}, &found)
		if err != nil || !ok {
			return audiences, err
		}
		audiences, next = append(audiences, hlc.ID(found)), found
	}
}

// RecordsByDay implements progress.RecordReading.
func (t *Tx) RecordsByDay(r progress.DayRange) ([]syncing.Record, error) {
	query, args := `SELECT `+recordColumns+` FROM records WHERE deployment = $1 AND kind = $2 AND audience = $3 AND day BETWEEN $4 AND $5`,
		[]any{t.id, int32(r.Kind), r.Audience[:], int32(r.From), int32(r.To), r.Limit}
	if r.Before != nil {
		query += ` AND (day, id) < ($7, $8)`
		args = append(args, r.Before.Day, r.Before.ID[:])
	}
	return t.recordsOf(query+` ORDER BY day DESC, id DESC LIMIT $6`, args...)
}

// Unsettled implements progress.RecordReading.
func (t *Tx) Unsettled(after hlc.ID, limit int) ([]syncing.Record, error) {
	return t.recordsOf(`SELECT `+recordColumns+` FROM records WHERE deployment = $1 AND unsettled = 1 AND id > $2 ORDER BY id LIMIT $3`, t.id, after[:], limit)
}

// UnsettledBy implements progress.RecordReading.
func (t *Tx) UnsettledBy(row func(audience hlc.ID, n uint64) error) error {
	return t.countsBy(`SELECT audience, count(*) FROM records WHERE deployment = $1 AND unsettled = 1 GROUP BY audience`, row)
}

// Totals implements progress.Counted.
func (t *Tx) Totals(r progress.TotalsRange, row func(key string, value int64) error) error {
	// Keys that begin with a prefix of digits lie before the prefix followed by the character after 9.
	to := "\U0010FFFF"
	if r.Prefix != "" {
		to = r.Prefix + ":"
	}
	comparison := `>=`
	from := r.Prefix
	if r.After != "" {
		comparison, from = `>`, max(r.After, r.Prefix)
	}
	return t.each(`SELECT key, value FROM totals WHERE deployment = $1 AND basis = $2 AND figure = $3 AND dimension = $4
			AND key `+comparison+` $5 AND key < $6 AND ($7 = 0 OR length(key) = $7) AND value <> 0 ORDER BY key LIMIT $8`,
		[]any{t.id, r.Basis.String(), r.Figure.String(), r.Dimension.String(), from, to, r.Length, r.Limit}, func(s scanner) error {
			var key string
			var value int64
			if err := s.Scan(&key, &value); err != nil {
				return err
			}
			return row(key, value)
		})
}

// DistinctTokens implements progress.Counted.
func (t *Tx) DistinctTokens(basis tally.Basis, dimension tally.Dimension, keys []string) (n int64, err error) {
	size := slices.IndexFunc(inSizes, func(size int) bool { return len(keys) <= size })
	if len(keys) == 0 || size < 0 {
		return 0, problem.Newf(problem.InvalidArgument, "distinct persons over %d parts", len(keys))
	}
	marks := make([]string, inSizes[size])
	args := []any{t.id, basis.String(), dimension.String()}
	for i := range marks {
		args = append(args, keys[min(i, len(keys)-1)])
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	_, err = t.one(`SELECT count(DISTINCT token) FROM tokens WHERE deployment = $1 AND basis = $2 AND dimension = $3 AND key IN (`+strings.Join(marks, ",")+`) AND count > 0`, args, &n)
	return n, err
}

// EachTotal implements progress.Everything.
func (t *Tx) EachTotal(row func(progress.TotalRow) error) error {
	return t.each(`SELECT basis, figure, dimension, key, value FROM totals WHERE deployment = $1 ORDER BY basis, figure, dimension, key`, []any{t.id}, func(s scanner) error {
		var r progress.TotalRow
		if err := s.Scan(&r.Basis, &r.Figure, &r.Dimension, &r.Key, &r.Value); err != nil {
			return err
		}
		return row(r)
	})
}

// EachTokenCount implements progress.Everything.
func (t *Tx) EachTokenCount(row func(progress.TokenRow) error) error {
	return t.each(`SELECT basis, dimension, key, token, count FROM tokens WHERE deployment = $1`, []any{t.id}, func(s scanner) error {
		var r progress.TokenRow
		if err := s.Scan(&r.Basis, &r.Dimension, &r.Key, &r.Token, &r.Count); err != nil {
			return err
		}
		return row(r)
	})
}

// EachEntry implements progress.Everything.
func (t *Tx) EachEntry(row func(syncing.LogEntry) error) error {
	return t.each(`SELECT `+logColumns+` FROM log WHERE deployment = $1 ORDER BY position`, []any{t.id}, func(s scanner) error {
		e, err := scanLog(s)
		if err != nil {
			return err
		}
		return row(e)
	})
}

// EachReplica implements progress.Everything.
func (t *Tx) EachReplica(row func(syncing.Replica) error) error {
	return t.each(`SELECT replica, device, have, chain, durable FROM replicas WHERE deployment = $1 ORDER BY replica`, []any{t.id}, func(s scanner) error {
		var r syncing.Replica
		var device, chain []byte
		if err := s.Scan(&r.Number, &device, &r.Have, &chain, &r.Durable); err != nil {
			return err
		}
		r.Device, r.Chain = hlc.ID(device), batch.Hash(chain)
		return row(r)
	})
}

// EachRecord implements progress.Everything.
func (t *Tx) EachRecord(row func(syncing.Record) error) error {
	return t.each(`SELECT `+recordColumns+` FROM records WHERE deployment = $1 ORDER BY id`, []any{t.id}, func(s scanner) error {
		r, err := scanRecord(s)
		if err != nil {
			return err
		}
		return row(r)
	})
}
