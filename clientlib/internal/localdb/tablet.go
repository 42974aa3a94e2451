package localdb

import (
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	"levee/syncproto/wire"
)

// ErrNotEnrolled says that the file belongs to no tablet of a deployment yet.
var ErrNotEnrolled = errors.New("not enrolled")

// Tablet is who this tablet is, and how far it has come.
type Tablet struct {
	Deployment, Device, Worker hlc.ID
	ServerURL                  string
	// Pin is by what alone the server's certificate is known; empty where an authority signed it.
	Pin         wire.Pin
	ServerKey   ed25519.PublicKey
	Key         ed25519.PrivateKey
	Certificate []byte
	// Site is where its worker logs; zero while not chosen.
	Site hlc.ID

	Replica hlc.Replica
	Nonce   uint64
	// Sequence is that of the newest own change, Chain the own chain there.
	Sequence uint64
	Chain    batch.Hash
	// Acknowledged is up to where the server has the own changes, Durable up to where it has them for good.
	Acknowledged      uint64
	AcknowledgedChain batch.Hash
	Durable           uint64
	// Accepted is the most that any server ever acknowledged, Possible the most that one may have got. Attempts counts
	// the requests with changes that were begun.
	Accepted, Possible, Attempts uint64

	// Time is the highest hybrid logical time seen, Offset the correction of the wall clock.
	Time   hlc.Time
	Offset time.Duration
	// Cursor is up to where everything is pulled.
	Cursor Mark
	// Recheck is the newest mark from before the cursor went back to 0, which is compared with the server's log until the
	// cursor has come there again; zero when there is nothing to compare.
	Recheck Mark
	// Journal is up to where the server's journal is held.
	Journal Mark
	// Unconfirmed says that the server knows this tablet by its certificate alone.
	Unconfirmed bool
	// Revoked says that the server has put this tablet out of use.
	Revoked bool
	// LastContact is when the server last answered, by the corrected clock.
	LastContact time.Time
	App         string
}

// Mark is a place in the server's log; Chain is its short chain there, nothing at position 0.
type Mark struct {
	Position uint64
	Chain    []byte
}

// Clock is the tablet's hybrid logical clock, over a wall clock. Its time must be kept in the tablet again.
func (t *Tablet) Clock(wall func() time.Time) *hlc.Clock {
	c := hlc.NewClock(wall, t.Time)
	c.SetOffset(t.Offset)
	return c
}

// Tablet reads the one row; ErrNotEnrolled when there is none.
func (tx *Tx) Tablet() (*Tablet, error) {
	t := &Tablet{}
	var sealed, site, chain, acknowledgedChain, pin []byte
	var replica, nonce, now, offset, contact int64
	err := tx.sql.QueryRowContext(tx.ctx, `
		SELECT deployment, device, worker, server_url, server_key, private_key, certificate, site, replica, nonce,
		       sequence, chain, acknowledged, acknowledged_chain, durable, accepted, possible, attempts,
		       time, clock_offset, cursor, cursor_chain, last_contact, app, recheck, recheck_chain, journal, journal_chain, unconfirmed, pin, revoked
		FROM tablet`).Scan(id{&t.Deployment}, id{&t.Device}, id{&t.Worker}, &t.ServerURL, (*[]byte)(&t.ServerKey), &sealed, &t.Certificate, &site, &replica, &nonce,
		&t.Sequence, &chain, &t.Acknowledged, &acknowledgedChain, &t.Durable, &t.Accepted, &t.Possible, &t.Attempts,
		&now, &offset, &t.Cursor.Position, &t.Cursor.Chain, &contact, &t.App,
		&t.Recheck.Position, &t.Recheck.Chain, &t.Journal.Position, &t.Journal.Chain, &t.Unconfirmed, &pin, &t.Revoked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrNotEnrolled
	case err != nil:
		return nil, fmt.Errorf("reading the tablet: %w", err)
	}
	seed, err := tx.seal.open(tabletKey, nil, sealed)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the tablet: %w", err)
	case len(seed) != ed25519.SeedSize || copy(t.Chain[:], chain) != len(t.Chain) || copy(t.AcknowledgedChain[:], acknowledgedChain) != len(t.Chain):
		return nil, fmt.Errorf("reading the tablet: %w", ErrDamaged)
	}
	copy(t.Site[:], site)
	t.Pin = wire.Pin(pin)
	t.Key = ed25519.NewKeyFromSeed(seed)
	t.Replica, t.Nonce, t.Time = hlc.Replica(replica), uint64(nonce), hlc.Time(now) //nolint:gosec // kept as the signed number of the same bits
	t.Offset, t.LastContact = time.Duration(offset)*time.Millisecond, time.UnixMilli(contact)
	return t, nil
}

// Enrolled reports whether the file belongs to a tablet of a deployment.
func (tx *Tx) Enrolled() (bool, error) {
	var n int
	err := tx.sql.QueryRowContext(tx.ctx, `SELECT count(*) FROM tablet`).Scan(&n)
	return n > 0, err
}

