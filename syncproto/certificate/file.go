package certificate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"levee/syncproto/sealed"
)

// MaxBytes bounds a file.
const MaxBytes = 64 << 20

// form is what tells a certificate from other signed files, and its version.
var form = sealed.Form{Opening: "{\n\"levee_certificate\": 1,\n", Context: "levee totals v1", Foreign: NotACertificate}

// file is a Certificate as it stands in its file, one list after the other.
type file struct {
	Version      int          `json:"levee_certificate"`
	Deployment   Deployment   `json:"deployment"`
	Edition      int          `json:"edition"`
	Issued       Issued       `json:"issued"`
	Log          Log          `json:"log"`
	Completeness Completeness `json:"completeness"`
	Previous     *Previous    `json:"previous"`
	Checks       []Check      `json:"checks"`
	Waivers      []Waiver     `json:"waivers"`
	Addenda      []Addendum   `json:"addenda"`
	Differences  []Difference `json:"differences"`
	Totals       []Total      `json:"totals"`
	Replicas     []Replica    `json:"replicas"`
	Seals        string       `json:"seals"`
	Key          string       `json:"key"`
	Signature    string       `json:"signature"`
}

// Sign is the file of a certificate: one JSON object, one item of a list a line, sealed and signed as package sealed has it, in the
// context "levee totals v1".
func Sign(key ed25519.PrivateKey, c *Certificate) ([]byte, error) {
	c.Sort()
	w := sealed.New(form)
	w.Field("deployment", c.Deployment)
	w.Field("edition", c.Edition)
	w.Field("issued", c.Issued)
	w.Field("log", c.Log)
	w.Field("completeness", c.Completeness)
	w.Field("previous", c.Previous)
	sealed.List(w, "checks", c.Checks)
	sealed.List(w, "waivers", c.Waivers)
	sealed.List(w, "addenda", c.Addenda)
	sealed.List(w, "differences", c.Differences)
	sealed.List(w, "totals", c.Totals)
	sealed.List(w, "replicas", c.Replicas)
	b, err := w.Sign(key)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("a certificate of %d bytes", len(b))
	}
	return b, nil
}

// Fault is why a file is not the certificate that was signed.
type Fault = sealed.Fault

// FaultCode names what does not hold.
type FaultCode = sealed.FaultCode

// The faults.
const (
	// NotACertificate: the file is something else, or not whole.
	NotACertificate FaultCode = "not_a_certificate"
	// LineChanged: a line is not as it was signed.
	LineChanged = sealed.LineChanged
	// SignatureInvalid: every line is as its seal says, but seals, key and signature do not go together.
	SignatureInvalid = sealed.SignatureInvalid
	// OtherKey: it is signed, but with another key than the one that was expected.
	OtherKey = sealed.OtherKey
)

// IsFile reports whether a file begins as a certificate does.
func IsFile(b []byte) bool { return bytes.HasPrefix(b, []byte("{\n\"levee_certificate\"")) }

// Open verifies a file, each byte of it, and gives what it says and the key that signed it. Whether that is the right key is for
// the caller to know. The error is a *Fault.
func Open(b []byte) (*Certificate, ed25519.PublicKey, error) {
	if len(b) > MaxBytes {
		return nil, nil, &Fault{Code: NotACertificate}
	}
	var f file
	key, err := form.Open(b, &f)
	if err != nil {
		return nil, nil, err
	}
	return &Certificate{Deployment: f.Deployment, Edition: f.Edition, Issued: f.Issued, Log: f.Log, Completeness: f.Completeness, Checks: f.Checks,
		Waivers: f.Waivers, Previous: f.Previous, Addenda: f.Addenda, Differences: f.Differences, Totals: f.Totals, Replicas: f.Replicas}, key, nil
}

// Hash is what a file is known by, on paper and in the edition that follows: its SHA-256.
func Hash(b []byte) string {
	hash := sha256.Sum256(b)
	return hex.EncodeToString(hash[:])
}

// Fingerprint is what people compare keys by: the first 16 bytes of a key's SHA-256, in groups of four hexadecimal digits.
func Fingerprint(key ed25519.PublicKey) string {
	hash := sha256.Sum256(key)
	digits := hex.EncodeToString(hash[:16])
	var groups []string
	for i := 0; i < len(digits); i += 4 {
		groups = append(groups, digits[i:i+4])
	}
	return strings.Join(groups, "-")
}
