package clientlib_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

func TestHandOver(t *testing.T) {
	ctx := t.Context()
	tab := enrolled(t, newServer(t), "li-wei")
	log := func(number string, lead hlc.ID, workers ...[]byte) hlc.ID {
		t.Helper()
		m := aCase(number)
		m.Lead, m.Workers = lead[:], workers
		id, err := tab.LogCase(ctx, m)
		tab.must(err)
		return id
	}
	led := log("1", liWei)
	ledAndWorked := log("2", liWei, liWei[:])
	both := log("3", liWei, chenJie[:], zhangMin[:])
	worked := log("4", zhangMin, liWei[:], chenJie[:])
	workedWith := log("5", chenJie, liWei[:])
	log("6", zhangMin)
	over := log("7", liWei)
	tab.must(tab.Update(ctx, over, &recordv1.Case{ClosedOn: proto.Int32(20210923)}))
	group, err := tab.LogGroup(ctx, &recordv1.Group{Name: proto.String("妈妈小组"), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()})
	tab.must(err)
	other := &recordv1.Group{Name: proto.String("爸爸小组"), Leader: zhangMin[:], ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()}
	_, err = tab.LogGroup(ctx, other)
	tab.must(err)
	draft, err := tab.LogCommunityActivity(ctx, &recordv1.CommunityActivity{})
	tab.must(err)
	draftCase, err := tab.LogCase(ctx, &recordv1.Case{Lead: zhangMin[:]})
	tab.must(err)

	cases, groups, drafts, err := tab.ToHandOver(ctx)
	tab.must(err)
	var ids []hlc.ID
	for _, c := range cases {
		ids = append(ids, c.ID)
	}
	if want := []hlc.ID{led, ledAndWorked, both, worked, workedWith}; !slices.Equal(ids, want) {
		t.Errorf("cases %v, want %v", ids, want)
	}
	if len(groups) != 1 || groups[0].ID != group || len(drafts) != 2 || drafts[0].ID != draft || drafts[1].ID != draftCase {
		t.Errorf("groups %v, drafts %v", groups, drafts)
	}
	all := append(slices.Clone(ids), group, draft, draftCase)

	before := tab.status().Unsent
	for to, want := range map[hlc.ID]string{liWei: "not_found", testID(4, 99): "not_found", led: "not_found"} {
		wantCode(t, "to "+to.String(), tab.HandOver(ctx, clientlib.Handover{To: to, Records: all}), want)
	}
	wantCode(t, "a record that is none", tab.HandOver(ctx, clientlib.Handover{To: chenJie, Records: append(slices.Clone(all), testID(9, 9))}), clientlib.CodeRecordMissing)
	if got := tab.status().Unsent; got != before {
		t.Errorf("a part was handed over: %d changes", got-before)
	}
	for range 2 { // a double tap
		tab.must(tab.HandOver(ctx, clientlib.Handover{To: chenJie, Records: all}))
		if got := tab.status().Unsent; got != before+len(all) {
			t.Errorf("%d changes for %d records", got-before, len(all))
		}
	}
	names := map[string]string{string(liWei[:]): "li", string(chenJie[:]): "chen", string(zhangMin[:]): "zhang"}
	for id, want := range map[hlc.ID]string{led: "chen []", ledAndWorked: "chen []", both: "chen [zhang]", worked: "zhang [chen]", workedWith: "chen []", draftCase: "zhang []", over: "li []"} {
		m := tab.record(id).Message.(*recordv1.Case)
		var workers []string
		for _, w := range m.GetWorkers() {
			workers = append(workers, names[string(w)])
		}
		if got := fmt.Sprint(names[string(m.GetLead())], " ", workers); got != want {
			t.Errorf("case %s: %s, want %s", m.GetCaseNo(), got, want)
		}
	}
	if got := tab.record(group).Message.(*recordv1.Group).GetLeader(); hlc.ID(got) != chenJie {
		t.Errorf("the group's leader is %x", got)
	}
	for _, id := range []hlc.ID{draft, draftCase} {
		if got := tab.record(id).Message.GetCoWorkers(); len(got) != 1 || hlc.ID(got[0]) != chenJie {
			t.Errorf("co-workers of a draft: %x", got)
		}
	}
	cases, groups, _, err = tab.ToHandOver(ctx)
	if err != nil || len(cases) != 0 || len(groups) != 0 {
		t.Errorf("still to hand over: %v, %v; %v", cases, groups, err)
	}
}

// A worker leaves when all is safe, and then nobody reads the file any more.
func TestLeave(t *testing.T) {
	ctx := t.Context()
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	id, err := tab.LogCommunityActivity(ctx, activity("活动"))
	tab.must(err)
	wantCode(t, "with an unsent change", tab.Leave(ctx), clientlib.CodeUnsafeChanges)
	s.durable = false
	tab.sync()
	wantCode(t, "with a change that the server may lose", tab.Leave(ctx), clientlib.CodeUnsafeChanges)
	s.durable = true
	tab.sync()
	form := tab.form("没写完")
	tab.must(tab.SaveForm(ctx, form))
	wantCode(t, "with an unfinished form", tab.Leave(ctx), clientlib.CodeUnsafeChanges)
	if got := tab.forms(); len(got) != 1 || tab.record(id).ID != id {
		t.Errorf("something is gone: %v", got)
	}
	tab.must(tab.DropForm(ctx, form.ID))
	tab.must(tab.Leave(ctx))
	_, err = tab.Record(ctx, id)
	wantCode(t, "a record afterwards", err, clientlib.CodeKeyDestroyed)
	wantCode(t, "leaving again", tab.Leave(ctx), clientlib.CodeKeyDestroyed)
	tab.must(tab.Close())
	_, err = clientlib.Open(ctx, tab.path, clientlib.Options{Key: testKey})
	wantCode(t, "opening again", err, clientlib.CodeKeyDestroyed)
	if err := newTablet(t, s, 9).Leave(ctx); clientlib.Code(err) != clientlib.CodeNotEnrolled {
		t.Errorf("a tablet that is nobody's: %v", err)
	}
}

func TestVerify(t *testing.T) {
	ctx := t.Context()
	tab := enrolled(t, newServer(t), "li-wei")
	tab.must(tab.ChangeKey(ctx, testKey, clientlib.PIN("735194")))
	tab.must(tab.Verify(ctx, clientlib.PIN("735194")))
	for range 4 {
		wantCode(t, "a wrong PIN", tab.Verify(ctx, clientlib.PIN("735195")), clientlib.CodeKeyWrong)
	}
	err := tab.Verify(ctx, clientlib.PIN("735194"))
	wantCode(t, "too early", err, clientlib.CodeKeyWait)
	if clientlib.KeyWait(err) <= 0 {
		t.Error("it does not say how long to wait")
	}
	tab.now = tab.now.Add(clientlib.KeyWait(err))
	tab.must(tab.Verify(ctx, clientlib.PIN("735194")))
	wantCode(t, "no key", tab.Verify(ctx, clientlib.Key{}), clientlib.CodeKeyNeeded)
}
