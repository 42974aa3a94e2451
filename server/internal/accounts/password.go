package accounts

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"levee/syncproto/problem"
)

// Hashing is how passwords are hashed with argon2id.
type Hashing struct {
	// Memory is in KiB.
	Memory, Passes uint32
	Lanes          uint8
}

// DefaultHashing is the second recommended choice of RFC 9106, section 4.
var DefaultHashing = Hashing{Memory: 64 << 10, Passes: 3, Lanes: 4}

const (
	saltBytes = 16
	hashBytes = 32
	// maxHashes is how many passwords are hashed at once: each takes Memory, and a server may have little.
	maxHashes = 2
)

// Bounds on passwords, in characters.
const (
	MinPassword = 10
	MaxPassword = 200
)

// hash is a password's hash as a PHC string.
func (h Hashing) hash(password string, entropy io.Reader) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(entropy, salt); err != nil {
		return "", fmt.Errorf("making a salt: %w", err)
	}
	sum := argon2.IDKey(normal(password), salt, h.Passes, h.Memory, h.Lanes, hashBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.Memory, h.Passes, h.Lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum)), nil
}

// check reports whether a password has a hash, and whether the hash was made otherwise than h would make it.
func (h Hashing) check(password, phc string) (right, outdated bool, err error) {
	parts := strings.Split(phc, "$")
	var version int
	var of Hashing
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, false, fmt.Errorf("a password's hash can't be read")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, false, fmt.Errorf("a password's hash is of another version of argon2: %s", parts[2])
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &of.Memory, &of.Passes, &of.Lanes); err != nil {
		return false, false, fmt.Errorf("a password's hash can't be read: %w", err)
	}
	salt, serr := base64.RawStdEncoding.DecodeString(parts[4])
	want, werr := base64.RawStdEncoding.DecodeString(parts[5])
	if serr != nil || werr != nil || len(want) == 0 || of.Passes == 0 || of.Lanes == 0 {
		return false, false, fmt.Errorf("a password's hash can't be read")
	}
	got := argon2.IDKey(normal(password), salt, of.Passes, of.Memory, of.Lanes, uint32(len(want))) //nolint:gosec // a short hash
	return subtle.ConstantTimeCompare(got, want) == 1, of != h, nil
}

// normal makes a password the same bytes whatever keyboard it was typed on.
func normal(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

// hashed runs fn while no more than maxHashes others do.
func (s *Service) hashed(ctx context.Context, fn func() error) error {
	select {
	case s.hashes <- struct{}{}:
		defer func() { <-s.hashes }()
		return fn()
	case <-ctx.Done():
		return problem.New(problem.Busy)
	}
}

//go:embed common.txt
var commonText string

var common = func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(commonText) {
		m[strings.TrimSpace(line)] = true
	}
	return m
}()

// leastDistinct is how many different characters a password has at least.
const leastDistinct = 5

// checkPassword reports what a new password lacks, as a problem with code password_weak.
func checkPassword(password, login string) error {
	weak := func(detail string) error { return problem.Newf(problem.PasswordWeak, "%s", detail) }
	length := utf8.RuneCountInString(password)
	distinct := map[rune]bool{}
	for _, r := range password {
		distinct[r] = true
	}
	folded := strings.ToLower(password)
	switch {
	case !utf8.ValidString(password) || length < MinPassword || length > MaxPassword:
		return weak(fmt.Sprintf("%d to %d characters", MinPassword, MaxPassword))
	case len(distinct) < leastDistinct || common[folded]:
		return weak("one of the first that anybody tries")
	case len(login) >= 4 && strings.Contains(folded, login):
		return weak("contains the login")
	}
	return nil
}
