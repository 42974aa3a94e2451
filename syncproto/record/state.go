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

// fieldsIn is how many fields an encoded message has, one that repeats once, as far as it can be read and they ascend.
func fieldsIn(fields []byte) int {
	count := 0
	var last protowire.Number
	for len(fields) > 0 {
		n, _, size := protowire.ConsumeField(fields)
		if size < 0 || n < last {
			break
		}
		if n > last {
			count, last = count+1, n
		}
		fields = fields[size:]
	}
	return count
}

// split cuts an encoded message into its fields, which must ascend; a field that repeats is one register.
func split(fields []byte) (Registers, error) {
	rs := slices.Grow(Registers(nil), fieldsIn(fields))
	for len(fields) > 0 {
		n, _, size := protowire.ConsumeField(fields)
		if size < 0 {
			return nil, malformed("fields", protowire.ParseError(size))
		}
		switch {
		case !n.IsValid():
			return nil, malformed("field number beyond what protobuf has", nil)
		case len(rs) > 0 && rs[len(rs)-1].Field == n:
			last := &rs[len(rs)-1]
			last.Value = last.Value[:len(last.Value)+size]
		case len(rs) > 0 && rs[len(rs)-1].Field > n:
			return nil, malformed("fields do not ascend", nil)
		default:
			rs = append(rs, Register{Field: n, Value: fields[:size]})
		}
		fields = fields[size:]
	}
	for i := range rs { // so that no append to a value can run into its neighbour
		rs[i].Value = slices.Clip(rs[i].Value)
	}
	return rs, nil
}

func stampOf(s *syncv1.Stamp) hlc.Stamp {
	return hlc.Stamp{Time: hlc.Time(s.GetTime()), Replica: hlc.Replica(s.GetReplica())}
}
