package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // its own tables
	"github.com/pocketbase/pocketbase/tools/types"
)

// pocketBase is PocketBase as its users set it up: a collection with an index to pull by, users with a team, a rule that only
// the team may see and write its records, and PUT, which may be sent again.
type pocketBase struct {
	// open leaves the rule away, and makes records by POST, which PocketBase can do fastest: anybody may see and write everything,
	// and sent again they are refused.
	open bool
}

const (
	// pocketBaseBatch is as many as PocketBase takes in one request by default, recordsPerPage as many as it gives.
	pocketBaseBatch = 50
	recordsPerPage  = 1000
	// pocketBaseCommand makes this program PocketBase's server; openCommand one without a rule.
	pocketBaseCommand = "serve-pocketbase"
	openCommand       = "serve-pocketbase-open"
	superuser         = "operator@bench.invalid"
	password          = "correct horse battery"
)

func (p pocketBase) name() string {
	if p.open {
		return "PocketBase, POST in batches of 50, no access rule"
	}
	return "PocketBase, PUT in batches of 50, team rule"
}

func (p pocketBase) again() bool { return !p.open }

func (p pocketBase) server(ctx context.Context, dir string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	command := pocketBaseCommand
	if p.open {
		command = openCommand
	}
	return exec.CommandContext(ctx, self, command, dir), nil //nolint:gosec // this program
}

// servePocketBase is the server's process. It prints one line when it is ready, and serves until it is killed.
func servePocketBase(dir string, open bool) error {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		return fmt.Errorf("starting PocketBase: %w", err)
	}
	if err := app.RunAllMigrations(); err != nil {
		return fmt.Errorf("making PocketBase's tables: %w", err)
	}
	if err := makeCollections(app, open); err != nil {
		return fmt.Errorf("making the collections: %w", err)
	}
	synced, err := whatSQLiteSyncs(app)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // of this process
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Listener = listener
		e.InstallerFunc = nil // it opens a browser
		fmt.Printf("http://%s %s\n", listener.Addr(), synced)
		return e.Next()
	})
	return apis.Serve(app, apis.ServeConfig{})
}

func makeCollections(app core.App, open bool) error {
	rule := types.Pointer("team = @request.auth.team")
	if open {
		rule = types.Pointer("")
	}
	records := core.NewBaseCollection("records")
	records.ListRule, records.ViewRule, records.CreateRule, records.UpdateRule = rule, rule, rule, rule
	id, isText := records.Fields.GetByName("id").(*core.TextField)
	if !isText {
		return errors.New("PocketBase's ids are no text")
	}
	id.Min, id.Max, id.AutogeneratePattern = 32, 32, "[a-z0-9]{32}" // the devices'; 15 characters otherwise
	for _, name := range []string{"team", "worker", "kind", "site", "day", "service", "note"} {
		records.Fields.Add(&core.TextField{Name: name})
	}
	for _, name := range []string{"minutes", "women", "men", "lat", "lng"} {
		records.Fields.Add(&core.NumberField{Name: name})
	}
	records.Fields.Add(&core.AutodateField{Name: "created", OnCreate: true}, &core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true})
	records.AddIndex("records_to_pull", false, "team, updated, id", "")

	users, err := app.FindCollectionByNameOrId("users") // a new PocketBase has it
	if err != nil {
		return err
	}
	users.Fields.Add(&core.TextField{Name: "team"})

	superusers, err := app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return err
	}
	operator := core.NewRecord(superusers)
	operator.SetEmail(superuser)
	operator.SetPassword(password)

	settings := app.Settings()
	settings.Batch.Enabled = true
	return errors.Join(app.Save(records), app.Save(users), app.Save(operator), app.Save(settings))
}

// whatSQLiteSyncs asks the connection by which PocketBase writes.
func whatSQLiteSyncs(app core.App) (string, error) {
	var journal string
	var synchronous int
	if err := errors.Join(app.NonconcurrentDB().NewQuery("PRAGMA journal_mode").Row(&journal), app.NonconcurrentDB().NewQuery("PRAGMA synchronous").Row(&synchronous)); err != nil {
		return "", fmt.Errorf("asking SQLite what it syncs: %w", err)
	}
	level := []string{"OFF", "NORMAL", "FULL", "EXTRA"}[synchronous]
	if synchronous < 2 && journal == "wal" {
		return "nothing (SQLite, WAL, synchronous=" + level + ")", nil
	}
	return "each transaction (SQLite, " + journal + ", synchronous=" + level + ")", nil
}

