package server_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"levee/server"
)

// TestATokenOfACoordinatorReadsTheAPI: it is shown once, and holds after a restart. One of a field worker does not see the
// whole.
func TestATokenOfACoordinatorReadsTheAPI(t *testing.T) {
	config := server.Config{
		DB: filepath.Join(t.TempDir(), "server.db"), URL: "http://localhost",
		Wall: func() time.Time { return time.Date(2021, 10, 1, 4, 0, 0, 0, time.UTC) },
		SetUp: &server.SetUp{
			Name: "河南暴雨社会工作服务", Start: "2021-09-23",
			Sites: []server.SetUpSite{{Name: "王庄镇", Code: "410621108"}}, Teams: []server.SetUpTeam{{Name: "一队", Site: "王庄镇"}},
			Workers: []server.SetUpWorker{{Name: "张敏", Team: "一队"}, {Name: "周协调", Role: "coordinator"}},
		},
	}
	var token, workers string
	for _, start := range []string{"first", "second"} {
		s, err := server.New(context.Background(), config)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case start == "first" && (s.Made == nil || len(s.Made.Enrolments) != 2):
			t.Fatalf("made: %+v", s.Made)
		case start == "first":
			var errs [3]error
			token, errs[0] = s.NewToken(t.Context(), "周协调", []string{"read"}, time.Hour)
			workers, errs[1] = s.NewToken(t.Context(), "张敏", []string{"read"}, time.Hour)
			_, errs[2] = s.NewToken(t.Context(), "nobody", []string{"read"}, time.Hour)
			if errs[0] != nil || errs[1] != nil || errs[2] == nil {
				t.Fatal(errs)
			}
		case s.Made != nil:
			t.Errorf("made again: %+v", s.Made)
		}
		h := httptest.NewServer(s.Handler())
		for _, c := range []struct{ path, token, want string }{
			{"/api/totals?by=site", token, `"service_days":9`},
			{"/api/totals?by=site", token, `"王庄镇"`},
			{"/api/totals?by=site", token + "x", `"unauthenticated"`},
			{"/api/totals?by=site", workers, `"not_allowed"`},
			{"/api/totals?by=team", workers, `"一队"`},
			// The set-up entered the log when the server was made: the deployment, a site, a team and two workers.
			{"/metrics", "", map[string]string{"first": `levee_changes_total{outcome="applied"} 5`, "second": `levee_devices`}[start]},
		} {
			if body := get(t, h.URL+c.path, c.token); !strings.Contains(body, c.want) {
				t.Errorf("%s start, %s: %s", start, c.path, body)
			}
		}
		h.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func get(t *testing.T, url, token string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
