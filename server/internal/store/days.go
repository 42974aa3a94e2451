package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// The columns of what is kept by day; those of figures have their names.
const (
	partColumns = `basis, day, team, site, service_area, town`
	workColumns = `day, worker, records, minutes, case_sessions, group_sessions, community_activities, outreach_rounds`
	metColumns  = `basis, dimension, day, before, first, key, tokens`
)

var (
	figureColumns = func() []string {
		var names []string
		for _, f := range progress.SummedFigures {
			names = append(names, f.String())
		}
		return names
	}()
	sumColumns = `records, ` + strings.Join(figureColumns, ", ")
	addSums    = `ON CONFLICT (deployment, ` + partColumns + `) DO UPDATE SET ` + adding("day_sums", append([]string{"records"}, figureColumns...)...)
	addWork    = `ON CONFLICT (deployment, day, worker) DO UPDATE SET ` + adding("work_days", strings.Split(workColumns, ", ")[2:]...)
)

// adding is what adds the columns of a row to those of the one that is there.
func adding(table string, columns ...string) string {
	sets := make([]string, 0, len(columns))
	for _, c := range columns {
		sets = append(sets, c+" = "+table+"."+c+" + excluded."+c)
	}
	return strings.Join(sets, ", ")
}

// saveDays moves what is kept by day by the facts that came and went.
func (t *Tx) saveDays(c syncing.Changes) error {
	d := progress.DaysOf(c.Totals.Moves)
	rows := make([][]any, 0, len(d.Sums))
	for _, p := range slices.SortedFunc(maps.Keys(d.Sums), compareParts) {
		s := d.Sums[p]
		row := []any{t.id, p.Basis.String(), int32(p.Day), p.Team, p.Site, p.ServiceArea, p.Town, s.Records}
		for _, n := range s.Figures {
			row = append(row, n)
		}
		rows = append(rows, row)
	}
	if err := t.bulk(`INSERT INTO day_sums (deployment, `+partColumns+`, `+sumColumns+`)`, addSums, rows); err != nil {
		return err
	}
	rows = nil
	for _, w := range slices.SortedFunc(maps.Keys(d.Work), func(a, b progress.WorkDay) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), slices.Compare(a.Worker[:], b.Worker[:]))
	}) {
		s := d.Work[w]
		rows = append(rows, []any{t.id, int32(w.Day), w.Worker[:], s.Records, s.Minutes, s.Held[0], s.Held[1], s.Held[2], s.Held[3]})
	}
	if err := t.bulk(`INSERT INTO work_days (deployment, `+workColumns+`)`, addWork, rows); err != nil {
		return err
	}
	if err := t.saveMet(d.Met); err != nil {
		return err
	}
	return t.saveTold(c.Told)
}

// saveTold moves what is kept by day of goods and alerts.
func (t *Tx) saveTold(moved syncing.Told) error {
	var rows [][]any
	for _, g := range slices.SortedFunc(maps.Keys(moved.Goods), func(a, b syncing.GoodsDay) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Noted, b.Noted), hlc.CompareIDs(a.Audience, b.Audience), cmp.Compare(a.What, b.What), cmp.Compare(a.Unit, b.Unit))
	}) {
		if s := moved.Goods[g]; s != (syncing.GoodsSums{}) {
			rows = append(rows, []any{t.id, int32(g.Day), int32(g.Noted), g.Audience[:], int(g.What), g.Unit, s.Links, s.Quantity, s.Yuan})
		}
	}
	if err := t.bulk(`INSERT INTO goods_days (deployment, day, noted, audience, what, unit, links, quantity, yuan)`,
		`ON CONFLICT (deployment, day, noted, audience, what, unit) DO UPDATE SET `+adding("goods_days", "links", "quantity", "yuan"), rows); err != nil {
		return err
	}
	rows = nil
	for _, a := range slices.SortedFunc(maps.Keys(moved.Alerts), func(a, b syncing.AlertDay) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), hlc.CompareIDs(a.Audience, b.Audience))
	}) {
		if s := moved.Alerts[a]; s != (syncing.AlertSums{}) {
			rows = append(rows, []any{t.id, int32(a.Day), a.Audience[:], s.Sent, s.Open})
		}
	}
	return t.bulk(`INSERT INTO alert_days (deployment, day, audience, sent, open)`,
		`ON CONFLICT (deployment, day, audience) DO UPDATE SET `+adding("alert_days", "sent", "open"), rows)
}

