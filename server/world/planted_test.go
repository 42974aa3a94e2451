package world_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"levee/server/world"
)

var planted = flag.Bool("planted", false, "run TestPlantedBugs, which takes minutes")

// A bug is a mistake that someone could make: in a file, one text in the place of another. It is compiled into a test binary
// of its own, from a copy of the file, and never into the product.
type bug struct {
	name     string
	file     string
	old, new string
	// seed is of a world that showed it when it was planted, where the first ones did not; else 0.
	seed uint64
}

// plantedSeeds is how many worlds a bug may stay unseen: no more than CI plays of the code as it is.
const plantedSeeds = 210

// A world that finds nothing may be blind. Each of these bugs breaks a promise, and the worlds that CI plays must show it.
func TestPlantedBugs(t *testing.T) {
	if !*planted {
		t.Skip("bugs are not planted, because it takes minutes: add -planted, as CI does in a step of its own")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bugs {
		t.Run(strings.ReplaceAll(b.name, " ", "_"), func(t *testing.T) {
			began := time.Now()
			binary := b.plant(t, root)
			// The worlds are played one after the other until one fails: that failure is what is wanted.
			play := func(first uint64, worlds int) ([]byte, error) {
				cmd := exec.CommandContext(t.Context(), binary, "-test.run", "^TestWorld$", "-seed", strconv.FormatUint(first, 10), "-seeds", strconv.Itoa(worlds), "-shrink", "0")
				cmd.Dir = filepath.Join(root, "server", "world")
				return cmd.CombinedOutput()
			}
			var out []byte
			if b.seed != 0 {
				out, err = play(b.seed, 1)
			}
			if b.seed == 0 || err == nil {
				out, err = play(1, plantedSeeds)
			}
			if err == nil {
				t.Fatalf("%d worlds did not notice", plantedSeeds)
			}
			if !bytes.Contains(out, []byte("play it again")) {
				t.Fatalf("the worlds ended in another way: %v\n%s", err, out)
			}
			seed := b.isToBlame(t, out)
			t.Logf("world %d noticed after %v: %s", seed, time.Since(began).Round(time.Second), firstLine(string(out)))
		})
	}
}

// isToBlame plays the world that failed without the bug: it must not fail then. It returns its seed.
func (b bug) isToBlame(t *testing.T, out []byte) uint64 {
	t.Helper()
	said := regexp.MustCompile(`-seed (\d+)`).FindSubmatch(out)
	if said == nil {
		t.Fatalf("no seed stands in\n%s", out)
	}
	failed, err := strconv.ParseUint(string(said[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	err = world.Seeds(t.Context(), world.Config{Seed: failed, Dir: t.TempDir(), Count: count}, 1, 1, func(r *world.Result) bool {
		if r.Failed() {
			t.Errorf("world %d fails without the bug too", failed)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return failed
}

// Whoever changes a line in whose place a bug is planted learns of it at once.
func TestBugsCanBePlanted(t *testing.T) {
	for _, b := range bugs {
		t.Run(strings.ReplaceAll(b.name, " ", "_"), func(t *testing.T) { b.place(t, filepath.Join("..", "..")) })
	}
}

// place is the file that a bug is planted in; what it replaces must be there once.
func (b bug) place(t *testing.T, root string) (file string, source []byte) {
	t.Helper()
	file = filepath.Join(root, b.file)
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte(b.old)); n != 1 {
		t.Fatalf("what the bug replaces is %d times in %s: plant it anew\n%s", n, b.file, b.old)
	}
	return file, source
}

// plant compiles the tests of this package with the bug in them.
func (b bug) plant(t *testing.T, root string) (binary string) {
	t.Helper()
	file, source := b.place(t, root)
	dir := t.TempDir()
	mutant := filepath.Join(dir, filepath.Base(file))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: mutant}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{mutant: bytes.Replace(source, []byte(b.old), []byte(b.new), 1), filepath.Join(dir, "overlay.json"): overlay} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary = filepath.Join(dir, "world.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-ldflags=-w", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "./server/world")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the bug does not compile: %v\n%s", err, out)
	}
	return binary
}

// firstLine is what a test said first.
func firstLine(out string) string {
	for line := range strings.Lines(out) {
		if _, said, ok := strings.Cut(line, "_test.go:"); ok {
			_, said, _ = strings.Cut(said, ": ")
			return strings.TrimSpace(said)[:min(len(strings.TrimSpace(said)), 200)]
		}
	}
	return ""
}
