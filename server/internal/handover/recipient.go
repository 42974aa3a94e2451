package handover

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"filippo.io/age"

	"levee/syncproto/hlc"
)

// MinPassphrase is how many characters a passphrase has at least: whoever finds a sealed file may try as many as they like.
const MinPassphrase = 15

// What can be wrong with a recipient.
var (
	ErrKey             = errors.New("not a public key of age (age1…)")
	ErrPassphraseShort = fmt.Errorf("a passphrase has at least %d characters", MinPassphrase)
)

// Recipient is to whom a file is sealed: whoever has the private half of a key, or knows a passphrase.
type Recipient struct {
	of age.Recipient
	// id is what the audit log knows the key by; zero for a passphrase, of which nothing is kept.
	id hlc.ID
}

// ToKey is the recipient of a public key, age1….
func ToKey(key string) (*Recipient, error) {
	key = strings.TrimSpace(key)
	found, err := age.ParseRecipients(strings.NewReader(key))
	if err != nil || len(found) != 1 {
		return nil, ErrKey
	}
	sum := sha256.Sum256([]byte(key))
	return &Recipient{found[0], hlc.ID(sum[:len(hlc.ID{})])}, nil
}

// ToPassphrase is whoever knows a passphrase. It is stretched as age does by default.
func ToPassphrase(passphrase string) (*Recipient, error) {
	if utf8.RuneCountInString(passphrase) < MinPassphrase {
		return nil, ErrPassphraseShort
	}
	of, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("a passphrase: %w", err)
	}
	return &Recipient{of: of}, nil
}

// Fingerprint is by what the audit log knows a key: the first 16 bytes of SHA-256 over it as written, in hexadecimal; empty for a passphrase.
func (r *Recipient) Fingerprint() string {
	if r.id == (hlc.ID{}) {
		return ""
	}
	return hex.EncodeToString(r.id[:])
}

// WithKeys are the private keys in a file of age, by which what was sealed to them is opened.
func WithKeys(file io.Reader) ([]age.Identity, error) { return age.ParseIdentities(file) }

// WithPassphrase opens what was sealed to it.
func WithPassphrase(passphrase string) ([]age.Identity, error) {
	of, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("a passphrase: %w", err)
	}
	return []age.Identity{of}, nil
}
