package clientlib

import (
	"context"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Update sets the fields that partial has, a message of the record's kind, and empties the fields named in emptied, by their names in the
// protos. Fields that already have the value are left alone, so a form may send back all that it shows without overwriting what others
// set meanwhile; when nothing is left, nothing is written. A list is set as a whole; to make it empty, name it in emptied.
//
// Codes of errors: record_missing, record_deleted, kind_mismatch, owner_missing, owner_deleted, invalid_argument (no such field, or one both set and
// emptied), and an *InvalidError.
func (s *Store) Update(ctx context.Context, id hlc.ID, partial proto.Message, emptied ...string) error {
	return s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		return s.updateAt(d, id, partial, emptied)
	})
}

func (s *Store) updateAt(d *desk, id hlc.ID, partial proto.Message, emptied []string) error {
	standing, err := d.editable(id)
	if err != nil {
		return err
	}
	if standing.View.Deleted() {
		return fail(CodeRecordDeleted, "record %s", id)
	}
	if record.KindOf(partial) != standing.Kind {
		return fail(CodeKindMismatch, "%T for a record of %v", partial, standing.Kind)
	}
	cleared, err := numbersOf(partial, emptied)
	if err != nil {
		return err
	}
	if err := d.ownerStands(standing.Kind, partial); err != nil {
		return err
	}
	if c, ok := partial.(*recordv1.Case); ok && c.Age != nil && c.AgeBand == nil {
		c = proto.CloneOf(c)
		d.fillAgeBand(c)
		partial = c
	}
	fields, err := d.valid(standing.Kind, partial)
	if err != nil {
		return err
	}
	return s.edit(d, standing, fields, cleared)
}

// Delete deletes a record. It can be restored. Deleting a deleted record does nothing. Codes of errors: record_missing,
// kind_mismatch.
func (s *Store) Delete(ctx context.Context, id hlc.ID) error { return s.setDeleted(ctx, id, true) }

// Restore undoes a delete; of a record that is not deleted it does nothing. Codes of errors: record_missing,
// kind_mismatch.
func (s *Store) Restore(ctx context.Context, id hlc.ID) error { return s.setDeleted(ctx, id, false) }

func (s *Store) setDeleted(ctx context.Context, id hlc.ID, deleted bool) error {
	return s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		standing, err := d.editable(id)
		if err != nil || standing.View.Deleted() == deleted {
			return err
		}
		field := protowire.AppendTag(nil, record.DeletedField, protowire.VarintType)
		return s.edit(d, standing, protowire.AppendVarint(field, protowire.EncodeBool(deleted)), nil)
	})
}

// SetSite chooses the site whose id and place are filled into what is logged from now on; the zero id leaves it to the worker's own. Code of
// errors: not_found, when there is no such site.
func (s *Store) SetSite(ctx context.Context, site hlc.ID) error {
	return s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		if site != (hlc.ID{}) && d.sites[site] == nil {
			return problem.Newf(problem.NotFound, "site %s", site)
		}
		t.Site = site
		return tx.Save(t)
	})
}

// editable is a record that this tablet may try to change.
func (d *desk) editable(id hlc.ID) (localdb.Record, error) {
	r, ok, err := d.tx.Record(id)
	switch {
	case err != nil:
		return localdb.Record{}, err
	case !ok:
		return localdb.Record{}, fail(CodeRecordMissing, "record %s", id)
	case !record.Known(r.Kind) || record.SetUp(r.Kind):
		return localdb.Record{}, fail(CodeKindMismatch, "record of %v", r.Kind)
	}
	return r, nil
}

// edit keeps the change that fields and cleared make of a record as it stands.
func (s *Store) edit(d *desk, standing localdb.Record, fields []byte, cleared []protowire.Number) error {
	stamp := d.stamp()
	id, err := hlc.NewID(stamp.Time, s.entropy)
	if err != nil {
		return err
	}
	c, err := record.Edit(id, standing.ID, standing.Kind, stamp, standing.View, fields, cleared)
	if err != nil || c == nil {
		return err
	}
	return d.append(c)
}

// ownerStands checks the owner that an edit names, if it names one.
func (d *desk) ownerStands(k record.Kind, partial proto.Message) error {
	m := partial.ProtoReflect()
	f := m.Descriptor().Fields().ByNumber(record.OwnerField(k))
	if f == nil || !m.Has(f) {
		return nil
	}
	_, err := d.ownerOf(k, partial.(record.Common))
	return err
}

// numbersOf are the numbers of fields that are to be emptied.
func numbersOf(partial proto.Message, names []string) ([]protowire.Number, error) {
	m := partial.ProtoReflect()
	if deleted := m.Descriptor().Fields().ByNumber(record.DeletedField); m.Has(deleted) {
		return nil, problem.Newf(problem.InvalidArgument, "deleted is set by Delete and Restore")
	}
	numbers := make([]protowire.Number, 0, len(names))
	for _, name := range names {
		f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		switch {
		case f == nil || f.Number() == record.DeletedField:
			return nil, problem.Newf(problem.InvalidArgument, "there is no field %q to empty in %s", name, m.Descriptor().Name())
		case m.Has(f):
			return nil, problem.Newf(problem.InvalidArgument, "field %q is both set and emptied", name)
		case f.Number() == record.OwnerField(record.KindOf(partial)) && !ownerOptional(record.KindOf(partial)):
			return nil, fail(CodeOwnerMissing, "emptying %q", name)
		}
		numbers = append(numbers, f.Number())
	}
	return numbers, nil
}
