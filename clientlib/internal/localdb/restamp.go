package localdb

import (
	"bytes"
	"fmt"
	"maps"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Restamp corrects the stamps of the changes that no server can have accepted, after the clock was found to be off by
// shift: those never sent, or sent only in requests that were refused, and those whose stamps lie behind future, beyond
// which servers take none. They keep their order, come after what they overwrite, and do not pass now. Changes that a
// server may have keep their stamps for ever: a later one could beat the edit that replaced it.
//
// It says how many it moved.
func (tx *Tx) Restamp(t *Tablet, shift time.Duration, now, future hlc.Time) (int, error) {
	settled := max(t.Acknowledged, t.Accepted)
	rest, err := tx.changes(t, `sequence > $1`, settled)
	if err != nil {
		return 0, err
	}
	first := 0
	for first < len(rest) && rest[first].sequence <= t.Possible && rest[first].change.Stamp.Time <= future {
		first++
	}
	if first == len(rest) {
		t.Possible = min(t.Possible, t.Sequence)
		return 0, tx.Save(t)
	}
	t.Possible = min(t.Possible, rest[first].sequence-1)
	if t.Time, err = tx.newestBut(t, rest[first:]); err != nil {
		return 0, err
	}
	if err := tx.restamp(t, rest[first:], shift, now); err != nil {
		return 0, err
	}
	if t.Chain, err = tx.rechain(t); err != nil {
		return 0, err
	}
	return len(rest) - first, tx.Save(t)
}

// moveReviewed renews the stamps that a review names as those that it judged; else it would lapse by the correction.
func moveReviewed(c *record.Change, moved map[hlc.Stamp]hlc.Stamp) error {
	review := &recordv1.Review{}
	if err := proto.Unmarshal(c.Fields, review); err != nil {
		return fmt.Errorf("reading review %s: %w", c.Record, err)
	}
	for _, f := range review.GetReviewed() {
		if to, ok := moved[hlc.Stamp{Time: hlc.Time(f.GetTime()), Replica: hlc.Replica(f.GetReplica())}]; ok {
			f.Time, f.Replica = proto.Uint64(uint64(to.Time)), proto.Uint64(uint64(to.Replica))
		}
	}
	encoded, err := proto.Marshal(review)
	if err != nil {
		return fmt.Errorf("encoding review %s: %w", c.Record, err)
	}
	c.Fields, err = record.Canonical(c.Kind, encoded)
	return err
}

// newestBut is the highest time in base and in the own changes before those that are moved, under whatever number.
func (tx *Tx) newestBut(t *Tablet, moved []own) (hlc.Time, error) {
	var newest hlc.Time
	err := tx.each(func(r row) error {
		var recordID, sealed []byte
		if err := r.Scan(&recordID, &sealed); err != nil {
			return err
		}
		state, err := tx.seal.open(recordBase, recordID, sealed)
		if err != nil {
			return err
		}
		base, err := record.DecodeState(state)
		newest = max(newest, base.Newest())
		return err
	}, `SELECT id, base FROM records WHERE base IS NOT NULL`)
	if err != nil {
		return 0, fmt.Errorf("reading records: %w", err)
	}
	kept, err := tx.allChanges(`replica <> $1 OR sequence < $2`, int64(t.Replica), moved[0].sequence) //nolint:gosec // the same bits, signed
	if err != nil {
		return 0, err
	}
	for _, o := range kept {
		newest = max(newest, o.change.Stamp.Time)
	}
	return newest, nil
}

func (tx *Tx) restamp(t *Tablet, changes []own, shift time.Duration, now hlc.Time) error {
	before, err := tx.before(t, changes)
	if err != nil {
		return err
	}
	err = rewrite(changes, before, func(was hlc.Stamp) hlc.Stamp {
		// After all that is here, what it overwrites among it.
		t.Time = max(min(was.Time.Add(shift), now), t.Time+1)
		return hlc.Stamp{Time: t.Time, Replica: was.Replica}
	})
	if err != nil {
		return err
	}
	for _, o := range changes {
		sealed, err := tx.seal.seal(changeBody, o.change.ID[:], o.change.Encode())
		if err != nil {
			return err
		}
		if err := tx.exec(`UPDATE changes SET body = $1 WHERE id = $2`, sealed, o.change.ID[:]); err != nil {
			return fmt.Errorf("storing change %d: %w", o.sequence, err)
		}
	}
	for _, of := range inOrder(before) {
		r, err := tx.load(of, 0)
		if err != nil {
			return err
		}
		if err := tx.refresh(t, r); err != nil {
			return err
		}
	}
	return nil
}

// before are the records that unsent changes belong to, as they were before the first of them.
func (tx *Tx) before(t *Tablet, changes []own) (map[hlc.ID]record.Registers, error) {
	before := map[hlc.ID]record.Registers{}
	for _, o := range changes {
		of := o.change.Record
		if _, ok := before[of]; ok {
			continue
		}
		r, err := tx.load(of, o.change.Kind)
		if err != nil {
			return nil, err
		}
		earlier, err := tx.changes(t, `record = $1 AND sequence > $2 AND sequence < $3`+unjudged, of[:], t.Acknowledged, changes[0].sequence)
		if err != nil {
			return nil, err
		}
		before[of] = r.base
		for _, e := range earlier {
			before[of] = record.Merge(before[of], e.change.Registers())
		}
	}
	return before, nil
}

// rewrite gives changes other stamps, in order, and moves with them whatever in them names these stamps: parents, the
// deletion seen, the digest of what a delete saw, and what a review judged. before are their records without them. Where
// base has moved on since a delete was made, it keeps its digest, and the server finds that its author had not seen
// everything, which is so.
func rewrite(changes []own, before map[hlc.ID]record.Registers, restamp func(hlc.Stamp) hlc.Stamp) error {
	was, is := maps.Clone(before), maps.Clone(before)
	moved := map[hlc.Stamp]hlc.Stamp{}
	for _, o := range changes {
		c := o.change
		sawAll := len(c.Seen) > 0 && bytes.Equal(was[c.Record].Digest(), c.Seen)
		if o.applied() {
			was[c.Record] = record.Merge(was[c.Record], c.Registers())
		}
		for f, p := range c.Parents {
			if to, ok := moved[p]; ok {
				c.Parents[f] = to
			}
		}
		if to, ok := moved[c.DeletionSeen]; ok {
			c.DeletionSeen = to
		}
		if sawAll {
			c.Seen = is[c.Record].Digest()
		}
		if c.Kind == recordv1.Kind_KIND_REVIEW {
			if err := moveReviewed(c, moved); err != nil {
				return err
			}
		}
		to := restamp(c.Stamp)
		moved[c.Stamp] = to
		c.Stamp = to
		if o.applied() {
			is[c.Record] = record.Merge(is[c.Record], c.Registers())
		}
	}
	return nil
}

func (tx *Tx) rechain(t *Tablet) (batch.Hash, error) {
	was := *t
	was.Sequence = was.Acknowledged // so that nothing is taken from the old chain
	was.Chain = was.AcknowledgedChain
	return tx.chainAt(&was, t.Sequence)
}
