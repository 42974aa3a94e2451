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

// cut are the teams to which lists are cut, by what the visitor may do: nil for no cut. Who has no team gets none, and not all.
func (v *visit) cut(a access.Action) []hlc.ID {
	all, some := access.Teams(v.person, a)
	if all {
		return nil
	}
	return append([]hlc.ID{}, some...)
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

// router collects what the areas of the pages have.
type router struct {
	routes   []route
	sections []section
	// alarm is what stands first on every page of a deployment; nil when nothing does.
	alarm func(*visit) (*alarm, error)
	// notice is what every page of a deployment says, below the alarm.
	notice func(*visit) (notice, error)
	// search is where the box of the navigation searches; empty when there is none.
	search string
}

// page adds a page to look at.
func (r *router) page(path string, who rule, do func(*visit) error) {
	r.routes = append(r.routes, route{http.MethodGet, path, who, do})
}

// deed adds what is done by sending a form to an address of its own.
func (r *router) deed(path string, who rule, do func(*visit) error) {
	r.routes = append(r.routes, route{http.MethodPost, path, who, do})
}

// form adds a page with a form that is sent to the page's own address.
func (r *router) form(path string, who rule, do func(*visit) error) {
	r.page(path, who, do)
	r.deed(path, who, do)
}

// areas are the parts of the pages: each adds its routes, and its sections to the navigation of a deployment, which stand
// there in this order. Its messages are in messages_AREA.go, and its rows of the test in matrix_AREA_test.go.
var areas = []func(*router){
	entryRoutes,
	homeRoutes,
	rollUpRoutes,
	overviewRoutes,
	alertsRoutes,
	figuresRoutes,
	recordRoutes,
	reviewRoutes,
	settleRoutes,
	teamsRoutes,
	reportRoutes,
	workbookRoutes,
	exportsRoutes,
	casesRoutes,
	supervisionRoutes,
	searchRoutes,
	tabletsRoutes,
	peopleRoutes,
	plannedRoutes,
	historyRoutes,
	closeoutRoutes,
	setUpRoutes,
	auditRoutes,
	eventsRoutes,
	accountRoutes,
	accountsRoutes,
	apiRoutes,
}

func newRouter() *router {
	r := &router{}
	for _, add := range areas {
		add(r)
	}
	return r
}

// pathIn is where the pages of a deployment stand.
const pathIn = "/deployments/:deployment"

// Cookie is the session's cookie; an empty value takes it away.
func Cookie(value string) *http.Cookie {
	c := &http.Cookie{Name: accounts.CookieName, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// handle lets through to a route whom its rule lets through.
func (p *Pages) handle(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := &visit{Pages: p, wording: wordingFor(c.Request(), ""), Context: c, route: r}
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
			v.SetCookie(Cookie(""))
		case err != nil:
			return err
		default:
			v.session, v.wording = &session, wordingFor(v.Request(), session.Account.Language)
		}
		if renewed != "" {
			v.SetCookie(Cookie(renewed))
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
		d, err := v.Deployments.Enter(v.context(), id)
		if err != nil {
			return err
		}
		v.person, v.known = v.personIn(d), v.Live.State(id)
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
