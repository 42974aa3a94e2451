package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"levee/server/bench"
)

// benchCmd measures this version on this machine.
type benchCmd struct {
	FieldDay  benchFieldDayCmd  `cmd:"" default:"withargs" help:"A day in the field: 20,000 changes pushed by 50 devices, and all of each team's records pulled, beside a floor, the same rows written without a server. This is measured when nothing else is named."`
	Drip      benchDripCmd      `cmd:"" help:"How long a sync of three changes takes, again and again."`
	Growth    benchGrowthCmd    `cmd:"" help:"The drip and a first sync, with 10,000, 100,000 and 1,000,000 records in a deployment."`
	FirstSync benchFirstSyncCmd `cmd:"" help:"How long it takes until ten devices at once have 10,000 records each."`
	Herd      benchHerdCmd      `cmd:"" help:"10,000 devices back from weeks offline within a minute: until all have done, and how much memory that takes."`
	Pages     benchPagesCmd     `cmd:"" help:"How long the server works on the pages of supervisors, with 10,000, 100,000 and 1,000,000 records in a deployment."`
	Export    benchExportCmd    `cmd:"" help:"How long an export takes, and how much memory, with 100,000 and 1,000,000 records in a deployment."`
}

// benchFieldDayCmd measures a day in the field.
type benchFieldDayCmd struct {
	Changes int    `help:"How many changes are pushed." default:"20000"`
	Runs    int    `help:"How often all is measured, each time on a server of its own; medians are printed." default:"3"`
	Seed    uint64 `help:"What the records are made up from." default:"1"`
	JSON    bool   `name:"json" help:"Print one JSON object on standard output, and nothing else there."`
}

