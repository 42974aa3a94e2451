package main

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// widthOf is how many columns a text takes on a terminal: a hanzi takes two.
func widthOf(text string) int {
	columns := 0
	for _, r := range text {
		columns += runeWidth(r)
	}
	return columns
}

func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Cf):
		return 0
	case wide(r):
		return 2
	default:
		return 1
	}
}

func wide(r rune) bool {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return true
	default:
		return false
	}
}

// pad fills a text up to a width.
func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-widthOf(text)))
}

// padLeft fills a text up to a width from the left, as numbers want it.
func padLeft(text string, columns int) string {
	return strings.Repeat(" ", max(0, columns-widthOf(text))) + text
}

// shorten cuts a text to a width, and to its first line.
func shorten(text string, columns int) string {
	line, _, more := strings.Cut(text, "\n")
	if widthOf(line) <= columns {
		if more {
			return line + "…"
		}
		return line
	}
	var b strings.Builder
	for _, r := range line {
		if columns -= runeWidth(r); columns < 1 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}

// wrap breaks a text into lines of at most so many columns: at spaces, and between hanzi, but not before punctuation.
func wrap(text string, columns int) []string {
	var lines []string
	line, lineWidth := "", 0
	for _, unit := range units(text) {
		w := widthOf(strings.TrimRight(unit, " "))
		if lineWidth > 0 && lineWidth+w > columns {
			lines = append(lines, strings.TrimRight(line, " "))
			line, lineWidth = "", 0
		}
		line += unit
		lineWidth += widthOf(unit)
	}
	return append(lines, strings.TrimRight(line, " "))
}

// units are the parts of a text that no line break divides: words, and hanzi with the punctuation about them.
func units(text string) []string {
	units := []string{""}
	breakable := false // before the next rune
	for _, r := range text {
		closing := strings.ContainsRune("，。；：、）？！”》,.;:)!?", r)
		if (breakable || wide(r)) && !closing && units[len(units)-1] != "" && !opened(units[len(units)-1]) {
			units = append(units, "")
		}
		units[len(units)-1] += string(r)
		breakable = r == ' ' || wide(r) || closing
	}
	return units
}

// opened reports whether a text ends with what belongs to the text behind it.
func opened(text string) bool {
	return strings.HasSuffix(text, "（") || strings.HasSuffix(text, "“") || strings.HasSuffix(text, "《")
}
