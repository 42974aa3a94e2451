package clientlib_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func TestSyncCarriesRecordsBothWays(t *testing.T) {
	s := newServer(t)
	li, zhang := enrolled(t, s, "li-wei"), enrolled(t, s, "zhang-min")
	ctx := t.Context()

	id, err := li.LogCommunityActivity(ctx, activity("中秋联欢"))
	li.must(err)
	if st := li.status(); st.Unsent != 1 || st.Sent != 0 || st.Durable != 0 {
		t.Errorf("before the sync: %+v", st)
	}
	var phases []clientlib.Progress
	got, err := li.Sync(ctx, func(p clientlib.Progress) { phases = append(phases, p) })
	li.must(err)
	if got.Sent != 1 || got.Held != 0 || got.Requests != 1 {
		t.Errorf("Sync = %+v", got)
	}
	if first, last := phases[0], phases[len(phases)-1]; first.Phase != clientlib.PhaseSending || first.ToSend != 1 ||
		last != (clientlib.Progress{Phase: clientlib.PhaseDone, Sent: 1, ToSend: 1, Received: got.Received, ToReceive: got.Received, BytesUp: got.BytesUp, BytesDown: got.BytesDown}) {
		t.Errorf("progress was %+v", phases)
	}
	if st := li.status(); st.Unsent != 0 || st.Durable != 1 {
		t.Errorf("after the sync: %+v", st)
	}
	if r := li.record(id); r.Sending != clientlib.Durable {
		t.Errorf("the record is %s", r.Sending)
	}

	zhang.sync()
	if r := zhang.record(id); r.Sending != clientlib.Received || !slices.Equal(r.Missing, nil) {
		t.Errorf("at the colleague's: %+v", r)
	}
	quiet := zhang.sync()
	t.Logf("a sync with nothing new: %+v", quiet)
	if quiet.Requests != 1 || quiet.Received != 0 || quiet.BytesUp > 800 || quiet.BytesDown > 300 {
		t.Errorf("a sync with nothing new cost %+v", quiet)
	}
}

func TestSyncInBatchesAndPages(t *testing.T) {
	s := newServer(t)
	s.pageSize, s.durable = 30, false
	li, zhang := enrolled(t, s, "li-wei"), enrolled(t, s, "zhang-min")
	const many = 950
	for i := range many {
		_, err := li.LogCommunityActivity(t.Context(), activity(fmt.Sprint(i)))
		li.must(err)
	}
	var seen []clientlib.Progress
	got, err := li.Sync(t.Context(), func(p clientlib.Progress) { seen = append(seen, p) })
	li.must(err)
	if got.Sent != many || got.Requests < 3 {
		t.Errorf("Sync = %+v", got)
	}
	for i, p := range seen {
		if i > 0 && (p.Sent < seen[i-1].Sent || p.Received < seen[i-1].Received) || p.Sent > p.ToSend || p.ToSend != many {
			t.Errorf("progress went from %+v to %+v", seen[max(0, i-1)], p)
		}
	}
	if st := li.status(); st.Sent != many || st.Durable != 0 || st.Unsent != 0 {
		t.Errorf("not durable yet: %+v", st)
	}
	s.durable = true
	li.sync()
	if st := li.status(); st.Sent != 0 || st.Durable != many {
		t.Errorf("durable now: %+v", st)
	}

	zhang.sync()
	zhang.sameAs(s)
	li.sameAs(s)
	var firsts []uint64
	for _, r := range s.asked {
		if n := uint64(len(r.GetPush().GetEntries())); n > 0 {
			firsts = append(firsts, r.GetPush().GetFirst())
			if want := many - r.GetPush().GetFirst() + 1 - n; r.GetUnsent() != want {
				t.Errorf("behind change %d it says that %d are unsent, not %d", r.GetPush().GetFirst()+n-1, r.GetUnsent(), want)
			}
		}
	}
	if !slices.Equal(firsts, []uint64{1, 401, 801}) {
		t.Errorf("batches began at %v", firsts)
	}
}

