package localdb

import (
	"database/sql"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// A record waits while somebody has something to do with it, as far as its view alone tells. Few of very many do, and they are
// found by an index: which ones stands in the open, what they say does not.

// What a record waits for, as bits of the column.
const (
	// waitsForSomebody: it lacks a required field, is a review that returned its record, or a conflict that is not settled.
	waitsForSomebody = 1 << iota
	// waitsForClosure: it is an open case that the tablet's worker leads.
	waitsForClosure
	// handsOver: it is a referral that was sent, and not declined; its case need not be closed here.
	handsOver
)

// Numbers of the fields of a review, a conflict, a case and a referral that decide what it waits for.
const (
	reviewOutcome    protowire.Number = 18
	conflictSettled  protowire.Number = 20
	caseStage        protowire.Number = 27
	caseLead         protowire.Number = 29
	caseClosedOn     protowire.Number = 32
	duplicateOf      protowire.Number = 10
	referralProgress protowire.Number = 21
)

// waits is a value for the column; NULL where it is not known.
func (tx *Tx) waits(r *held) (any, error) {
	m := record.New(r.kind)
	if readable := m != nil && proto.Unmarshal(r.view.Fields(), m) == nil; !readable {
		return nil, nil
	}
	if r.view.Deleted() {
		return 0, nil
	}
	waits := 0
	if len(record.Missing(r.kind, m)) > 0 {
		waits = waitsForSomebody
	}
	switch r.kind {
	case recordv1.Kind_KIND_REVIEW:
		if r.view.Get(reviewOutcome).Number() == int64(recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED) {
			waits |= waitsForSomebody
		}
	case recordv1.Kind_KIND_CONFLICT:
		if r.view.Get(conflictSettled).Number() == 0 {
			waits |= waitsForSomebody
		}
	case recordv1.Kind_KIND_CASE:
		worker, err := tx.whose()
		if err != nil {
			return nil, err
		}
		if isOpen(r.view) && r.view.Get(caseLead).ID() == worker && worker != (hlc.ID{}) {
			waits |= waitsForClosure
		}
	case recordv1.Kind_KIND_REFERRAL:
		switch recordv1.ReferralProgress(r.view.Get(referralProgress).Number()) { //nolint:gosec // choices have 32 bits
		case recordv1.ReferralProgress_REFERRAL_PROGRESS_SENT, recordv1.ReferralProgress_REFERRAL_PROGRESS_ACCEPTED, recordv1.ReferralProgress_REFERRAL_PROGRESS_FOLLOWED_UP:
			waits |= handsOver
		}
	}
	return waits, nil
}

// isOpen reports whether a case is neither closed nor counted as another one.
func isOpen(theCase record.Registers) bool {
	return theCase.Get(caseClosedOn).Number() == 0 && theCase.Get(caseStage).Number() != int64(recordv1.CaseStage_CASE_STAGE_CLOSURE) &&
		theCase.Get(duplicateOf).ID() == (hlc.ID{})
}

// whose is the tablet's worker, which never changes; zero before enrolment.
func (tx *Tx) whose() (hlc.ID, error) {
	if tx.worker != (hlc.ID{}) {
		return tx.worker, nil
	}
	err := tx.sql.QueryRowContext(tx.ctx, `SELECT worker FROM tablet`).Scan(id{&tx.worker})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return hlc.ID{}, fmt.Errorf("reading the tablet: %w", err)
	}
	return tx.worker, nil
}

// openCases counts, by an index alone, the kind Case with the bit waitsForClosure, without those that a Referral with the bit handsOver is of.
const openCases = `SELECT count(*) FROM records c INDEXED BY records_waiting
	WHERE c.waits IS NOT 0 AND c.waits & 2 AND c.kind = 5 AND c.deleted = 0 AND c.id NOT IN (
		SELECT r.owner FROM records r INDEXED BY records_waiting
		WHERE r.waits IS NOT 0 AND r.waits & 4 AND r.kind = 19 AND r.deleted = 0 AND r.owner IS NOT NULL)`

// OpenCases is how many cases the tablet's worker leads that are open, and not referred to somebody else.
func (tx *Tx) OpenCases() (n int, err error) {
	if err := tx.sql.QueryRowContext(tx.ctx, openCases).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting open cases: %w", err)
	}
	return n, nil
}

// Waiting are the records of some kinds that may wait, in the order in which they were made: all that do, and those of which it is
// not known.
func (tx *Tx) Waiting(kinds ...record.Kind) ([]Record, error) {
	in, args := listed(kinds)
	return tx.records(`records r INDEXED BY records_waiting WHERE r.waits IS NOT 0 AND coalesce(r.waits & 1, 1) AND r.deleted = 0 AND r.kind IN (`+in+`) ORDER BY r.id`, args...)
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
	if _, err := tx.whose(); err != nil { // while rows are read, nothing else is
		return err
	}
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
		waits, err := tx.waits(&one)
		found[one.id] = columns{waits, int64(one.view.Newest())} //nolint:gosec // times have 63 bits
		return err
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
