package tabletui

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// item is a record, or something else that leads on, in a list.
type item struct {
	ID    string
	To    string
	Title string
	// Note says more, in few words; Marks what people should know.
	Note  string
	Marks []mark
}

// mark is what people should know about a record besides its fields, with how it is to be taken.
type mark struct {
	Text string
	// Sort is bad, warn, good or plain.
	Sort string
}

// recordBody is what the page of a record shows.
type recordBody struct {
	clientlib.AnyRecord
	Of     *item
	Fields []field
	Marks  []mark
	// Held says why changes of this tablet to it wait; Addendum that some wait for the coordinator.
	Held     []string
	Addendum bool
	// Missing are the words for required fields that it lacks.
	Missing    []string
	Belongings []item
	Adds       []choice
	Editable   bool
}

// field is a value with its word.
type field struct{ Label, Value string }

// recordAsked is the record that the address names.
func (v *visit) recordAsked() (clientlib.AnyRecord, error) {
	id, err := v.id("record")
	if err != nil {
		return clientlib.AnyRecord{}, err
	}
	return v.store().Record(v.context(), id)
}

// recordPage shows one record.
func (v *visit) recordPage() error {
	r, err := v.recordAsked()
	if err != nil {
		return err
	}
	switch {
	case r.Kind == recordv1.Kind_KIND_CASE:
		return v.to(pathCases + "/" + r.ID.String() + query(v.r.URL.RawQuery))
	case r.Kind == recordv1.Kind_KIND_CONFLICT: // it holds values of another record, which may be confidential
		return v.to(pathInbox)
	case v.hides(r.Kind):
		return v.askFor(v.ownerPath(r))
	}
	body := &recordBody{AnyRecord: r, Marks: v.marks(r), Fields: v.fields(r), Editable: editable(r)}
	body.Held, body.Missing = v.heldAndMissing(r)
	body.Addendum = r.Late()
	if owner, ok := r.Owner(); ok {
		if o, err := v.store().Record(v.context(), owner); err == nil {
			body.Of = &item{To: "/records/" + owner.String(), Title: v.headline(o)}
		}
	}
	if body.Belongings, err = v.belongings(r.ID); err != nil {
		return err
	}
	body.Adds = v.adds(r)
	return v.show("record", &page{Title: v.headline(r), Back: pathToday, Body: body})
}

// ownerPath is the page of what a record belongs to; the first page where it belongs to nothing.
func (v *visit) ownerPath(r clientlib.AnyRecord) string {
	if owner, ok := r.Owner(); ok {
		return "/records/" + owner.String()
	}
	return pathToday
}

// heldAndMissing are the words for why changes of this tablet to a record wait, and for the required fields that it lacks.
func (v *visit) heldAndMissing(r clientlib.AnyRecord) (held, missing []string) {
	a, err := v.around()
	if err != nil {
		return nil, nil
	}
	for _, code := range r.Held {
		if code == string(record.CodeDeploymentClosed) { // no fault of hers
			continue
		}
		held = append(held, record.Message(record.Code(code), v.Lang()))
	}
	for _, name := range r.Missing {
		missing = append(missing, a.terms.Field(fieldOf(r.Kind, protoreflect.Name(name))))
	}
	return held, missing
}

// belongings are the records that belong to one, as a list.
func (v *visit) belongings(id hlc.ID) ([]item, error) {
	found, err := v.store().Belongings(v.context(), id)
	if err != nil {
		return nil, err
	}
	here := 0
	for _, r := range found {
		if r.Kind == recordv1.Kind_KIND_ATTENDANCE {
			here++
		}
	}
	if here <= fewRegistered {
		return v.items(found), nil
	}
	rest := slices.DeleteFunc(found, func(r clientlib.AnyRecord) bool { return r.Kind == recordv1.Kind_KIND_ATTENDANCE })
	return append(v.items(rest), item{Title: v.N("registered_count", here)}), nil
}

// fewRegistered is how many people who were registered at an activity have a row each; of more there is the number.
const fewRegistered = 5

