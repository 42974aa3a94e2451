package clientlib

import (
	"bytes"
	"context"
	"slices"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Similar are the records on this tablet that may be of the same thing as m, by record.Similar, the last made first. m is what
// is about to be logged, and is compared as it would be kept: with what Log fills in. Nothing is written. Of kinds that are not
// compared there are none.
//
// It reads the records of m's kind on m's day; for a headcount what belongs to its activity, and for a case all cases.
// Codes of errors: owner_missing, owner_deleted.
func (s *Store) Similar(ctx context.Context, m record.Common) ([]AnyRecord, error) {
	var similar []AnyRecord
	err := s.look(ctx, func(l *look) error {
		d, err := s.desk(l.tx, l.tablet)
		if err != nil {
			return err
		}
		k := record.KindOf(m)
		filled, err := d.fill(k, m)
		if err != nil {
			return err
		}
		found, err := l.comparable(k, filled)
		if err != nil {
			return err
		}
		for _, r := range found {
			other, err := message(r.Kind, r.View.Fields())
			if err != nil {
				return err
			}
			if !record.Similar(k, filled, other, d.now, hlc.IDTime(r.ID).Wall()) {
				continue
			}
			one, err := shown[record.Common](l, r)
			if err != nil {
				return err
			}
			similar = append(similar, one)
		}
		slices.SortFunc(similar, func(a, b AnyRecord) int { return bytes.Compare(b.ID[:], a.ID[:]) })
		return nil
	})
	return similar, err
}

// comparable are the records among which those that are similar to m must be.
func (l *look) comparable(k record.Kind, m record.Common) ([]localdb.Record, error) {
	switch k {
	case recordv1.Kind_KIND_CASE:
		return l.ofKind(k)
	case recordv1.Kind_KIND_HEADCOUNT:
		of, err := l.tx.OwnedBy(hlc.ID(m.(*recordv1.Headcount).GetActivity())) // which fill found
		return slices.DeleteFunc(of, func(r localdb.Record) bool { return r.Kind != k }), err
	case recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY,
		recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_RESOURCE_LINK:
		day := record.Date(m.GetOccurredOn())
		return l.tx.List(localdb.Filter{Kinds: []record.Kind{k}, From: day, To: day, BeforeDay: -1, Limit: -1})
	default:
		return nil, nil
	}
}
