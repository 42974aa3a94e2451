// Package inspect looks into a tablet's file: what support must know of a tablet that does not do what it should, and
// what tests compare with the server. It reads, on one snapshot, also while the tablet's program has the file open.
package inspect

import (
	"context"
	"time"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Tablet is all that a tablet's file holds, but for its key.
type Tablet struct {
	Deployment, Device, Worker hlc.ID
	ServerURL                  string
	// Replica is the present replica number.
	Replica hlc.Replica
	// Sequence is that of the newest change under it. Of these, the server has those up to Acknowledged, and for good those
	// up to Durable; some server once had those up to Accepted; one may have those up to Possible.
	Sequence, Acknowledged, Durable, Accepted, Possible uint64
	// Time is the highest hybrid logical time seen, Offset the correction of the wall clock.
	Time   hlc.Time
	Offset time.Duration
	// Cursor is up to where everything is pulled, Recheck where the log is compared while all is pulled again, Journal
	// up to where the server's journal is held.
	Cursor, Recheck, Journal Mark
	// Unconfirmed says that the server knows the tablet by its certificate alone.
	Unconfirmed bool
	LastContact time.Time
	// Changes are all own changes, in the order in which they were made.
	Changes []Change
	// Records are all records, by id.
	Records []Record
	// Returns are the states that a server which lost history is given back, or was and has not shown since.
	Returns []Return
	// Marks are places of the server's log, newest first.
	Marks []Mark
	// JournalEntries are the encoded entries of the server's journal.
	JournalEntries [][]byte
	// Forms are what is filled in and not logged yet, LoggedForms the newest of those that were.
	Forms       []Form
	LoggedForms []LoggedForm
}

// Form is what somebody fills in and has not logged yet.
type Form = localdb.Form

// LoggedForm is a form that was logged, with the records that came of it.
type LoggedForm = localdb.LoggedForm

// Mark is a place in the server's log, or its journal; Chain is its first 16 bytes there.
type Mark = localdb.Mark

// Change is one of the tablet's own changes.
type Change struct {
	// Replica is the number under which it is sent or was: the present one, or an earlier one whose changes the server has.
	Replica    hlc.Replica
	Sequence   uint64
	ID, Record hlc.ID
	// Body is the encoded Change.
	Body []byte
	// Held is why the server holds it; "" when it does not.
	Held string
	// Known says that the server had it from another replica.
	Known bool
}

// Record is a record as the tablet keeps it. States are encoded.
type Record struct {
	ID       hlc.ID
	Kind     record.Kind
	Position uint64
	// Base is what the server has as far as the tablet knows, View what the tablet shows. Base is empty while only this
	// tablet knows the record.
	Base, View []byte
	// Proven is the newest state that came with a proof, Proof the proof; both are empty where there is none.
	Proven, Proof []byte
	// Dropped says that the record goes when its own changes are acknowledged.
	Dropped bool
}

// Return is a record given back, or to be given back.
type Return struct {
	Record hlc.ID
	Kind   record.Kind
	State  []byte
	Proof  []byte
	// Given is the end of the log of the server that took it; 0 while none has.
	Given uint64
}

// Unsealer opens values as they lie in a tablet's file.
type Unsealer struct{ *localdb.Unsealer }

// Unseal opens the key that lies beside a tablet's file; a wrong PIN counts as one.
func Unseal(path string, key localdb.Key) (Unsealer, error) {
	u, err := localdb.Unseal(path, localdb.Options{Key: key})
	return Unsealer{u}, err
}

// Read reads a tablet's file, which key opens, and writes nothing to it.
func Read(ctx context.Context, path string, key localdb.Key) (*Tablet, error) {
	u, err := Unseal(path, key)
	if err != nil {
		return nil, err
	}
	c, err := u.Inspect(ctx, path)
	if err != nil {
		return nil, err
	}
	t := c.Tablet
	out := &Tablet{
		Deployment: t.Deployment, Device: t.Device, Worker: t.Worker, ServerURL: t.ServerURL, Replica: t.Replica,
		Sequence: t.Sequence, Acknowledged: t.Acknowledged, Durable: t.Durable, Accepted: t.Accepted, Possible: t.Possible,
		Time: t.Time, Offset: t.Offset, Cursor: t.Cursor, Recheck: t.Recheck, Journal: t.Journal, Unconfirmed: t.Unconfirmed,
		LastContact: t.LastContact, Marks: c.Marks, JournalEntries: c.Journal, Forms: c.Forms, LoggedForms: c.LoggedForms,
	}
	for _, o := range c.Changes {
		out.Changes = append(out.Changes, Change(o))
	}
	for _, r := range c.Records {
		one := Record{ID: r.ID, Kind: r.Kind, Position: r.Position, Base: r.Base, View: r.View, Proof: r.Proof, Dropped: r.Dropped}
		if len(r.Proof) > 0 {
			if one.Proven = r.Sent; one.Proven == nil {
				one.Proven = r.Base
			}
		}
		out.Records = append(out.Records, one)
	}
	for _, r := range c.Returns {
		out.Returns = append(out.Returns, Return{r.Record, r.Kind, r.State, r.Proof, r.Given})
	}
	return out, nil
}
