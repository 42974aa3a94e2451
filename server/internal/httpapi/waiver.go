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
	"levee/syncproto/problem"
)

// mountWaivers adds the routes by which what is open is let pass.
func (a *api) mountWaivers(h huma.API) {
	post(h, access.CloseDeployment, "waive", "/api/close-out/waivers", "Let one item of a check pass, or all that it has, with a reason which the certificate carries", a.waive)
	doing(h, http.MethodDelete, access.CloseDeployment, "take-back-waiver", "/api/close-out/waivers/{waiver}", "Take a waiver back, while the deployment is not closed", a.takeBackWaiver)
}

type waiverView struct {
	ID     string    `json:"id" format:"uuid"`
	Reason string    `json:"reason"`
	By     namedView `json:"by"`
	At     time.Time `json:"at"`
}

func viewWaiver(w *closeout.Waiver) *waiverView {
	if w == nil {
		return nil
	}
	return &waiverView{w.ID.String(), w.Reason, viewNamed(w.By), w.At.UTC()}
}

type waiveIn struct {
	Scope
	Body struct {
		Check   string `json:"check" maxLength:"64" example:"open_case"`
		Subject string `json:"subject,omitempty" format:"uuid" doc:"The item; absent for all that the check has. More than that are not waived."`
		Reason  string `json:"reason" minLength:"1" maxLength:"4000" doc:"What was tried, and why it may stay open. No personal data."`
	}
}

func (a *api) waive(ctx context.Context, in *waiveIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		check, ok := closeout.CheckNamed(in.Body.Check)
		if !ok {
			return problem.Newf(problem.InvalidArgument, "check: there is none of this name")
		}
		if d.Closeout.Work().Running() {
			return problem.New(problem.Busy)
		}
		subject, _ := uuid.Parse(in.Body.Subject) // validated; empty is the zero id
		return d.Closeout.Waive(ctx, by, check, subject, in.Body.Reason)
	})
}

func (a *api) takeBackWaiver(ctx context.Context, in *struct {
	Scope
	Waiver string `path:"waiver" format:"uuid" doc:"Id of the waiver."`
}) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		if d.Closeout.Work().Running() {
			return problem.New(problem.Busy)
		}
		id, _ := uuid.Parse(in.Waiver) // validated
		return d.Closeout.TakeBack(ctx, by, id)
	})
}
