// Package accounts knows who may sign in on the web, and with what: passwords, time codes, sessions, invitations and API
// tokens. What somebody may do then is decided elsewhere, by the worker as whom they act. It knows nothing of HTTP.
package accounts

import (
	"context"
	"crypto/ed25519"
	"io"
	"slices"
	"sync"
	"time"

	"levee/server/internal/audit"
	"levee/server/internal/journal"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
)

// Account is somebody who may sign in.
type Account struct {
	ID hlc.ID
	// Login is what they sign in with: lower case, unique.
	Login string
	Name  string
	// Language is "zh" or "en".
	Language string
	// Administrator: they see to accounts and keys.
	Administrator bool
	Disabled      bool
	// TOTP: they sign in with a time code besides the password.
	TOTP        bool
	Memberships []Membership
	Made        time.Time
}

// Membership is as whom somebody acts in a deployment. Role and team are what the Worker record says, now.
type Membership struct {
	Deployment, Worker hlc.ID
}

// In is as whom an account acts in a deployment; the zero ID when as nobody.
func (a *Account) In(deployment hlc.ID) (worker hlc.ID) {
	for _, m := range a.Memberships {
		if m.Deployment == deployment {
			return m.Worker
		}
	}
	return hlc.ID{}
}

// NewAccount is what somebody says of themselves when their account is made.
type NewAccount struct {
	Login, Name, Password string
	// Language is "zh" or "en".
	Language string
}

// Invitation is what an account gets that is made, or joined, with its link.
type Invitation struct {
	Administrator bool
	// Membership is zero when the invitation is to none.
	Membership Membership
}

// LinkSort says what the code in a link is for.
type LinkSort string

// The sorts of links.
const (
	// SetUpLink makes the first account, an administrator.
	SetUpLink LinkSort = "set_up"
	// InvitationLink makes an account, or adds to one.
	InvitationLink LinkSort = "invitation"
	// ResetLink sets a new password and takes the time code away.
	ResetLink LinkSort = "reset"
)

// Link is a one-time link, without its code.
type Link struct {
	Sort LinkSort
	// Hash is the SHA-256 of the code.
	Hash []byte
	Invitation
	// Account is whose password a ResetLink sets.
	Account hlc.ID
	// By is who made it.
	By             hlc.ID
	Expires, Spent time.Time
}

// How long links hold.
const (
	SetUpLife      = 24 * time.Hour
	InvitationLife = 7 * 24 * time.Hour
	ResetLife      = 24 * time.Hour
)

// Session is one sign-in. Account is as it is now.
type Session struct {
	ID          hlc.ID
	Account     Account
	Began, Seen time.Time
}

// Actor is who acts through a session in a deployment; the zero ID where none is concerned.
func (s *Session) Actor(deployment hlc.ID) audit.Actor {
	return audit.Actor{Account: s.Account.ID, Worker: s.Account.In(deployment), Session: s.ID}
}

// SignIn is an attempt to sign in.
type SignIn struct {
	Login, Password string
	// TOTP is the time code; empty when none was asked for yet.
	TOTP string
	// Address is where it comes from: attempts are counted by it, and it is nowhere kept.
	Address string
}

// Scope is what an API token may be used for.
type Scope string

// The scopes. None lets a token do what its worker may not.
const (
	// ScopeRead reads totals, records, tablets, held changes and conflicts, and exports what is not confidential.
	ScopeRead Scope = "read"
	// ScopeConfidential reads what is confidential, too.
	ScopeConfidential Scope = "confidential"
	// ScopeDecide reviews, settles and decides.
	ScopeDecide Scope = "decide"
	// ScopeManage sees to set-up, tablets and erasure.
	ScopeManage Scope = "manage"
)

// Scopes are all scopes.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeConfidential, ScopeDecide, ScopeManage} }

// MaxTokenLife is how long an API token may hold.
const MaxTokenLife = 366 * 24 * time.Hour

// NewToken is what an API token is made from.
type NewToken struct {
	// Name tells its owner what it is for.
	Name string
	// Account is whose it is; zero for one that was made at the command line.
	Account hlc.ID
	// Membership is as whom it acts.
	Membership
	Scopes []Scope
	Life   time.Duration
}

// Token is an API token, without its text.
type Token struct {
	ID   hlc.ID
	Name string
	// Account is whose it is; zero for one that was made at the command line.
	Account hlc.ID
	Membership
	Scopes        []Scope
	Made, Expires time.Time
	// Used is when it was last used, to within an hour; zero when never.
	Used time.Time
	// Revoked is zero while it is good.
	Revoked time.Time
}

// May reports whether a token has a scope.
func (t *Token) May(s Scope) bool { return slices.Contains(t.Scopes, s) }

// Actor is who acts through a token.
func (t *Token) Actor() audit.Actor {
	return audit.Actor{Account: t.Account, Worker: t.Worker, Token: t.ID}
}

// TOTPSecret is what an authenticator is set up with.
type TOTPSecret struct {
	// Text is to be typed, URL to be shown as a QR code.
	Text, URL string
}

// Keys are the secrets that accounts need. They are read at each use: they may be rotated meanwhile.
type Keys interface {
	// SessionKeys are those that sessions are signed with, the one in use first.
	SessionKeys() []SessionKey
	// SealKey seals the secrets of time codes.
	SealKey() []byte
}

