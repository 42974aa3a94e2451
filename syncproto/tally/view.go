package tally

import (
	"levee/syncproto/hlc"
)

// view is a set of records at one time, linked with each other. Records go by number; none is a number too.
type view struct {
	nodes []node
}

const none int32 = -1

// node is one record of a view, and what has been found out about it so far.
type node struct {
	*Record // nil when the view does not have the record

	owner       int32 // the record that this one belongs to
	belongings  int32 // first of those that belong to this one
	nextOfOwner int32
	same        int32 // the record that this one names as duplicate_of
	duplicates  int32 // first of those that name this one
	nextOfSame  int32

	complete verdict
	counts   verdict
	standing Standing // 0 until it was found out
	stands   int32    // valid when resolved is yes
	resolved verdict
}

// verdict is what has been found out about a yes-or-no question.
type verdict uint8

const (
	open verdict = iota
	no
	yes
)

func verdictOf(b bool) verdict {
	if b {
		return yes
	}
	return no
}

// newViews makes views in which each record has the same number in all.
func newViews(sets ...[]Record) []view {
	numbers := make(map[hlc.ID]int32, len(sets[0])+1)
	places := make([][]int32, len(sets))
	for s, records := range sets {
		places[s] = make([]int32, len(records))
		for i := range records {
			n, ok := numbers[records[i].ID]
			if !ok {
				n = int32(len(numbers)) //nolint:gosec // there are not that many records
				numbers[records[i].ID] = n
			}
			places[s][i] = n
		}
	}
	views := make([]view, len(sets))
	for s, records := range sets {
		v := &views[s]
		v.nodes = make([]node, len(numbers))
		for i := range v.nodes {
			v.nodes[i].owner, v.nodes[i].same, v.nodes[i].belongings, v.nodes[i].duplicates = none, none, none, none
		}
		for i, n := range places[s] {
			v.nodes[n].Record = &records[i]
		}
		for i := range v.nodes {
			v.link(int32(i), numbers, &views[0])
		}
	}
	return views
}

// link finds what a record belongs to and is a duplicate of, and puts it into their lists. Most records are the same in
// the first view, where this was done already.
func (v *view) link(i int32, numbers map[hlc.ID]int32, first *view) {
	n := &v.nodes[i]
	if n.Record == nil {
		return
	}
	if f := &first.nodes[i]; f != n && f.Record != nil && identical(f.Record, n.Record) {
		n.owner, n.same = f.owner, f.same
	} else {
		owner, duplicateOf := Links(n.Record)
		n.owner, n.same = numbered(numbers, owner), numbered(numbers, duplicateOf)
	}
	if n.owner != none {
		o := &v.nodes[n.owner]
		n.nextOfOwner, o.belongings = o.belongings, i
	}
	if n.same != none {
		s := &v.nodes[n.same]
		n.nextOfSame, s.duplicates = s.duplicates, i
	}
}

func numbered(numbers map[hlc.ID]int32, id hlc.ID) int32 {
	if id == (hlc.ID{}) {
		return none
	}
	if n, ok := numbers[id]; ok {
		return n
	}
	return none
}

// identical reports, without looking into them, that two records are the same registers.
func identical(a, b *Record) bool {
	return a.Kind == b.Kind && len(a.Registers) == len(b.Registers) && len(a.Registers) > 0 && &a.Registers[0] == &b.Registers[0]
}
