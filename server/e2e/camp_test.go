package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/server"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// camp is a server and its tablets in this process, with real connections between them. Keys and journal are kept apart
// from the disk of the database.
type camp struct {
	t       *testing.T
	ctx     context.Context
	config  server.Config
	addr    string
	token   string
	server  *server.Server
	stop    func()
	tablets []*clientlib.Store
}

// newCamp starts a server with two teams, and a tablet for each worker: anna, ben and lena of one team, carl and dora of
// the other. The coordinator, cora, has none: hers is the token. change may change how the server runs.
func newCamp(t *testing.T, change func(*server.Config)) *camp {
	t.Helper()
	dir := t.TempDir()
	c := &camp{t: t, ctx: context.Background(), addr: freeAddress(t)}
	c.config = server.Config{
		DB: filepath.Join(t.TempDir(), "levee.db"), Keys: filepath.Join(dir, "levee.keys"), Journal: filepath.Join(dir, "levee.journal"), URL: "http://" + c.addr, Unlimited: true,
		SetUp: &server.SetUp{
			Name: "camp", Start: "2026-01-01",
			Sites: []server.SetUpSite{{Name: "王庄镇", Code: "410621108"}, {Name: "上乐村镇", Code: "410781106"}},
			Teams: []server.SetUpTeam{{Name: "one", Site: "王庄镇"}, {Name: "two", Site: "上乐村镇"}},
			Workers: []server.SetUpWorker{
				{Name: "anna", Team: "one"}, {Name: "ben", Team: "one"}, {Name: "lena", Team: "one", Role: "team_lead"}, {Name: "carl", Team: "two"}, {Name: "dora", Team: "two"},
				{Name: "cora", Role: "coordinator"},
			},
		},
	}
	if change != nil {
		change(&c.config)
	}
	t.Cleanup(func() { c.down() })
	c.up()
	if c.config.Backups.Dir != "" { // the first one is made at once
		c.await("a backup", func() bool { return c.measure("levee_backup_age_seconds") < math.Inf(1) })
	}
	for _, e := range c.server.Made.Enrolments {
		if e.Worker == "cora" {
			continue
		}
		s := openTablet(t, filepath.Join(dir, e.Worker+".db"), nil)
		if err := s.Enrol(c.ctx, e.Code); err != nil {
			t.Fatal(err)
		}
		c.tablets = append(c.tablets, s)
	}
	return c
}

// start starts the server, which may refuse.
func (c *camp) start() error {
	c.t.Helper()
	s, err := server.New(c.ctx, c.config)
	if err != nil {
		return err
	}
	if c.token == "" {
		if c.token, err = s.NewToken(c.ctx, "cora", []string{"read", "decide", "manage"}, 365*24*time.Hour); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	l, err := net.Listen("tcp", c.addr)
	if err == nil {
		err = s.Begin(c.ctx) // what a test does next happens to a server that has begun
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	ctx, stop := context.WithCancel(c.ctx)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	c.server = s
	c.stop = func() {
		stop()
		if err := errors.Join(<-served, s.Close()); err != nil {
			c.t.Errorf("stopping the server: %v", err)
		}
	}
	return nil
}

func (c *camp) up() {
	c.t.Helper()
	if err := c.start(); err != nil {
		c.t.Fatal(err)
	}
}

// down stops the server; again is fine.
func (c *camp) down() {
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

// syncAll syncs every tablet once.
func (c *camp) syncAll() {
	c.t.Helper()
	for _, s := range c.tablets {
		syncNow(c.t, s)
	}
}

// status is a tablet's.
func (c *camp) status(s *clientlib.Store) clientlib.Status {
	c.t.Helper()
	status, err := s.Status(c.ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	return status
}

// ask is what the JSON API, or another route, answers.
func (c *camp) ask(path string) (status int, body string) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.ctx, http.MethodGet, "http://"+c.addr+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// measure is one of the server's measures.
func (c *camp) measure(name string) float64 {
	c.t.Helper()
	_, body := c.ask("/metrics")
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				c.t.Fatal(err)
			}
			return value
		}
	}
	c.t.Fatalf("there is no %s in\n%s", name, body)
	return 0
}

// await waits for something that comes by itself.
func (c *camp) await(what string, there func() bool) {
	c.t.Helper()
	for end := time.Now().Add(time.Minute); !there(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("%s did not come", what)
		}
	}
}

// cuts are what totals are divided by.
var cuts = []string{"whole", "day", "site", "place", "team", "worker", "service_area", "sex"}

// totals are all totals of the server, of every cut, and what is held or in conflict. How many changes are outstanding is
// left out: what tablets say of themselves is written down a moment later.
func (c *camp) totals() string {
	c.t.Helper()
	var all strings.Builder
	for _, by := range cuts {
		status, body := c.ask("/api/totals?by=" + by)
		var answer struct {
			Rows         json.RawMessage
			Completeness struct{ Held, Conflicts int }
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
			c.t.Fatalf("totals by %s: %d %v %s", by, status, err, body)
		}
		rows, err := json.MarshalIndent(answer, "", " ")
		if err != nil {
			c.t.Fatal(err)
		}
		all.WriteString(by + ": " + string(rows) + "\n")
	}
	return all.String()
}

// sound looks through the server's files with leveed's check, which must find nothing.
func (c *camp) sound() *server.Checked {
	c.t.Helper()
	checked, err := server.Check(c.ctx, c.config.DB, server.CheckOptions{Keys: c.config.Keys, Journal: c.config.Journal})
	if err != nil || !checked.OK {
		c.t.Fatalf("%+v, %v", checked, err)
	}
	return checked
}

// activity logs a community activity with one head count.
func activity(t *testing.T, s *clientlib.Store, participants uint32) (act, count hlc.ID) {
	t.Helper()
	ctx := context.Background()
	act, err := s.LogCommunityActivity(ctx, &recordv1.CommunityActivity{Name: proto.String("集市"), RegisterUsed: proto.Bool(false), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum()})
	if err != nil {
		t.Fatal(err)
	}
	count, err = s.Count(ctx, &recordv1.Headcount{Activity: act[:], Zone: proto.String("全场"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(participants)})
	if err != nil {
		t.Fatal(err)
	}
	return act, count
}
