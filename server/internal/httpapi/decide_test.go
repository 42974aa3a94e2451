package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// A supervisor sees a held change by its code and decides; what was decided is told to the tablet at its next sync.
func TestDecisionsOverTheAPI(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	made := anna.Make(&recordv1.Case{CaseNo: proto.String("1")})
	anna.Push(made)
	carl.Seen[made.Record] = made.Registers()
	d.Pass(time.Second)
	carl.Push(carl.Edit(made.Record, &recordv1.Case{CaseNo: proto.String("2")}))
	var list struct {
		Held []struct{ Change, Code string }
	}
	s.read("/api/held", &list)
	if len(list.Held) != 1 || list.Held[0].Code != "not_your_team" {
		t.Fatalf("held: %+v", list)
	}
	path := "/api/held/" + list.Held[0].Change + "/decision"
	decide := func(path, decision, worker string) int {
		return post(t, s, worker, path, `{"decision":"`+decision+`","reason":"她在帮忙"}`)
	}
	if status := decide(path, "release", "anna"); status != http.StatusNotFound {
		t.Errorf("by a field worker: %d", status)
	}
	if status := decide("/api/held/"+made.Record.String()+"/decision", "release", "lead"); status != http.StatusNotFound {
		t.Errorf("about a change that is not held: %d", status)
	}
	if status := decide(path, "release", "lead"); status != http.StatusNoContent {
		t.Errorf("by the lead: %d", status)
	}
	s.read("/api/held", &list)
	if len(list.Held) != 0 {
		t.Errorf("then held: %+v", list)
	}
	if settled := carl.Pull().GetSettled(); len(settled) != 1 || settled[0].GetCode() != "" {
		t.Errorf("the tablet is told %v", settled)
	}
	if status := post(t, s, "coordinator", "/api/devices/"+carl.Device.ID.String()+"/confirmation", ""); status != http.StatusNoContent {
		t.Errorf("confirming a tablet that needs no confirmation: %d", status)
	}
	if status := post(t, s, "coordinator", "/api/devices/"+made.Record.String()+"/confirmation", ""); status != http.StatusUnauthorized && status != http.StatusNotFound {
		t.Errorf("confirming none: %d", status)
	}
}

func post(t *testing.T, s *surface, worker, path, body string) int {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.token(worker))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Code
}

// A body that is no JSON, too much of it, or something else is refused as a problem, and never looks as if it had been done.
func TestBodiesThatCanNotBeRead(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	path := "/api/held/" + d.NewID().String() + "/decision"
	for _, c := range []struct {
		what, contentType, body string
		status                  int
		code                    problem.Code
	}{
		{"half of it", "application/json", `{"decision":"rel`, http.StatusBadRequest, problem.Malformed},
		{"a list", "application/json", `[]`, http.StatusUnprocessableEntity, problem.InvalidArgument},
		{"nothing", "application/json", ``, http.StatusBadRequest, problem.Malformed},
		{"too much", "application/json", `{"reason":"` + strings.Repeat("x", 20<<10) + `"}`, http.StatusRequestEntityTooLarge, problem.BodyTooLarge},
		{"XML", "application/xml", `<decision/>`, http.StatusUnsupportedMediaType, problem.Malformed},
	} {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		r.Header.Set("Authorization", "Bearer "+s.token("coordinator"))
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		var p struct {
			Status int
			Code   problem.Code
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != c.status || p.Status != c.status || p.Code != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.what, w.Code, w.Body, c.status, c.code)
		}
	}
}
