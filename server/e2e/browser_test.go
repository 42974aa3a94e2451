package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"levee/syncproto/testneed"
)

// browser is a real one, in somebody's hands: it opens addresses, and what is tapped, filled in and read is named by what people
// and screen readers are told of it. What is not there yet is waited for.
type browser struct {
	t     testing.TB
	ctx   context.Context
	touch bool
	on    screen
	// chinese says which of the two languages the pages are in.
	chinese bool
	status  int // of the newest page

	mu    sync.Mutex
	hosts map[string]bool // those that were opened; pages must load nothing from others
	pages map[string]bool // the paths that were asked for as pages
	posts map[network.RequestID]*post
	// answers are all that came, from anywhere, before how many of them had come when the page was asked for.
	answers []*network.Response
	before  int
	faults  []string
}

// post is something that a page sent.
type post struct {
	path     string
	body     []byte
	answered bool
}

// screen is what somebody holds in the hand or has on the desk.
type screen struct {
	name          string
	width, height int64
	touch         bool
}

var (
	phone  = screen{"360x640", 360, 640, true}
	laptop = screen{"1280x800", 1280, 800, false}
)

// patience is how long a browser waits for what must come. It is long for slow machines: nothing waits for it that does come.
const patience = 30 * time.Second

// openBrowser starts a browser with nothing in it, in a language ("zh-CN"). The test is skipped on a machine without Chromium. It
// fails in the end if a page's policy refused something, a script failed, or a page loaded anything from elsewhere.
func openBrowser(t testing.TB, on screen, language string) *browser {
	t.Helper()
	if raced {
		t.Skip("the race detector sees nothing of the programs that a browser talks to; without it this is tested")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		testneed.Missing(t, "there is no chromium here (Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.Flag("lang", language), chromedp.Flag("accept-lang", language), chromedp.Env("LANGUAGE="+strings.ReplaceAll(language, "-", "_")))
	if os.Geteuid() == 0 { // it refuses to start sandboxed for root, whom containers run as
		options = append(options, chromedp.NoSandbox)
	}
	ctx, closed := chromedp.NewExecAllocator(context.Background(), options...) // not the test's context: that ends before what is to be cleaned up
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithLogf(t.Logf), chromedp.WithErrorf(t.Logf))
	b := &browser{t: t, ctx: ctx, touch: on.touch, chinese: strings.HasPrefix(language, "zh"), hosts: map[string]bool{}, pages: map[string]bool{}, posts: map[network.RequestID]*post{}}
	t.Cleanup(func() {
		cancel()
		closed()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, fault := range b.faults {
			t.Error(fault)
		}
	})
	if err := chromedp.Listen(ctx, b.listen); err != nil { // without a deadline: the browser lives as long as this context
		t.Fatalf("starting chromium: %v", err)
	}
	b.turn(on)
	// Nobody looks at a browser without a window: a page would get the focus with the first touch, and scroll to the field that has it.
	focused := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	})
	if err := chromedp.Do(b.ctx, focused); err != nil {
		t.Fatalf("the focus: %v", err)
	}
	return b
}

