package e2e

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// What is known of a client, and must not be found once it is erased.
var clientTraces = []string{"赵桂兰", "她梦见水漫进屋里", "13800000000", "the old token 16"}

// found are the files below some folders in which one of the traces stands.
func found(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	return foundOf(t, clientTraces, folders...)
}

func foundOf(t *testing.T, traces []string, folders ...string) map[string]bool {
	t.Helper()
	in := map[string]bool{}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, trace := range traces {
				if bytes.Contains(b, []byte(trace)) {
					in[filepath.Base(path)] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return in
}

// A client asks to be forgotten while one tablet is away.
func TestAnErasedClientIsFoundNowhere(t *testing.T) {
	backups := filepath.Join(t.TempDir(), "backups")
	c := newCamp(t, func(config *server.Config) { config.Backups = server.Backups{Dir: backups, Every: time.Hour} })
	anna, ben, carl := c.tablets[0], c.tablets[1], c.tablets[3]
	must := func(id hlc.ID, err error) hlc.ID {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	mates, err := anna.TeamMates(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var workers [][]byte
	for _, w := range mates {
		workers = append(workers, w.ID[:])
	}
	area := recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum()
	token := []byte(clientTraces[3])
	file := must(anna.LogCase(c.ctx, &recordv1.Case{CaseNo: proto.String("WZ-1"), OpenedOn: proto.Int32(20260102), ClientCount: proto.Uint32(1),
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Workers: workers, ClientTokens: [][]byte{token}, ServiceArea: area}))
	identity := must(anna.LogCaseIdentity(c.ctx, &recordv1.CaseIdentity{Case: file[:], Name: &clientTraces[0], Phone: &clientTraces[2]}))
	session := must(anna.LogCaseSession(c.ctx, &recordv1.CaseSession{Case: file[:], Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(),
		Minutes: proto.Uint32(50), Attendees: proto.Uint32(1), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(), ServiceArea: area}))
	note := must(anna.LogCaseNote(c.ctx, &recordv1.CaseNote{Session: session[:], Process: &clientTraces[1]}))
	// The same person comes to an activity of another team: two records with one token.
	show := must(carl.LogCommunityActivity(c.ctx, &recordv1.CommunityActivity{Name: proto.String("电影放映"), Minutes: proto.Uint32(90), RegisterUsed: proto.Bool(true), ServiceArea: area}))
	person := must(carl.LogParticipant(c.ctx, &recordv1.Participant{Token: token}))
	must(carl.LogAttendance(c.ctx, &recordv1.Attendance{Activity: show[:], Participant: person[:], Token: token, ServiceArea: area}))
	c.syncAll()
	c.syncAll()
	if _, err := ben.Record(c.ctx, note); err != nil {
		t.Fatalf("ben, who works on the case, does not see the note: %v", err)
	}
	earlier, err := c.server.BackUp(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	c.syncAll()
	totals := c.totals()

	// Ben is away, and writes on.
	if err := ben.Update(c.ctx, note, &recordv1.CaseNote{Plan: &clientTraces[1]}); err != nil {
		t.Fatal(err)
	}
	another := must(ben.LogCaseNote(c.ctx, &recordv1.CaseNote{Session: session[:], Process: &clientTraces[1]}))
	// By the command, beside the server.
	o := &operator{t: t, dir: t.TempDir(), lang: "zh_CN.UTF-8"}
	at := []string{"erase", "--db", c.config.DB, "--keys", c.config.Keys, "--journal", c.config.Journal, "--yes"}
	o.want(1, "there is no such case", append(at, "WZ-2")...)
	out, errs, exit := o.run(append(at, "--json", "WZ-1")...)
	var done server.Erased
	if err := json.Unmarshal([]byte(out), &done); err != nil || exit != 0 || done.Case != file || done.Records != 2 || done.TokensIn != 3 {
		t.Fatalf("exit %d, %v\n%s%s", exit, err, out, errs)
	}
	o.want(0, "已清除 0 条保密记录", append(at, file.String())...)
	if status, answer := c.post("/api/cases/"+file.String()+"/erasure", "application/json", ""); status != http.StatusNoContent {
		t.Errorf("over the API: %d %s", status, answer)
	}
	if _, answer := c.ask("/api/audit"); strings.Count(answer, "client_erased") != 3 || strings.Count(answer, "client_erasure_started") != 3 {
		t.Errorf("the audit log says %s", answer)
	}
	if now := c.totals(); now != totals {
		t.Errorf("the totals were\n%s\nand are\n%s", totals, now)
	}
	dir := filepath.Dir(c.config.DB)
	if in := found(t, dir); len(in) > 0 {
		t.Errorf("found in %v", in)
	}
	later, err := c.server.BackUp(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if in := found(t, backups); in[filepath.Base(later.File)] || !in[filepath.Base(earlier.File)] {
		t.Errorf("found in %v", in)
	}
	c.sound()

	// All tablets forget it with their next sync, and ben's late changes bring nothing back.
	c.syncAll()
	c.syncAll()
	forgot := func() {
		t.Helper()
		for i, s := range c.tablets {
			for _, id := range []hlc.ID{identity, note, another} {
				if _, err := s.Record(c.ctx, id); err == nil {
					t.Errorf("tablet %d shows record %v", i, id)
				}
			}
			if st := c.status(s); st.Unsent != 0 || st.Held != 0 {
				t.Errorf("tablet %d: %+v", i, st)
			}
		}
		if in := found(t, filepath.Dir(c.config.Keys), dir); len(in) > 0 { // the tablets' files lie beside the keys
			t.Errorf("found in %v", in)
		}
		c.sound()
	}
	forgot()
	if now := c.totals(); now != totals {
		t.Errorf("the totals were\n%s\nand are\n%s", totals, now)
	}

	// The earlier backup is put back, which has all of it.
	c.down()
	if _, err := server.Restore(c.ctx, earlier.File, c.config.DB, server.RestoreOptions{Keys: c.config.Keys, Journal: c.config.Journal}); err != nil {
		t.Fatal(err)
	}
	aside, err := filepath.Glob(c.config.DB + ".before-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range aside {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	c.up()
	if in := found(t, dir); len(in) > 0 {
		t.Errorf("once the server serves, found in %v", in)
	}
	c.syncAll()
	c.syncAll()
	forgot()
	if now := c.totals(); now != totals {
		t.Errorf("the totals were\n%s\nand are\n%s", totals, now)
	}
}
