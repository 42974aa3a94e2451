package webui

import (
	"strconv"

	"levee/server/internal/access"
	"levee/server/internal/closeout"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

const pathCloseout = pathIn + "/closeout"

func closeoutRoutes(r *router) {
	r.page(pathCloseout, access.SeeTotals, (*visit).closeout)
	r.section(pathCloseout, "nav_closeout", access.SeeTotals)
	r.form(pathCloseout+"/days", access.CloseDeployment, (*visit).closeoutDays)
	r.form(pathCloseout+"/checks/:check/waiver", access.CloseDeployment, (*visit).waive)
	r.form(pathCloseout+"/checks/:check/items/:item/waiver", access.CloseDeployment, (*visit).waive)
	r.deed(pathCloseout+"/waivers/:waiver/removal", access.CloseDeployment, (*visit).takeBackWaiver)
	r.deed(pathCloseout+"/recount", access.CloseDeployment, (*visit).recountNow)
	r.deed(pathCloseout+"/backup", access.CloseDeployment, (*visit).backUpNow)
	r.form(pathCloseout+"/closing", access.CloseDeployment, (*visit).closeDeployment)
	r.form(pathCloseout+"/reopening", access.CloseDeployment, (*visit).reopenDeployment)
	r.form(pathCloseout+"/report-settings", access.CloseDeployment, (*visit).editReportSettings)
	r.deed(pathCloseout+"/certificates", access.CloseDeployment, (*visit).issueEdition)
	r.page(pathCloseout+"/certificates/:edition", access.SeeTotals, (*visit).edition)
	r.page(pathCloseout+"/certificates/:edition/file", access.SeeTotals, (*visit).editionFile)
	r.page(pathCloseout+"/certificates/:edition/image", access.SeeTotals, (*visit).editionImage)
	r.page(pathCloseout+"/addenda", access.CloseDeployment, (*visit).addenda)
	r.deed(pathCloseout+"/addenda/preview", access.CloseDeployment, (*visit).previewAddenda)
	r.deed(pathCloseout+"/addenda/decision", access.CloseDeployment, (*visit).decideAddenda)
	closingReportRoutes(r)
	closeoutCaseRoutes(r)
	closeoutEndRoutes(r)
	r.notice = (*visit).closeoutNotice
}

func (v *visit) toCloseout(further ...string) string {
	return v.toIn(append([]string{"closeout"}, further...)...)
}

// Short names of the states.
const (
	stateActive   = recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE
	stateClosing  = recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING
	stateClosed   = recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
	stateArchived = recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED
)

// closeoutBody is what the page of the close-out shows. What is empty is not for the visitor, or not in this state.
type closeoutBody struct {
	Stages []stageRow
	Says   []string
	Links  []link
	Work   *workShown
	// Checks are those that are open, Fine what is in order; Sorting stands in for both while much has still to be sorted in.
	Checklist bool
	Title     string
	Blocked   bool
	Checks    []checkRow
	Fine      []string
	Sorting   string
	Editions  []editionRow
	// Issue is where the next edition is asked for.
	Issue   string
	Addenda link
	Report  reportSettings
	Archive *archiveShown
}

// stageRow is one of the states on the drawn line.
type stageRow struct {
	Name, When string
	Here, Past bool
}

// workShown is what is done in the background, or what went wrong there.
type workShown struct {
	Text    string
	Running bool
	// Percent of it is ready, where Progress says how far it is.
	Percent  int
	Progress string
	Again    string
}

// editionRow is an edition in the list of them.
type editionRow struct {
	To, Name, At, By, Changed string
	// Report leads to the closing report of that edition.
	Report link
}

// reportSettings are what the closing report begins with and leaves out, and where that is edited.
type reportSettings struct {
	Foreword, LeftOut, Edit string
}

// closeout shows where the deployment stands, what is in the way of its end, and what comes of it.
func (v *visit) closeout() error {
	service := v.within.Closeout
	editions, err := service.Editions(v.context())
	if err != nil {
		return err
	}
	state := service.State()
	body := closeoutBody{Stages: v.stages(state, editions), Says: v.standingOfCloseout(state, editions), Work: v.workShown(), Editions: v.editionRows(editions)}
	if state == stateActive || state == stateClosing {
		if err := v.fillChecklist(&body, state); err != nil {
			return err
		}
	} else if err := v.fillAddenda(&body); err != nil {
		return err
	}
	body.Links = v.closeoutLinks(state, body.Checklist && !body.Blocked && body.Sorting == "")
	body.Report, body.Archive = v.reportShown(), v.archiveShown(state)
	return v.show("closeout", &page{Title: v.T("title_closeout"), Body: body})
}

// closes reports whether the visitor may close the deployment.
func (v *visit) closes() bool { return v.may(access.CloseDeployment, access.Everyone) }

// stages are the four states, in their order, with the days that are known of them.
func (v *visit) stages(state recordv1.DeploymentState, editions []closeout.Edition) (all []stageRow) {
	d := v.within.Syncing.SetUp().Deployment
	when := map[recordv1.DeploymentState]string{stateActive: v.T("stage_from", v.Date(record.Date(d.GetStartOn())))}
	if end := record.Date(d.GetEndOn()); end.Valid() {
		when[stateClosing] = v.T("stage_until", v.Date(end))
	}
	if len(editions) > 0 && state >= stateClosed {
		when[stateClosed] = v.Time(editions[0].Issued.At)
	}
	if erase := record.Date(d.GetEraseOn()); erase.Valid() {
		when[stateArchived] = v.T("stage_erased_from", v.Date(erase))
	}
	for s := stateActive; s <= stateArchived; s++ {
		all = append(all, stageRow{Name: choice(v.terms(), s), When: when[s], Here: s == state, Past: s < state})
	}
	return all
}

// standingOfCloseout says in sentences where the deployment stands.
func (v *visit) standingOfCloseout(state recordv1.DeploymentState, editions []closeout.Edition) []string {
	switch {
	case state == stateActive:
		return []string{v.T("closeout_active")}
	case state == stateClosing:
		return []string{v.daysLeft(), v.T("closeout_closing")}
	case state == stateClosed && len(editions) == 0:
		return []string{v.T("closeout_unissued")}
	case state == stateClosed && v.within.Syncing.Erased(): // at the command line, or the server crashed before it said so
		return []string{v.T("closeout_closed", editions[len(editions)-1].Edition), v.T("closeout_erased")}
	case state == stateClosed:
		return []string{v.T("closeout_closed", editions[len(editions)-1].Edition)}
	default:
		return []string{v.T("closeout_archived")}
	}
}

// daysLeft says how long work still goes on.
func (v *visit) daysLeft() string {
	end, today := record.Date(v.within.Syncing.SetUp().Deployment.GetEndOn()), v.today()
	switch {
	case !end.Valid():
		return v.T("closeout_no_end")
	case today < end:
		return v.sentences(v.T("closeout_last_day", v.Date(end)), v.N("closeout_days_left", int64(today.DaysUntil(end))))
	case today == end:
		return v.T("closeout_last_day_today", v.Date(end))
	default:
		return v.T("closeout_was_last_day", v.Date(end))
	}
}

// sentences are two sentences after one another; the second one may be empty.
func (w *wording) sentences(one, other string) string {
	if other == "" {
		return one
	}
	return one + w.Either(" ", "") + other
}

// closeoutLinks lead to what a coordinator may do next.
func (v *visit) closeoutLinks(state recordv1.DeploymentState, ready bool) (all []link) {
	if !v.closes() || v.within.Closeout.Work().Running() {
		return nil
	}
	add := func(name string, here bool, path ...string) {
		all = append(all, link{To: v.To(v.toCloseout(path...)), Name: name, Here: here})
	}
	switch state {
	case stateActive:
		add(v.T("closeout_announce"), true, "days")
	case stateClosing:
		if ready {
			add(v.T("closeout_close"), true, "closing")
		}
		add(v.T("closeout_change_days"), false, "days")
		add(v.T("closeout_call_off"), false, "reopening")
		add(v.T("title_hand_over"), false, "hand-over")
	case stateClosed:
		add(v.T("title_hand_over"), false, "hand-over")
		add(v.T("closeout_change_erasure"), false, "days")
		if v.Erase != nil {
			add(v.T("title_erase_all"), false, "erasure")
		}
		add(v.T("closeout_reopen"), false, "reopening")
	}
	return all
}

// workNames are the messages for what is done in the background: while it is, and when it came to nothing.
var workNames = map[closeout.Step]struct{ running, failed string }{
	closeout.Closing:    {"work_closing", "work_closing_failed"},
	closeout.Issuing:    {"work_issuing", "work_issuing_failed"},
	closeout.Recounting: {"work_recounting", "work_recounting_failed"},
	closeout.BackingUp:  {"work_backing_up", "work_backing_up_failed"},
	closeout.Archiving:  {"work_archiving", "work_archiving_failed"},
	closeout.Erasing:    {"work_erasing", "work_erasing_failed"},
}

// workShown is what is being done, or why what was done last came to nothing; nil when there is nothing to say.
func (v *visit) workShown() *workShown {
	work := v.within.Closeout.Work()
	switch {
	case work.Running():
		percent, progress := v.progressSaid(work.Progress)
		return &workShown{Text: v.T(workNames[work.Step].running, v.Time(work.Began)), Running: true, Percent: percent, Progress: progress, Again: v.To(v.toCloseout())}
	case work == nil || work.Err == nil:
		return nil
	default:
		return &workShown{Text: v.sentences(v.T(workNames[work.Step].failed, v.Time(work.Ended)), problem.Message(problem.CodeOf(work.Err), v.Lang()))}
	}
}

// progressSaid is how far a step is, in percent and in words; empty words while that is not known.
func (v *visit) progressSaid(p closeout.Progress) (percent int, said string) {
	ready := 0.0
	if p.Of > 0 {
		ready = float64(p.Done) / float64(p.Of)
		said = v.T("work_ready", v.Number(int64(p.Done)), v.Number(int64(p.Of))) //nolint:gosec // counts of records
	}
	if p.Part.Parts > 0 { // taken for equally long
		ready = (float64(p.Part.At-1) + ready) / float64(p.Part.Parts)
		said = v.sentences(v.T("work_part", p.Part.At, p.Part.Parts, v.Say(p.Part.Said)), said)
	}
	return int(100 * ready), said
}

func (v *visit) editionRows(editions []closeout.Edition) (rows []editionRow) {
	for i := len(editions) - 1; i >= 0; i-- {
		e := editions[i]
		row := editionRow{To: v.To(v.toEdition(e.Edition)), Name: v.T("edition_number", e.Edition), At: v.Time(e.Issued.At), By: e.Issued.Name}
		row.Report, _ = v.closingReportLinks(e.Edition)
		if e.Previous != nil {
			row.Changed = v.N("edition_differs", int64(len(e.Differences)))
		}
		rows = append(rows, row)
	}
	return rows
}

// fillAddenda says what has come since the closing, and where a coordinator decides on it.
func (v *visit) fillAddenda(body *closeoutBody) error {
	waiting, err := v.within.Closeout.Addenda(v.context())
	if err != nil {
		return err
	}
	count := 0
	for _, a := range waiting {
		count += len(a.Changes)
	}
	body.Addenda.Name = v.T("addenda_none")
	if count > 0 {
		body.Addenda = link{Name: v.N("addenda_waiting", int64(count)), Count: int64(count)}
	}
	if !v.closes() {
		return nil
	}
	if count > 0 {
		body.Addenda.To = v.To(v.toCloseout("addenda"))
	}
	if !v.within.Closeout.Work().Running() {
		body.Issue = v.To(v.toCloseout("certificates"))
	}
	return nil
}

// notice is what stands on every page of a deployment that comes to its end; it has no text on others.
type notice struct {
	Text, Look string
	More       link
}

// closeoutNotice says on every page of a deployment that it is closing, closed or archived.
func (v *visit) closeoutNotice() (n notice, err error) {
	if v.route.path == pathCloseout { // which says more
		return n, nil
	}
	if v.may(access.SeeTotals, access.Everyone) {
		n.More = link{To: v.To(v.toCloseout()), Name: v.T("nav_closeout")}
	}
	switch v.within.Closeout.State() {
	case stateClosing:
		n.Text, n.Look = v.sentences(v.T("notice_closing"), v.daysLeft()), "warn"
		if n.More.To == "" {
			return n, nil
		}
		open, known, err := v.within.Closeout.Blocked(v.context())
		switch {
		case err == nil && known && open > 0:
			n.Text = v.sentences(n.Text, v.N("notice_open", int64(open)))
		case err == nil && known:
			n.Text = v.sentences(n.Text, v.T("notice_clear"))
		}
		return n, err
	case stateClosed:
		n.Text = v.T("notice_closed")
	case stateArchived:
		n.Text = v.T("notice_archived")
	}
	return n, nil
}

// editionAsked is the number of an edition that the address names; 0 for none.
func (v *visit) editionAsked() int {
	n, err := strconv.Atoi(v.Param("edition"))
	if err != nil || n < 1 {
		return 0
	}
	return n
}
