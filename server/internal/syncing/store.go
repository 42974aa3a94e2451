// Package syncing is the server's side of a sync: it takes batches in, merges them into the records, and hands out
// pages. It declares the Store that it needs.
package syncing

import (
	"context"

	"levee/server/internal/access"
	"levee/server/internal/journal"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Store keeps one deployment. Every error that a full disk causes is a problem with code storage_full.
type Store interface {
	// Write runs fn in the only writing transaction there is and commits what it saved; an error of fn undoes all. Everybody may read
	// that from then on, and it is not on the disk yet.
	Write(ctx context.Context, fn func(Writing) error) error
	// Durable returns once the disk has all that is committed by now. An error says that it does not take it, and nothing more is written.
	Durable() error
	// Read runs fn over one snapshot. It never waits for a writer.
	Read(ctx context.Context, fn func(Reading) error) error
	// Purge leaves nothing in the files of what was erased from the store. Writers wait meanwhile.
	Purge(ctx context.Context) error
}

// Reading looks things up in one snapshot.
type Reading interface {
	LogReading
	RecordReading
	journal.Reading
	// Device is a device; false when there is none by that id.
	Device(id hlc.ID) (Device, bool, error)
	// Enrolment is the use that may be made of a code, by the hash of its secret; false when there is none.
	Enrolment(secretHash []byte) (Enrolment, bool, error)
	// Settled are the log's entries with outcome Settled after a position, up to another, ascending.
	Settled(after, to uint64) ([]LogEntry, error)
	// Departures are the records that left one of some audiences after a position, up to another.
	Departures(audiences []hlc.ID, after, to uint64) ([]Departure, error)
	// History are the log's entries of a record, ascending: its changes, and where it got a position without one.
	History(id hlc.ID) ([]LogEntry, error)
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
	// OtherReplicas reports whether a device has written under another number too.
	OtherReplicas(device hlc.ID, replica hlc.Replica) (bool, error)
}

// RecordReading looks up records as merged.
type RecordReading interface {
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]Record, error)
	// OfKind are all records of a kind, in the order of their ids.
	OfKind(kind recordv1.Kind) ([]Record, error)
	// AnyOfKinds reports whether there is a record of one of some kinds.
	AnyOfKinds(kinds []recordv1.Kind) (bool, error)
	// Unsettled are the conflicts after an id, ascending, that are marked as such.
	Unsettled(after hlc.ID, limit int) ([]Record, error)
	// Page are the records of an audience after a position, ascending, at most limit.
	Page(audience hlc.ID, after uint64, limit int) ([]Record, error)
	// Remaining counts the records of an audience after a position.
	Remaining(audience hlc.ID, after uint64) (uint64, error)
}

// Writing is what the writer looks up besides, and how it saves.
type Writing interface {
	Reading
	Saving
	Enrolling
	Settling
	Erasing
	// Families are all records whose root is one of some.
	Families(roots []hlc.ID) ([]Record, error)
	// DuplicatesOf are the roots of the records that say to be the same as one of some records.
	DuplicatesOf(ids []hlc.ID) ([]hlc.ID, error)
	// Postings are all of a worker, ascending.
	Postings(worker hlc.ID) ([]Posting, error)
}

// Saving writes what a group changed.
type Saving interface {
	// Append writes new entries of the log ahead of Save, which moves its head.
	Append([]LogEntry) error
	// Save writes everything else, and entries that were not appended.
	Save(Changes) error
}

// Settling finds what is held, and what can now be done about it.
type Settling interface {
	// Kept are the entries of a change that is held or discarded, ascending.
	Kept(change hlc.ID) ([]LogEntry, error)
	// HeldOf are the held changes of a device, ascending.
	HeldOf(device hlc.ID) ([]LogEntry, error)
	// HeldWith are the entries that are held with a code, ascending.
	HeldWith(code string) ([]LogEntry, error)
	// Waiting are the held entries that wait for one of some records, ascending.
	Waiting(ids []hlc.ID) ([]LogEntry, error)
	// Orphans are the records whose owner was missing and is one of some.
	Orphans(ids []hlc.ID) ([]Record, error)
	// Decisions are the HeldDecision records about a change.
	Decisions(change hlc.ID) ([]hlc.ID, error)
	// InAudience are the ids of an audience's records.
	InAudience(audience hlc.ID) ([]hlc.ID, error)
}

