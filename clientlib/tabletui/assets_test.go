package tabletui

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What lies in assets is the version that the Taskfile names, as `task vendor:htmx` took it from its package: nobody has touched it.
func TestHtmxIsWhatItsNoteSays(t *testing.T) {
	note := map[string]string{}
	for line := range strings.Lines(read(t, "assets", "htmx.txt")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			break // the text of the licence
		}
		note[name] = value
	}
	htmx := read(t, "assets", "htmx.min.js")
	if sum := sha256.Sum256([]byte(htmx)); note["sha256"] != hex.EncodeToString(sum[:]) {
		t.Errorf("htmx.min.js has the SHA-256 %x, the note says %q", sum, note["sha256"])
	}
	if note["name"] != "htmx.org" || note["licence"] != "Zero-Clause BSD" {
		t.Errorf("the note says %q", note)
	}
	if !strings.Contains(htmx, `version="`+note["version"]+`"`) {
		t.Errorf("htmx.min.js is not version %q", note["version"])
	}
	if taskfile := read(t, "..", "..", "Taskfile.yml"); !strings.Contains(taskfile, "\n  HTMX: '"+note["version"]+"'\n") {
		t.Errorf("the Taskfile has another version than %q", note["version"])
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