// SessionKey is a key that sessions are signed with.
type SessionKey struct {
	// ID names it in tokens.
	ID  string
	Key ed25519.PrivateKey
}

// Journal is the part of the server's journal that outlives a restore of the database.
type Journal interface {
	// Refresh reads what other servers have added. lacking says that the store has not all that there is.
	Refresh(tx journal.Reading) (news, lacking bool, err error)
	All(sort string) []*syncv1.JournalEntry
	Add(tx journal.Writing, entries ...*syncv1.JournalEntry) error
	// Mend reads what other servers have added, and gives the store what it lacks.
	Mend(tx journal.Writing) error
}

// Config is what a Service needs.
type Config struct {
	Store Store
	Keys  Keys
	// Signing signs the entries of Journal.
	Signing ed25519.PrivateKey
	Journal Journal
	Wall    func() time.Time
	Entropy io.Reader
	// Hashing is how passwords are hashed; DefaultHashing when zero.
	Hashing Hashing
	// Issuer names the server in authenticators; "Levee" when empty.
	Issuer string
}

// Service sees to accounts. It is safe for concurrent use.
type Service struct {
	c        Config
	hashes   chan struct{} // bounds how many passwords are hashed at once
	attempts *throttle
	decoy    func() (string, error) // a hash that unknown logins are compared with; made when it is first needed
}

// Start is a service over a store. What the journal says and the store, set back to an older copy, does not know is
// carried out first.
func Start(ctx context.Context, c Config) (*Service, error) {
	if c.Hashing == (Hashing{}) {
		c.Hashing = DefaultHashing
	}
	if c.Issuer == "" {
		c.Issuer = "Levee"
	}
	s := &Service{c: c, hashes: make(chan struct{}, maxHashes), attempts: newThrottle()}
	s.decoy = sync.OnceValues(func() (string, error) { return s.c.Hashing.hash("", c.Entropy) })
	return s, s.catchUp(ctx)
}

// Store keeps accounts.
type Store interface {
	// WriteAccounts runs fn in one transaction; no other writes meanwhile.
	WriteAccounts(ctx context.Context, fn func(Writing) error) error
	// ReadAccounts runs fn over one snapshot.
	ReadAccounts(ctx context.Context, fn func(Reading) error) error
}

// Stored is an account as it is kept.
type Stored struct {
	Account
	// Password is its hash, as a PHC string.
	Password string
	// PasswordSet is when it was set, milliseconds since 1970; so are all the numbers below.
	PasswordSet int64
	// Secret is that of the time code, sealed; nil without one. Pending is one that was not confirmed yet.
	Secret, Pending []byte
	// Counter is the newest time code that was used.
	Counter uint64
	// StandingSet is when it was last disabled or enabled.
	StandingSet int64
	// Since is when each membership began, by deployment.
	Since map[hlc.ID]int64
}

// StoredSession is a session as it is kept.
type StoredSession struct {
	ID hlc.ID
	// Hash is the SHA-256 of what its cookies carry.
	Hash    []byte
	Account hlc.ID
	// Generation is that of the newest cookie, which was made at Rotated. Instants are milliseconds since 1970.
	Generation                  uint64
	Began, Seen, Rotated, Ended int64
}

// StoredToken is a token as it is kept.
type StoredToken struct {
	Token
	// Hash is the SHA-256 of its text.
	Hash []byte
}

// Reading reads one snapshot.
type Reading interface {
	AccountReading
	SignInReading
	journal.Reading
}

// AccountReading looks accounts up.
type AccountReading interface {
	// Accounts are all, by login.
	Accounts() ([]Stored, error)
	Account(id hlc.ID) (Stored, bool, error)
	AccountByLogin(login string) (Stored, bool, error)
	// MemberAccount is the account that acts as a worker.
	MemberAccount(Membership) (account hlc.ID, ok bool, err error)
}

// SignInReading looks up what people and programs come with.
type SignInReading interface {
	Link(hash []byte) (Link, bool, error)
	Session(hash []byte) (StoredSession, bool, error)
	// Sessions are those of an account that have not ended, the newest first.
	Sessions(account hlc.ID) ([]StoredSession, error)
	TokenByHash(hash []byte) (StoredToken, bool, error)
	// Tokens are those of an account that were not revoked, the newest first.
	Tokens(account hlc.ID) ([]StoredToken, error)
	// TokensOf are those that act in a deployment and were not revoked, whoever made them, the newest first.
	TokensOf(deployment hlc.ID) ([]StoredToken, error)
}

// Writing is a transaction that changes accounts and notes it.
type Writing interface {
	Reading
	audit.Writing
	journal.Writing
	AccountWriting
}

// AccountWriting saves.
type AccountWriting interface {
	SaveAccount(Stored) error
	// SaveMembership adds one that begins at an instant.
	SaveMembership(account hlc.ID, m Membership, since int64) error
	DropMembership(account, deployment hlc.ID) error
	SaveLink(Link) error
	SaveSession(StoredSession) error
	SaveToken(StoredToken) error
	// DropStale forgets sessions and links that ended or expired before an instant, in milliseconds since 1970.
	DropStale(before int64) error
}
