package tabletui

import (
	"net/url"
	"strconv"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// casesOnPage is how many cases a page of the list has.
const casesOnPage = 50

// casesBody is what the list of cases shows.
type casesBody struct {
	Lines []caseLine
	// Whose and Which are the switches: own cases or all, with or without closed ones.
	Whose, Which []choice
	// Sought is what was looked for; empty when all are shown.
	Sought string
	// Until says until when names are shown; empty while they are not.
	Until string
	// Here is the address of the list without its search.
	Here string
	// Hidden are the switches as the search sends them on.
	Hidden []choice
	// Wider is where the same is looked for among the whole team's cases, closed ones too; empty where that was done.
	Wider string
	// Count is how many there are; Before and After lead to those that are due before and after the ones on the page.
	Count, Before, After string
}

// caseLine is a case in the list.
type caseLine struct {
	To, Number string
	Names      []string
	// About are stage, place and last session.
	About []string
	Marks []mark
}

// casesPage shows the cases that the worker leads or works on, those that are due first first.
func (v *visit) casesPage() error {
	a, err := v.around()
	if err != nil {
		return err
	}
	asked := v.r.URL.Query()
	q := clientlib.CaseQuery{Mine: asked.Get("of") != "team", Closed: asked.Get("closed") == "yes"}
	body := &casesBody{Here: pathCases + query(casesAddress(q).Encode())}
	if until, ok := v.desk.identifiedUntil(v.wall()); ok {
		q.Names, body.Until = true, v.T("names_until", v.Clock(until))
		v.leaveAt(until, v.Path())
	}
	if asked.Get("sought") == "yes" {
		body.Sought = v.desk.sought(v.wall())
	}
	q.Text, q.Words = body.Sought, a.caseWords
	lines, err := v.store().Cases(v.context(), q)
	if err != nil {
		return err
	}
	body.switches(v, q)
	body.turn(v, q, len(lines))
	from := min(max(0, pageNumber(asked.Get("page")))*casesOnPage, len(lines))
	today := a.day(v)
	for _, line := range lines[from:min(from+casesOnPage, len(lines))] {
		body.Lines = append(body.Lines, v.caseLine(a, line, today))
	}
	return v.show("cases", &page{Title: v.T("title_cases"), Here: pathCases, Body: body})
}

// seekCases takes what is looked for. It may be a name, which has no place in an address: browsers keep those.
func (v *visit) seekCases() error {
	sent := v.sent()
	q := clientlib.CaseQuery{Mine: sent.Get("of") != "team", Closed: sent.Get("closed") == "yes", Text: sent.Get("q")}
	v.desk.seek(q.Text, v.wall())
	return v.to(pathCases + query(casesAddress(q).Encode()))
}

// casesAddress is what a query is in an address.
func casesAddress(q clientlib.CaseQuery) url.Values {
	address := url.Values{}
	if !q.Mine {
		address.Set("of", "team")
	}
	if q.Closed {
		address.Set("closed", "yes")
	}
	if q.Text != "" {
		address.Set("sought", "yes")
	}
	return address
}

func (b *casesBody) switches(v *visit, q clientlib.CaseQuery) {
	with := func(change func(*clientlib.CaseQuery)) string {
		other := q
		change(&other)
		return pathCases + query(casesAddress(other).Encode())
	}
	b.Whose = []choice{
		{with(func(q *clientlib.CaseQuery) { q.Mine = true }), v.T("cases_mine"), q.Mine},
		{with(func(q *clientlib.CaseQuery) { q.Mine = false }), v.T("cases_team"), !q.Mine},
	}
	b.Which = []choice{
		{with(func(q *clientlib.CaseQuery) { q.Closed = false }), v.T("cases_open"), !q.Closed},
		{with(func(q *clientlib.CaseQuery) { q.Closed = true }), v.T("cases_closed_too"), q.Closed},
	}
	for name, all := range casesAddress(q) {
		if name != "sought" {
			b.Hidden = append(b.Hidden, choice{Value: all[0], Label: name})
		}
	}
	if q.Text != "" && (q.Mine || !q.Closed) {
		b.Wider = with(func(q *clientlib.CaseQuery) { q.Mine, q.Closed = false, true })
	}
}

// turn leads to the pages before and after.
func (b *casesBody) turn(v *visit, q clientlib.CaseQuery, n int) {
	b.Count = v.N("cases_count", n)
	at := max(0, pageNumber(v.r.URL.Query().Get("page")))
	address := casesAddress(q)
	to := func(page int) string {
		address.Set("page", strconv.Itoa(page))
		return pathCases + "?" + address.Encode()
	}
	if at > 0 {
		b.Before = to(at - 1)
	}
	if (at+1)*casesOnPage < n {
		b.After = to(at + 1)
	}
}

// pageNumber is the number of a page in an address, from 0.
func pageNumber(text string) int {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}

func (v *visit) caseLine(a *around, c clientlib.CaseLine, today record.Date) caseLine {
	m := c.Message
	line := caseLine{To: pathCases + "/" + c.ID.String(), Number: m.GetCaseNo(), Names: c.Names}
	if line.Number == "" {
		line.Number = v.T("no_number")
	}
	line.About = append(line.About, a.choice(m, "stage"))
	if village := m.GetPlace().GetVillage(); village != "" {
		line.About = append(line.About, village)
	}
	if c.LastSession == 0 {
		line.About = append(line.About, v.T("no_session_yet"))
	} else {
		line.About = append(line.About, v.T("last_session", v.ago(c.LastSession, today)))
	}
	line.Marks = append(v.dueMarks(c.Closed, c.NextDue, today), v.riskMarks(a, m)...)
	for _, one := range v.marks(common(c.Record)) {
		if one.Sort == "bad" || one.Sort == "warn" { // that a case is safe is nothing to look for here
			line.Marks = append(line.Marks, one)
		}
	}
	return line
}

// choice is the word for the value of a field that is one of an enumeration.
func (a *around) choice(m record.Common, name protoreflect.Name) string {
	r := m.ProtoReflect()
	f := r.Descriptor().Fields().ByName(name)
	return a.terms.OptionOf(f.Enum(), r.Get(f).Enum()).Label
}

// caseWords are what people read of a case besides its number and village, to be looked for.
func (a *around) caseWords(m *recordv1.Case) []string {
	all := []string{a.choice(m, "stage")}
	for _, p := range m.GetProblems() {
		all = append(all, a.terms.OptionOf(p.Descriptor(), p.Number()).Label)
	}
	return all
}

// dueMarks say when the next step is due.
func (v *visit) dueMarks(closed bool, due, today record.Date) []mark {
	if due == 0 {
		return nil
	}
	name, days := "due_on", today.DaysUntil(due)
	if closed {
		name = "followup_on"
	}
	switch {
	case days < 0:
		return []mark{{v.N("overdue", -days), "bad"}}
	case days == 0:
		return []mark{{v.T(name, v.T("today")), "warn"}}
	case days <= relativeDays:
		return []mark{{v.T(name, v.N("in_days", days)), "plain"}}
	default:
		return []mark{{v.T(name, v.Date(due)), "plain"}}
	}
}

// riskMarks say how much danger a case is in.
func (v *visit) riskMarks(a *around, m *recordv1.Case) []mark {
	sort, ok := map[recordv1.RiskDegree]string{
		recordv1.RiskDegree_RISK_DEGREE_LOW: "plain", recordv1.RiskDegree_RISK_DEGREE_MEDIUM: "warn", recordv1.RiskDegree_RISK_DEGREE_HIGH: "bad",
	}[m.GetRisk()]
	if !ok {
		return nil
	}
	return []mark{{v.T("kind_and_title", a.terms.Field(fieldOf(recordv1.Kind_KIND_CASE, "risk")), a.choice(m, "risk")), sort}}
}

// relativeDays is how far days are told by their distance; others by their date.
const relativeDays = 14

// ago is how long ago a day is.
func (v *visit) ago(day, today record.Date) string {
	switch days := day.DaysUntil(today); {
	case days == 0:
		return v.T("today")
	case days > 0 && days <= relativeDays:
		return v.N("days_ago", days)
	default:
		return v.Date(day)
	}
}

// common is a record of one kind as one of any.
func common[M record.Common](r clientlib.Record[M]) clientlib.AnyRecord {
	return clientlib.AnyRecord{
		ID: r.ID, Kind: r.Kind, Message: r.Message, Deleted: r.Deleted, Missing: r.Missing, Sending: r.Sending, Held: r.Held, Changed: r.Changed,
	}
}

// search is what was looked for last among the cases.
type search struct {
	text string
	// identified: names were shown then, so that it may be one.
	identified bool
}

func (d *desk) seek(text string, now time.Time) {
	identified := d.identified(now)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.search = search{text, identified}
}

// sought is what was looked for last; nothing when it may be a name and names are not shown.
func (d *desk) sought(now time.Time) string {
	identified := d.identified(now)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.search.identified && !identified {
		return ""
	}
	return d.search.text
}