// adds is what can be logged about a record.
func (v *visit) adds(r clientlib.AnyRecord) []choice {
	if r.Deleted || r.Message == nil {
		return nil
	}
	a, err := v.around()
	if err != nil {
		return nil
	}
	var adds []choice
	if counts(r.Kind) {
		adds = append(adds, choice{Value: pathCounter + "?activity=" + r.ID.String(), Label: v.T("count_heads")}, choice{Value: pathRegister + "?activity=" + r.ID.String(), Label: v.T("register_people")})
	}
	for _, k := range []record.Kind{
		recordv1.Kind_KIND_CASE_NOTE, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_GROUP_NOTE, recordv1.Kind_KIND_REFERRAL_NOTE, recordv1.Kind_KIND_SUPERVISION_NOTE,
	} {
		if record.MayOwn(r.Kind, k) {
			adds = append(adds, choice{Value: pathNew + "/" + words.KindName(k) + "?of=" + r.ID.String(), Label: v.T("add", a.terms.KindLabel(k))})
		}
	}
	if a.leads() && len(tally.CountedFields(r.Kind)) > 0 { // what is counted is reviewed
		adds = append(adds, choice{Value: pathNew + "/review?of=" + r.ID.String(), Label: v.T("review")})
	}
	return adds
}

// counts reports whether heads are counted at records of a kind.
func counts(k record.Kind) bool {
	return k == recordv1.Kind_KIND_OUTREACH || k == recordv1.Kind_KIND_GROUP_SESSION || k == recordv1.Kind_KIND_COMMUNITY_ACTIVITY
}

// identifies reports whether a kind says who somebody is.
func identifies(k record.Kind) bool { return k == recordv1.Kind_KIND_CASE_IDENTITY }

// editable reports whether a worker edits a record on a page of its own.
func editable(r clientlib.AnyRecord) bool {
	_, has := sheets[r.Kind]
	return has && r.Message != nil && !r.Deleted && r.Kind != recordv1.Kind_KIND_REVIEW
}

func (v *visit) deleteRecord() error {
	r, err := v.recordAsked()
	if err != nil {
		return err
	}
	if err := v.store().Delete(v.context(), r.ID); err != nil {
		return err
	}
	v.desk.syncer.Wake(false)
	return v.done(pathHistory+"?undo="+r.ID.String(), "deleted")
}

func (v *visit) restoreRecord() error {
	r, err := v.recordAsked()
	if err != nil {
		return err
	}
	if err := v.store().Restore(v.context(), r.ID); err != nil {
		return err
	}
	v.desk.syncer.Wake(false)
	if v.r.PostFormValue("next") != "" {
		return v.done(v.next(), "restored")
	}
	return v.done("/records/"+r.ID.String(), "restored")
}

// fields are what a record has, as people read it: what the form of its kind asks first, in its order.
func (v *visit) fields(r clientlib.AnyRecord) []field {
	if r.Message == nil {
		return nil
	}
	a, err := v.around()
	if err != nil {
		return nil
	}
	var all []field
	m := r.Message.ProtoReflect()
	for _, f := range words.Settable(r.Kind) {
		if f.Number() == record.OwnerField(r.Kind) || f.Name() == "team" || words.FormOf(f) == words.Code || !m.Has(f) {
			continue
		}
		all = append(all, field{a.label(f), a.terms.Value(f, m.Get(f), v.named)})
	}
	return all
}

// items are records as a list.
func (v *visit) items(records []clientlib.AnyRecord) []item {
	all := make([]item, 0, len(records))
	for _, r := range records {
		all = append(all, v.item(r))
	}
	return all
}

func (v *visit) item(r clientlib.AnyRecord) item {
	one := item{ID: r.ID.String(), To: "/records/" + r.ID.String(), Title: v.headline(r), Marks: v.marks(r)}
	one.Note = v.dayOf(r)
	if r.Message != nil && one.Note != "" && r.Message.GetPlace().GetVillage() != "" { // a day has several rounds of visits
		one.Note = v.List([]string{r.Message.GetPlace().GetVillage(), one.Note})
	}
	return one
}

