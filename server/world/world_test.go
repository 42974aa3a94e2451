package world_test

import (
	"cmp"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"levee/server/internal/pgtest"
	"levee/server/internal/servertest"
	"levee/server/world"
	"levee/syncproto/oracle"
	"levee/syncproto/tally"
)

var (
	seeds  = flag.Uint64("seeds", someSeeds, "how many worlds TestWorld plays")
	seed   = flag.Uint64("seed", 1, "the seed of the first of them")
	keep   = flag.String("keep", "", "the steps of the plan that are played; all when empty")
	story  = flag.Bool("story", false, "print what happens in each world")
	all    = flag.Bool("all", false, "go on after a world that fails, and shrink none")
	many   = flag.Int("servers", 0, "how many servers each world has; two on PostgreSQL when 0, else one")
	shrink = flag.Int("shrink", 200, "how often a failing world is played again with fewer steps")
)

// config is that of a world, in the engine that tests run on.
func config(t *testing.T, seed uint64, kept world.Keep) world.Config {
	t.Helper()
	c := world.Config{Seed: seed, Keep: kept, Dir: t.TempDir(), Count: count, Servers: *many}
	if servertest.OnPostgres {
		c.Postgres, c.Servers = pgtest.New(t), cmp.Or(c.Servers, 2)
	}
	return c
}

// enough is how many worlds meet all sorts of faults for certain.
const enough = 30

// Whatever goes wrong, nothing that a tablet accepted is lost, nothing counts twice, and everybody ends with the same.
func TestWorld(t *testing.T) {
	kept, err := world.ParseKeep(*keep)
	if err != nil {
		t.Fatal(err)
	}
	faults, changes := map[world.Fault]int{}, 0
	err = world.Seeds(t.Context(), config(t, *seed, kept), *seeds, runtime.GOMAXPROCS(0), func(r *world.Result) bool {
		for f, n := range r.Faults {
			faults[f] += n
		}
		changes += r.Changes
		if *story {
			t.Log(strings.Join(r.Trace, "\n"))
		}
		if r.Failed() {
			report(t, r, kept)
		}
		return !r.Failed() || *all
	})
	if err != nil {
		t.Fatal(err)
	}
	if t.Failed() {
		return
	}
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, f := range world.Faults() {
		fmt.Fprintf(columns, "%d\t %s\n", faults[f], f)
		if faults[f] == 0 && *seeds >= enough && (!servertest.OnPostgres || !slices.Contains(onlyFiles, f)) {
			t.Errorf("no world met: %s", f)
		}
	}
	_ = columns.Flush()
	fmt.Printf("%d worlds, %d changes\n%s", *seeds, changes, table.String())
}

// report prints how to play a failing world again, whole and shrunk.
func report(t *testing.T, r *world.Result, kept world.Keep) {
	t.Helper()
	line := fmt.Sprintf("go test ./server/world -run TestWorld -seeds 1 -seed %d -servers %d", r.Seed, *many)
	if servertest.OnPostgres {
		line = "LEVEE_TEST_DB=postgres " + line
	}
	if text := kept.String(); text != "" {
		line += " -keep " + text
	}
	t.Errorf("%s\nplay it again: %s", strings.Join(r.Failures, "\n"), line)
	if *shrink == 0 || *all {
		return
	}
	smaller, kept, err := world.Shrink(t.Context(), config(t, r.Seed, kept), *shrink)
	if err != nil {
		t.Fatal(err)
	}
	if smaller == nil {
		t.Fatal("it did not fail when it was played again")
	}
	t.Errorf("shrunk:\n%s\nplay this again: go test ./server/world -run TestWorld -seeds 1 -seed %d -keep %s", strings.Join(smaller.Trace, "\n"), r.Seed, kept)
}

// onlyFiles are the faults that only a database in a file meets.
var onlyFiles = []world.Fault{world.SetBackRestore, world.SetBackStandby}

// The same seed gives the same world, whatever else the machine does.
func TestSameSeedSameWorld(t *testing.T) {
	if servertest.OnPostgres {
		t.Skip("names of databases, and with them what PostgreSQL does in which order, differ each time")
	}
	before := map[uint64]*world.Result{}
	for range 2 {
		err := world.Seeds(t.Context(), world.Config{Seed: *seed, Dir: t.TempDir(), Count: count}, 4, 2, func(r *world.Result) bool {
			if was, ok := before[r.Seed]; ok && was.Hash != r.Hash {
				t.Errorf("seed %d gave two different worlds: %s", r.Seed, parting(was, r))
			}
			before[r.Seed] = r
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// parting is where the stories of two worlds part, with some lines of each.
func parting(a, b *world.Result) string {
	const before, after = 3, 3
	at := 0
	for at < min(len(a.Trace), len(b.Trace)) && a.Trace[at] == b.Trace[at] && a.Sums[at] == b.Sums[at] {
		at++
	}
	if at == len(a.Trace) && at == len(b.Trace) {
		return "their stories are the same, the server's logs are not"
	}
	part := func(r *world.Result) string {
		var lines strings.Builder
		for i := max(0, at-before); i < min(len(r.Trace), at+after); i++ {
			fmt.Fprintf(&lines, "%016x %s\n", r.Sums[i], r.Trace[i])
		}
		return lines.String()
	}
	return fmt.Sprintf("their stories part in line %d, each with a sum over what they leave out\none:\n%sthe other:\n%s", at+1, part(a), part(b))
}

// count counts by the oracle, which shares no code with what is tested.
func count(records []tally.Record) map[world.Cell]int64 {
	plain := make([]oracle.Record, len(records))
	for i, r := range records {
		plain[i] = oracle.Record(r)
	}
	cells := map[world.Cell]int64{}
	for c, n := range oracle.Tally(plain, 0) {
		cells[world.Cell(c)] = n
	}
	return cells
}
