package tabletui

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// mostConflicts is how many conflicts are shown at once; the next come up as these are answered.
const mostConflicts = 50

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
			body.identity = body.identity || identifies(d.Message.GetTargetKind())
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
		Hidden: v.hides(kind),
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
	case v.hides(d.Message.GetTargetKind()):
		return v.to(pathUnlock + "?next=" + pathEscape(pathInbox))
	case do == doReopen:
		if err := v.remember(open, d.Conflict, false); err != nil {
			return err
		}
		return v.to(pathInbox)
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
