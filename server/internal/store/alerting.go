package store

import (
	"context"

	"levee/server/internal/alerting"
	"levee/syncproto/hlc"
)

// ReadAlerts implements alerting.Store.
func (d *Deployment) ReadAlerts(ctx context.Context, fn func(alerting.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}

// WriteNotices implements alerting.Store.
func (d *Deployment) WriteNotices(ctx context.Context, fn func(alerting.Writing) error) error {
	return d.db.change(ctx, d.id, func(tx *Tx) error { return fn(tx) })
}

// SaveNotices implements alerting.Writing.
func (t *Tx) SaveNotices(notices []alerting.Notice) error {
	if len(notices) > 0 {
		t.tell(true)
	}
	rows := make([][]any, 0, len(notices))
	for _, n := range notices {
		rows = append(rows, []any{t.id, n.Alert[:], n.Step, n.Worker[:], string(n.Channel), msOf(n.At), string(n.Outcome), n.Attempts, msOf(n.Tried)})
	}
	return t.bulk(`INSERT INTO alert_notices (deployment, alert, step, worker, channel, at, outcome, attempts, tried)`,
		`ON CONFLICT (deployment, alert, step, worker, channel) DO UPDATE SET outcome = excluded.outcome, attempts = excluded.attempts, tried = excluded.tried`, rows)
}

// FirstReceived implements alerting.Reading.
func (t *Tx) FirstReceived(id hlc.ID) (received int64, err error) {
	var position int64
	_, err = t.one(ofRecord(`position, received`)+` ORDER BY position LIMIT 1`, []any{t.id, id[:]}, &position, &received)
	return received, err
}

// Notices implements alerting.Reading.
func (t *Tx) Notices(alerts []hlc.ID) ([]alerting.Notice, error) {
	var notices []alerting.Notice
	err := t.in(`SELECT alert, step, worker, channel, at, outcome, attempts, tried FROM alert_notices
		WHERE deployment = $1 AND alert IN (…) ORDER BY alert, step, worker, channel`, alerts, func(row scanner) error {
		var n alerting.Notice
		var alert, worker []byte
		var at, tried int64
		if err := row.Scan(&alert, &n.Step, &worker, &n.Channel, &at, &n.Outcome, &n.Attempts, &tried); err != nil {
			return err
		}
		n.Alert, n.Worker, n.At, n.Tried = hlc.ID(alert), hlc.ID(worker), timeOf(at), timeOf(tried)
		notices = append(notices, n)
		return nil
	})
	return notices, err
}
