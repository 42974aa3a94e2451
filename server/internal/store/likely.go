package store

import (
	"slices"

	"levee/server/internal/indexing"
	"levee/syncproto/hlc"
)

func scanLikeness(row scanner) (l indexing.Likeness, err error) {
	err = row.Scan(&l.Record, &l.Likeness, &l.Traits)
	return l, err
}

func scanDistinction(row scanner) (indexing.Distinction, error) {
	var d indexing.Distinction
	var id, earlier, later []byte
	if err := row.Scan(&id, &earlier, &later); err != nil {
		return d, err
	}
	d.Record, d.Earlier, d.Later = hlc.ID(id), hlc.ID(earlier), hlc.ID(later)
	return d, nil
}

const pairColumns = `earlier, later, kind, day, audience, later_audience`

func scanPair(row scanner) (indexing.Pair, error) {
	var p indexing.Pair
	var earlier, later, audience, laterAudience []byte
	if err := row.Scan(&earlier, &later, &p.Kind, &p.Day, &audience, &laterAudience); err != nil {
		return p, err
	}
	p.Earlier, p.Later, p.Audience, p.LaterAudience = hlc.ID(earlier), hlc.ID(later), hlc.ID(audience), hlc.ID(laterAudience)
	return p, nil
}

// Likenesses implements indexing.Stored.
func (t *Tx) Likenesses(ids []hlc.ID) ([]indexing.Likeness, error) {
	return rowsIn(t, `SELECT record, likeness, traits FROM likenesses WHERE deployment = $1 AND record IN (…)`, ids, scanLikeness)
}

// Distinctions implements indexing.Stored.
func (t *Tx) Distinctions(ids []hlc.ID) ([]indexing.Distinction, error) {
	return rowsIn(t, `SELECT record, earlier, later FROM distinctions WHERE deployment = $1 AND record IN (…)`, ids, scanDistinction)
}

// Distinct implements indexing.Stored.
func (t *Tx) Distinct(earlier []hlc.ID) ([]indexing.Distinction, error) {
	return rowsIn(t, `SELECT record, earlier, later FROM distinctions WHERE deployment = $1 AND earlier IN (…)`, earlier, scanDistinction)
}

// Pairs implements indexing.Stored and indexing.Listing.
func (t *Tx) Pairs(ids []hlc.ID) ([]indexing.Pair, error) {
	pairs, err := rowsIn(t, `SELECT `+pairColumns+` FROM likely WHERE deployment = $1 AND earlier IN (…)`, ids, scanPair)
	if err != nil {
		return nil, err
	}
	later, err := rowsIn(t, `SELECT `+pairColumns+` FROM likely WHERE deployment = $1 AND later IN (…)`, ids, scanPair)
	return append(pairs, later...), err
}

// Alike implements indexing.Stored. What has one likeness is read from the first that is asked for on, in pieces, so that those between
// two of them are read once.
func (t *Tx) Alike(of []indexing.Likeness, limit int) ([]indexing.Likeness, error) {
	asked := map[string][]hlc.ID{}
	for _, l := range of {
		asked[string(l.Likeness)] = append(asked[string(l.Likeness)], l.Record)
	}
	var alike []indexing.Likeness
	for likeness, ids := range asked {
		slices.SortFunc(ids, hlc.CompareIDs)
		for len(ids) > 0 {
			piece := limit*min(len(ids), 8) + 1 // the one is itself
			rows, err := rowsOf(t, `SELECT record, traits FROM (SELECT record, traits FROM likenesses WHERE deployment = $1 AND likeness = $2 AND record < $3 ORDER BY record DESC LIMIT $4) AS earlier
				UNION ALL SELECT record, traits FROM (SELECT record, traits FROM likenesses WHERE deployment = $1 AND likeness = $2 AND record >= $3 ORDER BY record LIMIT $5) AS later`,
				[]any{t.id, []byte(likeness), ids[0][:], limit, piece}, func(row scanner) (indexing.Likeness, error) {
					l := indexing.Likeness{Likeness: []byte(likeness)}
					err := row.Scan(&l.Record, &l.Traits)
					return l, err
				})
			if err != nil {
				return nil, err
			}
			alike = append(alike, rows...)
			later := slices.DeleteFunc(rows, func(l indexing.Likeness) bool { return hlc.CompareIDs(l.Record, ids[0]) < 0 })
			if len(later) < piece {
				break // there are no more
			}
			slices.SortFunc(later, func(a, b indexing.Likeness) int { return hlc.CompareIDs(a.Record, b.Record) })
			whole := later[len(later)-1-limit].Record // the last one with so many after it
			ids = slices.DeleteFunc(ids, func(id hlc.ID) bool { return hlc.CompareIDs(id, whole) <= 0 })
		}
	}
	return alike, nil
}

