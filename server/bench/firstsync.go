package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	syncv1 "levee/syncproto/levee/sync/v1"
)

// FirstSyncOptions say what is measured.
type FirstSyncOptions struct {
	// Records are how many each device pulls.
	Records int
	Seed    uint64
	// Program is leveed, which serves in a process of its own.
	Program string
	// Progress is told how far it is; nil for nobody.
	Progress io.Writer
}

// FirstSync is how ten tablets that are new in a team pull all that the team has, at once and from nothing.
type FirstSync struct {
	// Records are those in the deployment, and Pulled those that came, to all devices together.
	Records int `json:"records"`
	Devices int `json:"devices"`
	Pulled  int `json:"pulled"`
	// Seconds is until all of them have all, Half until half of them, and Longest is the longest of one.
	Seconds   float64 `json:"s"`
	Half      float64 `json:"p50_s"`
	Longest   float64 `json:"longest_s"`
	PerSecond float64 `json:"records_per_s"`
	// Down is bytes a record, with headers; CPU is the server's processor time a record, in µs.
	Down float64 `json:"bytes_down"`
	CPU  float64 `json:"cpu_us_per_record"`
	// Peak is the most memory that the server had, in MB.
	Peak float64 `json:"peak_rss_mb"`
}

// MeasureFirstSync fills a deployment of one team and measures.
func MeasureFirstSync(ctx context.Context, o FirstSyncOptions) (_ *FirstSync, err error) {
	g, err := growTeams(ctx, 1, o.Records, o.Seed, o.Program, o.Progress)
	if err != nil {
		return nil, err
	}
	defer closing(&err, g.close)
	return g.firstSync(ctx, len(g.devices))
}

// firstSync has all devices sync first, so many at a time. All must get the same, and of the team's records all.
func (g *grown) firstSync(ctx context.Context, atOnce int) (*FirstSync, error) {
	times, pulled := make([]time.Duration, len(g.devices)), make([]int, len(g.devices))
	p, err := g.all(ctx, atOnce, func(ctx context.Context, n int, d *device) error {
		began := time.Now()
		err := d.both(ctx, func(r *syncv1.PulledRecord) {
			if len(r.GetState()) > 0 {
				pulled[n]++
			}
		})
		times[n] = time.Since(began)
		return err
	})
	if err != nil {
		return nil, err
	}
	r := &FirstSync{Records: g.records, Devices: len(g.devices), Seconds: p.time.Seconds(), Peak: g.server.usage().Peak}
	for n, count := range pulled {
		if r.Pulled += count; count != pulled[0] || count < g.ofTeam {
			return nil, fmt.Errorf("a device pulled %d records and another one %d, where their team has %d", count, pulled[n], g.ofTeam)
		}
	}
	slices.Sort(times)
	records := float64(r.Pulled)
	r.Half, r.Longest, r.PerSecond = at(times, 50).Seconds(), times[len(times)-1].Seconds(), records/r.Seconds
	r.Down, r.CPU = p.traffic.down/records, float64(p.cpu.Microseconds())/records
	return r, nil
}

// Print shows the figures to people.
func (r *FirstSync) Print(to io.Writer) error {
	return printFigures(to, []figure{
		{"devices at once", float64(r.Devices), "", 0, goal{}},
		{"records that came to all of them", float64(r.Pulled), "", 0, goal{}},
		{"all have all after", r.Seconds, "s", 2, goal{}},
		{"the longest took", r.Longest, "s", 2, goal{}},
		{"pulled", r.PerSecond, "records/s", 0, goal{}},
		{"down, with headers", r.Down, "B/record", 1, goal{}},
		{"server CPU a record", r.CPU, "µs", 1, goal{}},
		{"server memory at most", r.Peak, "MB", 0, goal{}},
	})
}
