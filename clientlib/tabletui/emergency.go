package tabletui

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// emergencyBody is what the page of emergencies shows. It is the same for who has not signed in, less what is about a case.
type emergencyBody struct {
	Phones []phone
	// Minutes is after how long an alert that nobody confirmed goes to the next on the duty list; 0 where that is not set.
	Minutes  int
	Alerts   []alert
	Form     hlc.ID
	Subject  string // the id of the case that the alert is about; empty for none, and before signing in
	About    string
	Profiles []profile
	Profile  string
	Controls []control
	Error    string
	// Taken: an alert was taken just now. Locked says that it waits for the PIN to be sent, Text is what to send by SMS.
	Taken, Locked bool
	Text          string
	SMS           []phone
}

// phone is somebody to call. To is the number, or the address of a text to them.
type phone struct {
	Label, Number string
	To            string
}

// alert is a risk alert and who has confirmed it.
type alert struct {
	ID     string
	Text   string
	Marks  []mark
	Answer string
	// Confirm: this worker may confirm it.
	Confirm bool
}

// alertFields are what is asked of an alert, in this order: the fewest things that help others to help.
var alertFields = names{"type", "level", "done", "reported_to", "supervisor_told"}

// usualNumbers are those of the whole country, where the deployment has named none.
var usualNumbers = []clientlib.EmergencyNumber{
	{LabelZH: "急救", LabelEN: "Ambulance", Number: "120"}, {LabelZH: "报警", LabelEN: "Police", Number: "110"}, {LabelZH: "火警和救援", LabelEN: "Fire and rescue", Number: "119"},
}

// emergencyPage can be opened by who has not signed in.
func (v *visit) emergencyPage() error {
	id, err := hlc.NewID(hlc.TimeOf(v.wall()), v.Entropy)
	if err != nil {
		return err
	}
	return v.emergency(http.StatusOK, &emergencyBody{Form: id, Subject: v.r.FormValue("subject"), Profile: v.r.FormValue("profile")}, url.Values{}, nil)
}

// emergency shows the page, with what was written and what is wrong with it.
func (v *visit) emergency(status int, body *emergencyBody, values url.Values, wrong map[string]string) error {
	profiles, err := v.profiles()
	if err != nil {
		return err
	}
	if v.desk != nil {
		body.Profile = v.desk.profile()
	} else {
		body.Profiles = profiles
		body.Subject = ""
		if body.Profile == "" && len(profiles) > 0 {
			body.Profile = profiles[0].Name
		}
	}
	card, err := v.card(body.Profile)
	if err != nil {
		return err
	}
	body.Minutes = card.EscalationMinutes
	v.phones(body, card)
	if body.Alerts, err = v.alerts(card); err != nil {
		return err
	}
	reading := v.alertForm(card, values, wrong)
	if body.Controls, err = reading.controls(recordv1.Kind_KIND_RISK_ALERT, alertFields, []string{"type", "done"}); err != nil {
		return err
	}
	if id, err := parseID(body.Subject); err == nil && v.desk != nil {
		r, err := v.store().Record(v.context(), id)
		if err != nil {
			return err
		}
		body.About = v.headline(r)
	}
	return v.showAs(status, "emergency", &page{Title: v.T("title_emergency"), Back: pathToday, Body: body})
}

// card is what is known of a profile without its key.
func (v *visit) card(name string) (clientlib.EmergencyCard, error) {
	if name == "" {
		return clientlib.EmergencyCard{}, nil
	}
	path, err := v.pathOf(name)
	if err != nil {
		return clientlib.EmergencyCard{}, err
	}
	return clientlib.Emergency(path)
}

// phones are whom to call: the numbers of the deployment first, then who is on duty.
func (v *visit) phones(body *emergencyBody, card clientlib.EmergencyCard) {
	numbers := card.Numbers
	if len(numbers) == 0 {
		numbers = usualNumbers
	}
	for _, n := range numbers {
		label := cmp.Or(v.Either(n.LabelEN, n.LabelZH), n.LabelZH, n.LabelEN)
		body.Phones = append(body.Phones, phone{Label: label, Number: n.Number, To: "tel:" + dialled(n.Number)})
	}
	for _, d := range card.Duty {
		if dialled(d.Phone) == "" {
			continue
		}
		body.Phones = append(body.Phones, phone{Label: d.Name, Number: d.Phone, To: "tel:" + dialled(d.Phone)})
		if body.Text != "" {
			body.SMS = append(body.SMS, phone{Label: d.Name, To: "sms:" + dialled(d.Phone) + "?body=" + url.PathEscape(body.Text)})
		}
	}
	if body.Text != "" {
		body.SMS = append(body.SMS, phone{Label: v.T("sms_other"), To: "sms:?body=" + url.PathEscape(body.Text)})
	}
}

