package localdb

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Key opens a file: a PIN or passphrase that a person remembers, or a key that the machine keeps. The zero value opens
// nothing.
type Key struct {
	secret []byte
	host   bool
}

// PIN is a key that a person types.
func PIN(text string) Key { return Key{secret: []byte(norm.NFKC.String(text))} }

// HostKey is a key that the machine keeps where no other program gets it.
func HostKey(key [32]byte) Key { return Key{secret: key[:], host: true} }

// IsZero reports whether it is no key at all.
func (k Key) IsZero() bool { return len(k.secret) == 0 }

// String says nothing of the key, so that none ends up in a log.
func (k Key) String() string { return "a key" }

// GoString says nothing either.
func (k Key) GoString() string { return "a key" }

// The shortest PIN, which is all digits, and the shortest passphrase; and the longest.
const (
	leastDigits  = 6
	leastLetters = 8
	mostBytes    = 1024
)

// strong reports whether a key may be set. Guessing is slowed on the tablet itself, and argon2id slows it elsewhere, but
// nothing helps a PIN that everybody tries first.
func (k Key) strong() bool {
	if k.host {
		return len(bytes.Trim(k.secret, "\x00")) > 0
	}
	text := string(k.secret)
	if len(text) > mostBytes {
		return false
	}
	if strings.Trim(text, "0123456789") != "" {
		first, _ := utf8.DecodeRuneInString(text)
		return utf8.RuneCountInString(text) >= leastLetters && strings.Trim(text, string(first)) != ""
	}
	return len(text) >= leastDigits && !evenSteps(text)
}

// unfit says why a key that is not strong can't be set.
func (k Key) unfit() error {
	if k.IsZero() {
		return ErrKeyNeeded
	}
	return ErrKeyWeak
}

// evenSteps reports whether digits are all the same, or count up or down.
func evenSteps(digits string) bool {
	for i := 2; i < len(digits); i++ {
		if int(digits[i])-int(digits[i-1]) != int(digits[1])-int(digits[0]) {
			return false
		}
	}
	return int(digits[1])-int(digits[0]) <= 1 && int(digits[0])-int(digits[1]) <= 1
}
