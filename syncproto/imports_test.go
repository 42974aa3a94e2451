package syncproto_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"levee/syncproto/importtest"
)

func TestImports(t *testing.T) {
	all := []string{"levee/syncproto/..."}
	importtest.Check(t, []importtest.Ban{
		{In: all, Of: []string{"levee/clientlib/...", "levee/server/..."}, Tests: true,
			Why: "both sides follow the contract, so it can depend on neither"},
		{In: all, Of: []string{"database/sql", "levee/migrations/..."},
			Why: "how records are stored is each side's own"},
		{In: all, Of: []string{"github.com/labstack/echo/...", "github.com/danielgtaylor/huma/..."}, Tests: true,
			Why: "a web framework is the server's own"},
		{In: all, Except: []string{"levee/syncproto/problem", "levee/syncproto/wire", "levee/syncproto/levee/sync/v1/syncv1connect"},
			Of:  []string{"net/http", "connectrpc.com/connect"},
			Why: "records and their rules hold on any transport; only the codes of problems and what shapes a request know one"},
		{In: all, Of: []string{"log", "log/slog"}, Direct: true,
			Why: "the contract returns errors, and its callers log"},
	})
}

// wallClock names, for each package, the functions that read the machine's clock or wait on it.
var wallClock = map[string][]string{
	"time":                   {"Now", "Since", "Until", "After", "AfterFunc", "NewTicker", "NewTimer", "Sleep", "Tick"},
	"github.com/google/uuid": {"NewUUID", "NewV6", "NewV7", "NewV7FromReader", "GetTime"},
}

// A rule that took the time from the machine could not be replayed from a seed, and would believe a tablet's clock.
func TestOnlyHLCReadsTheWallClock(t *testing.T) {
	read := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, use := range wallClockUses(file) {
			dir := filepath.ToSlash(filepath.Dir(path))
			read[dir] = true
			if dir != "hlc" {
				t.Errorf("%v: %s: only hlc reads the wall clock; take the time as an argument",
					files.Position(use.Pos()), use.Sel.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !read["hlc"] {
		t.Error("hlc does not read the wall clock either: this test looks for the wrong thing")
	}
}

// wallClockUses are the selectors in the file that name a function of wallClock, called or not.
func wallClockUses(file *ast.File) []*ast.SelectorExpr {
	banned := map[string]bool{} // as written in this file: "time.Now"
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		name := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		for _, function := range wallClock[path] {
			banned[name+"."+function] = true
		}
	}
	var uses []*ast.SelectorExpr
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && banned[x.Name+"."+sel.Sel.Name] {
				uses = append(uses, sel)
			}
		}
		return true
	})
	return uses
}
