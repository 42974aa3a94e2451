package clientlib_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

func TestUpdateSetsAndEmpties(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	ctx := t.Context()
	m := activity("中秋联欢")
	m.Partners, m.Summary = []string{"村委会"}, proto.String("下雨")
	id, err := tab.LogCommunityActivity(ctx, m)
	tab.must(err)

	tab.must(tab.Update(ctx, id, &recordv1.CommunityActivity{Name: proto.String("中秋晚会"), Minutes: proto.Uint32(90)}, "partners", "summary"))
	got := tab.record(id).Message.(*recordv1.CommunityActivity)
	if got.GetName() != "中秋晚会" || got.GetMinutes() != 90 || len(got.GetPartners()) != 0 || got.Summary != nil || got.RegisterUsed == nil {
		t.Errorf("after the update: %v", got)
	}

	before := tab.status().Unsent
	tab.must(tab.Update(ctx, id, got, "partners"))
	tab.must(tab.Restore(ctx, id))
	if n := tab.status().Unsent - before; n != 0 {
		t.Errorf("sending back what is shown made %d changes", n)
	}
}

func TestDeleteAndRestore(t *testing.T) {
	tab := enrolled(t, newServer(t), "li-wei")
	ctx := t.Context()
	id, err := tab.LogCommunityActivity(ctx, activity("中秋联欢"))
	tab.must(err)

	for range 2 { // the second time changes nothing
		tab.must(tab.Delete(ctx, id))
	}
	if r := tab.record(id); !r.Deleted || r.Message.(*recordv1.CommunityActivity).GetName() != "中秋联欢" {
		t.Errorf("deleted: %+v", r)
	}
	if err := tab.Update(ctx, id, &recordv1.CommunityActivity{Minutes: proto.Uint32(1)}); clientlib.Code(err) != clientlib.CodeRecordDeleted {
		t.Errorf("updating a deleted record: %v", err)
	}
	for range 2 {
		tab.must(tab.Restore(ctx, id))
	}
	if r := tab.record(id); r.Deleted {
		t.Error("the record is still deleted")
	}
	if n := tab.status().Unsent; n != 3 {
		t.Errorf("logging, deleting and restoring made %d changes", n)
	}
}

func TestUpdateRefuses(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	theCase, err := tab.LogCase(ctx, aCase("WZ-001"))
	tab.must(err)
	session, err := tab.LogCaseSession(ctx, aSession(theCase))
	tab.must(err)
	s.set(testID(9, 1), &recordv1.Conflict{})
	before := tab.status()

	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"unknown record":   {tab.Update(ctx, testID(9, 9), aCase("1")), clientlib.CodeRecordMissing},
		"another kind":     {tab.Update(ctx, session, aCase("1")), clientlib.CodeKindMismatch},
		"no kind":          {tab.Update(ctx, session, &recordv1.Place{}), clientlib.CodeKindMismatch},
		"set-up":           {tab.Update(ctx, wangzhuang, &recordv1.Site{Name: proto.String("1")}), clientlib.CodeKindMismatch},
		"deleting set-up":  {tab.Delete(ctx, wangzhuang), clientlib.CodeKindMismatch},
		"deleting nothing": {tab.Delete(ctx, testID(9, 9)), clientlib.CodeRecordMissing},
		"invalid":          {tab.Update(ctx, session, &recordv1.CaseSession{Minutes: proto.Uint32(0)}), "number_out_of_range"},
		"no such field":    {tab.Update(ctx, session, &recordv1.CaseSession{}, "minute"), "invalid_argument"},
		"set and emptied":  {tab.Update(ctx, session, &recordv1.CaseSession{Minutes: proto.Uint32(5)}, "minutes"), "invalid_argument"},
		"deleted":          {tab.Update(ctx, session, &recordv1.CaseSession{Deleted: proto.Bool(true)}), "invalid_argument"},
		"emptying deleted": {tab.Update(ctx, session, &recordv1.CaseSession{}, "deleted"), "invalid_argument"},
		"emptying owner":   {tab.Update(ctx, session, &recordv1.CaseSession{}, "case"), clientlib.CodeOwnerMissing},
		"wrong owner":      {tab.Update(ctx, session, &recordv1.CaseSession{Case: session[:]}), clientlib.CodeOwnerMissing},
	} {
		if got := clientlib.Code(c.err); got != c.code {
			t.Errorf("%s: code %q (%v), want %q", name, got, c.err, c.code)
		}
	}
	if after := tab.status(); after != before {
		t.Errorf("refused changes left %+v, before %+v", after, before)
	}

	link, err := tab.LogResourceLink(ctx, &recordv1.ResourceLink{Need: proto.String("棉被"), RecipientCase: theCase[:]})
	tab.must(err)
	tab.must(tab.Update(ctx, link, &recordv1.ResourceLink{}, "recipient_case"))
	if m := tab.record(link).Message.(*recordv1.ResourceLink); m.RecipientCase != nil {
		t.Errorf("the link still belongs to %x", m.RecipientCase)
	}
	other, err := tab.LogCase(ctx, aCase("WZ-002"))
	tab.must(err)
	tab.must(tab.Update(ctx, session, &recordv1.CaseSession{Case: other[:]}))
	if file, err := tab.Case(ctx, other); err != nil || len(file.Sessions) != 1 || hlc.ID(file.Sessions[0].Message.GetCase()) != other {
		t.Errorf("a moved session: %+v, %v", file, err)
	}
}
