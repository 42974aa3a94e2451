package importing

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// Text is what a text file says: a mark at its beginning tells in which encoding, or else it is tried. false when it is none.
func Text(file []byte) (string, bool) {
	utf16 := bytes.HasPrefix(file, []byte{0xFF, 0xFE}) || bytes.HasPrefix(file, []byte{0xFE, 0xFF})
	decoder := unicode.UTF8BOM.NewDecoder()
	switch {
	case utf16:
		decoder = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
	case !utf8.Valid(file): // what Excel writes in China
		decoder = simplifiedchinese.GB18030.NewDecoder()
	}
	text, err := decoder.Bytes(file)
	return string(text), err == nil && !bytes.ContainsRune(text, utf8.RuneError) && !bytes.ContainsRune(text, 0)
}

// Separator is what stands between the cells of a text: what is most often in its first line, outside of quotes.
func Separator(text string) rune {
	counts, quoted := map[rune]int{}, false
	for _, r := range text {
		if r == '"' {
			quoted = !quoted
		}
		if r == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[r]++
		}
	}
	best := ','
	for _, r := range []rune{';', '\t'} {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}
