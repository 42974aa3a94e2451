package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/database"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// check compares the result with what was published, and each tablet's own totals with what the server has for it.
func (d *Demo) check(ctx context.Context, r *Result) error {
	if r.Published != published {
		return fmt.Errorf("the totals %+v are not the published ones %+v", r.Published, published)
	}
	if r.Outstanding != 0 {
		return fmt.Errorf("%d changes are outstanding", r.Outstanding)
	}
	return d.compareTablets(ctx)
}

// compareTablets counts, for each team, the records that reach its tablets, from the server's database; and asks each
// tablet for its totals.
func (d *Demo) compareTablets(ctx context.Context) (err error) {
	db, err := database.At(d.Database()).Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, team := range d.teams {
		var ofTeam *tally.Totals
		for _, t := range team {
			st, err := t.store.Status(ctx)
			if err != nil {
				return err
			}
			own, err := t.store.Totals(ctx, 0)
			if err != nil {
				return err
			}
			if ofTeam == nil {
				r, err := t.store.Record(ctx, st.Worker)
				if err != nil {
					return err
				}
				if ofTeam, err = countFor(ctx, db, st.Deployment, hlc.ID(r.Message.GetTeam()), own.AsOf); err != nil {
					return err
				}
			}
			if !maps.Equal(own.Cells, ofTeam.Cells) || !maps.Equal(own.Tokens, ofTeam.Tokens) {
				return fmt.Errorf("the totals of %s's tablet differ from the server's for its team", t.name)
			}
		}
	}
	return nil
}

// countFor counts the records that reach the tablets of a team.
func countFor(ctx context.Context, db *store.DB, deployment, team hlc.ID, asOf record.Date) (*tally.Totals, error) {
	var records []tally.Record
	err := db.Deployment(deployment).Read(ctx, func(tx syncing.Reading) error {
		for _, audience := range []hlc.ID{access.Everyone, team} {
			const all = 1 << 20
			page, err := tx.Page(audience, 0, all)
			if err != nil {
				return err
			}
			for _, r := range page {
				registers, err := record.DecodeState(r.State)
				if err != nil {
					return err
				}
				records = append(records, tally.Record{ID: r.ID, Kind: r.Kind, Registers: registers})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return tally.Of(slices.Values(records), asOf), nil
}
