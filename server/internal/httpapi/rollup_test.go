package httpapi_test

import (
	"net/http"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// opensACase opens a case of one client in a town, who is known by a token.
func opensACase(d *servertest.Deployment, town, token string) {
	d.T.Helper()
	anna := d.Enrol("anna")
	file := anna.Make(&recordv1.Case{CaseNo: proto.String("1"), Lead: anna.Worker[:], OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), ClientTokens: [][]byte{[]byte(token)}, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(),
		Place: &recordv1.Place{Code: &town, Edition: proto.Int32(2023)}})
	if held := anna.Push(file).GetAcknowledgement().GetHeld(); len(held) > 0 {
		d.T.Fatal(held)
	}
}

// TestRollUp: whoever sees all of two deployments gets their figures together, and how persons were counted; a token, or teams in both,
// are not enough.
func TestRollUp(t *testing.T) {
	d := servertest.New(t)
	other := d.Another(true, "410622001", "410622002")
	target := &recordv1.Target{Of: recordv1.TargetOf_TARGET_OF_PLACE.Enum(), Figure: proto.String("cases"), Value: proto.Uint32(2), PlaceCode: proto.String("4106"), DueOn: proto.Int32(20210930)}
	if err := d.Service.Add(t.Context(), []syncing.SetUpRecord{{ID: d.ID, Message: &recordv1.Deployment{Targets: []*recordv1.Target{target}}}}); err != nil {
		t.Fatal(err)
	}
	opensACase(d, "410621108", "a token of 16 by")
	opensACase(other, "410622001", "a token of 16 by")
	s := serve(t, d, other)
	first, second := accounts.Membership{Deployment: d.ID, Worker: d.Workers["coordinator"]}, accounts.Membership{Deployment: other.ID, Worker: other.Workers["coordinator"]}
	as := func(cookie string) []string {
		return []string{"Authorization", "", "Cookie", accounts.CookieName + "=" + cookie}
	}
	both := as(s.signIn("both", first, second))
	type row struct {
		Code     string
		Reported map[string]int64
		Persons  string
		Parts    []struct{ Deployment string }
	}
	var r struct {
		Linked  [][]string
		Whole   row
		Rows    []row
		Targets []struct {
			Place  string `json:"place_code"`
			Value  int64
			Done   int64
			DueOn  string `json:"due_on"`
			Passed bool
		}
	}
	s.read("/api/rollup?level=county", &r, both...)
	if len(r.Rows) != 2 || r.Rows[0].Reported["persons"] != 1 || r.Rows[1].Reported["persons"] != 1 || r.Rows[0].Persons != "alone" {
		t.Errorf("by county: %+v", r.Rows)
	}
	if w := r.Whole; w.Reported["cases"] != 2 || w.Reported["persons"] != 1 || w.Persons != "once" || len(w.Parts) != 2 || len(r.Linked) != 1 || len(r.Linked[0]) != 2 {
		t.Errorf("in all: %+v, linked %v", w, r.Linked)
	}
	if len(r.Targets) != 1 || r.Targets[0].Place != "4106" || r.Targets[0].Value != 2 || r.Targets[0].Done != 1 || r.Targets[0].DueOn != "2021-09-30" || !r.Targets[0].Passed {
		t.Errorf("targets: %+v", r.Targets)
	}
	answer, _ := s.get("/api/rollup?level=county", both...)
	if again, _ := s.get("/api/rollup?level=county", append(both, "If-None-Match", answer.Header.Get("ETag"))...); again.Status != http.StatusNotModified {
		t.Errorf("nothing has changed, and it is answered %d", again.Status)
	}
	opensACase(other, "410622002", "another of 16 by")
	if again, _ := s.get("/api/rollup?level=county", append(both, "If-None-Match", answer.Header.Get("ETag"))...); again.Status != http.StatusOK {
		t.Errorf("something has changed, and it is answered %d", again.Status)
	}
	s.refused("/api/rollup?level=city&below=4106", problem.InvalidArgument, both...)
	supervisors := as(s.signIn("supervisor", accounts.Membership{Deployment: d.ID, Worker: d.Workers["super"]}, accounts.Membership{Deployment: other.ID, Worker: other.Workers["super"]}))
	s.refused("/api/rollup", problem.NotFound, supervisors...)
	s.refused("/api/rollup", problem.NotFound) // a token is of one deployment

	var setUp struct {
		Targets []struct {
			Of    string
			Place string `json:"place_code"`
			DueOn string `json:"due_on"`
		}
	}
	s.read("/api/set-up?deployment="+d.ID.String(), &setUp, both...)
	if len(setUp.Targets) != 1 || setUp.Targets[0].Of != "place" || setUp.Targets[0].Place != "4106" || setUp.Targets[0].DueOn != "2021-09-30" {
		t.Errorf("the set-up has the targets %+v", setUp.Targets)
	}
}
