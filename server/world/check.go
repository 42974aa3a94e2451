package world

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// end is the world when all has come to rest, as the checks read it.
type end struct {
	*world
	log     []logged
	records map[hlc.ID]stored
	sights  map[hlc.ID]sight
	allowed allowed
	// outcomes are what became of each change, in the order of the log.
	outcomes map[hlc.ID][]string
	// heldOf are the records of which something was discarded.
	heldOf map[hlc.ID]bool
	// returned are those of which a state that was given back was discarded: with it went the changes that were in it.
	returned map[hlc.ID]bool
}

// check compares everything with everything.
func (w *world) check() error {
	e := &end{world: w, sights: map[hlc.ID]sight{}, allowed: w.host.allowed, outcomes: map[hlc.ID][]string{}, heldOf: map[hlc.ID]bool{}, returned: map[hlc.ID]bool{}}
	var err error
	if e.log, err = w.host.log(); err != nil {
		return err
	}
	if e.records, err = records(w.ctx, w.host.path, `SELECT id, kind, state FROM records`); err != nil {
		return err
	}
	for id, s := range e.records {
		e.sights[id] = sightOf(s.kind, s.registers)
		if s.kind == kConflict {
			w.met(ConflictRecorded)
			if err := e.checkConflict(id, s); err != nil {
				return err
			}
		}
	}
	if err := e.allowed.learn(e.log, w.made.workers); err != nil {
		return err
	}
	w.result.Changes = len(w.accepted)
	e.checkLog()
	if err := e.checkHistories(); err != nil {
		return err
	}
	for _, t := range w.tablets {
		if err := e.checkTablet(t); err != nil {
			return err
		}
		e.checkSeen(t)
	}
	for _, h := range []*hand{w.newer, w.office} {
		if err := e.checkHand(h); err != nil {
			return err
		}
	}
	return e.checkTotals()
}

// checkHistories: of each entry that no index has for its record, that record says where it is.
func (e *end) checkHistories() error {
	return rows(e.ctx, e.host.path, `SELECT l.position FROM log l LEFT JOIN records r ON r.deployment = l.deployment AND r.id = l.record AND r.made = l.position
		WHERE l.made = 1 AND r.id IS NULL`, func(row *sql.Rows) error {
		var position uint64
		err := row.Scan(&position)
		e.lost("entry %d is in no record's history", position)
		return err
	})
}

func (e *end) lost(format string, args ...any) {
	e.result.Lost++
	e.wrong("lost: "+format, args...)
}

func (e *end) duplicated(format string, args ...any) {
	e.result.Duplicated++
	e.wrong("duplicated: "+format, args...)
}

func (e *end) diverged(format string, args ...any) {
	e.diverge(format, args...)
}

// checkConflict: nobody is in conflict with themselves. A delete may be: it names the newest edit, not the one unseen. So may
// a number under which two copies of a tablet wrote, and changes that were released out of their order.
func (e *end) checkConflict(id hlc.ID, s stored) error {
	m := &recordv1.Conflict{}
	if err := proto.Unmarshal(s.registers.Fields(), m); err != nil {
		return err
	}
	sides := m.GetSides()
	if e.decided[hlc.ID(m.GetTarget())] || m.GetField() == uint32(record.DeletedField) {
		return nil
	}
	if len(sides) == 2 && !e.copied[int64(sides[0].GetReplica())] && sides[0].GetReplica() == sides[1].GetReplica() { //nolint:gosec // a replica number has 63 bits
		e.wrong("conflict %s is between two edits of one tablet: field %d of %s, replica %d at %v and %v", short(id), m.GetField(), short(hlc.ID(m.GetTarget())),
			sides[0].GetReplica(), hlc.Time(sides[0].GetTime()).Wall().UTC(), hlc.Time(sides[1].GetTime()).Wall().UTC())
	}
	return nil
}

// pseudo are outcomes that are not about a change.
var pseudo = []string{"audience", "given", "settled"}

// decidedOutcomes are all but those of held changes.
var decidedOutcomes = append([]string{"", "known", "erased", "discarded"}, pseudo...)

