package clientlib_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

const isRevoked = "device_revoked"

// heldAsRevoked is how many changes the server holds because their tablet was revoked.
func (s *fakeServer) heldAsRevoked() (count int) {
	for _, r := range s.replicas {
		for _, code := range r.held {
			if code == isRevoked {
				count++
			}
		}
	}
	return count
}

// refusesAll fails unless a tablet neither shows nor logs anything.
func (tab *tablet) refusesAll() {
	tab.t.Helper()
	ctx := tab.t.Context()
	_, logged := tab.LogCommunityActivity(ctx, activity("太晚了"))
	_, listed := tab.MyCases(ctx)
	_, read := tab.Record(ctx, teamA)
	_, counted := tab.Totals(ctx, 20210923)
	for what, err := range map[string]error{
		"logging": logged, "listing": listed, "reading": read, "counting": counted,
		"editing": tab.Update(ctx, teamA, &recordv1.Team{}), "deleting": tab.Delete(ctx, teamA), "choosing a site": tab.SetSite(ctx, wangzhuang),
	} {
		if clientlib.Code(err) != isRevoked {
			tab.t.Errorf("%s: %v", what, err)
		}
	}
	if st := tab.status(); !st.Enrolled || !st.Revoked {
		tab.t.Errorf("status: %+v", st)
	}
}

func TestARevokedTabletHandsOverWhatItHolds(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	for i := range 20 {
		_, err := tab.LogCommunityActivity(ctx, activity(fmt.Sprint("第", i, "场")))
		tab.must(err)
	}
	s.revoke(tab.status().Device)
	// The first answer is lost, the second is cut: nothing is destroyed before the server has said that it has all.
	for _, lost := range []fault{answerLost, answerCut} {
		once := lost
		tab.net.fault = func() (f fault) { f, once = once, fine; return f }
		if _, err := tab.Sync(ctx, nil); clientlib.Code(err) != "unavailable" || tab.status().Revoked {
			t.Fatalf("with fault %d: %v, %+v", lost, err, tab.status())
		}
	}
	tab.net.fault = nil
	result, err := tab.Sync(ctx, nil)
	if clientlib.Code(err) != isRevoked || result.Sent != 20 || result.Held != 20 {
		t.Errorf("Sync = %+v, %v", result, err)
	}
	if got := s.heldAsRevoked(); got != 20 {
		t.Errorf("the server holds %d changes", got)
	}
	tab.refusesAll()
	asked := len(s.asked)
	if _, err := tab.Sync(ctx, nil); clientlib.Code(err) != isRevoked || len(s.asked) != asked {
		t.Errorf("syncing once more: %v, %d requests", err, len(s.asked)-asked)
	}
	for _, lang := range []string{"zh", "en"} {
		if clientlib.Message(err, lang) == "" {
			t.Errorf("nothing is said in %s", lang)
		}
	}
	tab.isDestroyed()
}

// isDestroyed fails unless nothing opens a tablet's file any more.
func (tab *tablet) isDestroyed() {
	tab.t.Helper()
	tab.must(tab.Close())
	store, err := clientlib.Open(tab.t.Context(), tab.path, clientlib.Options{Key: testKey})
	if clientlib.Code(err) != clientlib.CodeKeyDestroyed {
		tab.t.Errorf("opening the file: %v", err)
	}
	if err == nil {
		tab.must(store.Close())
	}
}

