package tabletui

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/clientlib/internal/fakeserver"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// visited logs an outreach through the pages and returns its id.
func (tab *tablet) visited(households string) hlc.ID {
	tab.Helper()
	to := tab.log("outreach", "", url.Values{"mode": {"home"}, "households": {households}, "service_area": {"resource_linking"}}).to()
	path, _, _ := strings.Cut(to, "?")
	id, err := parseID(strings.TrimPrefix(path, "/records/"))
	if err != nil {
		tab.Fatal(err)
	}
	return id
}

// side is a value that somebody wrote.
type side struct {
	author hlc.ID
	value  record.Common
}

// clash has the server find that a field was filled in differently: the last side is what it has.
func (tab *tablet) clash(id, target hlc.ID, field string, sides ...side) {
	tab.Helper()
	last := sides[len(sides)-1].value
	kind := record.KindOf(last)
	m := &recordv1.Conflict{
		Target: target[:], TargetKind: kind.Enum(), Settled: proto.Bool(false),
		Field: proto.Uint32(uint32(last.ProtoReflect().Descriptor().Fields().ByTextName(field).Number())),
	}
	for i, s := range sides {
		value, err := proto.Marshal(s.value)
		if err != nil {
			tab.Fatal(err)
		}
		at := hlc.TimeOf(tab.wall()) + hlc.Time(i)
		m.Sides = append(m.Sides, &recordv1.ConflictSide{Value: value, Author: s.author[:], Time: proto.Uint64(uint64(at)), Replica: proto.Uint64(uint64(i + 7))})
	}
	tab.later(time.Minute)
	tab.server.Set(target, last)
	tab.server.Set(id, m)
	tab.sync()
}

func households(n uint32) *recordv1.Outreach { return &recordv1.Outreach{Households: &n} }

func (tab *tablet) households(id hlc.ID) uint32 {
	tab.Helper()
	r, err := tab.store().Record(tab.Context(), id)
	if err != nil {
		tab.Fatal(err)
	}
	return r.Message.(*recordv1.Outreach).GetHouseholds()
}

// press sends the form with the button that says something, filled in with more.
func (a *answer) press(text string, more url.Values) *answer {
	a.tab.Helper()
	for form := range a.html.Descendants() {
		if form.Data != "form" {
			continue
		}
		for n := range form.Descendants() {
			if n.Data == "button" && strings.Contains(textOf(n), text) {
				action := attribute(form, "action")
				values := a.form(action, more)
				if name := attribute(n, "name"); name != "" {
					values.Set(name, attribute(n, "value"))
				}
				return a.tab.post(action, values)
			}
		}
	}
	a.tab.Fatalf("there is no button %q\n%s", text, a.text)
	return nil
}

func TestAReturnedRecordIsChanged(t *testing.T) {
	tab := newTablet(t)
	id := tab.visited("12")
	tab.get("/inbox").says("没有等您处理的事")
	tab.sync()
	tab.later(5 * time.Minute)
	registers := &recordv1.ReviewedField{Field: proto.Uint32(4), Time: proto.Uint64(1), Replica: proto.Uint64(2)}
	tab.server.Set(fakeserver.TestID(9, 1), &recordv1.Review{
		Target: id[:], Author: fakeserver.ZhaoMin[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), Reviewed: []*recordv1.ReviewedField{registers},
		OccurredOn: proto.Int32(int32(record.DateOf(tab.wall(), time.UTC))),
		Reasons:    []recordv1.ReviewReason{recordv1.ReviewReason_REVIEW_REASON_NUMBERS}, Comment: proto.String("户数是不是 21？"),
	})
	tab.sync()
	tab.get("/").says("1 条被退回")
	page := tab.get("/inbox").says("审核退回", "赵敏", "原因：人数不符", "户数是不是 21？", "如果没有错，请告诉赵敏").silent("没有等您处理的事")
	to := tab.get(page.link("修改")).to()
	path, _, _ := strings.Cut(to, "?")
	values := tab.get(to).form(path, url.Values{"households": {"21"}})
	values.Set(valueDo, doLog)
	tab.later(5 * time.Minute)
	tab.post(path, values)
	tab.get("/inbox").says("没有等您处理的事")
}

