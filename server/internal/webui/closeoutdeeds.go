package webui

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/closeout"
	"levee/server/internal/finalreport"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// idle leads back to the page of the close-out, which says what is being done, while something is: it must be over before anything else
// is decided. It is false then.
func (v *visit) idle() (bool, error) {
	if !v.within.Closeout.Work().Running() {
		return true, nil
	}
	return false, v.done(v.toCloseout(), "")
}

// closeoutDays announces the close-out: the last day of work, and the day from which personal data is erased; of a closed deployment
// the latter alone.
func (v *visit) closeoutDays() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	d, service := v.within.Syncing.SetUp().Deployment, v.within.Closeout
	closed := v.within.Syncing.SetUp().Closed()
	title, f := v.T("title_announce"), v.form("submit_announce")
	consequences := []string{v.T("announce_tablets"), v.T("announce_held"), v.T("announce_goes_on")}
	if closed {
		title, f.Submit, consequences = v.T("closeout_change_erasure"), "submit_save", []string{v.T("erasure_what")}
	} else {
		f.add(&field{Name: "end", Sort: "date", Required: true, Value: day(d.GetEndOn()), Hint: v.T("announce_end_hint")})
	}
	f.add(&field{Name: "erase", Sort: "date", Required: closed, Value: day(d.GetEraseOn())})
	show := func() error {
		return v.show("confirm", &page{Title: title, Form: f, Body: confirmBody{consequences, v.To(v.toCloseout())}})
	}
	if !v.filled(f) {
		return show()
	}
	erase := record.Date(optional(v.dayOf(f, "erase")))
	var err error
	if closed {
		if f.ok() {
			err = service.EraseFrom(v.context(), v.reader(), erase)
		}
	} else if end := record.Date(optional(v.dayOf(f, "end"))); f.ok() {
		err = service.Announce(v.context(), v.reader(), end, erase)
	}
	if !f.ok() {
		return show()
	}
	if problem.CodeOf(err) == problem.InvalidArgument {
		f.Error = v.T("wrong_closeout_days")
		return show()
	}
	if err != nil {
		return v.refused(err, f, nil, show)
	}
	return v.done(v.toCloseout(), "saved")
}

// confirmBody is what a page says before it asks once more.
type confirmBody struct {
	Consequences []string
	Back         string
}

func optional(n *int32) int32 {
	if n == nil {
		return 0
	}
	return *n
}

// waive lets one item of a check pass, or all of it, with a reason.
func (v *visit) waive() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	check, ok := closeout.CheckNamed(v.Param("check"))
	if !ok {
		return problem.New(problem.NotFound)
	}
	subject, err := v.itemAsked()
	if err != nil {
		return err
	}
	list, err := v.within.Closeout.Checklist(v.context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list.Checks, func(c closeout.Check) bool { return c.Check == check })
	if i < 0 || list.Checks[i].Open == 0 {
		return problem.New(problem.NotFound)
	}
	c, title := list.Checks[i], v.T(checkSaid[check].title)
	consequences := []string{v.T("waive_certificate"), v.T("waive_back")}
	if subject == (hlc.ID{}) {
		consequences = slices.Insert(consequences, 1, v.N("waive_as_many", int64(c.Open)))
	} else {
		at := slices.IndexFunc(c.Items, func(item closeout.Item) bool { return item.Subject == subject })
		if at < 0 {
			return problem.New(problem.NotFound)
		}
		title = v.Labelled(title, v.itemName(check, c.Items[at]).Name)
	}
	f := v.form("submit_waive").add(&field{Name: "reason", Sort: "area", Required: true, Hint: v.T("waive_reason_hint")})
	show := func() error {
		return v.show("confirm", &page{Title: v.T("title_waive", title), Lead: []string{v.T(checkSaid[check].what)}, Form: f, Body: confirmBody{consequences, v.To(v.toCloseout())}})
	}
	if !v.filled(f) {
		return show()
	}
	if err := v.within.Closeout.Waive(v.context(), v.reader(), check, subject, f.value("reason")); err != nil {
		return v.refusedRecord(err, f, map[protowire.Number]string{waiverReason: "reason"}, show)
	}
	return v.done(v.toCloseout(), "waived")
}

// waiverReason is the number of the field reason of a Waiver.
const waiverReason protowire.Number = 18

// takeBackWaiver takes a waiver back.
func (v *visit) takeBackWaiver() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	id, err := v.id("waiver")
	if err != nil {
		return err
	}
	if err := v.within.Closeout.TakeBack(v.context(), v.reader(), id); err != nil {
		return err
	}
	return v.done(v.toCloseout(), "waiver_taken_back")
}

// recountNow has all totals recounted in the background.
func (v *visit) recountNow() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	if err := v.within.Closeout.BeginRecount(v.reader()); err != nil {
		return err
	}
	return v.done(v.toCloseout(), "")
}

// backUpNow has a backup made in the background.
func (v *visit) backUpNow() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	if v.BackUp == nil {
		return problem.New(problem.NotFound)
	}
	if err := v.within.Closeout.BeginBackup(v.reader(), v.BackUp); err != nil {
		return err
	}
	return v.done(v.toCloseout(), "")
}

