package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"time"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
)

// The field day: how many teams there are, and how many devices sync at a time.
const (
	fieldDayTeams  = 5
	fieldDayAtOnce = 8
)

// FieldDayOptions say what is measured.
type FieldDayOptions struct {
	// Changes are how many are pushed, by 50 devices in teams of 10.
	Changes int
	// Runs are how often all is measured, each time on a server of its own; the median of each figure is given.
	Runs int
	Seed uint64
	// Program is leveed, which serves in a process of its own.
	Program string
	// Progress is told how far it is; nil for nobody.
	Progress io.Writer
}

// FieldDay is what a day in the field costs: each device pushes what it logged until that is acknowledged as durable, and then
// pulls all that its team logged. The floor is how fast the same rows are written without any of that. Of several runs these are
// medians, each by itself.
type FieldDay struct {
	Changes int `json:"changes"`
	Pulled  int `json:"pulled"`
	Runs    int `json:"runs"`

	// Changes and records a second, all devices together.
	Push  float64 `json:"push_per_s"`
	Pull  float64 `json:"pull_per_s"`
	Floor float64 `json:"floor_rows_per_s"`
	// As multiples of the floor.
	PushRatio float64 `json:"push_ratio"`
	PullRatio float64 `json:"pull_ratio"`

	// Bytes a change of what devices send to push, and bytes a record of the answers to a pull: all that goes over the
	// connections, and the bodies in it.
	BytesUp   float64 `json:"bytes_up"`
	BytesDown float64 `json:"bytes_down"`
	BodyUp    float64 `json:"body_up"`
	BodyDown  float64 `json:"body_down"`
	// The way back of each: bytes a change of the answers to a push, and bytes a record of what devices send to pull.
	PushAnswer  float64 `json:"push_answer_bytes"`
	PullRequest float64 `json:"pull_request_bytes"`
	// Packed is bytes a record of packed rows, compressed; the others as multiples of it.
	Packed         float64 `json:"packed_bytes"`
	BytesUpRatio   float64 `json:"bytes_up_ratio"`
	BytesDownRatio float64 `json:"bytes_down_ratio"`
	// OneBody is the body of a batch of one, in bytes; NothingNew all that a sync with nothing new sends, both ways.
	OneBody    float64 `json:"one_change_body"`
	NothingNew float64 `json:"nothing_new_bytes"`

	// The server's processor time a change, the part of it that comes behind the last answer, and a record, in µs; and the most
	// memory that it had. 0 where the system does not tell.
	CPUPush   float64 `json:"cpu_us_per_change"`
	CPUBehind float64 `json:"cpu_us_behind"`
	CPUPull   float64 `json:"cpu_us_per_record"`
	Peak      float64 `json:"peak_rss_mb"`

	// Each batch is sent again: changes a second, time and the server's processor time as parts of what it took to send them first,
	// and by how many positions the server's log grew.
	Again      float64 `json:"again_per_s"`
	AgainTime  float64 `json:"again_time_ratio"`
	AgainCPU   float64 `json:"again_cpu_ratio"`
	AgainMoved float64 `json:"again_moved"`
}

// MeasureFieldDay measures as often as is asked for.
func MeasureFieldDay(ctx context.Context, o FieldDayOptions) (*FieldDay, error) {
	var runs []FieldDay
	for n := range o.Runs {
		say(o.Progress, "run %d of %d", n+1, o.Runs)
		one, err := measureFieldDay(ctx, o, o.Seed+uint64(n))
		if err != nil {
			return nil, err
		}
		runs = append(runs, *one)
	}
	result := medians(runs)
	result.Runs = o.Runs
	return &result, nil
}

// fieldDay is one run.
type fieldDay struct {
	*crew
	rows   [][]row // by device
	result FieldDay
}

// rarely is the GOGC of the process that all devices share.
const rarely = 800

// work has the devices do all of the day's parts. What they leave in memory is collected before, and seldom meanwhile: they share the
// server's processors here, and what 50 devices have logged lies beside each of them.
func (f *fieldDay) work(ctx context.Context) error {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(rarely))
	for _, part := range []func(context.Context) error{f.arrive, f.push, f.again, f.pull, f.nothingNew, f.one} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func measureFieldDay(ctx context.Context, o FieldDayOptions, seed uint64) (_ *FieldDay, err error) {
	s, err := startAt(ctx, fieldDayTeams, seed, hlc.Wall)
	if err != nil {
		return nil, err
	}
	defer closing(&err, s.close)
	f := &fieldDay{crew: &crew{seed: seed, wall: hlc.Wall, progress: o.Progress}}
	if f.devices, err = s.devices(ctx, o.Progress); err != nil {
		return nil, err
	}
	defer closing(&err, f.close)
	if err := f.serve(ctx, s, o.Program); err != nil {
		return nil, err
	}
	if err := f.log(o.Changes); err != nil {
		return nil, err
	}
	if err := f.work(ctx); err != nil {
		return nil, err
	}
	f.result.Peak = f.server.usage().Peak
	return &f.result, f.compare(ctx, s.dir)
}

