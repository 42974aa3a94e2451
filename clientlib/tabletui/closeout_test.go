package tabletui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// becomes has the coordinator bring the deployment to a state, and the tablet hear of it.
func (tab *tablet) becomes(state recordv1.DeploymentState, lastDay int32) {
	tab.Helper()
	tab.server.Set(tab.server.Deployment, &recordv1.Deployment{State: state.Enum(), EndOn: &lastDay})
	tab.sync()
}

const (
	isClosing  = recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING
	isClosed   = recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
	isArchived = recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED
)

// While the deployment is being closed, the pages say until when, and lead to all that is still to be done.
func TestWhatIsLeftToDoBeforeTheEnd(t *testing.T) {
	tab := newTablet(t)
	tab.get("/").silent("收队")
	tab.becomes(isClosing, 20211013)
	tab.get("/").says("收队中", "行动到 2021年10月13日 结束，还剩 5 天。", "本机没有要办的事了").silent("您还要做")
	tab.get("/sync").says("行动到 2021年10月13日 结束，还剩 5 天。")
	tab.get("/handover/safe").says("行动到 2021年10月13日 结束，还剩 5 天。")

	tab.caseNo("HN-1", "赵秀英")
	tab.visited("1200")
	tab.holds(recordv1.Kind_KIND_OUTREACH, record.CodeNumberOutOfRange)
	tab.log("outreach", "", url.Values{valueDo: {doLog}, "households": {"3"}, "service_area": {"other"}})
	to := tab.get("/new/group").to()
	path, _, _ := strings.Cut(to, "?")
	tab.post(path, saying(tab.get(to).form(path, url.Values{"name": {"妈妈小组"}}), doKeep))
	home := tab.get("/").says("您还要做：")
	for text, where := range map[string]string{
		"条仅在本机": "/sync", "1 项待处理": "/inbox", "1 张表没有填完": "/#unfinished", "1 个个案未结案": "/cases",
	} {
		if got := home.link(text); got != where {
			t.Errorf("%q leads to %q, not to %q", text, got, where)
		}
	}
	home.silent("没有要办的事")
	if n := strings.Count(home.text, "1 项待处理"); n != 1 {
		t.Errorf("what is held is said %d times", n)
	}
	tab.later(5 * 24 * time.Hour)
	tab.get("/").unlocked(t).says("行动今天结束。")
	tab.later(24 * time.Hour)
	tab.get("/").unlocked(t).says("行动已于 2021年10月13日 结束，请尽快办完")
}

// unlocked signs in again where the pages were locked meanwhile.
func (a *answer) unlocked(t *testing.T) *answer {
	t.Helper()
	if a.to() == "" {
		return a
	}
	a.tab.signIn()
	return a.tab.get("/")
}

// After the closing, whoever logs is told before it is saved that the coordinator decides about it, and what became of it.
func TestWhatIsLoggedAfterTheClosing(t *testing.T) {
	tab := newTablet(t)
	id := tab.visited("12")
	tab.caseNo("HN-1", "赵秀英")
	tab.becomes(isClosed, 20211008)
	edition := uint32(1)
	tab.server.Set(fakeserver.TestID(29, 1), &recordv1.Certificate{Edition: &edition, Part: &edition, Parts: &edition, Document: []byte{1}, OccurredOn: proto.Int32(20211008)})
	tab.sync()
	tab.get("/").says("已收队", "行动已于 2021年10月8日 收队。现在填写的内容作为补报交给协调员", "数据确认书第 1 版，2021年10月8日", "走访").silent("您还要做", "等待协调员")
	const note = "在这里保存的是补报，由协调员决定是否采用"
	tab.get("/new").says(note)
	form := tab.get("/new/outreach").follow().says(note, "保存为补报")
	form.speaks(t, "zh", "a form")
	tab.get("/records/" + id.String() + "/edit").follow().says(note)
	tab.get("/paper").follow().says(note)
	tab.get("/counter").says(note)
	tab.get("/emergency").silent(note)
	tab.get("/new/risk_alert").follow().silent("补报")
	tab.get("/history").silent(note)

	first, second := tab.visited("1"), tab.visited("2")
	tab.get("/").says("您还要做：", "2 条仅在本机")
	tab.holds(recordv1.Kind_KIND_OUTREACH, record.CodeDeploymentClosed)
	home := tab.get("/").says("补报 2 项，等待协调员采用").silent("待处理", "您还要做")
	if got := home.link("补报 2 项"); got != "/inbox" {
		t.Errorf("what waits leads to %q", got)
	}
	inbox := tab.get("/inbox").says("没有等您处理的事", "补报", "采用后才计入统计。您不用再做什么。", "这是收队后的补报，等待协调员采用").silent("改正", "放弃", "放行")
	inbox.speaks(t, "zh", "the inbox")
	tab.get("/handover/safe").silent("项待处理").says("补报 2 项")

	reason := "那天的走访已经由同事记过。"
	tab.server.Set(fakeserver.TestID(26, 1), &recordv1.HeldDecision{Change: second[:], Decision: recordv1.Decision_DECISION_DISCARD.Enum(), Reason: &reason})
	tab.server.Settle(first, "")
	tab.server.Settle(second, string(record.CodeDiscarded))
	tab.sync()
	tab.get("/").says("补报 1 项，已采用", "补报 1 项，未采用").silent("等待协调员")
	tab.get("/inbox").says("已放弃的更改（1）", "理由："+reason)
	for _, lang := range []string{"en", "zh"} {
		tab.post("/language", url.Values{"language": {lang}, "next": {"/"}})
		for _, address := range []string{"/", "/sync", "/handover/safe", "/new"} {
			tab.get(address).speaks(t, lang, address)
		}
	}
}