// Whatever the network does, in the end everybody has the same records, every change counted once, and nothing is unsent.
func TestNetworksDoNoHarm(t *testing.T) {
	if raced {
		defer fewerChecks("10")()
	}
	rapid.Check(t, func(rt *rapid.T) {
		t := checked{t, rt}
		s := newServer(t)
		s.pageSize = rapid.IntRange(1, 20).Draw(rt, "page size")
		secrets := []string{"li-wei", "zhang-min", "chen-jie"}
		tabs := make([]*tablet, len(secrets))
		for i, secret := range secrets {
			tabs[i] = enrolled(t, s, secret)
		}
		var made []hlc.ID
		changes := 0
		rt.Repeat(map[string]func(*rapid.T){
			"log": func(rt *rapid.T) {
				tab := rapid.SampledFrom(tabs).Draw(rt, "tablet")
				id, err := tab.LogCommunityActivity(t.Context(), activity(fmt.Sprint("活动", len(made))))
				tab.must(err)
				made = append(made, id)
				changes++
			},
			"edit": func(rt *rapid.T) {
				tab := rapid.SampledFrom(tabs).Draw(rt, "tablet")
				if len(made) == 0 {
					return
				}
				id := rapid.SampledFrom(made).Draw(rt, "record")
				edit := rapid.SampledFrom([]func() error{
					func() error { return tab.Delete(t.Context(), id) },
					func() error { return tab.Restore(t.Context(), id) },
					func() error {
						return tab.Update(t.Context(), id, &recordv1.CommunityActivity{Minutes: proto.Uint32(uint32(rapid.IntRange(1, 99).Draw(rt, "minutes")))})
					},
					func() error { return tab.Update(t.Context(), id, &recordv1.CommunityActivity{}, "minutes") },
				}).Draw(rt, "edit")
				before := tab.status().Unsent
				if err := edit(); err != nil && clientlib.Code(err) != clientlib.CodeRecordMissing && clientlib.Code(err) != clientlib.CodeRecordDeleted {
					rt.Fatal(err)
				}
				changes += tab.status().Unsent - before
			},
			"sync": func(rt *rapid.T) {
				tab := rapid.SampledFrom(tabs).Draw(rt, "tablet")
				tab.net.fault = func() fault { return fault(rapid.IntRange(int(fine), int(faults)-1).Draw(rt, "fault")) }
				_, err := tab.Sync(t.Context(), nil)
				tab.net.fault = nil
				if err != nil && clientlib.Code(err) != "unavailable" {
					rt.Fatal(err)
				}
			},
			"time": func(*rapid.T) {
				s.now = s.now.Add(time.Hour)
				for _, tab := range tabs {
					tab.now = tab.now.Add(time.Hour)
				}
			},
			"clock": func(rt *rapid.T) {
				tab := rapid.SampledFrom(tabs).Draw(rt, "tablet")
				// Whoever sets the clock of a tablet may be wrong by a day or a year.
				tab.now = s.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, -24, 24, 24 * 365, -24 * 365}).Draw(rt, "hours")) * time.Hour)
			},
			"restart": func(rt *rapid.T) { rapid.SampledFrom(tabs).Draw(rt, "tablet").reopen() },
		})
		for range 3 { // what the first brings the others have not seen
			for _, tab := range tabs {
				tab.sync()
			}
		}
		for _, tab := range tabs {
			tab.sameAs(s)
		}
		arrived := 0
		for _, r := range s.replicas {
			arrived += len(r.changes)
		}
		if arrived != changes {
			rt.Fatalf("%d changes were made and %d arrived", changes, arrived)
		}
		for _, tab := range tabs {
			tab.must(tab.Close())
		}
	})
}

// fewerChecks lets rapid check less often, until the function that it returns is called.
func fewerChecks(n string) func() {
	checks := flag.Lookup("rapid.checks").Value
	was := checks.String()
	_ = checks.Set(n) // a number
	return func() { _ = checks.Set(was) }
}

// checked is a test whose failures rapid sees, so that it can look for a smaller one.
type checked struct {
	testing.TB
	rapid *rapid.T
}

func (c checked) Error(args ...any)                 { c.rapid.Error(args...) }
func (c checked) Errorf(format string, args ...any) { c.rapid.Errorf(format, args...) }
func (c checked) Fatal(args ...any)                 { c.rapid.Fatal(args...) }
func (c checked) FailNow()                          { c.rapid.FailNow() }

