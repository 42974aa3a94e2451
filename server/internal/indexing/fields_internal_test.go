package indexing

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

func TestFieldNumbers(t *testing.T) {
	for _, c := range []struct {
		of     record.Common
		name   protoreflect.Name
		number protowire.Number
	}{
		{&recordv1.Case{}, "stage", caseStage},
		{&recordv1.Case{}, "lead", caseLead},
		{&recordv1.Case{}, "next_due_on", caseNextDueOn},
		{&recordv1.Case{}, "closed_on", caseClosedOn},
		{&recordv1.Case{}, "followup_due_on", caseFollowupDue},
		{&recordv1.CaseSession{}, "stage", caseSessionStage},
		{&recordv1.Distinction{}, "record", distinctionRecord},
		{&recordv1.Distinction{}, "other", distinctionOther},
	} {
		if f := c.of.ProtoReflect().Descriptor().Fields().ByName(c.name); f == nil || f.Number() != c.number {
			t.Errorf("%v is not field %d of %v", c.name, c.number, record.KindOf(c.of))
		}
	}
}

func TestRuns(t *testing.T) {
	for text, want := range map[string][]string{
		"":                 nil,
		"心理健康":             {"心理", "理健", "健康", "心"},
		"水":                {"水"},
		"WZ-001号":          {"wz", "001", "号"},
		"３楼Ａ座，棉被12条":       {"3", "楼", "a", "座", "棉被", "棉", "12", "条"},
		"§t \"x\" OR* NOT": {"t", "x", "or", "not"},
		"Ünal 王五é":         {"ünal", "王五", "王", "é"},
	} {
		if got := appendWords(nil, text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// What was found is marked where it stands, whatever the text is made of.
func TestSnippet(t *testing.T) {
	long := strings.Repeat("说", 100)
	for _, c := range []struct {
		text, looked string
		most         int
		want         string
	}{
		{"王庄镇 心理健康讲座", "心理 讲座", 80, "王庄镇 [心理]健康[讲座]"},
		{"ＷＺ－００１ <b>wz</b>", "wz 001", 80, "[ＷＺ]－[００１] <b>[wz]</b>"},
		{"张三说张", "张", 80, "[张]三说张"},
		{"心理健康", "心理 理健", 80, "[心理][健]康"},
		{"健康", "没有", 80, "健康"},
		{long + " 心理 " + long, "心理", 40, "…" + strings.Repeat("说", 29) + " [心理] " + strings.Repeat("说", 7) + "…"},
		{"心理健康讲座", "讲座", 5, "心理健康[讲]…"},
		{"\xff心理\xff", "心理", 80, "\xff[心理]\xff"},
		{"", "心理", 80, ""},
	} {
		var b strings.Builder
		for _, p := range Snippet(c.text, c.looked, c.most) {
			if p.Found {
				p.Text = "[" + p.Text + "]"
			}
			b.WriteString(p.Text)
		}
		if b.String() != c.want {
			t.Errorf("%q in %q: %q, want %q", c.looked, c.text, b.String(), c.want)
		}
	}
}

// Whatever a record says, no word of it is taken for a mark, which decides who finds it.
func TestNoWordIsAMark(t *testing.T) {
	for _, w := range appendWords(nil, confidentialMark+" "+teamMark([16]byte{1})+kindMark(5)) {
		if w[0] == confidentialMark[0] {
			t.Errorf("%q", w)
		}
	}
}

// Every text is found, but for codes of places, and texts within messages too.
func TestTextsOfEveryKind(t *testing.T) {
	has := func(k record.Kind, field protowire.Number) bool {
		return slices.ContainsFunc(textFields[k], func(f textField) bool { return f.number == field })
	}
	for _, k := range record.Kinds() {
		fields := record.New(k).ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if f := fields.Get(i); f.Kind() == protoreflect.StringKind && !has(k, f.Number()) {
				t.Errorf("%v of %v is not found", f.Name(), k)
			}
		}
	}
	if !has(recordv1.Kind_KIND_CASE_IDENTITY, 22) || !has(recordv1.Kind_KIND_OUTREACH, 5) {
		t.Error("texts within messages are not found")
	}
}
