package tabletui

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// sheet is the form of one kind: what is asked first, and what only who looks for it sees.
type sheet struct {
	first, more []protoreflect.Name
	// with are what is asked in the same form and logged with it, such as the note of a session. Each is logged only when
	// something was written for it.
	with []record.Kind
}

// sheets are the forms, in the order in which work is done. A field that a kind has and its sheet does not is filled in by
// the library, or set by other pages; a test knows which.
var sheets = map[record.Kind]sheet{
	recordv1.Kind_KIND_OUTREACH: {
		first: names{"mode", "households", "service_area", "needs", "follow"},
		more:  names{"occurred_on", "village", "site", "co_workers", "status"},
	},
	recordv1.Kind_KIND_CASE: {
		first: names{"case_no", "client_type", "client_count", "service_area", "source", "stage", "risk", "opened_on", "next_due_on"},
		more:  names{"sex", "age", "categories", "problems", "lead", "workers", "closed_on", "closure", "followup_due_on", "occurred_on", "village", "site", "status"},
		with:  []record.Kind{recordv1.Kind_KIND_CASE_IDENTITY},
	},
	recordv1.Kind_KIND_CASE_IDENTITY: {
		first: names{"name", "phone", "address", "birth_date"},
		more:  names{"id_number", "guardian", "emergency_contact", "dialect"},
	},
	recordv1.Kind_KIND_CONSENT: {
		first: names{"basis", "scopes", "giver", "child_assent", "form", "given_on"},
		more:  names{"withdrawn_on", "occurred_on"},
	},
	recordv1.Kind_KIND_CASE_SESSION: {
		first: names{"stage", "mode", "minutes", "attendees", "risk_seen", "next_on"},
		more:  names{"occurred_on", "number", "service_area", "village", "site", "co_workers", "status"},
		with:  []record.Kind{recordv1.Kind_KIND_CASE_NOTE},
	},
	recordv1.Kind_KIND_CASE_NOTE: {
		first: names{"process", "assessment", "response", "plan", "reflection"},
	},
	recordv1.Kind_KIND_REFERRAL: {
		first: names{"to_organisation", "reason", "urgency", "progress"},
		more:  names{"consent", "occurred_on"},
		with:  []record.Kind{recordv1.Kind_KIND_REFERRAL_NOTE},
	},
	recordv1.Kind_KIND_REFERRAL_NOTE: {first: names{"handover"}},
	recordv1.Kind_KIND_GROUP: {
		first: names{"name", "type", "service_area", "target", "sessions_planned", "stage"},
		more:  names{"boundary", "goals", "leader", "evaluation", "occurred_on", "village", "site", "co_workers", "status"},
	},
	recordv1.Kind_KIND_GROUP_SESSION: {
		first: names{"number", "theme", "minutes"},
		more:  names{"occurred_on", "present", "absent", "evaluation", "service_area", "village", "site", "co_workers", "status"},
		with:  []record.Kind{recordv1.Kind_KIND_GROUP_NOTE},
	},
	recordv1.Kind_KIND_GROUP_NOTE: {first: names{"process"}},
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: {
		first: names{"name", "form", "service_area", "minutes", "register_used", "audience"},
		more:  names{"occurred_on", "partners", "feedback_asked", "feedback_satisfied", "summary", "village", "site", "co_workers", "status"},
	},
	recordv1.Kind_KIND_HEADCOUNT: {
		first: names{"zone", "method", "cells", "first_time", "returning", "unsure"},
		more:  names{"disability_asked", "disability_yes", "counter"},
	},
	recordv1.Kind_KIND_RESOURCE_LINK: {
		first: names{"need", "type", "progress", "recipient", "households", "persons", "quantity", "unit"},
		more:  names{"source", "value_yuan", "delivered_on", "service_area", "occurred_on", "village", "site", "co_workers"},
	},
	recordv1.Kind_KIND_RISK_ALERT: {
		first: names{"type", "level", "done", "reported_to", "supervisor_told", "seen_at"},
		more:  names{"closed_on", "acknowledged_by", "acknowledged_at"},
	},
	recordv1.Kind_KIND_SUPERVISION: {
		first: names{"form", "mode", "functions", "supervisor", "supervisees", "minutes", "tasks"},
		more:  names{"occurred_on"},
		with:  []record.Kind{recordv1.Kind_KIND_SUPERVISION_NOTE},
	},
	recordv1.Kind_KIND_SUPERVISION_NOTE: {first: names{"advice"}},
	recordv1.Kind_KIND_REVIEW:           {first: names{"outcome", "reasons", "comment"}},
}

type names = []protoreflect.Name

// choosable are the kinds that a worker logs by themselves, in the order in which they are offered.
var choosable = []record.Kind{
	recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY,
	recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_GROUP, recordv1.Kind_KIND_RESOURCE_LINK, recordv1.Kind_KIND_SUPERVISION,
}

// fieldsOf are all fields of a sheet, as the kind has them. A village is a part of the place.
func (s sheet) fieldsOf(k record.Kind) []protoreflect.FieldDescriptor {
	var fields []protoreflect.FieldDescriptor
	for _, name := range slices.Concat(s.first, s.more) {
		if f := fieldOf(k, name); f != nil {
			fields = append(fields, f)
		}
	}
	return fields
}

// villageName is what stands in a sheet for the village within the place.
const villageName protoreflect.Name = "village"

// fieldOf is a field of a kind.
func fieldOf(k record.Kind, name protoreflect.Name) protoreflect.FieldDescriptor {
	fields := record.New(k).ProtoReflect().Descriptor().Fields()
	if f := fields.ByName(name); f != nil {
		return f
	}
	if name == villageName {
		return fields.ByName("place")
	}
	return nil
}

// kindNamed is the kind of a stable name, such as "case_session".
func kindNamed(name string) (record.Kind, bool) {
	for k := range sheets {
		if words.KindName(k) == name {
			return k, true
		}
	}
	return 0, false
}