// setUp makes a user for each device, as an operator does.
func (p pocketBase) setUp(ctx context.Context, c *client, day []*device) error {
	token, err := pocketBaseToken(ctx, c, core.CollectionNameSuperusers, superuser)
	if err != nil {
		return err
	}
	return each(ctx, day, func(ctx context.Context, d *device) error {
		var made json.RawMessage
		return c.call(ctx, http.MethodPost, "/api/collections/users/records", token,
			map[string]string{"email": emailOf(d), "password": password, "passwordConfirm": password, "team": d.team}, &made)
	})
}

func emailOf(d *device) string { return d.worker + "@bench.invalid" }

func pocketBaseToken(ctx context.Context, c *client, collection, email string) (string, error) {
	var answer struct {
		Token string `json:"token"`
	}
	err := c.call(ctx, http.MethodPost, "/api/collections/"+collection+"/auth-with-password", "", map[string]string{"identity": email, "password": password}, &answer)
	return answer.Token, err
}

func (p pocketBase) signIn(ctx context.Context, c *client, d *device) (session, error) {
	token, err := pocketBaseToken(ctx, c, "users", emailOf(d))
	if err != nil {
		return nil, err
	}
	s := &pocketBaseSession{client: c, token: token, method: http.MethodPut, team: d.team, worker: d.worker}
	if p.open {
		s.method = http.MethodPost
	}
	return s, nil
}

type pocketBaseSession struct {
	client              *client
	token, method       string
	team, worker        string
	lastUpdated, lastID string
}

func (s *pocketBaseSession) push(ctx context.Context, records []record) error {
	type request struct {
		Method string `json:"method"`
		URL    string `json:"url"`
		Body   record `json:"body"`
	}
	for len(records) > 0 {
		n := min(len(records), pocketBaseBatch)
		var batch struct {
			Requests []request `json:"requests"`
		}
		for _, r := range records[:n] {
			batch.Requests = append(batch.Requests, request{s.method, "/api/collections/records/records", r})
		}
		var answers []struct {
			Status int `json:"status"`
		}
		if err := s.client.call(ctx, http.MethodPost, "/api/batch", s.token, batch, &answers); err != nil {
			return err
		}
		if len(answers) != n {
			return fmt.Errorf("the server answers %d of %d requests", len(answers), n)
		}
		for _, a := range answers {
			if a.Status != http.StatusOK {
				return fmt.Errorf("the server answers a record with %d", a.Status)
			}
		}
		records = records[n:]
	}
	return nil
}

// pull goes on after the last record that came, in the order of the server's time: there is no other.
func (s *pocketBaseSession) pull(ctx context.Context, got func(record) error) error {
	for {
		var page struct {
			Items []struct {
				record
				Updated string `json:"updated"`
			} `json:"items"`
		}
		filter := fmt.Sprintf("team = '%s' && worker != '%s' && (updated > '%s' || (updated = '%s' && id > '%s'))", s.team, s.worker, s.lastUpdated, s.lastUpdated, s.lastID)
		query := url.Values{"perPage": {fmt.Sprint(recordsPerPage)}, "skipTotal": {"true"}, "sort": {"updated,id"}, "filter": {filter}}
		if err := s.client.call(ctx, http.MethodGet, "/api/collections/records/records?"+query.Encode(), s.token, nil, &page); err != nil {
			return err
		}
		for _, r := range page.Items {
			if err := got(r.record); err != nil {
				return err
			}
			s.lastUpdated, s.lastID = r.Updated, r.ID
		}
		if len(page.Items) < recordsPerPage {
			return nil
		}
	}
}

func (s *pocketBaseSession) count(ctx context.Context) (int, error) {
	var page struct {
		TotalItems int `json:"totalItems"`
	}
	query := url.Values{"perPage": {"1"}, "filter": {fmt.Sprintf("team = '%s'", s.team)}}
	err := s.client.call(ctx, http.MethodGet, "/api/collections/records/records?"+query.Encode(), s.token, nil, &page)
	return page.TotalItems, err
}
