package tabletui

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// What a form carries besides its fields.
const (
	valueKind   = "_kind"
	valueRecord = "_record"
	valueDo     = "_do"
)

// What the buttons of a form ask for.
const (
	doLog   = "log"
	doDraft = "draft" // log it though something is missing
	doKeep  = "keep"  // go on later
	doOther = "other" // log it though a similar one is there
	doSame  = "same:" // log it as the same as that record
)

// formBody is what the page of a form shows.
type formBody struct {
	ID hlc.ID
	// Kind is the stable name, Of what the record belongs to.
	Kind, Of, Record string
	Hidden           []choice
	Parts            []formPart
	Editing          bool
	// Kept is when what was typed was kept last.
	Kept    time.Time
	Missing []string
	Similar []item
	Error   string
}

// formPart are the controls of one kind.
type formPart struct {
	Title        string
	Confidential bool
	First, More  []control
	// Open: something is wrong among the fields that are folded away.
	Open bool
}

// choose shows what can be logged.
func (v *visit) choose() error {
	a, err := v.around()
	if err != nil {
		return err
	}
	var kinds []choice
	for _, k := range choosable {
		kinds = append(kinds, choice{Value: pathNew + "/" + words.KindName(k), Label: a.kindLabel(k)})
	}
	return v.show("choose", &page{Title: v.T("title_new"), Here: pathNew, Body: kinds})
}

// begin leads to an empty form. Nothing is kept before something is typed.
func (v *visit) begin() error {
	if _, ok := kindNamed(v.r.PathValue("kind")); !ok {
		return errNoPage
	}
	id, err := v.store().NewFormID()
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	query.Set(valueKind, v.r.PathValue("kind"))
	return v.to("/forms/" + id.String() + "?" + query.Encode())
}

// beginEdit leads to a form with what a record has.
func (v *visit) beginEdit() error {
	r, err := v.recordAsked()
	if err != nil {
		return err
	}
	id, err := v.store().NewFormID()
	if err != nil {
		return err
	}
	query := url.Values{valueKind: {words.KindName(r.Kind)}, valueRecord: {r.ID.String()}}
	return v.to("/forms/" + id.String() + "?" + query.Encode())
}

// form is a form on its way through a request.
type form struct {
	reading
	kept clientlib.Form
	// standing is the record that is edited; zero for a new one.
	standing clientlib.AnyRecord
	// back is where one goes on once it was logged; empty leaves that to its kind.
	back string
}

// formAsked is the form that the address names: what was kept of it, or a fresh one.
func (v *visit) formAsked() (*form, error) {
	id, err := v.id("form")
	if err != nil {
		return nil, err
	}
	a, err := v.around()
	if err != nil {
		return nil, err
	}
	f := &form{reading: reading{visit: v, around: a, values: url.Values{}, wrong: map[string]string{}}}
	f.kept, err = v.store().Form(v.context(), id)
	switch {
	case err == nil:
		f.of = f.kept.Kind
		if f.values, err = url.ParseQuery(string(f.kept.Values)); err != nil {
			return nil, err
		}
	case clientlib.Code(err) == clientlib.CodeFormMissing:
		k, ok := kindNamed(v.r.FormValue(valueKind))
		if !ok {
			return nil, errNoPage
		}
		edited, err := v.asked(valueRecord)
		if err != nil {
			return nil, err
		}
		f.of, f.kept = k, clientlib.Form{ID: id, Kind: k, Record: edited}
	default:
		return nil, err
	}
	v.logs = v.logs && f.of != recordv1.Kind_KIND_RISK_ALERT // nothing holds back an alert
	if f.kept.Record != (hlc.ID{}) {
		if f.standing, err = v.store().Record(v.context(), f.kept.Record); err != nil {
			return nil, err
		}
		if f.standing.Message == nil || f.standing.Kind != f.of {
			return nil, errNoPage
		}
	}
	return f, nil
}

// begun fills a form of which nothing was kept yet.
func (f *form) begun() error {
	if !f.kept.Saved.IsZero() {
		return nil
	}
	if f.standing.Message != nil {
		f.around.write(f.values, f.of, f.standing.Message)
		return nil
	}
	m := record.New(f.of)
	query := f.r.URL.Query()
	if of, err := parseID(query.Get("of")); err == nil {
		if owner := m.ProtoReflect().Descriptor().Fields().ByNumber(record.OwnerField(f.of)); owner != nil {
			m.ProtoReflect().Set(owner, protoreflect.ValueOfBytes(of[:]))
		}
	}
	if day, err := record.ParseDate(query.Get("day")); err == nil {
		m.ProtoReflect().Set(m.ProtoReflect().Descriptor().Fields().ByName("occurred_on"), protoreflect.ValueOfInt32(int32(day)))
	}
	if err := f.fresh(m, f.wall()); err != nil {
		return err
	}
	f.suggest(m)
	return nil
}

