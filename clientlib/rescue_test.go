package clientlib_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// unsentWork is a tablet that has synced some activities and has others, edits and a delete unsent. It is closed.
func unsentWork(t *testing.T, s *fakeServer) (*tablet, []hlc.ID) {
	t.Helper()
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	var ids []hlc.ID
	log := func(n int) {
		for range n {
			id, err := tab.LogCommunityActivity(ctx, activity(fmt.Sprint("活动", len(ids))))
			tab.must(err)
			ids = append(ids, id)
		}
	}
	log(60)
	tab.sync()
	log(120)
	tab.must(tab.Update(ctx, ids[0], &recordv1.CommunityActivity{Minutes: proto.Uint32(90)}))
	tab.must(tab.Update(ctx, ids[100], &recordv1.CommunityActivity{Minutes: proto.Uint32(30)}))
	tab.must(tab.Delete(ctx, ids[100]))
	tab.must(tab.Close())
	return tab, ids
}

// damaged says whether a tablet's program finds that its file is damaged when it opens it, lists all and syncs.
func damaged(t *testing.T, tab *tablet) bool {
	t.Helper()
	ctx := t.Context()
	store, err := clientlib.Open(ctx, tab.path, clientlib.Options{Key: testKey, Transport: tab.net})
	if err == nil {
		_, err = store.List(ctx, clientlib.Query{Limit: 500})
		if err == nil {
			_, err = store.Held(ctx)
		}
		tab.must(store.Close())
	}
	if err != nil && clientlib.Code(err) != clientlib.CodeDatabaseDamaged {
		t.Errorf("a damaged file: %v", err)
	}
	return err != nil
}

func (tab *tablet) rescue() (clientlib.Rescued, error) {
	tab.t.Helper()
	return clientlib.Rescue(tab.t.Context(), tab.path, clientlib.Options{Key: testKey})
}

// Pages of the file are overwritten: whatever can be read of the outbox is sent, everything else comes from the server.
func TestRescueOfAFileWithOverwrittenPages(t *testing.T) {
	if raced {
		t.Skip("it has no goroutines of its own")
	}
	const page = 4096
	met, worst := 0, 0
	for seed := range uint64(9) {
		s := newServer(t)
		tab, ids := unsentWork(t, s)
		content, err := os.ReadFile(tab.path)
		tab.must(err)
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 3 {
			at := page * (1 + rng.IntN(len(content)/page-1)) // never the first, which says what the others are
			for i := range page {
				content[at+i] = byte(rng.Uint32())
			}
		}
		tab.must(os.WriteFile(tab.path, content, 0o600))
		if !damaged(t, tab) {
			continue
		}
		got, err := tab.rescue()
		if clientlib.Code(err) == clientlib.CodeIdentityLost {
			continue
		}
		tab.must(err)
		met++
		worst = max(worst, got.Lost)
		if kept, err := os.ReadFile(got.Damaged); err != nil || string(kept) != string(content) {
			t.Errorf("seed %d: the damaged file is not kept as it was; %v", seed, err)
		}
		if saved, err := os.ReadFile(got.Saved); err != nil || len(saved) < 1000 {
			t.Errorf("seed %d: what was read is not kept; %v", seed, err)
		}
		tab.open()
		tab.sync()
		tab.sameAs(s)
		if got.Lost > 45 { // about 14 rows lie on a page; of those that a lost page led to, none is lost
			t.Errorf("seed %d: %d changes were lost with three pages", seed, got.Lost)
		}
		if want := 8 + len(ids) - got.Lost; len(s.records) < want {
			t.Errorf("seed %d: %+v, and the server has %d records, want %d", seed, got, len(s.records), want)
		}
		if got.Lost == 0 {
			if m := tab.record(ids[0]).Message.(*recordv1.CommunityActivity); m.GetMinutes() != 90 || !tab.record(ids[100]).Deleted {
				t.Errorf("seed %d: edits are missing: %v", seed, m)
			}
		}
	}
	if met < 4 {
		t.Errorf("only %d files were damaged and could be rescued", met)
	}
	t.Logf("%d files were rescued; at most %d of 123 changes were lost", met, worst)
}

