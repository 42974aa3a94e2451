package store

import (
	"context"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// turn lets one transaction after the other write to a deployment. Those of this process wait for it here, where they hold no
// connection; those of others wait for the deployment's row.
type turn struct {
	token chan struct{}
	// users are those who have it or wait for it.
	users int
}

func (d *DB) takeTurn(ctx context.Context, deployment hlc.ID) (done func(), err error) {
	d.mu.Lock()
	t, ok := d.turns[deployment]
	if !ok {
		t = &turn{token: make(chan struct{}, 1)}
		d.turns[deployment] = t
	}
	t.users++
	d.mu.Unlock()
	leave := func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(d.turns, deployment)
		}
	}
	select {
	case t.token <- struct{}{}:
		return func() { <-t.token; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, problem.New(problem.Busy)
	}
}

// lock holds a deployment's row until the transaction ends. Whoever has it sees all that was committed under it before, and positions
// are committed in their order: no cursor passes one that is still to come.
func (t *Tx) lock(deployment hlc.ID) error {
	if !t.db.engine.Locks || t.locked[deployment] {
		return nil
	}
	for {
		var one int
		held, err := t.one(`SELECT 1 FROM deployments WHERE deployment = $1 FOR UPDATE`, []any{deployment[:]}, &one)
		if err != nil {
			return err
		}
		if held {
			t.locked[deployment] = true
			return nil
		}
		start := batch.LogStart(deployment)
		if err := t.run(`INSERT INTO deployments (deployment, position, chain, time, days) VALUES ($1, 0, $2, 0, 1) ON CONFLICT (deployment) DO NOTHING`,
			deployment[:], start[:]); err != nil {
			return err
		}
	}
}

// First runs fn while no other server does so: of several that start on an empty database, one makes what there is to be made. What fn
// writes it writes in transactions of its own, and not to the accounts.
func (d *DB) First(ctx context.Context, fn func() error) error {
	if !d.engine.Locks {
		return fn()
	}
	return d.change(ctx, hlc.ID{}, func(*Tx) error { return fn() })
}
