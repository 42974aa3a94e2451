package syncing

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// EraseAll takes all personal data out of the deployment, as Erase does of one case's clients: every confidential record is gone,
// with all changes of it and what was said about it; every token is replaced, equal ones alike; phones and addresses of workers and
// the linkage key are emptied. All else, the totals and the log's chain stay as they are. From then on nothing confidential is taken.
//
// It is one transaction, during which nobody writes: see Erasing for how far it is. What is cut off begins anew at the next start,
// before anything is served. Whether the deployment may be erased, the caller decides. Again does no harm.
func (s *Service) EraseAll(ctx context.Context) (Erasures, error) {
	var done Erasures
	err := s.write(ctx, func(g *group) (err error) {
		if err := g.note(wire.JournalDeploymentErased, g.self.deployment[:], nil); err != nil {
			return err
		}
		done, err = g.carryOutWhole()
		return err
	})
	if err != nil {
		return done, err
	}
	if err := s.carryOut(ctx); err != nil { // what was erased before, and its server did not come to
		return done, err
	}
	return done, s.config.Store.Purge(ctx)
}

// Erased reports whether all personal data of the deployment is erased, or about to be.
func (s *Service) Erased() bool { return s.self.erasedWhole() }

// Erasing is how far an erasure of the whole deployment has come that is under way: how many positions of the log of how many. Both
// are 0 when there is none.
func (s *Service) Erasing() (done, of uint64) {
	return s.self.erasing.done.Load(), s.self.erasing.of.Load()
}

// tellEvery is how often somebody who waits is told how far an erasure is.
const tellEvery = 200 * time.Millisecond

// TellErasing tells somebody how far an erasure of the whole deployment is, once it is under way and until stop is called; nobody when
// progress is nil. It is not called any more when stop has returned.
func (s *Service) TellErasing(progress func(done, of uint64)) (stop func()) {
	if progress == nil {
		return func() {}
	}
	over, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		ticks := time.NewTicker(tellEvery)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				if done, of := s.Erasing(); of > 0 {
					progress(done, of)
				}
			case <-over:
				return
			}
		}
	}()
	return func() {
		close(over)
		<-told
	}
}

func (s *self) erasedWhole() bool {
	return s.journal.Find(wire.JournalDeploymentErased, s.deployment[:]) != nil
}

// What a pseudonym is made of: a part that follows from the token, and one that follows from that, by which it is known as one.
const pseudonymBytes, pseudonymMark = 10, len(hlc.ID{}) - 10

// pseudonym is what stands in the place of a token once the deployment is erased; that of a pseudonym is itself. It follows from the
// token, so that what comes late, or again, is replaced alike, and no list of all tokens has to be kept. Nobody can follow it back who
// has not the server's key, even if they be able to make the token anew.
func (s *self) pseudonym(token hlc.ID) hlc.ID {
	digest := func(domain string, of []byte) []byte {
		h := hmac.New(sha256.New, s.keys.ProofKey)
		h.Write([]byte(domain))
		h.Write(s.deployment[:])
		h.Write(of)
		return h.Sum(nil)
	}
	mark := func(of []byte) []byte { return digest("levee pseudonym mark v1", of)[:pseudonymMark] }
	if hmac.Equal(mark(token[:pseudonymBytes]), token[pseudonymBytes:]) {
		return token
	}
	made := digest("levee pseudonym v1", token[:])[:pseudonymBytes]
	return hlc.ID(append(made, mark(made)...))
}

// toEmpty are the fields that are emptied once the deployment is erased, of those that have something.
func (s *self) toEmpty(kind record.Kind, registers record.Registers) (fields []protowire.Number) {
	for _, field := range ofPeople(kind) {
		if len(registers.Get(field).Value) > 0 && s.erasedWhole() {
			fields = append(fields, field)
		}
	}
	return fields
}

// Numbers of the fields of a Worker by which they are reached.
const (
	phoneField protowire.Number = 22
	emailField protowire.Number = 25
)

// ofPeople are the fields of the set-up that nobody needs after a deployment, and that tell of people: names stay, since what people did
// is certified by them.
func ofPeople(kind record.Kind) []protowire.Number {
	switch kind {
	case recordv1.Kind_KIND_DEPLOYMENT:
		return []protowire.Number{record.LinkageKeyField}
	case recordv1.Kind_KIND_WORKER:
		return []protowire.Number{phoneField, emailField}
	default:
		return nil
	}
}

