package certificate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// MaxBytes bounds a file.
const MaxBytes = 64 << 20

// version is that of the form of the file, and what it begins with.
const (
	version = 1
	opening = "{\n\"levee_certificate\": 1,\n"
)

// sealBytes is how much of its SHA-256 each line is sealed with, so that a file that was tampered with says where.
const sealBytes = 4

// context keeps a certificate's signature from being taken for anything else that the server signs.
const context = "levee totals v1"

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

// Sign is the file of a certificate: one JSON object, one item of a list a line. Behind what the certificate says stand
//
//	"seals":     the first 4 bytes of the SHA-256 of each line above, its line feed included, in hexadecimal digits
//	"key":       the Ed25519 public key, in base64
//	"signature": over "levee totals v1" ‖ SHA-256 of all lines above the key's, in base64
func Sign(key ed25519.PrivateKey, c *Certificate) ([]byte, error) {
	c.Sort()
	var b bytes.Buffer
	b.WriteString(opening)
	w := writer{&b, nil}
	w.field("deployment", c.Deployment)
	w.field("edition", c.Edition)
	w.field("issued", c.Issued)
	w.field("log", c.Log)
	w.field("completeness", c.Completeness)
	w.field("previous", c.Previous)
	list(&w, "checks", c.Checks)
	list(&w, "waivers", c.Waivers)
	list(&w, "addenda", c.Addenda)
	list(&w, "differences", c.Differences)
	list(&w, "totals", c.Totals)
	list(&w, "replicas", c.Replicas)
	if w.err != nil {
		return nil, w.err
	}
	fmt.Fprintf(&b, "\"seals\": %q,\n", sealsOf(b.Bytes()))
	signature := ed25519.Sign(key, signed(b.Bytes()))
	public := key.Public().(ed25519.PublicKey) //nolint:forcetypeassert // what an Ed25519 key has
	b.WriteString(ending(public, signature))
	if b.Len() > MaxBytes {
		return nil, fmt.Errorf("a certificate of %d bytes", b.Len())
	}
	return b.Bytes(), nil
}

type writer struct {
	b   *bytes.Buffer
	err error
}

func (w *writer) json(v any) {
	encoded, err := json.Marshal(v)
	w.err = errors.Join(w.err, err)
	w.b.Write(encoded)
}

func (w *writer) field(name string, v any) {
	fmt.Fprintf(w.b, "%q: ", name)
	w.json(v)
	w.b.WriteString(",\n")
}

func list[T any](w *writer, name string, items []T) {
	fmt.Fprintf(w.b, "%q: [\n", name)
	for i, item := range items {
		w.json(item)
		if i < len(items)-1 {
			w.b.WriteByte(',')
		}
		w.b.WriteByte('\n')
	}
	w.b.WriteString("],\n")
}

func sealsOf(lines []byte) string {
	var seals strings.Builder
	for line := range bytes.Lines(lines) {
		hash := sha256.Sum256(line)
		seals.WriteString(hex.EncodeToString(hash[:sealBytes]))
	}
	return seals.String()
}

func signed(above []byte) []byte {
	hash := sha256.Sum256(above)
	return append([]byte(context), hash[:]...)
}

func ending(key ed25519.PublicKey, signature []byte) string {
	return fmt.Sprintf("\"key\": %q,\n\"signature\": %q\n}\n", base64.StdEncoding.EncodeToString(key), base64.StdEncoding.EncodeToString(signature))
}

// Fault is why a file is not the certificate that was signed. Line counts from 1, and Text is that line as it stands; 0 when the fault is
// in no one line.
type Fault struct {
	Code FaultCode
	Line int
	Text string
}

// FaultCode names what does not hold.
type FaultCode string

// The faults.
const (
	// NotACertificate: the file is something else, or not whole.
	NotACertificate FaultCode = "not_a_certificate"
	// LineChanged: a line is not as it was signed.
	LineChanged FaultCode = "line_changed"
	// SignatureInvalid: every line is as its seal says, but seals, key and signature do not go together.
	SignatureInvalid FaultCode = "signature_invalid"
	// OtherKey: it is signed, but with another key than the one that was expected.
	OtherKey FaultCode = "other_key"
)

func (f *Fault) Error() string {
	if f.Line == 0 {
		return string(f.Code)
	}
	return fmt.Sprintf("%s: line %d: %s", f.Code, f.Line, f.Text)
}

// IsFile reports whether a file begins as a certificate does.
func IsFile(b []byte) bool { return bytes.HasPrefix(b, []byte("{\n\"levee_certificate\"")) }

// Open verifies a file, each byte of it, and gives what it says and the key that signed it. Whether that is the right key is for
// the caller to know. The error is a *Fault.
func Open(b []byte) (*Certificate, ed25519.PublicKey, error) {
	if len(b) > MaxBytes {
		return nil, nil, &Fault{Code: NotACertificate}
	}
	above, seals, key, signature := cut(b)
	if key == nil || !ed25519.Verify(key, signed(b[:above+len(seals)]), signature) {
		return nil, nil, find(b, above, seals)
	}
	var f file
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil || f.Version != version {
		return nil, nil, &Fault{Code: NotACertificate} // of a newer version
	}
	return &Certificate{Deployment: f.Deployment, Edition: f.Edition, Issued: f.Issued, Log: f.Log, Completeness: f.Completeness, Checks: f.Checks,
		Waivers: f.Waivers, Previous: f.Previous, Addenda: f.Addenda, Differences: f.Differences, Totals: f.Totals, Replicas: f.Replicas}, key, nil
}

// cut finds where the line of seals begins, that line, and the key and signature behind it; no key when these are not as they are
// written.
func cut(b []byte) (above int, seals []byte, key ed25519.PublicKey, signature []byte) {
	above = bytes.LastIndex(b, []byte("\n\"seals\": ")) + 1
	if above == 0 {
		return 0, nil, nil, nil
	}
	end := bytes.IndexByte(b[above:], '\n') + 1
	if end == 0 {
		return above, nil, nil, nil
	}
	seals = b[above : above+end]
	rest := b[above+end:]
	var said struct{ Key, Signature []byte }
	if json.Unmarshal(append([]byte("{"), rest...), &said) != nil || len(said.Key) != ed25519.PublicKeySize ||
		string(rest) != ending(said.Key, said.Signature) { // base64 has several forms of some bytes, and JSON of everything
		return above, seals, nil, nil
	}
	return above, seals, said.Key, said.Signature
}

// find says where a file that does not verify was changed.
func find(b []byte, above int, seals []byte) *Fault {
	if !bytes.HasPrefix(b, []byte(opening)) {
		return &Fault{Code: NotACertificate, Line: 1, Text: firstLine(b)}
	}
	if above == 0 { // it was cut, or its end was changed
		return &Fault{Code: NotACertificate}
	}
	number, offset := 0, len("\"seals\": \"")
	for line := range bytes.Lines(b[:above]) {
		number++
		hash := sha256.Sum256(line)
		seal := hex.EncodeToString(hash[:sealBytes])
		if offset+len(seal) > len(seals) || string(seals[offset:offset+len(seal)]) != seal {
			return &Fault{Code: LineChanged, Line: number, Text: strings.TrimSuffix(string(line), "\n")}
		}
		offset += len(seal)
	}
	return &Fault{Code: SignatureInvalid, Line: number + 1, Text: "seals, key, signature"}
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b[:min(len(b), 80)], []byte("\n"))
	return strings.ToValidUTF8(string(line), "?")
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
