package importing

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/export"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// standing is a record that is there already.
type standing struct {
	syncing.Record
	message record.Common
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
