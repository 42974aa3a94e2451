package store

import (
	"context"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/tally"
)

// FillDays fills what is kept by day from the records, for the deployments of older programs. It takes as long as a recount, once.
func (d *DB) FillDays(ctx context.Context) error {
	var ids []hlc.ID
	err := d.snapshot(ctx, nil, func(tx *Tx) (err error) {
		ids, err = tx.ids(`SELECT deployment FROM deployments WHERE days = 0 ORDER BY deployment`)
		return err
	})
	for _, id := range ids {
		if err == nil {
			err = d.Deployment(id).Write(ctx, func(tx syncing.Writing) error { return tx.(*Tx).fillDays() })
		}
	}
	return err
}

// DaysFilled reports whether what is kept by day is filled for all deployments: it is not where a server was ended while it filled
// them.
func (d *DB) DaysFilled(ctx context.Context) (filled bool, err error) {
	err = d.snapshot(ctx, nil, func(tx *Tx) error {
		ids, err := tx.ids(`SELECT deployment FROM deployments WHERE days = 0 ORDER BY deployment`)
		filled = len(ids) == 0
		return err
	})
	return filled, err
}

// fillChunk is how many facts are added together.
const fillChunk = 10_000

func (t *Tx) fillDays() error {
	var moves []tally.Move
	add := func() error {
		defer func() { moves = nil }()
		return t.saveDays(syncing.Changes{Totals: tally.Delta{Moves: moves}})
	}
	err := progress.EachGiven(t, func(syncing.Record) error { return nil }, func(g progress.Given) error {
		moves = append(moves, g.Moves()...)
		if len(moves) < fillChunk {
			return nil
		}
		return add()
	})
	if err != nil {
		return err
	}
	if err := add(); err != nil {
		return err
	}
	told, err := progress.ToldBy(t)
	if err != nil {
		return err
	}
	if err := t.saveTold(told); err != nil {
		return err
	}
	return t.run(`UPDATE deployments SET days = 1 WHERE deployment = $1`, t.id)
}

// EachDaySum implements progress.EveryDay.
func (t *Tx) EachDaySum(row func(progress.DayPart, progress.DaySums) error) error {
	return t.each(`SELECT `+partColumns+`, `+sumColumns+` FROM day_sums WHERE deployment = $1`, []any{t.id}, func(s scanner) error {
		var p progress.DayPart
		var sums progress.DaySums
		var basis string
		into := []any{&basis, &p.Day, &p.Team, &p.Site, &p.ServiceArea, &p.Town, &sums.Records}
		for i := range sums.Figures {
			into = append(into, &sums.Figures[i])
		}
		if err := s.Scan(into...); err != nil {
			return err
		}
		p.Basis, _ = tally.ParseBasis(basis) // another is none that is counted
		return row(p, sums)
	})
}

// EachWorkDay implements progress.EveryDay.
func (t *Tx) EachWorkDay(row func(progress.WorkDay, progress.WorkSums) error) error {
	return t.each(`SELECT `+workColumns+` FROM work_days WHERE deployment = $1`, []any{t.id}, func(s scanner) error {
		var w progress.WorkDay
		var sums progress.WorkSums
		var worker []byte
		if err := s.Scan(&w.Day, &worker, &sums.Records, &sums.Minutes, &sums.Held[0], &sums.Held[1], &sums.Held[2], &sums.Held[3]); err != nil {
			return err
		}
		w.Worker = hlc.IDOf(worker)
		return row(w, sums)
	})
}

// EachMeeting implements progress.EveryDay.
func (t *Tx) EachMeeting(row func(progress.Meeting, int64) error) error {
	return t.each(`SELECT token, `+partColumns+`, count FROM meetings WHERE deployment = $1`, []any{t.id}, func(s scanner) error {
		m, n, err := scanMeeting(s)
		if err != nil {
			return err
		}
		return row(m, n)
	})
}

// EachMetDay implements progress.EveryDay.
func (t *Tx) EachMetDay(row func(progress.MetDay, int64) error) error {
	return t.each(`SELECT `+metColumns+` FROM met_days WHERE deployment = $1`, []any{t.id}, func(s scanner) error {
		var m progress.MetDay
		var basis, dimension string
		var n int64
		if err := s.Scan(&basis, &dimension, &m.Day, &m.Before, &m.First, &m.Key, &n); err != nil {
			return err
		}
		m.Basis, _ = tally.ParseBasis(basis) // others are none that are counted
		m.Dimension, _ = tally.ParseDimension(dimension)
		return row(m, n)
	})
}

// EachGoodsDay implements progress.EveryDay.
func (t *Tx) EachGoodsDay(row func(syncing.GoodsDay, syncing.GoodsSums) error) error {
	return t.each(`SELECT day, noted, audience, what, unit, links, quantity, yuan FROM goods_days WHERE deployment = $1`, []any{t.id}, func(s scanner) error {
		var g syncing.GoodsDay
		var sums syncing.GoodsSums
		var audience []byte
		if err := s.Scan(&g.Day, &g.Noted, &audience, &g.What, &g.Unit, &sums.Links, &sums.Quantity, &sums.Yuan); err != nil {
			return err
		}
		g.Audience = hlc.IDOf(audience)
		return row(g, sums)
	})
}

// EachAlertDay implements progress.EveryDay.
func (t *Tx) EachAlertDay(row func(syncing.AlertDay, syncing.AlertSums) error) error {
	return t.each(`SELECT day, audience, sent, open FROM alert_days WHERE deployment = $1`, []any{t.id}, func(s scanner) error {
		var a syncing.AlertDay
		var sums syncing.AlertSums
		var audience []byte
		if err := s.Scan(&a.Day, &audience, &sums.Sent, &sums.Open); err != nil {
			return err
		}
		a.Audience = hlc.IDOf(audience)
		return row(a, sums)
	})
}
