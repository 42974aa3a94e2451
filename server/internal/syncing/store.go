// Package syncing is the server's side of a sync: it takes batches in, merges them into the records, and hands out
// pages. It declares the Store that it needs.
package syncing

import (
	"context"

	"levee/server/internal/access"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
)

// Store keeps one deployment. Every error that a full disk causes is a problem with code storage_full.
type Store interface {
	// Write runs fn in the only writing transaction there is and commits what it saved; an error of fn undoes all.
	Write(ctx context.Context, fn func(Writing) error) error
	// Read runs fn over one snapshot. It never waits for a writer.
	Read(ctx context.Context, fn func(Reading) error) error
}

// Reading looks things up in one snapshot.
type Reading interface {
	LogReading
	RecordReading
	// Device is a device; false when there is none by that id.
	Device(id hlc.ID) (Device, bool, error)
}

// LogReading looks things up in the change log.
type LogReading interface {
	// Head is the end of the log.
	Head() (Head, error)
	// ChainAt is the log's chain at a position; false beyond its end.
	ChainAt(position uint64) (batch.Hash, bool, error)
	// Replica is how far the server has a replica; the zero Replica when it has nothing of it.
	Replica(number hlc.Replica) (Replica, error)
	// Sequences are the log's entries of a replica from one sequence number to another, both included, ascending.
	Sequences(replica hlc.Replica, from, to uint64) ([]LogEntry, error)
}

// RecordReading looks up records as merged.
type RecordReading interface {
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]Record, error)
	// OfKind are all records of a kind, in the order of their ids.
	OfKind(kind recordv1.Kind) ([]Record, error)
	// Page are the records of an audience after a position, ascending, at most limit.
	Page(audience hlc.ID, after uint64, limit int) ([]Record, error)
	// Remaining counts the records of an audience after a position.
	Remaining(audience hlc.ID, after uint64) (uint64, error)
}

// Writing is what the writer looks up besides, and how it saves.
type Writing interface {
	Reading
	Enrolling
	// Families are all records whose root is one of some.
	Families(roots []hlc.ID) ([]Record, error)
	// DuplicatesOf are the roots of the records that say to be the same as one of some records.
	DuplicatesOf(ids []hlc.ID) ([]hlc.ID, error)
	// History are the log's entries of a record, ascending: its changes, and where its audience changed.
	History(id hlc.ID) ([]LogEntry, error)
	// OtherReplicas reports whether a device has written under another number too.
	OtherReplicas(device hlc.ID, replica hlc.Replica) (bool, error)
	// Postings are all of a worker, ascending.
	Postings(worker hlc.ID) ([]Posting, error)
	// Save writes what a group changed.
	Save(Changes) error
}

// Enrolling lets tablets in.
type Enrolling interface {
	// Enrolment is the use that may be made of a code, by the hash of its secret.
	Enrolment(secretHash []byte) (Enrolment, bool, error)
	// SaveEnrolment adds a code or notes its use.
	SaveEnrolment(Enrolment) error
	// DeviceByKey is the device of a public key; false when there is none.
	DeviceByKey(publicKey []byte) (Device, bool, error)
	// SaveDevice adds a device or replaces what is known of it.
	SaveDevice(Device) error
}

// Head is the end of a deployment's log.
type Head struct {
	Position uint64
	Chain    batch.Hash
	// Time is the highest in the log.
	Time hlc.Time
}

// Replica is how far the server has a replica.
type Replica struct {
	Number hlc.Replica
	// Device is zero for the server's own.
	Device hlc.ID
	Have   uint64
	Chain  batch.Hash
}

// Record is a record as merged.
type Record struct {
	ID   hlc.ID
	Kind recordv1.Kind
	Root hlc.ID
	// Audience is the team that receives it; access.Everyone for the whole deployment.
	Audience hlc.ID
	Position uint64
	// Origin is the replica whose change gave the record its position, if its tablet has all of the record; else 0.
	Origin hlc.Replica
	// Day is YYYYMMDD; 0 when unset.
	Day int32
	// DuplicateOf is zero when it says nothing.
	DuplicateOf hlc.ID
	// State is an encoded State.
	State []byte
}

// Outcomes of a change in the log. Any other outcome is the code why it is held.
const (
	Applied = ""
	// Known: another replica had brought the same change.
	Known = "known"
	// Erased: the change came with its hash alone.
	Erased = "erased"
	// NewAudience: no change took the position, but a record that others may see from now on.
	NewAudience = "audience"
)

// LogEntry is one position of the log.
type LogEntry struct {
	Position uint64
	Replica  hlc.Replica
	Sequence uint64
	Change   hlc.ID
	Record   hlc.ID
	Outcome  string
	// Body is the change as its author encoded it; nil once erased.
	Body []byte
	// Hash is the change's, where the body is erased.
	Hash  []byte
	Chain batch.Hash
	// Received is the server's clock, milliseconds since 1970.
	Received int64
}

// Held reports whether the change was received and not applied.
func (e LogEntry) Held() bool {
	switch e.Outcome {
	case Applied, Known, Erased, NewAudience:
		return false
	default:
		return true
	}
}

// Posting is the team and role that a worker had from a time on.
type Posting struct {
	Since hlc.Time
	access.Person
}

// Device is a tablet.
type Device struct {
	ID        hlc.ID
	Worker    hlc.ID
	PublicKey []byte
	Name, App string
	// Instants are milliseconds since 1970; 0 never.
	EnrolledAt, LastContact, RevokedAt int64
	// Unsent is how many changes it said to hold still at its last contact.
	Unsent uint64
}

// Enrolment is a code that lets one device in.
type Enrolment struct {
	SecretHash []byte
	Worker     hlc.ID
	// ExpiresAt is milliseconds since 1970.
	ExpiresAt int64
	// UsedBy is the device; zero while the code is unused.
	UsedBy hlc.ID
}

// Changes are all that one group of batches changed.
type Changes struct {
	Head     Head
	Replicas []Replica
	Log      []LogEntry
	Records  []Record
	Postings []Posting
	Totals   tally.Delta
	Contacts []Contact
}

// Contact is what a device said about itself in a request.
type Contact struct {
	Device hlc.ID
	// At is the server's clock, milliseconds since 1970.
	At     int64
	Unsent uint64
	// App is empty when it is what it was.
	App string
}
