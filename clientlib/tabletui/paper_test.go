package tabletui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// sheetOfPaper is a day from paper in a browser.
type sheetOfPaper struct {
	tab  *tablet
	path string
}

func (tab *tablet) paper() *sheetOfPaper {
	tab.Helper()
	return &sheetOfPaper{tab, tab.get(pathPaper).to()}
}

// send sends the page with more filled in, and a button touched.
func (s *sheetOfPaper) send(do string, more url.Values) *answer {
	s.tab.Helper()
	values := s.tab.get(s.path).form(s.path, more)
	values.Set(valueDo, do)
	return s.tab.post(s.path, values)
}

// add adds a row, and fills it in.
func (s *sheetOfPaper) add(kind, row string, more url.Values) {
	s.tab.Helper()
	s.send(doAdd+kind, nil).leads(s.path + "#" + row)
	values := s.tab.get(s.path).form(s.path, nil)
	for name, all := range more {
		values[row+"."+name] = all
	}
	s.tab.script = true
	s.tab.post(s.path+"/kept", values).says("已暂存")
	s.tab.script = false
}

// day are the records of a day, by their kinds.
func (tab *tablet) day(day int32) map[recordv1.Kind][]clientlib.AnyRecord {
	tab.Helper()
	found, err := tab.store().List(tab.Context(), clientlib.Query{Limit: 500})
	if err != nil {
		tab.Fatal(err)
	}
	all := map[recordv1.Kind][]clientlib.AnyRecord{}
	for _, r := range found.Records {
		if r.Message.GetOccurredOn() == day {
			all[r.Kind] = append(all[r.Kind], r)
		}
	}
	return all
}

// aCase is a case and aGroup a group, to which what is on paper belongs.
func (tab *tablet) aCase() hlc.ID {
	tab.Helper()
	id, err := tab.store().LogCase(tab.Context(), &recordv1.Case{
		CaseNo: proto.String("WZ-001"), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(),
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum(), OccurredOn: proto.Int32(20211001), OpenedOn: proto.Int32(20211001),
	})
	if err != nil {
		tab.Fatal(err)
	}
	return id
}

func (tab *tablet) aGroup() hlc.ID {
	tab.Helper()
	id, err := tab.store().LogGroup(tab.Context(), &recordv1.Group{
		Name: proto.String("妈妈互助小组"), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum(), OccurredOn: proto.Int32(20211001),
	})
	if err != nil {
		tab.Fatal(err)
	}
	return id
}

var (
	anOutreach = url.Values{"mode": {"home"}, "households": {"12"}, "service_area": {"other"}, "village": {"西街"}, "headcount.first_time": {"30"}, "headcount.returning": {"5"}}
	aTalk      = url.Values{"name": {"防灾讲座"}, "form": {"talk"}, "service_area": {"cultural_rebuilding"}, "minutes": {"60"}, "register_used": {"yes"}}
)

// with are values with some more.
func with(values, more url.Values) url.Values {
	all := cloneValues(values)
	for name, one := range more {
		all[name] = one
	}
	return all
}

