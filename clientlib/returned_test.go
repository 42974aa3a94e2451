package clientlib_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// squad are two tablets of one deployment, in whose file both have what the other wrote.
func squad(t *testing.T) (lead, tab *tablet, share func()) {
	t.Helper()
	return squadOf(t, newServer(t))
}

// squadOf are those of a server.
func squadOf(t *testing.T, s *fakeServer) (lead, tab *tablet, share func()) {
	t.Helper()
	lead, tab = enrolled(t, s, "zhang-min"), enrolled(t, s, "li-wei")
	share = func() {
		t.Helper()
		later := lead.now
		if tab.now.After(later) {
			later = tab.now
		}
		lead.now, tab.now, s.now = later, later, later
		for _, one := range []*tablet{lead, tab, lead} {
			one.sync()
		}
	}
	share()
	return lead, tab, share
}

func (tab *tablet) review(target hlc.ID, outcome recordv1.ReviewOutcome) hlc.ID {
	tab.t.Helper()
	tab.now = tab.now.Add(time.Minute)
	id, err := tab.LogReview(tab.t.Context(), &recordv1.Review{Target: target[:], Outcome: outcome.Enum()})
	tab.must(err)
	return id
}

// returned are the targets of what was returned to the tablet's worker.
func (tab *tablet) returned() (targets []hlc.ID) {
	tab.t.Helper()
	found, err := tab.Returned(tab.t.Context())
	tab.must(err)
	for _, r := range found {
		if hlc.ID(r.Review.Message.GetTarget()) != r.Target.ID || r.Target.Deleted {
			tab.t.Errorf("returned: %+v", r)
		}
		targets = append(targets, r.Target.ID)
	}
	return targets
}

func TestReturnedUntilAnswered(t *testing.T) {
	const (
		back     = recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED
		approved = recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED
	)
	ctx := t.Context()
	lead, tab, share := squad(t)
	made := tab.all()
	share()
	festival, session, link := made[recordv1.Kind_KIND_COMMUNITY_ACTIVITY], made[recordv1.Kind_KIND_CASE_SESSION], made[recordv1.Kind_KIND_RESOURCE_LINK]
	want := func(when string, targets ...hlc.ID) {
		t.Helper()
		if got := tab.returned(); !slices.Equal(got, targets) {
			t.Errorf("%s: %v, want %v", when, got, targets)
		}
	}
	want("at first")
	first := lead.review(festival, back)
	lead.review(session, back)
	lead.review(link, back)                                  // a kind that gives no figures
	lead.review(made[recordv1.Kind_KIND_OUTREACH], approved) // and what nobody has to answer
	share()
	want("returned", festival, session, link)
	if got := lead.returned(); len(got) != 0 {
		t.Errorf("the reviewer is told: %v", got)
	}
	tab.now = tab.now.Add(time.Minute)
	tab.must(tab.Update(ctx, session, &recordv1.CaseSession{Minutes: proto.Uint32(50)}))
	want("answered", festival, link)
	share()
	lead.review(session, back)
	lead.review(festival, approved)
	share()
	want("returned again, and approved", link, session)
	tab.must(tab.Delete(ctx, link))
	want("deleted", session)

	// A reviewer who thinks again, in the review that there is.
	lead.now = lead.now.Add(time.Minute)
	lead.must(lead.Update(ctx, first, &recordv1.Review{Outcome: back.Enum(), Comment: proto.String("日期？")}))
	lead.must(lead.Update(ctx, first, &recordv1.Review{Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_UNKNOWN.Enum()}))
	lead.must(lead.Update(ctx, first, &recordv1.Review{Outcome: back.Enum()}))
	share()
	want("returned after all", festival, session)
	lead.must(lead.Delete(ctx, first))
	share()
	want("withdrawn", session)

	// Who takes over a case takes over what was returned of it.
	theCase := made[recordv1.Kind_KIND_CASE]
	tab.must(tab.Update(ctx, theCase, &recordv1.Case{Lead: zhangMin[:]}))
	share()
	if got := lead.returned(); !slices.Equal(got, []hlc.ID{session}) {
		t.Errorf("of a case led: %v", got)
	}
}

