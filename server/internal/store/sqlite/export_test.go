package sqlite

import (
	"context"

	"levee/server/internal/store"
)

// OpenOn does as Open, on a disk that takes what was written as flush does.
func OpenOn(ctx context.Context, path string, flush func() error) (*store.DB, error) {
	return open(ctx, path, pragmas, flush)
}
