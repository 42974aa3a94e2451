package webui

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

type action string

const (
	seeSetUp      action = "see_set_up"
	editSetUp     action = "edit_set_up"
	seeDevices    action = "see_devices"
	enrolTablet   action = "enrol_tablet"
	renameTablet  action = "rename_tablet"
	revokeTablet  action = "revoke_tablet"
	confirmTablet action = "confirm_tablet"
	inviteWorker  action = "invite"
	seeAudit      action = "see_audit"
)

const notAllowed problem.Code = "not_allowed"

func mayDo(p access.Person, a action, team hlc.ID) error {
	own := team == p.Team || team == hlc.ID{}
	switch {
	case p.Worker == hlc.ID{}:
		return problem.New(problem.NotFound)
	case p.Role == recordv1.Role_ROLE_COORDINATOR || a == seeSetUp:
		return nil
	case (a == seeDevices || a == enrolTablet || a == renameTablet || a == revokeTablet) && p.Role == recordv1.Role_ROLE_SUPERVISOR && own:
		return nil
	case p.Role == recordv1.Role_ROLE_SUPERVISOR && !own:
		return problem.New(problem.NotFound)
	}
	return problem.New(notAllowed)
}

// may reports whether the visitor may do something to what belongs to a team of the deployment.
func (v *visit) may(a action, team hlc.ID) bool { return mayDo(v.person, a, team) == nil }

// must is the problem that the visitor has who may not.
func (v *visit) must(a action, team hlc.ID) error { return mayDo(v.person, a, team) }

// rule says who may open a page.
type rule struct {
	// anyone: without signing in, too.
	anyone bool
	// administrators alone.
	administrators bool
	// action is what the visitor must be allowed in the deployment that the address names.
	action action
}

var (
	anyone         = rule{anyone: true}
	signedIn       = rule{}
	administrators = rule{administrators: true}
)

func within(a action) rule { return rule{action: a} }

// route is one page, or what one form does.
type route struct {
	method, path string
	rule         rule
	do           func(*visit) error
}

// Paths that others lead to.
const (
	pathSignIn     = "/sign-in"
	pathSetUp      = "/set-up"
	pathInvitation = "/invitation"
	pathReset      = "/reset"
	pathIn         = "/deployments/:deployment"
)

var routes []route

func init() { //nolint:gochecknoinits // the handlers look the routes up themselves
	page := func(path string, r rule, do func(*visit) error) {
		routes = append(routes, route{http.MethodGet, path, r, do})
	}
	form := func(path string, r rule, do func(*visit) error) {
		page(path, r, do)
		routes = append(routes, route{http.MethodPost, path, r, do})
	}
	deed := func(path string, r rule, do func(*visit) error) {
		routes = append(routes, route{http.MethodPost, path, r, do})
	}
	page("/", signedIn, (*visit).home)
	form(pathSetUp, anyone, (*visit).setUp)
	form(pathSignIn, anyone, (*visit).signIn)
	deed("/sign-out", anyone, (*visit).signOut)
	form(pathInvitation, anyone, (*visit).invitation)
	deed("/invitation/join", signedIn, (*visit).join)
	form(pathReset, anyone, (*visit).reset)

	form("/deployments/new", administrators, (*visit).newDeployment)
	page(pathIn, within(seeSetUp), (*visit).people)
	form(pathIn+"/sites/:site", within(editSetUp), (*visit).site)
	form(pathIn+"/teams/:team", within(editSetUp), (*visit).team)
	form(pathIn+"/workers/:worker", within(editSetUp), (*visit).worker)
	deed(pathIn+"/workers/:worker/invitation", within(inviteWorker), (*visit).inviteWorker)
	deed(pathIn+"/workers/:worker/code", within(seeSetUp), (*visit).makeCode)
	page(pathIn+"/codes/:shown", within(seeSetUp), (*visit).code)
	page(pathIn+"/codes/:shown/image", within(seeSetUp), (*visit).codeImage)
	page(pathIn+"/tablets", within(seeDevices), (*visit).tablets)
	form(pathIn+"/tablets/:device/name", within(seeDevices), (*visit).renameTablet)
	form(pathIn+"/tablets/:device/replacement", within(seeDevices), (*visit).replaceTablet)
	form(pathIn+"/tablets/:device/revocation", within(seeDevices), (*visit).revokeTablet)
	deed(pathIn+"/tablets/:device/confirmation", within(confirmTablet), (*visit).confirmTablet)
	page(pathIn+"/audit", within(seeAudit), (*visit).auditIn)

	form("/account", signedIn, (*visit).account)
	deed("/account/time-code", signedIn, (*visit).beginTimeCode)
	form("/account/time-code/:shown", signedIn, (*visit).timeCode)
	page("/account/time-code/:shown/image", signedIn, (*visit).timeCodeImage)
	deed("/account/sign-out-others", signedIn, (*visit).signOutOthers)
	form("/account/tokens/new", signedIn, (*visit).newToken)
	deed("/account/tokens/:token/revocation", signedIn, (*visit).revokeToken)
	page("/shown/:shown", signedIn, (*visit).shown)

	page("/accounts", administrators, (*visit).accounts)
	deed("/accounts/invitation", administrators, (*visit).inviteAdministrator)
	deed("/accounts/:account/reset", administrators, (*visit).resetAccount)
	deed("/accounts/:account/disabled", administrators, (*visit).disable)
	deed("/accounts/:account/enabled", administrators, (*visit).enable)
	page("/audit", administrators, (*visit).auditOfServer)
}

