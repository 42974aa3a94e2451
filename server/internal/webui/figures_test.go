package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/webtest"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestAFigureIsFollowed goes from a figure to the records behind it, from there to a record, and to who set its fields.
func TestAFigureIsFollowed(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	c.review(c.session, recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED, "")
	carl := c.Enrol("carl")
	carl.Push(carl.Make(&recordv1.CaseSession{Case: c.file[:], Minutes: proto.Uint32(30)})) // of another team's case: held
	talk := carl.Make(&recordv1.CommunityActivity{Name: proto.String("健康讲座"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum(), Site: c.Sites[1][:], Place: &recordv1.Place{Code: proto.String("410781106"), Edition: proto.Int32(2023)}})
	heads := carl.Make(&recordv1.Headcount{Activity: talk.Record[:], Counter: carl.Worker[:], Zone: proto.String("全场"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(20), Returning: proto.Uint32(1200), Status: recordv1.Status_STATUS_HELD.Enum()})
	carl.Push(talk, heads)

	path := "/deployments/" + c.ID.String() + "/figures/"
	b := s.as(c.Deployment, "coordinator", "en").Open(path + "contacts").Is(http.StatusOK)
	b.Sees("All heads of headcounts", "reported 1,221", "verified 1", "By day", "1 Oct 2021 1,221 1", "as of 1 Oct 2021")
	b.Follow("By team").Sees("one 1 1", "two 1,220 0")
	b.Follow("1,220").Is(http.StatusOK).Sees("contacts: two", "reported: 1,220", "verified: 0", "headcount 健康讲座", "上乐村镇", "carl")
	b.Follow("headcount 健康讲座").Is(http.StatusOK).Sees("first-time 20", "community activity 健康讲座", "carl · from tablet carl")
	b.Open(path + "contacts").Follow("By place")
	b.Follow("County").Sees("卫辉市 1,220 0")
	b.Follow("卫辉市").Sees("上乐村镇 1,220 0").Follow("1,220").Is(http.StatusOK)
	b.Open(path+"persons").Sees("By sex", "By age", "Whoever is in several parts")
	b.Open(path + "cases").Sees("reported 1")
	if b.Text == "" || strings.Contains(b.Text, "By sex") {
		t.Errorf("cases are divided by sex: %s", b.Text)
	}
	b.Open(path + "service_days").Sees("service days 9").Open(path + "service_days/records").Is(http.StatusNotFound)
	b.Open(path + "nothing").Is(http.StatusNotFound)
	b.Open(path + "contacts/records?by=nothing").Is(http.StatusNotFound)
	b.Open(path+"contacts?lang=zh").Sees("人次", "已上报 1,221", "按服务队", "2021年10月1日")

	// Who has one team is shown that one's part and nothing of the rest.
	super := s.as(c.Deployment, "super", "en").Open(path + "contacts").Is(http.StatusOK)
	if strings.Contains(super.Text, "1,22") || strings.Contains(super.Text, "By day") {
		t.Errorf("a supervisor of one team sees: %s", super.Text)
	}
	super.Sees("one 1 1").Follow("By worker").Sees("anna 1 1")
	super.Open(path + "contacts?by=day").Is(http.StatusNotFound)
	super.Open(path + "contacts/records?by=team&key=" + c.Teams[1].String()).Is(http.StatusNotFound)
	super.Open(path + "contacts/records?by=team&basis=verified&key=" + c.Teams[0].String()).Is(http.StatusOK)
	if rows := webtest.Find(super.Page, "tbody"); len(rows) != 1 || !strings.Contains(webtest.TextOf(rows[0]), "case session 2021-01 1 Oct 2021") {
		t.Errorf("behind what is verified: %s", super.Text)
	}
}
