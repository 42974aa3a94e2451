package indexing

import (
	"cmp"
	"context"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/inorder"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// MaxPage is how many rows a page has at most.
const MaxPage = 200

// readAhead is how many rows of a run are read at once where a page is made of several.
const readAhead = 8

// QueueQuery says which records are wanted.
type QueueQuery struct {
	Standing tally.Standing
	// Teams and Kinds narrow it; all when nil. Who asks for some teams gets what the whole deployment receives besides.
	Teams []hlc.ID
	Kinds []record.Kind
	// From and To are the first and the last day; 0 for no bound. Days to come are left out.
	From, To record.Date
	After    QueuePlace
	// Limit is from 1 to MaxPage.
	Limit int
}

// QueuePlace is where a page ended: the zero place asks for the first one.
type QueuePlace struct {
	Day    record.Date
	Record hlc.ID
}

// Place is where a page ends whose last row this is.
func (r Reviewed) Place() QueuePlace { return QueuePlace{r.Day, r.Record} }

// Queue are records that stand somewhere with their reviews, the newest day first, and of one day the newest record.
func (s *Service) Queue(ctx context.Context, q QueueQuery) (page []Reviewed, err error) {
	if today := s.today(); q.To == 0 || q.To > today {
		q.To = today
	}
	all := QueueRun{Standing: q.Standing, From: q.From, To: q.To, After: q.After}
	err = s.Store.LookUp(ctx, func(tx Reading) error {
		counts, err := tx.ReviewCounts()
		if err != nil {
			return err
		}
		merged := inorder.Runs[Reviewed]{Ahead: readAhead, Compare: func(a, b Reviewed) int {
			return cmp.Or(cmp.Compare(b.Day, a.Day), hlc.CompareIDs(b.Record, a.Record))
		}}
		begun := map[QueueRun]bool{}
		for _, c := range counts {
			if c.Standing != q.Standing || !sees(q.Teams, c.Audience) || (q.Kinds != nil && !slices.Contains(q.Kinds, c.Kind)) {
				continue
			}
			run := all
			run.Team = c.Audience
			if q.Kinds != nil {
				run.Kind = c.Kind
			}
			if begun[run] {
				continue
			}
			begun[run] = true
			merged.Add(func(last *Reviewed, limit int) ([]Reviewed, error) {
				if last != nil {
					run.After = last.Place()
				}
				run.Limit = limit
				return tx.Queue(run)
			}, nil)
		}
		page, err = merged.First(q.Limit)
		return err
	})
	return page, err
}

// ReviewCounts are how many records of some teams, or of all when nil, stand where, by team and kind. What the whole
// deployment receives is among them.
func (s *Service) ReviewCounts(ctx context.Context, teams []hlc.ID) (counts []ReviewCount, err error) {
	err = s.Store.LookUp(ctx, func(tx Reading) error {
		counts, err = tx.ReviewCounts()
		counts = slices.DeleteFunc(counts, func(c ReviewCount) bool { return !sees(teams, c.Audience) })
		return err
	})
	return counts, err
}

// sees reports whether an audience is among some teams, or everybody's, or teams is nil.
func sees(teams []hlc.ID, audience hlc.ID) bool {
	return teams == nil || audience == access.Everyone || slices.Contains(teams, audience)
}
