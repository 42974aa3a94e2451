package tabletui

import (
	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// ending is how the deployment comes to its end, as far as this tablet is concerned.
type ending struct {
	Title string
	Lines []string
	// Sort is how grave it is: warn while something is owed.
	Sort string
	// Owed are what is still to be done here, each with where; Done says that nothing is.
	Owed []choice
	Done string
	// Late are what the coordinator has, or had, to decide about.
	Late []choice
	// Leave: the tablet can be handed back.
	Leave bool
	// all: what waits in the inbox is among what is owed, or nothing can be done about it any more.
	all bool
}

// ending is nil while the deployment goes on.
func (v *visit) ending() (*ending, error) {
	a, err := v.around()
	if err != nil {
		return nil, err
	}
	switch st := a.status; st.State {
	case recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING:
		return v.closing(st)
	case recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED:
		return v.closed(st), nil
	case recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED:
		return &ending{Title: v.T("title_archived"), Lines: append([]string{v.T("archived_lead")}, v.editionLines(st)...), Leave: true, all: true}, nil
	default:
		return nil, nil
	}
}

func (v *visit) closing(st clientlib.Status) (*ending, error) {
	owed, err := v.store().Owed(v.context())
	if err != nil {
		return nil, err
	}
	e := &ending{Title: v.T("title_closing"), all: true}
	switch {
	case st.LastDay == 0:
	case st.DaysLeft == 0:
		e.Lines = append(e.Lines, v.T("closing_today"))
	case st.DaysLeft < 0:
		e.Lines = append(e.Lines, v.T("closing_over", v.Date(st.LastDay)))
	default:
		e.Lines = append(e.Lines, v.T("closing_until", v.Date(st.LastDay), v.N("days_left", st.DaysLeft)))
	}
	waiting, err := v.inboxWaiting(owed.Returned)
	if err != nil {
		return nil, err
	}
	e.owe(v.N("unsent_count", owed.Unsent), owed.Unsent, pathSync)
	e.Owed = append(e.Owed, waiting...)
	e.owe(v.N("forms_count", owed.Forms), owed.Forms, pathToday+"#unfinished")
	e.owe(v.N("drafts_count", owed.Drafts), owed.Drafts, pathToday+"#drafts")
	e.owe(v.N("open_cases_count", owed.OpenCases), owed.OpenCases, pathCases)
	if len(e.Owed) > 0 {
		e.Sort = "warn"
	} else {
		e.Done = v.T("closing_done")
	}
	return e, nil
}

func (v *visit) closed(st clientlib.Status) *ending {
	e := &ending{Title: v.T("title_closed"), Lines: append([]string{v.T("closed_lead", v.Date(st.Since))}, v.editionLines(st)...)}
	if e.owe(v.N("unsent_count", st.Unsent), st.Unsent, pathSync); st.Unsent > 0 {
		e.Sort = "warn"
	}
	for _, one := range []struct {
		name string
		n    int
	}{{"late_waiting", st.Addendum.Waiting}, {"late_accepted", st.Addendum.Accepted}, {"late_declined", st.Addendum.Declined}} {
		if one.n > 0 {
			e.Late = append(e.Late, choice{Value: pathInbox, Label: v.N(one.name, one.n)})
		}
	}
	return e
}

func (e *ending) owe(label string, n int, where string) {
	if n > 0 {
		e.Owed = append(e.Owed, choice{Value: where, Label: label})
	}
}

// editionLines says which totals were signed last; nothing while none were.
func (v *visit) editionLines(st clientlib.Status) []string {
	if st.Edition == 0 {
		return nil
	}
	return []string{v.T("edition_is", st.Edition, v.Date(st.CertifiedOn))}
}

// tellsAll reports whether a notice tells already what there is to do in the inbox.
func (e *ending) tellsAll() bool { return e != nil && e.all }

// mayLog refuses what logs once the deployment is archived, but nothing stands in the way of an alert.
func (v *visit) mayLog() error {
	alert := words.KindName(recordv1.Kind_KIND_RISK_ALERT)
	if v.r.PathValue("kind") == alert || v.r.FormValue(valueKind) == alert {
		return nil
	}
	a, err := v.around()
	if err == nil && a.status.State == recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED {
		err = &clientlib.Error{Code: clientlib.CodeDeploymentArchived}
	}
	return err
}

// late reports whether what is logged waits for the coordinator since the deployment was closed.
func (v *visit) late() bool {
	a, err := v.zoned()
	return err == nil && a.status.State == recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
}

// LateNote says on pages that log what becomes of it once the deployment was closed; empty elsewhere.
func (v *visit) LateNote() string {
	if !v.logs || !v.late() {
		return ""
	}
	return v.T("late_note", v.Date(v.read.status.Since))
}

// SaveLabel is what is on the button that saves a form.
func (v *visit) SaveLabel() string {
	if v.logs && v.late() {
		return v.T("save_late")
	}
	return v.T("save")
}

// heldWhy says why a change is held.
func (v *visit) heldWhy(code string) string {
	if code == string(record.CodeDeploymentClosed) {
		return v.T("late_waits")
	}
	return record.Message(record.Code(code), v.Lang())
}