// suggest fills in what is likely, so that it need only be changed where it is not so.
func (f *form) suggest(m record.Common) {
	set := func(name, value string) {
		if f.values.Get(name) == "" {
			f.values.Set(name, value)
		}
	}
	switch m := m.(type) {
	case *recordv1.CaseSession:
		set("attendees", "1")
		set("risk_seen", "no")
		if len(m.GetCase()) == len(hlc.ID{}) {
			if file, err := f.store().Case(f.context(), hlc.ID(m.GetCase())); err == nil {
				set("stage", f.around.terms.OptionOf(recordv1.CaseStage(0).Descriptor(), file.Case.Message.GetStage().Number()).Name)
				set("number", itoa(len(file.Sessions)+1))
			}
		}
	case *recordv1.Case:
		set("client_count", "1")
		set("stage", "intake")
		set("opened_on", f.values.Get("occurred_on"))
	case *recordv1.Consent:
		set("given_on", f.values.Get("occurred_on"))
	case *recordv1.ResourceLink:
		if len(m.GetRecipientCase()) > 0 {
			set("recipient", "case")
		}
	case *recordv1.Headcount:
		set("method", "counted")
	}
}

// send takes what was sent into the form.
func (f *form) send() {
	f.values = url.Values{}
	for name, all := range f.sent() {
		if !strings.HasPrefix(name, "_") {
			f.values[name] = all
		}
	}
}

// keep keeps what was typed.
func (f *form) keep() error {
	f.kept.Values = []byte(f.values.Encode())
	return f.store().SaveForm(f.context(), f.kept)
}

func (v *visit) formPage() error {
	f, err := v.formAsked()
	switch {
	case clientlib.Code(err) == clientlib.CodeFormDone: // one went back to it
		return v.done(pathToday, "saved")
	case err != nil:
		return err
	}
	if f.unlockFirst() {
		return v.askFor(pathToday)
	}
	if err := f.begun(); err != nil {
		return err
	}
	return f.show(http.StatusOK, &formBody{})
}

// formKept keeps what is typed, as it is typed.
func (v *visit) formKept() error {
	f, err := v.formAsked()
	if err != nil {
		return v.notKept(err)
	}
	f.send()
	if err := f.keep(); err != nil {
		return v.notKept(err)
	}
	return v.part("form", "kept", map[string]any{"v": v, "Kept": v.wall(), "Error": ""})
}

