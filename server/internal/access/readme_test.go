package access_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
)

// far is how far an action goes for somebody, in the words of the server's README.
func far(p access.Person, a access.Action) string {
	yes := func(w access.Where) bool { return access.May(p, a, w) == access.Yes }
	switch {
	case yes(access.Where{Team: theirs, Foreign: true}):
		return "yes"
	case yes(access.Where{Team: theirs}):
		return "all"
	case yes(access.Where{Team: mine}):
		return "own teams"
	case yes(access.Where{Team: mine, Assigned: true}):
		return "own cases"
	default:
		return "–"
	}
}

// afterwards is who may still do something in a closed deployment, of those who could before.
func afterwards(a access.Action) string {
	before, after, coordinator := 0, 0, false
	for _, p := range people {
		if p.Worker == (hlc.ID{}) {
			continue
		}
		w := access.Where{Team: mine, Assigned: true}
		if access.May(p.Person, a, w) == access.Yes {
			before++
		}
		w.Closed = true
		if access.May(p.Person, a, w) == access.Yes {
			after++
			coordinator = coordinator || p.name == "coordinator"
		}
	}
	switch {
	case before == after:
		return "the same"
	case after == 0:
		return "nobody"
	case after == 1 && coordinator:
		return "coordinators"
	default:
		return "some" // then the table needs more words
	}
}

// The table of roles in the server's README is the one that decides.
func TestREADMEHasTheTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("| action | field worker 队员 | team lead 队长 | supervisor 督导 | external supervisor | coordinator 协调员 | administrator | once closed |\n|---|---|---|---|---|---|---|---|\n")
	for _, a := range access.Actions() {
		fmt.Fprintf(&b, "| `%s` |", a)
		for _, p := range people[:6] {
			fmt.Fprintf(&b, " %s |", far(p.Person, a))
		}
		fmt.Fprintf(&b, " %s |\n", afterwards(a))
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "\n"+b.String()+"\n") {
		t.Errorf("the server's README lacks this table:\n%s", b.String())
	}
}
