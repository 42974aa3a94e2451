package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"levee/server/internal/webtest"
)

// cells are what the row of a table says that has a text in its head, cell by cell.
func cells(b *webtest.Browser, table, head string) (all []string) {
	for _, t := range webtest.Find(b.Page, "table") {
		if webtest.Attribute(t, "aria-labelledby") != table {
			continue
		}
		for _, tr := range webtest.Find(t, "tr") {
			if th := webtest.Find(tr, "th"); len(th) == 1 && strings.TrimSpace(webtest.TextOf(th[0])) == head {
				for _, td := range webtest.Find(tr, "td") {
					all = append(all, strings.TrimSpace(webtest.TextOf(td)))
				}
			}
		}
	}
	return all
}

// TestAReportOfADayAndAWeek: the text for the chat, the tables, who worked, and the periods beside it, in both languages.
func TestAReportOfADayAndAWeek(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	path := "/deployments/" + d.ID.String()
	b := s.as(d, "coordinator", "en")
	b.Open(path + "/reports?lang=en&date=2021-10-01").Is(http.StatusOK)
	b.Sees("[Daily report] 1 Oct · test", "On the day: 1 case session, 1 community activity; 31 contacts, 30 persons (30 of them new).",
		"To date (1 Oct, day 9): 3 cases, 2 case sessions, 1 community activity; 32 contacts, 33 persons.", "Staff: volunteer: 2, 2 days.", "Now open: 2 cases")
	if got := strings.Join(cells(b, "teams-title", "one"), " "); got != "0 1 0 1 0 31 30 30" {
		t.Errorf("team one: %s", got)
	}
	if got := strings.Join(cells(b, "work-volunteer-title", "anna"), " "); got != "1 1 Oct to 1 Oct 1 0 0 0 1 h 0 min" {
		t.Errorf("anna: %s", got)
	}
	b.Open(path + "/reports?lang=zh&period=week&date=2021-10-01").Is(http.StatusOK)
	b.Sees("【周报】9月27日至10月1日 test", "本周：新开个案1个，个案服务2次，团体活动1场", "出勤：志愿者2人、3人天")
	b.Follow("上一期").Is(http.StatusOK)
	if !strings.Contains(b.Text, "【周报】9月23日至9月26日 test") || strings.Contains(b.Text, "上一期") {
		t.Errorf("the week before: %s", b.Text)
	}
	for _, at := range []string{"?period=year", "?date=yesterday"} {
		b.Open(path + "/reports" + at).Is(http.StatusNotFound)
	}
	b.Open(path + "/reports?lang=en&date=1999-01-01").Is(http.StatusOK)
	b.Sees("[Daily report] 23 Sep")
}

// TestWhoSeesSomeTeamsSeesTheirSums: nothing of another team stands in the report.
func TestWhoSeesSomeTeamsSeesTheirSums(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	path := "/deployments/" + d.ID.String() + "/reports?lang=en&date=2021-10-01"
	b := s.as(d, "carl", "en")
	b.Open(path).Is(http.StatusOK)
	b.Sees("It tells of your teams alone.", "On the day: nothing was logged.", "Now open: 0 cases", "Nobody worked in this period.")
	if strings.Contains(b.Text, "anna") {
		t.Errorf("it tells of another team: %s", b.Text)
	}
}

// TestACertificateOfService: in both languages, of the whole time or a part of it.
func TestACertificateOfService(t *testing.T) {
	s := newSite(t)
	s.administrator("en")
	d := s.fieldWork()
	b := s.as(d, "lead", "en")
	b.Open("/deployments/" + d.ID.String() + "/workers/" + d.Workers["anna"].String() + "?lang=en").Follow("Certificate of service").Is(http.StatusOK)
	b.Sees("This is to certify that anna (volunteer) worked in the deployment “test” from 30 Sep 2021 to 1 Oct 2021, on 2 days.", "2 case sessions, which took 1 h 45 min in all.",
		"兹证明：anna（志愿者）于2021年9月30日至2021年10月1日期间参加“test”服务，共2天。")
	b.Follow("Day").Is(http.StatusOK)
	b.Sees("on 1 day.")
	b.Open("/deployments/" + d.ID.String() + "/reports/workers/" + d.Workers["lead"].String() + "?lang=en").Is(http.StatusOK)
	b.Sees("There is no day of work in this period.")
	b.Open("/deployments/" + d.ID.String() + "/reports/workers/" + d.Workers["carl"].String()).Is(http.StatusNotFound)
	b.Open("/deployments/" + d.ID.String() + "/reports/workers/" + d.ID.String()).Is(http.StatusNotFound)
}
