package webui

import (
	"crypto/rand"
	"sync"
	"time"

	"levee/syncproto/hlc"
)

// once keeps, for some minutes and in memory alone, what is shown after a form was sent and never again: codes, links,
// tokens, and files to be imported. So the page may be loaded again and stands in no address, and nothing is written down.
type once struct {
	most  int
	mu    sync.Mutex
	kept  map[string]shown
	order []string
}

// shown is what is kept: for whom, and until when.
type shown struct {
	account hlc.ID
	until   time.Time
	what    any
}

const (
	onceLife = 15 * time.Minute
	onceMost = 500
	// onceFiles is how many files are kept until they are imported.
	onceFiles = 20
)

// newOnce keeps so many things at most: then the oldest is forgotten.
func newOnce(most int) *once { return &once{most: most, kept: map[string]shown{}} }

// keep keeps what is shown to an account, and names it.
func (o *once) keep(now time.Time, account hlc.ID, what any) (name string) {
	name = rand.Text()
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.order) > 0 && (len(o.order) >= o.most || now.After(o.kept[o.order[0]].until)) {
		delete(o.kept, o.order[0])
		o.order = o.order[1:]
	}
	o.kept[name] = shown{account, now.Add(onceLife), what}
	o.order = append(o.order, name)
	return name
}

// kept is what was kept for an account under a name.
func kept[T any](o *once, now time.Time, account hlc.ID, name string) (what T, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	found, there := o.kept[name]
	if !there || found.account != account || now.After(found.until) {
		return what, false
	}
	what, ok = found.what.(T)
	return what, ok
}
