package syncing

import (
	"levee/syncproto/hlc"
	"levee/syncproto/tally"
)

// Tying finds what records are tied to.
type Tying interface {
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]Record, error)
	// Families are all records whose root is one of some.
	Families(roots []hlc.ID) ([]Record, error)
	// DuplicatesOf are the roots of the records that say to be the same as one of some records.
	DuplicatesOf(ids []hlc.ID) ([]hlc.ID, error)
}

// Tied are the families of some roots, with those that duplicates tie to them in either direction, and so on until there are
// no more: what any of them gives to the totals may depend on all. Each record comes once, in no order.
func Tied(tx Tying, roots []hlc.ID) ([]Record, error) {
	var tied []Record
	asked := map[hlc.ID]bool{}
	for {
		var fresh []hlc.ID
		for _, root := range roots {
			if !asked[root] {
				asked[root] = true
				fresh = append(fresh, root)
			}
		}
		if len(fresh) == 0 {
			return tied, nil
		}
		families, err := tx.Families(fresh)
		if err != nil {
			return nil, err
		}
		tied = append(tied, families...)
		if roots, err = rootsOfDuplicates(tx, families); err != nil {
			return nil, err
		}
	}
}

// rootsOfDuplicates are the roots of those records that some say to be duplicates of, or that say so of them.
func rootsOfDuplicates(tx Tying, records []Record) ([]hlc.ID, error) {
	var ids, named []hlc.ID
	for _, r := range records {
		if !tally.Decides(r.Kind) {
			continue
		}
		ids = append(ids, r.ID)
		if r.DuplicateOf != (hlc.ID{}) {
			named = append(named, r.DuplicateOf)
		}
	}
	roots, err := tx.DuplicatesOf(ids)
	if err != nil {
		return nil, err
	}
	others, err := tx.Records(named)
	for _, r := range others {
		roots = append(roots, r.Root)
	}
	return roots, err
}
