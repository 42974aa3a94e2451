// Package review is what supervisors and coordinators do, on the web, to what their teams logged: they approve and return records,
// settle conflicts, join duplicates or tell them apart, decide on held changes, acknowledge alerts, and write supervision sessions and
// plans. Each deed is made by the server's own replica in the person's name, is judged as their tablet's would be, overwrites
// nothing that they were not shown, and stands in the audit log.
package review

import (
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
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Store keeps one deployment.
type Store interface {
	// ReadReview runs fn over one snapshot. It never waits for a writer.
	ReadReview(ctx context.Context, fn func(Reading) error) error
}

// Reading looks things up in one snapshot.
type Reading interface {
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]syncing.Record, error)
	// Families are all records whose root is one of some.
	Families(roots []hlc.ID) ([]syncing.Record, error)
	// DuplicatesOf are the roots of the records that say to be the same as one of some records.
	DuplicatesOf(ids []hlc.ID) ([]hlc.ID, error)
	// History are the log's entries of a record, ascending.
	History(id hlc.ID) ([]syncing.LogEntry, error)
	// Kept are the entries of a change that is held or discarded, ascending.
	Kept(change hlc.ID) ([]syncing.LogEntry, error)
	// Replica is how far the server has a replica; the zero Replica when it has nothing of it.
	Replica(number hlc.Replica) (syncing.Replica, error)
	// Device is a device; false when there is none by that id.
	Device(id hlc.ID) (syncing.Device, bool, error)
}

// Log is where deeds are noted.
type Log interface {
	Write(ctx context.Context, e audit.Entry) error
}

// Config is what a Service needs.
type Config struct {
	Syncing *syncing.Service
	Store   Store
	Audit   Log
	// Wall is the server's clock.
	Wall func() time.Time
}

// Service does it in one deployment. The problems of its methods are those of syncing.Act, and not_found for whatever the person may
// not see. An error of the audit log comes after the deed.
type Service struct{ Config }

// New is a service.
func New(c Config) *Service { return &Service{c} }

// Seen is a record, with the position that it had when the person was shown it.
type Seen struct {
	ID       hlc.ID
	Position uint64
}

// found is a record that a person may see.
type found struct {
	syncing.Record
	registers record.Registers
}

// find is a record to which a person may do something: problem not_found when it is not there or hidden from them, else not_allowed.
func (s *Service) find(tx Reading, by casefile.Reader, action access.Action, id hlc.ID) (found, error) {
	all, err := s.findAll(tx, by, action, []hlc.ID{id})
	if err != nil {
		return found{}, err
	}
	return all[0].found, all[0].err
}

// sought is what came of finding a record, as find has it.
type sought struct {
	found
	err error
}

// findAll finds records, each for itself, in their order.
func (s *Service) findAll(tx Reading, by casefile.Reader, action access.Action, ids []hlc.ID) ([]sought, error) {
	records, err := tx.Records(ids)
	if err != nil {
		return nil, err
	}
	roots, err := syncing.RootsOf(tx, records...)
	if err != nil {
		return nil, err
	}
	at := map[hlc.ID]syncing.Record{}
	for _, r := range records {
		at[r.ID] = r
	}
	all := make([]sought, len(ids))
	for i, id := range ids {
		if r, ok := at[id]; ok {
			all[i].found, all[i].err = s.allowed(by, action, r, roots)
		} else {
			all[i].err = problem.New(problem.NotFound)
		}
	}
	return all, nil
}

// allowed is a record, if a person may do something to it.
func (s *Service) allowed(by casefile.Reader, action access.Action, r syncing.Record, roots syncing.Roots) (found, error) {
	where, shows, err := s.where(by, r, roots)
	if err != nil {
		return found{}, err
	}
	if err := may(by, shows, action, where); err != nil {
		return found{}, err
	}
	registers, err := record.DecodeState(r.State)
	return found{r, registers}, err
}

// where is a record as access sees it for a person, with the kind of what it shows.
func (s *Service) where(by casefile.Reader, r syncing.Record, roots syncing.Roots) (access.Where, record.Kind, error) {
	circle, err := roots.CircleOf(r)
	if err != nil {
		return access.Where{}, 0, err
	}
	where := circle.Where(by.Person, r.Audience)
	where.Closed = s.Syncing.SetUp().Closed()
	return where, circle.Shows, nil
}

// may is the problem not_found when somebody may not see a record that shows what a kind does, and not_allowed when they may do no more.
func may(by casefile.Reader, shows record.Kind, action access.Action, where access.Where) error {
	sees := access.Seeing(shows)
	switch {
	case access.May(by.Person, sees, where) != access.Yes || !by.May(sees):
		return problem.New(problem.NotFound)
	case access.May(by.Person, action, where) != access.Yes || !by.May(action):
		return problem.New(problem.NotAllowed)
	default:
		return nil
	}
}

// act does deeds, and notes each of them of a subject.
func (s *Service) act(ctx context.Context, by casefile.Reader, action audit.Action, subjects []hlc.ID, deeds ...syncing.Deed) error {
	if err := s.Syncing.Act(ctx, by.Worker, deeds...); err != nil {
		return err
	}
	for _, id := range subjects {
		if err := s.note(ctx, by, action, audit.Subject{Kind: audit.OfRecord, ID: id}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) note(ctx context.Context, by casefile.Reader, action audit.Action, subject audit.Subject) error {
	return s.Audit.Write(ctx, audit.Entry{Deployment: s.Syncing.Deployment(), Actor: by.Actor, Action: action, Subject: subject})
}

// today is the local date.
func (s *Service) today() int32 {
	return int32(record.DateOf(s.Wall(), s.Syncing.SetUp().Location))
}

// fill fills in of a record that is made what its author need not say: who it is, of which team, and today.
func (s *Service) fill(by casefile.Reader, m record.Common) {
	set(m, record.AuthorField, protoreflect.ValueOfBytes(by.Worker[:]))
	set(m, record.OccurredOnField, protoreflect.ValueOfInt32(s.today()))
	if by.Team != (hlc.ID{}) {
		set(m, record.TeamField, protoreflect.ValueOfBytes(by.Team[:]))
	}
}

// set sets a field that is absent.
func set(m record.Common, number protowire.Number, value protoreflect.Value) {
	r := m.ProtoReflect()
	if f := r.Descriptor().Fields().ByNumber(number); !r.Has(f) {
		r.Set(f, value)
	}
}

// read reads a record as a message of its kind.
func read[M record.Common](f found, m M) (M, error) {
	return m, proto.Unmarshal(f.registers.Fields(), m)
}
