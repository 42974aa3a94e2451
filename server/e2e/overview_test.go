package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"levee/server/demo"
	"levee/server/internal/webtest"
)

// After a replay whose databases are kept, every figure that the first page of the deployment shows is what a recount of the
// records gives: in its card, and under every key by which it is divided, at every level of places. Nothing that the recount
// knows is missing on the page.
func TestTheOverviewEqualsARecount(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, demo.ServerDB)
	replayed(t, dir)
	out, err := exec.Command(program(t, "leveed"), "recount", "--json", "--db", db).Output()
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Deployments []struct {
			Deployment string
			Totals     []struct {
				total
				Counted int64
			}
		}
	}
	if err := json.Unmarshal(out, &said); err != nil || len(said.Deployments) != 1 {
		t.Fatal(string(out), err)
	}
	recount := map[total]int64{}
	for _, line := range said.Deployments[0].Totals {
		if line.Counted != 0 {
			recount[line.total] = line.Counted
		}
	}
	p := up(t, []string{"LEVEE_LISTEN=" + freeAddress(t), "LEVEE_DB=" + db})
	b := signedIn(t, p, "协调员")
	first := "/deployments/" + said.Deployments[0].Deployment

	cards := cardsOn(t, b.Open(first).Is(http.StatusOK).Page)
	for of, n := range recount {
		if of.By == "whole" && cards[of.Figure+" "+of.Basis] != n {
			t.Errorf("%v: the card says %d, the recount %d", of, cards[of.Figure+" "+of.Basis], n)
		}
	}
	if cards["service_days reported"] != 75 || cards["beneficiaries reported"] != 4130 || cards["persons reported"] != 4130 {
		t.Errorf("cards: %v", cards)
	}

	read := 0
	for _, figure := range []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts", "persons"} {
		levels := map[string]int{"": 9}
		if figure == "persons" { // they do not add up, so each level is counted by itself
			levels = map[string]int{"": 9, "41": 4, "4106": 6, "410621": 9, "410781": 9, "410621108": 12}
		}
		for below, digits := range levels {
			b.Open(first + "?" + url.Values{"figure": {figure}, "below": {below}}.Encode()).Is(http.StatusOK)
			want := map[total]int64{}
			for of, n := range recount {
				onPage := of.By == "day" || of.By == "site" || of.By == "team" || of.By == "service_area" || of.By == "sex" || of.By == "age_band" ||
					of.By == "place" && len(of.Key) == digits && strings.HasPrefix(of.Key, below)
				if of.Figure == figure && onPage {
					want[of] = n
				}
			}
			got := cellsOn(t, b.Page)
			for of := range maps.Keys(want) {
				if got[of] != want[of] {
					t.Errorf("below %q, %v: the page says %d, the recount %d", below, of, got[of], want[of])
				}
			}
			for of := range maps.Keys(got) {
				if _, ok := want[of]; !ok {
					t.Errorf("below %q, %v: the page says %d, the recount nothing", below, of, got[of])
				}
			}
			read += len(got)
		}
	}
	if read < 500 {
		t.Errorf("only %d numbers were read", read)
	}
}

// total names a total, as a recount does.
type total struct{ Basis, Figure, By, Key string }

// replayed leaves the databases of a replay in a folder.
func replayed(t *testing.T, dir string) {
	t.Helper()
	d, err := demo.Start(context.Background(), demo.Options{Network: "good", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Replay(context.Background()); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// plainly sends to a server on this machine, which has no TLS, what a browser asks for as if it had: cookies go over TLS alone.
type plainly struct{}

func (plainly) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme = "http"
	return http.DefaultTransport.RoundTrip(r)
}

// signedIn is a browser without scripts at a new server, in which a worker is signed in whom its first administrator invited.
func signedIn(t *testing.T, p *served, worker string) *webtest.Browser {
	t.Helper()
	link := setUpPattern.FindString(p.said)
	at, code, _ := strings.Cut(link, "#")
	base := strings.Replace(strings.TrimSuffix(at, "/set-up"), "http:", "https:", 1)
	const password = "correct horse battery"
	account := func(code, name, login string) url.Values {
		return webtest.Values("code", code, "name", name, "login", login, "password", password, "again", password)
	}
	b := webtest.New(t, base, &http.Client{Transport: plainly{}}, "en")
	b.Open("/set-up").Send("Make the account", account(code, "root", "root")).Is(http.StatusOK)
	for _, a := range webtest.Find(b.Page, "a") {
		if to := webtest.Attribute(a, "href"); path.Dir(to) == "/deployments" && path.Base(to) != "new" {
			b.Open(to).Follow("People").Send("Invite to the web", nil, worker).Is(http.StatusOK)
			_, code, _ = strings.Cut(webtest.TextOf(webtest.Find(b.Page, "code")[0]), "#")
			return webtest.New(t, base, &http.Client{Transport: plainly{}}, "en").Open("/invitation").Send("Make the account", account(code, worker, "worker")).Is(http.StatusOK)
		}
	}
	t.Fatalf("%s leads to no deployment: %s", b.At, b.Text)
	return nil
}

// cardsOn are the numbers in the cards of an overview, by figure and basis.
func cardsOn(t *testing.T, page *html.Node) map[string]int64 {
	t.Helper()
	cards := map[string]int64{}
	for _, list := range webtest.Find(page, "ul") {
		if webtest.Attribute(list, "class") != "figures" {
			continue
		}
		for _, card := range webtest.Find(list, "li") {
			figure := path.Base(webtest.Attribute(webtest.Find(card, "a")[0], "href"))
			for i, n := range webtest.Find(card, "dd") {
				cards[figure+" "+[]string{"reported", "verified"}[i]] = numberIn(t, n)
			}
		}
	}
	return cards
}

// cellsOn are the numbers in the tables of an overview that are not 0, by what their links lead to.
func cellsOn(t *testing.T, page *html.Node) map[total]int64 {
	t.Helper()
	cells := map[total]int64{}
	for _, body := range webtest.Find(page, "tbody") {
		for _, cell := range webtest.Find(body, "td") {
			n, links := numberIn(t, cell), webtest.Find(cell, "a")
			if n == 0 && len(links) == 0 {
				continue
			}
			if len(links) != 1 {
				t.Errorf("%d leads to no records", n)
				continue
			}
			u, err := url.Parse(webtest.Attribute(links[0], "href"))
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			of := total{Basis: q.Get("basis"), Figure: path.Base(path.Dir(u.Path)), By: q.Get("by"), Key: q.Get("key")}
			if _, twice := cells[of]; twice {
				t.Errorf("%v stands there twice", of)
			}
			cells[of] = n
		}
	}
	return cells
}

func numberIn(t *testing.T, n *html.Node) int64 {
	t.Helper()
	number, err := strconv.ParseInt(strings.ReplaceAll(webtest.TextOf(n), ",", ""), 10, 64)
	if err != nil {
		t.Errorf("%q is no number", webtest.TextOf(n))
	}
	return number
}
