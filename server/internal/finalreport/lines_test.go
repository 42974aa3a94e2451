package finalreport

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// squares is a width in which a Chinese character has 2 and a letter 1.
func squares(text string) (width float64) {
	for _, r := range text {
		width += float64(1 + min(1, r/0x1100))
	}
	return width
}

func TestLines(t *testing.T) {
	for text, want := range map[string][]string{
		"":                  {""},
		"服务三个乡镇，共十天。":       {"服务三个乡", "镇，共十", "天。"},
		"one two three":     {"one two", "three"},
		"abcdefghijklmnopq": {"abcdefghij", "klmnopq"},
		"“一二三四五六":           {"“一二三四", "五六"},
		"a\nb":              {"a", "b"},
	} {
		if got := linesOf(text, 10, squares); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// TestLinesAreTheText: nothing is lost or doubled at the ends of lines, no line is too wide, and none begins with what ends a sentence.
func TestLinesAreTheText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("一堤浚，。、（）“”ab12 -·%：")), 0, 60, -1).Draw(t, "text")
		width := float64(rapid.IntRange(4, 30).Draw(t, "width"))
		lines := linesOf(text, width, squares)
		if got, want := strings.ReplaceAll(strings.Join(lines, ""), " ", ""), strings.ReplaceAll(text, " ", ""); got != want {
			t.Fatalf("%q became %q", text, lines)
		}
		for i, line := range lines {
			if squares(line) > width {
				t.Errorf("%q is too wide", line)
			}
			first, _ := utf8.DecodeRuneInString(line)
			if before := i > 0 && squares(lines[i-1]) < width-2; before && strings.ContainsRune("，。、）", first) {
				t.Errorf("a line begins with %c: %q", first, lines)
			}
		}
	})
}
