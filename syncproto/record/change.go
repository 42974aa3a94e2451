package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
)

// Change is one edit of one record by one replica.
type Change struct {
	ID     hlc.ID
	Record hlc.ID
	Kind   recordv1.Kind
	Stamp  hlc.Stamp
	// Fields is a partial message of the kind, in canonical form: the fields that are set.
	Fields []byte
	// Cleared are the fields that are emptied, ascending.
	Cleared []protowire.Number
	// Parents are the stamps of what the author had seen in the fields that this change sets or empties, by field.
	Parents map[protowire.Number]hlc.Stamp
	// DeletionSeen is the stamp of the field deleted that the author of an edit saw.
	DeletionSeen hlc.Stamp
	// Seen is, with a delete, the Digest of the record that its author saw.
	Seen []byte
	// Worker is, with a change that the server made for somebody on the web, that worker; else zero. Of what comes from a tablet
	// it must not be believed.
	Worker hlc.ID
}

// Makes reports whether c makes its record. Such a change has the record's id as its own.
func (c *Change) Makes() bool { return c.ID == c.Record }

// Edit is the change that sets fields (a canonical partial message) and empties cleared in a record whose author sees
// it as seen. Fields that already have the value are left out, so that a form which sends everything it shows does not
// overwrite what others set meanwhile. Edit returns nil when nothing is left to change.
func Edit(id, rec hlc.ID, kind recordv1.Kind, stamp hlc.Stamp, seen Registers, fields []byte, cleared []protowire.Number) (*Change, error) {
	set, err := split(fields)
	if err != nil {
		return nil, err
	}
	c := &Change{ID: id, Record: rec, Kind: kind, Stamp: stamp, Parents: map[protowire.Number]hlc.Stamp{}}
	for _, r := range set {
		was := seen.Get(r.Field)
		if bytes.Equal(was.Value, r.Value) {
			continue
		}
		c.Fields = append(c.Fields, r.Value...)
		c.overwrites(r.Field, was)
	}
	slices.Sort(cleared)
	for _, f := range slices.Compact(cleared) {
		if was := seen.Get(f); len(was.Value) > 0 {
			c.Cleared = append(c.Cleared, f)
			c.overwrites(f, was)
		}
	}
	if len(c.Fields) == 0 && len(c.Cleared) == 0 && !c.Makes() {
		return nil, nil
	}
	switch edited := c.Registers(); {
	case edited.Deleted():
		c.Seen = seen.Digest()
	case edited.Get(DeletedField).Field == 0:
		c.DeletionSeen = seen.Get(DeletedField).Stamp
	}
	return c, nil
}

func (c *Change) overwrites(field protowire.Number, was Register) {
	if !was.Stamp.IsZero() {
		c.Parents[field] = was.Stamp
	}
}

// Registers are what c sets, to be merged into its record.
func (c *Change) Registers() Registers {
	rs, err := split(c.Fields)
	if err != nil {
		// Decode and Edit let only fields through that split.
		panic("record: fields of a change do not split: " + err.Error())
	}
	if len(c.Cleared) > 0 {
		for _, f := range c.Cleared {
			rs = append(rs, Register{Field: f})
		}
		slices.SortFunc(rs, byField)
	}
	for i := range rs {
		rs[i].Stamp, rs[i].Parent = c.Stamp, c.Parents[rs[i].Field]
	}
	return rs
}

// Encode is the Change message of c.
func (c *Change) Encode() []byte {
	m := &syncv1.Change{
		Id: c.ID[:], Kind: uint32(c.Kind), //nolint:gosec // kinds are positive
		Time:   int64(c.Stamp.Time - hlc.IDTime(c.ID)), //nolint:gosec // the difference wraps and comes back in Decode
		Fields: c.Fields, Seen: c.Seen,
	}
	if !c.Makes() {
		m.Record = c.Record[:]
	}
	if c.Worker != (hlc.ID{}) {
		m.Worker = c.Worker[:]
	}
	for _, f := range c.Cleared {
		m.Cleared = append(m.Cleared, uint32(f)) //nolint:gosec // field numbers are positive
	}
	entries := make(map[hlc.Stamp]*syncv1.Parent)
	for _, f := range slices.Sorted(maps.Keys(c.Parents)) {
		stamp := c.Parents[f]
		if entries[stamp] == nil {
			entries[stamp] = &syncv1.Parent{Stamp: stampMessage(stamp)}
			m.Parents = append(m.Parents, entries[stamp])
		}
		entries[stamp].Fields = append(entries[stamp].Fields, uint32(f)) //nolint:gosec // field numbers are positive
	}
	if !c.DeletionSeen.IsZero() {
		m.DeletionSeen = stampMessage(c.DeletionSeen)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("record: encoding a change: " + err.Error()) // only invalid UTF-8 fails, and a Change has no string
	}
	return b
}