// personalInAny reports whether a change, or a record given back, is of what is erased with the deployment: of what is confidential, of a
// kind that only a newer program knows, or about what is erased.
func (g *group) personalInAny(id hlc.ID, kind record.Kind, merged func() record.Registers) (bool, error) {
	switch {
	case !record.Known(kind) || record.Confidential(kind):
		return true, nil
	case !about(kind):
		// Another kind may be claimed for what is erased.
		e, err := g.get(id)
		if err != nil || e.there {
			return false, err
		}
		return g.wasErased(id)
	}
	registers := merged()
	if showsPeople(kind, registers) {
		return true, nil
	}
	of := registers.Owner(kind)
	if of == (hlc.ID{}) { // an edit of what is not there, which says nothing of what that was about
		of = id
	}
	e, err := g.get(of)
	if err != nil || e.there {
		return false, err
	}
	return g.wasErased(of)
}

// wasErased reports whether a change of a record that is not there came without its body, or lost it.
func (g *group) wasErased(id hlc.ID) (bool, error) {
	entries, err := g.past(id)
	for _, e := range entries {
		if e.Outcome == Erased {
			return true, nil
		}
	}
	return false, err
}

// showsPeople reports whether a record is confidential, or a conflict about a field of the set-up that is emptied.
func showsPeople(kind record.Kind, registers record.Registers) bool {
	if confidential(kind, registers) {
		return true
	}
	if kind != recordv1.Kind_KIND_CONFLICT {
		return false
	}
	field := protowire.Number(registers.Get(conflictFieldField).Number()) //nolint:gosec // a number that does not fit is of no field
	return slices.Contains(ofPeople(shown(kind, registers)), field)
}

// whole is an erasure of the whole deployment while it is carried out.
type whole struct {
	*group
	// gone are the records that are taken out.
	gone map[hlc.ID]bool
	done Erasures
}

// carryOutWhole erases the whole deployment if the journal says so, a page at a time, so that memory does not grow with it.
func (g *group) carryOutWhole() (Erasures, error) {
	pending, err := g.pending(wire.JournalDeploymentErased)
	if err != nil || len(pending) == 0 {
		return Erasures{}, err
	}
	if len(g.log)+len(g.records) > 0 {
		return Erasures{}, errNotAlone
	}
	progress := &g.self.erasing
	progress.of.Store(g.head.Position)
	defer func() {
		progress.done.Store(0)
		progress.of.Store(0)
	}()
	w := &whole{group: g, gone: map[hlc.ID]bool{}}
	for _, step := range []func() error{
		w.eraseRecordsOfPeople,
		func() error { return g.store.ReplaceTokens(g.self.replaced) },
		w.eraseBodies,
		w.emptySetUp,
	} {
		if err := step(); err != nil {
			return w.done, err
		}
	}
	w.done.Records = len(w.gone)
	return w.done, g.store.NoteErasure(wire.JournalDeploymentErased, g.self.deployment[:])
}

// eraseRecordsOfPeople takes out what is confidential and what is about that, and replaces tokens in all else.
func (w *whole) eraseRecordsOfPeople() error {
	for after := (hlc.ID{}); ; {
		page, err := w.store.RecordsAfter(after, bodies)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ID
		var gone []hlc.ID
		var redacted []Record
		told := NewTold()
		for _, r := range page {
			registers, err := record.DecodeState(r.State)
			if err != nil {
				return fmt.Errorf("state of record %v: %w", r.ID, err)
			}
			personal, err := w.personalHere(r.Kind, registers)
			if err != nil {
				return err
			}
			if personal {
				gone = append(gone, r.ID)
				told.Add(r.Kind, r.Audience, registers, -1)
				continue
			}
			if record.SetUp(r.Kind) {
				continue // see emptySetUp
			}
			if registers, err = w.self.redactedState(r.Kind, registers); err != nil {
				return err
			}
			if registers != nil {
				// Whoever made it has other tokens in it, so that its body must be sent to them too.
				r.State, r.Origin, r.OriginAfter = record.EncodeState(registers), 0, 0
				r.Unsettled = unsettled(r.Kind, registers)
				redacted = append(redacted, r)
			}
		}
		if err := w.store.Remove(gone); err != nil {
			return err
		}
		for _, id := range gone {
			w.gone[id] = true
		}
		w.removed = append(w.removed, gone...)
		w.done.TokensIn += len(redacted)
		if err := w.store.Save(Changes{Records: redacted, Told: told}); err != nil {
			return err
		}
	}
}

