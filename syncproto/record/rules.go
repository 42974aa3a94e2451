package record

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// What fields may hold at most. Texts are measured in bytes of UTF-8; a hanzi takes three.
const (
	MaxNameBytes  = 200      // names, numbers, places: what fits a line
	MaxTextBytes  = 2_000    // free text
	MaxNoteBytes  = 20_000   // narratives in the confidential notes
	MaxItems      = 500      // in any list
	MaxHeads      = 100_000  // in one number of a headcount
	maxSideBytes  = 64 << 10 // one side of a conflict: any field of any kind
	maxHouseholds = 100_000  // households of one outreach or resource link
	maxYuan       = 1_000_000_000
	// MaxDocumentBytes bounds a part of a certificate, so that it fits into a change.
	MaxDocumentBytes = 48 << 10
	minutesOfDay     = 24 * 60
)

// rules say what the value of a field must be, by the field's name; "Message.field" comes before "field". One word
// means one thing in all kinds, so most names need only one rule. Names whose rule follows from their type alone are
// left out: enumerations and yes-or-no.
var rules = map[protoreflect.Name]rule{
	// common
	"site":          id,
	"team":          id,
	"author":        id,
	"co_workers":    id,
	"duplicate_of":  id,
	"occurred_on":   occurredOn,
	"service_area":  serviceArea,
	"Place.code":    placeCode,
	"Place.edition": number(2000, 2100),
	"village":       fits(MaxNameBytes),

	// words that several kinds use
	"name":       fits(MaxNameBytes),
	"phone":      fits(MaxNameBytes),
	"email":      fits(MaxNameBytes),
	"minutes":    number(1, minutesOfDay),
	"age_band":   ageBand,
	"session":    id,
	"case":       id,
	"subject":    id,
	"target":     id,
	"record":     id,
	"other":      id,
	"reason":     fits(MaxTextBytes),
	"households": number(0, maxHouseholds),
	"evaluation": fits(MaxTextBytes),
	"process":    fits(MaxNoteBytes),
	"label_zh":   fits(MaxNameBytes),
	"label_en":   fits(MaxNameBytes),
	"token":      token,
	"time":       number(1, 1<<63-1),
	"replica":    number(1, 1<<63-1),
	"field":      number(1, int64(protowire.MaxValidNumber)),
	"closed_on":  sinceStart,

	// deployment, site, worker
	"start_on":               setUpDay,
	"end_on":                 setUpDay,
	"from_on":                setUpDay,
	"to_on":                  setUpDay,
	"time_zone":              timeZone,
	"linkage_key":            linkageKey,
	"age_bands":              number(0, 130),
	"duty_list":              id,
	"supervises":             id,
	"escalation_minutes":     number(1, minutesOfDay),
	"ServiceAreaName.number": areaNumber,
	"EmergencyNumber.number": fits(MaxNameBytes),
	"key":                    fits(MaxNameBytes),
	"figure":                 fits(MaxNameBytes),
	"Target.value":           number(1, 1_000_000),
	"place_code":             placeCode,
	"due_on":                 setUpDay,
	"latitude_e6":            number(-90_000_000, 90_000_000),
	"longitude_e6":           number(-180_000_000, 180_000_000),
	"erase_on":               setUpDay,
	"foreword":               fits(MaxNoteBytes),
	"left_out":               fits(MaxNameBytes),

	// closing
	"Waiver.count":        number(1, 1_000_000),
	"Certificate.edition": number(1, 1_000),
	"document":            document,
	"part":                number(1, 1_000),
	"parts":               number(1, 1_000),

	// case
	"case_no":            fits(MaxNameBytes),
	"opened_on":          duringDeployment,
	"client_count":       number(1, 50),
	"client_tokens":      token,
	"age":                number(0, 130),
	"lead":               id,
	"workers":            id,
	"next_due_on":        dueDay,
	"followup_due_on":    dueDay,
	"birth_date":         birthDay,
	"address":            fits(MaxTextBytes),
	"id_number":          fits(MaxNameBytes),
	"dialect":            fits(MaxNameBytes),
	"relation":           fits(MaxNameBytes),
	"given_on":           sinceStart,
	"withdrawn_on":       sinceStart,
	"CaseSession.number": number(1, 1_000),
	"attendees":          number(0, 50),
	"next_on":            dueDay,
	"assessment":         fits(MaxNoteBytes),
	"response":           fits(MaxNoteBytes),
	"plan":               fits(MaxNoteBytes),
	"reflection":         fits(MaxNoteBytes),
	"to_organisation":    fits(MaxNameBytes),
	"consent":            id,
	"referral":           id,
	"handover":           fits(MaxNoteBytes),

	// group
	"Group.target":        fits(MaxTextBytes),
	"sessions_planned":    number(0, 500),
	"leader":              id,
	"goals":               fits(MaxTextBytes),
	"group":               id,
	"GroupSession.number": number(1, 500),
	"theme":               fits(MaxNameBytes),
	"present":             id,
	"absent":              id,

	// activity
	"audience":           fits(MaxTextBytes),
	"partners":           fits(MaxNameBytes),
	"feedback_asked":     number(0, MaxHeads),
	"feedback_satisfied": number(0, MaxHeads),
	"summary":            fits(MaxTextBytes),
	"needs":              fits(MaxTextBytes),
	"activity":           id,
	"participant":        id,
	"counter":            id,
	"zone":               fits(MaxNameBytes),
	"first_time":         number(0, MaxHeads),
	"returning":          number(0, MaxHeads),
	"unsure":             number(0, MaxHeads),
	"disability_asked":   number(0, MaxHeads),
	"disability_yes":     number(0, MaxHeads),

	// resource
	"need":                fits(MaxTextBytes),
	"organisation":        fits(MaxNameBytes),
	"ResourceSource.kind": fits(MaxNameBytes),
	"recipient_case":      id,
	"persons":             number(0, MaxHeads),
	"quantity":            number(0, maxYuan),
	"unit":                fits(MaxNameBytes),
	"value_yuan":          number(0, maxYuan),
	"delivered_on":        sinceStart,

	// risk
	"seen_at":         instant,
	"done":            fits(MaxTextBytes),
	"reported_to":     fits(MaxTextBytes),
	"acknowledged_by": id,
	"acknowledged_at": instant,

	// supervision
	"supervisor":  id,
	"supervisees": id,
	"tasks":       fits(MaxTextBytes),
	"supervision": id,
	"advice":      fits(MaxNoteBytes),
	"comment":     fits(MaxTextBytes),

	// conflict
	"value":  side,
	"change": id,
}

