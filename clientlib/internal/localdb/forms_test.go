package localdb

import (
	"encoding/binary"
	"slices"
	"testing"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/wire"
)

// So many logged forms are known as such, whatever the clock was when they were logged.
func TestTheNewestLoggedFormsAreKnown(t *testing.T) {
	db := newDB(t)
	form := func(n int) (id hlc.ID) {
		binary.BigEndian.PutUint32(id[:], uint32(n+1))
		return id
	}
	err := db.Write(t.Context(), func(tx *Tx) error {
		for n := range mostLoggedForms + 5 {
			if err := tx.SaveForm(Form{ID: form(n), Kind: recordv1.Kind_KIND_OUTREACH, Values: []byte("值"), Saved: start}); err != nil {
				return err
			}
			if err := tx.LogForm(LoggedForm{form(n), []hlc.ID{form(n), {9}}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Read(t.Context(), func(tx *Tx) error {
		for n := range mostLoggedForms + 5 {
			made, ok, err := tx.FormLogged(form(n))
			if err != nil || ok != (n >= 5) || (ok && !slices.Equal(made, []hlc.ID{form(n), {9}})) {
				t.Errorf("form %d: %v, %v; %v", n, made, ok, err)
			}
		}
		if n, err := tx.UnfinishedForms(); err != nil || n != 0 {
			t.Errorf("%d are unfinished; %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What somebody was about to change in a record goes with the record when that is erased.
func TestErasedRecordsTakeTheirForms(t *testing.T) {
	w := newWritten(t)
	erased := w.records[0]
	w.in(func(tx *Tx, _ *Tablet) error {
		for n, of := range []hlc.ID{erased, {}, {7}} {
			if err := tx.SaveForm(Form{ID: hlc.ID{byte(n + 1)}, Record: of, Values: []byte("值"), Saved: start}); err != nil {
				return err
			}
		}
		return nil
	})
	w.hear(wire.JournalErased, erased)
	w.in(func(tx *Tx, _ *Tablet) error {
		found, err := tx.Forms()
		if len(found) != 2 || found[0].ID == (hlc.ID{1}) || found[1].ID == (hlc.ID{1}) {
			t.Errorf("left: %v", found)
		}
		return err
	})
}
