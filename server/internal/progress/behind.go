package progress

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
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
	// AsOf is the last day that counts; without one (0) all there is counts.
	AsOf record.Date
	// Page goes on after a record of the page before.
	Page[hlc.ID]
}

// Behind is a page of the records behind a total: those of the team that the total is about first, the latest first within
// a kind.
type Behind struct {
	// AsOf is the last day that counts.
	AsOf record.Date
	Rows []Part
	// Next is where the next page goes on; zero when there is none. A page may have fewer rows than asked for, or none,
	// and yet a next one: what a request looks through is bounded too.
	Next hlc.ID
	// Elsewhere says that what is left seldom gives anything to the total: it belongs to other teams than the one that the
	// total is about, where a session may yet say to be that team's; or to cases that say another day than the one on which
	// they were opened.
	Elsewhere bool
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
	behindChunk = 50
	// behindBound is how many records a request looks through with their families, give or take a chunk.
	behindBound = 4000
	// casesChunk is how many cases are looked at together for the day on which they were opened, which costs a quarter.
	casesChunk = 500
)

// openedOn is the number of the field opened_on of a case.
var openedOn = (*recordv1.Case)(nil).ProtoReflect().Descriptor().Fields().ByName("opened_on").Number()

// Behind finds the records behind a total. It goes through activities, sessions and cases by the day on which they
// occurred, and counts each with its family, as the totals were.
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
	err = s.Store.Look(ctx, func(tx Reading) error {
		if q.AsOf == 0 {
			if b.AsOf, err = lastDay(tx, day); err != nil {
				return err
			}
		}
		w := walk{tx: tx, setUp: setUp, q: &q, cell: tally.Cell{Basis: q.Basis, Figure: figure.of, Cut: q.Cut}, into: &b}
		if err := w.begin(figure.kinds); err != nil {
			return err
		}
		return w.through()
	})
	return b, err
}

// walk goes through the records that may be behind a total, run by run.
type walk struct {
	tx     RecordReading
	setUp  *syncing.SetUp
	q      *BehindQuery
	cell   tally.Cell
	into   *Behind
	runs   []run
	looked int
	// at is the record at which the page before ended, and after what of it was on that page; zero when all of it was.
	at, after hlc.ID
}

// run is a part of a walk; elsewhere, where hardly anything gives the total.
type run struct {
	DayRange
	elsewhere bool
}

// begin finds the runs to go through: those of each kind, and first of all those that the cut is about.
func (w *walk) begin(kinds []record.Kind) error {
	team := w.team()
	var others []run
	for _, kind := range kinds {
		audiences, err := w.tx.Audiences(kind)
		if err != nil {
			return err
		}
		for _, audience := range audiences {
			if !w.q.sees(audience) {
				continue
			}
			of := DayRange{Kind: kind, Audience: audience, Limit: behindChunk}
			near, far := w.days(of)
			if team != (hlc.ID{}) && audience != team && audience != (hlc.ID{}) {
				near, far = nil, append(near, far...)
			}
			for _, r := range near {
				w.runs = append(w.runs, run{r, false})
			}
			for _, r := range far {
				others = append(others, run{r, true})
			}
		}
	}
	w.runs = append(w.runs, others...)
	if w.q.After == (hlc.ID{}) {
		return nil
	}
	return w.resume()
}

// team is the one that the cut is about; zero when it is about none.
func (w *walk) team() hlc.ID {
	id, ok := idOfKey(w.cell.Key)
	switch {
	case ok && w.cell.Dimension == tally.Team:
		return id
	case ok && w.cell.Dimension == tally.Worker:
		return teamOf(w.setUp, id).ID
	default:
		return hlc.ID{}
	}
}

// days are the days of a run on which records may give the total: near those on which most of them are, far the others.
func (w *walk) days(of DayRange) (near, far []DayRange) {
	const last = record.Date(99999999)
	on := func(from, to record.Date, limit int) DayRange {
		r := of
		r.From, r.To, r.Limit = from, to, limit
		return r
	}
	day, err := record.ParseDate(w.cell.Key)
	switch {
	case w.cell.Dimension != tally.Day || err != nil:
		return []DayRange{on(0, last, of.Limit)}, nil
	case of.Kind != recordv1.Kind_KIND_CASE:
		return []DayRange{on(day, day, of.Limit)}, nil
	default: // a case counts on the day on which it was opened, and may say to have occurred on another
		return []DayRange{on(day, day, casesChunk)}, []DayRange{on(day+1, last, casesChunk), on(0, day-1, casesChunk)}
	}
}

// resume leaves out what the pages before had.
func (w *walk) resume() error {
	gone := problem.Newf(problem.InvalidArgument, "after: there is no such record")
	found, err := w.tx.Records([]hlc.ID{w.q.After})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return gone
	}
	at := found[0]
	inRun := func(r run) bool {
		return r.Kind == at.Kind && r.Audience == at.Audience && r.From <= record.Date(at.Day) && record.Date(at.Day) <= r.To
	}
	if i := slices.IndexFunc(w.runs, inRun); i >= 0 {
		w.runs = w.runs[i:]
		w.runs[0].Before = &at
		return nil
	}
	// What belongs to an activity: the page before ended within that, or the activity it stands for.
	facts, _, err := factsOf(w.tx, found)
	if err != nil {
		return err
	}
	w.at, w.after = at.Root, at.ID
	for _, f := range facts {
		if f.Record == at.ID {
			w.at = f.Setting
		}
	}
	if found, err = w.tx.Records([]hlc.ID{w.at}); err != nil {
		return err
	}
	if len(found) == 0 {
		return gone
	}
	at = found[0]
	i := slices.IndexFunc(w.runs, inRun)
	if i < 0 {
		return gone
	}
	w.runs = w.runs[i:]
	after := at
	after.ID = next(at.ID) // so that the activity itself comes again
	w.runs[0].Before = &after
	return nil
}

