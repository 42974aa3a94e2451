package export

import "strings"

// What stands in one cell, one thing after the other: the items of a list ("a; b"), and the parts of an item that has
// several ("sex=female, age_band=18-59; …"). People may write the separators as Chinese has them. A backslash lets one stand
// for itself.
const (
	itemEnds = ";；"
	partEnds = ",，"
	equals   = "=＝"

	// nothing is an item or a part that holds an empty text.
	nothing = `\-`
)

// escaped is a text as it stands among others.
func escaped(text string) string {
	if text == "" {
		return nothing
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == ' ' && (strings.Trim(text[:i], " ") == "" || strings.Trim(text[i:], " ") == ""):
			b.WriteString(`\s`) // it would be taken for the one beside a separator
			continue
		case r == '\\' || strings.ContainsRune(itemEnds+partEnds+equals, r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unescaped is the text that escaped wrote.
func unescaped(piece string) string {
	var b strings.Builder
	behind := false
	for _, r := range piece {
		switch {
		case !behind && r == '\\':
			behind = true
			continue
		case behind && r == 's':
			b.WriteByte(' ')
		case behind && r == '-':
		default:
			b.WriteRune(r)
		}
		behind = false
	}
	return b.String()
}

// pieces are what stands between separators, without the spaces beside them. Nothing at all is no piece.
func pieces(text, ends string) []string {
	var all []string
	add := func(piece string) {
		if piece = strings.Trim(piece, " "); piece != "" {
			all = append(all, piece)
		}
	}
	for text != "" {
		at, width := find(text, ends)
		add(text[:at])
		text = text[at+width:]
	}
	return all
}

// find is where the first of some characters stands that means itself no text, and how many bytes it has; the end of the
// text and 0 when there is none.
func find(text, characters string) (at, width int) {
	behind := false
	for i, r := range text {
		if !behind && strings.ContainsRune(characters, r) {
			return i, len(string(r))
		}
		behind = !behind && r == '\\'
	}
	return len(text), 0
}

// risky are the characters with which a spreadsheet takes a text for a formula, or for something else than it says.
const risky = "=+-@\t\r'"

// Neutral is a text that no spreadsheet takes for a formula: one that begins like one gets a ' before it.
func Neutral(text string) string {
	if text != "" && strings.IndexByte(risky, text[0]) >= 0 {
		return "'" + text
	}
	return text
}

// Meant is the text that Neutral wrote.
func Meant(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.IndexByte(risky, cell[1]) >= 0 {
		return cell[1:]
	}
	return cell
}
