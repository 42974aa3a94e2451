package bench

import (
	"fmt"
	"math/rand/v2"

	"google.golang.org/protobuf/proto"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// visits makes up what is pushed on the field day: rounds of visits, of which all twelve fields that a tablet fills in are set.
type visits struct {
	rand *rand.Rand
	of   *device
	nth  int
}

func (v *visits) next(day record.Date) *recordv1.Outreach {
	town := towns[v.nth/workersPerTeam%len(towns)]
	return &recordv1.Outreach{
		Site: v.of.site[:], Team: v.of.team[:], Author: v.of.worker[:], OccurredOn: proto.Int32(int32(day)),
		Place:  &recordv1.Place{Code: proto.String(town.Code), Edition: proto.Int32(town.Edition), Village: proto.String(fmt.Sprintf("第%d村", 1+v.rand.IntN(40)))},
		Status: held, ServiceArea: recordv1.ServiceArea(1 + v.rand.IntN(3)).Enum(), //nolint:gosec // a small number
		Entry:      recordv1.Entry(1 + v.rand.IntN(2)).Enum(),        //nolint:gosec // a small number
		Mode:       recordv1.OutreachMode(1 + v.rand.IntN(4)).Enum(), //nolint:gosec // a small number
		Households: proto.Uint32(1 + v.rand.Uint32N(12)), Needs: proto.String(note(v.rand)),
		Follow: recordv1.OutreachFollow(1 + v.rand.IntN(4)).Enum(), //nolint:gosec // a small number
	}
}
