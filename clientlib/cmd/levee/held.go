package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/clientlib/recordjson"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// heldCmd shows what is held, and why.
type heldCmd struct{}

// discardCmd says that a held change is not to be applied.
type discardCmd struct{ decisionArgs }

// releaseCmd says that a held change is to be applied after all.
type releaseCmd struct{ decisionArgs }

type decisionArgs struct {
	Change string `arg:"" help:"${change_argument}"`
	Reason string `placeholder:"${word_text}" help:"${reason_flag}"`
}

// conflictsCmd shows fields that two people filled in differently.
type conflictsCmd struct{}

// heldJSON is a held change as JSON has it.
type heldJSON struct {
	Change  string `json:"change"`
	Record  string `json:"record"`
	Kind    string `json:"kind"`
	Code    string `json:"code"`
	Message string `json:"message"`
	// Makes says that the change was to make the record, which is therefore not shown.
	Makes   bool           `json:"makes"`
	Fields  map[string]any `json:"fields"`
	Cleared []string       `json:"cleared"`
	Made    time.Time      `json:"made"`
	// Decision is release or discard where that was decided; code says discarded once the server has done it.
	Decision string `json:"decision,omitempty"`
	// Reason is what was written with the decision.
	Reason string `json:"reason,omitempty"`
}

// decisionNames are decisions as JSON has them.
var decisionNames = map[recordv1.Decision]string{recordv1.Decision_DECISION_RELEASE: "release", recordv1.Decision_DECISION_DISCARD: "discard"}

// conflictJSON is a conflict as JSON has it. The last side is the value that stands.
type conflictJSON struct {
	Record string     `json:"record"`
	Kind   string     `json:"kind"`
	Field  string     `json:"field"`
	Sides  []sideJSON `json:"sides"`
}

type sideJSON struct {
	// Value is absent where the field was emptied.
	Value  any       `json:"value,omitempty"`
	Author string    `json:"author"`
	Name   string    `json:"name"`
	Set    time.Time `json:"set"`
}

// Run shows each held change.
func (c *heldCmd) Run(s *session) error {
	held, err := s.store.Held(s.ctx)
	if err != nil {
		return err
	}
	out := struct {
		Held []heldJSON `json:"held"`
	}{[]heldJSON{}}
	for _, h := range held {
		one := heldJSON{
			Change: h.Change.String(), Record: h.Record.String(), Kind: words.KindName(h.Kind), Code: h.Code, Message: s.why(h.Code), Makes: h.Makes,
			Fields: map[string]any{}, Cleared: append([]string{}, h.Cleared...), Made: h.Made.In(s.zone()), Decision: decisionNames[h.Decision], Reason: h.Reason,
		}
		if h.Message != nil {
			one.Fields = recordjson.Fields(s.terms(), h.Message.ProtoReflect())
		}
		out.Held = append(out.Held, one)
	}
	return s.answer(out, func() {
		if len(held) == 0 {
			s.line(nothingHeld)
			return
		}
		s.line(heldAre, s.Count(changesCount, int64(len(held))))
		for i, h := range held {
			s.heldChange(i+1, h)
		}
	})
}

// Run discards a held change.
func (c *discardCmd) Run(s *session) error {
	return s.decide(c.decisionArgs, recordv1.Decision_DECISION_DISCARD, changeDiscarded)
}

// Run releases a held change.
func (c *releaseCmd) Run(s *session) error {
	return s.decide(c.decisionArgs, recordv1.Decision_DECISION_RELEASE, changeReleased)
}

// decisionJSON is a decision as JSON has it.
type decisionJSON struct {
	ID       string `json:"id"`
	Change   string `json:"change"`
	Decision string `json:"decision"`
}

func (s *session) decide(args decisionArgs, decision recordv1.Decision, done words.Message) error {
	change, err := s.heldNamed(args.Change)
	if err != nil {
		return err
	}
	id, err := s.store.Decide(s.ctx, change, decision, args.Reason)
	if err != nil {
		return err
	}
	return s.answer(decisionJSON{id.String(), change.String(), decisionNames[decision]}, func() { s.line(done, shortID(change)) })
}

// heldNamed is the held change that a text means: the whole id of any tablet's, or some digits of one that is held here.
func (s *session) heldNamed(text string) (hlc.ID, error) {
	if id, err := uuid.Parse(text); err == nil {
		return id, nil
	}
	held, err := s.store.Held(s.ctx)
	if err != nil {
		return hlc.ID{}, err
	}
	digits := strings.ToLower(strings.ReplaceAll(text, "-", ""))
	var found []hlc.ID
	for _, h := range held {
		id := hex.EncodeToString(h.Change[:])
		if len(digits) >= leastOfID && (strings.HasPrefix(id, digits) || strings.HasSuffix(id, digits)) {
			found = append(found, h.Change)
		}
	}
	if len(found) != 1 {
		return hlc.ID{}, s.fail("held_missing", noSuchHeld, text)
	}
	return found[0], nil
}

