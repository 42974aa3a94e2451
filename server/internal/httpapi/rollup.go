package httpapi

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"levee/server/internal/access"
	"levee/server/internal/rollup"
	"levee/syncproto/problem"
	"levee/syncproto/tally"
)

// mountRollUp adds the route that tells of several deployments.
func (a *api) mountRollUp(h huma.API) {
	route(h, access.SeeTotals, "rollup", "Several deployments together, by place, and how persons were counted. It is for who sees all totals of two or more, and so for sessions alone: an API token is of one deployment", a.rollUp)
}

// RollUpAsked says which places are wanted.
type RollUpAsked struct {
	Asked
	Level string `query:"level" enum:"province,city,county,town,village" doc:"The level of the places; the one right below below, or province, when absent."`
	Below string `query:"below" pattern:"^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9})$" doc:"Only places within the one with this code."`
}

type rollUpBody struct {
	Figures     []figureView         `json:"figures" nullable:"false" doc:"What the rows hold, in the common words."`
	Deployments []rollUpStandingView `json:"deployments" nullable:"false" doc:"Those that are told of, by name."`
	Linked      [][]string           `json:"linked" nullable:"false" doc:"Ids of the deployments, divided: among those of one division a person who is registered in several counts once; between divisions nothing tells, and persons are added up."`
	Whole       rollUpRowView        `json:"whole" doc:"All of below, or all there is."`
	Rows        []rollUpRowView      `json:"rows" nullable:"false" doc:"The places of the level, by their codes."`
	Truncated   bool                 `json:"truncated" doc:"Whether there are more rows than an answer holds."`
	Targets     []rollUpTargetView   `json:"targets" nullable:"false" doc:"Targets of places within below, by deployment."`
	Moving      bool                 `json:"moving" doc:"Whether records came in while it was counted, each time that this was tried: then persons may lack some of the newest."`
}

type rollUpStandingView struct {
	ID           string           `json:"id" format:"uuid"`
	Name         string           `json:"name" example:"鹤壁、新乡灾后社会工作服务"`
	AsOf         string           `json:"as_of" format:"date" doc:"The last day that counts."`
	Completeness completenessView `json:"completeness"`
}

type rollUpRowView struct {
	Code     string           `json:"code" doc:"Code of the place; empty for all there is." example:"410621"`
	Label    textView         `json:"label"`
	Reported map[string]int64 `json:"reported" nullable:"false" doc:"Figures by their names. Persons are distinct within the row, as far as the rule goes."`
	Verified map[string]int64 `json:"verified" nullable:"false" doc:"As reported, of what is verified."`
	Persons  string           `json:"persons" enum:"alone,once,added" doc:"How persons were counted: all are of one deployment; once across deployments that share a linkage key; or added up, so that somebody may count more than once. Those known by number only are always added up."`
	Stations stationsView     `json:"stations"`
	Parts    []rollUpPartView `json:"parts" nullable:"false" doc:"What each deployment gives; who gives nothing has none."`
}

type rollUpPartView struct {
	Deployment string           `json:"deployment" format:"uuid"`
	Reported   map[string]int64 `json:"reported" nullable:"false"`
	Verified   map[string]int64 `json:"verified" nullable:"false"`
	Stations   stationsView     `json:"stations"`
}

type stationsView struct {
	Active    int64 `json:"sites_active" doc:"Sites at which anything was done, as reported."`
	Planned   int64 `json:"sites_planned" doc:"Sites that were chosen and are not yet open."`
	Qualified int64 `json:"workers_qualified" doc:"Workers of teams there with a qualification."`
}

type rollUpTargetView struct {
	Deployment string   `json:"deployment" format:"uuid"`
	Place      string   `json:"place_code" example:"410621"`
	Label      textView `json:"label"`
	Figure     string   `json:"figure" example:"sites_active"`
	Value      int64    `json:"value" doc:"How much is expected."`
	Done       int64    `json:"done" doc:"How much there is now, as reported; also of what came after the day."`
	DueOn      string   `json:"due_on,omitempty" format:"date" doc:"By when: without a day of its own, the deployment's last one."`
	Passed     bool     `json:"passed" doc:"Whether that day is over."`
}

func (a *api) rollUp(ctx context.Context, in *RollUpAsked) (*answer[rollUpBody], error) {
	out := &answer[rollUpBody]{Status: http.StatusOK, Language: languageOf(in.AcceptLanguage)}
	members := a.Deployments.Together(callerOf(ctx).Person)
	if len(members) == 0 {
		return nil, a.refusal(problem.New(problem.NotFound), in.Asked)
	}
	versions := sha256.New() // of all, read before what they stand for
	for _, m := range members {
		v, err := m.Progress.Version(ctx)
		if err != nil {
			return nil, a.refusal(err, in.Asked)
		}
		_, _ = fmt.Fprintf(versions, "%v %x %x %x\n", m.ID(), v.Position, v.Contact, int32(v.Day))
	}
	if out.ETag = fmt.Sprintf(`W/"%x-%s"`, versions.Sum(nil)[:12], out.Language); matches(in.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	r, err := rollup.Of(ctx, members, rollup.Query{Level: in.Level, Below: in.Below})
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	out.Body = viewRollUp(r)
	return out, nil
}

func viewRollUp(r *rollup.RollUp) rollUpBody {
	v := rollUpBody{Figures: viewFigures(r.Figures), Deployments: []rollUpStandingView{}, Linked: [][]string{}, Whole: viewRollUpRow(r.Whole), Rows: []rollUpRowView{},
		Truncated: r.Truncated, Targets: []rollUpTargetView{}, Moving: r.Moving}
	for _, d := range r.Deployments {
		v.Deployments = append(v.Deployments, rollUpStandingView{d.ID.String(), d.Name, d.AsOf.String(), viewCompleteness(d.Completeness)})
	}
	for _, division := range r.Linked {
		ids := []string{}
		for _, id := range division {
			ids = append(ids, id.String())
		}
		v.Linked = append(v.Linked, ids)
	}
	for _, row := range r.Rows {
		v.Rows = append(v.Rows, viewRollUpRow(row))
	}
	for _, t := range r.Targets {
		v.Targets = append(v.Targets, rollUpTargetView{t.Deployment.String(), t.Place, textView(t.Label), t.Figure, t.Expected, t.Done, dateText(t.Due), t.Passed})
	}
	return v
}

func viewRollUpRow(row rollup.Row) rollUpRowView {
	v := rollUpRowView{Code: row.Key, Label: textView(row.Label), Reported: viewValues(row.Values, tally.Reported), Verified: viewValues(row.Values, tally.Verified),
		Persons: string(row.Persons), Stations: viewStations(row.Stations), Parts: []rollUpPartView{}}
	for _, p := range row.Parts {
		v.Parts = append(v.Parts, rollUpPartView{p.Deployment.String(), viewValues(p.Values, tally.Reported), viewValues(p.Values, tally.Verified), viewStations(p.Stations)})
	}
	return v
}

func viewStations(s rollup.Stations) stationsView {
	return stationsView{s.Active, s.Planned, s.Qualified}
}

// viewValues are the figures of a basis; none is an empty map.
func viewValues(of rollup.Values, basis tally.Basis) map[string]int64 {
	if figures := of[basis]; figures != nil {
		return figures
	}
	return map[string]int64{}
}
