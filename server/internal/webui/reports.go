package webui

import (
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

const pathReports = pathIn + "/reports"

// reportRoutes are those of reports. A report stays as it was made until it is loaded by hand.
func reportRoutes(r *router) {
	r.page(pathReports, access.SeeTotals, reads((*visit).report))
	r.page(pathReports+"/workers/:worker", access.SeeTotals, reads((*visit).certificate))
	r.section(pathReports, "nav_reports", access.SeeTotals)
}

// reportBody is what the page of a report shows.
type reportBody struct {
	span
	// Workbooks lead to bureaus' Excel files with the report in them, AllWorkbooks to all of these files; empty for who does not see the whole.
	Workbooks    []link
	AllWorkbooks string
	// Text is the report for a group chat. Some: it is of the teams that the visitor sees.
	Text string
	Some bool
	// Heads are what the cells of Figures are: of the period and to date, reported and verified.
	Heads     []string
	Figures   []reportRow
	Divisions []reportTable
	// Rule says what days and hours of work are; Work has a table for each type of workers.
	Rule  string
	Work  []reportTable
	Goods reportTable
	// Stages are the open cases, and Alerts says how many risk alerts there are.
	Stages []cell
	Alerts string
}

// span is the period that a page tells of.
type span struct {
	// Name says which days, Period how long it is in addresses, and Day is the last of them.
	Name, Period, Day string
	Periods           []link
	// Before and After lead to the periods beside it; empty where there is none. Action takes any day.
	Before, After, Action string
}

// reportTable is a table of numbers under a heading; First is what its rows are.
type reportTable struct {
	ID, Title, First string
	Heads            []string
	Rows             []reportRow
}

// reportRow is a row of numbers. To leads to more about it; empty where there is none.
type reportRow struct {
	Name, To string
	Cells    []cell
}

// reportFigures are what divisions of a report tell of.
var reportFigures = []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts", "persons", progress.NewPersons}

// reportAsked is the report of some teams, or of all (nil), that the address asks for; of the usual period unless it says otherwise.
func (v *visit) reportAsked(usual report.Period, teams []hlc.ID) (*report.Report, error) {
	period, day := report.Period(v.QueryParam("period")), record.Date(0)
	if period == "" {
		period = usual
	}
	if text := v.QueryParam("date"); text != "" {
		var err error
		if day, err = record.ParseDate(text); err != nil {
			return nil, problem.New(problem.NotFound)
		}
		if dates := v.within.Reports.Dates(); !dates.Has(day) { // typed by hand: what is nearest
			day = max(min(day, dates.Last()), dates.Start)
		}
	}
	if !slices.Contains(report.Periods, period) {
		return nil, problem.New(problem.NotFound)
	}
	return v.within.Reports.Report(v.context(), period, day, teams)
}

// report shows a day, a week or a month: the text for a group chat, and its figures in tables.
func (v *visit) report() error {
	r, err := v.reportAsked(report.Day, v.cut(access.SeeTotals))
	if err != nil {
		return err
	}
	body := reportBody{span: v.spanOf(r), Text: r.Text(v.Lang(), v.zone), Some: !r.Whole, Rule: v.Either(report.Rule.En, report.Rule.Zh),
		Heads:  []string{v.T("column_done"), v.T("basis_verified"), v.T("column_to_date"), v.T("basis_verified")},
		Alerts: v.T("report_alerts", r.Alerts.Sent, r.Alerts.Open)}
	if body.Workbooks, err = v.fillLinks(r); err != nil {
		return err
	}
	if r.Whole {
		body.AllWorkbooks = v.To(v.toWorkbooks())
	}
	for _, f := range r.Figures {
		row := reportRow{Name: v.label(f.Label)}
		for i, n := range []int64{r.Done.Reported[f.Name], r.Done.Verified[f.Name], r.Total.Reported[f.Name], r.Total.Verified[f.Name]} {
			row.Cells = append(row.Cells, cell{Head: body.Heads[i], Text: v.Number(n)})
		}
		body.Figures = append(body.Figures, row)
	}
	for _, part := range []struct {
		name, title, first string
		rows               []report.Row
	}{
		{"towns", "by_town", "level_town", r.Towns}, {"sites", "by_site", "column_site", r.Sites},
		{"areas", "by_service_area", "column_area", r.ServiceAreas}, {"teams", "by_team", "column_team", r.Teams},
	} {
		if len(part.rows) > 0 {
			body.Divisions = append(body.Divisions, v.reportDivision(r, reportTable{ID: part.name, Title: v.T(part.title), First: v.T(part.first)}, part.rows))
		}
	}
	for _, group := range r.Apart() {
		body.Work = append(body.Work, v.workTable(r, group))
	}
	body.Goods = v.goodsTable(r)
	for _, s := range r.OpenCases.Stages {
		body.Stages = append(body.Stages, cell{Head: v.label(s.Label), Text: v.Number(s.Count)})
	}
	return v.show("report", &page{Title: v.T("title_reports"), Body: body, Script: "copy.js"})
}

func (v *visit) label(l report.Label) string { return v.Either(l.En, l.Zh) }

// periodNames are the names of the messages for the periods.
var periodNames = map[report.Period]string{report.Day: "period_day", report.Week: "period_week", report.Month: "period_month", report.Whole: "period_whole"}

// spanOf says which period a report is of, and leads to others.
func (v *visit) spanOf(r *report.Report) span {
	s := span{Name: v.Date(r.To.Date), Period: string(r.Period), Day: r.To.String(), Action: v.Request().URL.Path}
	if r.From != r.To {
		s.Name = v.T("dates_between", v.Date(r.From.Date), v.Date(r.To.Date))
	}
	at := func(period report.Period, day record.Date) string {
		return v.To(s.Action, "?period=", string(period), "&date=", day.String())
	}
	for _, p := range report.Periods {
		s.Periods = append(s.Periods, link{To: at(p, r.To.Date), Name: v.T(periodNames[p]), Here: p == r.Period})
	}
	if r.Period == report.Whole {
		return s
	}
	dates := v.within.Reports.Dates()
	if before := r.From.AddDays(-1); dates.Has(before) {
		s.Before = at(r.Period, before)
	}
	if after := r.To.AddDays(1); dates.Has(after) {
		s.After = at(r.Period, after)
	}
	return s
}

func (v *visit) reportDivision(r *report.Report, t reportTable, rows []report.Row) reportTable {
	for _, name := range reportFigures {
		head := v.T("column_new_persons")
		if i := slices.IndexFunc(r.Figures, func(f report.Figure) bool { return f.Name == name }); i >= 0 {
			head = v.label(r.Figures[i].Label)
		}
		t.Heads = append(t.Heads, head)
	}
	for _, row := range rows {
		shown := reportRow{Name: v.label(row.Label)}
		for i, name := range reportFigures {
			n := row.Reported[name]
			shown.Cells = append(shown.Cells, cell{t.Heads[i], v.Number(n), n == 0})
		}
		t.Rows = append(t.Rows, shown)
	}
	return t
}

// workTable tells how long the workers of one type worked.
func (v *visit) workTable(r *report.Report, group []report.Worker) reportTable {
	t := reportTable{ID: "work-" + group[0].Type, Title: report.TypeLabel(group[0].Type, v.Lang()), First: v.T("column_worker"), Heads: []string{v.T("column_days"), v.T("column_from_to")}}
	held := reportFigures[1:5]
	for _, name := range held {
		t.Heads = append(t.Heads, v.figureName(name))
	}
	t.Heads = append(t.Heads, v.T("column_hours"))
	for _, w := range group {
		row := reportRow{Name: w.Name, To: v.To(to(r.Deployment, "reports", "workers", w.ID.String()), "?period=", string(r.Period), "&date=", r.To.String()),
			Cells: []cell{{t.Heads[0], v.Number(int64(w.Days)), false}, {t.Heads[1], v.T("dates_between", v.DayAndMonth(w.From.Date), v.DayAndMonth(w.To.Date)), false}}}
		if row.Name == "" {
			row.Name, row.To = v.T("worker_unknown"), ""
		}
		for i, name := range held {
			row.Cells = append(row.Cells, cell{t.Heads[2+i], v.Number(w.Held[name]), w.Held[name] == 0})
		}
		row.Cells = append(row.Cells, cell{t.Heads[len(t.Heads)-1], v.T("hours", w.Minutes/60, w.Minutes%60), false})
		t.Rows = append(t.Rows, row)
	}
	return t
}

// goodsTable tells of goods by their units.
func (v *visit) goodsTable(r *report.Report) reportTable {
	t := reportTable{ID: "goods", Title: v.T("report_goods"), First: v.T("column_unit"),
		Heads: []string{v.T("column_asked"), v.T("column_requested"), v.T("column_matched"), v.T("column_failed"), v.T("column_delivered")}}
	for _, g := range r.Goods {
		row := reportRow{Name: g.Unit}
		if row.Name == "" {
			row.Name = v.T("unit_unknown")
		}
		for i, q := range []report.Quantity{g.AskedFor, g.Requested, g.Matched, g.Failed, g.Delivered} {
			text := v.Number(q.Quantity)
			if q.Yuan > 0 {
				text = v.T("worth", q.Quantity, q.Yuan)
			}
			row.Cells = append(row.Cells, cell{t.Heads[i], text, q.Links == 0})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// certificateBody is what the page of one worker's service shows.
type certificateBody struct {
	span
	// Texts are the certificate in both languages; none where the worker has no day of work in the period.
	Texts []certificateText
	Rule  string
	Back  string
}

type certificateText struct{ Tag, Title, Text, Place string }

// certificate certifies the service of one worker, ready to be printed.
func (v *visit) certificate() error {
	id, err := v.id("worker")
	if err != nil {
		return err
	}
	setUp := v.within.Syncing.SetUp()
	worker := setUp.Workers[id]
	if worker == nil || !v.maySeeWorker(id) {
		return problem.New(problem.NotFound)
	}
	r, err := v.reportAsked(report.Whole, nil) // whoever worked, and wherever: of it the worker's part alone is shown
	if err != nil {
		return err
	}
	body := certificateBody{span: v.spanOf(r), Rule: v.Either(report.Rule.En, report.Rule.Zh),
		Back: v.To(to(r.Deployment, "reports"), "?period=", string(r.Period), "&date=", r.To.String())}
	if i := slices.IndexFunc(r.Workers, func(w report.Worker) bool { return w.ID == id }); i >= 0 {
		for _, w := range []*wording{wordingOf("zh"), wordingOf("en")} {
			body.Texts = append(body.Texts, certificateText{w.Tag(), w.T("title_certificate"), r.Certificate(r.Workers[i], w.Lang()), w.T("certificate_place")})
		}
	}
	return v.show("certificate", &page{Title: v.T("title_certificate_of", worker.GetName()), Body: body})
}
