package tally

import (
	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
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
	same        int32 // the record that this one is a duplicate of, if it is of the same kind
	duplicates  int32 // first of those that are duplicates of this one
	nextOfSame  int32

	message  record.Common
	complete verdict
	counts   verdict
	approved verdict
	stands   int32 // valid when resolved is yes
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

// numbering gives records their numbers, the same in all views that share it.
type numbering map[hlc.ID]int32

func (ns numbering) number(records []Record) {
	for i := range records {
		if _, ok := ns[records[i].ID]; !ok {
			ns[records[i].ID] = int32(len(ns)) //nolint:gosec // there are not that many records
		}
	}
}

func (ns numbering) find(id hlc.ID) int32 {
	if id == (hlc.ID{}) {
		return none
	}
	if n, ok := ns[id]; ok {
		return n
	}
	return none
}

func newView(records []Record) *view {
	ns := make(numbering, len(records))
	ns.number(records)
	return ns.view(records)
}

func (ns numbering) view(records []Record) *view {
	v := &view{nodes: make([]node, len(ns))}
	for i := range v.nodes {
		v.nodes[i].belongings, v.nodes[i].duplicates = none, none
	}
	for i := range records {
		v.nodes[ns[records[i].ID]].Record = &records[i]
	}
	for i := range v.nodes {
		if v.nodes[i].Record != nil {
			v.link(int32(i), ns) //nolint:gosec // there are not that many records
		}
	}
	return v
}

// link puts a record into the lists of its owner and of what it is a duplicate of.
func (v *view) link(i int32, ns numbering) {
	n := &v.nodes[i]
	owner, duplicateOf := Links(n.Record)
	n.owner, n.same = ns.find(owner), ns.find(duplicateOf)
	if n.owner != none {
		o := &v.nodes[n.owner]
		n.nextOfOwner, o.belongings = o.belongings, i
	}
	if n.same != none && (v.nodes[n.same].Record == nil || v.nodes[n.same].Kind != n.Kind) {
		n.same = none
	}
	if n.same != none {
		s := &v.nodes[n.same]
		n.nextOfSame, s.duplicates = s.duplicates, i
	}
}

// Links are the ids of the record that r belongs to and of the one that it says it is a duplicate of; zero where it
// names none.
func Links(r *Record) (owner, duplicateOf hlc.ID) {
	if k := int(r.Kind); k > 0 && k < len(ownerFields) {
		owner = idIn(r.Registers.Get(ownerFields[k]).Value)
	}
	return owner, idIn(r.Registers.Get(duplicateOfField).Value)
}

// idIn reads an encoded field that holds an id; zero when it holds none.
func idIn(encoded []byte) (id hlc.ID) {
	_, typ, tag := protowire.ConsumeTag(encoded)
	if tag < 0 || typ != protowire.BytesType {
		return id
	}
	if b, _ := protowire.ConsumeBytes(encoded[tag:]); len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}

// ownerFields are the owner fields of all known kinds, by kind: record.OwnerField asks the descriptors each time.
var ownerFields = func() []protowire.Number {
	kinds := record.Kinds()
	fields := make([]protowire.Number, kinds[len(kinds)-1]+1)
	for _, k := range kinds {
		fields[k] = record.OwnerField(k)
	}
	return fields
}()
