package review

import (
	"bytes"
	"context"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Conflict is a field that somebody overwrote without having seen the value that lost 两处填写不一致.
type Conflict struct {
	Seen
	// Target is the record that it is of, as it stands.
	Target Seen
	Kind   record.Kind
	Team   hlc.ID
	Field  protowire.Number
	// Of describes the field; nil where only a newer program knows it, and then no value is readable.
	Of      protoreflect.FieldDescriptor
	Settled bool
	// Sides are the values, oldest first.
	Sides []Side
	// Standing is what stands now. Of a conflict about a deletion the value says whether the record is deleted.
	Standing Value
}

// Value is what a field may hold: the field alone in a message of its kind, and no field where it is empty. Nil where only a newer
// program knows the kind.
type Value struct{ record.Common }

// Side is one of the values.
type Side struct {
	Value
	// Author is who set it; zero where that is no longer known.
	Author hlc.ID
	At     time.Time
	// Before is what its author had seen in the field; nil where that is no longer known.
	Before *Value
	// Stands: it is the value that stands now.
	Stands bool
}

// Deletion reports whether the conflict is between a delete and an edit: its two values are that the record is deleted, and that
// it is not.
func (c *Conflict) Deletion() bool { return c.Field == record.DeletedField }

// Writable reports whether somebody may write another value than those of the sides: one text, number, day, choice, or yes or no.
func (c *Conflict) Writable() bool {
	return c.Of != nil && !c.Deletion() && !c.Of.IsList() && c.Of.Kind() != protoreflect.MessageKind && c.Of.Kind() != protoreflect.BytesKind
}

// Conflict is one conflict with its values, for who may see its target. It is noted as the reading of its record.
func (s *Service) Conflict(ctx context.Context, by casefile.Reader, id hlc.ID) (*Conflict, error) {
	var c *Conflict
	err := s.Store.ReadReview(ctx, func(tx Reading) (err error) {
		c, err = s.conflict(tx, by, access.SeeConflicts, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	action := audit.RecordRead
	if record.Confidential(c.Kind) {
		action = audit.ConfidentialRead
	}
	if err := s.note(ctx, by, action, audit.Subject{Kind: audit.OfRecord, ID: c.ID}); err != nil {
		return nil, err
	}
	return c, nil
}

func (s *Service) conflict(tx Reading, by casefile.Reader, action access.Action, id hlc.ID) (*Conflict, error) {
	f, err := s.find(tx, by, action, id)
	if err != nil {
		return nil, err
	}
	if f.Kind != recordv1.Kind_KIND_CONFLICT {
		return nil, problem.New(problem.NotFound)
	}
	m, err := read(f, &recordv1.Conflict{})
	if err != nil {
		return nil, err
	}
	c := &Conflict{Seen: Seen{id, f.Position}, Kind: m.GetTargetKind(), Team: f.Audience, Field: protowire.Number(m.GetField()), Settled: m.GetSettled()} //nolint:gosec // a number that is none is not found
	if record.Secret(c.Kind, c.Field) {
		return nil, problem.New(problem.NotFound)
	}
	targets, err := tx.Records([]hlc.ID{hlc.IDOf(m.GetTarget())})
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		return nil, problem.New(problem.NotFound)
	}
	c.Target = Seen{targets[0].ID, targets[0].Position}
	registers, err := record.DecodeState(targets[0].State)
	if err != nil {
		return nil, err
	}
	c.Of = record.FieldOf(c.Kind, c.Field)
	standing := registers.Get(c.Field)
	if c.Standing, err = valueOf(c.Kind, standing.Value); err != nil {
		return nil, err
	}
	past, err := pastOf(tx, c.Target.ID, c.Field)
	if err != nil {
		return nil, err
	}
	for _, side := range m.GetSides() {
		stamp := hlc.Stamp{Time: hlc.Time(side.GetTime()), Replica: hlc.Replica(side.GetReplica())}
		one := Side{Author: hlc.IDOf(side.GetAuthor()), At: stamp.Time.Wall(), Stands: bytes.Equal(side.GetValue(), standing.Value)}
		if c.Deletion() {
			one.Stands = registers.Deleted() == (len(side.GetValue()) > 0)
		}
		if one.Value, err = valueOf(c.Kind, side.GetValue()); err != nil {
			return nil, err
		}
		if one.Before, err = past.before(c.Kind, stamp); err != nil {
			return nil, err
		}
		c.Sides = append(c.Sides, one)
	}
	return c, nil
}

func valueOf(kind record.Kind, encoded []byte) (Value, error) {
	m := record.New(kind)
	if m == nil {
		return Value{}, nil
	}
	err := proto.Unmarshal(encoded, m)
	return Value{m}, err
}

// past are the values that a field had, by their stamps.
type past map[hlc.Stamp]record.Register

func pastOf(tx Reading, id hlc.ID, field protowire.Number) (past, error) {
	entries, err := tx.History(id)
	if err != nil {
		return nil, err
	}
	p := past{}
	for _, e := range entries {
		if _, set, ok := syncing.ContentOf(e); ok {
			if r := set.Get(field); r.Field != 0 {
				p[r.Stamp] = r
			}
		}
	}
	return p, nil
}

// before is what the author of a value had seen; nil when that is not known.
func (p past) before(kind record.Kind, stamp hlc.Stamp) (*Value, error) {
	r, ok := p[stamp]
	if !ok {
		return nil, nil
	}
	seen, ok := p[r.Parent]
	if !ok && !r.Parent.IsZero() {
		return nil, nil
	}
	v, err := valueOf(kind, seen.Value)
	return &v, err
}

// Settlement says what is to stand.
type Settlement struct {
	// Conflict and Target are as they were shown.
	Conflict, Target Seen
	// Side is which of the sides is to stand, from 1; 0 for Value.
	Side int
	// Value has the field alone, or no field to empty it; without a message, what stands is kept.
	Value Value
}

// Settle settles a conflict: the field gets the value that is to stand, and the conflict is settled, in one. Again is no error. Problem
// invalid_argument when there is no such side, or the value is not one of the field.
func (s *Service) Settle(ctx context.Context, by casefile.Reader, settlement Settlement) error {
	var c *Conflict
	err := s.Store.ReadReview(ctx, func(tx Reading) (err error) {
		c, err = s.conflict(tx, by, access.SettleConflict, settlement.Conflict.ID)
		return err
	})
	if err != nil {
		return err
	}
	value := c.Standing
	switch {
	case settlement.Side < 0 || settlement.Side > len(c.Sides) || settlement.Target.ID != c.Target.ID:
		return problem.New(problem.InvalidArgument)
	case settlement.Side > 0:
		value = c.Sides[settlement.Side-1].Value
	case settlement.Value.Common != nil:
		value = settlement.Value
	}
	if value.Common == nil || record.KindOf(value) != c.Kind {
		return problem.New(problem.InvalidArgument)
	}
	if c.Settled && proto.Equal(value.Common, c.Standing.Common) {
		return nil
	}
	return s.act(ctx, by, audit.ConflictSettled, []hlc.ID{c.ID}, c.sets(value, settlement.Target.Position),
		syncing.Deed{ID: c.ID, Message: &recordv1.Conflict{Settled: proto.Bool(true)}, Seen: settlement.Conflict.Position})
}

// sets is the deed by which the target gets a value.
func (c *Conflict) sets(v Value, seen uint64) syncing.Deed {
	d := syncing.Deed{ID: c.Target.ID, Message: v.Common, Seen: seen}
	switch {
	case proto.Size(v.Common) > 0:
	case c.Deletion(): // to restore is to say so: only then did who restores it see that it was deleted
		restored := record.New(c.Kind)
		set(restored, record.DeletedField, protoreflect.ValueOfBool(false))
		d.Message = restored
	default:
		d.Cleared = []protowire.Number{c.Field}
	}
	return d
}
