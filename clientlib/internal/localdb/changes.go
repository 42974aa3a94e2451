package localdb

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// ErrForked says that what the server has under this tablet's number is not what this tablet wrote.
var ErrForked = errors.New("the server has other changes under this tablet's number")

// Append makes a change the newest own one: in the outbox, and in the view of its record.
func (tx *Tx) Append(t *Tablet, c *record.Change) error {
	r := &held{id: c.Record, kind: c.Kind, isNew: true}
	if !c.Makes() {
		var err error
		if r, err = tx.load(c.Record, c.Kind); err != nil {
			return err
		}
	}
	r.view = record.Merge(r.view, c.Registers())
	if err := tx.store(r); err != nil {
		return err
	}
	body := c.Encode()
	t.Sequence++
	t.Chain = batch.Next(t.Chain, batch.HashOf(body))
	t.Time = max(t.Time, c.Stamp.Time)
	err := tx.exec(`INSERT INTO changes (sequence, id, record, body, held, known) VALUES ($1, $2, $3, $4, '', 0)`,
		t.Sequence, c.ID[:], c.Record[:], body)
	if err != nil {
		return fmt.Errorf("storing change %d: %w", t.Sequence, err)
	}
	return tx.Save(t)
}

// own is an own change as it is kept.
type own struct {
	sequence uint64
	body     []byte
	held     string
	known    bool
	change   *record.Change
}

func (tx *Tx) changes(t *Tablet, where string, args ...any) ([]own, error) {
	var found []own
	err := tx.each(func(r row) error {
		var o own
		if err := r.Scan(&o.sequence, &o.body, &o.held, &o.known); err != nil {
			return err
		}
		var err error
		if o.change, err = record.DecodeChange(o.body, t.Replica); err != nil {
			return fmt.Errorf("change %d: %w: %w", o.sequence, ErrDamaged, err)
		}
		found = append(found, o)
		return nil
	}, `SELECT sequence, body, held, known FROM changes WHERE `+where+` ORDER BY sequence`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading changes: %w", err)
	}
	return found, nil
}

