package record

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
)

// common are the fields that every kind has, as number, name and type.
var common = []string{
	"1 site bytes", "2 team bytes", "3 author bytes", "4 occurred_on int32", "5 place levee.record.v1.Place",
	"6 status levee.record.v1.Status", "7 service_area levee.record.v1.ServiceArea", "8 co_workers repeated bytes",
	"9 entry levee.record.v1.Entry", "10 duplicate_of bytes", "15 deleted bool",
}

func TestCommonFieldsAreTheSameInEveryKind(t *testing.T) {
	for _, k := range Kinds() {
		var got []string
		fields := New(k).ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if f := fields.Get(i); f.Number() < 16 {
				got = append(got, describe(f))
			}
		}
		if !slices.Equal(got, common) {
			t.Errorf("%v has the common fields\n%v, want\n%v", k, got, common)
		}
	}
}

func describe(f protoreflect.FieldDescriptor) string {
	typ := f.Kind().String()
	switch {
	case f.Message() != nil:
		typ = string(f.Message().FullName())
	case f.Enum() != nil:
		typ = string(f.Enum().FullName())
	}
	words := []string{protoreflect.ValueOf(int32(f.Number())).String(), string(f.Name())}
	if f.IsList() {
		words = append(words, "repeated")
	}
	return strings.Join(append(words, typ), " ")
}

// messagesOfPackage are all messages of the package: the kinds, and those that stand in their fields.
func messagesOfPackage() []protoreflect.MessageDescriptor {
	var all []protoreflect.MessageDescriptor
	for _, file := range files() {
		for i := range file.Messages().Len() {
			all = append(all, file.Messages().Get(i))
		}
	}
	return all
}

func files() []protoreflect.FileDescriptor {
	return []protoreflect.FileDescriptor{
		recordv1.File_levee_record_v1_common_proto, recordv1.File_levee_record_v1_deployment_proto,
		recordv1.File_levee_record_v1_case_proto, recordv1.File_levee_record_v1_group_proto,
		recordv1.File_levee_record_v1_activity_proto, recordv1.File_levee_record_v1_resource_proto,
		recordv1.File_levee_record_v1_risk_proto, recordv1.File_levee_record_v1_supervision_proto,
		recordv1.File_levee_record_v1_conflict_proto, recordv1.File_levee_record_v1_closeout_proto,
	}
}

func TestMessagesKeepToWhatMergesByField(t *testing.T) {
	for _, m := range messagesOfPackage() {
		if m.Oneofs().Len() > 0 {
			t.Errorf("%v has a oneof: two replicas could each set another branch", m.FullName())
		}
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			switch {
			case f.IsMap():
				t.Errorf("%v is a map: its order is not fixed", f.FullName())
			case f.Kind() == protoreflect.GroupKind:
				t.Errorf("%v is a group", f.FullName())
			case !f.IsList() && !f.HasPresence():
				t.Errorf("%v has no presence: unset could not be told from zero", f.FullName())
			case f.Kind() == protoreflect.FloatKind, f.Kind() == protoreflect.DoubleKind:
				t.Errorf("%v is a floating-point number: equal values can have different bytes", f.FullName())
			case f.Enum() != nil && f.Enum().IsClosed():
				t.Errorf("%v is a closed enumeration: numbers of newer tablets would be lost", f.FullName())
			}
		}
	}
}

// Canonical goes as deep as the messages do, so their depth bounds its recursion.
func TestMessagesNestOneLevel(t *testing.T) {
	for _, k := range Kinds() {
		fields := New(k).ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			inner := fields.Get(i).Message()
			if inner == nil {
				continue
			}
			for j := range inner.Fields().Len() {
				if f := inner.Fields().Get(j); f.Message() != nil {
					t.Errorf("%v stands in %v, which stands in %v", f.FullName(), inner.FullName(), k)
				}
			}
		}
	}
}

