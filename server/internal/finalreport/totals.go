package finalreport

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"levee/server/internal/charts"
	"levee/server/internal/export"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/syncproto/certificate"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// totals are those of a certificate, by what they are about.
type totals struct {
	values map[certificate.Line]int64
	// names are what the certificate calls keys, by dimension and key.
	names map[[2]string]string
}

func totalsOf(c *certificate.Certificate) totals {
	t := totals{map[certificate.Line]int64{}, map[[2]string]string{}}
	for _, one := range c.Totals {
		if one.Name != "" {
			t.names[[2]string{one.By, one.Key}] = one.Name
		}
		one.Name = ""
		t.values[one.Line] = one.Value
	}
	return t
}

// value is a total; 0 where the certificate has none.
func (t totals) value(basis tally.Basis, figure string, by tally.Dimension, key string) int64 {
	if figure == progress.Beneficiaries {
		figure = tally.Persons.String()
	}
	return t.values[certificate.Line{Basis: basis.String(), Figure: figure, By: by.String(), Key: key}]
}

// keys are those of a dimension, in the order of progress: numbers by their value, what is not stated first.
func (t totals) keys(by tally.Dimension) []string {
	keys := map[string]bool{}
	for line := range t.values {
		if line.By == by.String() {
			keys[line.Key] = true
		}
	}
	return slices.SortedFunc(maps.Keys(keys), func(a, b string) int {
		if by == tally.AgeBand || by == tally.ServiceArea {
			return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
		}
		return cmp.Compare(a, b)
	})
}

// label is what people call a key of a dimension.
func (m *maker) label(by tally.Dimension, key string) string {
	if name := m.names[[2]string{by.String(), key}]; name != "" {
		return name
	}
	return progress.LabelOf(m.setUp, by, key).In(m.Lang())
}

// whole is a reported total of the whole deployment.
func (m *maker) whole(figure string) int64 {
	return m.value(tally.Reported, figure, tally.Whole, "")
}

// measure is a column of figures: a figure on a basis.
type measure struct {
	basis  tally.Basis
	figure string
}

// Columns of tables: what was done and for how many; the same without cases, of which there are few in a village; people alone.
var (
	heldMeasures = []measure{
		{tally.Reported, "cases"}, {tally.Reported, "case_sessions"}, {tally.Reported, "group_sessions"}, {tally.Reported, "community_activities"}, {tally.Reported, "outreach_rounds"},
		{tally.Reported, "contacts"}, {tally.Reported, "persons"}, {tally.Verified, "persons"},
	}
	villageMeasures = slices.DeleteFunc(slices.Clone(heldMeasures), func(c measure) bool {
		return c.figure == "cases" || c.figure == "case_sessions" || c.basis == tally.Verified
	})
	peopleMeasures = []measure{{tally.Reported, "contacts"}, {tally.Reported, "persons"}}
)

// part is a row of figures.
type part struct {
	key, label string
	depth      int
	// values are of each measure; untold ones are not told of, because they are of few people.
	values []int64
	untold []bool
}

// part is the row of one key.
func (m *maker) part(by tally.Dimension, key string, measures []measure) part {
	p := part{key: key, label: m.label(by, key), values: make([]int64, len(measures)), untold: make([]bool, len(measures))}
	for i, c := range measures {
		p.values[i] = m.value(c.basis, c.figure, by, key)
	}
	return p
}

