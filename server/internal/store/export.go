package store

import (
	"context"
	"slices"

	"levee/server/internal/export"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Export implements export.Store.
func (d *Deployment) Export(ctx context.Context, fn func(export.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}

// CountsOfKind implements export.Reading. It looks at an index alone.
func (t *Tx) CountsOfKind(kind recordv1.Kind) (map[hlc.ID]uint64, error) {
	counts := map[hlc.ID]uint64{}
	err := t.each(`SELECT audience, count(*) FROM records WHERE deployment = $1 AND kind = $2 GROUP BY audience`, []any{t.id, int32(kind)}, func(row scanner) error {
		var audience []byte
		var n uint64
		if err := row.Scan(&audience, &n); err != nil {
			return err
		}
		counts[hlc.ID(audience)] = n
		return nil
	})
	return counts, err
}

// EachOfKind implements export.Reading. Of all of them together only the ids are in memory.
func (t *Tx) EachOfKind(kind recordv1.Kind, row func(syncing.Record) error) error {
	ids, err := t.ids(`SELECT id FROM records WHERE deployment = $1 AND kind = $2 ORDER BY id`, t.id, int32(kind))
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, inSizes[len(inSizes)-1]) {
		records, err := t.Records(some)
		if err != nil {
			return err
		}
		slices.SortFunc(records, func(a, b syncing.Record) int { return hlc.CompareIDs(a.ID, b.ID) })
		for _, r := range records {
			if err := row(r); err != nil {
				return err
			}
		}
	}
	return nil
}
