package world

import (
	"bytes"
	"database/sql"
	"maps"
	"math/rand/v2"

	"levee/server"
	"levee/syncproto/record"
)

// oneInErased is in how many worlds once the deployment is erased in the end.
const oneInErased = 3

// erase closes the deployment and erases it, when all that was promised was found to hold: while tablets have more to send, and in half
// of the worlds with the server set back behind it, to where the journal alone knows.
func (w *world) erase() error {
	r := w.random(partErasure)
	if w.result.Failed() || r.IntN(oneInErased) != 0 {
		return nil
	}
	w.say("# the deployment is closed and erased")
	w.met(DeploymentErased)
	w.journey = &journey{rand: r}
	if err := w.closeDeployment(); err != nil {
		return err
	}
	if err := w.quiet(); err != nil {
		return err
	}
	for _, t := range w.tablets {
		for range 3 {
			if err := w.act(t, r); err != nil {
				return err
			}
		}
	}
	before, err := w.host.totals()
	if err != nil {
		return err
	}
	older, err := w.host.copied()
	if err != nil {
		return err
	}
	if err := w.eraseAll(r, older); err != nil {
		return err
	}
	after, err := w.host.totals()
	if err != nil {
		return err
	}
	if !maps.Equal(before, after) {
		w.diverge("the totals were %v, and since the erasure are %v", before, after)
	}
	return w.checkErased()
}

func (w *world) eraseAll(r *rand.Rand, older image) error {
	done, err := w.host.server.EraseDeployment(w.ctx, server.EraseOptions{Now: true, Name: deploymentName})
	if err != nil {
		return w.broken("the erasure fails: %v", err)
	}
	w.say("  %d records are erased, tokens replaced in %d", done.Records, done.TokensIn)
	if r.IntN(2) == 0 {
		for _, t := range w.tablets[:r.IntN(len(w.tablets)+1)] {
			if err := w.sync(t); err != nil {
				return err
			}
		}
		w.say("  a copy from before is put in place")
		if err := w.host.fallBack(SetBackCopy, func() error { return w.host.put(older) }); err != nil {
			return err
		}
	}
	return w.quiet()
}

// checkErased: nobody has anything confidential any more, and what tablets have of the server is what the server has, to the byte.
func (w *world) checkErased() error {
	all, err := records(w.ctx, w.host.path, `SELECT id, kind, state FROM records`)
	if err != nil {
		return err
	}
	for _, id := range sorted(all) {
		if record.Confidential(all[id].kind) {
			w.wrong("%v %s is with the server after the erasure", all[id].kind, short(id))
		}
	}
	for _, t := range w.tablets {
		views, bases, err := t.records()
		if err != nil {
			return err
		}
		for _, id := range sorted(views) {
			if record.Confidential(views[id].kind) {
				w.wrong("%v %s is on %s after the erasure", views[id].kind, short(id), t.name)
			}
		}
		for _, id := range sorted(bases) {
			if !bytes.Equal(bases[id].state, all[id].state) {
				w.diverge("%s has %v %s as\n%v, the server as\n%v", t.name, bases[id].kind, short(id), bases[id].registers, all[id].registers)
			}
		}
	}
	var report bytes.Buffer
	equal, err := server.Recount(w.ctx, w.host.path, &report, true)
	if err != nil {
		return w.broken("the recount fails: %v", err)
	}
	if !equal {
		w.diverge("after the erasure the recount is not equal: %s", report.String())
	}
	return nil
}

func (w *world) diverge(format string, args ...any) {
	w.result.Diverged++
	w.wrong("diverged: "+format, args...)
}

// totals are all that the server has stored.
func (h *host) totals() (map[Cell]int64, error) {
	have := map[Cell]int64{}
	err := rows(h.w.ctx, h.path, `SELECT basis, figure, dimension, key, value FROM totals WHERE value <> 0`, func(r *sql.Rows) error {
		var c Cell
		var n int64
		err := r.Scan(&c.Basis, &c.Figure, &c.Dimension, &c.Key, &n)
		have[c] = n
		return err
	})
	return have, err
}
