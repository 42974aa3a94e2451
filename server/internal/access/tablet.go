package access

import recordv1 "levee/syncproto/levee/record/v1"

// MayTablet decides what a person may do about the tablets of a worker: EnrolTablet, RenameTablet, RevokeTablet. Whoever has
// a tablet may do what its worker may. So one who does it for some teams alone does it for nobody who goes beyond these: no
// coordinator, nobody without a team, and nobody who has another team besides.
func MayTablet(p Person, a Action, of Person, w Where) Answer {
	w.Team = of.Team
	answer := May(p, a, w)
	if all, _ := Teams(p, a); answer != Yes || all {
		return answer
	}
	if of.Role == recordv1.Role_ROLE_COORDINATOR || of.Team == Everyone {
		return No
	}
	for _, team := range of.Teams() {
		if !p.Has(team) {
			return No
		}
	}
	return Yes
}
