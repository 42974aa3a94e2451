package oracle

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/record"
)

// Merge is the one state that follows from several states of a record: of each field the register to which all others
// lose.
func Merge(states ...record.Registers) record.Registers {
	candidates := map[protowire.Number][]record.Register{}
	for _, state := range states {
		for _, r := range state {
			candidates[r.Field] = append(candidates[r.Field], r)
		}
	}
	var merged record.Registers
	for _, field := range slices.Sorted(maps.Keys(candidates)) {
		for _, r := range candidates[field] {
			if !slices.ContainsFunc(candidates[field], func(other record.Register) bool { return loses(r, other) }) {
				merged = append(merged, r)
				break
			}
		}
	}
	return merged
}

// loses reports whether a register loses to another: to a higher stamp; of equal stamps to the greater value, then to
// the greater parent.
func loses(r, to record.Register) bool {
	if r.Stamp != to.Stamp {
		if r.Stamp.Time != to.Stamp.Time {
			return r.Stamp.Time < to.Stamp.Time
		}
		return r.Stamp.Replica < to.Stamp.Replica
	}
	if string(r.Value) != string(to.Value) {
		return string(r.Value) < string(to.Value)
	}
	if r.Parent.Time != to.Parent.Time {
		return r.Parent.Time < to.Parent.Time
	}
	return r.Parent.Replica < to.Parent.Replica
}
