package webui

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/alerting"
	"levee/server/internal/review"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

const pathAlerts = pathIn + "/alerts"

func alertsRoutes(r *router) {
	r.alarm = (*visit).alarmOfAlerts
	r.page(pathAlerts, access.SeeRecords, (*visit).alerts)
	r.waiting(pathAlerts, "nav_alerts", access.SeeRecords, func(v *visit) (int64, error) { return int64(len(v.openAlerts())), nil })
	// Alerts are confidential: who may see no more than records may have written one, or work on its case. That is judged where
	// the alert is known.
	r.page(pathAlerts+"/:alert", access.SeeRecords, (*visit).alert)
	r.deed(pathAlerts+"/:alert/acknowledgement", access.ReviewRecords, (*visit).acknowledgeAlert)
	r.deed(pathAlerts+"/:alert/closing", access.ReviewRecords, (*visit).closeAlert)
}

const (
	// alarmed and listed are how many open alerts stand first on every page, and on their own.
	alarmed, listed = 3, 100
	pastOfPage      = 20
)

// alertsBody is what the page of alerts shows.
type alertsBody struct {
	Open []alertRow
	// Further says how many open ones are left out.
	Further string
	Past    []alertRow
	// Next is where the next page of past ones is; empty at the end.
	Next string
	Duty dutyBody
}

// dutyBody is who is told of alerts.
type dutyBody struct {
	Names []string
	// Rule says after how long the next one is told.
	Rule string
	// Edit is where the list is set up; empty for who may not.
	Edit string
}

// alertRow is an alert as lists and its own page show it.
type alertRow struct {
	*wording
	ID, To, Type string
	Level        tag
	// Team, Site and Author are empty where the alert does not say.
	Team, Site, Author string
	Seen, Received     string
	Told               []toldRow
	// Next is who is told next.
	Next string
	// Acknowledge is where one says that one sees to it; empty for who may not, and once somebody did.
	Acknowledge string
	// Acknowledged and Closed say who did, and when; empty while nobody did.
	Acknowledged, Closed string
}

// toldRow is one worker who was told of an alert in one step.
type toldRow struct{ Step, Who, When, How string }

func (v *visit) toAlert(id hlc.ID, further ...string) string {
	return to(v.within.Syncing.Deployment(), append([]string{"alerts", id.String()}, further...)...)
}

// seesRecord reports whether the visitor may see a record.
func (v *visit) seesRecord(r syncing.Record, c syncing.Circle) bool {
	return access.May(v.person, access.Seeing(c.Shows), c.Where(v.person, r.Audience)) == access.Yes
}

// openAlerts are those that nobody has acknowledged, of those that the visitor sees.
func (v *visit) openAlerts() []alerting.Alert { return v.within.Alerting.Open(v.seesRecord) }

// alarmOfAlerts is what stands first on every page while there are open alerts.
func (v *visit) alarmOfAlerts() (*alarm, error) {
	open := v.openAlerts()
	if len(open) == 0 {
		return nil, nil
	}
	a := &alarm{Title: v.N("alarm", int64(len(open))), More: link{To: v.To(to(v.within.Syncing.Deployment(), "alerts")), Name: v.T("alarm_all")}}
	for i := range open[:min(alarmed, len(open))] {
		row := v.alertRow(&open[i])
		seen := cmp.Or(open[i].SeenAt, open[i].Received)
		a.Alerts = append(a.Alerts, alarmLine{Level: row.Level, link: link{To: row.To, Name: v.T("alarm_line", row.Type, cmp.Or(row.Site, row.Team, v.T("not_said")), v.Time(seen))}})
	}
	return a, nil
}

// alerts lists the alerts that the visitor sees: first those that nobody has acknowledged, with who is told of them.
func (v *visit) alerts() error {
	open := v.openAlerts()
	body := alertsBody{Duty: v.duty()}
	if n := len(open) - listed; n > 0 {
		body.Further = v.N("alerts_further", int64(n))
	}
	for i := range open[:min(listed, len(open))] {
		body.Open = append(body.Open, v.alertRow(&open[i]))
	}
	q := alerting.PastQuery{Teams: v.cut(access.SeeRecords), Sees: v.seesRecord, After: parsed(v.QueryParam("after")), Limit: pastOfPage}
	past, next, err := v.within.Alerting.Past(v.context(), q)
	if problem.CodeOf(err) == problem.InvalidArgument {
		return problem.New(problem.NotFound)
	}
	if err != nil {
		return err
	}
	for i := range past {
		body.Past = append(body.Past, v.alertRow(&past[i]))
	}
	if next != (hlc.ID{}) {
		body.Next = v.To(to(v.within.Syncing.Deployment(), "alerts") + "?after=" + next.String())
	}
	return v.show("alerts", &page{Title: v.T("title_alerts"), Body: body})
}

