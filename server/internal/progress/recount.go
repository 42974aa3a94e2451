package progress

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Recounted is everything that is stored twice, beside each other: the totals and what the records give, the records
// and what the change log gives, the log and its chains.
type Recounted struct {
	// Position is how long the log is, Chain its hash there, Time the highest in it.
	Position uint64
	Chain    batch.Hash
	Time     hlc.Time
	// Have is how many changes of each replica the log holds, Replicas how far each is noted.
	Have     map[hlc.Replica]uint64
	Replicas []syncing.Replica
	// Totals are all that are stored or counted, but for what is zero in both.
	Totals []Line
	// Faults are the first ones that were found elsewhere; MoreFaults is how many there are besides.
	Faults     []Fault
	MoreFaults int
	// Records and Changes are how many there are; Erased is how many of the records can't be replayed, because the body
	// of one of their changes is erased. Their hashes are in the chain all the same.
	Records, Changes, Erased int
}

// Line is one stored total beside its recount.
type Line struct {
	TotalRow
	// Name is what the key stands for, if it is a site, team or worker.
	Name    string
	Counted int64
}

// Fault is something that is not as it should be, with a stable code.
type Fault struct {
	Code   FaultCode
	Detail string
}

// FaultCode names what does not hold.
type FaultCode string

// The faults.
const (
	// LogGap: positions of the log, or sequence numbers of a replica, do not follow each other.
	LogGap FaultCode = "log_gap"
	// LogChain: the log's chain does not follow from the changes.
	LogChain FaultCode = "log_chain"
	// LogEntry: a change is not what its entry says, or can't be read although it was applied.
	LogEntry FaultCode = "log_entry"
	// ReplicaChain: how far the server has a replica is not what the log says.
	ReplicaChain FaultCode = "replica_chain"
	// RecordDiffers: a record is not what its changes give.
	RecordDiffers FaultCode = "record_differs"
	// RecordLost: changes of a record were applied and the record is not there.
	RecordLost FaultCode = "record_lost"
	// TokenCounts: how often people are met, from which persons are counted, is not what the records give.
	TokenCounts FaultCode = "token_counts"
	// DayCounts: what is kept by day, from which reports are made, is not what the records give.
	DayCounts FaultCode = "day_counts"
)

// maxFaults bounds how many faults are kept: where one thing is broken, much may look so.
const maxFaults = 100

// Equal reports whether everything agrees.
func (r *Recounted) Equal() bool {
	return len(r.Faults) == 0 && !slices.ContainsFunc(r.Totals, func(l Line) bool { return l.Value != l.Counted })
}

func (r *Recounted) fault(code FaultCode, format string, args ...any) {
	if len(r.Faults) == maxFaults {
		r.MoreFaults++
		return
	}
	r.Faults = append(r.Faults, Fault{code, fmt.Sprintf(format, args...)})
}

// Recount counts everything again from one snapshot. The log and the totals pass by row by row; what records say is
// held in memory.
func Recount(ctx context.Context, store Store, deployment hlc.ID) (*Recounted, error) {
	result := &Recounted{}
	err := store.Look(ctx, func(tx Reading) error {
		replayed, err := replay(tx, deployment, result)
		if err != nil {
			return err
		}
		there, err := compareRecords(tx, replayed, result)
		if err != nil {
			return err
		}
		facts := tally.Facts(there.counting)
		counted := tally.OfFacts(slices.Values(facts))
		if err := compareTokens(tx, counted, result); err != nil {
			return err
		}
		if err := compareDays(tx, facts, there.told, result); err != nil {
			return err
		}
		return compareTotals(tx, counted, there.names, result)
	})
	return result, err
}

// Verify follows the log and its chains, one snapshot of them, and leaves out what is made from them: records and totals.
func Verify(ctx context.Context, store Store, deployment hlc.ID) (*Recounted, error) {
	return Follow(ctx, store, deployment, func(Step) error { return nil })
}

// Step is an entry of the log, and what follows from it.
type Step struct {
	syncing.LogEntry
	// Hash is what the chains have of it.
	Hash batch.Hash
	// Of is its replica as far as this entry; the zero Replica where no replica wrote it.
	Of syncing.Replica
}

