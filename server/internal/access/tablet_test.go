package access_test

import (
	"testing"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

func TestNobodyGetsMoreByATabletThanTheyMay(t *testing.T) {
	one, two, three := hlc.ID{1}, hlc.ID{2}, hlc.ID{3}
	person := func(role recordv1.Role, team hlc.ID, supervises ...hlc.ID) access.Person {
		return access.Person{Worker: hlc.ID{9, team[0], byte(role)}, Role: role, Team: team, Supervises: supervises}
	}
	const (
		worker      = recordv1.Role_ROLE_FIELD_WORKER
		lead        = recordv1.Role_ROLE_TEAM_LEAD
		supervisor  = recordv1.Role_ROLE_SUPERVISOR
		coordinator = recordv1.Role_ROLE_COORDINATOR
	)
	external := person(supervisor, one)
	external.External = true
	for name, c := range map[string]struct {
		by, of access.Person
		yes    bool
	}{
		"a coordinator, anybody":                          {person(coordinator, hlc.ID{}), person(coordinator, hlc.ID{}), true},
		"a supervisor, the own team's worker":             {person(supervisor, one), person(worker, one), true},
		"a supervisor, a lead of a team given":            {person(supervisor, one, two), person(lead, two), true},
		"a supervisor, one who supervises the same":       {person(supervisor, one, two), person(supervisor, two, one), true},
		"a supervisor, one who supervises more":           {person(supervisor, one, two), person(supervisor, one, three), false},
		"a supervisor, another team's worker":             {person(supervisor, one), person(worker, two), false},
		"a supervisor, a coordinator without a team":      {person(supervisor, one), person(coordinator, hlc.ID{}), false},
		"a supervisor, a coordinator with the same team":  {person(supervisor, one), person(coordinator, one), false},
		"a supervisor, a worker without a team":           {person(supervisor, one), person(worker, hlc.ID{}), false},
		"a supervisor without a team, one without a team": {person(supervisor, hlc.ID{}), person(worker, hlc.ID{}), false},
		"an external supervisor":                          {external, person(worker, one), false},
		"a lead":                                          {person(lead, one), person(worker, one), false},
		"oneself":                                         {person(worker, one), person(worker, one), false},
	} {
		for _, a := range []access.Action{access.EnrolTablet, access.RenameTablet, access.RevokeTablet} {
			if got := access.MayTablet(c.by, a, c.of, access.Where{}); (got == access.Yes) != c.yes {
				t.Errorf("%s, %s: %v", name, a, got)
			}
			if got := access.MayTablet(c.by, a, c.of, access.Where{Foreign: true}); got == access.Yes {
				t.Errorf("%s, %s, in another deployment: %v", name, a, got)
			}
		}
	}
}
