package clientlib

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// MaxFormBytes is how much the values of one form may hold: more than the longest notes of a whole day from paper.
const MaxFormBytes = 256 << 10

// Form is what somebody fills in and has not logged yet. It stays on this tablet, sealed, and is no record: it is never sent,
// and counts nowhere. When the record that it edits is erased, it goes too.
type Form struct {
	ID   hlc.ID // NewFormID makes one
	Kind record.Kind
	// Record is the record that is edited; zero for a new one.
	Record hlc.ID
	// Values are as whoever fills it in keeps them; at most MaxFormBytes.
	Values []byte
	// Saved is when it was saved last, by the tablet's clock; SaveForm sets it.
	Saved time.Time
}

// NewFormID makes an id for a form.
func (s *Store) NewFormID() (hlc.ID, error) {
	var made hlc.ID
	err := s.write(context.Background(), func(_ *localdb.Tx, t *localdb.Tablet) (err error) { // one draws from the entropy at a time
		made, err = hlc.NewID(t.Clock(s.wall).Now(), s.entropy)
		return err
	})
	return made, err
}

// SaveForm keeps a form in the place of what was kept of it: on the disk when it returns. Codes of errors: form_done, when
// it was logged meanwhile; form_too_large; invalid_argument, for one without an id; not_enrolled, storage_full,
// database_busy.
func (s *Store) SaveForm(ctx context.Context, f Form) error {
	switch {
	case f.ID == (hlc.ID{}):
		return problem.Newf(problem.InvalidArgument, "a form without an id")
	case len(f.Values) > MaxFormBytes:
		return fail(CodeFormTooLarge, "%d bytes", len(f.Values))
	}
	return s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		if err := notDone(tx, f.ID); err != nil {
			return err
		}
		f.Saved, _ = s.now(t)
		return tx.SaveForm(localdb.Form(f))
	})
}

// Form is one unfinished form. Codes of errors: form_missing; form_done, when it was logged.
func (s *Store) Form(ctx context.Context, id hlc.ID) (Form, error) {
	var found Form
	err := s.read(ctx, func(tx *localdb.Tx, _ *localdb.Tablet) error {
		f, ok, err := tx.Form(id)
		if err != nil {
			return err
		}
		if !ok {
			if err := notDone(tx, id); err != nil {
				return err
			}
			return fail(CodeFormMissing, "form %s", id)
		}
		found = Form(f)
		return nil
	})
	return found, err
}

// Forms are the unfinished forms, the last saved first.
func (s *Store) Forms(ctx context.Context) ([]Form, error) {
	var forms []Form
	err := s.read(ctx, func(tx *localdb.Tx, _ *localdb.Tablet) error {
		found, err := tx.Forms()
		for _, f := range found {
			forms = append(forms, Form(f))
		}
		return err
	})
	return forms, err
}

// DropForm forgets an unfinished form. Dropping one that is not there does nothing.
func (s *Store) DropForm(ctx context.Context, id hlc.ID) error {
	return s.write(ctx, func(tx *localdb.Tx, _ *localdb.Tablet) error { return tx.DropForm(id) })
}

// Family is a record with what is logged together with it. A belonging that names no owner belongs to the record.
type Family struct {
	Record     record.Common
	Belongings []record.Common
}

// LogForm logs what a form came to, in one transaction, and the form is done: asked again (a double tap, a page sent again
// after a kill) it logs nothing and returns the same ids, that of each family's record. A form need not have been saved
// before. The newest thousand forms are known to be done.
//
// Errors are those of logging, and code invalid_argument without an id or a family. After an error nothing of the form was
// logged, and what was saved of it is still there.
func (s *Store) LogForm(ctx context.Context, form hlc.ID, families ...Family) ([]hlc.ID, error) {
	if form == (hlc.ID{}) || len(families) == 0 {
		return nil, problem.Newf(problem.InvalidArgument, "a form without an id, or that came to nothing")
	}
	var made []hlc.ID
	err := s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) (err error) {
		var done bool
		if made, done, err = tx.FormLogged(form); err != nil || done {
			return err
		}
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		for _, f := range families {
			id, err := s.logFamily(d, f)
			if err != nil {
				return err
			}
			made = append(made, id)
		}
		return tx.LogForm(localdb.LoggedForm{ID: form, Made: made})
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

func (s *Store) logFamily(d *desk, f Family) (hlc.ID, error) {
	made, err := s.logAt(d, f.Record)
	if err != nil {
		return made, err
	}
	for _, m := range f.Belongings {
		if _, err := s.logAt(d, ownedBySome(m, made)); err != nil {
			return made, err
		}
	}
	return made, nil
}

// ownedBySome is m, with the owner that it has, else with the one given. What can have none stays without, as it does when it is logged by itself.
func ownedBySome(m record.Common, owner hlc.ID) record.Common {
	field := m.ProtoReflect().Descriptor().Fields().ByNumber(record.OwnerField(record.KindOf(m)))
	if field == nil || m.ProtoReflect().Has(field) {
		return m
	}
	owned := proto.CloneOf(m)
	owned.ProtoReflect().Set(field, protoreflect.ValueOfBytes(owner[:]))
	return owned
}

// UpdateForm is Update for what a form came to. Of a form that is done already it changes nothing.
func (s *Store) UpdateForm(ctx context.Context, form, id hlc.ID, partial proto.Message, emptied ...string) error {
	if form == (hlc.ID{}) {
		return problem.Newf(problem.InvalidArgument, "a form without an id")
	}
	return s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		if _, done, err := tx.FormLogged(form); err != nil || done {
			return err
		}
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		if err := s.updateAt(d, id, partial, emptied); err != nil {
			return err
		}
		return tx.LogForm(localdb.LoggedForm{ID: form, Made: []hlc.ID{id}})
	})
}

// notDone fails with form_done when a form was logged.
func notDone(tx *localdb.Tx, form hlc.ID) error {
	_, done, err := tx.FormLogged(form)
	if err == nil && done {
		err = fail(CodeFormDone, "form %s", form)
	}
	return err
}
