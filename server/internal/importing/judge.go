package importing

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/export"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

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
