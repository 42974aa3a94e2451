package syncing

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// meet compares what arrives with what stands, and records a conflict for each field that was overwritten by someone
// who had not seen the value that lost.
func (g *group) meet(e *entry, a arrival, worker hlc.ID) error {
	// Conflicts themselves have none: two people who settle one agree or the later one wins.
	if !e.there || e.Kind == recordv1.Kind_KIND_CONFLICT {
		return nil
	}
	for _, arriving := range a.set {
		standing := e.registers.Get(arriving.Field)
		var failed error
		meeting := record.Meet(standing, arriving, func(s hlc.Stamp) bool {
			yes, err := g.isAncestor(e.ID, standing, s)
			failed = err
			return yes
		})
		if meeting == record.Clashes && failed == nil {
			var seen hlc.Stamp
			if seen, failed = g.seenThroughHeld(e.ID, arriving); seen == standing.Stamp {
				meeting = record.Succeeds
			}
		}
		if failed != nil {
			return failed
		}
		if meeting == record.Clashes {
			if err := g.conflict(e, arriving.Field, standing, arriving, worker); err != nil {
				return err
			}
		}
	}
	if !record.DeletionClashes(e.registers, a.change) {
		return nil
	}
	deletion := e.registers.Get(record.DeletedField)
	unseen := record.Register{Field: record.DeletedField, Stamp: a.change.Stamp}
	if arriving := a.set.Get(record.DeletedField); arriving.Field != 0 {
		// A delete by someone who had not seen the newest edit: that edit is the other side.
		unseen, deletion = arriving, record.Register{Field: record.DeletedField, Stamp: newest(e.registers)}
	}
	return g.conflict(e, record.DeletedField, deletion, unseen, worker)
}

func newest(registers record.Registers) hlc.Stamp {
	var s hlc.Stamp
	for _, r := range registers {
		if r.Stamp.Compare(s) > 0 {
			s = r.Stamp
		}
	}
	return s
}

// isAncestor follows the parents of the standing value of a field through the log: did someone who had seen the value
// of stamp s, or a successor of it, write what stands?
func (g *group) isAncestor(id hlc.ID, standing record.Register, s hlc.Stamp) (bool, error) {
	if standing.Parent.IsZero() || standing.Parent.Compare(s) < 0 {
		return false, nil
	}
	entries, err := g.past(id)
	if err != nil {
		return false, err
	}
	parents := map[hlc.Stamp]hlc.Stamp{}
	for _, e := range entries {
		if c, err := record.DecodeChange(e.Body, e.Replica); err == nil && e.Outcome == Applied {
			parents[c.Stamp] = c.Parents[standing.Field]
		}
	}
	// A parent that does not lie before its child ends the walk: whoever wrote it lied.
	for at := standing.Parent; ; at = parents[at] {
		if at == s {
			return true, nil
		}
		if at.Compare(s) < 0 || parents[at].Compare(at) >= 0 {
			return false, nil
		}
	}
}

// seenThroughHeld is the newest applied value that the author of a register had seen, when what it names as its parent
// is a change of the author's own that is held: a worker must not conflict with herself because of it.
func (g *group) seenThroughHeld(id hlc.ID, arriving record.Register) (hlc.Stamp, error) {
	if arriving.Parent.Replica != arriving.Stamp.Replica {
		return arriving.Parent, nil
	}
	entries, err := g.past(id)
	if err != nil {
		return hlc.Stamp{}, err
	}
	at := arriving.Parent
	for _, e := range slices.Backward(entries) {
		if e.Replica != arriving.Stamp.Replica {
			continue
		}
		c, err := record.DecodeChange(e.Body, e.Replica)
		if err != nil || c.Stamp != at {
			continue
		}
		switch {
		case e.Held() || e.Outcome == Discarded:
			at = c.Parents[arriving.Field]
		case e.Outcome == Known: // another copy of the tablet had sent it, under its own number
			at.Replica = firstWith(entries, e.Change, at.Replica)
			return at, nil
		}
	}
	return at, nil
}

