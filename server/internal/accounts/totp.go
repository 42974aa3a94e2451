package accounts

import (
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
	"golang.org/x/crypto/chacha20poly1305"

	"levee/syncproto/hlc"
)

// Time codes as every authenticator makes them (RFC 6238): SHA-1, six digits, thirty seconds.
const (
	totpPeriod      = 30
	totpSecretBytes = 20
	// totpSkew is how many periods a phone's clock may be off.
	totpSkew = 1
)

func newTOTP(entropy io.Reader, issuer, login string) (secret []byte, t TOTPSecret, err error) {
	secret = make([]byte, totpSecretBytes)
	if _, err := io.ReadFull(entropy, secret); err != nil {
		return nil, t, fmt.Errorf("making a secret: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: login, Period: totpPeriod, Secret: secret, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return nil, t, fmt.Errorf("making a secret: %w", err)
	}
	return secret, TOTPSecret{Text: key.Secret(), URL: key.URL()}, nil
}

// matchTOTP reports whether a code is one of now, and newer than the last one that was used: one that was looked over
// somebody's shoulder is of no use.
func matchTOTP(secret []byte, code string, now time.Time, last uint64) (counter uint64, ok bool) {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	current := uint64(max(now.Unix(), 0)) / totpPeriod
	for c := current - min(totpSkew, current); c <= current+totpSkew; c++ {
		if c <= last {
			continue
		}
		if right, err := hotp.ValidateCustom(code, c, text, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}); err == nil && right {
			return c, true
		}
	}
	return 0, false
}

// seal hides the secret of a time code from who has the database without the keys. It can't be moved to another account.
func (s *Service) seal(account hlc.ID, secret []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(s.c.Keys.SealKey())
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(secret)+aead.Overhead())
	if _, err := io.ReadFull(s.c.Entropy, nonce); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return aead.Seal(nonce, nonce, secret, account[:]), nil
}

func (s *Service) unseal(account hlc.ID, sealed []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(s.c.Keys.SealKey())
	if err != nil {
		return nil, fmt.Errorf("unsealing: %w", err)
	}
	if len(sealed) < aead.NonceSize() {
		return nil, fmt.Errorf("unsealing: %d bytes", len(sealed))
	}
	secret, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], account[:])
	if err != nil {
		return nil, fmt.Errorf("unsealing: %w", err)
	}
	return secret, nil
}
