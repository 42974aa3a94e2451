package syncing

import (
	"errors"
	"slices"
	"time"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// maxRecordBytes bounds a record as merged, so that it always fits into a page: its fields, and for each register the
// most that its number and stamps take. An emptied field has nothing else.
const (
	maxRecordBytes = 512 << 10
	registerBytes  = 64
)

func tooLarge(rs record.Registers) bool { return rs.Size()+registerBytes*len(rs) > maxRecordBytes }

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
	accepted uint64     // up to where some server once had the replica, as the tablet says
	cursor   *syncv1.Mark
	chains   []*syncv1.ReplicaMark
	entries  []*syncv1.Entry
	arrivals []arrival // of the entries; until these are read, their hashes alone
}

// arrival is one change of a batch.
type arrival struct {
	change *record.Change // nil when it can't be read
	set    record.Registers
	body   []byte
	hash   batch.Hash // of the change as its author encoded it
	// redacted: tokens in it were replaced, so that body is not that any more.
	redacted bool
	code     string // why it is held whatever the records say
	// accepted: a server once had it. It raises no new conflict.
	accepted bool
	// future: its stamp lies in the future.
	future bool
	// sequence is its number in its batch's replica.
	sequence uint64
}

// openPush opens the batch of a request: its frame and signature. A bad frame refuses the batch.
func openPush(deployment hlc.ID, device Device, request *syncv1.SyncRequest) (*push, error) {
	b := request.GetPush()
	hashes, err := batch.OpenVouched(device.PublicKey, deployment, b)
	if err != nil {
		return nil, err
	}
	if len(request.GetChains()) > maxChains {
		return nil, problem.Newf(problem.Malformed, "%d chains", len(request.GetChains()))
	}
	p := &push{device: device.ID, worker: device.Worker, replica: hlc.Replica(b.GetReplica()), first: b.GetFirst(),
		chain: batch.Hash(b.GetChain()), unsent: request.GetUnsent(), accepted: request.GetAccepted(), cursor: request.GetPull().GetCursor(),
		chains: request.GetChains(), entries: b.GetEntries(), arrivals: make([]arrival, len(hashes))}
	for i, hash := range hashes {
		p.arrivals[i].hash = hash
	}
	return p, nil
}

// read reads each change by itself. A bad change is held. A stamp beyond future refuses the batch, since it would win for ever;
// unless it can't be corrected: a server once had the change, or it follows a value that has such a stamp itself. Then the change is
// held, and stops nothing.
func (p *push) read(rules record.Deployment, now time.Time, future hlc.Time) error {
	for i, entry := range p.entries {
		a := arrive(entry.GetChange(), p.replica, rules)
		a.hash, a.sequence = p.arrivals[i].hash, p.first+uint64(i)
		a.accepted = a.sequence <= p.accepted
		if a.change != nil && a.change.Stamp.Time > future {
			if !a.accepted && !follows(a.change, future) {
				return &problem.Problem{Code: problem.ClockSkew, ServerTime: now}
			}
			a.future = true
		}
		p.arrivals[i] = a
	}
	return nil
}

// last is the sequence number of the last change of a batch that has some.
func (p *push) last() uint64 { return p.first + uint64(len(p.arrivals)) - 1 }

// follows reports whether a change overwrites what has a stamp beyond future: its own can't be lower.
func follows(c *record.Change, future hlc.Time) bool {
	for _, parent := range c.Parents {
		if parent.Time > future {
			return true
		}
	}
	return c.DeletionSeen.Time > future
}

// arrive reads one change and judges it by itself.
func arrive(body []byte, replica hlc.Replica, rules record.Deployment) arrival {
	if len(body) == 0 {
		return arrival{code: Erased}
	}
	a := arrival{body: body}
	c, err := record.DecodeChange(body, replica)
	if err != nil {
		a.code = codeOf(err)
		return a
	}
	rules.Now = c.Stamp.Time.Wall()
	if problems := record.Validate(c.Kind, c.Fields, rules); len(problems) > 0 {
		a.code = string(problems[0].Code)
	}
	a.change, a.set = c, c.Registers()
	return a
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
	if p.first > r.Have+1 { // a gap: an earlier batch has not come yet
		ack := &syncv1.Acknowledgement{}
		acknowledge(ack, *r)
		return ack, nil
	}
	forked, err := forks(g, p, *r)
	if err != nil {
		return nil, err
	}
	if !forked {
		if err := g.enter(p, r, p.arrivals[min(uint64(len(p.arrivals)), r.Have+1-p.first):]); err != nil {
			return nil, err
		}
	}
	return tell(g, g.self.deployment, p, *r, forked)
}

// howFar answers a batch of which nothing is taken.
func howFar(store LogReading, deployment hlc.ID, p *push, r Replica) (*syncv1.Acknowledgement, error) {
	if r.Number == 0 {
		r.Number, r.Chain = p.replica, batch.Start(deployment, p.replica)
	}
	in := stored{store}
	forked, err := forks(in, p, r)
	if err != nil {
		return nil, err
	}
	return tell(in, deployment, p, r, forked)
}

// tell is the acknowledgement of a batch.
func tell(in sequences, deployment hlc.ID, p *push, r Replica, forked bool) (*syncv1.Acknowledgement, error) {
	ack := &syncv1.Acknowledgement{Forked: forked}
	acknowledge(ack, r)
	if p.first <= r.Have {
		entries, err := in.sequences(r.Number, p.first, r.Have, told)
		if err != nil {
			return nil, err
		}
		tellOutcomes(ack, entries)
	}
	if !forked && len(p.chains) == 0 {
		return ack, nil
	}
	var differs bool
	var err error
	ack.Matched, differs, err = matched(in, deployment, p, r)
	ack.Forked = forked || differs
	return ack, err
}

