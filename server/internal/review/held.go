package review

import (
	"context"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Held is a change that came and is not applied 待处理.
type Held struct {
	Change hlc.ID
	// Record and Kind are zero where the change can't be read.
	Record hlc.ID
	Kind   record.Kind
	// Code says why; record.Message has a sentence for it. It is discarded once somebody decided so.
	Code record.Code
	// Makes: the record is not there, and would be.
	Makes bool
	// Message are the fields that it was to set, and Cleared those that it was to empty; nil where the kind is not known, and for who
	// may not see what is in it.
	Message record.Common
	Cleared []protowire.Number
	// Standing is the record as it stands; nil where it is not there, or not for the person.
	Standing record.Common
	// Worker is whose tablet sent it; Tablet what that is called.
	Worker hlc.ID
	Tablet string
	// Made is by the tablet's corrected clock, zero for a record given back; Received by the server's.
	Made, Received time.Time
}

// Held is one held change, or one that was discarded, for who may decide on what its worker sent. What it says is noted as the reading of
// its record.
func (s *Service) Held(ctx context.Context, by casefile.Reader, change hlc.ID) (*Held, error) {
	var h *Held
	err := s.Store.ReadReview(ctx, func(tx Reading) (err error) {
		h, err = s.held(tx, by, access.SeeHeld, change)
		return err
	})
	if err != nil || h.Message == nil {
		return h, err
	}
	action := audit.RecordRead
	if record.Confidential(h.Kind) {
		action = audit.ConfidentialRead
	}
	if err := s.note(ctx, by, action, audit.Subject{Kind: audit.OfRecord, ID: h.Record}); err != nil {
		return nil, err
	}
	return h, nil
}

func (s *Service) held(tx Reading, by casefile.Reader, action access.Action, change hlc.ID) (*Held, error) {
	kept, err := tx.Kept(change)
	if err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		return nil, problem.New(problem.NotFound)
	}
	e := kept[len(kept)-1]
	h := &Held{Change: change, Record: e.Record, Code: record.Code(e.Outcome), Received: time.UnixMilli(e.Received).UTC()}
	if e.Replica != 0 {
		r, err := tx.Replica(e.Replica)
		if err != nil {
			return nil, err
		}
		d, _, err := tx.Device(r.Device)
		if err != nil {
			return nil, err
		}
		h.Worker, h.Tablet = d.Worker, d.Name
	}
	where := access.Where{Team: s.Syncing.Person(h.Worker).Team, Closed: s.Syncing.SetUp().Closed()}
	if access.May(by.Person, access.SeeHeld, where) != access.Yes || !by.May(access.SeeHeld) {
		return nil, problem.New(problem.NotFound)
	}
	if access.May(by.Person, action, where) != access.Yes || !by.May(action) {
		return nil, problem.New(problem.NotAllowed)
	}
	return h, s.content(tx, by, h, e)
}

// content adds what a held change says, as far as it is for the person.
func (s *Service) content(tx Reading, by casefile.Reader, h *Held, e syncing.LogEntry) error {
	kind, set, ok := syncing.ContentOf(e)
	if !ok {
		return nil
	}
	h.Kind = kind
	if e.Replica != 0 {
		h.Made = set.Newest().Wall().UTC()
	}
	// Where it would stand: with its record, or with that to which it was to belong; else where it says itself, or with who sent it.
	where := access.Where{Team: set.Get(record.TeamField).ID(), Assigned: h.Worker == by.Worker}
	if where.Team == (hlc.ID{}) {
		where.Team = s.Syncing.Person(h.Worker).Team
	}
	standing, err := tx.Records([]hlc.ID{h.Record, set.Owner(kind)})
	if err != nil {
		return err
	}
	roots, err := syncing.RootsOf(tx, standing...)
	if err != nil {
		return err
	}
	h.Makes = true
	for _, r := range standing {
		if where, _, err = s.where(by, r, roots); err != nil {
			return err
		}
		if r.ID != h.Record {
			continue
		}
		h.Makes = false
		registers, err := record.DecodeState(r.State)
		if err != nil {
			return err
		}
		sees := access.Seeing(r.Kind)
		if m := record.New(r.Kind); m != nil && access.May(by.Person, sees, where) == access.Yes && by.May(sees) {
			if err := proto.Unmarshal(registers.Fields(), m); err != nil {
				return err
			}
			record.Conceal(m)
			h.Standing = m
		}
		break
	}
	m := record.New(kind)
	if sees := access.Seeing(kind); m == nil || access.May(by.Person, sees, where) != access.Yes || !by.May(sees) {
		return nil
	}
	if err := proto.Unmarshal(set.Fields(), m); err != nil {
		return nil //nolint:nilerr // that it can't be read is why it is held
	}
	record.Conceal(m)
	h.Message = m
	for _, r := range set {
		if len(r.Value) == 0 {
			h.Cleared = append(h.Cleared, r.Field)
		}
	}
	return nil
}

// Decide has a held change applied after all, or never. Its problems are those of syncing.Decide: invalid_argument when nothing comes of
// it, since the person may not decide this, or the change can't be applied.
func (s *Service) Decide(ctx context.Context, by casefile.Reader, change hlc.ID, decision recordv1.Decision, reason string) error {
	if err := s.Store.ReadReview(ctx, func(tx Reading) error {
		_, err := s.held(tx, by, access.DecideHeld, change)
		return err
	}); err != nil {
		return err
	}
	action := audit.HeldDiscarded
	if decision == recordv1.Decision_DECISION_RELEASE {
		action = audit.HeldReleased
	}
	if err := s.Syncing.Decide(ctx, change, decision, by.Worker, reason); err != nil {
		return err
	}
	return s.note(ctx, by, action, audit.Subject{Kind: audit.OfChange, ID: change})
}
