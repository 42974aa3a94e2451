package clientlib

import (
	"context"
	"time"

	"levee/clientlib/internal/localdb"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Totals are sums over the records that this tablet holds, by the rules of package tally: its own team's, and what it
// has logged since. For all teams together only the server can tell.
type Totals struct {
	*tally.Totals
	// ServiceDays are the calendar days from the deployment's start to AsOf, both counted.
	ServiceDays int
	Completeness
}

// Completeness says how complete totals are, as far as a tablet can know.
type Completeness struct {
	// AsOf is the last day that is counted.
	AsOf record.Date
	// Unsent is how many own changes the server lacks. They are in the totals here, and not in the server's.
	Unsent int
	// Held is how many own changes the server does not apply. They are in neither.
	Held int
	// Conflicts is how many conflicts nobody has settled.
	Conflicts int
	// LastContact is when the server last answered. What others have logged since is not here.
	LastContact time.Time
}

// Totals counts up to the as-of day; without one (0), up to today in the deployment's time zone.
func (s *Store) Totals(ctx context.Context, asOf record.Date) (Totals, error) {
	var totals Totals
	err := s.read(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		deployment, err := theDeployment(tx)
		if err != nil {
			return err
		}
		rules, err := record.DeploymentOf(deployment, nil)
		if err != nil {
			return err
		}
		if asOf == 0 {
			now, _ := s.now(t)
			asOf = record.DateOf(now, rules.Location)
		}
		totals.Completeness = Completeness{AsOf: asOf, Unsent: int(t.Sequence - t.Acknowledged), LastContact: t.LastContact} //nolint:gosec // a count of what is on this disk
		if rules.Start.Valid() {
			totals.ServiceDays = tally.ServiceDays(rules.Start, asOf)
		}
		counts, err := tx.Counts(t)
		if err != nil {
			return err
		}
		totals.Held = counts.Held
		conflicts, err := ofKind[*recordv1.Conflict](tx)
		if err != nil {
			return err
		}
		for _, c := range conflicts {
			if !c.Message.GetSettled() {
				totals.Conflicts++
			}
		}
		all, err := tx.All()
		if err != nil {
			return err
		}
		totals.Totals = tally.Of(func(yield func(tally.Record) bool) {
			for _, r := range all {
				if !yield(tally.Record{ID: r.ID, Kind: r.Kind, Registers: r.View}) {
					return
				}
			}
		}, asOf)
		return nil
	})
	return totals, err
}