// listRules say what a list must be as a whole, by the field's name. Copies of one tablet can give both sides of a
// conflict the same stamp.
var listRules = map[protoreflect.Name]listRule{
	"client_tokens": distinct,
	"age_bands":     ascending(itself, CodeDuplicateItem),
	"service_areas": ascending(by(1), CodeDuplicateItem),
	"reviewed":      ascending(by(1), CodeDuplicateItem),
	"cells":         ascending(by(1, 2), CodeDuplicateItem), // sex, age band
	"sides":         ascending(by(2, 3), ""),                // time, replica
}

// pairsInOrder are numbers and dates of one message of which the first must not be greater than the second.
var pairsInOrder = []struct {
	low, high protoreflect.Name
	code      Code
}{
	{"disability_yes", "disability_asked", CodeNumbersDisagree},
	{"feedback_satisfied", "feedback_asked", CodeNumbersDisagree},
	{"start_on", "end_on", CodeDatesDisagree},
	{"from_on", "to_on", CodeDatesDisagree},
	{"opened_on", "closed_on", CodeDatesDisagree},
	{"given_on", "withdrawn_on", CodeDatesDisagree},
}

// ruleOf is the rule of a field. Where no name is found, the type must say it all.
func ruleOf(f protoreflect.FieldDescriptor) rule {
	if r, ok := rules[f.Parent().Name()+"."+f.Name()]; ok {
		return r
	}
	if r, ok := rules[f.Name()]; ok {
		return r
	}
	switch f.Kind() {
	case protoreflect.EnumKind:
		return choice
	case protoreflect.MessageKind, protoreflect.BoolKind:
		return anything
	default:
		panic("record: no rule for " + string(f.FullName()))
	}
}
