package syncing

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Deed is what somebody does to a record on the web: it makes the record, or sets some of its fields and empties others.
type Deed struct {
	ID hlc.ID
	// Message is partial: the fields that it has are set. A Review that is made needs not list what was reviewed: that is its target
	// as the person was shown it.
	Message proto.Message
	// Cleared are the fields to empty.
	Cleared []protowire.Number
	// Seen is the position that the record had when the person was shown it, and that of the target for a Review that is made;
	// 0 for any other record that is made.
	Seen uint64
}

// Act does what a worker does on the web, all of it or nothing. Each deed is judged as a change from the worker's tablet would be,
// with the worker as posted now; a record may be in one deed alone. What is made again as it stands is no change.
//
// Nothing that the worker was not shown is overwritten, so that no deed makes a conflict: problem changed_meanwhile when somebody
// set one of its fields after Seen; any field, of a record that it deletes and of a conflict; a counted one of the target, for a
// Review. Otherwise problem not_allowed; not_found when the record, or a Review's target, is not there; invalid_argument when the
// id is that of another kind; and a *record.Problem when what is said can't stand in a record, or the deployment is closed.
func (s *Service) Act(ctx context.Context, worker hlc.ID, deeds ...Deed) error {
	return s.write(ctx, func(g *group) error {
		setUp := s.SetUp()
		if setUp.Workers[worker] == nil {
			return problem.New(problem.NotAllowed)
		}
		rules := setUp.Rules
		rules.Now = g.now
		for _, d := range deeds {
			if err := g.act(worker, d, rules); err != nil {
				return err
			}
		}
		return g.follow()
	})
}

func (g *group) act(worker hlc.ID, d Deed, rules record.Deployment) error {
	kind := record.KindOf(d.Message)
	e, err := g.get(d.ID)
	if err != nil {
		return err
	}
	if e.there && e.Kind != kind {
		return problem.Newf(problem.InvalidArgument, "the record is not a %v", kind)
	}
	if review, ok := d.Message.(*recordv1.Review); ok && !e.there {
		if d.Message, err = g.asReviewed(review, d.Seen); err != nil {
			return err
		}
		d.Seen = 0
	}
	fields, err := fieldsOf(d.Message, rules)
	if err != nil {
		return err
	}
	c, err := g.draft(e, kind, d.ID, fields, d.Cleared)
	if err != nil || (c == nil && d.Seen == 0) {
		return err
	}
	if err := g.asShown(e, d, fields); err != nil || c == nil {
		return err
	}
	c.Worker = worker
	return g.submit(e, c)
}

// asReviewed is a review that lists what its reviewer was shown of its target, at a position.
func (g *group) asReviewed(review *recordv1.Review, seen uint64) (*recordv1.Review, error) {
	if len(review.GetTarget()) != len(hlc.ID{}) {
		return nil, &record.Problem{Code: record.CodeInvalidID, Field: record.OwnerField(recordv1.Kind_KIND_REVIEW)}
	}
	target, err := g.get(hlc.ID(review.GetTarget()))
	if err != nil {
		return nil, err
	}
	if !target.there {
		return nil, problem.New(problem.NotFound)
	}
	counted := append(tally.CountedFields(target.Kind), record.DeletedField)
	if err := g.unchanged(target, seen, func(f protowire.Number) bool { return slices.Contains(counted, f) }); err != nil {
		return nil, err
	}
	review = proto.CloneOf(review)
	review.Reviewed = tally.Reviewed(target.Kind, target.registers)
	return review, nil
}

// asShown refuses a deed if what it sets is not as its author was shown it.
func (g *group) asShown(e *entry, d Deed, fields []byte) error {
	switch {
	case d.Seen == 0 && e.there: // somebody has made it meanwhile
		return problem.New(problem.ChangedMeanwhile)
	case d.Seen == 0:
		return nil
	case !e.there:
		return problem.New(problem.NotFound)
	}
	said := (&record.Change{Fields: fields, Cleared: d.Cleared}).Registers()
	return g.unchanged(e, d.Seen, func(f protowire.Number) bool {
		return e.Kind == conflictKind || said.Deleted() || f == record.DeletedField || said.Get(f).Field != 0
	})
}

// unchanged is problem changed_meanwhile if what stands in some fields of a record was set after a position.
func (g *group) unchanged(e *entry, since uint64, of func(protowire.Number) bool) error {
	if since > g.head.Position { // it was shown before the log was set back
		return problem.New(problem.ChangedMeanwhile)
	}
	if e.Position <= since {
		return nil
	}
	entries, err := g.history(e.ID)
	if err != nil {
		return err
	}
	later := map[hlc.ID]bool{} // what was held then, and released since
	for _, was := range entries {
		later[was.Change] = later[was.Change] || (was.Outcome == Settled && was.Position > since)
	}
	for _, was := range entries {
		if (was.Outcome != Applied && was.Outcome != Given) || (was.Position <= since && !later[was.Change]) {
			continue
		}
		_, set, _ := ContentOf(was)
		for _, r := range set {
			if of(r.Field) && e.registers.Get(r.Field).Stamp == r.Stamp {
				return problem.New(problem.ChangedMeanwhile)
			}
		}
	}
	return nil
}

// submit judges a change that the server makes for somebody as one from their tablet, and takes it in if nothing holds it.
func (g *group) submit(e *entry, c *record.Change) error {
	a := arrivalOf(c)
	if len(a.body) > batch.MaxChangeBytes {
		return &record.Problem{Code: record.CodeTooLarge}
	}
	if err := g.redact(&a); err != nil {
		return err
	}
	v, err := g.judge(submission{arrival: &a, sender: sender{worker: c.Worker}})
	if err != nil {
		return err
	}
	switch v.outcome {
	case Applied:
		return g.takeOwn(e, a)
	case Erased:
		return problem.New(problem.NotFound)
	case string(record.CodeNotAllowed), string(record.CodeNotYourTeam):
		return problem.New(problem.NotAllowed)
	default:
		return &record.Problem{Code: record.Code(v.outcome)}
	}
}

// fieldsOf are the fields of a partial message as they may stand in a record: problem invalid_argument, or a *record.Problem,
// when they may not.
func fieldsOf(m proto.Message, rules record.Deployment) ([]byte, error) {
	kind := record.KindOf(m)
	encoded, err := proto.Marshal(m)
	if err != nil {
		return nil, problem.Newf(problem.InvalidArgument, "text that is not UTF-8")
	}
	fields, err := record.Canonical(kind, encoded)
	if err != nil {
		return nil, fmt.Errorf("encoding a %v: %w", kind, err)
	}
	if wrong := record.Validate(kind, fields, rules); len(wrong) > 0 {
		return nil, &wrong[0]
	}
	return fields, nil
}
