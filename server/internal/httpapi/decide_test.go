package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	recordv1 "levee/syncproto/levee/record/v1"
)

// A supervisor sees a held change by its code and decides; what was decided is told to the tablet at its next sync.
func TestDecisionsOverTheAPI(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	made := anna.Make(&recordv1.Case{CaseNo: proto.String("1")})
	anna.Push(made)
	carl.Seen[made.Record] = made.Registers()
	d.Now = d.Now.Add(time.Second)
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
