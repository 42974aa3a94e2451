package tabletui

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/clientlib/words"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// mostConflicts is how many conflicts are shown at once; the next come up as these are answered.
const mostConflicts = 50

// inboxBody is what waits for a worker, each with what she can do.
type inboxBody struct {
	Returned []returnedItem
	// Lost are the conflicts in which her value lost, Team the others that a team lead may settle, Answered those to which she said that the other
	// value is right, and which nobody has settled yet.
	Lost, Team, Answered []conflictItem
	// More is how many conflicts are not shown.
	More int
	Held []heldItem
	// Discarded are those that are not to be applied.
	Discarded []heldItem
}

// Empty reports whether nothing waits.
func (b *inboxBody) Empty() bool {
	return len(b.Returned)+len(b.Lost)+len(b.Team)+len(b.Held) == 0
}

// returnedItem is a record that a review returned.
type returnedItem struct {
	item
	Who, When string
	Reasons   []string
	Comment   string
	Editable  bool
	Talk      *person
}

// conflictItem is a field that was filled in differently.
type conflictItem struct {
	ID, To, Title, Field string
	// Hidden: it says who somebody is, and the PIN was not entered.
	Hidden bool
	Sides  []sideItem
	// Stands is what counts now, where that is none of the sides.
	Stands string
	// Settles: a team lead's answer settles it for all.
	Settles bool
	// Answerable: what counts can be seen and set here.
	Answerable bool
	Talk       *person
}

// sideItem is one of the values.
type sideItem struct {
	Who, When, Value string
	// Pick names the side in a form. Mine is the worker's own, Stands what counts now.
	Pick         string
	Mine, Stands bool
}

// heldItem is a change that the server keeps and does not apply.
type heldItem struct {
	ID, To, Title, When, Why string
	Hidden                   bool
	Fields                   []field
	// Decided says what was decided, while the server has not done it yet.
	Decided string
	// Correct: it can be filled in again, without what is wrong; Begun, that was begun.
	Correct, Begun, Release, Discard bool
	Ask                              []person
}

// person is somebody to talk to.
type person struct {
	Name, Phone string
	// Call is an address that telephones take; empty without a number.
	Call string
}

func (a *around) person(id hlc.ID) *person {
	w := a.workers[id]
	if w == nil || id == a.me {
		return nil
	}
	p := &person{Name: w.GetName(), Phone: w.GetPhone()}
	if number := dialled(p.Phone); number != "" {
		p.Call = "tel:" + number
	}
	return p
}

// leads reports whether the worker settles what others wrote, and lets through what is held.
func (a *around) leads() bool { return leads(a.workers[a.me].GetRole()) }

func leads(r recordv1.Role) bool {
	return r == recordv1.Role_ROLE_TEAM_LEAD || r == recordv1.Role_ROLE_SUPERVISOR || r == recordv1.Role_ROLE_COORDINATOR
}

// above are those of a role to whom the worker can turn, by name: of her own team, for what teams have.
func (a *around) above(role recordv1.Role) []person {
	team := a.workers[a.me].GetTeam()
	var found []person
	for id, w := range a.workers {
		its := string(w.GetTeam()) == string(team) || slices.ContainsFunc(w.GetSupervises(), func(t []byte) bool { return string(t) == string(team) })
		if p := a.person(id); p != nil && w.GetRole() == role && (its || role == recordv1.Role_ROLE_COORDINATOR) {
			found = append(found, *p)
		}
	}
	slices.SortFunc(found, func(x, y person) int { return strings.Compare(x.Name, y.Name) })
	return found
}

// teamLead is whom a worker asks about what her team wrote.
func (a *around) teamLead() *person {
	for _, role := range []recordv1.Role{recordv1.Role_ROLE_TEAM_LEAD, recordv1.Role_ROLE_SUPERVISOR} {
		if found := a.above(role); len(found) > 0 {
			return &found[0]
		}
	}
	return nil
}

// whoWrote is the name of who wrote something.
func (v *visit) whoWrote(a *around, id hlc.ID) string {
	switch {
	case id == a.me:
		return v.T("you")
	case a.workers[id] != nil:
		return a.workers[id].GetName()
	default:
		return v.T("somebody")
	}
}

