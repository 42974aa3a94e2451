package store

import (
	"levee/server/internal/indexing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

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

// Cases implements indexing.Stored.
func (t *Tx) Cases(ids []hlc.ID) ([]indexing.Case, error) {
	return rowsIn(t, `SELECT `+caseColumns+` FROM casework WHERE deployment = $1 AND record IN (…)`, ids, scanCase)
}

func (t *Tx) saveCases(c indexing.Changes) error {
	ids := c.Cases.Drop
	if err := t.drop(`DELETE FROM casework WHERE deployment = $1 AND record IN (…)`, ids); err != nil {
		return err
	}
	rows, days := make([][]any, len(c.Cases.Put)), [][]any{}
	for i, r := range c.Cases.Put {
		rows[i] = []any{t.id, r.Record[:], r.Audience[:], r.Lead[:], int32(r.Stage), int32(r.OpenedOn), int32(r.LastSessionOn), int32(r.NextDueOn),
			bit(r.Closed), int32(r.ClosedOn), int32(r.FollowupDueOn), bit(r.Evaluated)}
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
	if err := t.bulk(`INSERT INTO case_days (deployment, record, list, day, audience, lead)`, ``, days); err != nil {
		return err
	}
	return t.countOpen(c.Open)
}

// countOpen moves how many cases are open.
func (t *Tx) countOpen(moved []indexing.StageCount) error {
	rows := make([][]any, len(moved))
	for i, m := range moved {
		rows[i] = []any{t.id, m.Audience[:], int32(m.Stage), m.Count}
	}
	return t.bulk(`INSERT INTO open_cases (deployment, audience, stage, count)`,
		`ON CONFLICT (deployment, audience, stage) DO UPDATE SET count = open_cases.count + excluded.count`, rows)
}

// OpenCases implements indexing.Everything and report.Reading.
func (t *Tx) OpenCases() ([]indexing.StageCount, error) {
	return rowsOf(t, `SELECT audience, stage, count FROM open_cases WHERE deployment = $1 AND count <> 0 ORDER BY audience, stage`, []any{t.id}, func(row scanner) (c indexing.StageCount, err error) {
		var audience []byte
		if err = row.Scan(&audience, &c.Stage, &c.Count); err == nil {
			c.Audience = hlc.ID(audience)
		}
		return c, err
	})
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

// EachCase implements indexing.Everything.
func (t *Tx) EachCase(row func(indexing.Case) error) error {
	return eachOf(t, `SELECT `+caseColumns+` FROM casework WHERE deployment = $1`, scanCase, row)
}
