// Package archive is the file in which a closed deployment is kept for years: a SQLite database that any tool reads, without personal data
// of clients, and behind its last page a signed manifest by which it is verified without a server or a network. README.md beside this file
// documents both.
package archive

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"os"
	"time"

	"levee/syncproto/certificate"
	"levee/syncproto/sealed"
)

// Version is that of the form of the file, and of its plain tables; the database says it too, as user_version.
const Version = 1

// blockBytes is how much of the database each hash of the manifest is of.
const blockBytes = 64 << 10

// form is what tells a manifest from other signed files.
var form = sealed.Form{Opening: "{\n\"levee_archive\": 1,\n", Context: "levee archive v1", Foreign: sealed.FaultCode(NotAnArchive)}

// Manifest says what a file holds.
type Manifest struct {
	Version    int                    `json:"levee_archive"`
	Deployment certificate.Deployment `json:"deployment"`
	// Edition is that of the newest certificate.
	Edition  int       `json:"edition"`
	Made     time.Time `json:"made"`
	Log      Log       `json:"log"`
	Database Database  `json:"database"`
	// Certificates are all editions, ascending.
	Certificates []Edition `json:"certificates"`
	Tables       []Table   `json:"tables"`
	Blocks       []Block   `json:"blocks"`
	Seals        string    `json:"seals"`
	Key          string    `json:"key"`
	Signature    string    `json:"signature"`
}

// Log is the end of the change log in the database: behind that of the newest certificate, since certificates are records themselves.
type Log struct {
	Position uint64 `json:"position"`
	// Chain is the log's running hash there: 32 bytes, in hexadecimal digits.
	Chain   string `json:"chain"`
	Changes int    `json:"changes"`
}

// Database is the part of the file that SQLite reads.
type Database struct {
	Bytes int64 `json:"bytes"`
	// BlockBytes is how much of it each block has; the last one may have less.
	BlockBytes int `json:"block_bytes"`
}

// Edition is a certificate, by the SHA-256 of its file in hexadecimal digits.
type Edition struct {
	Edition int    `json:"edition"`
	SHA256  string `json:"sha256"`
}

// Table is what a plain table holds: hashed as README.md says.
type Table struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Block is a run of bytes of the database, with the tables and indexes of which there are pages in it.
type Block struct {
	At     int64    `json:"at"`
	SHA256 string   `json:"sha256"`
	Holds  []string `json:"holds"`
}

// sign is the manifest as it stands in the file.
func (m *Manifest) sign(key ed25519.PrivateKey) ([]byte, error) {
	w := sealed.New(form)
	w.Field("deployment", m.Deployment)
	w.Field("edition", m.Edition)
	w.Field("made", m.Made)
	w.Field("log", m.Log)
	w.Field("database", m.Database)
	sealed.List(w, "certificates", m.Certificates)
	sealed.List(w, "tables", m.Tables)
	sealed.List(w, "blocks", m.Blocks)
	return w.Sign(key)
}

// The end of the file: how long the manifest before it is.
const (
	trailerForm  = "LEVEE ARCHIVE 1 %020d\n"
	trailerBytes = len("LEVEE ARCHIVE 1 ") + 20 + 1
	// maxManifest bounds a manifest: that of a database of 8 TB.
	maxManifest = 1 << 34
)

// magic is what a SQLite database begins with.
const magic = "SQLite format 3\x00"

// IsFile reports whether a file is an archive, or was one: it begins as a database does, or ends as an archive does.
func IsFile(f io.ReaderAt, bytes int64) bool {
	begins := make([]byte, len(magic))
	if _, err := f.ReadAt(begins, 0); err == nil && string(begins) == magic {
		return true
	}
	_, ok := trailerOf(f, bytes)
	return ok
}

// trailerOf reads the end of a file: how long the manifest is.
func trailerOf(f io.ReaderAt, bytes int64) (manifest int64, ok bool) {
	if bytes < int64(trailerBytes) {
		return 0, false
	}
	trailer := make([]byte, trailerBytes)
	if _, err := f.ReadAt(trailer, bytes-int64(trailerBytes)); err != nil {
		return 0, false
	}
	_, err := fmt.Sscanf(string(trailer), trailerForm, &manifest)
	ok = err == nil && string(trailer) == fmt.Sprintf(trailerForm, manifest) && manifest > 0 && manifest < min(maxManifest, bytes)
	return manifest, ok
}

// readManifest opens the manifest of a file.
func readManifest(f io.ReaderAt, bytes int64) (*Manifest, ed25519.PublicKey, *Fault) {
	length, ok := trailerOf(f, bytes)
	if !ok {
		return nil, nil, &Fault{Code: TrailerChanged, Detail: fmt.Sprintf("bytes %d to %d", max(0, bytes-int64(trailerBytes)), bytes-1)}
	}
	at := bytes - int64(trailerBytes) - length
	if at < 0 {
		return nil, nil, &Fault{Code: TrailerChanged, Detail: fmt.Sprintf("bytes %d to %d", bytes-int64(trailerBytes), bytes-1)}
	}
	b := make([]byte, length)
	if _, err := f.ReadAt(b, at); err != nil {
		return nil, nil, &Fault{Code: Unreadable, Detail: err.Error()}
	}
	var m Manifest
	key, err := form.Open(b, &m)
	if err != nil {
		return nil, nil, &Fault{Code: ManifestChanged, Detail: err.Error()}
	}
	if m.Database.Bytes != at || m.Database.BlockBytes != blockBytes {
		return nil, nil, &Fault{Code: ManifestChanged, Detail: fmt.Sprintf("it begins at byte %d and says that the database has %d bytes", at, m.Database.Bytes)}
	}
	return &m, key, nil
}

// Look reads what the manifest of an archive says, once the manifest itself is verified; the rest of the file is not looked at.
func Look(path string) (*Manifest, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was read only
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	m, _, fault := readManifest(f, info.Size())
	if fault != nil {
		return nil, fault
	}
	return m, nil
}
