package tabletui

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/clientlib/internal/fakeserver"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// outreach is one of today, logged.
func (tab *tablet) outreach(m *recordv1.Outreach) hlc.ID {
	tab.Helper()
	m.Households, m.ServiceArea = proto.Uint32(4), recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()
	id, err := tab.store().LogOutreach(tab.Context(), m)
	if err != nil {
		tab.Fatal(err)
	}
	return id
}

// pad is the pad of a count in a browser.
type pad struct {
	tab  *tablet
	path string
	form url.Values
}

// count opens the pad for an activity.
func (tab *tablet) count(activity hlc.ID, more string) *pad {
	tab.Helper()
	to := tab.get(pathCounter + "?activity=" + activity.String() + more).to()
	path, _, _ := strings.Cut(to, "?")
	return &pad{tab, path, tab.get(to).form(path+"/tap", nil)}
}

// tap taps one cell, as a script does: with an id of its own.
func (p *pad) tap(n int, cell, visit string) *answer {
	p.tab.Helper()
	p.form.Set("cell", cell)
	p.form.Set("visit", visit)
	return p.send("/tap", n)
}

func (p *pad) send(what string, n int) *answer {
	p.tab.Helper()
	values := cloneValues(p.form)
	values.Set("tap", p.form.Get("tap")+what[1:2]+strconv.Itoa(n)) // the forms of a page have ids of their own
	p.tab.script = true
	defer func() { p.tab.script = false }()
	return p.tab.post(p.path+what, values)
}

// total is the large figure.
func (a *answer) total() string {
	a.tab.Helper()
	for n := range a.html.Descendants() {
		if attribute(n, "id") == "total" || attribute(n, "hx-target") == "#total" {
			text, _, _ := strings.Cut(textOf(n), " ")
			return text
		}
	}
	a.tab.Fatalf("there is no total\n%s", a.text)
	return ""
}

// done logs the count.
func (p *pad) done(more url.Values) *answer {
	p.tab.Helper()
	values := p.tab.get(p.path).form(p.path, more)
	if values.Get(valueDo) == "" {
		values.Set(valueDo, doLog)
	}
	return p.tab.post(p.path, values)
}

// headcounts are all that the tablet has, the newest first.
func (tab *tablet) headcounts() (all []*recordv1.Headcount) {
	tab.Helper()
	found, err := tab.store().List(tab.Context(), clientlib.Query{Kinds: kindsOf(recordv1.Kind_KIND_HEADCOUNT)})
	if err != nil {
		tab.Fatal(err)
	}
	for _, r := range found.Records {
		all = append(all, r.Message.(*recordv1.Headcount))
	}
	return all
}

func kindsOf(k recordv1.Kind) []recordv1.Kind { return []recordv1.Kind{k} }

