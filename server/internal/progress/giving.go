package progress

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Giving is what one record gives to all figures.
type Giving struct {
	ID   hlc.ID
	Kind record.Kind
	// Position is that of its newest change.
	Position uint64
	// Audience is the team whose record it is; zero for everybody's.
	Audience hlc.ID
	// Name is what it is called, or else what that is called to which it belongs; empty when neither has a name.
	Name string
	// Day is the one on which it counts, or on which it occurred where it does not.
	Day    record.Date
	Team   Named
	Author Named
	// Values are how much it gives, by the names of figures; none when it does not count. Of persons it is how many it names
	// or numbers; somebody may be named in other records too.
	Values map[string]int64
	// Outcome is what its newest review said of it, with Comment, at Judged; zero without any.
	Outcome recordv1.ReviewOutcome
	Comment string
	Judged  time.Time
}

// Giving is what some records give, at most MaxPage of them, in their order. Those that are not there are left out.
func (s *Service) Giving(ctx context.Context, ids []hlc.ID) (all []Giving, err error) {
	err = s.Store.Look(ctx, func(tx Reading) error {
		all, err = s.giving(tx, ids)
		return err
	})
	return all, err
}

func (s *Service) giving(tx RecordReading, ids []hlc.ID) ([]Giving, error) {
	if len(ids) > MaxPage {
		return nil, problem.Newf(problem.InvalidArgument, "more than %d records", MaxPage)
	}
	found, err := tx.Records(ids)
	if err != nil {
		return nil, err
	}
	facts, records, err := factsOf(tx, found)
	if err != nil {
		return nil, err
	}
	family := familyOf(records)
	byRecord := map[hlc.ID]tally.Fact{}
	for _, f := range facts {
		byRecord[f.Record] = f
	}
	setUp := s.SetUp()
	var all []Giving
	for _, id := range ids {
		i := slices.IndexFunc(found, func(r syncing.Record) bool { return r.ID == id })
		if i < 0 {
			continue
		}
		one, ok := records[id]
		if !ok { // of a kind that can't matter to totals
			if one, err = counted(found[i]); err != nil {
				return nil, err
			}
		}
		g, err := family.giving(setUp, one)
		if err != nil {
			return nil, err
		}
		if f, ok := byRecord[id]; ok {
			g.count(&f)
		}
		all = append(all, g)
	}
	return all, nil
}

// count fills in what a record gives that counts.
func (g *Giving) count(f *tally.Fact) {
	g.Day = f.Day
	for _, figure := range figures {
		if n := f.At(tally.Cell{Basis: tally.Reported, Figure: figure.of, Cut: tally.Everything()}); !figure.OnCalendar() && n != 0 {
			g.Values[figure.Name] = n
		}
	}
}

// family are records with what belongs to them.
type family struct {
	records map[hlc.ID]counting
	reviews map[hlc.ID][]tally.Record // by what they are of
}

func familyOf(records map[hlc.ID]counting) *family {
	of := &family{records: records, reviews: map[hlc.ID][]tally.Record{}}
	for _, r := range records {
		if target, _ := tally.Links(&r.tallied); r.Kind == recordv1.Kind_KIND_REVIEW {
			of.reviews[target] = append(of.reviews[target], r.tallied)
		}
	}
	return of
}

// giving is a record, whatever it gives.
func (of *family) giving(setUp *syncing.SetUp, r counting) (Giving, error) {
	g := Giving{ID: r.ID, Kind: r.Kind, Position: r.Position, Audience: r.Audience, Day: record.Date(r.Day), Team: named(setUp, tally.Team, r.Audience), Values: map[string]int64{}}
	m, err := messageOf(r.tallied)
	if err != nil || m == nil {
		return g, err
	}
	g.Author, g.Name = named(setUp, tally.Worker, hlc.IDOf(m.GetAuthor())), record.Name(r.Kind, m)
	owner, _ := tally.Links(&r.tallied)
	if above, ok := of.records[owner]; ok && g.Name == "" {
		m, err := messageOf(above.tallied)
		if err != nil {
			return g, err
		}
		g.Name = record.Name(above.Kind, m)
	}
	return g, g.judge(of.reviews[r.ID])
}

// judge fills in what the newest of some reviews said.
func (g *Giving) judge(reviews []tally.Record) error {
	newest := tally.NewestReview(g.Kind, reviews)
	if newest == nil {
		return nil
	}
	m, err := messageOf(*newest)
	if review, ok := m.(*recordv1.Review); ok {
		g.Outcome, g.Comment, g.Judged = review.GetOutcome(), review.GetComment(), newest.Registers.Get(record.ReviewOutcomeField).Stamp.Time.Wall().UTC()
	}
	return err
}

// messageOf is a record as its message; nil where only a newer program knows its kind.
func messageOf(r tally.Record) (record.Common, error) {
	m := record.New(r.Kind)
	if m == nil {
		return nil, nil
	}
	if err := proto.Unmarshal(r.Registers.Fields(), m); err != nil {
		return nil, fmt.Errorf("fields of record %v: %w", r.ID, err)
	}
	return m, nil
}
