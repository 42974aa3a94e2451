package indexing

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Piece is a part of a text. Found says that it is what was looked for.
type Piece struct {
	Text  string
	Found bool
}

// leadIn is how many characters a snippet has before what was found, where it does not begin with the text.
const leadIn = 30

// Snippet is the part of a text around the first of the words that were looked for, of at most some characters.
func Snippet(text, looked string, most int) []Piece {
	type span struct{ from, to int }
	var found []span
	wanted := slices.Collect(runs(looked))
	for o := range runs(text) {
		for _, r := range wanted {
			for from, to := range r.within(o) {
				found = append(found, span{from, to})
			}
		}
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	begin := 0
	if len(found) > 0 {
		begin = back(text, found[0].from, leadIn)
	}
	end := begin
	for n := 0; n < most && end < len(text); n++ {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	var pieces []Piece
	add := func(to int, is bool) {
		if to = min(to, end); to > begin {
			pieces = append(pieces, Piece{text[begin:to], is})
			begin = to
		}
	}
	if begin > 0 {
		pieces = append(pieces, Piece{"…", false})
	}
	for _, s := range found {
		add(s.from, false)
		add(s.to, true)
	}
	add(end, false)
	if end < len(text) {
		pieces = append(pieces, Piece{"…", false})
	}
	return pieces
}

// back is some characters before a place in a text, or where the text begins.
func back(text string, from, characters int) int {
	for range characters {
		_, size := utf8.DecodeLastRuneInString(text[:from])
		from -= size
	}
	return from
}
