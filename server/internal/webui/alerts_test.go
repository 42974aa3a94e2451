package webui_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/alerting"
	"levee/server/internal/audit"
	"levee/server/internal/servertest"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

var errRefused = errors.New("refused")

// post is a channel by which nobody but the named is reached.
type post struct{ down error }

func (post) Address(w *recordv1.Worker) string                      { return w.GetEmail() }
func (p post) Send(context.Context, string, alerting.Message) error { return p.down }

// raise has a worker's tablet send an alert about a case, or about nobody who is known.
func (s *site) raise(v *servertest.Device, level recordv1.RiskLevel, about hlc.ID) hlc.ID {
	s.t.Helper()
	m := &recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_SUICIDE_OR_SELF_HARM.Enum(), Level: level.Enum(), Site: v.Sites[0][:], SeenAt: proto.Int64(v.Wall().Add(-90 * time.Minute).UnixMilli()), Done: proto.String("已陪同在场")}
	if about != (hlc.ID{}) {
		m.Subject = about[:]
	}
	c := v.Make(m)
	if held := v.Push(c).GetAcknowledgement().GetHeld(); len(held) > 0 {
		s.t.Fatal(held)
	}
	s.settle(v.Deployment)
	return c.Record
}

// settle waits until the pages know what was committed, and who is told now was.
func (s *site) settle(d *servertest.Deployment) {
	s.t.Helper()
	if err := s.all.Get(d.ID).Alerting.Refresh(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// onDuty puts workers on the duty list.
func (s *site) onDuty(d *servertest.Deployment, names ...string) {
	s.t.Helper()
	m := &recordv1.Deployment{EscalationMinutes: proto.Uint32(10)}
	for _, name := range names {
		id := d.Workers[name]
		m.DutyList = append(m.DutyList, id[:])
	}
	boss := d.Enrol("coordinator")
	boss.Pull()
	boss.Push(boss.Edit(d.ID, m))
}

// reachable gives a worker an address.
func (s *site) reachable(d *servertest.Deployment, name string) {
	s.t.Helper()
	boss := d.Enrol("coordinator")
	boss.Pull()
	boss.Push(boss.Edit(d.Workers[name], &recordv1.Worker{Email: proto.String(name + "@example.org")}))
}

// noted is how many entries of the audit log tell of an action.
func (s *site) noted(deployment hlc.ID, a audit.Action) (n int) {
	s.t.Helper()
	entries, _, err := s.audit.Page(s.t.Context(), deployment, 0, 200)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Action == a {
			n++
		}
	}
	return n
}

// TestAnAlertIsAcknowledged: an alert from a tablet stands first on every page of who sees it, until they say that they see
// to it; then it is told so, and closed.
func TestAnAlertIsAcknowledged(t *testing.T) {
	for lang, said := range map[string]struct {
		alarm, standing, level, next, acknowledge, mine, over, closed, none, duty string
		found                                                                     []string
	}{
		"en": {"1 risk alert waits for somebody to acknowledge it", "Nobody has acknowledged it yet.", "Level: red", "lead is told at 1 Oct 2021 12:10.", "I see to it", "Acknowledged by super", "The danger is over", "Closed: over on 1 Oct 2021",
			"No alert waits for somebody.", "the next one is told after 10 minutes", []string{"suicide or self harm", "Sent by anna", "1 Oct 2021 10:30 (1 hour ago)", "1 Oct 2021 12:00 (just now)", "SMS: not set up on this server", "e-mail: sent 1 Oct 2021 12:00"}},
		"zh": {"有 1 条风险上报等待确认", "还没有人确认。", "等级：红色", "lead，将于 2021年10月1日 12:10 通知。", "由我负责，确认", "super 已确认", "危险已解除，了结", "已了结：2021年10月1日",
			"没有等待确认的风险上报。", "每过 10 分钟通知下一位", []string{"自杀自伤", "上报人 anna", "2021年10月1日 10:30（1 小时前）", "2021年10月1日 12:00（刚刚）", "短信：本服务器未设置", "电子邮件：2021年10月1日 12:00 已发出"}},
	} {
		t.Run(lang, func(t *testing.T) {
			s := newSite(t)
			s.senders = map[alerting.Channel]alerting.Sender{alerting.Mail: post{}}
			c := s.casework()
			s.onDuty(c.Deployment, "super", "lead")
			s.reachable(c.Deployment, "super")
			b := s.as(c.Deployment, "super", lang).Open("/deployments/" + c.ID.String() + "?lang=" + lang)
			if strings.Contains(b.Text, said.alarm) {
				t.Fatal("there is an alarm without an alert")
			}
			open := s.live.State(c.ID)
			alert := s.raise(c.anna, recordv1.RiskLevel_RISK_LEVEL_RED, c.file)
			if s.live.State(c.ID) == open {
				t.Error("open pages were not told")
			}
			waitFor(t, s, c.Deployment, alert, func(a alerting.Alert) bool { return len(a.Notices) == 2 && a.Notices[0].Outcome == alerting.Sent })

			b.Open("/deployments/" + c.ID.String() + "/tablets?lang=" + lang).Sees(said.alarm)
			if first := webtest.Find(b.Page, "section", "main")[0]; !strings.Contains(webtest.TextOf(first), said.alarm) || first.Data == "main" {
				t.Errorf("the alarm does not stand first: %s", b.Text)
			}
			b.Follow(map[string]string{"en": "All alerts", "zh": "全部风险上报"}[lang]).Sees(append(said.found, said.level, said.standing, said.next, said.duty)...)
			if s.noted(c.ID, audit.ConfidentialRead) != 0 {
				t.Error("a list counts as reading")
			}
			b.Follow(map[string]string{"en": "suicide or self harm", "zh": "自杀自伤"}[lang]).Sees("已陪同在场", "2021-01", said.standing)
			if s.noted(c.ID, audit.ConfidentialRead) != 1 {
				t.Error("reading an alert is not noted")
			}
			b.Send(said.acknowledge, nil).Is(http.StatusOK).Sees(said.mine)
			if strings.Contains(b.Text, said.alarm) || strings.Contains(b.Text, said.standing) {
				t.Errorf("the alert is open still: %s", b.Text)
			}
			if s.noted(c.ID, audit.AlertAcknowledged) != 1 {
				t.Error("acknowledging is not noted")
			}
			c.anna.Pull()
			if m := seen(t, c.anna, alert); hlc.ID(m.GetAcknowledgedBy()) != c.Workers["super"] {
				t.Errorf("the tablet sees %v", m)
			}
			b.Send(said.over, webtest.Values("closed_on", "2021-10-02")).Is(http.StatusUnprocessableEntity)
			b.Send(said.over, webtest.Values("closed_on", "2021-10-01")).Is(http.StatusOK).Sees(said.closed)
			b.Open("/deployments/"+c.ID.String()+"/alerts?lang="+lang).Sees(said.none, said.mine, said.closed)
		})
	}
}

// waitFor waits until an open alert stands as it should.
func waitFor(t *testing.T, s *site, d *servertest.Deployment, id hlc.ID, ok func(alerting.Alert) bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	for {
		watch, err := s.live.Watch(d.ID, hlc.ID{1}, s.live.State(d.ID))
		if err != nil {
			t.Fatal(err)
		}
		a, err := s.all.Get(d.ID).Alerting.Find(ctx, id, nil)
		if err == nil && ok(a) {
			watch.Stop()
			return
		}
		event := watch.Next(ctx)
		watch.Stop()
		if ctx.Err() != nil {
			t.Fatalf("it stays %+v, %v (%v)", a, err, event)
		}
	}
}

func seen(t *testing.T, v *servertest.Device, id hlc.ID) *recordv1.RiskAlert {
	t.Helper()
	m := &recordv1.RiskAlert{}
	if err := proto.Unmarshal(v.Seen[id].Fields(), m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAlertsAreForFew: who does not work on the case, and leads no more than the team, learns nothing of its alert.
func TestAlertsAreForFew(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	alert := s.raise(c.anna, recordv1.RiskLevel_RISK_LEVEL_ORANGE, c.file)
	at := "/deployments/" + c.ID.String() + "/alerts"
	for _, who := range []string{"super", "coordinator", "anna"} {
		b := s.as(c.Deployment, who, "en").Open(at).Sees("1 risk alert waits", "suicide or self harm", "Level: orange")
		b.Open(at + "/" + alert.String()).Is(http.StatusOK)
		if may := strings.Contains(b.Text, "I see to it"); may != (who != "anna") {
			t.Errorf("%s may acknowledge: %v", who, may)
		}
	}
	for _, who := range []string{"lead", "ben", "carl"} {
		b := s.as(c.Deployment, who, "en").Open(at).Is(http.StatusOK).Sees("No alert waits for somebody.")
		if strings.Contains(b.Text, "risk alert waits") || strings.Contains(b.Text, "suicide") {
			t.Errorf("%s: %s", who, b.Text)
		}
		b.Open(at + "/" + alert.String()).Is(http.StatusNotFound)
	}
}

// TestALinkToAnAlertLeadsThereAfterSigningIn: messages to who is on duty have such links.
func TestALinkToAnAlertLeadsThereAfterSigningIn(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	alert := s.raise(c.anna, recordv1.RiskLevel_RISK_LEVEL_RED, hlc.ID{})
	s.as(c.Deployment, "super", "en")
	b := s.browser("en").Open("/deployments/" + c.ID.String() + "/alerts/" + alert.String())
	b.Send("Sign in", webtest.Values("login", "super", "password", password)).Is(http.StatusOK).Sees("Risk alert: suicide or self harm", "已陪同在场")
}

// TestWhoWasTold says what came of each message, and that all were told in the end.
func TestWhoWasTold(t *testing.T) {
	s := newSite(t)
	s.senders = map[alerting.Channel]alerting.Sender{alerting.Mail: post{errRefused}}
	d := s.field()
	s.onDuty(d, "super")
	s.reachable(d, "super")
	alert := s.raise(d.Enrol("anna"), recordv1.RiskLevel_RISK_LEVEL_YELLOW, hlc.ID{})
	waitFor(t, s, d, alert, func(a alerting.Alert) bool { return len(a.Notices) == 2 && a.Notices[0].Outcome == alerting.Failed })
	s.as(d, "coordinator", "en").Open("/deployments/"+d.ID.String()+"/alerts").Sees("Level: yellow", "super 1 Oct 2021 12:00", "e-mail: failed 1 times, last 1 Oct 2021 12:00", "super is told at 1 Oct 2021 12:10")
}

// TestPastAlertsArePaged goes through them, the newest first.
func TestPastAlertsArePaged(t *testing.T) {
	s := newSite(t)
	d := s.field()
	anna, boss := d.Enrol("anna"), d.Enrol("super")
	for range 21 {
		anna.Push(anna.Make(&recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), AcknowledgedBy: boss.Worker[:], AcknowledgedAt: proto.Int64(d.Wall().UnixMilli())}))
	}
	s.settle(d)
	b := s.as(d, "super", "en").Open("/deployments/" + d.ID.String() + "/alerts")
	if n := strings.Count(b.Text, "Acknowledged by super"); n != 20 {
		t.Errorf("%d on the first page: %s", n, b.Text)
	}
	b.Follow("Further")
	if n := strings.Count(b.Text, "Acknowledged by super"); n != 1 {
		t.Errorf("%d on the second page: %s", n, b.Text)
	}
	b.Open("/deployments/" + d.ID.String() + "/alerts?after=00000000-0000-0000-0000-000000000001").Is(http.StatusNotFound)
}

// TestAnOpenPageOfAnAlertReadsNothing: it follows how the alert stands, and that is no reading.
func TestAnOpenPageOfAnAlertReadsNothing(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	alert := s.raise(c.anna, recordv1.RiskLevel_RISK_LEVEL_RED, c.file)
	b := s.as(c.Deployment, "super", "en")
	text := s.renewed(b, "/deployments/"+c.ID.String()+"/alerts/"+alert.String())
	if !strings.Contains(text, `id="standing"`) || strings.Contains(text, "已陪同在场") {
		t.Error(text)
	}
	if s.noted(c.ID, audit.ConfidentialRead) != 0 {
		t.Error("the page read the alert")
	}
}
