package syncing

import (
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// save writes what the group changed. What takes the processor alone, as to count and to encode, is done while the log is written.
func (g *group) save() (Changes, error) {
	if err := g.prove(); err != nil {
		return Changes{}, err
	}
	if err := g.loadDuplicates(); err != nil {
		return Changes{}, err
	}
	for i := range g.log {
		e := g.records[g.log[i].Record]
		g.log[i].Makes = e != nil && e.changed && e.Made == g.log[i].Position
	}
	type counted struct {
		Changes
		err error
	}
	done := make(chan counted, 1)
	go func() {
		var c counted
		defer func() {
			if v := recover(); v != nil {
				c.err = fmt.Errorf("panic while counting: %v\n%s", v, debug.Stack())
			}
			done <- c
		}()
		c.Changes = g.changes()
	}()
	err := g.store.Append(g.log)
	c := <-done
	if err := errors.Join(err, c.err); err != nil {
		return Changes{}, err
	}
	return c.Changes, g.store.Save(c.Changes)
}

// changes are what the group saves besides the log. It reads nothing of the store.
func (g *group) changes() Changes {
	c := Changes{Decisions: g.decisions, Departures: g.departures, Postings: g.posted, Totals: g.totals(), Told: g.told(), Contacts: g.contacts}
	if len(g.log) > 0 {
		if g.setUpChanged {
			g.head.SetUp = g.head.Chain
		}
		c.Head = g.head
	}
	for _, position := range slices.Sorted(maps.Keys(g.decided)) {
		c.Decided = append(c.Decided, *g.decided[position])
	}
	for _, number := range slices.Sorted(maps.Keys(g.replicas)) {
		c.Replicas = append(c.Replicas, *g.replicas[number])
	}
	for _, id := range inOrder(g.records) {
		if e := g.records[id]; e.changed {
			e.State = record.EncodeState(e.registers)
			e.Unsettled = unsettled(e.Kind, e.registers)
			if e.stored {
				c.Records = append(c.Records, e.Record)
			} else {
				c.Made = append(c.Made, e.Record)
			}
		}
	}
	return c
}

// totals is by how much the group moved the totals: what the families that it touched gave before and give after,
// together with those that duplicates tie to them, which are loaded by now.
func (g *group) totals() tally.Delta {
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
	return tally.DeltaOf(before, after)
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
			named = append(named, e.DuplicateOf, e.was.Get(record.DuplicateOfField).ID())
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

// inOrder are the keys of a map in one order: what is stored and sent in it is the same every time.
func inOrder[V any](of map[hlc.ID]V) []hlc.ID {
	return slices.SortedFunc(maps.Keys(of), hlc.CompareIDs)
}
