package e2e

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every page of the server can be used by everybody, in both languages: with a thumb on a phone, and on a large screen.
func TestServerPagesAreAccessible(t *testing.T) {
	for _, language := range languages {
		t.Run(language, func(t *testing.T) {
			b := openBrowser(t, phone, language)
			d := newFullDesk(t, b)
			d.tour(func(string) {
				b.accessible().tangible().drawn()
				b.turn(laptop)
				b.fits().turn(phone)
			})
			b.noServerPageForgotten()
		})
	}
}

var setUpPattern = regexp.MustCompile(`https?://\S+/set-up#\S+`)

// firstAccount makes the first account of a server, and signs in with it.
func (b *browser) firstAccount(p *served) *browser {
	b.t.Helper()
	return b.open(setUpPattern.FindString(p.said)).makesAccount("周协调", "zhou").sees(b.either("New deployment", "新建行动"))
}

// serving is a browser at a server with a deployment, signed in as its coordinator.
func serving(t *testing.T, on screen, language string) (b *browser, p *served) {
	t.Helper()
	b = openBrowser(t, on, language)
	p = up(t, []string{"LEVEE_LISTEN=" + freeAddress(t), "LEVEE_DB=" + filepath.Join(t.TempDir(), "server.db")})
	b.firstAccount(p).follow(b.either("New deployment", "新建行动")).fill(b.either("Name of the deployment", "行动名称"), "演练").fill(b.either("First day", "开始日期"), "2026-01-01")
	b.fill(b.either("Site 1", "服务点 1"), "王庄镇").fill(b.either("Place code of site 1", "服务点 1 的行政区划代码"), "410621108").fill(b.either("Team at site 1", "服务点 1 的服务队"), "一队")
	b.follow(b.either("Make the deployment", "建立行动")).sees("周协调")
	b.follow(b.either("Add a worker", "添加工作人员")).fill(b.either("Name", "姓名"), "李娜").fill(b.either("Team", "服务队"), "一队").follow(b.either("Save", "保存")).sees("李娜")
	b.follow(b.either("Enrolment code", "登记码"), "李娜").sees("levee1.")
	return b, p
}

// tour opens every page of the server: those that links lead to, and those that come of what is sent.
func (d *fullDesk) tour(do func(name string)) {
	d.t.Helper()
	d.everyPage([]string{d.home, d.deployment, d.home + "nowhere"}, do)
	for _, file := range []string{"/set-up/import/templates/sites", "/set-up/import/templates/teams", "/set-up/import/templates/workers", "/import/templates/outreach"} { // files are no pages, and have no links to them on their own
		eval[int](d.browser, `fetch('`+d.deployment+file+`').then(r => r.status)`)
	}
	filled := d.was(regexp.QuoteMeta(d.path()) + `/reports/workbooks/[^/]+/cells`)
	eval[int](d.browser, `fetch('`+strings.TrimSuffix(filled, "cells")+`filled?period=day').then(r => r.status)`)
	d.searches(do)
	d.exports(do)
	d.shownOnce(do)
	d.wrongForms(do)
	d.joins(do)
	d.approves(do)
	d.closesOut(do)
	d.signedOut(do)
}

// searches looks for people and records, and for nothing.
func (d *fullDesk) searches(do func(name string)) {
	d.t.Helper()
	d.open(d.deployment + "/search")
	do("search")
	for name, words := range map[string]string{"search-found": "王", "search-none": "蓝鲸"} {
		d.open(d.deployment+"/search").fill(d.either("Look for", "查找内容"), words).follow(d.either("Search", "搜索"), d.either("Look for", "查找内容"))
		do(name)
	}
}

// exports orders a file, sees it become ready without doing anything, and takes it.
func (d *fullDesk) exports(do func(name string)) {
	d.t.Helper()
	d.takesFile(d.deployment + "/exports")
	do("exports-ready")
}

