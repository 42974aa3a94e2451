package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"levee/server/world"
)

// soakCmd plays simulated worlds of seeds that nobody has played before.
type soakCmd struct {
	Minutes float64 `help:"How long to play." default:"1"`
	Seed    uint64  `help:"The first seed; by default one that nobody has played." placeholder:"N"`
	JSON    bool    `name:"json" help:"Print one JSON object on standard output, and nothing else there."`
}

// soaked is what the worlds came to.
type soaked struct {
	Seeds      int                 `json:"seeds"`
	Faults     int                 `json:"faults"`
	Changes    int                 `json:"changes"`
	Lost       int                 `json:"lost"`
	Duplicated int                 `json:"duplicated"`
	Diverged   int                 `json:"diverged"`
	Sorts      map[world.Fault]int `json:"-"`
	// Failure says what went wrong in the first world that failed, and Replay how to play it again.
	Failure string `json:"failure,omitempty"`
	Replay  string `json:"replay,omitempty"`
}

// Run plays until the time is over, a world fails, or it is interrupted.
func (c *soakCmd) Run(ctx context.Context) (err error) {
	if c.Minutes <= 0 {
		return fmt.Errorf("--minutes must be more than 0")
	}
	dir, err := os.MkdirTemp("", "leveed-soak-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	first := c.Seed
	if first == 0 {
		first = rand.Uint64() >> 16 //nolint:gosec // a seed is no secret
	}
	span := time.Duration(c.Minutes * float64(time.Minute))
	playing, stop := context.WithTimeout(ctx, span)
	defer stop()
	sum := soaked{Sorts: map[world.Fault]int{}}
	show := c.progress(span)
	err = world.Seeds(playing, world.Config{Seed: first, Dir: dir}, 0, runtime.GOMAXPROCS(0), func(r *world.Result) bool {
		sum.add(r)
		show(sum)
		return !r.Failed()
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil // the time is over
	}
	if err := errors.Join(err, c.print(sum)); err != nil {
		return err
	}
	if sum.Failure != "" {
		return failure{1}
	}
	return nil
}

func (s *soaked) add(r *world.Result) {
	s.Seeds++
	s.Faults += r.FaultCount()
	s.Changes += r.Changes
	s.Lost += r.Lost
	s.Duplicated += r.Duplicated
	s.Diverged += r.Diverged
	for f, n := range r.Faults {
		s.Sorts[f] += n
	}
	if r.Failed() && s.Failure == "" {
		s.Failure = strings.Join(r.Failures, "; ")
		s.Replay = fmt.Sprintf("go test ./server/world -run TestWorld -seeds 1 -seed %d", r.Seed)
	}
}

// progress shows the time and what was played, on a terminal.
func (c *soakCmd) progress(span time.Duration) func(soaked) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return func(soaked) {}
	}
	began := time.Now()
	bar := progressbar.NewOptions64(span.Milliseconds(), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(false))
	return func(s soaked) {
		bar.Describe(fmt.Sprintf("%d worlds, %d faults, %d changes", s.Seeds, s.Faults, s.Changes))
		_ = bar.Set64(min(time.Since(began), span).Milliseconds()) // a bar that can't be drawn stops nothing
	}
}

func (c *soakCmd) print(s soaked) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(s)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, f := range world.Faults() {
		fmt.Fprintf(table, "%d\t %s\n", s.Sorts[f], f)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Printf("\n%d worlds, %d faults, %d changes: %d lost, %d duplicated, %d diverged.\n", s.Seeds, s.Faults, s.Changes, s.Lost, s.Duplicated, s.Diverged)
	if s.Failure != "" {
		fmt.Printf("%s\nPlay it again: %s\n", s.Failure, s.Replay)
	}
	return nil
}
