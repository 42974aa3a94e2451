package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"levee/syncproto/testneed"
)

// read is a file of the server's folder.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// variables are those of the environment that the flags of leveed serve have.
func variables(t *testing.T) (all []string) {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.BindTo(t.Context(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			if command.Name == "serve" {
				all = append(all, flag.Envs...)
			}
		}
	}
	return all
}

var variable = regexp.MustCompile(`LEVEE_\w+`)

func TestWhatRunsTheServerNamesItsFlags(t *testing.T) {
	known := variables(t)
	for _, name := range []string{"leveed.service", "Containerfile"} {
		named := variable.FindAllString(read(t, name), -1)
		for _, v := range named {
			if v != "LEVEE_" && !slices.Contains(known, v) {
				t.Errorf("%s names %s, which leveed serve does not know", name, v)
			}
		}
		if !slices.Contains(named, "LEVEE_DB") || !slices.Contains(named, "LEVEE_ADMIN_ADDRESS") {
			t.Errorf("%s says too little: %v", name, named)
		}
	}
}

// The unit is one that systemd takes, and leaves the server little beside its own folder.
func TestTheUnitIsSound(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		testneed.Missing(t, "systemd-analyze, of Debian's package systemd")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "leveed")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(dir, "leveed.service")
	text := strings.ReplaceAll(read(t, "leveed.service"), "/usr/local/bin/leveed", program)
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// Units of the machine that it looks at besides may have faults of their own.
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), "leveed") {
		t.Errorf("verify: %v\n%s", err, out)
	}
	// From 0, which can do nothing, to 10; what is called "OK" ends at 4.
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit).CombinedOutput(); err != nil {
		t.Errorf("security: %v\n%s", err, out)
	}
}

// line is what an instruction of the Containerfile says, the last one of its name.
func line(t *testing.T, instruction string) (says string) {
	t.Helper()
	for l := range strings.Lines(read(t, "Containerfile")) {
		if rest, ok := strings.CutPrefix(l, instruction+" "); ok {
			says = strings.TrimSpace(rest)
		}
	}
	if says == "" {
		t.Fatalf("the Containerfile has no %s", instruction)
	}
	return says
}

func TestTheContainerRunsTheServer(t *testing.T) {
	words := func(instruction string) (w []string) {
		t.Helper()
		_, list, _ := strings.Cut(line(t, instruction), "[")
		if err := json.Unmarshal([]byte("["+list), &w); err != nil {
			t.Fatalf("%s: %v", instruction, err)
		}
		return w
	}
	program, args, health := words("ENTRYPOINT"), words("CMD"), words("HEALTHCHECK")
	if len(program) != 1 || len(health) < 2 || health[0] != program[0] || !strings.HasSuffix(line(t, "COPY --from=build /out/leveed"), program[0]) {
		t.Errorf("%v, %v", program, health)
	}
	for _, args := range [][]string{args, health[1:]} {
		parser, err := kong.New(&cli{}, kong.BindTo(t.Context(), (*context.Context)(nil)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	if user := line(t, "USER"); !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("it runs as %s", user)
	}
	env := strings.Fields(line(t, "ENV"))
	if !slices.Contains(env, "LEVEE_LISTEN=:"+line(t, "EXPOSE")) || !slices.Contains(env, "LEVEE_DB="+line(t, "VOLUME")+"/levee.db") {
		t.Errorf("%v", env)
	}
}
