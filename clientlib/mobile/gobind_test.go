package mobile

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"levee/syncproto/testneed"
)

// face is what other languages see of this package: its exported declarations without what is in them.
type face struct {
	source []byte
	// names are the functions, and the methods and fields with the type before them, such as "Tablet.Close"; types the types.
	names, types []string
}

// readFace reads the sources of the package. gobind would have to read all that they import otherwise, the whole of a database
// among it, to make the same of it: it looks at nothing but exported declarations.
func readFace(t *testing.T) face {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	f := face{}
	out := &ast.File{Name: ast.NewIdent("mobile")}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.FileExports(file)
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && !ast.IsExported(receiver(d)) {
					continue
				}
				d.Body = &ast.BlockStmt{List: []ast.Stmt{&ast.ExprStmt{X: &ast.CallExpr{Fun: ast.NewIdent("panic"), Args: []ast.Expr{ast.NewIdent("nil")}}}}}
				f.function(t, d)
			case *ast.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
				for _, s := range d.Specs {
					f.declared(t, s)
				}
			}
			out.Decls = append(out.Decls, d)
		}
	}
	var b bytes.Buffer
	if err := format.Node(&b, token.NewFileSet(), out); err != nil {
		t.Fatal(err)
	}
	f.source = b.Bytes()
	return f
}

func receiver(d *ast.FuncDecl) string { return d.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name }

func (f *face) function(t *testing.T, d *ast.FuncDecl) {
	name := d.Name.Name
	if d.Recv != nil {
		name = receiver(d) + "." + name
	}
	f.names = append(f.names, name)
	f.signature(t, name, d.Type)
}

func (f *face) declared(t *testing.T, s ast.Spec) {
	spec, ok := s.(*ast.TypeSpec)
	if !ok {
		t.Fatalf("%T: only types and functions are bound as they are meant", s)
	}
	f.types = append(f.types, spec.Name.Name)
	var fields *ast.FieldList
	switch of := spec.Type.(type) {
	case *ast.StructType:
		fields = of.Fields
		of.Incomplete = false
	case *ast.InterfaceType:
		fields = of.Methods
	default:
		t.Fatalf("type %s is neither a struct nor an interface", spec.Name)
	}
	for _, field := range fields.List {
		for _, name := range field.Names {
			full := spec.Name.Name + "." + name.Name
			f.names = append(f.names, full)
			if method, ok := field.Type.(*ast.FuncType); ok {
				f.signature(t, full, method)
			} else {
				f.allowed(t, full, field.Type)
			}
		}
	}
}

func (f *face) signature(t *testing.T, name string, of *ast.FuncType) {
	for _, list := range []*ast.FieldList{of.Params, of.Results} {
		if list == nil {
			continue
		}
		for _, field := range list.List {
			f.allowed(t, name, field.Type)
		}
	}
}

// allowed sees that a type is the same on all sides: gobind takes some that are not, such as int, which is 32 bits on one machine and 64 on another.
func (f *face) allowed(t *testing.T, name string, e ast.Expr) {
	if list, ok := e.(*ast.ArrayType); ok && list.Len == nil {
		if of, ok := list.Elt.(*ast.Ident); ok && of.Name == "byte" {
			return
		}
	}
	if pointer, ok := e.(*ast.StarExpr); ok {
		e = pointer.X
	}
	if of, ok := e.(*ast.Ident); !ok || (!of.IsExported() && !slices.Contains([]string{"string", "int64", "bool", "error", "float64"}, of.Name)) {
		t.Errorf("%s has a type that is not for other languages", name)
	}
}

// gobind makes the bindings of a package for Java and Objective-C, and returns all that it wrote for each.
func gobind(t *testing.T, source []byte) (java, objc string) {
	t.Helper()
	module := t.TempDir()
	for name, from := range map[string]string{"go.mod": "../../.tools/gobind.mod", "go.sum": "../../.tools/gobind.sum"} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(module, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Join(module, "mobile")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "mobile.go"), source, 0o600); err != nil {
		t.Fatal(err)
	}
	tool := filepath.Join(module, "gobind.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-o", tool, "golang.org/x/mobile/cmd/gobind")
	build.Dir = module
	if out, err := build.CombinedOutput(); err != nil {
		testneed.Missing(t, "gobind can't be had: %v\n%s", err, out)
	}
	made := t.TempDir()
	run := exec.CommandContext(t.Context(), tool, "-lang=java,objc", "-outdir="+made, "levee/tools/gobind/mobile")
	run.Dir, run.Env = module, append(os.Environ(), "GOFLAGS=-mod=mod")
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("gobind: %v\n%s", err, out)
	}
	read := func(pattern string) string {
		files, err := filepath.Glob(filepath.Join(made, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("gobind wrote no %s: %v", pattern, err)
		}
		var all strings.Builder
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		}
		return all.String()
	}
	return read("java/mobile/*.java"), read("src/gobind/Mobile.objc.h")
}

// gobind leaves out in silence what it can't bind, but for a comment in what it makes.
func TestGobindSkipsNothing(t *testing.T) {
	f := readFace(t)
	if len(f.names) < 40 || !slices.Contains(f.names, "Tablet.Close") || !slices.Contains(f.names, "SyncListener.OnProgress") || !slices.Contains(f.names, "Options.Language") {
		t.Fatalf("this is not the package: %q", f.names)
	}
	java, objc := gobind(t, f.source)
	for language, made := range map[string]string{"Java": java, "Objective-C": objc} {
		for line := range strings.Lines(made) {
			if strings.Contains(line, "skipped") {
				t.Errorf("%s: %s", language, line)
			}
		}
	}
	has := func(made, pattern string) bool { return regexp.MustCompile(`\b(` + pattern + `)`).MatchString(made) }
	for _, name := range f.types {
		if !has(java, `(class|interface) `+name+`\b`) {
			t.Errorf("Java has no %s", name)
		}
		if !has(objc, `(interface|protocol) Mobile`+name+`\b`) {
			t.Errorf("Objective-C has no %s", name)
		}
	}
	for _, name := range f.names {
		of, own, member := strings.Cut(name, ".")
		if !member {
			own = of
		}
		lower := strings.ToLower(own[:1]) + own[1:]
		if !has(java, lower+`\(|get`+own+`\(`) {
			t.Errorf("Java has no %s", name)
		}
		if !has(objc, lower+`[:;]|Mobile`+own+`\(`) {
			t.Errorf("Objective-C has no %s", name)
		}
	}
}
