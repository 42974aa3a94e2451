package syncing

import (
	"slices"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Circle is what decides, beside its audience, who may see a record.
type Circle struct {
	// Shows is the kind of what the record shows: a conflict shows what its target does.
	Shows  record.Kind
	Author hlc.ID
	// Assigned are the workers who work on its root.
	Assigned []hlc.ID
}

// Roots are what records belong to, by id.
type Roots map[hlc.ID]*Record

// RootsOf are those of some records that are there, in one look-up.
func RootsOf(tx interface {
	Records(ids []hlc.ID) ([]Record, error)
}, records ...Record) (Roots, error) {
	roots := Roots{}
	var others []hlc.ID
	for _, r := range records {
		if r.Root == r.ID {
			roots[r.ID] = &r
		} else {
			others = append(others, r.Root)
		}
	}
	found, err := tx.Records(others)
	for _, r := range found {
		roots[r.ID] = &r
	}
	return roots, err
}

// CircleOf is that of one of the records.
func (of Roots) CircleOf(r Record) (Circle, error) { return CircleOf(r, of[r.Root]) }

// CircleOf is that of a record; root is what it belongs to, nil when that is not there.
func CircleOf(r Record, root *Record) (Circle, error) {
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return Circle{}, err
	}
	c := Circle{Shows: shown(r.Kind, registers), Author: registers.Get(record.AuthorField).ID()}
	if root != nil {
		of, err := record.DecodeState(root.State)
		if err != nil {
			return Circle{}, err
		}
		c.Assigned = assigned(root.Kind, of)
	}
	return c, nil
}

// Where is the circle as access sees it, for one person.
func (c Circle) Where(p access.Person, audience hlc.ID) access.Where {
	return access.Where{Team: audience, Assigned: c.Author == p.Worker || slices.Contains(c.Assigned, p.Worker)}
}
