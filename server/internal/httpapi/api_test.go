package httpapi_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/alerting"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/server/internal/export"
	"levee/server/internal/finalreport"
	"levee/server/internal/httpapi"
	"levee/server/internal/importing"
	"levee/server/internal/indexing"
	"levee/server/internal/journal"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/review"
	"levee/server/internal/rollup"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/wire"
)

// surface is a server over a deployment.
type surface struct {
	*servertest.Deployment
	t        testing.TB
	measures *httpapi.Measures
	handler  http.Handler
	url      string

	deployments httpapi.Deployments
	log         *logged
	notReady    error
	atFlush     func() // is called when an answer waits for the disk; nil for nothing

	accounts *accounts.Service
	audit    *audit.Log
	keys     *sessionKeys
	tokens   map[hlc.ID]string // by worker
	exported chan hlc.ID       // is told of exports
	worked   chan hlc.ID       // is told when something is begun, and ended, in the background of a close-out
}

// logged is what a server logs, which it may do while a test reads.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// direct asks with the coordinator's token and without a network: what is logged is there when it returns.
func (s *surface) direct(path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+s.token("coordinator"))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// sessionKeys are the keys of sessions on the web.
type sessionKeys struct{ all []accounts.SessionKey }

func (k *sessionKeys) SessionKeys() []accounts.SessionKey { return k.all }
func (k *sessionKeys) SealKey() []byte                    { return make([]byte, 32) }

// allScopes is what the tests' tokens may be used for.
var allScopes = accounts.Scopes()

// token is an API token of a worker, by name, of the deployment that the surface was made for first.
func (s *surface) token(worker string) string {
	s.t.Helper()
	return s.tokenOf(s.ID, s.Workers[worker])
}

