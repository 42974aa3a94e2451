package localdb

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"sync/atomic"

	"golang.org/x/crypto/chacha20poly1305"

	"levee/syncproto/hlc"
)

// dataKey is the key under which a file's values are sealed. It never changes; what opens it may.
type dataKey [chacha20poly1305.KeySize]byte

// sealer seals values and opens them. It is safe for concurrent use; its entropy is read by whoever writes the file, and
// one at a time does.
type sealer struct {
	keys    atomic.Pointer[keys] // nil once they are destroyed
	entropy io.Reader
	// plainToo lets through what is not sealed: of a file that an older program made and that was damaged before it
	// could be sealed.
	plainToo bool
}

type keys struct {
	values cipher.AEAD
	names  [sha256.Size]byte
	alerts alertKeys
}

func newSealer(key dataKey, entropy io.Reader) (*sealer, error) {
	values, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, fmt.Errorf("preparing the data key: %w", err)
	}
	s := &sealer{entropy: rand.Reader}
	if entropy != nil {
		// One draw, however much is sealed: what else is drawn from the source does not depend on that.
		var seed [32]byte
		if _, err := io.ReadFull(entropy, seed[:]); err != nil {
			return nil, fmt.Errorf("preparing the data key: %w", err)
		}
		s.entropy = mathrand.NewChaCha8(seed)
	}
	k := &keys{values: values}
	if k.alerts, err = alertKeysOf(key); err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("levee names"))
	mac.Sum(k.names[:0])
	s.keys.Store(k)
	return s, nil
}

// plain opens what no key ever sealed: a file from before there was sealing.
func plain() *sealer { return &sealer{plainToo: true} }

// destroyed reports whether the key is gone. A transaction that needs none has no sealer.
func (s *sealer) destroyed() bool { return s != nil && !s.plainToo && s.keys.Load() == nil }

func entropyOr(entropy io.Reader) io.Reader {
	if entropy == nil {
		return rand.Reader
	}
	return entropy
}

// sealedVersion is the first byte of what is sealed: version 1, XChaCha20-Poly1305, a nonce of 24 bytes before it.
const sealedVersion = 1

// column is where a sealed value stands. With the key of its row it is bound to the value, so that no value can be put in
// another's place.
type column string

const (
	recordBase   column = "records.base"
	recordView   column = "records.view"
	recordSent   column = "records.sent"
	returnState  column = "returns.state"
	changeBody   column = "changes.body"
	tabletKey    column = "tablet.private_key"
	enrolmentKey column = "enrolments.private_key"
	formBody     column = "forms.body"
	formMade     column = "logged_forms.made"
	sealingProof column = "sealing.proof"
	salvageFile  column = "a salvage"
)

func (c column) bound(row []byte) []byte {
	return append(append([]byte("levee\x00"+c), 0), row...)
}

// returnRow is the key of a row of the table of returns.
func returnRow(of hlc.ID, proof []byte) []byte { return append(of[:len(of):len(of)], proof...) }

// seal seals a value for its place. Nothing stays nothing: NULL is no secret.
func (s *sealer) seal(c column, row, value []byte) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	k := s.keys.Load()
	if k == nil {
		return nil, ErrKeyDestroyed
	}
	const head = 1 + chacha20poly1305.NonceSizeX
	sealed := make([]byte, head, head+len(value)+chacha20poly1305.Overhead)
	sealed[0] = sealedVersion
	if _, err := io.ReadFull(s.entropy, sealed[1:]); err != nil {
		return nil, fmt.Errorf("sealing %s: %w", c, err)
	}
	return k.values.Seal(sealed, sealed[1:head], value, c.bound(row)), nil
}

// open opens a value. One that was not sealed for this place is damaged.
func (s *sealer) open(c column, row, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	k := s.keys.Load()
	if k == nil && !s.plainToo {
		return nil, ErrKeyDestroyed
	}
	const head = 1 + chacha20poly1305.NonceSizeX
	err := errors.New("it is not sealed")
	if k != nil && len(sealed) >= head && sealed[0] == sealedVersion {
		var value []byte
		if value, err = k.values.Open(make([]byte, 0, len(sealed)-head), sealed[1:head], sealed[head:], c.bound(row)); err == nil {
			return value, nil
		}
	}
	if s.plainToo {
		return sealed, nil
	}
	return nil, fmt.Errorf("opening %s: %w: %w", c, ErrDamaged, err)
}

// name stands for a secret by which a row is found.
func (s *sealer) name(secret string) (string, error) {
	b, err := s.mac(secret)
	return hex.EncodeToString(b), err
}

