package servertest

import (
	"sync"
	"time"
)

// WallClock stands still until a test moves it; what runs beside the test may read it meanwhile.
type WallClock struct {
	mu  sync.Mutex
	now time.Time
}

// Wall is what it shows.
func (c *WallClock) Wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// SetWall sets it, to any time.
func (c *WallClock) SetWall(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// Pass has time go by.
func (c *WallClock) Pass(d time.Duration) { c.SetWall(c.Wall().Add(d)) }
