// Package progress is what supervisors and coordinators see of a deployment: its totals and how complete they are, the
// records behind a figure, the tablets and their backlog, what is held and what is in conflict. It reads what package
// syncing merged, and changes nothing. It declares the Store that it needs.
package progress

import (
	"context"
	"time"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Config is what a Service needs.
type Config struct {
	Store Store
	// SetUp is what the deployment is set up with at the moment.
	SetUp func() *syncing.SetUp
	// Wall is the server's clock.
	Wall func() time.Time
}

// Service answers for one deployment.
type Service struct {
	Config
	// counted holds the one recount that may be under way, or the last one.
	counted chan recounted
}

// New is a service over a store.
func New(c Config) *Service {
	s := &Service{Config: c, counted: make(chan recounted, 1)}
	s.counted <- recounted{}
	return s
}

// MaxPage is how many rows a page of any list has at most.
const MaxPage = 200

// Text is said in each language.
type Text struct{ Zh, En string }

// In is the text in a language: Chinese for a BCP 47 tag "zh…", else English.
func (t Text) In(lang string) string {
	if len(lang) >= 2 && lang[:2] == "zh" {
		return t.Zh
	}
	return t.En
}

// same is a name, which is said alike in each language.
func same(name string) Text { return Text{Zh: name, En: name} }

// Page says which part of a list is wanted.
type Page[Cursor any] struct {
	// After is the last row of the page before; the zero value asks for the first page.
	After Cursor
	// Limit is how many rows to give, from 1 to MaxPage.
	Limit int
	// Sees tells whether who asks sees what belongs to a team; all of it when nil. What they don't see is left out before
	// the page is cut.
	Sees func(team hlc.ID) bool
}

func (p *Page[Cursor]) sees(team hlc.ID) bool { return p.Sees == nil || p.Sees(team) }

// asOf is the last day that is counted when none was asked for: today in the deployment's time zone, and not after its
// end.
func asOf(setUp *syncing.SetUp, now time.Time) record.Date {
	today := record.DateOf(now, setUp.Location)
	if end := record.Date(setUp.Deployment.GetEndOn()); end.Valid() {
		return min(today, end)
	}
	return today
}

// dayAsked is the as-of day that a caller named, or else the one that holds without. A day to come can't be known: the
// problem is invalid_argument.
func (s *Service) dayAsked(setUp *syncing.SetUp, day record.Date) (record.Date, error) {
	now := s.Wall()
	latest := asOf(setUp, now)
	if day == 0 {
		return latest, nil
	}
	if today := record.DateOf(now, setUp.Location); day > today {
		return 0, problem.Newf(problem.InvalidArgument, "as_of: %v has not come yet; today is %v", day, today)
	}
	return min(day, latest), nil
}

// Version changes whenever an answer of this Service may change. It is cheap to read.
type Version struct {
	Position uint64
	// Contact is the newest contact of a tablet, milliseconds since 1970.
	Contact int64
	Day     record.Date
}

// Version is the present one.
func (s *Service) Version(ctx context.Context) (Version, error) {
	v := Version{Day: record.DateOf(s.Wall(), s.SetUp().Location)}
	err := s.Store.Look(ctx, func(tx Reading) error {
		head, err := tx.Head()
		if err != nil {
			return err
		}
		sums, err := tx.DeviceSums(0)
		v.Position, v.Contact = head.Position, sums.NewestContact
		return err
	})
	return v, err
}

// Named is something of the set-up and what it is called; the name is empty when it is not known.
type Named struct {
	ID   hlc.ID
	Name string
}
