package store

import (
	"context"
	"strconv"

	"levee/server/internal/indexing"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Words are the statements by which an engine keeps which words stand in which document: each has its own way.
type Words struct {
	// Put has number and words, in place of those that it had; Drop has the number.
	Put, Drop string
	// Find has a query, the first and the last number, and how many to give.
	Find string
	// Query is a query in the engine's own language.
	Query func(indexing.WordQuery) string
	// Compact leaves nothing of what was dropped.
	Compact string
}

// Index implements indexing.Store.
func (d *Deployment) Index(ctx context.Context, fn func(indexing.Writing) error) error {
	return d.db.transact(ctx, d.db.write, false, func(tx *Tx) error {
		tx.id = d.id[:]
		return fn(tx)
	})
}

// LookUp implements indexing.Store.
func (d *Deployment) LookUp(ctx context.Context, fn func(indexing.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}

// Cursor implements indexing.Following and indexing.Reading.
func (t *Tx) Cursor() (indexing.Cursor, error) {
	var c indexing.Cursor
	there, err := t.one(`SELECT number, version, position FROM indexed WHERE deployment = $1`, []any{t.id}, &c.Number, &c.Version, &c.Position)
	if err != nil || there || t.of != t.db.write {
		return c, err
	}
	_, err = t.one(`SELECT coalesce(max(number), 0) + 1 FROM indexed`, nil, &c.Number)
	return c, err
}

// Entries implements indexing.Following.
func (t *Tx) Entries(after uint64, limit int) ([]syncing.LogEntry, error) {
	return t.logEntries(`SELECT `+logColumns+` FROM log WHERE deployment = $1 AND position > $2 ORDER BY position LIMIT $3`, t.id, int64(after), limit) //nolint:gosec // a position of the log
}

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

const caseColumns = `record, audience, lead, stage, opened_on, last_session_on, next_due_on, closed, closed_on, followup_due_on, evaluated`

func scanCase(row scanner) (indexing.Case, error) {
	var c indexing.Case
	var id, audience, lead []byte
	if err := row.Scan(&id, &audience, &lead, &c.Stage, &c.OpenedOn, &c.LastSessionOn, &c.NextDueOn, &c.Closed, &c.ClosedOn, &c.FollowupDueOn, &c.Evaluated); err != nil {
		return c, err
	}
	c.Record, c.Audience, c.Lead = hlc.ID(id), hlc.ID(audience), hlc.ID(lead)
	return c, nil
}

func scanLikeness(row scanner) (indexing.Likeness, error) {
	var l indexing.Likeness
	var id []byte
	if err := row.Scan(&id, &l.Likeness); err != nil {
		return l, err
	}
	l.Record = hlc.ID(id)
	return l, nil
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

func scanDocument(row scanner) (indexing.Document, error) {
	var d indexing.Document
	var id []byte
	if err := row.Scan(&id, &d.Number, &d.Digest); err != nil {
		return d, err
	}
	d.Record = hlc.ID(id)
	return d, nil
}

// Reviewing implements indexing.Stored.
func (t *Tx) Reviewing(ids []hlc.ID) ([]indexing.Reviewed, error) {
	return rowsIn(t, `SELECT `+reviewingColumns+` FROM reviewing WHERE deployment = $1 AND record IN (…)`, ids, scanReviewed)
}

// Cases implements indexing.Stored.
func (t *Tx) Cases(ids []hlc.ID) ([]indexing.Case, error) {
	return rowsIn(t, `SELECT `+caseColumns+` FROM casework WHERE deployment = $1 AND record IN (…)`, ids, scanCase)
}

// Likenesses implements indexing.Stored.
func (t *Tx) Likenesses(ids []hlc.ID) ([]indexing.Likeness, error) {
	return rowsIn(t, `SELECT record, likeness FROM likenesses WHERE deployment = $1 AND record IN (…)`, ids, scanLikeness)
}

// Distinctions implements indexing.Stored.
func (t *Tx) Distinctions(ids []hlc.ID) ([]indexing.Distinction, error) {
	return rowsIn(t, `SELECT record, earlier, later FROM distinctions WHERE deployment = $1 AND record IN (…)`, ids, scanDistinction)
}

// Distinct implements indexing.Stored.
func (t *Tx) Distinct(earlier []hlc.ID) ([]indexing.Distinction, error) {
	return rowsIn(t, `SELECT record, earlier, later FROM distinctions WHERE deployment = $1 AND earlier IN (…)`, earlier, scanDistinction)
}

// Documents implements indexing.Stored.
func (t *Tx) Documents(ids []hlc.ID) ([]indexing.Document, error) {
	return rowsIn(t, `SELECT record, number, digest FROM documents WHERE deployment = $1 AND record IN (…)`, ids, scanDocument)
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

// Alike implements indexing.Stored.
func (t *Tx) Alike(l indexing.Likeness, limit int) ([]hlc.ID, error) {
	return t.ids(`SELECT record FROM (SELECT record FROM likenesses WHERE deployment = $1 AND likeness = $2 AND record < $3 ORDER BY record DESC LIMIT $4) AS earlier
		UNION ALL SELECT record FROM (SELECT record FROM likenesses WHERE deployment = $1 AND likeness = $2 AND record > $3 ORDER BY record LIMIT $4) AS later`,
		t.id, l.Likeness, l.Record[:], limit)
}

// SaveLikenesses implements indexing.Writing.
func (t *Tx) SaveLikenesses(c indexing.Rows[indexing.Likeness, hlc.ID]) error {
	if err := t.drop(`DELETE FROM likenesses WHERE deployment = $1 AND record IN (…)`, c.Drop); err != nil {
		return err
	}
	rows := make([][]any, len(c.Put))
	for i, l := range c.Put {
		rows[i] = []any{t.id, l.Record[:], l.Likeness}
	}
	return t.bulk(`INSERT INTO likenesses (deployment, record, likeness)`, `ON CONFLICT (deployment, record) DO UPDATE SET likeness = excluded.likeness`, rows)
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

// SaveIndex implements indexing.Writing.
func (t *Tx) SaveIndex(c indexing.Changes) error {
	for _, save := range []func(indexing.Changes) error{t.saveReviewing, t.saveLikely, t.saveCases, t.saveDocuments} {
		if err := save(c); err != nil {
			return err
		}
	}
	return t.run(`INSERT INTO indexed (deployment, number, version, position) VALUES ($1, $2, $3, $4)
		ON CONFLICT (deployment) DO UPDATE SET version = excluded.version, position = excluded.position`,
		t.id, int64(c.Cursor.Number), c.Cursor.Version, int64(c.Cursor.Position)) //nolint:gosec // below 63 bits
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

func (t *Tx) saveCases(c indexing.Changes) error {
	ids := c.Cases.Drop
	if err := t.drop(`DELETE FROM casework WHERE deployment = $1 AND record IN (…)`, ids); err != nil {
		return err
	}
	rows, days := make([][]any, len(c.Cases.Put)), [][]any{}
	for i, r := range c.Cases.Put {
		rows[i] = []any{t.id, r.Record[:], r.Audience[:], r.Lead[:], int32(r.Stage), int32(r.OpenedOn), int32(r.LastSessionOn), int32(r.NextDueOn),
			r.Closed, int32(r.ClosedOn), int32(r.FollowupDueOn), r.Evaluated}
		for list, day := range r.Days() {
			days = append(days, []any{t.id, r.Record[:], int(list), int32(day), r.Audience[:], r.Lead[:]})
		}
		ids = append(ids, r.Record)
	}
	if err := t.bulk(`INSERT INTO casework (deployment, record, audience, lead, stage, opened_on, last_session_on, next_due_on, closed, closed_on, followup_due_on, evaluated)`,
		`ON CONFLICT (deployment, record) DO UPDATE SET audience = excluded.audience, lead = excluded.lead, stage = excluded.stage, opened_on = excluded.opened_on,
			last_session_on = excluded.last_session_on, next_due_on = excluded.next_due_on, closed = excluded.closed, closed_on = excluded.closed_on,
			followup_due_on = excluded.followup_due_on, evaluated = excluded.evaluated`, rows); err != nil {
		return err
	}
	if err := t.drop(`DELETE FROM case_days WHERE deployment = $1 AND record IN (…)`, ids); err != nil {
		return err
	}
	return t.bulk(`INSERT INTO case_days (deployment, record, list, day, audience, lead)`, ``, days)
}

func (t *Tx) saveDocuments(c indexing.Changes) error {
	if err := t.dropDocuments(c.Documents.Drop); err != nil {
		return err
	}
	rows := make([][]any, len(c.Documents.Put))
	for i, d := range c.Documents.Put {
		if err := t.run(t.db.words.Put, int64(d.Number), d.Words); err != nil { //nolint:gosec // below 63 bits
			return err
		}
		rows[i] = []any{t.id, d.Record[:], int64(d.Number), int64(d.Digest)} //nolint:gosec // below 63 bits
	}
	return t.bulk(`INSERT INTO documents (deployment, record, number, digest)`, `ON CONFLICT (deployment, record) DO UPDATE SET digest = excluded.digest`, rows)
}

func (t *Tx) dropDocuments(documents []indexing.Document) error {
	ids := make([]hlc.ID, len(documents))
	for i, d := range documents {
		ids[i] = d.Record
		if err := t.run(t.db.words.Drop, int64(d.Number)); err != nil { //nolint:gosec // below 63 bits
			return err
		}
	}
	return t.drop(`DELETE FROM documents WHERE deployment = $1 AND record IN (…)`, ids)
}

// removeIndexed takes records that are removed out of all that is made from them, in the same transaction.
func (t *Tx) removeIndexed(ids []hlc.ID) error {
	reviewed, err := t.Reviewing(ids)
	if err != nil {
		return err
	}
	for _, r := range reviewed {
		if err := t.countReviews([]indexing.ReviewCount{{Audience: r.Audience, Kind: r.Kind, Standing: r.Standing, Count: -1}}); err != nil {
			return err
		}
	}
	documents, err := t.Documents(ids)
	if err != nil {
		return err
	}
	if err := t.dropDocuments(documents); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM reviewing WHERE deployment = $1 AND record IN (…)`,
		`DELETE FROM likenesses WHERE deployment = $1 AND record IN (…)`,
		`DELETE FROM distinctions WHERE deployment = $1 AND record IN (…)`,
		`DELETE FROM likely WHERE deployment = $1 AND earlier IN (…)`,
		`DELETE FROM likely WHERE deployment = $1 AND later IN (…)`,
		`DELETE FROM casework WHERE deployment = $1 AND record IN (…)`,
		`DELETE FROM case_days WHERE deployment = $1 AND record IN (…)`,
	} {
		if err := t.drop(statement, ids); err != nil {
			return err
		}
	}
	return nil
}

// drop runs a statement that deletes.
func (t *Tx) drop(statement string, ids []hlc.ID) error {
	return t.in(statement, ids, func(scanner) error { return nil })
}

// rowsIn are the rows of some records.
func rowsIn[Row any](t *Tx, query string, ids []hlc.ID, scan func(scanner) (Row, error)) ([]Row, error) {
	var rows []Row
	err := t.in(query, ids, func(s scanner) error {
		row, err := scan(s)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

func rowsOf[Row any](t *Tx, query string, args []any, scan func(scanner) (Row, error)) ([]Row, error) {
	var rows []Row
	err := t.each(query, args, func(s scanner) error {
		row, err := scan(s)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

// conditions builds the end of a query: conditions on columns, each with its arguments.
type conditions struct {
	text string
	args []any
}

// add adds a condition in which ? stands for each argument.
func (c *conditions) add(condition string, args ...any) {
	for _, part := range condition {
		if part != '?' {
			c.text += string(part)
			continue
		}
		c.args = append(c.args, args[0])
		args = args[1:]
		c.text += "$" + strconv.Itoa(len(c.args))
	}
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

// CaseDays implements indexing.Listing.
func (t *Tx) CaseDays(r indexing.CaseRun) ([]indexing.CaseDay, error) {
	c := conditions{text: `SELECT record, day, audience FROM case_days`}
	c.add(` WHERE deployment = ? AND list = ?`, t.id, int(r.List))
	switch {
	case r.Team != nil:
		c.add(` AND audience = ?`, r.Team[:])
	case r.Lead != nil:
		c.add(` AND lead = ?`, r.Lead[:])
	}
	c.add(` AND day <= ?`, int32(r.Until))
	if r.After != (indexing.CasePlace{}) {
		c.add(` AND (day, record) > (?, ?)`, int32(r.After.Day), r.After.Record[:])
	}
	c.add(` ORDER BY day, record LIMIT ?`, r.Limit)
	return rowsOf(t, c.text, c.args, func(row scanner) (d indexing.CaseDay, err error) {
		var id, audience []byte
		if err = row.Scan(&id, &d.Day, &audience); err == nil {
			d.Record, d.Audience = hlc.ID(id), hlc.ID(audience)
		}
		return d, err
	})
}

// CaseCounts implements indexing.Listing.
func (t *Tx) CaseCounts(list indexing.CaseList, until record.Date, by indexing.CasesBy) ([]indexing.CaseCount, error) {
	column := `audience`
	if by == indexing.ByLead {
		column = `lead`
	}
	return rowsOf(t, `SELECT `+column+`, count(*) FROM case_days WHERE deployment = $1 AND list = $2 AND day <= $3 GROUP BY `+column, []any{t.id, int(list), int32(until)},
		func(row scanner) (c indexing.CaseCount, err error) {
			var of []byte
			if err = row.Scan(&of, &c.Count); err == nil {
				c.Of = hlc.ID(of)
			}
			return c, err
		})
}

// Find implements indexing.Searching.
func (t *Tx) Find(q indexing.WordQuery, from, to uint64, limit int) ([]uint64, error) {
	return rowsOf(t, t.db.words.Find, []any{t.db.words.Query(q), int64(from), int64(to), limit}, func(row scanner) (number uint64, err error) { //nolint:gosec // below 63 bits
		err = row.Scan(&number)
		return number, err
	})
}

// RecordAt implements indexing.Searching.
func (t *Tx) RecordAt(position uint64) (hlc.ID, bool, error) {
	var id []byte
	ok, err := t.one(`SELECT record FROM log WHERE deployment = $1 AND position = $2`, []any{t.id, int64(position)}, &id) //nolint:gosec // a position of the log
	return idOrNone(id), ok, err
}

func eachOf[Row any](t *Tx, query string, scan func(scanner) (Row, error), fn func(Row) error) error {
	return t.each(query, []any{t.id}, func(s scanner) error {
		row, err := scan(s)
		if err != nil {
			return err
		}
		return fn(row)
	})
}

// EachReviewed implements indexing.Everything.
func (t *Tx) EachReviewed(row func(indexing.Reviewed) error) error {
	return eachOf(t, `SELECT `+reviewingColumns+` FROM reviewing WHERE deployment = $1`, scanReviewed, row)
}

// EachCase implements indexing.Everything.
func (t *Tx) EachCase(row func(indexing.Case) error) error {
	return eachOf(t, `SELECT `+caseColumns+` FROM casework WHERE deployment = $1`, scanCase, row)
}

// EachLikeness implements indexing.Everything.
func (t *Tx) EachLikeness(row func(indexing.Likeness) error) error {
	return eachOf(t, `SELECT record, likeness FROM likenesses WHERE deployment = $1`, scanLikeness, row)
}

// EachDistinction implements indexing.Everything.
func (t *Tx) EachDistinction(row func(indexing.Distinction) error) error {
	return eachOf(t, `SELECT record, earlier, later FROM distinctions WHERE deployment = $1`, scanDistinction, row)
}

// EachPair implements indexing.Everything.
func (t *Tx) EachPair(row func(indexing.Pair) error) error {
	return eachOf(t, `SELECT `+pairColumns+` FROM likely WHERE deployment = $1`, scanPair, row)
}

// EachDocument implements indexing.Everything.
func (t *Tx) EachDocument(row func(indexing.Document) error) error {
	return eachOf(t, `SELECT record, number, digest FROM documents WHERE deployment = $1`, scanDocument, row)
}