// Thirty-seven heads, with wrong taps taken back, and the program killed between any two of them.
func TestHeadsAreCounted(t *testing.T) {
	tab := newTablet(t)
	activity := tab.outreach(&recordv1.Outreach{Place: &recordv1.Place{Village: proto.String("西街")}})
	tab.get("/counter").says("走访", "西街", "在哪项活动清点？")
	p := tab.count(activity, "")
	for n := range 20 {
		if got := p.tap(n, "2.4", "first_time").total(); got != strconv.Itoa(n+1) {
			t.Fatalf("after tap %d: %s", n+1, got)
		}
	}
	p.tap(20, "1.6", "returning").says("男", "80+", "再次")
	p.tap(21, "1.6", "returning")
	tab.restart()
	tab.get("/").says("未填完的表")
	again := tab.get(p.path)
	if again.total() != "22" {
		t.Errorf("after a restart: %s", again.total())
	}
	p.form = again.form(p.path+"/tap", nil)
	if p.form.Get("visit") != "returning" {
		t.Errorf("the visit that was chosen: %q", p.form.Get("visit"))
	}
	p.send("/undo", 0)
	p.send("/undo", 1)
	if got := p.send("/undo", 2).total(); got != "19" {
		t.Errorf("after three undone: %s", got)
	}
	for n := range 18 {
		p.tap(n, "0.0", "unsure")
	}
	page := p.done(url.Values{"zone": {"东门"}})
	page.leads("/counter?activity=" + activity.String() + "&done=counted")
	page.follow().says("清点已保存在本机。", "您清点 37 人", "东门：37 人", "清点", "同事清点 0 人", "已登记 0 人")
	found := tab.headcounts()
	if len(found) != 1 || headsIn(found[0]) != 37 || found[0].GetZone() != "东门" || found[0].GetMethod() != recordv1.CountMethod_COUNT_METHOD_COUNTED ||
		hlc.ID(found[0].GetActivity()) != activity || len(found[0].GetCells()) != 2 || found[0].GetCells()[0].GetUnsure() != 18 || found[0].GetCells()[1].GetFirstTime() != 19 {
		t.Errorf("logged: %v", found)
	}
	// A double tap on Done, going back to the pad, and a tap on a page that is still open.
	tab.post(p.path, url.Values{valueDo: {doLog}}).leads("/counter?activity=" + activity.String() + "&done=counted")
	tab.get(p.path).leads("/counter?activity=" + activity.String() + "&done=counted")
	if to := p.tap(40, "0.0", "unsure").Header.Get("HX-Redirect"); to != "/counter?activity="+activity.String()+"&done=counted" {
		t.Errorf("a late tap leads to %q", to)
	}
	if len(tab.headcounts()) != 1 {
		t.Errorf("logged again: %v", tab.headcounts())
	}
}

func TestEverythingIsUndone(t *testing.T) {
	tab := newTablet(t)
	p := tab.count(tab.outreach(&recordv1.Outreach{}), "")
	for n, cell := range []string{"2.1", "2.2", "1.1", "0.0"} {
		p.tap(n, cell, "first_time")
	}
	tab.restart()
	p.form = tab.get(p.path).form(p.path+"/tap", nil)
	for n, want := range []string{"3", "2", "1", "0", "0"} {
		if got := p.send("/undo", n).total(); got != want {
			t.Errorf("undo %d: %s, want %s", n+1, got, want)
		}
	}
	refused := p.done(nil)
	refused.says("还没有清点任何人。")
	if refused.StatusCode != http.StatusUnprocessableEntity || len(tab.headcounts()) != 0 {
		t.Errorf("nobody was logged: %v", tab.headcounts())
	}
}

// A tap that is sent again since its answer was lost counts once; two taps count twice, however fast, from however many pages.
func TestATapCountsOnce(t *testing.T) {
	tab := newTablet(t)
	p := tab.count(tab.outreach(&recordv1.Outreach{}), "")
	p.tap(1, "2.4", "first_time")
	if got := p.tap(1, "2.4", "first_time").total(); got != "1" {
		t.Errorf("sent again: %s", got)
	}
	if got := p.tap(2, "2.4", "first_time").total(); got != "2" {
		t.Errorf("tapped twice: %s", got)
	}
	p.send("/undo", 3)
	if got := p.send("/undo", 3).total(); got != "1" {
		t.Errorf("undo sent again: %s", got)
	}
	// Without scripts a tap is a form that is sent, and each page's is another.
	for want := 2; want < 5; want++ {
		page := tab.get(p.path)
		values := page.form(p.path+"/tap", url.Values{"cell": {"1.3"}, "visit": {"unsure"}})
		tab.post(p.path+"/tap", values).leads(p.path)
		tab.post(p.path+"/tap", values).leads(p.path) // the page was loaded again
		if got := tab.get(p.path).total(); got != strconv.Itoa(want) {
			t.Errorf("without scripts: %s, want %d", got, want)
		}
	}
	var tapping sync.WaitGroup
	for range 3 {
		form := tab.get(p.path).form(p.path+"/tap", url.Values{"cell": {"2.5"}, "visit": {"returning"}})
		tapping.Go(func() {
			one := *tab
			for n := range 5 {
				(&pad{&one, p.path, form}).send("/tap", n)
			}
		})
	}
	tapping.Wait()
	if got := tab.get(p.path).total(); got != "19" {
		t.Errorf("three pages at a time: %s, want 19", got)
	}
	for _, wrong := range []string{"", "2", "2.99", "9.1", "x.y"} {
		if got := p.tap(9, wrong, "unsure"); !strings.Contains(got.text, "没有这个页面") {
			t.Errorf("cell %q: %s", wrong, got.text)
		}
	}
	tab.script = true
	for _, id := range []string{"", "a b", strings.Repeat("x", longestID+1)} { // two of them might be taken for one
		tab.post(p.path+"/tap", url.Values{"tap": {id}, "cell": {"2.4"}, "visit": {"unsure"}}).says("没有这个页面")
	}
	tab.script = false
	if got := tab.get(p.path).total(); got != "19" {
		t.Errorf("after what is no cell: %s", got)
	}
}

