package clientlib_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"levee/clientlib"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
)

// keeping is a tablet that syncs by itself, in a bubble of synctest, whose time its clock and the server's are.
type keeping struct {
	*tablet
	*clientlib.Syncer
	server *fakeServer
	began  time.Time
	// off is by how much its clock is off.
	off atomic.Int64
	// random is where in the range of waits the next one is.
	random float64
	// tries are when requests were made, since it began.
	tries []time.Duration
}

func bubble(t *testing.T, f func(t *testing.T, k *keeping)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		k := newKeeping(t, s, "li-wei")
		k.must(k.Enrol(t.Context(), s.code("http://levee.test", "li-wei")))
		k.sync()
		k.keep()
		f(t, k)
	})
}

// newKeeping is a tablet that is not enrolled, and does not sync yet.
func newKeeping(t *testing.T, s *fakeServer, name string) *keeping {
	t.Helper()
	k := &keeping{server: s, began: time.Now(), random: 0.5}
	k.tablet = &tablet{t: t, path: filepath.Join(t.TempDir(), name+".db"), net: &network{server: s.http}}
	s.refuse = func(*syncv1.SyncRequest) *problem.Problem {
		s.now = start.Add(time.Since(k.began))
		return nil
	}
	k.net.fault = k.fault(fine)
	store, err := clientlib.Open(t.Context(), k.path, clientlib.Options{
		Key: testKey, Transport: k.net, Entropy: rand.NewChaCha8([32]byte{7}),
		Wall: func() time.Time { return start.Add(time.Since(k.began) + time.Duration(k.off.Load())) },
	})
	k.must(err)
	k.Store = store
	t.Cleanup(func() { _ = store.Close() })
	return k
}

// fault is what is to happen to all requests from now on.
func (k *keeping) fault(f fault) func() fault {
	return func() fault {
		k.tries = append(k.tries, time.Since(k.began))
		return f
	}
}

// keep begins to sync.
func (k *keeping) keep() {
	k.Syncer = k.KeepSyncing(clientlib.SyncerOptions{Random: func() float64 { return k.random }})
	synctest.Wait()
	k.tries = nil
}

// Close closes the store.
func (k *keeping) Close() error { return k.Store.Close() }

// log logs an activity, and says so.
func (k *keeping) log(urgent bool) {
	k.t.Helper()
	_, err := k.LogCommunityActivity(k.t.Context(), activity("中秋联欢"))
	k.must(err)
	k.Wake(urgent)
	synctest.Wait()
}

// after lets time pass.
func (k *keeping) after(d time.Duration) {
	_ = k.State() // by its lock, the Syncer sees what the test has set
	time.Sleep(d) // of the bubble
	synctest.Wait()
}

// tried fails unless so many requests were made since it was last asked.
func (k *keeping) tried(when string, want int) {
	k.t.Helper()
	if len(k.tries) != want {
		k.t.Errorf("%s: %d requests at %v, want %d", when, len(k.tries), k.tries, want)
	}
	k.tries = nil
}

// doing fails unless that is what it does.
func (k *keeping) doing(when string, want clientlib.SyncDoing) clientlib.SyncState {
	k.t.Helper()
	state := k.State()
	if state.Doing != want || state.Next.IsZero() != (want != clientlib.SyncIdle && want != clientlib.SyncWaiting) {
		k.t.Errorf("%s: %+v", when, state)
	}
	return state
}

func TestASyncerSendsWhatIsLoggedAndAsksForMore(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		k.doing("at first", clientlib.SyncIdle)
		for range 3 {
			k.log(false)
			k.after(900 * time.Millisecond)
		}
		k.tried("during a burst", 0)
		if state := k.doing("during a burst", clientlib.SyncWaiting); state.Status.Unsent != 3 {
			k.t.Errorf("%+v", state.Status)
		}
		k.after(time.Second)
		k.tried("after a burst", 1)
		state := k.doing("after a burst", clientlib.SyncIdle)
		if state.Status.Durable != 3 || state.Result.Sent != 3 || state.Fraction != 1 || state.Progress.Phase != clientlib.PhaseDone ||
			state.Progress.BytesUp == 0 || state.Last.IsZero() || state.Err != nil {
			k.t.Errorf("%+v", state)
		}
		id := testID(14, 9)
		k.server.set(id, activity("张敏的活动"))
		k.after(14 * time.Minute)
		k.tried("before a quarter of an hour", 0)
		k.after(time.Minute)
		k.tried("after a quarter of an hour", 1)
		k.record(id)
		// Nobody says what another program logged in the same file: it is seen when the time for asking comes.
		_, err := k.LogCommunityActivity(k.t.Context(), activity("别的程序"))
		k.must(err)
		k.after(16 * time.Minute)
		if got := k.State().Status; got.Unsent != 0 || got.Durable != 4 {
			k.t.Errorf("%+v", got)
		}
	})
}

