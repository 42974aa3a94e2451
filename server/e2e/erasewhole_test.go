package e2e

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/server"
	"levee/server/internal/journal"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// changeSetUp changes the set-up of the camp's deployment, between two starts of its server.
func (c *camp) changeSetUp(change func(deployment hlc.ID) []syncing.SetUpChange) {
	c.t.Helper()
	c.down()
	defer c.up()
	var keys struct {
		Signing []byte `json:"signing_key"`
		Proof   []byte `json:"proof_key"`
	}
	text, err := os.ReadFile(c.config.Keys)
	if err == nil {
		err = json.Unmarshal(text, &keys)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	signing := ed25519.NewKeyFromSeed(keys.Signing)
	kept, err := journal.Open(c.config.Journal, signing.Public().(ed25519.PublicKey))
	if err != nil {
		c.t.Fatal(err)
	}
	db, err := sqlite.Open(c.ctx, c.config.DB)
	if err != nil {
		c.t.Fatal(err)
	}
	ids, err := db.Deployments(c.ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	s, err := syncing.Start(c.ctx, syncing.Config{Deployment: ids[0], Store: db.Deployment(ids[0]), Keys: &syncing.Keys{Signing: signing, ProofKey: keys.Proof}, Journal: kept.Deployment(ids[0]), Wall: hlc.Wall})
	if err != nil {
		c.t.Fatal(err)
	}
	err = s.ChangeSetUp(c.ctx, hlc.ID{}, change(ids[0])...)
	s.Close()
	if err := errors.Join(err, db.Close(), kept.Close()); err != nil {
		c.t.Fatal(err)
	}
}

// forgotten fails unless a tablet has none of some records, has nothing left to send, and knows why.
func (c *camp) forgotten(s *clientlib.Store, records ...hlc.ID) {
	c.t.Helper()
	for _, id := range records {
		if _, err := s.Record(c.ctx, id); err == nil {
			c.t.Errorf("a tablet shows record %v", id)
		}
	}
	if st := c.status(s); !st.Erased || st.Unsent != 0 {
		c.t.Errorf("a tablet: %+v", st)
	}
}

// token is a participant's as a tablet shows it.
func (c *camp) tokenOf(s *clientlib.Store, participant hlc.ID) string {
	c.t.Helper()
	r, err := s.Record(c.ctx, participant)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(r.Message.(*recordv1.Participant).GetToken())
}

// A deployment is closed and erased while one tablet is away: nothing of anybody is found anywhere, and nothing that was counted
// moves.
func TestAnErasedDeploymentIsFoundNowhere(t *testing.T) {
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
	phone := "13711113333"
	c.changeSetUp(func(hlc.ID) []syncing.SetUpChange {
		return []syncing.SetUpChange{{SetUpRecord: syncing.SetUpRecord{ID: mates[0].ID, Message: &recordv1.Worker{Phone: &phone}}}}
	})
	area := recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum()
	token := []byte(clientTraces[3])
	file := must(anna.LogCase(c.ctx, &recordv1.Case{CaseNo: proto.String("WZ-1"), OpenedOn: proto.Int32(20260102), ClientCount: proto.Uint32(1),
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Workers: workers, ClientTokens: [][]byte{token}, ServiceArea: area}))
	identity := must(anna.LogCaseIdentity(c.ctx, &recordv1.CaseIdentity{Case: file[:], Name: &clientTraces[0], Phone: &clientTraces[2]}))
	session := must(anna.LogCaseSession(c.ctx, &recordv1.CaseSession{Case: file[:], Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(),
		Minutes: proto.Uint32(50), Attendees: proto.Uint32(1), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(), ServiceArea: area}))
	note := must(anna.LogCaseNote(c.ctx, &recordv1.CaseNote{Session: session[:], Process: &clientTraces[1]}))
	show, _ := activity(t, carl, 12)
	person := must(carl.LogParticipant(c.ctx, &recordv1.Participant{Token: token}))
	must(carl.LogAttendance(c.ctx, &recordv1.Attendance{Activity: show[:], Participant: person[:], Token: token, ServiceArea: area}))
	c.syncAll()
	c.syncAll()
	// Ben is away, and writes on, for an addendum; so does carl, who registers the client once more.
	if err := ben.Update(c.ctx, note, &recordv1.CaseNote{Plan: &clientTraces[1]}); err != nil {
		t.Fatal(err)
	}
	another := must(ben.LogCaseNote(c.ctx, &recordv1.CaseNote{Session: session[:], Process: &clientTraces[1]}))
	activity(t, ben, 7)
	must(carl.LogParticipant(c.ctx, &recordv1.Participant{Token: token}))

	o := &operator{t: t, dir: t.TempDir(), lang: "zh_CN.UTF-8"}
	at := []string{"erase", "--db", c.config.DB, "--keys", c.config.Keys, "--journal", c.config.Journal, "--yes", "--all"}
	o.want(1, "还没有结束", at...)
	before := c.totals()
	c.changeSetUp(func(deployment hlc.ID) []syncing.SetUpChange {
		closed := recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
		return []syncing.SetUpChange{{SetUpRecord: syncing.SetUpRecord{ID: deployment, Message: &recordv1.Deployment{State: &closed, EraseOn: proto.Int32(20990101)}}}}
	})
	earlier, err := c.server.BackUp(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	o.want(1, "保留到 2099-01-01", at...)
	o.want(1, "不一致", append(at, "--now", "--name", "canp")...)
	out, errs, exit := o.run(append(at, "--json", "--now", "--name", "camp")...)
	var done server.ErasedDeployment
	if err := json.Unmarshal([]byte(out), &done); err != nil || exit != 0 || done.Records != 2 || done.TokensIn != 3 {
		t.Fatalf("exit %d, %v\n%s%s", exit, err, out, errs)
	}
	if _, answer := c.ask("/api/audit"); strings.Count(answer, "deployment_erased") != 1 || strings.Count(answer, "deployment_erasure_started") != 1 {
		t.Errorf("the audit log says %s", answer)
	}
	if now := c.totals(); now != before {
		t.Errorf("the totals were\n%s\nand are\n%s", before, now)
	}
	traces := append(slices.Clone(clientTraces), phone)
	dir := filepath.Dir(c.config.DB)
	if in := foundOf(t, traces, dir); len(in) > 0 {
		t.Errorf("found in %v", in)
	}
	later, err := c.server.BackUp(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if in := foundOf(t, traces, backups); in[filepath.Base(later.File)] || !in[filepath.Base(earlier.File)] {
		t.Errorf("found in %v", in)
	}
	c.sound()

	// All tablets forget it with their next sync. What ben and carl wrote late brings nobody back, and is with the server.
	c.syncAll()
	for _, s := range c.tablets {
		c.forgotten(s, identity, note, another)
	}
	pseudonym := c.tokenOf(carl, person)
	if pseudonym == string(token) || c.status(ben).Held != 2 {
		t.Errorf("a participant has the token %x, and %d of ben's changes wait", pseudonym, c.status(ben).Held)
	}
	if worker, err := anna.Record(c.ctx, mates[0].ID); err != nil || worker.Message.(*recordv1.Worker).GetPhone() != "" || worker.Message.(*recordv1.Worker).GetName() == "" {
		t.Errorf("anna's tablet has %v, %v", worker.Message, err)
	}
	if in := foundOf(t, traces, filepath.Dir(c.config.Keys), dir); len(in) > 0 {
		t.Errorf("found in %v", in)
	}
	c.sound()
	totals := c.totals()

	// The earlier backup is put back, which has all of it.
	c.down()
	if _, err := server.Restore(context.Background(), earlier.File, c.config.DB, server.RestoreOptions{Keys: c.config.Keys, Journal: c.config.Journal}); err != nil {
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
	if in := foundOf(t, traces, dir); len(in) > 0 {
		t.Errorf("once the server serves, found in %v", in)
	}
	c.syncAll()
	c.syncAll()
	for _, s := range c.tablets {
		c.forgotten(s, identity, note, another)
	}
	if in := foundOf(t, traces, filepath.Dir(c.config.Keys), dir); len(in) > 0 {
		t.Errorf("found in %v", in)
	}
	c.sound()
	if now := c.totals(); now != totals || c.tokenOf(carl, person) != pseudonym || c.status(ben).Held != 2 {
		t.Errorf("the totals were\n%s\nand are\n%s", totals, now)
	}
}
