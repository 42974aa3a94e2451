package clientlib

import (
	"bytes"
	"context"
	"fmt"
	"slices"
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

// ChangeForm changes what was kept of a form in one transaction, so that nothing is lost when two pages, or two programs, change one
// form at a time: on the disk when it returns. change gets the form as it stands, with a zero Saved when nothing was kept of it
// yet, and must not use the store; after an error of its own, or without a change, nothing is written. Codes of errors are
// those of SaveForm.
func (s *Store) ChangeForm(ctx context.Context, id hlc.ID, change func(*Form) error) error {
	if id == (hlc.ID{}) {
		return problem.Newf(problem.InvalidArgument, "a form without an id")
	}
	return s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		kept, ok, err := tx.Form(id)
		if err == nil && !ok {
			err = notDone(tx, id)
		}
		if err != nil {
			return err
		}
		changed := Form(kept)
		changed.ID, changed.Values = id, slices.Clone(kept.Values)
		if err := change(&changed); err != nil {
			return err
		}
		if ok && changed.Kind == kept.Kind && changed.Record == kept.Record && bytes.Equal(changed.Values, kept.Values) {
			return nil
		}
		if len(changed.Values) > MaxFormBytes {
			return fail(CodeFormTooLarge, "%d bytes", len(changed.Values))
		}
		changed.ID = id
		changed.Saved, _ = s.now(t)
		return tx.SaveForm(localdb.Form(changed))
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
// Errors are those of logging, as a *FamilyError, and code invalid_argument without an id or a family. After an error nothing of the form was
// logged, and what was saved of it is still there.
func (s *Store) LogForm(ctx context.Context, form hlc.ID, families ...Family) ([]hlc.ID, error) {
	if form == (hlc.ID{}) || len(families) == 0 {
		return nil, problem.Newf(problem.InvalidArgument, "a form without an id, or that came to nothing")
	}
	var made []hlc.ID
	err := s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) (err error) {
		made, _, err = s.logForm(tx, t, form, families...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// logForm logs what a form came to, unless it is done: then made is what was made of it.
func (s *Store) logForm(tx *localdb.Tx, t *localdb.Tablet, form hlc.ID, families ...Family) (made []hlc.ID, done bool, err error) {
	if made, done, err = tx.FormLogged(form); err != nil || done {
		return made, done, err
	}
	d, err := s.desk(tx, t)
	if err != nil {
		return nil, false, err
	}
	for i, f := range families {
		id, err := s.logFamily(d, f)
		if err != nil {
			return nil, false, &FamilyError{i, err}
		}
		made = append(made, id)
	}
	return made, false, tx.LogForm(localdb.LoggedForm{ID: form, Made: made})
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

// FamilyError says which of the families of a form could not be logged.
type FamilyError struct {
	// Family is its place among them, from 0.
	Family int
	Err    error
}

func (e *FamilyError) Error() string { return fmt.Sprintf("family %d: %v", e.Family, e.Err) }

func (e *FamilyError) Unwrap() error { return e.Err }

// FormMade are the records that a form came to: that of each family, or the one that was edited. Code of errors: form_missing, when
// the form was not logged, or is not among the newest thousand.
func (s *Store) FormMade(ctx context.Context, form hlc.ID) ([]hlc.ID, error) {
	var made []hlc.ID
	err := s.read(ctx, func(tx *localdb.Tx, _ *localdb.Tablet) error {
		found, done, err := tx.FormLogged(form)
		if err == nil && !done {
			err = fail(CodeFormMissing, "form %s", form)
		}
		made = found
		return err
	})
	return made, err
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
