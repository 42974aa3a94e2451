package tabletui

import (
	"net/url"

	"levee/clientlib"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// historyOnPage is how many records a page of the history has.
const historyOnPage = 50

// historyBody is what the history shows.
type historyBody struct {
	Kinds []choice
	Mine  bool
	// Undo is what was deleted just now; it may lie pages away.
	Undo *item
	Days []historyDay
	// Newest leads to the first page, Older to the next; empty where there is none.
	Newest, Older string
	// Next is this page, to come back to.
	Next string
}

// historyDay are the records of a day.
type historyDay struct {
	Date    string
	Records []historyLine
}

// historyLine is a record; a deleted one can be restored from here.
type historyLine struct {
	item
	// About are where it was and who logged it.
	About   []string
	Deleted bool
}

// loggedKinds are what people log, in the order in which it is offered. A conflict is the server's; who registered is counted at the activity.
func (v *visit) loggedKinds(a *around) ([]record.Kind, []choice) {
	var kinds []record.Kind
	var choices []choice
	for _, k := range record.Kinds() {
		if _, has := sheets[k]; has {
			kinds = append(kinds, k)
			choices = append(choices, choice{Value: words.KindName(k), Label: a.kindLabel(k)})
		}
	}
	return kinds, choices
}

// history shows what the team logged, the newest day first.
func (v *visit) history() error {
	a, err := v.around()
	if err != nil {
		return err
	}
	asked := v.r.URL.Query()
	body := &historyBody{Mine: asked.Get("mine") == "yes"}
	q := clientlib.Query{Deleted: true, Mine: body.Mine, Limit: historyOnPage, After: asked.Get("after")}
	q.Kinds, body.Kinds = v.loggedKinds(a)
	address := url.Values{}
	if k, ok := kindNamed(asked.Get("kind")); ok {
		q.Kinds = []record.Kind{k}
		address.Set("kind", words.KindName(k))
		for i := range body.Kinds {
			body.Kinds[i].Chosen = body.Kinds[i].Value == words.KindName(k)
		}
	}
	if body.Mine {
		address.Set("mine", "yes")
	}
	if q.After != "" {
		body.Newest = pathHistory + query(address.Encode())
	}
	if id, err := parseID(asked.Get("undo")); err == nil {
		if r, err := v.store().Record(v.context(), id); err == nil && r.Deleted {
			one := v.item(r)
			body.Undo = &one
		}
	}
	found, err := v.store().List(v.context(), q)
	if err != nil {
		return err
	}
	here := address.Encode()
	if q.After != "" {
		here = url.Values{"kind": address["kind"], "mine": address["mine"], "after": {q.After}}.Encode()
	}
	body.Next = pathHistory + query(here)
	if found.Next != "" {
		address.Set("after", found.Next)
		body.Older = pathHistory + "?" + address.Encode()
	}
	body.Days = v.historyDays(a, found.Records)
	return v.show("history", &page{Title: v.T("nav_history"), Here: pathMore, Back: pathMore, Body: body})
}

// historyDays are records by their days.
func (v *visit) historyDays(a *around, records []clientlib.AnyRecord) []historyDay {
	var days []historyDay
	for _, r := range records {
		day := v.T("no_day")
		if r.Message != nil && r.Message.GetOccurredOn() != 0 {
			day = v.Date(record.Date(r.Message.GetOccurredOn()))
		}
		if len(days) == 0 || days[len(days)-1].Date != day {
			days = append(days, historyDay{Date: day})
		}
		line := historyLine{item: v.item(r), Deleted: r.Deleted}
		line.Note = "" // the day stands above
		if r.Message != nil {
			if village := r.Message.GetPlace().GetVillage(); village != "" {
				line.About = append(line.About, village)
			}
			if author, ok := idOf(r.Message.GetAuthor()); ok && author != a.me {
				line.About = append(line.About, a.workers[author].GetName())
			}
		}
		last := &days[len(days)-1]
		last.Records = append(last.Records, line)
	}
	return days
}
