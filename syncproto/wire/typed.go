package wire

import (
	"fmt"
	"io"
	"math/big"
	"strings"
	"unicode"

	"levee/syncproto/problem"
)

// A code can also be typed by hand, beside the server's address: the secret, the first 16 bytes of the pin if there is one,
// and two letters by which a slip is noticed. All letters are those of the secret, in groups of five.
const (
	// secretLetters are those of a secret: nothing that is read or heard for another (no I, L, O, U, 0, 1).
	secretLetters = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
	// secretLength gives more than 98 bits.
	secretLength = 20
	// typedPinLetters hold 16 bytes as a whole number, the highest digit first.
	typedPinLetters = 27
	typedCheck      = 2
	typedGroup      = 5
	// typedPrime divides the whole code, read as a number. No wrong letter and no two letters in each other's place leave it
	// a multiple.
	typedPrime = 887
)

// NewSecret makes the secret of an enrolment code.
func NewSecret(entropy io.Reader) (string, error) {
	secret := make([]byte, 0, secretLength)
	b := make([]byte, 1)
	for len(secret) < secretLength {
		if _, err := io.ReadFull(entropy, b); err != nil {
			return "", fmt.Errorf("making a secret: %w", err)
		}
		// What does not fall evenly on the letters is drawn again.
		if limit := 256 - 256%len(secretLetters); int(b[0]) < limit {
			secret = append(secret, secretLetters[int(b[0])%len(secretLetters)])
		}
	}
	return string(secret), nil
}

// Typed is the form of a code whose secret a server made that is typed by hand. It says neither where the server is nor
// whose code it is: the one is typed beside it, the other the server answers.
func (c EnrolmentCode) Typed() string {
	letters := c.Secret
	if len(c.Pin) >= typedPinLength {
		letters += inLetters(new(big.Int).SetBytes([]byte(c.Pin[:typedPinLength])), typedPinLetters)
	}
	n, ok := fromLetters(letters)
	if !ok {
		return ""
	}
	space := big.NewInt(int64(len(secretLetters) * len(secretLetters)))
	rest := new(big.Int).Mod(n.Mul(n, space), big.NewInt(typedPrime))
	letters += inLetters(rest.Sub(big.NewInt(typedPrime), rest).Mod(rest, big.NewInt(typedPrime)), typedCheck)
	var b strings.Builder
	for i, letter := range letters {
		if i > 0 && i%typedGroup == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(letter)
	}
	return b.String()
}

// ParseTyped reads a code as typed, and the server's address beside it: a host with a port or without, or a URL; https
// unless it says http. Capitals, spaces and hyphens do not matter. The code has no deployment and no worker. The error is a
// *problem.Problem with code enrolment_code_invalid.
func ParseTyped(address, typed string) (EnrolmentCode, error) {
	invalid := func(why string) (EnrolmentCode, error) {
		return EnrolmentCode{}, problem.Newf(problem.EnrolmentCodeInvalid, "%s", why)
	}
	if len(address)+len(typed) > maxEnrolmentText {
		return invalid("too long")
	}
	letters := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Pd, r) {
			return -1
		}
		return visible(unicode.ToUpper(r))
	}, typed)
	n, ok := fromLetters(letters)
	switch {
	case !ok || (len(letters) != secretLength+typedCheck && len(letters) != secretLength+typedPinLetters+typedCheck):
		return invalid("not as many letters as a code has, or others")
	case n.Mod(n, big.NewInt(typedPrime)).Sign() != 0:
		return invalid("typed wrongly")
	}
	c := EnrolmentCode{ServerURL: strings.Map(visible, address), Secret: letters[:secretLength]}
	if !strings.Contains(c.ServerURL, "://") {
		c.ServerURL = "https://" + c.ServerURL
	}
	if pin := letters[secretLength : len(letters)-typedCheck]; pin != "" {
		n, _ := fromLetters(pin)
		if n.BitLen() > 8*typedPinLength {
			return invalid("typed wrongly")
		}
		c.Pin = Pin(n.FillBytes(make([]byte, typedPinLength)))
	}
	if why := c.lacksServer(); why != "" {
		return invalid(why)
	}
	return c, nil
}

// TypedAddress is a server's URL in the shortest form that ParseTyped reads as the same.
func TypedAddress(serverURL string) string {
	return strings.TrimRight(strings.TrimPrefix(serverURL, "https://"), "/")
}

// inLetters are the digits of a number, the highest first, so many of them.
func inLetters(n *big.Int, digits int) string {
	b := make([]byte, digits)
	base, digit := big.NewInt(int64(len(secretLetters))), new(big.Int)
	n = new(big.Int).Set(n)
	for i := range b {
		n.DivMod(n, base, digit)
		b[digits-1-i] = secretLetters[digit.Int64()]
	}
	return string(b)
}

// fromLetters is the number of which letters are the digits; false when one of them is none.
func fromLetters(letters string) (*big.Int, bool) {
	n, base := new(big.Int), big.NewInt(int64(len(secretLetters)))
	for i := range len(letters) {
		digit := strings.IndexByte(secretLetters, letters[i])
		if digit < 0 {
			return nil, false
		}
		n.Mul(n, base).Add(n, big.NewInt(int64(digit)))
	}
	return n, true
}
