package syncing

import (
	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Numbers of the fields that decide where a record belongs. The first three are common to all kinds, also to those
// that this server does not know.
const (
	teamField      protowire.Number = 2
	authorField    protowire.Number = 3
	dayField       protowire.Number = 4
	duplicateField protowire.Number = 10

	roleField        protowire.Number = 18 // of Worker
	caseLeadField    protowire.Number = 29 // of Case
	caseWorkersField protowire.Number = 30
	leaderField      protowire.Number = 21 // of Group
	targetKindField  protowire.Number = 17 // of Conflict
)

// idOf is the id that a register holds; zero when it holds none.
func idOf(r record.Register) hlc.ID {
	if ids := idsOf(r); len(ids) == 1 {
		return ids[0]
	}
	return hlc.ID{}
}

// idsOf are the ids in a list of ids.
func idsOf(r record.Register) []hlc.ID {
	var ids []hlc.ID
	for rest := r.Value; len(rest) > 0; {
		_, typ, n := protowire.ConsumeTag(rest)
		if n < 0 || typ != protowire.BytesType {
			return nil
		}
		v, m := protowire.ConsumeBytes(rest[n:])
		if m < 0 || len(v) != len(hlc.ID{}) {
			return nil
		}
		ids = append(ids, hlc.ID(v))
		rest = rest[n+m:]
	}
	return ids
}

// numberOf is the number that a register holds; 0 when it holds none.
func numberOf(r record.Register) uint64 {
	_, typ, n := protowire.ConsumeTag(r.Value)
	if n < 0 || typ != protowire.VarintType {
		return 0
	}
	v, m := protowire.ConsumeVarint(r.Value[n:])
	if m < 0 {
		return 0
	}
	return v
}

func dayOf(registers record.Registers) int32 {
	return int32(numberOf(registers.Get(dayField))) //nolint:gosec // validated: YYYYMMDD
}

func ownerOf(kind record.Kind, registers record.Registers) hlc.ID {
	if field := record.OwnerField(kind); field != 0 {
		return idOf(registers.Get(field))
	}
	return hlc.ID{}
}

// assigns reports whether fields decide who works on a root.
func assigns(kind record.Kind, set record.Registers) bool {
	switch kind {
	case recordv1.Kind_KIND_CASE:
		return set.Get(caseLeadField).Field != 0 || set.Get(caseWorkersField).Field != 0
	case recordv1.Kind_KIND_GROUP:
		return set.Get(leaderField).Field != 0
	default:
		return false
	}
}

// assigned are the workers who work on a root.
func assigned(kind record.Kind, registers record.Registers) []hlc.ID {
	switch kind {
	case recordv1.Kind_KIND_CASE:
		return append(idsOf(registers.Get(caseLeadField)), idsOf(registers.Get(caseWorkersField))...)
	case recordv1.Kind_KIND_GROUP:
		return idsOf(registers.Get(leaderField))
	default:
		return nil
	}
}

// confidential reports whether a record reaches only those who work on its root. A conflict shows what its target does.
func confidential(kind record.Kind, registers record.Registers) bool {
	if kind == recordv1.Kind_KIND_CONFLICT {
		kind = record.Kind(numberOf(registers.Get(targetKindField))) //nolint:gosec // a kind that does not fit is not known
	}
	return record.Confidential(kind)
}
