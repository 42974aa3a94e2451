package record

import (
	"bytes"

	"levee/syncproto/hlc"
)

// Meeting is what it means that a register arrives where another stands.
type Meeting int

// The meetings. Whichever it is, Merge decides the value.
const (
	// Succeeds: the author had seen what stands, or nothing stands there, or the values are the same.
	Succeeds Meeting = iota
	// Late: what stands was written by someone who had seen what arrives.
	Late
	// Clashes: each was written without having seen the other. Both values are kept in a conflict.
	Clashes
)

// Meet says what it means that a register arrives where another stands. ancestor reports whether the stamp is that of
// a value which the standing one, by way of its parents, replaced; it is asked only when parents alone do not tell.
func Meet(standing, arriving Register, ancestor func(hlc.Stamp) bool) Meeting {
	switch {
	case standing.Stamp.IsZero(), bytes.Equal(standing.Value, arriving.Value), arriving.Parent == standing.Stamp:
		return Succeeds
	case standing.Parent == arriving.Stamp, ancestor(arriving.Stamp):
		return Late
	default:
		return Clashes
	}
}

// DeletionClashes reports whether a change deletes a record of which its author had not seen everything, or edits a
// record that its author did not know to be deleted.
func DeletionClashes(standing Registers, c *Change) bool {
	deletion := c.Registers().Get(DeletedField)
	switch {
	case c.Makes(), len(standing) == 0:
		return false
	case deletion.Field == 0:
		return standing.Deleted() && standing.Get(DeletedField).Stamp != c.DeletionSeen
	case Registers{deletion}.Deleted():
		return !bytes.Equal(standing.Digest(), c.Seen)
	default:
		return false
	}
}
