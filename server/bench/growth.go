package bench

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
)

// GrowthOptions say what is measured.
type GrowthOptions struct {
	// Records are how many there are to be in the deployment; each is measured on a server of its own. A team has 10,000 of them.
	Records []int
	// Syncs are how many of the drip are measured at each.
	Syncs int
	Seed  uint64
	// Program is leveed, which serves in a process of its own.
	Program string
	// Progress is told how far it is; nil for nobody.
	Progress io.Writer
}

// Growth is what a sync costs as a deployment grows.
type Growth struct {
	Sizes []Grown `json:"sizes"`
	// As multiples of the smallest deployment's: of the largest one the 99th percentile of the drip, and how long a first sync takes.
	P99Ratio       float64 `json:"p99_ratio"`
	FirstSyncRatio float64 `json:"first_sync_ratio"`
}

// Grown is a deployment with so many records.
type Grown struct {
	Records int `json:"records"`
	// Filled is how many records a second came in while it was filled.
	Filled    float64   `json:"filled_per_s"`
	FirstSync FirstSync `json:"first_sync"`
	Drip      Drip      `json:"drip"`
}

// dripRounds is in how many parts the drips are measured, in turns: whatever else the machine does meanwhile then holds up each of them.
const dripRounds = 10

// MeasureGrowth fills a deployment for each number of records, and measures first syncs, one after the other, and a drip.
func MeasureGrowth(ctx context.Context, o GrowthOptions) (_ *Growth, failed error) {
	result := &Growth{}
	var drips []*dripping
	for _, records := range o.Records {
		g, err := grow(ctx, records, o.Seed, o.Program, o.Progress)
		if err != nil {
			return nil, err
		}
		defer closing(&failed, g.close)
		first, err := g.firstSync(ctx, 1)
		if err != nil {
			return nil, err
		}
		result.Sizes = append(result.Sizes, Grown{Records: records, Filled: float64(records) / g.filled.Seconds(), FirstSync: *first})
		drips = append(drips, g.dripping())
	}
	for round := range dripRounds {
		for _, d := range drips {
			if err := d.until(ctx, o.Syncs*(round+1)/dripRounds); err != nil {
				return nil, err
			}
		}
	}
	for n, d := range drips {
		drip, err := d.result()
		if err != nil {
			return nil, err
		}
		result.Sizes[n].Drip = *drip
		say(o.Progress, "%d records: 99 of 100 syncs took at most %.2f ms", drip.Records, drip.P99)
	}
	first, last := result.Sizes[0], result.Sizes[len(result.Sizes)-1]
	result.P99Ratio = last.Drip.P99 / first.Drip.P99
	result.FirstSyncRatio = last.FirstSync.Half / first.FirstSync.Half
	return result, nil
}

// Print has a column for each size, so that growth is seen, and then the goals.
func (g *Growth) Print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "records")
	for _, s := range g.Sizes {
		fmt.Fprintf(table, "\t%d", s.Records)
	}
	fmt.Fprintln(table)
	for _, line := range []struct {
		name, format string
		of           func(Grown) float64
	}{
		{"half of the syncs took at most, ms", "%.2f", func(s Grown) float64 { return s.Drip.P50 }},
		{"99 of 100 took at most, ms", "%.2f", func(s Grown) float64 { return s.Drip.P99 }},
		{"server CPU a sync, µs", "%.0f", func(s Grown) float64 { return s.Drip.CPU }},
		{"a first sync of 10,000 records took, s", "%.2f", func(s Grown) float64 { return s.FirstSync.Half }},
		{"server memory at most, MB", "%.0f", func(s Grown) float64 { return s.Drip.Peak }},
		{"filled, records/s", "%.0f", func(s Grown) float64 { return s.Filled }},
	} {
		fmt.Fprint(table, line.name)
		for _, s := range g.Sizes {
			fmt.Fprintf(table, "\t"+line.format, line.of(s))
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return printFigures(to, []figure{
		{"99th percentile, last as a multiple of first", g.P99Ratio, "", 2, atMost(1.3)},
		{"first sync, last as a multiple of first", g.FirstSyncRatio, "", 2, goal{}},
	})
}
