package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"levee/syncproto/record"
	labels "levee/syncproto/words"
)

// Every page of a tablet can be used by everybody, in both languages, on a small screen and a large one, and with large text in sunlight.
func TestTabletPagesAreAccessible(t *testing.T) {
	f := newFull(t)
	for _, language := range languages {
		t.Run(language, func(t *testing.T) {
			b := openBrowser(t, phone, language)
			pages := 0
			f.tour(b, func(string) {
				b.accessible().tangible()
				b.shownAs("larger", "normal").tangible()
				if pages++; pages%5 == 0 {
					b.shownAs("larger", "high").accessible()
				}
				b.shownAs("normal", "normal").turn(laptop)
				b.accessible().turn(phone)
			})
			b.noPageForgotten()
		})
	}
}

// shownAs shows the page as with other settings.
func (b *browser) shownAs(text, contrast string) *browser {
	b.t.Helper()
	eval[chromedp.Void](b, fmt.Sprintf(`Object.assign(document.documentElement.dataset, {text: %q, contrast: %q})`, text, contrast))
	return b
}

// tour opens every page of the tablet: those that links lead to, and those that come of what is sent.
func (f *full) tour(b *browser, do func(name string)) {
	f.t.Helper()
	w := &tour{browser: b, full: f, do: do, kinds: kindsWithForms(b.t)}
	tablet := f.tablet()
	defer tablet.kill()
	w.beforeSigningIn(tablet)
	w.signsIn()
	b.everyPage([]string{w.home}, do)
	w.records()
	w.wrongForms()
	w.counter()
	w.paper()
	w.emergency("emergency")
	w.identities()
	w.handover()
	w.open(w.home + "nowhere")
	do("nowhere")
	w.open(w.home + "settings").follow(b.either("Change the PIN", "更改 PIN"))
	do("settings-wrong")
}

// tour is one way through all pages.
type tour struct {
	*browser
	*full
	do    func(name string)
	home  string
	kinds []record.Kind
}

// beforeSigningIn are the pages that anybody who picks the tablet up can see.
func (w *tour) beforeSigningIn(tablet *opened) {
	link, err := url.Parse(tablet.link)
	w.must(err)
	w.home = link.ResolveReference(&url.URL{Path: "/"}).String()
	link.Fragment = ""
	w.open(link.String())
	w.do("enter")
	w.fill(w.either("Code", "代码"), "0").follow(w.either("Open", "打开"))
	w.do("enter-wrong")
	w.open(w.home)
	w.do("refused")
	w.open(tablet.link).sees("PIN")
	w.do("sign-in")
	w.emergency("emergency-locked")
	w.open(w.home + "enrol")
	w.do("enrol")
	w.follow(w.either("Set up", "登记"))
	w.do("enrol-wrong")
}

func (w *tour) signsIn() {
	w.open(w.home+"sign-in").tap("李娜").fill("PIN", "846205").follow(w.either("Sign in", "登录"))
	w.do("sign-in-wrong")
	w.tap("李娜").fill("PIN", tabletPIN).follow(w.either("Sign in", "登录")).sees(w.either("Done today", "今天已做"))
}

// records are the pages of records of all kinds, and the forms of all.
func (w *tour) records() {
	for _, kind := range slices.SortedFunc(maps.Keys(w.one), func(x, y record.Kind) int { return int(x - y) }) {
		name, id := labels.KindName(kind), w.one[kind].String()
		w.open(w.home + "records/" + id)
		w.do("record-" + name)
		if slices.Contains(w.kinds, kind) {
			w.open(w.home + "records/" + id + "/edit")
			w.do("edit-" + name)
		}
	}
	for _, kind := range w.kinds {
		of := ""
		for owner, id := range w.one {
			if record.MayOwn(owner, kind) {
				of = "?of=" + id.String()
			}
		}
		w.open(w.home + "new/" + labels.KindName(kind) + of)
		w.do("new-" + labels.KindName(kind))
	}
}

