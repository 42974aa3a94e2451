package store

import (
	"levee/server/internal/indexing"
	"levee/syncproto/hlc"
)

const reviewingColumns = `record, audience, kind, standing, day, author`

func scanReviewed(row scanner) (indexing.Reviewed, error) {
	var r indexing.Reviewed
	var id, audience, author []byte
	if err := row.Scan(&id, &audience, &r.Kind, &r.Standing, &r.Day, &author); err != nil {
		return r, err
	}
	r.Record, r.Audience, r.Author = hlc.ID(id), hlc.ID(audience), hlc.ID(author)
	return r, nil
}

// Reviewing implements indexing.Stored.
func (t *Tx) Reviewing(ids []hlc.ID) ([]indexing.Reviewed, error) {
	return rowsIn(t, `SELECT `+reviewingColumns+` FROM reviewing WHERE deployment = $1 AND record IN (…)`, ids, scanReviewed)
}

func (t *Tx) saveReviewing(c indexing.Changes) error {
	if err := t.drop(`DELETE FROM reviewing WHERE deployment = $1 AND record IN (…)`, c.Reviewing.Drop); err != nil {
		return err
	}
	rows := make([][]any, len(c.Reviewing.Put))
	for i, r := range c.Reviewing.Put {
		rows[i] = []any{t.id, r.Record[:], r.Audience[:], int32(r.Kind), int(r.Standing), int32(r.Day), r.Author[:]}
	}
	if err := t.bulk(`INSERT INTO reviewing (deployment, record, audience, kind, standing, day, author)`,
		`ON CONFLICT (deployment, record) DO UPDATE SET audience = excluded.audience, kind = excluded.kind, standing = excluded.standing, day = excluded.day, author = excluded.author`,
		rows); err != nil {
		return err
	}
	return t.countReviews(c.Counts)
}

func (t *Tx) countReviews(moved []indexing.ReviewCount) error {
	rows := make([][]any, len(moved))
	for i, m := range moved {
		rows[i] = []any{t.id, m.Audience[:], int32(m.Kind), int(m.Standing), m.Count}
	}
	return t.bulk(`INSERT INTO review_counts (deployment, audience, kind, standing, count)`,
		`ON CONFLICT (deployment, audience, kind, standing) DO UPDATE SET count = review_counts.count + excluded.count`, rows)
}

// Queue implements indexing.Listing.
func (t *Tx) Queue(r indexing.QueueRun) ([]indexing.Reviewed, error) {
	c := conditions{text: `SELECT ` + reviewingColumns + ` FROM reviewing`}
	c.add(` WHERE deployment = ? AND audience = ? AND standing = ?`, t.id, r.Team[:], int(r.Standing))
	if r.Kind != 0 {
		c.add(` AND kind = ?`, int32(r.Kind))
	}
	c.add(` AND day >= ? AND day <= ?`, int32(r.From), int32(r.To))
	if r.After.Day != 0 {
		c.add(` AND (day, record) < (?, ?)`, int32(r.After.Day), r.After.Record[:])
	}
	c.add(` ORDER BY day DESC, record DESC LIMIT ?`, r.Limit)
	return rowsOf(t, c.text, c.args, scanReviewed)
}

// ReviewCounts implements indexing.Listing.
func (t *Tx) ReviewCounts() ([]indexing.ReviewCount, error) {
	return rowsOf(t, `SELECT audience, kind, standing, count FROM review_counts WHERE deployment = $1 AND count <> 0 ORDER BY audience, kind, standing`, []any{t.id},
		func(row scanner) (c indexing.ReviewCount, err error) {
			var audience []byte
			if err = row.Scan(&audience, &c.Kind, &c.Standing, &c.Count); err == nil {
				c.Audience = hlc.ID(audience)
			}
			return c, err
		})
}

// EachReviewed implements indexing.Everything.
func (t *Tx) EachReviewed(row func(indexing.Reviewed) error) error {
	return eachOf(t, `SELECT `+reviewingColumns+` FROM reviewing WHERE deployment = $1`, scanReviewed, row)
}
