package alerting

import (
	"context"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
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
		newest, err := progress.NewestFirst(tx, alertKind, func(a hlc.ID) bool { return q.Teams == nil || a == access.Everyone || slices.Contains(q.Teams, a) }, q.After)
		if err != nil {
			return err
		}
		for range pastRounds {
			chunk, err := newest.First(q.Limit)
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
				next = hlc.ID{}
				return nil
			}
			next = chunk[len(chunk)-1].ID
		}
		return nil
	})
	return page, next, err
}
