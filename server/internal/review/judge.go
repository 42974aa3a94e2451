package review

import (
	"context"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Approve says that a record is right as it was shown 通过.
func (s *Service) Approve(ctx context.Context, by casefile.Reader, target Seen) error {
	return s.judge(ctx, by, target, &recordv1.Review{Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()})
}

// Return gives a record back to who logged it 退回, with why and a comment, which reach their tablet. Problem invalid_argument without
// either.
func (s *Service) Return(ctx context.Context, by casefile.Reader, target Seen, reasons []recordv1.ReviewReason, comment string) error {
	if len(reasons) == 0 && comment == "" {
		return problem.Newf(problem.InvalidArgument, "neither reasons nor a comment")
	}
	m := &recordv1.Review{Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), Reasons: reasons}
	if comment != "" {
		m.Comment = &comment
	}
	return s.judge(ctx, by, target, m)
}

func (s *Service) judge(ctx context.Context, by casefile.Reader, target Seen, m *recordv1.Review) error {
	made, err := s.reviews(ctx, by, []Seen{target}, m)
	if err != nil {
		return err
	}
	if made[0].err != nil {
		return made[0].err
	}
	return s.act(ctx, by, audit.RecordReviewed, []hlc.ID{target.ID}, made[0].deed)
}

// madeReview is the deed that makes a review of a record, or why there is none.
type madeReview struct {
	deed syncing.Deed
	err  error
}

// reviews makes a review of each of some records, in their order. Each judgement is a record of its own, as on tablets: the newest one
// holds.
func (s *Service) reviews(ctx context.Context, by casefile.Reader, targets []Seen, m *recordv1.Review) ([]madeReview, error) {
	ids := make([]hlc.ID, len(targets))
	for i, target := range targets {
		ids[i] = target.ID
	}
	made := make([]madeReview, len(targets))
	err := s.Store.ReadReview(ctx, func(tx Reading) error {
		all, err := s.findAll(tx, by, access.ReviewRecords, ids)
		for i, f := range all {
			if made[i].err = f.err; f.err == nil && f.registers.Deleted() {
				made[i].err = problem.New(problem.NotFound)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, target := range targets {
		if made[i].err == nil {
			made[i].deed, made[i].err = s.reviewOf(by, target, m)
		}
	}
	return made, nil
}

// reviewOf is the deed that makes a review of a record.
func (s *Service) reviewOf(by casefile.Reader, target Seen, m *recordv1.Review) (syncing.Deed, error) {
	m = proto.CloneOf(m)
	m.Target = target.ID[:]
	s.fill(by, m)
	id, err := s.Syncing.NewID()
	return syncing.Deed{ID: id, Message: m, Seen: target.Position}, err
}

// MaxMany is how many records may be approved at once.
const MaxMany = 200

// ApproveMany approves records as they were shown. There is one error for each, nil where it was done: a bad one keeps no other from
// being approved. Problem invalid_argument for more than MaxMany.
func (s *Service) ApproveMany(ctx context.Context, by casefile.Reader, targets []Seen) ([]error, error) {
	if len(targets) > MaxMany {
		return nil, problem.Newf(problem.InvalidArgument, "%d records", len(targets))
	}
	made, err := s.reviews(ctx, by, targets, &recordv1.Review{Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()})
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(targets))
	var deeds []syncing.Deed
	var subjects []hlc.ID
	var of []int
	for i, one := range made {
		if outcomes[i] = one.err; one.err == nil {
			deeds, subjects, of = append(deeds, one.deed), append(subjects, targets[i].ID), append(of, i)
		}
	}
	if err := s.Syncing.Act(ctx, by.Worker, deeds...); err == nil { // nearly always, and in one commit
		for _, id := range subjects {
			if err := s.note(ctx, by, audit.RecordReviewed, audit.Subject{Kind: audit.OfRecord, ID: id}); err != nil {
				return nil, err
			}
		}
		return outcomes, nil
	}
	for i, d := range deeds {
		outcomes[of[i]] = s.act(ctx, by, audit.RecordReviewed, subjects[i:i+1], d)
	}
	return outcomes, nil
}

// Preview is by how much figures that are verified would rise if some records were approved.
type Preview struct {
	// Figures has no zeros, and not the persons: how many of them are new is not known before they are counted.
	Figures map[tally.Figure]int64
	// Missing are those that are not there, or not for the person to review.
	Missing []hlc.ID
}

// Preview tells what approving some records would verify. Problem invalid_argument for more than MaxMany.
func (s *Service) Preview(ctx context.Context, by casefile.Reader, targets []hlc.ID) (Preview, error) {
	out := Preview{Figures: map[tally.Figure]int64{}}
	if len(targets) > MaxMany {
		return out, problem.Newf(problem.InvalidArgument, "%d records", len(targets))
	}
	err := s.Store.ReadReview(ctx, func(tx Reading) error {
		all, err := s.findAll(tx, by, access.ReviewRecords, targets)
		if err != nil {
			return err
		}
		var roots []hlc.ID
		approved := map[hlc.ID]bool{}
		for i, f := range all {
			switch problem.CodeOf(f.err) {
			case problem.NotFound, problem.NotAllowed:
				out.Missing = append(out.Missing, targets[i])
				continue
			}
			if f.err != nil {
				return f.err
			}
			approved[f.ID] = true
			roots = append(roots, f.Root)
		}
		before, err := tied(tx, roots)
		if err != nil {
			return err
		}
		after := slices.Clone(before)
		for _, r := range before {
			if approved[r.ID] {
				review, err := approval(r)
				if err != nil {
					return err
				}
				after = append(after, review)
			}
		}
		for cell, n := range tally.DeltaOf(before, after).Cells {
			if cell.Basis == tally.Verified && cell.Dimension == tally.Whole && cell.Figure < tally.Persons {
				out.Figures[cell.Figure] += n
			}
		}
		return nil
	})
	return out, err
}

// tied are the records of some roots and what duplicates tie to them, as far as that decides what they give.
func tied(tx Reading, roots []hlc.ID) ([]tally.Record, error) {
	all, err := syncing.Tied(tx, roots)
	if err != nil {
		return nil, err
	}
	var deciding []tally.Record
	for _, r := range all {
		if !tally.Decides(r.Kind) {
			continue
		}
		registers, err := record.DecodeState(r.State)
		if err != nil {
			return nil, err
		}
		deciding = append(deciding, tally.Record{ID: r.ID, Kind: r.Kind, Registers: registers})
	}
	return deciding, nil
}

// approval is a review that approves a record as it stands, later than all others.
func approval(r tally.Record) (tally.Record, error) {
	m := &recordv1.Review{Author: r.ID[:], OccurredOn: proto.Int32(1), Target: r.ID[:], Reviewed: tally.Reviewed(r.Kind, r.Registers), Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()}
	encoded, err := proto.Marshal(m)
	if err != nil {
		return tally.Record{}, err
	}
	fields, err := record.Canonical(recordv1.Kind_KIND_REVIEW, encoded)
	if err != nil {
		return tally.Record{}, err
	}
	id := r.ID
	for i := range id { // of no other record: ids are made with a version in them
		id[i] ^= 0xff
	}
	c := &record.Change{ID: id, Record: id, Kind: recordv1.Kind_KIND_REVIEW, Stamp: hlc.Stamp{Time: math.MaxInt64, Replica: 1}, Fields: fields}
	return tally.Record{ID: id, Kind: c.Kind, Registers: c.Registers()}, nil
}
