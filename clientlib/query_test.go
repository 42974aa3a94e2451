package clientlib_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func TestMyCasesAndTheirFiles(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	ctx := t.Context()
	made := tab.all()
	theCase := made[recordv1.Kind_KIND_CASE]
	zhangs := aCase("WZ-002")
	zhangs.Lead = zhangMin[:]
	_, err := tab.LogCase(ctx, zhangs)
	tab.must(err)
	shared := aCase("WZ-003")
	shared.Lead, shared.Workers = zhangMin[:], [][]byte{chenJie[:], liWei[:]}
	third, err := tab.LogCase(ctx, shared)
	tab.must(err)
	closed, err := tab.LogCase(ctx, aCase("WZ-004"))
	tab.must(err)
	tab.must(tab.Delete(ctx, closed))

	mine, err := tab.MyCases(ctx)
	tab.must(err)
	if len(mine) != 2 || mine[0].ID != theCase || mine[1].ID != third || mine[1].Message.GetCaseNo() != "WZ-003" {
		t.Errorf("my cases are %+v", mine)
	}

	gone, err := tab.LogCaseSession(ctx, aSession(theCase))
	tab.must(err)
	tab.must(tab.Delete(ctx, gone))
	file, err := tab.Case(ctx, theCase)
	tab.must(err)
	if file.Case.ID != theCase || len(file.Sessions) != 1 || file.Sessions[0].ID != made[recordv1.Kind_KIND_CASE_SESSION] ||
		len(file.Sessions[0].Notes) != 1 || file.Sessions[0].Notes[0].Message.GetProcess() != "谈到洪水那天。" ||
		len(file.Identities) != 1 || len(file.Consents) != 1 || len(file.Referrals) != 1 || len(file.Referrals[0].Notes) != 1 ||
		len(file.ResourceLinks) != 1 || len(file.RiskAlerts) != 1 {
		t.Errorf("the case's file is %+v", file)
	}
	if _, err := tab.Case(ctx, gone); clientlib.Code(err) != clientlib.CodeRecordMissing {
		t.Errorf("a session as a case: %v", err)
	}
	if _, err := tab.Record(ctx, testID(9, 9)); clientlib.Code(err) != clientlib.CodeRecordMissing {
		t.Errorf("no record: %v", err)
	}
}

func TestActivitiesOfADay(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	ctx := t.Context()
	made := tab.all()
	yesterday := activity("昨天")
	yesterday.OccurredOn, yesterday.Status = proto.Int32(20211001), recordv1.Status_STATUS_PLANNED.Enum()
	_, err := tab.LogCommunityActivity(ctx, yesterday)
	tab.must(err)

	day, err := tab.Activities(ctx, 20210923)
	tab.must(err)
	want := []record.Kind{recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY}
	if len(day) != len(want) {
		t.Fatalf("%d activities: %+v", len(day), day)
	}
	for i, a := range day {
		heads, attendances := 0, 0
		switch a.Kind {
		case recordv1.Kind_KIND_COMMUNITY_ACTIVITY:
			heads = 1
		case recordv1.Kind_KIND_GROUP_SESSION:
			attendances = 1
		}
		if a.ID != made[want[i]] || len(a.Headcounts) != heads || len(a.Attendances) != attendances {
			t.Errorf("activity %d is %+v", i, a)
		}
	}
	planned, err := tab.Activities(ctx, 20211001)
	tab.must(err)
	if len(planned) != 1 || planned[0].Message.GetStatus() != recordv1.Status_STATUS_PLANNED {
		t.Errorf("on the planned day: %+v", planned)
	}
}