// turn shows the page on another screen.
func (b *browser) turn(to screen) {
	b.t.Helper()
	size := chromedp.EmulateViewport(to.width, to.height)
	if to.touch {
		size = chromedp.EmulateViewport(to.width, to.height, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	if err := chromedp.Do(b.ctx, size); err != nil {
		b.t.Fatalf("the size of the screen: %v", err)
	}
	b.touch, b.on = to.touch, to
}

// either is a word in the language of the browser.
func (b *browser) either(en, zh string) string {
	if b.chinese {
		return zh
	}
	return en
}

// listen notes what goes wrong in pages without anybody seeing it.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, "a script failed: "+(&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			fault := "a script complains:"
			for _, said := range e.Args {
				fault += " " + cmp.Or(said.Description, string(said.Value))
			}
			// What a page asks for breaks off when the page is left, or its program killed.
			if !strings.Contains(fault, "Failed to fetch") {
				b.faults = append(b.faults, fault)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceSecurity {
			b.faults = append(b.faults, "refused: "+e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		to, err := url.Parse(e.Request.URL)
		if err != nil || to.Host != "" && !b.hosts[to.Host] {
			b.faults = append(b.faults, "a page loads from elsewhere: "+e.Request.URL)
			return
		}
		if e.Type == network.ResourceTypeDocument && e.Request.Method == http.MethodGet {
			b.pages[to.Path] = true
		}
		if e.Request.Method == http.MethodPost {
			sent := &post{path: to.Path}
			for _, part := range e.Request.PostDataEntries {
				sent.body = append(sent.body, part.Bytes...)
			}
			b.posts[e.RequestID] = sent
		}
	case *network.EventResponseReceived:
		b.answers = append(b.answers, e.Response)
	case *network.EventLoadingFinished:
		if sent := b.posts[e.RequestID]; sent != nil {
			sent.answered = true
		}
	}
}

// within limits what the browser does by its patience.
func (b *browser) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, patience)
}

// until waits for something, and looks for it again whenever the page changes.
func (b *browser) until(what string, there func(context.Context, *chromedp.Target) error) {
	b.t.Helper()
	ctx, cancel := b.within()
	defer cancel()
	for last := error(nil); ; {
		err := chromedp.Do(ctx, chromedp.Func(there))
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("waited for %s: %v\n%s", what, cmp.Or(last, err), b.here())
		}
		last = err
		// This fails when the page is left meanwhile, which is a change as well.
		_, _ = chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](untilChange, chromedp.EvalAwaitPromise))
	}
}

// untilChange ends when the page changes; after a moment in any case, for what changes without the page's tree: a field's value, or
// what lies before it.
const untilChange = `new Promise(done => {
	const seen = new MutationObserver(() => { seen.disconnect(); done() })
	seen.observe(document, {subtree: true, childList: true, attributes: true, characterData: true})
	setTimeout(() => { seen.disconnect(); done() }, 50)
})`

// here says where the browser is and what it shows, for who reads that a test failed.
func (b *browser) here() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + '\n' + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// open opens an address.
func (b *browser) open(address string) *browser {
	b.t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.hosts[to.Host] = true
	b.mu.Unlock()
	b.loads("opening "+address, func(ctx context.Context) (*network.Response, error) {
		return chromedp.Run(ctx, chromedp.NavigateResponse(address))
	})
	return b
}

// loads does what leads to another page, and returns once that is loaded.
func (b *browser) loads(what string, by func(context.Context) (*network.Response, error)) {
	b.t.Helper()
	ctx, cancel := b.within()
	defer cancel()
	b.mu.Lock()
	b.before = len(b.answers)
	b.mu.Unlock()
	response, err := by(ctx)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.here())
	}
	if response != nil { // none when it went to another place of the same page
		b.status = int(response.Status)
	}
	if b.status >= http.StatusInternalServerError {
		b.t.Fatalf("%s: %d\n%s", what, b.status, b.here())
	}
}

// at is the address of the page.
func (b *browser) at() *url.URL {
	b.t.Helper()
	ctx, cancel := b.within()
	defer cancel()
	address, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		b.t.Fatal(err)
	}
	at, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	return at
}

// eval is what an expression is worth in the page.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := b.within()
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// sees waits until the page shows texts.
func (b *browser) sees(texts ...string) *browser {
	b.t.Helper()
	b.until(fmt.Sprintf("the page to show %q", texts), func(ctx context.Context, t *chromedp.Target) error {
		shown, err := chromedp.Evaluate[string](`document.body.innerText.replace(/\s+/g, ' ')`)(ctx, t)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				return fmt.Errorf("there is no %q", text)
			}
		}
		return nil
	})
	return b
}

// sent waits until a page has posted a value to an address that ends in some way, and was answered.
func (b *browser) sent(to, name, value string) *browser {
	b.t.Helper()
	b.until(fmt.Sprintf("%s=%s to be sent to %s", name, value, to), func(context.Context, *chromedp.Target) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.posts {
			if values, err := url.ParseQuery(string(p.body)); err == nil && p.answered && strings.HasSuffix(p.path, to) && slices.Contains(values[name], value) {
				return nil
			}
		}
		return errors.New("it was not")
	})
	return b
}

