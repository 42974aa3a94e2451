package httpapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"levee/server/internal/audit"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// call makes a request with a JSON body as a worker, and reads what is answered.
func (s *surface) call(worker, method, path, body string, into any) int {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token(worker))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(answer, into)
	}
	if err != nil {
		s.t.Fatalf("%s %s: %d %s: %v", method, path, response.StatusCode, answer, err)
	}
	return response.StatusCode
}

// A tablet's life as a supervisor rules it: a code, another name, one that takes its place, and the end. Each is noted.
func TestTabletsComeAndGo(t *testing.T) {
	s := serve(t, servertest.New(t))
	old := s.Enrol("anna")
	at := "/api/devices/" + old.Device.ID.String()
	if got := s.call("super", "PATCH", at, `{"name":"王庄一号"}`, nil); got != http.StatusNoContent {
		t.Errorf("renaming: %d", got)
	}
	for _, name := range []string{`""`, `" "`, `"` + strings.Repeat("堤", 34) + `"`} {
		if got := s.call("super", "PATCH", at, `{"name":`+name+`}`, nil); got != http.StatusUnprocessableEntity {
			t.Errorf("renaming it %s: %d", name, got)
		}
	}
	var code struct{ Code, Typed, Address string }
	anna, ben := s.Workers["anna"].String(), s.Workers["ben"].String()
	if got := s.call("super", "POST", "/api/enrolment-codes", `{"worker":"`+ben+`","replaces":"`+old.Device.ID.String()+`"}`, nil); got != http.StatusUnprocessableEntity {
		t.Errorf("in the place of another's: %d", got)
	}
	if got := s.call("super", "POST", "/api/enrolment-codes", `{"worker":"`+anna+`","replaces":"`+old.Device.ID.String()+`"}`, &code); got != http.StatusCreated {
		t.Fatalf("a code: %d", got)
	}
	whole, err := wire.ParseEnrolmentCode(code.Code)
	if err != nil || whole.Worker != s.Workers["anna"] || whole.Deployment != s.ID {
		t.Errorf("the code is %+v, %v", whole, err)
	}
	typed, err := wire.ParseTyped(code.Address, code.Typed)
	if err != nil || typed.Secret != whole.Secret || typed.ServerURL != whole.ServerURL {
		t.Fatalf("typed it is %+v, %v", typed, err)
	}
	// It was typed: the server finds the deployment by the secret.
	client := syncv1connect.NewSyncServiceClient(http.DefaultClient, s.url, wire.ClientOptions()...)
	answer, err := client.Enrol(t.Context(), connect.NewRequest(&syncv1.EnrolRequest{Protocol: 1, Secret: typed.Secret, PublicKey: bytes.Repeat([]byte{7}, 32), Name: "new"}))
	if err != nil || !slices.Equal(answer.Msg.GetWorker(), whole.Worker[:]) || !slices.Equal(answer.Msg.GetDeployment(), s.ID[:]) {
		t.Fatalf("Enrol: %v, %v", answer, err)
	}
	_, err = client.Enrol(t.Context(), connect.NewRequest(&syncv1.EnrolRequest{Protocol: 1, Secret: "WRONG", PublicKey: bytes.Repeat([]byte{8}, 32)}))
	if p := problem.FromConnect(err); p.Code != problem.EnrolmentCodeInvalid {
		t.Errorf("a secret of no deployment: %v", err)
	}
	states := func() map[string]string {
		var list struct {
			Devices []struct {
				ID, Name, State string
				ReplacedBy      string `json:"replaced_by"`
			}
		}
		s.call("super", "GET", "/api/devices", "", &list)
		all := map[string]string{}
		for _, d := range list.Devices {
			all[d.Name] = d.State
			if (d.ReplacedBy != "") != (d.State == "replaced") {
				t.Errorf("replaced by %q: %+v", d.ReplacedBy, d)
			}
		}
		return all
	}
	if got := states(); got["王庄一号"] != "replaced" || got["new"] != "active" {
		t.Errorf("the tablets are %v", got)
	}
	device := hlc.ID(answer.Msg.GetDevice())
	if got := s.call("super", "POST", "/api/devices/"+device.String()+"/revocation", "", nil); got != http.StatusNoContent {
		t.Errorf("revoking: %d", got)
	}
	if got := states(); got["new"] != "revoked" {
		t.Errorf("the tablets are %v", got)
	}
	entries, _, err := s.audit.Page(t.Context(), s.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var noted []audit.Action
	for _, e := range entries {
		if e.Actor.Worker != s.Workers["super"] {
			continue
		}
		switch e.Action {
		case audit.DeviceRenamed, audit.CodeMade, audit.DeviceRevoked:
			noted = append(noted, e.Action)
		}
	}
	slices.Reverse(noted) // the newest comes first
	if want := []audit.Action{audit.DeviceRenamed, audit.CodeMade, audit.DeviceRevoked}; !slices.Equal(noted, want) {
		t.Errorf("noted: %v", noted)
	}
}
