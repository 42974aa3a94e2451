package syncing

import (
	"cmp"
	"context"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Numbers of the fields of a HeldDecision.
const (
	heldChangeField protowire.Number = 16
	decisionField   protowire.Number = 17
)

func isHeld(outcome string) bool { return LogEntry{Outcome: outcome}.Held() }

// asDecided are entries as the group has decided on them by now.
func (g *group) asDecided(entries []LogEntry) []LogEntry {
	for i, e := range entries {
		if now, ok := g.decided[e.Position]; ok {
			entries[i] = *now
		}
	}
	return entries
}

// noteDecision notes of which change a HeldDecision is, so that it is found when the change comes, or comes again.
func (g *group) noteDecision(e *entry) {
	change := e.registers.Get(heldChangeField).ID()
	g.decisions = append(g.decisions, Decision{Change: change, Record: e.ID})
	g.undecided = append(g.undecided, change)
}

// follow does what follows from what the group took in: records whose owner is there now find their place, changes that
// waited for a record are judged again, and decisions on held changes are carried out; until nothing more follows.
func (g *group) follow() error {
	for len(g.made)+len(g.undecided) > 0 || g.accepted || g.reopened {
		made, undecided, accepted, reopened := g.made, g.undecided, g.accepted, g.reopened
		g.made, g.undecided, g.accepted, g.reopened = nil, nil, false, false
		if accepted {
			if err := g.retryHeldWith(record.CodeStampInFuture); err != nil {
				return err
			}
		}
		if reopened {
			if err := g.retryHeldWith(record.CodeDeploymentClosed); err != nil {
				return err
			}
		}
		if err := g.adopt(made); err != nil {
			return err
		}
		if err := g.retryWaiting(made); err != nil {
			return err
		}
		for _, change := range undecided {
			if err := g.decide(change); err != nil {
				return err
			}
		}
	}
	return nil
}

// adopt gives records that came without their owners their places, now that the owners are there.
func (g *group) adopt(owners []hlc.ID) error {
	if len(owners) == 0 {
		return nil
	}
	orphans, err := g.store.Orphans(owners)
	if err != nil {
		return err
	}
	ids := make([]hlc.ID, 0, len(orphans))
	for _, r := range orphans {
		ids = append(ids, r.ID)
	}
	for id, e := range g.records {
		if e.there && e.OrphanOf != (hlc.ID{}) && slices.Contains(owners, e.OrphanOf) {
			ids = append(ids, id)
		}
	}
	if err := g.load(ids); err != nil {
		return err
	}
	slices.SortFunc(ids, hlc.CompareIDs)
	for _, id := range slices.Compact(ids) {
		e := g.records[id]
		rootWas, teamWas := e.Root, e.Audience
		if err := g.settleIn(e); err != nil {
			return err
		}
		if e.Root == rootWas && e.Audience == teamWas {
			continue
		}
		g.announce(e)
		if e.Audience != teamWas {
			g.depart(e, teamWas)
		}
		if err := g.moveFamily(e, rootWas); err != nil {
			return err
		}
	}
	return nil
}

// retryWaiting judges changes again that waited for some records.
func (g *group) retryWaiting(records []hlc.ID) error {
	if len(records) == 0 {
		return nil
	}
	entries, err := g.store.Waiting(records)
	if err != nil {
		return err
	}
	for _, e := range g.log {
		if e.WaitsFor != (hlc.ID{}) && slices.Contains(records, e.WaitsFor) {
			entries = append(entries, e)
		}
	}
	return g.retry(g.asDecided(entries), nil)
}

// retry judges held entries again, in the order in which they came.
func (g *group) retry(entries []LogEntry, by *access.Person) error {
	slices.SortFunc(entries, func(a, b LogEntry) int { return cmp.Compare(a.Position, b.Position) })
	for _, e := range entries {
		if now, ok := g.decided[e.Position]; ok {
			e = *now // what became of one before may have decided it
		}
		if !e.Held() && (e.Outcome != Discarded || by == nil) {
			continue
		}
		if err := g.again(e, by); err != nil {
			return err
		}
	}
	return nil
}

// again judges a held change again. by is who wants it applied, nil when nobody decided anything.
func (g *group) again(e LogEntry, by *access.Person) error {
	if e.Replica == 0 {
		return g.giveAgain(e, by)
	}
	r, err := g.replica(e.Replica, hlc.ID{})
	if err != nil {
		return err
	}
	from, err := g.sender(r.Device, r.Number)
	if err != nil {
		return err
	}
	// What came before its tablet was revoked, or was released since, is judged as ever.
	from.revoked = from.revoked && e.Outcome == string(record.CodeDeviceRevoked)
	a := arrive(e.Body, e.Replica, g.self.rules())
	a.future = a.change != nil && a.change.Stamp.Time > g.future()
	v, err := g.judge(submission{arrival: &a, sender: from, again: e.Position, by: by})
	if err != nil || (v.outcome == e.Outcome && v.waitsFor == e.WaitsFor) {
		return err
	}
	if v.outcome == Erased {
		return g.forget(e)
	}
	if v.outcome != Applied || v.idle {
		g.settle(e, v)
		return nil
	}
	of := g.records[a.change.Record]
	if err := g.meet(of, a, from.worker); err != nil {
		return err
	}
	position := g.settle(e, v)
	g.accept(a.change.Stamp.Time)
	return g.apply(of, merging{a.change.Kind, a.set, position, origin{}})
}

// accept notes that somebody released what has a stamp in the future. They want it to be the newest, so what was held for
// its stamp alone may come with it, and what follows must be able to come after it.
func (g *group) accept(stamp hlc.Time) {
	if stamp > g.future() {
		g.head.Ahead, g.accepted = stamp, true
	}
}

// retryHeldWith judges again what is held with a code.
func (g *group) retryHeldWith(code record.Code) error {
	entries, err := g.store.HeldWith(string(code))
	if err != nil {
		return err
	}
	for _, e := range g.log {
		if e.Outcome == string(code) {
			entries = append(entries, e)
		}
	}
	return g.retry(g.asDecided(entries), nil)
}

// settle notes what becomes of a held change. It takes a position, at which the change's tablet is told, and at which the
// record changes if it is applied.
func (g *group) settle(e LogEntry, v verdict) (position uint64) {
	e.Outcome, e.WaitsFor = v.outcome, v.waitsFor
	if first := g.head.Position + 1 - uint64(len(g.log)); e.Position >= first { // not stored yet
		g.log[e.Position-first] = e
	}
	g.decided[e.Position] = &e
	g.append(LogEntry{Change: e.Change, Record: e.Record, Outcome: Settled}, batch.HashOf(e.Change[:]))
	return g.head.Position
}

// Decide makes a decision on a held change for a worker who decides on the web. Problem not_found when no such change is
// held, or there is no such worker; invalid_argument when nothing comes of it, since the worker may not decide this or the
// change can't be applied. Then nothing is kept.
func (s *Service) Decide(ctx context.Context, change hlc.ID, d recordv1.Decision, worker hlc.ID, reason string) error {
	return s.write(ctx, func(g *group) error {
		setUp := s.SetUp()
		w := setUp.Workers[worker]
		if w == nil {
			return problem.New(problem.NotFound)
		}
		before, err := g.kept(change)
		if err != nil {
			return err
		}
		if len(before) == 0 {
			return problem.New(problem.NotFound)
		}
		id, err := hlc.NewID(g.self.clock.Now(), g.self.entropy)
		if err != nil {
			return err
		}
		e, err := g.get(id)
		if err != nil {
			return err
		}
		m := &recordv1.HeldDecision{Author: worker[:], OccurredOn: proto.Int32(int32(record.DateOf(g.now, setUp.Location))), Change: change[:], Decision: d.Enum()}
		if len(w.GetTeam()) > 0 {
			m.Team = w.GetTeam()
		}
		if reason != "" {
			m.Reason = &reason
		}
		if err := g.author(e, id, worker, m); err != nil {
			return err
		}
		if err := g.follow(); err != nil {
			return err
		}
		after, err := g.kept(change)
		if err == nil && slices.EqualFunc(before, after, func(a, b LogEntry) bool { return a.Outcome == b.Outcome }) {
			err = problem.New(problem.InvalidArgument)
		}
		return err
	})
}

// decide carries out the newest decision on a change, if there is one.
func (g *group) decide(change hlc.ID) error {
	decision, author, at, err := g.decision(change)
	if err != nil || decision == recordv1.Decision_DECISION_UNKNOWN {
		return err
	}
	person, err := g.person(author, at)
	if err != nil {
		return err
	}
	entries, err := g.kept(change)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case decision == recordv1.Decision_DECISION_RELEASE && access.Release(person, record.Code(e.Outcome)):
			err = g.retry([]LogEntry{e}, &person)
		case decision == recordv1.Decision_DECISION_DISCARD && e.Held():
			err = g.discard(e, person)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decision is the newest decision on a change that is not deleted; unknown when there is none.
func (g *group) decision(change hlc.ID) (d recordv1.Decision, author hlc.ID, at hlc.Time, err error) {
	ids, err := g.store.Decisions(change)
	if err != nil {
		return 0, author, 0, err
	}
	for _, noted := range g.decisions {
		if noted.Change == change {
			ids = append(ids, noted.Record)
		}
	}
	var newest hlc.Stamp
	for _, id := range ids {
		e, err := g.get(id)
		if err != nil {
			return 0, author, 0, err
		}
		said := e.registers.Get(decisionField)
		if e.registers.Deleted() || said.Stamp.Compare(newest) <= 0 || e.registers.Get(heldChangeField).ID() != change {
			continue
		}
		newest, author, d = said.Stamp, e.registers.Get(record.AuthorField).ID(), recordv1.Decision(said.Number()) //nolint:gosec // another number decides nothing
	}
	return d, author, newest.Time, nil
}

// kept are the entries of a change that is held or discarded, those of the group included.
func (g *group) kept(change hlc.ID) ([]LogEntry, error) {
	entries, err := g.store.Kept(change)
	if err != nil {
		return nil, err
	}
	for _, e := range g.log {
		if e.Change == change && (e.Held() || e.Outcome == Discarded) {
			entries = append(entries, e)
		}
	}
	return slices.DeleteFunc(g.asDecided(entries), func(e LogEntry) bool { return !e.Held() && e.Outcome != Discarded }), nil
}

// discard keeps a change from ever being applied, if the person may decide that.
func (g *group) discard(e LogEntry, by access.Person) error {
	var author access.Person
	if e.Replica != 0 {
		r, err := g.replica(e.Replica, hlc.ID{})
		if err != nil {
			return err
		}
		d, _, err := g.store.Device(r.Device)
		if err != nil {
			return err
		}
		if author, err = g.person(d.Worker, g.head.Time); err != nil {
			return err
		}
	}
	if !access.Discard(by, author) {
		return nil
	}
	g.settle(e, verdict{outcome: Discarded})
	if e.Replica == 0 {
		return g.takeBack(e)
	}
	return nil
}

// settled are the changes of a device that were held, and of which was decided after a position, up to another.
func settled(tx Reading, device hlc.ID, after, to uint64) ([]*syncv1.SettledChange, error) {
	markers, err := tx.Settled(after, to)
	if err != nil {
		return nil, err
	}
	var all []*syncv1.SettledChange
	told := map[hlc.ID]bool{}
	for _, marker := range markers {
		if told[marker.Change] {
			continue
		}
		told[marker.Change] = true
		entries, err := tx.History(marker.Record)
		if err != nil {
			return nil, err
		}
		its, applied, code := false, false, ""
		for _, e := range entries {
			if e.Change != marker.Change || e.Replica == 0 {
				continue
			}
			r, err := tx.Replica(e.Replica)
			if err != nil {
				return nil, err
			}
			its = its || r.Device == device
			// A tablet that went on under a new number may have sent it twice: once applied is enough.
			if e.Held() || e.Outcome == Discarded {
				code = e.Outcome
			} else {
				applied = true
			}
		}
		if applied {
			code = ""
		}
		if its {
			all = append(all, &syncv1.SettledChange{Change: slices.Clone(marker.Change[:]), Code: code})
		}
	}
	return all, nil
}

// changeOf is the id that stands for a record given back, as a change's does: the same record is held once.
func changeOf(given *syncv1.GivenRecord) (hlc.ID, []byte, error) {
	kept := &syncv1.GivenRecord{Id: given.GetId(), Kind: given.GetKind(), State: given.GetState()}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(kept)
	if err != nil {
		return hlc.ID{}, nil, err
	}
	hash := batch.HashOf(body)
	return hlc.ID(hash[:16]), body, nil
}
