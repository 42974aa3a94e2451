package record

import (
	"errors"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// declaredCodes reads the codes in the source, so that none can be forgotten.
func declaredCodes(t *testing.T) map[string]Code {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]Code{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		codes[spec.Names[0].Name] = Code(text)
		return true
	})
	return codes
}

func TestEveryCodeTellsPeopleWhatToDo(t *testing.T) {
	codes := declaredCodes(t)
	if len(codes) < 20 {
		t.Fatalf("found only the codes %v", codes)
	}
	// Words that pages never say.
	internal := regexp.MustCompile(`(?i)token|stamp|epoch|replica|give back|代号|副本|时间戳`)
	seen := map[Code]string{}
	for name, code := range codes {
		if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(string(code)) {
			t.Errorf("%s is %q", name, code)
		}
		if other := seen[code]; other != "" {
			t.Errorf("%s and %s are both %q", name, other, code)
		}
		seen[code] = name
		zh, en := Message(code, "zh-CN"), Message(code, "en")
		if _, ok := messages[code]; !ok {
			t.Errorf("%s has no message", name)
		}
		if !strings.HasSuffix(zh, "。") || !strings.ContainsFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s says in Chinese: %q", name, zh)
		}
		if !strings.HasSuffix(en, ".") || strings.ContainsFunc(en, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("%s says in English: %q", name, en)
		}
		if word := internal.FindString(zh + en); word != "" {
			t.Errorf("%s says %q to people", name, word)
		}
	}
	for code := range messages {
		if seen[code] == "" {
			t.Errorf("there is a message for %q, which is no code", code)
		}
	}
}

func TestMessageByLanguage(t *testing.T) {
	for lang, zh := range map[string]bool{"zh": true, "zh-CN": true, "zh_CN.UTF-8": true, "ZH": true, "zh-Hans": true, "en": false, "en-GB": false, "": false, "fr": false} {
		got := Message(CodeTextTooLong, lang)
		if isZh := got == "文字太长，请缩短。"; isZh != zh {
			t.Errorf("in %q: %q", lang, got)
		}
	}
	if got := Message("of_a_newer_server", "zh"); !strings.Contains(got, "待处理") {
		t.Errorf("of an unknown code: %q", got)
	}
}

func TestProblemAsError(t *testing.T) {
	for want, p := range map[string]*Problem{
		"text_too_long":                        {Code: CodeTextTooLong},
		"text_too_long in field 16":            {Code: CodeTextTooLong, Field: 16},
		"malformed in field 4: unexpected EOF": {Code: CodeMalformed, Field: 4, Cause: io.ErrUnexpectedEOF},
	} {
		if p.Error() != want || !errors.Is(p, p.Cause) && p.Cause != nil {
			t.Errorf("got %q, want %q", p.Error(), want)
		}
	}
}
