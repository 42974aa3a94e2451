// Package casefile reads single records for people on the web: a record with who set which field when, and what is
// confidential of a case. Each such reading stands in the audit log before it is answered.
package casefile

import (
	"context"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Store keeps one deployment.
type Store interface {
	// ReadCase runs fn over one snapshot. It never waits for a writer.
	ReadCase(ctx context.Context, fn func(Reading) error) error
}

// Reading looks things up in one snapshot.
type Reading interface {
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]syncing.Record, error)
	// Families are all records whose root is one of some.
	Families(roots []hlc.ID) ([]syncing.Record, error)
	// History are the log's entries of a record, ascending.
	History(id hlc.ID) ([]syncing.LogEntry, error)
	// Replica is how far the server has a replica; the zero Replica when it has nothing of it.
	Replica(number hlc.Replica) (syncing.Replica, error)
	// Device is a device; false when there is none by that id.
	Device(id hlc.ID) (syncing.Device, bool, error)
}

// Log is where readings are noted.
type Log interface {
	Write(ctx context.Context, e audit.Entry) error
}

// Config is what a Service needs.
type Config struct {
	Deployment hlc.ID
	Store      Store
	SetUp      func() *syncing.SetUp
	Audit      Log
}

// Service reads the records of one deployment.
type Service struct{ Config }

// New is a service.
func New(c Config) *Service { return &Service{c} }

// Reader is who reads: as posted now, and as the audit log names them.
type Reader struct {
	access.Person
	Actor audit.Actor
	// May narrows what the person may see, as an API token's scopes do.
	May func(access.Action) bool
}

// Sees reports whether a reader may see a record.
func (by Reader) Sees(r syncing.Record, c syncing.Circle) bool {
	action := access.Seeing(c.Shows)
	return access.May(by.Person, action, c.Where(by.Person, r.Audience)) == access.Yes && by.May(action)
}

// read reads one record that a reader may see, and notes it.
func read[Out any](ctx context.Context, s *Service, by Reader, id hlc.ID, fn func(*lens, syncing.Record) (Out, error)) (Out, error) {
	var out, none Out
	action := audit.RecordRead
	err := s.Store.ReadCase(ctx, func(tx Reading) error {
		found, err := tx.Records([]hlc.ID{id})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return problem.New(problem.NotFound)
		}
		roots, err := syncing.RootsOf(tx, found...)
		if err != nil {
			return err
		}
		circle, err := roots.CircleOf(found[0])
		if err != nil {
			return err
		}
		if !by.Sees(found[0], circle) {
			return problem.New(problem.NotFound)
		}
		if record.Confidential(circle.Shows) {
			action = audit.ConfidentialRead
		}
		out, err = fn(newLens(tx, s.SetUp()), found[0])
		return err
	})
	if err == nil {
		err = s.note(ctx, by, action, id)
	}
	if err != nil {
		return none, err
	}
	return out, nil
}

// Confidential are the confidential records of a case that a reader may see, by kind and then age. Problem not_found when
// there is no such case, or nothing confidential of it is for the reader.
func (s *Service) Confidential(ctx context.Context, by Reader, caseID hlc.ID) ([]Record, error) {
	var out []Record
	err := s.Store.ReadCase(ctx, func(tx Reading) error {
		family, err := tx.Families([]hlc.ID{caseID})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(family, func(r syncing.Record) bool { return r.ID == caseID })
		if i < 0 || family[i].Kind != recordv1.Kind_KIND_CASE {
			return problem.New(problem.NotFound)
		}
		root := family[i] // a copy: the family is put in order below
		l := newLens(tx, s.SetUp())
		// Of a case on which the reader works there may be nothing yet, and then the list is empty.
		circle, err := syncing.CircleOf(root, &root)
		if err != nil {
			return err
		}
		circle.Author = hlc.ID{} // who opened the case sees of it what they wrote
		may := false
		for _, kind := range []record.Kind{recordv1.Kind_KIND_CASE_NOTE, recordv1.Kind_KIND_CASE_IDENTITY} {
			circle.Shows = kind
			may = may || by.Sees(root, circle)
		}
		slices.SortFunc(family, func(a, b syncing.Record) int {
			if a.Kind != b.Kind {
				return int(a.Kind) - int(b.Kind)
			}
			return hlc.CompareIDs(a.ID, b.ID)
		})
		for _, r := range family {
			circle, err := syncing.CircleOf(r, &root)
			if err != nil {
				return err
			}
			if !record.Confidential(circle.Shows) || !by.Sees(r, circle) {
				continue
			}
			shown, err := l.record(r)
			if err != nil {
				return err
			}
			out = append(out, shown)
		}
		if !may && len(out) == 0 {
			return problem.New(problem.NotFound)
		}
		return nil
	})
	if err == nil {
		err = s.note(ctx, by, audit.ConfidentialRead, caseID)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// note writes down that something was read. What can't be written down is not shown.
func (s *Service) note(ctx context.Context, by Reader, action audit.Action, id hlc.ID) error {
	return s.Audit.Write(ctx, audit.Entry{Deployment: s.Deployment, Actor: by.Actor, Action: action, Subject: audit.Subject{Kind: audit.OfRecord, ID: id}})
}
