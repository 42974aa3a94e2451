package wire

import (
	"crypto/sha256"
	"strings"
)

// Pin is the SHA-256 of a certificate's public key, as its SubjectPublicKeyInfo encodes it (RFC 7469), in raw bytes: all
// 32, or the first 16 where it had to be typed. A certificate may be renewed without a new pin as long as its key stays.
type Pin string

// The lengths of a pin.
const (
	pinLength      = sha256.Size
	typedPinLength = 16
)

// PinOf is the pin of an encoded SubjectPublicKeyInfo.
func PinOf(publicKeyInfo []byte) Pin {
	sum := sha256.Sum256(publicKeyInfo)
	return Pin(sum[:])
}

// Matches reports whether an encoded SubjectPublicKeyInfo is the one that was pinned. Nothing matches a pin that is too
// short to tell.
func (p Pin) Matches(publicKeyInfo []byte) bool {
	return len(p) >= typedPinLength && strings.HasPrefix(string(PinOf(publicKeyInfo)), string(p))
}