// closingBody is what one sees before a deployment is closed.
type closingBody struct {
	Sentence     string
	Figures      []cell
	Waivers      []string
	Consequences []string
	Back         string
}

// closeDeployment shows what the certificate will say, asks once more, and closes.
func (v *visit) closeDeployment() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	service := v.within.Closeout
	if service.State() != stateClosing {
		return problem.New(problem.WrongState)
	}
	totals, err := v.within.Progress.Totals(v.context(), progress.TotalsQuery{Bases: []tally.Basis{tally.Reported}, By: tally.Whole})
	if err != nil {
		return err
	}
	whole := totals.Rows[0].Values[tally.Reported]
	five := finalreport.Published{Days: int64(totals.ServiceDays), Cases: whole["cases"], GroupSessions: whole["group_sessions"], Activities: whole["community_activities"], Persons: whole[progress.Beneficiaries]}
	body := closingBody{Sentence: v.sentenceOf(five), Figures: v.cellsOf(five), Back: v.To(v.toCloseout()),
		Consequences: []string{v.T("close_freezes"), v.T("close_addendum"), v.T("close_takes")}}
	waivers, err := service.Waivers(v.context())
	if err != nil {
		return err
	}
	for _, w := range waivers {
		body.Waivers = append(body.Waivers, v.Labelled(v.T(checkSaid[w.Check].title), v.waiverSaid(&w)))
	}
	f := v.form("submit_close_deployment")
	f.Danger = true
	show := func() error {
		return v.show("closing", &page{Title: v.T("title_close_deployment"), Form: f, Body: body})
	}
	if !v.filled(f) {
		return show()
	}
	if err := service.BeginClosing(v.context(), v.reader()); err != nil {
		return v.refused(err, f, nil, show)
	}
	return v.done(v.toCloseout(), "")
}

// reopenDeployment takes a deployment one state back, once one has read what that means.
func (v *visit) reopenDeployment() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	title, f := v.T("closeout_reopen"), v.form("submit_reopen")
	consequences := []string{v.T("reopen_counts"), v.T("reopen_edition"), v.T("reopen_again")}
	switch v.within.Closeout.State() {
	case stateClosed:
	case stateClosing:
		title, consequences = v.T("closeout_call_off"), []string{v.T("call_off_what"), v.T("call_off_end")}
		f.Submit = "submit_call_off"
	default:
		return problem.New(problem.WrongState)
	}
	return v.sure(title, consequences, v.toCloseout(), f, func() error {
		if err := v.within.Closeout.Reopen(v.context(), v.reader()); err != nil {
			return err
		}
		return v.done(v.toCloseout(), "reopened")
	})
}

// issueEdition has the next edition of the certificate issued in the background.
func (v *visit) issueEdition() error {
	if ok, err := v.idle(); !ok {
		return err
	}
	if err := v.within.Closeout.BeginIssuing(v.reader()); err != nil {
		return err
	}
	return v.done(v.toCloseout(), "")
}

// Numbers of the fields that say what the closing report begins with, and leaves out.
const (
	deploymentForeword protowire.Number = 30
	deploymentLeftOut  protowire.Number = 31
)

// leavable are the sections that the closing report may leave out.
func (v *visit) leavable() (list []option) {
	for _, section := range finalreport.Sections() {
		list = append(list, option{section.Name, section.Label.In(v.Lang())})
	}
	return list
}

// reportShown is what the closing report begins with, and leaves out.
func (v *visit) reportShown() reportSettings {
	d := v.within.Syncing.SetUp().Deployment
	shown := reportSettings{Foreword: d.GetForeword()}
	var out []string
	for _, o := range v.leavable() {
		if slices.Contains(d.GetLeftOut(), o.Value) {
			out = append(out, o.Label)
		}
	}
	shown.LeftOut = v.List(out)
	if v.closes() && v.within.Closeout.State() != stateArchived {
		shown.Edit = v.To(v.toCloseout("report-settings"))
	}
	return shown
}

// editReportSettings edits what the closing report begins with, and leaves out.
func (v *visit) editReportSettings() error {
	was := v.within.Syncing.SetUp().Deployment
	fields := []protowire.Number{deploymentForeword, deploymentLeftOut}
	f := v.setUpForm(was, fields...).add(&field{Name: "foreword", Sort: "area", Value: was.GetForeword()},
		&field{Name: "left_out", Sort: "checks", Values: was.GetLeftOut(), Options: v.leavable()})
	show := func() error {
		return v.show("form", &page{Title: v.T("title_report_settings"), Lead: []string{v.T("report_settings_lead")}, Form: f, Links: []link{{To: v.To(v.toCloseout()), Name: v.T("go_back")}}})
	}
	if !v.filled(f) {
		return show()
	}
	d := &recordv1.Deployment{Author: v.author(), LeftOut: f.field("left_out").Values}
	if text := strings.TrimSpace(f.value("foreword")); text != "" {
		d.Foreword = proto.String(text)
	}
	return v.save(setUpEdit{id: v.within.Syncing.Deployment(), set: d, fields: fields, at: map[protowire.Number]string{deploymentForeword: "foreword"}, then: v.toCloseout()}, f, show)
}
