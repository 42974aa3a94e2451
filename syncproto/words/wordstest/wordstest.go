// Package wordstest checks what programs say with package words.
package wordstest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// texts are the formats of one message, as they stand in the sources: English first, 简体中文 last.
type texts struct {
	at      token.Position
	formats []string
}

// everyMessage reads the messages out of the sources, so that none can hide in a function.
func everyMessage(t testing.TB) []texts {
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
			if keys := keysOf(literal.Type); keys != nil {
				all = append(all, textsIn(t, set, literal, keys))
			}
			for _, e := range elementsOf(literal) { // whose types may be left out
				if inner, ok := e.literal.(*ast.CompositeLit); ok && inner.Type == nil && keysOf(e.of) != nil {
					all = append(all, textsIn(t, set, inner, keysOf(e.of)))
				}
			}
			return true
		})
	}
	return all
}

// keysOf are the texts of a message, given the expression of its type; nil when that is of no message.
func keysOf(e ast.Expr) []string {
	if selector, ok := e.(*ast.SelectorExpr); ok {
		e = selector.Sel
	}
	name, ok := e.(*ast.Ident)
	switch {
	case ok && name.Name == "Message":
		return []string{"EN", "ZH"}
	case ok && name.Name == "Counted":
		return []string{"One", "Other", "ZH"}
	default:
		return nil
	}
}

type element struct{ of, literal ast.Expr }

// elementsOf are the elements of a map or a list that is written out, with their type.
func elementsOf(literal *ast.CompositeLit) (elements []element) {
	for _, e := range literal.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			e = pair.Value
		}
		switch of := literal.Type.(type) {
		case *ast.MapType:
			elements = append(elements, element{of.Value, e})
		case *ast.ArrayType:
			elements = append(elements, element{of.Elt, e})
		}
	}
	return elements
}

func textsIn(t testing.TB, set *token.FileSet, literal *ast.CompositeLit, keys []string) texts {
	found := texts{at: set.Position(literal.Pos()), formats: make([]string, len(keys))}
	for i, e := range literal.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			i, e = slices.Index(keys, pair.Key.(*ast.Ident).Name), pair.Value
		}
		text, ok := e.(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s: a message that is not written out", found.at)
		}
		format, err := strconv.Unquote(text.Value)
		if err != nil {
			t.Fatal(err)
		}
		found.formats[i] = format
	}
	return found
}

var (
	verb = regexp.MustCompile(`%(\[\d\])?[a-z]`)
	// notForPeople are words that pages never say.
	notForPeople = regexp.MustCompile(`(?i)\b(token|stamp|epoch|replica|give back|given back|payload|mutation|node)\b|令牌|时间戳|副本|人数次`)
)

// Untellable is the first word in a text that people are not told; "" when there is none.
func Untellable(text string) string { return notForPeople.FindString(text) }

// CheckMessages reads every words.Message and words.Counted that is written in the sources of the package under test, at least so many. It fails for one
// that lacks a language, that takes other things in one language than in the other, that is not yet translated, or that says a word that people are not told.
func CheckMessages(t testing.TB, least int) {
	t.Helper()
	all := everyMessage(t)
	if len(all) < least {
		t.Fatalf("only %d messages were found", len(all))
	}
	for _, m := range all {
		english, chinese := m.formats[0], m.formats[len(m.formats)-1]
		if slices.Contains(m.formats, "") {
			t.Errorf("%s: a text is missing: %q", m.at, m.formats)
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
			if word := Untellable(format); word != "" {
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
