package store

import (
	"cmp"
	"fmt"
	"slices"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
)

// Save implements syncing.Writing.
func (t *Tx) Save(c syncing.Changes) error {
	if err := t.Append(c.Log); err != nil {
		return err
	}
	saves := []func(syncing.Changes) error{t.saveDecided, t.saveRecords, t.saveDecisions, t.saveDepartures, t.savePostings, t.saveReplicas, t.saveTotals, t.saveDays, t.saveContacts,
		func(c syncing.Changes) error { return t.unword(c.Unfound) }}
	for _, save := range saves {
		if err := save(c); err != nil {
			return err
		}
	}
	moved := c.Head != (syncing.Head{})
	if moved || len(c.Contacts)+len(c.Made)+len(c.Records) > 0 {
		isAlert := func(r syncing.Record) bool { return r.Kind == recordv1.Kind_KIND_RISK_ALERT }
		// Whom an alert goes to is in the set-up.
		t.tell(moved && c.Head.SetUp == c.Head.Chain || slices.ContainsFunc(c.Made, isAlert) || slices.ContainsFunc(c.Records, isAlert))
	}
	if !moved {
		return nil
	}
	return t.run(`INSERT INTO deployments (deployment, position, chain, time, ahead, set_up, days) VALUES ($1, $2, $3, $4, $5, $6, 1)
		ON CONFLICT (deployment) DO UPDATE SET position = excluded.position, chain = excluded.chain, time = excluded.time, ahead = excluded.ahead, set_up = excluded.set_up`,
		t.id, int64(c.Head.Position), c.Head.Chain[:], int64(c.Head.Time), int64(c.Head.Ahead), c.Head.SetUp[:]) //nolint:gosec // all below 63 bits
}

// Append implements syncing.Writing.
func (t *Tx) Append(log []syncing.LogEntry) error {
	rows, cells := make([][]any, len(log)), make([]any, 0, 13*len(log))
	id := any(t.id)
	for i := range log {
		e := &log[i]
		from := len(cells)
		cells = append(cells, id, int64(e.Position), int64(e.Replica), int64(e.Sequence), e.Change[:], e.Record[:], e.Outcome, e.Body, e.Hash, e.Chain[:], e.Received, orNull(e.WaitsFor), bit(e.Makes)) //nolint:gosec // below 63 bits
		rows[i] = cells[from:]
	}
	return t.bulk(`INSERT INTO log (deployment, position, replica, sequence, change, record, outcome, body, hash, chain, received, waits_for, made)`, ``, rows)
}

// saveDecided changes what became of earlier entries. What the log's chain is made of stays.
func (t *Tx) saveDecided(c syncing.Changes) error {
	for _, e := range c.Decided {
		if err := t.run(`UPDATE log SET outcome = $3, waits_for = $4 WHERE deployment = $1 AND position = $2`,
			t.id, int64(e.Position), e.Outcome, orNull(e.WaitsFor)); err != nil { //nolint:gosec // below 63 bits
			return err
		}
	}
	return nil
}

