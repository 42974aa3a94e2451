package localdb

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Of a file that an older program kept, what waits is found out when it is opened; a kind that this program does not know may wait.
func TestWhatWaitsIsFoundOutOfAnOlderFile(t *testing.T) {
	w := newWritten(t) // all of it lacks something
	whole := &recordv1.CaseNote{
		Session: make([]byte, 16), Author: make([]byte, 16), OccurredOn: proto.Int32(20210923),
	}
	w.log(recordv1.Kind_KIND_CASE_NOTE, whole)
	w.log(99, &recordv1.CaseNote{Process: proto.String("新的")})
	kinds := append(record.Kinds(), 99)
	waiting := func(db *DB) (ids []hlc.ID, unknown int) {
		t.Helper()
		err := db.Read(t.Context(), func(tx *Tx) error {
			found, err := tx.Waiting(kinds...)
			for _, r := range found {
				ids = append(ids, r.ID)
			}
			if err != nil {
				return err
			}
			return tx.sql.QueryRowContext(t.Context(), `SELECT count(*) FROM records WHERE waits IS NULL`).Scan(&unknown)
		})
		if err != nil {
			t.Fatal(err)
		}
		return ids, unknown
	}
	before, unknown := waiting(w.DB)
	if len(before) != len(w.records)-1 || slices.Contains(before, w.records[5]) || unknown != 1 {
		t.Fatalf("%d of %d wait, %d unknown", len(before), len(w.records), unknown)
	}
	w.in(func(tx *Tx, _ *Tablet) error { return tx.exec(`UPDATE records SET waits = NULL, changed = NULL`) })
	if found, unknown := waiting(w.DB); len(found) != len(w.records) || unknown != len(w.records) {
		t.Errorf("%d may wait while it is not known, %d unknown", len(found), unknown)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), w.path, Options{Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if after, unknown := waiting(again); !slices.Equal(after, before) || unknown != 1 {
		t.Errorf("after opening it %v, and before %v; %d unknown", after, before, unknown)
	}
}
