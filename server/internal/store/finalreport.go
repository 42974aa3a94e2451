package store

import (
	"context"

	"levee/server/internal/finalreport"
)

// ReadFinal implements finalreport.Store.
func (d *Deployment) ReadFinal(ctx context.Context, fn func(finalreport.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}
