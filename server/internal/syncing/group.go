package syncing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/server/internal/access"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// group is the batches that are committed together: what they touch, before and after.
type group struct {
	store Writing
	self  *self
	now   time.Time

	head     Head
	replicas map[hlc.Replica]*Replica
	records  map[hlc.ID]*entry
	families map[hlc.ID]bool // roots whose whole family is in records
	postings map[hlc.ID][]Posting
	log      []LogEntry
	posted   []Posting
	contacts []Contact
	// decided are earlier entries of the log whose outcome changed, by position.
	decided    map[uint64]*LogEntry
	decisions  []Decision
	departures []Departure
	// made are records that came to be, and undecided changes that are held while there may be a decision: see follow.
	made      []hlc.ID
	undecided []hlc.ID
	// accepted: a stamp in the future was released.
	accepted bool
	// reopened: the deployment was closed, and no longer is.
	reopened bool
	// setUpChanged says that a record of the set-up kinds changed, and with them the rules.
	setUpChanged bool
	// removed are records that were erased.
	removed []hlc.ID
	// certified is the newest certificate, once it was looked for.
	certified *newestCertificate
	// careful: nothing is supposed. supposed are records that were taken for new, and not looked for.
	careful  bool
	supposed []hlc.ID
}

// ErrNotNew says that a record that was taken for new is there.
var ErrNotNew = errors.New("a record that was taken for new is there already")

// entry is a record in a group.
type entry struct {
	Record
	registers record.Registers
	// was are the registers before the group; nil when the group made the record.
	was record.Registers
	// audienceWas is who received the record before the group.
	audienceWas hlc.ID
	there       bool // the record exists
	stored      bool // it existed before the group
	changed     bool
}

// with is the record with what a change sets: that alone, if the change makes the record.
func (e *entry) with(set record.Registers) record.Registers {
	if len(e.registers) == 0 {
		return set
	}
	return record.Merge(e.registers, set)
}

func newGroup(store Writing, self *self, now time.Time, careful bool) (*group, error) {
	head, err := store.Head()
	if err != nil {
		return nil, err
	}
	return &group{store: store, self: self, now: now, careful: careful, head: head, replicas: map[hlc.Replica]*Replica{},
		records: map[hlc.ID]*entry{}, families: map[hlc.ID]bool{}, postings: map[hlc.ID][]Posting{}, decided: map[uint64]*LogEntry{}}, nil
}