func (s *surface) tokenOf(deployment, worker hlc.ID) string {
	s.t.Helper()
	if text, ok := s.tokens[worker]; ok {
		return text
	}
	text, _, err := s.accounts.NewToken(context.Background(), audit.Actor{}, accounts.NewToken{Name: "test", Membership: accounts.Membership{Deployment: deployment, Worker: worker}, Scopes: allScopes, Life: 100 * 24 * time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	s.tokens[worker] = text
	return text
}

// handle is the handler of a deployment, for requests that need no network.
func handle(t testing.TB, d *servertest.Deployment, others ...*servertest.Deployment) *surface {
	t.Helper()
	// The clock of the tests stands still, so that nothing that was taken comes back.
	many := httpapi.Rate{Burst: 1 << 30, PerSecond: 1}
	return handleWithin(t, httpapi.Limits{Device: many, Address: many, AtOnce: 100, Working: 100, Waiting: 100}, d, others...)
}

// handleWithin is handle with limits.
func handleWithin(t testing.TB, limits httpapi.Limits, d *servertest.Deployment, others ...*servertest.Deployment) *surface {
	t.Helper()
	measures, err := httpapi.NewMeasures()
	if err != nil {
		t.Fatal(err)
	}
	s := &surface{Deployment: d, t: t, measures: measures, log: &logged{}, tokens: map[hlc.ID]string{}, keys: &sessionKeys{}, worked: make(chan hlc.ID, 100)}
	s.audit = audit.New(d.DB, d.Wall)
	deployments := &s.deployments
	for _, d := range append(others, d) {
		alerts := alerting.New(alerting.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
		d.Observe(alerts.Observe)
		figures := progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
		index := indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
		ending := closeout.New(closeout.Config{Syncing: d.Service, Store: d.DB.Deployment(d.ID), Progress: figures, Indexing: index, Audit: s.audit, Key: d.Keys.Signing, Backups: true, Wall: d.Wall,
			Changed: func() { s.worked <- d.ID }, Failed: func(err error) { t.Error(err) }})
		t.Cleanup(ending.Stop)
		deployments.Add(&httpapi.Deployment{Closeout: ending, Final: finalreport.New(finalreport.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), Progress: figures}), Workbooks: d.DB.Deployment(d.ID), Syncing: d.Service, Alerting: alerts, Progress: figures, Reports: report.New(report.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), Progress: figures}),
			Member:    &rollup.Member{Syncing: d.Service, Progress: figures, Store: d.DB.Deployment(d.ID)},
			Indexing:  index,
			Review:    review.New(review.Config{Syncing: d.Service, Store: d.DB.Deployment(d.ID), Audit: s.audit, Wall: d.Wall}),
			Importing: importing.New(importing.Config{Syncing: d.Service, Store: d.DB.Deployment(d.ID), Audit: s.audit, Wall: d.Wall}),
			Casefile:  casefile.New(casefile.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Audit: s.audit})})
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.keys.all = []accounts.SessionKey{{ID: "test", Key: key}}
	// The journal of the server's part lies beside that of the deployment, which has its own file open.
	folder := t.TempDir()
	kept, err := journal.Open(filepath.Join(folder, "accounts"), d.Keys.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kept.Close() })
	if s.accounts, err = accounts.Start(context.Background(), accounts.Config{Store: d.DB, Keys: s.keys, Signing: d.Keys.Signing, Journal: kept.Deployment(hlc.ID{}),
		Wall: d.Wall, Entropy: rand.Reader, Hashing: accounts.Hashing{Memory: 64, Passes: 1, Lanes: 1}}); err != nil {
		t.Fatal(err)
	}
	s.exported = make(chan hlc.ID, 100)
	exports, err := export.NewDesk(export.DeskConfig{Dir: filepath.Join(folder, "exports"), Store: func(hlc.ID) export.Store { return d.DB.Deployment(d.ID) }, Wall: d.Wall,
		Changed: func(id hlc.ID) { s.exported <- id }, Failed: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := exports.Close(); err != nil {
			t.Error(err)
		}
	})
	s.handler, err = httpapi.New(httpapi.Config{Exports: exports, Codes: httpapi.Codes{ServerURL: "https://10.0.0.5:8410", Life: time.Hour}, Deployments: deployments, Accounts: s.accounts, Audit: s.audit, Ready: func(context.Context) error { return s.notReady },
		Durable: func() error {
			if s.atFlush != nil {
				s.atFlush()
			}
			return d.DB.Durable()
		},
		Limits: limits, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, Wall: d.Wall, Stopwatch: d.Wall, Log: slog.New(slog.NewTextHandler(s.log, nil)), Measures: measures})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// catchUp has lists and alerts know all that was pushed: nothing follows the log by itself here.
func (s *surface) catchUp() {
	s.t.Helper()
	d := s.deployments.Get(s.ID)
	if err := errors.Join(d.Indexing.CatchUp(context.Background()), d.Alerting.Refresh(context.Background())); err != nil {
		s.t.Fatal(err)
	}
}

func serve(t testing.TB, d *servertest.Deployment, others ...*servertest.Deployment) *surface {
	t.Helper()
	s := handle(t, d, others...)
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// reply is what came back.
type reply struct {
	Status int
	Header http.Header
}

// password is that of all accounts of the tests.
const password = "correct horse battery"

// signIn makes an account and signs it in: an administrator's when it is to act as nobody.
func (s *surface) signIn(login string, as ...accounts.Membership) (cookie string) {
	s.t.Helper()
	ctx := context.Background()
	first := accounts.Invitation{Administrator: len(as) == 0}
	if len(as) > 0 {
		first.Membership = as[0]
	}
	code, err := s.accounts.Invite(ctx, audit.Actor{}, first)
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := s.accounts.AcceptInvitation(ctx, code, accounts.NewAccount{Login: login, Name: login, Password: password})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range as[min(1, len(as)):] {
		if err := s.accounts.AddMembership(ctx, audit.Actor{}, a.ID, m); err != nil {
			s.t.Fatal(err)
		}
	}
	cookie, _, err = s.accounts.SignIn(ctx, accounts.SignIn{Login: login, Password: password})
	if err != nil {
		s.t.Fatal(err)
	}
	return cookie
}

// get asks with the coordinator's token; headers come in pairs of name and value, and an empty value takes a header away.
func (s *surface) get(path string, headers ...string) (reply, []byte) {
	s.t.Helper()
	return s.ask(http.MethodGet, path, headers...)
}

func (s *surface) ask(method, path string, headers ...string) (reply, []byte) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token("coordinator"))
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header}, body
}

