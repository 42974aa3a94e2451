package record

import (
	"slices"

	recordv1 "levee/syncproto/levee/record/v1"
)

// activities are what heads are counted at.
var activities = []Kind{recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_OUTREACH}

// MayOwn reports whether a record of kind owner can be what the owner field of one of kind k names.
func MayOwn(owner, k Kind) bool {
	switch k {
	case recordv1.Kind_KIND_CASE_IDENTITY, recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_REFERRAL, recordv1.Kind_KIND_RESOURCE_LINK:
		return owner == recordv1.Kind_KIND_CASE
	case recordv1.Kind_KIND_CONSENT, recordv1.Kind_KIND_RISK_ALERT:
		return owner == recordv1.Kind_KIND_CASE || owner == recordv1.Kind_KIND_PARTICIPANT
	case recordv1.Kind_KIND_CASE_NOTE:
		return owner == recordv1.Kind_KIND_CASE_SESSION
	case recordv1.Kind_KIND_REFERRAL_NOTE:
		return owner == recordv1.Kind_KIND_REFERRAL
	case recordv1.Kind_KIND_GROUP_SESSION:
		return owner == recordv1.Kind_KIND_GROUP
	case recordv1.Kind_KIND_GROUP_NOTE:
		return owner == recordv1.Kind_KIND_GROUP_SESSION
	case recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_ATTENDANCE:
		return slices.Contains(activities, owner)
	case recordv1.Kind_KIND_SUPERVISION_NOTE:
		return owner == recordv1.Kind_KIND_SUPERVISION
	case recordv1.Kind_KIND_REVIEW, recordv1.Kind_KIND_CONFLICT, recordv1.Kind_KIND_DISTINCTION:
		return !SetUp(owner) || k == recordv1.Kind_KIND_CONFLICT
	default:
		return false
	}
}
