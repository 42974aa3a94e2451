package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"levee/clientlib"
	"levee/clientlib/internal/fakeserver"
)

// clock is the time of a test: it goes on by a second each time it is read.
type clock struct{ now time.Time }

func (c *clock) wall() time.Time {
	c.now = c.now.Add(time.Second)
	return c.now
}

// newClock stands at 09:00 in Henan.
func newClock() *clock { return &clock{time.Date(2021, 10, 14, 1, 0, 0, 0, time.UTC)} }

// tablet is one file, on which the program runs again and again.
type tablet struct {
	t        testing.TB
	file     string
	lang     string
	terminal bool
	input    string
	ctx      context.Context // the test's when nil
	options  clientlib.Options
	env      map[string]string
	prompt   prompter
}

func newTablet(t testing.TB, s *fakeserver.Server, c *clock, seed byte) *tablet {
	return &tablet{
		t: t, file: filepath.Join(t.TempDir(), "tablet.db"), lang: "en",
		options: clientlib.Options{Key: clientlib.HostKey([32]byte{1}), Wall: c.wall, Entropy: rand.NewChaCha8([32]byte{seed}), Transport: s, App: "levee/test"},
	}
}

// enrolledTablet is a new server's tablet, of 王芳.
func enrolledTablet(t testing.TB) (*tablet, *fakeserver.Server) {
	t.Helper()
	c := newClock()
	s := fakeserver.New(t, c.wall)
	tab := newTablet(t, s, c, 1)
	tab.must("enrol", s.Code("wang-fang"))
	return tab, s
}

// run does one command.
func (tab *tablet) run(args ...string) (stdout, stderr string, exit int) {
	var out, err bytes.Buffer
	ctx := tab.ctx
	if ctx == nil {
		ctx = tab.t.Context()
	}
	exit = run(ctx, around{
		args: append([]string{"--store", tab.file, "--lang", tab.lang}, args...), env: func(name string) string { return tab.env[name] }, prompt: tab.prompt,
		in: strings.NewReader(tab.input), out: &out, err: &err, terminal: tab.terminal, options: tab.options,
	})
	return out.String(), err.String(), exit
}

// code does a command that is to fail, and says with which code.
func (tab *tablet) code(args ...string) string {
	tab.t.Helper()
	return tab.object(1, args...)["error"].(map[string]any)["code"].(string)
}

// exists reports whether there is a file.
func (tab *tablet) exists() bool {
	_, err := os.Stat(tab.file)
	return err == nil
}

// must does a command that is to succeed, and returns what it printed.
func (tab *tablet) must(args ...string) string {
	tab.t.Helper()
	stdout, stderr, exit := tab.run(args...)
	if exit != 0 {
		tab.t.Fatalf("levee %s: exit %d\n%s%s", strings.Join(args, " "), exit, stdout, stderr)
	}
	return stdout
}

// object does a command with --json, and reads what it printed, which must be one object and all there is.
func (tab *tablet) object(exit int, args ...string) map[string]any {
	tab.t.Helper()
	stdout, stderr, got := tab.run(append([]string{"--json"}, args...)...)
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(stdout))
	if err := d.Decode(&object); err != nil || d.More() || stderr != "" || got != exit {
		tab.t.Fatalf("levee --json %s: %v, exit %d\n%s%s", strings.Join(args, " "), err, got, stdout, stderr)
	}
	return object
}

// log logs a record and returns its id.
func (tab *tablet) log(args ...string) string {
	tab.t.Helper()
	return tab.object(0, append([]string{"log"}, args...)...)["id"].(string)
}
