package store

import (
	"context"

	"levee/server/internal/report"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// ReadReport implements report.Store.
func (d *Deployment) ReadReport(ctx context.Context, fn func(report.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}

// GoodsOfDays implements report.Reading.
func (t *Tx) GoodsOfDays(from, to record.Date, row func(report.GoodsCount)) error {
	return t.each(`SELECT audience, what, unit, sum(links), sum(quantity), sum(yuan) FROM goods_days
		WHERE deployment = $1 AND day BETWEEN $2 AND $3 AND noted <= $3 GROUP BY audience, what, unit HAVING sum(links) > 0`,
		[]any{t.id, int32(from), int32(to)}, func(s scanner) error {
			var g report.GoodsCount
			var audience []byte
			if err := s.Scan(&audience, &g.What, &g.Unit, &g.Links, &g.Quantity, &g.Yuan); err != nil {
				return err
			}
			g.Audience = hlc.ID(audience)
			row(g)
			return nil
		})
}

// AlertsOfDays implements report.Reading.
func (t *Tx) AlertsOfDays(from, to record.Date, row func(report.AlertCount)) error {
	return t.each(`SELECT audience, sum(CASE WHEN day BETWEEN $2 AND $3 THEN sent ELSE 0 END), sum(open) FROM alert_days WHERE deployment = $1 AND day >= 0 GROUP BY audience`,
		[]any{t.id, int32(from), int32(to)}, func(s scanner) error {
			var c report.AlertCount
			var audience []byte
			if err := s.Scan(&audience, &c.Sent, &c.Open); err != nil {
				return err
			}
			c.Audience = hlc.ID(audience)
			row(c)
			return nil
		})
}
