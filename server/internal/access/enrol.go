package access

import recordv1 "levee/syncproto/levee/record/v1"

// MayEnrol decides who may let in a tablet on which somebody works. Whoever has the code acts as its worker: so, but for
// coordinators, nobody makes one for others than the field workers and leads of their teams, and for themselves.
func MayEnrol(by, worker Person, closed bool) Answer {
	answer := May(by, EnrolTablet, Where{Team: worker.Team, Closed: closed})
	if answer != Yes || by.Role == recordv1.Role_ROLE_COORDINATOR || by.Worker == worker.Worker {
		return answer
	}
	led := worker.Role == recordv1.Role_ROLE_FIELD_WORKER || worker.Role == recordv1.Role_ROLE_TEAM_LEAD
	if !led || worker.Team == Everyone {
		return No
	}
	return Yes
}