// SaveLikenesses implements indexing.Writing.
func (t *Tx) SaveLikenesses(c indexing.Rows[indexing.Likeness, hlc.ID]) error {
	if err := t.drop(`DELETE FROM likenesses WHERE deployment = $1 AND record IN (…)`, c.Drop); err != nil {
		return err
	}
	rows := make([][]any, len(c.Put))
	for i, l := range c.Put {
		rows[i] = []any{t.id, l.Record[:], l.Likeness, orEmpty(l.Traits)}
	}
	return t.bulk(`INSERT INTO likenesses (deployment, record, likeness, traits)`,
		`ON CONFLICT (deployment, record) DO UPDATE SET likeness = excluded.likeness, traits = excluded.traits`, rows)
}

// SaveDistinctions implements indexing.Writing.
func (t *Tx) SaveDistinctions(c indexing.Rows[indexing.Distinction, hlc.ID]) error {
	if err := t.drop(`DELETE FROM distinctions WHERE deployment = $1 AND record IN (…)`, c.Drop); err != nil {
		return err
	}
	rows := make([][]any, len(c.Put))
	for i, d := range c.Put {
		rows[i] = []any{t.id, d.Record[:], d.Earlier[:], d.Later[:]}
	}
	return t.bulk(`INSERT INTO distinctions (deployment, record, earlier, later)`,
		`ON CONFLICT (deployment, record) DO UPDATE SET earlier = excluded.earlier, later = excluded.later`, rows)
}

func (t *Tx) saveLikely(c indexing.Changes) error {
	for _, ids := range c.Likely.Drop {
		if err := t.run(`DELETE FROM likely WHERE deployment = $1 AND earlier = $2 AND later = $3`, t.id, ids[0][:], ids[1][:]); err != nil {
			return err
		}
	}
	rows := make([][]any, len(c.Likely.Put))
	for i, p := range c.Likely.Put {
		rows[i] = []any{t.id, p.Earlier[:], p.Later[:], int32(p.Kind), int32(p.Day), p.Audience[:], p.LaterAudience[:]}
	}
	return t.bulk(`INSERT INTO likely (deployment, earlier, later, kind, day, audience, later_audience)`,
		`ON CONFLICT (deployment, earlier, later) DO UPDATE SET kind = excluded.kind, day = excluded.day, audience = excluded.audience, later_audience = excluded.later_audience`, rows)
}

// Likely implements indexing.Listing.
func (t *Tx) Likely(r indexing.LikelyRun) ([]indexing.Pair, error) {
	c := conditions{text: `SELECT ` + pairColumns + ` FROM likely`}
	c.add(` WHERE deployment = ?`, t.id)
	if r.Team != nil {
		c.add(` AND audience = ?`, r.Team[:])
	}
	if r.After != (indexing.PairPlace{}) {
		c.add(` AND (day, earlier, later) < (?, ?, ?)`, int32(r.After.Day), r.After.Earlier[:], r.After.Later[:])
	} else {
		c.add(` AND day <= ?`, 99991231)
	}
	c.add(` ORDER BY day DESC, earlier DESC, later DESC LIMIT ?`, r.Limit)
	return rowsOf(t, c.text, c.args, scanPair)
}

// EachLikeness implements indexing.Everything.
func (t *Tx) EachLikeness(row func(indexing.Likeness) error) error {
	return eachOf(t, `SELECT record, likeness, traits FROM likenesses WHERE deployment = $1`, scanLikeness, row)
}

// EachDistinction implements indexing.Everything.
func (t *Tx) EachDistinction(row func(indexing.Distinction) error) error {
	return eachOf(t, `SELECT record, earlier, later FROM distinctions WHERE deployment = $1`, scanDistinction, row)
}

// EachPair implements indexing.Everything.
func (t *Tx) EachPair(row func(indexing.Pair) error) error {
	return eachOf(t, `SELECT `+pairColumns+` FROM likely WHERE deployment = $1`, scanPair, row)
}
