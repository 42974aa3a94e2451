package syncing

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
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
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

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

// tokensIn are the tokens in a record or change. A conflict has those of its target: see withTarget.
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

// withTarget is what an edit of a conflict sets, and what the conflict is about as it stands: another side that is added does not say that
// again, and may be a token all the same.
func withTarget(set, stands record.Registers) record.Registers {
	for _, field := range []protowire.Number{targetKindField, conflictFieldField} {
		if r := stands.Get(field); r.Field != 0 {
			set = record.Merge(set, record.Registers{r})
		}
	}
	return set
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

// replaced is what stands in the place of a token: itself, unless the journal says otherwise.
func (s *self) replaced(token hlc.ID) hlc.ID {
	if e := s.journal.Find(wire.JournalTokenReplaced, s.markOfToken(token)); e != nil && len(e.GetDetail()) == len(token) {
		token = hlc.ID(e.GetDetail())
	}
	if s.erasedWhole() {
		token = s.pseudonym(token)
	}
	return token
}

// redacted is an encoded record or change with the tokens replaced that the journal says are; nil when it has none of them.
// A token is replaced by one as long, so that nothing else moves.
func (s *self) redacted(kind record.Kind, registers record.Registers, encoded []byte) []byte {
	var out []byte
	for _, token := range tokensIn(kind, registers) {
		next := s.replaced(token)
		if next == token {
			continue
		}
		if out == nil {
			out = bytes.Clone(encoded)
		}
		out = bytes.ReplaceAll(out, token[:], next[:])
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
		if kind, registers, ok := ContentOf(past); ok {
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
	return g.self.journal.Add(g.store, said...)
}

// redactAll replaces erased tokens wherever they stand in this store: in the log, and in the records.
func (g *group) redactAll() (int, error) {
	if !g.self.journal.Any(wire.JournalTokenReplaced) {
		return 0, nil
	}
	in := map[hlc.ID]bool{}
	var rewritten []LogEntry
	err := g.eachBody(func(e LogEntry) error {
		body, err := g.redactedEntry(e)
		if body != nil {
			rewritten, in[e.Record] = append(rewritten, replacing(e, body)), true
		}
		return err
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
		e := g.records[id]
		if err := g.redactRecord(e); err != nil {
			return 0, err
		}
		if err := g.keepWinners(e); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// keepWinners takes out of a record's changes what had lost to what stands in it, and would win as it is now.
func (g *group) keepWinners(e *entry) error {
	entries, err := g.store.History(e.ID)
	if err != nil {
		return err
	}
	var rewritten []LogEntry
	for _, past := range entries {
		body, err := withoutLost(past, e.registers)
		if err != nil {
			return err
		}
		if body != nil {
			rewritten = append(rewritten, replacing(past, body))
		}
	}
	return g.store.Rewrite(rewritten)
}

// bodies is how many entries of the log are read at once.
const bodies = 1000

// eachBody hands on the log's entries that have a body, ascending.
func (g *group) eachBody(fn func(LogEntry) error) error {
	for after := uint64(0); ; {
		entries, err := g.store.BodiesAfter(after, bodies)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			if err := fn(e); err != nil {
				return err
			}
		}
		after = entries[len(entries)-1].Position
	}
}

// redactRecord replaces erased tokens in a record. Stamps stay, so that reviews of it hold. Who has it drops it, and gets
// it anew: by the stamps alone nobody could tell which of the two tokens to take.
func (g *group) redactRecord(e *entry) error {
	if !e.there {
		return nil
	}
	registers, err := g.self.redactedState(e.Kind, e.registers)
	if err != nil || registers == nil {
		return err
	}
	e.registers, e.changed = registers, true
	g.announce(e)
	g.departures = append(g.departures, Departure{Audience: access.Everyone, Position: g.head.Position, Record: e.ID, Reset: true})
	return nil
}

// redactedState is a record as it may stand here: with erased tokens replaced, and nothing of people in the set-up once the
// deployment is erased. nil when it may stand as it is.
func (s *self) redactedState(kind record.Kind, registers record.Registers) (record.Registers, error) {
	if state := s.redacted(kind, registers, record.EncodeState(registers)); state != nil {
		return record.DecodeState(state)
	}
	if len(s.toEmpty(kind, registers)) == 0 {
		return nil, nil
	}
	registers = slices.Clone(registers)
	for _, field := range s.toEmpty(kind, registers) {
		i := slices.IndexFunc(registers, func(r record.Register) bool { return r.Field == field })
		registers[i].Value = nil
	}
	return registers, nil
}

// redactedChange is a change as it may stand here, as redactedState has it; nil when it may stand as it is.
func (s *self) redactedChange(c *record.Change, set record.Registers, body []byte) []byte {
	if body := s.redacted(c.Kind, set, body); body != nil {
		return body
	}
	empty := s.toEmpty(c.Kind, set)
	if len(empty) == 0 {
		return nil
	}
	emptied := changeWithout(c, empty)
	emptied.Cleared = append(emptied.Cleared, empty...)
	slices.Sort(emptied.Cleared)
	return emptied.Encode()
}

// changeWithout is a change that neither sets nor empties some fields.
func changeWithout(c *record.Change, fields []protowire.Number) *record.Change {
	without := *c
	without.Fields, without.Cleared = nil, nil
	for _, r := range c.Registers() {
		switch {
		case slices.Contains(fields, r.Field):
		case len(r.Value) == 0:
			without.Cleared = append(without.Cleared, r.Field)
		default:
			without.Fields = append(without.Fields, r.Value...)
		}
	}
	return &without
}

// redactedFields are those of a kind's fields whose values redaction replaces or empties.
func redactedFields(kind record.Kind) []protowire.Number {
	if field := tokenField(kind); field != 0 {
		return []protowire.Number{field}
	}
	return ofPeople(kind)
}

// withoutLost is the body of an applied entry without those fields that had lost to what stands in its record and, with what redaction
// put in the place of either, would win: copies of one tablet may set a field at one time twice, and then the greater value wins. nil
// when it has none. Both must be redacted already.
func withoutLost(e LogEntry, stands record.Registers) ([]byte, error) {
	kind, registers, ok := ContentOf(e)
	if !ok || (e.Outcome != Applied && e.Outcome != Given) {
		return nil, nil
	}
	var lost []protowire.Number
	for _, field := range redactedFields(kind) {
		if r := registers.Get(field); r.Field != 0 && stands.Get(field).Stamp == r.Stamp && !stands.Covers(record.Registers{r}) {
			lost = append(lost, field)
		}
	}
	if lost == nil {
		return nil, nil
	}
	if e.Replica != 0 {
		c, err := record.DecodeChange(e.Body, e.Replica)
		if err != nil {
			return nil, fmt.Errorf("reading an applied change: %w", err)
		}
		return changeWithout(c, lost).Encode(), nil
	}
	return givenWith(e, slices.DeleteFunc(registers, func(r record.Register) bool { return slices.Contains(lost, r.Field) }))
}

// givenWith is the body of an entry of a record that was given back, with other registers.
func givenWith(e LogEntry, registers record.Registers) ([]byte, error) {
	var given syncv1.GivenRecord
	if err := proto.Unmarshal(e.Body, &given); err != nil {
		return nil, fmt.Errorf("reading a record given back: %w", err)
	}
	given.State = record.EncodeState(registers)
	_, body, err := changeOf(&given)
	return body, err
}

// replacing is an entry with another body. The chains keep the hash of what its author wrote.
func replacing(e LogEntry, body []byte) LogEntry {
	hash := hashOf(e)
	e.Body, e.Hash = body, hash[:]
	return e
}

// redactedEntry is the body of an entry as it may stand here; nil when it may stand as it is, or can't be read.
func (g *group) redactedEntry(e LogEntry) ([]byte, error) {
	if e.Replica != 0 {
		c, err := record.DecodeChange(e.Body, e.Replica)
		if err != nil {
			return nil, nil //nolint:nilerr // it was never applied
		}
		set := c.Registers()
		if c.Kind == recordv1.Kind_KIND_CONFLICT && !c.Makes() {
			stands, err := g.stored(c.Record)
			if err != nil {
				return nil, err
			}
			set = withTarget(set, stands)
		}
		return g.self.redactedChange(c, set, e.Body), nil
	}
	kind, registers, ok := ContentOf(e)
	if !ok {
		return nil, nil
	}
	registers, err := g.self.redactedState(kind, registers)
	if err != nil || registers == nil {
		return nil, err
	}
	return givenWith(e, registers)
}

// stored is a record as the store has it; nothing when it is not there.
func (g *group) stored(id hlc.ID) (record.Registers, error) {
	found, err := g.store.Records([]hlc.ID{id})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	registers, err := record.DecodeState(found[0].State)
	if err != nil {
		return nil, fmt.Errorf("state of record %v: %w", id, err)
	}
	return registers, nil
}

// redact replaces erased tokens in a change that has come. The journal says so, for who wrote it.
func (g *group) redact(a *arrival) error {
	if a.change == nil {
		return nil
	}
	set := a.set
	if a.change.Kind == recordv1.Kind_KIND_CONFLICT {
		e, err := g.get(a.change.Record)
		if err != nil {
			return err
		}
		set = withTarget(set, e.registers)
	}
	body := g.self.redactedChange(a.change, set, a.body)
	if body == nil {
		return nil
	}
	c, err := record.DecodeChange(body, a.change.Stamp.Replica)
	if err != nil {
		return fmt.Errorf("a change with its tokens replaced: %w", err)
	}
	a.change, a.set, a.body, a.redacted = c, c.Registers(), body, true
	if g.self.erasedWhole() {
		return nil // its tablet knows from that
	}
	return g.noteErased(wire.JournalTokensIn, []hlc.ID{c.Record})
}

// redactGiven replaces erased tokens in a record given back.
func (s *self) redactGiven(g *given) error {
	registers, err := s.redactedState(g.kind, g.registers)
	if err != nil {
		return fmt.Errorf("a record given back with its tokens replaced: %w", err)
	}
	if registers == nil {
		return nil
	}
	g.registers = registers
	_, g.body, err = changeOf(&syncv1.GivenRecord{Id: g.id[:], Kind: uint32(g.kind), State: record.EncodeState(registers)}) //nolint:gosec // kinds are positive
	return err
}

// outcomeHash is the hash that the log keeps of a change whose body is not as its author encoded it.
func outcomeHash(body []byte, redacted bool, hash batch.Hash) []byte {
	if body == nil || redacted {
		return hash[:]
	}
	return nil
}
