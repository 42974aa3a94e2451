package store

import (
	"context"

	"levee/server/internal/casefile"
)

// ReadCase implements casefile.Store.
func (d *Deployment) ReadCase(ctx context.Context, fn func(casefile.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}