// load brings records into the group, each with its whole family: totals are moved by what a family gives before and
// after.
func (g *group) load(ids []hlc.ID) error {
	var missing []hlc.ID
	for _, id := range ids {
		if _, ok := g.records[id]; !ok && id != (hlc.ID{}) {
			g.records[id] = &entry{Record: Record{ID: id, Root: id}}
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	found, err := g.store.Records(missing)
	if err != nil {
		return err
	}
	var roots []hlc.ID
	for _, r := range found {
		if err := g.put(r); err != nil {
			return err
		}
		if !record.SetUp(r.Kind) {
			roots = append(roots, r.Root)
		}
	}
	return g.loadFamilies(roots)
}

// bring loads what a batch touches or hangs on. That a record which a change makes is new is supposed, as it nearly always is: to look for
// it takes a third as long as to write it. Whether it is shows when it is inserted: see prove.
func (g *group) bring(p *push) error {
	if !g.careful && !g.self.erasedSome() { // what is supposed of what was erased would be noted in the journal
		r, err := g.replica(p.replica, p.device)
		if err != nil {
			return err
		}
		for _, a := range p.arrivals {
			if a.sequence <= r.Have || a.change == nil || !a.change.Makes() || g.records[a.change.Record] != nil {
				continue
			}
			id := a.change.Record
			g.records[id] = &entry{Record: Record{ID: id, Root: id}}
			g.supposed = append(g.supposed, id)
		}
	}
	return g.load(p.needs())
}

// prove looks for those that were supposed to be new and are not inserted; ErrNotNew when one is there, so that what was decided by that
// is decided again.
func (g *group) prove() error {
	var left []hlc.ID
	for _, id := range g.supposed {
		switch e := g.records[id]; {
		case e.stored: // it came with its family
			return ErrNotNew
		case !e.changed:
			left = append(left, id)
		}
	}
	if len(left) == 0 {
		return nil
	}
	found, err := g.store.Records(left)
	if err == nil && len(found) > 0 {
		err = ErrNotNew
	}
	return err
}

func (g *group) loadFamilies(roots []hlc.ID) error {
	var missing []hlc.ID
	for _, root := range roots {
		if !g.families[root] {
			g.families[root] = true
			missing = append(missing, root)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	found, err := g.store.Families(missing)
	if err != nil {
		return err
	}
	for _, r := range found {
		if err := g.put(r); err != nil {
			return err
		}
	}
	return nil
}

// put adds a record as the store has it, unless the group has it already and may have changed it.
func (g *group) put(r Record) error {
	if e, ok := g.records[r.ID]; ok && e.there {
		return nil
	}
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return fmt.Errorf("state of record %v: %w", r.ID, err)
	}
	g.records[r.ID] = &entry{Record: r, registers: registers, was: registers, audienceWas: r.Audience, there: true, stored: true}
	return nil
}

// get is a record that may or may not be there.
func (g *group) get(id hlc.ID) (*entry, error) {
	if err := g.load([]hlc.ID{id}); err != nil {
		return nil, err
	}
	return g.records[id], nil
}

// family are the group's records with a root, in the order of their ids.
func (g *group) family(root hlc.ID) []*entry {
	var members []*entry
	for _, e := range g.records {
		if e.there && e.Root == root {
			members = append(members, e)
		}
	}
	slices.SortFunc(members, func(a, b *entry) int { return hlc.CompareIDs(a.ID, b.ID) })
	return members
}

// replica is how far the server has a replica, the group's own changes included.
func (g *group) replica(number hlc.Replica, device hlc.ID) (*Replica, error) {
	if r, ok := g.replicas[number]; ok {
		return r, nil
	}
	r, err := g.store.Replica(number)
	if err != nil {
		return nil, err
	}
	if r.Number == 0 {
		r = Replica{Number: number, Device: device, Chain: batch.Start(g.self.deployment, number)}
	}
	g.replicas[number] = &r
	return &r, nil
}

// person is a worker as posted at a time. Before the first posting the first one holds.
func (g *group) person(worker hlc.ID, at hlc.Time) (access.Person, error) {
	postings, ok := g.postings[worker]
	if !ok {
		var err error
		if postings, err = g.store.Postings(worker); err != nil {
			return access.Person{}, err
		}
		g.postings[worker] = postings
	}
	p := access.Person{Worker: worker}
	for i, posting := range postings {
		if i == 0 || posting.Since <= at {
			p = posting.Person
		}
	}
	return p, nil
}

// take gives the next position to a change of a replica. redacted: the body is not as its author encoded it.
func (g *group) take(r *Replica, change, rec hlc.ID, v verdict, body []byte, hash batch.Hash, redacted bool) uint64 {
	r.Have++
	r.Chain = batch.Next(r.Chain, hash)
	g.append(LogEntry{Replica: r.Number, Sequence: r.Have, Change: change, Record: rec, Outcome: v.outcome, WaitsFor: v.waitsFor, Body: body,
		Hash: outcomeHash(body, redacted, hash)}, hash)
	return g.head.Position
}

func (g *group) append(e LogEntry, hash batch.Hash) {
	g.head.Position++
	g.head.Chain = batch.NextLog(g.head.Chain, g.head.Position, e.Replica, e.Sequence, hash)
	e.Position, e.Chain, e.Received = g.head.Position, g.head.Chain, g.now.UnixMilli()
	g.log = append(g.log, e)
}

// merging is what is merged into a record.
type merging struct {
	kind record.Kind
	set  record.Registers
	// position is that of the log's entry.
	position uint64
	origin   origin
}

// origin is the replica whose tablet has all of a record with its own changes, if it had pulled up to a position before
// them; zero when the body must be sent to everybody.
type origin struct {
	replica hlc.Replica
	after   uint64
}

// originOf is the origin of a record once a change of a replica is merged in: the replica, if it made the record, if nobody
// else has changed it since its own last change, or if its cursor had come past the record before this push. seen is the
// position up to which its tablet had pulled.
func originOf(e *entry, replica hlc.Replica, seen uint64) origin {
	switch {
	case !e.there:
		return origin{replica, 0}
	case e.Origin == replica:
		return origin{replica, e.OriginAfter}
	case e.Position <= seen:
		return origin{replica, e.Position}
	default:
		return origin{}
	}
}

// apply merges what was let in into its record and gives the record the position of the entry.
func (g *group) apply(e *entry, m merging) error {
	teamWas, rootWas, before := e.Audience, e.Root, e.registers
	made := !e.there
	e.Kind, e.there = m.kind, true
	e.registers = e.with(m.set)
	e.Origin, e.OriginAfter, e.Position, e.changed = m.origin.replica, m.origin.after, m.position, true
	e.Day = int32(e.registers.Get(record.OccurredOnField).Number()) //nolint:gosec // validated: YYYYMMDD
	e.DuplicateOf = e.registers.Get(record.DuplicateOfField).ID()
	newest := m.set.Newest()
	g.head.Time = max(g.head.Time, newest)
	g.self.clock.Observe(newest)

	if err := g.settleIn(e); err != nil {
		return err
	}
	if made {
		e.Made = m.position
		g.made = append(g.made, e.ID)
	}
	if e.Kind == recordv1.Kind_KIND_HELD_DECISION {
		g.noteDecision(e)
	}
	if record.SetUp(e.Kind) {
		g.setUpChanged = true
		g.reopened = g.reopened || (closedSince(before) != 0 && closedSince(e.registers) == 0)
		return g.post(e, made)
	}
	if made {
		if e.Root == e.ID {
			g.families[e.ID] = true // nothing can hang on what is new, but for orphans, which follow
		}
		return g.loadFamilies([]hlc.ID{e.Root})
	}
	if e.Audience != teamWas {
		g.depart(e, teamWas)
	}
	if e.Root != rootWas || e.Audience != teamWas {
		return g.moveFamily(e, rootWas)
	}
	if assigns(e.Kind, m.set) {
		g.reassign(e, before)
	}
	return nil
}

// post notes from when on a worker is posted so: from the newest of the stamps of what says it.
func (g *group) post(e *entry, made bool) error {
	if e.Kind != recordv1.Kind_KIND_WORKER {
		return nil
	}
	p := posted(e.ID, e.registers)
	var since hlc.Time
	for _, field := range []protowire.Number{record.TeamField, roleField, supervisesField, externalField} {
		since = max(since, e.registers.Get(field).Stamp.Time)
	}
	was, err := g.person(e.ID, since)
	if err != nil || (!made && was.Equal(p)) {
		return err
	}
	if made {
		since = 0
	}
	posting := Posting{Since: since, Person: p}
	g.posted = append(g.posted, posting)
	g.postings[e.ID] = append(g.postings[e.ID], posting)
	slices.SortStableFunc(g.postings[e.ID], func(a, b Posting) int { return cmp.Compare(a.Since, b.Since) })
	return g.leave(was, p)
}