// Roles of what is tapped and of what is filled in.
var (
	tapped = []string{"button", "link", "checkbox", "radio", "switch", "tab", "menuitem", "option", "DisclosureTriangle"}
	filled = []string{"textbox", "searchbox", "spinbutton", "combobox", "listbox", "Date", "DateTime", "InputTime"}
)

// point is a place on the screen, in pixels of CSS.
type point struct{ X, Y float64 }

// tap taps what has a name: a button, a link, a choice. It is scrolled to, and must lie open to the finger. within, if given, is a
// text that stands beside it, where several have the name.
func (b *browser) tap(name string, within ...string) *browser {
	b.t.Helper()
	b.hit(name, within, chromedp.Do)
	return b
}

// follow taps what leads to another page.
func (b *browser) follow(name string, within ...string) *browser {
	b.t.Helper()
	b.loads(fmt.Sprintf("following %q", name), func(context.Context) (response *network.Response, err error) {
		b.hit(name, within, func(ctx context.Context, press ...chromedp.Action[chromedp.Void]) (err error) {
			response, err = chromedp.RunResponse(ctx, press...)
			return err
		})
		return response, nil
	})
	return b
}

// hit presses what has a name, and says where that was. It looks for the place again until the press has met it: a page that is live may
// move it at any moment.
func (b *browser) hit(name string, within []string, by func(ctx context.Context, press ...chromedp.Action[chromedp.Void]) error) (at point) {
	b.t.Helper()
	ctx, cancel := b.within()
	defer cancel()
	for {
		b.until(fmt.Sprintf("%q to tap", name), func(ctx context.Context, t *chromedp.Target) error {
			node, err := find(ctx, t, tapped, name, within...)
			if err != nil {
				return err
			}
			at, err = aim(ctx, t, node)
			return err
		})
		err := by(ctx, b.aimed(at))
		if err == nil {
			return at
		}
		if !errors.As(err, new(missed)) || ctx.Err() != nil {
			b.t.Fatalf("tapping %q: %v\n%s", name, err, b.here())
		}
		b.t.Logf("tapping %q again: %v", name, err)
	}
}

// aim says where an element is to be pressed, and has the page watch the press, which comes next.
func aim(ctx context.Context, t *chromedp.Target, node cdp.BackendNodeID) (point, error) {
	at, err := onNode[point](ctx, t, node, scrolledTo)
	if err != nil {
		return at, err
	}
	_, err = onNode[chromedp.Void](ctx, t, node, watched)
	return at, err
}

// gets is a function of JavaScript that says whether an element, or its label, is what something on the page belongs to.
const gets = `(element, on) => element.contains(on) || on instanceof Element && on.closest('label')?.control === element`

// scrolledTo brings an element into the middle, and says where that is, once it lies there still: its box is the same in two frames.
const scrolledTo = `async function() {
	if (this.disabled) throw new Error('it is disabled')
	this.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'})
	const box = this.getClientRects()[0]
	if (!box) throw new Error('it takes no place')
	for (let frame = 0; frame < 2; frame++) {
		await new Promise(requestAnimationFrame)
		const now = this.getClientRects()[0]
		if (!now || ['x', 'y', 'width', 'height'].some(side => now[side] !== box[side])) throw new Error('it moves')
	}
	const x = box.x + box.width / 2, y = box.y + box.height / 2
	const top = document.elementFromPoint(x, y)
	if (!(` + gets + `)(this, top))
		throw new Error('it is covered by ' + (top ? top.outerHTML.slice(0, 200) : 'the edge of the screen'))
	return {x, y}
}`

// watched lets an element have the next press, and nothing else: of a press that goes elsewhere the page hears nothing. The watch ends
// with the click, and tells then what was missed; until then, and after a miss, no click gets through but that of a press which began on
// the element after the watch did.
const watched = `function() {
	window.watch?.end()
	const watch = window.watch = {}
	watch.told = new Promise(tell => watch.tell = tell)
	let began = false
	const look = event => {
		began ||= event.type === 'pointerdown'
		if (began && !watch.missed && !(` + gets + `)(this, event.target))
			watch.missed = event.type + ' on ' + (event.target.outerHTML ?? event.target.nodeName).slice(0, 200)
		if (!began || watch.missed) {
			event.preventDefault()
			event.stopImmediatePropagation()
			if (began) watch.tell(watch.missed)
		} else if (event.type === 'click') {
			watch.end()
			watch.tell('')
		}
	}
	const events = ['pointerdown', 'mousedown', 'touchstart', 'pointerup', 'mouseup', 'touchend', 'click']
	watch.end = () => { for (const event of events) removeEventListener(event, look, {capture: true}) }
	for (const event of events) addEventListener(event, look, {capture: true, passive: false})
}`

