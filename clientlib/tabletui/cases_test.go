package tabletui

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
)

// aCase are the values of a case as its form has them; 刘秀英 is who it is about.
func aCase(number string, more url.Values) url.Values {
	values := url.Values{
		"case_no": {number}, "client_type": {"individual"}, "stage": {"intervention"}, "risk": {"high"}, "service_area": {"psychological_support"},
		"problems": {"grief"}, "village": {"西街"}, "case_identity.name": {"刘秀英"}, "case_identity.phone": {"138 0371 5566"},
		"case_identity.guardian.name": {"刘德福"},
	}
	for name, all := range more {
		values[name] = all
	}
	return values
}

// logCase logs a case and returns the path of its page.
func (tab *tablet) logCase(number string, more url.Values) string {
	tab.Helper()
	page := tab.log("case", "", aCase(number, more))
	path, _, _ := strings.Cut(page.to(), "?")
	if !strings.HasPrefix(path, "/cases/") {
		tab.Fatalf("it leads to %q\n%s", page.to(), page.text)
	}
	return path
}

func (tab *tablet) unlock() {
	tab.Helper()
	tab.post("/unlock", url.Values{"pin": {thePIN}, "next": {"/cases"}}).leads("/cases")
}

// before checks that a page says things in an order.
func (a *answer) before(texts ...string) {
	a.tab.Helper()
	rest := a.text
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			a.tab.Fatalf("it does not say %q, or not in the order of %q\n%s", text, texts, a.text)
		}
		rest = after
	}
}

func TestCasesAreListedByWhatIsDue(t *testing.T) {
	tab := newTablet(t)
	tab.get("/cases").says("0 个个案", "这里没有个案")
	tab.sync()
	tab.server.Set(fakeserver.TestID(9, 1), &recordv1.Case{
		CaseNo: proto.String("李-1"), Lead: fakeserver.LiLei[:], Stage: recordv1.CaseStage_CASE_STAGE_PLANNING.Enum(), ClientCount: proto.Uint32(1),
		Team: fakeserver.TeamA[:], Author: fakeserver.LiLei[:], OccurredOn: proto.Int32(20211001),
	})
	tab.sync()
	tab.logCase("WZ-late", url.Values{"next_due_on": {"2021-10-20"}})
	tab.logCase("WZ-none", url.Values{"problems": {"housing"}, "stage": {"assessment"}, "risk": {"none"}})
	overdue := tab.logCase("WZ-over", url.Values{"next_due_on": {"2021-10-05"}, "village": {"东街"}})
	tab.log("case_session", "?of="+strings.TrimPrefix(overdue, "/cases/"), url.Values{"mode": {"phone"}, "minutes": {"20"}}).leads(overdue + "?done=saved")

	list := tab.get("/cases")
	list.before("WZ-over", "WZ-late", "WZ-none")
	list.says("3 个个案", "已逾期 3 天", "下次：12 天后", "风险程度：高", "上次服务：今天", "还没有服务记录", "介入").silent("李-1", "刘秀英")
	tab.get(list.link("全队")).says("李-1", "4 个个案")

	seek := func(text string) *answer { return tab.post("/cases/search", url.Values{"q": {text}}).follow() }
	seek("wz-NONE").says("WZ-none", "“wz-NONE”：1 个个案").silent("WZ-over")
	seek("东街").says("WZ-over").silent("WZ-late")
	seek("住房").says("WZ-none").silent("WZ-over")
	seek("预估").says("WZ-none").silent("WZ-over")
	seek("刘秀英").silent("WZ-")
	found := seek("李-1")
	found.silent("计划")
	tab.get(found.link("在全队个案里找")).says("李-1", "计划")
	tab.get("/cases").says("3 个个案") // what was looked for does not stick
}

