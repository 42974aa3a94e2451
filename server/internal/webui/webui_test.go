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
	"levee/syncproto/problem"
)

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

const password = "correct horse battery"

// administrator sets an empty server up.
func (s *site) administrator(lang string) *browser {
	s.t.Helper()
	code, err := s.accounts.SetUpCode(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.browser(lang).open("/")
	button, language := "Make the account", "en"
	if lang == "zh" {
		button, language = "建立账号", "zh"
	}
	return b.send(button, values("code", code, "name", "周协调", "login", "zhou", "password", password, "again", password, "language", language)).is(http.StatusOK)
}

// coordinator makes a deployment with two teams in an empty server, and is its coordinator.
func (s *site) coordinator(lang string) *browser {
	s.t.Helper()
	b := s.administrator(lang).open("/deployments/new")
	button := map[string]string{"en": "Make the deployment", "zh": "建立行动"}[lang]
	return b.send(button, values("name", "河南特大暴雨", "start", "2026-02-01", "site_1", "王庄镇", "code_1", "410621108", "team_1", "一队", "site_2", "小河镇", "code_2", "410621105", "team_2", "二队")).is(http.StatusOK)
}

// TestFromSetUpToCode goes the way of somebody with a new server, in both languages.
func TestFromSetUpToCode(t *testing.T) {
	for lang, said := range map[string]map[string]string{
		"en": {"made": "Your account is ready", "worker": "Add a worker", "save": "Save", "saved": "Saved.", "code": "Enrolment code", "open": "not used yet"},
		"zh": {"made": "账号已建立", "worker": "添加工作人员", "save": "保存", "saved": "已保存", "code": "登记码", "open": "未使用"},
	} {
		t.Run(lang, func(t *testing.T) {
			s := newSite(t)
			s.administrator(lang).sees(said["made"])
			b := s.browser(lang).open("/sign-in")
			b.send(b.button(), values("login", "Zhou ", "password", password)).is(http.StatusOK)
			b.open("/deployments/new").send(b.button(), values("name", "河南特大暴雨", "start", "2026-02-01", "site_1", "王庄镇", "code_1", "410621108", "team_1", "一队")).sees("河南特大暴雨", "周协调", "王庄镇", "一队")
			b.follow(said["worker"]).send(said["save"], values("name", "李娜", "team", b.option("一队"))).sees(said["saved"], "李娜")
			b.send(said["code"], nil, "李娜").sees(said["open"], "levee1.", "李娜")
			if !strings.Contains(b.at.Path, "/codes/") {
				t.Errorf("the code stands at %s", b.at)
			}
			for _, img := range find(b.page, "img") {
				if b.open(attribute(img, "src")); b.status != http.StatusOK {
					t.Errorf("the picture: %d", b.status)
				}
			}
		})
	}
}

// button is the text of the page's main button.
func (b *browser) button() string {
	b.s.t.Helper()
	main := find(b.page, "main")[0]
	buttons := find(main, "button")
	if len(buttons) == 0 {
		b.s.t.Fatalf("%s has no button: %s", b.at, b.text)
	}
	return textOf(buttons[len(buttons)-1])
}

// TestNothingTypedIsLost sends a form with one mistake: the rest stands there again, the mistake at its field, and no secret.
func TestNothingTypedIsLost(t *testing.T) {
	s := newSite(t)
	code, err := s.accounts.SetUpCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser("en").open("/set-up")
	b.send("Make the account", values("code", code, "name", `周 "协调" <b>`, "login", "zhou", "password", password, "again", "another")).is(http.StatusUnprocessableEntity)
	b.sees("This is not the same as above.", "To mend:")
	standing := map[string]string{}
	for _, n := range find(b.page, "input") {
		standing[attribute(n, "name")] = attribute(n, "value")
		if wrong := attribute(n, "aria-invalid") == "true"; wrong != (attribute(n, "name") == "again") {
			t.Errorf("field %s: wrong %v", attribute(n, "name"), wrong)
		}
	}
	for name, want := range map[string]string{"code": code, "name": `周 "协调" <b>`, "login": "zhou", "password": "", "again": ""} {
		if standing[name] != want {
			t.Errorf("%s stands as %q, want %q", name, standing[name], want)
		}
	}
	b.send("Make the account", values("password", "short", "again", "short")).is(http.StatusUnprocessableEntity).sees("This password is guessed too easily")
	b.send("Make the account", values("code", "WRONG", "password", password, "again", password)).is(http.StatusUnprocessableEntity).sees("This link is not right")
	b.send("Make the account", values("code", code, "password", password, "again", password)).is(http.StatusOK).sees(`周 "协调" <b>`)
}

// TestSignInWithTimeCode turns the time code on, and signs in with it.
func TestSignInWithTimeCode(t *testing.T) {
	s := newSite(t)
	b := s.administrator("en").open("/account")
	b.send("Turn the time code on", nil).is(http.StatusOK)
	secret := textOf(find(b.page, "code")[0])
	at := func() string {
		code, err := totp.GenerateCode(secret, s.now)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	b.send("Turn it on", values("time_code", "000000")).is(http.StatusUnprocessableEntity).sees("This code is not right")
	b.send("Turn it on", values("time_code", at())).is(http.StatusOK).sees("The time code is on")
	s.now = s.now.Add(time.Minute)

	c := s.browser("en").open("/sign-in?next=/account")
	c.send("Sign in", values("login", "zhou", "password", "wrong password")).is(http.StatusUnprocessableEntity).sees("Login, password or time code is not right.")
	c.send("Sign in", values("login", "zhou", "password", password)).sees("six digits")
	var page strings.Builder
	if err := html.Render(&page, c.page); err != nil || strings.Contains(page.String(), password) {
		t.Errorf("the second step has the password in it: %v", err)
	}
	half := standingIn(find(c.page, "form")[0])
	c.send("Sign in", values("time_code", "000000")).is(http.StatusUnprocessableEntity)
	c.send("Sign in", values("time_code", at())).is(http.StatusOK).sees("You are signed in as zhou.")
	if c.at.Path != "/account" {
		t.Errorf("led to %s", c.at)
	}
	// The first step is good for some minutes only.
	s.now = s.now.Add(16 * time.Minute)
	late := s.browser("en").open("/sign-in")
	half.Set("time_code", at())
	late.do(http.MethodPost, "/sign-in", half)
	late.sees("That took too long.")
}

// TestInviteAndReset invites a supervisor, who forgets the password.
func TestInviteAndReset(t *testing.T) {
	s := newSite(t)
	b := s.coordinator("en")
	deployment := b.at.Path
	b.follow("Add a worker").send("Save", values("name", "陈督导", "role", "supervisor", "team", b.option("一队"), "supervises", b.choice("二队"))).sees("一队, 二队")
	b.send("Invite to the web", nil, "陈督导").sees("Send this link to 陈督导")
	link := textOf(find(b.page, "code")[0])
	path, code, ok := strings.Cut(strings.TrimPrefix(link, s.server.URL), "#")
	if !ok || path != "/invitation" {
		t.Fatalf("the link is %s", link)
	}
	chen := s.browser("zh").open(path)
	chen.send("建立账号", values("code", code, "name", "陈", "login", "chen", "password", password, "again", password, "language", "zh")).is(http.StatusOK).sees("河南特大暴雨", "督导")
	s.browser("zh").open(path).send("建立账号", values("code", code, "name", "x", "login", "xx", "password", password, "again", password)).is(http.StatusUnprocessableEntity).sees("链接不正确、已使用或已过期")

	b.open("/accounts").send("Reset password", nil, "chen").sees("Send this link to 陈")
	_, code, _ = strings.Cut(textOf(find(b.page, "code")[0]), "#")
	other := "another horse battery"
	s.browser("zh").open("/reset").send("设置密码", values("code", code, "password", other, "again", other)).is(http.StatusOK).sees("密码已设置")
	chen.open(deployment)
	if chen.at.Path != "/sign-in" || chen.at.Query().Get("next") != deployment {
		t.Errorf("after the reset, the old session leads to %s", chen.at)
	}
	chen.send("登录", values("login", "chen", "password", other)).is(http.StatusOK)
	if chen.at.Path != deployment {
		t.Errorf("after signing in, at %s, not where one wanted to go", chen.at)
	}
	b.open("/accounts").send("Disable", nil, "chen").sees("disabled")
	if chen.open("/"); chen.at.Path != "/sign-in" {
		t.Errorf("who was disabled is at %s", chen.at)
	}
}

// choice is the value of a box with a text.
func (b *browser) choice(text string) string {
	b.s.t.Helper()
	for _, l := range find(b.page, "label") {
		for _, n := range find(b.page, "input") {
			if textOf(l) == text && attribute(n, "id") == attribute(l, "for") {
				return attribute(n, "value")
			}
		}
	}
	b.s.t.Fatalf("%s offers no %q", b.at, text)
	return ""
}

// TestShownOnce: what is shown once is shown to whom it belongs, some minutes long.
func TestShownOnce(t *testing.T) {
	s := newSite(t)
	b := s.coordinator("en")
	b.open("/account/tokens/new").send("Make the token", values("name", "weekly")).sees("weekly", "levee_")
	shown, token := b.at.String(), textOf(find(b.page, "code")[0])
	if _, err := s.accounts.AuthenticateToken(t.Context(), token); err != nil {
		t.Errorf("the token that was shown: %v", err)
	}
	b.open(shown).is(http.StatusOK)
	s.member("other", accounts.Invitation{Administrator: true}).open(shown).is(http.StatusNotFound)
	s.now = s.now.Add(16 * time.Minute)
	b.open(shown).is(http.StatusNotFound)
	b.open("/account").sees("weekly").send("Revoke", nil, "weekly").sees("The token is revoked.", "There is none.")
	if _, err := s.accounts.AuthenticateToken(t.Context(), token); problem.CodeOf(err) != problem.Unauthenticated {
		t.Errorf("the revoked token: %v", err)
	}
}

// TestRevokeAsksFirst revokes a tablet, after what will happen was said.
func TestRevokeAsksFirst(t *testing.T) {
	s := newSite(t)
	b, params := s.visitor("coordinator")
	tablets := "/deployments/" + params["deployment"] + "/tablets"
	b.open(tablets).sees("A8", "李娜", "in use").follow("Revoke").sees("can't be undone", "destroys its key")
	b.open(tablets).sees("in use")
	b.follow("Rename").send("Save", values("tablet", "Li Na's <A8>")).sees("Li Na's <A8>")
	b.follow("Replace").send("Make the code", nil).sees("not used yet")
	b.open(tablets).follow("Revoke").send("Revoke the tablet", nil).sees("The tablet is revoked.", "revoked")
	if d, err := s.all.All()[0].Syncing.Device(t.Context(), uuid.MustParse(params["device"])); err != nil || d.RevokedAt == 0 {
		t.Errorf("the tablet: %+v, %v", d, err)
	}
	b.open("/deployments/"+params["deployment"]+"/audit").sees("revoked a tablet", "renamed a tablet", "made an enrolment code")
}

// TestNobodyIsLedAway: a link to signing in leads to this server alone.
func TestNobodyIsLedAway(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "/\tx", "javascript:alert(1)"} {
		b := s.browser("en").open("/sign-in?next=" + url.QueryEscape(next))
		b.send("Sign in", values("login", "zhou", "password", password)).is(http.StatusOK)
		if b.at.Host != strings.TrimPrefix(s.server.URL, "https://") || b.at.Path != "/" {
			t.Errorf("%q leads to %s", next, b.at)
		}
	}
}

// TestOtherSitesCantPress: a form that another site's page sends does nothing.
func TestOtherSitesCantPress(t *testing.T) {
	s := newSite(t)
	b := s.administrator("en")
	b.from = "cross-site"
	b.do(http.MethodPost, "/accounts/invitation", nil)
	b.is(http.StatusForbidden).sees("You may not do this")
	b.from = "same-origin"
	b.do(http.MethodPost, "/accounts/invitation", nil)
	b.is(http.StatusOK).sees("The invitation is ready")
}

// TestPagesAreStrict: what a page may load, and that nothing keeps it.
func TestPagesAreStrict(t *testing.T) {
	s := newSite(t)
	b := s.coordinator("en")
	for _, path := range []string{b.at.Path, "/account", "/nothing"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html,*/*")
		response, err := b.client.Do(r)
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
		if len(find(page, "style")) > 0 {
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
