package syncing

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/certificate"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// late reports whether a change belongs to an addendum: it comes after the deployment was closed, and nobody decided that it counts all
// the same. When it was written is no matter: what the totals were signed without stays out of them until then. Not so what a server
// once had and lost again: if the newest certificate says that it was within, it goes where it was.
func (g *group) late(s submission) (bool, error) {
	deployment, err := g.get(g.self.deployment)
	if err != nil || closedSince(deployment.registers) == 0 || s.released() {
		return false, err
	}
	if s.again != 0 || !s.accepted {
		return true, nil
	}
	newest, err := g.certificate()
	if err != nil || newest.Certificate == nil {
		return true, err
	}
	return !newest.Within(s.change.Stamp.Replica, s.sequence), nil
}

// newestCertificate is the newest edition; a nil one when there is none.
type newestCertificate struct{ *certificate.Certificate }

// certificate is looked for once in a group: a tablet that sends all again asks for each change.
func (g *group) certificate() (*newestCertificate, error) {
	if g.certified != nil {
		return g.certified, nil
	}
	c, err := g.readCertificate()
	if err == nil {
		g.certified = &newestCertificate{c}
	}
	return g.certified, err
}

func (g *group) readCertificate() (*certificate.Certificate, error) {
	files, err := Certificates(g.store)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	c, _, err := certificate.Open(files[slices.Max(slices.Collect(maps.Keys(files)))])
	return c, err
}

// Certificates are the files of the editions that the records of a store carry, by edition.
func Certificates(tx interface {
	OfKind(kind recordv1.Kind) ([]Record, error)
}) (map[int][]byte, error) {
	records, err := tx.OfKind(recordv1.Kind_KIND_CERTIFICATE)
	if err != nil {
		return nil, err
	}
	parts := make([]*recordv1.Certificate, 0, len(records))
	for _, r := range records {
		registers, err := record.DecodeState(r.State)
		if err != nil {
			return nil, fmt.Errorf("state of record %v: %w", r.ID, err)
		}
		part := &recordv1.Certificate{}
		if err := proto.Unmarshal(registers.Fields(), part); err != nil {
			return nil, fmt.Errorf("fields of record %v: %w", r.ID, err)
		}
		parts = append(parts, part)
	}
	return certificate.FromRecords(parts)
}
