package webui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"
	"golang.org/x/net/html"

	"levee/server/internal/accounts"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

const password = "correct horse battery"

// administrator sets an empty server up.
func (s *site) administrator(lang string) *webtest.Browser {
	s.t.Helper()
	code, err := s.accounts.SetUpCode(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.browser(lang).Open("/")
	button, language := "Make the account", "en"
	if lang == "zh" {
		button, language = "建立账号", "zh"
	}
	return b.Send(button, webtest.Values("code", code, "name", "周协调", "login", "zhou", "password", password, "again", password, "language", language)).Is(http.StatusOK)
}

// coordinator makes a deployment with two teams in an empty server, and is its coordinator.
func (s *site) coordinator(lang string) *webtest.Browser {
	s.t.Helper()
	b := s.administrator(lang).Open("/deployments/new")
	button := map[string]string{"en": "Make the deployment", "zh": "建立行动"}[lang]
	return b.Send(button, webtest.Values("name", "河南特大暴雨", "start", "2026-02-01", "site_1", "王庄镇", "code_1", "410621108", "team_1", "一队", "site_2", "小河镇", "code_2", "410621105", "team_2", "二队")).Is(http.StatusOK)
}

// TestFromSetUpToCode goes the way of somebody with a new server, in both languages.
func TestFromSetUpToCode(t *testing.T) {
	for lang, said := range map[string]map[string]string{
		"en": {"made": "Your account is ready", "worker": "Add a worker", "save": "Save", "saved": "Saved.", "code": "Enrolment code", "open": "not used yet"},
		"zh": {"made": "账号已建立", "worker": "添加工作人员", "save": "保存", "saved": "已保存", "code": "登记码", "open": "未使用"},
	} {
		t.Run(lang, func(t *testing.T) {
			s := newSite(t)
			s.administrator(lang).Sees(said["made"])
			b := s.browser(lang).Open("/sign-in")
			b.Send(b.Button(), webtest.Values("login", "Zhou ", "password", password)).Is(http.StatusOK)
			b.Open("/deployments/new").Send(b.Button(), webtest.Values("name", "河南特大暴雨", "start", "2026-02-01", "site_1", "王庄镇", "code_1", "410621108", "team_1", "一队")).Sees("河南特大暴雨", "周协调")
			b.Follow(said["worker"]).Send(said["save"], webtest.Values("name", "李娜", "team", b.Option("一队"))).Sees(said["saved"], "李娜")
			b.Send(said["code"], nil, "李娜").Sees(said["open"], "levee1.", "李娜")
			if !strings.Contains(b.At.Path, "/codes/") {
				t.Errorf("the code stands at %s", b.At)
			}
			for _, img := range webtest.Find(b.Page, "img") {
				if b.Open(webtest.Attribute(img, "src")); b.Status != http.StatusOK {
					t.Errorf("the picture: %d", b.Status)
				}
			}
		})
	}
}

// Whoever makes a deployment may say which other one counts the same people, once there is one.
func TestTheNewDeploymentCountsTheSamePeople(t *testing.T) {
	s := newSite(t)
	b := s.coordinator("en")
	first := s.all.All()[0].Syncing.Deployment()
	b.Open("/deployments/new").Sees("Counts the same people as", "It can't be changed later.")
	b.Send(b.Button(), webtest.Values("name", "elsewhere", "start", "2026-02-01", "same_people", hlc.ID{1}.String())).Is(http.StatusUnprocessableEntity)
	b.Send(b.Button(), webtest.Values("name", "淇县", "start", "2026-02-01", "same_people", b.Option("河南特大暴雨"))).Is(http.StatusOK)
	if s.made.Name != "淇县" || s.made.SamePeople != first {
		t.Errorf("made was %+v", s.made)
	}
	b.Open("/deployments/new").Send(b.Button(), webtest.Values("name", "卫辉", "start", "2026-02-01")).Is(http.StatusOK)
	if s.made.Name != "卫辉" || s.made.SamePeople != (hlc.ID{}) {
		t.Errorf("made was %+v", s.made)
	}
}

// TestNothingTypedIsLost sends a form with one mistake: the rest stands there again, the mistake at its field, and no secret.
func TestNothingTypedIsLost(t *testing.T) {
	s := newSite(t)
	code, err := s.accounts.SetUpCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser("en").Open("/set-up")
	b.Send("Make the account", webtest.Values("code", code, "name", `周 "协调" <b>`, "login", "zhou", "password", password, "again", "another")).Is(http.StatusUnprocessableEntity)
	b.Sees("This is not the same as above.", "To mend:")
	standing := map[string]string{}
	for _, n := range webtest.Find(b.Page, "input") {
		standing[webtest.Attribute(n, "name")] = webtest.Attribute(n, "value")
		if wrong := webtest.Attribute(n, "aria-invalid") == "true"; wrong != (webtest.Attribute(n, "name") == "again") {
			t.Errorf("field %s: wrong %v", webtest.Attribute(n, "name"), wrong)
		}
	}
	for name, want := range map[string]string{"code": code, "name": `周 "协调" <b>`, "login": "zhou", "password": "", "again": ""} {
		if standing[name] != want {
			t.Errorf("%s stands as %q, want %q", name, standing[name], want)
		}
	}
	b.Send("Make the account", webtest.Values("password", "short", "again", "short")).Is(http.StatusUnprocessableEntity).Sees("This password is guessed too easily")
	b.Send("Make the account", webtest.Values("code", "WRONG", "password", password, "again", password)).Is(http.StatusUnprocessableEntity).Sees("This link is not right")
	b.Send("Make the account", webtest.Values("code", code, "password", password, "again", password)).Is(http.StatusOK).Sees(`周 "协调" <b>`)
}

// TestSignInWithTimeCode turns the time code on, and signs in with it.
func TestSignInWithTimeCode(t *testing.T) {
	s := newSite(t)
	b := s.administrator("en").Open("/account")
	b.Send("Turn the time code on", nil).Is(http.StatusOK)
	secret := webtest.TextOf(webtest.Find(b.Page, "code")[0])
	at := func() string {
		code, err := totp.GenerateCode(secret, s.Wall())
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	b.Send("Turn it on", webtest.Values("time_code", "000000")).Is(http.StatusUnprocessableEntity).Sees("This code is not right")
	b.Send("Turn it on", webtest.Values("time_code", at())).Is(http.StatusOK).Sees("The time code is on")
	s.Pass(time.Minute)

	c := s.browser("en").Open("/sign-in?next=/account")
	c.Send("Sign in", webtest.Values("login", "zhou", "password", "wrong password")).Is(http.StatusUnprocessableEntity).Sees("Login, password or time code is not right.")
	c.Send("Sign in", webtest.Values("login", "zhou", "password", password)).Sees("six digits")
	var page strings.Builder
	if err := html.Render(&page, c.Page); err != nil || strings.Contains(page.String(), password) {
		t.Errorf("the second step has the password in it: %v", err)
	}
	half := webtest.StandingIn(webtest.Find(c.Page, "form")[0])
	c.Send("Sign in", webtest.Values("time_code", "000000")).Is(http.StatusUnprocessableEntity)
	c.Send("Sign in", webtest.Values("time_code", at())).Is(http.StatusOK).Sees("You are signed in as zhou.")
	if c.At.Path != "/account" {
		t.Errorf("led to %s", c.At)
	}
	// The first step is good for some minutes only.
	s.Pass(16 * time.Minute)
	late := s.browser("en").Open("/sign-in")
	half.Set("time_code", at())
	late.Do(http.MethodPost, "/sign-in", half)
	late.Sees("That took too long.")
}

// TestInviteAndReset invites a supervisor, who forgets the password.
func TestInviteAndReset(t *testing.T) {
	s := newSite(t)
	b := s.coordinator("en")
	deployment := b.At.Path
	b.Follow("Add a worker").Send("Save", webtest.Values("name", "陈督导", "role", "supervisor", "team", b.Option("一队"), "supervises", b.Choice("二队"))).Sees("一队, 二队")
	b.Send("Invite to the web", nil, "陈督导").Sees("Send this link to 陈督导")
	link := webtest.TextOf(webtest.Find(b.Page, "code")[0])
	path, code, ok := strings.Cut(strings.TrimPrefix(link, s.server.URL), "#")
	if !ok || path != "/invitation" {
		t.Fatalf("the link is %s", link)
	}
	chen := s.browser("zh").Open(path)
	chen.Send("建立账号", webtest.Values("code", code, "name", "陈", "login", "chen", "password", password, "again", password, "language", "zh")).Is(http.StatusOK).Sees("河南特大暴雨", "督导")
	s.browser("zh").Open(path).Send("建立账号", webtest.Values("code", code, "name", "x", "login", "xx", "password", password, "again", password)).Is(http.StatusUnprocessableEntity).Sees("链接不正确、已使用或已过期")

	b.Open("/accounts").Send("Reset password", nil, "chen").Sees("Send this link to 陈")
	_, code, _ = strings.Cut(webtest.TextOf(webtest.Find(b.Page, "code")[0]), "#")
	other := "another horse battery"
	s.browser("zh").Open("/reset").Send("设置密码", webtest.Values("code", code, "password", other, "again", other)).Is(http.StatusOK).Sees("密码已设置")
	chen.Open(deployment)
	if chen.At.Path != "/sign-in" || chen.At.Query().Get("next") != deployment {
		t.Errorf("after the reset, the old session leads to %s", chen.At)
	}
	chen.Send("登录", webtest.Values("login", "chen", "password", other)).Is(http.StatusOK)
	if chen.At.Path != deployment {
		t.Errorf("after signing in, at %s, not where one wanted to go", chen.At)
	}
	b.Open("/accounts").Send("Disable", nil, "chen").Sees("disabled")
	if chen.Open("/"); chen.At.Path != "/sign-in" {
		t.Errorf("who was disabled is at %s", chen.At)
	}
}

// TestShownOnce: what is shown once is shown to whom it belongs, some minutes long.
func TestShownOnce(t *testing.T) {
	s := newSite(t)
	b := s.coordinator("en")
	b.Open("/account/tokens/new").Send("Make the token", webtest.Values("name", "weekly")).Sees("weekly", "levee_")
	shown, token := b.At.String(), webtest.TextOf(webtest.Find(b.Page, "code")[0])
	if _, err := s.accounts.AuthenticateToken(t.Context(), token); err != nil {
		t.Errorf("the token that was shown: %v", err)
	}
	b.Open(shown).Is(http.StatusOK)
	s.member("other", accounts.Invitation{Administrator: true}).Open(shown).Is(http.StatusNotFound)
	s.Pass(16 * time.Minute)
	b.Open(shown).Is(http.StatusNotFound)
	b.Open("/account").Sees("weekly").Send("Revoke", nil, "weekly").Sees("The token is revoked.", "There is none.")
	if _, err := s.accounts.AuthenticateToken(t.Context(), token); problem.CodeOf(err) != problem.Unauthenticated {
		t.Errorf("the revoked token: %v", err)
	}
}

// TestRevokeAsksFirst revokes a tablet, after what will happen was said.
func TestRevokeAsksFirst(t *testing.T) {
	s := newSite(t)
	b, params := s.visitor("coordinator")
	tablets := "/deployments/" + params["deployment"] + "/tablets"
	b.Open(tablets).Sees("A8", "李娜", "in use").Follow("Revoke").Sees("can't be undone", "destroys its key")
	b.Open(tablets).Sees("in use")
	b.Follow("Rename").Send("Save", webtest.Values("tablet", "Li Na's <A8>")).Sees("Li Na's <A8>")
	b.Follow("Replace").Send("Make the code", nil).Sees("not used yet")
	b.Open(tablets).Follow("Revoke").Send("Revoke the tablet", nil).Sees("The tablet is revoked.", "revoked")
	if d, err := s.all.All()[0].Syncing.Device(t.Context(), uuid.MustParse(params["device"])); err != nil || d.RevokedAt == 0 {
		t.Errorf("the tablet: %+v, %v", d, err)
	}
	b.Open("/deployments/"+params["deployment"]+"/audit").Sees("revoked a tablet", "renamed a tablet", "made an enrolment code")
}

// TestNobodyIsLedAway: a link to signing in leads to this server alone.
func TestNobodyIsLedAway(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "/\tx", "javascript:alert(1)"} {
		b := s.browser("en").Open("/sign-in?next=" + url.QueryEscape(next))
		b.Send("Sign in", webtest.Values("login", "zhou", "password", password)).Is(http.StatusOK)
		if b.At.Host != strings.TrimPrefix(s.server.URL, "https://") || b.At.Path != "/" {
			t.Errorf("%q leads to %s", next, b.At)
		}
	}
}

// TestOtherSitesCantPress: a form that another site's page sends does nothing.
func TestOtherSitesCantPress(t *testing.T) {
	s := newSite(t)
	b := s.administrator("en")
	b.From = "cross-site"
	b.Do(http.MethodPost, "/accounts/invitation", nil)
	b.Is(http.StatusForbidden).Sees("You may not do this")
	b.From = "same-origin"
	b.Do(http.MethodPost, "/accounts/invitation", nil)
	b.Is(http.StatusOK).Sees("The invitation is ready")
}

// TestPagesAreStrict: what a page may load, and that nothing keeps it.
func TestPagesAreStrict(t *testing.T) {
	s := newSite(t)
	b := s.coordinator("en")
	for _, path := range []string{b.At.Path, "/account", "/api", "/nothing"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html,*/*")
		response, err := b.Client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		page, err := html.Parse(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if kept := response.Header.Get("Cache-Control"); path != "/nothing" && kept != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, kept)
		}
		if len(webtest.Find(page, "style")) > 0 {
			t.Errorf("%s has styles in it", path)
		}
		for n := range page.Descendants() {
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s has %s in it", path, a.Key)
				}
			}
		}
	}
	if log := s.log.String(); strings.Contains(log, "周协调") || strings.Contains(log, "zhou") || strings.Contains(log, "127.0.0.1") {
		t.Errorf("the log tells of somebody: %s", log)
	}
}
