package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"levee/syncproto/hlc"
)

var errLink = errors.New("the link broke")

// journey is how the requests of one step fare.
type journey struct {
	rand   *rand.Rand
	faulty int // of a hundred requests
	count  int // of requests so far
	// serverDies and tabletDies are at which request, if any.
	serverDies, tabletDies *death
	// garbled says that an answer reached the tablet damaged: it may take it for any error.
	garbled bool
}

// death is when a program is killed.
type death struct {
	request int
	when    moment
	at      float64 // where in the commit
	was     image   // of the tablet, before it had the answer
	left    *image  // what was on the disk; nil while it lives
}

type moment int

const (
	beforeCommit moment = iota
	inCommit
	afterCommit
	// afterAnswer is when the answer has just left: what it says must be on the disk.
	afterAnswer
)

func (m moment) String() string {
	return [...]string{"before the commit", "in the commit", "after the commit", "after the answer"}[m]
}

// letter is a request that was delayed.
type letter struct {
	request *http.Request
	body    []byte
	from    string
	sent    time.Time
}

// slow is how many milliseconds a request may take at most.
const slow = 3000

// link is the way between a tablet and the server.
type link struct {
	w    *world
	name string
	// dying is told of each request before and after it, so that its tablet can be killed there. It may be nil.
	dying func(when moment) (dead bool)
}

// RoundTrip carries a request, or not.
func (l *link) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w, j := l.w, l.w.journey
	w.sum(body)
	j.count++
	w.now.Add(j.rand.Int64N(slow))
	if l.dying != nil && l.dying(beforeCommit) {
		return nil, errLink
	}
	if len(w.late) > 0 && j.rand.IntN(3) == 0 {
		w.deliverLate(j.rand)
	}
	response, err := l.carry(r, body)
	if err == nil && l.dying != nil && l.dying(afterCommit) {
		_ = response.Body.Close()
		return nil, errLink
	}
	return response, err
}

// carry carries a request with what goes wrong on the way.
func (l *link) carry(r *http.Request, body []byte) (*http.Response, error) {
	w, j := l.w, l.w.journey
	dice, at := j.rand.IntN(100), j.rand.Float64()
	fault := oneOf(j.rand, RequestLost, AnswerLost, Twice, OutOfOrder, RequestCut, AnswerCut, RequestFlipped, AnswerFlipped)
	if dice >= j.faulty {
		return w.host.serve(r, bytes.NewReader(body))
	}
	if fault != OutOfOrder { // which is met when it arrives
		w.met(fault)
	}
	w.say("  %s: %s", l.name, fault)
	switch fault {
	case RequestLost:
		return nil, errLink
	case OutOfOrder:
		w.late = append(w.late, &letter{r.Clone(context.WithoutCancel(r.Context())), body, l.name, w.wall()})
		return nil, errLink
	case AnswerLost:
		w.drop(r, bytes.NewReader(body))
		return nil, errLink
	case Twice:
		w.drop(r, bytes.NewReader(body))
	case RequestCut:
		w.drop(r, io.MultiReader(bytes.NewReader(body[:int(at*float64(len(body)))]), cutOff{}))
		return nil, errLink
	case RequestFlipped:
		body = flipped(body, at)
	}
	response, err := w.host.serve(r, bytes.NewReader(body))
	if err != nil || (fault != AnswerCut && fault != AnswerFlipped) {
		return response, err
	}
	answer, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	j.garbled = true
	if fault == AnswerCut {
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(answer[:int(at*float64(len(answer)))]), cutOff{}))
	} else {
		response.Body = io.NopCloser(bytes.NewReader(flipped(answer, at)))
	}
	return response, nil
}

// flipped is a body in which one bit is another.
func flipped(body []byte, at float64) []byte {
	if len(body) == 0 {
		return body
	}
	bit := int(at * float64(8*len(body)))
	body = bytes.Clone(body)
	body[bit/8] ^= 1 << (bit % 8)
	return body
}

// drop carries a request whose answer nobody gets.
func (w *world) drop(r *http.Request, body io.Reader) {
	response, err := w.host.serve(r, body)
	if err == nil {
		_ = response.Body.Close()
	}
}

// deliverLate lets one of the delayed requests arrive.
func (w *world) deliverLate(r *rand.Rand) {
	if len(w.late) == 0 {
		return
	}
	i := r.IntN(len(w.late))
	l := w.late[i]
	w.late = append(w.late[:i:i], w.late[i+1:]...)
	after := w.wall().Sub(l.sent)
	w.say("  a request of %s arrives, %v late", l.from, after.Round(time.Second))
	if after > 7*24*time.Hour {
		w.met(Weeks)
	} else {
		w.met(OutOfOrder)
	}
	w.drop(l.request, bytes.NewReader(l.body))
}

// cutOff is the rest of a body after the link broke.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, errLink }

// short is enough of an id to tell it in a story.
func short(id hlc.ID) string { return fmt.Sprintf("%x", id[13:]) }
