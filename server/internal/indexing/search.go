package indexing

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// SearchQuery says what is looked for, and by whom.
type SearchQuery struct {
	// Text has words, numbers and runs of Chinese characters; a record must have all of them. Case and width make no
	// difference.
	Text string
	// Teams and Kinds narrow it; all when nil. What the whole deployment receives is among the teams'.
	Teams []hlc.ID
	Kinds []record.Kind
	// Confidential says to look in confidential records too.
	Confidential bool
	// Sees says of each record whether it may be seen; nil when all may.
	Sees func(syncing.Record, syncing.Circle) bool
	// After is the Next of the page before; 0 asks for the first one.
	After uint64
	// Limit is from 1 to MaxPage.
	Limit int
}

// Found is a page of what was found, what came last to the server first.
type Found struct {
	Hits []Hit
	// Next is where the next page goes on; 0 at the end. A page may have fewer hits than asked for, or none, and yet a next
	// one: what a request looks through is bounded.
	Next uint64
}

// Hit is a record that has what was looked for.
type Hit struct {
	Record syncing.Record
	Circle syncing.Circle
	// Field is the first that has some of it, Text all that stands there.
	Field protowire.Number
	Text  string
}

// Message is the record as a message of its kind.
func (h Hit) Message() (record.Common, error) {
	registers, err := record.DecodeState(h.Record.State)
	if err != nil {
		return nil, fmt.Errorf("state of record %v: %w", h.Record.ID, err)
	}
	m := record.New(h.Record.Kind)
	if err := proto.Unmarshal(registers.Fields(), m); err != nil {
		return nil, fmt.Errorf("fields of record %v: %w", h.Record.ID, err)
	}
	return m, nil
}

const (
	// maxSearched and maxSearchRuns bound what is looked for: bytes, and words or runs.
	maxSearched   = 200
	maxSearchRuns = 8
	// firstWindow is how many positions of the log are looked through first. Each time nothing more is there it doubles.
	firstWindow = 1 << 14
	// maxLooked and maxChecked bound what one request looks through: positions, and records that have the pairs of
	// characters that were looked for, though maybe not beside each other.
	maxLooked  = 1 << 20
	maxChecked = 400
)

// Search finds records by their own texts. Problem invalid_argument when there is nothing to look for, or too much.
func (s *Service) Search(ctx context.Context, q SearchQuery) (found Found, err error) {
	if len(q.Text) > maxSearched {
		return found, problem.Newf(problem.InvalidArgument, "text: longer than %d bytes", maxSearched)
	}
	search := &search{SearchQuery: q, inIndex: 2*len(q.Teams) <= len(s.SetUp().Teams), runs: slices.Collect(runs(q.Text))}
	if n := len(search.runs); n == 0 || n > maxSearchRuns {
		return found, problem.Newf(problem.InvalidArgument, "text: %d words, of 1 to %d", n, maxSearchRuns)
	}
	err = s.Store.LookUp(ctx, func(tx Reading) error {
		if search.at, err = tx.Cursor(); err != nil {
			return err
		}
		return search.run(tx)
	})
	return search.found, err
}

type search struct {
	SearchQuery
	// inIndex says to ask the index for the teams. Where somebody has most of them, to look at what it finds costs less.
	inIndex bool
	runs    []run
	at      Cursor
	found   Found
}

// words are what the index is asked for.
func (s *search) words() WordQuery {
	var q WordQuery
	for _, r := range s.runs {
		q.All = r.appendAsked(q.All)
	}
	if s.Teams != nil && s.inIndex {
		var teams []string
		for _, team := range withEverybody(s.Teams) {
			teams = append(teams, teamMark(team))
		}
		q.Any = append(q.Any, teams)
	}
	if s.Kinds != nil {
		var kinds []string
		for _, k := range s.Kinds {
			kinds = append(kinds, kindMark(k))
		}
		q.Any = append(q.Any, kinds)
	}
	if !s.Confidential {
		q.None = []string{confidentialMark}
	}
	return q
}

// run looks back through the log, in windows, until the page is full.
func (s *search) run(tx Reading) error {
	q := s.words()
	to := s.at.Position
	if s.After != 0 {
		to = min(to, s.After-1)
	}
	window, looked, checked := uint64(firstWindow), uint64(0), 0
	for to > 0 && looked < maxLooked && checked < maxChecked {
		from := to - min(to, window) + 1
		batch := s.Limit - len(s.found.Hits) + 1
		numbers, err := tx.Find(q, numberOf(s.at, from), numberOf(s.at, to), batch)
		if err != nil {
			return err
		}
		full, err := s.check(tx, numbers)
		if full || err != nil {
			return err
		}
		checked += len(numbers)
		if len(numbers) == batch {
			to = positionOf(numbers[batch-1]) - 1
			continue
		}
		looked += to - from + 1
		to = from - 1
		window *= 2
	}
	if to > 0 {
		s.found.Next = to + 1
	}
	return nil
}

// check adds those of some documents to the page that have what is looked for, and tells whether it is full.
func (s *search) check(tx Reading, numbers []uint64) (full bool, err error) {
	positions := make([]uint64, len(numbers))
	for i, number := range numbers {
		positions[i] = positionOf(number)
	}
	at, err := tx.RecordsAt(positions)
	if err != nil {
		return false, err
	}
	records, err := tx.Records(slices.Collect(maps.Values(at)))
	if err != nil {
		return false, err
	}
	roots, err := syncing.RootsOf(tx, records...)
	if err != nil {
		return false, err
	}
	hits := map[hlc.ID]Hit{}
	for _, r := range records {
		if !sees(s.Teams, r.Audience) {
			continue
		}
		hit, ok, err := s.hit(r)
		if err != nil {
			return false, err
		}
		if !ok {
			continue
		}
		if hit.Circle, err = roots.CircleOf(r); err != nil {
			return false, err
		}
		hits[r.ID] = hit
	}
	for _, position := range positions {
		hit, ok := hits[at[position]]
		if !ok || s.Sees != nil && !s.Sees(hit.Record, hit.Circle) {
			continue
		}
		if len(s.found.Hits) == s.Limit {
			s.found.Next = position + 1
			return true, nil
		}
		s.found.Hits = append(s.found.Hits, hit)
	}
	return false, nil
}

// hit is a record as found, if all that is looked for stands in it: the index knows no more than that its pairs of
// characters do.
func (s *search) hit(r syncing.Record) (Hit, bool, error) {
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return Hit{}, false, err
	}
	hit := Hit{Record: r}
	missing := len(s.runs)
	has := make([]bool, len(s.runs))
	for field, text := range texts(r.Kind, registers) {
		parts := slices.Collect(runs(text))
		for i, run := range s.runs {
			if has[i] || !run.among(parts) {
				continue
			}
			has[i] = true
			missing--
			if hit.Field == 0 {
				hit.Field, hit.Text = field, text
			}
		}
	}
	return hit, missing == 0, nil
}
