package record

import (
	"bytes"
	"cmp"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
)

// stamped is a run of fields that share stamp and parent.
type stamped struct {
	stamp, parent hlc.Stamp
	fields        []protowire.Number
	emptied       []protowire.Number
}

// EncodeState is the State message of a record. Equal registers give equal bytes: proofs and comparisons rest on that,
// so it is written out here and not left to a library's order. Stampings are ordered by stamp and parent; the one with
// the most fields goes first and leaves out the fields that have a value.
func EncodeState(rs Registers) []byte {
	if stamp, ok := onlyStamp(rs); ok {
		return PlainState(rs.Fields(), stamp)
	}
	groups := groupByStamp(rs)
	fields := rs.Fields()
	b := make([]byte, 0, len(fields)+8+len(groups)*40)
	if len(fields) > 0 {
		b = protowire.AppendTag(b, 1, protowire.BytesType)
		b = protowire.AppendBytes(b, fields)
	}
	for i, g := range groups {
		if i == 0 {
			g.fields = g.emptied
		}
		b = protowire.AppendTag(b, 2, protowire.BytesType)
		b = protowire.AppendBytes(b, appendStamping(nil, g))
	}
	return b
}

// PlainState is the State message of a record whose fields all have a value and the stamp, with no parent: one that nobody
// edited since it was made.
func PlainState(fields []byte, stamp hlc.Stamp) []byte {
	b := make([]byte, 0, len(fields)+48)
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	return appendOnlyStamping(protowire.AppendBytes(b, fields), stamp)
}

// onlyStamp is the stamp of registers that all have a value and the same stamp, with no parent: so is every record until somebody edits it.
func onlyStamp(rs Registers) (stamp hlc.Stamp, ok bool) {
	for _, r := range rs {
		if len(r.Value) == 0 || r.Stamp != rs[0].Stamp || !r.Parent.IsZero() {
			return hlc.Stamp{}, false
		}
	}
	if len(rs) == 0 {
		return hlc.Stamp{}, false
	}
	return rs[0].Stamp, true
}

// Plain takes what PlainState made apart again; ok is false of any other state.
func Plain(state []byte) (fields []byte, stamp hlc.Stamp, ok bool) {
	fields, stamps, ok := consume(state, 1)
	if !ok || len(fields) == 0 {
		return nil, hlc.Stamp{}, false
	}
	only, rest, ok := consume(stamps, 2)
	encoded, more, found := consume(only, 1)
	var m syncv1.Stamp
	if !ok || !found || len(rest)+len(more) > 0 || proto.Unmarshal(encoded, &m) != nil {
		return nil, hlc.Stamp{}, false
	}
	stamp = stampOf(&m)
	var again [64]byte // what is not written in the one way would not come back
	if !bytes.Equal(appendOnlyStamping(again[:0], stamp), stamps) || len(state)-len(stamps) != 1+protowire.SizeBytes(len(fields)) {
		return nil, hlc.Stamp{}, false
	}
	return fields, stamp, true
}

func appendOnlyStamping(b []byte, stamp hlc.Stamp) []byte {
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	return protowire.AppendBytes(b, appendStamping(nil, stamped{stamp: stamp}))
}

// consume is the content of a field, which must come first, and what follows it.
func consume(b []byte, field protowire.Number) (content, rest []byte, ok bool) {
	n, kind, size := protowire.ConsumeTag(b)
	if size < 0 || n != field || kind != protowire.BytesType {
		return nil, nil, false
	}
	content, length := protowire.ConsumeBytes(b[size:])
	if length < 0 {
		return nil, nil, false
	}
	return content, b[size+length:], true
}

func groupByStamp(rs Registers) []stamped {
	type stamps struct{ stamp, parent hlc.Stamp }
	var groups []stamped
	numbers := make(map[stamps]int) // a hostile state has a stamp for each of very many fields
	for _, r := range rs {
		i, ok := numbers[stamps{r.Stamp, r.Parent}]
		if !ok {
			i = len(groups)
			numbers[stamps{r.Stamp, r.Parent}] = i
			groups = append(groups, stamped{stamp: r.Stamp, parent: r.Parent})
		}
		groups[i].fields = append(groups[i].fields, r.Field)
		if len(r.Value) == 0 {
			groups[i].emptied = append(groups[i].emptied, r.Field)
		}
	}
	slices.SortFunc(groups, func(a, b stamped) int {
		return cmp.Or(a.stamp.Compare(b.stamp), a.parent.Compare(b.parent))
	})
	most := 0
	for i, g := range groups {
		if len(g.fields) > len(groups[most].fields) {
			most = i
		}
	}
	if most > 0 {
		first := groups[most]
		groups = slices.Insert(slices.Delete(groups, most, most+1), 0, first)
	}
	return groups
}