// digest is a shorter name, where there are many: one secret never has that of another.
func (s *sealer) digest(secret string) ([]byte, error) {
	b, err := s.mac(secret)
	return b[:min(16, len(b))], err
}

func (s *sealer) mac(secret string) ([]byte, error) {
	k := s.keys.Load()
	if k == nil {
		return nil, ErrKeyDestroyed
	}
	mac := hmac.New(sha256.New, k.names[:])
	mac.Write([]byte(secret))
	return mac.Sum(nil), nil
}

// sealed says of a file whether its values are sealed, and under which key: proof is nil when they are not.
func (tx *Tx) sealed() (proof []byte, swept bool, err error) {
	var there int
	if err := tx.sql.QueryRowContext(tx.ctx, `SELECT count(*) FROM sqlite_master WHERE name = 'sealing'`).Scan(&there); err != nil || there == 0 {
		return nil, false, err
	}
	err = tx.each(func(r row) error { return r.Scan(&proof, &swept) }, `SELECT proof, swept FROM sealing`)
	return proof, swept, err
}

// mine checks that the data key is the one of this file.
func (tx *Tx) mine(proof []byte) error {
	if _, err := tx.seal.open(sealingProof, nil, proof); err != nil {
		return fmt.Errorf("%w: it is another file's", ErrKeyMissing)
	}
	return nil
}

// sealAll seals the values of a file that an older program made; a new one has none. It says how many there were.
func (tx *Tx) sealAll() (values int, err error) {
	for _, c := range []struct {
		column       column
		read, change string
	}{
		{recordBase, `SELECT id, NULL, base FROM records WHERE base IS NOT NULL`, `UPDATE records SET base = $1 WHERE id = $2`},
		{recordView, `SELECT id, NULL, view FROM records`, `UPDATE records SET view = $1 WHERE id = $2`},
		{recordSent, `SELECT id, NULL, sent FROM records WHERE sent IS NOT NULL`, `UPDATE records SET sent = $1 WHERE id = $2`},
		{returnState, `SELECT record, proof, state FROM returns`, `UPDATE returns SET state = $1 WHERE record = $2 AND proof = $3`},
		{changeBody, `SELECT id, NULL, body FROM changes`, `UPDATE changes SET body = $1 WHERE id = $2`},
		{tabletKey, `SELECT NULL, NULL, private_key FROM tablet`, `UPDATE tablet SET private_key = $1 WHERE $2 IS NULL`},
	} {
		n, err := tx.sealColumn(c.column, c.read, c.change)
		if err != nil {
			return 0, fmt.Errorf("sealing %s: %w", c.column, err)
		}
		values += n
	}
	n, err := tx.sealEnrolments()
	if err != nil {
		return 0, fmt.Errorf("sealing enrolments: %w", err)
	}
	return values + n, nil
}

// sealEnrolments seals enrolments that were begun: the code may have been used, and can be used again with this key alone.
func (tx *Tx) sealEnrolments() (int, error) {
	type begun struct {
		code string
		seed []byte
	}
	var all []begun
	err := tx.each(func(r row) error {
		var b begun
		err := r.Scan(&b.code, &b.seed)
		all = append(all, b)
		return err
	}, `SELECT code, private_key FROM enrolments`)
	if err != nil {
		return 0, err
	}
	for _, b := range all {
		name, err := tx.seal.name(b.code)
		if err != nil {
			return 0, err
		}
		sealed, err := tx.seal.seal(enrolmentKey, []byte(name), b.seed)
		if err != nil {
			return 0, err
		}
		if err := tx.exec(`UPDATE enrolments SET code = $1, private_key = $2 WHERE code = $3`, name, sealed, b.code); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

func (tx *Tx) sealColumn(c column, read, change string) (int, error) {
	type value struct{ row, proof, plain []byte }
	var values []value
	err := tx.each(func(r row) error {
		var v value
		err := r.Scan(&v.row, &v.proof, &v.plain)
		values = append(values, v)
		return err
	}, read)
	if err != nil {
		return 0, err
	}
	for _, v := range values {
		sealed, err := tx.seal.seal(c, append(v.row[:len(v.row):len(v.row)], v.proof...), v.plain)
		if err != nil {
			return 0, err
		}
		args := []any{sealed, v.row}
		if v.proof != nil {
			args = append(args, v.proof)
		}
		if err := tx.exec(change, args...); err != nil {
			return 0, err
		}
	}
	return len(values), nil
}

// markSealed keeps that all values are sealed.
func (tx *Tx) markSealed(swept bool) error {
	proof, err := tx.seal.seal(sealingProof, nil, []byte{})
	if err != nil {
		return err
	}
	return tx.exec(`INSERT INTO sealing (one, proof, swept) VALUES (1, $1, $2)`, proof, swept)
}
