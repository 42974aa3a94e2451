package review

import (
	"bytes"
	"context"
	"crypto/sha256"

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

// maxTies bounds how many records are followed of which each is said to be the same as the next.
const maxTies = 16

// Join says that two records are of one thing: drop counts no more, for it is the same as keep. Where keep itself is said to be the
// same as another one, that other one it is. Problem invalid_argument when they are not of one kind, keep is deleted, or it would count
// no more either.
func (s *Service) Join(ctx context.Context, by casefile.Reader, keep hlc.ID, drop Seen) error {
	var deed *syncing.Deed
	err := s.Store.ReadReview(ctx, func(tx Reading) error {
		dropped, err := s.find(tx, by, access.ReviewRecords, drop.ID)
		if err != nil {
			return err
		}
		kept, err := s.find(tx, by, access.ReviewRecords, keep)
		for range maxTies {
			if err != nil || kept.DuplicateOf == (hlc.ID{}) || kept.ID == drop.ID {
				break
			}
			kept, err = s.find(tx, by, access.ReviewRecords, kept.DuplicateOf)
		}
		switch {
		case err != nil:
			return err
		case kept.ID == drop.ID, kept.DuplicateOf != hlc.ID{}, kept.Kind != dropped.Kind, kept.registers.Deleted(), record.SetUp(kept.Kind):
			return problem.Newf(problem.InvalidArgument, "the records can't be joined")
		case dropped.DuplicateOf == kept.ID:
			return nil
		}
		m := record.New(dropped.Kind)
		if m == nil {
			return problem.Newf(problem.InvalidArgument, "a kind that is not known")
		}
		set(m, record.DuplicateOfField, protoreflect.ValueOfBytes(kept.ID[:]))
		deed = &syncing.Deed{ID: drop.ID, Message: m, Seen: drop.Position}
		return nil
	})
	if err != nil || deed == nil {
		return err
	}
	return s.act(ctx, by, audit.RecordsJoined, []hlc.ID{drop.ID}, *deed)
}

// Unjoin takes back that a record is the same as another one: it counts again.
func (s *Service) Unjoin(ctx context.Context, by casefile.Reader, dropped Seen) error {
	var f found
	err := s.Store.ReadReview(ctx, func(tx Reading) (err error) {
		f, err = s.find(tx, by, access.ReviewRecords, dropped.ID)
		return err
	})
	if err != nil || f.DuplicateOf == (hlc.ID{}) {
		return err
	}
	m := record.New(f.Kind)
	if m == nil {
		return problem.Newf(problem.InvalidArgument, "a kind that is not known")
	}
	return s.act(ctx, by, audit.RecordsSeparated, []hlc.ID{f.ID}, syncing.Deed{ID: f.ID, Message: m, Cleared: []protowire.Number{record.DuplicateOfField}, Seen: dropped.Position})
}

// Apart says that two records which look alike are of different things, so that nobody is asked again. reason may be empty. Again, by
// whomever, is no error. Problem invalid_argument when they are one, or not of one kind.
func (s *Service) Apart(ctx context.Context, by casefile.Reader, a, b hlc.ID, reason string) error {
	if hlc.CompareIDs(a, b) > 0 { // ids ascend with the time at which they were made
		a, b = b, a
	}
	deed := syncing.Deed{ID: distinctionID(a, b)}
	said := false
	err := s.Store.ReadReview(ctx, func(tx Reading) error {
		one, err := s.find(tx, by, access.ReviewRecords, a)
		if err != nil {
			return err
		}
		other, err := s.find(tx, by, access.ReviewRecords, b)
		if err != nil {
			return err
		}
		if a == b || one.Kind != other.Kind || record.SetUp(one.Kind) {
			return problem.Newf(problem.InvalidArgument, "two records of one kind are told apart")
		}
		before, err := tx.Records([]hlc.ID{deed.ID})
		if err != nil || len(before) == 0 {
			return err
		}
		registers, err := record.DecodeState(before[0].State)
		deed.Seen, said = before[0].Position, !registers.Deleted()
		return err
	})
	if err != nil || said {
		return err
	}
	m := &recordv1.Distinction{Record: a[:], Other: b[:]}
	if deed.Seen != 0 { // somebody had taken it back
		m.Deleted = proto.Bool(false)
	}
	if reason != "" {
		m.Reason = &reason
	}
	s.fill(by, m)
	deed.Message = m
	return s.act(ctx, by, audit.RecordsToldApart, []hlc.ID{a, b}, deed)
}

// distinctionID derives the id of a distinction from its two records, so that two people who tell them apart say the same. Its time is
// that of the later one.
func distinctionID(a, b hlc.ID) hlc.ID {
	h := sha256.New()
	h.Write([]byte("levee distinction v1"))
	h.Write(a[:])
	h.Write(b[:])
	id, err := hlc.NewID(hlc.IDTime(b), bytes.NewReader(h.Sum(nil)))
	if err != nil {
		panic("review: a hash is long enough for an id") // 32 bytes for 10
	}
	return id
}

// Alike is one of two records that are compared.
type Alike struct {
	Seen
	Kind record.Kind
	Team hlc.ID
	// Same is the record that it is said to be the same as; zero for none.
	Same    hlc.ID
	Message record.Common
}

// Pair are two records of one kind to be compared, the one that was made first before the other. Both are noted as read. Problem
// invalid_argument when they are of different kinds, or of one that this program does not know.
func (s *Service) Pair(ctx context.Context, by casefile.Reader, a, b hlc.ID) (pair [2]Alike, err error) {
	if hlc.CompareIDs(a, b) > 0 {
		a, b = b, a
	}
	err = s.Store.ReadReview(ctx, func(tx Reading) error {
		for i, id := range []hlc.ID{a, b} {
			f, err := s.find(tx, by, access.ReviewRecords, id)
			if err != nil {
				return err
			}
			m := record.New(f.Kind)
			if m == nil || record.SetUp(f.Kind) || (i == 1 && f.Kind != pair[0].Kind) {
				return problem.Newf(problem.InvalidArgument, "records that can't be compared")
			}
			pair[i] = Alike{Seen: Seen{id, f.Position}, Kind: f.Kind, Team: f.Audience, Same: f.DuplicateOf, Message: m}
			if err := proto.Unmarshal(f.registers.Fields(), m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return pair, err
	}
	action := audit.RecordRead
	if record.Confidential(pair[0].Kind) {
		action = audit.ConfidentialRead
	}
	for _, one := range pair {
		if err := s.note(ctx, by, action, audit.Subject{Kind: audit.OfRecord, ID: one.ID}); err != nil {
			return pair, err
		}
	}
	return pair, nil
}