func TestEveryKindHasItsMessage(t *testing.T) {
	values := recordv1.Kind(0).Descriptor().Values()
	for i := range values.Len() {
		k := Kind(values.Get(i).Number())
		if k == recordv1.Kind_KIND_UNKNOWN {
			if Known(k) || New(k) != nil {
				t.Errorf("KIND_UNKNOWN is a kind")
			}
			continue
		}
		m := New(k)
		if m == nil {
			t.Errorf("%v has no message", k)
			continue
		}
		if KindOf(m) != k {
			t.Errorf("%v makes a %T, which is a %v", k, m, KindOf(m))
		}
		var name strings.Builder
		for _, word := range strings.Split(strings.TrimPrefix(k.String(), "KIND_"), "_") {
			name.WriteString(word[:1] + strings.ToLower(word[1:]))
		}
		if got := string(m.ProtoReflect().Descriptor().Name()); got != name.String() {
			t.Errorf("the message of %v is %s, want %s", k, got, name.String())
		}
	}
	if got := len(Kinds()); got != values.Len()-1 {
		t.Errorf("%d kinds are known, %d are named", got, values.Len()-1)
	}
	if got := KindOf(&recordv1.Place{}); got != recordv1.Kind_KIND_UNKNOWN {
		t.Errorf("a place is a record of %v", got)
	}
	for _, k := range []Kind{-1, recordv1.Kind(values.Len()), 1 << 30} {
		if Known(k) || New(k) != nil || OwnerField(k) != 0 || Confidential(k) || SetUp(k) || Missing(k, &recordv1.Case{}) != nil {
			t.Errorf("kind %d is not known, and yet something is known of it", k)
		}
	}
}

func TestOwners(t *testing.T) {
	want := map[Kind]protoreflect.Name{
		recordv1.Kind_KIND_CASE_IDENTITY: "case", recordv1.Kind_KIND_CONSENT: "subject", recordv1.Kind_KIND_CASE_SESSION: "case",
		recordv1.Kind_KIND_CASE_NOTE: "session", recordv1.Kind_KIND_GROUP_SESSION: "group", recordv1.Kind_KIND_GROUP_NOTE: "session",
		recordv1.Kind_KIND_HEADCOUNT: "activity", recordv1.Kind_KIND_ATTENDANCE: "activity",
		recordv1.Kind_KIND_RESOURCE_LINK: "recipient_case", recordv1.Kind_KIND_REFERRAL: "case",
		recordv1.Kind_KIND_REFERRAL_NOTE: "referral", recordv1.Kind_KIND_RISK_ALERT: "subject",
		recordv1.Kind_KIND_SUPERVISION_NOTE: "supervision", recordv1.Kind_KIND_REVIEW: "target", recordv1.Kind_KIND_CONFLICT: "target",
		recordv1.Kind_KIND_DISTINCTION: "record",
	}
	for _, k := range Kinds() {
		n := OwnerField(k)
		if n == 0 {
			if want[k] != "" {
				t.Errorf("%v has no owner, want %s", k, want[k])
			}
			continue
		}
		f := New(k).ProtoReflect().Descriptor().Fields().ByNumber(n)
		if f.Name() != want[k] || f.Kind() != protoreflect.BytesKind || f.IsList() {
			t.Errorf("the owner of a %v is in %v, want %s", k, f.FullName(), want[k])
		}
	}
}

func TestConfidentialAndSetUpKinds(t *testing.T) {
	confidential := []Kind{
		recordv1.Kind_KIND_CASE_IDENTITY, recordv1.Kind_KIND_CONSENT, recordv1.Kind_KIND_CASE_NOTE, recordv1.Kind_KIND_GROUP_NOTE,
		recordv1.Kind_KIND_REFERRAL_NOTE, recordv1.Kind_KIND_RISK_ALERT, recordv1.Kind_KIND_SUPERVISION_NOTE,
	}
	marks := confidentialMarks(t)
	for _, k := range Kinds() {
		if want := slices.Contains(confidential, k); Confidential(k) != want || marks[k.String()] != want {
			t.Errorf("%v confidential: %v, marked ▲ in the schema: %v, want %v", k, Confidential(k), marks[k.String()], want)
		}
		if SetUp(k) != (k <= recordv1.Kind_KIND_WORKER || k == recordv1.Kind_KIND_WAIVER || k == recordv1.Kind_KIND_CERTIFICATE) {
			t.Errorf("%v set up: %v", k, SetUp(k))
		}
	}
}

func confidentialMarks(t *testing.T) map[string]bool {
	marks := map[string]bool{}
	for _, line := range schemaLines(t) {
		if line.file == "common.proto" && strings.HasPrefix(line.name, "KIND_") {
			marks[line.name] = strings.Contains(line.comment, "▲")
		}
	}
	return marks
}

