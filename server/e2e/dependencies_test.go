package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each direct dependency has its reason in the README, and nothing else stands there.
func TestEveryDirectDependencyHasAReason(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1) {
		required = append(required, m[1])
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "## Direct dependencies\n")
	if !ok {
		t.Fatal("the README has no table of dependencies")
	}
	var reasoned []string
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+\.\S+) \| \S.* \|$`).FindAllStringSubmatch(table, -1) {
		reasoned = append(reasoned, m[1])
	}
	slices.Sort(required)
	slices.Sort(reasoned)
	if len(required) == 0 || !slices.Equal(required, reasoned) {
		t.Errorf("go.mod requires %v\nthe README gives reasons for %v", required, reasoned)
	}
}
