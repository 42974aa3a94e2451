package server

import (
	"context"
	"errors"
	"time"

	"levee/server/internal/database"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// How often it is looked at what a standby has, and after how long without one it is said.
const (
	standbyEvery  = time.Second
	standbyMissed = time.Minute
)

func standbysUnseen(at database.At, err error) error {
	switch {
	case errors.Is(err, store.ErrNoStandbys):
		return refuse(StandbyNone, err, at)
	case errors.Is(err, store.ErrStandbysHidden):
		return refuse(StandbyHidden, err, at)
	default:
		return refusedAt(at, err)
	}
}

// committed is what was committed and is not known to be on a standby yet.
type committed struct {
	end   store.LogEnd
	since time.Time
	have  map[hlc.ID]map[hlc.Replica]uint64
	said  bool
}

// followStandby lets changes count as durable once a standby has them on its disk, until ctx is done.
func (s *Server) followStandby(ctx context.Context) {
	tick := time.NewTicker(standbyEvery)
	defer tick.Stop()
	var waits *committed
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if waits, err = s.noteOnStandby(ctx, waits); err != nil && ctx.Err() == nil {
			s.config.Log.Warn("what a standby has can't be told; changes are not durable until it can", "error", err)
		}
	}
}

// noteOnStandby notes what a standby has got, and gives what is still to be waited for.
func (s *Server) noteOnStandby(ctx context.Context, waits *committed) (*committed, error) {
	now, err := s.db.LogEnd(ctx)
	if err != nil {
		return waits, err
	}
	if waits == nil || waits.end.Timeline != now.Timeline { // a standby was promoted: what it has of that is to be seen
		return s.notDurable(ctx)
	}
	has, err := s.db.OnStandby(ctx, waits.end)
	if err != nil {
		return waits, err
	}
	if !has {
		if !waits.said && time.Since(waits.since) > standbyMissed {
			s.config.Log.Warn("NO standby has what was committed; changes are not durable until one has", "for", time.Since(waits.since).Round(time.Second))
			waits.said = true
		}
		return waits, nil
	}
	for id, have := range waits.have {
		if d := s.deployments.Get(id); d != nil {
			if err := d.Syncing.Durable(ctx, have); err != nil {
				return nil, err
			}
		}
	}
	if waits.said {
		s.config.Log.Info("a standby has what was committed again")
	}
	return s.notDurable(ctx)
}

// notDurable is what is committed by now and not durable; nil where all is.
func (s *Server) notDurable(ctx context.Context) (*committed, error) {
	c := &committed{since: time.Now(), have: map[hlc.ID]map[hlc.Replica]uint64{}}
	for _, d := range s.deployments.All() {
		id, have := d.Syncing.Deployment(), map[hlc.Replica]uint64{}
		if err := s.db.Deployment(id).Look(ctx, func(tx progress.Reading) error {
			return tx.EachReplica(func(r syncing.Replica) error {
				if r.Durable < r.Have {
					have[r.Number] = r.Have
				}
				return nil
			})
		}); err != nil {
			return nil, err
		}
		if len(have) > 0 {
			c.have[id] = have
		}
	}
	if len(c.have) == 0 {
		return nil, nil
	}
	var err error
	c.end, err = s.db.LogEnd(ctx) // it comes after all that was seen
	return c, err
}
