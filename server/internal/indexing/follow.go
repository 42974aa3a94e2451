package indexing

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// version is that of the rules below. Whoever changes what they give counts it up: then the tables are brought up to date
// again from the beginning of the log. Until that is done they hold what the older rules gave.
const version = 3

// How many positions of the log one transaction takes at most. Syncs wait for it, so it is short while there are any; but each transaction
// writes pages again that the one before wrote, and the more come at once, the less each costs.
const (
	chunk     = 1000
	busyChunk = 200
)

// follow indexes what the next entries of the log, at most so many, touched. It returns how far the tables are now, and whether there may be
// more entries.
func follow(tx Writing, most int) (position uint64, more bool, err error) {
	at, err := tx.Cursor()
	if err != nil {
		return 0, false, err
	}
	if at.Version != version {
		at.Version, at.Position = version, 0
	}
	entries, err := tx.Entries(at.Position, most)
	if err != nil || len(entries) == 0 {
		return at.Position, false, err
	}
	at.Position = entries[len(entries)-1].Position
	x := &indexer{tx: tx, records: map[hlc.ID]*entry{}, changes: Changes{Cursor: at}}
	if err := x.index(entries); err != nil {
		return 0, false, err
	}
	return at.Position, len(entries) == most, tx.SaveIndex(x.changes)
}

// indexer brings the rows of some records up to date.
type indexer struct {
	tx Writing
	// touched are the records that entries of the log name, in their order, each with the first position that names it.
	touched []touch
	// windows are the records that entries of each window of the log name.
	windows [][]hlc.ID
	// records are those that were loaded: what was touched, and whatever decides how that counts.
	records map[hlc.ID]*entry
	changes Changes
}

type touch struct {
	record   hlc.ID
	position uint64
}

// entry is a record as merged.
type entry struct {
	syncing.Record
	registers record.Registers
	decoded   record.Common
}

// message are the fields of a record; nil when its kind is not known, or they can't be read.
func (e *entry) message() record.Common {
	if e.decoded == nil && record.Known(e.Kind) {
		m := record.New(e.Kind)
		if proto.Unmarshal(e.registers.Fields(), m) == nil {
			e.decoded = m
		}
	}
	return e.decoded
}

func (x *indexer) index(entries []syncing.LogEntry) error {
	seen := make(map[hlc.ID]bool, len(entries))
	for i, e := range entries {
		if !seen[e.Record] {
			seen[e.Record] = true
			x.touched = append(x.touched, touch{e.Record, e.Position})
		}
		if i == 0 || (e.Position-1)/window != (entries[i-1].Position-1)/window {
			x.windows = append(x.windows, nil)
		}
		last := &x.windows[len(x.windows)-1]
		*last = append(*last, e.Record)
	}
	former, err := x.formerTies(entries)
	if err != nil {
		return err
	}
	if err := x.load(former); err != nil {
		return err
	}
	if err := x.indexStanding(); err != nil {
		return err
	}
	if err := x.indexLikely(); err != nil {
		return err
	}
	return x.indexWords()
}

// formerTies are the records to which a change that moved a record to others had tied it before: they may count otherwise
// now, and nothing that is stored leads there.
func (x *indexer) formerTies(entries []syncing.LogEntry) ([]hlc.ID, error) {
	var former []hlc.ID
	for _, e := range entries {
		if e.Change == e.Record && e.Replica != 0 {
			continue // made by this change
		}
		kind, registers, ok := syncing.ContentOf(e)
		if e.Outcome == syncing.Settled {
			kind, ok = 0, true // its change stands at an earlier position
		}
		if !ok || (e.Outcome != syncing.Settled && registers.Get(record.OwnerField(kind)).Field == 0 && registers.Get(record.DuplicateOfField).Field == 0) {
			continue
		}
		history, err := x.tx.History(e.Record)
		if err != nil {
			return nil, err
		}
		for _, past := range history {
			if kind, registers, ok := syncing.ContentOf(past); ok {
				former = append(former, registers.Owner(kind), registers.Get(record.DuplicateOfField).ID())
			}
		}
	}
	return former, nil
}

