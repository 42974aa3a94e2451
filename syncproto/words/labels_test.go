package words

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words/wordstest"
)

func TestEveryMessageIsInBothLanguages(t *testing.T) { wordstest.CheckMessages(t, 150) }

// protoLabels are the Chinese words in the comments of the protos: of fields by "Message.field", of values of
// enumerations by their names.
func protoLabels(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../levee/record/v1/*.proto")
	if err != nil || len(files) == 0 {
		t.Fatalf("no protos: %v", err)
	}
	opens := regexp.MustCompile(`^(message|enum) (\w+) \{`)
	entry := regexp.MustCompile(`^  (?:repeated )?(?:\w+ )?(\w+) = \d+; // ([^:*]+)`)
	labels := map[string]string{}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		within := ""
		for line := range strings.Lines(string(b)) {
			if m := opens.FindStringSubmatch(line); m != nil {
				if within = ""; m[1] == "message" {
					within = m[2] + "."
				}
			}
			if m := entry.FindStringSubmatch(line); m != nil {
				labels[within+m[1]] = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(m[2]), "▲"))
			}
		}
	}
	return labels
}

// Fields and choices are called what the protos call them.
func TestLabelsAreThoseOfTheProtos(t *testing.T) {
	labels := protoLabels(t)
	zh, en := In("zh"), In("en")
	var checkMessage func(protoreflect.MessageDescriptor)
	checkEnum := func(e protoreflect.EnumDescriptor) {
		if n := e.Values().Len(); len(choiceLabels[e.Name()]) != n {
			t.Errorf("%s has %d values, and %d words", e.Name(), n, len(choiceLabels[e.Name()]))
			return
		}
		for i := range e.Values().Len() {
			v := e.Values().Get(i)
			if int(v.Number()) != i {
				t.Errorf("%s leaves out a number", e.Name())
			} else if got, want := zh.Choice(v), labels[string(v.Name())]; got != want || want == "" {
				t.Errorf("%s is called %q, in the proto %q", v.Name(), got, want)
			}
			if word := wordstest.Untellable(zh.Choice(v) + " " + en.Choice(v)); word != "" {
				t.Errorf("%s: people are not told of %q", v.Name(), word)
			}
		}
	}
	checkMessage = func(m protoreflect.MessageDescriptor) {
		for _, f := range Fields(m) {
			if f.Name() == "reviewed" {
				continue // never shown
			}
			got, _, _ := strings.Cut(zh.Field(f), "（") // the unit
			if want := labels[string(m.Name())+"."+string(f.Name())]; got != want || want == "" {
				t.Errorf("%s.%s is called %q, in the proto %q", m.Name(), f.Name(), got, want)
			}
			if en.Field(f) == "" {
				t.Errorf("%s.%s has no English word", m.Name(), f.Name())
			}
			if f.Enum() != nil {
				checkEnum(f.Enum())
			}
			if f.Message() != nil {
				checkMessage(f.Message())
			}
		}
	}
	for _, k := range record.Kinds() {
		if k != recordv1.Kind_KIND_CONFLICT && k != recordv1.Kind_KIND_HELD_DECISION && k != recordv1.Kind_KIND_DISTINCTION { // whose fields are never shown by their names
			checkMessage(record.New(k).ProtoReflect().Descriptor())
		}
	}
	checkEnum(recordv1.Kind(0).Descriptor())
}
