package clientlib_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// What a colleague has logged of the same thing is found before a second record is made: with what would be filled in.
func TestSimilarRecordsAreFound(t *testing.T) {
	ctx := t.Context()
	s := newServer(t)
	colleague := enrolled(t, s, "zhang-min")
	made := colleague.all()
	colleague.sync()
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	tab.now = colleague.now.Add(time.Hour)

	theCase, festival := made[recordv1.Kind_KIND_CASE], made[recordv1.Kind_KIND_COMMUNITY_ACTIVITY]
	group := made[recordv1.Kind_KIND_GROUP]
	for _, c := range []struct {
		m    record.Common
		want bool
	}{
		{&recordv1.CommunityActivity{Name: proto.String("联欢会")}, true},
		{&recordv1.CommunityActivity{Name: proto.String("联欢会"), Status: recordv1.Status_STATUS_CANCELLED.Enum()}, false},
		{&recordv1.CommunityActivity{Name: proto.String("联欢会"), OccurredOn: proto.Int32(20210922)}, false},
		{&recordv1.Outreach{}, true},
		{&recordv1.GroupSession{Group: group[:], Number: proto.Uint32(2)}, true},
		{&recordv1.CaseSession{Case: theCase[:]}, true},
		{&recordv1.Case{CaseNo: proto.String("wz-001")}, true},
		{&recordv1.Case{CaseNo: proto.String("wz-002")}, false},
		{&recordv1.Headcount{Activity: festival[:], Counter: zhangMin[:], Zone: proto.String("东区")}, true},
		{&recordv1.Headcount{Activity: festival[:], Zone: proto.String("东区")}, false}, // one's own
		{&recordv1.ResourceLink{Need: proto.String("棉被")}, true},
		{&recordv1.RiskAlert{Subject: theCase[:]}, false},
		{&recordv1.Participant{Token: token(7)}, false},
	} {
		k := record.KindOf(c.m)
		similar, err := tab.Similar(ctx, c.m)
		tab.must(err)
		if found := len(similar) == 1 && similar[0].ID == made[k]; found != c.want || (!c.want && len(similar) > 0) {
			t.Errorf("%v %v: %v", k, c.m, similar)
		}
	}
	second, err := tab.LogOutreach(ctx, &recordv1.Outreach{Households: proto.Uint32(3)})
	tab.must(err)
	similar, err := colleague.Similar(ctx, &recordv1.Outreach{})
	tab.must(err)
	if len(similar) != 0 { // one's own rounds differ by what they are
		t.Errorf("one's own round: %v", similar)
	}
	tab.sync()
	colleague.sync()
	if similar, err = colleague.Similar(ctx, &recordv1.Outreach{Author: chenJie[:]}); err != nil || len(similar) != 2 || similar[0].ID != second {
		t.Errorf("the last made first: %v; %v", similar, err)
	}
	_, err = tab.Similar(ctx, &recordv1.CaseSession{})
	wantCode(t, "a session of no case", err, clientlib.CodeOwnerMissing)
}
