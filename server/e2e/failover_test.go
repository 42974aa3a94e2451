package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/clientlib/inspect"
	"levee/server"
	"levee/server/internal/pgtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

var failoverSeed = flag.Uint64("failover.seed", 0, "says which server each request goes to; another one each time when 0")

// Three leveed work on one PostgreSQL, and each request of a tablet goes to any of them. The primary is killed in the middle of that,
// and a standby is promoted which had been cut off a while before: all that was acknowledged since is not there. The servers find
// it by themselves; the tablets see by their marks that history was lost, send again, and give back. In the end all that was logged is
// there once, also what only others still have.
func TestAStandbyTakesOverWithoutWhatItHasMissed(t *testing.T) {
	f := newFailover(t)
	f.everybodyLogs(2)
	f.standby.Follow(t, f.primary)
	f.standby.Cut(t)

	// What the standby misses: what each tablet logs, what the coordinator plans, and that a tablet was revoked.
	f.everybodyLogs(1)
	f.plan("防灾讲座")
	f.revoke(f.lost)
	f.syncAll() // some have now what others logged
	missed := f.acknowledged()
	there := positionIn(t, f.standby)
	for _, r := range f.tablets {
		if seen := r.inside().Cursor.Position; seen <= there {
			t.Fatalf("%s has seen the log up to %d, and the standby has it up to %d", r.name, seen, there)
		}
	}
	f.absent(missed)

	carl := f.tablets[2] // he does not come for a while: a team mate has what he logged
	f.killPrimaryUnderLoad(carl)
	f.plan("消防演练") // by the server whose own change was lost
	f.settle(carl)
	f.counts()
	f.settle(nil)
	f.counts()
	f.check()
	gone, err := f.lost.store.Sync(f.ctx, nil)
	if clientlib.Code(err) != "device_revoked" {
		t.Errorf("the revoked tablet syncs: %+v, %v", gone, err)
	}
	for _, p := range f.servers {
		p.terminate(t)
	}
}

// failover is a deployment on three servers, and the two databases under them.
type failover struct {
	t                *testing.T
	ctx              context.Context
	dir              string
	primary, standby *pgtest.Cluster
	// dsn names both, of which the one that takes writes is used.
	dsn, token string
	servers    []*served
	addresses  []string
	tablets    []*roaming
	// lost is a tablet that is revoked. It has logged nothing.
	lost *roaming
	// activities is how many were logged, people how many came to all of them.
	activities, people atomic.Int64
	// givenBack is how many records a server that had lost them took back.
	givenBack atomic.Int64
}

// roaming is a tablet each of whose requests goes to another server.
type roaming struct {
	f     *failover
	name  string
	path  string
	store *clientlib.Store
	next  *http.Transport
	mu    sync.Mutex
	rand  *rand.Rand
}

// RoundTrip implements http.RoundTripper.
func (r *roaming) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	to := r.f.addresses[r.rand.IntN(len(r.f.addresses))]
	r.mu.Unlock()
	request = request.Clone(request.Context())
	request.URL.Host = to
	return r.next.RoundTrip(request)
}