// A held change is out of the view, with its code, and everything else goes on.
func TestHeldChanges(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	kept, err := tab.LogCommunityActivity(ctx, activity("照常"))
	tab.must(err)
	tab.sync()
	s.hold = func(c *record.Change) string {
		if c.Kind == recordv1.Kind_KIND_CASE || !c.Makes() {
			return "not_your_team"
		}
		return ""
	}
	refused, err := tab.LogCase(ctx, aCase("WZ-001"))
	tab.must(err)
	tab.must(tab.Update(ctx, kept, &recordv1.CommunityActivity{Minutes: proto.Uint32(90)}))
	tab.must(tab.Update(ctx, refused, &recordv1.Case{Age: proto.Uint32(40)}, "opened_on"))
	last, err := tab.LogCommunityActivity(ctx, activity("最后"))
	tab.must(err)
	if got := tab.sync(); got.Sent != 4 || got.Held != 3 {
		t.Errorf("Sync = %+v", got)
	}

	if _, err := tab.Record(ctx, refused); clientlib.Code(err) != clientlib.CodeRecordMissing {
		t.Errorf("a record whose making is held: %v", err)
	}
	if r := tab.record(kept); r.Message.(*recordv1.CommunityActivity).GetMinutes() != 60 || !slices.Equal(r.Held, []string{"not_your_team"}) {
		t.Errorf("a record of which a change is held: %+v", r)
	}
	if r := tab.record(last); r.Sending != clientlib.Durable || len(r.Held) != 0 {
		t.Errorf("the record after it: %+v", r)
	}
	held, err := tab.Held(ctx)
	tab.must(err)
	if len(held) != 3 || held[0].Record != refused || !held[0].Makes || held[0].Code != "not_your_team" ||
		held[0].Message.(*recordv1.Case).GetCaseNo() != "WZ-001" || !held[0].Made.Equal(start) ||
		held[1].Record != kept || held[1].Makes || held[1].Message.(*recordv1.CommunityActivity).GetMinutes() != 90 ||
		!slices.Equal(held[2].Cleared, []string{"opened_on"}) {
		t.Errorf("held: %+v", held)
	}
	if st := tab.status(); st.Held != 3 || st.Unsent != 0 || st.Durable != 5 {
		t.Errorf("status: %+v", st)
	}
	if totals, err := tab.Totals(ctx, 0); err != nil || totals.Held != 3 {
		t.Errorf("totals: %+v, %v", totals.Completeness, err)
	}
	if err := tab.Update(ctx, refused, aCase("WZ-002")); clientlib.Code(err) != clientlib.CodeRecordMissing {
		t.Errorf("changing a record whose making is held: %v", err)
	}
	tab.sameAs(s)
	tab.reopen()
	if quiet := tab.sync(); quiet.Requests != 1 || quiet.Held != 0 {
		t.Errorf("the sync after that: %+v", quiet)
	}
}

