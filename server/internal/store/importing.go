package store

import (
	"context"

	"levee/server/internal/importing"
)

// ReadImport implements importing.Store.
func (d *Deployment) ReadImport(ctx context.Context, fn func(importing.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}
