package progress

import (
	"cmp"

	"levee/server/internal/inorder"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// ByDay reads records by the day on which they occurred.
type ByDay interface {
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]syncing.Record, error)
	// Audiences are those that have records of a kind, ascending.
	Audiences(kind record.Kind) ([]hlc.ID, error)
	// RecordsByDay are records of one kind and audience, the latest day and then the highest id first.
	RecordsByDay(DayRange) ([]syncing.Record, error)
}

// readAhead is how many records of an audience are read at once where those of several are merged.
const readAhead = 32

// NewestFirst are the records of a kind that come after one, of those audiences that somebody sees: the latest day and then the
// highest id first. The zero id asks for all. Problem invalid_argument when there is no such record.
func NewestFirst(tx ByDay, kind record.Kind, sees func(audience hlc.ID) bool, after hlc.ID) (*inorder.Runs[syncing.Record], error) {
	all := DayRange{Kind: kind, To: 99999999}
	if after != (hlc.ID{}) {
		found, err := tx.Records([]hlc.ID{after})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, problem.Newf(problem.InvalidArgument, "after: there is no such record")
		}
		all.Before = &found[0]
	}
	audiences, err := tx.Audiences(kind)
	newest := &inorder.Runs[syncing.Record]{Ahead: readAhead, Compare: func(a, b syncing.Record) int {
		return cmp.Or(cmp.Compare(b.Day, a.Day), hlc.CompareIDs(b.ID, a.ID))
	}}
	for _, audience := range audiences {
		if !sees(audience) {
			continue
		}
		newest.Add(func(last *syncing.Record, limit int) ([]syncing.Record, error) {
			r := all
			r.Audience, r.Limit = audience, limit
			if last != nil {
				r.Before = last
			}
			return tx.RecordsByDay(r)
		}, nil)
	}
	return newest, err
}
