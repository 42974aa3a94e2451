package alerting

import (
	"cmp"
	"context"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Find is an alert, open or not, with who was told of it. Problem not_found when there is none, or it is none of those that
// somebody sees; all are when sees is nil.
func (s *Service) Find(ctx context.Context, id hlc.ID, sees func(syncing.Record, syncing.Circle) bool) (found Alert, err error) {
	open := s.Open(sees)
	if i := slices.IndexFunc(open, func(a Alert) bool { return a.ID == id }); i >= 0 {
		return open[i], nil
	}
	err = s.config.Store.ReadAlerts(ctx, func(tx Reading) error {
		records, err := tx.Records([]hlc.ID{id})
		if err != nil {
			return err
		}
		records = slices.DeleteFunc(records, func(r syncing.Record) bool { return r.Kind != alertKind })
		alerts, err := alertsOf(tx, records)
		if err != nil {
			return err
		}
		if len(alerts) == 0 || sees != nil && !sees(alerts[0].record, alerts[0].circle) {
			return problem.New(problem.NotFound)
		}
		found = alerts[0].alert
		received, err := tx.FirstReceived(id)
		if err != nil {
			return err
		}
		found.Received = instant(received)
		found.Notices, err = tx.Notices([]hlc.ID{id})
		return err
	})
	return found, err
}

// PastQuery says which confirmed alerts are wanted.
type PastQuery struct {
	// Teams narrow it; all when nil. What the whole deployment receives is among the teams'.
	Teams []hlc.ID
	// Sees says which of them somebody sees.
	Sees func(syncing.Record, syncing.Circle) bool
	// After is where the page before ended; zero asks for the first one.
	After hlc.ID
	Limit int
}

// pastRounds bounds how many times a limit of alerts one request looks through.
const pastRounds = 20

// Past is a page of the alerts that somebody has confirmed, the newest day first, without who was told of them. next is
// where the next page goes on; zero at the end. A page may have fewer than asked for, or none, and yet a next one: what a
// request looks through is bounded. Problem invalid_argument when there is nothing by the id in After.
func (s *Service) Past(ctx context.Context, q PastQuery) (page []Alert, next hlc.ID, err error) {
	err = s.config.Store.ReadAlerts(ctx, func(tx Reading) error {
		var before *syncing.Record
		if q.After != (hlc.ID{}) {
			found, err := tx.Records([]hlc.ID{q.After})
			if err != nil {
				return err
			}
			if len(found) == 0 {
				return problem.Newf(problem.InvalidArgument, "after: there is no such record")
			}
			before = &found[0]
		}
		audiences, err := tx.Audiences(alertKind)
		if err != nil {
			return err
		}
		audiences = slices.DeleteFunc(audiences, func(a hlc.ID) bool { return q.Teams != nil && a != access.Everyone && !slices.Contains(q.Teams, a) })
		for range pastRounds {
			chunk, err := newest(tx, audiences, before, q.Limit)
			if err != nil {
				return err
			}
			alerts, err := alertsOf(tx, chunk)
			if err != nil {
				return err
			}
			for _, one := range alerts {
				if one.alert.Open() || !q.Sees(one.record, one.circle) {
					continue
				}
				if len(page) == q.Limit {
					next = page[len(page)-1].ID
					return nil
				}
				page = append(page, one.alert)
			}
			if len(chunk) < q.Limit {
				return nil
			}
			before = &chunk[len(chunk)-1]
		}
		next = before.ID
		return nil
	})
	return page, next, err
}

// newest are the alerts of some audiences that come next before one, the newest day first; from the newest when before is nil.
func newest(tx Reading, audiences []hlc.ID, before *syncing.Record, limit int) (all []syncing.Record, err error) {
	const last = record.Date(99999999)
	for _, audience := range audiences {
		run, err := tx.RecordsByDay(progress.DayRange{Kind: alertKind, Audience: audience, To: last, Before: before, Limit: limit})
		if err != nil {
			return nil, err
		}
		all = append(all, run...)
	}
	slices.SortFunc(all, func(a, b syncing.Record) int {
		return cmp.Or(cmp.Compare(b.Day, a.Day), slices.Compare(b.ID[:], a.ID[:]))
	})
	return all[:min(limit, len(all))], nil
}
