package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// station is a server at an address of its own, which can be shut down and come back, and the tablet of one of its workers, 李娜 of
// 一队. Both are real processes.
type station struct {
	t *testing.T
	// address, token and code are where the server listens, who asks it for totals, and what lets the tablet in.
	address, token, code string
	// colleagues are the codes for the tablets of others of the team, by their names.
	colleagues map[string]string
	// backups is how long the server waits from one backup to the next.
	backups string
	dir     string
	server  *served
}

// newStation starts a server with a deployment.
func newStation(t *testing.T) *station {
	t.Helper()
	s := &station{t: t, dir: t.TempDir(), address: freeAddress(t), backups: backupsAtOnce}
	s.serve("--name", "演练", "--start", today().AddDays(-30).String(), "--site", "王庄镇=410621108", "--team", "一队=王庄镇", "--team", "二队=王庄镇",
		"--worker", "李娜=一队", "--worker", "王芳=一队", "--worker", "赵敏=一队=supervisor", "--worker", "周协调==coordinator")
	codes := codePattern.FindAllString(s.server.said, -1)
	s.code, s.colleagues = codes[0], map[string]string{"王芳": codes[1], "赵敏": codes[2]}
	token, err := exec.Command(program(t, "leveed"), "token", "--db", s.path("server.db"), "周协调").Output()
	if err != nil {
		t.Fatal(err)
	}
	s.token = strings.TrimSpace(string(token))
	return s
}

func (s *station) path(name string) string { return filepath.Join(s.dir, name) }

// How long the server may wait before it makes a backup: what it has received is soon safe, or not while a test lasts.
const (
	backupsAtOnce = "200ms"
	backupsLater  = "1h"
)

// serve starts the server; the first time, with what its deployment is made from.
func (s *station) serve(madeFrom ...string) {
	s.t.Helper()
	s.server = up(s.t, []string{"LEVEE_LISTEN=" + s.address, "LEVEE_DB=" + s.path("server.db"), "LEVEE_BACKUP_DIR=" + s.path("backups"), "LEVEE_BACKUP_EVERY=" + s.backups}, madeFrom...)
}

// shut stops the server: nobody answers at its address.
func (s *station) shut() {
	s.t.Helper()
	s.server.terminate(s.t)
}

// totals are the server's figures for the whole deployment, of a basis: reported or verified.
func (s *station) totals(basis string) map[string]int64 {
	s.t.Helper()
	var answer struct{ Rows []map[string]json.RawMessage }
	if askServer(s.t, s.address, s.token, "/api/totals?by=whole", &answer); len(answer.Rows) != 1 {
		s.t.Fatalf("the whole has %d rows", len(answer.Rows))
	}
	var figures map[string]int64
	s.must(json.Unmarshal(answer.Rows[0][basis], &figures))
	return figures
}

// opened is a levee that serves its pages.
type opened struct {
	command *exec.Cmd
	link    string // good for one browser
	errs    *bytes.Buffer
	ended   chan struct{}
}

// tablet starts the tablet's program, as a tap on its icon does, and returns once it has said its link. The workers' files are where
// they were the last time.
func (s *station) tablet() *opened {
	s.t.Helper()
	o := &opened{command: exec.Command(program(s.t, "levee"), "open", "--no-browser", "--json"), errs: &bytes.Buffer{}, ended: make(chan struct{})}
	o.command.Env = append(os.Environ(), "XDG_CONFIG_HOME="+s.path("tablet"), "LC_ALL=en")
	o.command.Stderr = o.errs
	out, err := o.command.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := o.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	said := make(chan error, 1)
	go func() {
		defer close(o.ended)
		var answer struct{ Link string }
		err := json.NewDecoder(out).Decode(&answer)
		o.link = answer.Link
		said <- err
		_ = o.command.Wait()
	}()
	s.t.Cleanup(func() {
		o.kill()
		if s.t.Failed() {
			s.t.Logf("levee open said on its errors: %s", o.errs)
		}
	})
	select {
	case err := <-said:
		if err != nil {
			o.kill()
			s.t.Fatalf("levee open says no link: %v\n%s", err, o.errs)
		}
	case <-time.After(time.Minute):
		s.t.Fatal("levee open does not say its link")
	}
	return o
}

// kill ends it at once, as a tablet does whose battery is taken out.
func (o *opened) kill() {
	_ = o.command.Process.Kill()
	<-o.ended
}

const tabletPIN = "735194"

// enrol sets the tablet up for 李娜, with the browser that takes its link.
func (s *station) enrol(b *browser, at *opened) *browser {
	s.t.Helper()
	b.open(at.link).sees(b.either("Set up this tablet", "登记本机")).fill(b.either("Your name", "您的姓名"), "李娜")
	b.fill(b.either("A new PIN", "设一个 PIN"), tabletPIN).fill(b.either("The PIN again", "再输一次 PIN"), tabletPIN)
	b.fill(b.either("Enrolment code", "登记码"), s.code).follow(b.either("Set up", "登记"))
	return b.sees(b.either("The tablet is set up", "登记完成"))
}

// signIn opens the file of 李娜 in a program that was started again.
func (s *station) signIn(b *browser, at *opened) *browser {
	s.t.Helper()
	return b.open(at.link).fill("PIN", tabletPIN).follow(b.either("Sign in", "登录"))
}
