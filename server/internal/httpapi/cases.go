package httpapi

import (
	"context"

	"github.com/google/uuid"

	"levee/server/internal/indexing"
)

// CasesAsked says which cases are wanted.
type CasesAsked struct {
	Scope
	List string `query:"list" default:"open" enum:"open,quiet,next,followup,unevaluated" doc:"open: all open ones. quiet: without a session for seven days. next: the next step is overdue. followup: closed, and the follow-up visit is overdue. unevaluated: closed without a session of evaluation."`
	Team string `query:"team" format:"uuid" doc:"Only those of this team."`
	Lead string `query:"lead" format:"uuid" doc:"Only those that this worker leads."`
	DayPaging
}

// caseLists are the lists of cases by their names.
var caseLists = map[string]indexing.CaseList{"open": indexing.OpenCases, "quiet": indexing.QuietCases, "next": indexing.NextStepDue, "followup": indexing.FollowUpDue, "unevaluated": indexing.NotEvaluated}

type casesBody struct {
	Cases    []caseView `json:"cases" nullable:"false" doc:"Who waits longest first."`
	Unsorted uint64     `json:"unsorted" doc:"Changes that are not on the list yet; 0 when it is up to date."`
	Next     string     `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one."`
}

type caseView struct {
	ID            string    `json:"id" format:"uuid"`
	Number        string    `json:"number,omitempty" doc:"case_no."`
	Day           string    `json:"day" format:"date" doc:"The one that matters on the list: since when it is open or quiet, or when something was due."`
	Team          namedView `json:"team"`
	Lead          namedView `json:"lead"`
	Stage         string    `json:"stage" enum:"unknown,intake,assessment,planning,intervention,evaluation,closure"`
	Closed        bool      `json:"closed"`
	OpenedOn      string    `json:"opened_on,omitempty" format:"date"`
	LastSessionOn string    `json:"last_session_on,omitempty" format:"date" doc:"The newest day on which a session was held."`
	NextDueOn     string    `json:"next_due_on,omitempty" format:"date"`
	ClosedOn      string    `json:"closed_on,omitempty" format:"date"`
	FollowupDueOn string    `json:"followup_due_on,omitempty" format:"date" doc:"Absent once the visit was held."`
	Evaluated     bool      `json:"evaluated"`
}

func (a *api) cases(ctx context.Context, in *CasesAsked) (*answer[casesBody], error) {
	return replySorted(ctx, a, in.Scope, func(d *Deployment, _ string) (casesBody, error) {
		body := casesBody{Cases: []caseView{}}
		teams, err := within(ctx, d, in.Team)
		if err != nil {
			return body, err
		}
		if body.Unsorted, err = d.Indexing.Behind(ctx); err != nil {
			return body, err
		}
		lead, _ := uuid.Parse(in.Lead) // validated; empty is the zero id
		day, ids := in.place()
		cases, err := d.Indexing.Cases(ctx, indexing.CasesQuery{List: caseLists[in.List], Teams: teams, Lead: lead, After: indexing.CasePlace{Day: day, Record: ids[0]}, Limit: in.Limit})
		for _, c := range cases {
			body.Cases = append(body.Cases, viewCase(d, c))
		}
		if n := len(cases); n == in.Limit {
			body.Next = placeText(cases[n-1].Day, cases[n-1].Record)
		}
		return body, err
	})
}

func viewCase(d *Deployment, c indexing.ListedCase) caseView {
	setUp, day := d.Syncing.SetUp(), dateText
	return caseView{ID: c.Record.String(), Number: c.Number, Day: day(c.Day), Team: teamIn(setUp, c.Audience), Lead: workerIn(setUp, c.Lead), Stage: choiceText(c.Stage), Closed: c.Closed,
		OpenedOn: day(c.OpenedOn), LastSessionOn: day(c.LastSessionOn), NextDueOn: day(c.NextDueOn), ClosedOn: day(c.ClosedOn), FollowupDueOn: day(c.FollowupDueOn), Evaluated: c.Evaluated}
}
