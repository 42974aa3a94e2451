package record

import (
	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
)

// CutBytes takes the content of the first field of type bytes (a text, an id, a message) off an encoded list of them;
// nil when there is none.
func CutBytes(encoded []byte) (content, rest []byte) {
	_, typ, tag := protowire.ConsumeTag(encoded)
	if tag < 0 || typ != protowire.BytesType {
		return nil, nil
	}
	content, size := protowire.ConsumeBytes(encoded[tag:])
	if size < 0 {
		return nil, nil
	}
	return content, encoded[tag+size:]
}

// IDs are the ids in a register that holds a list of them; nil when it holds anything else.
func (r Register) IDs() []hlc.ID {
	var ids []hlc.ID
	for rest := r.Value; len(rest) > 0; {
		var content []byte
		if content, rest = CutBytes(rest); len(content) != len(hlc.ID{}) {
			return nil
		}
		ids = append(ids, hlc.ID(content))
	}
	return ids
}

// ID is the id that a register holds; zero when it holds none.
func (r Register) ID() hlc.ID {
	if content, rest := CutBytes(r.Value); len(content) == len(hlc.ID{}) && len(rest) == 0 {
		return hlc.ID(content)
	}
	return hlc.ID{}
}

// Number is the number, choice or date that a register holds; 0 when it holds none.
func (r Register) Number() int64 {
	_, typ, tag := protowire.ConsumeTag(r.Value)
	if tag < 0 || typ != protowire.VarintType {
		return 0
	}
	v, size := protowire.ConsumeVarint(r.Value[tag:])
	if size < 0 {
		return 0
	}
	return int64(v) //nolint:gosec // negative numbers are encoded so
}

// Owner is the record that one of kind k names as the one it belongs to; zero when it names none.
func (rs Registers) Owner(k Kind) hlc.ID {
	if field := OwnerField(k); field != 0 {
		return rs.Get(field).ID()
	}
	return hlc.ID{}
}
