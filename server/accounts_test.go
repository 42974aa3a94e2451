package server_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"levee/server"
	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

const password = "correct horse battery"

// empty is a server in an empty folder.
func empty(t *testing.T, config *server.Config) *server.Server {
	t.Helper()
	if config.DB == "" {
		config.DB = filepath.Join(t.TempDir(), "levee.db")
	}
	config.URL = "https://levee.test"
	config.Hashing = accounts.Hashing{Memory: 64, Passes: 1, Lanes: 1}
	s, err := server.New(t.Context(), *config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s *server.Server) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, s *server.Server) string {
	t.Helper()
	l, err := s.SetUpLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A server in an empty folder starts, and goes on to give out a set-up link until somebody used one.
func TestAnEmptyServerIsSetUpByItsLink(t *testing.T) {
	config := &server.Config{}
	s := empty(t, config)
	first := link(t, s)
	base, code, ok := strings.Cut(first, "#")
	if !ok || base != "https://levee.test/set-up" {
		t.Fatal(first)
	}
	stop(t, s)
	s = empty(t, config)
	if again := link(t, s); again == first {
		t.Error("a restart gives the same link")
	}
	a, err := s.Accounts().SetUp(t.Context(), code, accounts.NewAccount{Login: "admin", Name: "管理员", Password: password, Language: "zh"})
	if err != nil || !a.Administrator {
		t.Fatal(a, err)
	}
	if l := link(t, s); l != "" {
		t.Error("there is an account, and another link", l)
	}
	cookie, session, err := s.Accounts().SignIn(t.Context(), accounts.SignIn{Login: "admin", Password: password})
	if err != nil {
		t.Fatal(err)
	}

	// A deployment is made while the server runs, and served at once.
	h := httptest.NewServer(s.Handler())
	defer h.Close()
	list := func() string { return getWithCookie(t, h.URL+"/api/deployments", cookie) }
	if body := list(); body != `{"deployments":[]}` {
		t.Error(body)
	}
	id, err := s.NewDeployment(t.Context(), session.Actor(hlc.ID{}), &server.SetUp{Name: "演练", Start: "2026-01-01", Workers: []server.SetUpWorker{{Name: "周协调", Role: "coordinator"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.NewDeployment(t.Context(), session.Actor(hlc.ID{}), &server.SetUp{Name: "x", Start: "someday"}); err == nil {
		t.Error("what can't be a deployment was made one")
	}
	if body := list(); strings.Count(body, `"id"`) != 1 || !strings.Contains(body, "演练") {
		t.Error(body)
	}
	worker := s.Deployments().Get(id).Syncing.SetUp().WorkerIDs()[0]
	if err := s.Accounts().AddMembership(t.Context(), session.Actor(hlc.ID{}), a.ID, accounts.Membership{Deployment: id, Worker: worker}); err != nil {
		t.Fatal(err)
	}
	if body := getWithCookie(t, h.URL+"/api/audit", cookie); !strings.Contains(body, `"action":"deployment_made","account":"`+a.ID.String()) || !strings.Contains(body, "membership_added") {
		t.Error(body)
	}

	// All of it is there after a restart.
	stop(t, s)
	s = empty(t, config)
	defer stop(t, s)
	if d := s.Deployments().All(); len(d) != 1 || d[0].Syncing.Deployment() != id {
		t.Error(d)
	}
	if _, _, err := s.Accounts().Authenticate(t.Context(), cookie); err != nil {
		t.Error("a restart signed people out", err)
	}
	checked, err := server.Check(t.Context(), config.DB, server.CheckOptions{})
	if err != nil || !checked.OK {
		t.Errorf("%+v %v", checked, err)
	}
}

// A deployment that is said to count the same people as another one shares its linkage key, and coordinators there can read that.
func TestADeploymentOfTheSamePeople(t *testing.T) {
	s := empty(t, &server.Config{})
	defer stop(t, s)
	made := func(name string, samePeople hlc.ID) (hlc.ID, error) {
		return s.NewDeployment(t.Context(), audit.Actor{}, &server.SetUp{Name: name, Start: "2026-01-01", SamePeople: samePeople, Workers: []server.SetUpWorker{{Name: "周协调", Role: "coordinator"}}})
	}
	first, err := made("浚县", hlc.ID{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made("淇县", hlc.ID{1}); problem.CodeOf(err) != problem.InvalidArgument || len(s.Deployments().All()) != 1 {
		t.Errorf("it counts the people of a deployment that is not here: %v", err)
	}
	second, err := made("淇县", first)
	if err != nil {
		t.Fatal(err)
	}
	var all []*syncing.Service
	for _, d := range s.Deployments().All() {
		all = append(all, d.Syncing)
	}
	if linked, err := syncing.Linked(t.Context(), all); err != nil || len(linked) != 1 {
		t.Errorf("linked are %v, %v", linked, err)
	}
	noted, _, err := s.Audit().Page(t.Context(), first, 0, 1)
	if err != nil || len(noted) != 1 || noted[0].Action != audit.DeploymentLinked || noted[0].Subject.ID != second {
		t.Errorf("the first has noted %+v, %v", noted, err)
	}
}

func getWithCookie(t *testing.T, url, cookie string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.AddCookie(&http.Cookie{Name: accounts.CookieName, Value: cookie})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(body))
}

// The code stands in the link alone: behind its #, which is in no request.
func TestTheLogHasNoCodes(t *testing.T) {
	var log strings.Builder
	config := &server.Config{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	s := empty(t, config)
	defer stop(t, s)
	_, code, _ := strings.Cut(link(t, s), "#")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/set-up", nil))
	if code == "" || strings.Contains(log.String(), code) {
		t.Error(log.String())
	}
}

// An empty database in the place of one that was in use is no empty server, though it is sound.
func TestAnEmptyDatabaseInTheWrongPlaceIsRefused(t *testing.T) {
	config := &server.Config{}
	s := empty(t, config)
	_, code, _ := strings.Cut(link(t, s), "#")
	if _, err := s.Accounts().SetUp(t.Context(), code, accounts.NewAccount{Login: "admin", Name: "x", Password: password}); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	other := &server.Config{}
	stop(t, empty(t, other))
	b, err := os.ReadFile(other.DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(config.DB + suffix) // may not be there
	}
	if err := os.WriteFile(config.DB, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = server.New(t.Context(), *config)
	refused(t, err, server.DatabaseGone)
}

// Accounts alone are enough for the keys to be missed.
func TestAccountsWithoutTheirKeysAreNotServed(t *testing.T) {
	config := &server.Config{}
	s := empty(t, config)
	_, code, _ := strings.Cut(link(t, s), "#")
	if _, err := s.Accounts().SetUp(t.Context(), code, accounts.NewAccount{Login: "admin", Name: "x", Password: password}); err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	if err := os.Remove(config.DB + ".keys"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := server.New(t.Context(), *config)
		refused(t, err, server.KeysMissing)
	}
}

// A running server takes up keys that another process rotated, and signs nobody out; a key of which nothing is left goes.
func TestKeysAreRotatedBesideARunningServer(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	config := &server.Config{Wall: func() time.Time { return now }}
	s := empty(t, config)
	defer stop(t, s)
	_, code, _ := strings.Cut(link(t, s), "#")
	if _, err := s.Accounts().SetUp(t.Context(), code, accounts.NewAccount{Login: "admin", Name: "x", Password: password}); err != nil {
		t.Fatal(err)
	}
	cookie, _, err := s.Accounts().SignIn(t.Context(), accounts.SignIn{Login: "admin", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	rotate := func(kept int) {
		t.Helper()
		beside := empty(t, config)
		r, err := beside.RotateKeys(t.Context())
		if err != nil || r.Kept != kept {
			t.Fatal(r, err)
		}
		stop(t, beside)
		ids = append(ids, r.Key)
	}
	good := func(what string) {
		t.Helper()
		_, renewed, err := s.Accounts().Authenticate(context.Background(), cookie)
		if err != nil {
			t.Fatal(what, err)
		}
		if renewed != "" {
			cookie = renewed
		}
	}
	rotate(1)
	good("after a rotation")
	now = now.Add(10 * time.Minute)
	good("signed anew")
	var header struct{ Kid string }
	if err := json.Unmarshal(decode(t, strings.Split(cookie, ".")[0]), &header); err != nil || header.Kid != ids[0] {
		t.Errorf("signed with %q, not %q", header.Kid, ids[0])
	}
	now = now.Add(13 * time.Hour) // nothing that the first key signed is left
	rotate(1)
	if b, err := os.ReadFile(config.DB + ".keys"); err != nil || strings.Count(string(b), `"seed"`) != 2 || !strings.Contains(string(b), ids[0]) {
		t.Errorf("%s", b)
	}
}

// The audit log is looked through by leveed check.
func TestCheckNoticesAnAlteredAuditLog(t *testing.T) {
	config := &server.Config{SetUp: &server.SetUp{Name: "x", Start: "2026-01-01"}}
	s := empty(t, config)
	stop(t, s)
	tamper(t, config.DB, `DROP TRIGGER audit_never_changes; UPDATE audit SET action = 'nothing'`)
	checked, err := server.Check(t.Context(), config.DB, server.CheckOptions{})
	if err != nil || checked.OK || len(checked.Faults) != 1 || checked.Faults[0].Code != server.AuditLog {
		t.Errorf("%+v %v", checked, err)
	}
}

func tamper(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path) // the store has registered it
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func decode(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
