package tabletui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
)

func TestAnOutreachIsLogged(t *testing.T) {
	tab := newTablet(t)
	page := tab.log("outreach", "", url.Values{"mode": {"home"}, "households": {"１2"}, "service_area": {"resource_linking"}, "village": {"西街"}})
	page.follow().says("走访", "入户探访", "12", "西街", "仅在本机", "清点人数")
	found, err := tab.store().List(t.Context(), clientlib.Query{})
	if err != nil || len(found.Records) != 1 {
		t.Fatal(found, err)
	}
	m := found.Records[0].Message.(*recordv1.Outreach)
	if m.GetHouseholds() != 12 || m.GetPlace().GetVillage() != "西街" || m.GetPlace().GetCode() != "410621108" {
		t.Errorf("logged: %v", m)
	}
	tab.get("/").says("1 条仅在本机", "走访")
}

func TestWhatIsTypedIsKept(t *testing.T) {
	tab := newTablet(t)
	to := tab.get("/new/outreach").to()
	path, _, _ := strings.Cut(to, "?")
	values := tab.get(to).form(path, url.Values{"needs": {"被褥两床"}, "households": {"十"}})
	tab.script = true
	tab.post(path+"/kept", values).says("已暂存 09:30")
	tab.script = false
	tab.restart()
	tab.get("/").says("未填完的表", "走访")
	again := tab.get(path).form(path, nil)
	if again.Get("needs") != "被褥两床" || again.Get("households") != "十" {
		t.Errorf("kept: %v", again)
	}
	// What can't be logged is said, and kept.
	again.Set(valueDo, doLog)
	refused := tab.post(path, again)
	if refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("status %d", refused.StatusCode)
	}
	refused.says("请填整数。", "缺")
	again.Set("households", "10")
	again.Set("service_area", "other")
	tab.post(path, again).follow().says("已保存在本机。")
	// A double tap, and a page that one went back to.
	tab.post(path, again).leads("/?done=saved")
	tab.get(path).leads("/?done=saved")
	tab.get("/").silent("未填完的表")
	if found, err := tab.store().List(t.Context(), clientlib.Query{}); err != nil || len(found.Records) != 1 {
		t.Errorf("logged: %v, %v", found, err)
	}
}

func TestARecordIsChangedDeletedAndRestored(t *testing.T) {
	tab := newTablet(t)
	page := tab.log("community_activity", "", url.Values{
		"name": {"中秋晚会"}, "form": {"festival"}, "service_area": {"cultural_rebuilding"}, "minutes": {"90"}, "register_used": {"no"}, "partners": {"村委会\r\n学校"},
	})
	record, _, _ := strings.Cut(page.to(), "?")
	page.follow().says("中秋晚会", "村委会、学校")
	to := tab.get(record + "/edit").to()
	path, _, _ := strings.Cut(to, "?")
	values := tab.get(to).form(path, url.Values{"minutes": {"120"}, "partners": {""}})
	values.Set(valueDo, doLog)
	tab.post(path, values).leads(record + "?done=saved")
	tab.get(record).says("120").silent("村委会")
	tab.post(record+"/delete", nil).leads("/history?undo=" + strings.TrimPrefix(record, "/records/") + "&done=deleted")
	tab.get(record).says("已删除")
	tab.post(record+"/restore", nil).leads(record + "?done=restored")
	tab.get(record).silent("已删除")
}

// TestALeadReviewsOnTheTablet: team leads review what their team wrote, and nobody else is offered that.
func TestALeadReviewsOnTheTablet(t *testing.T) {
	for _, who := range []struct {
		code string
		may  bool
	}{{"li-lei", true}, {"wang-fang", false}} {
		t.Run(who.code, func(t *testing.T) {
			tab := tabletOf(t, who.code)
			id := tab.visited("12")
			page := tab.get("/records/" + id.String())
			if !who.may {
				page.silent("审核")
				return
			}
			to := page.link("审核")
			kind, of, _ := strings.Cut(strings.TrimPrefix(to, pathNew+"/"), "?")
			tab.log(kind, "?"+of, url.Values{"outcome": {"returned"}, "reasons": {"numbers"}, "comment": {"户数请核对"}})
			found, err := tab.store().List(t.Context(), clientlib.Query{Kinds: []recordv1.Kind{recordv1.Kind_KIND_REVIEW}})
			if err != nil || len(found.Records) != 1 {
				t.Fatal(found, err)
			}
			m := found.Records[0].Message.(*recordv1.Review)
			if m.GetOutcome() != recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED || len(m.GetReviewed()) == 0 || m.GetComment() != "户数请核对" {
				t.Errorf("logged: %v", m)
			}
		})
	}
}