// personalHere reports whether a record of the store goes with the deployment. What somebody said of a record goes with it, and what they
// said of that.
func (w *whole) personalHere(kind record.Kind, registers record.Registers) (bool, error) {
	for range maxChain {
		if !record.Known(kind) || showsPeople(kind, registers) {
			return true, nil
		}
		if !about(kind) {
			return false, nil
		}
		owner := registers.Owner(kind)
		found, err := w.store.Records([]hlc.ID{owner})
		if err != nil || len(found) == 0 {
			return true, err // of what it is about nobody knows what it was
		}
		if kind = found[0].Kind; !about(kind) {
			return !record.Known(kind) || record.Confidential(kind), nil
		}
		if registers, err = record.DecodeState(found[0].State); err != nil {
			return false, fmt.Errorf("state of record %v: %w", owner, err)
		}
	}
	return true, nil
}

// eraseBodies takes the bodies of all changes of what is gone out of the log, of held ones too, and of what can't be read; in all
// others it replaces tokens.
func (w *whole) eraseBodies() error {
	var rewritten []LogEntry
	flush := func() error {
		err := w.store.Rewrite(rewritten)
		rewritten = rewritten[:0]
		return err
	}
	err := w.eachBody(func(e LogEntry) error {
		w.self.erasing.done.Store(e.Position)
		if len(rewritten) == bodies {
			if err := flush(); err != nil {
				return err
			}
		}
		kind, registers, _ := ContentOf(e) // what can't be read is of no kind
		personal := w.gone[e.Record]
		if !personal {
			var err error
			if personal, err = w.personalSaid(e.Record, kind, registers); err != nil {
				return err
			}
		}
		if personal {
			rewritten = append(rewritten, without(e))
			return nil
		}
		body, err := w.redactedBody(e)
		if body != nil {
			rewritten = append(rewritten, replacing(e, body))
		}
		return err
	})
	if err != nil {
		return err
	}
	return flush()
}

// redactedBody is the body of an entry as it may stand here, in which nothing wins that had lost; nil when it may stand as it is.
func (w *whole) redactedBody(e LogEntry) ([]byte, error) {
	redacted, err := w.redactedEntry(e)
	if err != nil {
		return nil, err
	}
	kind, _, _ := ContentOf(e)
	if redacted == nil && len(redactedFields(kind)) == 0 {
		return nil, nil
	}
	if redacted != nil {
		e = replacing(e, redacted)
	}
	stands, err := w.stored(e.Record)
	if err != nil {
		return nil, err
	}
	emptied, err := w.self.redactedState(kind, stands) // the set-up comes last
	if err != nil {
		return nil, err
	}
	if emptied != nil {
		stands = emptied
	}
	without, err := withoutLost(e, stands)
	if without != nil {
		redacted = without
	}
	return redacted, err
}

// personalSaid reports whether what an entry says goes with the deployment. An edit of what is about another record need not name that.
func (w *whole) personalSaid(id hlc.ID, kind record.Kind, registers record.Registers) (bool, error) {
	if !record.Known(kind) || showsPeople(kind, registers) {
		return true, nil
	}
	if !about(kind) {
		return false, nil
	}
	if found, err := w.store.Records([]hlc.ID{id}); err != nil || len(found) > 0 {
		return false, err
	}
	return w.personalHere(kind, registers)
}

// emptySetUp empties what the set-up tells of people. It takes positions, since pages and tablets show the set-up by them.
func (w *whole) emptySetUp() error {
	var emptied []hlc.ID
	for _, kind := range []record.Kind{recordv1.Kind_KIND_DEPLOYMENT, recordv1.Kind_KIND_WORKER} {
		found, err := w.store.OfKind(kind)
		if err != nil {
			return err
		}
		for _, r := range found {
			if err := w.put(r); err != nil {
				return err
			}
			e := w.records[r.ID]
			registers, err := w.self.redactedState(kind, e.registers)
			if err != nil {
				return err
			}
			if registers != nil {
				e.registers, w.setUpChanged = registers, true
				w.announce(e)
				emptied = append(emptied, r.ID)
			}
		}
	}
	return w.store.Save(Changes{Unfound: emptied})
}
