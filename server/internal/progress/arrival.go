package progress

import (
	"context"
	"slices"
	"time"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Arrival is the batch that brought a change, without what the changes say.
type Arrival struct {
	// Device is zero for what the server itself made.
	Device Named
	// Worker and Team are whose tablet it is; the team as it is now.
	Worker, Team Named
	Received     time.Time
	// Changes came together, ascending: at most maxArrival on each side of the one asked for.
	Changes []ArrivedChange
}

// ArrivedChange is one change of a batch.
type ArrivedChange struct {
	Position, Sequence uint64
	Record             hlc.ID
	// Kind is 0 where the change can't be read and its record is not there.
	Kind record.Kind
	// By is for whom the server made it on the web; zero for what it made itself, and for what a tablet sent.
	By Named
	// What happened: made, edited, deleted or restored; empty where the body is erased.
	What string
	// Outcome is what the server did with it: applied, known, erased, discarded, or held with Code.
	Outcome string
	Code    record.Code
	// Audience is the team whose record it is now; zero for everybody's. There says that the record is there: of one that is
	// not, the audience is not known, and only who sees all sees it.
	Audience hlc.ID
	There    bool
}

const maxArrival = 250

// Arrival is the batch that brought the change at a position of the log. Problem not_found when no change has it. Who may see
// which change is for the caller to decide, by its Audience.
func (s *Service) Arrival(ctx context.Context, position uint64) (Arrival, error) {
	setUp := s.SetUp()
	var a Arrival
	err := s.Store.Look(ctx, func(tx Reading) error {
		at, ok, err := tx.Entry(position)
		if err != nil {
			return err
		}
		if !ok || at.Replica == 0 {
			return problem.New(problem.NotFound)
		}
		a.Received = time.UnixMilli(at.Received).UTC()
		entries, err := tx.Sequences(at.Replica, at.Sequence-min(at.Sequence, maxArrival), at.Sequence+maxArrival)
		if err != nil {
			return err
		}
		entries = together(entries, at)
		replica, err := tx.Replica(at.Replica)
		if err != nil {
			return err
		}
		if replica.Device != (hlc.ID{}) {
			device, _, err := tx.Device(replica.Device)
			if err != nil {
				return err
			}
			a.Device, a.Worker, a.Team = Named{device.ID, device.Name}, named(setUp, tally.Worker, device.Worker), teamOf(setUp, device.Worker)
		}
		a.Changes, err = arrived(tx, setUp, entries)
		return err
	})
	return a, err
}

// together are the entries around one that came when it did.
func together(entries []syncing.LogEntry, at syncing.LogEntry) []syncing.LogEntry {
	i := slices.IndexFunc(entries, func(e syncing.LogEntry) bool { return e.Position == at.Position })
	from, to := i, i+1
	for from > 0 && entries[from-1].Received == at.Received {
		from--
	}
	for to < len(entries) && entries[to].Received == at.Received {
		to++
	}
	return entries[from:to]
}

func arrived(tx RecordReading, setUp *syncing.SetUp, entries []syncing.LogEntry) ([]ArrivedChange, error) {
	ids := make([]hlc.ID, 0, len(entries))
	for _, e := range entries {
		ids = append(ids, e.Record)
	}
	found, err := tx.Records(ids)
	if err != nil {
		return nil, err
	}
	records := map[hlc.ID]syncing.Record{}
	for _, r := range found {
		records[r.ID] = r
	}
	changes := make([]ArrivedChange, 0, len(entries))
	for _, e := range entries {
		r, there := records[e.Record]
		c := ArrivedChange{Position: e.Position, Sequence: e.Sequence, Record: e.Record, Kind: r.Kind, Audience: r.Audience, There: there, Outcome: e.Outcome}
		if change, err := record.DecodeChange(e.Body, e.Replica); err == nil {
			c.Kind, c.What = change.Kind, Did(change)
			if change.Worker != (hlc.ID{}) {
				c.By = named(setUp, tally.Worker, change.Worker)
			}
		}
		switch {
		case e.Outcome == syncing.Applied:
			c.Outcome = "applied"
		case e.Held():
			c.Outcome, c.Code = "held", record.Code(e.Outcome)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// Did is what a change did: made, edited, deleted or restored.
func Did(c *record.Change) string {
	if c.Makes() {
		return "made"
	}
	deleted := c.Registers().Get(record.DeletedField)
	switch {
	case deleted.Field == 0:
		return "edited"
	case deleted.Number() != 0:
		return "deleted"
	default:
		return "restored"
	}
}