// read asks for what must be there, into a struct that names what is looked at.
func (s *surface) read(path string, into any, headers ...string) reply {
	s.t.Helper()
	response, body := s.get(path, headers...)
	if response.Status != http.StatusOK || response.Header.Get("Content-Type") != "application/json" || response.Header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("%s: %d %v: %s", path, response.Status, response.Header, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		s.t.Fatalf("%s: %v in %s", path, err, body)
	}
	return response
}

// sync lets a tablet pull what is new by the route of tablets.
func (s *surface) sync(v *servertest.Device) {
	s.t.Helper()
	body, err := proto.Marshal(v.Request(nil))
	if err != nil {
		s.t.Fatal(err)
	}
	signed, err := wire.SignToken(v.Key, v.ID, v.Device.ID, body, v.Wall())
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+syncv1connect.SyncServiceSyncProcedure, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+signed)
	request.Header.Set("Content-Type", "application/proto")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if answer, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", response.Status, answer, err)
	}
}

type ProblemBody struct {
	Title, Code, Detail, Incident string
	Status                        int
}

// refused asks for what must be refused.
func (s *surface) refused(path string, code problem.Code, headers ...string) ProblemBody {
	s.t.Helper()
	response, body := s.get(path, headers...)
	var p ProblemBody
	if err := json.Unmarshal(body, &p); err != nil {
		s.t.Fatalf("%s: %v in %s", path, err, body)
	}
	if response.Status != problem.HTTPStatus(code) || p.Status != response.Status || p.Code != string(code) ||
		response.Header.Get("Content-Type") != "application/problem+json" || response.Header.Get("Cache-Control") != "no-store" {
		s.t.Errorf("%s: %d %v: %s, want %s", path, response.Status, response.Header, body, code)
	}
	return p
}

// activity is a community activity and a count of heads at it.
func activity(d *servertest.Device, first uint32) []*record.Change {
	a := d.Make(&recordv1.CommunityActivity{
		Site: d.Sites[0][:], Place: &recordv1.Place{Code: proto.String("410621108"), Edition: proto.Int32(2023)}, Status: recordv1.Status_STATUS_HELD.Enum(),
		Name: proto.String("中秋晚会"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false),
	})
	return []*record.Change{a, d.Make(&recordv1.Headcount{
		Activity: a.Record[:], Counter: d.Worker[:], Zone: proto.String("东区"), Method: recordv1.CountMethod_COUNT_METHOD_ESTIMATED.Enum(), FirstTime: &first, Returning: proto.Uint32(2),
	})}
}

type totals struct {
	AsOf        string `json:"as_of"`
	Recounted   bool
	ServiceDays int `json:"service_days"`
	Figures     []struct {
		Name        string
		Label, Rule struct{ Zh, En string }
	}
	Rows []struct {
		Key, Code          string
		Label              struct{ Zh, En string }
		Reported, Verified map[string]int64
	}
	Completeness struct {
		At                                              time.Time
		Position, Devices, Outstanding, Held, Conflicts int64
		HeardFrom                                       int64 `json:"devices_heard_from"`
	}
}

