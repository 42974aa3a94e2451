package tabletui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Who a client is stands behind the PIN, on whatever page: hides is asked wherever something of an identity would be shown.

// identityBody is what the page of the clients of a case shows.
type identityBody struct {
	// Number is that of the case.
	Number  string
	Clients []client
	Add     string
	Until   string
}

// client is one, as the page of identities shows it.
type client struct {
	Name   string
	Fields []contactField
	Edit   string
	Marks  []mark
}

// contactField is a value that may be called.
type contactField struct {
	field
	Phone string
}

// hides reports whether records of a kind are hidden just now.
func (v *visit) hides(k record.Kind) bool { return identifies(k) && !v.desk.identified(v.wall()) }

// askFor asks for the PIN, and leads on to this page; who has second thoughts goes back.
func (v *visit) askFor(back string) error {
	return v.to(pathUnlock + "?next=" + pathEscape(v.Path()) + "&back=" + pathEscape(back))
}

// identifiedUntil is until when identities are shown; not ok when they are not.
func (d *desk) identifiedUntil(now time.Time) (time.Time, bool) {
	if !d.identified(now) {
		return time.Time{}, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.identity, true
}

// leaveAt makes the browser go on at a time, so that names do not stay on the screen of a tablet that lies about.
func (v *visit) leaveAt(at time.Time, to string) {
	seconds := math.Ceil(at.Sub(v.wall()).Seconds())
	v.w.Header().Set("Refresh", fmt.Sprintf("%.0f; url=%s", seconds, to))
}

// identityPage shows who the clients of a case are.
func (v *visit) identityPage() error {
	file, err := v.caseAsked()
	if err != nil {
		return err
	}
	to := pathCases + "/" + file.Case.ID.String()
	until, ok := v.desk.identifiedUntil(v.wall())
	if !ok {
		return v.askFor(to)
	}
	v.leaveAt(until, to)
	body := &identityBody{
		Number: file.Case.Message.GetCaseNo(), Until: v.T("names_until", v.Clock(until)),
		Add: pathNew + "/case_identity?of=" + file.Case.ID.String(),
	}
	for _, i := range file.Identities {
		one, err := v.client(i)
		if err != nil {
			return err
		}
		body.Clients = append(body.Clients, one)
	}
	return v.show("identity", &page{Title: v.T("title_identity"), Here: pathCases, Back: to, Body: body})
}

func (v *visit) client(i clientlib.Record[*recordv1.CaseIdentity]) (client, error) {
	a, err := v.around()
	if err != nil {
		return client{}, err
	}
	m := i.Message
	one := client{Name: m.GetName(), Edit: "/records/" + i.ID.String() + "/edit", Marks: v.marks(common(i))}
	phones := map[string]string{
		"phone": m.GetPhone(), "guardian": m.GetGuardian().GetPhone(), "emergency_contact": m.GetEmergencyContact().GetPhone(),
	}
	for _, f := range sheets[i.Kind].fieldsOf(i.Kind) {
		if name := string(f.Name()); name != "name" && m.ProtoReflect().Has(f) {
			shown := field{a.label(f), a.terms.Value(f, m.ProtoReflect().Get(f), v.named)}
			one.Fields = append(one.Fields, contactField{shown, dialled(phones[name])})
		}
	}
	return one, nil
}

// hideIdentity hides identities again, before their time is over.
func (v *visit) hideIdentity() error {
	v.desk.forgetIdentity()
	return v.done(v.next(), "hidden")
}

// unlockFirst reports whether the page of a form would show who somebody is: it changes an identity, or has kept what was written of one.
func (f *form) unlockFirst() bool {
	for _, k := range append([]record.Kind{f.of}, sheets[f.of].with...) {
		if f.hides(k) && (f.standing.Message != nil && f.of == k || f.written(k)) {
			return true
		}
	}
	return false
}

// written reports whether anything was written for the fields of a kind.
func (f *form) written(k record.Kind) bool {
	for _, asked := range sheets[k].fieldsOf(k) {
		name := prefixed(k, f.of, asked.Name())
		for at, all := range f.values {
			if (at == name || strings.HasPrefix(at, name+".")) && strings.Join(all, "") != "" {
				return true
			}
		}
	}
	return false
}