// inbox shows what waits.
func (v *visit) inbox() error {
	a, err := v.around()
	if err != nil {
		return err
	}
	body := &inboxBody{}
	if body.Returned, err = v.returnedItems(a); err != nil {
		return err
	}
	if err := v.conflictItems(a, body); err != nil {
		return err
	}
	if err := v.heldItems(a, body); err != nil {
		return err
	}
	return v.show("inbox", &page{Title: v.T("nav_inbox"), Here: pathInbox, Body: body})
}

func (v *visit) returnedItems(a *around) ([]returnedItem, error) {
	found, err := v.store().Returned(v.context())
	if err != nil {
		return nil, err
	}
	var all []returnedItem
	reasons := fieldOf(recordv1.Kind_KIND_REVIEW, "reasons")
	for _, r := range found {
		one := returnedItem{
			item: v.item(r.Target), When: v.At(r.Review.Changed), Comment: r.Review.Message.GetComment(), Editable: editable(r.Target), Who: v.T("somebody"),
		}
		if by, ok := idOf(r.Review.Message.GetAuthor()); ok {
			one.Who, one.Talk = v.whoWrote(a, by), a.person(by)
		}
		for _, reason := range r.Review.Message.GetReasons() {
			one.Reasons = append(one.Reasons, a.terms.OptionOf(reasons.Enum(), reason.Number()).Label)
		}
		all = append(all, one)
	}
	return all, nil
}

// dispute is a conflict with the record that it is about, as it stands.
type dispute struct {
	clientlib.Conflict
	// field is nil when only a newer program knows it; target has no message when it is not on this tablet.
	field  protoreflect.FieldDescriptor
	target clientlib.AnyRecord
}

func (v *visit) dispute(c clientlib.Conflict) (dispute, error) {
	d := dispute{Conflict: c}
	if m := record.New(c.Message.GetTargetKind()); m != nil && c.Field != "" {
		d.field = m.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(c.Field))
	}
	var err error
	d.target, err = v.store().Record(v.context(), c.Target)
	if clientlib.Code(err) == clientlib.CodeRecordMissing {
		err = nil
	}
	return d, err
}

// ofDeletion: somebody deleted the record while somebody else went on with it.
func (d dispute) ofDeletion() bool { return d.field != nil && d.field.Number() == record.DeletedField }

// answerable reports whether one of the values can be chosen here.
func (d dispute) answerable() bool {
	return d.field != nil && d.target.Message != nil && (d.ofDeletion() || !d.target.Deleted)
}

// stands reports whether a value is what the record has.
func (d dispute) stands(side clientlib.ConflictSide) bool {
	switch {
	case side.Message == nil:
		return false
	case d.ofDeletion():
		return side.Message.GetDeleted() == d.target.Deleted
	}
	its, stands := side.Message.ProtoReflect(), d.target.Message.ProtoReflect()
	return its.Has(d.field) == stands.Has(d.field) && (!its.Has(d.field) || its.Get(d.field).Equal(stands.Get(d.field)))
}

// sideOf is the newest value that a worker wrote.
func sideOf(c clientlib.Conflict, worker hlc.ID) (at int, ok bool) {
	for i, side := range slices.Backward(c.Sides) {
		if side.Author == worker {
			return i, true
		}
	}
	return 0, false
}

// lostTo reports whether the value of a worker lost, and another counts. Nothing is lost in a record that is deleted, unless the deletion
// is what it is about.
func (d dispute) lostTo(worker hlc.ID) bool {
	mine, ok := sideOf(d.Conflict, worker)
	switch {
	case !ok, mine == len(d.Sides)-1 && !d.ofDeletion():
		return false
	case d.field == nil || d.target.Message == nil:
		return true
	default:
		return d.answerable() && !d.stands(d.Sides[mine])
	}
}

// seenAs is what the tablet keeps of a conflict to which the worker said that the other value is right. When somebody fills in the field
// anew, it is another.
func seenAs(c clientlib.Conflict) string {
	newest := int64(0)
	if len(c.Sides) > 0 {
		newest = c.Sides[len(c.Sides)-1].Set.UnixMilli()
	}
	return fmt.Sprintf("%s@%d", c.ID, newest)
}

