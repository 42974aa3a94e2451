// Package sealed is the form of signed files that people keep for years: one JSON object, one item of a list a line, a seal for each
// line, and an Ed25519 signature over all of it, so that a file that was tampered with says where.
package sealed

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

// sealBytes is how much of its SHA-256 each line is sealed with.
const sealBytes = 4

// Form tells one sort of files from another.
type Form struct {
	// Opening is what a file begins with: its first two lines, the second of which has the version.
	Opening string
	// Context keeps a signature from being taken for anything else that the same key signs.
	Context string
	// Foreign is the code of a Fault when a file is something else, or not whole.
	Foreign FaultCode
}

// Fault is why a file is not the one that was signed. Line counts from 1, and Text is that line as it stands; 0 when the fault is
// in no one line.
type Fault struct {
	Code FaultCode
	Line int
	Text string
}

// FaultCode names what does not hold.
type FaultCode string

// The faults that each form has, besides its own Foreign.
const (
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

// Writer writes a file, one field after the other.
type Writer struct {
	form Form
	b    bytes.Buffer
	err  error
}

// New begins a file.
func New(form Form) *Writer {
	w := &Writer{form: form}
	w.b.WriteString(form.Opening)
	return w
}

func (w *Writer) json(v any) {
	encoded, err := json.Marshal(v)
	w.err = errors.Join(w.err, err)
	w.b.Write(encoded)
}

// Field writes a field, in one line.
func (w *Writer) Field(name string, v any) {
	fmt.Fprintf(&w.b, "%q: ", name)
	w.json(v)
	w.b.WriteString(",\n")
}

// List writes a field that is a list, an item a line.
func List[T any](w *Writer, name string, items []T) {
	fmt.Fprintf(&w.b, "%q: [\n", name)
	for i, item := range items {
		w.json(item)
		if i < len(items)-1 {
			w.b.WriteByte(',')
		}
		w.b.WriteByte('\n')
	}
	w.b.WriteString("],\n")
}

// Sign ends a file and is all of it. Behind what it says stand
//
//	"seals":     the first 4 bytes of the SHA-256 of each line above, its line feed included, in hexadecimal digits
//	"key":       the Ed25519 public key, in base64
//	"signature": over the form's context ‖ SHA-256 of all lines above the key's, in base64
func (w *Writer) Sign(key ed25519.PrivateKey) ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	fmt.Fprintf(&w.b, "\"seals\": %q,\n", sealsOf(w.b.Bytes()))
	signature := ed25519.Sign(key, w.form.signed(w.b.Bytes()))
	public := key.Public().(ed25519.PublicKey) //nolint:forcetypeassert // what an Ed25519 key has
	w.b.WriteString(ending(public, signature))
	return w.b.Bytes(), nil
}

func sealsOf(lines []byte) string {
	var seals strings.Builder
	for line := range bytes.Lines(lines) {
		hash := sha256.Sum256(line)
		seals.WriteString(hex.EncodeToString(hash[:sealBytes]))
	}
	return seals.String()
}

func (f Form) signed(above []byte) []byte {
	hash := sha256.Sum256(above)
	return append([]byte(f.Context), hash[:]...)
}

func ending(key ed25519.PublicKey, signature []byte) string {
	return fmt.Sprintf("\"key\": %q,\n\"signature\": %q\n}\n", base64.StdEncoding.EncodeToString(key), base64.StdEncoding.EncodeToString(signature))
}

// Open verifies a file, each byte of it, reads it into a struct, and gives the key that signed it. Whether that is the right key
// is for the caller to know. The error is a *Fault.
func (f Form) Open(b []byte, into any) (ed25519.PublicKey, error) {
	above, seals, key, signature := cut(b)
	if key == nil || !bytes.HasPrefix(b, []byte(f.Opening)) || !ed25519.Verify(key, f.signed(b[:above+len(seals)]), signature) {
		return nil, f.find(b, above, seals)
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return nil, &Fault{Code: f.Foreign} // of a newer version
	}
	return key, nil
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
func (f Form) find(b []byte, above int, seals []byte) *Fault {
	if !bytes.HasPrefix(b, []byte(f.Opening)) {
		return &Fault{Code: f.Foreign, Line: 1, Text: firstLine(b)}
	}
	if above == 0 { // it was cut, or its end was changed
		return &Fault{Code: f.Foreign}
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