// why is the reason of a held change, in words.
func (s *session) why(code string) string { return record.Message(record.Code(code), s.Lang()) }

// because says why a change is held. What came after the deployment was closed is no fault: it waits for the coordinator.
func (s *session) because(code string) {
	if code == string(record.CodeDeploymentClosed) {
		s.line(heldAsAddendum)
		return
	}
	s.line(heldBecause, s.why(code))
}

func (s *session) heldChange(n int, h clientlib.HeldChange) {
	fmt.Fprintln(&s.out)
	s.line(heldHeading, n, s.headline(clientlib.AnyRecord{ID: h.Record, Kind: h.Kind, Message: h.Message}), shortID(h.Record), s.Instant(h.Made.In(s.zone())))
	s.because(h.Code)
	s.line(heldChange, shortID(h.Change))
	switch {
	case h.Discarded():
	case h.Decision == recordv1.Decision_DECISION_RELEASE:
		s.line(heldToRelease)
	case h.Decision == recordv1.Decision_DECISION_DISCARD:
		s.line(heldToDiscard)
	}
	if h.Reason != "" {
		s.line(heldReason, h.Reason)
	}
	if h.Message == nil {
		return
	}
	m := h.Message.ProtoReflect()
	var parts []string
	for _, f := range words.Settable(h.Kind) {
		if m.Has(f) && (!words.IsCommon(f) || !h.Makes) {
			parts = append(parts, s.Labelled(s.Field(f), shorten(s.shownText(f, m.Get(f)), 60)))
		}
	}
	for _, name := range h.Cleared {
		if f := m.Descriptor().Fields().ByName(protoreflect.Name(name)); f != nil {
			parts = append(parts, s.Labelled(s.Field(f), s.Say(emptied)))
		}
	}
	if len(parts) > 0 {
		s.line(heldContent, strings.Join(parts, s.Either("; ", "；")))
	}
}

// Run shows each conflict that nobody has settled.
func (c *conflictsCmd) Run(s *session) error {
	conflicts, err := s.store.Conflicts(s.ctx)
	if err != nil {
		return err
	}
	out := struct {
		Conflicts []conflictJSON `json:"conflicts"`
	}{[]conflictJSON{}}
	for _, conflict := range conflicts {
		one := conflictJSON{Record: conflict.Target.String(), Kind: words.KindName(conflict.Message.GetTargetKind()), Field: conflict.Field}
		for _, side := range conflict.Sides {
			one.Sides = append(one.Sides, s.sideJSON(conflict, side))
		}
		out.Conflicts = append(out.Conflicts, one)
	}
	return s.answer(out, func() {
		if len(conflicts) == 0 {
			s.line(noConflicts)
			return
		}
		s.line(conflictsAre, s.Count(fieldsCount, int64(len(conflicts))))
		for i, conflict := range conflicts {
			s.conflict(i+1, conflict)
		}
	})
}

func (s *session) sideJSON(c clientlib.Conflict, side clientlib.ConflictSide) sideJSON {
	out := sideJSON{Author: side.Author.String(), Name: s.author(side.Author), Set: side.Set.In(s.zone())}
	if f := fieldOfConflict(c); f != nil && side.Message != nil && side.Message.ProtoReflect().Has(f) {
		out.Value = recordjson.Value(s.terms(), f, side.Message.ProtoReflect().Get(f))
	}
	return out
}

// fieldOfConflict is the field that was filled in differently; nil when only a newer program knows it.
func fieldOfConflict(c clientlib.Conflict) protoreflect.FieldDescriptor {
	m := record.New(c.Message.GetTargetKind())
	if m == nil {
		return nil
	}
	return m.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(c.Field))
}

func (s *session) author(id hlc.ID) string {
	if id == (hlc.ID{}) {
		return s.Say(somebody)
	}
	return s.named(id[:])
}

func (s *session) conflict(n int, c clientlib.Conflict) {
	fmt.Fprintln(&s.out)
	f, field := fieldOfConflict(c), s.Say(newerField)
	if f != nil {
		field = s.Field(f)
	}
	headline := s.kindLabel(c.Message.GetTargetKind())
	if r, err := s.store.Record(s.ctx, c.Target); err == nil {
		headline = s.headline(r)
	}
	s.line(conflictHeading, n, headline, shortID(c.Target), field)
	for i, side := range c.Sides {
		value := s.Say(emptied)
		if f != nil && side.Message != nil && side.Message.ProtoReflect().Has(f) {
			value = s.shownText(f, side.Message.ProtoReflect().Get(f))
		}
		m := conflictSide
		if i == len(c.Sides)-1 {
			m = conflictWinner
		}
		s.line(m, s.author(side.Author), s.Instant(side.Set.In(s.zone())), value)
	}
}