// SetTablet makes the tablet that of an enrolment, which has nothing of its own yet.
func (tx *Tx) SetTablet(t *Tablet) error {
	if err := tx.exec(`DELETE FROM enrolments`); err != nil {
		return fmt.Errorf("ending the enrolment: %w", err)
	}
	seed, err := tx.seal.seal(tabletKey, nil, t.Key.Seed())
	if err != nil {
		return err
	}
	return tx.exec(`
		INSERT INTO tablet (one, deployment, device, worker, server_url, server_key, private_key, certificate, site, replica, nonce,
		       sequence, chain, acknowledged, acknowledged_chain, durable, accepted, possible, attempts,
		       time, clock_offset, cursor, cursor_chain, last_contact, app, pin)
		VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`,
		t.Deployment[:], t.Device[:], t.Worker[:], t.ServerURL, []byte(t.ServerKey), seed, notNull(t.Certificate), t.site(), int64(t.Replica), int64(t.Nonce), //nolint:gosec // the same bits, signed
		t.Sequence, t.Chain[:], t.Acknowledged, t.AcknowledgedChain[:], t.Durable, t.Accepted, t.Possible, t.Attempts,
		int64(t.Time), t.Offset.Milliseconds(), t.Cursor.Position, notNull(t.Cursor.Chain), t.LastContact.UnixMilli(), t.App, []byte(t.Pin)) //nolint:gosec // the same bits, signed
}

// Save keeps what changed of the tablet. Who it is stays.
func (tx *Tx) Save(t *Tablet) error {
	err := tx.exec(`
		UPDATE tablet SET certificate = $1, site = $2, sequence = $3, chain = $4, acknowledged = $5, acknowledged_chain = $6,
		       durable = $7, accepted = $8, possible = $9, attempts = $10, time = $11, clock_offset = $12,
		       cursor = $13, cursor_chain = $14, last_contact = $15, app = $16, replica = $17, nonce = $18,
		       recheck = $19, recheck_chain = $20, journal = $21, journal_chain = $22, unconfirmed = $23, revoked = $24`,
		notNull(t.Certificate), t.site(), t.Sequence, t.Chain[:], t.Acknowledged, t.AcknowledgedChain[:],
		t.Durable, t.Accepted, t.Possible, t.Attempts, int64(t.Time), t.Offset.Milliseconds(), //nolint:gosec // the same bits, signed
		t.Cursor.Position, notNull(t.Cursor.Chain), t.LastContact.UnixMilli(), t.App, int64(t.Replica), int64(t.Nonce), //nolint:gosec // the same bits, signed
		t.Recheck.Position, notNull(t.Recheck.Chain), t.Journal.Position, notNull(t.Journal.Chain), t.Unconfirmed, t.Revoked)
	if err != nil {
		return fmt.Errorf("saving the tablet: %w", err)
	}
	return nil
}

func (t *Tablet) site() any {
	if t.Site == (hlc.ID{}) {
		return nil
	}
	return t.Site[:]
}

// Enrolment is the key and nonce that were kept for an enrolment code; ok is false when it was not begun.
func (tx *Tx) Enrolment(code string) (key ed25519.PrivateKey, nonce uint64, ok bool, err error) {
	name, err := tx.seal.name(code)
	if err != nil {
		return nil, 0, false, err
	}
	var sealed []byte
	var n int64
	err = tx.sql.QueryRowContext(tx.ctx, `SELECT private_key, nonce FROM enrolments WHERE code = $1`, name).Scan(&sealed, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, false, nil
	}
	var seed []byte
	if err == nil {
		seed, err = tx.seal.open(enrolmentKey, []byte(name), sealed)
	}
	if err == nil && len(seed) != ed25519.SeedSize {
		err = ErrDamaged
	}
	if err != nil {
		return nil, 0, false, fmt.Errorf("reading the enrolment: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), uint64(n), true, nil //nolint:gosec // the same bits, signed
}

// BeginEnrolment keeps the key and nonce with which a code will be used.
func (tx *Tx) BeginEnrolment(code string, key ed25519.PrivateKey, nonce uint64) error {
	name, err := tx.seal.name(code) // the code itself is a secret as long as it was not used
	if err != nil {
		return err
	}
	seed, err := tx.seal.seal(enrolmentKey, []byte(name), key.Seed())
	if err != nil {
		return err
	}
	err = tx.exec(`INSERT INTO enrolments (code, private_key, nonce) VALUES ($1, $2, $3)`, name, seed, int64(nonce)) //nolint:gosec // the same bits, signed
	if err != nil {
		return fmt.Errorf("beginning the enrolment: %w", err)
	}
	return nil
}

// id scans 16 bytes.
type id struct{ to *hlc.ID }

func (s id) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(s.to) {
		return fmt.Errorf("id of %d bytes: %w", len(b), ErrDamaged)
	}
	copy(s.to[:], b)
	return nil
}

// notNull is b as a value that is never NULL.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
