package sqlite

import (
	"path/filepath"
	"testing"

	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// Rows of several deployments may lie between each other, many at once: each comes to its own.
func TestMovingTakesDeploymentsThatLieBetweenEachOther(t *testing.T) {
	from, err := Open(t.Context(), filepath.Join(t.TempDir(), "from.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	to, err := Open(t.Context(), filepath.Join(t.TempDir(), "to.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = to.Close() }()
	deployments := []hlc.ID{{1}, {2}, {3}}
	for n := range uint64(50) {
		for _, deployment := range deployments {
			entry := syncing.LogEntry{Position: n + 1, Replica: 7, Sequence: n + 1, Change: hlc.ID{9, byte(n)}, Record: hlc.ID{9, byte(n)}, Body: []byte{1}}
			err := from.Deployment(deployment).Write(t.Context(), func(tx syncing.Writing) error {
				return tx.Save(syncing.Changes{Head: syncing.Head{Position: n + 1}, Log: []syncing.LogEntry{entry}})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := store.Move(t.Context(), from, to, func(string, uint64, uint64) {}, func(func(hlc.ID) progress.Store) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for _, deployment := range deployments {
		err := to.Deployment(deployment).Read(t.Context(), func(tx syncing.Reading) error {
			entries, err := tx.Sequences(7, 1, 50)
			if len(entries) != 50 {
				t.Errorf("%v has %d entries", deployment, len(entries))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
