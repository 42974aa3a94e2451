package syncing

import (
	"sync"

	"levee/syncproto/hlc"
)

// deviceCache keeps the devices that have asked, so that a request costs no look-up to know its key.
type deviceCache struct {
	mu      sync.RWMutex
	devices map[hlc.ID]Device
}

func (c *deviceCache) get(id hlc.ID) (Device, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, ok := c.devices[id]
	return d, ok
}

// drop forgets a device that is not there any more.
func (c *deviceCache) drop(id hlc.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.devices, id)
}

func (c *deviceCache) put(d Device) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.devices == nil {
		c.devices = map[hlc.ID]Device{}
	}
	c.devices[d.ID] = d
}
