package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// mountAddenda adds the routes by which it is decided on what came after the closing.
func (a *api) mountAddenda(h huma.API) {
	routeAt(h, access.CloseDeployment, "addenda", "/api/close-out/addenda", "What tablets brought after the closing and nobody has decided on, by tablet", a.addenda)
	give(h, http.StatusOK, access.CloseDeployment, "decide-addenda", "/api/close-out/addenda/decision", "Accept or decline changes of addenda. What is accepted moves the totals; the next edition says so", a.decideAddenda)
}

type addendaBody struct {
	Addenda []addendumView `json:"addenda" nullable:"false"`
}

type addendumView struct {
	Device  namedView        `json:"device"`
	Worker  namedView        `json:"worker"`
	Team    namedView        `json:"team"`
	First   time.Time        `json:"first_received_at"`
	Last    time.Time        `json:"last_received_at"`
	New     map[string]int   `json:"new_records" doc:"How many records of each kind would be made."`
	Changes []addedChangeRow `json:"changes" nullable:"false" doc:"In the order in which they came; /api/held/{change} shows what each would set."`
}

type addedChangeRow struct {
	Change   string    `json:"change" format:"uuid"`
	Record   string    `json:"record,omitempty" format:"uuid"`
	Kind     string    `json:"kind" example:"case_session"`
	Makes    bool      `json:"makes" doc:"The record is not there, and would be."`
	Received time.Time `json:"received_at"`
}

func (a *api) addenda(ctx context.Context, in *struct{ Scope }) (*answer[addendaBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (addendaBody, error) {
		body := addendaBody{Addenda: []addendumView{}}
		waiting, err := d.Closeout.Addenda(ctx)
		for _, addendum := range waiting {
			body.Addenda = append(body.Addenda, viewAddendum(addendum))
		}
		return body, err
	})
}

func viewAddendum(of closeout.Addendum) addendumView {
	view := addendumView{Device: viewNamed(of.Device), Worker: viewNamed(of.Worker), Team: viewNamed(of.Team), First: of.First.UTC(), Last: of.Last.UTC(), New: map[string]int{}, Changes: []addedChangeRow{}}
	for kind, n := range of.NewRecords() {
		view.New[kindText(kind)] = n
	}
	for _, h := range of.Changes {
		view.Changes = append(view.Changes, addedChangeRow{h.Change.String(), idText(h.Record), kindText(h.Kind), of.New[h.Record], h.Received.UTC()})
	}
	return view
}

type decideAddendaIn struct {
	Scope
	Body struct {
		Decision string   `json:"decision" enum:"accept,decline"`
		Changes  []string `json:"changes" minItems:"1" maxItems:"400" nullable:"false" doc:"Ids of changes, as /api/close-out/addenda has them; those of a record are taken in the order in which they were made."`
		Reason   string   `json:"reason,omitempty" maxLength:"500" doc:"Needed to decline; the next edition tells it. No personal data."`
	}
}

type leftView struct {
	Left []string `json:"left" nullable:"false" doc:"Changes that can't be applied as they are: they go on waiting."`
}

func (a *api) decideAddenda(ctx context.Context, in *decideAddendaIn) (*given[leftView], error) {
	return ask(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader) (leftView, error) {
		body := leftView{Left: []string{}}
		if d.Closeout.Work().Running() {
			return body, problem.New(problem.Busy)
		}
		changes := make([]hlc.ID, 0, len(in.Body.Changes))
		for _, text := range in.Body.Changes {
			id, err := uuid.Parse(text)
			if err != nil {
				return body, problem.Newf(problem.InvalidArgument, "changes: %q is no id", text)
			}
			changes = append(changes, id)
		}
		left, err := d.Closeout.Decide(ctx, by, in.Body.Decision == "accept", in.Body.Reason, changes)
		for _, id := range left {
			body.Left = append(body.Left, id.String())
		}
		return body, err
	})
}
