package syncing

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// Erasures are what was erased with one client.
type Erasures struct {
	// Records are gone, with all changes of them. TokensIn are those in which tokens were replaced.
	Records, TokensIn int
}

// Erase takes the personal data of a case's clients out of the deployment: identities, consents, notes and alerts of the
// case are gone, with all changes of them and what was said about them; the clients' tokens are replaced by random ones
// wherever they stand. The case, its sessions and all totals stay as they are. The journal has it first, so that nothing
// brings it back: no tablet that comes later, and no older copy of the store.
//
// Problem not_found when there is no such case. Again does no harm.
func (s *Service) Erase(ctx context.Context, caseID hlc.ID) (Erasures, error) {
	err := s.writer.do(ctx, func(g *group) error {
		e, err := g.get(caseID)
		switch {
		case err != nil:
			return err
		case !e.there || e.Kind != recordv1.Kind_KIND_CASE:
			return problem.New(problem.NotFound)
		}
		return g.self.note(g.now, wire.JournalClientErased, caseID[:], nil)
	})
	if err != nil {
		return Erasures{}, err
	}
	done, err := s.carryOut(ctx)
	if err != nil {
		return done, err
	}
	return done, s.config.Store.Purge(ctx)
}

// erasing are the sorts of entries that are carried out.
var erasing = []string{wire.JournalClientErased, wire.JournalErased, wire.JournalTokenReplaced}

// carryOut erases what the journal says is erased and the store has not noted yet.
func (s *Service) carryOut(ctx context.Context) (done Erasures, err error) {
	err = s.writer.do(ctx, func(g *group) (err error) {
		done, err = g.carryOut()
		return err
	})
	return done, err
}

// catchUpErasing does so for what the store learns of late. That something is left in unused parts of its files keeps
// nobody waiting: it is tried again at the next start.
func (s *Service) catchUpErasing(ctx context.Context) error {
	if _, err := s.carryOut(ctx); err != nil {
		return err
	}
	if err := s.config.Store.Purge(ctx); err != nil {
		s.config.Failed(fmt.Errorf("purging the files of what was erased: %w", err))
	}
	return nil
}

// errNotAlone has a job done again in a transaction of its own.
var errNotAlone = errors.New("other jobs of this transaction came first")

// pending are the entries of a sort that are not carried out here.
func (g *group) pending(sort string) ([]*syncv1.JournalEntry, error) {
	var pending []*syncv1.JournalEntry
	for _, e := range g.self.journal.All(sort) {
		noted, err := g.store.ErasureNoted(sort, e.GetSubject())
		if err != nil {
			return nil, err
		}
		if !noted {
			pending = append(pending, e)
		}
	}
	return pending, nil
}

