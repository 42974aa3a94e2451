package e2e

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/emersion/go-smtp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"levee/server"
	"levee/server/internal/alerting"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// An alert stands on every open page at once, and the first on duty gets a letter. She does nothing: in time the next one gets a letter too,
// follows its link and sees to it. The tablet that sent the alert shows it as unconfirmed until then.
func TestARiskAlertReachesSomebody(t *testing.T) {
	desk := openBrowser(t, laptop, "en")
	clock, post := &movable{waiting: map[chan time.Time]time.Time{}}, newMailServer(t)
	c := newCamp(t, func(config *server.Config) {
		config.Wall, config.After = clock.wall, clock.after
		config.Alerts.Mail = alerting.MailServer{Address: post.address, From: "levee@example.org"}
	})
	home := c.onDuty(desk, "lena, team lead", "cora, coordinator")
	anna := c.tablets[0]

	desk.open(home + "/people").listens()
	fastest, sent := time.Hour, []hlc.ID{}
	for n := range 3 {
		alert, err := anna.LogRiskAlert(c.ctx, &recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), Level: recordv1.RiskLevel_RISK_LEVEL_RED.Enum(), Done: proto.String("正在村里找")})
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, alert)
		syncNow(t, anna)
		synced := time.Now()
		desk.alarmed(n + 1)
		fastest = min(fastest, time.Since(synced)) // the machine may be busy with something else once
	}
	desk.live("an alert", fastest)
	post.brings("lena@example.org", sent)
	c.unconfirmed(sent...)

	clock.putForward(alerting.DefaultPeriod)
	links := post.brings("cora@example.org", sent)
	desk.open(links[sent[0]]).sees("Nobody has acknowledged it yet.", "lena", "cora").follow("I see to it").sees("Acknowledged: you see to it.", "Acknowledged by cora")
	desk.alarmed(2)
	syncNow(t, anna)
	c.unconfirmed(sent[1:]...)
}

// onDuty signs the coordinator in, who gives people an address and puts them on the duty list. It returns the address of the deployment's
// first page.
func (c *camp) onDuty(desk *browser, list ...string) (home string) {
	c.t.Helper()
	link, err := c.server.SetUpLink(c.ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	desk.open(link).makesAccount("周协调", "zhou").follow("camp")
	home = desk.at().String()
	desk.open(desk.invitation(home, "cora")).follow("Accept the invitation")
	for _, one := range list {
		name, _, _ := strings.Cut(one, ",")
		desk.open(home+"/people").follow(name).fill("E-mail", name+"@example.org").follow("Save")
		desk.open(home+"/set-up/duty").fill("Add to the end of the list", one).follow("Add")
	}
	return home
}

// alarmed waits until the page says at its top that some alerts wait.
func (b *browser) alarmed(alerts int) {
	b.t.Helper()
	b.until(fmt.Sprintf("the alarm of %d alerts", alerts), func(ctx context.Context, at *chromedp.Target) error {
		shown, err := chromedp.Evaluate[string](`document.getElementById('alarm').innerText`)(ctx, at)
		if err == nil && !strings.HasPrefix(shown, fmt.Sprintf("%d risk alert", alerts)) {
			err = fmt.Errorf("it says %q", shown)
		}
		return err
	})
}

// unconfirmed compares the alerts that nobody has confirmed, by what the tablet of anna knows; cora has confirmed the others.
func (c *camp) unconfirmed(want ...hlc.ID) {
	c.t.Helper()
	lines := must(c.tablets[0].Alerts(c.ctx))(c.t)
	if len(lines) < len(want) {
		c.t.Errorf("the tablet has %d alerts", len(lines))
	}
	for _, line := range lines {
		by := "cora"
		for _, id := range want {
			if line.ID == id {
				by = ""
			}
		}
		if line.ConfirmedBy != by {
			c.t.Errorf("the tablet says that %v is confirmed by %q, it is by %q", line.ID, line.ConfirmedBy, by)
		}
	}
}

// movable is a clock that goes as the machine's does, and can be put forward.
type movable struct {
	mu    sync.Mutex
	ahead time.Duration
	// waiting are the times that somebody waits for, by where they are told.
	waiting map[chan time.Time]time.Time
}

func (m *movable) wall() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.ahead)
}

func (m *movable) after(d time.Duration) <-chan time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	told := make(chan time.Time, 1)
	m.waiting[told] = time.Now().Add(m.ahead + d)
	time.AfterFunc(d, func() { m.putForward(0) })
	return told
}

// putForward puts the clock forward, and tells those whose time has come.
func (m *movable) putForward(by time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead += by
	now := time.Now().Add(m.ahead)
	for told, at := range m.waiting {
		if !at.After(now) {
			told <- now
			delete(m.waiting, told)
		}
	}
}

// mailServer is a mail server on this machine.
type mailServer struct {
	t       *testing.T
	address string
	letters chan letter
}

// letter is one that arrived, with its text in the clear.
type letter struct{ to, text string }

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	p := &mailServer{t: t, letters: make(chan letter, 100)}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{mailServer: p}, nil }))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-served); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Errorf("the mail server: %v", err)
		}
	})
	return p
}

var alertLink = regexp.MustCompile(`http://\S+/alerts/(\S+)`)

// brings waits for a letter about each of some alerts. They must all be to one person. It returns the links in them.
func (p *mailServer) brings(to string, alerts []hlc.ID) map[hlc.ID]string {
	p.t.Helper()
	links := map[hlc.ID]string{}
	for range alerts {
		select {
		case l := <-p.letters:
			found := alertLink.FindStringSubmatch(l.text)
			if found == nil || l.to != to {
				p.t.Fatalf("a letter came to %s, not to %s: %s", l.to, to, l.text)
			}
			links[must(uuid.Parse(found[1]))(p.t)] = found[0]
		case <-time.After(patience):
			p.t.Fatalf("%d letters came to %s", len(links), to)
		}
	}
	for _, id := range alerts {
		if links[id] == "" {
			p.t.Errorf("no letter to %s is about %v", to, id)
		}
	}
	return links
}

// delivery is one connection to the mail server.
type delivery struct {
	*mailServer
	to string
}

func (*delivery) Mail(string, *smtp.MailOptions) error { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	d.letters <- letter{d.to, string(text)}
	return err
}

func (*delivery) Reset()        {}
func (*delivery) Logout() error { return nil }