func TestAValueThatLost(t *testing.T) {
	tab := newTablet(t)
	id, conflict := tab.visited("12"), fakeserver.TestID(9, 2)
	tab.sync()
	mine, theirs := side{fakeserver.WangFang, households(12)}, side{fakeserver.LiLei, households(15)}
	tab.clash(conflict, id, "households", mine, theirs)
	tab.get("/").says("1 处与同事填写不一致")
	page := tab.get("/inbox").says("两处填写不一致", "户数", "您，", "12", "李雷，", "15", "现在算这个", "拿不准？问李雷。")
	page.press("现在这个对", nil).leads("/inbox?done=conflict_answered")
	tab.get("/").silent("填写不一致")
	tab.restart()
	tab.get("/inbox").says("没有等您处理的事", "已认可对方的（1）").press("重新回答", nil).leads("/inbox")
	page = tab.get("/inbox")
	page.press("我的对", nil).leads("/inbox?done=conflict_answered")
	if n := tab.households(id); n != 12 {
		t.Errorf("households %d", n)
	}
	page.press("我的对", nil).leads("/inbox?done=conflict_answered") // a double tap
	status, err := tab.store().Status(t.Context())
	if err != nil || status.Unsent != 1 {
		t.Errorf("unsent: %d, %v", status.Unsent, err)
	}
	tab.get("/inbox").says("没有等您处理的事").silent("已认可")
	tab.sync()
	tab.get("/inbox").says("没有等您处理的事")
	// Somebody fills it in once more without having seen that. What she saw before is another answer.
	tab.clash(conflict, id, "households", mine, theirs, side{fakeserver.ZhaoMin, households(16)})
	page.press("我的对", nil).leads("/inbox?done=conflict_moved")
	tab.get("/inbox").says("赵敏，", "16")
	// Once it is settled, it is gone.
	tab.server.Set(conflict, &recordv1.Conflict{Settled: proto.Bool(true)})
	tab.sync()
	page.press("我的对", nil).leads("/inbox?done=conflict_settled")
	tab.get("/inbox").says("没有等您处理的事")
}

func TestConflictsThatAreNotHers(t *testing.T) {
	tab := newTablet(t)
	won, others, deleted := tab.visited("1"), tab.visited("2"), tab.visited("3")
	tab.sync()
	me, him, her := fakeserver.WangFang, fakeserver.LiLei, fakeserver.ZhaoMin
	tab.clash(fakeserver.TestID(9, 3), won, "households", side{him, households(9)}, side{me, households(1)})
	tab.clash(fakeserver.TestID(9, 4), others, "households", side{him, households(9)}, side{her, households(2)})
	tab.clash(fakeserver.TestID(9, 5), deleted, "households", side{me, households(3)}, side{her, households(4)})
	if err := tab.store().Delete(t.Context(), deleted); err != nil {
		t.Fatal(err)
	}
	tab.get("/inbox").says("没有等您处理的事")
}

func TestARecordThatWasDeletedMeanwhile(t *testing.T) {
	tab := newTablet(t)
	id := tab.visited("12")
	tab.sync()
	// Her edit came later than the deletion, which she had not seen: the record is deleted all the same.
	tab.clash(fakeserver.TestID(9, 6), id, "deleted", side{fakeserver.LiLei, &recordv1.Outreach{Deleted: proto.Bool(true)}}, side{fakeserver.WangFang, &recordv1.Outreach{}})
	tab.server.Set(id, &recordv1.Outreach{Deleted: proto.Bool(true)})
	tab.sync()
	tab.get("/inbox").says("删除了记录", "继续填了记录").press("我的对", nil).leads("/inbox?done=conflict_answered")
	if r, err := tab.store().Record(t.Context(), id); err != nil || r.Deleted {
		t.Errorf("deleted: %v, %v", r.Deleted, err)
	}
	tab.get("/inbox").says("没有等您处理的事")
}

func TestATeamLeadSettles(t *testing.T) {
	tab := tabletOf(t, "li-lei")
	first, second := tab.visited("1"), tab.visited("2")
	tab.sync()
	one, other := side{fakeserver.WangFang, households(7)}, side{fakeserver.ZhaoMin, households(8)}
	tab.clash(fakeserver.TestID(9, 7), first, "households", one, other)
	tab.clash(fakeserver.TestID(9, 8), second, "households", one, other)
	tab.get("/").says("队里有 2 处填写不一致")
	tab.get("/inbox").says("队里的两处填写不一致", "王芳，", "赵敏，").press("这个对", nil).leads("/inbox?done=conflict_answered")
	tab.get("/").says("队里有 1 处填写不一致")
	tab.get("/inbox").press("现在这个对", nil).leads("/inbox?done=conflict_answered")
	tab.get("/inbox").says("没有等您处理的事")
	if a, b := tab.households(first), tab.households(second); a+b != 15 {
		t.Errorf("households %d, %d", a, b)
	}
	open, err := tab.store().Conflicts(t.Context())
	if err != nil || len(open) > 0 {
		t.Errorf("open: %v, %v", open, err)
	}
}