func TestDrafts(t *testing.T) {
	ctx := t.Context()
	lead, tab, share := squad(t)
	tab.all()
	log := func(tab *tablet, name string, m *recordv1.CommunityActivity) hlc.ID {
		t.Helper()
		m.ServiceArea = recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()
		if name != "" {
			m.Name = &name
		}
		id, err := tab.LogCommunityActivity(ctx, m)
		tab.must(err)
		return id
	}
	own := log(tab, "", &recordv1.CommunityActivity{})
	log(lead, "别人的", &recordv1.CommunityActivity{})
	joint := log(lead, "一起的", &recordv1.CommunityActivity{CoWorkers: [][]byte{liWei[:]}})
	gone := log(tab, "删了的", &recordv1.CommunityActivity{})
	tab.must(tab.Delete(ctx, gone))
	share()
	drafts := func() (ids []hlc.ID) {
		t.Helper()
		found, err := tab.Drafts(ctx)
		tab.must(err)
		for _, d := range found {
			if len(d.Missing) == 0 {
				t.Errorf("%s lacks nothing", d.ID)
			}
			ids = append(ids, d.ID)
		}
		slices.SortFunc(ids, func(a, b hlc.ID) int { return slices.Compare(a[:], b[:]) })
		return ids
	}
	both := []hlc.ID{own, joint}
	slices.SortFunc(both, func(a, b hlc.ID) int { return slices.Compare(a[:], b[:]) })
	if got := drafts(); !slices.Equal(got, both) {
		t.Errorf("drafts: %v, want %v", got, both)
	}
	tab.must(tab.Update(ctx, own, &recordv1.CommunityActivity{Name: proto.String("讲座"), Minutes: proto.Uint32(30), RegisterUsed: proto.Bool(false)}))
	if got := drafts(); !slices.Equal(got, []hlc.ID{joint}) {
		t.Errorf("one is whole now: %v", got)
	}
	tab.must(tab.Restore(ctx, gone))
	tab.must(tab.Update(ctx, joint, &recordv1.CommunityActivity{Minutes: proto.Uint32(30), RegisterUsed: proto.Bool(false)}))
	if got := drafts(); !slices.Equal(got, []hlc.ID{gone}) {
		t.Errorf("one is back: %v", got)
	}
}

func TestCaseLines(t *testing.T) {
	ctx := t.Context()
	tab := enrolled(t, newServer(t), "li-wei")
	tab.now = tab.now.AddDate(0, 0, 10)
	log := func(number string, change func(*recordv1.Case)) hlc.ID {
		t.Helper()
		m := aCase(number)
		if change != nil {
			change(m)
		}
		id, err := tab.LogCase(ctx, m)
		tab.must(err)
		tab.now = tab.now.Add(time.Second)
		return id
	}
	meet := func(of hlc.ID, day, next int32, status recordv1.Status) {
		t.Helper()
		m := aSession(of)
		m.OccurredOn, m.Status = &day, status.Enum()
		if next != 0 {
			m.NextOn = &next
		}
		_, err := tab.LogCaseSession(ctx, m)
		tab.must(err)
		tab.now = tab.now.Add(time.Second)
	}
	const held, planned = recordv1.Status_STATUS_HELD, recordv1.Status_STATUS_PLANNED
	none := log("WZ-001", nil)
	seen := log("WZ-002", func(m *recordv1.Case) { m.NextDueOn = proto.Int32(20211001) })
	meet(seen, 20210928, 20211020, held)
	meet(seen, 20210925, 20211009, held) // entered later, held before
	meet(seen, 20211020, 0, planned)
	moved := log("WZ-003", nil)
	meet(moved, 20210926, 20211030, held)
	tab.must(tab.Update(ctx, moved, &recordv1.Case{NextDueOn: proto.Int32(20211005)}))
	theirs := log("XH-004", func(m *recordv1.Case) {
		m.Lead, m.Place = zhangMin[:], &recordv1.Place{Village: proto.String("小河村")}
	})
	over := log("WZ-005", func(m *recordv1.Case) {
		m.ClosedOn, m.FollowupDueOn, m.NextDueOn = proto.Int32(20210930), proto.Int32(20211212), proto.Int32(20210929)
	})
	for _, name := range []string{"王秀英", "李小明"} {
		_, err := tab.LogCaseIdentity(ctx, &recordv1.CaseIdentity{Case: seen[:], Name: &name})
		tab.must(err)
		tab.now = tab.now.Add(time.Second)
	}

	list := func(q clientlib.CaseQuery) (lines []clientlib.CaseLine, ids []hlc.ID) {
		t.Helper()
		lines, err := tab.Cases(ctx, q)
		tab.must(err)
		for _, l := range lines {
			ids = append(ids, l.ID)
		}
		return lines, ids
	}
	for _, c := range []struct {
		q    clientlib.CaseQuery
		want []hlc.ID
	}{
		{clientlib.CaseQuery{}, []hlc.ID{moved, seen, none, theirs}},
		{clientlib.CaseQuery{Mine: true}, []hlc.ID{moved, seen, none}},
		{clientlib.CaseQuery{Closed: true}, []hlc.ID{moved, seen, over, none, theirs}},
		{clientlib.CaseQuery{Text: " wz-00"}, []hlc.ID{moved, seen, none}},
		{clientlib.CaseQuery{Text: "小河"}, []hlc.ID{theirs}},
		{clientlib.CaseQuery{Text: "秀英"}, nil},
		{clientlib.CaseQuery{Text: "秀英", Names: true}, []hlc.ID{seen}},
	} {
		if _, got := list(c.q); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, got, c.want)
		}
	}
	type facts struct {
		last, next record.Date
		sessions   int
		names      int
	}
	want := map[hlc.ID]facts{none: {}, seen: {20210928, 20211020, 2, 2}, moved: {20210926, 20211005, 1, 0}, over: {0, 20211212, 0, 0}, theirs: {}}
	lines, _ := list(clientlib.CaseQuery{Closed: true, Names: true})
	for _, l := range lines {
		if got := (facts{l.LastSession, l.NextDue, l.Sessions, len(l.Names)}); got != want[l.ID] {
			t.Errorf("%s: %+v, want %+v", l.Message.GetCaseNo(), got, want[l.ID])
		}
	}
}
