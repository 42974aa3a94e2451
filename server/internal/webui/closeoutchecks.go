package webui

import (
	"slices"
	"strings"

	"levee/server/internal/access"
	"levee/server/internal/closeout"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// checkRow is one check of the list.
type checkRow struct {
	Name, Title, What string
	Tags              []tag
	Items             []itemRow
	// More says how many are not shown.
	More string
	// Waived says why all of it may pass, and TakeBack takes that back.
	Waived, TakeBack string
	// Waive is where all of it is waived.
	Waive string
	// Mend leads to where it is brought in order, Deed does so at once.
	Mend, Deed link
}

// itemRow is one thing that stands in the way, with what one needs to act.
type itemRow struct {
	Name             link
	Who, Phone, Dial string
	Team             string
	Facts            []string
	Referrals        []link
	Waived, TakeBack string
	Waive            string
}

// checkSays is how the pages speak of a check, by the names of messages: its title, what it is, and where it is brought in order.
type checkSays struct{ title, what, mend, mended string }

// checkSaid are all, by check.
var checkSaid = map[recordv1.CloseOutCheck]checkSays{
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKLOG:    {"check_backlog", "check_backlog_what", "tablets", "nav_tablets"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNHEARD:    {"check_unheard", "check_unheard_what", "tablets", "nav_tablets"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_OPEN_CASE:  {"check_open_case", "check_open_case_what", "cases", "nav_cases"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_OPEN_ALERT: {"check_open_alert", "check_open_alert_what", "alerts", "nav_alerts"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_DUPLICATE:  {"check_duplicate", "check_duplicate_what", "duplicates", "nav_duplicates"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_CONFLICT:   {"check_conflict", "check_conflict_what", "conflicts", "nav_conflicts"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_HELD:       {"check_held", "check_held_what", "held", "nav_held"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNREVIEWED: {"check_unreviewed", "check_unreviewed_what", "review", "nav_review"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_CONSENT:    {title: "check_consent", what: "check_consent_what"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_REFERRAL:   {title: "check_referral", what: "check_referral_what"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_RECOUNT:    {title: "check_recount", what: "check_recount_what"},
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKUP:     {title: "check_backup", what: "check_backup_what"},
}

// fillChecklist fills in what stands in the way, as it is now.
func (v *visit) fillChecklist(body *closeoutBody, state recordv1.DeploymentState) error {
	body.Checklist = true
	v.sorted()
	sorting, err := v.sorting()
	if err != nil {
		return err
	}
	if sorting > 0 {
		body.Sorting = v.N("overview_sorting", sorting)
		return nil
	}
	list, err := v.within.Closeout.Checklist(v.context())
	if err != nil {
		return err
	}
	waives := v.closes() && state == stateClosing && !v.within.Closeout.Work().Running()
	for _, c := range v.withRecount(list.Checks) {
		row := v.checkRow(c, waives)
		if c.Open == 0 && row.Deed.To == "" {
			body.Fine = append(body.Fine, row.Title)
			continue
		}
		body.Blocked = body.Blocked || c.Blocks()
		body.Checks = append(body.Checks, row)
	}
	body.Title = v.T("checklist_clear")
	if n := list.Blocked(); n > 0 {
		body.Title = v.N("checklist_blocked", int64(n))
	}
	return nil
}

// withRecount adds the newest recount to checks that were made without one. Until there is one, none is missed: the closing makes its own.
func (v *visit) withRecount(checks []closeout.Check) []closeout.Check {
	recount := closeout.Check{Check: recordv1.CloseOutCheck_CLOSE_OUT_CHECK_RECOUNT}
	if last := v.within.Closeout.LastRecount(); last != nil && !last.Equal {
		recount.Open = 1
	}
	i, _ := slices.BinarySearchFunc(checks, recount, func(a, b closeout.Check) int { return int(a.Check) - int(b.Check) })
	return slices.Insert(slices.Clone(checks), i, recount)
}

func (v *visit) checkRow(c closeout.Check, waives bool) checkRow {
	says, sees := checkSaid[c.Check], closeout.ShownTo(c.Check)
	row := checkRow{Name: closeout.CheckName(c.Check), Title: v.T(says.title), What: v.T(says.what)}
	switch {
	case c.Blocks():
		row.Tags = append(row.Tags, tag{v.N("check_open", int64(c.Open-c.Waived)), "bad"})
	case c.Open == 0:
		row.Tags = append(row.Tags, tag{v.T("check_fine"), "good"})
	}
	if c.Waived > 0 {
		row.Tags = append(row.Tags, tag{v.N("check_waived", int64(c.Waived)), "warn"})
	}
	if says.mend != "" && c.Open > 0 && v.may(sees, access.Everyone) {
		row.Mend = link{To: v.To(v.toIn(says.mend)), Name: v.T(says.mended)}
	}
	if c.Waiver != nil {
		row.Waived = v.waiverSaid(c.Waiver)
		if waives {
			row.TakeBack = v.To(v.toCloseout("waivers", c.Waiver.ID.String(), "removal"))
		}
	}
	if waives && c.Blocks() && c.Check != recordv1.CloseOutCheck_CLOSE_OUT_CHECK_RECOUNT {
		row.Waive = v.To(v.toCloseout("checks", row.Name, "waiver"))
	}
	v.mendAtOnce(c, &row)
	for _, item := range c.Items {
		if v.may(sees, item.Team) {
			row.Items = append(row.Items, v.itemRow(c.Check, item, waives, c.Blocks()))
		}
	}
	if rest := c.Open - len(row.Items); rest > 0 && len(c.Items) > 0 {
		row.More = v.N("check_more", int64(rest))
	}
	return row
}

// mendAtOnce adds the button of what the server itself can bring in order, and says what it did last.
func (v *visit) mendAtOnce(c closeout.Check, row *checkRow) {
	if !v.closes() || v.within.Closeout.Work().Running() {
		return
	}
	switch {
	case c.Check == recordv1.CloseOutCheck_CLOSE_OUT_CHECK_RECOUNT:
		row.Deed = link{To: v.To(v.toCloseout("recount")), Name: v.T("submit_recount")}
		last := v.within.Closeout.LastRecount()
		switch {
		case last == nil:
			row.Tags = []tag{{v.T("recount_none"), "off"}}
		case last.Equal:
			row.What = v.sentences(row.What, v.T("recount_equal", v.Time(last.At)))
		default:
			row.What = v.sentences(row.What, v.T("recount_differs", v.Time(last.At)))
		}
	case c.Check == recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKUP && c.Open > 0 && v.within.Closeout.Standby:
		row.What = v.sentences(row.What, v.T("backup_standby"))
	case c.Check == recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKUP && c.Open > 0 && v.BackUp != nil:
		row.Deed = link{To: v.To(v.toCloseout("backup")), Name: v.T("submit_back_up")}
	case c.Check == recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKUP && c.Open > 0:
		row.What = v.sentences(row.What, v.T("backup_none"))
	}
}

// waiverSaid says why something may pass, and who said so.
func (v *visit) waiverSaid(w *closeout.Waiver) string {
	return v.T("waiver_said", w.Reason, w.By.Name, v.Time(w.At))
}

func (v *visit) itemRow(check recordv1.CloseOutCheck, item closeout.Item, waives, blocks bool) itemRow {
	row := itemRow{Name: v.itemName(check, item), Team: v.within.Syncing.SetUp().Teams[item.Team].GetName(), Who: item.Worker.Name}
	if item.Phone != "" && v.closes() { // whom to call is for who calls
		row.Phone, row.Dial = item.Phone, strings.Join(strings.Fields(item.Phone), "")
	}
	if item.Count > 0 {
		row.Facts = append(row.Facts, v.T("item_backlog", v.N("changes", item.Count)))
	}
	switch check {
	case recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKLOG, recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNHEARD:
		row.Facts = append(row.Facts, v.T("item_heard", v.Time(item.Since)))
	case recordv1.CloseOutCheck_CLOSE_OUT_CHECK_OPEN_ALERT:
		row.Facts = append(row.Facts, v.T("item_seen", v.Time(item.Since)))
	case recordv1.CloseOutCheck_CLOSE_OUT_CHECK_HELD:
		row.Facts = append(row.Facts, v.T("item_received", v.Time(item.Since)), v.because(record.Code(item.Name)))
	case recordv1.CloseOutCheck_CLOSE_OUT_CHECK_CONFLICT:
		row.Facts = append(row.Facts, fieldLabel(v.terms(), item.Kind, item.Name))
	}
	for _, referral := range item.Referrals {
		row.Referrals = append(row.Referrals, link{To: v.To(v.toCloseout("referrals", referral.String())), Name: v.T("item_referral")})
	}
	if item.Waiver != nil {
		row.Waived = v.waiverSaid(item.Waiver)
	}
	switch {
	case waives && item.Waiver != nil:
		row.TakeBack = v.To(v.toCloseout("waivers", item.Waiver.ID.String(), "removal"))
	case waives && blocks:
		row.Waive = v.To(v.toCloseout("checks", closeout.CheckName(check), "items", item.Subject.String(), "waiver"))
	}
	return row
}

// itemName is what an item is called, and leads to where it is brought in order.
func (v *visit) itemName(check recordv1.CloseOutCheck, item closeout.Item) link {
	id := item.Subject.String()
	kind := v.T("unreadable")
	if record.Known(item.Kind) {
		kind = v.terms().KindLabel(item.Kind)
	}
	switch check {
	case recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKLOG, recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNHEARD:
		if item.Name == "" {
			return link{Name: v.T("tablet_unnamed")}
		}
		return link{Name: item.Name}
	case recordv1.CloseOutCheck_CLOSE_OUT_CHECK_OPEN_ALERT:
		return link{To: v.To(v.toIn("alerts", id)), Name: kind}
	case recordv1.CloseOutCheck_CLOSE_OUT_CHECK_DUPLICATE:
		return link{To: v.To(v.toIn("duplicates", item.Other.String(), id)), Name: kind}
	case recordv1.CloseOutCheck_CLOSE_OUT_CHECK_CONFLICT:
		return link{To: v.To(v.toIn("conflicts", id)), Name: kind}
	case recordv1.CloseOutCheck_CLOSE_OUT_CHECK_HELD:
		return link{To: v.To(v.toIn("held", id)), Name: kind}
	default:
		if item.Name == "" {
			return link{To: v.To(v.toRecord(item.Subject)), Name: kind}
		}
		return link{To: v.To(v.toRecord(item.Subject)), Name: item.Name}
	}
}

// itemAsked is the item that the address names; the zero id for all of a check.
func (v *visit) itemAsked() (hlc.ID, error) {
	if v.Param("item") == "" {
		return hlc.ID{}, nil
	}
	return v.id("item")
}
