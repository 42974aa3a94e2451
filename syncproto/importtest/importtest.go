// Package importtest checks that imports point the way they should. Each tree of the module has a test that hands its bans to Check.
package importtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"levee/syncproto/testneed"
)

// Ban says what some packages must not import, and why.
//
// Packages are named as for the go command: a path is one package, a path with /... is that package and all below it.
type Ban struct {
	In     []string // the packages bound by it
	Except []string // those among them that may, and answer for it also to those that import them
	Of     []string // what they must not import
	Direct bool     // only what a package imports itself counts, not what it reaches through others
	Tests  bool     // the packages' tests are bound too
	Why    string   // one clause, shown with each breach
}

// Check fails the test for each breach of a ban, with the chain of imports that leads to it.
//
// It also fails for a ban that can't bite: one that binds no package with code, or one whose exceptions don't import what is banned,
// so that a package that was moved or renamed doesn't lift a ban without a word.
func Check(t *testing.T, bans []Ban) {
	t.Helper()
	var patterns []string
	for _, ban := range bans {
		patterns = append(patterns, ban.In...)
	}
	pkgs := list(t, patterns)
	for _, ban := range bans {
		for _, fault := range pkgs.faults(ban) {
			t.Error(fault)
		}
	}
}

// pkg is one package as go list prints it.
type pkg struct {
	ImportPath string // with " [x.test]" behind it when it is compiled for the tests of x
	ForTest    string // x, when it is part of the tests of x, or compiled for them
	Dir        string
	GoFiles    []string
	Imports    []string // the ImportPaths of what it imports
}

type graph map[string]pkg

// list asks the go command for the packages of the patterns, their tests, and all that these depend on.
func list(t *testing.T, patterns []string) graph {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		testneed.Missing(t, "there is no go command to follow imports with")
	}
	args := []string{"list", "-deps", "-test", "-json=ImportPath,ForTest,Dir,GoFiles,Imports", "--"}
	cmd := exec.CommandContext(t.Context(), "go", append(args, patterns...)...) //nolint:gosec // the arguments are those of the tests beside the code
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	pkgs := graph{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		pkgs[p.ImportPath] = p
		if matches(p.path(), patterns) {
			touch(t, p.Dir)
		}
	}
	return pkgs
}

// touch reads the folders below dir. The go command keeps a test's result until a file changes that the test itself has read;
// what go list reads is unknown to it, and a new import would go unnoticed until the next change of the test.
func touch(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(string, fs.DirEntry, error) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// path is the import path alone; an external test package goes by the name of what it tests.
func (p pkg) path() string {
	path, _, _ := strings.Cut(p.ImportPath, " ")
	if path == p.ForTest+"_test" {
		return p.ForTest
	}
	return path
}

// isTestMain tells the program that the go command makes of a package's tests.
func (p pkg) isTestMain() bool {
	return strings.HasSuffix(p.ImportPath, ".test")
}

// faults are the breaches of the ban, and the reasons why it can't bite.
func (g graph) faults(ban Ban) []string {
	var faults []string
	for _, in := range ban.In {
		if !g.any(func(p pkg) bool { return matches(p.path(), []string{in}) && p.ForTest == "" && len(p.GoFiles) > 0 }) {
			faults = append(faults, in+" has no code: the ban ("+ban.Why+") binds nothing")
		}
	}
	excepted := func(p pkg) bool { return matches(p.path(), ban.Except) && g.chain(p, ban) != nil }
	if len(ban.Except) > 0 && !g.any(excepted) {
		faults = append(faults, "none of "+strings.Join(ban.Except, ", ")+" imports "+strings.Join(ban.Of, ", ")+": the ban ("+ban.Why+") has lost its object")
	}

	for _, p := range g {
		bound := matches(p.path(), ban.In) && !matches(p.path(), ban.Except) && (p.ForTest == "" || ban.Tests) && !p.isTestMain()
		if !bound {
			continue
		}
		if chain := g.chain(p, ban); chain != nil {
			faults = append(faults, strings.Join(chain, "\n\timports ")+"\n\tbut "+ban.Why)
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults) // a package that is also compiled for tests breaches in each of its forms
}

func (g graph) any(is func(pkg) bool) bool {
	for _, p := range g {
		if is(p) {
			return true
		}
	}
	return false
}

// chain is a shortest chain of imports from p to what is banned, nil if there is none. It does not lead through other packages that
// the ban binds: they answer for themselves, and one breach is told once.
func (g graph) chain(p pkg, ban Ban) []string {
	cameFrom := map[string]string{p.ImportPath: ""}
	for queue := []pkg{p}; len(queue) > 0; queue = queue[1:] {
		for _, path := range queue[0].Imports {
			next, known := g[path]
			if _, seen := cameFrom[path]; seen || !known {
				continue
			}
			cameFrom[path] = queue[0].ImportPath
			if matches(next.path(), ban.Of) {
				return g.back(path, cameFrom)
			}
			if !ban.Direct && !matches(next.path(), ban.In) {
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// back walks from path to the start of a search and gives the way there.
func (g graph) back(path string, cameFrom map[string]string) []string {
	var chain []string
	for ; path != ""; path = cameFrom[path] {
		name := g[path].path()
		if strings.HasSuffix(path, "_test ["+g[path].ForTest+".test]") {
			name += " (test)"
		}
		chain = append(chain, name)
	}
	slices.Reverse(chain)
	return chain
}

func matches(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		below, tree := strings.CutSuffix(pattern, "/...")
		return path == below || tree && strings.HasPrefix(path, below+"/")
	})
}
