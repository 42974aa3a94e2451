package postgres_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/pgtest"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/store"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestWhatDiffersIsNotMoved: where a row is not written as it was read, or what is there is not accepted, nothing stays.
func TestWhatDiffersIsNotMoved(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	anna.Push(anna.Make(&recordv1.Case{CaseNo: proto.String("个案"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1)}))
	at := pgtest.Bare(t)
	there := open(t, at)
	errUnwanted := errors.New("not like that")
	accept := func(err error) func(func(hlc.ID) progress.Store) error {
		return func(of func(hlc.ID) progress.Store) error {
			c, rerr := progress.Recount(t.Context(), of(d.ID), d.ID)
			if rerr != nil || !c.Equal() || c.Changes == 0 {
				t.Errorf("before it is there: %+v, %v", c, rerr)
			}
			return err
		}
	}
	silent := func(string, uint64, uint64) {}
	empty := func() {
		t.Helper()
		if ids, err := there.Deployments(t.Context()); err != nil || len(ids) > 0 {
			t.Fatalf("it has deployments %v, %v", ids, err)
		}
	}

	if _, err := store.Move(t.Context(), d.DB, there, silent, accept(errUnwanted)); !errors.Is(err, errUnwanted) {
		t.Errorf("not accepted: %v", err)
	}
	empty()
	for _, statement := range []string{
		`CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.received := NEW.received + 1; RETURN NEW; END $$`,
		`CREATE TRIGGER meddle BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION meddle()`,
	} {
		if _, err := pgtest.Open(t, at).ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Move(t.Context(), d.DB, there, silent, accept(nil)); !errors.Is(err, store.ErrNotSame) {
		t.Errorf("of other rows: %v", err)
	}
	empty()
	if _, err := pgtest.Open(t, at).ExecContext(t.Context(), `DROP TRIGGER meddle ON log`); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Move(t.Context(), d.DB, there, silent, accept(nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Move(t.Context(), d.DB, there, silent, accept(nil)); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("once more: %v", err)
	}
}
