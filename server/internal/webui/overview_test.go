package webui_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestOverviewShowsFigures: the first page of a deployment says what was done, and each image on it stands beside a table.
func TestOverviewShowsFigures(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"As of 1 Mar 2026.", "0 of 0 tablets heard from", "community activities", "contacts reported 1,234 verified 0", "How it is counted", "Contacts by day", "小河镇", "小河镇", "Not on the map, having no coordinates: "},
		"zh": {"截至 2026年3月1日。", "有联系的平板 0 台，共 0 台", "团体活动", "人次 已上报 1,234 已核实 0", "统计口径", "每日人次", "小河镇", "没有坐标"},
	} {
		t.Run(lang, func(t *testing.T) {
			s := newSite(t)
			b := s.coordinator(lang)
			d := s.all.All()[0]
			var activity, count, site hlc.ID
			activity[15], count[15] = 1, 2
			setUp := d.Syncing.SetUp()
			for id, one := range setUp.Sites {
				if one.GetName() == "王庄镇" {
					site = id
				}
			}
			held := recordv1.Status_STATUS_HELD.Enum()
			day, area, worker := proto.Int32(20260228), recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum(), slices.Repeat([]byte{9}, 16)
			if err := d.Syncing.Add(t.Context(), []syncing.SetUpRecord{
				{ID: site, Message: &recordv1.Site{LatitudeE6: proto.Int32(35700000), LongitudeE6: proto.Int32(114400000)}},
				{ID: activity, Message: &recordv1.CommunityActivity{Site: site[:], Author: worker, OccurredOn: day, ServiceArea: area, Place: &recordv1.Place{Code: proto.String("410621108"), Edition: proto.Int32(2022)}, Status: held, Name: proto.String("义诊"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false)}},
				{ID: count, Message: &recordv1.Headcount{Author: worker, OccurredOn: day, ServiceArea: area, Activity: activity[:], Counter: worker, Zone: proto.String("东区"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(1234)}},
			}); err != nil {
				t.Fatal(err)
			}
			b.Open("/deployments/" + d.Syncing.Deployment().String()).Is(http.StatusOK).Sees(append(want, "1,234", "28")...)
			var images []string
			for _, img := range webtest.Find(b.Page, "img") {
				if webtest.Attribute(img, "alt") == "" {
					t.Errorf("an image without words: %s", webtest.Attribute(img, "src"))
				}
				images = append(images, webtest.Attribute(img, "src"))
			}
			for _, source := range webtest.Find(b.Page, "source") {
				images = append(images, webtest.Attribute(source, "srcset"))
			}
			if len(images) != 14 {
				t.Errorf("images %q", images)
			}
			for _, image := range images {
				b.Open(image).Is(http.StatusOK)
				if len(webtest.Find(b.Page, "svg")) != 1 {
					t.Errorf("%s is no image", image)
				}
			}
		})
	}
}

// TestWhatIsDividedOnTheOverview: the page leads to any figure and any level of places; its images show what its tables say,
// are made from what was read for the page, and are not sent twice.
func TestWhatIsDividedOnTheOverview(t *testing.T) {
	s := newSite(t)
	b := s.coordinator("en")
	d := s.all.All()[0]
	home := "/deployments/" + d.Syncing.Deployment().String()
	count := func(n uint32) {
		t.Helper()
		var activity, heads hlc.ID
		activity[15], heads[15] = byte(n), byte(n+1)
		worker, day, held, area := slices.Repeat([]byte{9}, 16), proto.Int32(20260228), recordv1.Status_STATUS_HELD.Enum(), recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()
		if err := d.Syncing.Add(t.Context(), []syncing.SetUpRecord{
			{ID: activity, Message: &recordv1.CommunityActivity{Author: worker, OccurredOn: day, ServiceArea: area, Place: &recordv1.Place{Code: proto.String("410621108"), Edition: proto.Int32(2022)}, Status: held, Name: proto.String("义诊"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false)}},
			{ID: heads, Message: &recordv1.Headcount{Author: worker, OccurredOn: day, ServiceArea: area, Activity: activity[:], Counter: worker, Zone: proto.String("东区"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(n)}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	count(20)
	b.Open(home+"?figure=community_activities").Is(http.StatusOK).Sees("Community activities by day", "Community activities by place", "王庄镇 1 0")
	if strings.Contains(b.Text, "by sex") {
		t.Errorf("activities are divided by sex: %s", b.Text)
	}
	b.Open(home+"?figure=persons").Sees("Persons by age").Follow("Province").Sees("河南省 20 0").Follow("河南省").Sees("鹤壁市 20 0", "Everywhere 河南省").Follow("鹤壁市").Follow("浚县").Sees("王庄镇 20 0").Follow("鹤壁市").Sees("浚县 20 0")
	for _, address := range []string{"?figure=nothing", "?figure=service_days", "?below=x", "?below=4106211080011", "/charts/day", "/charts/day?at=1&figure=nothing"} {
		b.Open(home + address).Is(http.StatusNotFound)
	}

	b.Open(home + "?below=41").Is(http.StatusOK)
	i := slices.IndexFunc(webtest.Find(b.Page, "img"), func(n *html.Node) bool { return strings.Contains(webtest.Attribute(n, "src"), "/charts/place?") })
	image := webtest.Attribute(webtest.Find(b.Page, "img")[i], "src")
	get := func(tag string) (status int, now, svg string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+image, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", tag)
		response, err := b.Client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.Header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("an image: %v, %v", err, response.Header)
		}
		return response.StatusCode, response.Header.Get("ETag"), string(body)
	}
	status, tag, svg := get("")
	if status != http.StatusOK || !strings.Contains(svg, "鹤壁市") || !strings.Contains(svg, ">20 ") {
		t.Errorf("the image of the cities: %d %s", status, svg)
	}
	count(30) // the page that is open does not show it yet
	if status, again, svg := get(tag); status != http.StatusNotModified || again != tag || svg != "" {
		t.Errorf("the same image again: %d %s", status, svg)
	}
	b.Open(home + "?below=41").Sees("鹤壁市 50 0")
	if status, again, svg := get(tag); status != http.StatusOK || again == tag || !strings.Contains(svg, ">50 ") {
		t.Errorf("the image after the page was loaded again: %d %s", status, svg)
	}
}

// TestTheOverviewOfASupervisor: who sees some teams sees those, and is told what is not kept of them.
func TestTheOverviewOfASupervisor(t *testing.T) {
	s := newSite(t)
	d := s.field()
	for _, name := range []string{"anna", "carl"} {
		v := d.Enrol(name)
		visit := v.Make(&recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(3), Status: recordv1.Status_STATUS_HELD.Enum()})
		v.Push(visit)
	}
	b := s.as(d, "super", "en").Open("/deployments/" + d.ID.String() + "?figure=outreach_rounds").Is(http.StatusOK)
	b.Sees("You see your teams.", "outreach rounds reported 1 verified 0", "Outreach rounds by team", "one 1 0", "Outreach rounds by worker", "anna 1 0")
	for _, hidden := range []string{"carl", "two", "by day", "by place", "by service area", "2 0"} {
		if strings.Contains(b.Text, hidden) {
			t.Errorf("%q is shown: %s", hidden, b.Text)
		}
	}
}
