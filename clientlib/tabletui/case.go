package tabletui

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// caseBody is what the page of a case shows.
type caseBody struct {
	ID    hlc.ID
	Marks []mark
	// Held says why changes of this tablet to it wait, Addendum that some wait for the coordinator, Missing what it lacks.
	Held     []string
	Addendum bool
	Missing  []string
	// Stage is the word for it, At how far it is: the number of the step from 1, 0 where it is not known.
	Stage string
	At    int
	Steps []step
	// Gaps are what is missing of the clients' consent.
	Gaps []string
	// Main are the fields that tell what the case is about, All what else it has.
	Main, All []field
	Timeline  []caseEvent
	// Mine: the worker leads it or works on it.
	Mine             bool
	Deleted, Closed  bool
	Session, Consent string
	Resource         string
	Referral         string
}

// step is one of the stages of a case.
type step struct {
	Label string
	// State is done, now or ahead.
	State string
}

// caseEvent is something that was done in a case.
type caseEvent struct {
	id    hlc.ID
	day   record.Date
	To    string
	Title string
	Date  string
	// Sort is the name of the kind.
	Sort  string
	Short []field
	// Notes are confidential; there are none where the worker may not have them.
	Notes []note
	Marks []mark
}

// note is what was written about a session or a referral.
type note struct {
	Title  string
	Fields []field
	// Open: it is the newest of its kind, and is read before the next visit.
	Open bool
}

// caseAsked is the case that the address names.
func (v *visit) caseAsked() (clientlib.CaseFile, error) {
	id, err := v.id("case")
	if err != nil {
		return clientlib.CaseFile{}, err
	}
	return v.store().Case(v.context(), id)
}

// consentGaps are the messages that say what is missing of consent.
var consentGaps = map[clientlib.ConsentGap]string{
	clientlib.ConsentMissing: "consent_gap_missing", clientlib.ConsentEmergency: "consent_gap_emergency", clientlib.ConsentGuardian: "consent_gap_guardian",
}

// casePage shows a case and all that was done in it, the newest first.
func (v *visit) casePage() error {
	file, err := v.caseAsked()
	if err != nil {
		return err
	}
	a, err := v.around()
	if err != nil {
		return err
	}
	m, today := file.Case.Message, a.day(v)
	id := file.Case.ID.String()
	body := &caseBody{
		ID: file.Case.ID, Deleted: file.Case.Deleted, Closed: file.Closed, Mine: file.Mine, Stage: a.choice(m, "stage"),
		Session: pathNew + "/case_session?of=" + id, Consent: pathNew + "/consent?of=" + id,
		Resource: pathNew + "/resource_link?of=" + id, Referral: pathNew + "/referral?of=" + id,
	}
	body.Steps, body.At = a.steps(m.GetStage())
	body.Marks = slices.Concat(v.dueMarks(file.Closed, file.NextDue, today), v.riskMarks(a, m), v.marks(common(file.Case)))
	body.Held, body.Missing = v.heldAndMissing(common(file.Case))
	body.Addendum = file.Case.Late()
	if body.Mine && !body.Closed { // consents reach nobody else
		for _, gap := range file.ConsentGaps(a.deployment, today) {
			body.Gaps = append(body.Gaps, v.T(consentGaps[gap]))
		}
	}
	body.Main, body.All = v.caseFields(common(file.Case))
	body.Timeline = v.timeline(file)
	return v.show("case", &page{Title: v.headline(common(file.Case)), Here: pathCases, Back: pathCases, Body: body})
}

// steps are the stages through which a case goes, in their order.
func (a *around) steps(stage recordv1.CaseStage) (steps []step, at int) {
	for _, o := range a.terms.Options(stage.Descriptor())[1:] {
		one := step{Label: o.Label, State: "ahead"}
		switch {
		case stage == 0:
		case o.Number < stage.Number():
			one.State = "done"
		case o.Number == stage.Number():
			one.State, at = "now", len(steps)+1
		}
		steps = append(steps, one)
	}
	return steps, at
}

// mainCaseFields are what a worker wants to know of a case at a glance.
var mainCaseFields = names{"problems", "categories", "client_count", "lead", "workers", "closure", "closed_on"}

// caseFields are the fields of a case that are not shown otherwise: at a glance, and on demand.
func (v *visit) caseFields(r clientlib.AnyRecord) (first, rest []field) {
	a, err := v.around()
	if err != nil {
		return nil, nil
	}
	label := func(name protoreflect.Name) string { return a.label(fieldOf(r.Kind, name)) }
	elsewhere := []string{label("case_no"), label("stage"), label("risk")}
	for _, name := range mainCaseFields {
		for _, f := range v.fields(r) {
			if f.Label == label(name) {
				first = append(first, f)
				elsewhere = append(elsewhere, f.Label)
			}
		}
	}
	for _, f := range v.fields(r) {
		if !slices.Contains(elsewhere, f.Label) {
			rest = append(rest, f)
		}
	}
	return first, rest
}

