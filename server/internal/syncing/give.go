package syncing

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Bounds on what one request gives back.
const (
	maxGiven      = 500
	maxGivenBytes = 3 << 20
)

// given is a record that a tablet gives back to a server that lost it.
type given struct {
	id        hlc.ID
	kind      record.Kind
	registers record.Registers
	// change stands for it in the log, where body is what is kept of it.
	change hlc.ID
	body   []byte
	// proven: this server's key says that it had sent exactly this.
	proven bool
	// code says why it is held whatever the records say.
	code record.Code
}

// checkGiven refuses what is too much, and what has no id by which it could be answered.
func checkGiven(records []*syncv1.GivenRecord) error {
	size := 0
	for _, r := range records {
		if len(r.GetId()) != len(hlc.ID{}) || hlc.ID(r.GetId()) == (hlc.ID{}) {
			return problem.Newf(problem.Malformed, "a record given back has the id %x", r.GetId())
		}
		size += len(r.GetState())
	}
	if len(records) > maxGiven || size > maxGivenBytes {
		return problem.Newf(problem.BatchTooLarge, "%d records given back, %d bytes", len(records), size)
	}
	return nil
}

// readGiven reads one record given back.
func (s *self) readGiven(r *syncv1.GivenRecord) (given, error) {
	g := given{id: hlc.ID(r.GetId()), kind: record.Kind(r.GetKind())} //nolint:gosec // checked below
	var err error
	if g.change, g.body, err = changeOf(r); err != nil {
		return g, fmt.Errorf("encoding a record given back: %w", err)
	}
	if r.GetKind() == 0 || r.GetKind() > 1<<31-1 {
		g.code = record.CodeUnknownKind
		return g, nil
	}
	if g.registers, err = record.DecodeState(r.GetState()); err != nil || len(g.registers) == 0 {
		g.code = record.CodeMalformed
		return g, nil //nolint:nilerr // it is held
	}
	if tooLarge(g.registers) {
		g.code = record.CodeTooLarge
		return g, nil
	}
	if err := s.redactGiven(&g); err != nil {
		return g, err
	}
	g.proven = hmac.Equal(r.GetProof(), s.keys.Proof(s.deployment, g.id, g.kind, r.GetState()))
	// What this server sent is as it should be. Anything else might be released by a person who can't see that.
	if canonical, err := record.Canonical(g.kind, g.registers.Fields()); !g.proven && (err != nil || !bytes.Equal(canonical, g.registers.Fields())) {
		g.code = record.CodeNotCanonical
	}
	return g, nil
}

// give takes records back that this server has lost, or holds them. What it has already changes nothing, so a request
// that comes twice is answered alike.
func (g *group) give(worker hlc.ID, records []*syncv1.GivenRecord) ([]*syncv1.GivenRecordOutcome, error) {
	at := make([]uint64, len(records)) // positions of those that are held
	outcomes := make([]*syncv1.GivenRecordOutcome, len(records))
	for i, r := range records {
		back, err := g.self.readGiven(r)
		if err != nil {
			return nil, err
		}
		outcomes[i] = &syncv1.GivenRecordOutcome{Id: r.GetId()}
		if outcomes[i].Code, at[i], err = g.giveOne(back); err != nil {
			return nil, err
		}
	}
	if err := g.follow(); err != nil {
		return nil, err
	}
	if err := g.departGivers(worker, records); err != nil {
		return nil, err
	}
	for i, position := range at {
		if now, ok := g.decided[position]; ok && !now.Held() && now.Outcome != Discarded {
			outcomes[i].Code = "" // a decision about it came in the same request
		}
	}
	return outcomes, nil
}

// departGivers tells the worker who gave records back to drop those that are no longer for them: they may have moved to
// another team while the server did not have the record.
func (g *group) departGivers(worker hlc.ID, records []*syncv1.GivenRecord) error {
	person, err := g.person(worker, g.head.Time)
	if err != nil || person.Role == recordv1.Role_ROLE_COORDINATOR {
		return err
	}
	for _, r := range records {
		e, err := g.get(hlc.ID(r.GetId()))
		if err != nil {
			return err
		}
		if e.there && !slices.Contains(access.Audiences(person, nil), e.Audience) {
			g.depart(e, worker)
		}
	}
	return nil
}