// Run measures and prints.
func (c *benchFieldDayCmd) Run(ctx context.Context) error {
	if c.Changes < 50 || c.Runs < 1 {
		return errors.New("--changes must be at least 50, and --runs at least 1")
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := bench.MeasureFieldDay(ctx, bench.FieldDayOptions{Changes: c.Changes, Runs: c.Runs, Seed: c.Seed, Program: program, Progress: os.Stderr})
	return printMeasured(result, err, c.JSON)
}

// printMeasured prints what was measured, for programs or for people.
func printMeasured(result interface{ Print(to io.Writer) error }, err error, asJSON bool) error {
	switch {
	case err != nil:
		return err
	case asJSON:
		return json.NewEncoder(os.Stdout).Encode(result)
	default:
		return result.Print(os.Stdout)
	}
}

// benchDripCmd measures small syncs.
type benchDripCmd struct {
	Records int    `help:"How many records there are in the deployment before." default:"10000"`
	Syncs   int    `help:"How many syncs are measured: at most 3,000, since a server takes so many of ten devices in one go." default:"2000"`
	Seed    uint64 `help:"What the records are made up from." default:"1"`
	JSON    bool   `name:"json" help:"Print one JSON object on standard output, and nothing else there."`
}

// Run measures and prints.
func (c *benchDripCmd) Run(ctx context.Context) error {
	if err := checkRecords(c.Records); err != nil {
		return err
	}
	if err := checkSyncs(c.Syncs); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := bench.MeasureDrip(ctx, bench.DripOptions{Records: c.Records, Syncs: c.Syncs, Seed: c.Seed, Program: program, Progress: os.Stderr})
	return printMeasured(result, err, c.JSON)
}

func checkRecords(records ...int) error {
	for _, n := range records {
		if n < 1 {
			return errors.New("--records must be at least 1")
		}
	}
	return nil
}

func checkSyncs(syncs int) error {
	if syncs < 1 || syncs > 3000 {
		return errors.New("--syncs must be from 1 to 3000")
	}
	return nil
}

// benchGrowthCmd measures how the cost of a sync grows.
type benchGrowthCmd struct {
	Records []int  `help:"How many records there are to be, each on a server of its own." default:"10000,100000,1000000"`
	Syncs   int    `help:"How many small syncs are measured with each: at most 3,000." default:"2000"`
	Seed    uint64 `help:"What the records are made up from." default:"1"`
	JSON    bool   `name:"json" help:"Print one JSON object on standard output, and nothing else there."`
}

// Run measures and prints.
func (c *benchGrowthCmd) Run(ctx context.Context) error {
	if err := checkRecords(c.Records...); err != nil {
		return err
	}
	if err := checkSyncs(c.Syncs); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := bench.MeasureGrowth(ctx, bench.GrowthOptions{Records: c.Records, Syncs: c.Syncs, Seed: c.Seed, Program: program, Progress: os.Stderr})
	return printMeasured(result, err, c.JSON)
}

// benchFirstSyncCmd measures new devices.
type benchFirstSyncCmd struct {
	Records int    `help:"How many records each device pulls." default:"10000"`
	Seed    uint64 `help:"What the records are made up from." default:"1"`
	JSON    bool   `name:"json" help:"Print one JSON object on standard output, and nothing else there."`
}

// Run measures and prints.
func (c *benchFirstSyncCmd) Run(ctx context.Context) error {
	if err := checkRecords(c.Records); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := bench.MeasureFirstSync(ctx, bench.FirstSyncOptions{Records: c.Records, Seed: c.Seed, Program: program, Progress: os.Stderr})
	return printMeasured(result, err, c.JSON)
}

// benchHerdCmd measures all devices at once.
type benchHerdCmd struct {
	Devices int           `help:"How many devices come back, in teams of 10." default:"10000"`
	Changes int           `help:"How many changes each of them sends." default:"40"`
	Within  time.Duration `help:"The time in which they come back." default:"1m"`
	Seed    uint64        `help:"What the records are made up from." default:"1"`
	JSON    bool          `name:"json" help:"Print one JSON object on standard output, and nothing else there."`
}

// Run measures and prints.
func (c *benchHerdCmd) Run(ctx context.Context) error {
	if c.Devices < 10 || c.Devices%10 != 0 || c.Changes < 1 || c.Within < 0 {
		return errors.New("--devices must be a multiple of 10, --changes at least 1, and --within not negative")
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := bench.MeasureHerd(ctx, bench.HerdOptions{Devices: c.Devices, Changes: c.Changes, Within: c.Within, Seed: c.Seed, Program: program, Progress: os.Stderr})
	return printMeasured(result, err, c.JSON)
}

// benchPagesCmd measures pages.
type benchPagesCmd struct {
	Records []int  `help:"How many records there are to be, each on a server of its own." default:"10000,100000,1000000"`
	Times   int    `help:"How often each page is asked for." default:"20"`
	Seed    uint64 `help:"What the records are made up from." default:"1"`
	JSON    bool   `name:"json" help:"Print one JSON list on standard output, and nothing else there."`
}

// Run measures and prints.
func (c *benchPagesCmd) Run(ctx context.Context) error {
	for _, n := range c.Records {
		if n < 1 || c.Times < 1 {
			return fmt.Errorf("--records and --times must be at least 1")
		}
	}
	all, err := bench.MeasurePages(ctx, bench.PagesOptions{Records: c.Records, Times: c.Times, Seed: c.Seed, Progress: os.Stderr})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(all)
	}
	return printPages(os.Stdout, all)
}

// printPages has a row for each page and a column for each number of records, so that growth is seen.
func printPages(to io.Writer, all []bench.Pages) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "server time in ms: median (95th percentile)\tat most")
	for _, p := range all {
		fmt.Fprintf(table, "\t%d records", p.Records)
	}
	fmt.Fprintln(table)
	for row := range all[0].Pages {
		bound := "–"
		if b := all[0].Pages[row].Bound; b > 0 {
			bound = fmt.Sprint(b)
		}
		fmt.Fprintf(table, "%s\t%s", all[0].Pages[row].Name, bound)
		for _, p := range all {
			fmt.Fprintf(table, "\t%.1f (%.1f)", p.Pages[row].Median, p.Pages[row].P95)
		}
		fmt.Fprintln(table)
	}
	fmt.Fprint(table, "logged, records/s\t")
	for _, p := range all {
		fmt.Fprintf(table, "\t%.0f", float64(p.Records)/p.Filled)
	}
	fmt.Fprintln(table)
	fmt.Fprint(table, "ready after the last record, s\t")
	for _, p := range all {
		fmt.Fprintf(table, "\t%.1f", p.Sorted)
	}
	fmt.Fprintln(table)
	return table.Flush()
}

// benchExportCmd measures exports.
type benchExportCmd struct {
	Records []int  `help:"How many records there are to be, each in a database of its own." default:"100000,1000000"`
	Seed    uint64 `help:"What the records are made up from." default:"1"`
	JSON    bool   `name:"json" help:"Print one JSON list on standard output, and nothing else there."`
}

// Run measures and prints.
func (c *benchExportCmd) Run(ctx context.Context) error {
	if err := checkRecords(c.Records...); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	all, err := bench.MeasureExports(ctx, bench.ExportsOptions{Records: c.Records, Seed: c.Seed, Program: program, Progress: os.Stderr})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(all)
	}
	return printExports(os.Stdout, all)
}

func printExports(to io.Writer, all []bench.Exports) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "rows\tformat\ts\trows/s\tmemory at most, MB\tfiles, MB")
	for _, e := range all {
		for _, f := range e.Formats {
			fmt.Fprintf(table, "%d\t%s\t%.1f\t%.0f\t%.1f\t%.1f\n", f.Rows, f.Name, f.Seconds, float64(f.Rows)/f.Seconds, f.PeakMB, f.MB)
		}
	}
	return table.Flush()
}
