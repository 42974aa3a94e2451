package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
)

// HerdOptions say what is measured.
type HerdOptions struct {
	// Devices are how many come back, in teams of ten.
	Devices int
	// Changes are how many each of them has logged meanwhile.
	Changes int
	// Within is the time in which all of them come back.
	Within time.Duration
	Seed   uint64
	// Program is leveed, which serves in a process of its own.
	Program string
	// Progress is told how far it is; nil for nobody.
	Progress io.Writer
}

// Herd is how a server bears all tablets at once: after weeks without a network each comes back within a minute, sends what it
// has logged and pulls what its mates have sent by then. One that is refused tries again as tablets do.
type Herd struct {
	Devices int     `json:"devices"`
	Changes int     `json:"changes"`
	Within  float64 `json:"within_s"`
	// Pulled are the mates' records that came to all of them while they came back.
	Pulled int `json:"pulled"`
	// Seconds is from the first that comes until all have done; the others are how long one had to wait for that, once it was back.
	Seconds float64 `json:"s"`
	Half    float64 `json:"p50_s"`
	P99     float64 `json:"p99_s"`
	Longest float64 `json:"longest_s"`
	// Refused are the requests that were refused because the server had too much to do, MostRefused those of the one device that
	// had most of them, and Unanswered those that broke off.
	Refused     int `json:"refused"`
	MostRefused int `json:"most_refused"`
	Unanswered  int `json:"unanswered"`
	// AtOnce is how many were under way at most.
	AtOnce int `json:"most_at_once"`
	// CPU is the server's processor time a change, in µs, with what it was asked for besides; Peak is the most memory that it had, in MB.
	CPU  float64 `json:"cpu_us_per_change"`
	Peak float64 `json:"peak_rss_mb"`
}

// MeasureHerd measures.
func MeasureHerd(ctx context.Context, o HerdOptions) (_ *Herd, err error) {
	h := &herd{crew: &crew{seed: o.Seed, wall: hlc.Wall, progress: o.Progress}, o: o, result: Herd{Devices: o.Devices, Changes: o.Devices * o.Changes, Within: o.Within.Seconds()}}
	s, err := startAt(ctx, o.Devices/workersPerTeam, o.Seed, hlc.Wall)
	if err != nil {
		return nil, err
	}
	defer closing(&err, s.close)
	if h.devices, err = s.devices(ctx, o.Progress); err != nil {
		return nil, err
	}
	// All have synced before they went: they are where the first of them is.
	first := h.devices[0]
	for before := (*syncv1.Mark)(nil); before != first.journal; {
		before = first.journal // which comes in parts
		if err := first.pull(ctx, func(*syncv1.PulledRecord) {}); err != nil {
			return nil, err
		}
	}
	for _, d := range h.devices {
		d.cursor, d.journal = first.cursor, first.journal
	}
	if h.server, err = s.serve(ctx, o.Program); err != nil {
		return nil, err
	}
	defer closing(&err, h.close)
	return h.comeBack(ctx)
}

// herd is all that come back.
type herd struct {
	*crew
	o      HerdOptions
	result Herd

	done, atOnce, refused, unanswered, pulled atomic.Int64

	mu                      sync.Mutex
	waits                   []time.Duration
	mostRefused, mostAtOnce int
	// logged and seen are what each device has logged, and what it has got of its mates.
	logged, seen []set
}

// set is how many ids there are, and what tells them from others.
type set struct {
	count int
	ids   hlc.ID
}

func (s *set) add(id hlc.ID) { s.count, s.ids = s.count+1, either(s.ids, id) }

func (s *set) join(other set) { s.count, s.ids = s.count+other.count, either(s.ids, other.ids) }

func (h *herd) comeBack(ctx context.Context) (*Herd, error) {
	h.logged, h.seen = make([]set, len(h.devices)), make([]set, len(h.devices))
	r := &h.result
	p, err := h.measure(ctx, func(ctx context.Context) error {
		began := time.Now()
		reporting, stop := context.WithCancel(ctx)
		defer stop()
		go h.report(reporting)
		err := atATime(ctx, len(h.devices), len(h.devices), h.one)
		r.Seconds = time.Since(began).Seconds()
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(h.waits)
	r.Half, r.P99, r.Longest = at(h.waits, 50).Seconds(), at(h.waits, 99).Seconds(), h.waits[len(h.waits)-1].Seconds()
	r.Refused, r.MostRefused, r.Unanswered, r.AtOnce, r.Pulled = int(h.refused.Load()), h.mostRefused, int(h.unanswered.Load()), h.mostAtOnce, int(h.pulled.Load())
	r.CPU, r.Peak = float64(p.cpu.Microseconds())/float64(r.Changes), h.server.usage().Peak
	return r, h.verify(ctx)
}

// report tells every five seconds how far it is.
func (h *herd) report(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Second):
			say(h.progress, "%d of %d devices have done, %d are under way; %d requests were refused", h.done.Load(), len(h.devices), h.atOnce.Load(), h.refused.Load())
		}
	}
}

