package tabletui

import (
	"net/url"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// heldItem is a change that the server keeps and does not apply.
type heldItem struct {
	ID, To, Title, When, Why string
	Hidden                   bool
	Fields                   []field
	// Decided says what was decided, while the server has not done it yet, and Reason why.
	Decided, Reason string
	// Correct: it can be filled in again, without what is wrong; Begun, that was begun.
	Correct, Begun, Release, Discard bool
	Ask                              []person
}

// The codes that only a coordinator decides about.
var forCoordinators = []record.Code{
	record.CodeUnproven, record.CodeUnconfirmed, record.CodeDeviceRevoked, record.CodeStampInFuture, record.CodeDeploymentClosed,
}

// The codes of what depends on who wrote it, or on what else is there: what was written is not wrong in itself.
var notOfTheFields = append([]record.Code{
	record.CodeNotYourTeam, record.CodeNotAllowed, record.CodeRecordMissing, record.CodeRecordHeld, record.CodeOwnerMissing, record.CodeDiscarded,
}, forCoordinators...)

// waits reports whether anybody has something to do about a held change.
func waits(h clientlib.HeldChange) bool {
	return !h.Discarded() && h.Decision != recordv1.Decision_DECISION_DISCARD
}

// correctable reports whether a form can make good what is held. What would have belonged to a record that is held, too, can be given to the one that was made in its place.
func correctable(h clientlib.HeldChange) bool {
	_, has := sheets[h.Kind]
	if !has || h.Message == nil || h.Kind == recordv1.Kind_KIND_REVIEW || h.Message.ProtoReflect().Has(fieldOf(h.Kind, "deleted")) {
		return false
	}
	code := record.Code(h.Code)
	return !waits(h) || code == record.CodeOwnerMissing && h.Makes || code.Mended() && !slices.Contains(notOfTheFields, code)
}

// releasable reports whether the worker may have a change applied all the same, and whether that would help: it is judged as if she had written it now.
func releasable(h clientlib.HeldChange, role recordv1.Role) bool {
	code := record.Code(h.Code)
	switch {
	case h.Decision != recordv1.Decision_DECISION_UNKNOWN:
		return false
	case slices.Contains(forCoordinators, code):
		return role == recordv1.Role_ROLE_COORDINATOR
	default:
		return leads(role) && code.Mended() && !slices.Contains(notOfTheFields, code)
	}
}

// asked are those who can do something about what she can't mend herself.
func (a *around) asked(code record.Code) []person {
	if slices.Contains(forCoordinators, code) {
		return a.above(recordv1.Role_ROLE_COORDINATOR)
	}
	return append(a.above(recordv1.Role_ROLE_SUPERVISOR), a.above(recordv1.Role_ROLE_COORDINATOR)...)
}

func (v *visit) heldItems(a *around, body *inboxBody) error {
	held, err := v.store().Held(v.context())
	if err != nil {
		return err
	}
	for _, h := range held {
		body.identity = body.identity || identifies(h.Kind)
		one, err := v.heldItem(a, h)
		switch {
		case err != nil:
			return err
		case waits(h) && h.InAddendum():
			body.Late = append(body.Late, one)
		case waits(h):
			body.Held = append(body.Held, one)
		default:
			body.Discarded = append(body.Discarded, one)
		}
	}
	return nil
}

func (v *visit) heldItem(a *around, h clientlib.HeldChange) (heldItem, error) {
	role := a.workers[a.me].GetRole()
	one := heldItem{
		ID: h.Change.String(), When: v.At(h.Made), Why: v.heldWhy(h.Code), Hidden: v.hides(h.Kind),
		Correct: correctable(h), Release: waits(h) && releasable(h, role), Discard: waits(h), Reason: h.Reason,
	}
	if h.InAddendum() { // what she decided would be an addendum as well
		one.Discard = one.Release
	}
	if waits(h) && !one.Correct && !one.Release {
		one.Ask = a.asked(record.Code(h.Code))
	}
	made := clientlib.AnyRecord{ID: h.Record, Kind: h.Kind, Message: h.Message}
	if r, err := v.store().Record(v.context(), h.Record); err == nil {
		made, one.To = r, "/records/"+h.Record.String()
	}
	one.Title = v.headline(made)
	switch {
	case h.Discarded():
	case h.Decision == recordv1.Decision_DECISION_RELEASE:
		one.Decided = v.T("held_to_release")
	case h.Decision == recordv1.Decision_DECISION_DISCARD:
		one.Decided = v.T("held_to_discard")
	}
	if !one.Hidden {
		one.Fields = v.heldFields(a, h)
	}
	_, err := v.store().Form(v.context(), h.Change)
	switch clientlib.Code(err) {
	case "":
		one.Begun = true
	case clientlib.CodeFormDone: // it was sent again
		one.Correct = false
	case clientlib.CodeFormMissing:
	default:
		return one, err
	}
	return one, nil
}

// heldFields are what a change was to set and to empty.
func (v *visit) heldFields(a *around, h clientlib.HeldChange) []field {
	if h.Message == nil {
		return nil
	}
	var all []field
	m := h.Message.ProtoReflect()
	if deleted := fieldOf(h.Kind, "deleted"); m.Has(deleted) {
		text := v.T("held_restores")
		if h.Message.GetDeleted() {
			text = v.T("held_deletes")
		}
		all = append(all, field{a.label(deleted), text})
	}
	for _, f := range words.Settable(h.Kind) {
		if m.Has(f) && (!h.Makes || !words.IsCommon(f) || f.Name() == "occurred_on") {
			all = append(all, field{a.label(f), a.terms.Value(f, m.Get(f), v.named)})
		}
	}
	for _, name := range h.Cleared {
		if f := m.Descriptor().Fields().ByName(protoreflect.Name(name)); f != nil {
			all = append(all, field{a.label(f), v.T("left_empty")})
		}
	}
	return all
}

// What is done with a held change.
const (
	doCorrect = "correct"
	doRelease = "release"
	doDiscard = "discard"
)

// heldDecided does what was chosen for a held change.
func (v *visit) heldDecided() error {
	id, err := v.id("change")
	if err != nil {
		return err
	}
	held, err := v.store().Held(v.context())
	if err != nil {
		return err
	}
	at := slices.IndexFunc(held, func(h clientlib.HeldChange) bool { return h.Change == id })
	if at < 0 { // the server has taken it meanwhile
		return v.done(pathInbox, "held_gone")
	}
	h := held[at]
	var decision recordv1.Decision
	var done string
	switch v.r.PostFormValue(valueDo) {
	case doCorrect:
		return v.correct(h, held)
	case doRelease:
		decision, done = recordv1.Decision_DECISION_RELEASE, "released"
	case doDiscard:
		decision, done = recordv1.Decision_DECISION_DISCARD, "discarded"
	default:
		return errNoPage
	}
	if h.Decision != decision && !h.Discarded() { // else a double tap
		if _, err := v.store().Decide(v.context(), h.Change, decision, strings.TrimSpace(v.r.PostFormValue("reason"))); err != nil {
			return err
		}
		v.desk.syncer.Wake(false)
	}
	return v.done(pathInbox, done)
}

// correct leads to a form with what a held change has. The form goes by the change's own id, so that there is one for each.
func (v *visit) correct(h clientlib.HeldChange, held []clientlib.HeldChange) error {
	changes := append([]clientlib.HeldChange{h}, togetherWith(h, held)...)
	hidden := slices.ContainsFunc(changes, func(h clientlib.HeldChange) bool { return v.hides(h.Kind) })
	switch {
	case !correctable(h):
		return errNoPage
	case hidden:
		return v.to(pathUnlock + "?next=" + pathEscape(pathInbox))
	}
	to := "/forms/" + h.Change.String()
	_, err := v.store().Form(v.context(), h.Change)
	switch clientlib.Code(err) {
	case "":
		return v.to(to)
	case clientlib.CodeFormDone:
		return v.to(pathInbox)
	case clientlib.CodeFormMissing:
	default:
		return err
	}
	a, err := v.around()
	if err != nil {
		return err
	}
	f := clientlib.Form{ID: h.Change, Kind: h.Kind}
	values := url.Values{}
	if !h.Makes {
		r, err := v.store().Record(v.context(), h.Record)
		if err != nil {
			return err
		}
		f.Record = h.Record
		a.write(values, h.Kind, r.Message)
	}
	for _, one := range changes {
		a.overwrite(values, h.Kind, one)
	}
	f.Values = []byte(values.Encode())
	if err := v.store().SaveForm(v.context(), f); err != nil {
		return err
	}
	return v.to(to)
}

// overwrite puts what a change sets and empties into the values of a form.
func (a *around) overwrite(values url.Values, of record.Kind, h clientlib.HeldChange) {
	set := url.Values{}
	a.write(set, of, h.Message)
	for _, name := range h.Cleared {
		values.Del(prefixed(h.Kind, of, protoreflect.Name(name)))
	}
	for name, all := range set {
		values[name] = all
	}
}

// togetherWith are the changes that are held with the one that makes a record, and that are asked in the form of its kind.
func togetherWith(h clientlib.HeldChange, held []clientlib.HeldChange) []clientlib.HeldChange {
	if !h.Makes {
		return nil
	}
	var all []clientlib.HeldChange
	for _, other := range held {
		owner, ok := (clientlib.AnyRecord{Kind: other.Kind, Message: other.Message}).Owner()
		if ok && owner == h.Record && other.Makes && waits(other) && slices.Contains(sheets[h.Kind].with, other.Kind) {
			all = append(all, other)
		}
	}
	return all
}

// corrected discards the held changes in whose place a form was logged, if it was.
func (v *visit) corrected(form hlc.ID) error {
	held, err := v.store().Held(v.context())
	if err != nil {
		return err
	}
	at := slices.IndexFunc(held, func(h clientlib.HeldChange) bool { return h.Change == form })
	if at < 0 {
		return nil
	}
	for _, h := range append(togetherWith(held[at], held), held[at]) {
		if !waits(h) {
			continue
		}
		if _, err := v.store().Decide(v.context(), h.Change, recordv1.Decision_DECISION_DISCARD, v.T("held_corrected")); err != nil {
			return err
		}
	}
	return nil
}