// giveOne merges a record given back, or holds it with a code, at a position.
func (g *group) giveOne(back given) (code string, position uint64, err error) {
	e, err := g.get(back.id)
	if err != nil {
		return "", 0, err
	}
	if gone, err := g.erased(back.id, back.kind, func() record.Registers { return back.registers }); err != nil || gone {
		return Erased, 0, err
	}
	if e.there && e.Kind == back.kind && back.code == "" && e.registers.Covers(back.registers) {
		return "", 0, nil
	}
	kept, err := g.kept(back.change)
	if err != nil {
		return "", 0, err
	}
	if len(kept) > 0 {
		return kept[0].Outcome, kept[0].Position, nil
	}
	outcome := Given
	if held := g.judgeGiven(e, back, nil); held != "" {
		outcome = string(held)
	}
	g.append(LogEntry{Change: back.change, Record: back.id, Outcome: outcome, Body: back.body}, batch.HashOf(back.body))
	if outcome != Given {
		g.undecided = append(g.undecided, back.change)
		return outcome, g.head.Position, nil
	}
	return "", 0, g.apply(e, merging{back.kind, back.registers, g.head.Position, origin{}})
}

// judgeGiven decides whether a record given back is merged. With its proof it is, whoever brings it: a tablet gives back
// what it has seen, its own worker's or not. by is the person who releases one that is held.
func (g *group) judgeGiven(e *entry, back given, by *access.Person) record.Code {
	switch {
	case back.code != "":
		return back.code
	case e.there && e.Kind != back.kind:
		return record.CodeKindMismatch
	case !back.proven && replacesSecret(back.kind, e.registers, back.registers):
		return record.CodeNotAllowed // whoever released it could not see what it does
	case by != nil:
		return ""
	case !back.proven:
		return record.CodeUnproven
	case back.registers.Newest() > g.future():
		return record.CodeStampInFuture
	case back.kind == recordv1.Kind_KIND_DEPLOYMENT && e.there:
		return record.CodeUnconfirmed
	default:
		return ""
	}
}

// giveAgain judges a record given back again that was held. by is who wants it merged, nil when nobody decided anything.
func (g *group) giveAgain(e LogEntry, by *access.Person) error {
	var r syncv1.GivenRecord
	if err := proto.Unmarshal(e.Body, &r); err != nil {
		return fmt.Errorf("reading a record given back: %w", err)
	}
	back, err := g.self.readGiven(&r)
	if err != nil {
		return err
	}
	of, err := g.get(back.id)
	if err != nil {
		return err
	}
	if gone, err := g.erased(back.id, back.kind, func() record.Registers { return back.registers }); err != nil || gone {
		return errors.Join(err, g.forget(e))
	}
	back.proven = e.Outcome != string(record.CodeUnproven) // its proof was looked at when it came
	if code := g.judgeGiven(of, back, by); code != "" {
		if string(code) != e.Outcome {
			g.settle(e, held(code))
		}
		return nil
	}
	position := g.settle(e, verdict{outcome: Given})
	g.accept(back.registers.Newest())
	return g.apply(of, merging{back.kind, back.registers, position, origin{}})
}

// takeBack has all tablets that have a record which was given back take the server's version of it in place of their own,
// after it was discarded: whoever saw it once, wherever they work now.
func (g *group) takeBack(e LogEntry) error {
	of, err := g.get(e.Record)
	if err != nil {
		return err
	}
	g.departures = append(g.departures, Departure{Audience: access.Everyone, Position: g.head.Position, Record: e.Record, Reset: true})
	if of.there {
		g.announce(of) // behind the departure, so that who drops the record gets it again
	}
	return nil
}

// future is the highest stamp that is taken from others.
func (g *group) future() hlc.Time { return futureAt(g.now, g.head.Ahead) }