// Erasing takes personal data out. It writes at once, and not with Save.
type Erasing interface {
	// BodiesAfter are the log's entries after a position that have a body, ascending, at most so many.
	BodiesAfter(position uint64, limit int) ([]LogEntry, error)
	// RecordsAfter are the records after an id, ascending, at most so many.
	RecordsAfter(id hlc.ID, limit int) ([]Record, error)
	// AllKept are the entries that are held or discarded, ascending.
	AllKept() ([]LogEntry, error)
	// Rewrite changes outcome, body, hash and what is waited for of entries. What the log's chain is made of stays.
	Rewrite(entries []LogEntry) error
	// ReplaceTokens counts under another token each that with gives another for. Where that is met already, the two are one person.
	ReplaceTokens(with func(token hlc.ID) hlc.ID) error
	// Remove takes records out.
	Remove(ids []hlc.ID) error
	// ErasureNoted reports whether an entry of the journal was carried out in this store.
	ErasureNoted(sort string, subject []byte) (bool, error)
	// NoteErasure notes that it was.
	NoteErasure(sort string, subject []byte) error
}

// Enrolling lets tablets in, and notes what must outlive the store.
type Enrolling interface {
	journal.Writing
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
	// Ahead is up to where stamps are taken though they may lie in the future: the operator accepted a log that a clock
	// wrote which ran ahead. 0 when nobody had to.
	Ahead hlc.Time
	// SetUp is the chain at the newest change of the set-up: it is another one after each.
	SetUp batch.Hash
}

// Replica is how far the server has a replica.
type Replica struct {
	Number hlc.Replica
	// Device is zero for the server's own.
	Device hlc.ID
	Have   uint64
	Chain  batch.Hash
	// Durable is up to where a verified backup has it, or a standby.
	Durable uint64
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
	// OriginAfter is the position that the record had before Origin's changes: a copy of its tablet that has not pulled up to
	// there lacks something.
	OriginAfter uint64
	// Day is YYYYMMDD; 0 when unset.
	Day int32
	// DuplicateOf is zero when it says nothing.
	DuplicateOf hlc.ID
	// Unsettled: it is a conflict that nobody has settled.
	Unsettled bool
	// OrphanOf is the owner of a record given back, when it is not there; else zero.
	OrphanOf hlc.ID
	// State is an encoded State.
	State []byte
	// Made is the position of the entry with which it came to be. It is told to the store, and not read from there.
	Made uint64
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
	// Given: a record was given back and merged. The body is an encoded GivenRecord, and its own id stands for the change.
	Given = "given"
	// Settled: no change took the position, but of one that was held it was decided here.
	Settled = "settled"
	// Discarded: somebody decided that the change is not to be applied.
	Discarded = string(record.CodeDiscarded)
)

// LogEntry is one position of the log.
type LogEntry struct {
	Position uint64
	Replica  hlc.Replica
	Sequence uint64
	Change   hlc.ID
	Record   hlc.ID
	Outcome  string
	// Body is the change as its author encoded it; nil once erased. Tokens in it may have been replaced.
	Body []byte
	// Hash is that of the change as its author encoded it, where the body is not that any more; else nil.
	Hash  []byte
	Chain batch.Hash
	// Received is the server's clock, milliseconds since 1970.
	Received int64
	// WaitsFor is the record without which a held change can't be applied, when that may still come; else zero.
	WaitsFor hlc.ID
	// Makes: its record came to be with it. It is told to the store, and not read from there.
	Makes bool
}

// Held reports whether the change was received, is not applied, and nobody has discarded it.
func (e LogEntry) Held() bool {
	switch e.Outcome {
	case Applied, Known, Erased, NewAudience, Given, Settled, Discarded:
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
	// ReplacedBy is the device that took its place when it was revoked; zero when none did.
	ReplacedBy hlc.ID
	// AdmittedAt is when it came in by its certificate alone; 0 once it is confirmed, and for all others.
	AdmittedAt int64
	// Unsent is how many changes it said to hold still at its last contact.
	Unsent uint64
}

// Enrolment is a code that lets one device in.
type Enrolment struct {
	SecretHash []byte
	Worker     hlc.ID
	// Replaces is the device that is revoked when the code is used; zero for none.
	Replaces hlc.ID
	// ExpiresAt is milliseconds since 1970.
	ExpiresAt int64
	// UsedBy is the device; zero while the code is unused.
	UsedBy hlc.ID
}

// Changes are all that one group of batches changed.
type Changes struct {
	// Head is the new one, or zero where the log is as it was.
	Head     Head
	Replicas []Replica
	// Log are new entries, unless Append has written them.
	Log []LogEntry
	// Decided are earlier entries whose outcome changed.
	Decided    []LogEntry
	Decisions  []Decision
	Departures []Departure
	// Made are records that came to be, Records those that changed.
	Made, Records []Record
	Postings      []Posting
	Totals        tally.Delta
	Told          Told
	Contacts      []Contact
	// Unfound are records that are found by no word, until they are sorted in as they stand by then.
	Unfound []hlc.ID
}

// Decision names a HeldDecision record about a change.
type Decision struct{ Change, Record hlc.ID }

// Departure is a record that left an audience: a team, or one worker.
type Departure struct {
	Audience hlc.ID
	Position uint64
	Record   hlc.ID
	// Reset: those who may see the record drop what they have of it too, and get it anew.
	Reset bool
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