func TestADayFromPaper(t *testing.T) {
	tab := newTablet(t)
	theCase, group := tab.aCase(), tab.aGroup()
	s := tab.paper()
	if page := tab.get(s.path).says("哪一天？"); page.form(s.path, nil).Get("day") != "2021-10-07" {
		t.Errorf("it begins with %q", page.form(s.path, nil))
	}
	s.add("outreach", "r1", anOutreach)
	s.add("case_session", "r2", url.Values{"case": {theCase.String()}, "mode": {"home_visit"}, "minutes": {"40"}, "stage": {""}, "risk_seen": {"suspected"}})
	s.add("group_session", "r3", url.Values{
		"group": {group.String()}, "number": {"3"}, "theme": {"放松"}, "minutes": {"90"}, "cells.2.4.first_time": {"8"}, "cells.2.5.returning": {"2"}, "headcount.method": {"register"},
	})
	s.add("community_activity", "r4", aTalk)
	tab.restart()
	tab.get("/").says("未填完的表", "补录一天")
	tab.get(pathPaper).leads(s.path)
	tab.get(s.path).says("1. 走访", "2. 个案服务记录", "3. 小组活动", "4. ", "人数")
	s.send(doLog, nil).leads(s.path)
	tab.get(s.path).says("这一天已保存", "计数：全场", "个案服务记录：WZ-001", "小组活动：放松", "防灾讲座", "已保存在本机。")
	if to := tab.get(s.path).link("处理风险"); to != pathEmergency+"?subject="+theCase.String() {
		t.Errorf("the risk that was seen leads to %q", to)
	}
	found := tab.day(20211007)
	if len(found) != 5 || len(found[recordv1.Kind_KIND_HEADCOUNT]) != 2 {
		t.Fatalf("logged: %v", found)
	}
	for k, all := range found {
		for _, r := range all {
			if r.Message.GetEntry() != recordv1.Entry_ENTRY_BACKFILLED || len(r.Missing) > 0 {
				t.Errorf("%v: %v; missing %v", k, r.Message, r.Missing)
			}
		}
	}
	session := found[recordv1.Kind_KIND_CASE_SESSION][0].Message.(*recordv1.CaseSession)
	if hlc.ID(session.GetCase()) != theCase || session.GetStage() != recordv1.CaseStage_CASE_STAGE_INTERVENTION {
		t.Errorf("the session: %v", session)
	}
	outreach := found[recordv1.Kind_KIND_OUTREACH][0].Message.(*recordv1.Outreach)
	if outreach.GetPlace().GetVillage() != "西街" || outreach.GetStatus() != recordv1.Status_STATUS_HELD {
		t.Errorf("the outreach: %v", outreach)
	}
	for _, r := range found[recordv1.Kind_KIND_HEADCOUNT] {
		m := r.Message.(*recordv1.Headcount)
		estimated := m.GetMethod() == recordv1.CountMethod_COUNT_METHOD_ESTIMATED
		if hlc.ID(m.GetCounter()) != tab.me() || m.GetZone() != "全场" || (estimated && headsIn(m) != 35) || (!estimated && (headsIn(m) != 10 || len(m.GetCells()) != 2)) {
			t.Errorf("a count: %v", m)
		}
	}
	// A double tap, a page that is sent again, and one that was left and still keeps what it had.
	tab.post(s.path, url.Values{"day": {"2021-10-07"}, valueDo: {doLog}}).leads(s.path)
	if left := tab.post(s.path+"/kept", url.Values{"day": {"2021-10-07"}}); left.StatusCode != http.StatusNoContent {
		t.Errorf("status %d", left.StatusCode)
	}
	if again := tab.day(20211007); len(again[recordv1.Kind_KIND_OUTREACH]) != 1 {
		t.Errorf("logged again: %v", again)
	}
	tab.get("/").silent("未填完的表")
}

// me is the worker of the tablet.
func (tab *tablet) me() hlc.ID {
	tab.Helper()
	status, err := tab.store().Status(tab.Context())
	if err != nil {
		tab.Fatal(err)
	}
	return status.Worker
}

func TestWhatIsWrongOnPaperIsSaidAtItsRow(t *testing.T) {
	tab := newTablet(t)
	s := tab.paper()
	s.send(doLog, nil).says("还没有添加任何内容。")
	s.add("outreach", "r1", anOutreach)
	s.add("community_activity", "r2", with(aTalk, url.Values{"minutes": {"一小时"}, "service_area": {""}}))
	s.add("case_session", "r3", nil)
	refused := s.send(doLog, nil).says("还没有保存", "请填整数。", "缺：服务领域", "请先记录")
	if refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("status %d", refused.StatusCode)
	}
	for id, wrong := range map[string]bool{"r1-f-households-about": false, "r2-f-minutes-about": true, "r2-f-service_area-about": true} {
		found := false
		for n := range refused.html.Descendants() {
			found = found || attribute(n, "id") == id
		}
		if found != wrong {
			t.Errorf("%s says that something is wrong: %t", id, found)
		}
	}
	s.send(doRemove+"r3", nil).leads(s.path + "#r3")
	tab.get(s.path).says("已删去：个案服务记录")
	right := url.Values{"r2.minutes": {"60"}, "r2.service_area": {"other"}}
	for _, day := range []string{"2021-10-09", "2021-09-01", "昨天"} {
		refused := s.send(doLog, with(right, url.Values{"day": {day}}))
		if refused.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(textOf(refused.html), "还没有保存") {
			t.Errorf("%s: status %d\n%s", day, refused.StatusCode, refused.text)
		}
		found := false
		for n := range refused.html.Descendants() {
			found = found || attribute(n, "id") == "day-about"
		}
		if !found {
			t.Errorf("%s: nothing is wrong with the day\n%s", day, refused.text)
		}
	}
	right.Set("day", "2021-10-06")
	s.send(doLog, with(right, url.Values{"r1.headcount.first_time": {"100001"}})).says("还没有保存")
	s.send(doLog, with(right, url.Values{"r1.cells.2.4.unsure": {"1"}, "r1.headcount.first_time": {"30"}})).says("只能算一种")
	if len(tab.day(20211006)) != 0 {
		t.Errorf("a part of it was logged: %v", tab.day(20211006))
	}
	s.send(doLog, with(right, url.Values{"r1.headcount.first_time": {"30"}, "r1.cells.2.4.unsure": {""}})).leads(s.path)
	if found := tab.day(20211006); len(found) != 3 {
		t.Errorf("logged: %v", found)
	}
}

