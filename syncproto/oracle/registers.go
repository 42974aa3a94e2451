package oracle

import (
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Registers draws the state of some record: of few fields, known and unknown, some emptied, with so few stamps that
// they tie.
func Registers(t *rapid.T) record.Registers {
	var rs record.Registers
	for _, field := range []protowire.Number{1, 4, record.DeletedField, 16, 17, 500, protowire.MaxValidNumber} {
		if rapid.Bool().Draw(t, "set") {
			rs = append(rs, record.Register{Field: field, Value: value(t, field), Stamp: Stamp(t), Parent: Stamp(t)})
		}
	}
	return rs
}

// Stamp draws one of few stamps; the zero one is among them.
func Stamp(t *rapid.T) hlc.Stamp {
	return rapid.SampledFrom([]hlc.Stamp{
		{Time: 1, Replica: 1}, {Time: 1, Replica: 2}, {Time: 2, Replica: 1}, {Time: 2, Replica: 2},
		{Time: 1<<63 - 1, Replica: 1<<63 - 1}, {},
	}).Draw(t, "stamp")
}

// value draws the encoding of a field: nothing, a number, or one or two texts.
func value(t *rapid.T, field protowire.Number) []byte {
	number := func(n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), n)
	}
	text := func(to []byte, s string) []byte {
		return protowire.AppendString(protowire.AppendTag(to, field, protowire.BytesType), s)
	}
	return rapid.SampledFrom([][]byte{
		nil, number(0), number(1), number(1 << 40), text(nil, ""), text(nil, "村"), text(text(nil, "村"), "镇"), text(text(nil, "镇"), "村"),
	}).Draw(t, "value")
}
