package progress

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// BehindQuery says which records are wanted: those that give a total.
type BehindQuery struct {
	Basis tally.Basis
	// Figure is the name of one that records give.
	Figure string
	Cut    tally.Cut
	// AsOf is the last day that counts; 0 for asOf.
	AsOf record.Date
	Page[hlc.ID]
}

// Behind is a page of the records behind a total, ascending by id.
type Behind struct {
	AsOf record.Date
	Rows []Part
	// Next is where the next page goes on; zero when there is none. A page may have fewer rows than asked for, or none,
	// and yet a next one: what a request looks through is bounded too.
	Next hlc.ID
}

// Part is what one record gives to a total.
type Part struct {
	ID   hlc.ID
	Kind record.Kind
	// Day, Site and Team are where it counts. A headcount counts where its activity does.
	Day        record.Date
	Site, Team Named
	Author     Named
	Verified   bool
	// Amount is how much it gives. Of persons it is how many it names or numbers; somebody may be named in other records
	// too, and is counted once.
	Amount int64
}

const (
	// behindChunk is how many records are looked at together, with all that decides how they count.
	behindChunk = 200
	// behindChunks bounds how many such chunks one request looks through.
	behindChunks = 20
)

// Behind finds the records behind a total. It counts them family by family, as the totals were.
func (s *Service) Behind(ctx context.Context, q BehindQuery) (Behind, error) {
	setUp := s.SetUp()
	day, err := s.dayAsked(setUp, q.AsOf)
	if err != nil {
		return Behind{}, err
	}
	figure, ok := FigureNamed(q.Figure)
	if !ok {
		return Behind{}, problem.Newf(problem.InvalidArgument, "figure: no records are behind %q", q.Figure)
	}
	b := Behind{AsOf: day}
	cell := tally.Cell{Basis: q.Basis, Figure: figure.of, Cut: q.Cut}
	err = s.Store.Look(ctx, func(tx Reading) error {
		after := q.After
		for range behindChunks {
			chunk, err := candidates(tx, figure.kinds, after)
			if err != nil || len(chunk) == 0 {
				b.Next = hlc.ID{}
				return err
			}
			facts, err := factsOf(tx, chunk)
			if err != nil {
				return err
			}
			for _, r := range chunk {
				f, ok := facts[r.ID]
				if !ok || f.Day > day || f.At(cell) == 0 {
					continue
				}
				if len(b.Rows) == q.Limit {
					b.Next = b.Rows[len(b.Rows)-1].ID
					return nil
				}
				part, err := partOf(setUp, r, &f, f.At(cell))
				if err != nil {
					return err
				}
				b.Rows = append(b.Rows, part)
			}
			after = chunk[len(chunk)-1].ID
			b.Next = after
		}
		return nil
	})
	return b, err
}

// candidates are the next records of some kinds, ascending.
func candidates(tx RecordReading, kinds []record.Kind, after hlc.ID) ([]syncing.Record, error) {
	var all []syncing.Record
	for _, k := range kinds {
		records, err := tx.RecordsAfter(k, after, behindChunk)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	slices.SortFunc(all, func(a, b syncing.Record) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return all[:min(len(all), behindChunk)], nil
}

// factsOf is what records give, by id. It counts them with their families, and with those of the records that they say to
// be duplicates of. What is a duplicate of them changes nothing in what they give.
func factsOf(tx RecordReading, of []syncing.Record) (map[hlc.ID]tally.Fact, error) {
	var records []tally.Record
	asked := map[hlc.ID]bool{}
	for roots := rootsOf(of, asked); len(roots) > 0; {
		family, err := tx.Families(roots)
		if err != nil {
			return nil, err
		}
		var named []hlc.ID
		for _, r := range family {
			if !mayCount(r.Kind) {
				continue
			}
			t, err := tallied(r)
			if err != nil {
				return nil, err
			}
			records = append(records, t)
			if r.DuplicateOf != (hlc.ID{}) {
				named = append(named, r.DuplicateOf)
			}
		}
		others, err := tx.Records(named)
		if err != nil {
			return nil, err
		}
		roots = rootsOf(others, asked)
	}
	facts := map[hlc.ID]tally.Fact{}
	for _, f := range tally.Facts(records) {
		facts[f.Record] = f
	}
	return facts, nil
}

// rootsOf are the roots of some records that were not asked for before.
func rootsOf(records []syncing.Record, asked map[hlc.ID]bool) []hlc.ID {
	var roots []hlc.ID
	for _, r := range records {
		if !asked[r.Root] {
			asked[r.Root] = true
			roots = append(roots, r.Root)
		}
	}
	return roots
}

// mayCount reports whether records of a kind can matter to totals. Confidential kinds and the set-up give none.
func mayCount(k record.Kind) bool { return !record.Confidential(k) && !record.SetUp(k) }

func tallied(r syncing.Record) (tally.Record, error) {
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return tally.Record{}, fmt.Errorf("state of record %v: %w", r.ID, err)
	}
	return tally.Record{ID: r.ID, Kind: r.Kind, Registers: registers}, nil
}

func partOf(setUp *syncing.SetUp, r syncing.Record, f *tally.Fact, amount int64) (Part, error) {
	p := Part{ID: r.ID, Kind: r.Kind, Day: f.Day, Verified: f.Verified, Amount: amount}
	for _, c := range f.Cuts {
		id, err := uuid.Parse(c.Key)
		if err != nil {
			continue
		}
		switch c.Dimension {
		case tally.Site:
			p.Site = named(setUp, tally.Site, id)
		case tally.Team:
			p.Team = named(setUp, tally.Team, id)
		}
	}
	t, err := tallied(r)
	if err != nil {
		return p, err
	}
	m := record.New(r.Kind)
	if err := proto.Unmarshal(t.Registers.Fields(), m); err != nil {
		return p, fmt.Errorf("fields of record %v: %w", r.ID, err)
	}
	p.Author = named(setUp, tally.Worker, idOf(m.GetAuthor()))
	return p, nil
}
