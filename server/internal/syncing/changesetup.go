package syncing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// SetUpChange sets fields of a record of the set-up, and empties some; it makes the record when there is none of this id.
type SetUpChange struct {
	SetUpRecord
	// Cleared are the fields to empty.
	Cleared []protowire.Number
	// Seen is what the author saw some fields say. Where they say something else by now, nothing is changed.
	Seen Seen
}

// Seen is what some fields of a record were seen to say; the zero Seen is nothing, and goes with anything.
type Seen struct {
	Fields []protowire.Number
	// Digest is of what they said: it can be kept in a form, and compared, but not read.
	Digest string
}

// SeenIn is what some fields of a record say.
func SeenIn(m proto.Message, fields ...protowire.Number) Seen {
	only := m.ProtoReflect().New()
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if slices.Contains(fields, f.Number()) {
			only.Set(f, v)
		}
		return true
	})
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(only.Interface())
	if err != nil {
		b = nil // a text that is not UTF-8, which no record holds
	}
	sum := sha256.Sum256(b)
	return Seen{Fields: fields, Digest: hex.EncodeToString(sum[:16])}
}

// stands reports whether a record still says what was seen.
func (s Seen) stands(kind record.Kind, registers record.Registers) (bool, error) {
	if len(s.Fields) == 0 {
		return true, nil
	}
	m := record.New(kind)
	if err := proto.Unmarshal(registers.Fields(), m); err != nil {
		return false, fmt.Errorf("fields of a %v: %w", kind, err)
	}
	return SeenIn(m, s.Fields...).Digest == s.Digest, nil
}

// ChangeSetUp changes the set-up as people do on the web, all of it or nothing, for a worker; zero for who is none here. What is said
// again as it stands is no change. The error is a *record.Problem when what was sent can't stand in a record, and a problem with code
// invalid_argument when the id is that of another kind, changed_meanwhile when a record no longer says what was seen, and frozen
// when the age bands would change by which something was counted. Whether somebody may, the caller decides.
func (s *Service) ChangeSetUp(ctx context.Context, worker hlc.ID, changes ...SetUpChange) error {
	return s.ChangeSetUpWhile(ctx, worker, func(Reading) error { return nil }, changes...)
}

// ChangeSetUpWhile does as ChangeSetUp while something holds, which is asked where nobody else writes, here or on another server: an
// error of holds is the answer, and nothing is changed.
func (s *Service) ChangeSetUpWhile(ctx context.Context, worker hlc.ID, holds func(Reading) error, changes ...SetUpChange) error {
	rules := s.SetUp().Rules
	rules.Now = s.config.Wall()
	for _, c := range changes {
		kind := record.KindOf(c.Message)
		if !record.SetUp(kind) {
			return problem.Newf(problem.InvalidArgument, "a %v is no part of the set-up", kind)
		}
		if setsSecret(kind, c) {
			return problem.Newf(problem.InvalidArgument, "the change touches what the server alone sets")
		}
		if _, err := fieldsOf(c.Message, rules); err != nil {
			return err
		}
	}
	return s.write(ctx, func(g *group) error {
		if err := holds(g.store); err != nil {
			return err
		}
		ids := make([]hlc.ID, 0, len(changes))
		for _, c := range changes {
			ids = append(ids, c.ID)
		}
		if err := g.load(ids); err != nil {
			return err
		}
		for _, c := range changes {
			e, kind := g.records[c.ID], record.KindOf(c.Message)
			if e.there && e.Kind != kind {
				return problem.Newf(problem.InvalidArgument, "the record is not a %v", kind)
			}
			stands, err := c.Seen.stands(kind, e.registers)
			if err != nil {
				return err
			}
			if !stands {
				return problem.New(problem.ChangedMeanwhile)
			}
			was := e.registers
			if err := g.author(e, c.ID, worker, c.Message, c.Cleared...); err != nil {
				return err
			}
			frozen, err := g.freezes(kind, was, e.registers)
			if err != nil {
				return err
			}
			if frozen {
				return problem.New(problem.Frozen)
			}
		}
		return g.follow()
	})
}

// setsSecret reports whether a change touches a field that only the server sets.
func setsSecret(kind record.Kind, c SetUpChange) bool {
	plain := proto.Clone(c.Message)
	record.Conceal(plain)
	return !proto.Equal(plain, c.Message) || slices.ContainsFunc(c.Cleared, func(f protowire.Number) bool { return record.Secret(kind, f) })
}

// Closed reports whether the deployment is over: closed or archived.
func (s *SetUp) Closed() bool {
	state := s.Deployment.GetState()
	return state == recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED || state == recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED
}