// dialled is a number as telephones take it.
func dialled(number string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c == '+' || c == '*' || c == '#' {
			return c
		}
		return -1
	}, narrow(number))
}

// alertForm reads and writes the fields of an alert. Before signing in only the card tells of the deployment.
func (v *visit) alertForm(card clientlib.EmergencyCard, values url.Values, wrong map[string]string) *reading {
	if wrong == nil {
		wrong = map[string]string{}
	}
	a := &around{deployment: &recordv1.Deployment{}, terms: v.termsOf(card)}
	if v.desk != nil {
		if read, err := v.around(); err == nil {
			a = read
		}
	}
	return &reading{visit: v, around: a, values: values, of: recordv1.Kind_KIND_RISK_ALERT, wrong: wrong}
}

// termsOf are the words of a deployment of which only the card is known.
func (v *visit) termsOf(card clientlib.EmergencyCard) *words.Terms {
	return v.For(&recordv1.Deployment{TimeZone: &card.TimeZone})
}

// alerted takes an alert: logs it, or before signing in keeps it sealed until the file is opened next.
func (v *visit) alerted() error {
	sent := v.sent()
	body := &emergencyBody{Subject: sent.Get("subject"), Profile: sent.Get("profile")}
	if v.desk != nil {
		body.Profile = v.desk.profile()
	}
	var err error
	if body.Form, err = parseID(sent.Get("form")); err != nil {
		return err
	}
	card, err := v.card(body.Profile)
	if err != nil {
		return err
	}
	r := v.alertForm(card, sent, nil)
	m := r.read(recordv1.Kind_KIND_RISK_ALERT).message.(*recordv1.RiskAlert)
	m.SeenAt = proto.Int64(v.wall().UnixMilli())
	for name, there := range map[string]bool{"type": m.Type != nil, "done": m.GetDone() != ""} {
		if !there {
			r.wrong[name] = v.T("is_missing")
		}
	}
	if len(r.wrong) > 0 {
		body.Error = v.T("form_wrong")
		return v.emergency(http.StatusUnprocessableEntity, body, sent, r.wrong)
	}
	worker, site := "", ""
	if v.desk != nil {
		worker, site, err = v.logAlert(body, m)
	} else {
		worker, err = v.takeAlert(body, m)
	}
	var invalid *clientlib.InvalidError
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			r.wrong[invalid.FieldName(p)] = record.Message(p.Code, v.Lang())
		}
		body.Error = v.T("form_wrong")
		return v.emergency(http.StatusUnprocessableEntity, body, sent, r.wrong)
	}
	if err != nil {
		return err
	}
	body.Taken, body.Text = true, clientlib.SMSText(r.around.terms, m, site, worker)
	if body.Form, err = hlc.NewID(hlc.TimeOf(v.wall()), v.Entropy); err != nil { // for another alert
		return err
	}
	return v.emergency(http.StatusOK, body, url.Values{}, nil)
}

// logAlert logs an alert and has it sent before anything else.
func (v *visit) logAlert(body *emergencyBody, m *recordv1.RiskAlert) (worker, site string, err error) {
	if id, err := parseID(body.Subject); err == nil {
		m.Subject = id[:]
	}
	ids, err := v.store().LogForm(v.context(), body.Form, clientlib.Family{Record: m})
	if err != nil {
		return "", "", err
	}
	v.desk.syncer.Wake(true)
	a, err := v.around()
	if err != nil {
		return "", "", err
	}
	logged, err := v.store().Record(v.context(), ids[0])
	if err != nil {
		return "", "", err
	}
	if id, ok := idOf(logged.Message.GetSite()); ok {
		site = a.sites[id].GetName()
	}
	return a.workers[a.me].GetName(), site, nil
}

