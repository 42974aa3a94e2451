package webui

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// htmx is the same as on tablets, where a test compares it with its note and the Taskfile: `task vendor:htmx` puts it at both.
func TestHtmxIsThatOfTheTablet(t *testing.T) {
	for _, name := range []string{"htmx.min.js", "htmx.txt"} {
		ours, err := os.ReadFile(filepath.Join("assets", name))
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := os.ReadFile(filepath.Join("..", "..", "..", "clientlib", "tabletui", "assets", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours, theirs) {
			t.Errorf("%s is not that of the tablet", name)
		}
	}
}
