package localdb

import (
	"crypto/ed25519"
	"fmt"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// ChainAt is the own chain at a sequence number up to the newest.
func (tx *Tx) ChainAt(t *Tablet, sequence uint64) (batch.Hash, error) { return tx.chainAt(t, sequence) }

// ChainsAt are the own chain at sequence numbers, which ascend.
func (tx *Tx) ChainsAt(t *Tablet, sequences []uint64) ([]batch.Hash, error) {
	at := *t
	chains := make([]batch.Hash, 0, len(sequences))
	for _, sequence := range sequences {
		chain, err := tx.chainAt(&at, sequence)
		if err != nil {
			return nil, err
		}
		chains = append(chains, chain)
		if sequence < t.Sequence {
			at.Acknowledged, at.AcknowledgedChain = sequence, chain // the next goes on from here
		}
	}
	return chains, nil
}

// Fork goes on under a new replica number, which follows from nonce: another copy of this tablet wrote under the present
// one, or this tablet is the copy. The chains of both are the same up to a.Have; up to there the changes count as
// acknowledged, as a tells of them.
//
// Under the new number the tablet sends what was never accepted. Of what was, it sends again what it could not give back:
// what is held, and what this server has not proved. Where the server has it under the old number, it will know it. Times
// stay; what names the stamps of such a change moves with it. Then everything is pulled from the beginning. It says how
// many changes are to be sent.
func (tx *Tx) Fork(t *Tablet, a Acknowledgement, nonce uint64) (int, error) {
	if a.Have > t.Acknowledged {
		chain, err := tx.chainAt(t, a.Have)
		if err != nil {
			return 0, err
		}
		if err := tx.apply(t, a); err != nil {
			return 0, err
		}
		t.Acknowledged, t.AcknowledgedChain = a.Have, chain
		t.Accepted = max(t.Accepted, a.Have)
	}
	all, err := tx.changes(t, `1`)
	if err != nil {
		return 0, err
	}
	keep, once, err := tx.notReturnable(t, all)
	if err != nil {
		return 0, err
	}
	records, before, err := tx.without(t, a.Have, keep)
	if err != nil {
		return 0, err
	}
	has := 0
	for has < len(keep) && keep[has].sequence <= a.Have {
		has++
	}
	if err := tx.renumber(t, keep, has, once, before, nonce); err != nil {
		return 0, err
	}
	for _, r := range records {
		if err := tx.refresh(t, r); err != nil {
			return 0, err
		}
	}
	if err := tx.sweep(t); err != nil {
		return 0, err
	}
	return len(keep), tx.PullAgain(t)
}

// renumber takes the replica number that follows from nonce, and makes keep the changes under it. The server has the first
// has of them under the old number; once of them were once accepted. before are their records without them.
func (tx *Tx) renumber(t *Tablet, keep []own, has, once int, before map[hlc.ID]record.Registers, nonce uint64) error {
	old := t.Replica
	if err := tx.exec(`UPDATE changes SET durable = 1 WHERE replica = $1 AND sequence <= $2`, int64(old), t.Durable); err != nil { //nolint:gosec // the same bits, signed
		return fmt.Errorf("marking what is durable: %w", err)
	}
	t.Nonce, t.Replica = nonce, hlc.ReplicaOf(t.Key.Public().(ed25519.PublicKey), nonce)
	for i := range keep[:has] {
		// The server has it with its old stamp, so whatever names that goes on naming it.
		keep[i].change.Stamp.Replica, keep[i].known = t.Replica, true
	}
	if err := rewrite(keep[has:], before, func(was hlc.Stamp) hlc.Stamp { return hlc.Stamp{Time: was.Time, Replica: t.Replica} }); err != nil {
		return err
	}
	start := batch.Start(t.Deployment, t.Replica)
	t.Sequence, t.Chain, t.Acknowledged, t.AcknowledgedChain, t.Durable = 0, start, 0, start, 0
	t.Accepted, t.Possible = uint64(once), 0 //nolint:gosec // a count
	t.Attempts++                             // what comes back from requests under the old number says nothing of these
	for _, o := range keep {
		body := o.change.Encode()
		t.Sequence++
		t.Chain = batch.Next(t.Chain, batch.HashOf(body))
		t.Time = max(t.Time, o.change.Stamp.Time)
		sealed, err := tx.seal.seal(changeBody, o.change.ID[:], body)
		if err != nil {
			return err
		}
		err = tx.exec(`UPDATE changes SET replica = $1, sequence = $2, body = $3, known = $4, durable = 0 WHERE id = $5`,
			int64(t.Replica), t.Sequence, sealed, o.known, o.change.ID[:]) //nolint:gosec // the same bits, signed
		if err != nil {
			return fmt.Errorf("storing change %d: %w", t.Sequence, err)
		}
	}
	return nil
}

// notReturnable picks the changes to send under the next number, and says how many of them were once accepted.
func (tx *Tx) notReturnable(t *Tablet, all []own) (keep []own, once int, err error) {
	proven := map[hlc.ID]record.Registers{}
	for _, o := range all {
		if o.sequence <= t.Accepted {
			of := o.change.Record
			if _, ok := proven[of]; !ok {
				r, err := tx.load(of, o.change.Kind)
				if err != nil {
					return nil, 0, err
				}
				proven[of] = r.proven()
			}
			if o.held == "" && proven[of].Covers(o.change.Registers()) {
				continue
			}
			once++
		}
		keep = append(keep, o)
	}
	return keep, once, nil
}

// without are the records of the changes in keep. Of those changes that were accepted once and that the server does not
// have, behind have, their bases have nothing any more. before are these bases.
func (tx *Tx) without(t *Tablet, have uint64, keep []own) (records []*held, before map[hlc.ID]record.Registers, err error) {
	gone, lost := map[hlc.ID]bool{}, map[hlc.ID]bool{}
	for _, o := range keep {
		if o.sequence > have && o.sequence <= t.Accepted {
			gone[o.change.ID] = true
			lost[o.change.Record] = lost[o.change.Record] || o.applied()
		}
	}
	before = map[hlc.ID]record.Registers{}
	for _, o := range keep {
		of := o.change.Record
		if _, ok := before[of]; ok {
			continue
		}
		r, err := tx.load(of, o.change.Kind)
		if err != nil {
			return nil, nil, err
		}
		if lost[of] {
			accepted, err := tx.allChanges(`record = $1 AND held = '' AND known = 0 AND (replica <> $2 OR sequence <= $3)`,
				of[:], int64(t.Replica), t.Accepted) //nolint:gosec // the same bits, signed
			if err != nil {
				return nil, nil, err
			}
			base := r.proven()
			for _, a := range accepted {
				if !gone[a.change.ID] {
					base = record.Merge(base, a.change.Registers())
				}
			}
			r.setBase(base)
		}
		before[of] = r.base
		records = append(records, r)
	}
	return records, before, nil
}