func newFailover(t *testing.T) *failover {
	t.Helper()
	seed := *failoverSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("play it again: go test ./server/e2e -run TestAStandbyTakesOver -failover.seed %d", seed)
	f := &failover{t: t, ctx: context.Background(), dir: t.TempDir(), primary: pgtest.NewCluster(t, pgtest.Options{Durable: true})}
	if _, err := pgtest.Open(t, f.primary.URL("postgres")).ExecContext(f.ctx, `CREATE DATABASE levee`); err != nil {
		t.Fatal(err)
	}
	f.standby = f.primary.Standby(t)
	f.dsn = pgtest.Hosts("levee", f.standby, f.primary)
	first := []string{"--name", "failover", "--start", "2026-01-01", "--site", "王庄镇=410621108", "--team", "one=王庄镇", "--team", "two=王庄镇", "--worker", "anna=one",
		"--worker", "ben=one", "--worker", "carl=two", "--worker", "dora=two", "--worker", "lost=two", "--worker", "cora==coordinator"}
	for i := range 3 {
		f.addresses = append(f.addresses, freeAddress(t))
		dsn := f.dsn
		if i == 0 { // whichever stands first
			dsn = pgtest.Hosts("levee", f.primary, f.standby)
		}
		f.servers = append(f.servers, up(t, []string{"LEVEE_LISTEN=" + f.addresses[i], "LEVEE_URL=http://" + f.addresses[0], "LEVEE_DB=" + dsn,
			"LEVEE_KEYS=" + f.keys(), "LEVEE_JOURNAL=" + f.journal(i)}, first...))
		first = nil
	}
	o := &operator{t: t, dir: f.dir, lang: "en"}
	token, errs, exit := o.run("token", "--db", f.dsn, "--keys", f.keys(), "--journal", f.path("operator.journal"), "--scope", "read", "--scope", "manage", "--scope", "decide", "cora")
	if exit != 0 {
		t.Fatalf("token: %s", errs)
	}
	f.token = strings.TrimSpace(token)
	for i, code := range codePattern.FindAllString(f.servers[0].said, -1)[:5] { // the coordinator has no tablet
		r := &roaming{f: f, name: []string{"anna", "ben", "carl", "dora", "lost"}[i], next: &http.Transport{}, rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		r.path = f.path(r.name + ".db")
		r.store = openTablet(t, r.path, r)
		t.Cleanup(r.next.CloseIdleConnections)
		if err := r.store.Enrol(f.ctx, code); err != nil {
			t.Fatal(err)
		}
		syncNow(t, r.store)
		if r.name == "lost" {
			f.lost = r
			continue
		}
		f.tablets = append(f.tablets, r)
	}
	return f
}

func (f *failover) path(name string) string { return filepath.Join(f.dir, name) }
func (f *failover) keys() string            { return f.path("levee.keys") }
func (f *failover) journal(server int) string {
	return f.path(fmt.Sprintf("%d.journal", server))
}

func (r *roaming) inside() *inspect.Tablet {
	r.f.t.Helper()
	inside, err := inspect.Read(r.f.ctx, r.path, tabletKey)
	if err != nil {
		r.f.t.Fatal(err)
	}
	return inside
}

// log logs an activity with one head count.
func (r *roaming) log() error {
	people := uint32(1 + r.f.activities.Add(1)%7)
	r.f.people.Add(int64(people))
	id, err := r.store.LogCommunityActivity(r.f.ctx, &recordv1.CommunityActivity{Name: proto.String("集市"), RegisterUsed: proto.Bool(false), Minutes: proto.Uint32(60),
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum()})
	if err != nil {
		return err
	}
	_, err = r.store.Count(r.f.ctx, &recordv1.Headcount{Activity: id[:], Zone: proto.String("全场"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(people)})
	return err
}

// everybodyLogs has each tablet log some activities and sync until they are acknowledged.
func (f *failover) everybodyLogs(activities int) {
	f.t.Helper()
	for _, r := range f.tablets {
		for range activities {
			if err := r.log(); err != nil {
				f.t.Fatal(err)
			}
		}
	}
	f.syncAll()
}

func (f *failover) syncAll() {
	f.t.Helper()
	for _, r := range f.tablets {
		syncNow(f.t, r.store)
		if status, err := r.store.Status(f.ctx); err != nil || status.Unsent+status.Held > 0 {
			f.t.Fatalf("%s: %+v, %v", r.name, status, err)
		}
	}
}

// acknowledged are the changes of all tablets that a server has said to have.
func (f *failover) acknowledged() (all []hlc.ID) {
	f.t.Helper()
	for _, r := range f.tablets {
		inside := r.inside()
		for _, c := range inside.Changes {
			if c.Sequence <= inside.Acknowledged {
				all = append(all, c.ID)
			}
		}
	}
	return all
}

// absent checks that the last two changes of each tablet are not on the standby.
func (f *failover) absent(acknowledged []hlc.ID) {
	f.t.Helper()
	lacking := len(acknowledged)
	db := pgtest.Open(f.t, f.standby.URL("levee"))
	for _, id := range acknowledged {
		var one int
		if err := db.QueryRowContext(f.ctx, `SELECT 1 FROM log WHERE change = $1`, id[:]).Scan(&one); err == nil {
			lacking--
		} else if err != sql.ErrNoRows {
			f.t.Fatal(err)
		}
	}
	if want := 2 * len(f.tablets); lacking != want {
		f.t.Fatalf("the standby lacks %d changes that were acknowledged, not %d", lacking, want)
	}
}

func positionIn(t *testing.T, c *pgtest.Cluster) (position uint64) {
	t.Helper()
	if err := pgtest.Open(t, c.URL("levee")).QueryRowContext(t.Context(), `SELECT position FROM deployments WHERE position > 0`).Scan(&position); err != nil {
		t.Fatal(err)
	}
	return position
}

// plan has the coordinator plan an activity: the server itself makes this change.
func (f *failover) plan(name string) {
	f.t.Helper()
	f.post(0, "/api/planned", fmt.Sprintf(`{"name":%q,"day":"2026-02-01","service_area":"resource_linking"}`, name))
}

// revoke puts a tablet out of use.
func (f *failover) revoke(r *roaming) {
	f.t.Helper()
	f.post(1, "/api/devices/"+r.inside().Device.String()+"/revocation", "")
}

func (f *failover) post(server int, path, body string) {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.ctx, http.MethodPost, "http://"+f.addresses[server]+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+f.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= 300 {
		var said bytes.Buffer
		_, _ = said.ReadFrom(response.Body)
		f.t.Fatalf("POST %s: %d %s", path, response.StatusCode, said.String())
	}
}

// killPrimaryUnderLoad has all tablets but one log and sync at once, kills the primary in the middle of that, and promotes the standby once each
// tablet was told that the server is busy. Each goes on until a server has all that it logged.
func (f *failover) killPrimaryUnderLoad(without *roaming) {
	f.t.Helper()
	var acknowledged atomic.Int64
	enough, promoted := make(chan struct{}), make(chan struct{})
	enoughSent := sync.OnceFunc(func() { close(enough) })
	var told, all sync.WaitGroup
	for _, r := range f.tablets {
		if r == without {
			continue
		}
		told.Add(1)
		all.Go(func() {
			await, turnedAway := promoted, sync.OnceFunc(told.Done)
			defer turnedAway()
			for end := time.Now().Add(2 * time.Minute); ; {
				if await != nil {
					if err := r.log(); err != nil {
						f.t.Error(err)
						return
					}
				}
				result, err := r.store.Sync(f.ctx, nil)
				f.givenBack.Add(int64(result.GivenBack))
				switch {
				case err == nil && await == nil: // again, and all is there
					return
				case err == nil:
					if acknowledged.Add(int64(result.Sent)) >= 40 {
						enoughSent()
					}
				case clientlib.Code(err) != "busy":
					f.t.Errorf("%s: %v", r.name, err)
					return
				case await != nil:
					turnedAway()
					<-await
					await = nil
				case time.Now().After(end):
					f.t.Errorf("%s is still told that the server is busy", r.name)
					return
				default:
					time.Sleep(20 * time.Millisecond) // as a tablet would, which waits longer
				}
			}
		})
	}
	<-enough
	if err := f.primary.Kill(); err != nil {
		f.t.Fatal(err)
	}
	told.Wait()
	if err := f.standby.Promote(); err != nil {
		f.t.Fatal(err)
	}
	close(promoted)
	all.Wait()
	f.t.Logf("%d changes were acknowledged by the old primary in the end, and %d activities logged", acknowledged.Load(), f.activities.Load())
	for i, p := range f.servers {
		select {
		case <-p.ended:
			f.t.Fatalf("server %d ended: %v\n%s", i, p.err, p.errs)
		default:
		}
	}
}

// settle syncs all tablets but one until nothing moves any more.
func (f *failover) settle(without *roaming) {
	f.t.Helper()
	for round := 0; ; round++ {
		moved := false
		for _, r := range f.tablets {
			if r == without {
				continue
			}
			result := syncNow(f.t, r.store)
			f.givenBack.Add(int64(result.GivenBack))
			moved = moved || result.Sent+result.Received+result.GivenBack > 0
		}
		if !moved {
			return
		}
		if round == 10 {
			f.t.Fatal("it does not come to rest")
		}
	}
}

// counts compares what each server counts with what was logged.
func (f *failover) counts() {
	f.t.Helper()
	want := map[string]int64{"community_activities": f.activities.Load(), "contacts": f.people.Load()}
	for i, address := range f.addresses {
		var answer struct {
			Rows []struct{ Reported map[string]int64 }
		}
		if askServer(f.t, address, f.token, "/api/totals?by=whole", &answer); len(answer.Rows) != 1 {
			f.t.Fatalf("server %d: the whole has %d rows", i, len(answer.Rows))
		}
		got := answer.Rows[0].Reported
		maps.DeleteFunc(got, func(name string, _ int64) bool { return want[name] == 0 })
		if !maps.Equal(got, want) {
			f.t.Errorf("server %d counts %v, want %v", i, got, want)
		}
		var planned struct{ Activities []struct{ Name string } }
		if askServer(f.t, address, f.token, "/api/planned?from=2026-01-01&to=2026-12-31", &planned); len(planned.Activities) != 2 {
			f.t.Errorf("server %d has planned %v", i, planned)
		}
	}
}

// check compares the log with what each tablet has done, and the totals with a recount.
func (f *failover) check() {
	f.t.Helper()
	// Of what the standby missed, a mate gave back what carl had logged, and somebody what the coordinator had planned.
	if given := f.givenBack.Load(); given < 3 {
		f.t.Errorf("%d records were given back", given)
	}
	db := pgtest.Open(f.t, f.standby.URL("levee"))
	for _, r := range f.tablets {
		inside := r.inside()
		if len(inside.Changes) == 0 || inside.Acknowledged != inside.Sequence {
			f.t.Errorf("%s made %d changes; %d of %d are acknowledged", r.name, len(inside.Changes), inside.Acknowledged, inside.Sequence)
		}
		for _, c := range inside.Changes {
			outcome := c.Held
			if c.Known {
				outcome = "known"
			}
			var rows, same int
			if err := db.QueryRowContext(f.ctx, `SELECT count(*), count(*) FILTER (WHERE body = $2 AND outcome = $3 AND replica = $4 AND sequence = $5) FROM log WHERE change = $1`,
				c.ID[:], c.Body, outcome, int64(c.Replica), int64(c.Sequence)).Scan(&rows, &same); err != nil {
				f.t.Fatal(err)
			}
			if same != 1 || rows != 1 {
				f.t.Errorf("change %s, %d of %s, %q, stands in the log %d times, %d of them as it was made", c.ID, c.Sequence, r.name, outcome, rows, same)
			}
		}
		status, err := r.store.Status(f.ctx)
		if err != nil || status.Unsent+status.Held > 0 {
			f.t.Errorf("%s: %+v, %v", r.name, status, err)
		}
	}
	checked, err := server.Check(f.ctx, f.dsn, server.CheckOptions{Keys: f.keys(), Journal: f.journal(1)})
	if err != nil || !checked.OK {
		f.t.Errorf("%+v, %v", checked, err)
	}
	o := &operator{t: f.t, dir: f.dir, lang: "en"}
	out, errs, exit := o.run("recount", "--json", "--db", f.dsn)
	var said struct{ Equal bool }
	if err := json.Unmarshal([]byte(out), &said); err != nil || exit != 0 || !said.Equal {
		f.t.Errorf("recount: %d, %v\n%s%s", exit, err, out, errs)
	}
	// Team mates show the same.
	shown := map[string][]string{}
	for _, r := range f.tablets {
		for _, rec := range r.inside().Records {
			shown[r.name] = append(shown[r.name], rec.ID.String()+string(rec.View))
		}
		slices.Sort(shown[r.name])
	}
	for _, pair := range [][2]string{{"anna", "ben"}, {"carl", "dora"}} {
		if !slices.Equal(shown[pair[0]], shown[pair[1]]) {
			f.t.Errorf("%s and %s do not show the same", pair[0], pair[1])
		}
	}
}
