package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
	"levee/syncproto/words/wordstest"
)

func TestEveryMessageIsInBothLanguages(t *testing.T) { wordstest.CheckMessages(t, 200) }

// Every help has its place, and every place its help: that is what building the command line checks.
func TestEveryHelpIsUsed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, b...)
	}
	for name := range helps {
		if !strings.Contains(string(source), "${"+name+"}") {
			t.Errorf("help %q is not used", name)
		}
	}
	for _, lang := range []string{"en", "zh"} {
		s := &session{Words: words.In(lang)}
		if _, err := s.parser(&grammar{}); err != nil {
			t.Error(err)
		}
	}
}

// Every kind is one that tablets make, one that they only show, or one of which they tell no more than that it is there.
func TestEveryKindHasItsCommand(t *testing.T) {
	known := append(slices.Clone(tabletKinds), setUpKinds...)
	known = append(known, recordv1.Kind_KIND_CONFLICT, recordv1.Kind_KIND_HELD_DECISION, recordv1.Kind_KIND_DISTINCTION,
		recordv1.Kind_KIND_WAIVER, recordv1.Kind_KIND_CERTIFICATE)
	for _, k := range record.Kinds() {
		if !slices.Contains(known, k) {
			t.Errorf("%v has no command", k)
		}
	}
	for _, k := range tabletKinds {
		_, helped := kindHelps[k]
		if loggers[k] == nil || (!helped && k != recordv1.Kind_KIND_HEADCOUNT) {
			t.Errorf("%v is not logged, or has no help", k)
		}
	}
	for f := range words.Compound + 1 {
		if _, ok := placeholders[f]; !ok {
			t.Errorf("form %d has no placeholder", f)
		}
	}
}
