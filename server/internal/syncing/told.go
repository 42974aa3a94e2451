package syncing

import (
	"cmp"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// GoodsDay names goods of one unit that a team asked for, or was brought, on a day.
type GoodsDay struct {
	Day record.Date
	// Noted is the day of the record, where that is later than Day; else 0.
	Noted    record.Date
	Audience hlc.ID
	What     GoodsStanding
	Unit     string
}

// GoodsStanding is where goods stand. Stores keep the numbers: they never change.
type GoodsStanding int

// What was asked for on a day waits, is promised by somebody, came to nothing, or was delivered by now; and what was delivered on
// a day, whenever it was asked for.
const (
	GoodsRequested GoodsStanding = 1
	GoodsMatched   GoodsStanding = 2
	GoodsFailed    GoodsStanding = 3
	GoodsReceived  GoodsStanding = 4
	GoodsDelivered GoodsStanding = 5
)

// GoodsSums are how many resource links say so, of how much, worth how many yuan.
type GoodsSums struct{ Links, Quantity, Yuan int64 }

// AlertDay names risk alerts of a team on a day; 0 where they say none.
type AlertDay struct {
	Day      record.Date
	Audience hlc.ID
}

// AlertSums are how many alerts there are, and how many of them nobody has acknowledged.
type AlertSums struct{ Sent, Open int64 }

// Told is what records that give no figures give to reports, or by how much it moves.
type Told struct {
	Goods  map[GoodsDay]GoodsSums
	Alerts map[AlertDay]AlertSums
}

// NewTold is that of nothing.
func NewTold() Told {
	return Told{Goods: map[GoodsDay]GoodsSums{}, Alerts: map[AlertDay]AlertSums{}}
}

// ToldOf are the kinds that give something to it.
var ToldOf = []record.Kind{recordv1.Kind_KIND_RESOURCE_LINK, recordv1.Kind_KIND_RISK_ALERT}

// Add adds what a record that an audience receives gives, so many times. What was deleted or cancelled, or is the same as another,
// gives nothing.
func (t *Told) Add(kind record.Kind, audience hlc.ID, registers record.Registers, times int64) {
	if registers.Deleted() || registers.Get(record.DuplicateOfField).ID() != (hlc.ID{}) {
		return
	}
	switch kind {
	case recordv1.Kind_KIND_RESOURCE_LINK:
		l := &recordv1.ResourceLink{}
		if proto.Unmarshal(registers.Fields(), l) == nil && l.GetStatus() != recordv1.Status_STATUS_CANCELLED {
			t.addGoods(audience, l, times)
		}
	case recordv1.Kind_KIND_RISK_ALERT:
		a := &recordv1.RiskAlert{}
		if proto.Unmarshal(registers.Fields(), a) == nil && a.GetStatus() != recordv1.Status_STATUS_CANCELLED {
			at := AlertDay{Day: record.Date(a.GetOccurredOn()), Audience: audience}
			sums := t.Alerts[at]
			sums.Sent += times
			if len(a.GetAcknowledgedBy()) == 0 {
				sums.Open += times
			}
			t.Alerts[at] = sums
		}
	}
}

func (t *Told) addGoods(audience hlc.ID, l *recordv1.ResourceLink, times int64) {
	if l.GetType() != recordv1.ResourceType_RESOURCE_TYPE_GOODS || l.GetNeed() == "" {
		return
	}
	add := func(at GoodsDay) {
		if at.Day == 0 {
			return
		}
		sums := t.Goods[at]
		sums.Links += times
		sums.Quantity += int64(l.GetQuantity()) * times
		sums.Yuan += int64(l.GetValueYuan()) * times
		t.Goods[at] = sums
	}
	asked := GoodsDay{Day: record.Date(l.GetOccurredOn()), Audience: audience, What: GoodsRequested, Unit: l.GetUnit()}
	switch l.GetProgress() {
	case recordv1.LinkProgress_LINK_PROGRESS_MATCHED:
		asked.What = GoodsMatched
	case recordv1.LinkProgress_LINK_PROGRESS_FAILED:
		asked.What = GoodsFailed
	case recordv1.LinkProgress_LINK_PROGRESS_DELIVERED:
		asked.What = GoodsReceived
		came := asked
		came.What, came.Day = GoodsDelivered, cmp.Or(record.Date(l.GetDeliveredOn()), asked.Day)
		if asked.Day > came.Day {
			came.Noted = asked.Day
		}
		add(came)
	}
	add(asked)
}

// told is by how much the group moved what records give that give no figures.
func (g *group) told() Told {
	t := NewTold()
	for _, e := range g.records {
		if e.was != nil && (e.changed || !e.there) {
			t.Add(e.Kind, e.audienceWas, e.was, -1)
		}
		if e.there && e.changed {
			t.Add(e.Kind, e.Audience, e.registers, 1)
		}
	}
	return t
}