func TestNamesAreShownForAWhile(t *testing.T) {
	tab := newTablet(t)
	path := tab.logCase("WZ-1", nil)
	tab.get(path + "/identity").leads("/unlock?next=" + pathEscape(path+"/identity") + "&back=" + pathEscape(path))
	tab.get("/unlock?next=" + pathEscape(path+"/identity") + "&back=" + pathEscape(path)).link("返回")
	tab.unlock()
	list := tab.get("/cases").says("WZ-1 · 刘秀英", "姓名显示到 09:35")
	if list.Header.Get("Refresh") != "300; url=/cases" {
		t.Errorf("the list leaves by %q", list.Header.Get("Refresh"))
	}
	search := tab.post("/cases/search", url.Values{"q": {"秀英"}})
	if to, _ := url.QueryUnescape(search.to()); strings.Contains(to, "秀英") {
		t.Errorf("the name stands in the address %q", to)
	}
	search.follow().says("WZ-1")
	who := tab.get(path+"/identity").says("刘秀英", "刘德福", "姓名显示到 09:35")
	if to := who.link("138 0371 5566"); to != "tel:13803715566" {
		t.Errorf("the phone leads to %q", to)
	}
	edit := tab.get(who.link("修改")).to()
	form, _, _ := strings.Cut(edit, "?")
	values := tab.get(edit).form(form, url.Values{"address": {"西街 5 号"}})
	values.Set(valueDo, doLog)
	tab.post(form, values).follow()
	tab.get(path + "/identity").says("西街 5 号")

	tab.post("/identity/hide", url.Values{"next": {path}}).leads(path + "?done=hidden")
	tab.get("/cases?sought=yes").silent("秀英")
	tab.unlock()
	tab.later(identityAfter)
	tab.get("/cases?sought=yes").silent("秀英")
	if to := tab.get(path + "/identity").to(); !strings.HasPrefix(to, "/unlock") {
		t.Errorf("after five minutes it leads to %q", to)
	}
}

// pages are all pages that one gets to by links from the first one on, as they were sent, by their paths.
func (tab *tablet) pages(more ...string) map[string]string {
	tab.Helper()
	pages := map[string]string{}
	todo := append([]string{"/"}, more...)
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if _, seen := pages[path]; seen || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, pathAssets) || strings.HasSuffix(path, "/events") {
			continue
		}
		a := tab.get(path)
		var raw strings.Builder
		if err := html.Render(&raw, a.html); err != nil {
			tab.Fatal(err)
		}
		pages[path] = raw.String() + fmt.Sprint(a.Header)
		if to := a.to(); to != "" && !strings.HasPrefix(path, pathNew) { // each visit begins a new form
			todo = append(todo, to)
		}
		for n := range a.html.Descendants() {
			if n.Data == "a" && len(pages) < 500 {
				todo = append(todo, attribute(n, "href"))
			}
		}
	}
	return pages
}

