package record

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	recordv1 "levee/syncproto/levee/record/v1"
)

// encode is the canonical encoding of a message.
func encode(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// found is what Validate finds in a message, as "code in field".
func found(t testing.TB, m proto.Message, d Deployment) []string {
	t.Helper()
	var all []string
	for _, p := range Validate(KindOf(m), encode(t, m), d) {
		all = append(all, fmt.Sprintf("%s in %d", p.Code, p.Field))
	}
	return all
}

func TestCompleteRecordsAreValid(t *testing.T) {
	for _, m := range completeRecords() {
		if got := found(t, m, henan()); len(got) > 0 {
			t.Errorf("%v: %v", KindOf(m), got)
		}
	}
}

// What a change leaves out is never judged: each field of a complete record is valid alone.
func TestEachFieldIsValidAlone(t *testing.T) {
	for _, m := range completeRecords() {
		rs, err := split(encode(t, m))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			if got := Validate(KindOf(m), r.Value, henan()); len(got) > 0 {
				t.Errorf("field %d of %v alone: %v", r.Field, KindOf(m), got)
			}
		}
	}
}

func TestBadFields(t *testing.T) {
	day := func(d int32) *recordv1.CaseSession { return &recordv1.CaseSession{OccurredOn: proto.Int32(d)} }
	place := func(code string) *recordv1.CaseSession {
		return &recordv1.CaseSession{Place: &recordv1.Place{Code: proto.String(code)}}
	}
	area := func(a int32) *recordv1.Outreach {
		return &recordv1.Outreach{ServiceArea: recordv1.ServiceArea(a).Enum()}
	}
	cells := func(cells ...*recordv1.HeadcountCell) *recordv1.Headcount { return &recordv1.Headcount{Cells: cells} }
	cell := func(sex recordv1.Sex, band, heads uint32) *recordv1.HeadcountCell {
		return &recordv1.HeadcountCell{Sex: sex.Enum(), AgeBand: &band, FirstTime: &heads}
	}
	const male, female = recordv1.Sex_SEX_MALE, recordv1.Sex_SEX_FEMALE
	noon := henan().Now.UnixMilli()
	const aDay = int64(24 * time.Hour / time.Millisecond)

	for _, tt := range []struct {
		name string
		m    proto.Message
		want string // what is found; nothing when empty
	}{
		// texts
		{"name of 200 bytes", &recordv1.Team{Name: proto.String(strings.Repeat("x", 200))}, ""},
		{"name too long", &recordv1.Team{Name: proto.String(strings.Repeat("x", 201))}, "text_too_long in 16"},
		{"name of 67 hanzi too long", &recordv1.Team{Name: proto.String(strings.Repeat("堤", 67))}, "text_too_long in 16"},
		{"free text of 2,000 bytes", &recordv1.Outreach{Needs: proto.String(strings.Repeat("x", 2_000))}, ""},
		{"free text too long", &recordv1.Outreach{Needs: proto.String(strings.Repeat("x", 2_001))}, "text_too_long in 18"},
		{"note of 20,000 bytes", &recordv1.CaseNote{Process: proto.String(strings.Repeat("x", 20_000))}, ""},
		{"note too long", &recordv1.CaseNote{Process: proto.String(strings.Repeat("x", 20_001))}, "text_too_long in 17"},
		{"village of a place too long", &recordv1.Case{Place: &recordv1.Place{Village: proto.String(strings.Repeat("x", 201))}}, "text_too_long in 5"},
		{"line breaks", &recordv1.CaseNote{Process: proto.String("一\n二\r\n\t三")}, ""},
		{"escape character", &recordv1.Team{Name: proto.String("\x1b[2J")}, "control_character in 16"},
		{"zero character", &recordv1.Team{Name: proto.String("a\x00b")}, "control_character in 16"},
		{"delete character", &recordv1.Team{Name: proto.String("a\x7f")}, "control_character in 16"},

		// numbers
		{"negative heads", cells(cell(male, 1, math.MaxUint32)), "number_out_of_range in 20"},
		{"absurd heads", cells(cell(male, 1, 100_001)), "number_out_of_range in 20"},
		{"100,000 heads", cells(cell(male, 1, 100_000)), ""},
		{"absurd total", &recordv1.Headcount{Returning: proto.Uint32(100_001)}, "number_out_of_range in 22"},
		{"no minutes", &recordv1.CaseSession{Minutes: proto.Uint32(0)}, "number_out_of_range in 20"},
		{"a whole day of minutes", &recordv1.CaseSession{Minutes: proto.Uint32(1_440)}, ""},
		{"more minutes than a day has", &recordv1.CaseSession{Minutes: proto.Uint32(1_441)}, "number_out_of_range in 20"},
		{"no client", &recordv1.Case{ClientCount: proto.Uint32(0)}, "number_out_of_range in 20"},
		{"fifty clients", &recordv1.Case{ClientCount: proto.Uint32(50)}, ""},
		{"absurd number of clients", &recordv1.Case{ClientCount: proto.Uint32(51)}, "number_out_of_range in 20"},
		{"absurd age", &recordv1.Case{Age: proto.Uint32(131)}, "number_out_of_range in 23"},
		{"nobody came", &recordv1.CaseSession{Attendees: proto.Uint32(0)}, ""},
		{"south of the pole", &recordv1.Site{LatitudeE6: proto.Int32(-90_000_001)}, "number_out_of_range in 18"},
		{"western longitude", &recordv1.Site{LongitudeE6: proto.Int32(-114_500_000)}, ""},
		{"edition of another century", &recordv1.Case{Place: &recordv1.Place{Edition: proto.Int32(1923)}}, "number_out_of_range in 5"},
		{"more with a disability than asked", &recordv1.Headcount{DisabilityAsked: proto.Uint32(4), DisabilityYes: proto.Uint32(5)}, "numbers_disagree in 25"},
		{"all asked have a disability", &recordv1.Headcount{DisabilityAsked: proto.Uint32(5), DisabilityYes: proto.Uint32(5)}, ""},
		{"more satisfied than asked", &recordv1.CommunityActivity{FeedbackAsked: proto.Uint32(4), FeedbackSatisfied: proto.Uint32(5)}, "numbers_disagree in 23"},
		{"unknown choice of a newer tablet", &recordv1.CaseSession{Stage: recordv1.CaseStage(77).Enum()}, ""},
		{"unknown choice in a list", &recordv1.Case{Categories: []recordv1.CaseCategory{77}}, ""},
		{"negative choice", &recordv1.CaseSession{Stage: recordv1.CaseStage(-1).Enum()}, "number_out_of_range in 18"},

		// ids and tokens
		{"short id", &recordv1.Case{Lead: bytes.Repeat([]byte{7}, 15)}, "invalid_id in 29"},
		{"long id", &recordv1.Case{Lead: bytes.Repeat([]byte{7}, 17)}, "invalid_id in 29"},
		{"empty id", &recordv1.Case{Team: []byte{}}, "invalid_id in 2"},
		{"zero id", &recordv1.Case{Team: make([]byte, 16)}, "invalid_id in 2"},
		{"a bad id among good ones", &recordv1.Case{CoWorkers: [][]byte{testID(1), {1}, testID(2), {2}}}, "invalid_id in 8"},
		{"short token", &recordv1.Participant{Token: []byte{1}}, "invalid_token in 16"},
		{"short linkage key", &recordv1.Deployment{LinkageKey: testID(1)}, "invalid_key in 27"},
		{"target of no place", &recordv1.Deployment{Targets: []*recordv1.Target{{PlaceCode: proto.String("41062")}}}, "invalid_place in 28"},
		{"target by no day", &recordv1.Deployment{Targets: []*recordv1.Target{{DueOn: proto.Int32(20210231)}}}, "invalid_date in 28"},
		{"bad client token", &recordv1.Case{ClientTokens: [][]byte{testID(1), {1}}}, "invalid_token in 21"},
		{"the same client token twice", &recordv1.Case{ClientTokens: [][]byte{testID(1), testID(2), testID(1)}}, "duplicate_item in 21"},

		// lists
		{"500 co-workers", &recordv1.Case{CoWorkers: slices.Repeat([][]byte{testID(1)}, 500)}, ""},
		{"too many co-workers", &recordv1.Case{CoWorkers: slices.Repeat([][]byte{testID(1)}, 501)}, "list_too_long in 8"},
		{"too many categories", &recordv1.Case{Categories: make([]recordv1.CaseCategory, 501)}, "list_too_long in 25"},
		{"cells out of order by sex", cells(cell(female, 1, 1), cell(male, 1, 1)), "not_ordered in 20"},
		{"cells out of order by age band", cells(cell(male, 2, 1), cell(male, 1, 1)), "not_ordered in 20"},
		{"a cell twice", cells(cell(male, 1, 1), cell(male, 1, 2)), "duplicate_item in 20"},
		{"a cell of unknown sex twice, once unsaid", cells(&recordv1.HeadcountCell{AgeBand: proto.Uint32(1)}, cell(recordv1.Sex_SEX_UNKNOWN, 1, 1)), "duplicate_item in 20"},
		{"cells of an age band that there is not", cells(cell(male, 7, 1)), "unknown_age_band in 20"},
		{"age band that there is not", &recordv1.Attendance{AgeBand: proto.Uint32(7)}, "unknown_age_band in 20"},
		{"unknown age", &recordv1.Attendance{AgeBand: proto.Uint32(0)}, ""},
		{"age bands out of order", &recordv1.Deployment{AgeBands: []uint32{17, 5}}, "not_ordered in 21"},
		{"an age band twice", &recordv1.Deployment{AgeBands: []uint32{5, 5}}, "duplicate_item in 21"},
		{"reviewed fields out of order", &recordv1.Review{Reviewed: []*recordv1.ReviewedField{
			{Field: proto.Uint32(5), Time: proto.Uint64(1), Replica: proto.Uint64(1)}, {Field: proto.Uint32(4), Time: proto.Uint64(1), Replica: proto.Uint64(1)}}}, "not_ordered in 17"},
		{"reviewed at no time", &recordv1.Review{Reviewed: []*recordv1.ReviewedField{{Field: proto.Uint32(4), Time: proto.Uint64(0)}}}, "number_out_of_range in 17"},
		{"reviewed a replica of 64 bits", &recordv1.Review{Reviewed: []*recordv1.ReviewedField{{Field: proto.Uint32(4), Replica: proto.Uint64(1 << 63)}}}, "number_out_of_range in 17"},
		{"conflict of field 0", &recordv1.Conflict{Field: proto.Uint32(0)}, "number_out_of_range in 18"},
		{"sides out of order", &recordv1.Conflict{Sides: []*recordv1.ConflictSide{{Time: proto.Uint64(2)}, {Time: proto.Uint64(1)}}}, "not_ordered in 19"},
		{"sides of one stamp, by a copied tablet", &recordv1.Conflict{Sides: []*recordv1.ConflictSide{
			{Time: proto.Uint64(1), Replica: proto.Uint64(1), Value: []byte{1}}, {Time: proto.Uint64(1), Replica: proto.Uint64(1), Value: []byte{2}}}}, ""},
		{"side too large", &recordv1.Conflict{Sides: []*recordv1.ConflictSide{{Value: make([]byte, 64<<10+1)}}}, "too_large in 19"},

		// days, in a deployment from 2021-09-23 to 2021-12-06, on 2021-11-01
		{"first day", day(20210923), ""},
		{"before the deployment", day(20210922), "date_outside_deployment in 4"},
		{"after the deployment", day(20211207), "date_outside_deployment in 4"},
		{"last day, planned", day(20211206), ""},
		{"no such day", day(20211131), "invalid_date in 4"},
		{"day 0", day(0), "invalid_date in 4"},
		{"negative day", day(-20211031), "invalid_date in 4"},
		{"held tomorrow", &recordv1.CaseSession{OccurredOn: proto.Int32(20211102), Status: recordv1.Status_STATUS_HELD.Enum()}, ""},
		{"held the day after tomorrow", &recordv1.CaseSession{OccurredOn: proto.Int32(20211103), Status: recordv1.Status_STATUS_HELD.Enum()}, "date_in_future in 4"},
		{"planned for next month", &recordv1.CommunityActivity{OccurredOn: proto.Int32(20211203), Status: recordv1.Status_STATUS_PLANNED.Enum()}, ""},
		{"planned after the end", &recordv1.CommunityActivity{OccurredOn: proto.Int32(20211207), Status: recordv1.Status_STATUS_PLANNED.Enum()}, "date_outside_deployment in 4"},
		{"heads counted in the future", &recordv1.Headcount{OccurredOn: proto.Int32(20211103)}, "date_in_future in 4"},
		{"reviewed in the future", &recordv1.Review{OccurredOn: proto.Int32(20211103)}, "date_in_future in 4"},
		{"reviewed before the deployment", &recordv1.Review{OccurredOn: proto.Int32(20210922)}, "date_outside_deployment in 4"},
		{"opened before the deployment", &recordv1.Case{OpenedOn: proto.Int32(20210922)}, "date_outside_deployment in 17"},
		{"opened after the deployment", &recordv1.Case{OpenedOn: proto.Int32(20211207)}, "date_outside_deployment in 17"},
		{"opened in the future", &recordv1.Case{OpenedOn: proto.Int32(20211103)}, "date_in_future in 17"},
		{"closed before it was opened", &recordv1.Case{OpenedOn: proto.Int32(20211020), ClosedOn: proto.Int32(20211019)}, "dates_disagree in 17"},
		{"follow-up due after the end", &recordv1.Case{FollowupDueOn: proto.Int32(20220601)}, ""},
		{"follow-up due in another decade", &recordv1.Case{FollowupDueOn: proto.Int32(20310601)}, "date_out_of_range in 34"},
		{"born in 1899", &recordv1.CaseIdentity{BirthDate: proto.Int32(18991231)}, "date_out_of_range in 18"},
		{"born in the future", &recordv1.CaseIdentity{BirthDate: proto.Int32(20211103)}, "date_in_future in 18"},
		{"born before the deployment", &recordv1.CaseIdentity{BirthDate: proto.Int32(20210101)}, ""},
		{"born on no such day", &recordv1.CaseIdentity{BirthDate: proto.Int32(20210230)}, "invalid_date in 18"},
		{"worker from another century", &recordv1.Worker{FromOn: proto.Int32(19991231)}, "date_out_of_range in 19"},
		{"worker leaves in another century", &recordv1.Worker{ToOn: proto.Int32(21010101)}, "date_out_of_range in 20"},
		{"worker leaves before arriving", &recordv1.Worker{FromOn: proto.Int32(20211002), ToOn: proto.Int32(20211001)}, "dates_disagree in 19"},
		{"deployment ends before it starts", &recordv1.Deployment{StartOn: proto.Int32(20211002), EndOn: proto.Int32(20211001)}, "dates_disagree in 17"},
		{"set up before the deployment", &recordv1.Worker{OccurredOn: proto.Int32(20210901)}, ""},
		{"a new deployment starts earlier", &recordv1.Deployment{StartOn: proto.Int32(20210720)}, ""},
		{"risk seen now", &recordv1.RiskAlert{SeenAt: proto.Int64(noon)}, ""},
		{"risk seen in the future", &recordv1.RiskAlert{SeenAt: proto.Int64(noon + aDay + 1)}, "time_out_of_range in 19"},
		{"risk seen before the deployment", &recordv1.RiskAlert{SeenAt: proto.Int64(1_600_000_000_000)}, "time_out_of_range in 19"},
		{"risk seen in seconds", &recordv1.RiskAlert{SeenAt: proto.Int64(noon / 1000)}, "time_out_of_range in 19"},

		// places
		{"town of a site", place("410621108"), ""},
		{"village below a site", place("410621108203"), ""},
		{"county above a site", place("410621"), ""},
		{"province above a site", place("41"), ""},
		{"another town of the same county", place("410621100"), "unknown_place in 5"},
		{"another province", place("42"), "unknown_place in 5"},
		{"village of another town", place("410621100203"), "unknown_place in 5"},
		{"code of five digits", place("41062"), "invalid_place in 5"},
		{"code with letters", place("41062110x"), "invalid_place in 5"},
		{"code in other digits", place("４１"), "invalid_place in 5"},
		{"empty code", place(""), "invalid_place in 5"},
		{"a new site where none was", &recordv1.Site{Place: &recordv1.Place{Code: proto.String("420000")}}, ""},
		{"a new site at a code of three digits", &recordv1.Site{Place: &recordv1.Place{Code: proto.String("420")}}, "invalid_place in 5"},
		{"village by name only", &recordv1.Case{Place: &recordv1.Place{Village: proto.String("三组")}}, ""},

		// service areas
		{"common service area", area(4), ""},
		{"unknown service area 不详", area(0), ""},
		{"the deployment's own service area", area(16), ""},
		{"service area that has no name", area(17), "unknown_service_area in 7"},
		{"service area between", area(5), "unknown_service_area in 7"},
		{"negative service area", area(-1), "unknown_service_area in 7"},
		{"a new service area", &recordv1.Deployment{ServiceAreas: []*recordv1.ServiceAreaName{{Number: recordv1.ServiceArea(17).Enum()}}}, ""},
		{"a name for no service area", &recordv1.Deployment{ServiceAreas: []*recordv1.ServiceAreaName{{Number: recordv1.ServiceArea(15).Enum()}}}, "unknown_service_area in 20"},
		{"two names for a service area", &recordv1.Deployment{ServiceAreas: []*recordv1.ServiceAreaName{
			{Number: recordv1.ServiceArea(17).Enum()}, {Number: recordv1.ServiceArea(17).Enum()}}}, "duplicate_item in 20"},

		// time zones
		{"UTC", &recordv1.Deployment{TimeZone: proto.String("UTC")}, ""},
		{"time zone that there is not", &recordv1.Deployment{TimeZone: proto.String("Asia/Zhengzhou")}, "unknown_time_zone in 19"},
		{"time zone of the machine", &recordv1.Deployment{TimeZone: proto.String("Local")}, "unknown_time_zone in 19"},
		{"no time zone", &recordv1.Deployment{TimeZone: proto.String("")}, "unknown_time_zone in 19"},
		{"time zone out of the directory", &recordv1.Deployment{TimeZone: proto.String("../../etc/passwd")}, "unknown_time_zone in 19"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(found(t, tt.m, henan()), ", "); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSeveralProblemsAreAllFound(t *testing.T) {
	m := &recordv1.CaseSession{Team: []byte{1}, OccurredOn: proto.Int32(20200101), Minutes: proto.Uint32(0),
		Place: &recordv1.Place{Code: proto.String("1"), Edition: proto.Int32(1)}}
	want := []string{"invalid_id in 2", "date_outside_deployment in 4", "invalid_place in 5", "number_out_of_range in 5", "number_out_of_range in 20"}
	if got := found(t, m, henan()); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

func TestWhileTheDeploymentGoesOn(t *testing.T) {
	d := henan()
	d.End = 0
	for _, tt := range []struct {
		name string
		m    proto.Message
		want []string
	}{
		{"work tomorrow", &recordv1.Headcount{OccurredOn: proto.Int32(20211102)}, nil},
		{"work the day after tomorrow", &recordv1.Headcount{OccurredOn: proto.Int32(20211103)}, []string{"date_in_future in 4"}},
		{"planned within a year", &recordv1.GroupSession{OccurredOn: proto.Int32(20221001)}, nil},
		{"planned in two years", &recordv1.GroupSession{OccurredOn: proto.Int32(20231001)}, []string{"date_out_of_range in 4"}},
		{"case opened tomorrow", &recordv1.Case{OpenedOn: proto.Int32(20211102)}, nil},
		{"case opened the day after", &recordv1.Case{OpenedOn: proto.Int32(20211103)}, []string{"date_in_future in 17"}},
	} {
		if got := found(t, tt.m, d); !slices.Equal(got, tt.want) {
			t.Errorf("%s: found %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAfterTheDeployment(t *testing.T) {
	d := henan()
	d.Now = time.Date(2021, 12, 20, 9, 0, 0, 0, d.Location)
	after := proto.Int32(20211219)
	for _, tt := range []struct {
		name string
		m    proto.Message
		want []string
	}{
		{"activity", &recordv1.CommunityActivity{OccurredOn: after}, []string{"date_outside_deployment in 4"}},
		{"heads", &recordv1.Headcount{OccurredOn: after}, []string{"date_outside_deployment in 4"}},
		{"review", &recordv1.Review{OccurredOn: after}, nil},
		{"note", &recordv1.CaseNote{OccurredOn: after}, nil},
		{"case closed", &recordv1.Case{ClosedOn: after}, nil},
		{"case session", &recordv1.CaseSession{OccurredOn: after, Stage: recordv1.CaseStage_CASE_STAGE_EVALUATION.Enum()}, []string{"date_outside_deployment in 4"}},
		{"follow-up visit", &recordv1.CaseSession{OccurredOn: after, Stage: recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum()}, nil},
		{"activity of as many minutes as a case's last stage has for a number", &recordv1.CommunityActivity{OccurredOn: after, Minutes: proto.Uint32(6)}, []string{"date_outside_deployment in 4"}},
	} {
		if got := found(t, tt.m, d); !slices.Equal(got, tt.want) {
			t.Errorf("%s: found %v, want %v", tt.name, got, tt.want)
		}
	}
}

// The day of a change is that of the deployment's time zone: at 20:00 UTC it is tomorrow in Henan.
func TestTheDayIsTheDeploymentsOwn(t *testing.T) {
	d := henan()
	m := &recordv1.Headcount{OccurredOn: proto.Int32(20211103)}
	d.Now = time.Date(2021, 11, 1, 15, 59, 0, 0, time.UTC)
	if got := found(t, m, d); !slices.Equal(got, []string{"date_in_future in 4"}) {
		t.Errorf("at 23:59 in Henan found %v", got)
	}
	d.Now = time.Date(2021, 11, 1, 16, 0, 0, 0, time.UTC)
	if got := found(t, m, d); got != nil {
		t.Errorf("at midnight in Henan found %v", got)
	}
	d.Location = nil
	if got := found(t, m, d); !slices.Equal(got, []string{"date_in_future in 4"}) {
		t.Errorf("without a time zone, at 16:00 UTC, found %v", got)
	}
}

func TestBeforeTheDeploymentIsSetUp(t *testing.T) {
	d := Deployment{Now: henan().Now}
	for _, k := range []Kind{recordv1.Kind_KIND_DEPLOYMENT, recordv1.Kind_KIND_SITE, recordv1.Kind_KIND_TEAM, recordv1.Kind_KIND_WORKER} {
		if got := found(t, completeRecord(k), d); got != nil {
			t.Errorf("setting up a %v: %v", k, got)
		}
	}
	m := &recordv1.Outreach{Place: &recordv1.Place{Code: proto.String("41")}}
	if got := found(t, m, d); !slices.Equal(got, []string{"unknown_place in 5"}) {
		t.Errorf("work where there is no site: %v", got)
	}
}

func TestNotCanonicalIsHeldAsItIs(t *testing.T) {
	m := []byte{0xa0, 0x01, 0x32, 0x20, 0x05} // minutes before the date
	if got := Validate(recordv1.Kind_KIND_CASE_SESSION, m, henan()); !slices.Equal(got, []Problem{{Code: CodeNotCanonical}}) {
		t.Errorf("found %v", got)
	}
}

func TestUnknownFieldsAndKindsAreNoProblem(t *testing.T) {
	newer := protowire.AppendTag(encode(t, completeRecord(recordv1.Kind_KIND_CASE_SESSION)), 900, protowire.BytesType)
	newer = protowire.AppendBytes(newer, []byte{0xff, 0xfe})
	if got := Validate(recordv1.Kind_KIND_CASE_SESSION, newer, henan()); got != nil {
		t.Errorf("a field of a newer tablet: %v", got)
	}
	if got := Validate(Kind(9_999), []byte{0x20, 0x00}, henan()); got != nil {
		t.Errorf("a kind of a newer tablet: %v", got)
	}
	if got := Validate(Kind(9_999), []byte{0x28, 0x00, 0x20, 0x00}, henan()); !slices.Equal(got, []Problem{{Code: CodeNotCanonical}}) {
		t.Errorf("a kind of a newer tablet out of order: %v", got)
	}
}

// eachField calls f with a message that has nothing but one value of one field, for every field of every kind and of
// the messages in them. path names the field; number is that of the kind's own field.
func eachField(f func(path string, field protoreflect.FieldDescriptor, number protowire.Number, k Kind, with func(protoreflect.Value) proto.Message)) {
	for _, k := range Kinds() {
		fields := New(k).ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			outer := fields.Get(i)
			put := func(m protoreflect.Message, field protoreflect.FieldDescriptor, v protoreflect.Value) {
				if field.IsList() {
					m.Mutable(field).List().Append(v)
				} else {
					m.Set(field, v)
				}
			}
			if outer.Message() == nil {
				f(string(outer.FullName()), outer, outer.Number(), k, func(v protoreflect.Value) proto.Message {
					m := New(k).ProtoReflect()
					put(m, outer, v)
					return m.Interface()
				})
				continue
			}
			for j := range outer.Message().Fields().Len() {
				inner := outer.Message().Fields().Get(j)
				f(string(outer.FullName())+"."+string(inner.Name()), inner, outer.Number(), k, func(v protoreflect.Value) proto.Message {
					m := dynamicpb.NewMessage(fields.Get(0).Parent().(protoreflect.MessageDescriptor))
					part := dynamicpb.NewMessage(outer.Message())
					put(part, inner, v)
					put(m, outer, protoreflect.ValueOfMessage(part))
					return m
				})
			}
		}
	}
}

// No field is without bounds, so that a new one cannot be forgotten.
func TestEveryFieldHasBounds(t *testing.T) {
	eachField(func(path string, field protoreflect.FieldDescriptor, number protowire.Number, k Kind, with func(protoreflect.Value) proto.Message) {
		var bad []protoreflect.Value
		switch field.Kind() {
		case protoreflect.StringKind:
			bad = append(bad, protoreflect.ValueOfString(strings.Repeat("x", MaxNoteBytes+1)), protoreflect.ValueOfString("\x00"))
		case protoreflect.BytesKind:
			bad = append(bad, protoreflect.ValueOfBytes(make([]byte, maxSideBytes+1)))
		case protoreflect.Int32Kind, protoreflect.Sint32Kind:
			bad = append(bad, protoreflect.ValueOfInt32(math.MaxInt32), protoreflect.ValueOfInt32(math.MinInt32))
		case protoreflect.Int64Kind:
			bad = append(bad, protoreflect.ValueOfInt64(math.MaxInt64), protoreflect.ValueOfInt64(-1))
		case protoreflect.Uint32Kind:
			bad = append(bad, protoreflect.ValueOfUint32(math.MaxUint32))
		case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
			bad = append(bad, protoreflect.ValueOfUint64(math.MaxUint64), protoreflect.ValueOfUint64(0))
		case protoreflect.EnumKind:
			bad = append(bad, protoreflect.ValueOfEnum(-1))
		case protoreflect.BoolKind:
		default:
			t.Errorf("%s is a %v, for which this test has no bad value", path, field.Kind())
		}
		for _, v := range bad {
			problems := Validate(k, encode(t, with(v)), henan())
			if len(problems) != 1 || problems[0].Field != number {
				t.Errorf("%s with a bad value: found %v", path, problems)
			}
		}
	})
}

func TestEveryListHasBounds(t *testing.T) {
	for _, k := range Kinds() {
		fields := New(k).ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			field := fields.Get(i)
			if !field.IsList() {
				continue
			}
			m := New(k).ProtoReflect()
			list := m.Mutable(field).List()
			for range MaxItems + 1 {
				list.Append(list.NewElement())
			}
			got := Validate(k, encode(t, m.Interface()), henan())
			if !slices.Equal(got, []Problem{{Code: CodeListTooLong, Field: field.Number()}}) {
				t.Errorf("%v with %d items: found %v", field.FullName(), MaxItems+1, got)
			}
		}
	}
}

// A rule that no field has would be a rule that somebody believes in and nobody follows.
func TestEveryRuleHasAField(t *testing.T) {
	used := map[protoreflect.Name]bool{}
	for _, m := range messagesOfPackage() {
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			used[m.Name()+"."+f.Name()], used[f.Name()] = true, true
		}
	}
	for name := range rules {
		if !used[name] {
			t.Errorf("no field is called %s", name)
		}
	}
	for name := range listRules {
		if !used[name] {
			t.Errorf("no field is called %s", name)
		}
	}
	for _, p := range pairsInOrder {
		paired := slices.ContainsFunc(messagesOfPackage(), func(m protoreflect.MessageDescriptor) bool {
			return m.Fields().ByName(p.low) != nil && m.Fields().ByName(p.high) != nil
		})
		if !paired {
			t.Errorf("no message has both %s and %s", p.low, p.high)
		}
	}
}

func TestFieldsThatRulesLookAt(t *testing.T) {
	fields := New(recordv1.Kind_KIND_CASE_SESSION).ProtoReflect().Descriptor().Fields()
	if n := fields.ByName("status").Number(); n != StatusField {
		t.Errorf("status is field %d", n)
	}
	if n := fields.ByName("stage").Number(); n != fieldSessionStage {
		t.Errorf("stage is field %d", n)
	}
}

func TestDeploymentOf(t *testing.T) {
	m := completeRecord(recordv1.Kind_KIND_DEPLOYMENT).(*recordv1.Deployment)
	sites := []*recordv1.Site{
		{Place: &recordv1.Place{Code: proto.String("410621108")}},
		{Name: proto.String("not placed yet")},
	}
	d, err := DeploymentOf(m, sites)
	if err != nil {
		t.Fatal(err)
	}
	if d.Start != 20210923 || d.End != 20211206 || d.Location.String() != "Asia/Shanghai" || d.AgeBands != 4 ||
		!slices.Equal(d.Places, []string{"410621108"}) || !slices.Equal(d.ServiceAreas, []recordv1.ServiceArea{16}) {
		t.Errorf("got %+v", d)
	}
	if d, err = DeploymentOf(&recordv1.Deployment{}, nil); err != nil || d.AgeBands != 6 || d.End != 0 {
		t.Errorf("of nothing: %+v, %v", d, err)
	}
	if _, err = DeploymentOf(&recordv1.Deployment{TimeZone: proto.String("Asia/Zhengzhou")}, nil); err == nil {
		t.Error("a time zone that there is not was taken")
	}
}

func TestAgeBand(t *testing.T) {
	bands := AgeBands(&recordv1.Deployment{})
	for age, want := range map[uint32]uint32{0: 1, 5: 1, 6: 2, 13: 2, 14: 3, 17: 3, 18: 4, 59: 4, 60: 5, 79: 5, 80: 6, 130: 6} {
		if got := AgeBand(bands, age); got != want {
			t.Errorf("at %d in band %d, want %d", age, got, want)
		}
	}
	if got := AgeBand([]uint32{17}, 18); got != 2 {
		t.Errorf("at 18 in band %d of two", got)
	}
}

func TestValidateNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKind(t)
		// Canonical, so that the values are reached, and drawn at random, so that they are absurd.
		fields, err := Canonical(k, sloppy(t, New(k).ProtoReflect().Descriptor(), true))
		if err != nil {
			t.Fatal(err)
		}
		d := henan()
		d.Now = time.UnixMilli(rapid.Int64Range(0, 1<<48-1).Draw(t, "now"))
		for _, p := range Validate(k, fields, d) {
			if p.Field == 0 || messages[p.Code].en == "" {
				t.Fatalf("found %+v", p)
			}
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	fields := encode(b, completeRecord(recordv1.Kind_KIND_CASE_SESSION))
	d := henan()
	for b.Loop() {
		if problems := Validate(recordv1.Kind_KIND_CASE_SESSION, fields, d); problems != nil {
			b.Fatal(problems)
		}
	}
}
