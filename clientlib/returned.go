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
// Of reviews that returned something and were answered, an index alone is read: about 5 µs for each that there ever was. Those that
// were not answered, the whole team's, are read with their targets: about 50 µs for each.
func (s *Store) Returned(ctx context.Context) ([]Returned, error) {
	var returned []Returned
	err := s.look(ctx, func(l *look) (err error) {
		returned, err = l.returned()
		return err
	})
	return returned, err
}

func (l *look) returned() ([]Returned, error) {
	reviews, targets, err := l.tx.Unanswered()
	if err != nil {
		return nil, err
	}
	var returned []Returned
	led := map[hlc.ID]bool{}
	for i, review := range reviews {
		judged := review.View.Get(fieldReviewOutcome)
		if judged.Number() != int64(recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED) || tally.Answered(targets[i].View, judged.Stamp) {
			continue
		}
		if mine, err := l.mine(targets[i], led); err != nil || !mine {
			if err != nil {
				return nil, err
			}
			continue
		}
		one, ok, err := l.returnedBy(review.ID, targets[i].ID)
		if err != nil {
			return nil, err
		}
		if ok {
			returned = append(returned, one)
		}
	}
	return returned, nil
}

// returnedBy is what a review returned, if it is the newest one.
func (l *look) returnedBy(review, target hlc.ID) (one Returned, ok bool, err error) {
	judged, ok, err := l.tx.Record(target)
	if err != nil || !ok {
		return one, false, err
	}
	of, err := l.tx.OwnedBy(target)
	if err != nil {
		return one, false, err
	}
	records := make([]tally.Record, 0, len(of))
	for _, r := range of {
		records = append(records, tally.Record{ID: r.ID, Kind: r.Kind, Registers: r.View})
	}
	newest := tally.NewestReview(judged.Kind, records)
	if newest == nil || newest.ID != review {
		return one, false, nil
	}
	at := slices.IndexFunc(of, func(r localdb.Record) bool { return r.ID == review })
	if one.Review, err = shown[*recordv1.Review](l, of[at]); err != nil {
		return one, false, err
	}
	one.Target, err = shown[record.Common](l, judged)
	return one, err == nil, err
}

// fieldReviewOutcome is the number of the field outcome of a review.
const fieldReviewOutcome protowire.Number = 18

// mine reports whether this worker wrote a record, or leads the case that it is or belongs to. led has what is known already of the
// records above.
func (l *look) mine(r localdb.Record, led map[hlc.ID]bool) (bool, error) {
	if r.View.Get(fieldAuthor).ID() == l.tablet.Worker {
		return true, nil
	}
	return l.leads(r, led)
}

// leads reports whether this worker leads the case that a record is or belongs to.
func (l *look) leads(r localdb.Record, led map[hlc.ID]bool) (bool, error) {
	if r.Kind == recordv1.Kind_KIND_CASE {
		return r.View.Get(fieldCaseLead).ID() == l.tablet.Worker, nil
	}
	up := r.View.Owner(r.Kind)
	if known, ok := led[up]; ok {
		return known, nil
	}
	owner, ok, err := l.tx.Record(up)
	if err != nil || !ok || !record.MayOwn(owner.Kind, r.Kind) { // no kind comes twice on the way up
		return false, err
	}
	led[up], err = l.leads(owner, led)
	return led[up], err
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