// whatMissed is what a press that was watched has met instead of its aim. The click of a finger comes a moment after it is lifted; none
// comes when what was under it has gone. A page that was left was left by the press.
const whatMissed = `(() => {
	const watch = window.watch
	if (!watch) return ''
	setTimeout(() => watch.tell(watch.missed = 'nothing'), 2000)
	return watch.told
})()`

// missed is what a press has met in place of what it was aimed at. Nobody on the page has noticed it.
type missed string

func (m missed) Error() string { return "it met " + string(m) }

// aimed presses where something is, as aim has said. The error is missed when something else was there.
func (b *browser) aimed(at point) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := b.press(at)(ctx, t); err != nil {
			return err
		}
		met, err := chromedp.Evaluate[string](whatMissed, chromedp.EvalAwaitPromise)(ctx, t)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && met != "":
			return missed(met)
		}
		return nil // an error says that the page was left meanwhile
	})
}

func (b *browser) press(at point) chromedp.Action[chromedp.Void] {
	if b.touch {
		return chromedp.TapXY(at.X, at.Y)
	}
	return chromedp.MouseClickXY(at.X, at.Y)
}

// fill fills in a field by its label. For a list to choose from it is the name of the choice; dates and times are written as HTML has
// them: 2026-01-31.
func (b *browser) fill(label, value string, within ...string) *browser {
	b.t.Helper()
	b.until(fmt.Sprintf("the field %q for %q", label, value), func(ctx context.Context, t *chromedp.Target) error {
		node, err := find(ctx, t, filled, label, within...)
		if err != nil {
			return err
		}
		if done, err := onNode[bool](ctx, t, node, setOrSelected, value); err != nil || done {
			return err
		}
		if value == "" {
			_, err := chromedp.KeyEvent("\b")(ctx, t)
			return err
		}
		_, err = cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: value})
		return err
	})
	return b
}

// setOrSelected chooses in a list and sets a date; of a field for text it selects all, to be written over.
const setOrSelected = `function(value) {
	if (this.disabled) throw new Error('it is disabled')
	this.focus()
	if (this.tagName === 'SELECT') {
		const choice = Array.from(this.options).find(o => o.label.trim() === value)
		if (!choice) throw new Error('it has no such choice, but ' + Array.from(this.options, o => o.label.trim()))
		this.value = choice.value
	} else if (['date', 'time', 'month', 'week', 'datetime-local'].includes(this.type)) {
		this.value = value
		if (this.value !== value) throw new Error('it takes no such value')
	} else {
		this.select()
		return false
	}
	this.dispatchEvent(new Event('input', {bubbles: true}))
	this.dispatchEvent(new Event('change', {bubbles: true}))
	return true
}`

// value is what stands in a field; of a list, the name of the choice.
func (b *browser) value(label string, within ...string) (value string) {
	b.t.Helper()
	b.until(fmt.Sprintf("the field %q", label), func(ctx context.Context, t *chromedp.Target) error {
		node, err := find(ctx, t, filled, label, within...)
		if err != nil {
			return err
		}
		value, err = onNode[string](ctx, t, node, `function() { return this.selectedOptions ? this.selectedOptions[0]?.label.trim() ?? '' : this.value }`)
		return err
	})
	return value
}

// onNode calls a function of JavaScript with an element as this.
func onNode[T any](ctx context.Context, t *chromedp.Target, node cdp.BackendNodeID, function string, args ...any) (T, error) {
	resolved, err := cdp.Call(ctx, t, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node})
	if err != nil {
		var none T
		return none, err
	}
	on := func(p *runtime.CallFunctionOnParams) {
		p.ObjectID, p.AwaitPromise = resolved.Object.ObjectID, new(true)
	}
	return chromedp.CallFunctionOn[T](function, on, args...)(ctx, t)
}

