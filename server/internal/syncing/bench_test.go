package syncing_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/syncproto/cputime"
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

// BenchmarkPull pulls everything that one device has sent to a team mate's, from the beginning, without a network between. It
// reports records a second.
func BenchmarkPull(b *testing.B) {
	d := servertest.New(b)
	v, mate := d.Enrol("anna"), d.Enrol("ben")
	const batches, size = 10, 400
	for range batches {
		changes := make([]*record.Change, size)
		for i := range changes {
			changes[i] = v.Make(&recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(12), Status: recordv1.Status_STATUS_HELD.Enum(), Site: d.Sites[0][:],
				Needs: proto.String("饮用水、过冬衣物、药品；两户老人独居，屋顶漏雨，孩子夜里惊醒，约好下周再去，带上政策说明和联系卡，并请村医一同入户看看老人的血压情况。")})
		}
		v.Push(changes...)
	}
	for name, compact := range map[string]bool{"whole": false, "compact": true} {
		b.Run(name, func(b *testing.B) {
			records := 0
			for b.Loop() {
				cursor := &syncv1.Mark{}
				for remaining := uint64(1); remaining > 0; {
					answer, err := mate.Service.Sync(context.Background(), mate.Device, mate.Arrival(), &syncv1.SyncRequest{Protocol: 1, Clock: d.Wall().UnixMilli(), Pull: &syncv1.Pull{Cursor: cursor, Compact: compact}})
					if err != nil {
						b.Fatal(err)
					}
					page := answer.GetPage()
					records += len(page.GetRecords())
					cursor, remaining = page.GetCursor(), page.GetRemaining()
				}
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkEraseAll erases a deployment of 100,000 records once: half are attendances of 20,000 people, a fifth are risk alerts, and the rest
// are sessions of cases and the like.
func BenchmarkEraseAll(b *testing.B) {
	const records, people = 100_000, 20_000
	for range b.N {
		b.StopTimer()
		d := servertest.New(b)
		v := d.Enrol("anna")
		for made := 0; made < records; {
			file, show := v.Make(aCase()), v.Make(&recordv1.CommunityActivity{Name: proto.String("电影放映"), Minutes: proto.Uint32(90), RegisterUsed: proto.Bool(true), Status: recordv1.Status_STATUS_HELD.Enum()})
			changes := []*record.Change{file, show}
			for i := range 98 {
				made++
				switch i % 10 {
				case 0, 1, 2, 3, 4:
					token := binary.BigEndian.AppendUint64(bytes.Repeat([]byte{7}, 8), uint64(made%people))
					changes = append(changes, v.Make(&recordv1.Attendance{Activity: show.Record[:], Participant: show.Record[:], Token: token}))
				case 5, 6:
					changes = append(changes, v.Make(&recordv1.RiskAlert{Done: proto.String("孩子夜里惊醒，约好下周再去，带上政策说明和联系卡，并请村医一同入户看看老人的血压情况。")}))
				default:
					changes = append(changes, v.Make(&recordv1.CaseSession{Case: file.Record[:], Minutes: proto.Uint32(50)}))
				}
			}
			v.Push(changes...)
		}
		b.StartTimer()
		took := cputime.Of(func() {
			if _, err := d.Service.EraseAll(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
		b.StopTimer()
		b.ReportMetric(took.Seconds(), "cpu-s")
	}
}
