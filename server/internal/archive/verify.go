package archive

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"levee/migrations"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/syncproto/certificate"
	"levee/syncproto/sealed"
)

// Verify verifies an archive or a certificate, each byte of it, without a server or a network. Of an archive it also follows the change
// log, counts all totals again from the records, and lays them beside the newest certificate. What does not hold is a fault of the result;
// the error says that the file could not be read. What records say is held in memory.
func Verify(ctx context.Context, path string) (*Result, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was read only
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if IsFile(f, info.Size()) {
		return verifyArchive(ctx, path, true)
	}
	b, err := io.ReadAll(io.LimitReader(f, certificate.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	return verifyCertificate(path, b), nil
}

// verifyCertificate verifies a certificate that stands alone.
func verifyCertificate(path string, b []byte) *Result {
	r := &Result{File: path, Sort: SortCertificate, SHA256: certificate.Hash(b)}
	c, key, err := certificate.Open(b)
	if err != nil {
		r.fault(faultOf(err))
		return r.judged()
	}
	r.tell(c, key)
	return r.judged()
}

// faultOf is a fault of a sealed file.
func faultOf(err error) Fault {
	var f *sealed.Fault
	if !errors.As(err, &f) {
		return Fault{Code: Unreadable, Detail: err.Error()}
	}
	return Fault{Code: FaultCode(f.Code), Line: f.Line, Detail: f.Text}
}

// verifyArchive verifies an archive; counting everything again from the records may be left out.
func verifyArchive(ctx context.Context, path string, recount bool) (*Result, error) {
	v := &verifier{path: path, r: &Result{File: path, Sort: SortArchive}}
	if err := v.bytes(ctx); err != nil {
		return nil, err
	}
	// What else does not hold where bytes were changed would be true, and lead nowhere.
	steps := []func(context.Context) error{v.database, v.content}
	if recount {
		steps = append(steps, v.recount)
	}
	for _, step := range steps {
		if len(v.r.Faults) > 0 {
			break
		}
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return v.r.judged(), nil
}

// verifier verifies one archive.
type verifier struct {
	path string
	r    *Result
	m    *Manifest
	key  ed25519.PublicKey
}

// bytes lays each byte of the file beside the manifest, and the manifest beside its signature.
func (v *verifier) bytes(ctx context.Context) error {
	f, err := os.Open(v.path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	whole := sha256.New()
	if _, err := io.Copy(whole, f); err != nil {
		return err
	}
	v.r.SHA256 = hex.EncodeToString(whole.Sum(nil))
	m, key, fault := readManifest(f, info.Size())
	if fault != nil {
		v.r.fault(*fault)
		return nil
	}
	v.m, v.key = m, key
	v.r.tellManifest(m, key)
	blocks, err := hashBlocks(ctx, f, m.Database.Bytes)
	if err != nil {
		return err
	}
	if len(blocks) != len(m.Blocks) {
		v.r.fault(Fault{Code: ManifestChanged, Detail: fmt.Sprintf("it has %d blocks of %d", len(m.Blocks), len(blocks))})
		return nil
	}
	for i, b := range blocks {
		if said := m.Blocks[i]; b.SHA256 != said.SHA256 || b.At != said.At {
			v.r.fault(Fault{Code: BlockChanged, Detail: fmt.Sprintf("bytes %d to %d: %s", b.At, min(b.At+blockBytes, m.Database.Bytes)-1, strings.Join(said.Holds, ", "))})
		}
	}
	return nil
}

// database has SQLite look through the database, and lays each plain table beside the manifest.
func (v *verifier) database(ctx context.Context) (err error) {
	db, err := sqlite.OpenToVerify(v.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	faults, err := db.Integrity(ctx)
	if err != nil {
		return v.damaged(err)
	}
	for _, what := range faults {
		v.r.fault(Fault{Code: DatabaseDamaged, Detail: what})
	}
	if len(faults) > 0 {
		return nil
	}
	names, err := db.PlainTables(ctx)
	if err != nil {
		return v.damaged(err)
	}
	said := map[string]Table{}
	for _, t := range v.m.Tables {
		said[t.Table] = t
	}
	for _, name := range names {
		t, err := hashTable(ctx, db, name)
		if err != nil {
			return v.damaged(err)
		}
		if said[name] != t {
			v.r.fault(Fault{Code: TableChanged, Detail: name})
		}
		delete(said, name)
	}
	for _, t := range v.m.Tables {
		if _, left := said[t.Table]; left {
			v.r.fault(Fault{Code: TableChanged, Detail: t.Table})
		}
	}
	return nil
}

// damaged takes an error that says that the database is damaged for a fault.
func (v *verifier) damaged(err error) error {
	if errors.Is(err, store.ErrDamaged) {
		v.r.fault(Fault{Code: DatabaseDamaged, Detail: err.Error()})
		return nil
	}
	return err
}

// open opens the server's tables. Those of an older program are brought up to date in a copy.
func (v *verifier) open(ctx context.Context, fn func(*store.Deployment) error) (err error) {
	db, err := sqlite.OpenStill(ctx, v.path)
	if errors.Is(err, migrations.ErrOlder) {
		var folder string
		if folder, err = os.MkdirTemp("", "levee-archive-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		copied := filepath.Join(folder, "copy")
		if err := Unpack(ctx, v.path, copied); err != nil {
			return err
		}
		db, err = sqlite.OpenScratch(ctx, copied)
	}
	if err != nil {
		return v.damaged(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return v.damaged(fn(db.Deployment(v.m.Deployment.ID)))
}

// Unpack writes the database of an archive to a file that is not there yet, on which a server may run.
func Unpack(ctx context.Context, path, to string) (err error) {
	m, err := Look(path)
	if err != nil {
		return err
	}
	from, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()                                 // it was read only
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in a folder that was made for it
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.LimitReader(from, m.Database.Bytes))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return sqlite.Unmark(ctx, to)
}

// content lays the certificates beside the manifest, the newest beside the stored totals, and each beside the change log.
func (v *verifier) content(ctx context.Context) error {
	return v.open(ctx, func(of *store.Deployment) error {
		files, err := certificatesIn(ctx, of)
		if err != nil {
			return err
		}
		opened := v.certificates(files)
		newest := opened[v.m.Edition]
		if newest == nil {
			v.r.fault(Fault{Code: CertificateMissing, Detail: fmt.Sprintf("edition %d", v.m.Edition)})
			return nil
		}
		v.r.tell(newest, v.key)
		if newest.Deployment != v.m.Deployment {
			v.r.fault(Fault{Code: ManifestChanged, Detail: "deployment"})
		}
		if err := v.totals(ctx, of, newest); err != nil {
			return err
		}
		return v.log(ctx, of, opened)
	})
}

// certificates opens them, and lays them beside the manifest.
func (v *verifier) certificates(files map[int][]byte) map[int]*certificate.Certificate {
	opened := map[int]*certificate.Certificate{}
	for _, said := range v.m.Certificates {
		c, key, err := certificate.Open(files[said.Edition])
		switch {
		case files[said.Edition] == nil:
			v.r.fault(Fault{Code: CertificateMissing, Detail: fmt.Sprintf("edition %d", said.Edition)})
		case err != nil:
			v.r.fault(Fault{Code: CertificateChanged, Detail: fmt.Sprintf("edition %d: %v", said.Edition, err)})
		case certificate.Hash(files[said.Edition]) != said.SHA256 || c.Edition != said.Edition:
			v.r.fault(Fault{Code: CertificateChanged, Detail: fmt.Sprintf("edition %d", said.Edition)})
		case !key.Equal(v.key):
			v.r.fault(Fault{Code: OtherKey, Detail: fmt.Sprintf("edition %d: %s", said.Edition, certificate.Fingerprint(key))})
		default:
			opened[said.Edition] = c
		}
	}
	if len(files) != len(v.m.Certificates) {
		v.r.fault(Fault{Code: CertificateMissing, Detail: fmt.Sprintf("%d of %d", len(v.m.Certificates), len(files))})
	}
	return opened
}

// totals lays the certificate's totals beside the stored ones, line by line.
func (v *verifier) totals(ctx context.Context, of *store.Deployment, c *certificate.Certificate) error {
	var stored []certificate.Total
	err := of.Look(ctx, func(tx progress.Reading) error {
		return tx.EachTotal(func(row progress.TotalRow) error {
			if row.Value != 0 {
				stored = append(stored, certificate.Total{Line: certificate.Line{Basis: row.Basis, Figure: row.Figure, By: row.Dimension, Key: row.Key}, Value: row.Value})
			}
			return nil
		})
	})
	for _, d := range certificate.Differ(c.Totals, stored) {
		v.r.fault(Fault{Code: TotalDiffers, Detail: fmt.Sprintf("%s: the certificate has %d, the archive %d", lineText(d.Line), d.Before, d.After)})
	}
	return err
}

func lineText(l certificate.Line) string {
	return strings.TrimSpace(strings.Join([]string{l.Basis, l.Figure, l.By, l.Key, l.Name}, " "))
}

// log follows the change log, and lays the manifest and each certificate beside it: its chain, and how far it has each replica.
func (v *verifier) log(ctx context.Context, of *store.Deployment, opened map[int]*certificate.Certificate) error {
	type seen struct{ log, replicas int }
	met := map[int]*seen{}
	for edition := range opened {
		met[edition] = &seen{}
	}
	end := ""
	followed, err := progress.Follow(ctx, of, v.m.Deployment.ID, func(s progress.Step) error {
		end = hex.EncodeToString(s.Chain[:])
		for edition, c := range opened {
			if s.Position == c.Log.Position && end == c.Log.Chain {
				met[edition].log++
			}
			if s.Replica == 0 {
				continue
			}
			if s.Position <= c.Log.Position && !c.Within(s.Replica, s.Sequence) {
				v.r.fault(Fault{Code: ReplicaDiffers, Detail: fmt.Sprintf("edition %d: change %d of %016x was there and is not within", edition, s.Sequence, uint64(s.Replica))})
			}
			i := slices.IndexFunc(c.Replicas, func(r certificate.Replica) bool { return r.Replica == s.Replica && r.Sequence == s.Sequence })
			if i >= 0 && c.Replicas[i].Chain == hex.EncodeToString(s.Of.Chain[:]) {
				met[edition].replicas++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range followed.Faults {
		v.r.fault(Fault{Code: FaultCode(f.Code), Detail: f.Detail})
	}
	if followed.Position != v.m.Log.Position || end != v.m.Log.Chain || followed.Changes != v.m.Log.Changes {
		v.r.fault(Fault{Code: LogDiffers, Detail: "manifest"})
	}
	for edition, c := range opened {
		if met[edition].log == 0 {
			v.r.fault(Fault{Code: LogDiffers, Detail: fmt.Sprintf("edition %d, position %d", edition, c.Log.Position)})
		}
		if n := met[edition].replicas; n != len(c.Replicas) {
			v.r.fault(Fault{Code: ReplicaDiffers, Detail: fmt.Sprintf("edition %d: %d of %d are as it says", edition, n, len(c.Replicas))})
		}
	}
	return nil
}

// recount counts everything again.
func (v *verifier) recount(ctx context.Context) error {
	return v.open(ctx, func(of *store.Deployment) error {
		counted, err := progress.Recount(ctx, of, v.m.Deployment.ID)
		if err != nil {
			return err
		}
		for _, f := range counted.Faults {
			v.r.fault(Fault{Code: FaultCode(f.Code), Detail: f.Detail})
		}
		for _, l := range counted.Totals {
			if l.Value != l.Counted {
				line := certificate.Line{Basis: l.Basis, Figure: l.Figure, By: l.Dimension, Key: l.Key, Name: l.Name}
				v.r.fault(Fault{Code: RecountDiffers, Detail: fmt.Sprintf("%s: stored %d, counted %d", lineText(line), l.Value, l.Counted)})
			}
		}
		return nil
	})
}