// dayOf is the day of a record, as people read it; empty where it has none.
func (v *visit) dayOf(r clientlib.AnyRecord) string {
	if r.Message == nil || r.Message.GetOccurredOn() == 0 {
		return ""
	}
	return v.Date(record.Date(r.Message.GetOccurredOn()))
}

// headline is a record's kind and what it is called.
func (v *visit) headline(r clientlib.AnyRecord) string {
	label := capital(v.Kind(r.Kind))
	if a, err := v.around(); err == nil {
		label = a.kindLabel(r.Kind)
	}
	if person := v.registered(r); person != "" {
		return person
	}
	if title := v.title(r); title != "" {
		return v.T("kind_and_title", label, title)
	}
	return label
}

// registered is somebody who was registered, or came again, as far as a tablet knows them: by sex, age and village. It is empty for other
// kinds.
func (v *visit) registered(r clientlib.AnyRecord) string {
	var about []field
	switch r.Kind {
	case recordv1.Kind_KIND_PARTICIPANT, recordv1.Kind_KIND_ATTENDANCE:
		about = v.some(r, "sex", "age_band", "village")
	default:
		return ""
	}
	parts := []string{v.T("is_registered")}
	for _, f := range about {
		parts = append(parts, f.Value)
	}
	return strings.Join(parts, " · ")
}

// title is what a record is called; one without a name goes by that of what it belongs to.
func (v *visit) title(r clientlib.AnyRecord) string {
	for range 4 { // no family is deeper
		if name := r.Name(); name != "" {
			return name
		}
		if count, ok := r.Message.(*recordv1.Headcount); ok && count.GetZone() != "" { // what tells an activity's counts apart
			return count.GetZone()
		}
		owner, ok := r.Owner()
		if !ok {
			return ""
		}
		next, err := v.store().Record(v.context(), owner)
		if err != nil {
			return ""
		}
		r = next
	}
	return ""
}

// named is the record that a reference names, as people know it.
func (v *visit) named(reference []byte) string {
	id, ok := idOf(reference)
	if !ok {
		return v.T("not_here")
	}
	r, err := v.store().Record(v.context(), id)
	if err != nil {
		return v.T("not_here")
	}
	if title := v.title(r); title != "" {
		return title
	}
	return v.headline(r)
}

// marks are what people should know about a record besides its fields, the gravest first.
func (v *visit) marks(r clientlib.AnyRecord) []mark {
	var all []mark
	add := func(on bool, sort, name string) {
		if on {
			all = append(all, mark{v.T(name), sort})
		}
	}
	add(r.Deleted, "bad", "mark_deleted")
	add(r.HeldOtherwise(), "bad", "mark_held")
	add(r.Late(), "plain", "mark_late")
	if r.Message != nil {
		add(unconfirmed(r), "bad", "mark_unconfirmed")
		add(r.Message.GetStatus() == recordv1.Status_STATUS_PLANNED, "plain", "mark_planned")
		add(r.Message.GetStatus() == recordv1.Status_STATUS_CANCELLED, "plain", "mark_cancelled")
		add(len(r.Message.GetDuplicateOf()) > 0, "plain", "mark_duplicate")
	}
	add(len(r.Missing) > 0, "warn", "mark_draft")
	add(r.Sending == clientlib.Unsent, "warn", "mark_unsent")
	add(r.Sending == clientlib.Sent, "plain", "mark_sent")
	add(r.Sending == clientlib.Durable, "good", "mark_safe")
	return all
}

// unconfirmed reports whether a record is a risk alert that nobody has confirmed.
func unconfirmed(r clientlib.AnyRecord) bool {
	alert, ok := r.Message.(*recordv1.RiskAlert)
	return ok && !r.Deleted && len(alert.GetAcknowledgedBy()) == 0 && alert.GetClosedOn() == 0
}

// idOf is an id that stands in a field.
func idOf(b []byte) (hlc.ID, bool) {
	if len(b) != len(hlc.ID{}) {
		return hlc.ID{}, false
	}
	return hlc.ID(b), true
}

func itoa(n int) string { return strconv.Itoa(n) }