// DecodeChange reads an encoded change of a replica. It never panics; the error is a *Problem with CodeMalformed,
// CodeUnknownKind when it names no kind, or CodeNotCanonical when its fields do not ascend.
func DecodeChange(b []byte, replica hlc.Replica) (*Change, error) {
	var m syncv1.Change
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, malformed("change", err)
	}
	c := &Change{Kind: recordv1.Kind(m.GetKind()), Fields: m.GetFields(), Seen: m.GetSeen(), //nolint:gosec // checked below
		DeletionSeen: stampOf(m.GetDeletionSeen()), Parents: map[protowire.Number]hlc.Stamp{}}
	if len(m.GetId()) != len(c.ID) || (len(m.GetRecord()) != 0 && len(m.GetRecord()) != len(c.Record)) {
		return nil, malformed("change has an id that is not 16 bytes", nil)
	}
	if c.Kind <= 0 {
		return nil, &Problem{Code: CodeUnknownKind}
	}
	c.ID = hlc.ID(m.GetId())
	c.Record = c.ID
	if len(m.GetRecord()) != 0 {
		c.Record = hlc.ID(m.GetRecord())
	}
	if len(m.GetWorker()) == len(c.Worker) {
		c.Worker = hlc.ID(m.GetWorker())
	}
	if c.ID == (hlc.ID{}) || c.Record == (hlc.ID{}) {
		return nil, malformed("change has an id of zeros", nil)
	}
	c.Stamp = hlc.Stamp{Time: hlc.IDTime(c.ID) + hlc.Time(m.GetTime()), Replica: replica} //nolint:gosec // wraps as in Encode
	if int64(c.Stamp.Time) <= 0 {                                                         //nolint:gosec // a time beyond 63 bits is refused here
		return nil, malformed("change has an impossible time", nil)
	}
	if _, err := count(c.Fields); err != nil {
		return nil, &Problem{Code: CodeNotCanonical}
	}
	var set Registers
	if len(m.GetCleared()) > 0 {
		set, _ = split(c.Fields) // it was counted
	}
	for i, n := range m.GetCleared() {
		f := protowire.Number(n) //nolint:gosec // checked on the next line
		if !f.IsValid() || (i > 0 && f <= c.Cleared[i-1]) || set.Get(f).Field != 0 {
			return nil, &Problem{Code: CodeNotCanonical, Field: f}
		}
		c.Cleared = append(c.Cleared, f)
	}
	for _, p := range m.GetParents() {
		for _, n := range p.GetFields() {
			c.Parents[protowire.Number(n)] = stampOf(p.GetStamp()) //nolint:gosec // a number that is not set is never looked up
		}
	}
	return c, nil
}

// Digest is the first 8 bytes of SHA-256 over field (4 bytes), time and replica (8 bytes each, big endian) of every
// register but the field deleted, ascending: what the author of a delete had seen.
func (rs Registers) Digest() []byte {
	h := sha256.New()
	for _, r := range rs {
		if r.Field == DeletedField {
			continue
		}
		b := binary.BigEndian.AppendUint32(nil, uint32(r.Field)) //nolint:gosec // field numbers are positive
		b = binary.BigEndian.AppendUint64(b, uint64(r.Stamp.Time))
		h.Write(binary.BigEndian.AppendUint64(b, uint64(r.Stamp.Replica)))
	}
	return h.Sum(nil)[:8]
}

func stampMessage(s hlc.Stamp) *syncv1.Stamp {
	return &syncv1.Stamp{Time: uint64(s.Time), Replica: uint64(s.Replica)}
}

func malformed(what string, cause error) error {
	if cause == nil {
		return &Problem{Code: CodeMalformed, Cause: errors.New(what)}
	}
	return &Problem{Code: CodeMalformed, Cause: fmt.Errorf("%s: %w", what, cause)}
}