// log has each device log its part of the changes, over all days of the deployment, of which the last one is today.
func (f *fieldDay) log(changes int) error {
	f.result.Changes = changes
	f.rows = make([][]row, len(f.devices))
	const whole = days * 24 * time.Hour
	began := f.wall().Add(-whole)
	for n, d := range f.devices {
		v := visits{rand: rand.New(rand.NewPCG(f.seed, uint64(n))), of: d, nth: n} //nolint:gosec // the same numbers again
		each := changes*(n+1)/len(f.devices) - changes*n/len(f.devices)
		for i := range each {
			d.at = began.Add(whole / time.Duration(each) * time.Duration(i+1))
			day := firstDay.AddDays(i * days / each)
			visit := v.next(day)
			id, err := d.log(day, visit)
			if err != nil {
				return err
			}
			f.rows[n] = append(f.rows[n], row{id, visit})
		}
	}
	return nil
}

// arrive is the day's beginning: each device pulls what the deployment is set up with, and has a connection.
func (f *fieldDay) arrive(ctx context.Context) error {
	_, err := f.all(ctx, fieldDayAtOnce, func(ctx context.Context, _ int, d *device) error { return d.pull(ctx, func(*syncv1.PulledRecord) {}) })
	return err
}

func (f *fieldDay) push(ctx context.Context) error {
	p, err := f.all(ctx, fieldDayAtOnce, func(ctx context.Context, _ int, d *device) error { return d.push(ctx) })
	if err != nil {
		return err
	}
	r, changes := &f.result, float64(f.result.Changes)
	r.Push = changes / p.time.Seconds()
	r.CPUPush, r.CPUBehind = float64(p.cpu.Microseconds())/changes, float64(p.behind.Microseconds())/changes
	r.BytesUp, r.BodyUp, r.PushAnswer = p.traffic.up/changes, p.traffic.bodyUp/changes, p.traffic.down/changes
	say(f.progress, "%d changes are pushed, %.0f a second", f.result.Changes, r.Push)
	return nil
}

// again sends each device's last batch again.
func (f *fieldDay) again(ctx context.Context) error {
	before, err := f.head(ctx)
	if err != nil {
		return err
	}
	sent := 0
	for _, d := range f.devices {
		sent += len(d.last.GetEntries())
	}
	p, err := f.all(ctx, fieldDayAtOnce, func(ctx context.Context, _ int, d *device) error { return d.resend(ctx) })
	if err != nil {
		return err
	}
	after, err := f.head(ctx)
	if err != nil {
		return err
	}
	r := &f.result
	r.Again = float64(sent) / p.time.Seconds()
	r.AgainTime, r.AgainCPU = r.Push/r.Again, ratio(float64(p.cpu.Microseconds())/float64(sent), r.CPUPush)
	r.AgainMoved = float64(after - before)
	return nil
}

// head is how far the server's log goes.
func (f *fieldDay) head(ctx context.Context) (uint64, error) {
	d := f.devices[0]
	request := d.request()
	request.Pull = &syncv1.Pull{Cursor: d.cursor}
	answer, err := d.sync(ctx, request)
	return answer.GetPage().GetHead().GetPosition(), err
}

// pull has each device pull what its team logged. Those records must come, all and no others: of its mates whole, of its own
// their places alone. Only what comes whole is counted.
func (f *fieldDay) pull(ctx context.Context) error {
	pulled := make([]int, len(f.devices))
	p, err := f.all(ctx, fieldDayAtOnce, func(ctx context.Context, n int, d *device) error {
		var came, want hlc.ID
		places := 0
		err := d.pull(ctx, func(r *syncv1.PulledRecord) {
			came = either(came, hlc.ID(r.GetId()))
			if len(r.GetState()) > 0 {
				pulled[n]++
			} else {
				places++
			}
		})
		if err != nil {
			return err
		}
		mates := 0
		for mate := n - n%workersPerTeam; mate < n-n%workersPerTeam+workersPerTeam; mate++ {
			mates += len(f.rows[mate])
			for _, r := range f.rows[mate] {
				want = either(want, r.id)
			}
		}
		if mates -= len(f.rows[n]); pulled[n] != mates || places != len(f.rows[n]) || came != want {
			return fmt.Errorf("a device pulled %d records whole and %d places, which are not the %d of its team mates and the %d of its own", pulled[n], places, mates, len(f.rows[n]))
		}
		return nil
	})
	if err != nil {
		return err
	}
	r := &f.result
	for _, n := range pulled {
		r.Pulled += n
	}
	records := float64(r.Pulled)
	r.Pull, r.CPUPull = records/p.time.Seconds(), float64(p.cpu.Microseconds())/records
	r.BytesDown, r.BodyDown, r.PullRequest = p.traffic.down/records, p.traffic.bodyDown/records, p.traffic.up/records
	say(f.progress, "%d records are pulled, %.0f a second", r.Pulled, r.Pull)
	return nil
}