// timeline is what was done in a case, the newest first.
func (v *visit) timeline(file clientlib.CaseFile) []caseEvent {
	var all []caseEvent
	for _, s := range file.Sessions {
		e := v.event(common(s.Record), "number", "mode", "minutes", "attendees", "stage", "risk_seen", "next_on")
		for _, n := range s.Notes {
			e.Notes = append(e.Notes, v.note(common(n)))
		}
		all = append(all, e)
	}
	for _, r := range file.Referrals {
		e := v.event(common(r.Record), "reason", "urgency", "progress")
		for _, n := range r.Notes {
			e.Notes = append(e.Notes, v.note(common(n)))
		}
		all = append(all, e)
	}
	for _, r := range file.ResourceLinks {
		all = append(all, v.event(common(r), "type", "progress", "quantity", "unit", "delivered_on"))
	}
	for _, c := range file.Consents {
		all = append(all, v.event(common(c), "scopes", "basis", "giver", "form", "withdrawn_on"))
	}
	for _, r := range file.RiskAlerts {
		all = append(all, v.event(common(r), "type", "level", "done", "acknowledged_by", "closed_on"))
	}
	slices.SortStableFunc(all, func(x, y caseEvent) int {
		return cmp.Or(cmp.Compare(y.day, x.day), bytes.Compare(y.id[:], x.id[:]))
	})
	opened := map[string]bool{}
	for _, e := range all {
		for i := range e.Notes {
			e.Notes[i].Open = !opened[e.Sort]
		}
		opened[e.Sort] = opened[e.Sort] || len(e.Notes) > 0
	}
	return all
}

// event is a record in the timeline with some of its fields.
func (v *visit) event(r clientlib.AnyRecord, fields ...protoreflect.Name) caseEvent {
	one := v.item(r)
	e := caseEvent{
		id: r.ID, day: record.Date(r.Message.GetOccurredOn()), To: one.To, Title: capital(v.Kind(r.Kind)), Date: v.dayOf(r), Marks: one.Marks,
		Sort: words.KindName(r.Kind), Short: v.some(r, fields...),
	}
	if a, err := v.around(); err == nil {
		e.Title = a.kindLabel(r.Kind)
	}
	for _, name := range (names{"need", "to_organisation"}) {
		if own := v.some(r, name); len(own) > 0 {
			e.Title = v.T("kind_and_title", e.Title, own[0].Value)
		}
	}
	return e
}

func (v *visit) note(r clientlib.AnyRecord) note {
	return note{Title: capital(v.Kind(r.Kind)), Fields: v.some(r, sheets[r.Kind].first...)}
}

// some are some of the fields that a record has.
func (v *visit) some(r clientlib.AnyRecord, fields ...protoreflect.Name) []field {
	a, err := v.around()
	if err != nil || r.Message == nil {
		return nil
	}
	var all []field
	m := r.Message.ProtoReflect()
	for _, name := range fields {
		if f := m.Descriptor().Fields().ByName(name); f != nil && m.Has(f) {
			all = append(all, field{a.label(f), a.terms.Value(f, m.Get(f), v.named)})
		}
	}
	return all
}

// closing are what is asked when a case is closed, and why the first two can't be left out: a case that is closed without them is no
// closed case in the books.
var closing = names{"closed_on", "closure", "followup_due_on"}

// closeBody is what the page for closing a case shows.
type closeBody struct {
	ID       hlc.ID
	Number   string
	Controls []control
	Error    string
}

// closePage asks for what closing a case needs.
func (v *visit) closePage() error {
	r, err := v.closingOf()
	if err != nil {
		return err
	}
	if r.values.Get("closed_on") == "" {
		r.values.Set("closed_on", r.around.day(v).String())
	}
	return r.show(http.StatusOK, "")
}

// closingForm is that page on its way through a request.
type closingForm struct {
	reading
	file clientlib.Record[*recordv1.Case]
}

func (v *visit) closingOf() (*closingForm, error) {
	file, err := v.caseAsked()
	if err != nil {
		return nil, err
	}
	a, err := v.around()
	if err != nil {
		return nil, err
	}
	r := &closingForm{file: file.Case}
	r.reading = reading{visit: v, around: a, values: url.Values{}, of: recordv1.Kind_KIND_CASE, wrong: map[string]string{}}
	for _, name := range closing {
		if f := fieldOf(r.of, name); file.Case.Message.ProtoReflect().Has(f) {
			a.writeField(r.values, string(name), f, file.Case.Message.ProtoReflect().Get(f))
		}
	}
	return r, nil
}

func (r *closingForm) show(status int, wrong string) error {
	controls, err := r.controls(r.of, closing, []string{"closed_on", "closure"})
	if err != nil {
		return err
	}
	body := &closeBody{ID: r.file.ID, Number: r.file.Message.GetCaseNo(), Controls: controls, Error: wrong}
	return r.showAs(status, "close", &page{Title: r.T("close_case"), Here: pathCases, Back: pathCases + "/" + r.file.ID.String(), Body: body})
}

// closeCase closes a case. Sent twice, it changes nothing more.
func (v *visit) closeCase() error {
	r, err := v.closingOf()
	if err != nil {
		return err
	}
	r.values = v.sent()
	m := &recordv1.Case{Stage: recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum()}
	for _, name := range closing {
		r.readField(m.ProtoReflect(), string(name), fieldOf(r.of, name))
	}
	if m.ClosedOn == nil && r.wrong["closed_on"] == "" {
		r.wrong["closed_on"] = v.T("is_missing")
	}
	if m.Closure == nil && r.wrong["closure"] == "" {
		r.wrong["closure"] = v.T("is_missing")
	}
	if len(r.wrong) > 0 {
		return r.show(http.StatusUnprocessableEntity, v.T("form_wrong"))
	}
	err = v.store().Update(v.context(), r.file.ID, m)
	if wrong := r.noteWrong(r.of, err); wrong != nil {
		return wrong
	}
	if len(r.wrong) > 0 {
		return r.show(http.StatusUnprocessableEntity, v.T("form_wrong"))
	}
	v.desk.syncer.Wake(false)
	return v.done(pathCases+"/"+r.file.ID.String(), "closed")
}
