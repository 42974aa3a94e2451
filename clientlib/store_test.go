package clientlib_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/migrations"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Children of tests run this instead of the tests: a tablet that logs until it is killed, or has logged enough; or one that
// reads a page.
func TestMain(m *testing.M) {
	if path := os.Getenv("LEVEE_TEST_TABLET"); path != "" {
		logForever(path)
		return
	}
	if path := os.Getenv("LEVEE_TEST_TODAY"); path != "" {
		readToday(path)
		return
	}
	os.Exit(m.Run())
}

func logForever(path string) {
	s, err := clientlib.Open(context.Background(), path, clientlib.Options{Key: testKey, Wall: func() time.Time { return start }})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := range 100 {
		id, err := s.LogCommunityActivity(context.Background(), activity(fmt.Sprint(i)))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(id)
	}
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "LEVEE_TEST_TABLET="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

func TestNothingIsLostWhenTheProgramIsKilled(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	logged := 0
	for _, after := range []int{1, 17, 60} {
		tab.must(tab.Close())
		cmd, out := child(t, tab.path)
		var ids []string
		for out.Scan() {
			ids = append(ids, out.Text())
			if len(ids) == after {
				tab.must(cmd.Process.Kill())
			}
		}
		_ = cmd.Wait() // it was killed
		tab.open()
		for _, id := range ids {
			tab.record(mustParse(t, id))
		}
		if logged += len(ids); tab.status().Unsent < logged || tab.status().Unsent > logged+1 { // one may have been kept and not told
			t.Errorf("%d changes after %d calls returned", tab.status().Unsent, logged)
		}
		logged = tab.status().Unsent
	}
	if got := tab.sync(); got.Sent != logged {
		t.Errorf("%d of %d changes were sent", got.Sent, logged)
	}
}

func TestSeveralProcessesShareAFile(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	var readers sync.WaitGroup
	var ids [2][]string
	for i := range ids {
		cmd, out := child(t, tab.path)
		readers.Go(func() {
			for out.Scan() {
				ids[i] = append(ids[i], out.Text())
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	for range 20 { // this one is a third
		tab.sync()
		_, err := tab.LogCase(t.Context(), aCase("1"))
		tab.must(err)
	}
	readers.Wait()
	tab.sync()
	if st := tab.status(); len(ids[0]) != 100 || len(ids[1]) != 100 || st.Durable != 220 || st.Unsent != 0 {
		t.Errorf("%d and %d records were logged; %+v", len(ids[0]), len(ids[1]), st)
	}
	for _, id := range append(ids[0], ids[1]...) {
		tab.record(mustParse(t, id))
		if s.records[mustParse(t, id)] == nil {
			t.Errorf("the server has no %s", id)
		}
	}
}

func mustParse(t *testing.T, id string) hlc.ID {
	t.Helper()
	var parsed hlc.ID
	if err := parsed.UnmarshalText([]byte(id)); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// image is what a disk holds at one moment.
type image struct{ db, wal []byte }

// copyKey puts the key of a file beside another.
func copyKey(t testing.TB, from, to string) {
	t.Helper()
	key, err := os.ReadFile(from + ".key")
	if err == nil {
		err = os.WriteFile(to+".key", key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (tab *tablet) image() image {
	tab.t.Helper()
	db, err := os.ReadFile(tab.path)
	tab.must(err)
	wal, err := os.ReadFile(tab.path + "-wal")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		tab.t.Fatal(err)
	}
	return image{db, wal}
}

// restart is the tablet after the power came back, with what its disk held.
func (tab *tablet) restart(im image) *tablet {
	tab.t.Helper()
	c := &tablet{t: tab.t, path: filepath.Join(tab.t.TempDir(), "tablet.db"), net: tab.net, now: tab.now, seed: tab.seed + 7}
	tab.must(os.WriteFile(c.path, im.db, 0o600))
	copyKey(tab.t, tab.path, c.path)
	if im.wal != nil {
		tab.must(os.WriteFile(c.path+"-wal", im.wal, 0o600))
	}
	c.open()
	tab.t.Cleanup(func() { _ = c.Close() })
	return c
}

// step is one thing that a call wrote, and where the write-ahead log ended when the call returned.
type step struct {
	id   hlc.ID
	name string // of the activity after that call
	end  int
}

// The power may fail at any byte: what a call had written when it returned is there, and the rest is as before that call.
func TestNothingIsLostWhenThePowerFails(t *testing.T) {
	cutsEach := 25
	if raced {
		cutsEach = 3
	}
	for _, before := range []int{0, 3, 150} { // 150 are more than fit between two checkpoints
		s := newServer(t)
		tab := enrolled(t, s, "li-wei")
		for range before {
			_, err := tab.LogCase(t.Context(), aCase("1"))
			tab.must(err)
		}
		tab.reopen() // the log begins anew
		rng := rand.New(rand.NewPCG(1, uint64(before)))
		var steps []step
		start := 0
		for i := range 40 {
			st := step{name: fmt.Sprint("活动", i)}
			if i == 0 || rng.IntN(3) > 0 {
				id, err := tab.LogCommunityActivity(t.Context(), activity(st.name))
				tab.must(err)
				st.id = id
			} else {
				st.id = steps[rng.IntN(len(steps))].id
				tab.must(tab.Update(t.Context(), st.id, &recordv1.CommunityActivity{Name: proto.String(st.name)}))
			}
			st.end = len(tab.image().wal)
			if i == 0 {
				start = 1
			}
			steps = append(steps, st)
		}
		whole := tab.image()
		if last := steps[len(steps)-1].end; last != len(whole.wal) || last == 0 {
			t.Fatalf("the log has %d bytes and not %d: a checkpoint came between, and the test proves nothing", len(whole.wal), last)
		}
		cuts := []int{start, len(whole.wal)}
		for range cutsEach {
			cuts = append(cuts, rng.IntN(len(whole.wal)+1))
		}
		for _, cut := range cuts {
			checkAfterPowerCut(t, s, tab.restart(image{whole.db, whole.wal[:cut]}), steps, cut, before)
		}
	}
}

func checkAfterPowerCut(t *testing.T, s *fakeServer, tab *tablet, steps []step, cut, before int) {
	t.Helper()
	names := map[hlc.ID]string{}
	returned := 0
	for _, st := range steps {
		if st.end <= cut {
			names[st.id] = st.name
			returned++
		}
	}
	for id, name := range names {
		if got := tab.record(id).Message.(*recordv1.CommunityActivity).GetName(); got != name {
			t.Errorf("cut at %d: activity %s is %q, and was %q when the call returned", cut, id, got, name)
		}
	}
	st := tab.status()
	if st.Unsent != before+returned || st.Records != before+len(names)+8 {
		t.Errorf("cut at %d: %d changes and %d records after %d calls had returned", cut, st.Unsent, st.Records, before+returned)
	}
	// Records and changes agree if a server that gets only the changes comes to the same records.
	_, err := tab.LogCase(t.Context(), aCase("1"))
	tab.must(err)
	there := newServer(t)
	there.devices = s.devices
	tab.net = &network{server: there.http}
	tab.reopen()
	tab.sync()
	tab.sameAs(there)
}

// A checkpoint moves pages from the log into the database. A power cut in it leaves some pages moved and others not.
func TestNothingIsLostWhenThePowerFailsInACheckpoint(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	made := tab.all()
	before := tab.image()
	tab.must(tab.Close()) // moves everything
	after := tab.image()
	if len(before.wal) == 0 || len(after.wal) != 0 {
		t.Fatalf("the log had %d bytes before and %d after: the test proves nothing", len(before.wal), len(after.wal))
	}
	const page = 4096
	rng := rand.New(rand.NewPCG(2, 2))
	for range 10 {
		db := append([]byte(nil), after.db...)
		for at := 0; at+page <= len(db); at += page {
			if at+page <= len(before.db) && rng.IntN(2) == 0 {
				copy(db[at:at+page], before.db[at:])
			}
		}
		restarted := tab.restart(image{db, before.wal})
		for k, id := range made {
			if r := restarted.record(id); r.Kind != k {
				t.Errorf("%v became %v", k, r.Kind)
			}
		}
	}
}

func TestFileIsTheOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no such modes")
	}
	tab := enrolled(t, newServer(t), "li-wei")
	_, err := tab.LogCase(t.Context(), aCase("1"))
	tab.must(err)
	for _, suffix := range []string{"", "-wal", "-shm", ".key"} {
		info, err := os.Stat(tab.path + suffix)
		tab.must(err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", tab.path+suffix, info.Mode())
		}
	}
}

func TestOpenTakesAnyPath(t *testing.T) {
	for _, name := range []string{"a b", "100%", "it's?", "队员#1", "x&_pragma=y", "%41", "\"quoted\""} {
		path := filepath.Join(t.TempDir(), name)
		s, err := clientlib.Open(t.Context(), path, clientlib.Options{Key: testKey})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: the file is not where it was asked for: %v", name, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	newer := filepath.Join(t.TempDir(), "newer.db")
	s, err := clientlib.Open(t.Context(), newer, clientlib.Options{Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(newer)
	if err != nil {
		t.Fatal(err)
	}
	_, err = clientlib.Open(t.Context(), newer, clientlib.Options{Key: testKey})
	if clientlib.Code(err) != clientlib.CodeDatabaseNewer || !errors.Is(err, migrations.ErrNewer) {
		t.Errorf("a newer file: %v", err)
	}
	if after, err := os.ReadFile(newer); err != nil || string(after) != string(before) {
		t.Errorf("the newer file was touched: %v", err)
	}

	photo := filepath.Join(t.TempDir(), "photo.jpg")
	if err := os.WriteFile(photo, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := clientlib.Open(t.Context(), photo, clientlib.Options{Key: testKey}); clientlib.Code(err) != clientlib.CodeDatabaseDamaged {
		t.Errorf("a photo: %v", err)
	}
	if _, err := clientlib.Open(t.Context(), filepath.Join(photo, "x"), clientlib.Options{Key: testKey}); err == nil {
		t.Error("a file within a file was opened")
	}
}

// In the bubble, the test fails if a goroutine is left when all is done.
func TestNoGoroutineOutlivesClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		tab := enrolled(t, s, "li-wei")
		tab.all()
		tab.sync()
		waiting := make(chan struct{})
		var calls sync.WaitGroup
		tab.net.fault = func() fault {
			close(waiting)
			return hangs
		}
		calls.Go(func() { _, _ = tab.Sync(context.Background(), nil) })
		calls.Go(func() { _, _ = tab.Sync(context.Background(), nil) }) // waits for the first
		<-waiting
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
		if n := tab.net.under.Load(); n != 0 {
			t.Errorf("%d requests are still under way", n)
		}
		calls.Wait()
	})
}

func TestConcurrentUse(t *testing.T) {
	s := newServer(t)
	tab, mate := enrolled(t, s, "li-wei"), enrolled(t, s, "zhang-min")
	const each = 25
	var calls sync.WaitGroup
	for i := range 4 {
		calls.Go(func() {
			for n := range each {
				id, err := tab.LogCommunityActivity(t.Context(), activity(fmt.Sprint(i, n)))
				if err != nil {
					t.Error(err)
					return
				}
				if n%5 == 0 {
					if err := tab.Delete(t.Context(), id); err != nil {
						t.Error(err)
					}
				}
			}
		})
		calls.Go(func() {
			for range 5 {
				if _, err := tab.Sync(t.Context(), func(clientlib.Progress) {}); err != nil {
					t.Error(err)
				}
				if _, err := tab.Totals(t.Context(), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	calls.Wait()
	tab.sync()
	mate.sync()
	if st := tab.status(); st.Durable != 4*(each+each/5) || st.Records != 8+4*(each-each/5) {
		t.Errorf("after it all: %+v", st)
	}
	if most := tab.net.most.Load(); most != 1 {
		t.Errorf("%d requests of one store were under way at once", most)
	}
	if st := mate.status(); st.Records != 8+4*(each-each/5) {
		t.Errorf("at the colleague's: %+v", st)
	}
}

// With connections of its own, too, nothing is left: neither of a sync that is over nor of one that Close breaks off.
func TestCloseEndsItsConnections(t *testing.T) {
	s := newServer(t)
	before := runtime.NumGoroutine()
	reached := make(chan struct{})
	var hang atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hang.Load() {
			_, _ = io.Copy(io.Discard, r.Body)
			close(reached)
			<-r.Context().Done()
			return
		}
		s.http.ServeHTTP(w, r)
	}))
	store, err := clientlib.Open(t.Context(), filepath.Join(t.TempDir(), "tablet.db"), clientlib.Options{Key: testKey, Wall: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Enrol(t.Context(), s.code(server.URL, "li-wei")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Sync(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	hang.Store(true)
	var calls sync.WaitGroup
	calls.Go(func() {
		if _, err := store.Sync(context.Background(), nil); clientlib.Code(err) != clientlib.CodeCancelled {
			t.Errorf("a sync that Close broke off: %v", err)
		}
	})
	<-reached
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	calls.Wait()
	server.Close()
	for deadline := hlc.Wall().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if hlc.Wall().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines are left of %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
