package importing

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/export"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// checking is the making of a plan.
type checking struct {
	deployment hlc.ID
	by         casefile.Reader
	setUp      *syncing.SetUp
	rules      record.Deployment
	writing    *export.Writing
	plan       *Plan

	rows []*row
	byID map[hlc.ID]*row
	// marks are the rows that are called by something that is no id, which holds within the file; nil for several of a kind.
	marks map[record.Kind]map[string]*row
	// alike counts rows that say the same.
	alike map[[sha256.Size]byte]uint64
	// there are the records of the deployment with ids that are in the file.
	there map[hlc.ID]standing
}

// standing is a record that is there already.
type standing struct {
	syncing.Record
	message record.Common
}

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

func newChecking(s *Service, by casefile.Reader, setUp *syncing.SetUp) *checking {
	c := &checking{deployment: s.Syncing.Deployment(), by: by, setUp: setUp, rules: setUp.Rules, plan: &Plan{}, byID: map[hlc.ID]*row{},
		marks: map[record.Kind]map[string]*row{}, alike: map[[sha256.Size]byte]uint64{}, there: map[hlc.ID]standing{}}
	c.rules.Now = s.Wall()
	return c
}

// check makes the plan.
func (c *checking) check(tx Reading, in *reading) error {
	c.plan.LeftOut = in.leftOut
	for _, s := range in.sheets {
		c.sheet(s)
	}
	if err := c.lookUp(tx); err != nil {
		return err
	}
	hash := sha256.New()
	for _, r := range c.rows {
		t := c.table(r.kind)
		if was, ok := c.there[r.ID]; ok {
			switch {
			case was.Kind != r.kind:
				c.wrong(r, 0, saying(otherKind))
			case !c.sees(was.Audience):
				c.wrong(r, 0, saying(notYourTeam))
			case r.bad:
			case r.says(was.message):
				t.Same++
			default:
				t.Differing++
			}
			continue
		}
		fields := c.judge(r)
		if r.bad {
			continue
		}
		t.Made++
		c.plan.made = append(c.plan.made, syncing.Deed{ID: r.ID, Message: r.Message})
		_, _ = hash.Write(r.ID[:]) // a hash takes everything
		sum := sha256.Sum256(fields)
		_, _ = hash.Write(sum[:])
	}
	c.plan.Digest = hex.EncodeToString(hash.Sum(nil)[:16])
	order := func(f Fault) int {
		return slices.IndexFunc(in.sheets, func(s *sheet) bool { return s.name == f.Table })
	}
	slices.SortStableFunc(c.plan.Faults, func(a, b Fault) int { return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Row, b.Row)) })
	return nil
}

// table is what the plan says of a kind.
func (c *checking) table(k record.Kind) *Table {
	i := slices.IndexFunc(c.plan.Tables, func(t Table) bool { return t.Kind == k })
	if i < 0 {
		c.plan.Tables = append(c.plan.Tables, Table{Kind: k})
		i = len(c.plan.Tables) - 1
	}
	return &c.plan.Tables[i]
}

// fault notes that something is wrong.
func (c *checking) fault(f Fault) {
	if c.plan.Wrong++; len(c.plan.Faults) < maxFaults {
		c.plan.Faults = append(c.plan.Faults, f)
	}
}