// either tells sets of ids apart, whatever their order: it is 0 for none, and two sets hardly ever have the same.
func either(a, b hlc.ID) hlc.ID {
	for i := range a {
		a[i] ^= b[i]
	}
	return a
}

// nothingNew is the most that a sync costs that has nothing to tell on either side.
func (f *fieldDay) nothingNew(ctx context.Context) error {
	for _, d := range f.devices {
		before := d.traffic.up.Load() + d.traffic.down.Load()
		if err := d.pull(ctx, func(*syncv1.PulledRecord) {}); err != nil {
			return err
		}
		f.result.NothingNew = max(f.result.NothingNew, float64(d.traffic.up.Load()+d.traffic.down.Load()-before))
	}
	return nil
}

// one has each device push one change more by itself; the largest body counts.
func (f *fieldDay) one(ctx context.Context) error {
	for n, d := range f.devices {
		d.at = f.wall()
		v := visits{rand: rand.New(rand.NewPCG(^f.seed, uint64(n))), of: d, nth: n} //nolint:gosec // the same numbers again
		if _, err := d.log(lastDay, v.next(lastDay)); err != nil {
			return err
		}
		before := d.traffic.bodyUp.Load()
		if err := d.push(ctx); err != nil {
			return err
		}
		f.result.OneBody = max(f.result.OneBody, float64(d.traffic.bodyUp.Load()-before))
	}
	return nil
}

// compare measures the same rows without a server.
func (f *fieldDay) compare(ctx context.Context, dir string) error {
	r := &f.result
	var all []row
	size := 0
	for n, rows := range f.rows {
		all = append(all, rows...)
		bytes, err := packed(f.devices[n].deployment[:], rows)
		if err != nil {
			return err
		}
		size += bytes
	}
	took, err := floor(ctx, dir, all)
	if err != nil {
		return err
	}
	r.Packed = float64(size) / float64(len(all))
	r.Floor = float64(len(all)) / took.Seconds()
	r.PushRatio, r.PullRatio = r.Push/r.Floor, r.Pull/r.Floor
	r.BytesUpRatio, r.BytesDownRatio = r.BytesUp/r.Packed, r.BytesDown/r.Packed
	say(f.progress, "the floor is %.0f rows a second", r.Floor)
	return nil
}

// Print shows the figures to people, with their goals.
func (f *FieldDay) Print(to io.Writer) error {
	return printFigures(to, []figure{
		{"pushed until durable", f.Push, "changes/s", 0, goal{}},
		{"pulled", f.Pull, "records/s", 0, goal{}},
		{"floor: the same rows, no network", f.Floor, "rows/s", 0, goal{}},
		{"push as a multiple of the floor", f.PushRatio, "", 2, atLeast(1)},
		{"pull as a multiple of the floor", f.PullRatio, "", 2, atLeast(3)},
		{"up, with headers", f.BytesUp, "B/change", 1, goal{}},
		{"down, with headers", f.BytesDown, "B/record", 1, goal{}},
		{"packed rows, compressed", f.Packed, "B/record", 1, goal{}},
		{"up as a multiple of packed rows", f.BytesUpRatio, "", 2, atMost(1.15)},
		{"down as a multiple of packed rows", f.BytesDownRatio, "", 2, atMost(1.15)},
		{"answer to a push", f.PushAnswer, "B/change", 1, goal{}},
		{"body of a batch of one", f.OneBody, "B", 0, atMost(400)},
		{"a sync with nothing new, both ways", f.NothingNew, "B", 0, atMost(800)},
		{"sent again", f.Again, "changes/s", 0, goal{}},
		{"time of that, part of sent first", f.AgainTime, "", 2, atMost(0.3)},
		{"server CPU of that, part of sent first", f.AgainCPU, "", 2, atMost(0.3)},
		{"positions that it moves", f.AgainMoved, "", 0, atMost(0)},
		{"server CPU a change", f.CPUPush, "µs", 1, goal{}},
		{"of that behind the last answer", f.CPUBehind, "µs", 1, goal{}},
		{"server CPU a pulled record", f.CPUPull, "µs", 1, goal{}},
		{"server memory at most", f.Peak, "MB", 0, goal{}},
	})
}

// ratio is a as a multiple of b; 0 where b is not known.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
