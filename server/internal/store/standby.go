package store

import (
	"context"
	"errors"
)

// What standbys have of the database can't be told.
var (
	// ErrNoStandbys: a database of this engine has none.
	ErrNoStandbys = errors.New("such a database has no standbys")
	// ErrStandbysHidden: the role may not see how far they are.
	ErrStandbysHidden = errors.New("the role may not see the standbys")
)

// Standbys are queries about standbys, which follow a database.
type Standbys struct {
	// Seen says whether the role may see them.
	Seen string
	// End is the end of the database's write-ahead log: its timeline, and the place in it.
	End string
	// Has says whether one has the log up to a place, $1, on its disk.
	Has string
}

// LogEnd is an end of the database's write-ahead log. Places of different timelines say nothing of each other.
type LogEnd struct{ Timeline, Place string }

// SeesStandbys reports with ErrNoStandbys or ErrStandbysHidden why it can't be told what standbys have.
func (d *DB) SeesStandbys(ctx context.Context) error {
	if d.engine.Standbys == (Standbys{}) {
		return ErrNoStandbys
	}
	return d.snapshot(ctx, nil, func(tx *Tx) error {
		var seen bool
		if _, err := tx.one(d.engine.Standbys.Seen, nil, &seen); err != nil {
			return err
		}
		if !seen {
			return ErrStandbysHidden
		}
		return nil
	})
}

// LogEnd is the present one: all that was committed before is within it.
func (d *DB) LogEnd(ctx context.Context) (end LogEnd, err error) {
	err = d.snapshot(ctx, nil, func(tx *Tx) error {
		_, err := tx.one(d.engine.Standbys.End, nil, &end.Timeline, &end.Place)
		return err
	})
	return end, err
}

// OnStandby reports whether a standby has all up to an end on its disk.
func (d *DB) OnStandby(ctx context.Context, end LogEnd) (has bool, err error) {
	err = d.snapshot(ctx, nil, func(tx *Tx) error {
		_, err := tx.one(d.engine.Standbys.Has, []any{end.Place}, &has)
		return err
	})
	return has, err
}