// firstWith is the replica under which a change was applied.
func firstWith(entries []LogEntry, change hlc.ID, otherwise hlc.Replica) hlc.Replica {
	for _, e := range entries {
		if e.Change == change && e.Outcome == Applied {
			return e.Replica
		}
	}
	return otherwise
}

// conflict keeps both values of a field in the record of its conflict, which is one for each record and field.
func (g *group) conflict(e *entry, field protowire.Number, standing, arriving record.Register, worker hlc.ID) error {
	id := conflictID(e.ID, field)
	at, err := g.get(id)
	if err != nil {
		return err
	}
	var was recordv1.Conflict
	if at.there {
		if err := proto.Unmarshal(at.registers.Fields(), &was); err != nil {
			return fmt.Errorf("reading conflict %v: %w", id, err)
		}
	}
	author, err := g.authorOf(e.ID, standing.Stamp)
	if err != nil {
		return err
	}
	sides := was.GetSides()
	for _, s := range []struct {
		register record.Register
		author   hlc.ID
	}{{standing, author}, {arriving, worker}} {
		sides = addSide(sides, s.register, s.author)
	}
	set := &recordv1.Conflict{
		Target: e.ID[:], TargetKind: e.Kind.Enum(), Field: proto.Uint32(uint32(field)), //nolint:gosec // field numbers are positive
		Sides: sides, Settled: proto.Bool(false),
	}
	return g.author(at, id, hlc.ID{}, set)
}

// maxSides bounds a conflict that goes on and on: the newest values are kept in it, and all of them in the log.
const maxSides = 16

// addSide adds a value to the sides, which ascend as registers do: the last is the one that won.
func addSide(sides []*recordv1.ConflictSide, r record.Register, author hlc.ID) []*recordv1.ConflictSide {
	for _, s := range sides {
		if stampOfSide(s) == r.Stamp && bytes.Equal(s.GetValue(), r.Value) {
			return sides
		}
	}
	side := &recordv1.ConflictSide{Value: r.Value, Time: proto.Uint64(uint64(r.Stamp.Time)), Replica: proto.Uint64(uint64(r.Stamp.Replica))}
	if author != (hlc.ID{}) {
		side.Author = author[:]
	}
	sides = append(sides, side)
	slices.SortFunc(sides, func(a, b *recordv1.ConflictSide) int {
		return cmp.Or(stampOfSide(a).Compare(stampOfSide(b)), bytes.Compare(a.GetValue(), b.GetValue()))
	})
	return sides[max(0, len(sides)-maxSides):]
}

func stampOfSide(s *recordv1.ConflictSide) hlc.Stamp {
	return hlc.Stamp{Time: hlc.Time(s.GetTime()), Replica: hlc.Replica(s.GetReplica())}
}

// conflictID derives the id of a conflict from record and field, so that a server which lost it and finds it again
// finds the same one. Its time is the record's.
func conflictID(id hlc.ID, field protowire.Number) hlc.ID {
	h := sha256.New()
	h.Write([]byte("levee conflict v1"))
	h.Write(id[:])
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(field))) //nolint:gosec // field numbers are positive
	made, err := hlc.NewID(hlc.IDTime(id), bytes.NewReader(h.Sum(nil)))
	if err != nil {
		panic("syncing: a hash is long enough for an id") // 32 bytes for 10
	}
	return made
}

// authorOf is who set a value of a record, by its stamp: the worker whose tablet the replica is, or for whom the server set it; zero
// for the server itself, and for who is no longer known.
func (g *group) authorOf(id hlc.ID, stamp hlc.Stamp) (hlc.ID, error) {
	r, ok := g.replicas[stamp.Replica]
	if !ok {
		stored, err := g.store.Replica(stamp.Replica)
		if err != nil {
			return hlc.ID{}, err
		}
		r = &stored
	}
	if r.Device != (hlc.ID{}) {
		d, _, err := g.store.Device(r.Device)
		return d.Worker, err
	}
	if r.Number == 0 {
		return hlc.ID{}, nil
	}
	entries, err := g.past(id)
	if err != nil {
		return hlc.ID{}, err
	}
	return WorkersOf(entries)[stamp], nil
}

