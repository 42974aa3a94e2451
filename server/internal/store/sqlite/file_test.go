package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
)

func TestServersHoldADatabaseTogetherAndARestoreAlone(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "server.db")
	hold := func(alone bool) (release func()) {
		t.Helper()
		h, err := sqlite.Hold(ctx, path, alone)
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	refused := func(alone bool) {
		t.Helper()
		if _, err := sqlite.Hold(ctx, path, alone); !errors.Is(err, store.ErrHeld) {
			t.Errorf("held twice: %v", err)
		}
	}
	first, second := hold(false), hold(false)
	refused(true)
	first()
	refused(true)
	second()
	alone := hold(true)
	refused(true)
	refused(false)
	alone()
	hold(false)()
}
