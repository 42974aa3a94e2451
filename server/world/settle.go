package world

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	recordv1 "levee/syncproto/levee/record/v1"
)

// rounds is how often all tablets sync in the end until nothing moves any more; it takes a few.
const rounds = 30

// settle ends the faults: links are mended, clocks go on as they are, what was late arrives, and all sync until nothing
// moves.
func (w *world) settle() error {
	w.say("# the faults are over")
	r := w.random(partEnd)
	w.journey = &journey{rand: r}
	if w.host.sane != nil {
		if err := w.host.setRight(); err != nil {
			return err
		}
	}
	if r.IntN(2) == 0 {
		w.now.Add((14*24*time.Hour + time.Duration(r.Int64N(int64(14*24*time.Hour)))).Milliseconds())
	}
	for len(w.late) > 0 {
		w.deliverLate(r)
	}
	if err := w.seeWhatIsSeen(); err != nil {
		return err
	}
	if err := w.quiet(); err != nil {
		return err
	}
	return w.decide(r)
}

// seeWhatIsSeen notes what the tablets have seen of the server's records: all of it must be there in the end.
func (w *world) seeWhatIsSeen() error {
	for _, t := range w.tablets {
		_, bases, err := t.records()
		if err != nil {
			return err
		}
		t.seen = bases
	}
	return nil
}

// decisionRounds is how often the office looks at what is held: what it releases may be held again for another reason, and
// is discarded then.
const decisionRounds = 6

// decide lets the coordinator's office decide on all that is held.
func (w *world) decide(r *rand.Rand) error {
	if err := w.checkUndecided(); err != nil {
		return err
	}
	for round := range decisionRounds {
		held, err := w.host.heldNow()
		if err != nil || len(held) == 0 {
			return err
		}
		for _, l := range held {
			d := recordv1.Decision_DECISION_DISCARD
			if round == 0 && r.IntN(2) == 0 && l.outcome != "unproven" {
				d = recordv1.Decision_DECISION_RELEASE
			}
			w.met(HeldByTheServer)
			w.decided[l.record] = true
			w.say("  change %s of %s, at %d of the log, is held: %s", short(l.change), short(l.record), l.position, l.outcome)
			if err := w.office.decide(l.change, d); err != nil {
				return err
			}
		}
		if err := w.quiet(); err != nil {
			return err
		}
	}
	w.wrong("changes stay held, whatever is decided")
	return nil
}

// quiet lets all sync until nothing moves.
func (w *world) quiet() error {
	last := ""
	for range rounds {
		w.now.Add(time.Second.Milliseconds())
		var all []string
		for _, t := range w.tablets {
			if err := w.sync(t); err != nil {
				return err
			}
			s, err := t.standing()
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		for _, h := range []*hand{w.office, w.newer} {
			if _, err := h.sync(); err != nil {
				return err
			}
			all = append(all, fmt.Sprint(h.have))
		}
		head, err := w.host.head()
		if err != nil {
			return err
		}
		now := strings.Join(append(all, head), ", ")
		if now == last {
			return nil
		}
		last = now
	}
	return w.broken("it does not come to rest: %s", last)
}
