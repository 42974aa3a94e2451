package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"levee/server/internal/access"
	"levee/server/internal/report"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// mountReports adds the routes that tell of a day, a week or a month.
func (a *api) mountReports(h huma.API) {
	route(h, access.SeeTotals, "report", "What was done in a day, a week, a month, or to date, beside the figures since the start, with a text for a group chat. Who sees some teams alone is told of these", a.report)
}

// ReportAsked says which report is wanted.
type ReportAsked struct {
	Scope
	Period string `query:"period" default:"day" enum:"day,week,month,whole" doc:"Weeks are from Monday to Sunday; whole is all days up to the date."`
	Date   string `query:"date" format:"date" doc:"A day in the period; the last one of the deployment that has come when absent."`
}

// of is the report that is asked for, of some teams, or of all (nil).
func (in *ReportAsked) of(ctx context.Context, d *Deployment, teams []hlc.ID) (*report.Report, error) {
	day, err := dateOf("date", in.Date)
	if err != nil {
		return nil, err
	}
	if dates := d.Reports.Dates(); day != 0 && !dates.Has(day) {
		return nil, problem.Newf(problem.InvalidArgument, "date: from %v to %v", dates.Start, dates.Last())
	}
	return d.Reports.Report(ctx, report.Period(in.Period), day, teams)
}

type reportBody struct {
	report.Report
	Text textView `json:"text" doc:"The report in a few lines, for a group chat."`
}

func (a *api) report(ctx context.Context, in *ReportAsked) (*answer[reportBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (reportBody, error) {
		whole, some := access.Teams(callerOf(ctx).Person(d), access.SeeTotals)
		teams := append([]hlc.ID{}, some...) // none is not all
		if whole {
			teams = nil
		}
		r, err := in.of(ctx, d, teams)
		if err != nil {
			return reportBody{}, err
		}
		zone := d.Syncing.SetUp().Location
		return reportBody{*r, textView{Zh: r.Text("zh", zone), En: r.Text("en", zone)}}, nil
	})
}
