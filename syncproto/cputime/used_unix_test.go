//go:build unix

package cputime

import (
	"crypto/sha256"
	"testing"
	"time"
)

// Work counts, and waiting does not.
func TestOf(t *testing.T) {
	sum := sha256.Sum256(nil)
	work := Of(func() {
		for range 200_000 {
			sum = sha256.Sum256(sum[:])
		}
	})
	if work < time.Millisecond {
		t.Errorf("200,000 hashes took %v", work)
	}
	woken := make(chan struct{})
	time.AfterFunc(100*time.Millisecond, func() { close(woken) })
	if wait := Of(func() { <-woken }); wait > 90*time.Millisecond {
		t.Errorf("waiting took %v", wait)
	}
}