func (t *Tx) saveDecisions(c syncing.Changes) error {
	for _, d := range c.Decisions {
		if err := t.run(`INSERT INTO decisions (deployment, change, record) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, t.id, d.Change[:], d.Record[:]); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) saveDepartures(c syncing.Changes) error {
	rows := make([][]any, len(c.Departures))
	for i, d := range c.Departures {
		rows[i] = []any{t.id, d.Audience[:], int64(d.Position), d.Record[:], bit(d.Reset)} //nolint:gosec // below 63 bits
	}
	return t.bulk(`INSERT INTO departures (deployment, audience, position, record, reset)`, `ON CONFLICT DO NOTHING`, rows)
}

func (t *Tx) saveRecords(c syncing.Changes) error {
	const insert = `INSERT INTO records (deployment, id, kind, root, audience, position, origin, origin_after, day, duplicate_of, orphan_of, unsettled, state, made)`
	if err := t.bulk(insert, ``, t.recordRows(c.Made)); err != nil {
		if t.db.engine.Taken(err) {
			err = fmt.Errorf("%w: %w", syncing.ErrNotNew, err)
		}
		return err
	}
	return t.bulk(insert, `ON CONFLICT (deployment, id) DO UPDATE SET kind = excluded.kind, root = excluded.root, audience = excluded.audience, position = excluded.position,
			origin = excluded.origin, origin_after = excluded.origin_after, day = excluded.day, duplicate_of = excluded.duplicate_of, orphan_of = excluded.orphan_of, unsettled = excluded.unsettled, state = excluded.state`,
		t.recordRows(c.Records))
}

func (t *Tx) recordRows(records []syncing.Record) [][]any {
	rows, cells := make([][]any, len(records)), make([]any, 0, 14*len(records))
	id := any(t.id)
	for i := range records {
		r := &records[i]
		from := len(cells)
		cells = append(cells, id, r.ID[:], int32(r.Kind), r.Root[:], r.Audience[:], int64(r.Position), int64(r.Origin), int64(r.OriginAfter), r.Day, orNull(r.DuplicateOf), orNull(r.OrphanOf), bit(r.Unsettled), r.State, int64(r.Made)) //nolint:gosec // below 63 bits
		rows[i] = cells[from:]
	}
	return rows
}

func (t *Tx) savePostings(c syncing.Changes) error {
	rows := make([][]any, len(c.Postings))
	for i, p := range c.Postings {
		rows[i] = []any{t.id, p.Worker[:], int64(p.Since), p.Team[:], int32(p.Role), joined(p.Supervises), bit(p.External)} //nolint:gosec // below 63 bits
	}
	return t.bulk(`INSERT INTO postings (deployment, worker, since, team, role, supervises, external)`,
		`ON CONFLICT (deployment, worker, since) DO UPDATE SET team = excluded.team, role = excluded.role, supervises = excluded.supervises, external = excluded.external`, rows)
}

// joined are ids, one after the other.
func joined(ids []hlc.ID) []byte {
	b := make([]byte, 0, len(ids)*len(hlc.ID{}))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return b
}

func (t *Tx) saveReplicas(c syncing.Changes) error {
	for _, r := range c.Replicas {
		if r.Have == 0 {
			continue // looked up and never written
		}
		if err := t.run(`INSERT INTO replicas (deployment, replica, device, have, chain, durable) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (deployment, replica) DO UPDATE SET have = excluded.have, chain = excluded.chain, durable = excluded.durable`,
			t.id, int64(r.Number), r.Device[:], int64(r.Have), r.Chain[:], int64(r.Durable)); err != nil { //nolint:gosec // below 63 bits
			return err
		}
	}
	return nil
}

// saveTotals moves the totals by a group's difference. Distinct persons are counted by how often each token is met: a
// person comes when the count leaves 0, and goes when it returns there.
func (t *Tx) saveTotals(c syncing.Changes) error {
	persons := map[tally.Cell]int64{}
	for _, cell := range sortedTokens(c.Totals.Tokens) {
		by := c.Totals.Tokens[cell]
		var now int64
		_, err := t.one(`INSERT INTO tokens (deployment, basis, dimension, key, token, count) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (deployment, basis, dimension, key, token) DO UPDATE SET count = tokens.count + excluded.count RETURNING count`,
			[]any{t.id, cell.Basis.String(), cell.Dimension.String(), cell.Key, cell.Token[:], by}, &now)
		if err != nil {
			return err
		}
		at := tally.Cell{Basis: cell.Basis, Figure: tally.Persons, Cut: cell.Cut}
		switch was := now - by; {
		case was <= 0 && now > 0:
			persons[at]++
		case was > 0 && now <= 0:
			persons[at]--
		}
		if now == 0 {
			if err := t.run(`DELETE FROM tokens WHERE deployment = $1 AND basis = $2 AND dimension = $3 AND key = $4 AND token = $5`,
				t.id, cell.Basis.String(), cell.Dimension.String(), cell.Key, cell.Token[:]); err != nil {
				return err
			}
		}
	}
	moved := map[tally.Cell]int64{}
	for cell, by := range c.Totals.Cells {
		moved[cell] += by
		if cell.Figure == tally.PersonsByNumber {
			persons[tally.Cell{Basis: cell.Basis, Figure: tally.Persons, Cut: cell.Cut}] += by
		}
	}
	for cell, by := range persons {
		moved[cell] += by
	}
	var rows [][]any
	for cell, by := range moved {
		if by != 0 {
			rows = append(rows, []any{t.id, cell.Basis.String(), cell.Figure.String(), cell.Dimension.String(), cell.Key, by})
		}
	}
	// In one order, so that statements of several servers never wait for each other in a circle.
	slices.SortFunc(rows, func(a, b []any) int {
		return cmp.Or(cmp.Compare(a[1].(string), b[1].(string)), cmp.Compare(a[2].(string), b[2].(string)),
			cmp.Compare(a[3].(string), b[3].(string)), cmp.Compare(a[4].(string), b[4].(string)))
	})
	return t.bulk(`INSERT INTO totals (deployment, basis, figure, dimension, key, value)`,
		`ON CONFLICT (deployment, basis, figure, dimension, key) DO UPDATE SET value = totals.value + excluded.value`, rows)
}

func sortedTokens(tokens map[tally.TokenCell]int64) []tally.TokenCell {
	cells := make([]tally.TokenCell, 0, len(tokens))
	for cell := range tokens {
		cells = append(cells, cell)
	}
	slices.SortFunc(cells, func(a, b tally.TokenCell) int {
		return cmp.Or(cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Key, b.Key), slices.Compare(a.Token[:], b.Token[:]))
	})
	return cells
}

// saveContacts notes what devices said. Another server may have heard of a device since and have noted it already; but what lies
// far in the future was noted by a wrong clock.
func (t *Tx) saveContacts(c syncing.Changes) error {
	for _, contact := range c.Contacts {
		if err := t.run(`UPDATE devices SET last_contact = $3, unsent = $4, app = CASE WHEN $5 = '' THEN app ELSE $5 END
			WHERE deployment = $1 AND device = $2 AND (last_contact <= $3 OR last_contact > $6)`,
			t.id, contact.Device[:], contact.At, int64(contact.Unsent), contact.App, contact.At+syncing.MaxSkew.Milliseconds()); err != nil { //nolint:gosec // a count of changes
			return err
		}
	}
	return nil
}

// Total is one stored total; 0 when it never moved.
func (t *Tx) Total(c tally.Cell) (int64, error) {
	var value int64
	_, err := t.one(`SELECT value FROM totals WHERE deployment = $1 AND basis = $2 AND figure = $3 AND dimension = $4 AND key = $5`,
		[]any{t.id, c.Basis.String(), c.Figure.String(), c.Dimension.String(), c.Key}, &value)
	return value, err
}