// Follow does as Verify, and hands on each step. each must not use the store.
func Follow(ctx context.Context, store Store, deployment hlc.ID, each func(Step) error) (*Recounted, error) {
	result := &Recounted{}
	err := store.Look(ctx, func(tx Reading) error { return follow(tx, deployment, result, each) })
	return result, err
}

// replayed is a record as the log gives it.
type replayed struct {
	kind      record.Kind
	registers record.Registers
	erased    bool
}

// replay follows the log, and finds what the applied changes make of each record.
func replay(tx Reading, deployment hlc.ID, result *Recounted) (map[hlc.ID]*replayed, error) {
	records := map[hlc.ID]*replayed{}
	err := follow(tx, deployment, result, func(s Step) error {
		switch s.Outcome {
		case syncing.Applied:
			apply(records, s.LogEntry, result)
		case syncing.Given:
			applyGiven(records, s.LogEntry, result)
		}
		return nil
	})
	return records, err
}

// follow follows the log: its chain and the chain of each replica. After a fault it goes on from what is stored, so that
// each is named once. It hands on each step.
func follow(tx Reading, deployment hlc.ID, result *Recounted, each func(Step) error) error {
	replicas := map[hlc.Replica]syncing.Replica{}
	at := syncing.Head{Chain: batch.LogStart(deployment)}
	err := tx.EachEntry(func(e syncing.LogEntry) error {
		if e.Position != at.Position+1 {
			result.fault(LogGap, "position %d follows %d", e.Position, at.Position)
		}
		hash := hashOf(e)
		if batch.NextLog(at.Chain, e.Position, e.Replica, e.Sequence, hash) != e.Chain {
			result.fault(LogChain, "at position %d", e.Position)
		}
		at.Position, at.Chain = e.Position, e.Chain
		if e.Replica == 0 { // no change of a replica
			return each(Step{LogEntry: e, Hash: hash})
		}
		result.Changes++
		r, ok := replicas[e.Replica]
		if !ok {
			r = syncing.Replica{Number: e.Replica, Chain: batch.Start(deployment, e.Replica)}
		}
		if e.Sequence != r.Have+1 {
			result.fault(LogGap, "change %d of replica %x follows %d, at position %d", e.Sequence, uint64(e.Replica), r.Have, e.Position)
		}
		r.Have, r.Chain = e.Sequence, batch.Next(r.Chain, hash)
		replicas[e.Replica] = r
		return each(Step{e, hash, r})
	})
	if err != nil {
		return err
	}
	head, err := tx.Head()
	if err != nil {
		return err
	}
	result.Chain, result.Time, result.Have = head.Chain, head.Time, make(map[hlc.Replica]uint64, len(replicas))
	for number, r := range replicas {
		result.Have[number] = r.Have
	}
	if result.Position = head.Position; head.Position != at.Position || head.Chain != at.Chain {
		result.fault(LogChain, "the log ends at position %d, and position %d is noted as its end", at.Position, head.Position)
	}
	err = tx.EachReplica(func(r syncing.Replica) error {
		if log := replicas[r.Number]; log.Have != r.Have || log.Chain != r.Chain {
			result.fault(ReplicaChain, "replica %x is noted up to change %d, and the log has it up to %d", uint64(r.Number), r.Have, log.Have)
		}
		delete(replicas, r.Number)
		result.Replicas = append(result.Replicas, r)
		return nil
	})
	for _, number := range slices.Sorted(maps.Keys(replicas)) {
		result.fault(ReplicaChain, "replica %x is in the log and is not noted", uint64(number))
	}
	return err
}

func hashOf(e syncing.LogEntry) batch.Hash {
	switch {
	case e.Outcome == syncing.NewAudience:
		return batch.HashOf(e.Record[:])
	case e.Outcome == syncing.Settled:
		return batch.HashOf(e.Change[:])
	case len(e.Hash) == len(batch.Hash{}):
		return batch.Hash(e.Hash) // the body is erased, or tokens in it were replaced
	case e.Body != nil:
		return batch.HashOf(e.Body)
	default:
		return batch.Hash{} // fits no chain
	}
}

