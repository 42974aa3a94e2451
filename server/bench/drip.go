package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
)

// DripOptions say what is measured.
type DripOptions struct {
	// Records are how many there are in the deployment before.
	Records int
	// Syncs are how many are measured.
	Syncs int
	Seed  uint64
	// Program is leveed, which serves in a process of its own.
	Program string
	// Progress is told how far it is; nil for nobody.
	Progress io.Writer
}

// dripChanges is how many changes are sent in each sync.
const dripChanges = 3

// Drip is what the syncs of a day with a network cost: the ten tablets of a team take turns, one at a time. Each sends three
// changes and pulls what its mates have sent since its turn before, 27 records, in one request.
type Drip struct {
	Records int `json:"records"`
	Syncs   int `json:"syncs"`
	// Pulled are the mates' records that came.
	Pulled int `json:"pulled"`
	// PerSecond is how many syncs one device after the other has done in a second. The others are how long one took, in ms.
	PerSecond float64 `json:"requests_per_s"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Longest   float64 `json:"longest_ms"`
	// Up and Down are bytes a sync, with headers; CPU is the server's processor time a sync, in µs.
	Up   float64 `json:"bytes_up"`
	Down float64 `json:"bytes_down"`
	CPU  float64 `json:"cpu_us_per_sync"`
	// Peak is the most memory that the server had, in MB.
	Peak float64 `json:"peak_rss_mb"`
}

// MeasureDrip fills a deployment and measures.
func MeasureDrip(ctx context.Context, o DripOptions) (_ *Drip, err error) {
	g, err := grow(ctx, o.Records, o.Seed, o.Program, o.Progress)
	if err != nil {
		return nil, err
	}
	defer closing(&err, g.close)
	if _, err := g.firstSync(ctx, 1); err != nil {
		return nil, err
	}
	d := g.dripping()
	if err := d.until(ctx, o.Syncs); err != nil {
		return nil, err
	}
	return d.result()
}

// grown is a server with so many records in its deployment, and ten devices of one team that have nothing yet.
type grown struct {
	*crew
	scene *scene
	// records are how many there are in all, and ofTeam how many the devices' team has at least.
	records, ofTeam int
	filled          time.Duration
}

// grow fills a deployment, in which a team has as many records however many there are in all, and lets leveed serve it.
func grow(ctx context.Context, records int, seed uint64, program string, progress io.Writer) (*grown, error) {
	return growTeams(ctx, max(1, records/recordsPerTeam), records, seed, program, progress)
}

func growTeams(ctx context.Context, teams, records int, seed uint64, program string, progress io.Writer) (_ *grown, err error) {
	g := &grown{crew: &crew{seed: seed, wall: hlc.Wall, progress: progress}, records: records, ofTeam: records / teams}
	if g.scene, err = startAt(ctx, teams, seed, func() time.Time { return now }); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	began := time.Now()
	if err := g.scene.fill(ctx, records, progress); err != nil {
		return nil, err
	}
	g.filled = time.Since(began)
	say(progress, "%d records are logged; they are being sorted in for the pages", records)
	if err := g.scene.server.SortedIn(ctx); err != nil {
		return nil, err
	}
	for worker := range workersPerTeam {
		d, err := g.scene.newcomer(ctx, teams/2, worker)
		if err != nil {
			return nil, err
		}
		g.devices = append(g.devices, d)
	}
	return g, g.serve(ctx, g.scene, program)
}

func (g *grown) close() error { return errors.Join(g.crew.close(), g.scene.close()) }

// dripping is a drip, as far as it has come.
type dripping struct {
	*grown
	sources []visits // by device
	times   []time.Duration
	pulled  int
	took    phase
}

func (g *grown) dripping() *dripping {
	d := &dripping{grown: g, sources: make([]visits, len(g.devices))}
	for n, of := range g.devices {
		d.sources[n] = visits{rand: rand.New(rand.NewPCG(g.seed, uint64(n))), of: of, nth: n} //nolint:gosec // the same numbers again
	}
	return d
}

// until has the devices take turns until there were so many syncs.
func (d *dripping) until(ctx context.Context, syncs int) error {
	p, err := d.measure(ctx, func(ctx context.Context) error {
		for len(d.times) < syncs {
			if err := d.sync(ctx, len(d.times)%len(d.devices)); err != nil {
				return err
			}
			if len(d.times)%1000 == 0 {
				say(d.progress, "%d records: %d syncs", d.records, len(d.times))
			}
		}
		return nil
	})
	d.took.add(p)
	return err
}

// sync is the turn of a device.
func (d *dripping) sync(ctx context.Context, n int) error {
	device := d.devices[n]
	for range dripChanges {
		device.at = d.wall()
		if _, err := device.log(lastDay, d.sources[n].next(lastDay)); err != nil {
			return err
		}
	}
	began := time.Now()
	err := device.both(ctx, func(r *syncv1.PulledRecord) {
		if len(r.GetState()) > 0 {
			d.pulled++
		}
	})
	d.times = append(d.times, time.Since(began))
	return err
}

func (d *dripping) result() (*Drip, error) {
	syncs := len(d.times)
	if want := mates(syncs, len(d.devices)); d.pulled != want {
		return nil, fmt.Errorf("the devices pulled %d records of their mates, who had pushed %d", d.pulled, want)
	}
	var all time.Duration
	for _, t := range d.times {
		all += t
	}
	times := slices.Sorted(slices.Values(d.times))
	count := float64(syncs)
	return &Drip{
		Records: d.records, Syncs: syncs, Pulled: d.pulled, PerSecond: count / all.Seconds(),
		P50: ms(at(times, 50)), P99: ms(at(times, 99)), Longest: ms(times[len(times)-1]),
		Up: d.took.traffic.up / count, Down: d.took.traffic.down / count, CPU: float64(d.took.cpu.Microseconds()) / count,
		Peak: d.server.usage().Peak,
	}, nil
}

// mates is how many records devices that take turns find of the others: at each turn what came since the one before.
func mates(syncs, devices int) (records int) {
	for n := range syncs {
		records += dripChanges * min(n, devices-1)
	}
	return records
}

// at is a percentile of times in order.
func at(times []time.Duration, percent int) time.Duration {
	return times[min(len(times)*percent/100, len(times)-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Print shows the figures to people.
func (d *Drip) Print(to io.Writer) error {
	return printFigures(to, []figure{
		{"records before", float64(d.Records), "", 0, goal{}},
		{"syncs one after the other", d.PerSecond, "/s", 0, goal{}},
		{"half of them took at most", d.P50, "ms", 2, goal{}},
		{"99 of 100 took at most", d.P99, "ms", 2, goal{}},
		{"the longest took", d.Longest, "ms", 2, goal{}},
		{"up, with headers", d.Up, "B/sync", 0, goal{}},
		{"down, with headers", d.Down, "B/sync", 0, goal{}},
		{"server CPU a sync", d.CPU, "µs", 0, goal{}},
		{"server memory at most", d.Peak, "MB", 0, goal{}},
	})
}
