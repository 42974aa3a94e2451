package access_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	"pgregory.net/rapid"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

var update = flag.Bool("update", false, "write testdata/table.txt anew")

// people are one of each role, all of the team mine; a supervisor has been given another team besides.
var people = []struct {
	name string
	access.Person
}{
	{"field worker", access.Person{Worker: me, Role: recordv1.Role_ROLE_FIELD_WORKER, Team: mine}},
	{"team lead", access.Person{Worker: me, Role: recordv1.Role_ROLE_TEAM_LEAD, Team: mine}},
	{"supervisor", access.Person{Worker: me, Role: recordv1.Role_ROLE_SUPERVISOR, Supervises: []hlc.ID{mine}}},
	{"external supervisor", access.Person{Worker: me, Role: recordv1.Role_ROLE_SUPERVISOR, Supervises: []hlc.ID{mine}, External: true}},
	{"coordinator", access.Person{Worker: me, Role: recordv1.Role_ROLE_COORDINATOR}},
	{"administrator", access.Person{Administrator: true}},
	{"no role", access.Person{Worker: me, Team: mine}},
	{"nobody", access.Person{}},
}

var places = []struct {
	name string
	access.Where
}{
	{"own team", access.Where{Team: mine}},
	{"own team, own case", access.Where{Team: mine, Assigned: true}},
	{"other team", access.Where{Team: theirs}},
	{"other deployment", access.Where{Team: theirs, Foreign: true}},
	{"closed, own team", access.Where{Team: mine, Closed: true}},
	{"closed, own case", access.Where{Team: mine, Closed: true, Assigned: true}},
	{"closed, other team", access.Where{Team: theirs, Closed: true}},
}

// The whole table of decisions, as it stands in testdata/table.txt for people to read: every role, every action, and in
// the own team, another team, another deployment and a closed one.
func TestTable(t *testing.T) {
	var b strings.Builder
	columns := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(columns, "action\twhere")
	for _, p := range people {
		fmt.Fprintf(columns, "\t%s", p.name)
	}
	fmt.Fprintln(columns)
	for _, a := range access.Actions() {
		for _, w := range places {
			fmt.Fprintf(columns, "%s\t%s", a, w.name)
			for _, p := range people {
				fmt.Fprintf(columns, "\t%v", access.May(p.Person, a, w.Where))
			}
			fmt.Fprintln(columns)
		}
	}
	if err := columns.Flush(); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for line := range strings.Lines(b.String()) {
		table.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	t.Log("\n" + table.String())
	if *update {
		if err := os.WriteFile("testdata/table.txt", []byte(table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/table.txt")
	if err != nil {
		t.Fatal(err)
	}
	if table.String() != string(want) {
		t.Error("the decisions are not those of testdata/table.txt; if they should be, run this test with -update and read what changed")
	}
}

// Rules that hold for whoever asks about whatever.
func TestDecisionsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(people).Draw(t, "person").Person
		p.Administrator = p.Administrator || rapid.Bool().Draw(t, "administrator too")
		a := rapid.SampledFrom(access.Actions()).Draw(t, "action")
		w := rapid.SampledFrom(places).Draw(t, "where").Where
		answer := access.May(p, a, w)

		more := p
		more.Role, more.External = recordv1.Role_ROLE_COORDINATOR, false
		if p.Worker != (hlc.ID{}) && answer == access.Yes && access.May(more, a, w) != access.Yes {
			t.Errorf("%s: a coordinator may not what a %v may", a, p.Role)
		}
		external := p
		external.External = true
		if answer != access.Yes && access.May(external, a, w) == access.Yes {
			t.Errorf("%s: only a supervisor from outside may", a)
		}
		open := w
		open.Closed = false
		if answer == access.Yes && access.May(p, a, open) != access.Yes {
			t.Errorf("%s: only in a closed deployment", a)
		}
		if w.Foreign && !p.Administrator && answer == access.Yes && a != access.OwnAccount {
			t.Errorf("%s: in a deployment of others", a)
		}
		if w.Team == theirs && !p.Has(theirs) {
			left := w
			left.Assigned = true
			if access.May(p, a, left) != access.May(p, a, w) {
				t.Errorf("%s: a case of another team, on which one once worked, is seen", a)
			}
		}
		all, some := access.Teams(p, a)
		if listed := all || p.Has(w.Team) && len(some) > 0; listed && p.Worker != (hlc.ID{}) && !w.Foreign && !w.Closed && answer != access.Yes {
			t.Errorf("%s: lists would show what May hides", a)
		}
	})
}

// Whoever is nobody may nothing but sign in, which is no action; an action that is not in the table is nobody's.
func TestNobodyMayNothing(t *testing.T) {
	for _, a := range append(access.Actions(), "made_up") {
		if a == access.OwnAccount {
			continue // whose it is was decided before
		}
		if got := access.May(access.Person{}, a, access.Where{}); got != access.Hidden {
			t.Errorf("%s: %v", a, got)
		}
	}
}
