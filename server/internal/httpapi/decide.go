package httpapi

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	recordv1 "levee/syncproto/levee/record/v1"
)

// mountDecisions adds the routes by which a coordinator settles what a set-back, or a tablet, left to be decided.
func (a *api) mountDecisions(h huma.API) {
	post(h, "decide", "/api/held/{change}/decision", "Have a held change applied after all, or decide that it never is. What is decided is a record, which tablets see", a.decide)
	post(h, "confirm", "/api/devices/{device}/confirmation", "Let a tablet sync again that came back after a restore, and is known by its certificate alone", a.confirm)
}

// post adds a route that changes something and answers nothing.
func post[I any](h huma.API, id, path, summary string, handler func(context.Context, *I) (*struct{}, error)) {
	huma.Register(h, huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, DefaultStatus: http.StatusNoContent, MaxBodyBytes: 16 << 10,
		Responses: map[string]*huma.Response{"default": {Description: "What is wrong, as RFC 9457 has it.", Content: map[string]*huma.MediaType{
			problemType: {Schema: h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[problemBody](), true, "Problem")},
		}}},
	}, handler)
}

type decideIn struct {
	Scope
	Change string `path:"change" format:"uuid" doc:"Id of the held change, as /api/held has it."`
	Body   struct {
		Decision string `json:"decision" enum:"release,discard" doc:"release applies the change; it is judged as if the worker had written it."`
		Worker   string `json:"worker" format:"uuid" doc:"Id of the lead, supervisor or coordinator who decides."`
		Reason   string `json:"reason,omitempty" maxLength:"500" doc:"Why, for those who read it later. No personal data."`
	}
}

func (a *api) decide(ctx context.Context, in *decideIn) (*struct{}, error) {
	lang := languageOf(in.AcceptLanguage)
	d, err := a.find(in.Deployment)
	if err == nil {
		change, _ := uuid.Parse(in.Change) // validated
		worker, _ := uuid.Parse(in.Body.Worker)
		decision := recordv1.Decision_DECISION_DISCARD
		if in.Body.Decision == "release" {
			decision = recordv1.Decision_DECISION_RELEASE
		}
		err = d.Syncing.Decide(ctx, change, decision, worker, in.Body.Reason)
	}
	if err != nil {
		return nil, bodyOf(a.toProblem(err), lang)
	}
	return nil, nil
}

type confirmIn struct {
	Scope
	Device string `path:"device" format:"uuid" doc:"Id of the tablet, as /api/devices has it."`
}

func (a *api) confirm(ctx context.Context, in *confirmIn) (*struct{}, error) {
	lang := languageOf(in.AcceptLanguage)
	d, err := a.find(in.Deployment)
	if err == nil {
		device, _ := uuid.Parse(in.Device) // validated
		err = d.Syncing.Confirm(ctx, device)
	}
	if err != nil {
		return nil, bodyOf(a.toProblem(err), lang)
	}
	return nil, nil
}
