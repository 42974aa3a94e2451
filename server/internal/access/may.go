package access

import (
	"slices"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Action is something that a person may do or see.
type Action string

// What is done in a deployment, and what at the server as a whole.
const (
	// SeeSetUp: the deployment, its sites, teams and workers.
	SeeSetUp  Action = "see_set_up"
	SeeTotals Action = "see_totals"
	// SeeRecords: what is not confidential.
	SeeRecords Action = "see_records"
	// SeeConfidential: notes, alerts and what else is confidential of a case, but not who its clients are.
	SeeConfidential Action = "see_confidential"
	// SeeIdentity: who the clients of a case are, and their consents.
	SeeIdentity  Action = "see_identity"
	SeeDevices   Action = "see_devices"
	SeeHeld      Action = "see_held"
	SeeConflicts Action = "see_conflicts"
	// Export: to take away files of what one sees.
	Export Action = "export"
	// SeeAudit: who did what in the deployment.
	SeeAudit Action = "see_audit"
	// Log: to make and edit records of work.
	Log Action = "log"
	// ImportRecords: to make records from a file.
	ImportRecords  Action = "import_records"
	ReviewRecords  Action = "review"
	SettleConflict Action = "settle_conflict"
	DecideHeld     Action = "decide_held"
	EditSetUp      Action = "edit_set_up"
	EnrolTablet    Action = "enrol_tablet" // makes codes, also for a tablet that takes over from another
	RenameTablet   Action = "rename_tablet"
	RevokeTablet   Action = "revoke_tablet"
	ConfirmTablet  Action = "confirm_tablet"
	InviteWorker   Action = "invite_worker" // to the web
	EraseClient    Action = "erase_client"
	// InviteFirst: a coordinator to the web, while the deployment has none there. Otherwise an administrator could invite
	// themselves as one, and read casework.
	InviteFirst     Action = "invite_first_coordinator"
	CloseDeployment Action = "close_deployment" // and all its other states
	// HandOver: to give files of cases, with who the clients are, to another station.
	HandOver Action = "hand_over"

	// OwnAccount: one's own password, second factor, sessions and API tokens.
	OwnAccount     Action = "own_account"
	SeeAccounts    Action = "see_accounts"
	ManageAccounts Action = "manage_accounts" // invites, disables, resets
	MakeDeployment Action = "make_deployment"
	RotateKeys     Action = "rotate_keys"
	SeeServerAudit Action = "see_server_audit"
)

// Where is what an action is about.
type Where struct {
	// Foreign: it belongs to a deployment in which the person does not work.
	Foreign bool
	// Team is whose it is; Everyone for what the whole deployment has.
	Team hlc.ID
	// Assigned: it belongs to a case on which the person works, or they wrote it.
	Assigned bool
	// Closed: the deployment is closed or archived.
	Closed bool
}

// Answer is what is decided.
type Answer int

// Answers. What is hidden is answered as if it were not there: else the answer would tell that it is.
const (
	Hidden Answer = iota
	No
	Yes
)

func (a Answer) String() string { return [...]string{"hidden", "no", "yes"}[a] }

// reach is how far an action goes for somebody.
type reach int

const (
	nowhere reach = iota
	assigned
	teams // those that they have
	whole // the whole deployment
)

// closing is who may do something in a deployment that is closed.
type closing int

const (
	nobody closing = iota
	coordinators
	anyone // who may do it in an open one
)

// rule is one row of the table of decisions.
type rule struct {
	action Action
	// by are the reaches of a field worker, a team lead, a supervisor, an external supervisor and a coordinator.
	by [5]reach
	// administrator may do it, for any deployment or for the server.
	administrator bool
	// closed says who still may in a closed deployment.
	closed closing
	// sees is what one must be allowed so that a refusal is not hidden. Empty for what is seen itself.
	sees Action
}

// rules is the table of decisions: all of it, in the order in which it is printed.
var rules = []rule{
	{SeeSetUp, [5]reach{whole, whole, whole, whole, whole}, true, anyone, ""},
	{SeeTotals, [5]reach{teams, teams, teams, teams, whole}, false, anyone, ""},
	{SeeRecords, [5]reach{teams, teams, teams, teams, whole}, false, anyone, ""},
	{SeeConfidential, [5]reach{assigned, assigned, teams, teams, whole}, false, anyone, ""},
	{SeeIdentity, [5]reach{assigned, assigned, teams, nowhere, whole}, false, anyone, ""},
	{SeeDevices, [5]reach{nowhere, teams, teams, teams, whole}, false, anyone, ""},
	{SeeHeld, [5]reach{nowhere, teams, teams, teams, whole}, false, anyone, ""},
	{SeeConflicts, [5]reach{nowhere, teams, teams, teams, whole}, false, anyone, ""},
	{Export, [5]reach{nowhere, nowhere, teams, teams, whole}, false, anyone, SeeRecords},
	{SeeAudit, [5]reach{nowhere, nowhere, nowhere, nowhere, whole}, false, anyone, ""},
	{Log, [5]reach{teams, teams, teams, teams, whole}, false, nobody, SeeRecords},
	{ImportRecords, [5]reach{nowhere, teams, teams, teams, whole}, false, nobody, SeeRecords},
	{ReviewRecords, [5]reach{nowhere, teams, teams, teams, whole}, false, nobody, SeeRecords},
	{SettleConflict, [5]reach{nowhere, teams, teams, teams, whole}, false, nobody, SeeConflicts},
	{DecideHeld, [5]reach{nowhere, teams, teams, teams, whole}, false, coordinators, SeeHeld},
	{EditSetUp, [5]reach{nowhere, nowhere, nowhere, nowhere, whole}, false, coordinators, SeeSetUp},
	{EnrolTablet, [5]reach{nowhere, nowhere, teams, nowhere, whole}, false, coordinators, SeeSetUp},
	{RenameTablet, [5]reach{nowhere, nowhere, teams, nowhere, whole}, false, anyone, SeeDevices},
	{RevokeTablet, [5]reach{nowhere, nowhere, teams, nowhere, whole}, false, anyone, SeeDevices}, // a tablet may be lost after the end, too
	{ConfirmTablet, [5]reach{nowhere, nowhere, nowhere, nowhere, whole}, false, coordinators, SeeDevices},
	{InviteWorker, [5]reach{nowhere, nowhere, nowhere, nowhere, whole}, false, coordinators, SeeSetUp},
	{InviteFirst, [5]reach{}, true, anyone, SeeSetUp},
	{EraseClient, [5]reach{nowhere, nowhere, nowhere, nowhere, whole}, false, coordinators, SeeRecords},
	{CloseDeployment, [5]reach{nowhere, nowhere, nowhere, nowhere, whole}, false, coordinators, SeeSetUp},
	{HandOver, [5]reach{nowhere, nowhere, nowhere, nowhere, whole}, false, coordinators, SeeRecords},

	{SeeAccounts, [5]reach{}, true, anyone, ""},
	{ManageAccounts, [5]reach{}, true, anyone, SeeAccounts},
	{MakeDeployment, [5]reach{}, true, anyone, SeeAccounts},
	{RotateKeys, [5]reach{}, true, anyone, SeeAccounts},
	{SeeServerAudit, [5]reach{}, true, anyone, ""},
	{OwnAccount, [5]reach{whole, whole, whole, whole, whole}, true, anyone, ""},
}

// Actions are all there are, in the order of the table.
func Actions() []Action {
	all := make([]Action, len(rules))
	for i, r := range rules {
		all[i] = r.action
	}
	return all
}

func ruleOf(a Action) rule {
	for _, r := range rules {
		if r.action == a {
			return r
		}
	}
	return rule{} // allows nobody
}

// reach is how far a rule goes for a person in their deployment.
func (r rule) reach(p Person) reach {
	switch p.Role {
	case recordv1.Role_ROLE_FIELD_WORKER, recordv1.Role_ROLE_UNKNOWN: // whoever has no role yet works in the field
		return r.by[0]
	case recordv1.Role_ROLE_TEAM_LEAD:
		return r.by[1]
	case recordv1.Role_ROLE_SUPERVISOR:
		if p.External {
			return r.by[3]
		}
		return r.by[2]
	case recordv1.Role_ROLE_COORDINATOR:
		return r.by[4]
	default:
		return nowhere
	}
}

// May decides. Every role, for every action, in the own team, in another, in another deployment and in a closed one,
// stands in testdata/table.txt.
func May(p Person, a Action, w Where) Answer {
	r := ruleOf(a)
	if r.administrator && p.Administrator || a == OwnAccount {
		return Yes
	}
	if r.allows(p, w) {
		return Yes
	}
	if r.sees != "" && May(p, r.sees, w) == Yes {
		return No
	}
	return Hidden
}

func (r rule) allows(p Person, w Where) bool {
	if w.Foreign || p.Worker == (hlc.ID{}) {
		return false
	}
	if w.Closed && (r.closed == nobody || r.closed == coordinators && p.Role != recordv1.Role_ROLE_COORDINATOR) {
		return false
	}
	switch r.reach(p) {
	case whole:
		return true
	case teams:
		return w.Team == Everyone || p.Has(w.Team)
	case assigned: // whoever moved to another team leaves their cases behind
		return w.Assigned && (w.Team == Everyone || p.Has(w.Team))
	default:
		return false
	}
}

// Teams are those in which a person may do something: all of the deployment, or some. What belongs to everyone comes with
// either. It serves to cut lists where they are made; each single thing is asked about with May.
func Teams(p Person, a Action) (all bool, some []hlc.ID) {
	switch ruleOf(a).reach(p) {
	case whole:
		return true, nil
	case teams:
		return false, p.Teams()
	default:
		return false, nil
	}
}

// Teams are those that a person has: the own one, and those given to a supervisor.
func (p Person) Teams() []hlc.ID {
	var all []hlc.ID
	if p.Team != Everyone {
		all = append(all, p.Team)
	}
	if p.Role == recordv1.Role_ROLE_SUPERVISOR {
		for _, t := range p.Supervises {
			if !slices.Contains(all, t) && t != Everyone {
				all = append(all, t)
			}
		}
	}
	return all
}

// Has reports whether a team is one of a person's.
func (p Person) Has(team hlc.ID) bool { return slices.Contains(p.Teams(), team) }
