// Package record holds the rules about records that both sides must follow: which kinds there are and what each must
// hold, how fields are encoded, what a change is, and how the registers of a record merge.
//
// It works on encoded fields: a replica keeps, merges and passes on what it does not know.
package record

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
)

// Kind is the type of a record.
type Kind = recordv1.Kind

// Common is what the messages of all kinds have in common.
type Common interface { //nolint:interfacebloat // one getter for each common field
	proto.Message
	GetSite() []byte
	GetTeam() []byte
	GetAuthor() []byte
	GetOccurredOn() int32
	GetPlace() *recordv1.Place
	GetStatus() recordv1.Status
	GetServiceArea() recordv1.ServiceArea
	GetCoWorkers() [][]byte
	GetEntry() recordv1.Entry
	GetDuplicateOf() []byte
	GetDeleted() bool
}

// nature is what a kind is about. It decides which days its records may lie on, and whether they need a service area.
type nature int

const (
	// about: a record about work or people, such as a note or a review. It may be written after the deployment's end.
	about nature = iota
	// work: done for people, from the deployment's start to its end, and counted by service area.
	work
	// plannedWork: work that may be entered before it is done.
	plannedWork
	// setUp: the deployment's own sites, teams and workers, and how it is closed.
	setUp
)

// kind is what the rules need to know of a Kind.
type kind struct {
	message Common
	nature  nature
	// owner is the field that names the record to which one of this kind belongs, if it belongs to one.
	owner protoreflect.Name
	// confidential records reach only who works on their root, its supervisors and the coordinators.
	confidential bool
	// required are the own fields without which a record is a draft.
	required []protoreflect.Name
}

type names = []protoreflect.Name

var kinds = [...]kind{
	recordv1.Kind_KIND_DEPLOYMENT: {message: (*recordv1.Deployment)(nil), nature: setUp, required: names{"name", "start_on", "time_zone"}},
	recordv1.Kind_KIND_SITE:       {message: (*recordv1.Site)(nil), nature: setUp, required: names{"name"}},
	recordv1.Kind_KIND_TEAM:       {message: (*recordv1.Team)(nil), nature: setUp, required: names{"name"}},
	recordv1.Kind_KIND_WORKER:     {message: (*recordv1.Worker)(nil), nature: setUp, required: names{"name"}},

	recordv1.Kind_KIND_CASE: {message: (*recordv1.Case)(nil), nature: work,
		required: names{"case_no", "client_count", "stage", "lead"}},
	recordv1.Kind_KIND_CASE_IDENTITY: {message: (*recordv1.CaseIdentity)(nil), owner: "case", confidential: true,
		required: names{"case", "name"}},
	recordv1.Kind_KIND_CONSENT: {message: (*recordv1.Consent)(nil), owner: "subject", confidential: true,
		required: names{"subject"}},
	recordv1.Kind_KIND_CASE_SESSION: {message: (*recordv1.CaseSession)(nil), nature: plannedWork, owner: "case",
		required: names{"case", "stage", "mode", "minutes", "attendees", "risk_seen"}},
	recordv1.Kind_KIND_CASE_NOTE: {message: (*recordv1.CaseNote)(nil), owner: "session", confidential: true,
		required: names{"session"}},
	recordv1.Kind_KIND_REFERRAL: {message: (*recordv1.Referral)(nil), owner: "case",
		required: names{"case", "to_organisation"}},
	recordv1.Kind_KIND_REFERRAL_NOTE: {message: (*recordv1.ReferralNote)(nil), owner: "referral", confidential: true,
		required: names{"referral"}},

	recordv1.Kind_KIND_GROUP: {message: (*recordv1.Group)(nil), nature: plannedWork,
		required: names{"name", "leader"}},
	recordv1.Kind_KIND_GROUP_SESSION: {message: (*recordv1.GroupSession)(nil), nature: plannedWork, owner: "group",
		required: names{"group", "number", "theme", "minutes"}},
	recordv1.Kind_KIND_GROUP_NOTE: {message: (*recordv1.GroupNote)(nil), owner: "session", confidential: true,
		required: names{"session"}},

	recordv1.Kind_KIND_OUTREACH: {message: (*recordv1.Outreach)(nil), nature: plannedWork,
		required: names{"households"}},
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: {message: (*recordv1.CommunityActivity)(nil), nature: plannedWork,
		required: names{"name", "minutes", "register_used"}},
	recordv1.Kind_KIND_HEADCOUNT: {message: (*recordv1.Headcount)(nil), nature: work, owner: "activity",
		required: names{"activity", "counter", "zone", "method"}},
	recordv1.Kind_KIND_PARTICIPANT: {message: (*recordv1.Participant)(nil), required: names{"token"}},
	recordv1.Kind_KIND_ATTENDANCE: {message: (*recordv1.Attendance)(nil), nature: work, owner: "activity",
		required: names{"activity", "participant", "token"}},

	recordv1.Kind_KIND_RESOURCE_LINK: {message: (*recordv1.ResourceLink)(nil), nature: work, owner: "recipient_case",
		required: names{"need"}},
	recordv1.Kind_KIND_RISK_ALERT: {message: (*recordv1.RiskAlert)(nil), owner: "subject", confidential: true,
		required: names{"type", "seen_at", "done"}},
	recordv1.Kind_KIND_SUPERVISION: {message: (*recordv1.Supervision)(nil), required: names{"supervisor", "minutes"}},
	recordv1.Kind_KIND_SUPERVISION_NOTE: {message: (*recordv1.SupervisionNote)(nil), owner: "supervision", confidential: true,
		required: names{"supervision"}},
	recordv1.Kind_KIND_REVIEW: {message: (*recordv1.Review)(nil), owner: "target", required: names{"target", "reviewed"}},
	recordv1.Kind_KIND_CONFLICT: {message: (*recordv1.Conflict)(nil), owner: "target",
		required: names{"target", "target_kind", "field", "sides"}},
	recordv1.Kind_KIND_HELD_DECISION: {message: (*recordv1.HeldDecision)(nil), required: names{"change", "decision"}},
	recordv1.Kind_KIND_DISTINCTION:   {message: (*recordv1.Distinction)(nil), owner: "record", required: names{"record", "other"}},

	recordv1.Kind_KIND_WAIVER:      {message: (*recordv1.Waiver)(nil), nature: setUp, required: names{"check", "reason"}},
	recordv1.Kind_KIND_CERTIFICATE: {message: (*recordv1.Certificate)(nil), nature: setUp, required: names{"edition", "document", "part", "parts"}},
}