// next is the lowest id above one.
func next(id hlc.ID) hlc.ID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}

func (w *walk) through() error {
	for ; len(w.runs) > 0; w.runs = w.runs[1:] {
		for r := &w.runs[0]; ; {
			chunk, err := w.tx.RecordsByDay(r.DayRange)
			if err != nil {
				return err
			}
			full, err := w.takeAll(chunk)
			if err != nil || full {
				return err
			}
			if len(chunk) < r.Limit {
				break
			}
			r.Before = &chunk[len(chunk)-1]
			if w.looked >= behindBound {
				w.into.Next, w.into.Elsewhere = r.Before.ID, r.elsewhere
				return nil
			}
		}
	}
	return nil
}

// takeAll adds what records give, a chunk at a time, and reports whether the page is full. Of cases, when they count on a day,
// it first leaves out those that were not opened then: that costs a quarter.
func (w *walk) takeAll(records []syncing.Record) (full bool, err error) {
	if len(records) > 0 && records[0].Kind == recordv1.Kind_KIND_CASE && w.cell.Dimension == tally.Day {
		w.looked += len(records) / 4
		day, _ := record.ParseDate(w.cell.Key) // or else none was opened then
		if records, err = opened(records, day, day); err != nil {
			return false, err
		}
	}
	for chunk := range slices.Chunk(records, behindChunk) {
		if full, err = w.take(chunk); err != nil || full {
			return full, err
		}
	}
	return false, nil
}

// take adds what a chunk of records gives, and reports whether the page is full.
func (w *walk) take(chunk []syncing.Record) (full bool, err error) {
	facts, records, err := factsOf(w.tx, chunk)
	if err != nil {
		return false, err
	}
	w.looked += len(records)
	at := map[hlc.ID][]tally.Fact{}
	for _, f := range facts {
		at[f.Setting] = append(at[f.Setting], f)
	}
	for _, setting := range chunk {
		parts := at[setting.ID]
		slices.SortFunc(parts, func(a, b tally.Fact) int { return hlc.CompareIDs(a.Record, b.Record) })
		for _, f := range parts {
			if setting.ID == w.at && hlc.CompareIDs(f.Record, w.after) <= 0 {
				continue // on a page before
			}
			amount := f.At(w.cell)
			if amount == 0 || f.Day > w.into.AsOf || !w.q.sees(records[f.Record].Audience) {
				continue
			}
			if len(w.into.Rows) == w.q.Limit {
				w.into.Next, w.into.Elsewhere = w.into.Rows[len(w.into.Rows)-1].ID, w.runs[0].elsewhere
				return true, nil
			}
			part, err := partOf(w.setUp, records[f.Record], &f, amount)
			if err != nil {
				return false, err
			}
			w.into.Rows = append(w.into.Rows, part)
		}
	}
	return false, nil
}

// opened are the cases that were opened from a day to another.
func opened(cases []syncing.Record, from, to record.Date) ([]syncing.Record, error) {
	var on []syncing.Record
	for _, r := range cases {
		t, err := tallied(r)
		if err != nil {
			return nil, err
		}
		var c recordv1.Case
		if err := proto.Unmarshal(t.Registers.Get(openedOn).Value, &c); err != nil {
			return nil, fmt.Errorf("opening of case %v: %w", r.ID, err)
		}
		if day := record.Date(c.GetOpenedOn()); from <= day && day <= to {
			on = append(on, r)
		}
	}
	return on, nil
}

// counting is a record with its registers, taken out of its state once.
type counting struct {
	syncing.Record
	tallied tally.Record
}

func counted(r syncing.Record) (counting, error) {
	t, err := tallied(r)
	return counting{r, t}, err
}

// factsOf is what the families of some records give, and those records. They are counted with those that they say to be
// duplicates of, and with what says to be a duplicate of them.
func factsOf(tx RecordReading, of []syncing.Record) ([]tally.Fact, map[hlc.ID]counting, error) {
	roots := make([]hlc.ID, len(of))
	for i, r := range of {
		roots[i] = r.Root
	}
	tied, err := syncing.Tied(tx, roots)
	if err != nil {
		return nil, nil, err
	}
	var all []tally.Record
	records := map[hlc.ID]counting{}
	for _, r := range tied {
		if !mayCount(r.Kind) {
			continue
		}
		one, err := counted(r)
		if err != nil {
			return nil, nil, err
		}
		all, records[r.ID] = append(all, one.tallied), one
	}
	return tally.Facts(all), records, nil
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

func partOf(setUp *syncing.SetUp, r counting, f *tally.Fact, amount int64) (Part, error) {
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
	m, err := messageOf(r.tallied)
	if err != nil {
		return p, err
	}
	p.Author = named(setUp, tally.Worker, hlc.IDOf(m.GetAuthor()))
	return p, nil
}