func TestASyncerBeginsWhenTheTabletIsEnrolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		k := newKeeping(t, s, "li-wei")
		k.keep()
		k.after(time.Hour)
		k.tried("not enrolled", 0)
		k.doing("not enrolled", clientlib.SyncOff)
		s.now = start.Add(time.Since(k.began))
		k.must(k.Enrol(t.Context(), s.code("http://levee.test", "li-wei")))
		k.tries = nil
		k.Wake(false)
		synctest.Wait()
		k.tried("enrolled", 1)
		k.doing("enrolled", clientlib.SyncIdle)
	})
}

func TestASyncerWaitsLongerAfterEachFailure(t *testing.T) {
	for _, random := range []float64{0, 0.5, 0.999} {
		bubble(t, func(_ *testing.T, k *keeping) {
			k.random = random
			k.net.fault = k.fault(requestLost)
			k.log(false)
			for len(k.tries) < 12 {
				k.after(time.Minute)
			}
			most := 2 * time.Second
			for i, at := range k.tries[1:] {
				if most *= 2; most > 5*time.Minute {
					most = 5 * time.Minute
				}
				want := 2*time.Second + time.Duration(random*float64(most-2*time.Second))
				if wait := at - k.tries[i]; (wait - want).Abs() > time.Millisecond {
					k.t.Fatalf("wait %d was %v, want %v", i, wait, want)
				}
			}
			if state := k.doing("after a dozen", clientlib.SyncWaiting); clientlib.Code(state.Err) != "unavailable" || state.Fraction != 0 {
				k.t.Errorf("%+v", state)
			}

			// What is urgent, and who asks, begin anew. What is logged meanwhile waits with the rest.
			k.random = 0.999
			for what, begin := range map[string]func(){"Now": func() { k.Now(); synctest.Wait() }, "urgent": func() { k.log(true) }} {
				k.after(10 * time.Minute)
				k.tries = nil
				begin()
				k.tried(what, 1)
				k.log(false)
				k.after(3900 * time.Millisecond)
				k.tried(what+", logged meanwhile", 0)
				k.after(200 * time.Millisecond)
				k.tried(what+", the first wait after it", 1)
			}
			k.net.fault = k.fault(fine)
			k.after(5 * time.Minute)
			if state := k.doing("when it gets through", clientlib.SyncIdle); state.Err != nil || state.Status.Unsent != 0 {
				k.t.Errorf("%+v", state)
			}
		})
	}
}

func TestASyncerWaitsAsLongAsTheServerSays(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		k.server.refuse = func(*syncv1.SyncRequest) *problem.Problem {
			return &problem.Problem{Code: problem.Busy, RetryAfter: 10 * time.Minute}
		}
		k.log(false)
		k.after(10 * time.Minute)
		k.tried("for ten minutes", 1)
		k.after(10 * time.Second)
		k.tried("then", 1)
	})
}

func TestASyncerGivesUpWhereNoTryHelps(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		agreeing := k.server.refuse
		k.server.refuse = func(*syncv1.SyncRequest) *problem.Problem { return problem.New(problem.DeviceRevoked) }
		k.log(false)
		k.after(24 * time.Hour)
		k.tried("a day", 1)
		if state := k.doing("a day", clientlib.SyncPaused); clientlib.Code(state.Err) != isRevoked {
			k.t.Errorf("%+v", state)
		}
		k.log(false)
		k.after(time.Hour)
		k.tried("something logged", 0)
		k.Now()
		k.after(time.Hour)
		k.tried("by hand", 1)
		k.server.refuse = agreeing
		k.Now()
		synctest.Wait()
		k.doing("when it helps after all", clientlib.SyncIdle)
		k.after(16 * time.Minute)
		k.tried("and from then on", 2)
	})
}