// The stamps of what no server can have got move by as much as the clock was wrong, and keep their order; what a server
// may have got keeps its stamps.
func TestClockSkew(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"slow": -400 * 24 * time.Hour, "fast": 300 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			tab := enrolled(t, s, "li-wei")
			ctx := t.Context()
			first, err := tab.LogCommunityActivity(ctx, activity("一"))
			tab.must(err)
			tab.sync()

			tab.now = tab.now.Add(wrong)
			day := func(m *recordv1.CommunityActivity) *recordv1.CommunityActivity { // as the worker knows it, whatever the tablet says
				m.OccurredOn, m.Status = proto.Int32(20210923), recordv1.Status_STATUS_PLANNED.Enum()
				return m
			}
			second, err := tab.LogCommunityActivity(ctx, day(activity("二")))
			tab.must(err)
			tab.now = tab.now.Add(time.Hour)
			s.now = s.now.Add(time.Hour)
			tab.must(tab.Update(ctx, second, &recordv1.CommunityActivity{Name: proto.String("贰")}))
			tab.must(tab.Update(ctx, first, &recordv1.CommunityActivity{Name: proto.String("壹")}))
			tab.must(tab.Delete(ctx, second))
			tab.must(tab.Restore(ctx, second))
			tab.must(tab.Delete(ctx, first))
			tab.now = tab.now.Add(time.Hour)
			s.now = s.now.Add(time.Hour)

			got := tab.sync()
			if got.Sent != 6 || got.Requests != 2 || got.ClockCorrected != -wrong {
				t.Fatalf("Sync = %+v", got)
			}
			tab.sameAs(s)
			changes := s.replicas[s.asked[0].GetPush().GetReplica()].changes
			ages := []time.Duration{2, 2, 1, 1, 1, 1, 1} // hours before the sync
			if wrong < 0 {
				// Behind what it had seen, the tablet could not tell how the hours went by.
				ages = []time.Duration{2, 0, 0, 0, 0, 0, 0}
			}
			seen := record.Registers(nil)
			for i, c := range changes {
				if i > 0 && c.Stamp.Time <= changes[i-1].Stamp.Time {
					t.Errorf("change %d does not come after the one before", i+1)
				}
				if at := s.now.Add(-ages[i] * time.Hour); !c.Stamp.Time.Wall().Equal(at) {
					t.Errorf("change %d is stamped %v, want %v", i+1, c.Stamp.Time.Wall(), at)
				}
				for f, p := range c.Parents {
					if !slices.ContainsFunc(changes[:i], func(before *record.Change) bool { return before.Stamp == p }) {
						t.Errorf("change %d: the parent of field %d is no stamp of an earlier change", i+1, f)
					}
				}
			}
			for _, i := range []int{1, 2} { // what the delete of the second activity had seen
				seen = record.Merge(seen, changes[i].Registers())
			}
			if record.DeletionClashes(seen, changes[4]) {
				t.Error("the delete says that it has not seen the changes before it")
			}
			if st := tab.status(); !tab.now.Add(st.ClockOffset).Equal(s.now) {
				t.Errorf("the clock is corrected by %v", st.ClockOffset)
			}

			// A second try whose answer is lost: the server may have these, so another jump of the clock leaves them.
			_, err = tab.LogCommunityActivity(ctx, activity("三"))
			tab.must(err)
			tab.net.fault = func() fault { return requestLost }
			if _, err := tab.Sync(ctx, nil); clientlib.Code(err) != "unavailable" {
				t.Fatal(err)
			}
			tab.net.fault = nil
			tab.now = tab.now.Add(-wrong)
			_, err = tab.LogCommunityActivity(ctx, day(activity("四")))
			tab.must(err)
			stamped := s.now
			s.now, tab.now = s.now.Add(time.Hour), tab.now.Add(time.Hour)
			tab.sync()
			changes = s.replicas[s.asked[0].GetPush().GetReplica()].changes
			if at := changes[7].Stamp.Time.Wall(); !at.Equal(stamped) {
				t.Errorf("what the server may have had is stamped %v, and was %v", at, stamped)
			}
			if wrong > 0 { // now the clock was slow
				stamped = s.now
			}
			if at := changes[8].Stamp.Time.Wall(); !at.Equal(stamped) {
				t.Errorf("what it can't have had is stamped %v, want %v", at, stamped)
			}
		})
	}
}

// A server that never believes the clock is not asked for ever.
func TestClockThatCantBeCorrected(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	s.refuse = func(*syncv1.SyncRequest) *problem.Problem {
		return &problem.Problem{Code: problem.ClockSkew, ServerTime: s.now}
	}
	got, err := tab.Sync(t.Context(), nil)
	if clientlib.Code(err) != "clock_skew" || got.Requests != 4 {
		t.Errorf("Sync = %+v, %v", got, err)
	}
}

// What a refusal says was not stored is not taken for sent: its stamps may still be corrected.
func TestRefusedChangesAreNotTakenForSent(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	tab.now = tab.now.Add(-10 * 24 * time.Hour)
	_, err := tab.LogCommunityActivity(t.Context(), activity("一"))
	tab.must(err)
	s.now = s.now.Add(time.Hour)
	for _, code := range []problem.Code{problem.BatchTooLarge, problem.DeviceUnknown} {
		s.refuse = func(*syncv1.SyncRequest) *problem.Problem { return problem.New(code) }
		if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != string(code) {
			t.Fatal(err)
		}
	}
	s.refuse = nil
	tab.sync()
	if at := s.replicas[s.asked[0].GetPush().GetReplica()].changes[0].Stamp.Time.Wall(); !at.Equal(s.now) {
		t.Errorf("the change is stamped %v, want %v", at, s.now)
	}
}

