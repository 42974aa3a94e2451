package syncing

import (
	"fmt"

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
	records, err := g.store.OfKind(recordv1.Kind_KIND_CERTIFICATE)
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
	files, err := certificate.FromRecords(parts)
	if err != nil {
		return nil, err
	}
	newest := 0
	for edition := range files {
		newest = max(newest, edition)
	}
	if newest == 0 {
		return nil, nil //nolint:nilnil // there is none, as the comment says
	}
	c, _, err := certificate.Open(files[newest])
	return c, err
}