// takeAlert keeps an alert without the key of the file.
func (v *visit) takeAlert(body *emergencyBody, m *recordv1.RiskAlert) (worker string, err error) {
	path, err := v.pathOf(body.Profile)
	if err != nil {
		return "", err
	}
	body.Locked = true
	found, err := clientlib.Profiles(v.Folder)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(found, func(p clientlib.Profile) bool { return p.Name == body.Profile }); i >= 0 {
		worker = found[i].Worker
	}
	return worker, clientlib.TakeAlert(path, body.Form, m, v.wall())
}

// alerts are the alerts that are not closed: before signing in one's own, with nothing of what they are about.
func (v *visit) alerts(card clientlib.EmergencyCard) ([]alert, error) {
	var all []alert
	if v.desk == nil {
		zone := v.termsOf(card).Zone()
		for _, a := range card.Alerts {
			one := alert{Text: v.T("alert_of", v.Instant(a.Seen.In(zone)))}
			if a.Code != "" {
				one.Marks = append(one.Marks, mark{v.T("mark_not_logged"), "bad"})
			} else if a.Waiting {
				one.Marks = append(one.Marks, mark{v.T("mark_locked"), "bad"})
			}
			one.Marks = append(one.Marks, v.alertMarks(a.Level, a.Sending, a.ConfirmedBy, a.ConfirmedAt.In(zone))...)
			all = append(all, one)
		}
		return all, nil
	}
	found, err := v.store().Alerts(v.context())
	if err != nil {
		return nil, err
	}
	a, err := v.around()
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		m := f.Message
		one := alert{
			ID: f.ID.String(), Text: v.T("alert_by", v.At(time.UnixMilli(m.GetSeenAt())), a.terms.OptionOf(m.GetType().Descriptor(), m.GetType().Number()).Label, v.named(m.GetAuthor())),
			Marks:   v.alertMarks(m.GetLevel(), f.Sending, f.ConfirmedBy, f.ConfirmedAt.In(a.terms.Zone())),
			Confirm: f.ConfirmedBy == "" && a.confirms() && string(m.GetAuthor()) != string(a.me[:]),
		}
		all = append(all, one)
	}
	return all, nil
}

func (v *visit) alertMarks(level recordv1.RiskLevel, sending clientlib.Sending, by string, at time.Time) []mark {
	var all []mark
	if level != recordv1.RiskLevel_RISK_LEVEL_UNKNOWN {
		sort := "warn"
		if level == recordv1.RiskLevel_RISK_LEVEL_RED {
			sort = "bad"
		}
		all = append(all, mark{v.Choice(level.Descriptor().Values().ByNumber(level.Number())), sort})
	}
	if by != "" {
		all = append(all, mark{v.T("confirmed_by", by, v.Instant(at)), "good"})
	} else {
		all = append(all, mark{v.T("mark_unconfirmed"), "bad"})
	}
	switch sending {
	case clientlib.Unsent:
		all = append(all, mark{v.T("mark_unsent"), "warn"})
	case clientlib.Sent, clientlib.Durable:
		all = append(all, mark{v.T("mark_sent"), "plain"})
	}
	return all
}

// confirms reports whether the worker is one of those whom alerts go to.
func (a *around) confirms() bool {
	return a.leads() || slices.ContainsFunc(a.deployment.GetDutyList(), func(id []byte) bool { return string(id) == string(a.me[:]) })
}

// confirmAlert says that somebody takes care of it.
func (v *visit) confirmAlert() error {
	r, err := v.recordAsked()
	if err != nil {
		return err
	}
	a, err := v.around()
	if err != nil {
		return err
	}
	if r.Kind != recordv1.Kind_KIND_RISK_ALERT || !a.confirms() {
		return errNoPage
	}
	err = v.store().Update(v.context(), r.ID, &recordv1.RiskAlert{AcknowledgedBy: a.me[:], AcknowledgedAt: proto.Int64(v.wall().UnixMilli())})
	if err != nil {
		return err
	}
	v.desk.syncer.Wake(true)
	return v.done(pathEmergency, "confirmed")
}

// kindOfAlert is the stable name of the kind, for the form to be kept under.
func (*emergencyBody) Kind() string { return words.KindName(recordv1.Kind_KIND_RISK_ALERT) }
