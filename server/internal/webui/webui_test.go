package webui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
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
