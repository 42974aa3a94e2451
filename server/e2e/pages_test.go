package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"levee/server"
	"levee/server/internal/accounts"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
)

// TestFromAnEmptyFolderToATablet goes the way of a person with a new server through its pages: the set-up link, a deployment, a
// worker, a code; then a real tablet enrols with the code, logs and syncs, and the pages tell of it.
func TestFromAnEmptyFolderToATablet(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(t.Context(), server.Config{DB: filepath.Join(t.TempDir(), "server.db"), URL: "https://" + l.Addr().String(), Wall: hlc.Wall, Hashing: accounts.Hashing{Memory: 64, Passes: 1, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.Server{Listener: l, Config: &http.Server{Handler: s.Handler()}}
	ts.StartTLS()
	t.Cleanup(func() {
		ts.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	link, err := s.SetUpLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page, code, _ := strings.Cut(link, "#")
	b := webtest.New(t, ts.URL, ts.Client(), "zh-CN").Open(page)
	b.Send("建立账号", webtest.Values("code", code, "name", "周协调", "login", "zhou", "password", "correct horse battery", "again", "correct horse battery")).Sees("账号已建立")
	b.Follow("新建行动").Send("建立行动", webtest.Values("name", "演练", "start", "2026-01-01", "site_1", "王庄镇", "code_1", "410621108", "team_1", "一队")).Sees("您是协调员", "周协调")
	deployment := strings.TrimSuffix(b.At.Path, "/people")
	b.Follow("添加工作人员").Send("保存", webtest.Values("name", "李娜", "team", b.Option("一队"))).Sees("已保存", "李娜")
	b.Send("登记码", nil, "李娜").Sees("李娜 的登记码", "未使用")
	shown := b.At.String()
	codes := webtest.Find(b.Page, "code")

	tablet := openTablet(t, filepath.Join(t.TempDir(), "a.db"), ts.Client().Transport)
	if err := tablet.Enrol(t.Context(), webtest.TextOf(codes[len(codes)-1])); err != nil {
		t.Fatal(err)
	}
	visit(t, tablet, 3)
	b.Open(shown).Sees("已使用：平板已登记")
	if n := len(webtest.Find(b.Page, "img")); n != 0 {
		t.Errorf("a used code is still shown as a picture")
	}
	syncNow(t, tablet)
	b.Open(deployment+"/tablets").Sees("李娜", "一队", "使用中", "0 项更改")
	b.Follow("停用").Send("停用平板", url.Values{}).Sees("平板已停用", "已停用")
	b.Open(deployment+"/audit").Sees("周协调", "停用平板", "生成登记码", "修改设置")
}
