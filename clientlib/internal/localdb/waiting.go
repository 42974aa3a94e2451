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
	return tx.records(`records r INDEXED BY records_waiting WHERE r.waits IS NOT 0 AND r.deleted = 0 AND r.kind IN (`+in+`) ORDER BY r.id`, args...)
}

// Unanswered are the reviews that may wait, and whose targets may not have been changed since, each with its target, in the order in
// which they were made: all such, and those of which it is not known. Deleted ones are left out, and those of targets that are
// deleted or not here. Newest and Earlier are not told. Of all others nothing is read but an index.
func (tx *Tx) Unanswered() (reviews, targets []Record, err error) {
	err = tx.each(func(row row) error {
		var r, target Record
		var sealed, sealedTarget []byte
		err := row.Scan(id{&r.ID}, &r.Kind, &sealed, &r.Day, id{&target.ID}, &target.Kind, &sealedTarget, &target.Day)
		if err != nil {
			return err
		}
		if r.View, err = tx.openView(r.ID, sealed); err != nil {
			return err
		}
		if target.View, err = tx.openView(target.ID, sealedTarget); err != nil {
			return err
		}
		reviews, targets = append(reviews, r), append(targets, target)
		return nil
	}, `SELECT r.id, r.kind, r.view, r.day, t.id, t.kind, t.view, t.day
		FROM records w INDEXED BY records_waiting CROSS JOIN records c INDEXED BY records_changed CROSS JOIN records r CROSS JOIN records t
		WHERE w.waits IS NOT 0 AND w.kind = $1 AND w.deleted = 0
		AND c.id = w.owner AND coalesce(c.changed <= w.changed, 1)
		AND r.id = w.id AND t.id = w.owner AND t.deleted = 0 ORDER BY w.id`, recordv1.Kind_KIND_REVIEW)
	if err != nil {
		return nil, nil, fmt.Errorf("reading reviews: %w", err)
	}
	return reviews, targets, nil
}

// findWaiting finds out of records that an older program kept whether they wait, and when they were changed.
func (tx *Tx) findWaiting() error {
	type columns struct{ waits, changed any }
	found := map[hlc.ID]columns{}
	err := tx.each(func(r row) error {
		var one held
		var sealed []byte
		if err := r.Scan(id{&one.id}, &one.kind, &sealed); err != nil || !record.Known(one.kind) {
			return err
		}
		var err error
		if one.view, err = tx.openView(one.id, sealed); err != nil {
			return err
		}
		found[one.id] = columns{one.waits(), int64(one.view.Newest())} //nolint:gosec // times have 63 bits
		return nil
	}, `SELECT r.id, r.kind, r.view FROM records w INDEXED BY records_waiting CROSS JOIN records r
		WHERE w.waits IS NOT 0 AND w.waits IS NULL AND r.id = w.id`)
	if err != nil {
		return fmt.Errorf("reading records: %w", err)
	}
	for _, recordID := range inOrder(found) {
		if err := tx.exec(`UPDATE records SET waits = $1, changed = $2 WHERE id = $3`, found[recordID].waits, found[recordID].changed, recordID[:]); err != nil {
			return fmt.Errorf("storing record %s: %w", recordID, err)
		}
	}
	return nil
}
