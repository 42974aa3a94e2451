// Package hlc keeps hybrid logical time: stamps that order every edit of every replica, the clock that makes them, and
// the ids that are made from the same time.
//
// The time follows Kulkarni et al., "Logical Physical Clocks" (2014), in its packed form: 48 bits of milliseconds since
// 1970 and 16 bits of counter. It is the only package of the contract that reads the wall clock.
package hlc

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Wall reads the machine's clock. Everything else takes the time as an argument.
func Wall() time.Time { return time.Now() }

// counterBits is how much of a Time counts the events within one millisecond.
const counterBits = 16

// Time is hybrid logical time: milliseconds since 1970 in the upper 48 bits, a counter in the lower 16. Zero is "never".
type Time uint64

// TimeOf is the first Time of the millisecond of t.
func TimeOf(t time.Time) Time { return OfMillis(t.UnixMilli()) }

// OfMillis is the first Time of a millisecond since 1970; what lies before 1970 or beyond 48 bits is brought to the edge.
func OfMillis(ms int64) Time {
	return Time(min(max(ms, 0), 1<<48-1)) << counterBits
}

// Millis are the milliseconds since 1970.
func (t Time) Millis() int64 { return int64(t >> counterBits) }

// Wall is the physical part of t, in UTC.
func (t Time) Wall() time.Time { return time.UnixMilli(t.Millis()).UTC() }

// Add moves t by d, keeping the counter.
func (t Time) Add(d time.Duration) Time {
	return OfMillis(t.Millis()+d.Milliseconds()) | t&(1<<counterBits-1)
}

// Replica is the number of a store that makes changes: 63 bits, so that it fits a signed column. Zero is no replica.
type Replica uint64

// ReplicaOf derives the number of a replica from its device's public key and a nonce: the upper 63 bits of
// SHA-256(key ‖ nonce as 8 bytes, big endian). So nobody can claim another device's number, and a device can take a
// new one without asking.
func ReplicaOf(key ed25519.PublicKey, nonce uint64) Replica {
	h := sha256.New()
	h.Write(key)
	h.Write(binary.BigEndian.AppendUint64(nil, nonce))
	return Replica(binary.BigEndian.Uint64(h.Sum(nil)) >> 1)
}

// Stamp says when and by whom a field was last set. The zero Stamp is "never set".
type Stamp struct {
	Time    Time
	Replica Replica
}

// Compare orders stamps by time, then by replica number.
func (s Stamp) Compare(o Stamp) int {
	return cmp.Or(cmp.Compare(s.Time, o.Time), cmp.Compare(s.Replica, o.Replica))
}

// IsZero reports whether s is "never set".
func (s Stamp) IsZero() bool { return s == Stamp{} }

func (s Stamp) String() string {
	return fmt.Sprintf("%s+%d@%x", s.Time.Wall().Format("2006-01-02T15:04:05.000Z"), s.Time&(1<<counterBits-1), uint64(s.Replica))
}

// Clock makes rising times. It is safe for concurrent use.
type Clock struct {
	wall func() time.Time

	mu     sync.Mutex
	offset time.Duration
	last   Time
}

// NewClock is a clock over a wall clock. It never returns a time at or before after, the newest time that the
// replica's store holds.
func NewClock(wall func() time.Time, after Time) *Clock { return &Clock{wall: wall, last: after} }

// Now is a new time, later than all that Now and Observe have seen, and not before the corrected wall clock.
func (c *Clock) Now() Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last+1, TimeOf(c.wall().Add(c.offset)))
	return c.last
}

// Observe makes later times of the clock follow t, which came from another replica.
func (c *Clock) Observe(t Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last, t)
}

// Wall is the corrected wall clock.
func (c *Clock) Wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall().Add(c.offset)
}

// SetOffset corrects the wall clock by d, in place of what was set before.
func (c *Clock) SetOffset(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = d
}

// ID names a record, a change, a device: a UUID.
type ID = uuid.UUID

// IDOf is an id as messages have it; zero for what is none.
func IDOf(b []byte) ID {
	if len(b) != len(ID{}) {
		return ID{}
	}
	return ID(b)
}

// CompareIDs is the order of ids, which is that in which they were made.
func CompareIDs(a, b ID) int { return bytes.Compare(a[:], b[:]) }

// NewID is a UUIDv7 (RFC 9562, 5.7 and 6.2 method 1) whose milliseconds are those of t and whose next 12 bits are the
// lower ones of t's counter, so that the ids of one replica ascend as it makes them, and a replayed seed makes the same
// ids. The other 62 bits come from entropy.
func NewID(t Time, entropy io.Reader) (ID, error) {
	var id ID
	if _, err := io.ReadFull(entropy, id[8:]); err != nil {
		return ID{}, fmt.Errorf("making an id: %w", err)
	}
	ms := uint64(t >> counterBits)
	binary.BigEndian.PutUint16(id[0:], uint16(ms>>32))          //nolint:gosec // the upper 16 of 48 bits
	binary.BigEndian.PutUint32(id[2:], uint32(ms))              //nolint:gosec // the lower 32 of 48 bits
	binary.BigEndian.PutUint16(id[6:], uint16(t)&0x0fff|0x7000) //nolint:gosec // the lower 12 bits of the counter, and the version
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}

// IDTime is the first Time of the millisecond that a UUIDv7 was made in.
func IDTime(id ID) Time {
	ms := uint64(binary.BigEndian.Uint16(id[0:]))<<32 | uint64(binary.BigEndian.Uint32(id[2:]))
	return Time(ms << counterBits)
}
