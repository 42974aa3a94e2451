package tally

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// countedFields are, for each kind that gives figures, the fields that decide how much it gives and where, ascending.
// What only decides whether it counts at all (deleted, and required fields that are merely there or not) is left out:
// while it does not count, there is nothing to verify.
var countedFields = map[record.Kind][]protowire.Number{
	recordv1.Kind_KIND_CASE: {record.SiteField, record.TeamField, record.PlaceField, record.StatusField, record.ServiceAreaField, record.DuplicateOfField,
		caseOpenedOn, caseClientCount, caseClientTokens, caseSex, caseAgeBand, caseLead},
	recordv1.Kind_KIND_CASE_SESSION: {record.SiteField, record.TeamField, record.AuthorField, record.OccurredOnField, record.PlaceField, record.StatusField,
		record.ServiceAreaField, record.DuplicateOfField, caseSessionCase, caseSessionAttendees},
	recordv1.Kind_KIND_GROUP_SESSION: {record.SiteField, record.TeamField, record.AuthorField, record.OccurredOnField, record.PlaceField, record.StatusField,
		record.ServiceAreaField, record.DuplicateOfField, groupSessionGroup},
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: {record.SiteField, record.TeamField, record.AuthorField, record.OccurredOnField, record.PlaceField, record.StatusField,
		record.ServiceAreaField, record.DuplicateOfField},
	recordv1.Kind_KIND_OUTREACH: {record.SiteField, record.TeamField, record.AuthorField, record.OccurredOnField, record.PlaceField, record.StatusField,
		record.ServiceAreaField, record.DuplicateOfField},
	recordv1.Kind_KIND_HEADCOUNT: {record.StatusField, record.DuplicateOfField, headcountActivity, headcountCounter, headcountMethod,
		headcountCells, headcountFirstTime, headcountReturning, headcountUnsure, headcountDisabilityAsked, headcountDisabilityYes},
	recordv1.Kind_KIND_ATTENDANCE: {record.AuthorField, record.StatusField, record.DuplicateOfField, attendanceActivity, attendanceToken,
		attendanceSex, attendanceAgeBand, attendanceDisability},
}

// CountedFields are the fields of a kind that decide how much it gives to the totals and where, ascending; none for
// kinds that give no figures. A review lapses when one of them changes.
func CountedFields(k record.Kind) []protowire.Number { return slices.Clone(countedFields[k]) }

// Decides reports whether records of a kind give figures, or decide what others give.
func Decides(k record.Kind) bool {
	return len(countedFields[k]) > 0 || k == recordv1.Kind_KIND_GROUP || k == recordv1.Kind_KIND_REVIEW
}

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

// Standing is where a record stands with its own newest review. Stores keep the numbers: they never change.
type Standing uint8

// The standings.
const (
	// Waiting for a review: nobody reviewed it, or it is not any more what was reviewed.
	Waiting Standing = 1
	// Returned by its newest review, and nothing in it was set since.
	Returned Standing = 2
	// Approved by its newest review, and every counted field is as reviewed.
	Approved Standing = 3
)

// approved reports whether a record is approved as it stands.
func (v *view) approved(i int32) bool { return v.standing(i) == Approved }

func (v *view) standing(i int32) Standing {
	n := &v.nodes[i]
	if n.standing == 0 {
		n.standing = standing(n.Record, v.newestReview(i))
	}
	return n.standing
}

// standing is where r stands with a review, which may be nil.
func standing(r, review *Record) Standing {
	if review == nil {
		return Waiting
	}
	judged := review.Registers.Get(record.ReviewOutcomeField)
	switch recordv1.ReviewOutcome(judged.Number()) { //nolint:gosec // choices have 32 bits
	case recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED:
		if asReviewed(r, review) {
			return Approved
		}
	case recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED:
		if !Answered(r.Registers, judged.Stamp) {
			return Returned
		}
	}
	return Waiting
}

// Answered reports whether anything in a record was set after it was judged.
func Answered(rs record.Registers, judged hlc.Stamp) bool {
	return slices.ContainsFunc(rs, func(r record.Register) bool { return r.Stamp.Compare(judged) > 0 })
}

// NewestReview is that of some records which is the review of a target whose outcome was set last; nil when there is none. Those
// that are deleted, or lack what a review must have, are none: where the target's kind gives no figures, there are no stamps to list.
func NewestReview(target record.Kind, of []Record) *Record {
	var newest *Record
	for i := range of {
		r := &of[i]
		if r.Kind == recordv1.Kind_KIND_REVIEW && !r.Registers.Deleted() && (r.complete() || len(countedFields[target]) == 0) && later(r, newest) {
			newest = r
		}
	}
	return newest
}

// later reports whether the outcome of a review was set later than that of another, or there is no other; of two with one
// stamp, which only copies of one tablet can make, that with the higher id is the later one.
func later(r, than *Record) bool {
	if than == nil {
		return true
	}
	order := r.Registers.Get(record.ReviewOutcomeField).Stamp.Compare(than.Registers.Get(record.ReviewOutcomeField).Stamp)
	return order > 0 || (order == 0 && hlc.CompareIDs(r.ID, than.ID) > 0)
}

// newestReview is the review of a record whose outcome was set last; nil when there is none.
func (v *view) newestReview(i int32) *Record {
	var newest *Record
	for r := v.nodes[i].belongings; r != none; r = v.nodes[r].nextOfOwner {
		if v.nodes[r].Kind == recordv1.Kind_KIND_REVIEW && v.complete(r) && later(v.nodes[r].Record, newest) {
			newest = v.nodes[r].Record
		}
	}
	return newest
}

// asReviewed reports whether every counted field of r still has the stamp that the review lists, or none if it lists
// none.
func asReviewed(r, review *Record) bool {
	return !slices.ContainsFunc(countedFields[r.Kind], func(field protowire.Number) bool { return changed(r, review, field) })
}

// ChangedSince are the counted fields of a record that a review of it does not list as they are now, ascending.
func ChangedSince(r, review *Record) []protowire.Number {
	return slices.DeleteFunc(CountedFields(r.Kind), func(field protowire.Number) bool { return !changed(r, review, field) })
}

// changed reports whether a counted field of r has another stamp than the review lists, or one where it lists none.
func changed(r, review *Record, counted protowire.Number) bool {
	var seen hlc.Stamp
	for f, rest := record.CutBytes(review.Registers.Get(reviewReviewed).Value); f != nil; f, rest = record.CutBytes(rest) {
		if number(find(f, reviewedField)) == int64(counted) {
			//nolint:gosec // both have 63 bits
			seen = hlc.Stamp{Time: hlc.Time(number(find(f, reviewedTime))), Replica: hlc.Replica(number(find(f, reviewedReplica)))}
		}
	}
	return r.Registers.Get(counted).Stamp != seen
}