// Of a record that was there before, a change that came too late is told where the record is shown, and not as a fault.
func TestAnEditAfterTheClosing(t *testing.T) {
	tab := newTablet(t)
	id := tab.visited("12")
	tab.becomes(isClosed, 20211008)
	to := tab.get("/records/" + id.String() + "/edit").to()
	path, _, _ := strings.Cut(to, "?")
	tab.post(path, saying(tab.get(to).form(path, url.Values{"households": {"21"}}), doLog))
	tab.holds(recordv1.Kind_KIND_OUTREACH, record.CodeDeploymentClosed)
	tab.get("/records/"+id.String()).says("这是收队后的补报，等待协调员采用", "补报，待协调员采用", "12").silent("待处理")
}

// A coordinator's tablet decides.
func TestACoordinatorAcceptsAnAddendum(t *testing.T) {
	tab := newTablet(t)
	tab.server.Set(fakeserver.WangFang, &recordv1.Worker{Role: recordv1.Role_ROLE_COORDINATOR.Enum()})
	tab.becomes(isClosed, 20211008)
	tab.visited("1")
	tab.holds(recordv1.Kind_KIND_OUTREACH, record.CodeDeploymentClosed)
	tab.get("/inbox").says("放弃").press("没有错，放行", nil).leads("/inbox?done=released")
	tab.get("/inbox").says("已决定放行")
}

// Once the deployment is archived, nothing is logged any more, and the tablet can be handed back; help is called for as before.
func TestAnArchivedDeployment(t *testing.T) {
	tab := newTablet(t)
	id := tab.visited("12")
	tab.caseNo("HN-1", "赵秀英")
	tab.sync()
	tab.visited("1200")
	tab.holds(recordv1.Kind_KIND_OUTREACH, record.CodeNumberOutOfRange)
	open := tab.get("/new/outreach").to()
	tab.becomes(isArchived, 20211008)
	home := tab.get("/").says("已归档", "个人信息已清除，不能再填写记录，平板可以交还").silent("计数", "待处理")
	if got := home.link("交还平板"); got != "/handover/tablet" {
		t.Errorf("handing it back leads to %q", got)
	}
	tab.get("/handover/tablet").says("退出本机")
	for _, r := range routes() {
		if !r.logs {
			continue
		}
		address := strings.NewReplacer("{kind}", "outreach", "{form}", tab.id(strings.TrimPrefix(strings.Split(open, "?")[0], "/forms/")).String(),
			"{record}", id.String(), "{case}", id.String()).Replace(r.path)
		page := tab.get(address)
		if r.method == http.MethodPost {
			page = tab.post(address, nil)
		}
		if page.StatusCode != http.StatusConflict {
			t.Errorf("%s %s: status %d", r.method, address, page.StatusCode)
		}
		page.says("本次行动已归档，个人信息已清除")
	}
	if page := tab.post("/records/"+id.String()+"/delete", nil); page.StatusCode != http.StatusConflict {
		t.Errorf("deleting: status %d", page.StatusCode)
	}
	if page := tab.get("/emergency"); page.StatusCode != http.StatusOK {
		t.Errorf("in an emergency: status %d", page.StatusCode)
	}
	if page := tab.get("/new/risk_alert").follow(); page.StatusCode != http.StatusOK {
		t.Errorf("the form of an alert: status %d", page.StatusCode)
	}
	for _, lang := range []string{"en", "zh"} {
		tab.post("/language", url.Values{"language": {lang}, "next": {"/"}})
		for _, address := range []string{"/", "/sync", "/new"} {
			tab.get(address).speaks(t, lang, address)
		}
	}
}
