// Command dictionary makes the dictionary of the content coding levee-1. A dictionary that tablets have is never made anew:
// another one is another coding, beside it.
//
//	go run ./syncproto/wire/dictionary syncproto/wire/levee-1.dict
package main

import (
	"bytes"
	_ "embed" // the texts
	"fmt"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// id is the number by which frames name the dictionary. One below 256 takes one byte.
const id = 1

// Both texts were written for this, by nobody about nobody. What the dictionary says of the lengths of matches and the
// bytes between them must come from text that is not in it: nobody else's is.
var (
	//go:embed words.txt
	words string
	//go:embed sentences.txt
	known string
	//go:embed training.txt
	unknown string
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "dictionary: name the file to write")
		os.Exit(2)
	}
	made, err := dictionary()
	if err == nil {
		err = os.WriteFile(os.Args[1], made, 0o644) //nolint:gosec // it goes to every tablet
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dictionary:", err)
		os.Exit(1)
	}
}

// dictionary is the file.
func dictionary() ([]byte, error) {
	messages, err := newSampler(sentences(unknown)).bodies()
	if err != nil {
		return nil, err
	}
	content, err := content()
	if err != nil {
		return nil, err
	}
	made, err := zstd.BuildDict(zstd.BuildDictOptions{ID: id, Contents: messages, History: content, Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedBestCompression, CompatV155: true})
	if err != nil {
		return nil, fmt.Errorf("building the dictionary: %w", err)
	}
	return made, nil
}

// content is what matches are found in: the text, and behind it, since what is near is cheap to name, what messages have
// between the ids and the text.
func content() ([]byte, error) {
	var b bytes.Buffer
	for _, w := range strings.Fields(words) {
		if !strings.Contains(known, w) {
			b.WriteString(w)
		}
	}
	b.WriteString(known)
	shapes, err := newSampler(sentences(known)).shapes()
	for _, s := range shapes {
		b.Write(s)
	}
	return b.Bytes(), err
}

func sentences(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }
