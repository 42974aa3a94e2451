package access

import (
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Seeing is the action of looking at a record of a kind, or at the conflict about one.
func Seeing(kind recordv1.Kind) Action {
	switch {
	case identifies(kind):
		return SeeIdentity
	case record.Confidential(kind):
		return SeeConfidential
	case record.SetUp(kind):
		return SeeSetUp
	default:
		return SeeRecords
	}
}