func TestRowsOfPaperStay(t *testing.T) {
	tab := newTablet(t)
	tab.aGroup()
	s := tab.paper()
	s.add("outreach", "r1", anOutreach)
	left := tab.get(s.path).form(s.path, nil) // a page sends what it had once more as it is left
	s.send(doAdd+"group_session", nil)
	tab.script = true
	tab.post(s.path+"/kept", left)
	tab.script = false
	tab.get(s.path).says("1. 走访", "2. 小组活动")
	// What is taken out keeps what was typed.
	s.send(doRemove+"r1", nil)
	tab.get(s.path).says("已删去：走访", "1. 小组活动")
	s.send(doBack+"r1", nil)
	if back := tab.get(s.path).form(s.path, nil); back.Get("r1.village") != "西街" || back.Get("r1.headcount.first_time") != "30" {
		t.Errorf("it came back with %v", back)
	}
	// What is not chosen any more is not kept either.
	values := tab.get(s.path).form(s.path, nil)
	values.Del("r1.mode")
	tab.post(s.path+"/kept", values)
	if kept := tab.get(s.path).form(s.path, nil); kept.Has("r1.mode") {
		t.Errorf("still chosen: %v", kept["r1.mode"])
	}
	s.send(doKeep, nil).leads("/?done=kept")
	for _, wrong := range []string{doAdd + "review", doRemove + "r9", doRemove + "day"} {
		if got := s.send(wrong, nil); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", wrong, got.StatusCode)
		}
	}
	other := tab.get("/paper?new=1").to()
	if other == s.path {
		t.Error("another day is the same one")
	}
}

// What a colleague, or she herself, logged of that day already is shown before it is made a second time.
func TestPaperThatWasLoggedAlready(t *testing.T) {
	tab := newTablet(t)
	minutes := uint32(60)
	first, err := tab.store().LogCommunityActivity(t.Context(), &recordv1.CommunityActivity{
		Name: proto.String("防灾讲座"), Minutes: &minutes, RegisterUsed: proto.Bool(true), OccurredOn: proto.Int32(20211007), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := tab.paper()
	s.add("community_activity", "r1", aTalk)
	s.add("community_activity", "r2", with(aTalk, url.Values{"name": {"放电影"}}))
	s.send(doLog, nil).says("已有相似的记录", "是：", "不是，是另一件")
	if found := tab.day(20211007); len(found[recordv1.Kind_KIND_COMMUNITY_ACTIVITY]) != 1 {
		t.Errorf("logged: %v", found)
	}
	s.send(doLog, url.Values{"r1._same": {first.String()}}).leads(s.path)
	found := tab.day(20211007)[recordv1.Kind_KIND_COMMUNITY_ACTIVITY]
	duplicates := 0
	for _, r := range found {
		if of, ok := idOf(r.Message.GetDuplicateOf()); ok && of == first {
			duplicates++
		}
	}
	if len(found) != 3 || duplicates != 1 {
		t.Errorf("logged: %v", found)
	}
	s = tab.paper()
	s.add("community_activity", "r1", aTalk)
	s.send(doLog, nil).says("已有相似的记录")
	s.send(doLog, url.Values{"r1._same": {valueOther}}).leads(s.path)
	if found := tab.day(20211007); len(found[recordv1.Kind_KIND_COMMUNITY_ACTIVITY]) != 4 {
		t.Errorf("logged: %v", found)
	}
}
