// Package audit keeps who did what to which record or account, when, and from where: one append-only log for each
// deployment and one for the server, each a hash chain of its own. It holds ids alone, and no personal data.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
)

// Actor is who did something; ids are zero where there is none. The zero Actor is the command line of the server's
// machine.
type Actor struct {
	Account hlc.ID
	// Worker is as whom, in the deployment that the entry is about.
	Worker hlc.ID
	// Device is the tablet, Session the session on the web, Token the API token that it came through.
	Device, Session, Token hlc.ID
}

// Action names what was done, for ever.
type Action string

// What is noted.
const (
	AccountMade          Action = "account_made"
	AccountDisabled      Action = "account_disabled"
	AccountEnabled       Action = "account_enabled"
	AccountReset         Action = "account_reset" // a link was made with which a new password can be set
	AdministratorMade    Action = "administrator_made"
	AdministratorUnmade  Action = "administrator_unmade"
	MembershipAdded      Action = "membership_added"
	MembershipRemoved    Action = "membership_removed"
	Invited              Action = "invited"
	SignedIn             Action = "signed_in"
	SignInFailed         Action = "sign_in_failed" // the actor is whose login it was
	SignedOut            Action = "signed_out"
	SessionEnded         Action = "session_ended"    // from another session, or with the password's change
	SessionReplayed      Action = "session_replayed" // a cookie came again that had long been replaced, and its session was ended
	PasswordChanged      Action = "password_changed"
	TOTPAdded            Action = "totp_added"
	TOTPRemoved          Action = "totp_removed"
	TokenMade            Action = "token_made"
	TokenRevoked         Action = "token_revoked"
	KeysRotated          Action = "keys_rotated"
	DeploymentMade       Action = "deployment_made"
	DeploymentLinked     Action = "deployment_linked"  // another one was made that counts the same people: it shares the linkage key
	DeploymentChanged    Action = "deployment_changed" // its state: closing, closed, archived, active again
	SetUpChanged         Action = "set_up_changed"
	Waived               Action = "waived"
	WaiverTakenBack      Action = "waiver_taken_back"
	CertificateIssued    Action = "certificate_issued"
	ArchiveMade          Action = "archive_made" // the file of a closed deployment
	CodeMade             Action = "enrolment_code_made"
	DeviceRenamed        Action = "device_renamed"
	DeviceRevoked        Action = "device_revoked"
	DeviceConfirmed      Action = "device_confirmed"
	HeldReleased         Action = "held_released"
	HeldDiscarded        Action = "held_discarded"
	ConflictSettled      Action = "conflict_settled"
	RecordReviewed       Action = "record_reviewed" // approved or returned
	RecordsJoined        Action = "records_joined"  // said to be the same as another one
	RecordsSeparated     Action = "records_separated"
	RecordsToldApart     Action = "records_told_apart" // said to be different, though they look alike
	AlertAcknowledged    Action = "alert_acknowledged"
	AlertClosed          Action = "alert_closed"
	RecordMade           Action = "record_made"
	RecordChanged        Action = "record_changed"
	RecordRead           Action = "record_read"
	ConfidentialRead     Action = "confidential_read"
	Exported             Action = "exported"              // what is not confidential went into a file
	ConfidentialExported Action = "confidential_exported" // and here what is
	Imported             Action = "imported"              // records from a file
	ClientErased         Action = "client_erased"
	ClientErasureStarted Action = "client_erasure_started"
	DeploymentErased     Action = "deployment_erased" // all personal data of it
	WholeErasureStarted  Action = "deployment_erasure_started"
	HandedOver           Action = "case_handed_over"    // a sealed file of a case was made for somebody
	HandedOverTo         Action = "case_handed_over_to" // to whose key that was: the entry behind it
)

// Kind says what the id of a Subject names.
type Kind string

// The kinds of subjects.
const (
	OfAccount    Kind = "account"
	OfSession    Kind = "session"
	OfToken      Kind = "token"
	OfWorker     Kind = "worker"
	OfDevice     Kind = "device"
	OfRecord     Kind = "record"
	OfChange     Kind = "change"
	OfDeployment Kind = "deployment"
	OfServer     Kind = "server"
	// OfRecipient: the id is of a public key to which something was sealed; zeros for a passphrase.
	OfRecipient Kind = "recipient"
)

// Subject is what something was done to.
type Subject struct {
	Kind Kind
	ID   hlc.ID
}

// Entry is one entry.
type Entry struct {
	// Number counts from 1 within the deployment; Write gives it.
	Number uint64
	// At is by the server's clock; Write gives it.
	At time.Time
	// Deployment is zero where the server is concerned.
	Deployment hlc.ID
	Actor      Actor
	Action     Action
	Subject    Subject
	// File is what an export wrote; zero for everything else.
	File File
	// Chain is that of the log up to and with this entry; Write gives it.
	Chain batch.Hash
}

// File is a file that left the server.
type File struct {
	// Format is the stable name of its format.
	Format string
	// Position is how long the deployment's change log was at the moment that all of the file is of.
	Position uint64
}

