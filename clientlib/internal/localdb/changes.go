package localdb

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
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
	sealed, err := tx.seal.seal(changeBody, c.ID[:], body)
	if err != nil {
		return err
	}
	err = tx.exec(`INSERT INTO changes (replica, sequence, id, record, body, held, known) VALUES ($1, $2, $3, $4, $5, '', 0)`,
		int64(t.Replica), t.Sequence, c.ID[:], c.Record[:], sealed) //nolint:gosec // kept as the signed number of the same bits
	if err != nil {
		return fmt.Errorf("storing change %d: %w", t.Sequence, err)
	}
	return tx.Save(t)
}

// own is an own change as it is kept.
type own struct {
	replica  hlc.Replica
	sequence uint64
	body     []byte
	held     string
	known    bool
	late     bool
	change   *record.Change
}

// applied reports whether the server that judged the change last applied it.
func (o own) applied() bool { return o.held == "" && !o.known }

// changes are own changes under the present replica number, oldest first.
func (tx *Tx) changes(t *Tablet, where string, args ...any) ([]own, error) {
	args = append(args, int64(t.Replica)) //nolint:gosec // kept as the signed number of the same bits
	return tx.allChanges(fmt.Sprintf(`(%s) AND replica = $%d ORDER BY sequence`, where, len(args)), args...)
}

