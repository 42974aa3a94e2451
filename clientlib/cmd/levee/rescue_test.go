package main

import (
	"os"
	"strings"
	"testing"
)

// Whoever meets a damaged file is told what to run, and that brings back what was unsent.
func TestRescueOfADamagedFile(t *testing.T) {
	t.Parallel()
	tab, _ := enrolledTablet(t)
	tab.drafts(40)
	content, err := os.ReadFile(tab.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tab.file, content[:len(content)-4096], 0o600); err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]string{"en": "run: levee rescue", "zh": "请运行：levee rescue"} {
		if _, stderr, exit := tab.run("list", "--lang", lang); exit != 1 || !strings.Contains(stderr, want) {
			t.Errorf("a damaged file: %q", stderr)
		}
	}
	done := tab.object(0, "rescue")
	if done["queued"].(float64)+done["lost"].(float64) != 40 || !strings.HasSuffix(done["damaged"].(string), ".damaged-1") {
		t.Errorf("rescued %v", done)
	}
	if did := tab.object(0, "sync"); did["sent"] != done["queued"] || did["complete"] != true {
		t.Errorf("after it: %v", did)
	}
}