func TestRefusedSync(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	_, err := tab.LogCommunityActivity(t.Context(), activity("一"))
	tab.must(err)
	for _, code := range []problem.Code{
		problem.DeviceRevoked, problem.DeviceUnknown, problem.Busy, problem.StorageFull, problem.Internal, problem.ProtocolUnsupported, problem.BodyTooLarge,
	} {
		s.refuse = func(*syncv1.SyncRequest) *problem.Problem { return problem.New(code) }
		got, err := tab.Sync(t.Context(), nil)
		requests := 1
		if code == problem.DeviceUnknown {
			requests = 2 // the second shows the certificate
		}
		if clientlib.Code(err) != string(code) || got.Requests != requests || tab.status().Unsent != 1 {
			t.Errorf("%s: %+v, %v", code, got, err)
		}
		for _, lang := range []string{"zh", "en"} {
			if clientlib.Message(err, lang) != problem.Message(code, lang) {
				t.Errorf("%s: people read %q", code, clientlib.Message(err, lang))
			}
		}
	}
	s.refuse = nil
	tab.sync()
	tab.sameAs(s)
}

// A server that was set back has less than it once said: what it lacks is sent again, and nothing changes here.
func TestServerSetBack(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	ctx := t.Context()
	for i := range 5 {
		_, err := tab.LogCommunityActivity(ctx, activity(fmt.Sprint(i)))
		tab.must(err)
		tab.sync()
	}
	r := s.replicas[s.asked[0].GetPush().GetReplica()]
	for _, c := range r.changes[2:] {
		delete(s.seen, c.ID)
		delete(s.records, c.Record)
	}
	r.changes, r.chains = r.changes[:2], r.chains[:3]
	if got := tab.sync(); got.Sent != 3 || got.Requests != 2 {
		t.Errorf("Sync = %+v", got)
	}
	tab.sameAs(s)
}

func TestBatchesAreBoundedInBytes(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	theCase, err := tab.LogCase(t.Context(), aCase("1"))
	tab.must(err)
	session, err := tab.LogCaseSession(t.Context(), aSession(theCase))
	tab.must(err)
	long := proto.String(strings.Repeat("字", 5000))
	for range 10 {
		_, err := tab.LogCaseNote(t.Context(), &recordv1.CaseNote{Session: session[:], Process: long, Assessment: long, Response: long, Plan: long})
		tab.must(err)
	}
	tab.sync()
	batches := 0
	for _, r := range s.asked {
		size := 0
		for _, e := range r.GetPush().GetEntries() {
			size += len(e.GetChange())
		}
		if size > 0 {
			batches++
		}
		if size > 256<<10 {
			t.Errorf("a batch has %d bytes", size)
		}
	}
	if batches != 3 {
		t.Errorf("600 KB went in %d batches", batches)
	}
	tab.sameAs(s)
}

func TestDroppedRecords(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	one, other := testID(14, 1), testID(14, 2)
	s.set(one, activity("别队的"))
	s.set(other, activity("别队的，已改"))
	tab.sync()
	s.dropped = [][]byte{one[:], {1, 2, 3}}
	tab.sync()
	if _, err := tab.Record(t.Context(), one); clientlib.Code(err) != clientlib.CodeRecordMissing {
		t.Errorf("a dropped record: %v", err)
	}
	// Unsent work keeps its record: here it is logged while the request is under way, and the connection is lost after it.
	requests := 0
	tab.net.fault = func() fault {
		if requests++; requests > 1 {
			return requestLost
		}
		if err := tab.Update(t.Context(), other, &recordv1.CommunityActivity{Minutes: proto.Uint32(5)}); err != nil {
			t.Error(err)
		}
		s.dropped = [][]byte{other[:]}
		return fine
	}
	if got, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != "unavailable" || got.Requests != 2 {
		t.Errorf("Sync = %+v, %v", got, err)
	}
	if r := tab.record(other); r.Message.(*recordv1.CommunityActivity).GetMinutes() != 5 {
		t.Errorf("a record with unsent work: %+v", r)
	}
}

