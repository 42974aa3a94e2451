package e2e

import (
	"net/url"
	"path/filepath"
	"regexp"
	"testing"
)

// Every page that a coordinator can get to on the server can be used by everybody, in both languages.
func TestServerPagesAreAccessible(t *testing.T) {
	for _, language := range languages {
		t.Run(language, func(t *testing.T) {
			b, from := atServer(t, phone, language)
			b.everyPage(from, func(string) { b.accessible() })
		})
	}
}

var setUpPattern = regexp.MustCompile(`https?://\S+/set-up#\S+`)

// atServer is a browser at a server with a deployment, signed in as its coordinator, with the addresses of its first page and of
// pages that no link leads to.
func atServer(t *testing.T, on screen, language string) (b *browser, from []string) {
	t.Helper()
	b, _, from = serving(t, on, language)
	return b, from
}

// serving is atServer, with the server besides.
func serving(t *testing.T, on screen, language string) (b *browser, p *served, from []string) {
	t.Helper()
	b = openBrowser(t, on, language)
	p = up(t, []string{"LEVEE_LISTEN=" + freeAddress(t), "LEVEE_DB=" + filepath.Join(t.TempDir(), "server.db")})
	b.open(setUpPattern.FindString(p.said)).makesAccount("周协调", "zhou").sees(b.either("New deployment", "新建行动"))
	home := b.at().ResolveReference(&url.URL{Path: "/"}).String()
	b.follow(b.either("New deployment", "新建行动")).fill(b.either("Name of the deployment", "行动名称"), "演练").fill(b.either("First day", "开始日期"), "2026-01-01")
	b.fill(b.either("Site 1", "服务点 1"), "王庄镇").fill(b.either("Place code of site 1", "服务点 1 的行政区划代码"), "410621108").fill(b.either("Team at site 1", "服务点 1 的服务队"), "一队")
	b.follow(b.either("Make the deployment", "建立行动")).sees("周协调")
	b.follow(b.either("Add a worker", "添加工作人员")).fill(b.either("Name", "姓名"), "李娜").fill(b.either("Team", "服务队"), "一队").follow(b.either("Save", "保存")).sees("李娜")
	b.follow(b.either("Enrolment code", "登记码"), "李娜").sees("levee1.")
	return b, p, []string{home, b.at().String(), home + "nowhere"}
}
