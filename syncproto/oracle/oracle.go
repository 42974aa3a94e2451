// Package oracle is for tests only. It makes up deployments whose replicas log, edit, delete, review and join records
// without knowing of each other, and it holds merge and tally written a second time, as plainly as can be, so that the
// real ones can be compared with them. It shares no code with package tally, and neither side's code may depend on it.
package oracle

import (
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Record is a record as merged. It converts to tally.Record.
type Record struct {
	ID        hlc.ID
	Kind      record.Kind
	Registers record.Registers
}