// wrongForms are forms that were sent with something missing, and one whose record is there already.
func (w *tour) wrongForms() {
	for _, kind := range []string{"outreach", "case_session", "group_session", "community_activity", "case", "group"} {
		w.open(w.home + "new/" + kind).follow(w.either("Save", "保存")).sees(w.either("Not saved yet", "还没有保存"))
		w.do("wrong-" + kind)
	}
	w.open(w.home+"new/case").fill(w.either("Case number", "个案编号"), "WZ-2021-014").tap(w.either("psychological support", "心理疏导")).follow(w.either("Save", "保存"))
	w.sees(w.either("A similar record exists", "已有相似的记录"))
	w.do("similar")
	w.open(w.home + "cases/" + w.file.String() + "/close").follow(w.either("Close the case", "结案"))
	w.do("close-wrong")
}

func (w *tour) counter() {
	at := w.home + "counter?activity=" + w.talk.String()
	w.open(at)
	w.do("counts")
	w.open(at + "&another=1")
	w.do("pad")
	w.follow(w.either("Done", "完成"))
	w.do("pad-wrong")
	w.follow(w.either("Type numbers", "填写数字"))
	w.do("numbers")
	w.fill(w.either("First-time", "首次人数"), "viele").follow(w.either("Take these numbers", "用这些数字"))
	w.do("numbers-wrong")
	w.open(w.home + "register?activity=" + w.talk.String())
	w.do("register")
	w.follow(w.either("Register", "登记"))
	w.do("register-wrong")
}

// paper is a day entered from paper, with a row of each kind, one of which is saved.
func (w *tour) paper() {
	w.open(w.home + "paper?new=1")
	for _, kind := range [][2]string{{"Outreach", "走访"}, {"Case session", "个案服务记录"}, {"Group session", "小组活动"}, {"Community activity", "团体活动"}} {
		w.follow("＋ " + w.either(kind[0], kind[1]))
	}
	w.do("paper-rows")
	w.follow(w.either("Save the day", "保存这一天"))
	w.do("paper-wrong")
}

// emergency tells of a risk: first with nothing written, then with all.
func (w *tour) emergency(name string) {
	w.open(w.home + "emergency")
	w.do(name)
	w.follow(w.either("Report the risk", "上报风险"))
	w.do(name + "-wrong")
	w.tap(w.either("missing", "失联")).fill(w.either("Done so far", "已采取措施"), "正在村里找。").follow(w.either("Report the risk", "上报风险"))
	w.sees(w.either("Text for an SMS", "短信内容"))
	w.do(name + "-taken")
}

// identities are the pages behind the PIN.
func (w *tour) identities() {
	w.open(w.home + "cases/" + w.file.String() + "/identity")
	w.do("unlock")
	w.fill("PIN", "846205").follow(w.either("Show", "显示"))
	w.do("unlock-wrong")
	w.fill("PIN", tabletPIN).follow(w.either("Show", "显示")).sees("王秀兰")
	w.do("identity")
	w.follow(w.either("Change", "修改"))
	w.do("identity-edit")
	w.open(w.home + "cases")
	w.do("cases-names")
	w.fill(w.either("Search the cases", "查找个案"), "王").follow(w.either("Search", "查找"))
	w.do("cases-found")
}

func (w *tour) handover() {
	w.open(w.home + "handover/to").tap("王芳").follow(w.either("Go on", "下一步"))
	w.do("handover-what")
	w.open(w.home + "handover/what").follow(w.either("Go on", "下一步"))
	w.do("handover-check")
	for _, step := range []string{"sheet", "safe", "tablet"} {
		w.open(w.home + "handover/" + step)
		w.do("handover-" + step)
	}
}

// tangible reports what is too small for a thumb, and whether the page is wider than its screen.
func (b *browser) tangible() *browser {
	b.t.Helper()
	for _, fault := range eval[[]string](b, untouchable) {
		b.t.Errorf("%s: %s", b.where(), fault)
	}
	return b
}

// tooWide is the fault of a page that is wider than its screen.
const tooWide = `(() => {
	const wide = document.documentElement.scrollWidth, screen = document.documentElement.clientWidth
	if (wide <= screen)
		return []
	const out = [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > screen + 0.5 && !e.closest('.visually-hidden'))
	return ['the page is ' + wide + ' px wide: ' + out.slice(0, 3).map(e => e.outerHTML.slice(0, 150)).join(' … ')]
})()`

