package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/servertest"
)

type exportAnswer struct {
	ID, State, Format string
	Done, Of          uint64
	Position          uint64
	Size              int64
	Until             time.Time `json:"kept_until"`
}

// TestAnExportThroughTheAPI: ordered, watched, taken and removed, by nobody but who ordered it.
func TestAnExportThroughTheAPI(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	for format, begin := range map[string]string{"csv": "PK", "xlsx": "PK", "hxl": "\ufeff", "geojson": `{"type":"FeatureCollection"`} {
		var o exportAnswer
		if got := s.call("super", "POST", "/api/exports", `{"format":"`+format+`"}`, &o); got != http.StatusCreated || o.State != "running" || o.Format != format || !o.Until.IsZero() {
			t.Fatalf("%s: %d, %+v", format, got, o)
		}
		<-s.exported
		at := "/api/exports/" + o.ID
		if got := s.call("super", "GET", at, "", &o); got != http.StatusOK || o.State != "ready" || o.Done != o.Of || o.Position == 0 || o.Size == 0 || !o.Until.Equal(d.Wall().Add(time.Hour)) {
			t.Errorf("%s: %d, %+v", format, got, o)
		}
		answer, body := s.get(at+"/file", "Authorization", "Bearer "+s.token("super"))
		if answer.Status != http.StatusOK || !strings.HasPrefix(string(body), begin) || int64(len(body)) != o.Size || !strings.Contains(answer.Header.Get("Content-Disposition"), "levee-"+format+"-20211001-1200.") {
			t.Errorf("%s: %+v, %.40q", format, answer, body)
		}
		var own, others struct{ Exports []exportAnswer }
		if got := s.call("super", "GET", "/api/exports", "", &own); got != http.StatusOK || len(own.Exports) != 1 || own.Exports[0] != o {
			t.Errorf("%s: one's own are %d, %+v", format, got, own)
		}
		if got := s.call("coordinator", "GET", "/api/exports", "", &others); got != http.StatusOK || others.Exports == nil || len(others.Exports) != 0 {
			t.Errorf("%s: somebody else's are %d, %+v", format, got, others)
		}
		for _, path := range []string{at, at + "/file"} {
			if got := s.call("coordinator", "GET", path, "", nil); got != http.StatusNotFound {
				t.Errorf("somebody else gets %s: %d", path, got)
			}
		}
		if got := s.call("super", "DELETE", at, "", nil); got != http.StatusNoContent {
			t.Errorf("removing: %d", got)
		}
		<-s.exported
		if got := s.call("super", "GET", at+"/file", "", nil); got != http.StatusNotFound {
			t.Errorf("after it was removed: %d", got)
		}
	}
	if got := s.call("super", "POST", "/api/exports", `{"format":"pdf"}`, nil); got != http.StatusUnprocessableEntity {
		t.Errorf("a format that there is not: %d", got)
	}
}

// TestAnExportOfWhatIsConfidential needs its own scope, and is noted as such, by token.
func TestAnExportOfWhatIsConfidential(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	order := `{"format":"csv","confidential":true}`
	if got := s.call("super", "POST", "/api/exports", order, nil); got != http.StatusCreated {
		t.Errorf("with the scope: %d", got)
	}
	<-s.exported
	entries, _, err := s.audit.Page(context.Background(), d.ID, 0, 1)
	if err != nil || len(entries) != 1 || entries[0].Action != audit.ConfidentialExported || entries[0].Actor.Worker != d.Workers["super"] || entries[0].Actor.Token == (audit.Actor{}.Token) || entries[0].File.Format != "csv" {
		t.Errorf("%+v, %v", entries, err)
	}
	var log struct {
		Entries []struct {
			Action, Format string
			Position       uint64
		}
	}
	s.read("/api/audit?limit=2", &log) // the newest tells of the token by which it is read
	if len(log.Entries) != 2 || log.Entries[1].Format != "csv" || log.Entries[1].Position == 0 || log.Entries[1].Position != entries[0].File.Position {
		t.Errorf("%+v", log)
	}
	text, _, err := s.accounts.NewToken(context.Background(), audit.Actor{}, accounts.NewToken{Name: "read", Membership: accounts.Membership{Deployment: d.ID, Worker: d.Workers["super"]}, Scopes: []accounts.Scope{accounts.ScopeRead}, Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s.tokens[d.Workers["super"]] = text
	if got := s.call("super", "POST", "/api/exports", order, nil); got != http.StatusForbidden {
		t.Errorf("without the scope: %d", got)
	}
	if got := s.call("super", "POST", "/api/exports", `{"format":"csv"}`, nil); got != http.StatusCreated {
		t.Errorf("what is not confidential: %d", got)
	}
	<-s.exported
}
