package importtest

import (
	"strings"
	"testing"
)

// world is a small module: app reaches sql only through store; tool reaches it through a helper of its own.
var world = graph{
	"m/app":                   {ImportPath: "m/app", GoFiles: []string{"a.go"}, Imports: []string{"m/store", "fmt"}},
	"m/store":                 {ImportPath: "m/store", GoFiles: []string{"a.go"}, Imports: []string{"sql"}},
	"m/tool":                  {ImportPath: "m/tool", GoFiles: []string{"a.go"}, Imports: []string{"lib"}},
	"m/app_test [m/app.test]": {ImportPath: "m/app_test [m/app.test]", ForTest: "m/app", GoFiles: []string{"a_test.go"}, Imports: []string{"m/app [m/app.test]", "sql"}},
	"m/app [m/app.test]":      {ImportPath: "m/app [m/app.test]", ForTest: "m/app", GoFiles: []string{"a.go"}, Imports: []string{"m/store", "fmt"}},
	"m/app.test":              {ImportPath: "m/app.test", ForTest: "m/app", GoFiles: []string{"main.go"}, Imports: []string{"m/app_test [m/app.test]"}},
	"lib":                     {ImportPath: "lib", GoFiles: []string{"a.go"}, Imports: []string{"sql", "fmt"}},
	"sql":                     {ImportPath: "sql", GoFiles: []string{"a.go"}},
	"sql/driver":              {ImportPath: "sql/driver", GoFiles: []string{"a.go"}},
	"fmt":                     {ImportPath: "fmt", GoFiles: []string{"a.go"}, Imports: []string{"sql/driver"}},
}

func TestFaults(t *testing.T) {
	const why = "\n\tbut it must not"
	for _, tc := range []struct {
		name string
		ban  Ban
		want []string
	}{
		{"an exception answers for those above it", Ban{In: []string{"m/..."}, Of: []string{"sql"}, Except: []string{"m/store"}},
			[]string{"m/tool\n\timports lib\n\timports sql" + why}},
		{"the whole way is shown", Ban{In: []string{"m/app"}, Of: []string{"sql"}}, []string{"m/app\n\timports m/store\n\timports sql" + why}},
		{"the culprit answers, not those above it", Ban{In: []string{"m/..."}, Of: []string{"sql"}},
			[]string{"m/store\n\timports sql" + why, "m/tool\n\timports lib\n\timports sql" + why}},
		{"direct only", Ban{In: []string{"m/..."}, Of: []string{"sql"}, Except: []string{"m/store"}, Direct: true}, nil},
		{"direct, tests too", Ban{In: []string{"m/..."}, Of: []string{"sql"}, Except: []string{"m/store"}, Direct: true, Tests: true},
			[]string{"m/app (test)\n\timports sql" + why}},
		{"a path is one package", Ban{In: []string{"m/tool"}, Of: []string{"sql/driver"}}, []string{"m/tool\n\timports lib\n\timports fmt\n\timports sql/driver" + why}},
		{"a tree is all below it", Ban{In: []string{"m/store"}, Of: []string{"sql/..."}}, []string{"m/store\n\timports sql" + why}},
		{"binds nothing", Ban{In: []string{"m/gone/..."}, Of: []string{"sql"}}, []string{"m/gone/... has no code: the ban (it must not) binds nothing"}},
		{"lost its object", Ban{In: []string{"m/..."}, Of: []string{"sqlite"}, Except: []string{"m/store"}},
			[]string{"none of m/store imports sqlite: the ban (it must not) has lost its object"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.ban.Why = "it must not"
			if got := world.faults(tc.ban); strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// What go list prints is read as it is meant: this package's own imports are found, and so is what they reach.
func TestList(t *testing.T) {
	pkgs := list(t, []string{"levee/syncproto/importtest"})
	ban := Ban{In: []string{"levee/syncproto/importtest"}, Of: []string{"os/exec"}, Why: "it must not"}
	want := "levee/syncproto/importtest\n\timports os/exec\n\tbut it must not"
	if got := pkgs.faults(ban); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
	ban.Of = []string{"no/such/package"}
	if got := pkgs.faults(ban); got != nil {
		t.Errorf("got %q, want nothing", got)
	}
}
