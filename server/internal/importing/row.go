package importing

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/server/internal/export"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// row is a row of a table that says a record.
type row struct {
	*columns
	number int
	export.Row
	// known: the id stands in the file. So the row was a record once, and is taken as it is; any other was written by hand, and what
	// goes without saying is filled in.
	known bool
	// bad: something is wrong with the row, with those fields among others.
	bad    bool
	faulty []protowire.Number
}

// columns are those of a table.
type columns struct {
	*sheet
	of []column
	// lacking are fields that rows need and that have no column.
	lacking []protowire.Number
}

// column is a column of a file that says something.
type column struct {
	export.Column
	at      int
	heading string
}

// in is what stands in the column in a row.
func (c column) in(cells []string) string {
	if c.at >= len(cells) {
		return ""
	}
	return cells[c.at]
}

// sheet reads the rows of a table.
func (c *checking) sheet(s *sheet) {
	if len(s.rows) == 0 {
		return
	}
	of, rows := c.headings(s)
	if of == nil {
		return
	}
	for _, l := range rows {
		c.row(of, l)
	}
}

// headings finds the columns of a table, and the rows below them. An export has two rows of headings, the labels and the stable
// names: then the second one counts.
func (c *checking) headings(s *sheet) (*columns, []line) {
	all := c.writing.Columns(s.kind, true)
	named := func(heading string) bool {
		return heading == "" || slices.ContainsFunc(all, func(c export.Column) bool { return c.Name == heading })
	}
	head, rows := s.rows[0], s.rows[1:]
	if len(rows) > 0 && !slices.ContainsFunc(rows[0].cells, func(cell string) bool { return !named(cell) }) {
		head, rows = rows[0], rows[1:]
	}
	of := &columns{sheet: s}
	for at, heading := range head.cells {
		heading = strings.TrimSpace(heading)
		i := slices.IndexFunc(all, func(c export.Column) bool { return c.Called(heading) })
		switch {
		case heading == "":
		case i < 0:
			c.plan.Unknown = append(c.plan.Unknown, UnknownColumn{s.name, heading})
		case slices.ContainsFunc(of.of, func(c column) bool { return c.Name == all[i].Name }):
			f := wrongRow(s.name, head.number, twoColumns)
			f.Column, f.Heading = column{at: at}.letter(), heading
			c.fault(*f)
		default:
			of.of = append(of.of, column{all[i], at, heading})
		}
	}
	switch {
	case len(of.of) == 0:
		c.fault(*wrongRow(s.name, head.number, noColumn))
		return nil, nil
	case slices.Contains(registered, s.kind) && !slices.ContainsFunc(of.of, func(c column) bool { return c.Name == "token" }):
		c.plan.Tokenless = append(c.plan.Tokenless, s.title())
		return nil, nil
	}
	return of, rows
}

// row reads one row.
func (c *checking) row(of *columns, l line) {
	r := &row{columns: of, number: l.number, Row: export.Row{Message: record.New(of.kind)}}
	mark := ""
	for _, col := range of.of {
		cell := col.in(l.cells)
		switch {
		case cell == "":
			continue
		case col.Field() == 0 && !isID(cell):
			mark = strings.TrimSpace(cell)
			continue
		case c.owners(of.kind, col.Field()) != nil && !isID(cell):
			owner, text := c.marked(c.owners(of.kind, col.Field()), strings.TrimSpace(cell))
			if owner == nil {
				c.wrong(r, col.Field(), text)
				continue
			}
			cell = owner.ID.String()
		}
		if err := col.Parse(cell, &r.Row); err != nil {
			c.wrong(r, col.Field(), sayingOf(err))
		}
	}
	if r.known = r.ID != (hlc.ID{}); !r.known {
		r.ID = c.identify(r)
	}
	if other := c.byID[r.ID]; other != nil {
		c.wrong(r, 0, saying(sameID, other.number))
		return
	}
	c.byID[r.ID] = r
	c.rows = append(c.rows, r)
	if mark != "" {
		if c.marks[r.kind] == nil {
			c.marks[r.kind] = map[string]*row{}
		}
		if other := c.marks[r.kind][mark]; other != nil {
			c.wrong(r, 0, saying(sameID, other.number))
		}
		c.marks[r.kind][mark] = r
	}
}

// owners are the kinds of the records of which a field of a kind names one that must be there before: what the record belongs
// to, and the participant of an attendance; none for other fields.
func (c *checking) owners(k record.Kind, field protowire.Number) (owners []record.Kind) {
	switch {
	case field == 0:
	case field == record.OwnerField(k):
		for _, owner := range kinds {
			if record.MayOwn(owner, k) {
				owners = append(owners, owner)
			}
		}
	case k == recordv1.Kind_KIND_ATTENDANCE && field == participantField:
		owners = append(owners, recordv1.Kind_KIND_PARTICIPANT)
	}
	return owners
}

// participantField is that of an Attendance.
const participantField protowire.Number = 17

// marked is the row of some kinds that is called by a mark; nil, and why, when there is not one.
func (c *checking) marked(of []record.Kind, mark string) (found *row, text func(*words.Words) string) {
	for _, k := range of {
		switch r := c.marks[k][mark]; {
		case r == nil:
		case found != nil:
			return nil, saying(ownerUnclear)
		default:
			found = r
		}
	}
	return found, saying(ownerMissing)
}
