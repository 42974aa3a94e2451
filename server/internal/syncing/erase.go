package syncing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

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
	var done Erasures
	err := s.write(ctx, func(g *group) error {
		found, err := g.store.Records([]hlc.ID{caseID})
		switch {
		case err != nil:
			return err
		case len(found) == 0 || found[0].Kind != recordv1.Kind_KIND_CASE:
			return problem.New(problem.NotFound)
		}
		if err := g.note(wire.JournalClientErased, caseID[:], nil); err != nil {
			return err
		}
		done, err = g.carryOut()
		return err
	})
	if err != nil {
		return done, err
	}
	return done, s.config.Store.Purge(ctx)
}

// erasing are the sorts of entries that are carried out.
var erasing = []string{wire.JournalClientErased, wire.JournalErased, wire.JournalTokenReplaced}

// carryOut erases what the journal says is erased and the store has not noted yet: first the whole deployment, if that is, so
// that nothing is left of its clients.
func (s *Service) carryOut(ctx context.Context) error {
	for _, part := range []func(*group) (Erasures, error){(*group).carryOutWhole, (*group).carryOut} {
		err := s.write(ctx, func(g *group) error {
			_, err := part(g)
			return err
		})
		if err != nil {
			return err
		}
	}
	if s.self.erasedWhole() && !s.self.carriedOut.Swap(true) {
		return s.readSetUp(ctx) // a command beside this server may have done it
	}
	return nil
}

// catchUpErasing does so for what the store learns of late. That something is left in unused parts of its files keeps
// nobody waiting: it is tried again at the next start.
func (s *Service) catchUpErasing(ctx context.Context) error {
	if err := s.carryOut(ctx); err != nil {
		return err
	}
	if err := s.config.Store.Purge(ctx); err != nil {
		s.config.Failed(fmt.Errorf("purging the files of what was erased: %w", err))
	}
	return nil
}

// errNotAlone has a job done again in a transaction of its own.
var errNotAlone = errors.New("other jobs of this transaction came first")

// erasedSome reports whether anything of anybody was erased.
func (s *self) erasedSome() bool {
	return s.erasedWhole() || slices.ContainsFunc(erasing, s.journal.Any)
}

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
		if g.self.erasedWhole() {
			continue // its tokens tell nobody anything any more
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
	return g.self.journal.Add(g.store, entries...)
}

func sorted(ids map[hlc.ID]bool) []hlc.ID {
	all := make([]hlc.ID, 0, len(ids))
	for id := range ids {
		all = append(all, id)
	}
	slices.SortFunc(all, hlc.CompareIDs)
	return all
}

// about reports whether records of a kind say something of the one that they name, which may be personal if that is: conflicts show
// its values, and people write what they think of it.
func about(kind record.Kind) bool {
	return kind == recordv1.Kind_KIND_REVIEW || kind == recordv1.Kind_KIND_CONFLICT || kind == recordv1.Kind_KIND_DISTINCTION
}

// personal reports whether a record that belongs to an erased client's case goes with it: what is confidential, and what is about
// that. owner is that which it names; nil when there
// is none.
func (g *group) personal(kind record.Kind, registers record.Registers, owner *entry) bool {
	if confidential(kind, registers) {
		return true
	}
	if !about(kind) {
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
			kind, registers, ok := ContentOf(e)
			if !ok {
				continue
			}
			owner := registers.Owner(kind)
			if !family[e.Record] && !family[owner] {
				continue
			}
			family[e.Record] = true
			if confidential(kind, registers) || (about(kind) && gone[owner]) {
				gone[e.Record] = true
			}
		}
	}
	return nil
}

// ContentOf is what an entry says of its record: the registers that a change set, or all of one that was given back; false where its
// body is erased or can't be read.
func ContentOf(e LogEntry) (record.Kind, record.Registers, bool) {
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
		gone, err := g.get(id)
		if err != nil {
			return err
		}
		g.records[id] = &entry{Record: Record{ID: id, Root: id, Kind: gone.Kind}, was: gone.was, audienceWas: gone.audienceWas}
	}
	g.removed = append(g.removed, ids...)
	return g.store.Remove(ids)
}

// erased reports whether a record is erased, or belongs to an erased client and is personal. Of the latter the journal says
// so from now on.
func (g *group) erased(id hlc.ID, kind record.Kind, merged func() record.Registers) (bool, error) {
	if g.self.journal.Find(wire.JournalErased, id[:]) != nil {
		return true, nil
	}
	if g.self.erasedWhole() {
		return g.personalInAny(id, kind, merged)
	}
	if !about(kind) && !record.Confidential(kind) {
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
	gone := about(kind) && g.self.journal.Find(wire.JournalErased, ownerID[:]) != nil
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