// wrong notes that something is wrong with a row: at its column of a field, or as a whole when the file has no such column.
func (c *checking) wrong(r *row, field protowire.Number, text func(*words.Words) string) {
	r.bad, r.faulty = true, append(r.faulty, field)
	f := Fault{Table: r.name, Row: r.number, text: text}
	if i := slices.IndexFunc(r.of, func(c column) bool { return field != 0 && c.Field() == field }); i >= 0 {
		f.Column, f.Heading = r.of[i].letter(), r.of[i].heading
	} else if field != 0 {
		label := record.New(r.kind).ProtoReflect().Descriptor().Fields().ByNumber(field)
		f.text = func(w *words.Words) string { return w.Labelled(w.Field(label), text(w)) }
	}
	c.fault(f)
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

// lookUp finds the records of the deployment with the ids that are in the file.
func (c *checking) lookUp(tx Reading) error {
	var ids []hlc.ID
	for _, r := range c.rows {
		ids = append(ids, r.ID)
		for _, f := range []protowire.Number{record.OwnerField(r.kind), record.DuplicateOfField} {
			ids = append(ids, r.references(f)...)
		}
	}
	slices.SortFunc(ids, hlc.CompareIDs)
	found, err := tx.Records(slices.Compact(ids))
	if err != nil {
		return err
	}
	for _, r := range found {
		registers, err := record.DecodeState(r.State)
		if err != nil {
			return err
		}
		m := record.New(r.Kind)
		if m == nil {
			m = &recordv1.Conflict{} // of a kind that only a newer program knows: it can be nothing that the file names
		} else if err := proto.Unmarshal(registers.Fields(), m); err != nil {
			return err
		}
		c.there[r.ID] = standing{r, m}
	}
	return nil
}

// references are the ids that a field holds.
func (r *row) references(number protowire.Number) (ids []hlc.ID) {
	m := r.Message.ProtoReflect()
	f := m.Descriptor().Fields().ByNumber(number)
	if f == nil || !m.Has(f) {
		return nil
	}
	add := func(v protoreflect.Value) {
		if len(v.Bytes()) == len(hlc.ID{}) {
			ids = append(ids, hlc.ID(v.Bytes()))
		}
	}
	if !f.IsList() {
		add(m.Get(f))
		return ids
	}
	for i := range m.Get(f).List().Len() {
		add(m.Get(f).List().Get(i))
	}
	return ids
}

// says reports whether a record says all that a row does. Of columns that the file does not have, and of cells that somebody left
// empty who wrote by hand, it may say anything.
func (r *row) says(m record.Common) bool {
	for _, col := range r.of {
		text := col.Text(r.Row)
		if (r.known || text != "") && text != col.Text(export.Row{ID: r.ID, Message: m}) {
			return false
		}
	}
	return true
}

// sees reports whether the person has the records of an audience.
func (c *checking) sees(audience hlc.ID) bool {
	return access.May(c.by.Person, access.ImportRecords, access.Where{Team: audience}) == access.Yes
}

// judge looks whether a record can be made, and fills in what goes without saying. It returns the fields.
func (c *checking) judge(r *row) []byte {
	owner := c.owner(r)
	if !r.known {
		c.fill(r, owner)
	}
	c.named(r)
	if to := r.references(record.DuplicateOfField); len(to) == 1 && c.kindOf(to[0]) != r.kind {
		c.wrong(r, record.DuplicateOfField, saying(duplicateOf))
	}
	c.allowed(r, owner)
	encoded, err := proto.Marshal(r.Message)
	if err != nil {
		c.wrong(r, 0, sayingCode(record.CodeInvalidUTF8))
		return nil
	}
	fields, err := record.Canonical(r.kind, encoded)
	if err != nil {
		c.wrong(r, 0, sayingOf(err))
		return nil
	}
	for _, p := range record.Validate(r.kind, fields, c.rules) {
		c.wrong(r, p.Field, sayingCode(p.Code))
	}
	if r.known || owner != nil && owner.unclear {
		return fields
	}
	for _, field := range record.Missing(r.kind, r.Message) {
		if !slices.Contains(r.faulty, field) {
			c.lacks(r, field)
		}
	}
	return fields
}

// lacks notes that a row lacks a field: of a column that the file does not have, once for the whole table.
func (c *checking) lacks(r *row, field protowire.Number) {
	if slices.ContainsFunc(r.of, func(c column) bool { return c.Field() == field }) {
		c.wrong(r, field, saying(missing))
		return
	}
	r.bad = true
	if slices.Contains(r.lacking, field) {
		return
	}
	r.lacking = append(r.lacking, field)
	label := record.New(r.kind).ProtoReflect().Descriptor().Fields().ByNumber(field)
	c.fault(Fault{Table: r.name, text: func(w *words.Words) string { return w.Say(missingColumn, w.Field(label)) }})
}

// owned is what a record belongs to.
type owned struct {
	message  record.Common
	audience hlc.ID
	// unclear: something is wrong with it, so that nothing can be said of what belongs to it.
	unclear bool
}

// owner is what a record belongs to; nil when to nothing, or to nothing that is there, which is said.
func (c *checking) owner(r *row) *owned {
	field := record.OwnerField(r.kind)
	ids := r.references(field)
	if len(ids) == 0 {
		return nil
	}
	switch k := c.kindOf(ids[0]); {
	case !record.MayOwn(k, r.kind):
		c.wrong(r, field, saying(ownerMissing))
		return &owned{unclear: true}
	case c.there[ids[0]].message != nil:
		return &owned{message: c.there[ids[0]].message, audience: c.there[ids[0]].Audience}
	default: // in the file, and further up
		of := c.byID[ids[0]]
		return &owned{message: of.Message, audience: c.audience(of), unclear: of.bad}
	}
}

// kindOf is the kind of a record of the deployment or the file; KIND_UNKNOWN when there is none.
func (c *checking) kindOf(id hlc.ID) record.Kind {
	if was, ok := c.there[id]; ok {
		return was.Kind
	}
	if r := c.byID[id]; r != nil {
		return r.kind
	}
	return recordv1.Kind_KIND_UNKNOWN
}

// audience is the team that has a row's record.
func (c *checking) audience(r *row) hlc.ID {
	for range len(kinds) { // no chain of owners is longer
		ids := r.references(record.OwnerField(r.kind))
		if len(ids) == 0 {
			break
		}
		if was, ok := c.there[ids[0]]; ok {
			return was.Audience
		}
		if r = c.byID[ids[0]]; r == nil {
			return access.Everyone
		}
	}
	if team := r.references(record.TeamField); len(team) == 1 {
		return team[0]
	}
	return access.Everyone
}

// allowed looks whether the person may make the record.
func (c *checking) allowed(r *row, owner *owned) {
	root := owner == nil
	audience, at := c.audience(r), record.TeamField
	if !root {
		if owner.unclear {
			return
		}
		audience, at = owner.audience, record.OwnerField(r.kind)
	}
	code := access.Write(c.by.Person, r.kind, access.Scope{Makes: true, Root: root, Before: audience, After: audience})
	switch {
	case code == "":
	case root && audience == access.Everyone:
		c.wrong(r, at, saying(noTeam))
	default:
		c.wrong(r, at, saying(notYourTeam))
	}
}

// named looks whether the sites, teams and workers are there that a row names: an id may be any.
func (c *checking) named(r *row) {
	for _, col := range r.of {
		if col.Named() == recordv1.Kind_KIND_UNKNOWN {
			continue
		}
		for _, id := range r.references(col.Field()) {
			if !c.has(col.Named(), id) {
				c.wrong(r, col.Field(), sayingOf(col.Wrong(export.CodeUnknownName)))
				break
			}
		}
	}
}

// has reports whether the deployment has a site, team or worker.
func (c *checking) has(k record.Kind, id hlc.ID) bool {
	switch k {
	case recordv1.Kind_KIND_SITE:
		return c.setUp.Sites[id] != nil
	case recordv1.Kind_KIND_TEAM:
		return c.setUp.Teams[id] != nil
	default:
		return c.setUp.Workers[id] != nil
	}
}