// duty is who is told of alerts, one after the other.
func (v *visit) duty() dutyBody {
	setUp := v.within.Syncing.SetUp()
	b := dutyBody{Rule: v.N("duty_rule", int64(alerting.Period(setUp)/time.Minute))}
	for _, id := range alerting.DutyList(setUp) {
		b.Names = append(b.Names, setUp.Workers[id].GetName())
	}
	if v.may(access.EditSetUp, access.Everyone) {
		b.Edit = v.To(to(v.within.Syncing.Deployment(), "set-up", "duty"))
	}
	return b
}

// riskLooks are how the levels look: each has a shape besides its colour.
var riskLooks = map[recordv1.RiskLevel]string{
	recordv1.RiskLevel_RISK_LEVEL_RED: "level red", recordv1.RiskLevel_RISK_LEVEL_ORANGE: "level orange", recordv1.RiskLevel_RISK_LEVEL_YELLOW: "level yellow",
}

func (v *visit) alertRow(a *alerting.Alert) alertRow {
	setUp, terms := v.within.Syncing.SetUp(), v.terms()
	team := setUp.Teams[a.Team]
	site := cmp.Or(setUp.Sites[a.Site].GetName(), setUp.Sites[idOf(team.GetSite())].GetName())
	row := alertRow{
		wording: v.wording, ID: a.ID.String(), To: v.To(v.toAlert(a.ID)), Type: choice(terms, a.Type), Level: tag{v.T("alert_level", choice(terms, a.Level)), cmp.Or(riskLooks[a.Level], "level")},
		Team: team.GetName(), Site: site, Author: setUp.Workers[a.Author].GetName(), Seen: v.ago(a.SeenAt), Received: v.ago(a.Received), Told: v.told(a.Notices),
	}
	if a.Open() {
		row.Next = v.nextTold(a)
		if v.may(access.ReviewRecords, a.Team) {
			row.Acknowledge = v.To(v.toAlert(a.ID, "acknowledgement"))
		}
	} else {
		row.Acknowledged = v.T("alert_acknowledged", cmp.Or(setUp.Workers[a.AcknowledgedBy].GetName(), v.T("by_somebody")), v.ago(a.AcknowledgedAt))
	}
	if a.ClosedOn.Valid() {
		row.Closed = v.T("alert_closed", v.Date(a.ClosedOn))
	}
	return row
}

// ago is a time, and how long ago that was; empty for the zero time.
func (v *visit) ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	since := v.Wall().Sub(t)
	var span string
	switch {
	case since < time.Minute:
		span = v.T("ago_now")
	case since < time.Hour:
		span = v.N("ago_minutes", int64(since/time.Minute))
	case since < 48*time.Hour:
		span = v.N("ago_hours", int64(since/time.Hour))
	default:
		span = v.N("ago_days", int64(since/(24*time.Hour)))
	}
	return v.T("ago", v.Time(t), span)
}

// told are who was told of an alert, each in each step once.
func (v *visit) told(notices []alerting.Notice) (rows []toldRow) {
	setUp := v.within.Syncing.SetUp()
	for i, n := range notices {
		how := v.outcome(n)
		if i > 0 && notices[i-1].Step == n.Step && notices[i-1].Worker == n.Worker {
			last := &rows[len(rows)-1]
			last.How = v.T("told_both", last.How, how)
			continue
		}
		rows = append(rows, toldRow{Step: v.Number(int64(n.Step)), Who: cmp.Or(setUp.Workers[n.Worker].GetName(), v.T("by_somebody")), When: v.Time(n.At), How: how})
	}
	return rows
}

// outcome says what came of a notice.
func (v *visit) outcome(n alerting.Notice) string {
	channel := v.T("channel_mail")
	if n.Channel == alerting.SMS {
		channel = v.T("channel_sms")
	}
	said := v.T("told_waiting")
	switch n.Outcome {
	case alerting.Waiting:
	case alerting.Sent:
		said = v.T("told_sent", v.Time(n.Tried))
	case alerting.Failed:
		said = v.T("told_failed", n.Attempts, v.Time(n.Tried))
	case alerting.NoAddress:
		said = v.T("told_no_address")
	case alerting.Off:
		said = v.T("told_off")
	}
	return v.Labelled(channel, said)
}

