package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"levee/server"
)

// operator runs leveed as one does at a terminal.
type operator struct {
	t    *testing.T
	dir  string
	lang string
}

// run runs a command and gives what it printed and its exit code.
func (o *operator) run(args ...string) (out, errs string, exit int) {
	o.t.Helper()
	c := exec.Command(program(o.t, "leveed"), args...)
	var stdout, stderr strings.Builder
	c.Dir, c.Stdout, c.Stderr = o.dir, &stdout, &stderr
	c.Env = append(os.Environ(), "LC_ALL="+o.lang)
	err := c.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		o.t.Fatal(err)
	}
	return stdout.String(), stderr.String(), c.ProcessState.ExitCode()
}

func (o *operator) want(exit int, words string, args ...string) {
	o.t.Helper()
	out, errs, got := o.run(args...)
	if got != exit || !strings.Contains(out+errs, words) || strings.Contains(out+errs, "%!") {
		o.t.Errorf("leveed %s: exit %d\n%s%s\nwant exit %d and %q", strings.Join(args, " "), got, out, errs, exit, words)
	}
}

func TestTheCommandsOfAnOperator(t *testing.T) {
	o := &operator{t: t, dir: t.TempDir(), lang: "zh_CN.UTF-8"}
	env := []string{"LEVEE_LISTEN=" + freeAddress(t), "LEVEE_DB=" + filepath.Join(o.dir, "levee.db")}
	p := up(t, env, "--name", "x", "--start", "2026-01-01", "--backup-dir", filepath.Join(o.dir, "backups"))
	o.want(0, "已完成并通过核验", "backup", "a.db")
	o.want(1, "没有覆盖", "backup", "a.db")
	o.want(0, "a.db", "backup", "--force", "--json", "a.db")
	o.want(1, "请先停止它", "restore", "a.db")
	o.want(0, "完好", "check")
	o.want(0, "x：进行中。", "close-out")
	o.want(1, "没有这一版", "certificate", "--out", "certificate.json")
	p.terminate(t)
	made, err := filepath.Glob(filepath.Join(o.dir, "backups", "levee-*Z.db"))
	if err != nil || len(made) != 1 {
		t.Errorf("backups: %v, %v", made, err)
	}

	if err := os.Truncate(filepath.Join(o.dir, "levee.db"), 20_000); err != nil {
		t.Fatal(err)
	}
	o.want(1, "数据库 "+filepath.Join(o.dir, "levee.db")+" 已损坏", "serve", "--listen", "127.0.0.1:0")
	o.want(1, "database_damaged", "check")
	o.lang = "en"
	o.want(1, "is damaged. Nothing in it was changed.", "serve", "--listen", "127.0.0.1:0")
	out, _, exit := o.run("check", "--json")
	var checked server.Checked
	if err := json.Unmarshal([]byte(out), &checked); err != nil || exit != 1 || checked.OK || checked.Faults[0].Code != "database_damaged" {
		t.Errorf("check --json: exit %d, %v\n%s", exit, err, out)
	}
	o.want(1, "is no sound backup", "restore", "levee.db.keys")
	o.want(0, "restored from", "restore", "a.db")
	o.want(0, "is sound", "check")
	up(t, env).terminate(t)
	o.want(1, "must be more than 0", "serve", "--backup-keep", "0")
}

// A restore that is killed leaves the database before, or the one that it was about to put in place, or says that it was
// broken off; and run again, it works.
func TestARestoreThatIsKilled(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := newCamp(t, nil)
	for _, s := range c.tablets {
		for n := range 20 {
			visit(t, s, uint32(n+1))
		}
	}
	c.syncAll()
	early := filepath.Join(dir, "early.db")
	if _, err := server.Backup(ctx, c.config.DB, early, false); err != nil {
		t.Fatal(err)
	}
	visit(t, c.tablets[0], 1)
	c.syncAll()
	late := filepath.Join(dir, "late.db")
	if _, err := server.Backup(ctx, c.config.DB, late, false); err != nil {
		t.Fatal(err)
	}
	c.down()
	db, keep := c.config.DB, server.CheckOptions{Keys: c.config.Keys, Journal: c.config.Journal}
	ended := map[string]int{}
	for n := range 12 {
		k := exec.Command(program(t, "leveed"), "restore", []string{early, late}[n%2], "--db", db, "--keys", keep.Keys, "--journal", keep.Journal)
		if err := k.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(random.IntN(80_000))*time.Microsecond, func() { _ = k.Process.Kill() })
		_ = k.Wait()
		kill.Stop()
		var refusal *server.Refusal
		switch s, err := server.New(ctx, c.config); {
		case err == nil:
			ended["whole"]++
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			c.sound()
		case errors.As(err, &refusal) && refusal.Code == server.RestoreUnderWay:
			ended["broken off"]++
		default:
			t.Fatalf("after kill %d: %v", n, err)
		}
	}
	t.Log(ended)
	if _, err := server.Restore(ctx, early, db, server.RestoreOptions{Keys: keep.Keys, Journal: keep.Journal}); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Dir(db))
	if err != nil || slices.ContainsFunc(files, func(f os.DirEntry) bool { return strings.Contains(f.Name(), ".restore") }) {
		t.Errorf("left: %v, %v", files, err)
	}
	c.sound()
	c.up()
	c.syncAll()
	for i, s := range c.tablets {
		if st := c.status(s); st.Unsent != 0 || st.Held != 0 {
			t.Error(fmt.Sprint("tablet ", i), st)
		}
	}
	c.sound()
}
