package server_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	testNamed    = regexp.MustCompile("`(Test\\w+)`")
)

// Each row of the threat model names tests that are there, or says that the threat is accepted.
func TestThreatModelNamesItsTests(t *testing.T) {
	there := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range testFunction.FindAllSubmatch(b, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, model, _ := strings.Cut(string(readme), "\n## Threat model\n")
	model, _, _ = strings.Cut(model, "\n## ")
	rows := 0
	for row := range strings.Lines(model) {
		if !strings.HasPrefix(row, "|") || strings.HasPrefix(row, "|---") || strings.HasPrefix(row, "| attacker ") {
			continue
		}
		rows++
		cells := strings.Split(strings.TrimSpace(row), "|")
		if len(cells) != 6 {
			t.Errorf("not four cells: %s", row)
			continue
		}
		named := testNamed.FindAllStringSubmatch(cells[4], -1)
		if len(named) == 0 && strings.TrimSpace(cells[4]) != "none: accepted" {
			t.Errorf("names no test: %s", row)
		}
		for _, m := range named {
			if !there[m[1]] {
				t.Errorf("there is no %s: %s", m[1], row)
			}
		}
	}
	if rows < 50 {
		t.Errorf("only %d rows", rows)
	}
}
