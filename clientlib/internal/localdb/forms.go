package localdb

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Form is what somebody fills in and has not logged yet.
type Form struct {
	ID   hlc.ID
	Kind record.Kind
	// Record is the record that is edited; zero for a new one.
	Record hlc.ID
	Values []byte
	Saved  time.Time
}

// LoggedForm is a form that was logged, with the records that came of it.
type LoggedForm struct {
	ID   hlc.ID
	Made []hlc.ID
}

// mostLoggedForms is how many logged forms are known as such: a page is sent again within hours, not after a thousand others.
const mostLoggedForms = 1000

// SaveForm keeps a form in the place of what was kept of it.
func (tx *Tx) SaveForm(f Form) error {
	body, err := tx.seal.seal(formBody, f.ID[:], notNull(f.Values))
	if err != nil {
		return err
	}
	var edited any
	if f.Record != (hlc.ID{}) {
		edited = f.Record[:]
	}
	err = tx.exec(`
		INSERT INTO forms (id, kind, record, saved, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, record = excluded.record, saved = excluded.saved, body = excluded.body`,
		f.ID[:], f.Kind, edited, f.Saved.UnixMilli(), body)
	if err != nil {
		return fmt.Errorf("storing form %s: %w", f.ID, err)
	}
	return nil
}

const selectForms = `SELECT id, kind, record, saved, body FROM forms `

// scanForm reads a form whose values are still sealed.
func scanForm(r row) (f Form, err error) {
	var edited []byte
	var saved int64
	err = r.Scan(id{&f.ID}, &f.Kind, &edited, &saved, &f.Values)
	copy(f.Record[:], edited)
	f.Saved = time.UnixMilli(saved)
	return f, err
}

// openForm opens the values of a form.
func (s *sealer) openForm(f Form) (Form, error) {
	var err error
	f.Values, err = s.open(formBody, f.ID[:], f.Values)
	return f, err
}

// Forms are all forms that were not logged, the last saved first.
func (tx *Tx) Forms() ([]Form, error) { return tx.forms(`ORDER BY saved DESC, rowid DESC`) }

// Form is one of them; ok is false when it is not there.
func (tx *Tx) Form(formID hlc.ID) (f Form, ok bool, err error) {
	found, err := tx.forms(`WHERE id = $1`, formID[:])
	if err != nil || len(found) == 0 {
		return Form{}, false, err
	}
	return found[0], true, nil
}

func (tx *Tx) forms(query string, args ...any) ([]Form, error) {
	var found []Form
	err := tx.each(func(r row) error {
		f, err := scanForm(r)
		if err == nil {
			f, err = tx.seal.openForm(f)
		}
		found = append(found, f)
		return err
	}, selectForms+query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading forms: %w", err)
	}
	return found, nil
}

// DropForm forgets a form, if it is there.
func (tx *Tx) DropForm(formID hlc.ID) error {
	if err := tx.exec(`DELETE FROM forms WHERE id = $1`, formID[:]); err != nil {
		return fmt.Errorf("dropping form %s: %w", formID, err)
	}
	return nil
}

// LogForm keeps that a form was logged and what came of it, and forgets its values.
func (tx *Tx) LogForm(f LoggedForm) error {
	if err := tx.DropForm(f.ID); err != nil {
		return err
	}
	ids := []byte{}
	for _, made := range f.Made {
		ids = append(ids, made[:]...)
	}
	sealed, err := tx.seal.seal(formMade, f.ID[:], ids)
	if err != nil {
		return err
	}
	if err := tx.exec(`INSERT INTO logged_forms (id, made) VALUES ($1, $2)`, f.ID[:], sealed); err != nil {
		return fmt.Errorf("storing form %s: %w", f.ID, err)
	}
	if err := tx.exec(`DELETE FROM logged_forms WHERE number <= last_insert_rowid() - $1`, mostLoggedForms); err != nil {
		return fmt.Errorf("forgetting logged forms: %w", err)
	}
	return nil
}

// FormLogged are the records that came of a form; ok is false while it was not logged.
func (tx *Tx) FormLogged(formID hlc.ID) (made []hlc.ID, ok bool, err error) {
	var sealed []byte
	err = tx.sql.QueryRowContext(tx.ctx, `SELECT made FROM logged_forms WHERE id = $1`, formID[:]).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err == nil {
		made, err = tx.seal.openMade(formID, sealed)
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading form %s: %w", formID, err)
	}
	return made, true, nil
}

// openMade opens the ids of what came of a form.
func (s *sealer) openMade(form hlc.ID, sealed []byte) ([]hlc.ID, error) {
	ids, err := s.open(formMade, form[:], sealed)
	if err != nil {
		return nil, err
	}
	var made []hlc.ID
	for ; len(ids) >= len(hlc.ID{}); ids = ids[len(hlc.ID{}):] {
		made = append(made, hlc.ID(ids[:len(hlc.ID{})]))
	}
	return made, nil
}

// LoggedForms are the forms of which it is known that they were logged, in that order.
func (tx *Tx) LoggedForms() ([]LoggedForm, error) {
	var found []LoggedForm
	err := tx.each(func(r row) error {
		var f LoggedForm
		var sealed []byte
		err := r.Scan(id{&f.ID}, &sealed)
		if err == nil {
			f.Made, err = tx.seal.openMade(f.ID, sealed)
		}
		found = append(found, f)
		return err
	}, `SELECT id, made FROM logged_forms ORDER BY number`)
	if err != nil {
		return nil, fmt.Errorf("reading logged forms: %w", err)
	}
	return found, nil
}

// UnfinishedForms is how many forms were not logged.
func (tx *Tx) UnfinishedForms() (n int, err error) {
	if err := tx.sql.QueryRowContext(tx.ctx, `SELECT count(*) FROM forms`).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting forms: %w", err)
	}
	return n, nil
}