func TestASyncerSparesMeteredNetworks(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		k.SetMetered(true, false)
		k.log(false)
		k.after(time.Hour)
		k.tried("metered", 0)
		k.doing("metered", clientlib.SyncPaused)
		k.Now()
		synctest.Wait()
		k.tried("by hand", 1)
		k.log(true)
		k.tried("urgent", 1)
		// What is urgent is tried until it is there.
		k.net.fault = k.fault(requestLost)
		k.log(true)
		k.net.fault = k.fault(fine)
		k.after(time.Minute)
		k.tried("urgent, after a failure", 2)
		k.log(false)
		k.after(time.Hour)
		k.tried("not urgent", 0)
		k.SetMetered(true, true)
		synctest.Wait()
		k.tried("allowed", 1)
		// A sync under way ends, unless it was asked for.
		k.net.fault = k.fault(hangs)
		k.log(false)
		k.after(3 * time.Second)
		k.doing("under way", clientlib.SyncRunning)
		k.SetMetered(true, false)
		k.after(time.Second)
		if state := k.doing("cut short", clientlib.SyncPaused); state.Err != nil {
			k.t.Errorf("%+v", state)
		}
		k.Now()
		synctest.Wait()
		k.SetMetered(true, false)
		k.after(time.Second)
		k.doing("asked for", clientlib.SyncRunning)
	})
}

func TestWhatASyncerBroughtStaysWhenItIsStopped(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		k.server.pageSize = 10
		for i := range byte(30) {
			k.server.set(testID(14, i+1), activity(fmt.Sprint(i)))
		}
		pages := 0
		k.net.fault = func() fault {
			if pages++; pages == 3 {
				return hangs
			}
			return fine
		}
		k.Now()
		synctest.Wait()
		if state := k.doing("at the third page", clientlib.SyncRunning); state.Progress.Received != 20 || state.Progress.ToReceive != 30 {
			k.t.Errorf("%+v", state)
		}
		k.Stop()
		k.after(time.Hour)
		if state := k.doing("stopped", clientlib.SyncPaused); state.Err != nil || state.Result.Received != 20 || state.Progress.Phase == clientlib.PhaseDone || state.Fraction >= 1 {
			k.t.Errorf("%+v", state)
		}
		k.log(false)
		k.after(time.Hour)
		if pages != 3 {
			k.t.Errorf("%d requests after it was stopped", pages-3)
		}
		k.log(true) // a person in danger does not wait for whoever stopped it
		if state := k.doing("urgent", clientlib.SyncPaused); state.Result.Received < 10 || state.Status.Unsent != 0 {
			k.t.Errorf("%+v", state)
		}
		k.Now()
		synctest.Wait()
		k.doing("goes on", clientlib.SyncIdle)
		k.sameAs(k.server)
	})
}

// A badge goes from on this tablet alone to sent, and to safe once the server has made a backup.
func TestASyncerAsksUntilAllIsDurable(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		backedUp := func(all bool) {
			k.server.mu.Lock()
			defer k.server.mu.Unlock()
			k.server.durable = all
		}
		backedUp(false)
		k.log(false)
		k.after(3 * time.Second)
		if st := k.State().Status; st.Unsent != 0 || st.Sent != 1 || st.Durable != 0 {
			k.t.Errorf("sent: %+v", st)
		}
		k.tries = nil
		k.after(10 * time.Minute)
		k.tried("without a backup", 2)
		backedUp(true)
		k.after(5 * time.Minute)
		k.tried("with a backup", 1)
		if st := k.State().Status; st.Sent != 0 || st.Durable != 1 {
			k.t.Errorf("safe: %+v", st)
		}
		k.after(14 * time.Minute)
		k.tried("from then on", 0)
	})
}