// allChanges are own changes under whatever replica number.
func (tx *Tx) allChanges(where string, args ...any) ([]own, error) {
	var found []own
	err := tx.each(func(r row) error {
		var o own
		var changeID, sealed []byte
		if err := r.Scan(&o.replica, &o.sequence, &changeID, &sealed, &o.held, &o.known, &o.late); err != nil {
			return err
		}
		var err error
		if o.body, err = tx.seal.open(changeBody, changeID, sealed); err != nil {
			return fmt.Errorf("change %d: %w", o.sequence, err)
		}
		if o.change, err = record.DecodeChange(o.body, o.replica); err != nil {
			return fmt.Errorf("change %d: %w: %w", o.sequence, ErrDamaged, err)
		}
		found = append(found, o)
		return nil
	}, `SELECT replica, sequence, id, body, held, known, late FROM changes WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading changes: %w", err)
	}
	return found, nil
}

// Outbox are the changes that the server has not acknowledged, oldest first, erased ones as their hashes: at most so many,
// and at most so many bytes unless the first alone is larger.
func (tx *Tx) Outbox(t *Tablet, most, mostBytes int) ([]*syncv1.Entry, error) {
	var entries []*syncv1.Entry
	size := 0
	full := errors.New("enough")
	err := tx.chained(t.Replica, t.Acknowledged, t.Sequence, most, func(body, hash []byte) error {
		if size += len(body); size > mostBytes && len(entries) > 0 {
			return full
		}
		entries = append(entries, &syncv1.Entry{Change: body, Hash: hash})
		return nil
	})
	if err != nil && !errors.Is(err, full) {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return entries, nil
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
	err := tx.chained(t.Replica, from, sequence, -1, func(body, hash []byte) error {
		next := batch.HashOf(body)
		if hash != nil {
			next = batch.Hash(hash)
		}
		chain = batch.Next(chain, next)
		return nil
	})
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
	if t.Durable = min(a.Durable, t.Acknowledged); t.Durable > 0 {
		// A server has everything under the earlier numbers before it has anything under this one.
		if err := tx.exec(`UPDATE changes SET durable = 1 WHERE durable = 0 AND replica <> $1`, int64(t.Replica)); err != nil { //nolint:gosec // the same bits, signed
			return fmt.Errorf("marking what is durable: %w", err)
		}
	}
	if err := tx.sweep(t); err != nil {
		return err
	}
	if err := tx.eraseWritten(t); err != nil {
		return err
	}
	if err := tx.eraseTokens(t); err != nil {
		return err
	}
	return tx.Save(t)
}

// apply settles the changes behind what is acknowledged, up to what the server has.
func (tx *Tx) apply(t *Tablet, a Acknowledgement) error {
	newly, err := tx.changes(t, `sequence > $1 AND sequence <= $2`, t.Acknowledged, a.Have)
	if err != nil {
		return err
	}
	erased, err := tx.Erased(t)
	if err != nil {
		return err
	}
	acknowledged := *t
	acknowledged.Acknowledged = a.Have
	touched, anew := map[hlc.ID]*held{}, map[hlc.ID]bool{}
	for _, o := range newly {
		of := o.change.Record
		r := touched[of]
		if r == nil {
			if r, err = tx.load(of, o.change.Kind); err != nil {
				return err
			}
			touched[of] = r
		}
		// A server that lost the change had applied it before, so base has it.
		before := o.sequence <= t.Accepted && o.applied()
		code, known := a.Held[o.sequence], a.Known[o.sequence]
		if known {
			code = o.held // whether it is held is not told again under another number
		}
		if code != o.held || known != o.known {
			if err := tx.judged(o.change.ID, code, known); err != nil {
				return err
			}
		}
		switch applied := code == "" && !known; {
		case before && r.isNew && len(r.base) == 0: // its record was dropped meanwhile
		case applied:
			r.setBase(record.Merge(r.base, o.change.Registers()))
			// The server has other tokens in it now. If the tablet may have them they come after the cursor.
			r.dropped = r.dropped || (erased && hasTokens(o.change))
			// The server had it under an earlier number and has lost it: base may have it with the stamps of that number.
			anew[of] = anew[of] || (o.known && o.sequence <= t.Accepted)
		case before:
			anew[of] = true
		}
	}
	for _, of := range inOrder(touched) {
		r := touched[of]
		if anew[of] {
			if err := tx.rebuild(&acknowledged, r); err != nil {
				return err
			}
		}
		if err := tx.refresh(&acknowledged, r); err != nil {
			return err
		}
	}
	return nil
}

// rebuild makes base anew, from what the server proved and the own changes that it has and applied: what it had applied
// before it lost history, and holds or knows otherwise now, must not stay in it.
func (tx *Tx) rebuild(t *Tablet, r *held) error {
	applied, err := tx.allChanges(`record = $1 AND held = '' AND known = 0 AND (replica <> $2 OR sequence <= $3)`,
		r.id[:], int64(t.Replica), t.Acknowledged) //nolint:gosec // the same bits, signed
	if err != nil {
		return err
	}
	base := r.proven()
	for _, o := range applied {
		base = record.Merge(base, o.change.Registers())
	}
	r.setBase(base)
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

// Held is an own change that the server keeps and does not apply.
type Held struct {
	Change *record.Change
	Code   string
	// Late says that it came when the deployment was closed already.
	Late bool
}

// Held are the held changes, oldest first.
func (tx *Tx) Held() ([]Held, error) {
	found, err := tx.allChanges(`held <> '' ORDER BY rowid`)
	if err != nil {
		return nil, err
	}
	list := make([]Held, len(found))
	for i, o := range found {
		list[i] = Held{o.change, o.held, o.late}
	}
	return list, nil
}

// Settle keeps what became of an own change that was held: it was applied when code is empty, else it is held for
// another reason. What the server made of an applied one comes as its record, for those who may see that. Of changes that
// are not here nothing is kept.
func (tx *Tx) Settle(t *Tablet, change hlc.ID, code string) error {
	found, err := tx.allChanges(`id = $1`, change[:])
	if err != nil || len(found) == 0 || found[0].held == code {
		return err
	}
	o := found[0]
	if err := tx.judged(change, code, o.known || code == ""); err != nil {
		return err
	}
	r, err := tx.load(o.change.Record, o.change.Kind)
	if err != nil {
		return err
	}
	return tx.refresh(t, r)
}

// judged keeps what the server made of an own change. One that came after the deployment was closed stays known as such.
func (tx *Tx) judged(change hlc.ID, code string, known bool) error {
	err := tx.exec(`UPDATE changes SET held = $1, known = $2, late = max(late, $1 = $4) WHERE id = $3`, code, known, change[:], record.CodeDeploymentClosed)
	if err != nil {
		return fmt.Errorf("marking change %s: %w", change, err)
	}
	return nil
}

// Counts are how many there are of what a tablet keeps.
type Counts struct {
	// Held are changes that the server does not apply; those of which somebody decided so are left out.
	Held int
	// Records are those that are not deleted.
	Records int
	// EarlierSent and EarlierDurable are own changes under earlier replica numbers.
	EarlierSent, EarlierDurable int
	// Of the changes that came after the deployment was closed: those that wait, that were applied after all, and that never will be.
	LateWaiting, LateApplied, LateDiscarded int
}

// Counts counts.
func (tx *Tx) Counts(t *Tablet) (Counts, error) {
	var c Counts
	// Records are counted by whole indexes, and own changes under earlier numbers by theirs alone: rows with values are not read.
	err := tx.sql.QueryRowContext(tx.ctx, `
		SELECT (SELECT count(*) FROM changes WHERE held <> '' AND held <> $1),
		       (SELECT count(*) FROM records) - (SELECT count(*) FROM records INDEXED BY records_deleted WHERE deleted = 1),
		       (SELECT count(*) FROM changes WHERE replica < $2 AND durable = 0) + (SELECT count(*) FROM changes WHERE replica > $2 AND durable = 0),
		       (SELECT count(*) FROM changes WHERE replica < $2 AND durable = 1) + (SELECT count(*) FROM changes WHERE replica > $2 AND durable = 1),
		       (SELECT count(*) FROM changes INDEXED BY changes_late WHERE late = 1 AND held = $3),
		       (SELECT count(*) FROM changes INDEXED BY changes_late WHERE late = 1 AND held = ''),
		       (SELECT count(*) FROM changes INDEXED BY changes_late WHERE late = 1 AND held = $1)`,
		record.CodeDiscarded, int64(t.Replica), record.CodeDeploymentClosed).Scan( //nolint:gosec // the same bits, signed
		&c.Held, &c.Records, &c.EarlierSent, &c.EarlierDurable, &c.LateWaiting, &c.LateApplied, &c.LateDiscarded)
	if err != nil {
		return Counts{}, fmt.Errorf("counting: %w", err)
	}
	return c, nil
}

// inOrder are the keys of a map in one order: a tablet that does the same again has the same file.
func inOrder[V any](of map[hlc.ID]V) []hlc.ID {
	return slices.SortedFunc(maps.Keys(of), func(a, b hlc.ID) int { return slices.Compare(a[:], b[:]) })
}
