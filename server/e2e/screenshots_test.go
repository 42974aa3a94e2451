package e2e

import (
	"flag"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var screenshots = flag.String("screenshots", "", "a folder: TestScreenshots writes pictures of all pages there")

// languages are those of the pages, as a browser asks for them.
var languages = []string{"zh-CN", "en"}

// TestScreenshots writes pictures for people to look at: task screenshots.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("for people to look at: task screenshots")
	}
	for place, reach := range map[string]func(*testing.T, screen, string) (*browser, func(func(name string))){"server": serverPages, "tablet": tabletPages} {
		if err := os.RemoveAll(filepath.Join(*screenshots, place)); err != nil {
			t.Fatal(err)
		}
		for _, language := range languages {
			for _, on := range []screen{phone, laptop} {
				t.Run(place+"/"+language+"/"+on.name, func(t *testing.T) {
					b, each := reach(t, on, language)
					each(func(name string) {
						b.picture(filepath.Join(*screenshots, place, language+"-"+on.name, name+".png"))
					})
				})
			}
		}
	}
}

// serverPages is a browser at a server that has something to show, and a way through its pages.
func serverPages(t *testing.T, on screen, language string) (b *browser, each func(do func(name string))) {
	t.Helper()
	b = openBrowser(t, on, language)
	return b, newFullDesk(t, b).tour
}

// tabletPages is a browser at a tablet that has something to show, and a way through its pages.
func tabletPages(t *testing.T, on screen, language string) (b *browser, each func(do func(name string))) {
	t.Helper()
	f := newFull(t)
	b = openBrowser(t, on, language)
	return b, func(do func(string)) { f.tour(b, do) }
}

// linksOn are the addresses that links of a page lead to, but for files and the same page in another language.
const linksOn = `Array.from(document.querySelectorAll('a[href]:not([hreflang]):not([download])'), a => a.href)`

// everyPage opens some pages and all that links lead to from them on the same server, and does something on each. Of pages that differ
// by ids alone, one is opened.
func (b *browser) everyPage(from []string, do func(name string)) {
	b.t.Helper()
	host := ""
	opened := map[string]bool{}
	for todo := from; len(todo) > 0; todo = todo[1:] {
		u, err := url.Parse(todo[0])
		if err != nil {
			b.t.Fatal(err)
		}
		if host == "" {
			host = u.Host
		}
		name := pageName(u)
		if u.Host != host || opened[name] {
			continue
		}
		opened[name] = true
		b.open(todo[0])
		todo = append(todo, eval[[]string](b, linksOn)...)
		do(name)
	}
	b.t.Logf("%d pages", len(opened))
}

var idPattern = regexp.MustCompile(`^[\w-]*\d[\w-]*$`)

// pageName tells pages apart by their addresses, without the ids and figures in them and what is asked of them. It can name a file.
func pageName(u *url.URL) string {
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	for i, part := range parts {
		switch {
		case len(part) >= 16 && idPattern.MatchString(part), i > 0 && parts[i-1] == "arrivals":
			parts[i] = "ID"
		case i > 0 && parts[i-1] == "figures":
			parts[i] = "FIGURE"
		}
	}
	if len(parts) == 0 {
		parts = []string{"start"}
	}
	return strings.Join(append(parts, slices.Sorted(maps.Keys(u.Query()))...), "-")
}