// holds makes the server hold what was logged, for some reason.
func (tab *tablet) holds(kind record.Kind, code record.Code) {
	tab.Helper()
	tab.server.Hold = func(c *record.Change) string {
		if c.Kind == kind {
			return string(code)
		}
		return ""
	}
	tab.sync()
	tab.server.Hold = nil
}

func TestAHeldRecordIsCorrectedAndSentAgain(t *testing.T) {
	tab := newTablet(t)
	tab.visited("1200")
	tab.holds(recordv1.Kind_KIND_OUTREACH, record.CodeNumberOutOfRange)
	tab.get("/").says("1 项待处理")
	page := tab.get("/inbox").says("待处理", "走访", "数字不合理，请核对后改正。", "户数", "1,200").silent("放行")
	to := page.press("改正后重新发送", nil).to()
	page.press("改正后重新发送", nil).leads(to) // a double tap
	if got := tab.get("/inbox").says("接着改正").press("接着改正", nil).to(); got != to {
		t.Errorf("it goes on at %q, not at %q", got, to)
	}
	values := tab.get(to).form(to, url.Values{"households": {"12"}})
	values.Set(valueDo, doLog)
	tab.post(to, values).follow().says("12")
	tab.get("/inbox").says("没有等您处理的事", "已决定放弃")
	tab.get("/").silent("项待处理")
	tab.sync()
	found, err := tab.store().List(t.Context(), clientlib.Query{Kinds: []record.Kind{recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_HELD_DECISION}})
	if err != nil || len(found.Records) != 2 {
		t.Errorf("records: %v, %v", found.Records, err)
	}
}

func TestAHeldChangeIsDiscarded(t *testing.T) {
	tab := newTablet(t)
	tab.visited("12")
	tab.holds(recordv1.Kind_KIND_OUTREACH, record.CodeNotYourTeam)
	page := tab.get("/inbox").says("这条记录属于另一支服务队", "要放行，请找：", "赵敏").silent("改正后重新发送")
	for range 2 { // a double tap
		page.press("放弃", url.Values{"reason": {"填错了队"}}).leads("/inbox?done=discarded")
	}
	tab.get("/inbox").says("没有等您处理的事", "已放弃的更改（1）", "重新填写")
	status, err := tab.store().Status(t.Context())
	if err != nil || status.Unsent != 1 {
		t.Errorf("unsent: %d, %v", status.Unsent, err)
	}
}

func TestATeamLeadLetsThrough(t *testing.T) {
	tab := tabletOf(t, "li-lei")
	tab.visited("12")
	tab.holds(recordv1.Kind_KIND_OUTREACH, record.CodeDateOutsideDeployment)
	tab.get("/inbox").press("没有错，放行", nil).leads("/inbox?done=released")
	tab.get("/inbox").says("已决定放行")
}

func TestWhoSomebodyIsStaysBehindThePIN(t *testing.T) {
	tab := newTablet(t)
	form := tab.get("/new/case").to()
	path, _, _ := strings.Cut(form, "?")
	values := tab.get(form).form(path, url.Values{"case_no": {"HN-1"}, "case_identity.name": {"赵秀英"}, "case_identity.phone": {"13900000001"}, "service_area": {"resource_linking"}})
	values.Set(valueDo, doLog)
	tab.post(path, values).follow()
	tab.holds(recordv1.Kind_KIND_CASE_IDENTITY, record.CodeControlCharacter)
	page := tab.get("/inbox").says("涉及身份信息").silent("赵秀英", "13900000001")
	tab.post("/unlock", url.Values{"pin": {thePIN}, "next": {"/inbox"}}).leads("/inbox")
	tab.get(page.link("输入 PIN"))
	tab.get("/inbox").says("赵秀英", "13900000001")
	tab.later(6 * time.Minute)
	tab.get("/inbox").silent("赵秀英", "13900000001")
}
