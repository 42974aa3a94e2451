package tabletui

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
)

func TestTheBadgeSaysHowFarOwnWorkHasGot(t *testing.T) {
	tab := newTablet(t)
	tab.get("/badge").says("全部已安全保存")
	tab.server.Down = true
	tab.log("outreach", "", url.Values{"households": {"3"}, "service_area": {"other"}})
	tab.get("/badge").says("1 条仅在本机")
	tab.sync()
	tab.get("/badge").says("1 条仅在本机")
	tab.get("/sync").says("暂时连不上服务器", "仅在本机 1", "立即同步")

	tab.server.Down, tab.server.Undurable = false, true
	tab.sync()
	tab.get("/badge").says("1 条已发送").silent("仅在本机")
	tab.get("/sync").says("等它完成下一次备份", "已发送，尚未备份 1")

	tab.server.Undurable = false
	tab.sync()
	tab.get("/badge").says("全部已安全保存")
	tab.get("/sync").says("已安全保存 1")
}

// What the page says of a sync under way, at each of its requests.
func TestASyncUnderWayIsNeverSaidToBeDone(t *testing.T) {
	tab := newTablet(t)
	tab.server.PageSize = 10
	for i := range 60 {
		tab.server.Set(fakeserver.TestID(9, byte(i+1)), &recordv1.Case{
			CaseNo: proto.String(fmt.Sprintf("WZ-%02d", i+1)), Team: fakeserver.TeamA[:], Lead: fakeserver.WangFang[:], ClientCount: proto.Uint32(1),
			Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), OccurredOn: proto.Int32(20211001), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum(),
		})
	}
	var mu sync.Mutex
	var shown []string
	var early string // what the list of cases has long before the sync ends
	last := -1
	tab.server.Meanwhile = func() {
		mu.Lock()
		defer mu.Unlock()
		page := tab.get("/sync/state")
		shown = append(shown, page.text)
		for n := range page.html.Descendants() {
			if n.Data != "progress" {
				continue
			}
			var percent int
			if _, err := fmt.Sscan(attribute(n, "value"), &percent); err != nil || percent < last || percent > 99 {
				t.Errorf("the bar goes from %d to %q", last, attribute(n, "value"))
			}
			last = percent
		}
		if len(shown) == 4 {
			early = tab.get("/cases").text
		}
	}
	tab.sync()
	mu.Lock()
	defer mu.Unlock()
	if len(shown) < 6 || last < 50 {
		t.Fatalf("the sync took %d requests, the bar came to %d", len(shown), last)
	}
	if !strings.Contains(early, "WZ-01") || strings.Contains(early, "WZ-60") {
		t.Errorf("after three requests: %s", early)
	}
	for _, text := range shown {
		if !strings.Contains(text, "停止") || strings.Contains(text, "立即同步") {
			t.Errorf("under way, the page says: %s", text)
		}
	}
	tab.get("/sync").says("立即同步", "上次完成同步").silent("停止")
}

func TestASyncIsStoppedByHand(t *testing.T) {
	tab := newTablet(t)
	asked := make(chan struct{})
	var once sync.Once
	tab.server.Meanwhile = func() {
		once.Do(func() {
			tab.post("/sync/stop", nil).leads("/sync")
			close(asked)
		})
	}
	tab.log("outreach", "", url.Values{"households": {"3"}, "service_area": {"other"}})
	changes, stop := tab.desk().syncer.Watch()
	defer stop()
	tab.post("/sync/now", nil)
	<-asked
	for tab.desk().syncer.State().Doing == "running" {
		<-changes
	}
	tab.get("/sync").says("不会自动同步", "1 条仅在本机")
	tab.sync()
	tab.get("/sync").says("全部已安全保存").silent("不会自动同步")
}

// TestTheFirstPageIsSmall: everything that the first page needs, as it is sent.
func TestTheFirstPageIsSmall(t *testing.T) {
	tab := newTablet(t)
	page := tab.get("/")
	sizes := map[string]int{"/": len(page.raw)}
	for n := range page.html.Descendants() {
		for _, name := range []string{"src", "href"} {
			if to := attribute(n, name); strings.HasPrefix(to, pathAssets) {
				a := tab.get(to)
				if a.StatusCode != http.StatusOK {
					t.Errorf("%s: %d", to, a.StatusCode)
				}
				sizes[to] = len(a.raw)
			}
		}
	}
	total := 0
	for to, size := range sizes {
		t.Logf("%6d %s", size, to)
		total += size
	}
	t.Logf("%6d in all", total)
	if total >= 150_000 || len(sizes) < 5 {
		t.Errorf("the first page takes %d bytes in %d parts", total, len(sizes))
	}
}
