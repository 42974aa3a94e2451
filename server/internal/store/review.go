package store

import (
	"context"

	"levee/server/internal/review"
)

// ReadReview implements review.Store.
func (d *Deployment) ReadReview(ctx context.Context, fn func(review.Reading) error) error {
	return d.Snapshot(ctx, func(tx *Tx) error { return fn(tx) })
}
