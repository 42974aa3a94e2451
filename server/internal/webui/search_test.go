package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/audit"
	"levee/server/internal/webtest"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestSearching finds what the visitor may see, and nothing else, by a box that stands on every page.
func TestSearching(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	c.anna.Push(c.anna.Make(&recordv1.CommunityActivity{Name: proto.String("房屋安全 <b>讲座</b> WZ-001"), Minutes: proto.Uint32(60)}))
	s.indexed(c.Deployment)
	find := func(b *webtest.Browser, text string) *webtest.Browser {
		t.Helper()
		b.Open("/deployments/" + c.ID.String() + "/alerts").Is(http.StatusOK)
		b.Send("Search", webtest.Values("q", text))
		if b.At.RawQuery != "" {
			t.Errorf("what was looked for stands in the address: %s", b.At)
		}
		return b
	}
	super := s.as(c.Deployment, "super", "en")
	find(super, "房屋").Is(http.StatusOK).Sees("community activity 房屋安全 <b>讲座</b> WZ-001", "case note", "谈到 房屋", "▲ confidential", "what happened")
	if marks := webtest.Find(super.Page, "mark"); len(marks) != 2 || webtest.TextOf(marks[0]) != "房屋" {
		t.Errorf("%d are marked", len(marks))
	}
	if n := s.noted(c.ID, audit.ConfidentialRead); n != 1 {
		t.Errorf("one confidential record was shown, and %d are noted", n)
	}
	super.Send("Search", webtest.Values("of_kind", "community_activity")).Sees("WZ-001")
	if strings.Contains(super.Text, "谈到") {
		t.Error("another kind is found")
	}
	find(super, "王").Sees("王 秀英", "case identity", "王庄镇", "A single character finds only what begins with it")
	find(super, "one").Sees("People, teams, sites").Follow("one").Is(http.StatusOK)
	find(super, "ann").Follow("anna").Is(http.StatusOK)
	find(super, "nothing like it").Sees("Nothing that you may see has all of this.")
	find(super, " ").Is(http.StatusUnprocessableEntity).Sees("This is needed.")
	find(super, "——").Is(http.StatusUnprocessableEntity).Sees("Type a word, a number or a name.")
	find(super, "一 a 二 b 三 c 四 d 五").Is(http.StatusUnprocessableEntity).Sees("at most eight words")
	if strings.Contains(s.log.String(), "王") {
		t.Error("the log knows who was looked for")
	}

	// The team's lead does not work on the case, and finds neither what is confidential of it nor that it is there.
	lead := s.as(c.Deployment, "lead", "en")
	for _, text := range []string{"谈到", "王秀英"} {
		find(lead, text).Sees("Nothing that you may see has all of this.")
	}
	find(lead, "2021-01").Sees("case 2021-01")
	find(s.as(c.Deployment, "carl", "en"), "2021-01").Sees("Nothing that you may see has all of this.")
	if n := s.noted(c.ID, audit.ConfidentialRead); n != 2 {
		t.Errorf("%d are noted", n)
	}

	s.as(c.Deployment, "coordinator", "zh").Open("/deployments/"+c.ID.String()+"/search?lang=zh").Is(http.StatusOK).Send("搜索", webtest.Values("q", "讲座")).Sees("团体活动 房屋安全", "名称")
}

// TestSearchingIsPaged goes on through what was found.
func TestSearchingIsPaged(t *testing.T) {
	s := newSite(t)
	d := s.field()
	anna := d.Enrol("anna")
	for range 25 {
		anna.Push(anna.Make(&recordv1.CommunityActivity{Name: proto.String("心理讲座")}))
	}
	s.indexed(d)
	b := s.as(d, "anna", "en").Open("/deployments/"+d.ID.String()+"/search").Send("Search", webtest.Values("q", "讲座"))
	if n := len(webtest.Find(b.Page, "mark")); n != 20 {
		t.Errorf("%d on the first page", n)
	}
	b.Send("Further", nil)
	if n := len(webtest.Find(b.Page, "mark")); n != 5 || strings.Contains(b.Text, "Further") {
		t.Errorf("%d on the second page: %s", n, b.Text)
	}
}
