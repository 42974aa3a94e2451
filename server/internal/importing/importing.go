// Package importing takes history back in that was kept on paper and in spreadsheets: tables of records, in the columns that
// package export writes. A file is checked as a whole first, and each cell is named with which something is wrong. Then its
// records are made by the server's own replica in the name of whoever imports them. It declares the Store that it needs.
package importing

import (
	"context"
	"slices"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/export"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// kinds are those of which tables are read: what people log, and nothing that is confidential. Owners stand before what
// belongs to them.
var kinds = []record.Kind{
	recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_GROUP, recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_OUTREACH,
	recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_PARTICIPANT,
	recordv1.Kind_KIND_ATTENDANCE, recordv1.Kind_KIND_RESOURCE_LINK, recordv1.Kind_KIND_REFERRAL, recordv1.Kind_KIND_SUPERVISION,
}

// registered are the kinds of registered people. Paper can't have them: a tablet makes the tokens by which they are known.
var registered = []record.Kind{recordv1.Kind_KIND_PARTICIPANT, recordv1.Kind_KIND_ATTENDANCE}

// Store keeps one deployment.
type Store interface {
	// ReadImport runs fn over one snapshot. It never waits for a writer.
	ReadImport(ctx context.Context, fn func(Reading) error) error
}

// Reading looks things up in one snapshot.
type Reading interface {
	// OfKind are all records of a kind, ascending by id.
	OfKind(kind recordv1.Kind) ([]syncing.Record, error)
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]syncing.Record, error)
}

// Log is where imports are noted.
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

// Service imports into one deployment.
type Service struct {
	Config
	// turn is taken by whoever reads a file: it costs memory, so that one comes after the other.
	turn chan struct{}
}

// New is a service.
func New(c Config) *Service { return &Service{c, make(chan struct{}, 1)} }

// Plan is what a file comes to, as the deployment is now.
type Plan struct {
	// Tables are what is to be made, a kind each, in the order in which it is made.
	Tables []Table
	// Unknown are columns that say nothing here, and LeftOut files and sheets of which nothing is imported.
	Unknown []UnknownColumn
	LeftOut []string
	// Tokenless are tables of registered people that are left out since the file does not have their tokens.
	Tokenless []string
	// Wrong is how many things are wrong with the file, of which Faults are the first. With any, nothing of it is imported.
	Wrong  int
	Faults []Fault
	// Digest tells one plan from another.
	Digest string

	made []syncing.Deed
}

// Table is what a file has of one kind.
type Table struct {
	Kind record.Kind
	// Made is how many records are to be made, Same how many are there already, and Differing how many are there already
	// and say something else by now: those are left as they are.
	Made, Same, Differing int
}

// UnknownColumn is a column of a file or sheet that says nothing here.
type UnknownColumn struct{ Table, Heading string }

// Made is how many records are to be made.
func (p *Plan) Made() int { return len(p.made) }

// Check says what a file comes to for somebody. Problem not_allowed when they may import nothing, not_found when they see nothing, and busy when ctx ends before
// others have had their turn.
func (s *Service) Check(ctx context.Context, by casefile.Reader, f File) (*Plan, error) {
	if err := s.may(by); err != nil {
		return nil, err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, problem.New(problem.Busy)
	}
	setUp := s.Syncing.SetUp()
	in, fault := read(f, func(name string) record.Kind { return kindCalled(name, setUp.Deployment) })
	if fault != nil {
		return &Plan{Wrong: 1, Faults: []Fault{*fault}}, nil
	}
	c := newChecking(s, by, setUp)
	err := s.Store.ReadImport(ctx, func(tx Reading) error {
		names, err := export.NamesIn(tx)
		if err != nil {
			return err
		}
		c.writing = export.NewWriting(words.In("zh").For(setUp.Deployment), names)
		return c.check(tx, in)
	})
	return c.plan, err
}

func (s *Service) may(by casefile.Reader) error {
	where := access.Where{Team: access.Everyone, Closed: s.Syncing.SetUp().Closed()}
	switch answer := access.May(by.Person, access.ImportRecords, where); {
	case answer == access.Hidden:
		return problem.New(problem.NotFound)
	case answer == access.No, !by.May(access.ImportRecords):
		return problem.New(problem.NotAllowed)
	default:
		return nil
	}
}

// chunk is how many records are made in one transaction.
const chunk = 100

// Import makes the records of a file that are not there yet, as its plan of a digest says: problem changed_meanwhile when it
// comes to something else by now, and file_wrong when something is wrong with it. What breaks off goes on when the file is
// imported again, for each record has the same id then. A record that was erased is not made again. done is how many were made.
func (s *Service) Import(ctx context.Context, by casefile.Reader, f File, digest string) (done int, err error) {
	p, err := s.Check(ctx, by, f)
	switch {
	case err != nil:
		return 0, err
	case p.Wrong > 0:
		return 0, problem.New(problem.FileWrong)
	case p.Digest != digest:
		return 0, problem.New(problem.ChangedMeanwhile)
	case len(p.made) == 0:
		return 0, nil
	}
	id := s.Syncing.Deployment()
	err = s.Audit.Write(ctx, audit.Entry{Deployment: id, Actor: by.Actor, Action: audit.Imported, Subject: audit.Subject{Kind: audit.OfDeployment, ID: id}})
	if err != nil {
		return 0, err
	}
	for from := 0; from < len(p.made); from += chunk {
		n, err := s.make(ctx, by, p.made[from:min(from+chunk, len(p.made))])
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}

// make makes records together, or one by one when one of them was erased, without that one.
func (s *Service) make(ctx context.Context, by casefile.Reader, deeds []syncing.Deed) (done int, err error) {
	err = s.Syncing.Act(ctx, by.Worker, deeds...)
	if err == nil {
		return len(deeds), nil
	}
	if problem.CodeOf(err) != problem.NotFound {
		return 0, err
	}
	for _, d := range deeds {
		switch err := s.Syncing.Act(ctx, by.Worker, d); {
		case err == nil:
			done++
		case problem.CodeOf(err) != problem.NotFound:
			return done, err
		}
	}
	return done, nil
}

// Kinds are those of which tables are read, owners first.
func Kinds() []record.Kind { return slices.Clone(kinds) }

// Templates are the kinds of which somebody may begin a table by hand.
func Templates() []record.Kind {
	return slices.DeleteFunc(Kinds(), func(k record.Kind) bool { return slices.Contains(registered, k) })
}

// Headings are those of a table of a kind that somebody begins by hand: what people read above the columns, without what only an export
// has.
func Headings(terms *words.Terms, k record.Kind) []string {
	var all []string
	for _, c := range export.NewWriting(terms, &export.Names{}).Columns(k, false) {
		if c.Field() != record.DeletedField && c.Field() != record.DuplicateOfField {
			all = append(all, c.Label())
		}
	}
	return all
}
