package tabletui

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/net/html"

	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
	"levee/syncproto/words/wordstest"
)

func TestEveryMessageIsInBothLanguages(t *testing.T) { wordstest.CheckMessages(t, 150) }

// madeNames are the beginnings of names that are put together, with what they are put together from: the name that must stand in the sources, too.
var madeNames = map[string]func(rest string) bool{
	"done_": quoted,
	"hint_": func(rest string) bool {
		for k := range sheets {
			fields := record.New(k).ProtoReflect().Descriptor().Fields()
			for i := range fields.Len() {
				if name := string(fields.Get(i).Name()); name == rest || strings.HasSuffix(rest, "_"+name) {
					return true
				}
			}
		}
		return false
	},
}

// sources are the program and its pages.
var sources = func() string {
	var all strings.Builder
	for _, pattern := range []string{"*.go", "pages/*.html"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			if strings.HasPrefix(name, "messages") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				panic(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}()

func quoted(name string) bool { return strings.Contains(sources, `"`+name+`"`) }

// Whatever is there to be said is said somewhere, and what the sources say is there.
func TestEveryMessageIsUsed(t *testing.T) {
	names := map[string]bool{}
	for name := range messages {
		names[name] = true
	}
	for name := range numbers {
		if names[name] {
			t.Errorf("%q is a message, and one about a number", name)
		}
		names[name] = true
	}
	for name := range names {
		used := quoted(name)
		for prefix, of := range madeNames {
			if rest, made := strings.CutPrefix(name, prefix); made {
				used = used || of(rest)
			}
		}
		if !used {
			t.Errorf("nobody says %q", name)
		}
	}
	for call, there := range map[*regexp.Regexp]func(string) bool{
		regexp.MustCompile(`\.T[ (]+"([a-z0-9_]+)"`):                           func(name string) bool { _, ok := messages[name]; return ok },
		regexp.MustCompile(`\.N[ (]+"([a-z0-9_]+)"`):                           func(name string) bool { _, ok := numbers[name]; return ok },
		regexp.MustCompile(`\.done\([^\n]*?, "([a-z0-9_]+)"\)`):                func(name string) bool { _, ok := messages["done_"+name]; return ok },
		regexp.MustCompile(`\$v\.T \(or \(and [^"\n]*"([a-z0-9_]+)"`):          func(name string) bool { _, ok := messages[name]; return ok },
		regexp.MustCompile(`\$v\.T \(or \(and [^"\n]*"[a-z0-9_]+"\) "([^"]+)`): func(name string) bool { _, ok := messages[name]; return ok },
	} {
		found := call.FindAllStringSubmatch(sources, -1)
		if len(found) == 0 {
			t.Errorf("nothing is said by %v", call)
		}
		for _, f := range found {
			if !there(f[1]) {
				t.Errorf("%s: there is no such message", f[0])
			}
		}
	}
}

// addresses are where the pages are that need something in their address: what that is stands in a tablet of walkable.
func (w walk) addresses(t *testing.T, pattern string) []string {
	t.Helper()
	switch pattern {
	case "/events": // never ends
		return nil
	case "/{$}":
		return []string{"/"}
	case pathRegister:
		var ways []string
		for _, b := range bases {
			ways = append(ways, registerAddress(uuid.MustParse(w["record"][0]), b.name))
		}
		return ways
	}
	for prefix, placed := range map[string][2]string{ // records and forms that have pages of their own
		pathCases: {"{record}", "{case}"}, pathCounter: {"{form}", "{count}"}, pathPaper: {"{form}", "{paper}"},
	} {
		if strings.HasPrefix(pattern, prefix+"/") {
			pattern = strings.ReplaceAll(pattern, placed[0], placed[1])
		}
	}
	all := []string{pattern}
	for name, values := range w {
		var next []string
		for _, one := range all {
			if !strings.Contains(one, "{"+name+"}") {
				next = append(next, one)
				continue
			}
			for _, value := range values {
				next = append(next, strings.ReplaceAll(one, "{"+name+"}", value))
			}
		}
		all = next
	}
	if strings.Contains(all[0], "{") {
		t.Fatalf("nobody has said how to come to %s: see walkable", pattern)
	}
	return all
}

// walk is what stands in addresses, by the name of the place.
type walk map[string][]string

// walkable is a tablet on which every page has something to show.
func walkable(t *testing.T) (*tablet, walk) {
	t.Helper()
	tab := newTablet(t)
	tab.sync()
	w := walk{}
	for k := range sheets {
		w["kind"] = append(w["kind"], words.KindName(k))
	}
	tab.caseNo("HN-1", "赵秀英")
	theCase, err := tab.store().MyCases(t.Context())
	if err != nil || len(theCase) != 1 {
		t.Fatal(theCase, err)
	}
	w["case"] = []string{theCase[0].ID.String()}
	tab.log("case_session", "?of="+w["case"][0], url.Values{"mode": {"home_visit"}, "minutes": {"40"}})
	id := tab.visited("12")
	tab.sync()
	me, him := side{fakeserver.WangFang, households(12)}, side{fakeserver.LiLei, households(15)}
	tab.clash(fakeserver.TestID(9, 2), id, "households", me, him)
	tab.visited("1200")
	tab.holds(recordv1.Kind_KIND_OUTREACH, record.CodeNumberOutOfRange)
	to := tab.get("/new/outreach").to()
	path, _, _ := strings.Cut(to, "?")
	tab.post(path, saying(tab.get(to).form(path, url.Values{"households": {"3"}}), doKeep))
	tab.post("/handover/to", url.Values{"to": {fakeserver.LiLei.String()}})
	w["form"] = []string{strings.TrimPrefix(path, "/forms/")}
	w["record"] = []string{id.String()}
	pad := tab.count(id, "")
	pad.tap(1, "1.3", "first_time")
	w["count"] = []string{strings.TrimPrefix(pad.path, pathCounter+"/")}
	w["paper"] = []string{strings.TrimPrefix(tab.paper().path, pathPaper+"/")}
	w["name"] = []string{"tablet.css"}
	return tab, w
}

// allowedLatin are words in Latin letters that Chinese pages have, too.
var allowedLatin = regexp.MustCompile(`^(PIN|Levee|levee|English|HN|MB|KB|kB|SMS|http|test|x)$`)

// namesOfPeopleAndPlaces stand in the records, and are no words of the pages. The other language calls itself by its own name.
var namesOfPeopleAndPlaces = []string{
	"王芳", "李雷", "赵敏", "赵秀英", "王庄镇", "小河镇", "一队", "河南水灾社工服务", "环境整治", "急救", "全场", "简体中文", "中文", "西街",
}

// Every page that can be opened says all it says in the language that was chosen.
func TestEveryPageIsInOneLanguage(t *testing.T) {
	tab, w := walkable(t)
	for _, lang := range []string{"zh", "en"} {
		tab.post("/language", url.Values{"language": {lang}, "next": {"/"}})
		for _, unlocked := range []bool{false, true} {
			if unlocked {
				tab.post("/unlock", url.Values{"pin": {thePIN}, "next": {"/"}})
			}
			for _, r := range routes() {
				if r.method != "GET" {
					continue
				}
				for _, address := range w.addresses(t, r.path) {
					page := tab.get(address)
					for range 3 {
						if page.to() == "" {
							break
						}
						page = page.follow()
					}
					if page.StatusCode != http.StatusOK {
						t.Errorf("%s: status %d: %s", address, page.StatusCode, page.text)
					}
					page.speaks(t, lang, address)
				}
			}
		}
	}
}

// speaks checks the words of a page.
func (a *answer) speaks(t *testing.T, lang, address string) {
	t.Helper()
	for _, text := range a.texts() {
		for _, name := range namesOfPeopleAndPlaces {
			text = strings.ReplaceAll(text, name, "")
		}
		for _, word := range regexp.MustCompile(`[a-z0-9]+(_[a-z0-9]+)+`).FindAllString(text, -1) {
			t.Errorf("%s in %s says %q", address, lang, word)
		}
		if word := wordstest.Untellable(text); word != "" {
			t.Errorf("%s in %s says %q, which people are not told", address, lang, word)
		}
		if lang == "en" && strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s in English: %q", address, text)
		}
		if lang == "zh" {
			for _, word := range regexp.MustCompile(`[A-Za-z]+`).FindAllString(text, -1) {
				if !allowedLatin.MatchString(word) {
					t.Errorf("%s in Chinese: %q in %q", address, word, text)
				}
			}
		}
	}
}

// texts are what people read or are told of a page.
func (a *answer) texts() []string {
	var all []string
	for n := range a.html.Descendants() {
		switch {
		case n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" && n.Parent.Data != "textarea":
			all = append(all, strings.TrimSpace(n.Data))
		case n.Type == html.ElementNode:
			for _, name := range []string{"aria-label", "title", "placeholder", "alt"} {
				all = append(all, attribute(n, name))
			}
		}
	}
	return all
}
