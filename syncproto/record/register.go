package record

import (
	"bytes"
	"cmp"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
)

// Register is one field of a record: its value, when and by whom it was set, and the stamp of what its author overwrote.
type Register struct {
	Field protowire.Number
	// Value is the field encoded, tags included; nothing when the field was emptied.
	Value  []byte
	Stamp  hlc.Stamp
	Parent hlc.Stamp
}

// compare is the total order by which one of two registers of a field wins: the higher stamp; equal stamps, which only
// copies of one tablet can make, fall to the greater value, then to the greater parent.
func (r Register) compare(o Register) int {
	return cmp.Or(r.Stamp.Compare(o.Stamp), bytes.Compare(r.Value, o.Value), r.Parent.Compare(o.Parent))
}

// Registers are a record as merged, ascending by field.
type Registers []Register

// Get is the register of a field; the zero Register when the field was never set.
func (rs Registers) Get(field protowire.Number) Register {
	if i, ok := rs.find(field); ok {
		return rs[i]
	}
	return Register{}
}

// find is where the register of a field is, or would be. Counting asks for a dozen fields of each record, which have few more, so it is
// without the calls of slices.BinarySearchFunc.
func (rs Registers) find(field protowire.Number) (at int, there bool) {
	end := len(rs)
	for at < end {
		if middle := (at + end) / 2; rs[middle].Field < field {
			at = middle + 1
		} else {
			end = middle
		}
	}
	return at, at < len(rs) && rs[at].Field == field
}

func byField(a, b Register) int { return cmp.Compare(a.Field, b.Field) }

// Size is how many bytes Fields takes.
func (rs Registers) Size() int {
	size := 0
	for _, r := range rs {
		size += len(r.Value)
	}
	return size
}

// Fields is the encoded message of all fields that have a value.
func (rs Registers) Fields() []byte {
	fields := make([]byte, 0, rs.Size())
	for _, r := range rs {
		fields = append(fields, r.Value...)
	}
	return fields
}

// Deleted reports whether the record is deleted now.
func (rs Registers) Deleted() bool {
	v := rs.Get(DeletedField).Value
	return len(v) > 0 && v[len(v)-1] == 1
}

// Newest is the highest time of any stamp.
func (rs Registers) Newest() hlc.Time {
	var t hlc.Time
	for _, r := range rs {
		t = max(t, r.Stamp.Time)
	}
	return t
}

// Covers reports whether merging other into rs would change nothing: for each field of other, rs has the same register or
// a greater one.
func (rs Registers) Covers(other Registers) bool {
	for _, r := range other {
		if have := rs.Get(r.Field); have.Field == 0 || have.compare(r) < 0 {
			return false
		}
	}
	return true
}

// Merge is the one state that follows from two states of a record. It commutes, associates and is idempotent, needs no
// knowledge of the kind, and keeps fields that it does not know. It changes neither argument.
func Merge(a, b Registers) Registers {
	merged := make(Registers, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch cmp.Compare(a[0].Field, b[0].Field) {
		case -1:
			merged, a = append(merged, a[0]), a[1:]
		case 1:
			merged, b = append(merged, b[0]), b[1:]
		default:
			if a[0].compare(b[0]) >= 0 {
				merged = append(merged, a[0])
			} else {
				merged = append(merged, b[0])
			}
			a, b = a[1:], b[1:]
		}
	}
	return append(append(merged, a...), b...)
}
