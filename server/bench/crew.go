package bench

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// crew are devices that work with one server, and are measured together.
type crew struct {
	server   *process
	devices  []*device
	leave    []func()
	seed     uint64
	wall     func() time.Time
	progress io.Writer
}

// serve lets leveed serve a scene's database, and gives each device a connection.
func (c *crew) serve(ctx context.Context, s *scene, program string) (err error) {
	if c.server, err = s.serve(ctx, program); err != nil {
		return err
	}
	for _, d := range c.devices {
		c.leave = append(c.leave, d.connect(c.server.url))
	}
	return nil
}

func (c *crew) close() error {
	for _, leave := range c.leave {
		leave()
	}
	if c.server == nil {
		return nil
	}
	return c.server.stop()
}

// phase is what a part of a scene took: by the clock, of the server's processor time, and of the line. Of that time behind is
// what the server has used after its last answer.
type phase struct {
	time, cpu, behind time.Duration
	traffic           moved
}

func (p *phase) add(more phase) {
	p.time, p.cpu, p.behind = p.time+more.time, p.cpu+more.cpu, p.behind+more.behind
	t := &p.traffic
	t.up, t.down, t.bodyUp, t.bodyDown = t.up+more.traffic.up, t.down+more.traffic.down, t.bodyUp+more.traffic.bodyUp, t.bodyDown+more.traffic.bodyDown
}

// moved is how many bytes all devices have sent and got: over the connections, and in bodies.
type moved struct{ up, down, bodyUp, bodyDown float64 }

func (c *crew) moved() (m moved) {
	for _, d := range c.devices {
		m.up += float64(d.traffic.up.Load())
		m.down += float64(d.traffic.down.Load())
		m.bodyUp += float64(d.traffic.bodyUp.Load())
		m.bodyDown += float64(d.traffic.bodyDown.Load())
	}
	return m
}

// measure measures what something takes.
func (c *crew) measure(ctx context.Context, do func(context.Context) error) (p phase, err error) {
	before, used, began := c.moved(), c.server.usage().CPU, time.Now()
	if err := do(ctx); err != nil {
		return p, err
	}
	p.time = time.Since(began)
	answered := c.server.usage().CPU
	rested := c.server.atRest(ctx)
	p.cpu, p.behind = rested-used, rested-answered
	after := c.moved()
	p.traffic = moved{after.up - before.up, after.down - before.down, after.bodyUp - before.bodyUp, after.bodyDown - before.bodyDown}
	return p, nil
}

// all has all devices do something, so many at a time, and measures that.
func (c *crew) all(ctx context.Context, atOnce int, do func(ctx context.Context, n int, d *device) error) (phase, error) {
	return c.measure(ctx, func(ctx context.Context) error {
		return atATime(ctx, atOnce, len(c.devices), func(ctx context.Context, n int) error { return do(ctx, n, c.devices[n]) })
	})
}

// atATime does something from 0 to count, so many at a time, in this order; the first error ends it, and so does whoever ends
// the bench, whatever error that leads to.
func atATime(outer context.Context, atOnce, count int, do func(ctx context.Context, n int) error) error {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	next := make(chan int)
	var working sync.WaitGroup
	for range min(atOnce, count) {
		working.Go(func() {
			for n := range next {
				if ctx.Err() != nil {
					continue // somebody has failed
				}
				if err := do(ctx, n); err != nil {
					cancel(err)
				}
			}
		})
	}
	for n := range count {
		next <- n
	}
	close(next)
	working.Wait()
	if outer.Err() != nil {
		return outer.Err()
	}
	return context.Cause(ctx)
}

// closing joins an error with that of closing.
func closing(err *error, end func() error) { *err = errors.Join(*err, end()) }