// The end of the file is cut off, as by a disk that is pulled out.
func TestRescueOfATruncatedFile(t *testing.T) {
	s := newServer(t)
	tab, _ := unsentWork(t, s)
	content, err := os.ReadFile(tab.path)
	tab.must(err)
	tab.must(os.WriteFile(tab.path, content[:len(content)*2/3], 0o600))
	if !damaged(t, tab) {
		t.Fatal("nobody noticed")
	}
	got, err := tab.rescue()
	tab.must(err)
	if got.Queued == 0 || got.Queued+got.Lost != 123 {
		t.Errorf("Rescue = %+v", got)
	}
	tab.open()
	before := tab.inside()
	tab.sync()
	tab.sameAs(s)
	if s.asked[0].GetPush().GetReplica() == uint64(before.Replica) {
		t.Error("it goes on under the same number")
	}
	if _, err := tab.rescue(); clientlib.Code(err) != clientlib.CodeNotDamaged {
		t.Errorf("once more: %v", err)
	}
}

// What the server had got in a request whose answer was lost, it knows.
func TestRescuedChangesCountOnce(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	for i := range 40 {
		_, err := tab.LogCommunityActivity(t.Context(), activity(fmt.Sprint(i)))
		tab.must(err)
	}
	tab.net.fault = func() fault { return answerLost }
	if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != "unavailable" {
		t.Fatal(err)
	}
	tab.net.fault = nil
	tab.must(tab.Close())
	content, err := os.ReadFile(tab.path)
	tab.must(err)
	tab.must(os.WriteFile(tab.path, content[:len(content)-3*4096], 0o600))
	got, err := tab.rescue()
	tab.must(err)
	tab.open()
	tab.sync()
	tab.sameAs(s)
	if len(s.records) != 8+40 || tab.status().Unsent != 0 {
		t.Errorf("%+v: the server has %d records", got, len(s.records))
	}
}

// Where not even who the tablet is can be read, nothing is moved.
func TestRescueWithoutIdentity(t *testing.T) {
	s := newServer(t)
	tab, _ := unsentWork(t, s)
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(i*7 + i>>8)
	}
	tab.must(os.WriteFile(tab.path, noise, 0o600))
	if !damaged(t, tab) {
		t.Fatal("nobody noticed")
	}
	_, err := tab.rescue()
	if clientlib.Code(err) != clientlib.CodeIdentityLost || !strings.Contains(clientlib.Message(err, "en"), "Delete nothing") {
		t.Errorf("Rescue: %v", err)
	}
	if now, err := os.ReadFile(tab.path); err != nil || string(now) != string(noise) {
		t.Error("the file was touched")
	}
	if _, err := clientlib.Rescue(t.Context(), tab.path+".not", clientlib.Options{Key: testKey}); err == nil {
		t.Error("a file that is not there was rescued")
	}
}

// A rescue asks for the key as opening does, and does nothing without it.
func TestRescueNeedsTheKey(t *testing.T) {
	tab, _ := unsentWork(t, newServer(t))
	content, err := os.ReadFile(tab.path)
	tab.must(err)
	tab.must(os.WriteFile(tab.path, content[:len(content)*2/3], 0o600))
	for want, key := range map[string]clientlib.Key{clientlib.CodeKeyNeeded: {}, clientlib.CodeKeyWrong: clientlib.HostKey([32]byte{9})} {
		if _, err := clientlib.Rescue(t.Context(), tab.path, clientlib.Options{Key: key}); clientlib.Code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, left := range []string{".rescue*", ".damaged*"} {
		if files, err := filepath.Glob(tab.path + left); err != nil || len(files) > 0 {
			t.Errorf("it left %v", files)
		}
	}
	if _, err := tab.rescue(); err != nil {
		t.Error(err)
	}
}
