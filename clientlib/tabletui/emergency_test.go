package tabletui

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
)

// alert fills in the form of the page of emergencies and sends it.
func (tab *tablet) alert(values url.Values) *answer {
	tab.Helper()
	return tab.post(pathEmergency, tab.get(pathEmergency).form(pathEmergency, values))
}

func TestAnAlertIsSentBeforeAnythingElse(t *testing.T) {
	tab := newTablet(t)
	id := tab.aCase()
	to := pathEmergency + "?subject=" + id.String()
	page := tab.get(to).says("先打电话", "急救", "120", "不要让当事人独处", "个案")
	values := page.form(pathEmergency, url.Values{"type": {"suicide_or_self_harm"}, "level": {"red"}, "done": {"陪着她，已打120"}})
	said := tab.post(pathEmergency, values).says("上报已记录，正在发送", "短信内容", "未确认", "自杀自伤")
	text := ""
	for n := range said.html.Descendants() {
		if n.Data == "textarea" && has(n, "readonly") {
			text = textOf(n)
		}
	}
	if !strings.Contains(text, "王芳") || !strings.Contains(text, "王庄镇") || !strings.Contains(text, "红") || strings.Contains(text, "陪着她") || strings.Contains(text, "HN") {
		t.Errorf("by SMS: %q", text)
	}
	tab.post(pathEmergency, values) // a double tap
	found, err := tab.store().Alerts(t.Context())
	if err != nil || len(found) != 1 {
		t.Fatalf("%d alerts, %v", len(found), err)
	}
	m := found[0].Message
	if string(m.GetSubject()) != string(id[:]) || m.GetDone() != "陪着她，已打120" || m.GetSeenAt() != tab.wall().UnixMilli() {
		t.Errorf("logged: %v", m)
	}
	tab.get("/").says("1 条风险上报未确认：请打电话")
	// She is told who has taken it on.
	tab.sync()
	m = &recordv1.RiskAlert{AcknowledgedBy: fakeserver.ZhaoMin[:], AcknowledgedAt: proto.Int64(tab.wall().UnixMilli())}
	tab.server.Set(found[0].ID, m)
	tab.sync()
	tab.get(pathEmergency).says("赵敏 已确认").silent("未确认")
	tab.get("/").silent("未确认")
}

func TestWhatIsMissingOfAnAlertIsSaid(t *testing.T) {
	tab := newTablet(t)
	refused := tab.alert(url.Values{"level": {"red"}, "reported_to": {"村委会"}})
	if refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("status %d", refused.StatusCode)
	}
	if again := refused.says("这一项没有填").form(pathEmergency, nil); again.Get("reported_to") != "村委会" || again.Get("level") != "red" {
		t.Errorf("what was written is gone: %v", again)
	}
}

// TestAnEmergencyNeedsNoPIN: the page opens and takes an alert before anybody has signed in, and shows nothing of any case.
func TestAnEmergencyNeedsNoPIN(t *testing.T) {
	tab := newTablet(t)
	tab.server.Down = true // what is logged first would be sent at once
	id := tab.aCase()
	tab.alert(url.Values{"type": {"violence"}, "level": {"orange"}, "done": {"已报警"}})
	if err := tab.ui.Close(); err != nil {
		t.Fatal(err)
	}
	tab.later(time.Minute)
	tab.start()
	page := tab.get(pathEmergency+"?subject="+id.String()).says("先打电话", "急救", "2021年10月8日 09:30 发现 橙色 未确认 仅在本机 风险上报")
	page.silent("个案", "已报警", "HN")
	values := page.form(pathEmergency, url.Values{"type": {"missing"}, "level": {"red"}, "done": {"正在找"}, "subject": {id.String()}})
	tab.post(pathEmergency, values).says("上报已保存，还没有发送", "请现在就打电话", "王芳")
	tab.get(pathEmergency).says("09:31 发现 等待输入 PIN 红色").silent("正在找")
	entries, err := os.ReadDir(tab.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(tab.folder + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "正在找") || strings.Contains(string(content), "已报警") {
			t.Errorf("it can be read in %s", e.Name())
		}
	}
	tab.signIn()
	tab.get(pathEmergency).says("失联，王芳").silent("等待输入 PIN")
	found, err := tab.store().Alerts(t.Context())
	if err != nil || len(found) != 2 || found[0].Message.GetDone() != "正在找" || len(found[0].Message.GetSubject()) > 0 {
		t.Errorf("logged: %+v, %v", found, err)
	}
}

// TestALeadTakesAnAlertOn: whoever alerts go to may confirm one, and nobody else may, nor one's own.
func TestALeadTakesAnAlertOn(t *testing.T) {
	for _, who := range []struct {
		code string
		may  bool
	}{{"li-lei", true}, {"wang-fang", false}} {
		t.Run(who.code, func(t *testing.T) { aLeadConfirms(t, who.code, who.may) })
	}
}

func aLeadConfirms(t *testing.T, code string, may bool) {
	tab := tabletOf(t, code)
	id := fakeserver.TestID(9, 7)
	tab.server.Set(id, &recordv1.RiskAlert{
		Type: recordv1.RiskType_RISK_TYPE_MEDICAL_EMERGENCY.Enum(), SeenAt: proto.Int64(tab.wall().UnixMilli()), Done: proto.String("已打120"),
		Team: fakeserver.TeamA[:], Author: fakeserver.ZhaoMin[:], OccurredOn: proto.Int32(20211008),
	})
	tab.sync()
	page := tab.get(pathEmergency).says("急症", "赵敏")
	path := pathEmergency + "/" + id.String() + "/confirmation"
	if !may {
		page.silent("我来处理")
		if a := tab.post(path, nil); a.StatusCode != http.StatusNotFound {
			t.Errorf("a field worker confirms it: %d", a.StatusCode)
		}
		return
	}
	page.says("我来处理")
	tab.post(path, nil).leads(pathEmergency + "?done=confirmed")
	tab.get(pathEmergency).says("李雷 已确认").silent("我来处理")
}
