package clientlib_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// A server restored from a backup gets back what was written by somebody whose tablet is gone, and on the web.
func TestServerGetsBackWhatATabletHasSeen(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	li, zhang := enrolled(t, s, "li-wei"), enrolled(t, s, "zhang-min")
	before, err := li.LogCommunityActivity(ctx, activity("备份前"))
	li.must(err)
	li.sync()
	zhang.sync()
	restore := s.backup()

	for i := range 300 {
		_, err := li.LogCommunityActivity(ctx, activity(fmt.Sprint("备份后", i)))
		li.must(err)
	}
	li.must(li.Update(ctx, before, &recordv1.CommunityActivity{Minutes: proto.Uint32(90)}))
	li.sync()
	s.set(testID(14, 1), activity("网页上的"))
	zhang.sync()
	want := len(s.records)
	own, err := zhang.LogCommunityActivity(ctx, activity("未发送"))
	zhang.must(err)

	restore()
	s.set(testID(14, 2), activity("恢复之后"))
	s.asked = nil
	if got := zhang.sync(); got.GivenBack != 302 || got.Sent != 1 {
		t.Errorf("Sync = %+v", got)
	}
	if len(s.records) != want+2 || s.records[own] == nil {
		t.Errorf("the server has %d records, want %d", len(s.records), want+2)
	}
	gave := 0
	for i, r := range s.asked {
		if size := len(r.GetGiveBack()); size > 0 {
			gave++
			if len(r.GetPush().GetEntries()) > 0 || size > 200 {
				t.Errorf("request %d gives back %d records and pushes %d changes", i, size, len(r.GetPush().GetEntries()))
			}
		}
	}
	if gave != 2 || len(s.asked[1].GetPull().GetMarks()) == 0 {
		t.Errorf("it gave back in %d requests; the second: %v", gave, s.asked[1].GetPull())
	}
	zhang.sameAs(s)
	if left := zhang.inside().Returns; len(left) > 0 {
		t.Errorf("still to be shown: %+v", left)
	}
	if quiet := zhang.sync(); quiet.Requests != 1 || quiet.GivenBack != 0 {
		t.Errorf("a sync after that: %+v", quiet)
	}
}

var setBackSeed = flag.Uint64("setback-seed", 0, "the one seed that TestNothingIsLostWhateverIsSetBack runs")

// Whatever happens to the server's disk, to tablets and to what goes between them: in the end everybody has the same records, and each
// change that a surviving tablet made or saw is among them.
func TestNothingIsLostWhateverIsSetBack(t *testing.T) {
	seeds := uint64(150)
	if raced {
		seeds = 8
	}
	for seed := range seeds {
		seed++
		if *setBackSeed != 0 && seed != *setBackSeed {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := &disasters{t: t, rng: rand.New(rand.NewPCG(seed, 0)), s: newServer(t)}
			w.s.pageSize = 1 + w.rng.IntN(20)
			for _, secret := range []string{"li-wei", "zhang-min"} {
				w.tabs = append(w.tabs, enrolled(t, w.s, secret))
			}
			w.backups = append(w.backups, w.s.backup())
			for range 5 + w.rng.IntN(60) {
				w.step()
			}
			w.settle()
			if t.Failed() {
				t.Logf("go test ./clientlib -run TestNothingIsLostWhateverIsSetBack -setback-seed %d\n%s", seed, strings.Join(w.story, "\n"))
			}
		})
	}
}

// disasters are a server and tablets to which they happen.
type disasters struct {
	t       *testing.T
	rng     *rand.Rand
	s       *fakeServer
	tabs    []*tablet
	backups []func()
	images  []copied
	copies  uint64
	made    []hlc.ID
	web     byte
	story   []string
}

// copied is what the disk of a tablet held.
type copied struct {
	of int
	image
}

