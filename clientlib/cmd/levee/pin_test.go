package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"levee/clientlib"
	"levee/clientlib/internal/fakeserver"
)

// withoutKey is a tablet whose key is asked for, with what is in the environment.
func withoutKey(t *testing.T, env map[string]string) (*tablet, *fakeserver.Server) {
	t.Helper()
	c := newClock()
	s := fakeserver.New(t, c.wall)
	tab := newTablet(t, s, c, 1)
	tab.options.Key, tab.env = clientlib.Key{}, env
	return tab, s
}

// typing answers prompts in turn.
type typing struct {
	answers, prompts []string
}

func (y *typing) prompt(_ context.Context, prompt string) (string, error) {
	y.prompts = append(y.prompts, prompt)
	answer := y.answers[0]
	y.answers = y.answers[1:]
	return answer, nil
}

func TestPIN(t *testing.T) {
	t.Parallel()
	env := map[string]string{}
	tab, s := withoutKey(t, env)
	code := s.Code("wang-fang")
	if got := tab.code("enrol", code); got != clientlib.CodeKeyNeeded {
		t.Errorf("without a PIN: %s", got)
	}
	if files, _ := filepath.Glob(tab.file + "*"); len(files) > 0 {
		t.Errorf("without a PIN there is %v", files)
	}
	env["LEVEE_PIN"] = "123456"
	if got := tab.code("enrol", code); got != clientlib.CodeKeyWeak {
		t.Errorf("with a weak PIN: %s", got)
	}
	env["LEVEE_PIN"] = "735194"
	tab.must("enrol", code)
	env["LEVEE_PIN"] = "735195"
	if got := tab.code("status"); got != clientlib.CodeKeyWrong {
		t.Errorf("with a wrong PIN: %s", got)
	}
	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte("735194\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tab.must("--pin-file", file, "status")
	if got := tab.code("--pin-file", file+".not", "status"); got != "no_pin_file" {
		t.Errorf("with a file that is not there: %s", got)
	}

	env["LEVEE_PIN"], env["LEVEE_NEW_PIN"] = "735194", "大河向东流去啊哈"
	if tab.object(0, "pin")["changed"] != true {
		t.Error("the PIN was not changed")
	}
	if got := tab.code("status"); got != clientlib.CodeKeyWrong {
		t.Errorf("with the old PIN: %s", got)
	}
	env["LEVEE_PIN"] = "大河向东流去啊哈"
	tab.must("status")
}

// Who sits at a terminal is asked: twice for a new PIN, which is never shown.
func TestPINIsAskedFor(t *testing.T) {
	t.Parallel()
	tab, s := withoutKey(t, nil)
	code := s.Code("wang-fang")
	y := &typing{answers: []string{"735194", "735149"}}
	tab.prompt = y.prompt
	if got := tab.code("enrol", code); got != "pins_differ" || tab.exists() {
		t.Errorf("typed differently: %s", got)
	}
	y.answers = []string{"735194", "735194"}
	if out := tab.must("enrol", code); strings.Contains(out, "735194") {
		t.Errorf("it shows the PIN: %s", out)
	}
	y.answers, y.prompts = []string{"735194"}, nil
	tab.must("status")
	if !slices.Equal(y.prompts, []string{"PIN: "}) {
		t.Errorf("asked %q", y.prompts)
	}
	y.answers = []string{"735194", "900817", "900817"}
	tab.must("pin")
	now := tab.options.Wall()
	tab.options.Wall = func() time.Time { return now }
	for n, want := range []string{clientlib.CodeKeyWrong, clientlib.CodeKeyWrong, clientlib.CodeKeyWrong, clientlib.CodeKeyWrong, clientlib.CodeKeyWait} {
		y.answers = []string{"735194"}
		if got := tab.code("status"); got != want {
			t.Errorf("wrong PIN %d: %s", n+1, got)
		}
	}
	y.answers = []string{"900817"}
	if _, stderr, _ := tab.run("status"); !strings.Contains(stderr, "in a second") {
		t.Errorf("it does not say how long to wait: %s", stderr)
	}
	y.answers = []string{"900817"}
	if e := tab.object(1, "status")["error"].(map[string]any); e["code"] != clientlib.CodeKeyWait || e["wait_seconds"] != 1.0 {
		t.Errorf("nor does it tell programs: %v", e)
	}
}

// Several workers on one tablet: each has a file and a PIN, and sees whose files there are.
func TestProfiles(t *testing.T) {
	t.Parallel()
	env := map[string]string{"LEVEE_PIN": "735194"}
	tab, s := withoutKey(t, env)
	if out := tab.must("profiles"); !strings.Contains(out, "no files") {
		t.Errorf("none: %s", out)
	}
	tab.must("--profile", "wang", "enrol", s.Code("wang-fang"))
	tab.must("--profile", "wang", "log", "case", "--draft", "--case-no", "W-01")
	env["LEVEE_PIN"] = "900817"
	tab.must("--profile", "li", "enrol", s.Code("li-lei"))
	if got := tab.code("--profile", "wang", "list"); got != clientlib.CodeKeyWrong {
		t.Errorf("with the other's PIN: %s", got)
	}
	if got := tab.code("--profile", "../x", "list"); got != clientlib.CodeProfileName {
		t.Errorf("a file elsewhere: %s", got)
	}
	list := tab.object(0, "profiles")["profiles"].([]any)
	var whose []string
	for _, p := range list {
		whose = append(whose, p.(map[string]any)["name"].(string)+" "+p.(map[string]any)["worker"].(string))
	}
	if !slices.Equal(whose, []string{"li 李雷", "wang 王芳"}) {
		t.Errorf("profiles: %v", list)
	}
	if out := tab.must("profiles"); !strings.Contains(out, "王芳") {
		t.Errorf("profiles: %s", out)
	}
	env["LEVEE_PIN"] = "735194"
	if out := tab.must("--profile", "wang", "list"); !strings.Contains(out, "W-01") {
		t.Errorf("the first one's work: %s", out)
	}
}