// apply merges an applied change into its record.
func apply(records map[hlc.ID]*replayed, e syncing.LogEntry, result *Recounted) {
	r := records[e.Record]
	if r == nil {
		r = &replayed{}
		records[e.Record] = r
	}
	if e.Body == nil {
		r.erased = true
		return
	}
	c, err := record.DecodeChange(e.Body, e.Replica)
	if err != nil || c.ID != e.Change || c.Record != e.Record {
		result.fault(LogEntry, "position %d holds another change than it says", e.Position)
		return
	}
	r.kind, r.registers = c.Kind, record.Merge(r.registers, c.Registers())
}

// applyGiven merges a record given back.
func applyGiven(records map[hlc.ID]*replayed, e syncing.LogEntry, result *Recounted) {
	var given syncv1.GivenRecord
	err := proto.Unmarshal(e.Body, &given)
	registers, serr := record.DecodeState(given.GetState())
	if err != nil || serr != nil || !bytes.Equal(given.GetId(), e.Record[:]) {
		result.fault(LogEntry, "position %d holds another record than it says", e.Position)
		return
	}
	r := records[e.Record]
	if r == nil {
		r = &replayed{}
		records[e.Record] = r
	}
	r.kind, r.registers = record.Kind(given.GetKind()), record.Merge(r.registers, registers) //nolint:gosec // checked when it came
}

// found is what the records say: those that may count, what the others give to reports, and the names of sites, teams and workers.
type found struct {
	counting []tally.Record
	told     syncing.Told
	names    map[string]string
}

// compareRecords lays the records beside the replayed ones.
func compareRecords(tx Reading, log map[hlc.ID]*replayed, result *Recounted) (found, error) {
	there := found{told: syncing.NewTold(), names: map[string]string{}}
	err := tx.EachRecord(func(r syncing.Record) error {
		result.Records++
		was := log[r.ID]
		delete(log, r.ID)
		switch {
		case was == nil:
			result.fault(RecordDiffers, "record %v is in no change of the log", r.ID)
		case was.erased:
			result.Erased++
		case was.kind != r.Kind || !bytes.Equal(record.EncodeState(was.registers), r.State):
			result.fault(RecordDiffers, "record %v is not what its changes give", r.ID)
		}
		t, err := tallied(r)
		if err != nil {
			result.fault(RecordDiffers, "record %v can't be read", r.ID)
			return nil //nolint:nilerr // it is a finding
		}
		there.told.Add(r.Kind, r.Audience, t.Registers, 1)
		switch {
		case mayCount(r.Kind):
			there.counting = append(there.counting, t)
		case record.SetUp(r.Kind):
			there.names[r.ID.String()] = nameOf(t)
		}
		return nil
	})
	lost := slices.SortedFunc(maps.Keys(log), hlc.CompareIDs)
	for _, id := range lost {
		result.fault(RecordLost, "record %v", id)
	}
	return there, err
}

// nameOf is the name of a record of the set-up.
func nameOf(r tally.Record) string {
	m := record.New(r.Kind)
	if named, ok := m.(interface{ GetName() string }); ok && proto.Unmarshal(r.Registers.Fields(), m) == nil {
		return named.GetName()
	}
	return ""
}

// compareTokens lays the stored counts of tokens beside those of the records. No token is shown.
func compareTokens(tx Reading, counted *tally.Totals, result *Recounted) error {
	type cut struct{ basis, dimension, key string }
	differ := map[cut]int{}
	left := make(map[tally.TokenCell]int64, len(counted.Tokens))
	maps.Copy(left, counted.Tokens)
	err := tx.EachTokenCount(func(row TokenRow) error {
		cell, ok := tokenCell(row)
		if !ok || left[cell] != row.Count {
			differ[cut{row.Basis, row.Dimension, row.Key}]++
		}
		delete(left, cell)
		return nil
	})
	for cell := range left {
		differ[cut{cell.Basis.String(), cell.Dimension.String(), cell.Key}]++
	}
	cuts := slices.SortedFunc(maps.Keys(differ), func(a, b cut) int {
		return cmp.Or(cmp.Compare(a.basis, b.basis), cmp.Compare(a.dimension, b.dimension), cmp.Compare(a.key, b.key))
	})
	for _, c := range cuts {
		result.fault(TokenCounts, "%s %s %s: %d people", c.basis, c.dimension, c.key, differ[c])
	}
	return err
}