// load loads what was touched and some others, with all that decides how they count: their families, and those that
// duplicates tie to them in either direction.
func (x *indexer) load(others []hlc.ID) error {
	named := make(map[hlc.ID]bool, len(x.touched)+len(others))
	for _, id := range others {
		named[id] = true
	}
	for _, t := range x.touched {
		named[t.record] = true
	}
	tie := func(roots []hlc.ID) error {
		tied, err := syncing.Tied(x.tx, roots)
		for _, r := range tied {
			if named[r.ID] || tally.Decides(r.Kind) {
				x.put(r)
			}
		}
		return err
	}
	// Most are roots, and come with their families: only the others are looked for by themselves.
	if err := tie(slices.Collect(maps.Keys(named))); err != nil {
		return err
	}
	var missing, roots []hlc.ID
	for id := range named {
		if x.records[id] == nil {
			missing = append(missing, id)
		}
	}
	found, err := x.tx.Records(missing)
	if err != nil {
		return err
	}
	for _, r := range found {
		x.put(r)
		if tally.Decides(r.Kind) {
			roots = append(roots, r.Root)
		}
	}
	return tie(roots)
}

// put adds a record. One whose state can't be read is as good as not there.
func (x *indexer) put(r syncing.Record) {
	if _, ok := x.records[r.ID]; ok {
		return
	}
	if registers, err := record.DecodeState(r.State); err == nil {
		x.records[r.ID] = &entry{Record: r, registers: registers}
	}
}

// indexStanding brings up to date where records stand with their reviews, and cases.
func (x *indexer) indexStanding() error {
	var ids, files []hlc.ID
	for _, t := range x.touched {
		if x.records[t.record] == nil {
			ids, files = append(ids, t.record), append(files, t.record) // gone
		}
	}
	var records []tally.Record
	for id, e := range x.records {
		ids = append(ids, id)
		if e.Kind == recordv1.Kind_KIND_CASE {
			files = append(files, id)
		}
		if tally.Decides(e.Kind) {
			records = append(records, tally.Record{ID: id, Kind: e.Kind, Registers: e.registers})
		}
	}
	slices.SortFunc(ids, hlc.CompareIDs)
	slices.SortFunc(files, hlc.CompareIDs)
	standing, cases := rowsOf(tally.Facts(records), func(id hlc.ID) *entry { return x.records[id] })
	stored, err := x.tx.Reviewing(ids)
	if err != nil {
		return err
	}
	x.changes.Reviewing = difference(ids, stored, standing, func(r Reviewed) hlc.ID { return r.Record }, func(a, b Reviewed) bool { return a == b })
	x.changes.Counts = moved(stored, standing)
	was, err := x.tx.Cases(files)
	x.changes.Cases = difference(files, was, cases, func(c Case) hlc.ID { return c.Record }, func(a, b Case) bool { return a == b })
	x.changes.Open = movedOpen(slices.Values(was), maps.Values(cases))
	return err
}

// difference is what makes the stored rows of some records into those that they should have.
func difference[Row any](ids []hlc.ID, stored []Row, wanted map[hlc.ID]Row, of func(Row) hlc.ID, equal func(a, b Row) bool) (d Rows[Row, hlc.ID]) {
	was := make(map[hlc.ID]Row, len(stored))
	for _, row := range stored {
		was[of(row)] = row
	}
	for _, id := range ids {
		old, had := was[id]
		row, wants := wanted[id]
		switch {
		case wants && (!had || !equal(old, row)):
			d.Put = append(d.Put, row)
		case had && !wants:
			d.Drop = append(d.Drop, id)
		}
	}
	return d
}

// moved is by how much counts move when stored rows become others.
func moved(stored []Reviewed, wanted map[hlc.ID]Reviewed) []ReviewCount {
	by := map[ReviewCount]int64{}
	count := func(r Reviewed, n int64) {
		by[ReviewCount{Audience: r.Audience, Kind: r.Kind, Standing: r.Standing}] += n
	}
	for _, r := range stored {
		count(r, -1)
	}
	for _, r := range wanted {
		count(r, 1)
	}
	var counts []ReviewCount
	for c, n := range by {
		if n != 0 {
			c.Count = n
			counts = append(counts, c)
		}
	}
	slices.SortFunc(counts, compareCounts)
	return counts
}

// movedOpen is by how much open cases move when stored rows become others.
func movedOpen(stored, wanted iter.Seq[Case]) []StageCount {
	by := map[StageCount]int64{}
	count := func(cases iter.Seq[Case], n int64) {
		for c := range cases {
			if !c.Closed {
				by[StageCount{Audience: c.Audience, Stage: c.Stage}] += n
			}
		}
	}
	count(stored, -1)
	count(wanted, 1)
	var counts []StageCount
	for c, n := range by {
		if n != 0 {
			c.Count = n
			counts = append(counts, c)
		}
	}
	slices.SortFunc(counts, func(a, b StageCount) int {
		return cmp.Or(hlc.CompareIDs(a.Audience, b.Audience), cmp.Compare(a.Stage, b.Stage))
	})
	return counts
}
