package webui_test

import (
	"net/http"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestOverviewShowsFigures: the first page of a deployment says what was done, and each image on it stands beside a table.
func TestOverviewShowsFigures(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"As of 1 Mar 2026.", "0 of 0 tablets heard from", "community activities", "verified: 0", "How it is counted", "Contacts by day", "小河镇", "小河镇", "Not on the map, having no coordinates: "},
		"zh": {"截至 2026年3月1日。", "有联系的平板 0 台，共 0 台", "团体活动", "已核实 0", "统计口径", "每日人次", "小河镇", "没有坐标"},
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
