package store

import (
	"context"

	"levee/server/internal/indexing"
	"levee/server/internal/report"
	"levee/syncproto/hlc"
)

// ReadReport implements report.Store.
func (d *Deployment) ReadReport(ctx context.Context, fn func(report.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}

// OpenCases implements report.Reading.
func (t *Tx) OpenCases() ([]report.StageCount, error) {
	return rowsOf(t, `SELECT d.audience, c.stage, count(*) FROM case_days d JOIN casework c ON c.deployment = d.deployment AND c.record = d.record
		WHERE d.deployment = $1 AND d.list = $2 GROUP BY d.audience, c.stage`, []any{t.id, int(indexing.OpenCases)}, func(row scanner) (c report.StageCount, err error) {
		var audience []byte
		if err = row.Scan(&audience, &c.Stage, &c.Count); err == nil {
			c.Audience = hlc.ID(audience)
		}
		return c, err
	})
}