func TestRegisteredAndCountedStandApart(t *testing.T) {
	tab := newTablet(t)
	activity := tab.outreach(&recordv1.Outreach{})
	tab.sync()
	colleague := func(n byte, zone string, heads uint32) {
		tab.server.Set(fakeserver.TestID(7, n), &recordv1.Headcount{
			Activity: activity[:], Counter: fakeserver.LiLei[:], Author: fakeserver.LiLei[:], OccurredOn: proto.Int32(20211008), Team: fakeserver.TeamA[:],
			Zone: &zone, Method: recordv1.CountMethod_COUNT_METHOD_ESTIMATED.Enum(), FirstTime: &heads,
		})
	}
	colleague(1, "西门", 20)
	colleague(2, "南门", 3)
	for n := range byte(2) {
		tab.server.Set(fakeserver.TestID(8, n+1), &recordv1.Attendance{
			Activity: activity[:], Author: fakeserver.LiLei[:], OccurredOn: proto.Int32(20211008), Team: fakeserver.TeamA[:], Token: make([]byte, 16), Participant: fakeserver.LiLei[:],
		})
	}
	tab.sync()
	p := tab.count(activity, "")
	p.tap(1, "2.4", "first_time")
	tab.get(p.path).says("登记 2 人 · 同事 23 人", "李雷，西门：20 人", "李雷，南门：3 人")
	p.done(nil).follow().says("您清点 1 人", "全场：1 人", "同事清点 23 人", "已登记 2 人", "不相加").silent("26", "24 人", "25 人")
}

// Who has counted at an activity already goes on with that count, or counts in another zone.
func TestACountIsGoneOnWith(t *testing.T) {
	tab := newTablet(t)
	activity := tab.outreach(&recordv1.Outreach{})
	p := tab.count(activity, "")
	p.tap(1, "2.4", "first_time")
	// One that is not logged yet is found again.
	tab.get("/counter").says("接着清点", "1 人")
	tab.get("/counter?activity=" + activity.String()).leads(p.path)
	p.done(url.Values{"zone": {"东门"}})
	counts := tab.get("/counter?activity=" + activity.String()).says("东门：1 人")
	to := tab.get(counts.link("东门")).to()
	path, _, _ := strings.Cut(to, "?")
	page := tab.get(to).says("女")
	if page.total() != "1" {
		t.Errorf("it goes on from %s", page.total())
	}
	p = &pad{tab, path, page.form(path+"/tap", nil)}
	p.tap(1, "2.4", "first_time")
	p.tap(2, "1.4", "returning")
	p.done(url.Values{"method": {"estimated"}}).leads("/counter?activity=" + activity.String() + "&done=counted")
	found := tab.headcounts()
	if len(found) != 1 || headsIn(found[0]) != 3 || found[0].GetZone() != "东门" || found[0].GetMethod() != recordv1.CountMethod_COUNT_METHOD_ESTIMATED {
		t.Errorf("gone on with: %v", found)
	}
	// Another zone has no name yet; the same one again is a similar record.
	p = tab.count(activity, "&another=1")
	p.tap(1, "2.4", "first_time")
	p.done(nil).says("缺：负责区域")
	p.done(url.Values{"zone": {"东门"}}).says("已有相似的记录", "计数：东门")
	p.done(url.Values{"zone": {"西门"}}).leads("/counter?activity=" + activity.String() + "&done=counted")
	if found := tab.headcounts(); len(found) != 2 {
		t.Errorf("counted: %v", found)
	}
	// At the next activity of the day she counts in the zone of the last.
	next := tab.count(tab.outreach(&recordv1.Outreach{}), "")
	if zone := tab.get(next.path+"?"+url.Values{valueKind: {"headcount"}, "activity": {next.form.Get("activity")}}.Encode()).form(next.path, nil).Get("zone"); zone != "西门" {
		t.Errorf("the zone begins as %q", zone)
	}
}

