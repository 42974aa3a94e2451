package progress

import (
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// RootKinds are the kinds of records that others belong to, and that belong to none: all that counts is one of them or below one.
var RootKinds = []record.Kind{recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP, recordv1.Kind_KIND_COMMUNITY_ACTIVITY}

// Given is what a record gives to the totals.
type Given struct {
	tally.Fact
	// Of is the record itself; Where is the kind of the one that says where it counts.
	Of    tally.Record
	Where record.Kind
}

// EachGiven hands out all that counts, each once, in no order. It goes from root to root and looks at a few of them together, so
// that little is held at a time; root is told of each, counted or not, before what is below it.
func EachGiven(tx RecordReading, root func(syncing.Record) error, given func(Given) error) error {
	return eachChunk(tx, RootKinds, behindChunk, func(chunk []syncing.Record) error { return giveAll(tx, chunk, root, given) })
}

// ToldBy is what the records give to reports that give no figures.
func ToldBy(tx RecordReading) (syncing.Told, error) {
	told := syncing.NewTold()
	return told, eachChunk(tx, syncing.ToldOf, MaxPage, func(chunk []syncing.Record) error {
		for _, r := range chunk {
			t, err := tallied(r)
			if err != nil {
				return err
			}
			told.Add(r.Kind, r.Audience, t.Registers, 1)
		}
		return nil
	})
}

// eachChunk hands out all records of some kinds, a few at a time.
func eachChunk(tx RecordReading, kinds []record.Kind, limit int, give func([]syncing.Record) error) error {
	const last = record.Date(99999999)
	for _, kind := range kinds {
		audiences, err := tx.Audiences(kind)
		if err != nil {
			return err
		}
		for _, audience := range audiences {
			of := DayRange{Kind: kind, Audience: audience, To: last, Limit: limit}
			for more := true; more; {
				var chunk []syncing.Record
				if chunk, more, err = nextOf(tx, &of); err != nil {
					return err
				}
				if err := give(chunk); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// giveAll hands out what counts below some roots. What counts below another one comes with that, also where the two are tied.
func giveAll(tx RecordReading, roots []syncing.Record, root func(syncing.Record) error, given func(Given) error) error {
	if len(roots) == 0 {
		return nil
	}
	facts, records, err := factsOf(tx, roots)
	if err != nil {
		return err
	}
	asked := make(map[hlc.ID]bool, len(roots))
	for _, r := range roots {
		asked[r.ID] = true
		if err := root(r); err != nil {
			return err
		}
	}
	for _, f := range facts {
		at := records[f.Setting]
		if !asked[at.Root] {
			continue
		}
		if err := given(Given{Fact: f, Of: records[f.Record].tallied, Where: at.Kind}); err != nil {
			return err
		}
	}
	return nil
}

// nextOf are the next records of a run, and whether there may be more of it.
func nextOf(tx RecordReading, run *DayRange) (chunk []syncing.Record, more bool, err error) {
	chunk, err = tx.RecordsByDay(*run)
	if more = len(chunk) == run.Limit; more {
		run.Before = &chunk[len(chunk)-1]
	}
	return chunk, more, err
}
