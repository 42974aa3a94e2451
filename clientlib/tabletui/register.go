package tabletui

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// registerBody is what the page shows on which people are registered. What is typed there is kept nowhere: neither as a form nor by
// the browser.
type registerBody struct {
	Activity hlc.ID
	Title    string
	// Count is how many people are registered at the activity.
	Count string
	// By is by what the person is told apart: phone, name or id; Ways leads to the others.
	By   string
	Ways []choice
	// Typed is what was sent and could not be taken, Wrong what is wrong with it, by the names in the form.
	Typed, Wrong map[string]string
	Controls     []control
	Error        string
}

// bases are by what people are told apart, by their names in an address.
var bases = []struct {
	name, label string
	basis       recordv1.TokenBasis
}{
	{"phone", "told_by_phone", recordv1.TokenBasis_TOKEN_BASIS_PHONE},
	{"name", "told_by_name", recordv1.TokenBasis_TOKEN_BASIS_NAME_BIRTH_MONTH_VILLAGE},
	{"id", "told_by_id", recordv1.TokenBasis_TOKEN_BASIS_ID_NUMBER},
}

// countedFields are what totals are divided by.
var countedFields = names{"sex", "age_band", "disability"}

// registerPage asks for one person after the other.
func (v *visit) registerPage() error {
	r, body, err := v.registering()
	if err != nil {
		return err
	}
	if activity, err := v.store().Record(v.context(), body.Activity); err == nil && activity.Message != nil {
		body.Typed["village"] = activity.Message.GetPlace().GetVillage() // most come from where the activity is
	}
	return r.showRegister(http.StatusOK, body)
}

// registering is what the page needs, and what reads it.
func (v *visit) registering() (*reading, *registerBody, error) {
	a, err := v.around()
	if err != nil {
		return nil, nil, err
	}
	id, err := v.asked("activity")
	if err != nil {
		return nil, nil, err
	}
	activity, err := v.store().Record(v.context(), id)
	if err != nil {
		return nil, nil, err
	}
	if !counts(activity.Kind) || activity.Deleted {
		return nil, nil, errNoPage
	}
	found, err := v.store().Belongings(v.context(), id)
	if err != nil {
		return nil, nil, err
	}
	here := 0
	for _, one := range found {
		if one.Kind == recordv1.Kind_KIND_ATTENDANCE {
			here++
		}
	}
	body := &registerBody{Activity: id, Title: v.headline(activity), Count: v.N("registered_count", here), By: bases[0].name, Typed: map[string]string{}}
	for _, b := range bases {
		if v.r.FormValue("by") == b.name {
			body.By = b.name
		}
	}
	for _, b := range bases {
		body.Ways = append(body.Ways, choice{registerAddress(id, b.name), v.T(b.label), b.name == body.By})
	}
	r := &reading{visit: v, around: a, values: url.Values{}, of: recordv1.Kind_KIND_PARTICIPANT, wrong: map[string]string{}}
	return r, body, nil
}

func registerAddress(activity hlc.ID, by string) string {
	return pathRegister + "?" + url.Values{"activity": {activity.String()}, "by": {by}}.Encode()
}

func (r *reading) showRegister(status int, body *registerBody) error {
	for _, name := range countedFields {
		c := r.plain(string(name), fieldOf(r.of, name))
		if c.Sort == "list" { // few enough for a thumb; unknown goes last, as elsewhere
			c.Sort, c.Options = "one", append(c.Options[1:], c.Options[0])
		}
		body.Controls = append(body.Controls, c)
	}
	body.Wrong = r.wrong
	return r.showAs(status, "register", &page{Title: r.T("title_register"), Back: "/records/" + body.Activity.String(), Body: body})
}

// identityErrors say at which field an error of what people are told apart by is shown.
var identityErrors = map[string]string{
	clientlib.CodePhoneInvalid: "phone", clientlib.CodeNameInvalid: "name", clientlib.CodeBirthMonthInvalid: "birth_month",
	clientlib.CodeVillageInvalid: "village", clientlib.CodeIDNumberInvalid: "id_number",
}

// register registers a person. The same sent again changes nothing: the person is known by then.
func (v *visit) register() error {
	r, body, err := v.registering()
	if err != nil {
		return err
	}
	r.values = v.sent()
	m := &recordv1.Participant{}
	for _, name := range countedFields {
		r.readField(m.ProtoReflect(), string(name), fieldOf(r.of, name))
	}
	done, err := v.store().Register(v.context(), body.Activity, r.person(body.By, m))
	if at, ok := identityErrors[clientlib.Code(err)]; ok {
		r.wrong[at] = clientlib.Message(err, v.Lang())
	} else if code := clientlib.Code(err); code == clientlib.CodeLinkageKeyMissing || code == clientlib.CodePersonInvalid {
		body.Error = clientlib.Message(err, v.Lang())
	} else if err != nil {
		return err
	}
	if len(r.wrong) > 0 || body.Error != "" {
		for _, name := range []string{"phone", "name", "birth_month", "village", "id_number"} {
			body.Typed[name] = r.values.Get(name)
		}
		if body.Error == "" {
			body.Error = v.T("form_wrong")
		}
		return r.showRegister(http.StatusUnprocessableEntity, body)
	}
	v.desk.syncer.Wake(false)
	what := "registered"
	switch {
	case done.Again:
		what = "registered_again"
	case done.Known:
		what = "registered_known"
	}
	return v.done(registerAddress(body.Activity, body.By), what)
}

// person is who was typed: what they are told apart by, and what is counted of them.
func (r *reading) person(by string, m *recordv1.Participant) clientlib.Person {
	typed := func(name string) string { return strings.TrimSpace(r.values.Get(name)) }
	p := clientlib.Person{Sex: m.GetSex(), AgeBand: m.GetAgeBand(), Disability: m.GetDisability(), Village: typed("village")}
	for _, b := range bases {
		if b.name == by {
			p.Basis = b.basis
		}
	}
	switch p.Basis {
	case recordv1.TokenBasis_TOKEN_BASIS_PHONE:
		p.Phone = typed("phone")
	case recordv1.TokenBasis_TOKEN_BASIS_NAME_BIRTH_MONTH_VILLAGE:
		p.Name, p.BirthMonth = typed("name"), birthMonth(typed("birth_month"))
	case recordv1.TokenBasis_TOKEN_BASIS_ID_NUMBER:
		p.IDNumber = typed("id_number")
	}
	return p
}

// birthMonth reads a month as browsers send it ("1958-03"), or as people write it ("1958.3", "1958年3月", "195803"); 0 for what is none.
func birthMonth(text string) int32 {
	parts := strings.FieldsFunc(narrow(text), func(c rune) bool { return c < '0' || c > '9' })
	if len(parts) == 1 && len(parts[0]) == 6 {
		parts = []string{parts[0][:4], parts[0][4:]}
	}
	if len(parts) != 2 {
		return 0
	}
	year, err1 := strconv.ParseUint(parts[0], 10, 14)
	month, err2 := strconv.ParseUint(parts[1], 10, 7)
	if err1 != nil || err2 != nil || month > 12 {
		return 0
	}
	return int32(year*100 + month)
}