func (w *disasters) tell(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

func (w *disasters) step() {
	ctx := w.t.Context()
	i := w.rng.IntN(len(w.tabs))
	tab := w.tabs[i]
	switch n := w.rng.IntN(100); {
	case n < 20:
		id, err := tab.LogCommunityActivity(ctx, activity(fmt.Sprint("活动", len(w.made))))
		tab.must(err)
		w.made = append(w.made, id)
		w.tell("%d logs %s", i, id)
	case n < 40 && len(w.made) > 0:
		id := w.made[w.rng.IntN(len(w.made))]
		var err error
		switch w.rng.IntN(4) {
		case 0:
			err = tab.Delete(ctx, id)
		case 1:
			err = tab.Restore(ctx, id)
		default:
			err = tab.Update(ctx, id, &recordv1.CommunityActivity{Minutes: proto.Uint32(1 + w.rng.Uint32N(99))})
		}
		if err != nil && clientlib.Code(err) != clientlib.CodeRecordMissing && clientlib.Code(err) != clientlib.CodeRecordDeleted {
			w.t.Fatal(err)
		}
		w.tell("%d edits %s: %v", i, id, err)
	case n < 43:
		w.web++
		w.s.set(testID(14, w.web), activity(fmt.Sprint("网页", w.web)))
		w.tell("the web makes record %d", w.web)
	case n < 68:
		var met []fault
		tab.net.fault = func() fault {
			f := fault(w.rng.IntN(2 * int(faults)))
			if f >= faults {
				f = fine
			}
			met = append(met, f)
			return f
		}
		got, err := tab.Sync(ctx, nil)
		tab.net.fault = nil
		if err != nil && clientlib.Code(err) != "unavailable" {
			w.t.Errorf("%d syncs: %v", i, err)
		}
		w.tell("%d syncs with %v: %+v, %v", i, met, got, err)
	case n < 74:
		w.backups = append(w.backups, w.s.backup())
		w.tell("backup %d at %d", len(w.backups)-1, len(w.s.log)-1)
	case n < 79:
		b := w.rng.IntN(len(w.backups))
		w.backups[b]()
		w.tell("the server is set back to backup %d, at %d", b, len(w.s.log)-1)
	case n < 84:
		w.images = append(w.images, copied{i, tab.image()})
		w.tell("image %d of %d", len(w.images)-1, i)
	case n < 88 && len(w.images) > 0:
		i, again := w.again()
		w.tabs[i].must(w.tabs[i].Close())
		w.tabs[i] = again
		w.tell("%d is restored from its image", i)
	case n < 91 && len(w.images) > 0 && len(w.tabs) < 5:
		i, again := w.again()
		w.tabs = append(w.tabs, again)
		w.tell("%d is a clone of %d", len(w.tabs)-1, i)
	case n < 97:
		w.s.now = w.s.now.Add(time.Hour)
		for _, tab := range w.tabs {
			tab.now = tab.now.Add(time.Hour)
		}
		w.tell("an hour")
	default:
		hours := []int{0, 1, -24, 24 * 365}[w.rng.IntN(4)]
		tab.now = w.s.now.Add(time.Duration(hours) * time.Hour)
		w.tell("the clock of %d is off by %d hours", i, hours)
	}
}

// again is a tablet from an image of it.
func (w *disasters) again() (int, *tablet) {
	from := w.images[w.rng.IntN(len(w.images))]
	w.copies++
	w.tabs[from.of].seed = 5000 + 257*w.copies // so that no two copies make the same ids
	return from.of, w.tabs[from.of].restart(from.image)
}

// settle lets everybody sync, and compares.
func (w *disasters) settle() {
	seen := map[hlc.ID]record.Registers{}
	for _, tab := range w.tabs {
		for _, r := range tab.inside().Records {
			state, err := record.DecodeState(r.Base)
			tab.must(err)
			seen[r.ID] = record.Merge(seen[r.ID], state)
		}
	}
	for range 4 {
		for i, tab := range w.tabs {
			w.tell("%d syncs: %+v", i, tab.sync())
		}
	}
	for i, tab := range w.tabs {
		inside := tab.inside()
		for _, r := range inside.Records {
			there := w.s.records[r.ID]
			if there == nil {
				w.t.Errorf("%d has record %s, and the server has not", i, r.ID)
				continue
			}
			if want := record.EncodeState(there.registers); !bytes.Equal(r.Base, want) || !bytes.Equal(r.View, want) {
				w.t.Errorf("%d has %s as\n%x, base\n%x, the server\n%x", i, r.ID, r.View, r.Base, want)
			}
		}
		if len(inside.Records) != len(w.s.records) || inside.Sequence != inside.Acknowledged || len(inside.Returns) != 0 {
			w.t.Errorf("%d has %d records of %d, %d changes of %d acknowledged, %d to be shown again",
				i, len(inside.Records), len(w.s.records), inside.Acknowledged, inside.Sequence, len(inside.Returns))
		}
		for _, c := range inside.Changes {
			if there := w.s.records[c.Record]; !w.s.seen[c.ID] && (there == nil || !coversBody(tab, there.registers, c.Body, c.Replica)) {
				w.t.Errorf("change %s (%d) of %s is nowhere", c.ID, c.Sequence, c.Record)
			}
		}
	}
	for id, state := range seen {
		there := w.s.records[id]
		if there == nil {
			w.t.Errorf("record %s is lost", id)
			continue
		}
		for _, register := range state {
			// A change that is sent again under a new number keeps its time, and one that two copies sent may have that of
			// the other.
			if has := there.registers.Get(register.Field); has.Stamp.Time < register.Stamp.Time && !bytes.Equal(has.Value, register.Value) {
				w.t.Errorf("field %d of %s: %v was seen, the server has %v", register.Field, id, register, has)
			}
		}
	}
}

// coversBody reports whether a state has all that an encoded change set, or newer.
func coversBody(tab *tablet, state record.Registers, body []byte, replica hlc.Replica) bool {
	c, err := record.DecodeChange(body, replica)
	tab.must(err)
	for _, register := range c.Registers() {
		if state.Get(register.Field).Stamp.Compare(register.Stamp) < 0 {
			return false
		}
	}
	return true
}

// A copy of a tablet goes on under a number of its own: what both wrote is there, once, and nobody is told of a conflict with himself.
func TestACopyGoesOnUnderANumberOfItsOwn(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	both, err := tab.LogCommunityActivity(ctx, activity("两台都有"))
	tab.must(err)
	copied := tab.restart(tab.image())
	only := map[*tablet]hlc.ID{}
	for _, one := range []*tablet{tab, copied} {
		only[one], err = one.LogCommunityActivity(ctx, activity("只在一台"))
		one.must(err)
		one.must(one.Update(ctx, only[one], &recordv1.CommunityActivity{Minutes: proto.Uint32(90)}))
		one.must(one.Delete(ctx, only[one]))
		one.must(one.Restore(ctx, only[one]))
	}
	old := tab.inside().Replica
	if got := tab.sync(); got.NewReplica {
		t.Errorf("the first that synced: %+v", got)
	}
	highest := copied.inside().Time
	if got := copied.sync(); !got.NewReplica || got.Sent != 5 {
		t.Errorf("the copy: %+v", got)
	}
	tab.sync()
	for _, one := range []*tablet{tab, copied} {
		one.sameAs(s)
		for _, id := range []hlc.ID{both, only[tab], only[copied]} {
			if r := one.record(id); r.Deleted {
				t.Errorf("%+v", r)
			}
		}
	}
	inside := copied.inside()
	if inside.Replica == old || inside.Time < highest || len(inside.Changes) != 5 {
		t.Errorf("it goes on as %d at %d with %d changes", inside.Replica, inside.Time, len(inside.Changes))
	}
	// What names the stamp of a change that took the new number names the new one.
	seen := record.Registers(nil)
	for _, c := range s.replicas[uint64(inside.Replica)].changes {
		if c.Record != only[copied] {
			continue
		}
		for f, p := range c.Parents {
			if seen.Get(f).Stamp != p {
				t.Errorf("field %d of change %s was seen at %v, and is at %v", f, c.ID, p, seen.Get(f).Stamp)
			}
		}
		if record.DeletionClashes(seen, c) {
			t.Errorf("change %s says that it has not seen the changes before it", c.ID)
		}
		seen = record.Merge(seen, c.Registers())
	}
	if st := copied.status(); st.Unsent != 0 || st.Sent+st.Durable != 5 {
		t.Errorf("status: %+v", st)
	}
}

// A tablet restored from an older copy of its disk finds out also when it has nothing to send, and gets back what it had written since.
func TestATabletRestoredFromAnOlderCopy(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	for i := range 700 {
		_, err := tab.LogCommunityActivity(t.Context(), activity(fmt.Sprint(i)))
		tab.must(err)
		if i == 300 {
			tab.sync()
		}
	}
	s.pageSize = 1000
	older := tab.image()
	for range 3 {
		_, err := tab.LogCommunityActivity(t.Context(), activity("后来的"))
		tab.must(err)
	}
	tab.sync()
	restored := tab.restart(older)
	tab.must(tab.Close())
	s.asked = nil
	if got := restored.sync(); !got.NewReplica || got.Requests > 12 {
		t.Errorf("Sync = %+v", got)
	}
	restored.sameAs(s)
	if len(s.records) != 8+703 {
		t.Errorf("the server has %d records", len(s.records))
	}
	if quiet := restored.sync(); quiet.Requests != 1 {
		t.Errorf("a sync after that: %+v", quiet)
	}
}

// Where two copies part is found in few requests, however much they have in common.
func TestWhereCopiesPartIsSought(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	for i := range 500 {
		_, err := tab.LogCommunityActivity(t.Context(), activity(fmt.Sprint(i)))
		tab.must(err)
	}
	copied := tab.restart(tab.image())
	for _, one := range []*tablet{tab, copied} {
		for i := range 40 {
			_, err := one.LogCommunityActivity(t.Context(), activity(fmt.Sprint(one.seed, "之", i)))
			one.must(err)
		}
	}
	tab.sync()
	s.asked = nil
	if got := copied.sync(); !got.NewReplica {
		t.Errorf("Sync = %+v", got)
	}
	sought := 0
	for _, r := range s.asked {
		if n := len(r.GetChains()); n > 0 {
			sought++
			if n > 64 || len(r.GetPush().GetEntries()) > 0 {
				t.Errorf("a request tells %d chains and pushes %d changes", n, len(r.GetPush().GetEntries()))
			}
		}
	}
	if sought == 0 || sought > 3 {
		t.Errorf("it was sought in %d requests", sought)
	}
	copied.sameAs(s)
}

// A server that says forked whatever the number is left alone.
func TestForkedForEver(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	_, err := tab.LogCommunityActivity(t.Context(), activity("一"))
	tab.must(err)
	s.answer = func(a *syncv1.SyncResponse) { a.Acknowledgement.Forked, a.Acknowledgement.Matched = true, 0 }
	got, err := tab.Sync(t.Context(), nil)
	if clientlib.Code(err) != clientlib.CodeForked || got.Requests > 12 || len(tab.inside().Changes) != 1 {
		t.Errorf("Sync = %+v, %v", got, err)
	}
	s.answer = nil
	tab.sync()
	tab.sameAs(s)
}

// A server that lost an edit may judge it otherwise when it comes again: then the tablet shows what the server has.
func TestAChangeThatIsJudgedAnew(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	id, err := tab.LogCommunityActivity(ctx, activity("义诊"))
	tab.must(err)
	tab.sync()
	restore := s.backup()
	tab.must(tab.Update(ctx, id, &recordv1.CommunityActivity{Minutes: proto.Uint32(90)}))
	s.answer = func(a *syncv1.SyncResponse) { a.Page.Records = nil } // else the tablet could give it back with a proof
	tab.sync()
	s.answer = nil
	restore()
	s.hold = func(*record.Change) string { return "not_your_team" }
	if got := tab.sync(); got.Held != 1 {
		t.Errorf("Sync = %+v", got)
	}
	if accepted := s.asked[len(s.asked)-1].GetAccepted(); accepted != 2 {
		t.Errorf("it says that %d changes were accepted once", accepted)
	}
	if r := tab.record(id); r.Message.(*recordv1.CommunityActivity).GetMinutes() != 60 || !slices.Equal(r.Held, []string{"not_your_team"}) {
		t.Errorf("the record is %+v", r)
	}
	tab.sameAs(s)
}

// A held change that somebody releases is applied, one that is discarded stays held and is not counted any more.
func TestDecisionsOnHeldChanges(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	s.hold = func(c *record.Change) string {
		if c.Kind == recordv1.Kind_KIND_COMMUNITY_ACTIVITY {
			return "not_your_team"
		}
		return ""
	}
	released, err := tab.LogCommunityActivity(ctx, activity("放行"))
	tab.must(err)
	discarded, err := tab.LogCommunityActivity(ctx, activity("放弃"))
	tab.must(err)
	tab.sync()
	decision, err := tab.Decide(ctx, discarded, recordv1.Decision_DECISION_DISCARD, "填错了")
	tab.must(err)
	if m := tab.record(decision).Message.(*recordv1.HeldDecision); hlc.ID(m.GetTeam()) != teamA || m.GetReason() != "填错了" {
		t.Errorf("the decision is %v", m)
	}
	if held, err := tab.Held(ctx); err != nil || held[1].Decision != recordv1.Decision_DECISION_DISCARD || held[1].Discarded() || held[0].Decision != 0 {
		t.Errorf("held: %+v, %v", held, err)
	}
	if _, err := tab.Decide(ctx, discarded, recordv1.Decision_DECISION_UNKNOWN, ""); clientlib.Code(err) != "invalid_argument" {
		t.Errorf("a decision that is none: %v", err)
	}
	for _, r := range s.replicas {
		for n, c := range r.changes {
			if c.ID == released {
				delete(r.held, uint64(n)+1)
				s.apply(c, 0, 0)
			}
		}
	}
	s.settled = []*syncv1.SettledChange{{Change: released[:]}, {Change: discarded[:], Code: "discarded"}, {Change: []byte("short")}}
	tab.sync()
	if r := tab.record(released); len(r.Held) != 0 || r.Message.(*recordv1.CommunityActivity).GetName() != "放行" {
		t.Errorf("released: %+v", r)
	}
	held, err := tab.Held(ctx)
	if err != nil || len(held) != 1 || !held[0].Discarded() || held[0].Change != discarded || tab.status().Held != 0 {
		t.Errorf("held: %+v, %v, %+v", held, err, tab.status())
	}
	tab.sameAs(s)
}

// A record that the tablet may no longer have goes when its unsent work has got there, and not before.
func TestDroppedWhenItsWorkIsSent(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	id := testID(14, 1)
	s.set(id, activity("转给别队"))
	tab.sync()
	tab.net.fault = func() fault {
		tab.net.fault = nil
		tab.must(tab.Update(ctx, id, &recordv1.CommunityActivity{Minutes: proto.Uint32(5)}))
		s.dropped = [][]byte{id[:]}
		return fine
	}
	tab.net.after = func() {
		tab.net.after = nil
		if r := tab.record(id); r.Sending != clientlib.Unsent {
			t.Errorf("before its work is sent: %+v", r)
		}
	}
	if got := tab.sync(); got.Sent != 1 {
		t.Errorf("Sync = %+v", got)
	}
	if _, err := tab.Record(ctx, id); clientlib.Code(err) != clientlib.CodeRecordMissing {
		t.Errorf("after it: %v", err)
	}
	if got := s.records[id].registers.Get(18).Value; len(got) == 0 {
		t.Error("the work did not get there")
	}
}

// A server restored from before the tablet enrolled knows it by its certificate, holds what it sends until somebody confirms it, and
// then gets back what the tablet has seen.
func TestATabletThatTheServerForgot(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	restore := s.backup()
	tab := enrolled(t, s, "li-wei")
	id, err := tab.LogCommunityActivity(ctx, activity("一"))
	tab.must(err)
	s.set(testID(14, 1), activity("网页上的"))
	tab.sync()
	restore()
	another, err := tab.LogCommunityActivity(ctx, activity("二"))
	tab.must(err)
	got := tab.sync()
	if !got.Unconfirmed || got.Sent != 2 || got.Held != 2 || !tab.status().Unconfirmed {
		t.Errorf("Sync = %+v, %+v", got, tab.status())
	}
	if st := tab.status(); st.Unsent != 0 || st.Held != 2 {
		t.Errorf("status: %+v", st)
	}
	s.confirm()
	if got := tab.sync(); got.Unconfirmed || got.GivenBack == 0 || tab.status().Unconfirmed || tab.status().Held != 0 {
		t.Errorf("Sync = %+v, %+v", got, tab.status())
	}
	tab.sameAs(s)
	for _, id := range []hlc.ID{id, another, testID(14, 1)} {
		if s.records[id] == nil {
			t.Errorf("the server lacks %s", id)
		}
	}
}

// Tablets carry the journal to a server that lost it, and keep no entry that is not the server's.
func TestTheJournalIsCarried(t *testing.T) {
	s := newServer(t)
	tab, late := enrolled(t, s, "li-wei"), enrolled(t, s, "zhang-min")
	entry := func(subject string) *syncv1.JournalEntry {
		e := &syncv1.JournalEntry{Sort: wire.JournalRevoked, Subject: []byte(subject), At: start.UnixMilli()}
		wire.SealJournalEntry(s.key, s.deployment, e)
		return e
	}
	s.journal = []*syncv1.JournalEntry{entry("一"), entry("二")}
	tab.sync()
	s.journal = append(s.journal, entry("三"))
	tab.sync()
	if got := tab.inside(); len(got.JournalEntries) != 3 || got.Journal.Position != 3 {
		t.Errorf("it holds %d entries, up to %v", len(got.JournalEntries), got.Journal)
	}
	late.sync()

	s.journal = []*syncv1.JournalEntry{entry("四")}
	if got := tab.sync(); got.Requests != 2 {
		t.Errorf("Sync = %+v", got)
	}
	if len(s.journal) != 4 || len(tab.inside().JournalEntries) != 4 {
		t.Errorf("the server has %d entries again, the tablet %d", len(s.journal), len(tab.inside().JournalEntries))
	}
	late.sync()
	if got := late.inside(); len(got.JournalEntries) != 4 || got.Journal.Position != 4 {
		t.Errorf("the other holds %d entries, up to %v", len(got.JournalEntries), got.Journal)
	}
	forged := entry("五")
	forged.Subject = []byte("别的")
	s.journal = append(s.journal, forged)
	if got := tab.sync(); got.Requests != 1 || len(tab.inside().JournalEntries) != 4 {
		t.Errorf("a forged entry: %+v, %d entries", got, len(tab.inside().JournalEntries))
	}
}

// A full disk refuses what does not fit, also in the middle of a sync; what is there can be read, nothing is lost, and with room again
// everything goes on.
func TestFullDisk(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.pageSize = 40
	tab := enrolled(t, s, "li-wei")
	for i := range byte(200) {
		full := activity("满")
		full.Summary = proto.String(strings.Repeat("满", 600))
		s.set(testID(14, i+1), full)
	}
	tab.must(tab.Close())
	size, err := os.Stat(tab.path)
	tab.must(err)
	tab.maxBytes = size.Size() + 200<<10
	tab.open()
	var made []hlc.ID
	for {
		id, err := tab.LogCommunityActivity(ctx, activity("本机的"))
		if clientlib.Code(err) == "storage_full" {
			break
		}
		tab.must(err)
		if made = append(made, id); len(made) == 60 {
			break
		}
	}
	got, err := tab.Sync(ctx, nil)
	if clientlib.Code(err) != "storage_full" || got.Received == 0 {
		t.Fatalf("Sync = %+v, %v", got, err)
	}
	for _, lang := range []string{"zh", "en"} {
		if clientlib.Message(err, lang) != problem.Message(problem.StorageFull, lang) {
			t.Errorf("people read %q", clientlib.Message(err, lang))
		}
	}
	for _, id := range made {
		tab.record(id)
	}
	if st := tab.status(); st.Unsent+st.Sent+st.Durable != len(made) {
		t.Errorf("with a full disk: %+v", st)
	}
	tab.maxBytes = 0
	tab.reopen()
	tab.sync()
	tab.sameAs(s)
	if len(s.records) != 8+200+len(made) {
		t.Errorf("the server has %d records", len(s.records))
	}
}
