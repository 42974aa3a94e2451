package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A tablet is lost with 20 changes that it never sent. It is revoked, over the JSON API of a real server; at its next sync
// these are in the server's hands, held, and what is left of it opens nothing.
func TestALostTabletLeavesItsWorkAndNothingElse(t *testing.T) {
	t.Setenv("LEVEE_PIN", "735194")
	dir := t.TempDir()
	address := freeAddress(t)
	env := []string{"LEVEE_LISTEN=" + address, "LEVEE_DB=" + filepath.Join(dir, "levee.db")}
	p := up(t, env, "--name", "x", "--start", "2026-01-01", "--site", "王庄镇=410621108", "--team", "一队=王庄镇", "--worker", "李娜=一队", "--worker", "周协调==coordinator")
	file := filepath.Join(dir, "a.db")
	code := codePattern.FindString(p.said)
	if said, exit := levee(t, file, "enrol", code); exit != 0 {
		t.Fatalf("enrol: %s", said)
	}
	const note = "独居老人张桂兰"
	for i := range 20 {
		if said, exit := levee(t, file, "log", "case", "--draft", "--case-no", fmt.Sprintf("%s-%02d", note, i)); exit != 0 {
			t.Fatalf("logging: %s", said)
		}
	}
	o := &operator{t: t, dir: dir, lang: "en"}
	token, errs, exit := o.run("token", "--db", filepath.Join(dir, "levee.db"), "--scope", "read", "--scope", "manage", "--scope", "decide", "周协调")
	if exit != 0 {
		t.Fatalf("token: %s", errs)
	}
	ask := func(method, path string, into any) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode >= 300 {
			t.Fatalf("%s %s: %d", method, path, response.StatusCode)
		}
		if into != nil {
			if err := json.NewDecoder(response.Body).Decode(into); err != nil {
				t.Fatal(err)
			}
		}
	}
	var tablets struct {
		Devices []struct{ ID, State string }
	}
	ask("GET", "/api/devices", &tablets)
	if len(tablets.Devices) != 1 || tablets.Devices[0].State != "active" {
		t.Fatalf("the tablets: %+v", tablets)
	}
	ask("POST", "/api/devices/"+tablets.Devices[0].ID+"/revocation", nil)

	said, exit := levee(t, file, "sync")
	if exit != 1 || !strings.Contains(said, "revoked") {
		t.Errorf("sync: exit %d, %s", exit, said)
	}
	var held struct {
		Held []struct{ Code string }
	}
	ask("GET", "/api/held?limit=100", &held)
	if len(held.Held) != 20 {
		t.Errorf("the server holds %d changes", len(held.Held))
	}
	for _, h := range held.Held {
		if h.Code != "device_revoked" {
			t.Errorf("one is held as %s", h.Code)
		}
	}
	ask("GET", "/api/devices", &tablets)
	if tablets.Devices[0].State != "revoked" {
		t.Errorf("the tablets: %+v", tablets)
	}
	for _, command := range [][]string{{"status"}, {"list", "case"}, {"sync"}, {"rescue"}} {
		if said, exit := levee(t, file, command...); exit == 0 || strings.Contains(said, note) {
			t.Errorf("levee %v: exit %d, %s", command, exit, said)
		}
	}
	left, err := filepath.Glob(file + "*")
	if err != nil || len(left) == 0 {
		t.Fatalf("files: %v, %v", left, err)
	}
	for _, name := range left {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), note) {
			t.Errorf("%s holds a name", name)
		}
	}
}
