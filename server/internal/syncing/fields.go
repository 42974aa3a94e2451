package syncing

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Numbers of the fields that decide where a record belongs.
const (
	stateField         protowire.Number = 26 // of Deployment
	roleField          protowire.Number = 18 // of Worker
	supervisesField    protowire.Number = 23
	externalField      protowire.Number = 24
	caseLeadField      protowire.Number = 29 // of Case
	caseWorkersField   protowire.Number = 30
	leaderField        protowire.Number = 21 // of Group
	targetKindField    protowire.Number = 17 // of Conflict
	conflictFieldField protowire.Number = 18
	settledField       protowire.Number = 20
)

// assigns reports whether fields decide who works on a root.
func assigns(kind record.Kind, set record.Registers) bool {
	switch kind {
	case recordv1.Kind_KIND_CASE:
		return set.Get(caseLeadField).Field != 0 || set.Get(caseWorkersField).Field != 0
	case recordv1.Kind_KIND_GROUP:
		return set.Get(leaderField).Field != 0
	default:
		return false
	}
}

// assigned are the workers who work on a root.
func assigned(kind record.Kind, registers record.Registers) []hlc.ID {
	switch kind {
	case recordv1.Kind_KIND_CASE:
		return append(registers.Get(caseLeadField).IDs(), registers.Get(caseWorkersField).IDs()...)
	case recordv1.Kind_KIND_GROUP:
		return registers.Get(leaderField).IDs()
	default:
		return nil
	}
}

// closedSince is when a deployment was closed, as its record says; 0 while it is not.
func closedSince(deployment record.Registers) hlc.Time {
	state := deployment.Get(stateField)
	switch recordv1.DeploymentState(state.Number()) { //nolint:gosec // a state is a small number
	case recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED, recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED:
		return state.Stamp.Time
	default:
		return 0
	}
}

// touchesReserved reports whether fields of a record are set that only the server sets: what is secret, and of the deployment whether it is
// there and how far it has come, which its close-out says once the checklist allows it.
func touchesReserved(kind record.Kind, set record.Registers) bool {
	return slices.ContainsFunc(set, func(r record.Register) bool {
		return record.Secret(kind, r.Field) || (kind == recordv1.Kind_KIND_DEPLOYMENT && (r.Field == stateField || r.Field == record.DeletedField))
	})
}

// unsettled reports whether a record is a conflict that nobody has settled.
func unsettled(kind record.Kind, registers record.Registers) bool {
	return kind == recordv1.Kind_KIND_CONFLICT && !registers.Deleted() && registers.Get(settledField).Number() == 0
}

// confidential reports whether a record reaches only those who work on its root.
func confidential(kind record.Kind, registers record.Registers) bool {
	return record.Confidential(shown(kind, registers))
}

// shown is the kind of what a record shows: a conflict shows what its target does.
func shown(kind record.Kind, registers record.Registers) record.Kind {
	if kind == recordv1.Kind_KIND_CONFLICT {
		return record.Kind(registers.Get(targetKindField).Number()) //nolint:gosec // a kind that does not fit is not known
	}
	return kind
}
