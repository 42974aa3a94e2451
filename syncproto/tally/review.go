package tally

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// countedFields are, for each kind that gives figures, the fields that decide how much it gives and where. What only
// decides whether it counts at all (deleted, and required fields that are merely there or not) is left out: while it
// does not count, there is nothing to verify.
var countedFields = func() map[record.Kind][]protowire.Number {
	type names = []protoreflect.Name
	common := names{"site", "team", "place", "status", "service_area", "duplicate_of"}
	byName := map[record.Kind]names{
		recordv1.Kind_KIND_CASE:               append(names{"opened_on", "lead", "client_count", "client_tokens", "sex", "age_band"}, common...),
		recordv1.Kind_KIND_CASE_SESSION:       append(names{"occurred_on", "author", "case", "attendees"}, common...),
		recordv1.Kind_KIND_GROUP_SESSION:      append(names{"occurred_on", "author", "group"}, common...),
		recordv1.Kind_KIND_COMMUNITY_ACTIVITY: append(names{"occurred_on", "author"}, common...),
		recordv1.Kind_KIND_OUTREACH:           append(names{"occurred_on", "author"}, common...),
		recordv1.Kind_KIND_HEADCOUNT: {"status", "duplicate_of", "activity", "counter", "method", "cells",
			"first_time", "returning", "unsure", "disability_asked", "disability_yes"},
		recordv1.Kind_KIND_ATTENDANCE: {"author", "status", "duplicate_of", "activity", "token", "sex", "age_band", "disability"},
	}
	byNumber := make(map[record.Kind][]protowire.Number, len(byName))
	for kind, fields := range byName {
		d := record.New(kind).ProtoReflect().Descriptor().Fields()
		for _, name := range fields {
			byNumber[kind] = append(byNumber[kind], d.ByName(name).Number())
		}
		slices.Sort(byNumber[kind])
	}
	return byNumber
}()

const (
	duplicateOfField protowire.Number = 10 // of every kind
	outcomeField     protowire.Number = 18 // of Review
)

// CountedFields are the fields of a kind that decide how much it gives to the totals and where, ascending; none for
// kinds that give no figures. A review lapses when one of them changes.
func CountedFields(k record.Kind) []protowire.Number { return slices.Clone(countedFields[k]) }

// Reviewed is what a review of a record must list: the stamps of its counted fields, as its reviewer sees them.
func Reviewed(k record.Kind, rs record.Registers) []*recordv1.ReviewedField {
	var reviewed []*recordv1.ReviewedField
	for _, field := range countedFields[k] {
		if stamp := rs.Get(field).Stamp; !stamp.IsZero() {
			number, time, replica := uint32(field), uint64(stamp.Time), uint64(stamp.Replica) //nolint:gosec // field numbers are positive
			reviewed = append(reviewed, &recordv1.ReviewedField{Field: &number, Time: &time, Replica: &replica})
		}
	}
	return reviewed
}

// verified reports whether a record that counts is approved as it stands, and so is the activity where it counts.
func (v *view) verified(i int32) bool {
	if !v.approved(i) {
		return false
	}
	switch v.nodes[i].Kind {
	case recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_ATTENDANCE:
		return v.approved(v.activity(i))
	default:
		return true
	}
}

// approved reports whether the newest review of a record approves it, and every counted field is as reviewed.
func (v *view) approved(i int32) bool {
	n := &v.nodes[i]
	if n.approved == open {
		review := v.newestReview(i)
		n.approved = verdictOf(review != nil && review.GetOutcome() == recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED &&
			asReviewed(n.Record, review.GetReviewed()))
	}
	return n.approved == yes
}

// newestReview is the review of a record whose outcome was set last; of two with one stamp, which only copies of one
// tablet can make, that with the higher id. It is nil when there is none with an outcome.
func (v *view) newestReview(i int32) *recordv1.Review {
	newest, newestStamp := none, hlc.Stamp{}
	for r := v.nodes[i].belongings; r != none; r = v.nodes[r].nextOfOwner {
		if v.nodes[r].Kind != recordv1.Kind_KIND_REVIEW {
			continue
		}
		outcome := v.nodes[r].Registers.Get(outcomeField)
		if len(outcome.Value) == 0 || !v.complete(r) {
			continue
		}
		later := outcome.Stamp.Compare(newestStamp)
		if newest == none || later > 0 || (later == 0 && bytes.Compare(v.nodes[r].ID[:], v.nodes[newest].ID[:]) > 0) {
			newest, newestStamp = r, outcome.Stamp
		}
	}
	if newest == none {
		return nil
	}
	return v.nodes[newest].message.(*recordv1.Review)
}

func asReviewed(r *Record, reviewed []*recordv1.ReviewedField) bool {
	for _, field := range countedFields[r.Kind] {
		var seen hlc.Stamp
		for _, f := range reviewed {
			if f.GetField() == uint32(field) { //nolint:gosec // field numbers are positive
				seen = hlc.Stamp{Time: hlc.Time(f.GetTime()), Replica: hlc.Replica(f.GetReplica())}
			}
		}
		if r.Registers.Get(field).Stamp != seen {
			return false
		}
	}
	return true
}
