// Package cputime measures what a test takes by the processor's time. Tests that bound the work that hostile input makes must
// not fail because the machine is busy with something else.
package cputime

import "time"

// Of is how much processor time this process took while do ran, other goroutines of it included.
func Of(do func()) time.Duration {
	before := used()
	do()
	return used() - before
}
