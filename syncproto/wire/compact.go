package wire

import (
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

// CompactAnswer takes out of an answer what the tablet does without: see Compact, and of the chain that it compares more than
// is needed to find that they differ.
func CompactAnswer(answer *syncv1.SyncResponse) {
	if ack := answer.GetAcknowledgement(); ack != nil {
		ack.HaveChain = batch.Shorter(ack.GetHaveChain())
	}
	Compact(answer.GetPage())
}

// Compact takes out of a page's records what Expand puts back: most are as somebody made them, and follow each other in the
// log.
func Compact(page *syncv1.Page) {
	var kind uint32
	var position, replica uint64
	for _, r := range page.GetRecords() {
		if kind, r.Kind = r.Kind, unless(r.Kind, kind); r.Position != 0 {
			position, r.Position = r.Position, unless(r.Position, position+1)
		}
		fields, stamp, ok := record.Plain(r.GetState())
		if !ok || len(r.GetId()) != len(hlc.ID{}) || stamp.Replica == 0 {
			continue
		}
		r.State, r.Fields = nil, fields
		r.Time = int64(stamp.Time - hlc.IDTime(hlc.ID(r.GetId()))) //nolint:gosec // the difference wraps and comes back in Expand
		replica, r.Replica = uint64(stamp.Replica), unless(uint64(stamp.Replica), replica)
	}
}

// unless is 0 in place of a value that is expected.
func unless[T uint32 | uint64](value, expected T) T {
	if value == expected {
		return 0
	}
	return value
}

// Expand puts back into a page's records what Compact took out. A page that was not compacted stays as it is.
func Expand(page *syncv1.Page) {
	var kind uint32
	var position, replica uint64
	for _, r := range page.GetRecords() {
		if r.Kind == 0 {
			r.Kind = kind
		}
		if r.Position == 0 {
			r.Position = position + 1
		}
		kind, position = r.Kind, r.Position
		if len(r.GetFields()) == 0 || len(r.GetId()) != len(hlc.ID{}) {
			continue
		}
		if r.Replica == 0 {
			r.Replica = replica
		}
		replica = r.Replica
		stamp := hlc.Stamp{Time: hlc.IDTime(hlc.ID(r.GetId())) + hlc.Time(r.GetTime()), Replica: hlc.Replica(r.GetReplica())} //nolint:gosec // wraps as in Compact
		r.State = record.PlainState(r.GetFields(), stamp)
		r.Fields, r.Time, r.Replica = nil, 0, 0
	}
}
