package webui

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"levee/server/internal/audit"
)

var verb = regexp.MustCompile(`%[a-z]`)

// TestMessagesAreInBothLanguages compares what each message takes, and looks for one without its other language.
func TestMessagesAreInBothLanguages(t *testing.T) {
	forms := map[string][]string{}
	for name, m := range messages {
		forms[name] = []string{m.en, m.zh}
	}
	for name, c := range numbers {
		forms["number "+name] = []string{c.one, c.other, c.zh}
	}
	for name, all := range forms {
		for _, text := range all {
			if text == "" || !slices.Equal(verb.FindAllString(text, -1), verb.FindAllString(all[0], -1)) {
				t.Errorf("%s: %q takes other things than %q", name, text, all[0])
			}
		}
		zh := all[len(all)-1]
		if letters := strings.ContainsFunc(verb.ReplaceAllString(all[0], ""), unicode.IsLetter); letters && !strings.ContainsFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) && name != "does_in" {
			t.Errorf("%s is not said in Chinese: %q", name, zh)
		}
	}
}

// TestMessagesAreUsed finds messages that nobody says, and names that have none.
func TestMessagesAreUsed(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "pages/*.html", "pages/parts/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasPrefix(name, "messages") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(b)
		}
	}
	text := source.String()
	for _, found := range regexp.MustCompile(`\.T "?\(?"([a-z_]+)"`).FindAllStringSubmatch(text, -1) {
		if _, ok := messages[found[1]]; !ok {
			t.Errorf("a page says %q, which is no message", found[1])
		}
	}
	for _, found := range regexp.MustCompile(`\.T\("([a-z_]+)"[,)]`).FindAllStringSubmatch(text, -1) {
		if _, ok := messages[found[1]]; !ok {
			t.Errorf("a handler says %q, which is no message", found[1])
		}
	}
	for _, found := range regexp.MustCompile(`Name: "([a-z_]+)"[^}\n]*`).FindAllStringSubmatch(text, -1) {
		if _, ok := messages["field_"+found[1]]; !ok && !strings.Contains(found[0], "Label:") && !strings.Contains(found[0], `"hidden"`) {
			t.Errorf("a form has the field %q without a label", found[1])
		}
	}
	for _, found := range regexp.MustCompile(`\.N[ (]"([a-z_]+)"`).FindAllStringSubmatch(text, -1) {
		if _, ok := numbers[found[1]]; !ok {
			t.Errorf("a page says %q of a number, which is no message", found[1])
		}
	}
	for name := range numbers {
		if !regexp.MustCompile(`\.N[ (]"` + name + `"`).MatchString(text) {
			t.Errorf("nobody says %q of a number", name)
		}
	}
	for name := range messages {
		_, stem, _ := strings.Cut(name, "_")
		made := []string{"field_", "hint_", "done_", "scope_", "action_", "kind_", "new_", "edit_", "basis_"}
		said := strings.Contains(text, `"`+name+`"`)
		for _, prefix := range made {
			said = said || strings.HasPrefix(name, prefix) && (strings.Contains(text, `"`+stem+`"`) || slices.Contains([]string{"scope_", "action_", "kind_", "basis_"}, prefix))
		}
		if !said {
			t.Errorf("nobody says %q", name)
		}
	}
}

// TestActionsHaveNames: whatever the audit log notes can be read in both languages.
func TestActionsHaveNames(t *testing.T) {
	b, err := os.ReadFile("../audit/audit.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`Action += "([a-z_]+)"`).FindAllStringSubmatch(string(b), -1) {
		if _, ok := messages["action_"+found[1]]; !ok {
			t.Errorf("the action %q has no name", found[1])
		}
	}
	for _, kind := range []audit.Kind{audit.OfAccount, audit.OfSession, audit.OfToken, audit.OfWorker, audit.OfDevice, audit.OfRecord, audit.OfChange, audit.OfDeployment, audit.OfServer, audit.OfRecipient} {
		if _, ok := messages["kind_"+string(kind)]; !ok {
			t.Errorf("the kind %q has no name", kind)
		}
	}
}

func TestLocal(t *testing.T) {
	for _, to := range []string{"/", "/account", "/deployments/x?y=z"} {
		if local(to) != to {
			t.Errorf("%q becomes %q", to, local(to))
		}
	}
	for _, to := range []string{"", "x", "//x", "https://x", `/\x`, "/\nx"} {
		if local(to) != "/" {
			t.Errorf("%q becomes %q", to, local(to))
		}
	}
}
