package access_test

import (
	"testing"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestNobodyEnrolsAboveThemselves goes through who lets in whose tablet: a code makes its bearer that worker.
func TestNobodyEnrolsAboveThemselves(t *testing.T) {
	ours, theirs := hlc.ID{1}, hlc.ID{2}
	person := func(n byte, role recordv1.Role, team hlc.ID) access.Person {
		return access.Person{Worker: hlc.ID{9, n}, Role: role, Team: team}
	}
	coordinator := person(1, recordv1.Role_ROLE_COORDINATOR, access.Everyone)
	supervisor := person(2, recordv1.Role_ROLE_SUPERVISOR, ours)
	external := supervisor
	external.External = true
	lead := person(3, recordv1.Role_ROLE_TEAM_LEAD, ours)
	worker := person(4, recordv1.Role_ROLE_FIELD_WORKER, ours)
	for _, c := range []struct {
		what       string
		by, worker access.Person
		closed     bool
		want       access.Answer
	}{
		{"coordinator, a coordinator", coordinator, person(5, recordv1.Role_ROLE_COORDINATOR, access.Everyone), false, access.Yes},
		{"coordinator, another team", coordinator, person(5, recordv1.Role_ROLE_FIELD_WORKER, theirs), false, access.Yes},
		{"supervisor, own field worker", supervisor, worker, false, access.Yes},
		{"supervisor, own lead", supervisor, lead, false, access.Yes},
		{"supervisor, themselves", supervisor, supervisor, false, access.Yes},
		{"supervisor, another supervisor of the team", supervisor, person(5, recordv1.Role_ROLE_SUPERVISOR, ours), false, access.No},
		{"supervisor, a coordinator with the team", supervisor, person(5, recordv1.Role_ROLE_COORDINATOR, ours), false, access.No},
		{"supervisor, a coordinator without a team", supervisor, coordinator, false, access.No},
		{"supervisor, a field worker without a team", supervisor, person(5, recordv1.Role_ROLE_FIELD_WORKER, access.Everyone), false, access.No},
		{"supervisor, another team", supervisor, person(5, recordv1.Role_ROLE_FIELD_WORKER, theirs), false, access.No},
		{"supervisor, after the end", supervisor, worker, true, access.No},
		{"external supervisor", external, worker, false, access.No},
		{"lead", lead, worker, false, access.No},
		{"field worker, themselves", worker, worker, false, access.No},
		{"administrator", access.Person{Administrator: true}, worker, false, access.No},
	} {
		if got := access.MayEnrol(c.by, c.worker, c.closed); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}