// notKept says at the form that what is typed was not kept.
func (v *visit) notKept(err error) error {
	if clientlib.Code(err) == clientlib.CodeFormDone {
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	_, text := v.explain(err)
	return v.part("form", "kept", map[string]any{"v": v, "Kept": time.Time{}, "Error": text})
}

// formDropped throws a form away.
func (v *visit) formDropped() error {
	id, err := v.id("form")
	if err != nil {
		return err
	}
	if err := v.store().DropForm(v.context(), id); err != nil {
		return err
	}
	return v.done(v.next(), "dropped")
}

// again shows the form again with what is wrong with it, and keeps what was typed.
func (f *form) again(body *formBody) error {
	if err := f.keep(); err != nil {
		return err
	}
	if len(f.wrong) > 0 {
		body.Error = f.T("form_wrong")
	}
	return f.show(http.StatusUnprocessableEntity, body)
}

// show answers with the page of the form.
func (f *form) show(status int, body *formBody) error {
	body.ID, body.Kind, body.Editing, body.Kept = f.kept.ID, words.KindName(f.of), f.standing.Message != nil, f.kept.Saved
	body.Hidden = []choice{{Value: body.Kind, Label: valueKind}}
	if body.Editing {
		body.Record = f.standing.ID.String()
		body.Hidden = append(body.Hidden, choice{Value: body.Record, Label: valueRecord})
	}
	kinds := []record.Kind{f.of}
	if !body.Editing {
		kinds = append(kinds, sheets[f.of].with...)
	}
	for i, k := range kinds {
		part, err := f.formPart(k)
		if err != nil {
			return err
		}
		if i == 0 {
			if err := f.owner(body, &part); err != nil {
				return err
			}
		} else {
			part.Title = f.around.kindLabel(k)
		}
		body.Parts = append(body.Parts, part)
	}
	title := f.around.kindLabel(f.of)
	if body.Editing {
		title = f.T("title_edit", f.around.terms.KindLabel(f.of))
	}
	return f.showAs(status, "form", &page{Title: title, Here: pathNew, Back: pathToday, Body: body})
}

func (f *form) formPart(k record.Kind) (formPart, error) {
	s := sheets[k]
	part := formPart{Confidential: record.Confidential(k)}
	var err error
	if part.First, err = f.controls(k, s.first, requiredOf(k)); err != nil {
		return part, err
	}
	if part.More, err = f.controls(k, s.more, requiredOf(k)); err != nil {
		return part, err
	}
	part.Open = slices.ContainsFunc(part.More, func(c control) bool { return c.Error != "" })
	return part, nil
}

// owner shows what a record belongs to, or asks for it.
func (f *form) owner(body *formBody, part *formPart) error {
	field := record.New(f.of).ProtoReflect().Descriptor().Fields().ByNumber(record.OwnerField(f.of))
	if field == nil || body.Editing {
		return nil
	}
	if id, err := parseID(f.values.Get(string(field.Name()))); err == nil && f.wrong[string(field.Name())] == "" {
		if r, err := f.store().Record(f.context(), id); err == nil {
			body.Of = f.headline(r)
			body.Hidden = append(body.Hidden, choice{Value: id.String(), Label: string(field.Name())})
			return nil
		}
	}
	c, shown, err := f.control(f.of, field.Name(), field)
	if err != nil || !shown {
		return err
	}
	c.Required = !ownerOptional(f.of)
	c.Sort = "list"
	part.First = append([]control{c}, part.First...)
	return nil
}

// ownerOptional reports whether a record of a kind can stand by itself though it may belong to another.
func ownerOptional(k record.Kind) bool {
	return k == recordv1.Kind_KIND_RESOURCE_LINK || k == recordv1.Kind_KIND_RISK_ALERT
}

// requiredOf are the names of the fields that a kind requires.
func requiredOf(k record.Kind) []string {
	var required []string
	for _, number := range record.Missing(k, record.New(k)) {
		required = append(required, string(record.New(k).ProtoReflect().Descriptor().Fields().ByNumber(number).Name()))
	}
	return required
}

// ownMissing are the required fields that a belonging lacks, but for those that the library fills in from what it belongs to.
func ownMissing(k record.Kind, m record.Common) []string {
	var missing []string
	for _, number := range record.Missing(k, m) {
		f := m.ProtoReflect().Descriptor().Fields().ByNumber(number)
		if number != record.OwnerField(k) && !words.IsCommon(f) {
			missing = append(missing, string(f.Name()))
		}
	}
	return missing
}

func isEmpty(m record.Common) bool {
	empty := true
	m.ProtoReflect().Range(func(protoreflect.FieldDescriptor, protoreflect.Value) bool { empty = false; return false })
	return empty
}

func setReference(m record.Common, name protoreflect.Name, id hlc.ID) {
	r := m.ProtoReflect()
	r.Set(r.Descriptor().Fields().ByName(name), protoreflect.ValueOfBytes(id[:]))
}

func setPlace(m record.Common, p *recordv1.Place) {
	r := m.ProtoReflect()
	r.Set(r.Descriptor().Fields().ByName("place"), protoreflect.ValueOfMessage(p.ProtoReflect()))
}

// unfinished are the forms that were kept, as a list.
func (v *visit) unfinished() ([]item, error) {
	forms, err := v.store().Forms(v.context())
	if err != nil {
		return nil, err
	}
	a, err := v.around()
	if err != nil {
		return nil, err
	}
	var all []item
	for _, f := range forms {
		one := item{ID: f.ID.String(), To: "/forms/" + f.ID.String(), Title: a.kindLabel(f.Kind), Note: v.T("kept_at", v.At(f.Saved))}
		switch f.Kind {
		case recordv1.Kind_KIND_HEADCOUNT:
			one.To = pathCounter + "/" + f.ID.String()
		case kindPaper:
			one.To, one.Title = pathPaper+"/"+f.ID.String(), v.T("nav_paper")
		}
		all = append(all, one)
	}
	return all, nil
}

// sortedNames are the names of a map in order.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
