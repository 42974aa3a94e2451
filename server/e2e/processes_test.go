package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"levee/server"
)

var (
	processKills = flag.Int("processes.kills", 24, "how often TestKilledProcessesLoseNothing kills each process at least")
	processSeed  = flag.Uint64("processes.seed", 0, "says when it kills; another one each time when 0")
)

// A leveed and several levee, which log and sync as fast as they can, are killed again and again at any moment. In the
// end, every record that a tablet said to have logged is on the server, once.
func TestKilledProcessesLoseNothing(t *testing.T) {
	kills, seed := *processKills, *processSeed
	if testing.Short() {
		kills = min(kills, 5)
	}
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("play it again: go test ./server/e2e -run TestKilledProcessesLoseNothing -processes.seed %d", seed)
	k := &killing{t: t, dir: t.TempDir(), addr: freeAddress(t), kills: kills}
	first := up(t, k.env(), "--name", "kill", "--start", "2026-01-01", "--site", "王庄镇=410621108",
		"--team", "one=王庄镇", "--worker", "anna=one", "--worker", "ben=one", "--worker", "carl=one", "--worker", "cora==coordinator")
	token, err := exec.Command(program(t, "leveed"), "token", "--db", k.path("server.db"), "cora").Output()
	if err != nil {
		t.Fatal(err)
	}
	k.token = strings.TrimSpace(string(token))
	for i, code := range codePattern.FindAllString(first.said, -1)[:3] { // the coordinator has no tablet
		k.tablets = append(k.tablets, &killed{name: fmt.Sprintf("tablet %d", i), store: k.path(fmt.Sprintf("%d.db", i))})
		if out, err := k.levee(k.tablets[i], "enrol", code).CombinedOutput(); err != nil {
			t.Fatalf("enrolling: %v\n%s", err, out)
		}
	}
	if len(k.tablets) != 3 {
		t.Fatalf("%d tablets", len(k.tablets))
	}
	setUp := k.recount().Changes

	var busy sync.WaitGroup
	enough := make(chan struct{}) // the server was killed often enough
	busy.Go(func() { defer close(enough); k.killServer(first, rand.New(rand.NewPCG(seed, 0))) })
	for i := range 2 * len(k.tablets) { // two programs have each tablet's file open
		busy.Go(func() { k.killTablet(k.tablets[i/2], rand.New(rand.NewPCG(seed, uint64(i)+1)), enough) })
	}
	busy.Wait()

	last := up(t, k.env())
	k.check(setUp)
	last.terminate(t)
	k.checkBackups()
}

// killing is a server and its tablets, all of them processes.
type killing struct {
	t         *testing.T
	dir, addr string
	token     string
	kills     int
	tablets   []*killed
	// syncs is how many came through while processes were killed, killed how often the server was.
	syncs  atomic.Int64
	killed int
}

// killed is a tablet.
type killed struct {
	name, store string

	mu sync.Mutex
	// logged are the ids that were printed.
	logged []string
	kills  int
}

func (k *killing) path(name string) string { return filepath.Join(k.dir, name) }

func (k *killing) env() []string {
	return []string{"LEVEE_LISTEN=" + k.addr, "LEVEE_DB=" + k.path("server.db"), "LEVEE_BACKUP_DIR=" + k.path("backups"), "LEVEE_BACKUP_EVERY=200ms"}
}

func (k *killing) levee(of *killed, args ...string) *exec.Cmd {
	c := exec.Command(program(k.t, "levee"), append([]string{"--store", of.store, "--json"}, args...)...)
	c.Env = append(os.Environ(), "LC_ALL=en", "LEVEE_PIN=735194")
	return c
}