func TestTotals(t *testing.T) {
	s := serve(t, servertest.New(t))
	anna := s.Enrol("anna")
	anna.Push(activity(anna, 30)...)
	var whole totals
	s.read("/api/totals", &whole)
	want := map[string]int64{"cases": 0, "case_sessions": 0, "group_sessions": 0, "community_activities": 1, "outreach_rounds": 0, "contacts": 32,
		"persons": 30, "beneficiaries": 30, "persons_by_number": 30, "persons_estimated": 30}
	if len(whole.Rows) != 1 || whole.AsOf != "2021-10-01" || whole.ServiceDays != 9 || whole.Recounted {
		t.Fatalf("%+v", whole)
	}
	for name, n := range want {
		if got := whole.Rows[0].Reported[name]; got != n {
			t.Errorf("%s: %d, want %d", name, got, n)
		}
	}
	if len(whole.Rows[0].Reported) != len(want) || len(whole.Rows[0].Verified) != len(want) || whole.Rows[0].Verified["contacts"] != 0 {
		t.Errorf("%+v", whole.Rows[0])
	}
	for _, f := range whole.Figures {
		if f.Label.Zh == "" || f.Label.En == "" || f.Rule.Zh == "" || f.Rule.En == "" {
			t.Errorf("%+v says nothing in one of the languages", f)
		}
	}
	if c := whole.Completeness; c.Devices != 1 || c.HeardFrom != 1 || c.Position == 0 || !c.At.Equal(s.Wall()) {
		t.Errorf("%+v", c)
	}

	var sites totals
	s.read("/api/totals?by=site&basis=reported&figure=beneficiaries,contacts", &sites)
	if len(sites.Rows) != 2 || len(sites.Figures) != 2 {
		t.Fatalf("%+v", sites)
	}
	i := slices.IndexFunc(sites.Rows, func(r struct {
		Key, Code          string
		Label              struct{ Zh, En string }
		Reported, Verified map[string]int64
	}) bool {
		return r.Code == "410621108"
	})
	if r := sites.Rows[i]; r.Label.Zh != "王庄镇" || r.Reported["contacts"] != 32 || r.Reported["beneficiaries"] != 30 || r.Verified != nil {
		t.Errorf("%+v", r)
	}
	if r := sites.Rows[1-i]; r.Reported["contacts"] != 0 || len(r.Reported) != 2 {
		t.Errorf("%+v", r)
	}

	var towns, past totals
	s.read("/api/totals?by=place&below=410621&level=town", &towns)
	if len(towns.Rows) != 1 || towns.Rows[0].Key != "410621108" || towns.Rows[0].Reported["contacts"] != 32 {
		t.Errorf("%+v", towns)
	}
	s.read("/api/totals?as_of=2021-09-30", &past)
	if !past.Recounted || past.AsOf != "2021-09-30" || past.Rows[0].Reported["contacts"] != 0 || past.ServiceDays != 8 {
		t.Errorf("%+v", past)
	}
}

func TestTheSameForAProgramThatKnowsTheDeployment(t *testing.T) {
	one, other := servertest.New(t), servertest.New(t)
	other.ID[15]++ // both are made from one seed
	other.Close()
	other.Open()
	if err := other.Service.Add(context.Background(), []syncing.SetUpRecord{
		{ID: other.ID, Message: &recordv1.Deployment{Name: proto.String("other"), StartOn: proto.Int32(20210923), TimeZone: proto.String("Asia/Shanghai")}},
		{ID: other.Workers["coordinator"], Message: &recordv1.Worker{Name: proto.String("c"), Role: recordv1.Role_ROLE_COORDINATOR.Enum(), Type: recordv1.WorkerType_WORKER_TYPE_EXPERT.Enum()}},
	}); err != nil {
		t.Fatal(err)
	}
	s := serve(t, one, other)
	cookie := s.signIn("both", accounts.Membership{Deployment: one.ID, Worker: one.Workers["coordinator"]}, accounts.Membership{Deployment: other.ID, Worker: other.Workers["coordinator"]})
	by := []string{"Authorization", "", "Cookie", accounts.CookieName + "=" + cookie}
	s.refused("/api/totals", problem.InvalidArgument, by...)
	s.refused("/api/totals?deployment="+hlc.ID{1}.String(), problem.NotFound, by...)
	s.refused("/api/totals?deployment="+other.ID.String(), problem.NotFound) // the token is of one
	s.read("/api/totals", &totals{})                                         // and need not name it
	var answer totals
	s.read("/api/totals?deployment="+one.ID.String(), &answer)
	var list struct {
		Deployments []struct {
			ID, Name string
			StartOn  string `json:"start_on"`
			Sites    []struct{ Name, Code string }
		}
	}
	s.read("/api/deployments", &list, by...)
	if len(list.Deployments) != 2 {
		t.Fatalf("%+v", list)
	}
	if d := list.Deployments[0]; d.ID != one.ID.String() || d.StartOn != "2021-09-23" || len(d.Sites) != 2 || d.Sites[0].Code != "410621108" {
		t.Errorf("%+v", d)
	}
}

