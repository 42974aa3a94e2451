package tabletui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
)

// caseNo logs a case with a client.
func (tab *tablet) caseNo(number, client string) {
	tab.Helper()
	tab.log("case", "", url.Values{"case_no": {number}, "case_identity.name": {client}, "service_area": {"resource_linking"}}).follow()
}

func TestWorkIsHandedOver(t *testing.T) {
	tab := newTablet(t)
	tab.sync()
	tab.caseNo("HN-1", "赵秀英")
	tab.caseNo("HN-2", "钱进")
	form := tab.get("/new/outreach").to()
	path, _, _ := strings.Cut(form, "?")
	tab.post(path, saying(tab.get(form).form(path, url.Values{"households": {"3"}, "service_area": {""}}), doKeep))
	tab.get("/handover").says("由谁接手", "还有 3 项要交", "仅在本机")

	tab.post("/handover/to", nil).says("请选择由谁接手。")
	page := tab.get("/handover/to").says("李雷", "赵敏").silent("王芳")
	page.press("下一步", url.Values{"to": {fakeserver.LiLei.String()}}).leads("/handover/what")
	page = tab.get("/handover/what").says("交给李雷。", "HN-1", "HN-2", "没有保存的表交不出去")
	page.press("缺项保存", nil).leads("/handover/what?done=saved")
	page.press("缺项保存", nil).leads("/handover/what?done=saved") // a double tap
	page = tab.get("/handover/what").says("缺项的记录").silent("没有保存的表交不出去")
	chosen := page.form("/handover/what", nil)
	if len(chosen["record"]) != 3 {
		t.Fatalf("ticked: %v", chosen)
	}
	chosen["record"] = append(chosen["record"][:1], chosen["record"][2:]...)
	tab.post("/handover/what", chosen).leads("/handover/check")
	tab.restart() // and later
	page = tab.get("/handover/check").says("由李雷接手", "HN-1", "换主责社工", "加一位协同工作人员").silent("HN-2")
	for range 2 { // a double tap
		page.press("交出", nil).leads("/handover?done=handed_over")
	}
	cases, _, drafts, err := tab.store().ToHandOver(t.Context())
	if err != nil || len(cases) != 1 || len(drafts) != 1 || cases[0].Message.GetCaseNo() != "HN-2" {
		t.Errorf("left: %v, %v, %v", cases, drafts, err)
	}
	tab.get("/handover").says("已交出", "没有了")
	tab.get("/handover/what").says("HN-2", "HN-1")

	sheet := tab.get("/handover/sheet").says("王芳 交给 李雷", "HN-1", "接案", "下次服务", "上次服务").silent("赵秀英", "HN-2")
	tab.post("/unlock", url.Values{"pin": {thePIN}, "next": {"/handover/sheet"}}).leads("/handover/sheet")
	tab.get(sheet.link("显示姓名"))
	tab.get("/handover/sheet").says("赵秀英").silent("钱进")
}

// saying is a form as its button for something sends it.
func saying(values url.Values, do string) url.Values {
	values.Set(valueDo, do)
	return values
}

func TestTheTabletIsLeft(t *testing.T) {
	tab := newTablet(t)
	tab.sync()
	id := tab.visited("12")
	tab.get("/handover/safe").says("1 项更改仅在本机")
	page := tab.get("/handover/tablet").says("全部安全保存后才能退出").silent("PIN")
	leave := func(pin string) *answer {
		t.Helper()
		return tab.post("/handover/tablet/leave", url.Values{"pin": {pin}})
	}
	if refused := leave(thePIN).says("请先同步"); refused.StatusCode != http.StatusConflict {
		t.Errorf("status %d", refused.StatusCode)
	}
	tab.server.Undurable = true
	tab.sync()
	tab.get("/handover/safe/state").says("1 项更改服务器已收到，还没有备份")
	tab.server.Undurable = false
	tab.sync()
	tab.get("/handover/safe").says("全部已安全保存", "这台平板丢了也不会丢数据")

	// The successor sets up an own sign-in, before she leaves.
	page.press("登记另一位队员", nil).leads("/enrol")
	tab.post("/enrol", url.Values{"profile": {"李雷"}, "pin": {"804613"}, "again": {"804613"}, "code": {tab.server.Code("li-lei")}}).leads("/sync?done=enrolled")
	tab.post("/lock", nil)
	tab.signIn()
	if refused := leave("000001").says("PIN 不对"); refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("status %d", refused.StatusCode)
	}
	tab.later(time.Minute)
	leave(thePIN).leads("/sign-in?done=left")
	tab.get("/sign-in?done=left").says("您已退出本机", "李雷")
	tab.get("/records/" + id.String()).leads("/sign-in?next=%2Frecords%2F" + id.String())
	leave(thePIN).leads("/sign-in")
	if a := tab.post("/sign-in", url.Values{"profile": {"王芳"}, "pin": {thePIN}}); a.to() == "/" {
		t.Error("her file is opened once more")
	}
	tab.post("/sign-in", url.Values{"profile": {"李雷"}, "pin": {"804613"}}).leads("/")
}

func TestWhoTakesOverCanSeeIt(t *testing.T) {
	tab := newTablet(t)
	other, team := fakeserver.TestID(4, 9), fakeserver.TestID(3, 9)
	name, left, role := "外队的人", int32(20210901), recordv1.Role_ROLE_FIELD_WORKER
	tab.server.Set(team, &recordv1.Team{Name: &name})
	tab.server.Set(other, &recordv1.Worker{Name: &name, Role: &role, Team: team[:]})
	gone := "已离队的人"
	tab.server.Set(fakeserver.TestID(4, 8), &recordv1.Worker{Name: &gone, Role: &role, Team: fakeserver.TeamA[:], ToOn: &left})
	tab.sync()
	tab.get("/handover/to").says("李雷").silent(name, gone)
	tab.post("/handover/to", url.Values{"to": {other.String()}}).says("请选择由谁接手。")
}
