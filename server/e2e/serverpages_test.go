package e2e

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var screenshots = flag.String("screenshots", "", "a folder: TestScreenshots writes pictures of all pages there")

// Every page that a coordinator can get to on the server can be used by everybody, in both languages.
func TestServerPagesAreAccessible(t *testing.T) {
	for _, language := range languages {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			b, start := signedIn(t, phone, language)
			for _, page := range b.pages(start) {
				b.open(page).accessible()
			}
		})
	}
}

// TestScreenshots writes pictures for people to look at: task screenshots.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("for people to look at: task screenshots")
	}
	dir, err := filepath.Abs(*screenshots)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "server")); err != nil {
		t.Fatal(err)
	}
	for _, language := range languages {
		for _, on := range []screen{phone, laptop} {
			b, start := signedIn(t, on, language)
			for _, page := range b.pages(start) {
				b.open(page).picture(filepath.Join(dir, "server", language+"-"+on.name, pictureName(page)))
			}
		}
	}
}

var languages = []string{"zh-CN", "en"}

// signedIn is a browser at a server with a deployment, signed in as its coordinator, and the address of the first page.
func signedIn(t *testing.T, on screen, language string) (b *browser, start string) {
	t.Helper()
	b = openBrowser(t, on, language)
	p := up(t, []string{"LEVEE_LISTEN=" + freeAddress(t), "LEVEE_DB=" + filepath.Join(t.TempDir(), "server.db")})
	link := setUpPattern.FindString(p.said)
	in := func(en, zh string) string {
		if language == "en" {
			return en
		}
		return zh
	}
	b.open(link).fill(in("Name", "姓名"), "周协调").fill(in("Login", "用户名"), "zhou")
	b.fill(in("New password", "新密码"), "correct horse battery").fill(in("The new password once more", "再输入一次新密码"), "correct horse battery")
	b.follow(in("Make the account", "建立账号")).sees(in("New deployment", "新建行动"))
	start = b.at().String()
	b.follow(in("New deployment", "新建行动")).fill(in("Name of the deployment", "行动名称"), "演练").fill(in("First day", "开始日期"), "2026-01-01")
	b.fill(in("Site 1", "服务点 1"), "王庄镇").fill(in("Place code of site 1", "服务点 1 的行政区划代码"), "410621108").fill(in("Team at site 1", "服务点 1 的服务队"), "一队")
	b.follow(in("Make the deployment", "建立行动")).sees("王庄镇", "一队")
	b.follow(in("Add a worker", "添加工作人员")).fill(in("Name", "姓名"), "李娜").fill(in("Team", "服务队"), "一队").follow(in("Save", "保存")).sees("李娜")
	b.follow(in("Enrolment code", "登记码"), "李娜").sees("levee1.")
	return b, start
}

var setUpPattern = regexp.MustCompile(`https?://\S+/set-up#\S+`)

// pages are the addresses of all pages that links lead to from one, which is the first of them. Of pages that differ by ids alone, one is
// enough. Links to the other language are not followed.
func (b *browser) pages(start string) []string {
	b.t.Helper()
	pages, seen := []string{start}, map[string]bool{pageName(start): true}
	for i := 0; i < len(pages); i++ {
		b.open(pages[i])
		for _, to := range eval[[]string](b, `Array.from(document.querySelectorAll('a[href]:not([hreflang]):not([download])'), a => a.href.split('#')[0])`) {
			u, err := url.Parse(to)
			if err != nil {
				b.t.Fatal(err)
			}
			if name := pageName(to); u.Host == b.at().Host && !seen[name] {
				seen[name] = true
				pages = append(pages, to)
			}
		}
	}
	return pages
}

var idPattern = regexp.MustCompile(`^[0-9a-f-]{16,}$`)

// pageName is an address without the ids in it: what kind of page it is.
func pageName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	for i, part := range parts {
		if idPattern.MatchString(part) {
			parts[i] = "ID"
		}
	}
	for name := range u.Query() {
		parts = append(parts, name)
	}
	slices.Sort(parts[strings.Count(u.Path, "/"):])
	return strings.Join(parts, "-")
}

func pictureName(page string) string {
	name := pageName(page)
	if name == "" {
		name = "start"
	}
	return name + ".png"
}
