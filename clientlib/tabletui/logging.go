package tabletui

import (
	"errors"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// formSent logs what was filled in.
func (v *visit) formSent() error {
	f, err := v.formAsked()
	switch {
	case clientlib.Code(err) == clientlib.CodeFormDone: // a double tap
		return v.done(pathToday, "saved")
	case err != nil:
		return err
	}
	f.send()
	do := v.r.PostFormValue(valueDo)
	if do == doKeep {
		if err := f.keep(); err != nil {
			return err
		}
		return v.done(pathToday, "kept")
	}
	if f.standing.Message != nil {
		return f.update(do)
	}
	return f.log(do)
}

// log logs a new record with what belongs to it.
func (f *form) log(do string) error {
	family := clientlib.Family{Record: f.read(f.of).message}
	if same, ok := strings.CutPrefix(do, doSame); ok {
		id, err := parseID(same)
		if err != nil {
			return err
		}
		setReference(family.Record, "duplicate_of", id)
	}
	f.readOwner(family.Record)
	body := &formBody{}
	full, missing, err := f.store().Draft(f.context(), family.Record)
	if wrong := f.noteWrong(f.of, err); wrong != nil {
		return wrong
	}
	if full != nil {
		if p := f.place(f.of, full.GetPlace()); p != nil {
			setPlace(family.Record, p)
		}
		f.noteMissing(f.of, missing, do, body)
	}
	for _, k := range sheets[f.of].with {
		part := f.read(k).message
		if isEmpty(part) {
			continue
		}
		family.Belongings = append(family.Belongings, part)
		f.noteMissing(k, ownMissing(k, part), do, body)
	}
	if len(f.wrong) > 0 {
		return f.again(body)
	}
	if do == doLog && full != nil {
		similar, err := f.store().Similar(f.context(), full)
		if err != nil {
			return err
		}
		if len(similar) > 0 {
			body.Similar = f.items(similar)
			return f.again(body)
		}
	}
	ids, err := f.store().LogForm(f.context(), f.kept.ID, family)
	if wrong := f.noteWrong(f.of, err); wrong != nil {
		return wrong
	}
	if len(f.wrong) > 0 {
		return f.again(body)
	}
	if err := f.corrected(f.kept.ID); err != nil {
		return err
	}
	f.desk.syncer.Wake(f.of == recordv1.Kind_KIND_RISK_ALERT)
	return f.logged(ids[0], full)
}

// update changes a record.
func (f *form) update(do string) error {
	read := f.read(f.of)
	has := f.standing.Message.ProtoReflect()
	emptied := slices.DeleteFunc(read.emptied, func(name string) bool {
		return !has.Has(has.Descriptor().Fields().ByName(protoreflect.Name(name)))
	})
	if slices.Contains(slices.Concat(sheets[f.of].first, sheets[f.of].more), villageName) {
		if p := f.place(f.of, f.standing.Message.GetPlace()); p != nil {
			setPlace(read.message, p)
		}
	}
	body := &formBody{}
	if do != doDraft {
		var missing []string
		for _, name := range emptied {
			if slices.Contains(requiredOf(f.of), name) {
				missing = append(missing, name)
			}
		}
		f.noteMissing(f.of, missing, do, body)
	}
	if len(f.wrong) > 0 {
		return f.again(body)
	}
	err := f.store().UpdateForm(f.context(), f.kept.ID, f.standing.ID, read.message, emptied...)
	if wrong := f.noteWrong(f.of, err); wrong != nil {
		return wrong
	}
	if len(f.wrong) > 0 {
		return f.again(body)
	}
	if err := f.corrected(f.kept.ID); err != nil {
		return err
	}
	f.desk.syncer.Wake(f.of == recordv1.Kind_KIND_RISK_ALERT)
	if f.back != "" {
		return f.done(f.back, "saved")
	}
	return f.done("/records/"+f.standing.ID.String(), "saved")
}

// logged leads on to where one goes on from a new record.
func (f *form) logged(id hlc.ID, m record.Common) error {
	if session, ok := m.(*recordv1.CaseSession); ok && risky(session) {
		if of, ok := idOf(session.GetCase()); ok { // a risk that was seen is reported before anything else
			return f.done(pathEmergency+"?subject="+of.String(), "risk")
		}
	}
	if f.back != "" {
		return f.done(f.back, "saved")
	}
	if owner, ok := (clientlib.AnyRecord{Kind: f.of, Message: m}).Owner(); ok && belongsToCase(f.of) {
		return f.done(pathCases+"/"+owner.String(), "saved")
	}
	if f.of == recordv1.Kind_KIND_CASE {
		return f.done(pathCases+"/"+id.String(), "saved")
	}
	return f.done("/records/"+id.String(), "saved")
}

// risky reports whether a risk was seen, or suspected.
func risky(m *recordv1.CaseSession) bool {
	return m.GetRiskSeen() == recordv1.RiskSeen_RISK_SEEN_YES || m.GetRiskSeen() == recordv1.RiskSeen_RISK_SEEN_SUSPECTED
}

// belongsToCase reports whether records of a kind are looked at on the page of their case.
func belongsToCase(k record.Kind) bool {
	switch k {
	case recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_CASE_IDENTITY, recordv1.Kind_KIND_CONSENT, recordv1.Kind_KIND_REFERRAL,
		recordv1.Kind_KIND_RESOURCE_LINK:
		return true
	default:
		return false
	}
}

// readOwner reads what the record belongs to.
func (f *form) readOwner(m record.Common) {
	owner := m.ProtoReflect().Descriptor().Fields().ByNumber(record.OwnerField(f.of))
	if owner == nil {
		return
	}
	if text := f.values.Get(string(owner.Name())); text != "" {
		if id, err := parseID(text); err == nil {
			setReference(m, owner.Name(), id)
		}
	}
}

// noteWrong notes what the library says of the fields; other errors are returned.
func (f *reading) noteWrong(k record.Kind, err error) error {
	var invalid *clientlib.InvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		for _, p := range invalid.Problems {
			name := invalid.FieldName(p)
			if name == "place" {
				name = string(villageName)
			}
			f.wrong[prefixed(invalid.Kind, f.of, protoreflect.Name(name))] = record.Message(p.Code, f.Lang())
		}
		return nil
	case clientlib.Code(err) == clientlib.CodeOwnerMissing || clientlib.Code(err) == clientlib.CodeOwnerDeleted:
		if owner := record.New(k).ProtoReflect().Descriptor().Fields().ByNumber(record.OwnerField(k)); owner != nil {
			f.wrong[prefixed(k, f.of, owner.Name())] = clientlib.Message(err, f.Lang())
			return nil
		}
	}
	return err
}

// noteMissing notes required fields that are missing, where the record is not meant to be a draft.
func (f *form) noteMissing(k record.Kind, missing []string, do string, body *formBody) {
	if do == doDraft {
		return
	}
	for _, name := range missing {
		field := protoreflect.Name(name)
		if f.wrong[prefixed(k, f.of, field)] != "" { // something was written
			continue
		}
		f.wrong[prefixed(k, f.of, field)] = f.T("is_missing")
		body.Missing = append(body.Missing, f.around.terms.Field(fieldOf(k, field)))
	}
}
