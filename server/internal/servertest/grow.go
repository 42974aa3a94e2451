package servertest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
)

// Grow lets the replicas of a made-up world send what they do, in batches of any size. They all belong to coordinators,
// so that nothing is held for want of a right; some of it is held all the same. pushed is called after each batch.
func Grow(t *rapid.T, d *Deployment, pushed func()) {
	d.SetWall(time.Date(2021, 11, 20, 4, 0, 0, 0, time.UTC))
	w := oracle.NewWorld(t)
	setUp := []syncing.SetUpRecord{{ID: d.ID, Message: &recordv1.Deployment{
		ServiceAreas: []*recordv1.ServiceAreaName{{Number: recordv1.ServiceArea(16).Enum(), LabelZh: proto.String("妇女儿童")}},
	}}}
	for _, site := range w.Sites {
		setUp = append(setUp, syncing.SetUpRecord{ID: site.ID, Message: &recordv1.Site{Name: &site.Name, Place: &recordv1.Place{Code: &site.Code, Edition: proto.Int32(2023)}}})
	}
	for i, team := range w.Teams {
		setUp = append(setUp, syncing.SetUpRecord{ID: team, Message: &recordv1.Team{Name: proto.String(fmt.Sprint("team ", i))}})
	}
	if err := d.Service.Add(context.Background(), setUp); err != nil {
		t.Fatal(err)
	}
	d.Teams = append(d.Teams, w.Teams...)
	devices := map[hlc.Replica]*Device{}
	copies := map[hlc.Replica]hlc.Replica{} // tablets that are copies of each other stay so
	for _, r := range w.Replicas {
		if _, ok := copies[r.Number]; !ok {
			device := d.Enrol("coordinator")
			copies[r.Number], devices[device.Replica] = device.Replica, device
		}
		r.Number = copies[r.Number]
	}
	waiting := map[hlc.Replica][]*record.Change{}
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		if c := w.Step(t); c != nil {
			waiting[c.Stamp.Replica] = append(waiting[c.Stamp.Replica], c)
		}
		for _, number := range slices.Sorted(maps.Keys(waiting)) {
			if rapid.IntRange(0, 4).Draw(t, "send") == 4 {
				devices[number].Push(waiting[number]...)
				delete(waiting, number)
				pushed()
			}
		}
	}
	for _, number := range slices.Sorted(maps.Keys(waiting)) {
		devices[number].Push(waiting[number]...)
		pushed()
	}
}