// WorkersOf are the workers that changes in the log name, by their stamps. What a tablet names must not be believed.
func WorkersOf(entries []LogEntry) map[hlc.Stamp]hlc.ID {
	workers := map[hlc.Stamp]hlc.ID{}
	for _, e := range entries {
		c, err := record.DecodeChange(e.Body, e.Replica)
		if err != nil {
			continue
		}
		if _, known := workers[c.Stamp]; !known {
			workers[c.Stamp] = c.Worker
		}
	}
	return workers
}

// author makes a change as the server's own replica, for a worker who asked for it on the web; zero for the server itself. id is
// the record's, and the change's if it makes the record.
func (g *group) author(e *entry, id, worker hlc.ID, set proto.Message, cleared ...protowire.Number) error {
	kind := record.KindOf(set)
	encoded, err := proto.Marshal(set)
	if err != nil {
		return fmt.Errorf("encoding a %v: %w", kind, err)
	}
	fields, err := record.Canonical(kind, encoded)
	if err != nil {
		return fmt.Errorf("encoding a %v: %w", kind, err)
	}
	c, err := g.draft(e, kind, id, fields, cleared)
	if err != nil || c == nil {
		return err
	}
	c.Worker = worker
	return g.takeOwn(e, arrivalOf(c))
}

// draft is the change by which the server's own replica sets fields of a record as it stands, and empties some; nil when it stands
// so already.
func (g *group) draft(e *entry, kind record.Kind, id hlc.ID, fields []byte, cleared []protowire.Number) (*record.Change, error) {
	stamp := hlc.Stamp{Time: g.self.clock.Now(), Replica: hlc.Replica(g.self.replica.Load())}
	changeID := id
	if e.there {
		var err error
		if changeID, err = hlc.NewID(stamp.Time, g.self.entropy); err != nil {
			return nil, err
		}
	}
	return record.Edit(changeID, id, kind, stamp, e.registers, fields, cleared)
}

// arrivalOf is a change of the server's own replica as one that comes in.
func arrivalOf(c *record.Change) arrival {
	body := c.Encode()
	return arrival{change: c, set: c.Registers(), body: body, hash: batch.HashOf(body)}
}

// takeOwn takes in a change of the server's own replica.
func (g *group) takeOwn(e *entry, a arrival) error {
	r, err := g.replica(hlc.Replica(g.self.replica.Load()), hlc.ID{})
	if err != nil {
		return err
	}
	position := g.take(r, a.change.ID, a.change.Record, verdict{}, a.body, a.hash, a.redacted)
	from := originOf(e, r.Number, 0)
	return g.apply(e, merging{a.change.Kind, a.set, position, from})
}

// lookedOver is how many conflicts are looked over in one transaction.
const lookedOver = 200

// unmarkSettled looks over the conflicts that are marked as unsettled: an older program marked all that there were.
func (s *Service) unmarkSettled(ctx context.Context) error {
	for after, more := (hlc.ID{}), true; more; {
		var marked []Record
		err := s.write(ctx, func(g *group) (err error) {
			if marked, err = g.store.Unsettled(after, lookedOver); err != nil {
				return err
			}
			return g.unmark(marked)
		})
		if err != nil {
			return err
		}
		if more = len(marked) == lookedOver; more {
			after = marked[lookedOver-1].ID
		}
	}
	return nil
}

// unmark takes the mark from those conflicts that are settled. They keep their positions: nothing changes for anybody else.
func (g *group) unmark(marked []Record) error {
	for _, r := range marked {
		registers, err := record.DecodeState(r.State)
		if err != nil || unsettled(r.Kind, registers) {
			continue // what can't be read is for a recount to find
		}
		if err := g.put(r); err != nil {
			return err
		}
		g.records[r.ID].changed = true
	}
	return nil
}
