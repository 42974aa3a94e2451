package closeout

import (
	"context"
	"maps"
	"slices"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Gain is by how much the reported totals of the whole would move, by figure, if some changes of addenda were accepted, as they stand
// now. Zeros are left out. A person who is known by a token from elsewhere is told here as one more: the next edition counts them once.
func (s *Service) Gain(ctx context.Context, addenda []Addendum, changes []hlc.ID) (gain map[tally.Figure]int64, err error) {
	var bodies []syncing.LogEntry
	err = s.Store.Look(ctx, func(tx progress.Reading) error {
		for _, h := range inOrder(addenda) {
			if !slices.Contains(changes, h.Change) {
				continue
			}
			e, ok, err := tx.Entry(h.Position)
			if err != nil {
				return err
			}
			if ok {
				bodies = append(bodies, e)
			}
		}
		gain, err = gainOf(tx, bodies)
		return err
	})
	return gain, err
}

func gainOf(tx progress.Reading, entries []syncing.LogEntry) (map[tally.Figure]int64, error) {
	said := map[hlc.ID]tally.Record{}
	for _, e := range entries {
		if kind, registers, ok := syncing.ContentOf(e); ok {
			said[e.Record] = tally.Record{ID: e.Record, Kind: kind, Registers: record.Merge(said[e.Record].Registers, registers)}
		}
	}
	before, err := standingAround(tx, said)
	if err != nil {
		return nil, err
	}
	after := maps.Clone(before)
	for id, r := range said {
		r.Registers = record.Merge(before[id].Registers, r.Registers)
		after[id] = r
	}
	was, is := tally.Of(maps.Values(before), 0), tally.Of(maps.Values(after), 0)
	gain := map[tally.Figure]int64{}
	for _, f := range tally.Figures() {
		cell := tally.Cell{Basis: tally.Reported, Figure: f, Cut: tally.Everything()}
		if n := is.Value(cell) - was.Value(cell); n != 0 {
			gain[f] = n
		}
	}
	return gain, nil
}

// standingAround are the records as they stand which some would touch or belong to, with all that these are counted with.
func standingAround(tx progress.Reading, said map[hlc.ID]tally.Record) (map[hlc.ID]tally.Record, error) {
	var ids []hlc.ID
	for id, r := range said {
		owner, duplicateOf := tally.Links(&r)
		ids = append(ids, id, owner, duplicateOf)
	}
	slices.SortFunc(ids, hlc.CompareIDs)
	standing, err := tx.Records(slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	roots := make([]hlc.ID, 0, len(standing))
	for _, r := range standing {
		roots = append(roots, r.Root)
	}
	slices.SortFunc(roots, hlc.CompareIDs)
	tied, err := syncing.Tied(tx, slices.Compact(roots))
	if err != nil {
		return nil, err
	}
	all := make(map[hlc.ID]tally.Record, len(tied))
	for _, r := range tied {
		if record.Confidential(r.Kind) || record.SetUp(r.Kind) {
			continue
		}
		registers, err := record.DecodeState(r.State)
		if err != nil {
			return nil, err
		}
		all[r.ID] = tally.Record{ID: r.ID, Kind: r.Kind, Registers: registers}
	}
	return all, nil
}