func TestNumbersAreTyped(t *testing.T) {
	tab := newTablet(t)
	activity := tab.outreach(&recordv1.Outreach{})
	p := tab.count(activity, "")
	p.tap(1, "2.4", "first_time")
	numbers := tab.get(p.path + "/numbers")
	values := numbers.form(p.path+"/numbers", url.Values{"cells.1.5.unsure": {"１2"}})
	p.tap(2, "2.4", "first_time") // on another page meanwhile
	tab.script = true
	tab.post(p.path+"/numbers", values).says("已暂存")
	tab.post(p.path+"/numbers", values) // again
	tab.script = false
	tab.post(p.path+"/numbers", values).leads(p.path)
	if got := tab.get(p.path).says("填写数字").total(); got != "14" {
		t.Errorf("2 tapped and 12 typed: %s", got)
	}
	bad := cloneValues(values)
	bad.Set("cells.1.5.unsure", "十二")
	if refused := tab.post(p.path+"/numbers", bad); refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("status %d", refused.StatusCode)
	}
	if got := p.send("/undo", 1).total(); got != "2" {
		t.Errorf("what was typed is undone: %s", got)
	}
	// Totals beside a breakdown would not count.
	values = tab.get(p.path+"/numbers").form(p.path+"/numbers", url.Values{"first_time": {"30"}, "returning": {"10"}})
	tab.post(p.path+"/numbers", values).leads(p.path)
	p.done(nil).says("只能算一种")
	p.send("/undo", 2)
	if got := p.send("/undo", 3).says("只填了总数：首次 30、再次 10").total(); got != "40" {
		t.Errorf("totals only: %s", got)
	}
	p.done(url.Values{"method": {"estimated"}, "disability_asked": {"5"}, "disability_yes": {"1"}}).follow().says("您清点 40 人", "估算")
	m := tab.headcounts()[0]
	if len(m.GetCells()) != 0 || m.GetFirstTime() != 30 || m.GetReturning() != 10 || m.GetDisabilityAsked() != 5 || m.GetDisabilityYes() != 1 {
		t.Errorf("logged: %v", m)
	}
}

// Whoever counts at a planned activity knows that it takes place.
func TestAPlannedActivityIsCounted(t *testing.T) {
	tab := newTablet(t)
	activity := tab.outreach(&recordv1.Outreach{Status: recordv1.Status_STATUS_PLANNED.Enum()})
	tab.outreach(&recordv1.Outreach{Status: recordv1.Status_STATUS_CANCELLED.Enum()})
	tab.get("/counter").says("计划").silent("取消")
	p := tab.count(activity, "")
	p.tap(1, "2.4", "first_time")
	page := p.done(nil).follow().says("还是“计划”")
	tab.post("/counter/held", page.form("/counter/held", nil)).follow().silent("还是“计划”")
	r, err := tab.store().Record(t.Context(), activity)
	if err != nil || r.Message.GetStatus() != recordv1.Status_STATUS_HELD {
		t.Errorf("its status: %v, %v", r.Message.GetStatus(), err)
	}
}
