package syncing

import (
	"slices"

	"levee/server/internal/access"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// settleIn notes where a record belongs.
func (g *group) settleIn(e *entry) error {
	root, audience, code, err := g.place(e.Kind, e.ID, e.registers)
	if err != nil {
		return err
	}
	var orphanOf hlc.ID
	if code == record.CodeOwnerMissing { // only of a record given back: a change is not let in
		orphanOf = e.registers.Owner(e.Kind)
	}
	e.changed = e.changed || orphanOf != e.OrphanOf
	e.Root, e.Audience, e.OrphanOf = root, audience, orphanOf
	return nil
}

// place derives where a record belongs: to the root of the record that it names as its owner, else to itself.
func (g *group) place(kind record.Kind, id hlc.ID, registers record.Registers) (root, audience hlc.ID, code record.Code, err error) {
	if record.SetUp(kind) {
		return id, access.Everyone, "", nil
	}
	owner := registers.Owner(kind)
	if owner == (hlc.ID{}) {
		return id, registers.Get(record.TeamField).ID(), "", nil
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
		return id, registers.Get(record.TeamField).ID(), record.CodeOwnerMissing, nil
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
// see from now on gets a new position, so that they pull it, and who no longer may see it is told to drop it.
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
			root, audience := e.Root, e.Audience
			if err := g.settleIn(e); err != nil {
				return err
			}
			if root == e.Root && audience == e.Audience {
				continue
			}
			settled = false
			if e != moved {
				g.announce(e)
			}
			if audience != e.Audience {
				g.depart(e, audience)
			}
		}
	}
	return nil
}

// depart tells an audience that it no longer has a record.
func (g *group) depart(e *entry, from hlc.ID) {
	g.departures = append(g.departures, Departure{Audience: from, Position: g.head.Position, Record: e.ID})
}

// leave tells a worker's tablets to drop what the former posting let them see and the new one does not.
func (g *group) leave(was, now access.Person) error {
	// Only to coordinators do all teams matter. They are not read for each of thousands who are set up at once.
	var all []hlc.ID
	if was.Role == recordv1.Role_ROLE_COORDINATOR || now.Role == recordv1.Role_ROLE_COORDINATOR {
		var err error
		if all, err = g.teams(); err != nil {
			return err
		}
	}
	// Whom another role may hide confidential records from, too, in the teams that stay.
	otherwise := was.Role != now.Role || was.External != now.External
	stays := access.Audiences(now, all)
	for _, audience := range access.Audiences(was, all) {
		if slices.Contains(stays, audience) && !otherwise {
			continue
		}
		ids, err := g.store.InAudience(audience)
		if err != nil {
			return err
		}
		for _, id := range ids {
			g.departures = append(g.departures, Departure{Audience: now.Worker, Position: g.head.Position, Record: id})
		}
	}
	return nil
}

// teams are the ids of all teams, of the store and of the group, in their order.
func (g *group) teams() ([]hlc.ID, error) {
	teams := map[hlc.ID]bool{}
	for id, e := range g.records {
		if e.there && e.Kind == recordv1.Kind_KIND_TEAM {
			teams[id] = true
		}
	}
	stored, err := g.store.OfKind(recordv1.Kind_KIND_TEAM)
	for _, r := range stored {
		teams[r.ID] = true
	}
	return inOrder(teams), err
}

// reassign gives a root's confidential records new positions after others were assigned to it, and tells those who no
// longer are to drop them.
func (g *group) reassign(root *entry, before record.Registers) {
	stays := assigned(root.Kind, root.registers)
	for _, e := range g.family(root.Root) {
		if e == root || !confidential(e.Kind, e.registers) {
			continue
		}
		g.announce(e)
		for _, worker := range assigned(root.Kind, before) {
			if !slices.Contains(stays, worker) {
				g.depart(e, worker)
			}
		}
	}
}

// announce gives a record a position that no change took.
func (g *group) announce(e *entry) {
	g.append(LogEntry{Record: e.ID, Change: e.ID, Outcome: NewAudience}, batch.HashOf(e.ID[:]))
	e.Position, e.Origin, e.OriginAfter, e.changed = g.head.Position, 0, 0, true
}
