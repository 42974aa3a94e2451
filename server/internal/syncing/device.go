package syncing

import (
	"crypto/rand"
	"fmt"
	"io"
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

func (c *deviceCache) put(d Device) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.devices == nil {
		c.devices = map[hlc.ID]Device{}
	}
	c.devices[d.ID] = d
}

// secretLetters are those of an enrolment code: nothing that is read or heard for another (no I, L, O, U, 0, 1).
const secretLetters = "ABCDEFGHJKMNPQRSTVWXYZ23456789"

// secretLength gives more than 98 bits.
const secretLength = 20

// newSecret makes the secret of an enrolment code.
func newSecret(entropy io.Reader) (string, error) {
	if entropy == nil {
		entropy = rand.Reader
	}
	secret := make([]byte, 0, secretLength)
	b := make([]byte, 1)
	for len(secret) < secretLength {
		if _, err := io.ReadFull(entropy, b); err != nil {
			return "", fmt.Errorf("making a secret: %w", err)
		}
		// What does not fall evenly on the letters is drawn again.
		if limit := 256 - 256%len(secretLetters); int(b[0]) < limit {
			secret = append(secret, secretLetters[int(b[0])%len(secretLetters)])
		}
	}
	return string(secret), nil
}
