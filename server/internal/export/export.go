// Package export writes what a deployment holds into files that leave the server: the records as tables, a table a kind, and
// the totals beside them. Everything in one export is of one moment, and passes by row by row. It declares the Store that it needs.
package export

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// Store keeps one deployment.
type Store interface {
	// Export runs fn over one snapshot. It never waits for a writer, and no writer waits for it.
	Export(ctx context.Context, fn func(Reading) error) error
}

// Reading looks things up in one snapshot. Rows come one by one; what takes a row must not look up anything itself.
type Reading interface {
	progress.Reading
	// OfKind are all records of a kind, ascending by id.
	OfKind(kind recordv1.Kind) ([]syncing.Record, error)
	// EachOfKind are the same, one by one.
	EachOfKind(kind recordv1.Kind, row func(syncing.Record) error) error
	// CountsOfKind is how many records of a kind each audience has.
	CountsOfKind(kind recordv1.Kind) (map[hlc.ID]uint64, error)
}

// Query says what is wanted. Whoever asks must be allowed all of it: see package access.
type Query struct {
	// Kinds are those of which tables are made: all that may be seen when there is none.
	Kinds []record.Kind
	// Whole: the records of all teams, whatever Teams says. Else only those of Teams, and of nobody when there is none; what the whole deployment has
	// comes with them.
	Whole bool
	Teams []hlc.ID
	// Confidential: confidential kinds and fields too; Identities: of those also who the clients are, and their consents.
	Confidential, Identities bool
	// Lang is the language of words in the export: "zh", or else English.
	Lang string
	// Progress is told how many records were read, and of how many; nil for nobody.
	Progress func(done, of uint64)
}

// Content is what a query asks for, at one moment. It holds only while Look runs.
type Content struct {
	Query
	// At is when that was so, by the server's clock; Position is how long the change log was.
	At       time.Time
	Position uint64
	// Completeness says how much of what was done it can know.
	Completeness progress.Completeness
	SetUp        *syncing.SetUp
	Terms        *words.Terms
	// Writing is how values stand in cells.
	Writing *Writing

	ctx      context.Context
	tx       Reading
	names    *Names
	counts   map[record.Kind]uint64
	done, of uint64
}

// Look runs fn over what a query asks for. A query that asks for a kind that has no table, or for a confidential one without
// saying so, is refused as invalid_argument. Records are read only as fn asks for them; when ctx ends, that fails.
func Look(ctx context.Context, store Store, wall func() time.Time, q Query, fn func(*Content) error) error {
	for _, k := range q.Kinds {
		if !slices.Contains(Kinds(), k) || !q.includes(k) {
			return problem.Newf(problem.InvalidArgument, "kinds: there is no table of %s here", words.KindName(k))
		}
	}
	if q.Whole {
		q.Teams = nil
	}
	return store.Export(ctx, func(tx Reading) error {
		c := &Content{Query: q, At: wall(), ctx: ctx, tx: tx, counts: map[record.Kind]uint64{}}
		if err := c.open(); err != nil {
			return err
		}
		return fn(c)
	})
}

// open reads what an export needs before its rows.
func (c *Content) open() (err error) {
	if c.SetUp, err = syncing.SetUpIn(c.tx); err != nil {
		return err
	}
	if c.names, err = NamesIn(c.tx); err != nil {
		return err
	}
	c.Terms = words.In(c.Lang).For(c.SetUp.Deployment)
	c.Writing = NewWriting(c.Terms, c.names)
	if err := c.complete(); err != nil {
		return err
	}
	for _, k := range Kinds() {
		if !c.includes(k) || len(c.Kinds) > 0 && !slices.Contains(c.Kinds, k) {
			continue
		}
		counts, err := c.tx.CountsOfKind(k)
		if err != nil {
			return err
		}
		c.counts[k] = 0
		for audience, n := range counts {
			if c.sees(audience) {
				c.counts[k] += n
				c.of += n
			}
		}
	}
	return nil
}

// complete finds how complete it is: as far as the teams are concerned whose records are seen.
func (c *Content) complete() error {
	head, err := c.tx.Head()
	if c.Position = head.Position; err != nil || !c.Whole && len(c.Teams) == 0 {
		return err
	}
	standing := progress.New(progress.Config{SetUp: func() *syncing.SetUp { return c.SetUp }, Wall: func() time.Time { return c.At }})
	c.Completeness, err = standing.CompletenessIn(c.tx, time.Time{}, c.Teams)
	return err
}

// includes reports whether a query may have a kind at all.
func (q *Query) includes(k record.Kind) bool {
	switch access.Seeing(k) {
	case access.SeeIdentity:
		return q.Confidential && q.Identities
	case access.SeeConfidential:
		return q.Confidential
	default:
		return true
	}
}

func (q *Query) sees(audience hlc.ID) bool {
	return q.Whole || audience == access.Everyone || slices.Contains(q.Teams, audience)
}

// alwaysThere are the kinds of which there is a table also while it is empty: the work that is counted, so that nobody takes
// a table that is missing for one that was forgotten.
var alwaysThere = []record.Kind{recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION,
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_ATTENDANCE, recordv1.Kind_KIND_RESOURCE_LINK}

// Tables are the kinds of which there is a table, in their order: those that have records, and those that are always there.
func (c *Content) Tables() []record.Kind {
	return slices.DeleteFunc(Kinds(), func(k record.Kind) bool {
		n, asked := c.counts[k]
		return !asked || n == 0 && !slices.Contains(alwaysThere, k)
	})
}

// Columns are those of a kind's table.
func (c *Content) Columns(k record.Kind) []Column { return c.Writing.Columns(k, c.Confidential) }

// Records is how many rows all tables have together.
func (c *Content) Records() uint64 { return c.of }

// progressEvery is after how many records somebody is told.
const progressEvery = 500

// Each hands out the rows of a kind's table, ascending by id. Those that were deleted and those that are duplicates are among
// them, so that what the totals leave out can be seen.
func (c *Content) Each(k record.Kind, row func(Row) error) error {
	if c.counts[k] == 0 {
		return nil
	}
	return c.tx.EachOfKind(k, func(r syncing.Record) error {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if !c.sees(r.Audience) {
			return nil
		}
		m, err := read(r)
		if err != nil {
			return err
		}
		c.went()
		return row(Row{ID: r.ID, Message: m})
	})
}

// went counts one more record as read, and tells of it now and then.
func (c *Content) went() {
	if c.done++; c.Progress != nil && (c.done%progressEvery == 0 || c.done == c.of) {
		c.Progress(c.done, c.of)
	}
}

// Total is one stored total, and what people call its key.
type Total struct {
	progress.TotalRow
	Name string
}

// EachTotal hands out the totals as they are stored, but for zeros. Who does not see all teams gets those by team of their own.
func (c *Content) EachTotal(row func(Total) error) error {
	return c.tx.EachTotal(func(r progress.TotalRow) error {
		if r.Value == 0 {
			return nil
		}
		by, err := tally.ParseDimension(r.Dimension)
		if err != nil {
			return fmt.Errorf("a total: %w", err)
		}
		id, _ := uuid.Parse(r.Key)
		if !c.Whole && (by != tally.Team || !slices.Contains(c.Teams, id)) {
			return nil
		}
		name := c.names.plain[id]
		if name == "" {
			name = progress.LabelOf(c.SetUp, by, r.Key).In(c.Lang)
		}
		return row(Total{r, name})
	})
}