// saveMet moves how often tokens are met, and with it how many are met on which days: the other days of a token have a say in
// that, so they are read again.
func (t *Tx) saveMet(moved map[progress.Meeting]int64) error {
	if len(moved) == 0 {
		return nil
	}
	was := map[tally.Token]map[progress.Meeting]int64{}
	for m := range moved {
		was[m.Token] = map[progress.Meeting]int64{}
	}
	tokens := slices.SortedFunc(maps.Keys(was), func(a, b tally.Token) int { return slices.Compare(a[:], b[:]) })
	if err := t.meetingsOf(tokens, func(m progress.Meeting, n int64) { was[m.Token][m] = n }); err != nil {
		return err
	}
	met := map[progress.MetDay]int64{}
	now := make(map[tally.Token]map[progress.Meeting]int64, len(was))
	for token, meetings := range was {
		for day, n := range progress.MetDaysOf(meetings) {
			met[day] -= n
		}
		now[token] = maps.Clone(meetings)
	}
	var rows [][]any
	for _, m := range slices.SortedFunc(maps.Keys(moved), compareMeetings) {
		now[m.Token][m] += moved[m]
		if now[m.Token][m] != 0 {
			rows = append(rows, []any{t.id, m.Token[:], m.Basis.String(), int32(m.Day), m.Team, m.Site, m.ServiceArea, m.Town, moved[m]})
		} else if err := t.run(`DELETE FROM meetings WHERE deployment = $1 AND token = $2 AND basis = $3 AND day = $4 AND team = $5 AND site = $6 AND service_area = $7 AND town = $8`,
			t.id, m.Token[:], m.Basis.String(), int32(m.Day), m.Team, m.Site, m.ServiceArea, m.Town); err != nil {
			return err
		}
	}
	if err := t.bulk(`INSERT INTO meetings (deployment, token, `+partColumns+`, count)`,
		`ON CONFLICT (deployment, token, `+partColumns+`) DO UPDATE SET count = meetings.count + excluded.count`, rows); err != nil {
		return err
	}
	for _, meetings := range now {
		for day, n := range progress.MetDaysOf(meetings) {
			met[day] += n
		}
	}
	rows = nil
	for _, m := range slices.SortedFunc(maps.Keys(met), compareMetDays) {
		if n := met[m]; n != 0 {
			rows = append(rows, []any{t.id, m.Basis.String(), m.Dimension.String(), int32(m.Day), int32(m.Before), int32(m.First), m.Key, n})
		}
	}
	return t.bulk(`INSERT INTO met_days (deployment, `+metColumns+`)`,
		`ON CONFLICT (deployment, basis, dimension, day, before, first, key) DO UPDATE SET tokens = met_days.tokens + excluded.tokens`, rows)
}

func (t *Tx) meetingsOf(tokens []tally.Token, meeting func(progress.Meeting, int64)) error {
	keys := make([]any, len(tokens))
	for i := range tokens {
		keys[i] = tokens[i][:]
	}
	return t.inKeys(`SELECT token, `+partColumns+`, count FROM meetings WHERE deployment = $1 AND token IN (…)`, keys, func(row scanner) error {
		m, n, err := scanMeeting(row)
		if err == nil {
			meeting(m, n)
		}
		return err
	})
}

func scanMeeting(row scanner) (m progress.Meeting, n int64, err error) {
	var token []byte
	var basis string
	if err = row.Scan(&token, &basis, &m.Day, &m.Team, &m.Site, &m.ServiceArea, &m.Town, &n); err != nil {
		return m, n, err
	}
	m.Token = tally.Token(token)
	m.Basis, err = tally.ParseBasis(basis)
	return m, n, err
}

// In one order, as the totals are.
func compareParts(a, b progress.DayPart) int {
	return cmp.Or(cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Team, b.Team), cmp.Compare(a.Site, b.Site),
		cmp.Compare(a.ServiceArea, b.ServiceArea), cmp.Compare(a.Town, b.Town))
}

func compareMeetings(a, b progress.Meeting) int {
	return cmp.Or(slices.Compare(a.Token[:], b.Token[:]), compareParts(a.DayPart, b.DayPart))
}