// nextTold says whom the next step tells of an open alert, and when.
func (v *visit) nextTold(a *alerting.Alert) string {
	setUp := v.within.Syncing.SetUp()
	var names []string
	for _, id := range a.Next {
		names = append(names, cmp.Or(setUp.Workers[id].GetName(), v.T("by_somebody")))
	}
	switch {
	case len(names) == 0 && len(a.Notices) == 0:
		return v.T("next_nobody")
	case len(names) == 0:
		return v.T("next_all_told")
	case !a.NextAt.After(v.Wall()):
		return v.T("next_now", v.List(names))
	default:
		return v.T("next_at", v.List(names), v.Time(a.NextAt))
	}
}

// alertBody is what the page of an alert shows: how it stands, which is live, and what it says.
type alertBody struct {
	alertRow
	// Closing says when it was over; nil for who may not, and until somebody has acknowledged it.
	Closing *form
	// Record is what it says; nothing where an open page asks how the alert stands.
	Record recordBody
}

// alert shows an alert.
func (v *visit) alert() error {
	id, err := v.id("alert")
	if err != nil {
		return err
	}
	a, err := v.within.Alerting.Find(v.context(), id, v.seesRecord)
	if err != nil {
		return err
	}
	return v.showAlert(&a, v.closingForm(&a))
}

func (v *visit) showAlert(a *alerting.Alert, closing *form) error {
	body := alertBody{alertRow: v.alertRow(a)}
	if !a.Open() && v.may(access.ReviewRecords, a.Team) {
		body.Closing = closing
	}
	if !v.renews() { // nobody reads it again because something changed
		f, err := v.within.Casefile.File(v.context(), v.reader(), a.ID)
		if err != nil {
			return err
		}
		body.Record = v.recordBody(v.terms(), f)
	}
	return v.show("alert", &page{Title: v.T("title_alert", body.Type), Form: closing, Body: body})
}

func (v *visit) closingForm(a *alerting.Alert) *form {
	f := &form{wording: v.wording, Action: v.To(v.toAlert(a.ID, "closing")), Submit: "submit_close_alert"}
	return f.add(&field{Name: "closed_on", Sort: "date", Required: true, Value: cmp.Or(a.ClosedOn, v.today()).String()},
		&field{Name: "seen", Sort: "hidden", Value: strconv.FormatUint(a.Position, 10)})
}

// acknowledgeAlert says that the visitor sees to an alert. From then on it is not open, on every page.
func (v *visit) acknowledgeAlert() error {
	id, err := v.id("alert")
	if err != nil {
		return err
	}
	if err := v.within.Review.Acknowledge(v.context(), v.reader(), id); err != nil {
		return err
	}
	if err := v.within.Alerting.Refresh(v.context()); err != nil {
		return fmt.Errorf("alert %v is acknowledged, but: %w", id, err)
	}
	return v.done(v.toAlert(id), "alert_acknowledged")
}

// closeAlert says on which day the danger was over.
func (v *visit) closeAlert() error {
	id, err := v.id("alert")
	if err != nil {
		return err
	}
	a, err := v.within.Alerting.Find(v.context(), id, v.seesRecord)
	if err != nil {
		return err
	}
	f := v.closingForm(&a)
	show := func() error { return v.showAlert(&a, f) }
	if err := v.must(access.ReviewRecords, a.Team); err != nil {
		return err
	}
	if a.Open() {
		return v.done(v.toAlert(id), "not_acknowledged") // the page offers that first
	}
	if !v.filled(f) {
		return show()
	}
	day, err := record.ParseDate(f.value("closed_on"))
	switch {
	case err != nil || !day.Valid():
		f.wrong("closed_on", v.T("wrong_date"))
	case day > v.today():
		f.wrong("closed_on", v.T("wrong_closed_on"))
	}
	seen, err := strconv.ParseUint(f.value("seen"), 10, 63)
	if err != nil {
		f.Error = v.T("wrong_form")
	}
	if !f.ok() {
		return show()
	}
	if err := v.within.Review.CloseAlert(v.context(), v.reader(), review.Seen{ID: id, Position: seen}, day); err != nil {
		return v.refusedRecord(err, f, nil, show)
	}
	return v.done(v.toAlert(id), "alert_closed")
}

// Where are team and site, as far as the alert says them.
func (r alertRow) Where() []string {
	var all []string
	for _, one := range []string{r.Team, r.Site} {
		if strings.TrimSpace(one) != "" {
			all = append(all, one)
		}
	}
	return all
}
