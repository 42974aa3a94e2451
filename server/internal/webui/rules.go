package webui

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/server/internal/httpapi"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// where is what belongs to a team of the deployment; Everyone when to none.
func (v *visit) where(team hlc.ID) access.Where {
	return access.Where{Team: team, Foreign: v.within == nil, Closed: v.within != nil && v.within.Syncing.SetUp().Closed()}
}

// may reports whether the visitor may do something to what belongs to a team of the deployment.
func (v *visit) may(a access.Action, team hlc.ID) bool {
	return access.May(v.person, a, v.where(team)) == access.Yes
}

// must is the problem that the visitor has who may not.
func (v *visit) must(a access.Action, team hlc.ID) error {
	return refusal(access.May(v.person, a, v.where(team)))
}

func refusal(a access.Answer) error {
	switch a {
	case access.Yes:
		return nil
	case access.No:
		return problem.New(problem.NotAllowed)
	default:
		return problem.New(problem.NotFound)
	}
}

// rule says who may open a page: whom package access lets do the action, in the deployment that the address names if it
// names one. An empty action is for anyone, signed in or not.
type rule = access.Action

const anyone rule = ""

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
	page("/", access.OwnAccount, (*visit).home)
	form(pathSetUp, anyone, (*visit).setUp)
	form(pathSignIn, anyone, (*visit).signIn)
	deed("/sign-out", anyone, (*visit).signOut)
	form(pathInvitation, anyone, (*visit).invitation)
	deed("/invitation/join", access.OwnAccount, (*visit).join)
	form(pathReset, anyone, (*visit).reset)

	form("/deployments/new", access.MakeDeployment, (*visit).newDeployment)
	page(pathIn, access.SeeSetUp, (*visit).people)
	form(pathIn+"/sites/:site", access.EditSetUp, (*visit).site)
	form(pathIn+"/teams/:team", access.EditSetUp, (*visit).team)
	form(pathIn+"/workers/:worker", access.EditSetUp, (*visit).worker)
	deed(pathIn+"/workers/:worker/invitation", access.SeeSetUp, (*visit).inviteWorker)
	deed(pathIn+"/workers/:worker/code", access.SeeSetUp, (*visit).makeCode)
	page(pathIn+"/codes/:shown", access.SeeSetUp, (*visit).code)
	page(pathIn+"/codes/:shown/image", access.SeeSetUp, (*visit).codeImage)
	page(pathIn+"/tablets", access.SeeDevices, (*visit).tablets)
	form(pathIn+"/tablets/:device/name", access.SeeDevices, (*visit).renameTablet)
	form(pathIn+"/tablets/:device/replacement", access.SeeDevices, (*visit).replaceTablet)
	form(pathIn+"/tablets/:device/revocation", access.SeeDevices, (*visit).revokeTablet)
	deed(pathIn+"/tablets/:device/confirmation", access.ConfirmTablet, (*visit).confirmTablet)
	page(pathIn+"/audit", access.SeeAudit, (*visit).auditIn)

	form("/account", access.OwnAccount, (*visit).account)
	deed("/account/time-code", access.OwnAccount, (*visit).beginTimeCode)
	form("/account/time-code/:shown", access.OwnAccount, (*visit).timeCode)
	page("/account/time-code/:shown/image", access.OwnAccount, (*visit).timeCodeImage)
	deed("/account/sign-out-others", access.OwnAccount, (*visit).signOutOthers)
	form("/account/tokens/new", access.OwnAccount, (*visit).newToken)
	deed("/account/tokens/:token/revocation", access.OwnAccount, (*visit).revokeToken)
	page("/shown/:shown", access.OwnAccount, (*visit).shown)

	page("/accounts", access.SeeAccounts, (*visit).accounts)
	deed("/accounts/invitation", access.ManageAccounts, (*visit).inviteAdministrator)
	deed("/accounts/:account/reset", access.ManageAccounts, (*visit).resetAccount)
	deed("/accounts/:account/disabled", access.ManageAccounts, (*visit).disable)
	deed("/accounts/:account/enabled", access.ManageAccounts, (*visit).enable)
	page("/audit", access.SeeServerAudit, (*visit).auditOfServer)
}

// cookie is the session's cookie; an empty value takes it away.
func cookie(value string) *http.Cookie {
	c := &http.Cookie{Name: accounts.CookieName, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// handle lets through to a route whom its rule lets through.
func (p *Pages) handle(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := &visit{Pages: p, words: wordsFor(c.Request(), ""), Context: c, route: r}
		c.Set(visitKey, v)
		// What is shown is for who is signed in now, and in no cache.
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		err := v.enter()
		if err == nil {
			err = r.do(v)
		}
		if problem.CodeOf(err) == problem.Unauthenticated && v.session == nil {
			return v.Redirect(http.StatusSeeOther, v.To(v.toSignIn()))
		}
		return err
	}
}

// enter finds out who visits, and refuses whom the route's rule refuses.
func (v *visit) enter() error {
	if c, err := v.Request().Cookie(accounts.CookieName); err == nil {
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
	if rule == anyone {
		return nil
	}
	if v.session == nil {
		return problem.New(problem.Unauthenticated)
	}
	v.person.Administrator = v.session.Account.Administrator
	if strings.HasPrefix(v.route.path, pathIn) {
		id, err := v.id("deployment")
		if err != nil {
			return err
		}
		d := v.Deployments.Get(id)
		if d == nil {
			return problem.New(problem.NotFound)
		}
		v.person = v.personIn(d)
		if v.within = d; d.Syncing.SetUp().Location != nil {
			v.zone = d.Syncing.SetUp().Location
		}
	}
	return v.must(rule, access.Everyone)
}

// personIn is as whom the visitor acts in a deployment.
func (v *visit) personIn(d *httpapi.Deployment) access.Person {
	p := access.Person{}
	if worker := v.session.Account.In(d.Syncing.Deployment()); worker != (hlc.ID{}) {
		p = d.Syncing.Person(worker)
	}
	p.Administrator = v.session.Account.Administrator
	return p
}

// toSignIn leads to where one signs in, and from there back to what was asked for, if that was to be looked at.
func (v *visit) toSignIn() string {
	to := v.Request().URL.Path
	if v.posted() || to == "/" {
		return pathSignIn
	}
	return pathSignIn + "?next=" + url.QueryEscape(to)
}
