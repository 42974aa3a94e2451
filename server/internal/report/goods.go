package report

import (
	"cmp"
	"slices"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Goods are goods (物资) that were asked for or delivered, in one unit: quantities of different units don't add up.
type Goods struct {
	Unit string `json:"unit"`
	// AskedFor is what was asked for in the period. Of it, Requested waits as it is now, Matched is promised by somebody, and
	// Failed came to nothing; the rest was delivered by now.
	AskedFor  Quantity `json:"asked_for"`
	Requested Quantity `json:"requested"`
	Matched   Quantity `json:"matched"`
	Failed    Quantity `json:"failed"`
	// Delivered is what was delivered in the period, whenever it was asked for.
	Delivered Quantity `json:"delivered"`
}

// Quantity is so much of goods.
type Quantity struct {
	// Links is how many resource links say so.
	Links    int64 `json:"links"`
	Quantity int64 `json:"quantity"`
	Yuan     int64 `json:"yuan"`
}

func (q *Quantity) add(l *recordv1.ResourceLink) {
	q.Links++
	q.Quantity += int64(l.GetQuantity())
	q.Yuan += int64(l.GetValueYuan())
}

// readGoods goes through all that was asked for up to the last day: it may be delivered long after.
func (r *Report) readGoods(tx Reading, has func(hlc.ID) bool) error {
	in := func(day record.Date) bool { return r.From.Date <= day && day <= r.To.Date }
	units := map[string]*Goods{}
	err := Each(tx, recordv1.Kind_KIND_RESOURCE_LINK, r.To.Date, has, func(day record.Date, l *recordv1.ResourceLink) {
		delivered := l.GetProgress() == recordv1.LinkProgress_LINK_PROGRESS_DELIVERED
		asked, came := in(day), delivered && in(cmp.Or(record.Date(l.GetDeliveredOn()), day))
		if l.GetType() != recordv1.ResourceType_RESOURCE_TYPE_GOODS || l.GetNeed() == "" || !asked && !came {
			return
		}
		goods := units[l.GetUnit()]
		if goods == nil {
			goods = &Goods{Unit: l.GetUnit()}
			units[l.GetUnit()] = goods
		}
		if came {
			goods.Delivered.add(l)
		}
		if !asked {
			return
		}
		goods.AskedFor.add(l)
		switch {
		case delivered:
		case l.GetProgress() == recordv1.LinkProgress_LINK_PROGRESS_MATCHED:
			goods.Matched.add(l)
		case l.GetProgress() == recordv1.LinkProgress_LINK_PROGRESS_FAILED:
			goods.Failed.add(l)
		default:
			goods.Requested.add(l)
		}
	})
	for _, goods := range units {
		r.Goods = append(r.Goods, *goods)
	}
	slices.SortFunc(r.Goods, func(a, b Goods) int { return cmp.Compare(a.Unit, b.Unit) })
	return err
}
