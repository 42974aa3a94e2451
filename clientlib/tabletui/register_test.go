package tabletui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
)

func TestPeopleAreRegistered(t *testing.T) {
	tab := newTablet(t)
	page := tab.log("community_activity", "", url.Values{
		"name": {"中秋晚会"}, "form": {"festival"}, "service_area": {"other"}, "minutes": {"90"}, "register_used": {"yes"}, "village": {"西街"},
	})
	path, _, _ := strings.Cut(page.to(), "?")
	activity := strings.TrimPrefix(path, "/records/")
	to := tab.get(path).link("登记参加者")
	if to != "/register?activity="+activity {
		t.Fatalf("it leads to %q", to)
	}
	send := func(more url.Values) *answer {
		return tab.post("/register", tab.get(to).form("/register", more))
	}
	send(url.Values{"phone": {"13803715566"}}).says("请先同步")
	tab.server.Set(tab.server.Deployment, &recordv1.Deployment{LinkageKey: []byte("a linkage key that is of 32 byte")})
	tab.sync()

	first := tab.get(to).says("已登记 0 人", "都不保存").form("/register", nil)
	if first.Get("village") != "西街" || first.Get("phone") != "" {
		t.Errorf("it begins with %v", first)
	}
	refused := send(url.Values{"phone": {"138"}, "sex": {"female"}})
	if refused.StatusCode != http.StatusUnprocessableEntity || refused.form("/register", nil).Get("sex") != "female" {
		t.Errorf("refused with %d\n%s", refused.StatusCode, refused.text)
	}
	refused.says("电话号码不完整或不对")
	done := send(url.Values{"phone": {"１38 0371 5566"}, "sex": {"female"}, "age_band": {"4"}, "disability": {"no"}})
	to = "/register?activity=" + activity + "&by=phone"
	done.leads(to + "&done=registered")
	again := done.follow().says("已登记 1 人", "请下一位").form("/register", nil)
	if again.Get("phone") != "" || again.Get("sex") != "" {
		t.Errorf("it is not empty for the next person: %v", again)
	}
	send(url.Values{"phone": {"138-0371-5566"}}).leads(to + "&done=registered_again") // a double tap
	tab.get(path).says("已登记 · 女 · 18–59")

	to = tab.get(to).link("姓名")
	send(url.Values{"name": {"刘秀英"}, "birth_month": {"一九五八"}}).says("请填写出生年月", "还没有保存")
	send(url.Values{"name": {"刘秀英"}, "birth_month": {"1958年3月"}}).leads("/register?activity=" + activity + "&by=name&done=registered")
	tab.get(to).says("已登记 2 人").silent("刘秀英")
	to = tab.get(to).link("身份证")
	send(url.Values{"id_number": {"41062119580301002"}}).says("还没有保存")

	if forms, err := tab.store().Forms(t.Context()); err != nil || len(forms) != 0 {
		t.Errorf("forms are kept: %v, %v", forms, err)
	}
	found, err := tab.store().List(t.Context(), clientlib.Query{})
	if err != nil || len(found.Records) != 5 { // the activity, two people, and that each was there
		t.Errorf("logged: %v, %v", found.Records, err)
	}
	tab.get("/register").says("本机没有这条记录")
}

func TestMonthsOfBirthAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]int32{
		"1958-03": 195803, "1958.3": 195803, "1958年3月": 195803, "195803": 195803, "１９５８年１２月": 195812, "": 0, "1958": 0, "1958-13": 0, "1958-03-01": 0, "99999-1": 0,
	} {
		if got := birthMonth(text); got != want {
			t.Errorf("%q is read as %d, not %d", text, got, want)
		}
	}
}
