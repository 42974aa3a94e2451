package webui

import (
	"net/url"
	"strings"

	"levee/server/internal/access"
	"levee/server/internal/indexing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

func casesRoutes(r *router) {
	r.page(pathIn+"/cases", access.SeeRecords, (*visit).cases)
	r.section(pathIn+"/cases", "nav_cases", access.SeeRecords)
}

const (
	// casesShown is how many cases stand on a page, casesGlimpsed how many on the page of a team or worker.
	casesShown    = 50
	casesGlimpsed = 20
)

// caseLists are the lists of cases: their names in addresses, what they are called, and what is on them.
var caseLists = []struct {
	name, title, says string
	list              indexing.CaseList
}{
	{"quiet", "list_quiet", "list_says_quiet", indexing.QuietCases},
	{"next", "list_next", "list_says_next", indexing.NextStepDue},
	{"unevaluated", "list_unevaluated", "list_says_unevaluated", indexing.NotEvaluated},
	{"followup", "list_followup", "list_says_followup", indexing.FollowUpDue},
	{"open", "list_open", "list_says_open", indexing.OpenCases},
}

// casesBody is what the page of cases shows.
type casesBody struct {
	// Lists are those to choose from, and Says what is on the one that is shown, List.
	Lists      []link
	List, Says string
	narrowing
	// Closed: the list is of closed cases.
	Closed  bool
	Cases   []caseRow
	Further string
	// Sorting says how much is not on the lists yet; empty when all is.
	Sorting string
}

// caseRow is a case on a list.
type caseRow struct {
	Number, To, Stage, Lead, Team string
	// Opened, Session, Next, Closed and FollowUp are days; empty where there is none.
	Opened, Session, Next, Closed, FollowUp string
	// Quiet says for how long there was no session, when that is too long. NextLate and FollowUpLate: the day is over.
	Quiet                  string
	NextLate, FollowUpLate bool
}

// cases lists the cases that wait for something.
func (v *visit) cases() error {
	body, q := v.casesAsked()
	rows, next, err := v.casePage(q)
	if err != nil {
		return err
	}
	body.Cases = rows
	if next != "" {
		body.Further = v.To(body.Action, "?", v.casesQuery(body, body.List), "&after=", next)
	}
	if n, err := v.sorting(); err != nil {
		return err
	} else if n > 0 {
		body.Sorting = v.N("sorting", n)
	}
	return v.show("cases", &page{Title: v.T("title_cases"), Body: body})
}

// casesAsked is what the address asks for. What can't be asked for is left out.
func (v *visit) casesAsked() (casesBody, indexing.CasesQuery) {
	chosen := caseLists[0]
	for _, one := range caseLists {
		if one.name == v.QueryParam("list") {
			chosen = one
		}
	}
	q := indexing.CasesQuery{List: chosen.list, Teams: v.cut(access.SeeRecords), Limit: casesShown + 1}
	body := casesBody{List: chosen.name, Says: v.T(chosen.says), narrowing: narrowing{Action: to(v.within.Syncing.Deployment(), "cases"), Kept: []keptField{{"list", chosen.name}}}}
	teams, leads := v.byTeamAndWorker("lead")
	if team := parsed(teams.Value); team != (hlc.ID{}) {
		q.Teams = []hlc.ID{team}
	}
	q.Lead = parsed(leads.Value)
	if day, id, ok := strings.Cut(v.QueryParam("after"), "."); ok {
		if on, err := record.ParseDate(day); err == nil {
			q.After = indexing.CasePlace{Day: on, Record: parsed(id)}
		}
	}
	body.Narrow = []*field{teams, leads}
	body.Closed = q.List == indexing.NotEvaluated || q.List == indexing.FollowUpDue
	for _, one := range caseLists {
		body.Lists = append(body.Lists, link{To: v.To(body.Action, "?", v.casesQuery(body, one.name)), Name: v.T(one.title), Here: one.name == body.List})
	}
	return body, q
}

// casesQuery is a list, narrowed as the one that is shown, as addresses have it.
func (*visit) casesQuery(body casesBody, list string) string {
	query := url.Values{"list": {list}}
	for _, one := range body.Narrow {
		if one.Value != "" {
			query.Set(one.Name, one.Value)
		}
	}
	return query.Encode()
}

// casePage is one page of a list, and where the next goes on; empty when there is none. The query asks for one row more
// than the page has.
func (v *visit) casePage(q indexing.CasesQuery) (rows []caseRow, next string, err error) {
	cases, err := v.within.Indexing.Cases(v.context(), q)
	if err != nil {
		return nil, "", err
	}
	if len(cases) == q.Limit {
		cases = cases[:q.Limit-1]
		last := cases[len(cases)-1].Place()
		next = last.Day.String() + "." + last.Record.String()
	}
	for _, c := range cases {
		rows = append(rows, v.caseRow(c))
	}
	return rows, next, nil
}

// caseRows are the first cases of a list.
func (v *visit) caseRows(q indexing.CasesQuery) ([]caseRow, error) {
	q.Limit++
	rows, _, err := v.casePage(q)
	return rows, err
}

func (v *visit) caseRow(c indexing.ListedCase) caseRow {
	setUp, today := v.within.Syncing.SetUp(), v.today()
	date := func(d record.Date) string {
		if !d.Valid() {
			return ""
		}
		return v.Date(d)
	}
	row := caseRow{Number: c.Number, To: v.To(to(v.within.Syncing.Deployment(), "records", c.Record.String())), Stage: choice(v.terms(), c.Stage), Lead: setUp.Workers[c.Lead].GetName(), Team: setUp.Teams[c.Audience].GetName(),
		Opened: date(c.OpenedOn), Session: date(c.LastSessionOn), Next: date(c.NextDueOn), Closed: date(c.ClosedOn), FollowUp: date(c.FollowupDueOn),
		NextLate: !c.Closed && c.NextDueOn.Valid() && c.NextDueOn < today, FollowUpLate: c.FollowupDueOn.Valid() && c.FollowupDueOn < today}
	if row.Number == "" {
		row.Number = v.T("case_unnumbered")
	}
	if since := max(c.OpenedOn, c.LastSessionOn); !c.Closed && since.Valid() && since.DaysUntil(today) >= indexing.QuietDays {
		row.Quiet = v.N("quiet", int64(since.DaysUntil(today)))
	}
	return row
}