// killServer kills the server and starts it again until it was killed often enough, and some syncs came through:
// sometimes before it is up.
func (k *killing) killServer(p *served, random *rand.Rand) {
	ready := make(chan struct{})
	close(ready)
	for ; k.killed < k.kills || k.syncs.Load() < 5; k.killed++ {
		if random.IntN(4) > 0 {
			select {
			case <-ready:
			case <-p.ended: // told below
			}
		}
		after := time.NewTimer(time.Duration(random.IntN(300)) * time.Millisecond)
		select {
		case <-after.C:
		case <-p.ended:
			k.t.Errorf("the server ended by itself: %v\n%s", p.err, p.errs)
			return
		}
		_ = p.command.Process.Kill()
		<-p.ended
		p, ready = serve(k.t, k.env())
	}
	_ = p.command.Process.Kill()
	<-p.ended
}

// killTablet logs and syncs, and kills many a command at any moment, until it and the server were killed often
// enough.
func (k *killing) killTablet(of *killed, random *rand.Rand, enough chan struct{}) {
	for {
		select {
		case <-enough:
			of.mu.Lock()
			done := of.kills >= k.kills && len(of.logged) > 0
			of.mu.Unlock()
			if done {
				return
			}
		default:
		}
		args := []string{"log", "outreach", "--mode", "home", "--households", "3", "--service-area", "resource-linking"}
		if random.IntN(2) == 0 {
			args = []string{"sync"}
		}
		c := k.levee(of, args...)
		var out strings.Builder
		c.Stdout = &out
		if err := c.Start(); err != nil {
			k.t.Error(err)
			return
		}
		var kill *time.Timer
		if random.IntN(5) < 2 {
			kill = time.AfterFunc(time.Duration(random.IntN(60_000))*time.Microsecond, func() { _ = c.Process.Kill() })
		}
		err := c.Wait()
		if kill != nil {
			kill.Stop()
		}
		var exit *exec.ExitError
		var answer struct {
			ID    string
			Error struct{ Code string }
		}
		of.mu.Lock()
		printed := json.Unmarshal([]byte(out.String()), &answer) == nil
		switch {
		case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled():
			of.kills++
		case err == nil && args[0] == "sync":
			k.syncs.Add(1)
		case err == nil && printed && answer.ID != "":
		case args[0] == "sync" && answer.Error.Code == "unavailable": // the server is dead at the moment
		case answer.Error.Code == keyWait:
			time.Sleep(time.Second)
		default:
			k.t.Errorf("%s, %v: %v\n%s", of.name, args, err, out.String())
		}
		if answer.ID != "" { // a killed command counts too, once it has printed this
			of.logged = append(of.logged, answer.ID)
		}
		of.mu.Unlock()
	}
}

// check syncs all tablets and compares what they, the server and the recount have.
func (k *killing) check(setUp int) {
	k.t.Helper()
	for range 2 { // the second time, each gets what the later ones sent
		for _, of := range k.tablets {
			k.ask(k.levee(of, "sync"), &struct{}{})
		}
	}
	onServer := k.onServer()
	once := slices.Compact(slices.Sorted(slices.Values(onServer)))
	if len(once) != len(onServer) {
		k.t.Errorf("the server counts %d records, %d of them different", len(onServer), len(once))
	}
	printed := 0
	for _, of := range k.tablets {
		for _, id := range of.logged {
			if _, ok := slices.BinarySearch(once, id); !ok {
				k.t.Errorf("%s logged %s, and the server has not got it", of.name, id)
			}
		}
		printed += len(of.logged)
		var status struct{ Unsent, Held, Conflicts int }
		if k.ask(k.levee(of, "status"), &status); status.Unsent+status.Held+status.Conflicts > 0 {
			k.t.Errorf("%s: %+v", of.name, status)
		}
		if here := k.listed(of); !slices.Equal(here, once) {
			k.t.Errorf("%s shows %d records, the server has %d", of.name, len(here), len(once))
		}
		k.t.Logf("%s: killed %d times, logged %d", of.name, of.kills, len(of.logged))
	}
	if len(once) < printed {
		k.t.Errorf("%d records on the server, %d were logged", len(once), printed)
	}
	if r := k.recount(); r.Changes != setUp+len(once) {
		k.t.Errorf("the log holds %d changes for %d records", r.Changes-setUp, len(once))
	}
	if out, err := exec.Command(program(k.t, "leveed"), "check", "--db", k.path("server.db")).CombinedOutput(); err != nil {
		k.t.Errorf("check: %v\n%s", err, out)
	}
	k.t.Logf("%d records on the server, %d of them printed; the server was killed %d times, and %d syncs came through", len(once), printed, k.killed+1, k.syncs.Load())
}