func compareMetDays(a, b progress.MetDay) int {
	return cmp.Or(cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Before, b.Before),
		cmp.Compare(a.First, b.First), cmp.Compare(a.Key, b.Key))
}

// SumsOfDays implements progress.KeptDays.
func (t *Tx) SumsOfDays(basis tally.Basis, from, to record.Date, row func(progress.DayPart, progress.DaySums) error) error {
	return t.each(sumsOfDays, []any{t.id, basis.String(), int32(from), int32(to)}, func(s scanner) error {
		p := progress.DayPart{Basis: basis}
		var sums progress.DaySums
		into := []any{&p.Team, &p.Site, &p.ServiceArea, &p.Town, &sums.Records}
		for i := range sums.Figures {
			into = append(into, &sums.Figures[i])
		}
		if err := s.Scan(into...); err != nil {
			return err
		}
		return row(p, sums)
	})
}

var sumsOfDays = `SELECT team, site, service_area, town, sum(records), sum(` + strings.Join(figureColumns, `), sum(`) + `) FROM day_sums
	WHERE deployment = $1 AND basis = $2 AND day BETWEEN $3 AND $4 GROUP BY team, site, service_area, town HAVING sum(records) > 0`

// WorkOfDays implements progress.KeptDays.
func (t *Tx) WorkOfDays(from, to record.Date, row func(progress.WorkedDays) error) error {
	return t.each(`SELECT worker, count(*), min(day), max(day), sum(minutes), sum(case_sessions), sum(group_sessions), sum(community_activities), sum(outreach_rounds)
		FROM work_days WHERE deployment = $1 AND day BETWEEN $2 AND $3 AND records > 0 GROUP BY worker`, []any{t.id, int32(from), int32(to)}, func(s scanner) error {
		var w progress.WorkedDays
		var worker []byte
		if err := s.Scan(&worker, &w.Days, &w.From, &w.To, &w.Minutes, &w.Held[0], &w.Held[1], &w.Held[2], &w.Held[3]); err != nil {
			return err
		}
		w.Worker = idOrNone(worker)
		return row(w)
	})
}

// MetInDays implements progress.KeptDays. Of each day on which anybody is met it looks at those alone who were not met since the
// first one.
func (t *Tx) MetInDays(basis tally.Basis, dimension tally.Dimension, from, to record.Date, row func(key string, met, fresh int64) error) error {
	return t.each(`SELECT m.key, sum(m.tokens), sum(CASE WHEN m.before = 0 AND m.first >= $5 THEN m.tokens ELSE 0 END)
		FROM (SELECT DISTINCT day FROM met_days WHERE deployment = $1 AND basis = $2 AND dimension = $3 AND day BETWEEN $5 AND $6) dates
			CROSS JOIN met_days m
		WHERE m.deployment = $1 AND m.basis = $2 AND m.dimension = $4 AND m.day = dates.day AND m.before < $5 GROUP BY m.key HAVING sum(m.tokens) > 0`,
		[]any{t.id, basis.String(), tally.Whole.String(), dimension.String(), int32(from), int32(to)}, func(s scanner) error {
			var key string
			var met, fresh int64
			if err := s.Scan(&key, &met, &fresh); err != nil {
				return err
			}
			return row(key, met, fresh)
		})
}

// MeetingsOfTeam implements progress.KeptDays.
func (t *Tx) MeetingsOfTeam(basis tally.Basis, team string, from, to record.Date, row func(m progress.Meeting, fresh bool) error) error {
	return t.each(`SELECT m.token, m.day, m.site, m.service_area, m.town,
			NOT EXISTS (SELECT 1 FROM meetings earlier WHERE earlier.deployment = $1 AND earlier.token = m.token AND earlier.basis = $2 AND earlier.day < $4 AND earlier.count > 0)
		FROM meetings m WHERE m.deployment = $1 AND m.basis = $2 AND m.team = $3 AND m.day BETWEEN $4 AND $5 AND m.count > 0`,
		[]any{t.id, basis.String(), team, int32(from), int32(to)}, func(s scanner) error {
			m := progress.Meeting{DayPart: progress.DayPart{Basis: basis, Team: team}}
			var token []byte
			var fresh bool
			if err := s.Scan(&token, &m.Day, &m.Site, &m.ServiceArea, &m.Town, &fresh); err != nil {
				return err
			}
			m.Token = tally.Token(token)
			return row(m, fresh)
		})
}