func (g *group) carryOut() (Erasures, error) {
	var done Erasures
	clients, err := g.pending(wire.JournalClientErased)
	if err != nil {
		return done, err
	}
	records, err := g.pending(wire.JournalErased)
	if err != nil {
		return done, err
	}
	tokens, err := g.pending(wire.JournalTokenReplaced)
	if err != nil || len(clients)+len(records)+len(tokens) == 0 {
		return done, err
	}
	// What is rewritten here is written at once. What others of the same transaction have read, or are about to save, would
	// bring it back.
	if len(g.log)+len(g.records) > 0 {
		return done, errNotAlone
	}
	gone := map[hlc.ID]bool{}
	for _, e := range records {
		if len(e.GetSubject()) == len(hlc.ID{}) {
			gone[hlc.ID(e.GetSubject())] = true
		}
	}
	for _, e := range clients {
		if len(e.GetSubject()) != len(hlc.ID{}) {
			continue
		}
		if err := g.personalOf(hlc.ID(e.GetSubject()), gone); err != nil {
			return done, err
		}
		if err := g.replaceTokensOf(hlc.ID(e.GetSubject())); err != nil {
			return done, err
		}
	}
	if err := g.eraseRecords(gone); err != nil {
		return done, err
	}
	done.Records = len(gone)
	if done.TokensIn, err = g.redactAll(); err != nil {
		return done, err
	}
	for _, sort := range erasing {
		all, err := g.pending(sort)
		if err != nil {
			return done, err
		}
		for _, e := range all {
			if err := g.store.NoteErasure(sort, e.GetSubject()); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// noteErased has the journal say of records that they are erased, before anything is done to them.
func (g *group) noteErased(sort string, ids []hlc.ID) error {
	entries := make([]*syncv1.JournalEntry, 0, len(ids))
	for _, id := range ids {
		entries = append(entries, g.self.signed(g.now, sort, bytes.Clone(id[:]), nil))
	}
	return g.self.journal.Add(entries...)
}

func sorted(ids map[hlc.ID]bool) []hlc.ID {
	all := make([]hlc.ID, 0, len(ids))
	for id := range ids {
		all = append(all, id)
	}
	slices.SortFunc(all, func(a, b hlc.ID) int { return slices.Compare(a[:], b[:]) })
	return all
}

// personal reports whether a record that belongs to an erased client's case goes with it: what is confidential, the
// conflicts about that, which show its values, and what reviews say of it. owner is that which it names; nil when there
// is none.
func (g *group) personal(kind record.Kind, registers record.Registers, owner *entry) bool {
	if confidential(kind, registers) {
		return true
	}
	if kind != recordv1.Kind_KIND_REVIEW && kind != recordv1.Kind_KIND_CONFLICT {
		return false
	}
	// Reviews may be of reviews.
	for range maxChain {
		if owner == nil || !owner.there {
			return false
		}
		if confidential(owner.Kind, owner.registers) {
			return true
		}
		owner = g.records[owner.registers.Owner(owner.Kind)] // a whole family is in the group, or nothing of it
	}
	return false
}

// personalOf adds to gone what is personal of a case, what is held among it.
func (g *group) personalOf(caseID hlc.ID, gone map[hlc.ID]bool) error {
	if _, err := g.get(caseID); err != nil {
		return err
	}
	family := map[hlc.ID]bool{caseID: true}
	for _, e := range g.family(caseID) {
		family[e.ID] = true
		if g.personal(e.Kind, e.registers, g.records[e.registers.Owner(e.Kind)]) {
			gone[e.ID] = true
		}
	}
	kept, err := g.store.AllKept()
	if err != nil {
		return err
	}
	// One may hang on another that is held too.
	for before := -1; before != len(family)+len(gone); {
		before = len(family) + len(gone)
		for _, e := range kept {
			kind, registers, ok := contentOf(e)
			if !ok {
				continue
			}
			owner := registers.Owner(kind)
			if !family[e.Record] && !family[owner] {
				continue
			}
			family[e.Record] = true
			about := kind == recordv1.Kind_KIND_REVIEW || kind == recordv1.Kind_KIND_CONFLICT
			if confidential(kind, registers) || (about && gone[owner]) {
				gone[e.Record] = true
			}
		}
	}
	return nil
}

// contentOf is what an entry says of its record.
func contentOf(e LogEntry) (record.Kind, record.Registers, bool) {
	if e.Body == nil {
		return 0, nil, false
	}
	if e.Replica == 0 {
		var given syncv1.GivenRecord
		if err := proto.Unmarshal(e.Body, &given); err != nil {
			return 0, nil, false
		}
		registers, err := record.DecodeState(given.GetState())
		return record.Kind(given.GetKind()), registers, err == nil //nolint:gosec // a kind that does not fit is not known
	}
	c, err := record.DecodeChange(e.Body, e.Replica)
	if err != nil {
		return 0, nil, false
	}
	return c.Kind, c.Registers(), true
}

// without is an entry without its body.
func without(e LogEntry) LogEntry {
	hash := hashOf(e)
	e.Outcome, e.Body, e.Hash, e.WaitsFor = Erased, nil, hash[:], hlc.ID{}
	return e
}

// eraseRecords takes records out, and the bodies of all changes of them.
func (g *group) eraseRecords(gone map[hlc.ID]bool) error {
	ids := sorted(gone)
	if err := g.noteErased(wire.JournalErased, ids); err != nil {
		return err
	}
	for _, id := range ids {
		entries, err := g.store.History(id)
		if err != nil {
			return err
		}
		var erased []LogEntry
		for _, e := range entries {
			if e.Body != nil {
				erased = append(erased, without(e))
			}
		}
		if err := g.store.Rewrite(erased); err != nil {
			return err
		}
		g.records[id] = &entry{Record: Record{ID: id, Root: id}}
	}
	return g.store.Remove(ids)
}

// Numbers of the fields that hold tokens.
const (
	clientTokensField    protowire.Number = 21 // of Case
	participantField     protowire.Number = 16 // of Participant
	attendanceTokenField protowire.Number = 18 // of Attendance
)

func tokenField(kind record.Kind) protowire.Number {
	switch kind {
	case recordv1.Kind_KIND_CASE:
		return clientTokensField
	case recordv1.Kind_KIND_PARTICIPANT:
		return participantField
	case recordv1.Kind_KIND_ATTENDANCE:
		return attendanceTokenField
	default:
		return 0
	}
}

// tokensIn are the tokens in a record or change. A conflict has those of its target.
func tokensIn(kind record.Kind, registers record.Registers) []hlc.ID {
	if kind != recordv1.Kind_KIND_CONFLICT {
		if field := tokenField(kind); field != 0 {
			return registers.Get(field).IDs()
		}
		return nil
	}
	var conflict recordv1.Conflict
	if proto.Unmarshal(registers.Fields(), &conflict) != nil {
		return nil
	}
	if field := tokenField(conflict.GetTargetKind()); field == 0 || uint32(field) != conflict.GetField() { //nolint:gosec // field numbers are positive
		return nil
	}
	var tokens []hlc.ID
	for _, side := range conflict.GetSides() {
		tokens = append(tokens, record.Register{Value: side.GetValue()}.IDs()...)
	}
	return tokens
}

// markOfToken is what the journal knows an erased token by. Without the server's key nobody can tell of whom it was, though
// they be able to make the token anew.
func (s *self) markOfToken(token hlc.ID) []byte {
	h := hmac.New(sha256.New, s.keys.ProofKey)
	h.Write([]byte("levee token v1"))
	h.Write(s.deployment[:])
	h.Write(token[:])
	return h.Sum(nil)
}

// redacted is an encoded record or change with the tokens replaced that the journal says are; nil when it has none of them.
// A token is replaced by one as long, so that nothing else moves.
func (s *self) redacted(kind record.Kind, registers record.Registers, encoded []byte) []byte {
	var out []byte
	for _, token := range tokensIn(kind, registers) {
		e := s.journal.Find(wire.JournalTokenReplaced, s.markOfToken(token))
		if e == nil || len(e.GetDetail()) != len(token) {
			continue
		}
		if out == nil {
			out = bytes.Clone(encoded)
		}
		out = bytes.ReplaceAll(out, token[:], e.GetDetail())
	}
	return out
}

// replaceTokensOf has the journal say that the tokens of a case are replaced: those that it has, and those that it ever had.
func (g *group) replaceTokensOf(caseID hlc.ID) error {
	e, err := g.get(caseID)
	if err != nil {
		return err
	}
	tokens := tokensIn(recordv1.Kind_KIND_CASE, e.registers)
	entries, err := g.store.History(caseID)
	if err != nil {
		return err
	}
	for _, past := range entries {
		if kind, registers, ok := contentOf(past); ok {
			tokens = append(tokens, tokensIn(kind, registers)...)
		}
	}
	already := map[string]bool{}
	for _, e := range g.self.journal.All(wire.JournalTokenReplaced) {
		already[string(e.GetDetail())] = true
	}
	var said []*syncv1.JournalEntry
	for _, token := range tokens {
		mark := g.self.markOfToken(token)
		if already[string(token[:])] || already[string(mark)] {
			continue
		}
		already[string(mark)] = true
		next := make([]byte, len(token))
		if _, err := io.ReadFull(g.self.entropy, next); err != nil {
			return fmt.Errorf("making a token: %w", err)
		}
		said = append(said, g.self.signed(g.now, wire.JournalTokenReplaced, mark, next))
	}
	return g.self.journal.Add(said...)
}

// redactAll replaces erased tokens wherever they stand in this store: in the log, and in the records.
func (g *group) redactAll() (int, error) {
	if len(g.self.journal.All(wire.JournalTokenReplaced)) == 0 {
		return 0, nil
	}
	in := map[hlc.ID]bool{}
	var rewritten []LogEntry
	err := g.store.EachBody(func(e LogEntry) error {
		kind, registers, ok := contentOf(e)
		if !ok {
			return nil
		}
		if body := g.self.redacted(kind, registers, e.Body); body != nil {
			hash := hashOf(e)
			e.Body, e.Hash = body, hash[:]
			rewritten, in[e.Record] = append(rewritten, e), true
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	ids := sorted(in)
	if err := g.noteErased(wire.JournalTokensIn, ids); err != nil {
		return 0, err
	}
	if err := g.store.Rewrite(rewritten); err != nil {
		return 0, err
	}
	if err := g.load(ids); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := g.redactRecord(g.records[id]); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// redactRecord replaces erased tokens in a record. Stamps stay, so that reviews of it hold. Who has it drops it, and gets
// it anew: by the stamps alone nobody could tell which of the two tokens to take.
func (g *group) redactRecord(e *entry) error {
	if !e.there {
		return nil
	}
	state := g.self.redacted(e.Kind, e.registers, record.EncodeState(e.registers))
	if state == nil {
		return nil
	}
	registers, err := record.DecodeState(state)
	if err != nil {
		return fmt.Errorf("record %v with its tokens replaced: %w", e.ID, err)
	}
	e.registers, e.changed = registers, true
	g.announce(e)
	g.departures = append(g.departures, Departure{Audience: access.Everyone, Position: g.head.Position, Record: e.ID, Reset: true})
	return nil
}

// redact replaces erased tokens in a change that has come. The journal says so, for who wrote it.
func (g *group) redact(a *arrival) error {
	if a.change == nil {
		return nil
	}
	body := g.self.redacted(a.change.Kind, a.set, a.body)
	if body == nil {
		return nil
	}
	c, err := record.DecodeChange(body, a.change.Stamp.Replica)
	if err != nil {
		return fmt.Errorf("a change with its tokens replaced: %w", err)
	}
	a.change, a.set, a.body, a.redacted = c, c.Registers(), body, true
	return g.noteErased(wire.JournalTokensIn, []hlc.ID{c.Record})
}

// erased reports whether a record is erased, or belongs to an erased client and is personal. Of the latter the journal says
// so from now on.
func (g *group) erased(id hlc.ID, kind record.Kind, merged func() record.Registers) (bool, error) {
	if g.self.journal.Find(wire.JournalErased, id[:]) != nil {
		return true, nil
	}
	about := kind == recordv1.Kind_KIND_REVIEW || kind == recordv1.Kind_KIND_CONFLICT
	if !about && !record.Confidential(kind) {
		return false, nil
	}
	// Only what is new: else a change that claims another kind or owner for a record could have that erased.
	if e, err := g.get(id); err != nil || e.there {
		return false, err
	}
	registers := merged()
	ownerID := registers.Owner(kind)
	if ownerID == (hlc.ID{}) {
		return false, nil
	}
	gone := about && g.self.journal.Find(wire.JournalErased, ownerID[:]) != nil
	if !gone {
		owner, err := g.get(ownerID)
		if err != nil || !owner.there {
			return false, err
		}
		gone = g.self.journal.Find(wire.JournalClientErased, owner.Root[:]) != nil && g.personal(kind, registers, owner)
	}
	if gone {
		return true, g.noteErased(wire.JournalErased, []hlc.ID{id})
	}
	return false, nil
}

// forget takes the body out of an entry that was held, and is erased now that it was judged again.
func (g *group) forget(e LogEntry) error {
	e = without(e)
	if first := g.head.Position + 1 - uint64(len(g.log)); e.Position >= first { // not stored yet
		g.log[e.Position-first] = e
		return nil
	}
	return g.store.Rewrite([]LogEntry{e})
}

// redactGiven replaces erased tokens in a record given back.
func (s *self) redactGiven(g *given) error {
	state := s.redacted(g.kind, g.registers, record.EncodeState(g.registers))
	if state == nil {
		return nil
	}
	registers, err := record.DecodeState(state)
	if err != nil {
		return fmt.Errorf("a record given back with its tokens replaced: %w", err)
	}
	g.registers = registers
	_, g.body, err = changeOf(&syncv1.GivenRecord{Id: g.id[:], Kind: uint32(g.kind), State: state}) //nolint:gosec // kinds are positive
	return err
}

// outcomeHash is the hash that the log keeps of a change whose body is not as its author encoded it.
func outcomeHash(body []byte, redacted bool, hash batch.Hash) []byte {
	if body == nil || redacted {
		return hash[:]
	}
	return nil
}