// disputes are the conflicts in which the worker's value lost, with those that she answered apart, and for a team lead all others, whose records are
// not read.
func (v *visit) disputes(a *around) (lost, answered, team []dispute, err error) {
	open, err := v.store().Conflicts(v.context())
	if err != nil {
		return nil, nil, nil, err
	}
	for _, c := range open {
		_, mine := sideOf(c, a.me)
		if !mine && !a.leads() {
			continue
		}
		d := dispute{Conflict: c}
		if mine {
			if d, err = v.dispute(c); err != nil {
				return nil, nil, nil, err
			}
		}
		switch {
		case d.lostTo(a.me) && !slices.Contains(v.settings.Seen, seenAs(c)):
			lost = append(lost, d)
		case a.leads():
			team = append(team, d)
		case d.lostTo(a.me):
			answered = append(answered, d)
		}
	}
	return lost, answered, team, nil
}

// lost is in how many conflicts a value of this worker lost, and she has not answered; team, how many others there are for a team lead to settle.
func (v *visit) lost() (lost, team int, err error) {
	a, err := v.around()
	if err != nil {
		return 0, 0, err
	}
	hers, _, others, err := v.disputes(a)
	return len(hers), len(others), err
}

func (v *visit) conflictItems(a *around, body *inboxBody) error {
	lost, answered, team, err := v.disputes(a)
	if err != nil {
		return err
	}
	left := mostConflicts
	for _, part := range []struct {
		found []dispute
		shown *[]conflictItem
	}{{lost, &body.Lost}, {team, &body.Team}, {answered, &body.Answered}} {
		for _, d := range part.found[:min(left, len(part.found))] {
			if d, err = v.dispute(d.Conflict); err != nil {
				return err
			}
			*part.shown = append(*part.shown, v.conflictItem(a, d))
			left--
		}
		body.More += len(part.found) - len(*part.shown)
	}
	return nil
}

func (v *visit) conflictItem(a *around, d dispute) conflictItem {
	kind := d.Message.GetTargetKind()
	one := conflictItem{
		ID: d.ID.String(), Title: a.kindLabel(kind), Field: v.T("newer_field"), Settles: a.leads(), Answerable: d.answerable(),
		Hidden: identifies(kind) && !v.desk.identified(v.wall()),
	}
	if d.field != nil {
		one.Field = a.label(d.field)
	}
	if d.target.Message != nil {
		one.To, one.Title = "/records/"+d.Target.String(), v.headline(d.target)
	}
	if !a.leads() {
		one.Talk = a.teamLead()
	}
	if one.Hidden {
		return one
	}
	standing := false
	for i, side := range d.Sides {
		s := sideItem{
			Who: v.whoWrote(a, side.Author), When: v.At(side.Set), Value: v.sideValue(a, d, side.Message), Mine: side.Author == a.me, Pick: pickOf(d.Conflict, i),
			Stands: one.Answerable && d.stands(side),
		}
		standing = standing || s.Stands
		one.Sides = append(one.Sides, s)
	}
	if one.Answerable && !standing {
		one.Stands = v.sideValue(a, d, d.target.Message)
	}
	return one
}

// sideValue is a value of a conflict as people read it.
func (v *visit) sideValue(a *around, d dispute, m record.Common) string {
	switch {
	case d.field == nil || m == nil:
		return v.T("newer_field")
	case d.ofDeletion() && m.GetDeleted():
		return v.T("side_deleted")
	case d.ofDeletion():
		return v.T("side_went_on")
	case !m.ProtoReflect().Has(d.field):
		return v.T("left_empty")
	default:
		return a.terms.Value(d.field, m.ProtoReflect().Get(d.field), v.named)
	}
}

// pickOf names a side so that it is never taken for another when more come in meanwhile.
func pickOf(c clientlib.Conflict, i int) string {
	side := c.Message.GetSides()[i]
	return fmt.Sprintf("%d.%d.%d", i, side.GetTime(), side.GetReplica())
}

// What is answered to a conflict.
const (
	doPick   = "pick:"  // that side is right
	doTheirs = "theirs" // what counts is right
	doReopen = "reopen" // it is not, after all
)

