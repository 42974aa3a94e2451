package webui_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/httpapi"
	"levee/server/internal/journal"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/server/internal/webui"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// site is the pages on a real store, with a clock that the test moves.
type site struct {
	t        *testing.T
	now      time.Time
	db       *store.DB
	keys     *syncing.Keys
	journal  *journal.File
	accounts *accounts.Service
	all      httpapi.Deployments
	server   *httptest.Server
	log      bytes.Buffer
}

type keys struct{ session accounts.SessionKey }

func (k keys) SessionKeys() []accounts.SessionKey { return []accounts.SessionKey{k.session} }
func (keys) SealKey() []byte                      { return make([]byte, 32) }

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), keys: &syncing.Keys{Signing: newKey(t), ProofKey: make([]byte, 32)}}
	path := filepath.Join(t.TempDir(), "server.db")
	var err error
	if s.db, err = sqlite.Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if s.journal, err = journal.Open(path+".journal", s.keys.PublicKey()); err != nil {
		t.Fatal(err)
	}
	wall := func() time.Time { return s.now }
	s.accounts, err = accounts.Start(t.Context(), accounts.Config{Store: s.db, Keys: keys{accounts.SessionKey{ID: "one", Key: newKey(t)}}, Signing: s.keys.Signing,
		Journal: s.journal.Deployment(hlc.ID{}), Wall: wall, Entropy: rand.Reader, Hashing: accounts.Hashing{Memory: 64, Passes: 1, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewTLSServer(nil)
	log := audit.New(s.db, wall)
	t.Cleanup(func() {
		s.server.Close()
		for _, d := range s.all.Clear() {
			d.Syncing.Close()
		}
		if err := errors.Join(s.db.Close(), s.journal.Close()); err != nil {
			t.Error(err)
		}
	})
	pages, err := webui.New(webui.Config{Accounts: s.accounts, Audit: log, Deployments: &s.all, NewDeployment: s.makeDeployment, URL: s.server.URL, Wall: wall})
	if err != nil {
		t.Fatal(err)
	}
	measures, err := httpapi.NewMeasures()
	if err != nil {
		t.Fatal(err)
	}
	many := httpapi.Rate{Burst: 1e6, PerSecond: 1e6}
	handler, err := httpapi.New(httpapi.Config{Deployments: &s.all, Accounts: s.accounts, Audit: log, Ready: s.db.Ping, Wall: wall, Log: slog.New(slog.NewTextHandler(&s.log, nil)), Measures: measures,
		Limits: httpapi.Limits{Device: many, Address: many, AtOnce: 2}, Pages: pages})
	if err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = handler
	return s
}

// makeDeployment stands in for the server that the pages are put into.
func (s *site) makeDeployment(ctx context.Context, _ audit.Actor, n webui.NewDeployment) (deployment, coordinator hlc.ID, err error) {
	clock := hlc.NewClock(func() time.Time { return s.now }, 0)
	id := func() hlc.ID {
		one, err := hlc.NewID(clock.Now(), rand.Reader)
		if err != nil {
			s.t.Error(err)
		}
		return one
	}
	deployment, coordinator = id(), id()
	start, err := record.ParseDate(n.Start)
	if err != nil {
		return deployment, coordinator, err
	}
	service, err := syncing.Start(ctx, syncing.Config{Deployment: deployment, Store: s.db.Deployment(deployment), Keys: s.keys, Journal: s.journal.Deployment(deployment), Wall: func() time.Time { return s.now },
		Entropy: rand.Reader, Failed: func(err error) { s.t.Error(err) }})
	if err != nil {
		return deployment, coordinator, err
	}
	s.all.Add(&httpapi.Deployment{Syncing: service, Progress: progress.New(progress.Config{Store: s.db.Deployment(deployment), SetUp: service.SetUp, Wall: func() time.Time { return s.now }})})
	records := []syncing.SetUpRecord{{ID: deployment, Message: &recordv1.Deployment{Name: &n.Name, StartOn: proto.Int32(int32(start)), TimeZone: &n.TimeZone}},
		{ID: coordinator, Message: &recordv1.Worker{Name: &n.Coordinator, Role: recordv1.Role_ROLE_COORDINATOR.Enum(), Type: recordv1.WorkerType_WORKER_TYPE_SOCIAL_WORKER.Enum()}}}
	for _, one := range n.Sites {
		place, team := id(), id()
		records = append(records, syncing.SetUpRecord{ID: place, Message: &recordv1.Site{Name: &one.Name, Place: &recordv1.Place{Code: &one.Code, Edition: proto.Int32(2023)}}})
		if one.Team != "" {
			records = append(records, syncing.SetUpRecord{ID: team, Message: &recordv1.Team{Name: &one.Team, Site: place[:]}})
		}
	}
	return deployment, coordinator, service.Add(ctx, records)
}

// browser is somebody who reads pages and fills in forms.
type browser struct {
	s      *site
	client *http.Client
	// lang is what the browser asks for.
	lang string
	// from is what the browser says of the page that a request comes from.
	from string

	at     *url.URL
	status int
	text   string
	page   *html.Node
}

func (s *site) browser(lang string) *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	client := *s.server.Client()
	client.Jar = jar
	return &browser{s: s, client: &client, lang: lang}
}

func (b *browser) do(method, to string, sent url.Values) {
	b.s.t.Helper()
	base, err := url.Parse(b.s.server.URL)
	if err != nil {
		b.s.t.Fatal(err)
	}
	if b.at != nil {
		base = b.at
	}
	target, err := base.Parse(to)
	if err != nil {
		b.s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.s.t.Context(), method, target.String(), strings.NewReader(sent.Encode()))
	if err != nil {
		b.s.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", b.lang)
	r.Header.Set("Accept", "text/html")
	if b.from != "" {
		r.Header.Set("Sec-Fetch-Site", b.from)
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	b.at, b.status = response.Request.URL, response.StatusCode
	if b.page, err = html.Parse(response.Body); err != nil {
		b.s.t.Fatal(err)
	}
	b.text = textOf(b.page)
	if b.status >= 500 {
		b.s.t.Fatalf("%s %s: %d %s: %v", method, to, b.status, b.text, b.s.log.String())
	}
}

func (b *browser) open(to string) *browser {
	b.s.t.Helper()
	b.do(http.MethodGet, to, nil)
	return b
}

// attribute is an attribute of a node; empty when it has none.
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// find are the nodes below one that are of a tag.
func find(n *html.Node, tags ...string) (all []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && slices.Contains(tags, d.Data) {
			all = append(all, d)
		}
	}
	return all
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" {
			b.WriteString(d.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// follow follows the link with a text.
func (b *browser) follow(text string) *browser {
	b.s.t.Helper()
	for _, a := range find(b.page, "a") {
		if textOf(a) == text {
			return b.open(attribute(a, "href"))
		}
	}
	b.s.t.Fatalf("%s has no link %q: %s", b.at, text, b.text)
	return b
}

// send presses the button with a text, in the form that has it, after filling in what is given by the names of fields.
// What is not given goes as it stands in the page. within, if given, is a text that stands in the form's row.
func (b *browser) send(button string, typed url.Values, within ...string) *browser {
	b.s.t.Helper()
	for _, form := range find(b.page, "form") {
		i := slices.IndexFunc(find(form, "button"), func(n *html.Node) bool { return textOf(n) == button })
		if i < 0 || !inRow(form, within) {
			continue
		}
		sent := standingIn(form)
		for name, values := range typed {
			if _, ok := sent[name]; !ok && !b.fieldIn(form, name) {
				b.s.t.Fatalf("%s: the form %q has no field %q", b.at, button, name)
			}
			sent[name] = values
		}
		b.do(http.MethodPost, attribute(form, "action"), sent)
		return b
	}
	b.s.t.Fatalf("%s has no form with the button %q: %s", b.at, button, b.text)
	return b
}

func inRow(form *html.Node, texts []string) bool {
	for _, text := range texts {
		row := form
		for row != nil && row.Data != "tr" {
			row = row.Parent
		}
		if row == nil || !strings.Contains(textOf(row), text) {
			return false
		}
	}
	return true
}

func (b *browser) fieldIn(form *html.Node, name string) bool {
	return slices.ContainsFunc(find(form, "input", "select"), func(n *html.Node) bool { return attribute(n, "name") == name })
}

// standingIn is what a browser sends of a form in which nothing was changed.
func standingIn(form *html.Node) url.Values {
	sent := url.Values{}
	for _, n := range find(form, "input") {
		sort := attribute(n, "type")
		if (sort == "checkbox" || sort == "radio") && !has(n, "checked") {
			continue
		}
		sent.Add(attribute(n, "name"), attribute(n, "value"))
	}
	for _, n := range find(form, "select") {
		options := find(n, "option")
		i := max(0, slices.IndexFunc(options, func(o *html.Node) bool { return has(o, "selected") }))
		if len(options) > 0 {
			sent.Add(attribute(n, "name"), attribute(options[i], "value"))
		}
	}
	return sent
}

// option is the value of an option with a text.
func (b *browser) option(text string) string {
	b.s.t.Helper()
	for _, o := range find(b.page, "option") {
		if textOf(o) == text {
			return attribute(o, "value")
		}
	}
	b.s.t.Fatalf("%s offers no %q", b.at, text)
	return ""
}

// sees fails unless the page says all of some texts.
func (b *browser) sees(texts ...string) *browser {
	b.s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(b.text, text) {
			b.s.t.Fatalf("%s (%d) does not say %q: %s", b.at, b.status, text, b.text)
		}
	}
	return b
}

// is fails unless the page came with a status.
func (b *browser) is(status int) *browser {
	b.s.t.Helper()
	if b.status != status {
		b.s.t.Fatalf("%s: %d, want %d: %s", b.at, b.status, status, b.text)
	}
	return b
}
