package webui_test

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/server/internal/webui"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
)

// The visitors of the matrix, in the order of its columns. All but the last three work in the deployment that the addresses
// name; lead and supervisor have the team to which worker and tablet belong, the external supervisor too, the other
// supervisor the other team.
var visitors = []string{"nobody", "field worker", "team lead", "supervisor", "other supervisor", "external supervisor", "coordinator", "coordinator elsewhere", "administrator"}

const (
	yes = http.StatusOK
	in  = http.StatusSeeOther            // of a deed: it is done, and one is led on; of nobody: to signing in
	bad = http.StatusUnprocessableEntity // let through; the empty form is shown again
	no  = http.StatusForbidden
	hid = http.StatusNotFound
)

// matrix is what each visitor is answered, by route.
var matrix = map[string][9]int{
	"GET /":                 {in, yes, yes, yes, yes, yes, yes, yes, yes},
	"GET /set-up":           {hid, hid, hid, hid, hid, hid, hid, hid, hid}, // there are accounts already
	"POST /set-up":          {hid, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /sign-in":          {yes, in, in, in, in, in, in, in, in},
	"POST /sign-in":         {bad, bad, bad, bad, bad, bad, bad, bad, bad},
	"GET /invitation":       {yes, yes, yes, yes, yes, yes, yes, yes, yes},
	"POST /invitation":      {bad, bad, bad, bad, bad, bad, bad, bad, bad},
	"POST /invitation/join": {in, bad, bad, bad, bad, bad, bad, bad, bad},
	"GET /reset":            {yes, yes, yes, yes, yes, yes, yes, yes, yes},
	"POST /reset":           {bad, bad, bad, bad, bad, bad, bad, bad, bad},

	"GET /deployments/new":                                       {in, hid, hid, hid, hid, hid, hid, hid, yes},
	"POST /deployments/new":                                      {in, hid, hid, hid, hid, hid, hid, hid, bad},
	"GET /deployments/:deployment":                               {in, yes, yes, yes, yes, yes, yes, hid, yes},
	"GET /deployments/:deployment/sites/:site":                   {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/sites/:site":                  {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/teams/:team":                   {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/teams/:team":                  {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/workers/:worker":               {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/workers/:worker":              {in, no, no, no, no, no, bad, hid, no},
	"POST /deployments/:deployment/workers/:worker/invitation":   {in, no, no, no, no, no, in, hid, no},
	"POST /deployments/:deployment/workers/:worker/code":         {in, no, no, in, no, no, in, hid, no},
	"GET /deployments/:deployment/codes/:shown":                  {in, hid, hid, hid, hid, hid, hid, hid, hid}, // another's code
	"GET /deployments/:deployment/codes/:shown/image":            {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/tablets":                       {in, hid, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/tablets/:device/name":          {in, hid, no, yes, hid, no, yes, hid, hid},
	"POST /deployments/:deployment/tablets/:device/name":         {in, hid, no, bad, hid, no, bad, hid, hid},
	"GET /deployments/:deployment/tablets/:device/replacement":   {in, hid, no, yes, hid, no, yes, hid, hid},
	"POST /deployments/:deployment/tablets/:device/replacement":  {in, hid, no, in, hid, no, in, hid, hid},
	"POST /deployments/:deployment/tablets/:device/confirmation": {in, hid, no, no, no, no, in, hid, hid},
	"GET /deployments/:deployment/tablets/:device/revocation":    {in, hid, no, yes, hid, no, yes, hid, hid},
	"POST /deployments/:deployment/tablets/:device/revocation":   {in, hid, no, in, hid, no, in, hid, hid},
	"GET /deployments/:deployment/audit":                         {in, hid, hid, hid, hid, hid, yes, hid, hid},

	"GET /account":                           {in, yes, yes, yes, yes, yes, yes, yes, yes},
	"POST /account":                          {in, bad, bad, bad, bad, bad, bad, bad, bad},
	"POST /account/time-code":                {in, in, in, in, in, in, in, in, in},
	"GET /account/time-code/:shown":          {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"POST /account/time-code/:shown":         {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /account/time-code/:shown/image":    {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"POST /account/sign-out-others":          {in, in, in, in, in, in, in, in, in},
	"GET /account/tokens/new":                {in, yes, yes, yes, yes, yes, yes, yes, yes},
	"POST /account/tokens/new":               {in, bad, bad, bad, bad, bad, bad, bad, bad},
	"POST /account/tokens/:token/revocation": {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /shown/:shown":                      {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /accounts":                          {in, hid, hid, hid, hid, hid, hid, hid, yes},
	"POST /accounts/invitation":              {in, hid, hid, hid, hid, hid, hid, hid, in},
	"POST /accounts/:account/reset":          {in, hid, hid, hid, hid, hid, hid, hid, in},
	"POST /accounts/:account/disabled":       {in, hid, hid, hid, hid, hid, hid, hid, in},
	"POST /accounts/:account/enabled":        {in, hid, hid, hid, hid, hid, hid, hid, in},
	"GET /audit":                             {in, hid, hid, hid, hid, hid, hid, hid, yes},
	"GET /assets/:name":                      {yes, yes, yes, yes, yes, yes, yes, yes, yes},
	"POST /sign-out":                         {in, in, in, in, in, in, in, in, in}, // last: it ends the visit
}

// member makes an account that acts as a worker, or as an administrator, and signs it in.
func (s *site) member(login string, i accounts.Invitation) *webtest.Browser {
	s.t.Helper()
	code, err := s.accounts.Invite(s.t.Context(), audit.Actor{}, i)
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.browser("en").Open("/invitation")
	return b.Send("Make the account", webtest.Values("code", code, "name", login, "login", login, "password", password, "again", password)).Is(http.StatusOK)
}

// TestWhoMayOpenWhat goes through every page and every form for everybody. A route without a row fails.
func TestWhoMayOpenWhat(t *testing.T) {
	router := echo.New()
	pages, err := webui.New(webui.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pages.Mount(router)
	var routes []string
	for _, r := range router.Routes() {
		routes = append(routes, r.Method+" "+r.Path)
	}
	slices.Sort(routes)
	for _, r := range routes {
		if _, ok := matrix[r]; !ok {
			t.Errorf("%s has no row in the matrix", r)
		}
	}
	if len(matrix) != len(routes) {
		t.Errorf("the matrix has %d rows for %d routes", len(matrix), len(routes))
	}
	// What ends the visit or the tablet comes last.
	slices.SortStableFunc(routes, func(a, b string) int { return strings.Compare(late(a), late(b)) })
	for column, who := range visitors {
		t.Run(who, func(t *testing.T) {
			s := newSite(t)
			b, params := s.visitor(who)
			b.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			for _, r := range routes {
				method, path, _ := strings.Cut(r, " ")
				for name, value := range params {
					path = strings.ReplaceAll(path, ":"+name, value)
				}
				b.Do(method, path, nil)
				if want := matrix[r][column]; b.Status != want {
					t.Errorf("%s: %d, want %d: %s", r, b.Status, want, b.Text)
				}
			}
		})
	}
}

func late(route string) string {
	switch {
	case strings.HasSuffix(route, "/sign-out"):
		return "3"
	case strings.HasSuffix(route, "/revocation"), strings.HasSuffix(route, "/disabled"):
		return "2"
	case strings.HasSuffix(route, "/enabled"):
		return "2x"
	}
	return "1"
}

// visitor is a browser in which one of the visitors is signed in, and what stands in the addresses.
func (s *site) visitor(who string) (b *webtest.Browser, params map[string]string) {
	s.t.Helper()
	maker := s.coordinator("en")
	d := s.all.All()[0].Syncing
	setUp := d.SetUp()
	var one, other, place hlc.ID
	for id, team := range setUp.Teams {
		if team.GetName() == "一队" {
			one = id
		} else {
			other = id
		}
	}
	for id := range setUp.Sites {
		place = id
	}
	worker := func(name string, role recordv1.Role, team hlc.ID, external bool) hlc.ID {
		id, err := d.NewID()
		if err != nil {
			s.t.Fatal(err)
		}
		m := &recordv1.Worker{Name: &name, Role: role.Enum(), Type: recordv1.WorkerType_WORKER_TYPE_VOLUNTEER.Enum(), External: proto.Bool(external)}
		if team != (hlc.ID{}) {
			m.Team = team[:]
		}
		if err := d.Add(s.t.Context(), []syncing.SetUpRecord{{ID: id, Message: m}}); err != nil {
			s.t.Fatal(err)
		}
		return id
	}
	lina := worker("李娜", recordv1.Role_ROLE_FIELD_WORKER, one, false)
	secret, err := d.NewEnrolmentCode(s.t.Context(), lina, hlc.ID{}, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	tablet, err := d.Enrol(s.t.Context(), &syncv1.EnrolRequest{Protocol: 1, Secret: secret, PublicKey: key, Name: "A8"})
	if err != nil {
		s.t.Fatal(err)
	}
	maker.Open("/deployments/"+d.Deployment().String()).Send("Enrolment code", nil, "李娜")
	params = map[string]string{"deployment": d.Deployment().String(), "site": place.String(), "team": one.String(), "worker": lina.String(), "device": hlc.ID(tablet.GetDevice()).String(),
		"shown": maker.At.Path[strings.LastIndex(maker.At.Path, "/")+1:], "token": lina.String(), "name": "levee.css"}
	all, err := s.accounts.Accounts(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	params["account"] = all[0].ID.String()
	as := func(role recordv1.Role, team hlc.ID, external bool) *webtest.Browser {
		return s.member("visitor", accounts.Invitation{Membership: accounts.Membership{Deployment: d.Deployment(), Worker: worker("visitor", role, team, external)}})
	}
	switch who {
	case "nobody":
		b = s.browser("en")
	case "field worker":
		b = as(recordv1.Role_ROLE_FIELD_WORKER, one, false)
	case "team lead":
		b = as(recordv1.Role_ROLE_TEAM_LEAD, one, false)
	case "supervisor":
		b = as(recordv1.Role_ROLE_SUPERVISOR, one, false)
	case "other supervisor":
		b = as(recordv1.Role_ROLE_SUPERVISOR, other, false)
	case "external supervisor":
		b = as(recordv1.Role_ROLE_SUPERVISOR, one, true)
	case "coordinator":
		b = as(recordv1.Role_ROLE_COORDINATOR, hlc.ID{}, false)
	case "coordinator elsewhere":
		id, coordinator, err := s.makeDeployment(s.t.Context(), audit.Actor{}, webui.NewDeployment{Name: "elsewhere", Start: "2026-02-01", TimeZone: "UTC", Coordinator: "visitor"})
		if err != nil {
			s.t.Fatal(err)
		}
		b = s.member("visitor", accounts.Invitation{Membership: accounts.Membership{Deployment: id, Worker: coordinator}})
	case "administrator":
		b = s.member("visitor", accounts.Invitation{Administrator: true})
	}
	return b, params
}
