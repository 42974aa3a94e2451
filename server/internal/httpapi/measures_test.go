package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"levee/server/internal/servertest"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
)

// measured holds the measures of a surface against some.
func (s *surface) measured(want map[string]float64) {
	s.t.Helper()
	_, body := s.get("/metrics", "Authorization", "")
	for name, value := range want {
		if line := fmt.Sprintf("%s %v\n", name, value); !strings.Contains(string(body), "\n"+line) {
			name, _, _ := strings.Cut(name, "{")
			is := slices.DeleteFunc(strings.Split(string(body), "\n"), func(l string) bool { return !strings.HasPrefix(l, name) })
			s.t.Errorf("not %s but\n%s", line, strings.Join(is, "\n"))
		}
	}
}

func TestSyncsAreMeasuredByTheirOutcome(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	anna := d.Enrol("anna")
	s.measured(map[string]float64{`levee_sync_seconds_count{outcome="failed"}`: 0, `levee_refusals_total{code="storage_full"}`: 0})
	s.sync(anna)
	body := encode(t, anna.Request(nil))
	token := sign(t, anna.Key, anna, body)
	wrongClock := anna.Request(nil)
	wrongClock.Clock += time.Hour.Milliseconds()
	skewed := encode(t, wrongClock)
	for what, c := range map[string]struct {
		body  []byte
		token string
		want  problem.Code
	}{
		"nobody":                             {body, "", problem.Unauthenticated},
		"another's token":                    {body, token[:len(token)-4] + "AAAA", problem.Unauthenticated},
		"a wrong clock":                      {skewed, sign(t, anna.Key, anna, skewed), problem.ClockSkew},
		"a body that the library can't read": {[]byte("x"), sign(t, anna.Key, anna, []byte("x")), "connect:invalid_argument"},
	} {
		if _, code := s.post(syncv1connect.SyncServiceSyncProcedure, c.body, c.token); code != c.want {
			t.Errorf("%s: %s", what, code)
		}
	}
	s.get("/api/records?figure=nothing")
	s.get("/api/totals?limit=0")
	s.get("/api/deployments", "Authorization", "Bearer x")
	s.get("/nothing", "Accept", "text/html")
	s.measured(map[string]float64{
		`levee_sync_seconds_count{outcome="ok"}`: 1, `levee_sync_seconds_count{outcome="refused"}`: 4, `levee_sync_seconds_count{outcome="failed"}`: 0,
		`levee_refusals_total{code="unauthenticated"}`: 3, `levee_refusals_total{code="clock_skew"}`: 1, `levee_refusals_total{code="invalid_argument"}`: 2, `levee_refusals_total{code="not_found"}`: 1,
		"levee_sync_received_bytes_total": float64(3*len(body) + len(skewed) + 1),
	})
	if err := d.DB.Close(); err != nil {
		t.Fatal(err)
	}
	if status, code := s.post(syncv1connect.SyncServiceSyncProcedure, body, token); status != http.StatusInternalServerError || code != problem.Internal {
		t.Errorf("without a database: %d %s", status, code)
	}
	s.measured(map[string]float64{`levee_sync_seconds_count{outcome="failed"}`: 1, `levee_refusals_total{code="internal"}`: 1})
}

// How far tablets are behind: what they said to hold still, and which are silent.
func TestTabletsThatAreBehindAreMeasured(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	of := `{deployment="` + d.ID.String() + `"}`
	anna, ben, carl := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("carl")
	request := anna.Request(nil)
	request.Unsent = 7
	if _, err := anna.Sync(request); err != nil {
		t.Fatal(err)
	}
	d.SetWall(d.Wall().Add(25 * time.Hour))
	s.sync(ben)
	s.sync(carl)
	if err := d.Service.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"levee_devices" + of: 3, "levee_devices_heard_from" + of: 2, "levee_devices_unheard" + of: 1, "levee_devices_with_backlog" + of: 1,
		"levee_outstanding_changes" + of: 7, "levee_oldest_contact_seconds" + of: 90000, "levee_queued_batches" + of: 0, "levee_deployment_open" + of: 1}
	s.measured(want)
	if status := s.call("coordinator", http.MethodPost, "/api/devices/"+anna.Device.ID.String()+"/revocation", "", nil); status >= http.StatusBadRequest {
		t.Fatal(status)
	}
	want["levee_devices_unheard"+of], want["levee_oldest_contact_seconds"+of] = 0, 0
	s.measured(want)

	s.catchUp()
	s.measured(map[string]float64{"levee_unindexed_positions" + of: 0})
	ben.Push(activity(ben, 3)...)
	s.measured(map[string]float64{"levee_unindexed_positions" + of: 2})
}

// Nobody can make the measures longer by what they send.
func TestMeasuresStayFew(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	lines := func() int {
		_, body := s.get("/metrics", "Authorization", "")
		return strings.Count(string(body), "\n")
	}
	ask := func(n int) {
		for i := range n {
			s.ask(fmt.Sprintf("M%d", i), fmt.Sprintf("/nothing/%d?a=%d", i, i))
			s.get(fmt.Sprintf("/api/records/%d", i))
			s.post(syncv1connect.SyncServiceName+fmt.Sprintf("/Nothing%d", i), []byte{byte(i)}, fmt.Sprint("x", i))
		}
	}
	s.url += "/"
	ask(1)
	s.get("/metrics", "Authorization", "")
	before := lines()
	ask(20)
	if after := lines(); after != before {
		t.Errorf("%d lines became %d", before, after)
	}
}
