package server_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"levee/server"
	"levee/syncproto/hlc"
)

func open(t *testing.T, dir string, setUp *server.SetUp) (*server.Server, error) {
	t.Helper()
	s, err := server.New(context.Background(), server.Config{DB: filepath.Join(dir, "levee.db"), SetUp: setUp, URL: "http://127.0.0.1:8410"})
	if err == nil {
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return s, err
}

func TestTheSetUpOfTheREADMEMakesADeploymentOnce(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, ok := strings.Cut(string(text), "```yaml\n")
	if !ok {
		t.Fatal("the README has no example")
	}
	example, _, _ = strings.Cut(example, "```")
	setUp, err := server.ReadSetUp(strings.NewReader(example))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s, err := open(t, dir, setUp)
	if err != nil {
		t.Fatal(err)
	}
	if s.Made == nil || len(s.Made.Enrolments) != 5 || s.Made.Enrolments[0].Worker != "李娜" || s.Made.Enrolments[0].Team != "一队" {
		t.Fatalf("made %+v", s.Made)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := open(t, dir, nil)
	if err != nil || again.Made != nil {
		t.Fatalf("a second start made %+v, %v", again.Made, err)
	}
	if e, err := again.NewEnrolment(context.Background(), "王强", hlc.ID{}); err != nil || !strings.HasPrefix(e.Code, "levee1.") {
		t.Errorf("another code: %+v, %v", e, err)
	}
	if _, err := again.NewEnrolment(context.Background(), "nobody", hlc.ID{}); err == nil {
		t.Error("a code for nobody")
	}
	if info, err := os.Stat(filepath.Join(dir, "levee.db.keys")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the keys are readable by %v, %v", info.Mode(), err)
	}
}

func TestADatabaseWithoutItsKeysIsNotServed(t *testing.T) {
	dir := t.TempDir()
	s, err := open(t, dir, &server.SetUp{Name: "n", Start: "2021-09-23"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), os.Remove(filepath.Join(dir, "levee.db.keys"))); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the refusal itself must not make keys that the next start takes for the right ones
		if _, err := open(t, dir, nil); err == nil || !strings.Contains(err.Error(), "levee.db.keys") {
			t.Fatalf("served without its keys: %v", err)
		}
	}
}

func TestWhatCannotBeADeploymentIsRefusedByName(t *testing.T) {
	good := func() *server.SetUp {
		return &server.SetUp{Name: "n", Start: "2021-09-23", Sites: []server.SetUpSite{{Name: "王庄镇", Code: "410621108"}},
			Teams: []server.SetUpTeam{{Name: "一队", Site: "王庄镇"}}, Workers: []server.SetUpWorker{{Name: "李娜", Team: "一队"}}}
	}
	if _, err := open(t, t.TempDir(), good()); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*server.SetUp){
		"name and a start": func(s *server.SetUp) { s.Name = " " },
		"2021-13-01":       func(s *server.SetUp) { s.Start = "2021-13-01" },
		"Asia/Zhengzhou":   func(s *server.SetUp) { s.TimeZone = "Asia/Zhengzhou" },
		"小河镇":              func(s *server.SetUp) { s.Teams[0].Site = "小河镇" },
		"二队":               func(s *server.SetUp) { s.Workers[0].Team = "二队" },
		"boss":             func(s *server.SetUp) { s.Workers[0].Role = "boss" },
		"wizard":           func(s *server.SetUp) { s.Workers[0].Type = "wizard" },
		"needs a team":     func(s *server.SetUp) { s.Workers[0].Team = "" },
		"two workers":      func(s *server.SetUp) { s.Workers = append(s.Workers, s.Workers[0]) },
		"place":            func(s *server.SetUp) { s.Sites[0].Code = "4106x" },
		"start_on":         func(s *server.SetUp) { s.End = "2021-01-01" },
	} {
		dir := t.TempDir()
		s := good()
		spoil(s)
		if _, err := open(t, dir, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		// Nothing is left that would be taken for a deployment later.
		if empty, err := open(t, dir, nil); err != nil || empty.Made != nil {
			t.Errorf("%s: after the refusal: %v", want, err)
		} else if err := empty.Close(); err != nil {
			t.Error(err)
		}
		if again, err := open(t, dir, good()); err != nil || len(again.Made.Enrolments) != 1 {
			t.Errorf("%s: mended: %+v, %v", want, again, err)
		}
	}
}

func TestAnUnknownWordInTheSetUpIsAnError(t *testing.T) {
	if _, err := server.ReadSetUp(strings.NewReader("name: x\nbegin: 2021-09-23\n")); err == nil || !strings.Contains(err.Error(), "begin") {
		t.Errorf("read: %v", err)
	}
}
