package webui

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Numbers of the fields of a Deployment.
const (
	deploymentStart      protowire.Number = 17
	deploymentEnd        protowire.Number = 18
	deploymentZone       protowire.Number = 19
	deploymentAreas      protowire.Number = 20
	deploymentBands      protowire.Number = 21
	deploymentLabels     protowire.Number = 22
	deploymentDuty       protowire.Number = 23
	deploymentEmergency  protowire.Number = 24
	deploymentEscalation protowire.Number = 25
)

// saveDeployment changes fields of the deployment itself.
func (v *visit) saveDeployment(d *recordv1.Deployment, f *form, show func() error, at map[protowire.Number]string, fields ...protowire.Number) error {
	d.Author = v.author()
	return v.save(setUpEdit{id: v.within.Syncing.Deployment(), set: d, fields: fields, at: at, then: v.toSetUp()}, f, show)
}

// showSetUpForm shows a form of the set-up.
func (v *visit) showSetUpForm(title string, f *form, lead ...string) error {
	return v.show("form", &page{Title: v.T(title), Lead: lead, Form: f, Links: []link{{To: v.To(v.toSetUp()), Name: v.T("go_back")}}})
}

// editDeployment edits what the deployment is called, and from when to when it is.
func (v *visit) editDeployment() error {
	was := v.within.Syncing.SetUp().Deployment
	fields := []protowire.Number{namedName, deploymentStart, deploymentEnd, deploymentZone, deploymentEscalation}
	minutes := ""
	if was.EscalationMinutes != nil {
		minutes = strconv.Itoa(int(was.GetEscalationMinutes()))
	}
	f := v.setUpForm(was, fields...).add(
		&field{Name: "name", Label: v.T("field_deployment_name"), Required: true, Value: was.GetName()},
		&field{Name: "start", Sort: "date", Required: true, Value: day(was.GetStartOn())},
		&field{Name: "end", Sort: "date", Value: day(was.GetEndOn())},
		&field{Name: "time_zone", Required: true, Value: was.GetTimeZone()},
		&field{Name: "escalation", Mode: "numeric", Value: minutes})
	show := func() error { return v.showSetUpForm("title_edit_deployment", f) }
	if !v.filled(f) {
		return show()
	}
	d := &recordv1.Deployment{Name: proto.String(f.value("name")), StartOn: v.dayOf(f, "start"), EndOn: v.dayOf(f, "end"), TimeZone: proto.String(f.value("time_zone"))}
	if !zoneKnown(d.GetTimeZone()) {
		f.wrong("time_zone", v.T("wrong_zone"))
	}
	if text := f.value("escalation"); text != "" {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			f.wrong("escalation", v.T("wrong_number"))
		}
		d.EscalationMinutes = proto.Uint32(uint32(n))
	}
	if !f.ok() {
		return show()
	}
	return v.saveDeployment(d, f, show, map[protowire.Number]string{namedName: "name", deploymentStart: "start", deploymentEnd: "end", deploymentEscalation: "escalation"}, fields...)
}

// editAges edits the age bands, until something is counted by them.
func (v *visit) editAges() error {
	frozen, err := v.within.Syncing.BandsFrozen(v.context())
	if err != nil {
		return err
	}
	was := v.within.Syncing.SetUp().Deployment
	var ages []string
	for _, high := range record.AgeBands(was) {
		ages = append(ages, strconv.Itoa(int(high)))
	}
	f := v.setUpForm(was, deploymentBands).add(&field{Name: "ages", Value: strings.Join(ages, ", ")})
	lead := v.T("ages_lead")
	if frozen {
		lead = v.T("ages_frozen")
	}
	show := func() error { return v.showSetUpForm("title_edit_ages", f, lead) }
	if !v.filled(f) {
		return show()
	}
	d := &recordv1.Deployment{}
	for _, text := range strings.FieldsFunc(f.value("ages"), func(r rune) bool { return strings.ContainsRune(",，、;； ", r) }) {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			f.wrong("ages", v.T("wrong_ages"))
			return show()
		}
		d.AgeBands = append(d.AgeBands, uint32(n))
	}
	return v.saveDeployment(d, f, show, map[protowire.Number]string{deploymentBands: "ages"}, deploymentBands)
}
