package world

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Shrink leaves out steps of a world that fails, and bad links, as long as what remains fails too. It gives up after so
// many tries.
func Shrink(ctx context.Context, c Config, tries int) (*Result, Keep, error) {
	_, steps := draw(c.Seed)
	steps = c.Keep.of(steps)
	var worst *Result
	fails := func(some []step) (bool, error) {
		if tries--; tries < 0 {
			return false, nil
		}
		of := c
		of.Keep = keepOf(some)
		r, err := runIn(ctx, of)
		if err != nil || !r.Failed() || (worst != nil && sortOf(r.Failures[0]) != sortOf(worst.Failures[0])) {
			return false, err
		}
		worst = r
		return true, nil
	}
	if failed, err := fails(steps); err != nil || !failed {
		return worst, keepOf(steps), err
	}
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at < len(steps); {
			without := append(append([]step(nil), steps[:at]...), steps[min(at+size, len(steps)):]...)
			failed, err := fails(without)
			if err != nil {
				return worst, keepOf(steps), err
			}
			if failed {
				steps = without
			} else {
				at += size
			}
		}
	}
	for i := range steps {
		if steps[i].calm {
			continue
		}
		steps[i].calm = true
		failed, err := fails(steps)
		if err != nil {
			return worst, keepOf(steps), err
		}
		steps[i].calm = failed
	}
	return worst, keepOf(steps), nil
}

// runIn plays a world in a folder of its own within Dir, and removes it.
func runIn(ctx context.Context, c Config) (*Result, error) {
	dir, err := os.MkdirTemp(c.Dir, "world-")
	if err != nil {
		return nil, fmt.Errorf("making a world: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c.Dir = dir
	return Run(ctx, c)
}

// sortOf is a failure without what differs from world to world: its first words, but for names and numbers.
func sortOf(failure string) string {
	words := strings.Fields(failure)
	words = slices.DeleteFunc(words, func(word string) bool {
		return strings.ContainsAny(word, "0123456789") || slices.Contains(people, strings.Trim(word, ":,"))
	})
	return strings.Join(words[:min(len(words), 4)], " ")
}

var people = []string{"anna", "ben", "lena", "carl", "sven", "cora", "nora", "otto"}
