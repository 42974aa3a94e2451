package storetest

import (
	"reflect"
	"testing"

	"levee/server/internal/store"
	"levee/server/internal/workbook"
)

func testWorkbooks(t *testing.T, db *store.DB) {
	d, other := db.Deployment(id(1)), db.Deployment(id(2))
	keep := func(w workbook.Workbook, want bool) {
		t.Helper()
		if kept, err := d.KeepWorkbook(t.Context(), w); err != nil || kept != want {
			t.Errorf("%s kept: %t, %v", w.Name, kept, err)
		}
	}
	for n := range workbook.Most {
		keep(workbook.Workbook{ID: id(n), Name: string(rune('z' - n)), File: []byte{byte(n)}, Cells: []workbook.Cell{}}, true)
	}
	first := workbook.Workbook{ID: id(0), Name: "a", File: []byte("file"), Cells: []workbook.Cell{{Sheet: "表", Ref: "B3", Value: "done.contacts", Town: "410621108"}}}
	keep(first, true)
	keep(workbook.Workbook{ID: id(99), Name: "too many", File: []byte{}}, false)
	if got, ok, err := d.Workbook(t.Context(), first.ID); err != nil || !ok || !reflect.DeepEqual(got, first) {
		t.Errorf("%+v, %t, %v", got, ok, err)
	}
	first.File = nil
	if all, err := d.Workbooks(t.Context()); err != nil || len(all) != workbook.Most || !reflect.DeepEqual(all[0], first) || all[1].Name != "q" {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := other.Workbooks(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("another deployment has %v, %v", all, err)
	}
	for range 2 {
		if err := d.RemoveWorkbook(t.Context(), id(0)); err != nil {
			t.Error(err)
		}
	}
	if _, ok, err := d.Workbook(t.Context(), first.ID); ok || err != nil {
		t.Errorf("it is still there, %v", err)
	}
}
