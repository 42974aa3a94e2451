package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// claims of a device's token. Names are short because they travel with every request.
type claims struct {
	jwt.RegisteredClaims
	// Body is the unpadded base64url SHA-256 of the request's body as it goes over the wire.
	Body string `json:"bh"`
}

// tokenLife is how long a token holds. A tablet's clock may be off by five minutes before its requests are refused.
const tokenLife = 10 * time.Minute

// SignToken makes the token of one request: a JWT (RFC 7519) with alg EdDSA (RFC 8037), signed with the device's key. It says
// nothing that need not be said, since it travels with every request.
func SignToken(key ed25519.PrivateKey, deployment, device hlc.ID, body []byte, now time.Time) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"sub": short(device), "aud": short(deployment), "exp": now.Add(tokenLife).Unix(), "bh": bodyHash(body),
	})
	delete(token.Header, "typ")
	return token.SignedString(key)
}

// TokenOwner reads, without any check, whose token it says to be: which key to check it with.
func TokenOwner(token string) (deployment, device hlc.ID, err error) {
	var c claims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &c); err != nil || len(c.Audience) != 1 {
		return hlc.ID{}, hlc.ID{}, problem.New(problem.Unauthenticated)
	}
	d, derr := base64.RawURLEncoding.DecodeString(c.Audience[0])
	s, serr := base64.RawURLEncoding.DecodeString(c.Subject)
	if derr != nil || serr != nil || len(d) != len(deployment) || len(s) != len(device) {
		return hlc.ID{}, hlc.ID{}, problem.New(problem.Unauthenticated)
	}
	return hlc.ID(d), hlc.ID(s), nil
}

// SignedBy reports whether a token was signed with a device's key, whatever it says. It needs no body.
func SignedBy(token string, key ed25519.PublicKey) bool {
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithoutClaimsValidation()).
		Parse(token, func(*jwt.Token) (any, error) { return key, nil })
	return err == nil
}

// VerifyToken checks signature, owner and body of a token, not its time. An expired token of a tablet with a wrong
// clock must get as far as the answer that corrects the clock, so the caller checks Expired after that.
func VerifyToken(token string, key ed25519.PublicKey, deployment, device hlc.ID, body []byte) (expires time.Time, err error) {
	var c claims
	_, perr := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithoutClaimsValidation()).
		ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return key, nil })
	sound := perr == nil && c.Subject == short(device) && len(c.Audience) == 1 && c.Audience[0] == short(deployment) && c.ExpiresAt != nil &&
		subtle.ConstantTimeCompare([]byte(c.Body), []byte(bodyHash(body))) == 1
	if !sound {
		return time.Time{}, problem.New(problem.Unauthenticated)
	}
	return c.ExpiresAt.Time, nil
}

func short(id hlc.ID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

func bodyHash(body []byte) string {
	h := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(h[:])
}