// The line breaks after the tablet has learned that it is revoked: it shows nothing from then on, and the next sync sends
// the rest.
func TestARevokedTabletGoesOnWhereItWasCut(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	for i := range 900 { // three requests
		_, err := tab.LogCommunityActivity(ctx, activity(fmt.Sprint(i)))
		tab.must(err)
	}
	s.revoke(tab.status().Device)
	requests := 0
	tab.net.fault = func() fault {
		if requests++; requests > 1 {
			return requestLost
		}
		return fine
	}
	if _, err := tab.Sync(ctx, nil); clientlib.Code(err) != "unavailable" {
		t.Fatalf("Sync: %v", err)
	}
	tab.reopen()
	tab.refusesAll()
	if st := tab.status(); st.Unsent != 500 {
		t.Errorf("%d are unsent", st.Unsent)
	}
	tab.net.fault = nil
	if result, err := tab.Sync(ctx, nil); clientlib.Code(err) != isRevoked || result.Sent != 500 {
		t.Errorf("Sync = %+v, %v", result, err)
	}
	if got := s.heldAsRevoked(); got != 900 {
		t.Errorf("the server holds %d changes", got)
	}
	tab.isDestroyed()
}

// A copy of the tablet has written under its number: it goes on under a new one, as ever, and gets all of it there.
func TestARevokedTabletThatForkedHandsOverAll(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	_, err := tab.LogCommunityActivity(ctx, activity("原来的"))
	tab.must(err)
	tab.sync()
	older := tab.image()
	for i := range 3 {
		_, err := tab.LogCommunityActivity(ctx, activity(fmt.Sprint("甲", i)))
		tab.must(err)
	}
	tab.sync()
	again := tab.restart(older)
	for i := range 5 {
		_, err := again.LogCommunityActivity(ctx, activity(fmt.Sprint("乙", i)))
		again.must(err)
	}
	s.revoke(again.status().Device)
	if result, err := again.Sync(ctx, nil); clientlib.Code(err) != isRevoked || !result.NewReplica {
		t.Errorf("Sync = %+v, %v", result, err)
	}
	if got := s.heldAsRevoked(); got != 5 {
		t.Errorf("the server holds %d changes", got)
	}
	again.refusesAll()
	again.isDestroyed()
}

// A server that lost history would get it back from any other tablet. What a revoked one wrote it gets all the same.
func TestARevokedTabletGivesNothingBack(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	restore := s.backup()
	s.set(testID(14, 1), activity("网页上的"))
	tab.sync()
	restore()
	_, err := tab.LogCommunityActivity(ctx, activity("未发送的"))
	tab.must(err)
	s.revoke(tab.status().Device)
	if result, err := tab.Sync(ctx, nil); clientlib.Code(err) != isRevoked || result.GivenBack != 0 || result.Sent != 1 {
		t.Errorf("Sync = %+v, %v", result, err)
	}
	if s.records[testID(14, 1)] != nil || s.heldAsRevoked() != 1 {
		t.Errorf("the server holds %d changes, and has %v", s.heldAsRevoked(), s.records[testID(14, 1)])
	}
}

// Nobody but the server can put a tablet out of use, and no other tablet's word is taken for its own.
func TestARevocationMustBeTheServersAndTheTabletsOwn(t *testing.T) {
	s := newServer(t)
	tab, other := enrolled(t, s, "li-wei"), enrolled(t, s, "zhang-min")
	s.revoke(tab.status().Device)
	s.revoke(other.status().Device)
	own, theirs := s.revoked[tab.status().Device], s.revoked[other.status().Device]
	s.revoked = map[hlc.ID]*syncv1.JournalEntry{}
	forged := proto.CloneOf(own)
	forged.At++
	sort := proto.CloneOf(own)
	sort.Sort = wire.JournalConfirmed
	wire.SealJournalEntry(s.key, s.deployment, sort)
	for i, e := range []*syncv1.JournalEntry{theirs, forged, sort, {}} {
		s.answer = func(res *syncv1.SyncResponse) { res.Revocation = e }
		tab.sync()
		if tab.status().Revoked {
			t.Fatalf("entry %d was taken", i)
		}
	}
	s.answer = func(res *syncv1.SyncResponse) { res.Revocation = own }
	if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != isRevoked {
		t.Errorf("its own: %v", err)
	}
	if other.status().Revoked {
		t.Error("the other tablet is revoked too")
	}
}
