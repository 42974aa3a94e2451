package store

import (
	"context"
	"slices"

	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Write implements syncing.Store.
func (d *Deployment) Write(ctx context.Context, fn func(syncing.Writing) error) error {
	return d.db.commit(ctx, d.id, func(tx *Tx) error {
		return fn(tx)
	})
}

// Read implements syncing.Store.
func (d *Deployment) Read(ctx context.Context, fn func(syncing.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}

// Snapshot runs fn over one consistent state of the deployment.
func (d *Deployment) Snapshot(ctx context.Context, fn func(*Tx) error) error {
	return d.db.snapshot(ctx, d.id[:], func(tx *Tx) error {
		return fn(tx)
	})
}

// Head implements syncing.LogReading. A deployment that has no log yet starts at position 0.
func (t *Tx) Head() (syncing.Head, error) {
	var h syncing.Head
	var chain, setUp []byte
	ok, err := t.one(`SELECT position, chain, time, ahead, set_up FROM deployments WHERE deployment = $1`, []any{t.id}, &h.Position, &chain, &h.Time, &h.Ahead, &setUp)
	if err != nil {
		return h, err
	}
	h.Chain = batch.LogStart(hlc.ID(t.id))
	if ok {
		h.Chain = batch.Hash(chain)
	}
	if len(setUp) == len(h.SetUp) { // it is empty where nothing was changed since an older program
		h.SetUp = batch.Hash(setUp)
	}
	return h, nil
}

// ChainAt implements syncing.LogReading.
func (t *Tx) ChainAt(position uint64) (batch.Hash, bool, error) {
	if position == 0 {
		return batch.LogStart(hlc.ID(t.id)), true, nil
	}
	var chain []byte
	ok, err := t.one(`SELECT chain FROM log WHERE deployment = $1 AND position = $2`, []any{t.id, int64(position)}, &chain) //nolint:gosec // a position that does not fit is not found
	if err != nil || !ok {
		return batch.Hash{}, false, err
	}
	return batch.Hash(chain), true, nil
}

// Replica implements syncing.LogReading.
func (t *Tx) Replica(number hlc.Replica) (syncing.Replica, error) {
	var r syncing.Replica
	var device, chain []byte
	ok, err := t.one(`SELECT device, have, chain, durable FROM replicas WHERE deployment = $1 AND replica = $2`, []any{t.id, int64(number)}, &device, &r.Have, &chain, &r.Durable) //nolint:gosec // 63 bits
	if err != nil || !ok {
		return syncing.Replica{}, err
	}
	r.Number, r.Device, r.Chain = number, hlc.ID(device), batch.Hash(chain)
	return r, nil
}

// OtherReplicas implements syncing.LogReading.
func (t *Tx) OtherReplicas(device hlc.ID, replica hlc.Replica) (bool, error) {
	var one int
	return t.one(`SELECT 1 FROM replicas WHERE deployment = $1 AND device = $2 AND replica <> $3 LIMIT 1`,
		[]any{t.id, device[:], int64(replica)}, &one) //nolint:gosec // 63 bits
}

const logColumns = `position, replica, sequence, change, record, outcome, body, hash, chain, received, waits_for`

func scanLog(row scanner) (syncing.LogEntry, error) {
	var e syncing.LogEntry
	var position, replica, sequence int64
	var chain []byte
	err := row.Scan(&position, &replica, &sequence, &e.Change, &e.Record, &e.Outcome, &e.Body, &e.Hash, &chain, &e.Received, &e.WaitsFor)
	if err != nil {
		return e, err
	}
	e.Position, e.Replica, e.Sequence = uint64(position), hlc.Replica(replica), uint64(sequence) //nolint:gosec // below 63 bits
	e.Chain = batch.Hash(chain)
	return e, nil
}

func (t *Tx) logEntries(query string, args ...any) ([]syncing.LogEntry, error) {
	var entries []syncing.LogEntry
	err := t.each(query, args, func(row scanner) error {
		e, err := scanLog(row)
		entries = append(entries, e)
		return err
	})
	return entries, err
}

// Sequences implements syncing.LogReading.
func (t *Tx) Sequences(replica hlc.Replica, from, to uint64) ([]syncing.LogEntry, error) {
	return t.logEntries(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND replica = $2 AND replica > 0 AND sequence BETWEEN $3 AND $4 ORDER BY sequence`,
		t.id, int64(replica), int64(from), int64(to)) //nolint:gosec // a number that does not fit is not found
}

// History implements syncing.Reading.
func (t *Tx) History(id hlc.ID) ([]syncing.LogEntry, error) {
	return t.logEntries(ofRecord(logColumns)+` ORDER BY position`, t.id, id[:])
}

// ofRecord selects columns of a record's entries in the log, the deployment being $1 and the record $2. Where the one is with which it came to
// be, the record says; the others are looked up.
func ofRecord(columns string) string {
	return `SELECT ` + columns + ` FROM log WHERE deployment = $1 AND record = $2 AND made = 0
		UNION ALL SELECT ` + columns + ` FROM log WHERE deployment = $1 AND position = (SELECT made FROM records WHERE deployment = $1 AND id = $2)`
}

const recordColumns = `id, kind, root, audience, position, origin, origin_after, day, duplicate_of, orphan_of, state`

// scanRecord reads a row into numbers as the drivers have them: others are written out and parsed again.
func scanRecord(row scanner) (syncing.Record, error) {
	var r syncing.Record
	var kind, position, origin, originAfter, day int64
	err := row.Scan(&r.ID, &kind, &r.Root, &r.Audience, &position, &origin, &originAfter, &day, &r.DuplicateOf, &r.OrphanOf, &r.State)
	if err != nil {
		return r, err
	}
	r.Kind, r.Position, r.Origin, r.OriginAfter, r.Day = record.Kind(kind), uint64(position), hlc.Replica(origin), uint64(originAfter), int32(day) //nolint:gosec // as they were written
	return r, nil
}

func (t *Tx) recordsIn(query string, ids []hlc.ID) ([]syncing.Record, error) {
	var records []syncing.Record
	err := t.in(query, ids, func(row scanner) error {
		r, err := scanRecord(row)
		records = append(records, r)
		return err
	})
	return records, err
}

func (t *Tx) recordsOf(query string, args ...any) ([]syncing.Record, error) {
	var records []syncing.Record
	err := t.each(query, args, func(row scanner) error {
		r, err := scanRecord(row)
		records = append(records, r)
		return err
	})
	return records, err
}

// Records implements syncing.RecordReading.
func (t *Tx) Records(ids []hlc.ID) ([]syncing.Record, error) {
	return t.recordsIn(`SELECT `+recordColumns+` FROM records WHERE deployment = $1 AND id IN (…)`, ids)
}

// Families implements syncing.Writing.
func (t *Tx) Families(roots []hlc.ID) ([]syncing.Record, error) {
	themselves, err := t.Records(roots)
	if err != nil {
		return nil, err
	}
	members, err := t.recordsIn(`SELECT `+recordColumns+` FROM records WHERE deployment = $1 AND root IN (…) AND root <> id`, roots)
	return append(slices.DeleteFunc(themselves, func(r syncing.Record) bool { return r.Root != r.ID }), members...), err
}

// OfKind implements syncing.RecordReading.
func (t *Tx) OfKind(kind recordv1.Kind) ([]syncing.Record, error) {
	return t.recordsOf(`SELECT `+recordColumns+` FROM records WHERE deployment = $1 AND kind = $2 ORDER BY id`, t.id, int32(kind))
}

// AnyOfKinds implements syncing.RecordReading.
func (t *Tx) AnyOfKinds(kinds []recordv1.Kind) (bool, error) {
	for _, kind := range kinds {
		var n int
		if found, err := t.one(`SELECT 1 FROM records WHERE deployment = $1 AND kind = $2 LIMIT 1`, []any{t.id, int32(kind)}, &n); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// Page implements syncing.RecordReading.
func (t *Tx) Page(audience hlc.ID, after uint64, limit int) ([]syncing.Record, error) {
	return t.recordsOf(`SELECT `+recordColumns+` FROM records WHERE deployment = $1 AND audience = $2 AND position > $3 ORDER BY position LIMIT $4`,
		t.id, audience[:], int64(after), limit) //nolint:gosec // a position of the log
}

// Remaining implements syncing.RecordReading.
func (t *Tx) Remaining(audience hlc.ID, after uint64) (uint64, error) {
	var n uint64
	_, err := t.one(`SELECT count(*) FROM records WHERE deployment = $1 AND audience = $2 AND position > $3`,
		[]any{t.id, audience[:], int64(after)}, &n) //nolint:gosec // a position of the log
	return n, err
}

// DuplicatesOf implements syncing.Writing.
func (t *Tx) DuplicatesOf(ids []hlc.ID) ([]hlc.ID, error) {
	if some, err := t.some(`SELECT 1 FROM records WHERE deployment = $1 AND duplicate_of IS NOT NULL LIMIT 1`); err != nil || !some {
		return nil, err
	}
	var roots []hlc.ID
	err := t.in(`SELECT root FROM records WHERE deployment = $1 AND duplicate_of IN (…)`, ids, func(row scanner) error {
		var root []byte
		if err := row.Scan(&root); err != nil {
			return err
		}
		roots = append(roots, hlc.ID(root))
		return nil
	})
	return roots, err
}

// Postings implements syncing.Writing.
func (t *Tx) Postings(worker hlc.ID) ([]syncing.Posting, error) {
	var postings []syncing.Posting
	err := t.each(`SELECT since, team, role, supervises, external FROM postings WHERE deployment = $1 AND worker = $2 ORDER BY since`, []any{t.id, worker[:]}, func(row scanner) error {
		var p syncing.Posting
		var team, supervises []byte
		if err := row.Scan(&p.Since, &team, &p.Role, &supervises, &p.External); err != nil {
			return err
		}
		p.Worker, p.Team = worker, hlc.ID(team)
		for id := range slices.Chunk(supervises, len(hlc.ID{})) {
			p.Supervises = append(p.Supervises, hlc.ID(id))
		}
		postings = append(postings, p)
		return nil
	})
	return postings, err
}

const deviceColumns = `device, worker, public_key, name, app, enrolled_at, last_contact, unsent, revoked_at, replaced_by, admitted_at`

func scanDevice(row scanner) (syncing.Device, error) {
	var d syncing.Device
	var id, worker, replacedBy []byte
	err := row.Scan(&id, &worker, &d.PublicKey, &d.Name, &d.App, &d.EnrolledAt, &d.LastContact, &d.Unsent, &d.RevokedAt, &replacedBy, &d.AdmittedAt)
	if err != nil {
		return d, err
	}
	d.ID, d.Worker, d.ReplacedBy = hlc.ID(id), hlc.ID(worker), idOrNone(replacedBy)
	return d, nil
}

// Device implements syncing.Reading.
func (t *Tx) Device(id hlc.ID) (syncing.Device, bool, error) {
	return t.device(`SELECT `+deviceColumns+` FROM devices WHERE deployment = $1 AND device = $2`, id[:])
}

// DeviceByKey implements syncing.Enrolling.
func (t *Tx) DeviceByKey(publicKey []byte) (syncing.Device, bool, error) {
	return t.device(`SELECT `+deviceColumns+` FROM devices WHERE deployment = $1 AND public_key = $2`, publicKey)
}

func (t *Tx) device(query string, by []byte) (syncing.Device, bool, error) {
	found, err := rowsOf(t, query, []any{t.id, by}, scanDevice)
	if err != nil || len(found) == 0 {
		return syncing.Device{}, false, err
	}
	return found[0], true, nil
}

// SaveDevice implements syncing.Enrolling.
func (t *Tx) SaveDevice(d syncing.Device) error {
	t.tell(false)
	return t.run(`INSERT INTO devices (deployment, device, worker, public_key, name, app, enrolled_at, last_contact, unsent, revoked_at, replaced_by, admitted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (deployment, device) DO UPDATE SET worker = excluded.worker, name = excluded.name, app = excluded.app,
			last_contact = excluded.last_contact, unsent = excluded.unsent, revoked_at = excluded.revoked_at,
			replaced_by = excluded.replaced_by, admitted_at = excluded.admitted_at`,
		t.id, d.ID[:], d.Worker[:], d.PublicKey, d.Name, d.App, d.EnrolledAt, d.LastContact, int64(d.Unsent), d.RevokedAt, orNull(d.ReplacedBy), d.AdmittedAt) //nolint:gosec // a count of changes
}

// Enrolment implements syncing.Reading.
func (t *Tx) Enrolment(secretHash []byte) (syncing.Enrolment, bool, error) {
	e := syncing.Enrolment{SecretHash: secretHash}
	var worker, replaces, usedBy []byte
	ok, err := t.one(`SELECT worker, replaces, expires_at, used_by FROM enrolment_codes WHERE deployment = $1 AND secret_hash = $2`,
		[]any{t.id, secretHash}, &worker, &replaces, &e.ExpiresAt, &usedBy)
	if err != nil || !ok {
		return e, false, err
	}
	e.Worker, e.Replaces, e.UsedBy = hlc.ID(worker), idOrNone(replaces), idOrNone(usedBy)
	return e, true, nil
}

// SaveEnrolment implements syncing.Enrolling.
func (t *Tx) SaveEnrolment(e syncing.Enrolment) error {
	return t.run(`INSERT INTO enrolment_codes (deployment, secret_hash, worker, replaces, expires_at, used_by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (deployment, secret_hash) DO UPDATE SET used_by = excluded.used_by`,
		t.id, e.SecretHash, e.Worker[:], orNull(e.Replaces), e.ExpiresAt, orNull(e.UsedBy))
}

// idOrNone is an id, or the zero one for NULL.
func idOrNone(b []byte) hlc.ID {
	if b == nil {
		return hlc.ID{}
	}
	return hlc.ID(b)
}

// bit is a truth as it is kept.
func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// orNull is an id, or NULL for the zero one.
func orNull(id hlc.ID) any {
	if id == (hlc.ID{}) {
		return nil
	}
	return id[:]
}
