package finalreport

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the font
	"fmt"
	"io"
	"strings"
	"sync"
)

//go:embed font/wqy-microhei.ttf.gz
var compressedFont []byte

// fontFile is the font of the PDF, which is read when it is first asked for; font/README.md says what it is.
var fontFile = sync.OnceValue(func() []byte {
	r, err := gzip.NewReader(bytes.NewReader(compressedFont))
	if err != nil {
		panic(fmt.Sprintf("the font, which is part of the program: %v", err))
	}
	b, err := io.ReadAll(r)
	if err != nil {
		panic(fmt.Sprintf("the font, which is part of the program: %v", err))
	}
	return b
})

// geta stands for a character that the font can't have, as it has stood in Chinese print for a missing type.
const geta = '〓'

// printable is a text as it can be set: the font and the library know the characters up to U+FFFF.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r > 0xFFFE:
			return geta
		case r < ' ':
			return ' '
		}
		return r
	}, text)
}
