package demo

import (
	"context"

	"levee/server"
)

// Erase takes all personal data out of the closed deployment, and has every tablet sync.
func (d *Demo) Erase(ctx context.Context) error {
	if _, err := d.server.EraseDeployment(ctx, server.EraseOptions{Now: true, Name: setUp().Name}); err != nil {
		return err
	}
	return d.hearFromAll(ctx)
}
