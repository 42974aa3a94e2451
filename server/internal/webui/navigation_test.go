package webui

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"levee/syncproto/words"
)

// TestLivePartsHaveNames: by its id a part is found in the answer that takes its place.
func TestLivePartsHaveNames(t *testing.T) {
	files, err := filepath.Glob("pages/*.html")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range regexp.MustCompile(`<[a-z][^<]*\sdata-live[^<]*>`).FindAllString(string(b), -1) {
			if found++; !strings.Contains(tag, ` id="`) {
				t.Errorf("%s: no id: %s", name, tag)
			}
		}
	}
	if found < 3 {
		t.Errorf("only %d live parts were found", found)
	}
}

func TestSectionsClaimTheirPages(t *testing.T) {
	s := section{path: pathIn + "/held", holds: []string{pathIn + "/duplicates"}}
	for path, want := range map[string]bool{"/held": true, "/held/:change": true, "/duplicates/:pair": true, "": false, "/heldover": false, "/people": false} {
		if got := s.has(pathIn+path) > 0; got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

// TestHeadOfADeployment: what waits, what to search and what alarms stand in the head of every page.
func TestHeadOfADeployment(t *testing.T) {
	pages, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := &page{wording: &wording{Words: words.In("en"), zone: time.UTC}, Title: "x", Body: overviewBody{}, Deployment: &standing{
		Name: "flood", To: "/d", Search: "/d/search", Here: "Alerts", Links: []link{{To: "/d/alerts", Name: "Alerts", Here: true, Count: 1234}},
		Alarm: &alarm{Title: "3 alerts wait", Alerts: []alarmLine{{link{To: "/d/alerts/1", Name: "red alert of 一队"}, tag{"red", "level red"}}}, More: link{To: "/d/alerts", Name: "All alerts"}},
	}}
	var b strings.Builder
	if err := pages.templates["overview"].ExecuteTemplate(&b, "layout", p); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<span class="count">1,234</span>`, `action="/d/search"`, "3 alerts wait", "red alert of 一队", "All alerts", `aria-current="page"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q", want)
		}
	}
}
