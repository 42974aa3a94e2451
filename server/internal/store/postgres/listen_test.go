package postgres_test

import (
	"context"
	"testing"

	"levee/server/internal/pgtest"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// position saves one more entry of the log, with records of some kinds.
func position(tx syncing.Writing, kinds ...recordv1.Kind) error {
	head, err := tx.Head()
	if err != nil {
		return err
	}
	head.Position++
	c := syncing.Changes{Head: head, Log: []syncing.LogEntry{{Position: head.Position, Replica: 7, Sequence: head.Position}}}
	for i, kind := range kinds {
		c.Records = append(c.Records, syncing.Record{ID: hlc.ID{byte(i)}, Kind: kind, Position: head.Position, State: []byte{}})
	}
	return tx.Save(c)
}

// listen has a server listen to the others until it is stopped.
func listen(t *testing.T, db *store.DB) (heard chan store.Told, stop func()) {
	t.Helper()
	heard = make(chan store.Told, 10)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		db.Listen(ctx, func(told store.Told) { heard <- told }, func(err error) { t.Error(err) })
	}()
	if told := <-heard; !told.Anything {
		t.Fatalf("at first %+v is heard", told)
	}
	return heard, func() {
		cancel()
		<-stopped
	}
}

// TestServersHearWhatOthersCommit: of which deployment something is committed, and whether alerts are concerned; not what they did
// themselves, nor what came to nothing.
func TestServersHearWhatOthersCommit(t *testing.T) {
	at := pgtest.New(t)
	one, two := open(t, at), open(t, at)
	heard, stop := listen(t, two)
	camp, other := hlc.ID{1}, hlc.ID{2}
	write := func(db *store.DB, deployment hlc.ID, fn func(tx syncing.Writing) error) error {
		return db.Deployment(deployment).Write(t.Context(), fn)
	}
	for _, err := range []error{
		write(two, camp, func(tx syncing.Writing) error { return position(tx) }),
		write(one, camp, func(tx syncing.Writing) error { return position(tx) }),
		write(one, other, func(tx syncing.Writing) error { return position(tx, recordv1.Kind_KIND_RISK_ALERT) }),
		write(one, camp, func(syncing.Writing) error { return nil }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := write(one, camp, func(tx syncing.Writing) error {
		if err := position(tx); err != nil {
			return err
		}
		return problem.New(problem.InvalidArgument)
	}); err == nil {
		t.Fatal("a transaction that was to fail did not")
	}
	if err := write(one, camp, func(tx syncing.Writing) error {
		return tx.SaveDevice(syncing.Device{ID: hlc.ID{9}, PublicKey: []byte{1}})
	}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []store.Told{{Deployment: camp}, {Deployment: other, Alerts: true}, {Deployment: camp}} {
		if told := <-heard; told != want {
			t.Errorf("heard %d: %+v, want %+v", i, told, want)
		}
	}
	stop()
	if len(heard) > 0 {
		t.Errorf("heard besides: %+v", <-heard)
	}
}

// TestACommitWhoseAnswerIsLostIsHeardOf: it may have come through, and with it a risk alert that somebody must be told of.
func TestACommitWhoseAnswerIsLostIsHeardOf(t *testing.T) {
	at := pgtest.New(t)
	db := open(t, at)
	admin := pgtest.Open(t, at)
	t.Cleanup(func() { // other tests have the database next
		if _, err := admin.ExecContext(context.Background(), `DROP FUNCTION cut CASCADE`); err != nil {
			t.Error(err)
		}
	})
	if _, err := admin.ExecContext(t.Context(), `
		CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER cut AFTER INSERT OR UPDATE ON replicas DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()`); err != nil {
		t.Fatal(err)
	}
	heard, stop := listen(t, db)
	err := db.Deployment(hlc.ID{1}).Write(t.Context(), func(tx syncing.Writing) error {
		return tx.Save(syncing.Changes{Replicas: []syncing.Replica{{Number: 7, Have: 1}}})
	})
	if problem.CodeOf(err) != problem.Busy {
		t.Errorf("the server is told %v", err)
	}
	if told := <-heard; !told.Anything {
		t.Errorf("%+v is heard", told)
	}
	stop()
}

// TestAServerThatIsKilledInTheMiddleHoldsNothing: its lock goes with its connection, and what it had not committed is not there.
func TestAServerThatIsKilledInTheMiddleHoldsNothing(t *testing.T) {
	at := pgtest.New(t)
	killed, other, admin := open(t, at), open(t, at), pgtest.Open(t, at)
	camp := hlc.ID{1}
	err := killed.Deployment(camp).Write(t.Context(), func(tx syncing.Writing) error {
		if err := position(tx); err != nil {
			return err
		}
		var ended bool
		if err := admin.QueryRowContext(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
			WHERE datname = current_database() AND state = 'idle in transaction'`).Scan(&ended); err != nil || !ended {
			t.Fatalf("the connection was not ended: %v", err)
		}
		return position(tx)
	})
	if problem.CodeOf(err) != problem.Busy {
		t.Errorf("the server is told %v", err)
	}
	if err := other.Deployment(camp).Write(t.Context(), func(tx syncing.Writing) error {
		if head, err := tx.Head(); err != nil || head.Position != 0 {
			t.Errorf("the other server finds the log at %d, %v", head.Position, err)
		}
		return position(tx)
	}); err != nil {
		t.Error(err)
	}
}
