package webui_test

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/httpapi"
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

// matrix is what each visitor is answered, by route; each area has its rows in a file of its own, matrix_AREA_test.go.
func matrix(t *testing.T) map[string][9]int {
	t.Helper()
	all := map[string][9]int{"GET /assets/:name": {yes, yes, yes, yes, yes, yes, yes, yes, yes}}
	for _, area := range []map[string][9]int{
		entryMatrix,
		homeMatrix,
		rollUpMatrix,
		overviewMatrix,
		figuresMatrix,
		recordMatrix,
		reviewMatrix,
		teamsMatrix,
		reportsMatrix,
		workbooksMatrix,
		exportsMatrix,
		casesMatrix,
		supervisionMatrix,
		alertsMatrix,
		searchMatrix,
		peopleMatrix,
		setUpMatrix,
		plannedMatrix,
		historyMatrix,
		settleMatrix,
		tabletsMatrix,
		closeoutMatrix,
		accountMatrix,
		accountsMatrix,
		auditMatrix,
		eventsMatrix,
		apiMatrix,
	} {
		for r, row := range area {
			if _, ok := all[r]; ok {
				t.Errorf("%s has two rows", r)
			}
			all[r] = row
		}
	}
	return all
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
	document, err := httpapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	if err := pages.Mount(router, document); err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, r := range router.Routes() {
		routes = append(routes, r.Method+" "+r.Path)
	}
	slices.Sort(routes)
	matrix := matrix(t)
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
	case strings.HasSuffix(route, "/closeout/backup"), strings.HasSuffix(route, "/closeout/recount"): // while it goes on, nothing else is decided
		return "2y"
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
	maker.Open("/deployments/"+d.Deployment().String()+"/people").Send("Enrolment code", nil, "李娜")
	params = map[string]string{"deployment": d.Deployment().String(), "site": place.String(), "team": one.String(), "worker": lina.String(), "device": hlc.ID(tablet.GetDevice()).String(),
		"shown": maker.At.Path[strings.LastIndex(maker.At.Path, "/")+1:], "token": lina.String(), "name": "levee.css", "sort": "sites", "kind": "outreach", "session": lina.String(), "activity": lina.String(), "export": "none", "edition": "1", "check": "backup", "item": lina.String(), "waiver": lina.String()}
	alert, err := d.NewID()
	if err == nil {
		err = d.Add(s.t.Context(), []syncing.SetUpRecord{{ID: alert, Message: &recordv1.RiskAlert{Team: one[:], Author: lina[:], Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), Done: proto.String("在找")}}})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	params["alert"] = alert.String()
	activity, err := d.NewID()
	if err == nil {
		err = d.Add(s.t.Context(), []syncing.SetUpRecord{{ID: activity, Message: &recordv1.CommunityActivity{Name: proto.String("义诊"), Team: one[:]}}})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	params["record"], params["figure"] = activity.String(), "contacts"
	newest, err := s.all.Get(d.Deployment()).Progress.Version(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	params["position"] = strconv.FormatUint(newest.Position, 10)
	supervision, err := d.NewID()
	if err == nil {
		err = d.Act(s.t.Context(), s.worker(d, "周协调"), syncing.Deed{ID: supervision, Message: &recordv1.Supervision{Team: one[:], Minutes: proto.Uint32(30)}})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	params["supervision"], params["workbook"] = supervision.String(), s.workbook(d.Deployment()).String()
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