func TestASyncerSaysHowFarItIs(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		k.server.pageSize, k.server.durable = 40, false
		for range 450 {
			_, err := k.LogCommunityActivity(k.t.Context(), activity("中秋联欢"))
			k.must(err)
		}
		for i := range byte(200) {
			k.server.set(testID(14, i+1), activity(fmt.Sprint(i)))
		}
		changes, stop := k.Watch()
		defer stop()
		seen := []clientlib.SyncState{}
		k.net.after = func() {
			seen = append(seen, k.State())
			if len(seen) == 4 { // more turns up
				for i := range 600 {
					k.server.set(testID(byte(15+i/200), byte(i%200)), activity(fmt.Sprint(i)))
				}
			}
		}
		k.Now()
		synctest.Wait()
		k.net.after = nil
		for i, state := range seen {
			if state.Doing != clientlib.SyncRunning || state.Fraction >= 1 || state.Progress.Phase == clientlib.PhaseDone {
				k.t.Errorf("before answer %d: %+v", i, state)
			}
			if before := seen[max(0, i-1)]; state.Fraction < before.Fraction || state.Progress.BytesUp < before.Progress.BytesUp || state.Progress.BytesDown < before.Progress.BytesDown ||
				state.Status.Unsent > before.Status.Unsent || state.Status.Sent < before.Status.Sent {
				k.t.Errorf("from %+v to %+v", before, state)
			}
		}
		if middle := seen[len(seen)/2]; middle.Fraction < 0.2 || middle.Progress.BytesDown == 0 || middle.Status.Sent == 0 || len(seen) < 7 {
			k.t.Errorf("in the middle of %d: %+v", len(seen), middle)
		}
		state := k.doing("at the end", clientlib.SyncIdle)
		if state.Fraction != 1 || state.Progress.Phase != clientlib.PhaseDone || state.Progress.BytesDown != state.Result.BytesDown || state.Status.Sent != 450 {
			k.t.Errorf("at the end: %+v", state)
		}
		select {
		case <-changes:
		default:
			k.t.Error("who watches was not told")
		}
		select {
		case <-changes:
			k.t.Error("who watches was told twice")
		default:
		}
	})
}

// A server that lost its history gets it back, and the fraction takes that for work, too.
func TestASyncerSaysHowMuchItGivesBack(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		restore := k.server.backup()
		for i := range byte(250) {
			k.server.set(testID(14, i+1), activity(fmt.Sprint(i)))
		}
		k.Now()
		synctest.Wait()
		restore()
		var fractions []float64
		k.net.after = func() {
			if state := k.State(); state.Progress.ToGiveBack == 250 {
				fractions = append(fractions, state.Fraction)
			}
		}
		k.Now()
		synctest.Wait()
		if len(fractions) < 2 || fractions[0] >= fractions[len(fractions)-1] || !slices.IsSorted(fractions) {
			k.t.Errorf("fractions were %v", fractions)
		}
		if state := k.State(); state.Progress.GivenBack != 250 || state.Fraction != 1 {
			k.t.Errorf("%+v", state)
		}
	})
}

func TestASyncerGoesOnWhenTheClockIsSet(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		for _, off := range []time.Duration{-30 * 24 * time.Hour, 365 * 24 * time.Hour, 0} {
			k.off.Store(int64(off))
			k.SetMetered(false, true) // it thinks again about how long to wait
			k.after(16 * time.Minute)
			if len(k.tries) == 0 {
				k.t.Errorf("nothing is asked when the clock is off by %v", off)
			}
			k.tries = nil
			k.log(false)
			k.after(5 * time.Second)
			if st := k.State().Status; st.Unsent != 0 {
				k.t.Errorf("off by %v: %+v", off, st)
			}
		}
	})
}

// In the bubble, the test fails if a goroutine is left.
func TestASyncerEndsWithItsStore(t *testing.T) {
	bubble(t, func(_ *testing.T, k *keeping) {
		k.net.fault = k.fault(hangs)
		k.Now()
		synctest.Wait()
		k.must(k.Store.Close())
		if n := k.net.under.Load(); n != 0 {
			k.t.Errorf("%d requests are still under way", n)
		}
		k.doing("closed", clientlib.SyncOff)
		k.Now()
		k.Wake(true)
		k.Syncer.Close()
		k.Syncer.Close()
		late := k.KeepSyncing(clientlib.SyncerOptions{})
		late.Now()
		late.Close()
	})
	bubble(t, func(_ *testing.T, k *keeping) {
		k.net.fault = k.fault(hangs)
		k.Now()
		synctest.Wait()
		k.Syncer.Close()
		k.tries = nil
		k.after(time.Hour)
		k.tried("closed", 0)
		k.net.fault = nil
		k.sync() // the store itself goes on
	})
}