// conflictAsked is the conflict that the address names, with all open ones; not ok when it was settled meanwhile, or answered by a double tap.
func (v *visit) conflictAsked() (d dispute, open []clientlib.Conflict, ok bool, err error) {
	id, err := v.id("conflict")
	if err != nil {
		return d, nil, false, err
	}
	if open, err = v.store().Conflicts(v.context()); err != nil {
		return d, nil, false, err
	}
	at := slices.IndexFunc(open, func(c clientlib.Conflict) bool { return c.ID == id })
	if at < 0 {
		return d, nil, false, nil
	}
	d, err = v.dispute(open[at])
	return d, open, true, err
}

// conflictAnswered takes an answer. A team lead's settles the conflict; the server takes that from nobody else.
func (v *visit) conflictAnswered() error {
	d, open, there, err := v.conflictAsked()
	if err != nil {
		return err
	}
	a, err := v.around()
	if err != nil {
		return err
	}
	do := v.r.PostFormValue(valueDo)
	pick, picks := strings.CutPrefix(do, doPick)
	switch {
	case !there:
		return v.done(pathInbox, "conflict_settled")
	case identifies(d.Message.GetTargetKind()) && !v.desk.identified(v.wall()):
		return v.to(pathUnlock + "?next=" + pathEscape(pathInbox))
	case do == doReopen:
		err = v.remember(open, d.Conflict, false)
	case picks:
		side, known := sidePicked(d, pick)
		if !known {
			return v.done(pathInbox, "conflict_moved")
		}
		err = v.setAs(d, side)
	case do != doTheirs:
		err = errNoPage
	case !a.leads():
		err = v.remember(open, d.Conflict, true)
	}
	if err != nil {
		return err
	}
	if a.leads() {
		if err := v.store().Update(v.context(), d.ID, &recordv1.Conflict{Settled: proto.Bool(true)}); err != nil {
			return err
		}
	}
	v.desk.syncer.Wake(false)
	if do == doReopen {
		return v.to(pathInbox)
	}
	return v.done(pathInbox, "conflict_answered")
}

// sidePicked is the side that a form names; not known when there are others by now.
func sidePicked(d dispute, pick string) (clientlib.ConflictSide, bool) {
	for i, side := range d.Sides {
		if pickOf(d.Conflict, i) == pick {
			return side, d.answerable() && side.Message != nil
		}
	}
	return clientlib.ConflictSide{}, false
}

// setAs gives the record the value of a side. Who does so has seen the other values, so that it is no new conflict.
func (v *visit) setAs(d dispute, side clientlib.ConflictSide) error {
	switch {
	case d.ofDeletion() && side.Message.GetDeleted():
		return v.store().Delete(v.context(), d.Target)
	case d.ofDeletion():
		return v.store().Restore(v.context(), d.Target)
	case side.Message.ProtoReflect().Has(d.field):
		return v.store().Update(v.context(), d.Target, side.Message)
	default:
		return v.store().Update(v.context(), d.Target, record.New(d.target.Kind), string(d.field.Name()))
	}
}

// remember keeps that the worker said that the other value is right, or that she did not. Of what is not open any more nothing is kept.
func (v *visit) remember(open []clientlib.Conflict, c clientlib.Conflict, answered bool) error {
	return v.desk.set(func(s *settings) {
		var seen []string
		for _, one := range open {
			was := slices.Contains(s.Seen, seenAs(one))
			if one.ID == c.ID {
				was = answered
			}
			if was {
				seen = append(seen, seenAs(one))
			}
		}
		s.Seen = seen
	})
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
		one, err := v.heldItem(a, h)
		switch {
		case err != nil:
			return err
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
		ID: h.Change.String(), When: v.At(h.Made), Why: record.Message(record.Code(h.Code), v.Lang()), Hidden: identifies(h.Kind) && !v.desk.identified(v.wall()),
		Correct: correctable(h), Release: waits(h) && releasable(h, role), Discard: waits(h),
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
	decision, done := recordv1.Decision_DECISION_UNKNOWN, ""
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
	secret := slices.ContainsFunc(changes, func(h clientlib.HeldChange) bool { return identifies(h.Kind) })
	switch {
	case !correctable(h):
		return errNoPage
	case secret && !v.desk.identified(v.wall()):
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
		owner, ok := ownerOf(other.Kind, other.Message)
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