// What was logged while a request was under way is sent by the same sync, and its page does not hide it.
func TestLoggingDuringASync(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	id := testID(14, 1)
	s.set(id, activity("服务器的"))
	tab.sync()
	s.set(id, &recordv1.CommunityActivity{Minutes: proto.Uint32(30)})
	tab.net.fault = func() fault {
		tab.net.fault = nil
		if err := tab.Update(t.Context(), id, &recordv1.CommunityActivity{Name: proto.String("平板的")}); err != nil {
			t.Error(err)
		}
		return fine
	}
	if got := tab.sync(); got.Sent != 1 || got.Requests != 2 {
		t.Errorf("Sync = %+v", got)
	}
	if m := tab.record(id).Message.(*recordv1.CommunityActivity); m.GetName() != "平板的" || m.GetMinutes() != 30 {
		t.Errorf("the record is %v", m)
	}
	tab.sameAs(s)
}

func TestCancelledSyncGoesOnLater(t *testing.T) {
	s := newServer(t)
	s.pageSize = 2
	for i := range byte(20) {
		s.set(testID(14, i+1), activity(fmt.Sprint(i)))
	}
	tab := enrolled(t, s, "li-wei")
	ctx, cancel := context.WithCancel(t.Context())
	got, err := tab.Sync(ctx, func(p clientlib.Progress) {
		if p.Received >= 10 {
			cancel()
		}
	})
	if clientlib.Code(err) != clientlib.CodeCancelled || got.Received != 10 {
		t.Errorf("Sync = %+v, %v", got, err)
	}
	if got := tab.sync(); got.Received != 18 {
		t.Errorf("it went on with %+v", got)
	}
	tab.sameAs(s)
}

