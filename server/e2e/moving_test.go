package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// moving is a page with two links, of which the second takes the place of the first, once, at some moment.
const moving = `<!doctype html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:">
<p id="first"><a href="/there">Next</a></p><p><a href="/wrong">Nots</a></p>
<script>
const first = document.getElementById('first')
let moved = false
function move() {
	if (!moved) %s
	moved = true
}
%s
</script>`

// When something moves away from under the finger, it is looked for again, and what came in its place is not tapped.
func TestWhatMovesAwayIsTappedAllTheSame(t *testing.T) {
	const behind, anew = `first.parentNode.append(first)`, `first.replaceWith(first.cloneNode(true))`
	const found = `const at = document.elementFromPoint.bind(document)
		document.elementFromPoint = (x, y) => { const on = at(x, y); move(); return on }`
	const pressed, lifted = `addEventListener('pointerdown', move, true)`, `addEventListener('pointerup', move, true)`
	var wrong atomic.Int32
	pages := http.NewServeMux()
	for path, script := range map[string][2]string{
		"/found": {behind, found}, "/pressed": {behind, pressed}, "/lifted": {behind, lifted}, "/anew": {anew, pressed},
	} {
		pages.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, moving, script[0], script[1]) })
	}
	pages.HandleFunc("/there", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `<link rel="icon" href="data:">You are there`)
	})
	pages.HandleFunc("/wrong", func(http.ResponseWriter, *http.Request) { wrong.Add(1) })
	server := httptest.NewServer(pages)
	defer server.Close()
	for _, on := range []screen{phone, laptop} {
		t.Run(on.name, func(t *testing.T) {
			b := openBrowser(t, on, "en")
			for _, moves := range []string{"found", "pressed", "lifted", "anew"} {
				b.open(server.URL + "/" + moves).follow("Next").sees("You are there")
			}
		})
	}
	if wrong.Load() > 0 {
		t.Errorf("what came in its place was tapped %d times", wrong.Load())
	}
}
