package world

import (
	"context"
	"errors"
	"sync"
)

// errEnough ends Seeds.
var errEnough = errors.New("enough")

// Seeds plays worlds of consecutive seeds, several at the same time, from c.Seed on: so many, or without end when most is
// 0. Each result is handed to done, one at a time and in no order, until done says false or ctx ends.
func Seeds(ctx context.Context, c Config, most uint64, workers int, done func(*Result) bool) error {
	playing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	next := c.Seed
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for playing.Err() == nil {
				mu.Lock()
				of := c
				of.Seed = next
				next++
				mu.Unlock()
				if most > 0 && of.Seed >= c.Seed+most {
					return
				}
				r, err := runIn(playing, of)
				mu.Lock()
				switch {
				case playing.Err() != nil:
				case err != nil:
					stop(err)
				case !done(r):
					stop(errEnough)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if err := context.Cause(playing); err != nil && !errors.Is(err, errEnough) && ctx.Err() == nil {
		return err
	}
	return ctx.Err()
}