// Outbox are the encoded changes that the server has not acknowledged, oldest first: at most so many, and at most so
// many bytes unless the first alone is larger.
func (tx *Tx) Outbox(t *Tablet, most, mostBytes int) ([][]byte, error) {
	var bodies [][]byte
	size := 0
	full := errors.New("enough")
	err := tx.each(func(r row) error {
		var body []byte
		if err := r.Scan(&body); err != nil {
			return err
		}
		if size += len(body); size > mostBytes && len(bodies) > 0 {
			return full
		}
		bodies = append(bodies, body)
		return nil
	}, `SELECT body FROM changes WHERE sequence > $1 ORDER BY sequence LIMIT $2`, t.Acknowledged, most)
	if err != nil && !errors.Is(err, full) {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return bodies, nil
}

// chainAt is the own chain at a sequence number up to the newest.
func (tx *Tx) chainAt(t *Tablet, sequence uint64) (batch.Hash, error) {
	chain, from := batch.Start(t.Deployment, t.Replica), uint64(0)
	switch {
	case sequence == t.Sequence:
		return t.Chain, nil
	case sequence >= t.Acknowledged:
		chain, from = t.AcknowledgedChain, t.Acknowledged
	}
	err := tx.each(func(r row) error {
		var body []byte
		err := r.Scan(&body)
		chain = batch.Next(chain, batch.HashOf(body))
		return err
	}, `SELECT body FROM changes WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence`, from, sequence)
	if err != nil {
		return batch.Hash{}, fmt.Errorf("reading the chain: %w", err)
	}
	return chain, nil
}

// Acknowledgement is what a server said of the own changes.
type Acknowledgement struct {
	// After is the sequence number behind which the request's batch began: Held and Known tell of the changes from
	// there to Have.
	After uint64
	Have  uint64
	// Chain is the short chain that the server has at Have.
	Chain   []byte
	Durable uint64
	// Held are the codes of changes that the server keeps and does not apply, by sequence number.
	Held map[uint64]string
	// Known are changes that the server had from another replica; its version of them comes with a pull.
	Known map[uint64]bool
	// Head is the end of the server's log: no record lies behind it.
	Head uint64
}

// Acknowledge takes the changes that the server has out of the outbox and merges into base those that it applied. It
// fails with ErrForked when the server's changes are not the tablet's.
//
// Another process may have synced the same file meanwhile: an acknowledgement that is behind what is known already
// changes nothing. One that is behind the request itself says that the server lost history; then all that it lacks is
// in the outbox again.
func (tx *Tx) Acknowledge(t *Tablet, a Acknowledgement) error {
	if a.Have > t.Sequence {
		return ErrForked
	}
	chain, err := tx.chainAt(t, a.Have)
	if err != nil {
		return err
	}
	if !batch.Same(a.Chain, chain) {
		return ErrForked
	}
	switch lost := a.Have < a.After; {
	case lost && a.Have < t.Acknowledged:
		t.Acknowledged, t.AcknowledgedChain = a.Have, chain
	case lost, a.Have < t.Acknowledged, a.After > t.Acknowledged:
		return nil
	default:
		if err := tx.apply(t, a); err != nil {
			return err
		}
		t.Acknowledged, t.AcknowledgedChain = a.Have, chain
		t.Accepted = max(t.Accepted, a.Have)
	}
	t.Durable = min(a.Durable, t.Acknowledged)
	return tx.Save(t)
}

// apply settles the changes behind what is acknowledged, up to what the server has.
func (tx *Tx) apply(t *Tablet, a Acknowledgement) error {
	newly, err := tx.changes(t, `sequence > $1 AND sequence <= $2`, t.Acknowledged, a.Have)
	if err != nil {
		return err
	}
	acknowledged := *t
	acknowledged.Acknowledged = a.Have
	touched := map[hlc.ID]*held{}
	for _, o := range newly {
		r := touched[o.change.Record]
		if r == nil {
			if r, err = tx.load(o.change.Record, o.change.Kind); err != nil {
				return err
			}
			touched[o.change.Record] = r
		}
		code, known := a.Held[o.sequence], a.Known[o.sequence]
		if code != o.held || known != o.known {
			if err := tx.exec(`UPDATE changes SET held = $1, known = $2 WHERE sequence = $3`, code, known, o.sequence); err != nil {
				return fmt.Errorf("marking change %d: %w", o.sequence, err)
			}
		}
		if code == "" && !known {
			r.base, r.proof = record.Merge(r.base, o.change.Registers()), nil
			r.position = max(r.position, a.Head)
		}
	}
	for _, r := range touched {
		if err := tx.refresh(&acknowledged, r); err != nil {
			return err
		}
	}
	return nil
}

// refresh makes a record's view anew and stores the record.
func (tx *Tx) refresh(t *Tablet, r *held) error {
	unsent, err := tx.unsent(t, r.id)
	if err != nil {
		return err
	}
	r.view = view(r, unsent)
	return tx.store(r)
}

// unjudged picks the own changes of which no server has said that it holds them, or that it has them from another replica.
const unjudged = ` AND held = '' AND known = 0`

// unsent are the own changes to a record that the server has neither acknowledged nor judged before it lost history.
func (tx *Tx) unsent(t *Tablet, recordID hlc.ID) ([]own, error) {
	return tx.changes(t, `record = $1 AND sequence > $2`+unjudged, recordID[:], t.Acknowledged)
}

// view is base merged with own changes. A record whose making is held has none, whatever else was done to it.
func view(r *held, unsent []own) record.Registers {
	if len(r.base) == 0 && (len(unsent) == 0 || !unsent[0].change.Makes()) {
		return nil
	}
	v := r.base
	for _, o := range unsent {
		v = record.Merge(v, o.change.Registers())
	}
	return v
}

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
	t.Possible = min(t.Possible, settled+uint64(first))
	if first == len(rest) {
		return 0, tx.Save(t)
	}
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

// newestBut is the highest time in base and in the own changes before those that are moved.
func (tx *Tx) newestBut(t *Tablet, moved []own) (hlc.Time, error) {
	var newest hlc.Time
	err := tx.each(func(r row) error {
		var state []byte
		if err := r.Scan(&state); err != nil {
			return err
		}
		base, err := record.DecodeState(state)
		newest = max(newest, base.Newest())
		return err
	}, `SELECT base FROM records WHERE base IS NOT NULL`)
	if err != nil {
		return 0, fmt.Errorf("reading records: %w", err)
	}
	kept, err := tx.changes(t, `sequence < $1`, moved[0].sequence)
	if err != nil {
		return 0, err
	}
	for _, o := range kept {
		newest = max(newest, o.change.Stamp.Time)
	}
	return newest, nil
}

func (tx *Tx) restamp(t *Tablet, changes []own, shift time.Duration, now hlc.Time) error {
	records, sawAll, err := tx.seen(t, changes)
	if err != nil {
		return err
	}
	moved := map[hlc.Stamp]hlc.Stamp{}
	for _, o := range changes {
		c, was := o.change, o.change.Stamp
		for f, p := range c.Parents {
			if to, ok := moved[p]; ok {
				c.Parents[f] = to
			}
		}
		if to, ok := moved[c.DeletionSeen]; ok {
			c.DeletionSeen = to
		}
		if sawAll[c.ID] {
			c.Seen = records[c.Record].Digest()
		}
		if c.Kind == recordv1.Kind_KIND_REVIEW {
			if err := moveReviewed(c, moved); err != nil {
				return err
			}
		}
		// After all that is here, what it overwrites among it.
		t.Time = max(min(was.Time.Add(shift), now), t.Time+1)
		c.Stamp.Time = t.Time
		moved[was] = c.Stamp
		records[c.Record] = record.Merge(records[c.Record], c.Registers())
		if err := tx.exec(`UPDATE changes SET body = $1 WHERE sequence = $2`, c.Encode(), o.sequence); err != nil {
			return fmt.Errorf("storing change %d: %w", o.sequence, err)
		}
	}
	for recordID := range records {
		r, err := tx.load(recordID, 0)
		if err != nil {
			return err
		}
		if err := tx.refresh(t, r); err != nil {
			return err
		}
	}
	return nil
}

// seen are the records that changes belong to, as they were before the first of them, and the deletes among them that
// saw all that was here. Where base has moved on since a delete was made, it keeps its digest, and the server finds that
// its author had not seen everything, which is so.
func (tx *Tx) seen(t *Tablet, changes []own) (before map[hlc.ID]record.Registers, sawAll map[hlc.ID]bool, err error) {
	before, sawAll = map[hlc.ID]record.Registers{}, map[hlc.ID]bool{}
	now := map[hlc.ID]record.Registers{}
	for _, o := range changes {
		of := o.change.Record
		if _, ok := before[of]; !ok {
			r, err := tx.load(of, o.change.Kind)
			if err != nil {
				return nil, nil, err
			}
			earlier, err := tx.changes(t, `record = $1 AND sequence > $2 AND sequence < $3`+unjudged, of[:], t.Acknowledged, changes[0].sequence)
			if err != nil {
				return nil, nil, err
			}
			before[of] = r.base
			for _, e := range earlier {
				before[of] = record.Merge(before[of], e.change.Registers())
			}
			now[of] = before[of]
		}
		if len(o.change.Seen) > 0 && bytes.Equal(now[of].Digest(), o.change.Seen) {
			sawAll[o.change.ID] = true
		}
		now[of] = record.Merge(now[of], o.change.Registers())
	}
	return before, sawAll, nil
}

func (tx *Tx) rechain(t *Tablet) (batch.Hash, error) {
	was := *t
	was.Sequence = was.Acknowledged // so that nothing is taken from the old chain
	was.Chain = was.AcknowledgedChain
	return tx.chainAt(&was, t.Sequence)
}

// Held is an own change that the server keeps and does not apply.
type Held struct {
	Sequence uint64
	Change   *record.Change
	Code     string
}

// Held are the held changes, oldest first.
func (tx *Tx) Held(t *Tablet) ([]Held, error) {
	found, err := tx.changes(t, `held <> ''`)
	if err != nil {
		return nil, err
	}
	list := make([]Held, len(found))
	for i, o := range found {
		list[i] = Held{o.sequence, o.change, o.held}
	}
	return list, nil
}

// Counts are how many changes are held and how many records are there, deleted ones left out.
func (tx *Tx) Counts() (heldChanges, records int, err error) {
	err = tx.sql.QueryRowContext(tx.ctx, `
		SELECT (SELECT count(*) FROM changes WHERE held <> ''), (SELECT count(*) FROM records WHERE deleted = 0)`).
		Scan(&heldChanges, &records)
	if err != nil {
		return 0, 0, fmt.Errorf("counting: %w", err)
	}
	return heldChanges, records, nil
}