// untouchable are the faults of what is touched: all but links within a sentence must be 48 px high and 44 px wide; a box to
// tick together with its label.
const untouchable = `(() => {
	const faults = ` + tooWide + `
	for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')) {
		const boxes = [e, ...e.matches('[type=checkbox], [type=radio]') ? e.labels : []].map(one => one.getBoundingClientRect())
		const height = Math.max(...boxes.map(b => b.bottom)) - Math.min(...boxes.map(b => b.top))
		const width = Math.max(...boxes.map(b => b.right)) - Math.min(...boxes.map(b => b.left))
		if (e.matches('.skip') || e.closest('.visually-hidden, .unseen, .to-decision') || !e.checkVisibility({visibilityProperty: true}) || e.hidden)
			continue
		const sentence = getComputedStyle(e).display === 'inline' && e.parentElement.innerText.trim().length > e.innerText.trim().length
		if (!sentence && (height < 47.9 || width < 43.9))
			faults.push(Math.round(width) + '×' + Math.round(height) + ' px: ' + e.outerHTML.slice(0, 200) + ' in ' + e.parentElement.outerHTML.slice(0, 100))
	}
	return faults
})()`

var (
	formPattern  = regexp.MustCompile(`(?m)^\trecordv1\.Kind_(KIND_\w+): +\{`)
	constPattern = regexp.MustCompile(`(?m)^\s*(?:const )?(path\w+) *= ((?:path\w+|"[^"]*")(?: \+ "[^"]*")?)$`)
	routePattern = regexp.MustCompile(`(?m)\{method: "GET", path: ((?:path\w+|"[^"]*")(?: \+ "[^"]*")?), .*\},$`)
)

// pagesSource is a file of the pages' program.
func pagesSource(t testing.TB, name string) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "clientlib", "tabletui", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// kindsWithForms are the kinds for which the pages have a form.
func kindsWithForms(t testing.TB) (kinds []record.Kind) {
	t.Helper()
	for _, found := range formPattern.FindAllStringSubmatch(pagesSource(t, "sheets.go"), -1) {
		kind, ok := labels.KindNamed(strings.ToLower(strings.TrimPrefix(found[1], "KIND_")))
		if !ok {
			t.Fatalf("there is no kind %s", found[1])
		}
		kinds = append(kinds, kind)
	}
	if len(kinds) == 0 {
		t.Fatal("no form was found")
	}
	return kinds
}

// noPageForgotten reports pages that the program can show and that the browser was not on.
func (b *browser) noPageForgotten() {
	b.t.Helper()
	named := namedPaths(b.t, filepath.Join("..", "..", "clientlib", "tabletui"))
	routes := 0
	for _, found := range routePattern.FindAllStringSubmatch(pagesSource(b.t, "routes.go"), -1) {
		if strings.Contains(found[0], "quiet: true") { // a part of a page
			continue
		}
		routes++
		path := strings.TrimSuffix(written(found[1], named), "{$}")
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "[^/]+") + "$")
		if !slices.ContainsFunc(slices.Collect(maps.Keys(b.pages)), pattern.MatchString) {
			b.t.Errorf("the tour leads to no %s", path)
		}
	}
	if all := strings.Count(pagesSource(b.t, "routes.go"), `{method: "GET"`); routes == 0 || routes > all {
		b.t.Errorf("%d of %d routes were understood", routes, all)
	}
	b.t.Logf("%d pages by %d routes", len(b.pages), routes)
}

// sources are the files of a program's package, without its tests.
func sources(t testing.TB, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

// namedPaths are the constants of a package that addresses are written with.
func namedPaths(t testing.TB, folder string) map[string]string {
	t.Helper()
	named := map[string]string{}
	for _, source := range sources(t, folder) {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range constPattern.FindAllStringSubmatch(string(text), -1) {
			named[found[1]] = found[2]
		}
	}
	return named
}

// written is the text that an expression of strings and constants comes to.
func written(expression string, named map[string]string) string {
	var text strings.Builder
	for part := range strings.SplitSeq(expression, "+") {
		part = strings.TrimSpace(part)
		if value, ok := named[part]; ok {
			text.WriteString(written(value, named))
		} else {
			text.WriteString(strings.Trim(part, `"`))
		}
	}
	return text.String()
}