// checkLog: no change was applied twice.
func (e *end) checkLog() {
	applied := map[hlc.ID]uint64{}
	for _, l := range e.log {
		if slices.Contains(pseudo, l.outcome) {
			continue
		}
		e.outcomes[l.change] = append(e.outcomes[l.change], l.outcome)
		switch l.outcome {
		case "":
			if at, ok := applied[l.change]; ok {
				e.duplicated("change %s was applied at %d and at %d", short(l.change), at, l.position)
			}
			applied[l.change] = l.position
		case "known":
		default:
			e.heldOf[l.record] = true
			e.returned[l.record] = e.returned[l.record] || l.replica == 0
		}
	}
}

// checkTold: a change that a tablet accepted is in the log, applied or held, or what it set was set anew by somebody.
func (e *end) checkTold(name string, id hlc.ID, c *record.Change) error {
	for _, outcome := range e.outcomes[id] {
		if outcome != "known" {
			return nil
		}
	}
	versions := []*record.Change{c}
	if len(e.outcomes[id]) > 0 {
		// The server knew it from another copy of the tablet, where it may have had another stamp.
		for _, v := range e.accepted[id] {
			c, err := v.decode()
			if err != nil {
				return err
			}
			versions = append(versions, c)
		}
	}
	state, there := e.records[c.Record]
	if e.returned[c.Record] || there && slices.ContainsFunc(versions, func(v *record.Change) bool { return covers(state.registers, v.Registers()) }) {
		return nil
	}
	e.lost("change %s of %s, of %v %s, outcomes %q: it set\n%v, the server has\n%v", short(id), name, c.Kind, short(c.Record), e.outcomes[id], c.Registers(), state.registers)
	return nil
}

// covers reports whether every register of some has one as high or higher in a state.
func covers(state, some record.Registers) bool {
	return !slices.ContainsFunc(some, func(r record.Register) bool {
		has := state.Get(r.Field).Stamp
		return has.Time < r.Stamp.Time || (has.Time == r.Stamp.Time && has.Replica < r.Stamp.Replica)
	})
}

func (e *end) checkTablet(t *tablet) error {
	for _, id := range sorted(t.told) {
		c, err := t.told[id].decode()
		if err != nil {
			return err
		}
		if err := e.checkTold(t.name, id, c); err != nil {
			return err
		}
	}
	var unsent int
	if err := t.each(`SELECT sequence - acknowledged FROM tablet`, func(r *sql.Rows) error { return r.Scan(&unsent) }); err != nil {
		return err
	}
	if unsent != 0 {
		e.wrong("%s has %d changes unsent", t.name, unsent)
	}
	status, err := t.store.Status(e.ctx)
	if err != nil {
		return err
	}
	me := viewerOf(status.Worker, e.records[status.Worker].registers)
	views, bases, err := t.records()
	if err != nil {
		return err
	}
	var counted []tally.Record
	for _, id := range sorted(e.records) {
		s := e.records[id]
		if !me.sees(e.sights, id) {
			continue
		}
		counted = append(counted, tally.Record{ID: id, Kind: s.kind, Registers: s.registers})
		view, ok := views[id]
		switch {
		case !ok:
			e.diverged("%s lacks %v %s", t.name, s.kind, short(id))
		case view.kind != s.kind || !bytes.Equal(view.state, s.state):
			e.diverged("%s shows %v %s as\n%v, the server has\n%v", t.name, s.kind, short(id), view.registers, s.registers)
		case !bytes.Equal(bases[id].state, s.state):
			e.diverged("%s holds %v %s as\n%v, the server has\n%v", t.name, s.kind, short(id), bases[id].registers, s.registers)
		}
	}
	for _, id := range sorted(views) {
		s := views[id]
		server, there := e.records[id]
		if there && me.sees(e.sights, id) {
			continue
		}
		// A record that went to another team, or whose case somebody left, stays as it was.
		if !e.allowed[me.id][id] && !t.makes(id) {
			e.wrong("%s has %v %s, which it never might see", t.name, s.kind, short(id))
		}
		if !there || !covers(server.registers, s.registers) {
			e.diverged("%s shows %v %s, which the server does not have so", t.name, s.kind, short(id))
		}
		counted = append(counted, tally.Record{ID: id, Kind: s.kind, Registers: s.registers})
	}
	totals, err := t.store.Totals(e.ctx, lastDay)
	if err != nil {
		return err
	}
	want := tally.Of(slices.Values(counted), lastDay)
	if !maps.Equal(totals.Cells, want.Cells) || !maps.Equal(totals.Tokens, want.Tokens) {
		e.diverged("%s counts %v, want %v", t.name, totals.Cells, want.Cells)
	}
	return nil
}