// Store keeps the logs.
type Store interface {
	// WriteAudit runs fn in one transaction; no other writes meanwhile.
	WriteAudit(ctx context.Context, fn func(Writing) error) error
	// ReadAudit runs fn over one snapshot.
	ReadAudit(ctx context.Context, fn func(Reading) error) error
}

// Writing is a transaction that may append.
type Writing interface {
	// AuditEnd is the number and chain of a deployment's newest entry; 0 when there is none.
	AuditEnd(deployment hlc.ID) (number uint64, chain batch.Hash, err error)
	SaveAudit(e Entry) error
}

// Reading reads one snapshot.
type Reading interface {
	// AuditBefore are a deployment's entries before a number, newest first.
	AuditBefore(deployment hlc.ID, before uint64, limit int) ([]Entry, error)
	// EachAudit are all entries, by deployment and number.
	EachAudit(func(Entry) error) error
}

// Log is where entries are written and read.
type Log struct {
	store Store
	wall  func() time.Time
}

// New is a log over a store, by a clock.
func New(store Store, wall func() time.Time) *Log { return &Log{store, wall} }

// Write appends an entry. It is on the disk when it returns: who is to be noted as having read something writes first.
func (l *Log) Write(ctx context.Context, e Entry) error { return l.WriteAll(ctx, []Entry{e}) }

// WriteAll appends entries, all or none of them.
func (l *Log) WriteAll(ctx context.Context, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	return l.store.WriteAudit(ctx, func(tx Writing) error {
		for _, e := range entries {
			if err := Append(tx, l.wall(), e); err != nil {
				return err
			}
		}
		return nil
	})
}

// Append appends an entry in a transaction that does more.
func Append(tx Writing, now time.Time, e Entry) error {
	if e.Action == "" {
		return errors.New("an entry of the audit log without an action")
	}
	number, chain, err := tx.AuditEnd(e.Deployment)
	if err != nil {
		return err
	}
	if number == 0 {
		chain = start(e.Deployment)
	}
	e.Number, e.At = number+1, now.UTC().Truncate(time.Millisecond)
	e.Chain = next(chain, e)
	return tx.SaveAudit(e)
}

// Page are a deployment's entries before a number, newest first; 0 asks for the newest. following is what to ask for
// next; 0 when there is no more. The zero deployment is the server's own part.
func (l *Log) Page(ctx context.Context, deployment hlc.ID, before uint64, limit int) (entries []Entry, following uint64, err error) {
	if before == 0 {
		before = 1 << 62
	}
	err = l.store.ReadAudit(ctx, func(tx Reading) (err error) {
		entries, err = tx.AuditBefore(deployment, before, limit+1)
		return err
	})
	if err == nil && len(entries) > limit {
		entries = entries[:limit]
		following = entries[limit-1].Number
	}
	return entries, following, err
}

// Fault is an entry that is not as it was written.
type Fault struct {
	Deployment hlc.ID
	Number     uint64
	// What is wrong, in English.
	What string
}

// Verify goes through all logs of a snapshot and tells what was taken out or altered. What was cut off at the end can't be
// told: that is what a restored backup looks like.
func Verify(tx Reading) (faults []Fault, err error) {
	var last Entry
	err = tx.EachAudit(func(e Entry) error {
		if e.Deployment != last.Deployment || last.Number == 0 {
			last = Entry{Deployment: e.Deployment, Chain: start(e.Deployment)}
		}
		switch {
		case e.Number != last.Number+1:
			faults = append(faults, Fault{e.Deployment, e.Number, fmt.Sprintf("follows entry %d", last.Number)})
		case e.Chain != next(last.Chain, e):
			faults = append(faults, Fault{e.Deployment, e.Number, "the chain does not continue"})
		}
		last = e
		return nil
	})
	return faults, err
}

const chainContext = "levee audit v1"

func start(deployment hlc.ID) batch.Hash {
	return sha256.Sum256(append([]byte(chainContext), deployment[:]...))
}

// next is SHA-256 over the chain before and all that the entry says, each part of fixed length or preceded by its length. Entries from
// before files were told of have none, and their chain is what it was.
func next(chain batch.Hash, e Entry) batch.Hash {
	b := append([]byte(nil), chain[:]...)
	b = binary.BigEndian.AppendUint64(b, e.Number)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	for _, id := range []hlc.ID{e.Deployment, e.Actor.Account, e.Actor.Worker, e.Actor.Device, e.Actor.Session, e.Actor.Token, e.Subject.ID} {
		b = append(b, id[:]...)
	}
	for _, text := range []string{string(e.Action), string(e.Subject.Kind)} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(text)))
		b = append(b, text...)
	}
	if e.File != (File{}) {
		b = binary.BigEndian.AppendUint64(b, uint64(len(e.File.Format)))
		b = append(b, e.File.Format...)
		b = binary.BigEndian.AppendUint64(b, e.File.Position)
	}
	return sha256.Sum256(b)
}
