package archive

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"strings"
	"time"

	"levee/syncproto/certificate"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Sort is what a file is.
type Sort string

// The sorts.
const (
	SortArchive     Sort = "archive"
	SortCertificate Sort = "certificate"
)

// Result is what was found in a file.
type Result struct {
	File string `json:"file"`
	Sort Sort   `json:"sort"`
	OK   bool   `json:"ok"`
	// Deployment and what follows are as the file says, and nil or empty where that could not be read.
	Deployment *certificate.Deployment `json:"deployment,omitempty"`
	Edition    int                     `json:"edition,omitempty"`
	Issued     *certificate.Issued     `json:"issued,omitempty"`
	// Made is when an archive was made.
	Made time.Time `json:"made,omitzero"`
	// Figures are the five that are published.
	Figures []Figure `json:"figures,omitempty"`
	// Changes are those of an archive's log.
	Changes int `json:"changes,omitempty"`
	// Key is the fingerprint of the key that signed it.
	Key string `json:"key,omitempty"`
	// SHA256 is that of the whole file, in hexadecimal digits.
	SHA256 string  `json:"sha256"`
	Faults []Fault `json:"faults"`
	// MoreFaults are those beyond the first hundred.
	MoreFaults int `json:"more_faults,omitempty"`
}

// Figure is a figure of the whole deployment.
type Figure struct {
	Figure   string `json:"figure"`
	Reported int64  `json:"reported"`
	Verified int64  `json:"verified"`
}

// Fault is something that does not hold.
type Fault struct {
	Code FaultCode `json:"code"`
	// Line is that of a certificate; 0 when it is in no one line.
	Line int `json:"line,omitempty"`
	// Detail is where it is, in English or as it stands in the file.
	Detail string `json:"detail,omitempty"`
}

func (f *Fault) Error() string {
	if f.Line == 0 {
		return strings.TrimSuffix(string(f.Code)+": "+f.Detail, ": ")
	}
	return fmt.Sprintf("%s: line %d: %s", f.Code, f.Line, f.Detail)
}

// FaultCode names what does not hold. Those of the change log and of records are package progress's.
type FaultCode string

// The faults.
const (
	// NotAnArchive: the manifest is none that this program knows.
	NotAnArchive FaultCode = "not_an_archive"
	// TrailerChanged: the last line of the file is not as it was written, or it was cut.
	TrailerChanged FaultCode = "trailer_changed"
	// ManifestChanged: the manifest is not as it was signed, or not that of this file.
	ManifestChanged FaultCode = "manifest_changed"
	// BlockChanged: some bytes of the database are not as they were signed.
	BlockChanged FaultCode = "block_changed"
	// DatabaseDamaged: SQLite finds something wrong.
	DatabaseDamaged FaultCode = "database_damaged"
	// TableChanged: a plain table is not as the manifest says.
	TableChanged FaultCode = "table_changed"
	// CertificateMissing: the manifest or the records have a certificate more than the other.
	CertificateMissing FaultCode = "certificate_missing"
	// CertificateChanged: a certificate in the archive is not as it was signed.
	CertificateChanged FaultCode = "certificate_changed"
	// OtherKey: it is signed with another key than the one that was expected.
	OtherKey = FaultCode(certificate.OtherKey)
	// TotalDiffers: a total is not what the newest certificate says.
	TotalDiffers FaultCode = "total_differs"
	// RecountDiffers: a total is not what the records give.
	RecountDiffers FaultCode = "recount_differs"
	// LogDiffers: the change log's chain is not what the manifest or a certificate says.
	LogDiffers FaultCode = "log_differs"
	// ReplicaDiffers: how far the log has a replica is not what a certificate says.
	ReplicaDiffers FaultCode = "replica_differs"
	// Unreadable: a part of the file could not be read.
	Unreadable FaultCode = "unreadable"
)

// maxFaults bounds how many faults are kept.
const maxFaults = 100

func (r *Result) fault(f Fault) {
	if len(r.Faults) == maxFaults {
		r.MoreFaults++
		return
	}
	r.Faults = append(r.Faults, f)
}

func (r *Result) judged() *Result {
	if r.OK = len(r.Faults) == 0; r.OK {
		r.Faults = []Fault{}
	}
	return r
}

// Expect finds it at fault when another key signed it than the one of a fingerprint.
func (r *Result) Expect(fingerprint string) {
	if plain(fingerprint) != plain(r.Key) && r.Key != "" {
		r.fault(Fault{Code: OtherKey, Detail: r.Key})
		r.judged()
	}
}

// plain is a fingerprint without what people put between its digits.
func plain(fingerprint string) string {
	return strings.NewReplacer("-", "", " ", "", ":", "").Replace(strings.ToLower(fingerprint))
}

func (r *Result) tellManifest(m *Manifest, key ed25519.PublicKey) {
	r.Deployment, r.Edition, r.Made, r.Changes, r.Key = &m.Deployment, m.Edition, m.Made, m.Log.Changes, certificate.Fingerprint(key)
}

// published are the figures that reports publish, in their order, besides the service days.
var published = []tally.Figure{tally.Cases, tally.GroupSessions, tally.CommunityActivities, tally.Persons}

func (r *Result) tell(c *certificate.Certificate, key ed25519.PublicKey) {
	r.Deployment, r.Edition, r.Issued, r.Key = &c.Deployment, c.Edition, &c.Issued, certificate.Fingerprint(key)
	r.Figures = nil
	start, serr := record.ParseDate(c.Deployment.StartOn)
	end, eerr := record.ParseDate(c.Deployment.EndOn)
	if serr == nil && eerr == nil {
		days := int64(tally.ServiceDays(start, end))
		r.Figures = append(r.Figures, Figure{"service_days", days, days})
	}
	for _, figure := range published {
		f := Figure{Figure: figure.String()}
		for _, t := range c.Totals {
			if t.Figure == f.Figure && t.By == tally.Whole.String() && t.Key == "" {
				switch t.Basis {
				case tally.Reported.String():
					f.Reported = t.Value
				case tally.Verified.String():
					f.Verified = t.Value
				}
			}
		}
		r.Figures = append(r.Figures, f)
	}
}

// Print tells what was found, in Chinese for "zh", else in English. The last line of what holds is "ok".
func (r *Result) Print(w io.Writer, lang string) error {
	say := wordsIn(lang)
	var b strings.Builder
	if r.Deployment != nil {
		fmt.Fprintf(&b, say.title, r.File, say.sorts[r.Sort], r.Deployment.Name, r.Deployment.StartOn, r.Deployment.EndOn, r.Edition)
	}
	if r.Issued != nil {
		fmt.Fprintf(&b, say.issued, r.Issued.At.UTC().Format(time.RFC3339), r.Issued.Name)
	}
	if !r.Made.IsZero() {
		fmt.Fprintf(&b, say.made, r.Made.UTC().Format(time.RFC3339), r.Changes)
	}
	for _, f := range r.Figures {
		fmt.Fprintf(&b, say.figure, say.figures[f.Figure], f.Reported, f.Verified)
	}
	if r.Key != "" {
		fmt.Fprintf(&b, say.key, r.Key)
	}
	fmt.Fprintf(&b, say.sha256, r.SHA256)
	for _, f := range r.Faults {
		b.WriteString(say.faults[f.Code])
		if f.Line > 0 {
			fmt.Fprintf(&b, say.line, f.Line)
		}
		fmt.Fprintf(&b, say.detail, f.Code, f.Detail)
	}
	if r.MoreFaults > 0 {
		fmt.Fprintf(&b, say.more, r.MoreFaults)
	}
	if r.OK {
		b.WriteString("ok\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
