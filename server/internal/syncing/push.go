package syncing

import (
	"errors"
	"slices"
	"time"

	"levee/server/internal/access"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// maxRecordBytes bounds the fields of a record as merged, so that it always fits into a page.
const maxRecordBytes = 512 << 10

// MaxSkew is how far a tablet's clock, or a stamp, may lie from the server's.
const MaxSkew = 5 * time.Minute

// push is one batch, checked as far as it can be without the store.
type push struct {
	device   hlc.ID
	worker   hlc.ID
	replica  hlc.Replica
	first    uint64
	chain    batch.Hash // before the first
	unsent   uint64     // changes that the tablet holds besides
	cursor   *syncv1.Mark
	arrivals []arrival
}

// arrival is one change of a batch.
type arrival struct {
	change *record.Change // nil when it can't be read
	set    record.Registers
	body   []byte
	hash   batch.Hash
	code   string // why it is held whatever the records say
}

// newPush opens a batch: its frame and signature, then each change by itself. A bad frame refuses the batch; a bad
// change is held. A stamp from the future refuses it too, since it would win for ever.
func newPush(deployment hlc.ID, device Device, b *syncv1.Batch, unsent uint64, rules record.Deployment, now time.Time) (*push, error) {
	hashes, err := batch.Open(device.PublicKey, deployment, b)
	if err != nil {
		return nil, err
	}
	p := &push{device: device.ID, worker: device.Worker, replica: hlc.Replica(b.GetReplica()), first: b.GetFirst(),
		chain: batch.Hash(b.GetChain()), unsent: unsent, arrivals: make([]arrival, len(hashes))}
	for i, entry := range b.GetEntries() {
		a := &p.arrivals[i]
		a.body, a.hash = entry.GetChange(), hashes[i]
		if len(a.body) == 0 {
			a.code = Erased
			continue
		}
		c, err := record.DecodeChange(a.body, p.replica)
		if err != nil {
			a.code = codeOf(err)
			continue
		}
		if c.Stamp.Time.Wall().After(now.Add(MaxSkew)) {
			return nil, &problem.Problem{Code: problem.ClockSkew, ServerTime: now}
		}
		rules.Now = c.Stamp.Time.Wall()
		if problems := record.Validate(c.Kind, c.Fields, rules); len(problems) > 0 {
			a.code = string(problems[0].Code)
		}
		a.change, a.set = c, c.Registers()
	}
	return p, nil
}

func codeOf(err error) string {
	var p *record.Problem
	if errors.As(err, &p) {
		return string(p.Code)
	}
	return string(record.CodeMalformed)
}

// needs are the records that the changes of a batch touch or hang on.
func (p *push) needs() []hlc.ID {
	ids := make([]hlc.ID, 0, 2*len(p.arrivals))
	for _, a := range p.arrivals {
		if a.change != nil {
			ids = append(ids, a.change.Record, a.set.Owner(a.change.Kind))
		}
	}
	return ids
}

// push takes a batch in: what the server has is skipped after its chain was compared, a gap is answered with what the
// server has, and every other change enters the chain, applied or held.
func (g *group) push(p *push) (*syncv1.Acknowledgement, error) {
	r, err := g.replica(p.replica, p.device)
	if err != nil {
		return nil, err
	}
	had := r.Have
	ack := &syncv1.Acknowledgement{}
	last := p.first - 1 + uint64(len(p.arrivals))
	switch {
	case p.first > had+1: // a gap: an earlier batch has not come yet
		acknowledge(ack, *r)
		return ack, nil
	case last+p.unsent < had: // the server has more of this replica than the tablet itself: it was cloned or set back
		ack.Forked = true
	default:
		if ack.Forked, err = g.forks(p, r); err != nil {
			return nil, err
		}
	}
	if !ack.Forked {
		fresh := p.arrivals[min(uint64(len(p.arrivals)), had+1-p.first):]
		if err := g.enter(p, r, fresh); err != nil {
			return nil, err
		}
	}
	acknowledge(ack, *r)
	entries, err := g.sequences(r.Number, p.first, r.Have)
	if err != nil {
		return nil, err
	}
	tellOutcomes(ack, entries)
	return ack, nil
}

// howFar answers a batch without changes: how far the server has the replica. Nothing is written.
func howFar(store Reading, deployment hlc.ID, p *push) (*syncv1.Acknowledgement, error) {
	r, err := store.Replica(p.replica)
	if err != nil {
		return nil, err
	}
	if r.Number == 0 {
		r.Chain = batch.Start(deployment, p.replica)
	}
	ack := &syncv1.Acknowledgement{Forked: p.first-1+p.unsent < r.Have || (p.first == r.Have+1 && p.chain != r.Chain)}
	acknowledge(ack, r)
	if p.first <= r.Have {
		entries, err := store.Sequences(p.replica, p.first, r.Have)
		if err != nil {
			return nil, err
		}
		tellOutcomes(ack, entries)
	}
	return ack, nil
}

// acknowledge says how far the server has a replica. With neither backups nor a replica of the database configured, a
// change is durable at its commit.
func acknowledge(ack *syncv1.Acknowledgement, r Replica) {
	ack.Have, ack.HaveChain, ack.Durable = r.Have, slices.Clone(r.Chain[:batch.ShortChain]), r.Have
}

// tellOutcomes adds which changes are held, or known from another replica: also those that the server had before this
// batch, since the answer that said so may have been lost.
func tellOutcomes(ack *syncv1.Acknowledgement, entries []LogEntry) {
	for _, e := range entries {
		switch {
		case e.Held():
			ack.Held = append(ack.Held, &syncv1.HeldChange{Sequence: e.Sequence, Change: e.Change[:], Code: e.Outcome})
		case e.Outcome == Known:
			ack.Known = append(ack.Known, e.Sequence)
		}
	}
}

// forks compares what the batch says about the part that the server has with what the server has.
func (g *group) forks(p *push, r *Replica) (bool, error) {
	had := r.Have - (p.first - 1) // of the batch's changes
	if had <= uint64(len(p.arrivals)) {
		chain := p.chain
		for _, a := range p.arrivals[:had] {
			chain = batch.Next(chain, a.hash)
		}
		return chain != r.Chain, nil
	}
	// The server has more than the batch: an old request that comes late.
	entries, err := g.sequences(p.replica, p.first, p.first+uint64(len(p.arrivals))-1)
	if err != nil {
		return false, err
	}
	for i, e := range entries {
		if hashOf(e) != p.arrivals[i].hash {
			return true, nil
		}
	}
	return false, nil
}

// enter puts new changes at the end of the replica's chain.
func (g *group) enter(p *push, r *Replica, fresh []arrival) error {
	if len(fresh) == 0 {
		return nil
	}
	others, err := g.store.OtherReplicas(p.device, p.replica)
	if err != nil {
		return err
	}
	seen, err := g.seen(p)
	if err != nil {
		return err
	}
	for _, a := range fresh {
		outcome, err := g.judge(p, a, others)
		if err != nil {
			return err
		}
		var change, rec hlc.ID
		if a.change != nil {
			change, rec = a.change.ID, a.change.Record
		}
		if outcome == Applied {
			// A conflict takes a position of its own, before the change that made it.
			if err := g.meet(g.records[rec], a, p.worker); err != nil {
				return err
			}
		}
		position := g.take(r, change, rec, outcome, a.body, a.hash)
		if outcome == Applied {
			if err := g.apply(g.records[rec], a.change, a.set, position, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// seen is the position up to which the sender has pulled, if its cursor is a place of this log.
func (g *group) seen(p *push) (uint64, error) {
	chain, ok, err := g.store.ChainAt(p.cursor.GetPosition())
	if err != nil || !ok || !batch.Same(p.cursor.GetChain(), chain) {
		return 0, err
	}
	return p.cursor.GetPosition(), nil
}

// judge decides what becomes of a change: applied, known, or held with a code.
func (g *group) judge(p *push, a arrival, others bool) (string, error) {
	if a.change == nil {
		return a.code, nil
	}
	c := a.change
	e, err := g.get(c.Record)
	if err != nil {
		return "", err
	}
	if e.there && c.Makes() {
		return Known, nil // the record is there, so what made it is
	}
	// Only a tablet that went on under a new number sends edits again; all others need not be looked for.
	if others || (!e.there && !c.Makes()) {
		past, err := g.past(c.Record)
		if err != nil {
			return "", err
		}
		for _, was := range past {
			if was.Change == c.ID {
				return Known, nil
			}
		}
		if !e.there && !c.Makes() {
			if len(past) > 0 {
				return string(record.CodeRecordHeld), nil
			}
			return string(record.CodeRecordMissing), nil
		}
	}
	if a.code != "" {
		return a.code, nil
	}
	if e.there && e.Kind != c.Kind {
		return string(record.CodeKindMismatch), nil
	}
	return g.judgeAccess(p, e, a)
}

// judgeAccess asks whether the author might do this, posted as they were at the change's stamp.
func (g *group) judgeAccess(p *push, e *entry, a arrival) (string, error) {
	c := a.change
	merged := record.Merge(e.registers, a.set)
	if merged.Size() > maxRecordBytes {
		return string(record.CodeTooLarge), nil
	}
	root, audience, code, err := g.place(c.Kind, c.Record, merged)
	if err != nil || code != "" {
		return string(code), err
	}
	person, err := g.person(p.worker, c.Stamp.Time)
	if err != nil {
		return "", err
	}
	before := audience
	if e.there {
		before = e.Audience
	}
	return string(access.Write(person, c.Kind, access.Scope{
		Makes: !e.there, Root: root == c.Record, Before: before, After: audience,
	})), nil
}

// sequences are a replica's log entries, those of the group included.
func (g *group) sequences(replica hlc.Replica, from, to uint64) ([]LogEntry, error) {
	entries, err := g.store.Sequences(replica, from, to)
	if err != nil {
		return nil, err
	}
	for _, e := range g.log {
		if e.Replica == replica && e.Sequence >= from && e.Sequence <= to {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// past are the changes of a record in the log, those of the group included.
func (g *group) past(id hlc.ID) ([]LogEntry, error) {
	entries, err := g.store.History(id)
	if err != nil {
		return nil, err
	}
	for _, e := range g.log {
		if e.Record == id {
			entries = append(entries, e)
		}
	}
	return slices.DeleteFunc(entries, func(e LogEntry) bool { return e.Outcome == NewAudience }), nil
}

func hashOf(e LogEntry) batch.Hash {
	if e.Body == nil {
		return batch.Hash(e.Hash)
	}
	return batch.HashOf(e.Body)
}
