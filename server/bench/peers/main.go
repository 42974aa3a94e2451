// Command peers lets the systems that are used today do the field day that leveed bench does: PocketBase, and the CouchDB
// protocol. It is a module of its own, so that what they need does not become what Levee needs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

func main() {
	if len(os.Args) == 3 && (os.Args[1] == pocketBaseCommand || os.Args[1] == openCommand) {
		fail(servePocketBase(os.Args[2], os.Args[1] == openCommand))
		return
	}
	runs := flag.Int("runs", 1, "how often to measure all of them; the figures are medians")
	seed := flag.Uint64("seed", 1, "what the records are made up from")
	asJSON := flag.Bool("json", false, "print JSON instead of a table in Markdown")
	writes := flag.Bool("write", false, "put the table into server/bench/README.md too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fail(compare(ctx, *runs, *seed, *asJSON, *writes))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// compare measures all, in the folder of this module.
func compare(ctx context.Context, runs int, seed uint64, asJSON, writes bool) (err error) {
	if runs < 1 || flag.NArg() > 0 {
		return errors.New("usage: peers [--runs N] [--seed N] [--json] [--write]")
	}
	dir, err := os.MkdirTemp("", "levee-peers-")
	if err != nil {
		return fmt.Errorf("making a place for a program: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	leveed, err := build(ctx, dir)
	if err != nil {
		return err
	}
	day := fieldDay(seed)
	peers := []peer{pocketBase{}, pocketBase{open: true}, couchDB{}}
	measured := make([][]result, 2+len(peers))
	for run := range runs {
		fmt.Fprintf(os.Stderr, "run %d of %d: Levee\n", run+1, runs)
		levee, floor, err := measureLevee(ctx, leveed)
		if err != nil {
			return err
		}
		measured[0], measured[1] = append(measured[0], levee), append(measured[1], floor)
		for i, p := range peers {
			fmt.Fprintf(os.Stderr, "run %d of %d: %s\n", run+1, runs, p.name())
			r, err := measure(ctx, p, day)
			if err != nil {
				return fmt.Errorf("measuring %s: %w", p.name(), err)
			}
			measured[2+i] = append(measured[2+i], r)
		}
	}
	results := make([]result, len(measured))
	for i, of := range measured {
		results[i] = median(of)
	}
	about, err := circumstances(ctx, day, runs)
	if err != nil {
		return err
	}
	text := table(results) + "\n" + about
	if writes {
		if err := write("../README.md", text); err != nil {
			return err
		}
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"systems": compareAll(results), "about": strings.TrimSpace(about)})
	}
	fmt.Print(text)
	return nil
}

// circumstances are where, when and with which versions it was measured.
func circumstances(ctx context.Context, day []*device, runs int) (string, error) {
	size := 0
	for _, d := range day {
		for _, r := range d.records {
			text, err := json.Marshal(r)
			if err != nil {
				return "", fmt.Errorf("encoding a record: %w", err)
			}
			size += len(text)
		}
	}
	node, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking Node for its version: %w", err)
	}
	versions := []string{"Go " + strings.TrimPrefix(runtime.Version(), "go"), "Node " + strings.Trim(string(node), "v\n")}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == "github.com/pocketbase/pocketbase" {
				versions = append(versions, "PocketBase "+strings.TrimPrefix(m.Version, "v"))
			}
		}
	}
	var npm struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	text, err := os.ReadFile("package.json")
	if err == nil {
		err = json.Unmarshal(text, &npm)
	}
	if err != nil {
		return "", fmt.Errorf("reading which versions npm installs: %w", err)
	}
	for _, name := range []string{"express-pouchdb", "pouchdb"} {
		versions = append(versions, name+" "+npm.Dependencies[name])
	}
	of := "One run"
	if runs > 1 {
		of = fmt.Sprintf("Medians of %d runs", runs)
	}
	return fmt.Sprintf("%s on %d cores (%s/%s), %s, with %s. A record has %d bytes as JSON.\n", of, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		time.Now().UTC().Format(time.DateOnly), strings.Join(versions, ", "), size/all), nil
}
