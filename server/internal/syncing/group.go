package syncing

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"levee/server/internal/access"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
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
	// setUpChanged says that a record of the set-up kinds changed, and with them the rules.
	setUpChanged bool
}

// entry is a record in a group.
type entry struct {
	Record
	registers record.Registers
	// was are the registers before the group; nil when the group made the record.
	was     record.Registers
	there   bool // the record exists
	changed bool
}

func newGroup(store Writing, self *self, now time.Time) (*group, error) {
	head, err := store.Head()
	if err != nil {
		return nil, err
	}
	return &group{store: store, self: self, now: now, head: head, replicas: map[hlc.Replica]*Replica{},
		records: map[hlc.ID]*entry{}, families: map[hlc.ID]bool{}, postings: map[hlc.ID][]Posting{}}, nil
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
	g.records[r.ID] = &entry{Record: r, registers: registers, was: registers, there: true}
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
	slices.SortFunc(members, func(a, b *entry) int { return slices.Compare(a.ID[:], b.ID[:]) })
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

// take gives the next position to a change of a replica.
func (g *group) take(r *Replica, change, rec hlc.ID, outcome string, body []byte, hash batch.Hash) uint64 {
	r.Have++
	r.Chain = batch.Next(r.Chain, hash)
	g.append(LogEntry{Replica: r.Number, Sequence: r.Have, Change: change, Record: rec, Outcome: outcome, Body: body}, hash)
	return g.head.Position
}

func (g *group) append(e LogEntry, hash batch.Hash) {
	g.head.Position++
	g.head.Chain = batch.NextLog(g.head.Chain, g.head.Position, e.Replica, e.Sequence, hash)
	e.Position, e.Chain, e.Received = g.head.Position, g.head.Chain, g.now.UnixMilli()
	if e.Body == nil && e.Outcome != NewAudience {
		e.Hash = hash[:]
	}
	g.log = append(g.log, e)
}

// apply merges a change that was let in into its record and gives the record the position of the change. seen is the
// position up to which the author had pulled when the change was sent.
func (g *group) apply(e *entry, c *record.Change, set record.Registers, position, seen uint64) error {
	teamWas, rootWas := e.Audience, e.Root
	made := !e.there
	e.Kind, e.there = c.Kind, true
	e.registers = record.Merge(e.registers, set)
	// The tablet has all of the record if it made it, if nobody else has changed it since its own last change, or if its
	// cursor had come past the record before this push. Else the body must come with its next pull.
	if made || e.Origin == c.Stamp.Replica || e.Position <= seen {
		e.Origin = c.Stamp.Replica
	} else {
		e.Origin = 0
	}
	e.Position, e.changed = position, true
	e.Day = int32(e.registers.Get(dayField).Number()) //nolint:gosec // validated: YYYYMMDD
	e.DuplicateOf = e.registers.Get(duplicateField).ID()
	g.head.Time = max(g.head.Time, c.Stamp.Time)
	g.self.clock.Observe(c.Stamp.Time)

	root, audience, _, err := g.place(e.Kind, e.ID, e.registers)
	if err != nil {
		return err
	}
	e.Root, e.Audience = root, audience
	if record.SetUp(e.Kind) {
		g.setUpChanged = true
		return g.post(e, c, made)
	}
	if made {
		if e.Root == e.ID {
			g.families[e.ID] = true // nothing can hang on what is new
		}
		return g.loadFamilies([]hlc.ID{e.Root})
	}
	if e.Root != rootWas || e.Audience != teamWas {
		return g.moveFamily(e, rootWas)
	}
	if assigns(e.Kind, set) {
		g.announceConfidential(e)
	}
	return nil
}

// post notes from when on a worker has a team and role.
func (g *group) post(e *entry, c *record.Change, made bool) error {
	if e.Kind != recordv1.Kind_KIND_WORKER {
		return nil
	}
	p := access.Person{Worker: e.ID}
	p.Team, p.Role = posted(e.registers)
	if was, err := g.person(e.ID, c.Stamp.Time); err != nil || (!made && was == p) {
		return err
	}
	since := c.Stamp.Time
	if made {
		since = 0
	}
	posting := Posting{Since: since, Person: p}
	g.posted = append(g.posted, posting)
	g.postings[e.ID] = append(g.postings[e.ID], posting)
	return nil
}

// place derives where a record belongs: to the root of the record that it names as its owner, else to itself.
func (g *group) place(kind record.Kind, id hlc.ID, registers record.Registers) (root, audience hlc.ID, code record.Code, err error) {
	if record.SetUp(kind) {
		return id, access.Everyone, "", nil
	}
	owner := registers.Owner(kind)
	if owner == (hlc.ID{}) {
		return id, registers.Get(teamField).ID(), "", nil
	}
	e, err := g.get(owner)
	if err != nil {
		return hlc.ID{}, hlc.ID{}, "", err
	}
	circle, err := g.hangsOn(e, id)
	if err != nil {
		return hlc.ID{}, hlc.ID{}, "", err
	}
	if !e.there || !record.MayOwn(e.Kind, kind) || circle {
		return id, registers.Get(teamField).ID(), record.CodeOwnerMissing, nil
	}
	return e.Root, e.Audience, "", nil
}

// maxChain is how long a chain of records may be of which each belongs to the next. Work needs four (a review of a note
// of a session of a case); only reviews of reviews make longer ones.
const maxChain = 64

// hangsOn reports whether a record is another one or belongs to it, however far up: reviews may be of reviews, and none
// may be of itself in the end. What hangs further up than maxChain is taken for a circle, so that the writer always ends.
func (g *group) hangsOn(e *entry, id hlc.ID) (bool, error) {
	at := e
	for range maxChain {
		if at.ID == id {
			return true, nil
		}
		owner := at.registers.Owner(at.Kind)
		if !at.there || at.Root == at.ID || owner == (hlc.ID{}) {
			return false, nil
		}
		var err error
		if at, err = g.get(owner); err != nil {
			return false, err
		}
	}
	return true, nil
}

// moveFamily gives everything that hung on a moved record, or hangs on it now, its root and audience again. What others
// see from now on gets a new position, so that they pull it.
func (g *group) moveFamily(moved *entry, rootWas hlc.ID) error {
	if err := g.loadFamilies([]hlc.ID{rootWas, moved.Root}); err != nil {
		return err
	}
	members := append(g.family(rootWas), g.family(moved.Root)...)
	// A record may come before what it hangs on: then it is the next round that reaches it.
	settled := false
	for round := 0; !settled && round <= maxChain; round++ {
		settled = true
		for _, e := range members {
			root, audience, _, err := g.place(e.Kind, e.ID, e.registers)
			if err != nil {
				return err
			}
			if root != e.Root || audience != e.Audience {
				e.Root, e.Audience, settled = root, audience, false
				if e != moved {
					g.announce(e)
				}
			}
		}
	}
	return nil
}

// announceConfidential gives a root's confidential records new positions after others were assigned to it.
func (g *group) announceConfidential(root *entry) {
	for _, e := range g.family(root.Root) {
		if e != root && confidential(e.Kind, e.registers) {
			g.announce(e)
		}
	}
}

// announce gives a record a position that no change took.
func (g *group) announce(e *entry) {
	g.append(LogEntry{Record: e.ID, Change: e.ID, Outcome: NewAudience}, batch.HashOf(e.ID[:]))
	e.Position, e.Origin, e.changed = g.head.Position, 0, true
}

// changes are what the group saves.
func (g *group) changes() (Changes, error) {
	totals, err := g.totals()
	if err != nil {
		return Changes{}, err
	}
	c := Changes{Head: g.head, Log: g.log, Postings: g.posted, Totals: totals, Contacts: g.contacts}
	for _, r := range g.replicas {
		c.Replicas = append(c.Replicas, *r)
	}
	ids := slices.SortedFunc(maps.Keys(g.records), func(a, b hlc.ID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range ids {
		if e := g.records[id]; e.changed {
			e.State = record.EncodeState(e.registers)
			c.Records = append(c.Records, e.Record)
		}
	}
	return c, nil
}

// totals is by how much the group moved the totals: what the families that it touched gave before and give after,
// together with those that duplicates tie to them.
func (g *group) totals() (tally.Delta, error) {
	if err := g.loadDuplicates(); err != nil {
		return tally.Delta{}, err
	}
	var before, after []tally.Record
	for _, e := range g.records {
		if !e.there || record.SetUp(e.Kind) {
			continue
		}
		if e.was != nil {
			before = append(before, tally.Record{ID: e.ID, Kind: e.Kind, Registers: e.was})
		}
		after = append(after, tally.Record{ID: e.ID, Kind: e.Kind, Registers: e.registers})
	}
	return tally.DeltaOf(before, after), nil
}

// loadDuplicates loads the families that a duplicate ties to those of the group, in either direction, and the families
// tied to these, until there are no more.
func (g *group) loadDuplicates() error {
	asked := map[hlc.ID]bool{}
	for {
		var ids, named []hlc.ID
		for id, e := range g.records {
			if !e.there || asked[id] || record.SetUp(e.Kind) {
				continue
			}
			asked[id] = true
			ids = append(ids, id)
			named = append(named, e.DuplicateOf, e.was.Get(duplicateField).ID())
		}
		if len(ids) == 0 {
			return nil
		}
		roots, err := g.store.DuplicatesOf(ids)
		if err != nil {
			return err
		}
		if err := g.loadFamilies(roots); err != nil {
			return err
		}
		if err := g.load(named); err != nil {
			return err
		}
	}
}
