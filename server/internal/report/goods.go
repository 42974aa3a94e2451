package report

import (
	"cmp"
	"slices"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
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

func (q *Quantity) add(n syncing.GoodsSums) {
	q.Links += n.Links
	q.Quantity += n.Quantity
	q.Yuan += n.Yuan
}

func (r *Report) readGoods(tx Reading, has func(hlc.ID) bool) error {
	units := map[string]*Goods{}
	err := tx.GoodsOfDays(r.From.Date, r.To.Date, func(g GoodsCount) {
		if !has(g.Audience) {
			return
		}
		goods := units[g.Unit]
		if goods == nil {
			goods = &Goods{Unit: g.Unit}
			units[g.Unit] = goods
		}
		switch g.What {
		case syncing.GoodsDelivered:
			goods.Delivered.add(g.GoodsSums)
			return
		case syncing.GoodsRequested:
			goods.Requested.add(g.GoodsSums)
		case syncing.GoodsMatched:
			goods.Matched.add(g.GoodsSums)
		case syncing.GoodsFailed:
			goods.Failed.add(g.GoodsSums)
		case syncing.GoodsReceived:
		}
		goods.AskedFor.add(g.GoodsSums)
	})
	for _, goods := range units {
		r.Goods = append(r.Goods, *goods)
	}
	slices.SortFunc(r.Goods, func(a, b Goods) int { return cmp.Compare(a.Unit, b.Unit) })
	return err
}