// checkBackups looks through all backups that were made meanwhile: none is half of one.
func (k *killing) checkBackups() {
	k.t.Helper()
	made, err := filepath.Glob(k.path("backups/server-*Z.db"))
	if err != nil || len(made) == 0 {
		k.t.Errorf("no backup was made: %v", err)
	}
	for _, path := range made {
		checked, err := server.Check(context.Background(), path, server.CheckOptions{Keys: k.path("server.db.keys"), Journal: k.path("server.db.journal")})
		if err != nil || !checked.OK {
			k.t.Errorf("%s: %+v, %v", path, checked, err)
		}
	}
	k.t.Logf("%d backups", len(made))
}

// ask runs a command that must succeed and reads what it prints.
func (k *killing) ask(c *exec.Cmd, into any) {
	k.t.Helper()
	for {
		out, err := c.Output()
		if err == nil {
			err = json.Unmarshal(out, into)
		}
		if err == nil {
			return
		}
		if !strings.Contains(string(out), keyWait) {
			k.t.Fatalf("%v: %v\n%s", c.Args, err, out)
		}
		time.Sleep(time.Second)
		c = &exec.Cmd{Path: c.Path, Args: c.Args, Env: c.Env}
	}
}

// keyWait is what a tablet answers that was killed four times in a row while it looked whether its PIN is right: as long as that is not
// known, the PIN counts as wrong.
const keyWait = "key_wait"

type recountSays struct {
	Equal   bool
	Changes int
}

// recount runs leveed recount, which must find all equal.
func (k *killing) recount() recountSays {
	k.t.Helper()
	var said struct {
		Equal       bool
		Deployments []recountSays
	}
	if k.ask(exec.Command(program(k.t, "leveed"), "recount", "--json", "--db", k.path("server.db")), &said); !said.Equal || len(said.Deployments) != 1 {
		k.t.Fatalf("the recount differs: %+v", said)
	}
	return said.Deployments[0]
}

// listed are the ids of what a tablet shows, sorted.
func (k *killing) listed(of *killed) []string {
	k.t.Helper()
	var ids []string
	for after := ""; ; {
		var page struct {
			Records []struct{ ID string }
			Next    string
		}
		args := []string{"list", "outreach"}
		if after != "" {
			args = append(args, "--after", after)
		}
		k.ask(k.levee(of, args...), &page)
		for _, r := range page.Records {
			ids = append(ids, r.ID)
		}
		if after = page.Next; after == "" {
			slices.Sort(ids)
			return ids
		}
	}
}

// onServer are the ids of the records behind the server's total.
func (k *killing) onServer() []string {
	k.t.Helper()
	var ids []string
	for after := ""; ; {
		var page struct {
			Records []struct{ ID string }
			Next    string
		}
		k.get("/api/records?figure=outreach_rounds&by=whole&limit=200&after="+after, &page)
		for _, r := range page.Records {
			ids = append(ids, r.ID)
		}
		if after = page.Next; after == "" {
			return ids
		}
	}
}

func (k *killing) get(path string, into any) {
	k.t.Helper()
	askServer(k.t, k.addr, k.token, path, into)
}

// askServer reads an answer of a server's JSON API.
func askServer(t *testing.T, address, token, path string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v\n%s", path, response.StatusCode, err, body)
	}
}