func TestNoPageShowsWhoAClientIsWithoutThePIN(t *testing.T) {
	tab := newTablet(t)
	path := tab.logCase("WZ-1", nil)
	id := strings.TrimPrefix(path, "/cases/")
	found, err := tab.store().Belongings(t.Context(), tab.id(id))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	identity := found[0].ID.String()
	tab.log("case_session", "?of="+id, url.Values{"mode": {"phone"}, "minutes": {"20"}})
	// A deleted one is in the history, where it can be restored.
	gone := tab.logCase("WZ-2", nil)
	others, err := tab.store().Belongings(t.Context(), tab.id(strings.TrimPrefix(gone, "/cases/")))
	if err != nil {
		t.Fatal(err)
	}
	tab.post("/records/"+others[0].ID.String()+"/delete", nil)
	// Two forms that were not finished: of a new case, and of a change to the identity.
	to := tab.get("/new/case").to()
	started, _, _ := strings.Cut(to, "?")
	begun := tab.get(to).form(started, url.Values{"case_identity.name": {"刘秀英"}, "case_no": {"WZ-3"}})
	tab.post(started+"/kept", begun)
	tab.unlock()
	edit := tab.get("/records/" + identity + "/edit").to()
	changed, _, _ := strings.Cut(edit, "?")
	tab.post(changed+"/kept", tab.get(edit).form(changed, nil))
	tab.post("/identity/hide", nil)

	secrets := []string{"刘秀英", "5566", "刘德福"}
	more := []string{
		"/records/" + identity, "/records/" + identity + "/edit", edit, changed, started, path + "/identity", "/cases?of=team&closed=yes", "/history?kind=case_identity",
		"/history?undo=" + others[0].ID.String(), "/records/" + others[0].ID.String(), "/sync/state", "/badge",
	}
	pages := tab.pages(more...)
	if len(pages) < 20 {
		t.Errorf("there are only %d pages", len(pages))
	}
	ids := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`) // some have the digits by chance
	for at, page := range pages {
		page = ids.ReplaceAllString(page, "")
		for _, secret := range secrets {
			if strings.Contains(page, secret) {
				t.Errorf("%s shows %s", at, secret)
			}
		}
	}
	// The same pages with the PIN: the test looks for the right thing.
	tab.unlock()
	shown := 0
	for _, page := range tab.pages(more...) {
		if strings.Contains(page, "刘秀英") {
			shown++
		}
	}
	if shown < 5 {
		t.Errorf("with the PIN only %d pages show the name", shown)
	}
}

func TestACaseShowsWhatWasDone(t *testing.T) {
	tab := newTablet(t)
	path := tab.logCase("WZ-1", url.Values{"age": {"9"}, "next_due_on": {"2021-10-09"}})
	id := strings.TrimPrefix(path, "/cases/")
	tab.get(path).says("个案：WZ-1", "阶段：介入，第 4 步，共 6 步", "哀伤", "还没有服务协议或信息收集的同意", "没有监护人的同意", "这个个案还没有记录", "王芳", "下次：1 天后", "风险程度：高")

	tab.log("consent", "?of="+id, url.Values{"basis": {"emergency"}, "scopes": {"service"}, "giver": {"self"}})
	tab.get(path).says("开始时按紧急情况处理", "没有监护人的同意").silent("还没有服务协议")
	tab.log("consent", "?of="+id, url.Values{"basis": {"consent"}, "scopes": {"service", "data"}, "giver": {"guardian"}})
	tab.get(path).silent("开始时按紧急情况处理", "没有监护人的同意", "还没有服务协议")

	tab.log("case_session", "?of="+id, url.Values{
		"mode": {"home_visit"}, "minutes": {"45"}, "occurred_on": {"2021-10-07"}, "case_note.process": {"谈到洪水那天。"},
	}).leads(path + "?done=saved")
	tab.log("referral", "?of="+id, url.Values{"to_organisation": {"县医院"}, "reason": {"失眠"}, "urgency": {"urgent"}, "referral_note.handover": {"需要陪同"}}).leads(path + "?done=saved")
	tab.log("resource_link", "?of="+id, url.Values{"need": {"被褥"}, "type": {"goods"}, "service_area": {"resource_linking"}, "persons": {"1"}}).leads(path + "?done=saved")
	page := tab.get(path)
	page.before("资源链接：被褥", "转介：县医院", "需要陪同", "个案服务记录", "45", "谈到洪水那天。")
	tab.get(page.link("转介：县医院")).says("失眠")

	// Closing asks for what a closed case needs.
	closing := tab.get(page.link("结案"))
	values := closing.form(path+"/close", nil)
	if values.Get("closed_on") != "2021-10-08" {
		t.Errorf("closing begins with %v", values)
	}
	refused := tab.post(path+"/close", url.Values{"closed_on": {""}, "followup_due_on": {"x"}})
	refused.says("还没有保存", "这一项没有填", "请填日期")
	if refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("status %d", refused.StatusCode)
	}
	values.Set("closure", "achieved")
	values.Set("followup_due_on", "2021-11-08")
	tab.post(path+"/close", values).leads(path + "?done=closed")
	tab.post(path+"/close", values).leads(path + "?done=closed") // a double tap
	tab.get(path).says("目标达成", "回访：2021年11月8日", "记回访", "第 6 步").silent("还没有服务协议")
	tab.get("/cases").silent("WZ-1")
	tab.get("/cases?closed=yes").says("WZ-1", "回访")

	tab.post("/records/"+id+"/delete", nil)
	tab.get(path).says("已删除", "恢复").silent("记回访")
	tab.get("/cases/" + fakeserver.WangFang.String()).says("找不到")
}

func TestTheHistoryGoesBackByDays(t *testing.T) {
	tab := newTablet(t)
	tab.get("/history").says("还没有记录")
	outreach := func(day, village string) string {
		page := tab.log("outreach", "", url.Values{"mode": {"home"}, "households": {"1"}, "service_area": {"other"}, "occurred_on": {day}, "village": {village}})
		path, _, _ := strings.Cut(page.to(), "?")
		return path
	}
	for i := range historyOnPage {
		m := &recordv1.Outreach{
			Households: proto.Uint32(1), OccurredOn: proto.Int32(20211003), Author: fakeserver.LiLei[:], Team: fakeserver.TeamA[:],
			Status: recordv1.Status_STATUS_HELD.Enum(),
		}
		tab.server.Set(fakeserver.TestID(8, byte(i)), m)
	}
	tab.sync()
	old, recent := outreach("2021-10-01", "东街"), outreach("2021-10-07", "西街")
	tab.log("community_activity", "", url.Values{
		"name": {"中秋晚会"}, "form": {"festival"}, "service_area": {"other"}, "minutes": {"90"}, "register_used": {"no"},
	})
	first := tab.get("/history")
	first.before("2021年10月8日", "中秋晚会", "2021年10月7日", "走访", "西街", "2021年10月3日", "李雷", "更早")
	first.silent("2021年10月1日")
	tab.get(first.link("更早")).says("2021年10月3日", "2021年10月1日", "最新").silent("中秋晚会")
	tab.get("/history?mine=yes").says("中秋晚会", "2021年10月1日").silent("李雷", "更早")
	tab.get("/history?kind=community_activity").says("中秋晚会").silent("2021年10月7日")

	// What was deleted just now is at hand, however old it is; and stands in its place.
	tab.post(old+"/delete", nil).follow().before("已删除，可以在这里恢复", "2021年10月1日", "恢复", "2021年10月8日")
	tab.post(recent+"/delete", nil)
	deleted := tab.get("/history?mine=yes").says("恢复 走访")
	values := deleted.form(recent+"/restore", nil)
	restored := tab.post(recent+"/restore", values)
	restored.leads("/history?mine=yes&done=restored")
	if r, err := tab.store().Record(t.Context(), tab.id(strings.TrimPrefix(recent, "/records/"))); err != nil || r.Deleted {
		t.Errorf("restored: %v, %v", r, err)
	}
	tab.get("/history?after=nonsense").says("没有成功")
}

func TestWhoWasRegisteredIsShownWithoutTheirCode(t *testing.T) {
	tab := newTablet(t)
	page := tab.log("community_activity", "", url.Values{
		"name": {"中秋晚会"}, "form": {"festival"}, "service_area": {"other"}, "minutes": {"90"}, "register_used": {"yes"},
	})
	path, _, _ := strings.Cut(page.to(), "?")
	activity := tab.id(strings.TrimPrefix(path, "/records/"))
	register := func(n byte) string {
		token := []byte(strings.Repeat(string('a'+rune(n)), 16))
		person, err := tab.store().LogParticipant(t.Context(), &recordv1.Participant{
			Token: token, Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE.Enum(), Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: proto.Uint32(4), Village: proto.String("西街"),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tab.store().LogAttendance(t.Context(), &recordv1.Attendance{Activity: activity[:], Participant: person[:]})
		if err != nil {
			t.Fatal(err)
		}
		return person.String()
	}
	person := register(0)
	tab.get(path).says("已登记 · 女 · 18–59")
	tab.get("/records/"+person).says("已登记 · 女 · 18–59 · 西街", "电话").silent("6161", "代号：", "token")
	for n := range byte(fewRegistered) {
		register(n + 1)
	}
	tab.get(path).says("已登记 6 人").silent("已登记 · 女")
	tab.lang, tab.ui.Language = "en", "en"
	tab.get(path).says("6 registered people")
	if _, err := tab.store().List(t.Context(), clientlib.Query{}); err != nil {
		t.Fatal(err)
	}
}
