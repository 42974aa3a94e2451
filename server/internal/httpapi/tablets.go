package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// Codes are what enrolment codes say besides their secret.
type Codes struct {
	// ServerURL is where tablets reach this server, Pin by what they know it when it signed its certificate itself.
	ServerURL string
	Pin       wire.Pin
	// Life is how long a code is good.
	Life time.Duration
}

// mountTablets adds the routes by which tablets come, change their names and go.
func (a *api) mountTablets(h huma.API) {
	give(h, http.StatusCreated, access.EnrolTablet, "make-code", "/api/enrolment-codes", "Make a code with which one tablet of a worker is let in. It is shown this once", a.makeCode)
	post(h, access.RevokeTablet, "revoke", "/api/devices/{device}/revocation", "Put a tablet out of use for ever, from its next request on. What it still holds unsent is taken and held, then it destroys its key", a.revoke)
	change(h, access.RenameTablet, "rename", "/api/devices/{device}", "Give a tablet another name", a.rename)
}

type makeCodeIn struct {
	Scope
	Body struct {
		Worker   string `json:"worker" format:"uuid" doc:"Whose tablet it is to be."`
		Replaces string `json:"replaces,omitempty" format:"uuid" doc:"A tablet of the same worker, which is revoked when the code is used."`
	}
}

type codeView struct {
	Code      string    `json:"code" doc:"All of it, as it goes into a QR code or is copied." example:"levee1.…"`
	Typed     string    `json:"typed" doc:"The form that is typed by hand, beside the address." example:"ABCDE-FGHJK-…"`
	Address   string    `json:"address" doc:"The server's, as it is typed." example:"10.0.0.5:8410"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *api) makeCode(ctx context.Context, in *makeCodeIn) (*given[codeView], error) {
	view, err := a.newCode(ctx, in)
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	return &given[codeView]{Language: languageOf(in.AcceptLanguage), Body: view}, nil
}

func (a *api) newCode(ctx context.Context, in *makeCodeIn) (codeView, error) {
	d, err := a.enter(ctx, in.Deployment)
	if err != nil {
		return codeView{}, err
	}
	worker, _ := uuid.Parse(in.Body.Worker)     // validated
	replaces, _ := uuid.Parse(in.Body.Replaces) // likewise; empty is the zero id
	if d.Syncing.SetUp().Workers[worker] == nil {
		return codeView{}, problem.New(problem.NotFound)
	}
	if err := mayTablet(ctx, d, worker); err != nil {
		return codeView{}, err
	}
	secret, err := d.Syncing.NewEnrolmentCode(ctx, worker, replaces, a.Codes.Life)
	if err != nil {
		return codeView{}, err
	}
	id := d.Syncing.Deployment()
	entry := audit.Entry{Deployment: id, Actor: callerOf(ctx).Actor(id), Action: audit.CodeMade, Subject: audit.Subject{Kind: audit.OfWorker, ID: worker}}
	if err := a.Audit.Write(ctx, entry); err != nil {
		return codeView{}, err
	}
	code := wire.EnrolmentCode{ServerURL: a.Codes.ServerURL, Deployment: id, Worker: worker, Secret: secret, Pin: a.Codes.Pin}
	return codeView{Code: code.String(), Typed: code.Typed(), Address: wire.TypedAddress(code.ServerURL), ExpiresAt: a.Wall().Add(a.Codes.Life).UTC()}, nil
}

// mayTablet reports whether the caller of a route may do what it does about the tablets of a worker.
func mayTablet(ctx context.Context, d *Deployment, worker hlc.ID) error {
	who := callerOf(ctx)
	action, _ := ctx.Value(actionKey{}).(access.Action)
	of := d.Syncing.Person(worker)
	if err := who.May(d, action, access.Where{Team: of.Team}); err != nil { // the token's scope, too
		return err
	}
	switch access.MayTablet(who.Person(d), action, of, access.Where{}) {
	case access.Yes:
		return nil
	case access.No:
		return problem.New(problem.NotAllowed)
	default:
		return problem.New(problem.NotFound)
	}
}

// tablet carries something out about one tablet, and notes who did it.
func (a *api) tablet(ctx context.Context, s Scope, device string, action audit.Action, what func(*Deployment, hlc.ID) error) (*struct{}, error) {
	return a.do(ctx, s, func(d *Deployment) (audit.Action, audit.Subject, error) {
		id, _ := uuid.Parse(device) // validated
		found, err := d.Syncing.Device(ctx, id)
		if problem.CodeOf(err) == problem.DeviceUnknown {
			err = problem.New(problem.NotFound)
		}
		if err == nil {
			err = mayTablet(ctx, d, found.Worker)
		}
		if err == nil {
			err = what(d, id)
		}
		return action, audit.Subject{Kind: audit.OfDevice, ID: id}, err
	})
}

type tabletIn struct {
	Scope
	Device string `path:"device" format:"uuid" doc:"Id of the tablet, as /api/devices has it."`
}

func (a *api) revoke(ctx context.Context, in *tabletIn) (*struct{}, error) {
	return a.tablet(ctx, in.Scope, in.Device, audit.DeviceRevoked, func(d *Deployment, id hlc.ID) error { return d.Syncing.Revoke(ctx, id) })
}

type renameIn struct {
	Scope
	Device string `path:"device" format:"uuid" doc:"Id of the tablet, as /api/devices has it."`
	Body   struct {
		Name string `json:"name" minLength:"1" maxLength:"100" doc:"At most 100 bytes." example:"王庄一号"`
	}
}

func (a *api) rename(ctx context.Context, in *renameIn) (*struct{}, error) {
	return a.tablet(ctx, in.Scope, in.Device, audit.DeviceRenamed, func(d *Deployment, id hlc.ID) error { return d.Syncing.Rename(ctx, id, in.Body.Name) })
}
