package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"levee/syncproto/wire"
)

// The dictionary is what this program made, and what the README says that it is.
func TestTheDictionaryIsTheOneThatTabletsHave(t *testing.T) {
	d, err := zstd.InspectDictionary(wire.DictionaryOne)
	if err != nil {
		t.Fatal(err)
	}
	made, err := content()
	if err != nil {
		t.Fatal(err)
	}
	if d.ID() != id || !bytes.Equal(d.Content(), made) {
		t.Errorf("dictionary %d has %d bytes of content, of which %d were made; a dictionary that tablets have stays as it is, another one is another coding", d.ID(), d.ContentSize(), len(made))
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(wire.DictionaryOne); !strings.Contains(string(readme), "`"+hex.EncodeToString(sum[:])+"`") {
		t.Errorf("the README does not say %x", sum)
	}
}
