// Package handover gives cases to the station that goes on with them: sealed files of cases (个案档案) that only their receiver
// opens, and referral forms (转介单) to print and sign. What it reads stands in the audit log before anything of it leaves.
package handover

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"filippo.io/age"
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

// Store keeps one deployment.
type Store interface {
	casefile.Store
	// Read runs fn over one snapshot. It never waits for a writer.
	Read(ctx context.Context, fn func(syncing.Reading) error) error
}

// Config is what a Service needs.
type Config struct {
	Deployment hlc.ID
	Store      Store
	SetUp      func() *syncing.SetUp
	Audit      casefile.Log
	// Wall is the server's clock.
	Wall func() time.Time
}

// Service hands over cases of one deployment.
type Service struct {
	Config
	// noting is held while a hand-over is noted, so that its entries follow each other.
	noting *sync.Mutex
}

// New is a service.
func New(c Config) *Service { return &Service{c, &sync.Mutex{}} }

// Made is what was handed over.
type Made struct {
	// Cases are their numbers, in the order of the file.
	Cases []string
	// Unconsented are those without a consent to being passed on that holds.
	Unconsented []string
}

// Write writes the files of cases into w: a ZIP file with a page to read or print and the same as JSON for each case, sealed by age to a
// recipient. It streams: nothing of it is kept in the open. All of it is of one moment. by is who hands over; nil for the operator of
// the server's machine, who has the database anyway.
//
// Problem not_found when one of the cases is none, or is hidden from by; not_allowed when they may not hand over; invalid_argument when there is no case.
// Then nothing is written.
func (s *Service) Write(ctx context.Context, w io.Writer, by *casefile.Reader, cases []hlc.ID, to *Recipient) (Made, error) {
	if by != nil && !by.May(access.HandOver) {
		return Made{}, problem.New(problem.NotAllowed)
	}
	if len(cases) == 0 {
		return Made{}, problem.Newf(problem.InvalidArgument, "no case is named")
	}
	var made Made
	err := s.Store.ReadCase(ctx, func(tx casefile.Reading) error {
		found, err := s.cases(tx, by, cases)
		if err != nil {
			return err
		}
		if err := s.note(ctx, by, found, to); err != nil {
			return err
		}
		made, err = s.write(tx, w, found, to)
		return err
	})
	return made, err
}

// Cases are all cases that are not deleted, in the order of their ids.
func (s *Service) Cases(ctx context.Context) (all []*Case, err error) {
	err = s.Store.Read(ctx, func(tx syncing.Reading) error {
		found, err := tx.OfKind(recordv1.Kind_KIND_CASE)
		if err != nil {
			return err
		}
		agreed, err := agreedIn(tx)
		if err != nil {
			return err
		}
		for _, r := range found {
			c, err := caseOf(r)
			if err != nil {
				return err
			}
			if c.MayShare = agreed[c.ID]; !c.deleted {
				all = append(all, c)
			}
		}
		return nil
	})
	return all, err
}

// agreedIn are the cases, and others, with a consent to being passed on that stands.
func agreedIn(tx syncing.Reading) (map[hlc.ID]bool, error) {
	consents, err := tx.OfKind(recordv1.Kind_KIND_CONSENT)
	if err != nil {
		return nil, err
	}
	agreed := map[hlc.ID]bool{}
	for _, r := range consents {
		m, err := memberOf(r)
		if err != nil {
			return nil, err
		}
		if m.agrees() {
			agreed[m.owner] = true
		}
	}
	return agreed, nil
}

// Case is a case as it stands.
type Case struct {
	ID hlc.ID
	No string
	// MayShare: a consent to being passed on is there that was not withdrawn. Only Cases says it.
	MayShare bool

	record  syncing.Record
	message *recordv1.Case
	deleted bool
}

func caseOf(r syncing.Record) (*Case, error) {
	m, err := memberOf(r)
	if err != nil {
		return nil, err
	}
	of, ok := m.message.(*recordv1.Case)
	if !ok {
		return nil, problem.New(problem.NotFound)
	}
	return &Case{ID: r.ID, No: of.GetCaseNo(), record: r, message: of, deleted: m.deleted}, nil
}

