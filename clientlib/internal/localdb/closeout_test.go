package localdb

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// plan is how SQLite goes about a query.
func (tx *Tx) plan(query string) (string, error) {
	var plan strings.Builder
	err := tx.each(func(r row) error {
		var id, parent, unused int
		var step string
		err := r.Scan(&id, &parent, &unused, &step)
		plan.WriteString(step + "\n")
		return err
	}, `EXPLAIN QUERY PLAN `+query)
	return plan.String(), err
}

func (w *written) openCases() (n int) {
	w.t.Helper()
	w.in(func(tx *Tx, _ *Tablet) (err error) {
		n, err = tx.OpenCases()
		return err
	})
	return n
}

// Open cases are those that this worker leads, and they are counted by an index; of an older file they are found out when it is opened.
func TestOpenCasesAreCountedByAnIndex(t *testing.T) {
	w := newWritten(t)
	worker, other := hlc.ID{3}, hlc.ID{4}
	for name, c := range map[string]struct {
		m    *recordv1.Case
		open int
	}{
		"hers":             {&recordv1.Case{Lead: worker[:], Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum()}, 1},
		"another's":        {&recordv1.Case{Lead: other[:], Workers: [][]byte{worker[:]}}, 0},
		"nobody's":         {&recordv1.Case{}, 0},
		"in its last step": {&recordv1.Case{Lead: worker[:], Stage: recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum()}, 0},
		"closed":           {&recordv1.Case{Lead: worker[:], ClosedOn: proto.Int32(20211201)}, 0},
		"counted twice":    {&recordv1.Case{Lead: worker[:], DuplicateOf: other[:]}, 0},
		"deleted":          {&recordv1.Case{Lead: worker[:], Deleted: proto.Bool(true)}, 0},
	} {
		before := w.openCases()
		w.log(recordv1.Kind_KIND_CASE, c.m)
		if n := w.openCases() - before; n != c.open {
			t.Errorf("%s: %d more are open", name, n)
		}
	}
	for _, c := range []struct {
		progress recordv1.ReferralProgress
		open     int
	}{
		{recordv1.ReferralProgress_REFERRAL_PROGRESS_UNKNOWN, 1}, {recordv1.ReferralProgress_REFERRAL_PROGRESS_DECLINED, 1},
		{recordv1.ReferralProgress_REFERRAL_PROGRESS_SENT, 0}, {recordv1.ReferralProgress_REFERRAL_PROGRESS_ACCEPTED, 0},
		{recordv1.ReferralProgress_REFERRAL_PROGRESS_FOLLOWED_UP, 0},
	} {
		before := w.openCases()
		w.log(recordv1.Kind_KIND_CASE, &recordv1.Case{Lead: worker[:]})
		w.log(recordv1.Kind_KIND_REFERRAL, &recordv1.Referral{Case: w.records[len(w.records)-1][:], Progress: c.progress.Enum()})
		if n := w.openCases() - before; n != c.open {
			t.Errorf("with a referral that is %v: %d more are open", c.progress, n)
		}
	}

	want := w.openCases()
	w.in(func(tx *Tx, _ *Tablet) error { return tx.exec(`UPDATE records SET waits = NULL WHERE kind IN (5, 19)`) })
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), w.path, Options{Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	err = again.Read(t.Context(), func(tx *Tx) error {
		if n, err := tx.OpenCases(); n != want || err != nil {
			t.Errorf("%d are open after opening it, and before %d; %v", n, want, err)
		}
		// What waits for closure alone waits for nobody else.
		found, err := tx.Waiting(record.Kinds()...)
		for _, r := range found {
			if m := record.New(r.Kind); proto.Unmarshal(r.View.Fields(), m) == nil && len(record.Missing(r.Kind, m)) == 0 {
				t.Errorf("%v waits, and lacks nothing", r.Kind)
			}
		}
		if err != nil {
			return err
		}
		plan, err := tx.plan(openCases)
		if strings.Count(plan, "COVERING INDEX records_waiting") != 2 {
			t.Errorf("it goes by\n%s", plan)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Changes are found in the pages of a file that SQLite can't read any more, also those that were written before the table had its last column.
func TestChangesAreCarvedFromBothTables(t *testing.T) {
	w := newWritten(t)
	carved := func(when string) {
		t.Helper()
		if found, _ := w.seal.carve(w.path); len(found) != len(w.records) {
			t.Errorf("%s: %d of %d changes", when, len(found), len(w.records))
		}
	}
	carved("as they are written now")
	for _, query := range []string{`DROP INDEX changes_late`, `ALTER TABLE changes DROP COLUMN late`, `VACUUM`} {
		if _, err := w.write.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	carved("as they were written")
}
