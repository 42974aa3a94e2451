package webui

import (
	"strconv"

	"google.golang.org/protobuf/proto"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// nameable are the kinds for which a deployment may have a word of its own.
var nameable = []record.Kind{
	recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY,
	recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_RESOURCE_LINK, recordv1.Kind_KIND_REFERRAL, recordv1.Kind_KIND_RISK_ALERT, recordv1.Kind_KIND_SUPERVISION,
}

// inBoth adds the fields for a name in both languages.
func (f *form) inBoth(group, suffix, zh, en string) {
	f.add(&field{Name: "zh_" + suffix, Label: f.T("field_in_chinese"), Group: group, Value: zh},
		&field{Name: "en_" + suffix, Label: f.T("field_in_english"), Group: group, Value: en})
}

// ifAny is a text, nil when it is empty.
func ifAny(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// editWords edits what the deployment calls the kinds of work.
func (v *visit) editWords() error {
	was := v.within.Syncing.SetUp().Deployment
	own := map[string]*recordv1.Label{}
	for _, l := range was.GetLabels() {
		own[l.GetKey()] = l
	}
	f := v.setUpForm(was, deploymentLabels)
	for _, k := range nameable {
		key := words.KindName(k)
		f.inBoth(v.Kind(k), key, own[key].GetLabelZh(), own[key].GetLabelEn())
	}
	show := func() error { return v.showSetUpForm("title_edit_words", f, v.T("words_lead")) }
	if !v.filled(f) {
		return show()
	}
	d := &recordv1.Deployment{}
	for _, k := range nameable {
		key := words.KindName(k)
		zh, en := f.value("zh_"+key), f.value("en_"+key)
		delete(own, key)
		if zh != "" || en != "" {
			d.Labels = append(d.Labels, &recordv1.Label{Key: &key, LabelZh: ifAny(zh), LabelEn: ifAny(en)})
		}
	}
	for _, l := range was.GetLabels() { // those that only a newer program knows stay
		if own[l.GetKey()] != nil {
			d.Labels = append(d.Labels, l)
		}
	}
	return v.saveDeployment(d, f, show, nil, deploymentLabels)
}

const (
	// firstOwnArea is the number of the first service area that a deployment names itself.
	firstOwnArea = 16
	// moreRows is how many empty rows a form of rows has: when they are filled in, it has as many again.
	moreRows = 2
)

// editAreas edits what the common service areas are called here, and the deployment's own ones.
func (v *visit) editAreas() error {
	was := v.within.Syncing.SetUp().Deployment
	named, next := map[int32]*recordv1.ServiceAreaName{}, int32(firstOwnArea)
	for _, a := range was.GetServiceAreas() {
		named[int32(a.GetNumber())] = a
		next = max(next, int32(a.GetNumber())+1)
	}
	f := v.setUpForm(was, deploymentAreas)
	var numbers []int32 // ascending, as they are kept
	common := recordv1.ServiceArea(0).Descriptor().Values()
	for i := range common.Len() {
		if n := int32(common.Get(i).Number()); n != 0 {
			numbers = append(numbers, n)
			f.inBoth(v.Choice(common.Get(i)), strconv.Itoa(int(n)), named[n].GetLabelZh(), named[n].GetLabelEn())
		}
	}
	for n := int32(firstOwnArea); n < next+moreRows; n++ {
		numbers = append(numbers, n)
		f.inBoth(v.T("own_area", n-firstOwnArea+1), strconv.Itoa(int(n)), named[n].GetLabelZh(), named[n].GetLabelEn())
	}
	show := func() error { return v.showSetUpForm("title_edit_areas", f, v.T("areas_lead")) }
	if !v.filled(f) {
		return show()
	}
	d := &recordv1.Deployment{}
	for _, n := range numbers {
		at := strconv.Itoa(int(n))
		zh, en := f.value("zh_"+at), f.value("en_"+at)
		if zh != "" || en != "" {
			d.ServiceAreas = append(d.ServiceAreas, &recordv1.ServiceAreaName{Number: recordv1.ServiceArea(n).Enum(), LabelZh: ifAny(zh), LabelEn: ifAny(en)})
		} else if n >= firstOwnArea && named[n] != nil {
			f.wrong("zh_"+at, v.T("wrong_area_kept")) // records may say this area; they would say nothing, or another one later
		}
	}
	if !f.ok() {
		return show()
	}
	return v.saveDeployment(d, f, show, nil, deploymentAreas)
}

// editEmergency edits whom to phone first.
func (v *visit) editEmergency() error {
	was := v.within.Syncing.SetUp().Deployment
	f, rows := v.setUpForm(was, deploymentEmergency), len(was.GetEmergencyNumbers())+moreRows
	for i := range rows {
		var n *recordv1.EmergencyNumber
		if i < len(was.GetEmergencyNumbers()) {
			n = was.GetEmergencyNumbers()[i]
		}
		at, group := strconv.Itoa(i+1), v.T("emergency_n", i+1)
		f.add(&field{Name: "number_" + at, Label: v.T("field_number"), Group: group, Sort: "tel", Value: n.GetNumber()})
		f.inBoth(group, at, n.GetLabelZh(), n.GetLabelEn())
	}
	show := func() error { return v.showSetUpForm("title_edit_emergency", f, v.T("emergency_lead")) }
	if !v.filled(f) {
		return show()
	}
	d := &recordv1.Deployment{}
	for i := range rows {
		at := strconv.Itoa(i + 1)
		number, zh, en := f.value("number_"+at), f.value("zh_"+at), f.value("en_"+at)
		switch {
		case number == "" && zh == "" && en == "":
		case number == "":
			f.wrong("number_"+at, v.T("wrong_missing"))
		case zh == "" && en == "":
			f.wrong("zh_"+at, v.T("wrong_missing"))
		default:
			d.EmergencyNumbers = append(d.EmergencyNumbers, &recordv1.EmergencyNumber{Number: proto.String(number), LabelZh: ifAny(zh), LabelEn: ifAny(en)})
		}
	}
	if !f.ok() {
		return show()
	}
	return v.saveDeployment(d, f, show, nil, deploymentEmergency)
}