// lastDay is behind all that is logged.
const lastDay record.Date = 2029_12_31

// makes reports whether a record was made on the tablet.
func (t *tablet) makes(id hlc.ID) bool {
	_, ok := t.told[id]
	return ok
}

func (e *end) checkHand(h *hand) error {
	if int(h.have) != len(h.sent) { //nolint:gosec // a small number
		e.wrong("%s has %d changes unsent", h.name, len(h.sent)-int(h.have)) //nolint:gosec // a small number
	}
	for _, c := range h.sent {
		if err := e.checkTold(h.name, c.ID, c); err != nil {
			return err
		}
	}
	return nil
}

// tolerance is how far a stamp may lie ahead of the server's clock.
const tolerance = 5 * time.Minute

// checkUndecided: before anybody has decided on what is held, nothing forged is there, and nothing of the future.
func (w *world) checkUndecided() error {
	all, err := records(w.ctx, w.host.path, `SELECT id, kind, state FROM records`)
	if err != nil {
		return err
	}
	limit := w.host.wall().Add(tolerance)
	for _, id := range sorted(all) {
		s := all[id]
		if at := s.registers.Newest().Wall(); at.After(limit) {
			w.wrong("%v %s has a stamp of %v, in the future, and nobody let it in", s.kind, short(id), at.UTC())
		}
		if bytes.Contains(s.state, []byte(forgedText)) {
			w.wrong("%v %s was forged, and nobody let it in", s.kind, short(id))
		}
	}
	return nil
}

// checkSeen: what a tablet had seen when the faults were over is there.
func (e *end) checkSeen(t *tablet) {
	for _, id := range sorted(t.seen) {
		if !e.heldOf[id] && !covers(e.records[id].registers, t.seen[id].registers) {
			e.lost("%s had seen %v %s as\n%v, the server has\n%v", t.name, t.seen[id].kind, short(id), t.seen[id].registers, e.records[id].registers)
		}
	}
}

// Cell names one total.
type Cell struct{ Basis, Figure, Dimension, Key string }

// checkTotals: the totals that the server moved by differences are those of its records, counted by tally and by the
// oracle; and its records are those of its log, whose chain holds.
func (e *end) checkTotals() error {
	var counted []tally.Record
	for _, id := range sorted(e.records) {
		s := e.records[id]
		counted = append(counted, tally.Record{ID: id, Kind: s.kind, Registers: s.registers})
	}
	have, err := e.host.totals()
	if err != nil {
		return err
	}
	if want := cellsOf(tally.Of(slices.Values(counted), 0)); !maps.Equal(have, want) {
		e.diverged("the server's totals are %v, want %v", have, want)
	}
	if e.count != nil {
		if want := e.count(counted); !maps.Equal(have, want) {
			e.diverged("the server's totals are %v, the oracle counts %v", have, want)
		}
	}
	var report bytes.Buffer
	equal, err := server.Recount(e.ctx, e.host.path, &report, true)
	if err != nil {
		return errors.Join(err, e.broken("the recount fails: %v", err))
	}
	if !equal {
		e.diverged("the recount is not equal: %s", report.String())
	}
	return nil
}

func cellsOf(totals *tally.Totals) map[Cell]int64 {
	cells := map[Cell]int64{}
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		for _, figure := range tally.Figures() {
			for _, dimension := range tally.Dimensions() {
				for key, n := range totals.By(basis, figure, dimension) {
					if n != 0 {
						cells[Cell{Basis: basis.String(), Figure: figure.String(), Dimension: dimension.String(), Key: key}] = n
					}
				}
			}
		}
	}
	return cells
}

// head is the end of the server's log, as text.
func (h *host) head() (s string, err error) {
	err = rows(h.w.ctx, h.path, `SELECT position, chain FROM deployments WHERE position > 0`, func(r *sql.Rows) error {
		var position int64
		var chain []byte
		err := r.Scan(&position, &chain)
		s = fmt.Sprintf("%d %x", position, chain[:4])
		return err
	})
	return s, err
}
