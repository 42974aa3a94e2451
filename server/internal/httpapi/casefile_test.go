package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/syncproto/problem"
)

type recordView struct {
	ID, Kind, Root string
	Team           struct{ ID, Name string }
	Fields         []fieldView
	History        []struct {
		What, Code, Message string
		By                  struct{ Name string }
		Fields              []string
	}
}

type fieldView struct {
	Name  string
	Value any
	By    struct{ Name string }
	At    time.Time
}

// One record over HTTP, with who set what; and that its reading is noted each time, also by who has read it before.
func TestRecordRoute(t *testing.T) {
	s := newStage(t)
	s.work("one", s.Enrol("anna"))
	session := s.fill.Replace("{session one}")

	cookie := accounts.CookieName + "=" + s.cookies["team lead"]
	for range 2 {
		var r recordView
		response := s.read("/api/records/"+session, &r, "Authorization", "", "Cookie", cookie, "Accept-Language", "zh")
		if response.Header.Get("ETag") != "" {
			t.Error("a program would ask only whether it changed")
		}
		i := slices.IndexFunc(r.Fields, func(f fieldView) bool { return f.Name == "minutes" })
		if r.ID != session || r.Kind != "case_session" || r.Root != s.fill.Replace("{case one}") || r.Team.Name != "one" || i < 0 ||
			r.Fields[i].Value != float64(30) || r.Fields[i].By.Name != "anna" || r.Fields[i].At.IsZero() {
			t.Errorf("%+v", r)
		}
		if len(r.History) != 1 || r.History[0].What != "made" || r.History[0].By.Name != "anna" || !slices.Contains(r.History[0].Fields, "minutes") {
			t.Errorf("history %+v", r.History)
		}
	}
	entries, _, err := s.audit.Page(t.Context(), s.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var noted []string
	for _, e := range entries {
		if e.Action == audit.RecordRead {
			noted = append(noted, fmt.Sprint(e.Subject.Kind, e.Subject.ID, e.Actor.Worker == s.Workers["lead"], e.Actor.Session != [16]byte{}))
		}
	}
	if want := "record" + session + "true" + "true"; len(noted) != 2 || strings.ReplaceAll(noted[0], " ", "") != want {
		t.Errorf("noted %v", noted)
	}
	s.refused("/api/records/"+s.fill.Replace("{nothing}"), problem.NotFound, "Authorization", "", "Cookie", cookie)
	s.refused("/api/records/1", problem.InvalidArgument, "Authorization", "", "Cookie", cookie)
}

// What is confidential of a case over HTTP. A token needs the scope for it, and that it was read is noted.
func TestConfidentialRoute(t *testing.T) {
	s := newStage(t)
	s.work("one", s.Enrol("anna"))
	path := "/api/cases/" + s.fill.Replace("{case one}") + "/confidential"
	token := func(scopes ...accounts.Scope) string {
		text, _, err := s.accounts.NewToken(t.Context(), audit.Actor{}, accounts.NewToken{Name: "x", Membership: accounts.Membership{Deployment: s.ID, Worker: s.Workers["super"]}, Scopes: scopes, Life: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	var list struct{ Records []recordView }
	s.read(path, &list, "Authorization", token(accounts.ScopeRead, accounts.ScopeConfidential))
	if len(list.Records) != 2 || list.Records[0].Kind != "case_identity" || list.Records[1].Kind != "case_note" {
		t.Errorf("%+v", list)
	}
	reader := token(accounts.ScopeRead)
	s.refused(path, problem.NotAllowed, "Authorization", reader)
	for _, hidden := range []string{"{note one}", "{identity one}"} {
		s.refused("/api/records/"+s.fill.Replace(hidden), problem.NotFound, "Authorization", reader)
	}
	if response, _ := s.get("/api/records/"+s.fill.Replace("{session one}"), "Authorization", reader); response.Status != http.StatusOK {
		t.Errorf("a session by a token that reads: %d", response.Status)
	}
	entries, _, err := s.audit.Page(t.Context(), s.ID, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, e := range entries {
		if e.Action == audit.ConfidentialRead {
			count++
			if e.Subject.ID.String() != s.fill.Replace("{case one}") || e.Actor.Token == [16]byte{} || e.Actor.Worker != s.Workers["super"] {
				t.Errorf("noted %+v", e)
			}
		}
	}
	if count != 1 {
		t.Errorf("%d readings are noted, of one", count)
	}
	if strings.Contains(s.log.String(), "王秀英") {
		t.Error("the log has a name")
	}
}
