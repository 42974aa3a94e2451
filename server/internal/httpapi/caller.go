package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// Caller is who asks: somebody who is signed in, or a program with an API token.
type Caller struct {
	// Session is nil for a program, Token for a person.
	Session *accounts.Session
	Token   *accounts.Token
}

// Caller is who a request comes from; the error is a problem with code unauthenticated when nobody says. A session's cookie
// is replaced in the answer when it is time.
func (c *Config) Caller(w http.ResponseWriter, r *http.Request) (*Caller, error) {
	if text, ok := strings.CutPrefix(r.Header.Get(echo.HeaderAuthorization), "Bearer "); ok {
		token, err := c.Accounts.AuthenticateToken(r.Context(), text)
		if err != nil {
			return nil, err
		}
		return &Caller{Token: &token}, nil
	}
	cookie, err := r.Cookie(accounts.CookieName)
	if err != nil {
		return nil, problem.New(problem.Unauthenticated)
	}
	session, renewed, err := c.Accounts.Authenticate(r.Context(), cookie.Value)
	if err != nil {
		return nil, err
	}
	if renewed != "" {
		http.SetCookie(w, &http.Cookie{Name: accounts.CookieName, Value: renewed, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	return &Caller{Session: &session}, nil
}

// Actor is the caller as the audit log names them.
func (c *Caller) Actor(deployment hlc.ID) audit.Actor {
	if c.Token != nil {
		return c.Token.Actor()
	}
	return c.Session.Actor(deployment)
}

// Person is the caller as posted in a deployment now. An API token is of one deployment, and nobody elsewhere.
func (c *Caller) Person(d *Deployment) access.Person {
	id := d.Syncing.Deployment()
	var worker hlc.ID
	var administrator bool
	switch {
	case c.Token == nil:
		worker, administrator = c.Session.Account.In(id), c.Session.Account.Administrator
	case c.Token.Deployment == id:
		worker = c.Token.Worker
	}
	p := access.Person{Worker: worker}
	if worker != (hlc.ID{}) {
		p = d.Syncing.Person(worker)
	}
	p.Administrator = administrator
	return p
}

// scopeOf is the scope that an API token needs for an action.
func scopeOf(a access.Action) accounts.Scope {
	switch a {
	case access.SeeConfidential, access.SeeIdentity:
		return accounts.ScopeConfidential
	case access.ReviewRecords, access.SettleConflict, access.DecideHeld:
		return accounts.ScopeDecide
	case access.SeeSetUp, access.SeeTotals, access.SeeRecords, access.SeeDevices, access.SeeHeld, access.SeeConflicts, access.Export:
		return accounts.ScopeRead
	default:
		return accounts.ScopeManage
	}
}

// May reports whether the caller may do something at a place of a deployment: nil, or a problem with code not_found or
// not_allowed.
func (c *Caller) May(d *Deployment, a access.Action, at access.Where) error {
	p := c.Person(d)
	at.Foreign = p.Worker == hlc.ID{}
	switch d.Syncing.SetUp().Deployment.GetState() {
	case recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED, recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED:
		at.Closed = true
	}
	switch answer := access.May(p, a, at); {
	case answer == access.Hidden:
		return problem.New(problem.NotFound)
	case answer == access.No, c.Token != nil && !c.Token.May(scopeOf(a)):
		return problem.New(problem.NotAllowed)
	}
	return nil
}

// callerOf is who asks, after authenticate.
func callerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(askerKey{}).(*Caller)
	return c
}

type (
	askerKey  struct{}
	actionKey struct{}
)