// cases are the cases of some ids, in that order, each once.
func (s *Service) cases(tx casefile.Reading, by *casefile.Reader, ids []hlc.ID) ([]*Case, error) {
	found, err := tx.Records(ids)
	if err != nil {
		return nil, err
	}
	byID := map[hlc.ID]*Case{}
	for _, r := range found {
		c, err := caseOf(r)
		if err != nil {
			return nil, err
		}
		if err := s.may(by, r); err != nil {
			return nil, err
		}
		byID[r.ID] = c
	}
	var all []*Case
	for _, id := range ids {
		c := byID[id]
		if c == nil || c.deleted {
			return nil, problem.New(problem.NotFound)
		}
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all, nil
}

// may is not_allowed, or not_found, unless somebody may hand over a case.
func (s *Service) may(by *casefile.Reader, r syncing.Record) error {
	if by == nil {
		return nil
	}
	circle, err := syncing.CircleOf(r, &r)
	if err != nil {
		return err
	}
	where := circle.Where(by.Person, r.Audience)
	where.Closed = s.SetUp().Closed()
	switch access.May(by.Person, access.HandOver, where) {
	case access.Yes:
	case access.No:
		return problem.New(problem.NotAllowed)
	default:
		return problem.New(problem.NotFound)
	}
	for _, kind := range []record.Kind{recordv1.Kind_KIND_CASE_NOTE, recordv1.Kind_KIND_CASE_IDENTITY} {
		if circle.Shows = kind; !by.Sees(r, circle) {
			return problem.New(problem.NotAllowed)
		}
	}
	return nil
}

// note writes down who gets which cases: for each, the case and then to whose key. What can't be written down is not handed over.
func (s *Service) note(ctx context.Context, by *casefile.Reader, cases []*Case, to *Recipient) error {
	s.noting.Lock()
	defer s.noting.Unlock()
	e := audit.Entry{Deployment: s.Deployment}
	if by != nil {
		e.Actor = by.Actor
	}
	for _, c := range cases {
		e.Action, e.Subject = audit.HandedOver, audit.Subject{Kind: audit.OfRecord, ID: c.ID}
		if err := s.Audit.Write(ctx, e); err != nil {
			return err
		}
		e.Action, e.Subject = audit.HandedOverTo, audit.Subject{Kind: audit.OfRecipient, ID: to.id}
		if err := s.Audit.Write(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) write(tx casefile.Reading, w io.Writer, cases []*Case, to *Recipient) (made Made, err error) {
	sealed, err := age.Encrypt(w, to.of)
	if err != nil {
		return made, fmt.Errorf("sealing: %w", err)
	}
	files, at, names := zip.NewWriter(sealed), s.Wall(), map[string]bool{}
	for _, c := range cases {
		f, err := s.fileOf(tx, c, at)
		if err != nil {
			return made, err
		}
		made.Cases = append(made.Cases, c.No)
		if !f.mayShare() {
			made.Unconsented = append(made.Unconsented, c.No)
		}
		name := fileName(c, names)
		for _, part := range []struct {
			extension string
			write     func(io.Writer) error
		}{{".html", f.writePage}, {".json", f.writeJSON}} {
			in, err := files.CreateHeader(&zip.FileHeader{Name: name + part.extension, Method: zip.Deflate, Modified: at})
			if err != nil {
				return made, err
			}
			if err := part.write(in); err != nil {
				return made, err
			}
		}
	}
	return made, errors.Join(files.Close(), sealed.Close())
}

// fileName is what the file of a case is called: its number, as far as that can stand in the name of a file, and what tells it apart
// from another one of the same number.
func fileName(c *Case, taken map[string]bool) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, c.No)
	if name == "" || taken[name] {
		name = strings.TrimPrefix(name+"-"+c.ID.String(), "-")
	}
	taken[name] = true
	return name
}

// member is a record of a case, with its message.
type member struct {
	syncing.Record
	message record.Common
	owner   hlc.ID
	deleted bool
}

func memberOf(r syncing.Record) (member, error) {
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return member{}, fmt.Errorf("state of record %v: %w", r.ID, err)
	}
	m := member{Record: r, deleted: registers.Deleted()}
	if m.message = record.New(r.Kind); m.message == nil {
		return m, nil
	}
	if err := proto.Unmarshal(registers.Fields(), m.message); err != nil {
		return member{}, fmt.Errorf("fields of record %v: %w", r.ID, err)
	}
	m.owner = registers.Owner(r.Kind)
	return m, nil
}

// agrees reports whether it is a consent to being passed on that stands.
func (m *member) agrees() bool {
	c, ok := m.message.(*recordv1.Consent)
	return ok && !m.deleted && c.GetWithdrawnOn() == 0 && slices.Contains(c.GetScopes(), recordv1.ConsentScope_CONSENT_SCOPE_SHARE)
}

// familyOf are the records of a case that are not deleted, by day and age.
func familyOf(tx casefile.Reading, root hlc.ID) ([]member, error) {
	found, err := tx.Families([]hlc.ID{root})
	if err != nil {
		return nil, err
	}
	members := make([]member, 0, len(found))
	for _, r := range found {
		m, err := memberOf(r)
		if err != nil {
			return nil, err
		}
		if m.message != nil && !m.deleted {
			members = append(members, m)
		}
	}
	slices.SortFunc(members, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), hlc.CompareIDs(a.ID, b.ID))
	})
	return members, nil
}
