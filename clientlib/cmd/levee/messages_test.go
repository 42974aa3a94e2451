package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// texts are the formats of one message, as they stand in the sources: English first, 简体中文 last.
type texts struct {
	at      token.Position
	formats []string
}

// everyMessage reads the messages out of the sources, so that none can hide in a function.
func everyMessage(t *testing.T) []texts {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []texts
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if m, ok := literal.Type.(*ast.MapType); ok && isMessage(m.Value) {
				for _, e := range literal.Elts {
					all = append(all, textsIn(t, set, e.(*ast.KeyValueExpr).Value.(*ast.CompositeLit)))
				}
			}
			if isMessage(literal.Type) {
				all = append(all, textsIn(t, set, literal))
			}
			return true
		})
	}
	return all
}

func isMessage(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && (name.Name == "message" || name.Name == "counted")
}

func textsIn(t *testing.T, set *token.FileSet, literal *ast.CompositeLit) texts {
	found := texts{at: set.Position(literal.Pos())}
	for _, e := range literal.Elts {
		text, ok := e.(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s: a message that is not written out", found.at)
		}
		format, err := strconv.Unquote(text.Value)
		if err != nil {
			t.Fatal(err)
		}
		found.formats = append(found.formats, format)
	}
	return found
}

var (
	verb = regexp.MustCompile(`%(\[\d\])?[a-z]`)
	// notForPeople are words that pages never say.
	notForPeople = regexp.MustCompile(`(?i)\b(token|stamp|epoch|replica|give back|given back|payload|mutation|node)\b|令牌|时间戳|副本|人数次`)
)

// A message without a translation does not compile; an empty one, one that takes something else, or one that is still
// English fails here.
func TestEveryMessageIsInBothLanguages(t *testing.T) {
	all := everyMessage(t)
	if len(all) < 250 {
		t.Fatalf("only %d messages were found", len(all))
	}
	for _, m := range all {
		english, chinese := m.formats[0], m.formats[len(m.formats)-1]
		if slices.Contains(m.formats, "") || len(m.formats) < 2 {
			t.Errorf("%s: an empty text: %q", m.at, m.formats)
		}
		words := strings.IndexFunc(verb.ReplaceAllString(english, ""), unicode.IsLetter) >= 0
		sameInBoth := english == chinese // such as an example of a date
		if words && !sameInBoth && strings.IndexFunc(chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }) < 0 {
			t.Errorf("%s: not Chinese: %q", m.at, chinese)
		}
		if strings.IndexFunc(english, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0 {
			t.Errorf("%s: not English: %q", m.at, english)
		}
		for _, format := range m.formats {
			if word := notForPeople.FindString(format); word != "" {
				t.Errorf("%s: people are not told of %q: %q", m.at, word, format)
			}
			// One that names its arguments by number may leave some out.
			byNumber := strings.Contains(english+format, "%[")
			same := subset(verbs(english), verbs(format)) && subset(verbs(format), verbs(english))
			if !same && (!byNumber || !subset(verbs(english), verbs(chinese))) {
				t.Errorf("%s: %q and %q take different things", m.at, english, format)
			}
		}
	}
}

// verbs are what a format takes, by position.
func verbs(format string) map[int]byte {
	taken := map[int]byte{}
	next := 1
	for _, v := range verb.FindAllString(format, -1) {
		if v[1] == '[' {
			next = int(v[2] - '0')
		}
		taken[next] = v[len(v)-1]
		next++
	}
	return taken
}

func subset(a, b map[int]byte) bool {
	for position, v := range a {
		if b[position] != v {
			return false
		}
	}
	return true
}

// Every help has its place, and every place its help: that is what building the command line checks.
func TestEveryHelpIsUsed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, b...)
	}
	for name := range helps {
		if !strings.Contains(string(source), "${"+name+"}") {
			t.Errorf("help %q is not used", name)
		}
	}
	for _, lang := range []string{"en", "zh"} {
		s := &session{words: wordsIn(lang)}
		if _, err := s.parser(&grammar{}); err != nil {
			t.Error(err)
		}
	}
}

// protoLabels are the Chinese words in the comments of the protos: of fields by "Message.field", of values of
// enumerations by their names.
func protoLabels(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../../syncproto/levee/record/v1/*.proto")
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
	zh, en := wordsIn("zh"), wordsIn("en")
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
			} else if got, want := zh.choice(v), labels[string(v.Name())]; got != want || want == "" {
				t.Errorf("%s is called %q, in the proto %q", v.Name(), got, want)
			}
		}
	}
	checkMessage = func(m protoreflect.MessageDescriptor) {
		for _, f := range fieldsOf(m) {
			if f.Name() == "reviewed" {
				continue // never shown
			}
			got, _, _ := strings.Cut(zh.label(f), "（") // the unit
			if want := labels[string(m.Name())+"."+string(f.Name())]; got != want || want == "" {
				t.Errorf("%s.%s is called %q, in the proto %q", m.Name(), f.Name(), got, want)
			}
			if en.label(f) == "" {
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
	for _, k := range append(slices.Clone(tabletKinds), setUpKinds...) {
		checkMessage(record.New(k).ProtoReflect().Descriptor())
	}
	checkEnum(recordv1.Kind(0).Descriptor())
}

// Every kind is one that tablets make, or one that they only show.
func TestEveryKindHasItsCommand(t *testing.T) {
	known := append(slices.Clone(tabletKinds), setUpKinds...)
	known = append(known, recordv1.Kind_KIND_CONFLICT, recordv1.Kind_KIND_HELD_DECISION)
	for _, k := range record.Kinds() {
		if !slices.Contains(known, k) {
			t.Errorf("%v has no command", k)
		}
	}
	for _, k := range tabletKinds {
		_, helped := kindHelps[k]
		if loggers[k] == nil || (!helped && k != recordv1.Kind_KIND_HEADCOUNT) {
			t.Errorf("%v is not logged, or has no help", k)
		}
	}
	for f := range aCompound + 1 {
		if _, ok := placeholders[f]; !ok {
			t.Errorf("form %d has no placeholder", f)
		}
	}
}
