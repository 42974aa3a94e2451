package report_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// TestGoodsAndAlertsAreWhatTheirRecordsSay: however links and alerts are made, edited, deleted, restored and moved to other teams,
// what a report tells of them is what going through all records gives.
func TestGoodsAndAlertsAreWhatTheirRecordsSay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		d.SetWall(time.Date(2021, 10, 20, 4, 0, 0, 0, time.UTC))
		coordinator := d.Enrol("coordinator")
		var made []*record.Change
		for step := range rapid.Uint32Range(1, 25).Draw(rt, "steps") {
			if len(made) > 0 && rapid.Bool().Draw(rt, "edit") {
				c := rapid.SampledFrom(made).Draw(rt, "record")
				like := made[:slices.IndexFunc(made, func(m *record.Change) bool { return m.Kind == c.Kind })+1]
				coordinator.Push(coordinator.Edit(c.Record, drawTold(rt, d, step, c.Kind, like)))
				continue
			}
			c := coordinator.Make(drawTold(rt, d, step, rapid.SampledFrom(syncing.ToldOf).Draw(rt, "kind"), nil))
			made = append(made, c)
			coordinator.Push(c)
		}
		from := record.Date(20211004).AddDays(rapid.IntRange(0, 8).Draw(rt, "from"))
		for _, period := range []report.Period{report.Day, report.Week, report.Whole} {
			teams := [][]hlc.ID{nil, d.Teams[:1]}[rapid.IntRange(0, 1).Draw(rt, "of a team")]
			r, err := serviceOf(d).Report(context.Background(), period, from, teams)
			if err != nil {
				rt.Fatal(err)
			}
			goods, alerts := toldBy(rt, d, r.From.Date, r.To.Date, teams)
			if !slices.Equal(r.Goods, goods) || r.Alerts != alerts {
				rt.Fatalf("%s of %v: %+v and %+v, the records say %+v and %+v", period, from, r.Goods, r.Alerts, goods, alerts)
			}
		}
	})
}

// TestGoodsThatWereNotedLater: what somebody writes down on one day of goods that came on an earlier one is told of from the day of
// writing on.
func TestGoodsThatWereNotedLater(t *testing.T) {
	d := servertest.New(t)
	d.SetWall(time.Date(2021, 10, 20, 4, 0, 0, 0, time.UTC))
	anna := d.Enrol("anna")
	anna.Push(anna.Make(&recordv1.ResourceLink{OccurredOn: proto.Int32(20211008), DeliveredOn: proto.Int32(20211004), Need: proto.String("棉被"), Unit: proto.String("床"), Quantity: proto.Uint32(3),
		Type: recordv1.ResourceType_RESOURCE_TYPE_GOODS.Enum(), Progress: recordv1.LinkProgress_LINK_PROGRESS_DELIVERED.Enum()}))
	three := report.Quantity{Links: 1, Quantity: 3}
	for day, want := range map[record.Date][]report.Goods{20211004: {}, 20211007: {}, 20211008: {{Unit: "床", AskedFor: three, Delivered: three}}} {
		if r := reportOf(t, d, report.Whole, day, nil); !slices.Equal(r.Goods, want) {
			t.Errorf("up to %v: %+v", day, r.Goods)
		}
	}
}