// takesFile orders a file on the page at an address, and takes it.
func (b *browser) takesFile(at string) {
	b.t.Helper()
	b.open(at).tap(b.either("HXL", "HXL 表")).follow(b.either("Make the file", "生成文件")).sees(b.either("kept until", "保留至"))
	if status := eval[int](b, `fetch(document.querySelector('#exports a[href*="/file"]').href).then(r => r.status)`); status != http.StatusOK {
		b.t.Errorf("the file is answered with %d", status)
	}
}

// shownOnce are the pages that come of what is made, and are there for a while.
func (d *fullDesk) shownOnce(do func(name string)) {
	d.t.Helper()
	d.open(d.home + "account").follow(d.either("Turn the time code on", "启用动态码"))
	do("account-time-code")
	d.open(d.home+"account/tokens/new").fill(d.either("Name", "名称"), "统计").follow(d.either("Make the token", "生成令牌"))
	do("account-token")
	d.open(d.home + "account")
	do("account-tokens")
	d.open(d.home + "accounts").follow(d.either("Invite an administrator", "邀请管理员"))
	do("accounts-invited")
	d.open(d.deployment+"/people").follow(d.either("Enrolment code", "登记码"), "李娜")
	do("code")
	d.imports("workers", "name,role,team,phone\n王芳,team lead,一队,13800000000\n李娜,field worker,一队,\n陈晨,队员,二队,13900000000\n吴迪,pilot,九队,\n")
	do("import-preview")
	d.importsRecords("outreach", "team,occurred_on,service_area,households\n一队,yesterday,心理疏导,3\n九队,,心理疏导,many\n")
	do("import-records-wrong")
	d.importsRecords("outreach", "team,occurred_on,service_area,households\n一队,"+today().String()+",心理疏导,3\n")
	do("import-records")
}

// wrongForms are forms that were sent with something missing.
func (d *fullDesk) wrongForms(do func(name string)) {
	d.t.Helper()
	save, settle, in := d.either("Save", "保存"), d.either("Settle", "确定"), regexp.QuoteMeta(d.path())
	for name, form := range map[string]struct{ at, button string }{
		"account":        {"/account", d.either("Change the password", "修改密码")},
		"deployment-new": {"/deployments/new", d.either("Make the deployment", "建立行动")},
		"set-up-site":    {d.path() + "/set-up/sites/new", save},
		"set-up-team":    {d.path() + "/set-up/teams/new", save},
		"set-up-worker":  {d.path() + "/set-up/workers/new", save},
		"import":         {d.path() + "/import", d.either("Show the preview", "预览")},
		"set-up-import":  {d.path() + "/set-up/import", d.either("Show the preview", "预览")},
		"planned":        {d.path() + "/planned/new", save},
		"supervision":    {d.was(in + `/supervision/new/.+`), save},
		"conflict":       {d.was(in + `/conflicts/.+`), settle},
		"duplicate":      {d.was(in + `/duplicates/.+/.+`), settle},
		"held":           {d.was(in + `/held/.+`), d.either("Decide", "确定")},
	} {
		d.open(d.home + strings.TrimPrefix(form.at, "/")).follow(form.button)
		d.refused(do, name)
	}
	d.open(d.deployment+"/set-up/targets").fill(d.either("At least", "至少"), "viele", d.either("Target 1", "目标 1")).follow(save)
	d.refused(do, "set-up-targets")
	record := d.home + strings.TrimPrefix(d.was(in+`/review/.+`), "/")
	d.open(record).tap(d.either("Return it", "退回")).follow(d.either("Return to the worker", "退回给工作人员"))
	d.refused(do, "review")
}

// refused is a page with a form that was not taken.
func (d *fullDesk) refused(do func(name string), name string) {
	d.t.Helper()
	if d.status != http.StatusUnprocessableEntity {
		d.t.Errorf("%s: a form with something missing is answered with %d", d.where(), d.status)
	}
	do("wrong-" + name)
}

// path is that of the deployment's first page.
func (d *fullDesk) path() string {
	return strings.TrimPrefix(d.deployment, strings.TrimSuffix(d.home, "/"))
}

