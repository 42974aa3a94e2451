package syncing_test

import (
	"context"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

// BenchmarkPush pushes batches of 400 new case sessions of one device, each with a note's worth of text, to a server
// without a network between. It reports changes a second.
func BenchmarkPush(b *testing.B) {
	d := servertest.New(b)
	v := d.Enrol("anna")
	c := v.Make(aCase())
	v.Push(c)
	const size = 400
	requests := make([]*syncv1.SyncRequest, 0, b.N)
	for range b.N {
		changes := make([]*record.Change, size)
		for i := range changes {
			m := &recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(12), Status: recordv1.Status_STATUS_HELD.Enum(),
				Site: d.Sites[0][:], Place: &recordv1.Place{Code: proto.String("410621108"), Edition: proto.Int32(2023)},
				Needs: proto.String("饮用水、过冬衣物、药品；两户老人独居，屋顶漏雨，孩子夜里惊醒，约好下周再去，带上政策说明和联系卡，并请村医一同入户看看老人的血压情况。")}
			changes[i] = v.Make(m)
		}
		request := v.Request(v.Batch(changes...))
		request.Pull = nil
		requests = append(requests, request)
		for _, e := range request.GetPush().GetEntries() {
			v.Remember(e.GetChange())
		}
	}
	b.ResetTimer()
	for _, r := range requests {
		if _, err := v.Service.Sync(context.Background(), v.Device, v.Arrival(), r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "changes/s")
}