func TestRecordsBehindATotal(t *testing.T) {
	s := serve(t, servertest.New(t))
	anna := s.Enrol("anna")
	for range 5 {
		anna.Push(activity(anna, 3)...)
	}
	var sum, rows int64
	for next := ""; ; {
		var page struct {
			Records []struct {
				ID, Kind, Day      string
				Amount             int64
				Site, Team, Author struct{ Name string }
			}
			Next string
		}
		s.read("/api/records?figure=contacts&by=site&key="+s.Sites[0].String()+"&limit=2&after="+next, &page)
		if len(page.Records) > 2 {
			t.Fatalf("%+v", page)
		}
		for _, r := range page.Records {
			if r.Kind != "headcount" || r.Site.Name != "王庄镇" || r.Team.Name != "one" || r.Author.Name != "anna" || r.Day != "2021-10-01" {
				t.Errorf("%+v", r)
			}
			rows, sum = rows+1, sum+r.Amount
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if rows != 5 || sum != 25 {
		t.Errorf("%d records give %d", rows, sum)
	}
}

func TestDevicesHeldAndConflicts(t *testing.T) {
	s := serve(t, servertest.New(t))
	anna, ben, carl := s.Enrol("anna"), s.Enrol("ben"), s.Enrol("carl")
	carl.Push(carl.Make(&recordv1.Case{Team: s.Teams[0][:], CaseNo: proto.String("HN-0007")}))
	made := activity(anna, 3)
	anna.Push(made...)
	anna.Pull()
	ben.Pull()
	s.Pass(time.Minute)
	anna.Push(anna.Edit(made[0].Record, &recordv1.CommunityActivity{Summary: proto.String("写给督导的话甲")}))
	ben.Push(ben.Edit(made[0].Record, &recordv1.CommunityActivity{Summary: proto.String("写给督导的话乙")}))

	var devices struct {
		Devices []struct {
			Name         string
			Worker, Team struct{ Name string }
			Have, Held   int
			LastContact  time.Time `json:"last_contact"`
		}
		Next string
	}
	s.read("/api/devices?limit=2", &devices)
	if len(devices.Devices) != 2 || devices.Devices[0].Name != "anna" || devices.Devices[0].Have != 3 || devices.Devices[0].Held != 0 || devices.Next == "" {
		t.Errorf("%+v", devices)
	}
	s.read("/api/devices?limit=2&after="+devices.Next, &devices)
	if len(devices.Devices) != 1 || devices.Devices[0].Worker.Name != "carl" || devices.Devices[0].Team.Name != "two" || devices.Devices[0].Held != 1 {
		t.Errorf("%+v", devices)
	}

	var held struct {
		Held []struct {
			Kind, Code, Message string
			Worker              struct{ Name string }
		}
		Next uint64
	}
	for _, c := range []struct{ accept, message string }{
		{"", record.Message(record.CodeNotYourTeam, "en")},
		{"en-GB,zh;q=0.5", record.Message(record.CodeNotYourTeam, "en")},
		{"zh-CN,zh;q=0.9,en;q=0.8", record.Message(record.CodeNotYourTeam, "zh")},
		{"fr, zh-Hant;q=0.5", record.Message(record.CodeNotYourTeam, "zh")},
		{";;;,q=q", record.Message(record.CodeNotYourTeam, "en")},
	} {
		s.read("/api/held", &held, "Accept-Language", c.accept)
		if len(held.Held) != 1 || held.Held[0].Kind != "case" || held.Held[0].Code != "not_your_team" || held.Held[0].Worker.Name != "carl" || held.Held[0].Message != c.message {
			t.Errorf("%q: %+v", c.accept, held)
		}
	}
	var conflicts struct {
		Conflicts []struct {
			Record, Kind, Field string
			Sides               []struct{ Author struct{ Name string } }
		}
	}
	s.read("/api/conflicts", &conflicts)
	if len(conflicts.Conflicts) != 1 || conflicts.Conflicts[0].Field != "summary" || conflicts.Conflicts[0].Record != made[0].Record.String() || len(conflicts.Conflicts[0].Sides) != 2 {
		t.Errorf("%+v", conflicts)
	}
	// What people wrote is in no answer.
	for _, path := range []string{"/api/held", "/api/conflicts", "/api/records?figure=cases", "/api/devices", "/metrics"} {
		if _, body := s.get(path); bytes.Contains(body, []byte("写给督导的话")) || bytes.Contains(body, []byte("HN-0007")) {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestWhoHasNoTokenReadsNothing(t *testing.T) {
	s := serve(t, servertest.New(t))
	token := s.token("coordinator")
	for _, path := range []string{"/api/deployments", "/api/figures", "/api/totals", "/api/totals?limit=0", "/api/records", "/api/devices", "/api/held", "/api/conflicts"} {
		for _, header := range []string{"", "Bearer", "Bearer ", "Bearer " + token + "x", "Basic " + token, token} {
			s.refused(path, problem.Unauthenticated, "Authorization", header)
		}
	}
	response, _ := s.get("/api/totals", "Authorization", "")
	if response.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("%v", response.Header)
	}
}

// What is shown may be saved: the disk has it before. A tablet is answered once the disk has what it asked for, whatever others do.
func TestNothingIsShownThatTheDiskDoesNotHave(t *testing.T) {
	s := serve(t, servertest.New(t))
	ben := s.Enrol("ben")
	answer, flushes := httptest.NewRecorder(), 0
	s.atFlush = func() {
		if flushes++; answer.Body.Len() > 0 {
			t.Error("some of it was told before")
		}
	}
	s.sync(ben)
	if flushes != 0 {
		t.Errorf("a tablet waited for %d flushes", flushes)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/totals", nil)
	request.Header.Set("Authorization", "Bearer "+s.token("coordinator"))
	if s.handler.ServeHTTP(answer, request); answer.Code != http.StatusOK || flushes != 1 || answer.Body.Len() == 0 {
		t.Errorf("status %d, %d bytes, after %d flushes", answer.Code, answer.Body.Len(), flushes)
	}
}

func TestWrongParametersAreNamed(t *testing.T) {
	s := serve(t, servertest.New(t))
	for path, parameters := range map[string][]string{
		"/api/totals?by=colour":                                    {"by"},
		"/api/totals?by=colour&basis=hearsay":                      {"by", "basis"},
		"/api/totals?basis=hearsay":                                {"basis"},
		"/api/totals?figure=cases,money":                           {"figure"},
		"/api/totals?figure=cases&by=sex":                          {"figure"},
		"/api/totals?by=place&level=street":                        {"level"},
		"/api/totals?by=place&level=county&below=410621":           {"level"},
		"/api/totals?level=county":                                 {"level"},
		"/api/totals?by=place&below=41062":                         {"below"},
		"/api/totals?by=place&below=" + url.QueryEscape("%"):       {"below"},
		"/api/totals?as_of=yesterday":                              {"as_of"},
		"/api/totals?as_of=2021-02-30":                             {"as_of"},
		"/api/totals?as_of=2021-10-02":                             {"as_of"},
		"/api/totals?heard_since=noon":                             {"heard_since"},
		"/api/totals?deployment=1":                                 {"deployment"},
		"/api/totals?colour=red":                                   {"colour"},
		"/api/records":                                             {"figure"},
		"/api/records?figure=service_days":                         {"figure"},
		"/api/records?figure=cases&limit=201":                      {"limit"},
		"/api/records?figure=cases&limit=0":                        {"limit"},
		"/api/records?figure=cases&after=x":                        {"after"},
		"/api/records?figure=cases&key=" + strings.Repeat("1", 65): {"key"},
		"/api/devices?limit=many":                                  {"limit"},
		"/api/held?after=-1":                                       {"after"},
		"/api/conflicts?after=12":                                  {"after"},
	} {
		p := s.refused(path, problem.InvalidArgument)
		for _, name := range parameters {
			if !regexp.MustCompile(`\b` + name + `(\[\d\])?[:,] `).MatchString(p.Detail) {
				t.Errorf("%s: %+v does not name %s", path, p, name)
			}
		}
	}
	for lang, want := range map[string]string{"zh-CN": problem.Message(problem.InvalidArgument, "zh"), "en": problem.Message(problem.InvalidArgument, "en")} {
		if p := s.refused("/api/totals?by=colour", problem.InvalidArgument, "Accept-Language", lang); p.Title != want {
			t.Errorf("%s: %+v", lang, p)
		}
		if p := s.refused("/api/nothing", problem.NotFound, "Accept-Language", lang); p.Title != problem.Message(problem.NotFound, lang) {
			t.Errorf("%s: %+v", lang, p)
		}
	}
}

func TestAnAnswerThatTheCallerHasIsNotSentAgain(t *testing.T) {
	s := serve(t, servertest.New(t))
	anna := s.Enrol("anna")
	anna.Push(activity(anna, 3)...)
	paths := []string{"/api/totals", "/api/figures", "/api/records?figure=contacts", "/api/devices", "/api/held", "/api/conflicts", "/api/review", "/api/duplicates", "/api/cases", "/api/teams", "/api/planned", "/api/supervision"}
	for _, path := range paths {
		var answer map[string]any
		etag := s.read(path, &answer).Header.Get("ETag")
		if etag == "" {
			t.Fatalf("%s has no ETag", path)
		}
		for _, list := range []string{etag, `"x", ` + etag, strings.TrimPrefix(etag, "W/"), "*"} {
			response, body := s.get(path, "If-None-Match", list)
			if response.Status != http.StatusNotModified || len(body) != 0 || response.Header.Get("ETag") != etag {
				t.Errorf("%s with %s: %d %s", path, list, response.Status, body)
			}
		}
		s.read(path, &answer, "If-None-Match", etag, "Accept-Language", "zh")
		s.read(path, &answer, "If-None-Match", `"x"`)
		anna.Push(activity(anna, 3)...)
		if now := s.read(path, &answer, "If-None-Match", etag).Header.Get("ETag"); now == etag {
			t.Errorf("%s: %s before and after a sync", path, etag)
		}
	}
}

func TestTheDocumentListsEveryRoute(t *testing.T) {
	s := serve(t, servertest.New(t))
	response, body := s.get("/api/openapi.json", "Authorization", "")
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Parameters []struct{ Name, Description string }
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(body, &document); err != nil || response.Status != http.StatusOK || !strings.HasPrefix(document.OpenAPI, "3.1") {
		t.Fatalf("%d: %v", response.Status, err)
	}
	var described, served []string
	for path, methods := range document.Paths {
		for method, operation := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
			for _, p := range operation.Parameters {
				if p.Description == "" {
					t.Errorf("%s: %s is not described", path, p.Name)
				}
			}
		}
	}
	for _, route := range s.handler.(*echo.Echo).Routes() {
		if strings.HasPrefix(route.Path, "/api/") && route.Path != "/api/openapi.json" {
			served = append(served, route.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(route.Path, "{$1}"))
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) || len(served) < 10 {
		t.Errorf("described: %v\nserved: %v", described, served)
	}
	for _, reference := range strings.Split(string(body), `"#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(reference, `"`)
		if document.Components.Schemas[name] == nil {
			t.Errorf("%s is referred to and not there", name)
		}
	}
	for _, path := range []string{"/docs", "/schemas/ProblemBody.json", "/openapi.json", "/openapi.yaml", "/api/openapi.yaml", "/api/openapi-3.0.json"} {
		s.refused(path, problem.NotFound)
	}
}

func TestParametersNameAllFiguresAndDimensions(t *testing.T) {
	s := serve(t, servertest.New(t))
	_, body := s.get("/api/openapi.json")
	var document struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct {
					Name   string
					Schema struct {
						Enum  []string
						Items struct{ Enum []string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	var dimensions, figures []string
	for _, d := range tally.Dimensions() {
		dimensions = append(dimensions, d.String())
	}
	var list struct{ Figures []struct{ Name string } }
	s.read("/api/figures", &list)
	for _, f := range list.Figures {
		if f.Name != progress.ServiceDays {
			figures = append(figures, f.Name)
		}
	}
	for _, path := range []string{"/api/totals", "/api/records"} {
		for _, p := range document.Paths[path].Get.Parameters {
			got := slices.Concat(p.Schema.Enum, p.Schema.Items.Enum)
			if (p.Name == "by" && !slices.Equal(got, dimensions)) || (p.Name == "figure" && !slices.Equal(got, figures)) {
				t.Errorf("%s: %s is one of %v", path, p.Name, got)
			}
		}
	}
	for _, f := range tally.Figures() {
		if !slices.Contains(figures, f.String()) {
			t.Errorf("nobody can ask for %v", f)
		}
	}
}

func TestWhatFailsInsideIsOnlyInTheLog(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	s.token("coordinator")
	if err := d.DB.Close(); err != nil {
		t.Fatal(err)
	}
	p := s.refused("/api/totals", problem.Internal)
	if p.Incident == "" || p.Detail != "" || !strings.Contains(s.log.String(), p.Incident) {
		t.Errorf("%+v, logged: %s", p, s.log)
	}
	s.notReady = errors.New("secret of the inside")
	if p := s.refused("/readyz", problem.Unavailable); strings.Contains(p.Title+p.Detail, "secret") {
		t.Errorf("%+v", p)
	}
}

func TestHealth(t *testing.T) {
	s := serve(t, servertest.New(t))
	for _, path := range []string{"/healthz", "/readyz"} {
		if response, body := s.get(path, "Authorization", ""); response.Status != http.StatusOK || string(body) != "ok\n" {
			t.Errorf("%s: %d %s", path, response.Status, body)
		}
	}
}

func TestMeasures(t *testing.T) {
	s := serve(t, servertest.New(t))
	anna := s.Enrol("anna")
	anna.Push(activity(anna, 3)...)
	s.get("/api/totals")
	s.get("/api/records?figure=secret-of-a-caller")
	s.get("/secret-of-a-caller")
	s.ask("SECRET", "/secret-of-a-caller")
	s.measures.Commit(syncing.Commit{Jobs: 2, Took: 50 * time.Millisecond, Log: []syncing.LogEntry{
		{Outcome: syncing.Applied}, {Outcome: syncing.Applied}, {Outcome: syncing.Known}, {Outcome: string(record.CodeNotYourTeam)}, {Outcome: syncing.NewAudience},
	}})
	s.sync(s.Enrol("ben")) // pulls everything: the set-up, and two records
	_, body := s.get("/metrics", "Authorization", "")
	for _, line := range []string{
		`levee_http_request_seconds_count{method="GET",route="/api/totals",status="200"} 1`,
		`levee_http_request_seconds_count{method="GET",route="/api/records",status="422"} 1`,
		`levee_http_request_seconds_count{method="GET",route="none",status="404"} 1`,
		`levee_http_request_seconds_count{method="other",route="none",status="404"} 1`,
		`levee_devices{deployment="` + s.ID.String() + `"} 2`,
		`levee_outstanding_changes{deployment="` + s.ID.String() + `"} 0`,
		`levee_changes_total{outcome="applied"} 2`,
		`levee_changes_total{outcome="known"} 1`,
		`levee_changes_total{outcome="held"} 1`,
		`levee_commit_batches_bucket{le="1"} 0`,
		`levee_commit_batches_bucket{le="2"} 1`,
		`levee_commit_seconds_bucket{le="0.03"} 0`,
		`levee_commit_seconds_bucket{le="0.1"} 1`,
		`levee_records_pulled_total 13`,
		`levee_http_request_seconds_count{method="POST",route="/levee.sync.v1.SyncService/*",status="200"} 1`,
		`go_goroutines `,
	} {
		if !strings.Contains(string(body), line) {
			t.Errorf("%s is not in\n%s", line, body)
		}
	}
	if strings.Contains(string(body), "secret") || strings.Contains(string(body), "SECRET") {
		t.Errorf("%s", body)
	}
}