func appendStamping(b []byte, g stamped) []byte {
	b = appendStamp(b, 1, g.stamp)
	if !g.parent.IsZero() {
		b = appendStamp(b, 2, g.parent)
	}
	if len(g.fields) > 0 {
		var packed []byte
		for _, f := range g.fields {
			packed = protowire.AppendVarint(packed, uint64(f)) //nolint:gosec // field numbers are positive
		}
		b = protowire.AppendTag(b, 3, protowire.BytesType)
		b = protowire.AppendBytes(b, packed)
	}
	return b
}

func appendStamp(b []byte, field protowire.Number, s hlc.Stamp) []byte {
	var m []byte
	if s.Time != 0 {
		m = protowire.AppendTag(m, 1, protowire.VarintType)
		m = protowire.AppendVarint(m, uint64(s.Time))
	}
	if s.Replica != 0 {
		m = protowire.AppendTag(m, 2, protowire.Fixed64Type)
		m = protowire.AppendFixed64(m, uint64(s.Replica))
	}
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, m)
}

// DecodeState is the inverse of EncodeState. The error is a *Problem with CodeMalformed.
func DecodeState(b []byte) (Registers, error) {
	var m syncv1.State
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, malformed("state", err)
	}
	rs, err := split(m.GetFields())
	if err != nil {
		return nil, err
	}
	if len(m.GetStamps()) == 0 {
		if len(rs) > 0 {
			return nil, malformed("state has fields and no stamp", nil)
		}
		return nil, nil
	}
	for i := range rs {
		rs[i].Stamp, rs[i].Parent = stampOf(m.GetStamps()[0].GetStamp()), stampOf(m.GetStamps()[0].GetParent())
	}
	valued := len(rs)
	named := make(map[protowire.Number]bool)
	for g, s := range m.GetStamps() {
		stamp, parent := stampOf(s.GetStamp()), stampOf(s.GetParent())
		for _, f := range s.GetFields() {
			field := protowire.Number(f) //nolint:gosec // checked on the next line
			if !field.IsValid() || named[field] {
				return nil, malformed("state names a field twice or wrongly", nil)
			}
			named[field] = true
			i, ok := rs[:valued].find(field)
			switch {
			case ok && g == 0:
				return nil, malformed("first stamping names a field that has a value", nil)
			case ok:
				rs[i].Stamp, rs[i].Parent = stamp, parent
			default:
				rs = append(rs, Register{Field: field, Stamp: stamp, Parent: parent})
			}
		}
	}
	slices.SortFunc(rs, byField)
	return rs, nil
}

// split cuts an encoded message into its fields, which must ascend; a field that repeats is one register.
func split(fields []byte) (Registers, error) {
	n, err := count(fields)
	if n == 0 || err != nil {
		return nil, err
	}
	rs := make(Registers, 0, n)
	for len(fields) > 0 {
		n, _, size := protowire.ConsumeField(fields)
		for size < len(fields) {
			next, _, more := protowire.ConsumeField(fields[size:])
			if next != n {
				break
			}
			size += more
		}
		rs = append(rs, Register{Field: n, Value: fields[:size:size]}) // so that no append to a value can run into its neighbour
		fields = fields[size:]
	}
	return rs, nil
}

// count is into how many registers split cuts an encoded message.
func count(fields []byte) (n int, err error) {
	for last := protowire.Number(0); len(fields) > 0; {
		number, _, size := protowire.ConsumeField(fields)
		switch {
		case size < 0:
			return 0, malformed("fields", protowire.ParseError(size))
		case !number.IsValid():
			return 0, malformed("field number beyond what protobuf has", nil)
		case number < last:
			return 0, malformed("fields do not ascend", nil)
		case number > last:
			n++
		}
		last, fields = number, fields[size:]
	}
	return n, nil
}

func stampOf(s *syncv1.Stamp) hlc.Stamp {
	return hlc.Stamp{Time: hlc.Time(s.GetTime()), Replica: hlc.Replica(s.GetReplica())}
}