// schemaLine is a field or enumeration value as the schema's text has it.
type schemaLine struct {
	file, message, name, comment string
}

// schemaLines reads what descriptors do not keep: the comments.
func schemaLines(t *testing.T) []schemaLine {
	t.Helper()
	paths, err := filepath.Glob("../levee/record/v1/*.proto")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no schema found: %v", err)
	}
	opening := regexp.MustCompile(`^(?:message|enum) (\w+) \{`)
	member := regexp.MustCompile(`^  (?:repeated )?(?:[\w.]+ )?(\w+) = \d+;(?: // (.*))?$`)
	var lines []schemaLine
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var message string
		for s := bufio.NewScanner(f); s.Scan(); {
			if m := opening.FindStringSubmatch(s.Text()); m != nil {
				message = m[1]
			}
			if m := member.FindStringSubmatch(s.Text()); m != nil {
				lines = append(lines, schemaLine{filepath.Base(path), message, m[1], m[2]})
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return lines
}

func TestEveryFieldAndValueHasItsChineseTerm(t *testing.T) {
	members := 0
	for _, m := range messagesOfPackage() {
		members += m.Fields().Len()
	}
	for _, file := range files() {
		for i := range file.Enums().Len() {
			members += file.Enums().Get(i).Values().Len()
		}
	}
	lines := schemaLines(t)
	if len(lines) != members {
		t.Errorf("read %d fields and values in the schema's text, the descriptors have %d", len(lines), members)
	}
	for _, line := range lines {
		if !strings.ContainsFunc(line.comment, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: %s.%s has no Chinese term: %q", line.file, line.message, line.name, line.comment)
		}
	}
}

func TestRequiredFieldsAreThoseMarkedInTheSchema(t *testing.T) {
	marked := map[string][]string{}
	for _, line := range schemaLines(t) {
		if strings.HasSuffix(line.comment, "*") {
			marked[line.message] = append(marked[line.message], line.name)
		}
	}
	for _, k := range Kinds() {
		want := marked[string(New(k).ProtoReflect().Descriptor().Name())]
		// Nobody logs the deployment's own records, and only work lies in a service area.
		want = slices.DeleteFunc(want, func(name string) bool {
			return (SetUp(k) && slices.Contains([]string{"author", "occurred_on"}, name)) ||
				(name == "service_area" && kinds[k].nature != work && kinds[k].nature != plannedWork)
		})
		var got []string
		fields := New(k).ProtoReflect().Descriptor().Fields()
		for _, n := range Missing(k, New(k)) {
			got = append(got, string(fields.ByNumber(n).Name()))
		}
		if !slices.Equal(got, want) {
			t.Errorf("an empty %v lacks %v, the schema marks %v", k, got, want)
		}
	}
}

func TestMissing(t *testing.T) {
	for _, m := range completeRecords() {
		if missing := Missing(KindOf(m), m); len(missing) > 0 {
			t.Errorf("a complete %v lacks %v", KindOf(m), missing)
		}
	}
	session := completeRecord(recordv1.Kind_KIND_CASE_SESSION).(*recordv1.CaseSession)
	session.RiskSeen = recordv1.RiskSeen_RISK_SEEN_UNKNOWN.Enum()
	session.Attendees = proto.Uint32(0)
	if missing := Missing(KindOf(session), session); len(missing) > 0 {
		t.Errorf("unknown and 0 are answers, yet %v are missing", missing)
	}
	session.Author, session.Minutes = []byte{}, nil
	if missing := Missing(KindOf(session), session); !slices.Equal(missing, []protoreflect.FieldNumber{3, 20}) {
		t.Errorf("missing are %v, want 3 and 20", missing)
	}
	activity := completeRecord(recordv1.Kind_KIND_COMMUNITY_ACTIVITY).(*recordv1.CommunityActivity)
	activity.Name = proto.String("")
	if missing := Missing(KindOf(activity), activity); !slices.Equal(missing, []protoreflect.FieldNumber{16}) {
		t.Errorf("missing are %v, want 16", missing)
	}
	review := completeRecord(recordv1.Kind_KIND_REVIEW).(*recordv1.Review)
	review.Reviewed = nil
	if missing := Missing(KindOf(review), review); !slices.Equal(missing, []protoreflect.FieldNumber{17}) {
		t.Errorf("missing are %v, want 17", missing)
	}
}
