package tabletui

import (
	"slices"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// listed is how many of each are listed at most: nobody reads more on the first page, and History has them all.
const listed = 20

// planAhead is how many days ahead planned activities are shown.
const planAhead = 7

// todayBody is what the first page shows.
type todayBody struct {
	Date string
	// Where is who she is, her team and the site.
	Where []string
	// Ending is what is said when the deployment comes to its end; nil before that.
	Ending *ending
	// Log is what can be logged in one touch; nothing once the deployment is archived.
	Log []choice
	// Waiting are what waits for the worker: returned, held, in conflict; empty when nothing does.
	Waiting    []choice
	Unfinished []item
	Drafts     []item
	Planned    []item
	Done       []item
	// More: not all that was done is listed.
	More bool
	// Fresh: nothing has come from the server yet.
	Fresh bool
}

// workKinds are the kinds that are work done on a day.
var workKinds = []record.Kind{
	recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY,
	recordv1.Kind_KIND_RESOURCE_LINK, recordv1.Kind_KIND_SUPERVISION,
}

// day is what day it is where the deployment is.
func (a *around) day(v *visit) record.Date { return record.DateOf(v.wall(), a.terms.Zone()) }

// today is the first page: what to log, what waits, what is planned, and what was done.
func (v *visit) today() error {
	a, err := v.around()
	if err != nil {
		return err
	}
	if !a.status.Enrolled {
		return v.to(pathEnrol)
	}
	today := a.day(v)
	body := &todayBody{Date: v.Date(today), Where: a.where(a.status), Fresh: len(a.workers) == 0}
	if body.Ending, err = v.ending(); err != nil {
		return err
	}
	if body.Waiting, err = v.waiting(body.Ending); err != nil {
		return err
	}
	if a.status.State == recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED { // nothing can be done about the rest
		if err := v.workOf(body, today); err != nil {
			return err
		}
		return v.show("today", &page{Title: v.T("title_today"), Here: pathToday, Body: body})
	}
	for _, k := range choosable[:4] {
		body.Log = append(body.Log, choice{Value: pathNew + "/" + words.KindName(k), Label: a.kindLabel(k)})
	}
	body.Log = append(body.Log, choice{Value: pathCounter, Label: a.kindLabel(recordv1.Kind_KIND_HEADCOUNT)})
	if body.Unfinished, err = v.unfinished(); err != nil {
		return err
	}
	drafts, err := v.store().Drafts(v.context())
	if err != nil {
		return err
	}
	body.Drafts = v.items(drafts[:min(len(drafts), listed)])
	if err := v.workOf(body, today); err != nil {
		return err
	}
	return v.show("today", &page{Title: v.T("title_today"), Here: pathToday, Body: body})
}

// workOf fills in what is planned from a day on, and what was done on it.
func (v *visit) workOf(body *todayBody, day record.Date) error {
	done, err := v.store().List(v.context(), clientlib.Query{Kinds: workKinds, From: day, To: day, Limit: 100})
	if err != nil {
		return err
	}
	for _, r := range done.Records {
		if body.More = len(body.Done) == listed; body.More {
			break
		}
		if r.Message != nil && r.Message.GetStatus() != recordv1.Status_STATUS_PLANNED {
			body.Done = append(body.Done, v.item(r))
		}
	}
	ahead, err := v.store().List(v.context(), clientlib.Query{Kinds: workKinds, From: day, To: day.AddDays(planAhead), Limit: 200})
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(ahead.Records) { // the next first
		if len(body.Planned) == listed {
			break
		}
		if r.Message != nil && r.Message.GetStatus() == recordv1.Status_STATUS_PLANNED {
			body.Planned = append(body.Planned, v.item(r))
		}
	}
	return nil
}

// where is who the worker is, in which team and at which site.
func (a *around) where(status clientlib.Status) []string {
	var where []string
	me := a.workers[a.me]
	if me.GetName() != "" {
		where = append(where, me.GetName())
	}
	if id, ok := idOf(me.GetTeam()); ok && a.teams[id] != nil {
		where = append(where, a.teams[id].GetName())
	}
	site := status.Site[:]
	if _, chosen := a.sites[status.Site]; !chosen {
		site = me.GetSite()
	}
	if id, ok := idOf(site); ok && a.sites[id] != nil {
		where = append(where, a.sites[id].GetName())
	}
	return where
}

// waiting are what waits for the worker, counted: alerts that nobody has confirmed, and what is in the inbox, unless the notice of the
// deployment's end tells all of that.
func (v *visit) waiting(end *ending) ([]choice, error) {
	var all []choice
	alerts, err := v.store().Alerts(v.context())
	if err != nil {
		return nil, err
	}
	open := 0
	for _, a := range alerts {
		if a.ConfirmedBy == "" {
			open++
		}
	}
	if open > 0 { // until somebody has confirmed one, the tablet says what to do
		all = append(all, choice{Value: pathEmergency, Label: v.N("alerts_count", open)})
	}
	if end.tellsAll() {
		return all, nil
	}
	returned, err := v.store().Returned(v.context())
	if err != nil {
		return nil, err
	}
	rest, err := v.inboxWaiting(len(returned))
	return append(all, rest...), err
}

// inboxWaiting are what waits for the worker in the inbox, counted; so many were returned.
func (v *visit) inboxWaiting(returned int) ([]choice, error) {
	held, err := v.store().Held(v.context())
	if err != nil {
		return nil, err
	}
	lost, team, err := v.lost()
	if err != nil {
		return nil, err
	}
	waiting := 0
	for _, h := range held {
		if waits(h) && !h.InAddendum() {
			waiting++
		}
	}
	var all []choice
	for _, one := range []struct {
		name string
		n    int
	}{{"returned_count", returned}, {"held_count", waiting}, {"lost_count", lost}, {"conflicts_count", team}} {
		if one.n > 0 {
			all = append(all, choice{Value: pathInbox, Label: v.N(one.name, one.n)})
		}
	}
	return all, nil
}

// more leads to what is not on the menu.
func (v *visit) more() error {
	return v.show("more", &page{Title: v.T("title_more"), Here: pathMore})
}