// A server that takes nothing and gives nothing is left alone.
func TestServerThatBringsNothingForward(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	s.answer = func(a *syncv1.SyncResponse) { a.Page.Remaining, a.Page.Cursor = 5, nil }
	if got, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != "unavailable" || got.Requests != 1 {
		t.Errorf("Sync = %+v, %v", got, err)
	}
	for name, spoil := range map[string]func(*syncv1.SyncResponse){
		"no acknowledgement": func(a *syncv1.SyncResponse) { a.Acknowledgement = nil },
		"no page":            func(a *syncv1.SyncResponse) { a.Page = nil },
	} {
		s.answer = spoil
		if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != "malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One record that can't be read stands in nobody's way.
func TestUnreadableRecords(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	s.set(testID(14, 1), activity("好的"))
	s.answer = func(a *syncv1.SyncResponse) {
		id := testID(14, 9)
		a.Page.Records = append(a.Page.Records,
			&syncv1.PulledRecord{Id: id[:], Kind: 14, Position: 3, State: []byte{0xff}},
			&syncv1.PulledRecord{Id: id[:], Kind: 14, Position: 3},
			&syncv1.PulledRecord{Id: id[:5], Kind: 14, Position: 3},
			&syncv1.PulledRecord{Id: id[:], Kind: 0, Position: 3})
	}
	if got := tab.sync(); got.Unreadable != 4 {
		t.Errorf("Sync = %+v", got)
	}
	s.answer = nil
	tab.sameAs(s)
}

// Two processes sync one file: what one may have got through keeps its stamps, though the other one's request was refused
// for its clock.
func TestRefusedWhileAnotherProcessSends(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	other := &tablet{t: t, path: tab.path, net: &network{server: s.http}, now: tab.now, seed: 5}
	other.open()
	t.Cleanup(func() { _ = other.Close() })
	_, err := tab.LogCommunityActivity(t.Context(), activity("一"))
	tab.must(err)

	other.net.fault = func() fault { return answerLost }
	requests := 0
	tab.net.fault = func() fault {
		if requests++; requests == 1 {
			if _, err := other.Sync(t.Context(), nil); clientlib.Code(err) != "unavailable" {
				t.Errorf("the other's sync: %v", err)
			}
			s.now = s.now.Add(time.Hour)
		}
		return fine
	}
	if got := tab.sync(); got.ClockCorrected != time.Hour || got.Sent != 1 {
		t.Errorf("Sync = %+v", got)
	}
	tab.sameAs(s)
}

// Answers may reach the file in another order than the server gave them.
func TestAnswersOutOfOrder(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	other := &tablet{t: t, path: tab.path, net: &network{server: s.http}, now: tab.now, seed: 5}
	other.open()
	t.Cleanup(func() { _ = other.Close() })
	for i := range 3 {
		_, err := tab.LogCommunityActivity(t.Context(), activity(fmt.Sprint(i)))
		tab.must(err)
	}
	requests := 0
	tab.net.after = func() { // the server has answered, and the answer is under way
		if requests++; requests == 1 {
			_, err := other.LogCommunityActivity(t.Context(), activity("另一个"))
			other.must(err)
			s.set(testID(14, 1), activity("服务器的"))
			other.sync()
		}
	}
	tab.sync()
	tab.sameAs(s)
	other.sameAs(s)
}

// An answer that comes when another process has begun to pull from the beginning does not put the cursor forward again.
func TestLateAnswerAfterAMove(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	s.set(testID(14, 1), activity("早先的"))
	other := &tablet{t: t, path: tab.path, net: &network{server: s.http}, now: tab.now, seed: 5}
	other.open()
	t.Cleanup(func() { _ = other.Close() })
	requests := 0
	other.net.fault = func() fault {
		if requests++; requests > 1 {
			return requestLost
		}
		return fine
	}
	tab.net.after = func() {
		tab.net.after = nil
		s.set(liWei, &recordv1.Worker{Team: teamB[:]})
		if _, err := other.Sync(t.Context(), nil); clientlib.Code(err) != "unavailable" {
			t.Errorf("the other's sync: %v", err)
		}
	}
	tab.sync()
	// The other's second request, which was lost, would have been the first from the beginning.
	if !slices.ContainsFunc(s.asked[1:], func(r *syncv1.SyncRequest) bool { return r.GetPull().GetCursor().GetPosition() == 0 }) {
		t.Error("no pull began at 0 after the move")
	}
	tab.sameAs(s)
}

func TestCertificateIsShownAndRenewedOnceHalfOfItsTimeIsOver(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	shown := func() bool {
		tab.sync()
		return s.asked[len(s.asked)-1].GetCertificate() != nil
	}
	if shown() {
		t.Error("a new certificate is shown")
	}
	s.now, tab.now = s.now.Add(16*24*time.Hour), tab.now.Add(16*24*time.Hour)
	if !shown() {
		t.Error("a certificate past half its time is not shown")
	}
	if shown() {
		t.Error("the renewed one was not kept")
	}
}

func TestNewRolePullsFromTheBeginning(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	s.set(testID(14, 1), activity("早先的"))
	s.set(liWei, &recordv1.Worker{Role: recordv1.Role_ROLE_SUPERVISOR.Enum()})
	tab.sync()
	if !slices.ContainsFunc(s.asked[1:], func(r *syncv1.SyncRequest) bool { return r.GetPull().GetCursor().GetPosition() == 0 }) {
		t.Error("what the new role may see was not asked for")
	}
	tab.sameAs(s)
}

// A request that another process has overtaken knows of less than the server has: that is no fork.
func TestOvertakenRequest(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	other := &tablet{t: t, path: tab.path, net: &network{server: s.http}, now: tab.now, seed: 5}
	other.open()
	t.Cleanup(func() { _ = other.Close() })
	_, err := tab.LogCommunityActivity(t.Context(), activity("一"))
	tab.must(err)
	tab.net.fault = func() fault {
		tab.net.fault = nil
		_, err := other.LogCommunityActivity(t.Context(), activity("二"))
		other.must(err)
		other.sync()
		return fine
	}
	if got := tab.sync(); got.Requests != 2 {
		t.Errorf("Sync = %+v", got)
	}
	tab.sameAs(s)
}

// A review names the stamps that it judged: when these are moved, so are they in the review.
func TestReviewHoldsAfterTheClockWasCorrected(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	tab.now = tab.now.Add(2 * time.Hour)
	ctx := t.Context()
	id, err := tab.LogCommunityActivity(ctx, activity("义诊"))
	tab.must(err)
	_, err = tab.LogReview(ctx, &recordv1.Review{Target: id[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()})
	tab.must(err)
	verified := func() int64 {
		totals, err := tab.Totals(ctx, 0)
		tab.must(err)
		return totals.Value(tally.Cell{Basis: tally.Verified, Figure: tally.CommunityActivities, Cut: tally.Everything()})
	}
	if verified() != 1 {
		t.Fatal("not verified before the sync")
	}
	if got := tab.sync(); got.ClockCorrected == 0 {
		t.Fatal("the clock was not corrected")
	}
	if verified() != 1 {
		t.Error("the review lapsed by the correction of the clock")
	}
	tab.sameAs(s)
}
