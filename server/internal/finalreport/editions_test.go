package finalreport_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/server/internal/finalreport"
	"levee/server/internal/indexing"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestOfBothEditions: a deployment is closed, a tablet comes late, and what it brings is accepted. Each edition has its report: with its own
// totals, and the second one with what changed.
func TestOfBothEditions(t *testing.T) {
	d := closed(t)
	ctx, must := t.Context(), func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	late := d.Enrol("ben")
	activity := late.Make(&recordv1.CommunityActivity{Status: recordv1.Status_STATUS_HELD.Enum(), Name: proto.String("电影放映"), Minutes: proto.Uint32(90), RegisterUsed: proto.Bool(false)})
	service, coordinator := closeoutOf(t, d)
	must(service.Announce(ctx, coordinator, 20211206, 0))
	d.SetWall(time.Date(2021, 12, 7, 4, 0, 0, 0, time.UTC))
	list, err := service.Recount(ctx)
	must(err)
	for _, c := range list.Checks {
		if !c.Blocks() {
			continue
		}
		if len(c.Items) == 0 {
			must(service.Waive(ctx, coordinator, c.Check, hlc.ID{}, "已电话核对"))
		}
		for _, item := range c.Items {
			must(service.Waive(ctx, coordinator, c.Check, item.Subject, "已电话核对"))
		}
	}
	first, err := service.Close(ctx, coordinator)
	must(err)
	late.Push(activity)
	if left, err := service.Decide(ctx, coordinator, true, "已核对", []hlc.ID{activity.ID}); err != nil || len(left) > 0 {
		t.Fatal(left, err)
	}
	second, err := service.Issue(ctx, coordinator)
	must(err)

	for activities, edition := range map[int]*closeout.Edition{3: first, 4: second} {
		r := made(t, d, finalreport.Query{File: edition.File, Lang: "zh"})
		if lead := r.Sections[0].Blocks[0].Lead; !strings.Contains(lead, fmt.Sprintf("2 个个案、0 次小组活动、%d 次团体活动，受益人群 104 人", activities)) {
			t.Errorf("edition %d: %s", edition.Edition, lead)
		}
		if _, waivers := tableOf(t, r, "waivers"); len(waivers) == 0 || !strings.Contains(waivers[0], "已电话核对") {
			t.Errorf("edition %d: %v", edition.Edition, waivers)
		}
	}
	r := made(t, d, finalreport.Query{File: second.File, Lang: "zh"})
	if _, rows := tableOf(t, r, "differences"); rows[0] != "已上报 合计 合计 团体活动 3 4 1" {
		t.Error(rows)
	}
	if _, rows := tableOf(t, r, "addenda"); len(rows) != 1 || !strings.HasPrefix(rows[0], "ben 2021年12月7日 12:00 1 0 已核对") {
		t.Error(rows)
	}
}

// closeoutOf closes a deployment in the name of its coordinator.
func closeoutOf(t *testing.T, d *servertest.Deployment) (*closeout.Service, casefile.Reader) {
	t.Helper()
	index := indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall, Failed: func(err error) { t.Error(err) }})
	d.Observe(func(syncing.Commit) { index.Notice() })
	index.Start()
	t.Cleanup(index.Close)
	service := closeout.New(closeout.Config{Syncing: d.Service, Store: d.DB.Deployment(d.ID), Progress: progressOf(d), Indexing: index, Audit: audit.New(d.DB, d.Wall), Key: d.Keys.Signing, Wall: d.Wall})
	id := d.Workers["coordinator"]
	return service, casefile.Reader{Person: d.Service.Person(id), Actor: audit.Actor{Worker: id}, May: func(access.Action) bool { return true }}
}
