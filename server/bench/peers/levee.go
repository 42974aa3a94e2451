package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// build makes leveed, of the tree that this is in, and says where it is.
func build(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "leveed")
	command := exec.CommandContext(ctx, "go", "build", "-C", "../../..", "-o", program, "./server/cmd/leveed") //nolint:gosec // a folder of our own
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("building leveed: %w", err)
	}
	return program, nil
}

// measureLevee has leveed measure its own field day, and the floor: what the SQLite driver alone writes.
func measureLevee(ctx context.Context, program string) (levee, floor result, err error) {
	command := exec.CommandContext(ctx, program, "bench", "--json", "--runs", "1")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return levee, floor, fmt.Errorf("running leveed bench: %w", err)
	}
	levee, floor, err = readBench(out)
	if err != nil {
		return levee, floor, fmt.Errorf("reading what leveed bench says: %w", err)
	}
	return levee, floor, nil
}

func readBench(out []byte) (levee, floor result, err error) {
	// The names are the same as those of result; the rest is of no matter here.
	var said struct {
		result
		Floor float64 `json:"floor_rows_per_s"`
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return levee, floor, err
	}
	levee = said.result
	levee.Name, levee.Synced = "Levee", "each transaction, before it is acknowledged (SQLite, WAL)"
	floor = result{Name: "floor: the same rows by the SQLite driver alone", Synced: levee.Synced, Push: said.Floor}
	return levee, floor, nil
}