func tokenCell(row TokenRow) (tally.TokenCell, bool) {
	basis, berr := tally.ParseBasis(row.Basis)
	dimension, derr := tally.ParseDimension(row.Dimension)
	if berr != nil || derr != nil || len(row.Token) != len(tally.Token{}) {
		return tally.TokenCell{}, false
	}
	return tally.TokenCell{Basis: basis, Cut: tally.Cut{Dimension: dimension, Key: row.Key}, Token: tally.Token(row.Token)}, true
}

// compareDays lays what is kept by day beside what the records give.
func compareDays(tx EveryDay, facts []tally.Fact, told syncing.Told, result *Recounted) error {
	var moves []tally.Move
	for i := range facts {
		moves = append(moves, facts[i].Moves()...)
	}
	days := DaysOf(moves)
	ofToken := map[tally.Token]map[Meeting]int64{}
	for m, n := range days.Met {
		if ofToken[m.Token] == nil {
			ofToken[m.Token] = map[Meeting]int64{}
		}
		ofToken[m.Token][m] = n
	}
	met := map[MetDay]int64{}
	for _, meetings := range ofToken {
		for day, n := range MetDaysOf(meetings) {
			met[day] += n
		}
	}
	return errors.Join(
		compareRows(result, "day_sums", days.Sums, tx.EachDaySum),
		compareRows(result, "work_days", days.Work, tx.EachWorkDay),
		compareRows(result, "meetings", days.Met, tx.EachMeeting),
		compareRows(result, "met_days", met, tx.EachMetDay),
		compareRows(result, "goods_days", told.Goods, tx.EachGoodsDay),
		compareRows(result, "alert_days", told.Alerts, tx.EachAlertDay))
}

// compareRows tells of how many rows of a table something else was counted. A row of zeros is as good as none.
func compareRows[Key, Value comparable](result *Recounted, table string, counted map[Key]Value, each func(func(Key, Value) error) error) error {
	var zero Value
	differ := 0
	err := each(func(key Key, stored Value) error {
		if stored != counted[key] {
			differ++
		}
		delete(counted, key)
		return nil
	})
	for _, value := range counted {
		if value != zero {
			differ++
		}
	}
	if differ > 0 {
		result.fault(DayCounts, "%s: %d rows", table, differ)
	}
	return err
}

// compareTotals lays the stored totals beside those of the records.
func compareTotals(tx Reading, counted *tally.Totals, names map[string]string, result *Recounted) error {
	left := cellsOf(counted)
	err := tx.EachTotal(func(row TotalRow) error {
		at := row
		at.Value = 0
		line := Line{TotalRow: row, Name: names[row.Key], Counted: left[at]}
		delete(left, at)
		if line.Value != 0 || line.Counted != 0 {
			result.Totals = append(result.Totals, line)
		}
		return nil
	})
	for row, n := range left {
		result.Totals = append(result.Totals, Line{TotalRow: row, Name: names[row.Key], Counted: n})
	}
	slices.SortFunc(result.Totals, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Figure, b.Figure))
	})
	return err
}

// cellsOf are all totals that should be stored: every figure that sums, and the distinct persons of each cut.
func cellsOf(counted *tally.Totals) map[TotalRow]int64 {
	cells := map[TotalRow]int64{}
	put := func(c tally.Cell) {
		cells[TotalRow{Basis: c.Basis.String(), Figure: c.Figure.String(), Dimension: c.Dimension.String(), Key: c.Key}] = counted.Value(c)
	}
	for c := range counted.Cells {
		put(c)
		if c.Figure == tally.PersonsByNumber {
			put(tally.Cell{Basis: c.Basis, Figure: tally.Persons, Cut: c.Cut})
		}
	}
	for c := range counted.Tokens {
		put(tally.Cell{Basis: c.Basis, Figure: tally.Persons, Cut: c.Cut})
	}
	return cells
}