// drawTold draws a link or an alert, or what to set of one; same are records of its kind that it may be. The
// step makes it another one than what there is.
func drawTold(t *rapid.T, d *servertest.Deployment, step uint32, kind record.Kind, same []*record.Change) record.Common {
	day := func(name string) *int32 {
		n := rapid.IntRange(-1, 12).Draw(t, name)
		if n < 0 {
			return nil
		}
		return proto.Int32(int32(record.Date(20211003).AddDays(n)))
	}
	team, status := rapid.SampledFrom(d.Teams).Draw(t, "team"), recordv1.Status(rapid.IntRange(1, 3).Draw(t, "status"))
	var duplicate []byte
	var deleted *bool
	if len(same) > 0 && rapid.IntRange(0, 3).Draw(t, "delete or restore") == 0 {
		deleted = proto.Bool(rapid.Bool().Draw(t, "deleted"))
	}
	if len(same) > 0 && rapid.IntRange(0, 5).Draw(t, "duplicate") == 0 {
		duplicate = same[len(same)-1].Record[:]
	}
	if kind == recordv1.Kind_KIND_RISK_ALERT {
		a := &recordv1.RiskAlert{Team: team[:], OccurredOn: day("day"), Status: status.Enum(), DuplicateOf: duplicate, Deleted: deleted, Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), Done: proto.String(fmt.Sprint("在找 ", step)),
			SeenAt: proto.Int64(time.Date(2021, 10, rapid.IntRange(4, 13).Draw(t, "seen"), 17, 0, 0, 0, time.UTC).UnixMilli())}
		if rapid.Bool().Draw(t, "acknowledged") {
			by := d.Workers["coordinator"]
			a.AcknowledgedBy, a.AcknowledgedAt = by[:], a.SeenAt
		}
		return a
	}
	return &recordv1.ResourceLink{Team: team[:], OccurredOn: day("day"), Status: status.Enum(), DuplicateOf: duplicate, Deleted: deleted, Households: &step, Need: proto.String(rapid.SampledFrom([]string{"棉被", "棉被", "棉被", ""}).Draw(t, "need")),
		Type: recordv1.ResourceType(rapid.IntRange(1, 2).Draw(t, "type")).Enum(), Quantity: proto.Uint32(rapid.Uint32Range(0, 9).Draw(t, "quantity")), ValueYuan: proto.Uint32(rapid.Uint32Range(0, 9).Draw(t, "yuan")),
		Unit: proto.String(rapid.SampledFrom([]string{"床", "箱", ""}).Draw(t, "unit")), Progress: recordv1.LinkProgress(rapid.IntRange(0, 4).Draw(t, "progress")).Enum(), DeliveredOn: day("delivered")}
}

// toldBy goes through all records.
func toldBy(t *rapid.T, d *servertest.Deployment, from, to record.Date, teams []hlc.ID) (all []report.Goods, alerts report.Alerts) {
	in := func(day record.Date) bool { return from <= day && day <= to }
	units := map[string]*report.Goods{}
	each := func(r syncing.Record, m record.Common) {
		if m.GetStatus() == recordv1.Status_STATUS_CANCELLED || r.DuplicateOf != (hlc.ID{}) || (teams != nil && !slices.Contains(teams, r.Audience)) {
			return
		}
		day := record.Date(m.GetOccurredOn())
		switch m := m.(type) {
		case *recordv1.RiskAlert:
			if day == 0 {
				day = record.DateOf(time.UnixMilli(m.GetSeenAt()), d.Service.SetUp().Location)
			}
			if in(day) {
				alerts.Sent++
			}
			if len(m.GetAcknowledgedBy()) == 0 {
				alerts.Open++
			}
		case *recordv1.ResourceLink:
			delivered := m.GetProgress() == recordv1.LinkProgress_LINK_PROGRESS_DELIVERED
			asked, came := in(day), delivered && day <= to && in(cmp.Or(record.Date(m.GetDeliveredOn()), day))
			if m.GetType() != recordv1.ResourceType_RESOURCE_TYPE_GOODS || m.GetNeed() == "" || !asked && !came {
				return
			}
			if units[m.GetUnit()] == nil {
				units[m.GetUnit()] = &report.Goods{Unit: m.GetUnit()}
			}
			goods := units[m.GetUnit()]
			for _, q := range []struct {
				of   *report.Quantity
				says bool
			}{
				{&goods.Delivered, came},
				{&goods.AskedFor, asked},
				{&goods.Matched, asked && m.GetProgress() == recordv1.LinkProgress_LINK_PROGRESS_MATCHED},
				{&goods.Failed, asked && m.GetProgress() == recordv1.LinkProgress_LINK_PROGRESS_FAILED},
				{&goods.Requested, asked && (m.GetProgress() == 0 || m.GetProgress() == recordv1.LinkProgress_LINK_PROGRESS_REQUESTED)},
			} {
				if q.says {
					q.of.Links, q.of.Quantity, q.of.Yuan = q.of.Links+1, q.of.Quantity+int64(m.GetQuantity()), q.of.Yuan+int64(m.GetValueYuan())
				}
			}
		}
	}
	err := d.DB.Deployment(d.ID).Look(context.Background(), func(tx progress.Reading) error {
		return tx.EachRecord(func(r syncing.Record) error {
			registers, err := record.DecodeState(r.State)
			if err != nil || registers.Deleted() || !slices.Contains(syncing.ToldOf, r.Kind) {
				return err
			}
			m := record.New(r.Kind)
			err = proto.Unmarshal(registers.Fields(), m)
			each(r, m)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	all = []report.Goods{}
	for _, unit := range slices.Sorted(maps.Keys(units)) {
		all = append(all, *units[unit])
	}
	return all, alerts
}