// one is a device that comes back some time.
func (h *herd) one(ctx context.Context, n int) error {
	d := h.devices[n]
	random := rand.New(rand.NewPCG(h.seed, uint64(n))) //nolint:gosec // the same numbers again
	if err := pause(ctx, time.Duration(random.Float64()*float64(h.o.Within))); err != nil {
		return err
	}
	// It has logged over three weeks.
	const away = 21
	left := h.wall().Add(-away * 24 * time.Hour)
	v := visits{rand: random, of: d, nth: n}
	for i := range h.o.Changes {
		d.at = left.Add(away * 24 * time.Hour / time.Duration(h.o.Changes) * time.Duration(i+1))
		day := lastDay.AddDays(1 - away + i*away/h.o.Changes)
		id, err := d.log(day, v.next(day))
		if err != nil {
			return err
		}
		h.logged[n].add(id)
	}
	began := time.Now()
	refused := 0
	for failures := 0; ; failures++ {
		err := h.try(ctx, n)
		if err == nil {
			break
		}
		again := later(err)
		if again == nil {
			return err
		}
		if again.Code == problem.Busy || again.Code == problem.TooManyRequests {
			h.refused.Add(1)
			refused++
		} else {
			h.unanswered.Add(1)
		}
		if err := pause(ctx, wait(failures, again.RetryAfter, random)); err != nil {
			return err
		}
	}
	h.done.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waits = append(h.waits, time.Since(began))
	h.mostRefused = max(h.mostRefused, refused)
	return nil
}

// begin counts one more that is under way.
func (h *herd) begin() {
	now := h.atOnce.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mostAtOnce = max(h.mostAtOnce, int(now))
}

// try syncs over a connection of its own.
func (h *herd) try(ctx context.Context, n int) error {
	h.begin()
	defer h.atOnce.Add(-1)
	d := h.devices[n]
	defer d.connect(h.server.url)()
	return d.both(ctx, func(r *syncv1.PulledRecord) {
		if len(r.GetState()) > 0 {
			h.pulled.Add(1)
			h.seen[n].add(hlc.ID(r.GetId()))
		}
	})
}

// later is the refusal after which a tablet tries again by itself; nil where that would not help.
func later(err error) *problem.Problem {
	var refusal *connect.Error
	if !errors.As(err, &refusal) || errors.Is(err, context.Canceled) {
		return nil
	}
	switch p := problem.FromConnect(err); p.Code {
	case problem.Busy, problem.TooManyRequests, problem.Unavailable:
		return p
	default:
		return nil
	}
}

// How long tablets wait before they try again.
const (
	leastWait = 2 * time.Second
	mostWait  = 5 * time.Minute
)

// wait is how long a tablet waits after so many failures before this one: at random, up to twice as long each time, after what
// the server asks for.
func wait(failures int, retryAfter time.Duration, random *rand.Rand) time.Duration {
	most := mostWait
	if failures < 8 {
		most = min(mostWait, leastWait<<(failures+1))
	}
	return retryAfter + leastWait + time.Duration(random.Float64()*float64(most-leastWait))
}

// pause waits; the error is that of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// verify has one device of each team pull the rest, and compares what it has of its mates with what they logged.
func (h *herd) verify(ctx context.Context) error {
	say(h.progress, "all have done; what came is compared")
	return atATime(ctx, fieldDayAtOnce, len(h.devices)/workersPerTeam, func(ctx context.Context, team int) error {
		first := team * workersPerTeam
		if err := h.try(ctx, first); err != nil {
			return err
		}
		var want set
		for mate := first + 1; mate < first+workersPerTeam; mate++ {
			want.join(h.logged[mate])
		}
		if h.seen[first] != want {
			return fmt.Errorf("a device has %d records of its mates, which are not the %d that they logged", h.seen[first].count, want.count)
		}
		return nil
	})
}

// Print shows the figures to people.
func (r *Herd) Print(to io.Writer) error {
	return printFigures(to, []figure{
		{"devices", float64(r.Devices), "", 0, goal{}},
		{"come back within", r.Within, "s", 0, goal{}},
		{"changes that they send", float64(r.Changes), "", 0, goal{}},
		{"mates' records that they pull", float64(r.Pulled), "", 0, goal{}},
		{"all have done after", r.Seconds, "s", 1, goal{}},
		{"half of them waited at most", r.Half, "s", 2, goal{}},
		{"99 of 100 waited at most", r.P99, "s", 1, goal{}},
		{"the longest wait", r.Longest, "s", 1, goal{}},
		{"requests refused for later", float64(r.Refused), "", 0, goal{}},
		{"of one device at most", float64(r.MostRefused), "", 0, goal{}},
		{"requests that broke off", float64(r.Unanswered), "", 0, goal{}},
		{"under way at once, at most", float64(r.AtOnce), "", 0, goal{}},
		{"server CPU a change", r.CPU, "µs", 0, goal{}},
		{"server memory at most", r.Peak, "MB", 0, goal{}},
	})
}
