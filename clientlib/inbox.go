package clientlib

import (
	"context"
	"time"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// HeldChange is a change of this tablet that the server keeps and does not apply.
type HeldChange struct {
	Change hlc.ID
	Record hlc.ID
	Kind   record.Kind
	// Code says why; record.Message has a sentence for it.
	Code string
	// Makes says that the change was to make the record, which is therefore not shown.
	Makes bool
	// Message are the fields that the change was to set; nil when its kind is newer than this program.
	Message record.Common
	// Cleared are the fields that it was to empty, by their names in the protos.
	Cleared []string
	// Made is when it was logged, by the tablet's clock.
	Made time.Time
	// Decision is what was decided of it as far as this tablet knows, and what the server has not yet carried out: Code
	// tells what it has. DECISION_UNKNOWN when nothing was.
	Decision recordv1.Decision
	// Reason is what was written with that decision.
	Reason string
	// Late says that the change came when the deployment was closed already: an addendum 补报.
	Late bool
}

// InAddendum reports whether a coordinator has yet to decide about a change that is an addendum.
func (h HeldChange) InAddendum() bool { return h.Code == string(record.CodeDeploymentClosed) }

// Discarded reports whether somebody decided that the change is not to be applied.
func (h HeldChange) Discarded() bool { return h.Code == string(record.CodeDiscarded) }

// Held are the changes that the server holds, oldest first, discarded ones among them.
func (s *Store) Held(ctx context.Context) ([]HeldChange, error) {
	var list []HeldChange
	err := s.look(ctx, func(l *look) error {
		held, err := l.tx.Held()
		if err != nil || len(held) == 0 {
			return err
		}
		decided, err := decisions(l.tx)
		if err != nil {
			return err
		}
		for _, h := range held {
			c := HeldChange{
				Change: h.Change.ID, Record: h.Change.Record, Kind: h.Change.Kind, Code: h.Code, Makes: h.Change.Makes(),
				Made: h.Change.Stamp.Time.Wall(), Decision: decided[h.Change.ID].GetDecision(), Reason: decided[h.Change.ID].GetReason(), Late: h.Late,
			}
			if c.Message, err = message(h.Change.Kind, h.Change.Fields); err != nil {
				return err
			}
			record.Conceal(c.Message)
			for _, f := range h.Change.Cleared {
				c.Cleared = append(c.Cleared, fieldName(h.Change.Kind, f))
			}
			list = append(list, c)
		}
		return err
	})
	return list, err
}

// decisions are the newest decisions about held changes.
func decisions(tx *localdb.Tx) (map[hlc.ID]*recordv1.HeldDecision, error) {
	found, err := ofKind[*recordv1.HeldDecision](tx) // in the order in which they were made
	decided := map[hlc.ID]*recordv1.HeldDecision{}
	for _, d := range found {
		if len(d.Message.GetChange()) == len(hlc.ID{}) {
			decided[hlc.ID(d.Message.GetChange())] = d.Message
		}
	}
	return decided, err
}

// Decide says what shall become of a held change 待处理决定, and returns the id of the decision, which is a record like others: it counts
// once the server has it. A worker may discard a change of their own; to release one, which has it judged as if the decider had written
// it, is for team leads, supervisors and coordinators. The change may be another tablet's. Errors are those of logging;
// the decision must be one of both.
func (s *Store) Decide(ctx context.Context, change hlc.ID, decision recordv1.Decision, reason string) (hlc.ID, error) {
	if decision != recordv1.Decision_DECISION_RELEASE && decision != recordv1.Decision_DECISION_DISCARD {
		return hlc.ID{}, problem.Newf(problem.InvalidArgument, "decision %v", decision)
	}
	m := &recordv1.HeldDecision{Change: change[:], Decision: decision.Enum()}
	if reason != "" {
		m.Reason = &reason
	}
	return s.log(ctx, m)
}

// Conflict is a field that was overwritten by someone who had not seen the value that lost.
type Conflict struct {
	Record[*recordv1.Conflict]
	Target hlc.ID
	// Field is the field's name in the protos; "" when it is newer than this program.
	Field string
	// Sides are the values, oldest first: the last one won.
	Sides []ConflictSide
}

// ConflictSide is one of the values of a conflict.
type ConflictSide struct {
	// Message has the one field, or none where it was emptied; nil when the target's kind is newer than this program.
	Message record.Common
	Author  hlc.ID
	Set     time.Time
}

// Conflicts are the conflicts that nobody has settled, in the order in which they were found.
func (s *Store) Conflicts(ctx context.Context) ([]Conflict, error) {
	var open []Conflict
	err := s.look(ctx, func(l *look) error {
		found, err := l.tx.Waiting(recordv1.Kind_KIND_CONFLICT)
		if err != nil {
			return err
		}
		records, err := allShown[*recordv1.Conflict](l, found)
		for _, r := range records {
			if r.Message.GetSettled() {
				continue
			}
			c := Conflict{Record: r, Field: fieldName(r.Message.GetTargetKind(), numberOf(r.Message.GetField()))}
			copy(c.Target[:], r.Message.GetTarget())
			for _, side := range r.Message.GetSides() {
				one := ConflictSide{Set: hlc.Time(side.GetTime()).Wall()}
				copy(one.Author[:], side.GetAuthor())
				if one.Message, err = message(r.Message.GetTargetKind(), side.GetValue()); err != nil {
					return err
				}
				record.Conceal(one.Message)
				c.Sides = append(c.Sides, one)
			}
			open = append(open, c)
		}
		return err
	})
	return open, err
}