// Kinds are all kinds that this version knows, ascending.
func Kinds() []Kind {
	known := make([]Kind, 0, len(kinds))
	for k := range kinds {
		if kinds[k].message != nil {
			known = append(known, Kind(k))
		}
	}
	return known
}

// Known reports whether this version knows k. Records of other kinds are kept, merged and passed on unread.
func Known(k Kind) bool { return k > 0 && int(k) < len(kinds) && kinds[k].message != nil }

// KindOf is the kind whose message m is; KIND_UNKNOWN when m is no record.
func KindOf(m proto.Message) Kind { return kindByMessage[m.ProtoReflect().Descriptor().FullName()] }

// New is an empty message of k; nil when k is not known.
func New(k Kind) Common {
	if !Known(k) {
		return nil
	}
	return kinds[k].message.ProtoReflect().New().Interface().(Common)
}

// OwnerField is the field of k that names the record to which one of kind k belongs; 0 when there is none. In
// ResourceLink and RiskAlert the field may be absent.
func OwnerField(k Kind) protowire.Number {
	if !Known(k) || kinds[k].owner == "" {
		return 0
	}
	return numberOf(k, kinds[k].owner)
}

// Confidential reports whether records of kind k reach only who works on their root, its supervisors and the
// coordinators. A Conflict is as confidential as the kind of its target.
func Confidential(k Kind) bool { return Known(k) && kinds[k].confidential }

// SetUp reports whether k describes the deployment itself. The server makes such records, and all tablets get them.
func SetUp(k Kind) bool { return Known(k) && kinds[k].nature == setUp }

// Secret reports whether a field is for programs alone: it is never shown to people, in whatever form, never exported, and
// set by nobody but the server.
func Secret(k Kind, field protowire.Number) bool {
	return k == recordv1.Kind_KIND_DEPLOYMENT && field == LinkageKeyField
}

// Conceal takes out of a message, of whatever kind, what is Secret.
func Conceal(m proto.Message) {
	switch m := m.(type) {
	case *recordv1.Deployment:
		m.LinkageKey = nil
	case *recordv1.Conflict:
		if Secret(m.GetTargetKind(), protowire.Number(m.GetField())) { //nolint:gosec // a number that is none is not secret
			for _, side := range m.GetSides() {
				side.Value = nil
			}
		}
	}
}

// Missing are the required fields that m, a merged record of kind k, lacks, ascending. With any, the record is a draft: it is kept
// and shown, and does not count. An empty text is lacking; the answer "unknown" is not.
func Missing(k Kind, m proto.Message) []protowire.Number {
	if !Known(k) {
		return nil
	}
	var missing []protowire.Number
	fields := m.ProtoReflect().Descriptor().Fields()
	for _, name := range required(k) {
		if field := fields.ByName(name); !answered(m.ProtoReflect(), field) {
			missing = append(missing, field.Number())
		}
	}
	slices.Sort(missing)
	return missing
}

// required are all fields without which a record of kind k is a draft.
func required(k Kind) names {
	switch kinds[k].nature {
	case setUp:
		return kinds[k].required
	case work, plannedWork:
		return append(names{"author", "occurred_on", "service_area"}, kinds[k].required...)
	default:
		return append(names{"author", "occurred_on"}, kinds[k].required...)
	}
}

func answered(m protoreflect.Message, field protoreflect.FieldDescriptor) bool {
	if !m.Has(field) {
		return false
	}
	switch field.Kind() {
	case protoreflect.StringKind:
		return m.Get(field).String() != ""
	case protoreflect.BytesKind:
		return field.IsList() || len(m.Get(field).Bytes()) > 0
	default:
		return true
	}
}

func numberOf(k Kind, field protoreflect.Name) protowire.Number {
	return kinds[k].message.ProtoReflect().Descriptor().Fields().ByName(field).Number()
}

var kindByMessage = func() map[protoreflect.FullName]Kind {
	byName := make(map[protoreflect.FullName]Kind, len(kinds))
	for _, k := range Kinds() {
		byName[kinds[k].message.ProtoReflect().Descriptor().FullName()] = k
	}
	return byName
}()