// was is the path of a page that the browser was on, by a pattern.
func (d *fullDesk) was(pattern string) string {
	d.t.Helper()
	whole := regexp.MustCompile("^" + pattern + "$")
	for _, path := range slices.Sorted(maps.Keys(d.pages)) {
		if whole.MatchString(path) {
			return path
		}
	}
	d.t.Fatalf("no page was %s", pattern)
	return ""
}

// joins says of two records that they are of one thing, and takes that back.
func (d *fullDesk) joins(do func(name string)) {
	d.t.Helper()
	pair := d.home + strings.TrimPrefix(d.was(regexp.QuoteMeta(d.path())+`/duplicates/[^/]+/[^/]+`), "/")
	d.open(pair).tap(d.either("One thing: the one logged first counts", "同一件事：以先记录的为准")).follow(d.either("Settle", "确定")).open(pair)
	do("duplicate-joined")
	d.follow(d.either("Take this back", "撤销认定"))
	do("duplicate-separation")
	d.follow(d.either("Count them separately", "分别计数")).sees(d.either("They count separately again.", "两条记录重新分别计数。"))
}

// approves approves all that waits.
func (d *fullDesk) approves(do func(name string)) {
	d.t.Helper()
	d.open(d.deployment + "/review").follow(d.either("All on this page", "预览本页全部记录"))
	do("review-preview")
	d.follow(d.either("Approve them", "全部通过"))
	do("review-approvals")
}

// signedOut are the pages that anybody can see.
func (d *fullDesk) signedOut(do func(name string)) {
	d.t.Helper()
	d.follow(d.either("Sign out", "退出登录"))
	for _, page := range []string{"sign-in", "invitation", "reset"} {
		d.open(d.home + page)
		do(page)
	}
	d.open(d.home+"sign-in").fill(d.either("Login", "用户名"), "zhou").fill(d.either("Password", "密码"), "wrong horse battery").follow(d.either("Sign in", "登录"))
	d.refused(do, "sign-in")
}

// drawn reports images that do not show.
func (b *browser) drawn() *browser {
	b.t.Helper()
	for _, image := range eval[[]string](b, `Promise.all(Array.from(document.images, i => i.decode().then(() => '', () => i.outerHTML))).then(all => all.filter(i => i))`) {
		b.t.Errorf("%s: an image does not show: %s", b.where(), image)
	}
	return b
}

// fits reports a page that is wider than its screen.
func (b *browser) fits() *browser {
	b.t.Helper()
	for _, fault := range eval[[]string](b, tooWide) {
		b.t.Errorf("%s: %s", b.where(), fault)
	}
	return b
}

var serverRoutePattern = regexp.MustCompile(`(?m)^\t*(?:func .*\{ )?r\.(?:page|form)\(((?:path\w+|"[^"]*")(?:\+"[^"]*")?), `)

// noServerPageForgotten reports pages that the server can show and that it has shown to this browser nowhere.
func (b *browser) noServerPageForgotten() {
	b.t.Helper()
	folder := filepath.Join("..", "internal", "webui")
	named, routes := namedPaths(b.t, folder), 0
	shown := map[string]bool{}
	b.mu.Lock()
	for _, a := range b.answers {
		if at, err := url.Parse(a.URL); err == nil && a.Status == http.StatusOK {
			shown[at.Path] = true
		}
	}
	b.mu.Unlock()
	for _, source := range sources(b.t, folder) {
		text, err := os.ReadFile(source)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, found := range serverRoutePattern.FindAllStringSubmatch(string(text), -1) {
			routes++
			path := written(found[1], named)
			pattern := regexp.MustCompile("^" + regexp.MustCompile(`:\w+`).ReplaceAllString(path, "[^/]+") + "$")
			if !slices.ContainsFunc(slices.Collect(maps.Keys(shown)), pattern.MatchString) {
				b.t.Errorf("the tour leads to no %s", path)
			}
		}
	}
	if routes < 50 {
		b.t.Errorf("only %d routes were understood", routes)
	}
	b.t.Logf("%d addresses by %d routes", len(shown), routes)
}