// find is the one element of some roles that a screen reader would tell by a name: the whole of it, or else a part.
func find(ctx context.Context, t *chromedp.Target, roles []string, name string, within ...string) (cdp.BackendNodeID, error) {
	tree, err := cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		return 0, err
	}
	nodes := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range tree.Nodes {
		nodes[n.NodeID] = n
	}
	var found []*accessibility.Node
	for _, n := range tree.Nodes {
		if !n.Ignored && slices.Contains(roles, said(n.Role)) && strings.Contains(said(n.Name), name) {
			found = append(found, n)
		}
	}
	for _, text := range within {
		found = nearest(nodes, found, text)
	}
	if whole := slices.DeleteFunc(slices.Clone(found), func(n *accessibility.Node) bool { return said(n.Name) != name }); len(whole) > 0 {
		found = whole
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%d of %v have the name %q", len(found), roles, name)
	}
	return found[0].BackendDOMNodeID, nil
}

// said is a value of the accessibility tree, as text.
func said(v *accessibility.Value) string {
	var text string
	if v == nil || json.Unmarshal(v.Value, &text) != nil {
		return ""
	}
	return strings.Join(strings.Fields(text), " ")
}

// nearest are those nodes that are together with a text in the smallest part of the page: in the same row, or the same section.
func nearest(nodes map[accessibility.NodeID]*accessibility.Node, of []*accessibility.Node, text string) (best []*accessibility.Node) {
	smallest := 0
	for _, n := range of {
		for up := nodes[n.ParentID]; up != nil; up = nodes[up.ParentID] {
			size, holds := extent(nodes, up, text)
			if !holds {
				continue
			}
			if best == nil || size < smallest {
				best, smallest = nil, size
			}
			if size == smallest {
				best = append(best, n)
			}
			break
		}
	}
	return best
}

// extent is how many nodes a part of the page has, and whether it holds a text.
func extent(nodes map[accessibility.NodeID]*accessibility.Node, part *accessibility.Node, text string) (size int, holds bool) {
	size, holds = 1, strings.Contains(said(part.Name), text)
	for _, id := range part.ChildIDs {
		if child := nodes[id]; child != nil {
			n, has := extent(nodes, child, text)
			size, holds = size+n, holds || has
		}
	}
	return size, holds
}

// picture writes a picture of the whole page to a file.
func (b *browser) picture(file string) {
	b.t.Helper()
	ctx, cancel := b.within()
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil { // of a page that is longer than Chromium draws: its beginning
		png, err = chromedp.Run(ctx, chromedp.CaptureScreenshot())
	}
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, png, 0o644))
	}
	if err != nil {
		b.t.Fatalf("a picture of %s: %v", b.at(), err)
	}
}

// axe finds what keeps people from using a page.
var axe = sync.OnceValues(func() ([]byte, error) {
	return os.ReadFile(filepath.Join("..", "..", ".tools", "npm", "node_modules", "axe-core", "axe.min.js"))
})

// accessible reports whatever axe finds in the page against WCAG 2.2 AA, or what is commonly held to be good. It looks at the whole page at
// once: what a bar at the bottom of the screen covers is not small, but scrolled to.
func (b *browser) accessible() *browser {
	b.t.Helper()
	was := b.on
	b.turn(screen{was.name, was.width, max(was.height, eval[int64](b, `document.documentElement.scrollHeight`)), was.touch})
	defer b.turn(was)
	script, err := axe()
	if err != nil {
		testneed.Missing(b.t, "there is no axe-core here (task npm): %v", err)
	}
	if !eval[bool](b, `"axe" in window`) {
		eval[chromedp.Void](b, string(script))
	}
	for _, fault := range eval[[]string](b, `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(found =>
		found.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + v.help + ': ' + n.html + ' ' + n.failureSummary.replace(/\s+/g, ' '))))`) {
		b.t.Errorf("%s: %s", b.where(), fault)
	}
	return b
}

// where names the page and how it is shown, for faults.
func (b *browser) where() string {
	b.t.Helper()
	return eval[string](b, `location.pathname + location.search + ' ' + innerWidth + ' ' + (document.documentElement.dataset.text ?? '')`)
}