func TestListPages(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	ctx := t.Context()
	var made []hlc.ID
	for i := range 25 {
		m := activity(fmt.Sprintf("活动%d", i))
		m.OccurredOn = proto.Int32(int32(20210923 + i/5))
		m.Status = recordv1.Status_STATUS_PLANNED.Enum()
		tab.now = tab.now.Add(time.Second)
		id, err := tab.LogCommunityActivity(ctx, m)
		tab.must(err)
		made = append(made, id)
	}
	_, err := tab.LogCase(ctx, aCase("1"))
	tab.must(err)
	tab.must(tab.Delete(ctx, made[3]))

	q := clientlib.Query{Kinds: []record.Kind{recordv1.Kind_KIND_COMMUNITY_ACTIVITY}, Limit: 7}
	var got []hlc.ID
	pages := 0
	for {
		page, err := tab.List(ctx, q)
		tab.must(err)
		pages++
		for _, r := range page.Records {
			got = append(got, r.ID)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if pages != 4 || len(got) != 24 || got[0] != made[24] || got[23] != made[0] {
		t.Errorf("%d records on %d pages: %v", len(got), pages, got)
	}

	for name, c := range map[string]struct {
		q clientlib.Query
		n int
	}{
		"all but the set-up": {clientlib.Query{}, 25},
		"with deleted":       {clientlib.Query{Deleted: true, Limit: 1000}, 26},
		"from":               {clientlib.Query{From: 20210926}, 10},
		"to":                 {clientlib.Query{To: 20210924, Kinds: q.Kinds}, 9},
		"one day":            {clientlib.Query{From: 20210924, To: 20210924}, 5},
		"sites":              {clientlib.Query{Kinds: []record.Kind{recordv1.Kind_KIND_SITE}}, 2},
	} {
		page, err := tab.List(ctx, c.q)
		if err != nil || len(page.Records) != c.n || page.Next != "" {
			t.Errorf("%s: %d records, next %q, %v; want %d", name, len(page.Records), page.Next, err, c.n)
		}
	}
	for _, after := range []string{"x", "AAAA", "_____________________________"} {
		if _, err := tab.List(ctx, clientlib.Query{After: after}); clientlib.Code(err) != "invalid_argument" {
			t.Errorf("after %q: %v", after, err)
		}
	}
}

func TestPeopleAndPlaces(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	deployment, err := tab.Deployment(ctx)
	tab.must(err)
	sites, err := tab.Sites(ctx)
	tab.must(err)
	teams, err := tab.Teams(ctx)
	tab.must(err)
	workers, err := tab.Workers(ctx)
	tab.must(err)
	mates, err := tab.TeamMates(ctx)
	tab.must(err)
	if deployment.ID != s.deployment || deployment.Message.GetTimeZone() != "Asia/Shanghai" || len(sites) != 2 || len(teams) != 2 ||
		len(workers) != 3 || len(mates) != 2 || mates[0].ID != liWei || mates[1].ID != zhangMin {
		t.Errorf("%v %v %v %v %v", deployment, sites, teams, workers, mates)
	}
}

// What a newer program wrote is kept, shown as far as it goes, and in nobody's way.
func TestNewerKindsAndFields(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	newer := protowire.AppendString(protowire.AppendTag(nil, 900, protowire.BytesType), "明天")
	known := activity("今天")
	known.ProtoReflect().SetUnknown(newer)
	s.set(testID(14, 1), known)
	s.mu.Lock()
	s.apply(&record.Change{ID: testID(200, 1), Record: testID(200, 1), Kind: 200, Stamp: hlc.Stamp{Time: hlc.TimeOf(start), Replica: 5}, Fields: newer}, 0, 0)
	s.mu.Unlock()
	tab.sync()

	r := tab.record(testID(200, 1))
	if r.Message != nil || r.Kind != 200 {
		t.Errorf("a newer kind: %+v", r)
	}
	if err := tab.Delete(ctx, testID(200, 1)); clientlib.Code(err) != clientlib.CodeKindMismatch {
		t.Errorf("deleting a newer kind: %v", err)
	}
	tab.must(tab.Update(ctx, testID(14, 1), &recordv1.CommunityActivity{Minutes: proto.Uint32(5)}))
	if m := tab.record(testID(14, 1)).Message; string(m.ProtoReflect().GetUnknown()) != string(newer) {
		t.Errorf("a newer field is %q", m.ProtoReflect().GetUnknown())
	}
	page, err := tab.List(ctx, clientlib.Query{})
	if err != nil || len(page.Records) != 2 {
		t.Errorf("the list is %v, %v", page, err)
	}
}

func TestConflictsAreShown(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	minutes := func(n uint32) []byte {
		b, err := proto.Marshal(&recordv1.CommunityActivity{Minutes: &n})
		tab.must(err)
		return b
	}
	conflict := &recordv1.Conflict{
		Target: token(3), TargetKind: recordv1.Kind_KIND_COMMUNITY_ACTIVITY.Enum(), Field: proto.Uint32(18),
		Sides: []*recordv1.ConflictSide{
			{Value: minutes(60), Time: proto.Uint64(uint64(hlc.TimeOf(start))), Replica: proto.Uint64(5), Author: liWei[:]},
			{Value: minutes(90), Time: proto.Uint64(uint64(hlc.TimeOf(start)) + 1), Replica: proto.Uint64(6), Author: zhangMin[:]},
		},
	}
	s.set(testID(25, 1), conflict)
	settled := proto.CloneOf(conflict)
	settled.Settled = proto.Bool(true)
	s.set(testID(25, 2), settled)
	tab.sync()

	open, err := tab.Conflicts(ctx)
	tab.must(err)
	if len(open) != 1 || open[0].ID != testID(25, 1) || open[0].Target != hlc.ID(token(3)) || open[0].Field != "minutes" || len(open[0].Sides) != 2 {
		t.Fatalf("the open conflicts are %+v", open)
	}
	won := open[0].Sides[1]
	if won.Author != zhangMin || won.Message.(*recordv1.CommunityActivity).GetMinutes() != 90 || !won.Set.Equal(start) {
		t.Errorf("the side that won is %+v", won)
	}
	totals, err := tab.Totals(ctx, 0)
	if err != nil || totals.Conflicts != 1 {
		t.Errorf("totals know of %d conflicts, %v", totals.Conflicts, err)
	}
}

func TestTotals(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	tab.all()
	for _, day := range []int32{20210924, 20210926} {
		later := activity("以后")
		later.OccurredOn, later.Status = &day, recordv1.Status_STATUS_PLANNED.Enum()
		id, err := tab.LogCommunityActivity(ctx, later)
		tab.must(err)
		tab.must(tab.Update(ctx, id, &recordv1.CommunityActivity{Status: recordv1.Status_STATUS_HELD.Enum()}))
	}

	totals, err := tab.Totals(ctx, 20210925)
	tab.must(err)
	value := func(figure tally.Figure, cut tally.Cut) int64 {
		return totals.Value(tally.Cell{Basis: tally.Reported, Figure: figure, Cut: cut})
	}
	if value(tally.Cases, tally.Everything()) != 1 || value(tally.GroupSessions, tally.Everything()) != 1 ||
		value(tally.CommunityActivities, tally.Everything()) != 2 || value(tally.CommunityActivities, tally.OnDay(20210926)) != 0 ||
		value(tally.Persons, tally.Everything()) != 82 || value(tally.Contacts, tally.InPlace("410621")) != 123 {
		t.Errorf("totals are %v", totals.Cells)
	}
	unsent := tab.status().Unsent
	if totals.ServiceDays != 3 || totals.AsOf != 20210925 || totals.Unsent != unsent || !totals.LastContact.Equal(start) {
		t.Errorf("totals say %+v of themselves", totals.Completeness)
	}
	today, err := tab.Totals(ctx, 0)
	tab.must(err)
	if today.AsOf != 20210923 || today.ServiceDays != 1 {
		t.Errorf("today's totals say %+v", today.Completeness)
	}

	tab.sync()
	var records []tally.Record
	for id, r := range s.records {
		records = append(records, tally.Record{ID: id, Kind: r.kind, Registers: r.registers})
	}
	there := tally.Of(func(yield func(tally.Record) bool) {
		for _, r := range records {
			if !yield(r) {
				return
			}
		}
	}, 20210925)
	here, err := tab.Totals(ctx, 20210925)
	tab.must(err)
	if fmt.Sprint(here.Cells, here.Tokens) != fmt.Sprint(there.Cells, there.Tokens) {
		t.Errorf("the tablet's totals are not the server's:\n%v\n%v", here.Cells, there.Cells)
	}
}

func TestListingWhatOneLogged(t *testing.T) {
	s := newServer(t)
	for i := range byte(40) {
		m := activity("别人的")
		m.Author, m.Team, m.OccurredOn = zhangMin[:], teamA[:], proto.Int32(20210925)
		s.set(testID(14, i), m)
	}
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	tab.now = tab.now.AddDate(0, 0, 7)
	ctx := t.Context()
	for _, day := range []int32{20210924, 20210925, 20210926} {
		m := activity("自己的")
		m.OccurredOn = &day
		_, err := tab.LogCommunityActivity(ctx, m)
		tab.must(err)
		tab.now = tab.now.Add(time.Second)
	}
	var days []int32
	q := clientlib.Query{Mine: true, Limit: 2}
	for pages := 1; ; pages++ {
		page, err := tab.List(ctx, q)
		tab.must(err)
		for _, r := range page.Records {
			days = append(days, r.Message.GetOccurredOn())
		}
		if q.After = page.Next; q.After == "" {
			if pages != 2 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if fmt.Sprint(days) != "[20210926 20210925 20210924]" {
		t.Errorf("own records of %v", days)
	}
}
