package sqlite

import (
	"context"

	"levee/server/internal/store"
)

// ModeToCopy is how a database is opened to be copied.
var ModeToCopy = modeToCopy

// OpenOn does as Open, on a disk.
func OpenOn(ctx context.Context, path string, disk store.Disk) (*store.DB, error) {
	return open(ctx, path, pragmas, func(string) (store.Disk, error) { return disk, nil })
}
