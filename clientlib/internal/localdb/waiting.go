package localdb

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// A record waits while somebody has something to do with it, as far as its view alone tells. Few of very many do, and they are
// found by an index: which ones stands in the open, what they say does not.

// Numbers of the fields of a review and of a conflict that decide whether it waits.
const (
	reviewOutcome   protowire.Number = 18
	conflictSettled protowire.Number = 20
)

// waits is a value for the column; NULL where it is not known.
func (r *held) waits() any {
	m := record.New(r.kind)
	if m == nil || proto.Unmarshal(r.view.Fields(), m) != nil {
		return nil
	}
	switch {
	case r.view.Deleted():
		return 0
	case len(record.Missing(r.kind, m)) > 0,
		r.kind == recordv1.Kind_KIND_REVIEW && r.view.Get(reviewOutcome).Number() == int64(recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED),
		r.kind == recordv1.Kind_KIND_CONFLICT && r.view.Get(conflictSettled).Number() == 0:
		return 1
	default:
		return 0
	}
}

// Waiting are the records of some kinds that may wait, in the order in which they were made: all that do, and those of which it is
// not known.
func (tx *Tx) Waiting(kinds ...record.Kind) ([]Record, error) {
	in, args := listed(kinds)
	return tx.records(`INDEXED BY records_waiting WHERE r.waits IS NOT 0 AND r.deleted = 0 AND r.kind IN (`+in+`) ORDER BY r.id`, args...)
}

// findWaiting finds out of records that an older program kept whether they wait.
func (tx *Tx) findWaiting() error {
	found := map[hlc.ID]any{}
	err := tx.each(func(r row) error {
		var one held
		var sealed []byte
		if err := r.Scan(id{&one.id}, &one.kind, &sealed); err != nil || !record.Known(one.kind) {
			return err
		}
		view, err := tx.seal.open(recordView, one.id[:], sealed)
		if err != nil {
			return fmt.Errorf("record %s: %w", one.id, err)
		}
		if one.view, err = record.DecodeState(view); err != nil {
			return fmt.Errorf("record %s: %w: %w", one.id, ErrDamaged, err)
		}
		found[one.id] = one.waits()
		return nil
	}, `SELECT id, kind, view FROM records INDEXED BY records_waiting WHERE waits IS NOT 0 AND waits IS NULL`)
	if err != nil {
		return fmt.Errorf("reading records: %w", err)
	}
	for _, recordID := range inOrder(found) {
		if err := tx.exec(`UPDATE records SET waits = $1 WHERE id = $2`, found[recordID], recordID[:]); err != nil {
			return fmt.Errorf("storing record %s: %w", recordID, err)
		}
	}
	return nil
}
