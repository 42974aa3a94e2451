package store

import (
	"context"

	"levee/server/internal/audit"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
)

// WriteAudit implements audit.Store.
func (d *DB) WriteAudit(ctx context.Context, fn func(audit.Writing) error) error {
	return d.changeUnlocked(ctx, nil, func(tx *Tx) error { return fn(tx) })
}

// ReadAudit implements audit.Store.
func (d *DB) ReadAudit(ctx context.Context, fn func(audit.Reading) error) error {
	return d.snapshot(ctx, nil, func(tx *Tx) error { return fn(tx) })
}

// AuditEnd implements audit.Writing. The deployment is held, so that no two entries get one number.
func (t *Tx) AuditEnd(deployment hlc.ID) (number uint64, chain batch.Hash, err error) {
	if err := t.lock(deployment); err != nil {
		return 0, chain, err
	}
	var b []byte
	ok, err := t.one(`SELECT number, chain FROM audit WHERE deployment = $1 ORDER BY number DESC LIMIT 1`, []any{deployment[:]}, &number, &b)
	if err != nil || !ok {
		return 0, chain, err
	}
	return number, batch.Hash(b), nil
}

const auditColumns = `deployment, number, at, account, worker, device, session, token, action, subject_kind, subject, chain, format, position`

// SaveAudit implements audit.Writing.
func (t *Tx) SaveAudit(e audit.Entry) error {
	return t.run(`INSERT INTO audit (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		e.Deployment[:], int64(e.Number), e.At.UnixMilli(), e.Actor.Account[:], e.Actor.Worker[:], e.Actor.Device[:], e.Actor.Session[:], e.Actor.Token[:], //nolint:gosec // below 63 bits
		string(e.Action), string(e.Subject.Kind), e.Subject.ID[:], e.Chain[:], e.File.Format, int64(e.File.Position)) //nolint:gosec // a position is below 63 bits
}

func scanAudit(s scanner) (e audit.Entry, err error) {
	var ids [7][]byte
	var chain []byte
	var at int64
	if err := s.Scan(&ids[0], &e.Number, &at, &ids[1], &ids[2], &ids[3], &ids[4], &ids[5], &e.Action, &e.Subject.Kind, &ids[6], &chain, &e.File.Format, &e.File.Position); err != nil {
		return e, err
	}
	for i, into := range []*hlc.ID{&e.Deployment, &e.Actor.Account, &e.Actor.Worker, &e.Actor.Device, &e.Actor.Session, &e.Actor.Token, &e.Subject.ID} {
		copy(into[:], ids[i]) // of whatever length: what is not as it was written, the chain tells
	}
	copy(e.Chain[:], chain)
	e.At = timeOf(at)
	return e, nil
}

// AuditBefore implements audit.Reading.
func (t *Tx) AuditBefore(deployment hlc.ID, before uint64, limit int) (entries []audit.Entry, err error) {
	err = t.each(`SELECT `+auditColumns+` FROM audit WHERE deployment = $1 AND number < $2 ORDER BY number DESC LIMIT $3`,
		[]any{deployment[:], int64(before), limit}, func(s scanner) error { //nolint:gosec // below 63 bits
			e, err := scanAudit(s)
			entries = append(entries, e)
			return err
		})
	return entries, err
}

// EachAudit implements audit.Reading.
func (t *Tx) EachAudit(row func(audit.Entry) error) error {
	return t.each(`SELECT `+auditColumns+` FROM audit ORDER BY deployment, number`, nil, func(s scanner) error {
		e, err := scanAudit(s)
		if err != nil {
			return err
		}
		return row(e)
	})
}