// figureTable is a table of parts, with the whole below them.
func (m *maker) figureTable(name, title string, of Column, measures []measure, parts []part) *Table {
	t := &Table{Name: name, Title: title, Columns: []Column{of}}
	for _, c := range measures {
		column := m.figureColumn(c.figure)
		if c.basis == tally.Verified {
			column = m.numbers(c.figure+"_verified", ofThemVerified)
		}
		t.Columns = append(t.Columns, column)
	}
	for _, p := range append(parts, m.part(tally.Whole, "", measures)) {
		row := Row{Cells: []Cell{{Text: p.label}}, Depth: p.depth}
		for i, n := range p.values {
			if p.untold[i] {
				row.Cells = append(row.Cells, Cell{Text: few})
			} else {
				row.Cells = append(row.Cells, m.number(n))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	t.Rows[len(parts)].Sum = true
	return t
}

// figureColumn is the column of a figure, with the deployment's own word.
func (m *maker) figureColumn(name string) Column {
	label := m.figure(name).Label
	return Column{Name: name, Label: m.Either(label.En, label.Zh), Other: m.Either(label.Zh, label.En), Number: true}
}

func (m *maker) figure(name string) progress.Figure { return figureIn(m.figures, name) }

func figureIn(figures []progress.Figure, name string) progress.Figure {
	if i := slices.IndexFunc(figures, func(f progress.Figure) bool { return f.Name == name }); i >= 0 {
		return figures[i]
	}
	return progress.Figure{Name: name, Label: progress.Text{Zh: name, En: name}} // of a newer server
}

// chart draws one column of a table, without its sum.
func chart(t *Table, column int) *charts.Table {
	c := &charts.Table{Title: t.Title + " · " + t.Columns[column].Label, Columns: []string{t.Columns[column].Label}}
	for _, row := range t.Rows {
		if n := row.Cells[column].Number; n != nil && !row.Sum {
			c.Rows = append(c.Rows, charts.Row{Label: row.Cells[0].Text, Values: []int64{*n}})
		}
	}
	return c
}

// columnOf is which column of a table has a name.
func columnOf(t *Table, name string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// withChart is a table, and a chart of one of its columns.
func withChart(t *Table, column string) []Block {
	return []Block{{Table: t}, {Chart: chart(t, columnOf(t, column))}}
}

// towns has each town in a line of text too, as it is quoted.
func (m *maker) towns() []Block {
	var parts []part
	var lines []string
	for _, key := range m.keys(tally.Place) {
		if len(key) == progress.TownDigits {
			parts = append(parts, m.part(tally.Place, key, heldMeasures))
			lines = append(lines, m.Say(townLine, m.label(tally.Place, key), m.done(tally.Place, key), m.text(m.value(tally.Reported, "persons", tally.Place, key)), m.text(m.value(tally.Reported, "contacts", tally.Place, key))))
		}
	}
	if len(parts) == 0 {
		return []Block{{Text: m.Say(noTown)}}
	}
	t := m.figureTable("towns", m.Say(townsTitle), m.column("town", townWord), heldMeasures, parts)
	return append(append([]Block{{List: lines}}, withChart(t, "persons")...), Block{Note: m.Say(personsNote)})
}

// levels has the places down to towns in one table, each within the one before that is wider, and villages in another one.
func (m *maker) levels() []Block {
	var wide, villages []part
	for _, key := range m.keys(tally.Place) {
		for depth, level := range progress.Levels {
			switch {
			case level.Digits != len(key):
			case level.Digits > progress.TownDigits:
				villages = append(villages, m.part(tally.Place, key, villageMeasures))
			default:
				p := m.part(tally.Place, key, heldMeasures)
				p.depth = depth
				wide = append(wide, p)
			}
		}
	}
	if len(wide) == 0 {
		return []Block{{Text: m.Say(noPlace)}}
	}
	blocks := []Block{{Table: m.figureTable("levels", m.Say(levelsTitle), m.column("place", placeWord), heldMeasures, wide)}, {Note: m.Say(personsNote)}}
	if len(villages) > 0 {
		leaveOut(villages, villageMeasures, func(p part) string { return p.key[:progress.TownDigits] })
		blocks = append(blocks, Block{Table: m.figureTable("villages", m.Say(villagesTitle), m.column("village", villageWord), villageMeasures, villages)})
		blocks = append(blocks, m.fewNote(villages)...)
	}
	return blocks
}

func (m *maker) serviceAreas() []Block {
	var parts []part
	for _, key := range m.keys(tally.ServiceArea) {
		parts = append(parts, m.part(tally.ServiceArea, key, heldMeasures))
	}
	t := m.figureTable("service_areas", m.Say(areasTitle), m.column("service_area", areaWord), heldMeasures, parts)
	return append(withChart(t, "persons"), Block{Note: m.Say(areasNote)})
}

// people divides by sex, and by age.
func (m *maker) people() []Block {
	var blocks []Block
	var all []part
	for _, one := range []struct {
		by            tally.Dimension
		title, column string
	}{{tally.Sex, m.Say(sexTitle), "sex"}, {tally.AgeBand, m.Say(ageTitle), "age_band"}} {
		var parts []part
		for _, key := range m.keys(one.by) {
			parts = append(parts, m.part(one.by, key, peopleMeasures))
		}
		if one.by == tally.AgeBand && len(parts) > 0 && parts[0].key == "0" { // whose age is not known come last
			parts = append(parts[1:], parts[0])
		}
		leaveOut(parts, peopleMeasures, func(part) string { return "" })
		t := m.figureTable(one.column, one.title, m.column(one.column, dimensionWords[one.by]), peopleMeasures, parts)
		blocks, all = append(blocks, withChart(t, "persons")...), append(all, parts...)
	}
	return append(append(blocks, m.fewNote(all)...), Block{Note: m.Say(peopleNote)})
}

// fewNote says why numbers of some parts are not told, where there are any.
func (m *maker) fewNote(parts []part) []Block {
	if !slices.ContainsFunc(parts, func(p part) bool { return slices.Contains(p.untold, true) }) {
		return nil
	}
	return []Block{{Note: m.Say(fewNote, few, report.Small)}}
}

// leaveOut leaves out contacts and persons of parts where either are few, as they are parts of groups whose sums are told.
func leaveOut(parts []part, measures []measure, group func(part) string) {
	groups := map[string][]int{}
	for i, p := range parts {
		groups[group(p)] = append(groups[group(p)], i)
	}
	var people []int
	for i, c := range measures {
		if slices.Contains(peopleMeasures, c) {
			people = append(people, i)
		}
	}
	for _, of := range groups {
		hidden := map[int]bool{}
		for _, column := range people {
			numbers := make([]int64, len(of))
			for i, at := range of {
				numbers[i] = parts[at].values[column]
			}
			for i, out := range export.Untold(numbers) {
				hidden[of[i]] = hidden[of[i]] || out
			}
		}
		for at, out := range hidden {
			for _, column := range people {
				parts[at].untold[column] = out
			}
		}
	}
}

// weeks adds the certificate's days up. Persons are distinct within each week, so that they are counted from the records.
func (m *maker) weeks() []Block {
	measures := slices.DeleteFunc(slices.Clone(heldMeasures), func(c measure) bool { return c.basis == tally.Verified })
	first, last := m.days()
	var parts []part
	at := map[record.Date]int{}
	for monday := first.Monday(); monday <= last; monday = monday.AddDays(7) {
		at[monday] = len(parts)
		p := part{label: m.span(max(monday, first), min(monday.AddDays(6), last)), values: make([]int64, len(measures)), untold: make([]bool, len(measures))}
		for i, c := range measures {
			if c.figure == "persons" {
				p.values[i] = m.counted.persons[monday]
			}
		}
		parts = append(parts, p)
	}
	for _, key := range m.keys(tally.Day) {
		if day, err := record.ParseDate(key); err == nil {
			p := parts[at[day.Monday()]]
			for i, c := range measures {
				if c.figure != "persons" {
					p.values[i] += m.value(c.basis, c.figure, tally.Day, key)
				}
			}
		}
	}
	t := m.figureTable("weeks", m.Say(weeksTitle), m.column("week", weekWord), measures, parts)
	return append(withChart(t, "contacts"), Block{Note: m.Say(weeksNote)})
}

// days are the first and last day of the deployment, or those before and after on which something counts, such as a follow-up visit.
func (m *maker) days() (first, last record.Date) {
	first, last = m.start(), m.end()
	for _, key := range m.keys(tally.Day) {
		if day, err := record.ParseDate(key); err == nil {
			first, last = min(first, day), max(last, day)
		}
	}
	return first, last
}

// span is from a day to another, without the years where all days are in one.
func (m *maker) span(from, to record.Date) string {
	say := m.DayAndMonth
	if m.start()/10000 != m.end()/10000 {
		say = m.Date
	}
	return m.Say(fromTo, say(from), say(to))
}

// done is what was held in a part.
func (m *maker) done(by tally.Dimension, key string) string {
	var numbers []int64
	for _, t := range things {
		numbers = append(numbers, m.value(tally.Reported, t.figure, by, key))
	}
	return heldIn(m.Words, m.figures, numbers)
}

func (m *maker) text(n int64) string { return numberIn(m.Words, n) }

func (m *maker) number(n int64) Cell { return Cell{m.text(n), &n} }

// paragraphsOf are the lines of a text that say something.
func paragraphsOf(text string) []Block {
	var all []Block
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, Block{Text: line})
		}
	}
	return all
}
