package progress

import (
	"context"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Tablet is a device as a supervisor sees it.
type Tablet struct {
	Device
	// Owner is the worker, Team the worker's as it is now.
	Owner, Team Named
}

// Tablets are a page of the tablets by name, those that were revoked included. next is where the next page goes on;
// zero when there is none.
func (s *Service) Tablets(ctx context.Context, page Page[hlc.ID]) (tablets []Tablet, next hlc.ID, err error) {
	setUp := s.SetUp()
	err = s.Store.Look(ctx, func(tx Reading) error {
		for after, more := page.After, true; more; {
			devices, err := tx.Devices(after, page.Limit+1)
			if err != nil {
				return err
			}
			for _, d := range devices {
				team := teamOf(setUp, d.Worker)
				if !page.sees(team.ID) {
					continue
				}
				if len(tablets) == page.Limit {
					next = tablets[page.Limit-1].ID
					return nil
				}
				tablets = append(tablets, Tablet{Device: d, Owner: named(setUp, tally.Worker, d.Worker), Team: team})
			}
			if more = len(devices) > page.Limit; more {
				after = devices[len(devices)-1].ID
			}
		}
		return nil
	})
	return tablets, next, err
}

// HeldChange is a change that was received and not applied. What it says stays out of it.
type HeldChange struct {
	Position uint64
	Change   hlc.ID
	// Record and Kind are zero when the change can't be read.
	Record hlc.ID
	Kind   record.Kind
	Code   record.Code
	Device Named
	// Worker and Team are whose tablet sent it.
	Worker, Team Named
	Received     time.Time
}

// kindOf is the kind of a held change, or of a record given back that is held; 0 when it can't be read.
func kindOf(e syncing.LogEntry) record.Kind {
	if e.Replica == 0 {
		var given syncv1.GivenRecord
		if err := proto.Unmarshal(e.Body, &given); err != nil {
			return 0
		}
		return record.Kind(given.GetKind()) //nolint:gosec // any number is a kind
	}
	c, err := record.DecodeChange(e.Body, e.Replica)
	if err != nil {
		return 0
	}
	return c.Kind
}

// Held are a page of the held changes, in the order in which they came. next is where the next page goes on; 0 when
// there is none.
func (s *Service) Held(ctx context.Context, page Page[uint64]) (held []HeldChange, next uint64, err error) {
	setUp := s.SetUp()
	err = s.Store.Look(ctx, func(tx Reading) error {
		for after, more := page.After, true; more; {
			entries, err := tx.Held(after, page.Limit+1)
			if err != nil {
				return err
			}
			for _, e := range entries {
				team := teamOf(setUp, e.Worker)
				if !page.sees(team.ID) {
					continue
				}
				if len(held) == page.Limit {
					next = held[page.Limit-1].Position
					return nil
				}
				held = append(held, HeldChange{Position: e.Position, Change: e.Change, Record: e.Record, Kind: kindOf(e.LogEntry), Code: record.Code(e.Outcome), Received: time.UnixMilli(e.Received).UTC(),
					Device: Named{e.Device, e.DeviceName}, Worker: named(setUp, tally.Worker, e.Worker), Team: team})
			}
			if more = len(entries) > page.Limit; more {
				after = entries[len(entries)-1].Position
			}
		}
		return nil
	})
	return held, next, err
}

// Conflict is a field that was overwritten by someone who had not seen the value that lost. The values stay out of it.
type Conflict struct {
	ID, Target hlc.ID
	TargetKind record.Kind
	// Field is the field's name, or its number where only a newer program knows it.
	Field string
	Team  Named
	Sides []Side
}

// Side is who set one of the values, and when.
type Side struct {
	Author Named
	At     time.Time
}

// Conflicts are a page of the conflicts that nobody has settled, ascending by id. next is where the next page goes on;
// zero when there is none.
func (s *Service) Conflicts(ctx context.Context, page Page[hlc.ID]) (conflicts []Conflict, next hlc.ID, err error) {
	setUp := s.SetUp()
	err = s.Store.Look(ctx, func(tx Reading) error {
		return eachConflict(tx, page.After, func(r syncing.Record, c *recordv1.Conflict) bool {
			if !page.sees(r.Audience) {
				return true
			}
			if len(conflicts) == page.Limit {
				next = conflicts[page.Limit-1].ID
				return false
			}
			conflict := Conflict{ID: r.ID, Target: hlc.IDOf(c.GetTarget()), TargetKind: c.GetTargetKind(), Field: record.FieldName(c.GetTargetKind(), protowire.Number(c.GetField())), //nolint:gosec // a number that is none is not found
				Team: named(setUp, tally.Team, r.Audience)}
			for _, side := range c.GetSides() {
				conflict.Sides = append(conflict.Sides, Side{Author: named(setUp, tally.Worker, hlc.IDOf(side.GetAuthor())), At: hlc.Time(side.GetTime()).Wall()})
			}
			conflicts = append(conflicts, conflict)
			return true
		})
	})
	return conflicts, next, err
}

// eachConflict hands out the conflicts that nobody has settled, after an id and ascending, until fn has enough.
func eachConflict(tx Reading, after hlc.ID, fn func(syncing.Record, *recordv1.Conflict) bool) error {
	for {
		records, err := tx.Unsettled(after, MaxPage)
		if err != nil {
			return err
		}
		for _, r := range records {
			after = r.ID
			registers, err := record.DecodeState(r.State)
			if err != nil {
				return err
			}
			var c recordv1.Conflict
			if proto.Unmarshal(registers.Fields(), &c) == nil && !fn(r, &c) {
				return nil
			}
		}
		if len(records) < MaxPage {
			return nil
		}
	}
}
