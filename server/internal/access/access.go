// Package access decides who may see and do what. Its decisions are pure: no transport, no SQL, no clock.
package access

import (
	"slices"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Person is who asks, as posted at the moment in question.
type Person struct {
	Worker hlc.ID
	Role   recordv1.Role
	// Team is the zero ID for who belongs to none.
	Team hlc.ID
	// Supervises are the teams given to a supervisor, besides Team.
	Supervises []hlc.ID
	// External: a supervisor from outside, who sees cases without identities.
	External bool
	// Administrator of the server: accounts and keys, no casework. Worker is zero for who is nothing else.
	Administrator bool
}

// Equal reports whether two are posted in the same way.
func (p Person) Equal(other Person) bool {
	return p.Worker == other.Worker && p.Role == other.Role && p.Team == other.Team && slices.Equal(p.Supervises, other.Supervises) &&
		p.External == other.External && p.Administrator == other.Administrator
}

// Everyone is the audience of records that the whole deployment receives.
var Everyone hlc.ID

// Scope is where a change stands: the teams whose records it touches.
type Scope struct {
	// Makes: the change makes its record.
	Makes bool
	// Root: the record is its own root, so that its team is its audience.
	Root bool
	// Before and After are the audiences of the record without and with the change; for a new record both are what it
	// gets.
	Before, After hlc.ID
	// Reserved: the change touches a field that only the server sets.
	Reserved bool
	// Closed: the deployment was closed when the change came.
	Closed bool
}

// Write judges a change of a record of a kind. The empty code allows; any other says why the change is held.
func Write(p Person, kind recordv1.Kind, s Scope) record.Code {
	switch {
	case s.Makes && (kind == recordv1.Kind_KIND_CONFLICT || kind == recordv1.Kind_KIND_DEPLOYMENT), kind == recordv1.Kind_KIND_CERTIFICATE, s.Reserved:
		return record.CodeNotAllowed // the server alone makes deployments and closes them, finds conflicts, which people settle, issues certificates, and makes keys
	case s.Closed && kind != recordv1.Kind_KIND_RISK_ALERT && (p.Role != recordv1.Role_ROLE_COORDINATOR || !AfterClosing(kind)):
		return record.CodeDeploymentClosed
	case p.Role == recordv1.Role_ROLE_COORDINATOR:
		return ""
	case record.SetUp(kind), identifies(kind) && p.Role == recordv1.Role_ROLE_SUPERVISOR && p.External:
		return record.CodeNotAllowed
	case !leads(p.Role) && (kind == recordv1.Kind_KIND_REVIEW || kind == recordv1.Kind_KIND_CONFLICT):
		return record.CodeNotAllowed
	case s.Root && s.After == Everyone && (s.Makes || s.Before != Everyone):
		return record.CodeNotAllowed // only a coordinator shows a record to the whole deployment, such as planned activities
	}
	for _, team := range []hlc.ID{s.Before, s.After} {
		if team != Everyone && !p.Has(team) {
			return record.CodeNotYourTeam
		}
	}
	return ""
}

// AfterClosing reports whether records of a kind are taken in after the deployment was closed as they were before, because they
// move no total: what coordinators write to close it, and calls for help, which wait for nobody.
func AfterClosing(kind recordv1.Kind) bool {
	return record.SetUp(kind) || kind == recordv1.Kind_KIND_HELD_DECISION || kind == recordv1.Kind_KIND_RISK_ALERT
}

// Discard reports whether a person may decide that a held change of an author is not applied: one's own, and those of the
// team that one leads.
func Discard(p, author Person) bool {
	return p.Worker == author.Worker || p.Role == recordv1.Role_ROLE_COORDINATOR || (leads(p.Role) && p.Has(author.Team))
}

// Release reports whether a person may have a change applied that is held with a code. Whether it is applied then is
// judged as if they had written it.
func Release(p Person, held record.Code) bool {
	switch held {
	case record.CodeUnproven, record.CodeUnconfirmed, record.CodeDeviceRevoked, record.CodeStampInFuture, record.CodeDeploymentClosed:
		return p.Role == recordv1.Role_ROLE_COORDINATOR
	default:
		return leads(p.Role)
	}
}

// leads reports whether a role reviews and settles what others wrote.
func leads(r recordv1.Role) bool {
	return r == recordv1.Role_ROLE_TEAM_LEAD || r == recordv1.Role_ROLE_SUPERVISOR || r == recordv1.Role_ROLE_COORDINATOR
}

// Audiences are the teams whose records a person's tablet receives, of all that the deployment has.
func Audiences(p Person, all []hlc.ID) []hlc.ID {
	if p.Role == recordv1.Role_ROLE_COORDINATOR {
		return append([]hlc.ID{Everyone}, all...)
	}
	return append([]hlc.ID{Everyone}, p.Teams()...)
}

// identifies reports whether a kind says who a client is.
func identifies(kind recordv1.Kind) bool {
	return kind == recordv1.Kind_KIND_CASE_IDENTITY || kind == recordv1.Kind_KIND_CONSENT
}