// CookieName is that of the session's cookie: sent over TLS or to this machine alone, and to no other host.
const CookieName = "__Host-levee"

// cookie is the session's cookie; an empty value takes it away.
func cookie(value string) *http.Cookie {
	c := &http.Cookie{Name: CookieName, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// handle lets through to a route whom its rule lets through, and answers with a page whatever goes wrong.
func (p *pages) handle(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := &visit{pages: p, words: wordsFor(c.Request(), ""), Context: c, route: r}
		// What is shown is for who is signed in now, and in no cache.
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		err := v.enter()
		if err == nil {
			err = r.do(v)
		}
		switch {
		case err == nil:
			return nil
		case problem.CodeOf(err) == problem.Unauthenticated && v.session == nil:
			return v.Redirect(http.StatusSeeOther, v.To(v.toSignIn()))
		}
		return v.problem(err)
	}
}

// enter finds out who visits, and refuses whom the route's rule refuses.
func (v *visit) enter() error {
	if c, err := v.Request().Cookie(CookieName); err == nil {
		session, renewed, err := v.Accounts.Authenticate(v.context(), c.Value)
		switch {
		case problem.CodeOf(err) == problem.Unauthenticated:
			v.SetCookie(cookie(""))
		case err != nil:
			return err
		default:
			v.session, v.words = &session, wordsFor(v.Request(), session.Account.Language)
		}
		if renewed != "" {
			v.SetCookie(cookie(renewed))
		}
	}
	rule := v.route.rule
	switch {
	case rule.anyone:
		return nil
	case v.session == nil:
		return problem.New(problem.Unauthenticated)
	case rule.administrators && !v.session.Account.Administrator:
		return problem.New(notAllowed)
	case rule.action == "":
		return nil
	}
	id, err := v.id("deployment")
	if err != nil {
		return err
	}
	d, ok := v.Deployments()[id]
	worker := v.session.Account.In(id)
	if !ok || worker == (hlc.ID{}) {
		return problem.New(problem.NotFound)
	}
	v.within, v.person, v.zone = &d, d.Syncing.Person(worker), d.Syncing.SetUp().Location
	if v.zone == nil {
		v.zone = time.UTC
	}
	return v.must(rule.action, hlc.ID{})
}

// toSignIn leads to where one signs in, and from there back to what was asked for, if that was to be looked at.
func (v *visit) toSignIn() string {
	to := v.Request().URL.Path
	if v.posted() || to == "/" {
		return pathSignIn
	}
	return pathSignIn + "?next=" + url.QueryEscape(to)
}