// acknowledge says how far the server has a replica, and how far its backups have it.
func acknowledge(ack *syncv1.Acknowledgement, r Replica) {
	ack.Have, ack.HaveChain, ack.Durable = r.Have, slices.Clone(r.Chain[:batch.ShortChain]), r.Durable
}

// told reports whether a tablet is told of what became of an entry.
func told(e *LogEntry) bool { return e.Outcome != Applied || e.Hash != nil }

// tellOutcomes adds which changes are held, or known from another replica: also those that the server had before this
// batch, since the answer that said so may have been lost.
func tellOutcomes(ack *syncv1.Acknowledgement, entries []LogEntry) {
	for i := range entries {
		switch e := &entries[i]; {
		case e.Held(), e.Outcome == Discarded:
			ack.Held = append(ack.Held, &syncv1.HeldChange{Sequence: e.Sequence, Change: e.Change[:], Code: e.Outcome})
		case e.Outcome == Known, e.Outcome == Applied && e.Hash != nil: // or its tablet is to take the record with other tokens
			ack.Known = append(ack.Known, e.Sequence)
		}
	}
}

// enter puts new changes at the end of the replica's chain.
func (g *group) enter(p *push, r *Replica, fresh []arrival) error {
	if len(fresh) == 0 {
		return nil
	}
	from, err := g.sender(p.device, p.replica)
	if err != nil {
		return err
	}
	seen, err := g.seen(p)
	if err != nil {
		return err
	}
	g.log = slices.Grow(g.log, len(fresh))
	for i := range fresh {
		a := &fresh[i]
		if err := g.redact(a); err != nil {
			return err
		}
		v, err := g.judge(submission{arrival: a, sender: from})
		if err != nil {
			return err
		}
		var change, rec hlc.ID
		if a.change != nil {
			change, rec = a.change.ID, a.change.Record
		}
		applies := v.outcome == Applied && !v.idle
		if applies && !a.accepted {
			// A conflict takes a position of its own, before the change that made it.
			if err := g.meet(g.records[rec], *a, p.worker); err != nil {
				return err
			}
		}
		if v.outcome == Erased {
			a.body = nil
		}
		position := g.take(r, change, rec, v, a.body, a.hash, a.redacted)
		if applies {
			e := g.records[rec]
			from := originOf(e, r.Number, seen)
			if a.accepted || a.redacted {
				from = origin{} // its tablet may have dropped the record since it first sent this, or is to have other tokens
			}
			if err := g.apply(e, merging{a.change.Kind, a.set, position, from}); err != nil {
				return err
			}
		}
		if isHeld(v.outcome) {
			g.undecided = append(g.undecided, change)
		}
	}
	return g.follow()
}

// seen is the position up to which the sender has pulled, if its cursor is a place of this log.
func (g *group) seen(p *push) (uint64, error) {
	if own, err := owns(g.store, p.cursor); err != nil || !own {
		return 0, err
	}
	return p.cursor.GetPosition(), nil
}

// sequences are those of a replica's log entries that are asked for, whether they are stored yet or not.
type sequences interface {
	sequences(replica hlc.Replica, from, to uint64, asked func(*LogEntry) bool) ([]LogEntry, error)
}

func every(*LogEntry) bool { return true }

// stored are those of the store.
type stored struct{ store LogReading }

func (s stored) sequences(replica hlc.Replica, from, to uint64, asked func(*LogEntry) bool) ([]LogEntry, error) {
	entries, err := s.store.Sequences(replica, from, to)
	return slices.DeleteFunc(entries, func(e LogEntry) bool { return !asked(&e) }), err
}

// sequences are those of the log and of the group.
func (g *group) sequences(replica hlc.Replica, from, to uint64, asked func(*LogEntry) bool) ([]LogEntry, error) {
	all, err := g.store.Sequences(replica, from, to)
	if err != nil {
		return nil, err
	}
	var entries []LogEntry
	for _, e := range g.asDecided(all) {
		if asked(&e) {
			entries = append(entries, e)
		}
	}
	for i := range g.log {
		e := &g.log[i]
		if e.Replica != replica || e.Sequence < from || e.Sequence > to {
			continue
		}
		if now, ok := g.decided[e.Position]; ok {
			e = now
		}
		if asked(e) {
			entries = append(entries, *e)
		}
	}
	return entries, nil
}

// past are the changes of a record in the log, those of the group included.
func (g *group) past(id hlc.ID) ([]LogEntry, error) {
	entries, err := g.history(id)
	return slices.DeleteFunc(entries, func(e LogEntry) bool { return e.Outcome == NewAudience || e.Outcome == Settled }), err
}

// history are the log's entries of a record, those of the group included.
func (g *group) history(id hlc.ID) ([]LogEntry, error) {
	entries, err := g.store.History(id)
	if err != nil {
		return nil, err
	}
	for _, e := range g.log {
		if e.Record == id {
			entries = append(entries, e)
		}
	}
	return g.asDecided(entries), nil
}

func hashOf(e LogEntry) batch.Hash {
	if e.Hash != nil {
		return batch.Hash(e.Hash)
	}
	return batch.HashOf(e.Body)
}
