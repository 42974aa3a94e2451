//go:build !linux

package postgres

import "time"

// giveUpAfter leaves it to the system.
func giveUpAfter(uintptr, time.Duration) error { return nil }
