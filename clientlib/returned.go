package clientlib

import (
	"context"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Returned is a record that a review returned to this worker, and that nobody has changed since.
type Returned struct {
	Review Record[*recordv1.Review]
	Target AnyRecord
}

// Returned are the records that this worker wrote, or that belong to a case which they lead, whose newest review (by package
// tally) returned them, with that review, in the order in which the reviews were made. Once anything in the record is set after
// that, by whomever, it waits for its reviewer. Deleted records are left out.
//
// It reads the reviews on this tablet that ever returned something, and their targets: some 30 µs for each, whatever other
// reviews there are.
func (s *Store) Returned(ctx context.Context) ([]Returned, error) {
	var returned []Returned
	err := s.look(ctx, func(l *look) error {
		reviews, err := l.tx.Waiting(recordv1.Kind_KIND_REVIEW)
		if err != nil {
			return err
		}
		for _, r := range reviews {
			one, ok, err := l.returned(r)
			if err != nil {
				return err
			}
			if ok {
				returned = append(returned, one)
			}
		}
		return nil
	})
	return returned, err
}

// returned is what a review returned, if that is this worker's and waits for them.
func (l *look) returned(review localdb.Record) (one Returned, ok bool, err error) {
	judged := review.View.Get(fieldReviewOutcome)
	if judged.Number() != int64(recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED) {
		return one, false, nil
	}
	target, ok, err := l.tx.Record(review.View.Owner(review.Kind))
	if err != nil || !ok || target.View.Deleted() || answered(target.View, judged.Stamp) {
		return one, false, err
	}
	if mine, err := l.mine(target); err != nil || !mine {
		return one, false, err
	}
	of, err := l.tx.OwnedBy(target.ID)
	if err != nil {
		return one, false, err
	}
	records := make([]tally.Record, 0, len(of))
	for _, r := range of {
		records = append(records, tally.Record{ID: r.ID, Kind: r.Kind, Registers: r.View})
	}
	if newest := tally.NewestReview(target.Kind, records); newest == nil || newest.ID != review.ID {
		return one, false, nil
	}
	if one.Review, err = shown[*recordv1.Review](l, review); err != nil {
		return one, false, err
	}
	one.Target, err = shown[record.Common](l, target)
	return one, err == nil, err
}

// Numbers of fields that are looked at before a record is read as a message.
const (
	fieldReviewOutcome protowire.Number = 18
	fieldCaseLead      protowire.Number = 29
)

// mine reports whether this worker wrote a record, or leads the case that it is or belongs to.
func (l *look) mine(r localdb.Record) (bool, error) {
	if r.View.Get(protowire.Number(fieldAuthor)).ID() == l.tablet.Worker {
		return true, nil
	}
	for r.Kind != recordv1.Kind_KIND_CASE {
		owner, ok, err := l.tx.Record(r.View.Owner(r.Kind))
		if err != nil || !ok || !record.MayOwn(owner.Kind, r.Kind) { // no kind comes twice on the way up
			return false, err
		}
		r = owner
	}
	return r.View.Get(fieldCaseLead).ID() == l.tablet.Worker, nil
}

// answered reports whether anything in a record was set after it was judged.
func answered(view record.Registers, judged hlc.Stamp) bool {
	return slices.ContainsFunc(view, func(r record.Register) bool { return r.Stamp.Compare(judged) > 0 })
}

// Drafts are the records of this worker, or that name this worker as co-worker, that lack a required field and so count nowhere, in
// the order in which they were made. It reads no record that lacks nothing.
func (s *Store) Drafts(ctx context.Context) ([]AnyRecord, error) {
	var drafts []AnyRecord
	err := s.look(ctx, func(l *look) (err error) {
		drafts, err = l.drafts()
		return err
	})
	return drafts, err
}

func (l *look) drafts() ([]AnyRecord, error) {
	found, err := l.tx.Waiting(slices.DeleteFunc(record.Kinds(), record.SetUp)...)
	if err != nil {
		return nil, err
	}
	var drafts []AnyRecord
	for _, r := range found {
		one, err := shown[record.Common](l, r)
		if err != nil {
			return nil, err
		}
		if isDraftOf(r.Kind, one.Message, l.tablet.Worker) {
			drafts = append(drafts, one)
		}
	}
	return drafts, nil
}

// isDraftOf reports whether a record is a draft, and a worker's.
func isDraftOf(k record.Kind, m record.Common, worker hlc.ID) bool {
	return len(record.Missing(k, m)) > 0 && isOf(m, worker)
}

// isOf reports whether a worker wrote a record, or worked along on it.
func isOf(m record.Common, worker hlc.ID) bool {
	return isID(m.GetAuthor(), worker) || slices.ContainsFunc(m.GetCoWorkers(), func(id []byte) bool { return isID(id, worker) })
}
