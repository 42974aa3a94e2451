package webui

import "levee/server/internal/access"

// narrowing is the form that narrows a list.
type narrowing struct {
	// Narrow are its fields, which are sent to Action, and Kept what goes with them as it is.
	Narrow []*field
	Kept   []keptField
	Action string
}

type keptField struct{ Key, Value string }

// byTeamAndWorker are fields that narrow a list by team and by worker. What the address asks for and nobody offers is left out.
func (v *visit) byTeamAndWorker(worker string) (byTeam, byWorker *field) {
	setUp := v.within.Syncing.SetUp()
	byTeam = &field{Name: "team", Label: v.T("field_team"), Sort: "select", Value: v.QueryParam("team"), Options: v.teamOptions(access.SeeRecords)}
	byWorker = &field{Name: worker, Label: v.T("field_" + worker), Sort: "select", Value: v.QueryParam(worker)}
	for _, id := range setUp.WorkerIDs() {
		if v.may(access.SeeRecords, idOf(setUp.Workers[id].GetTeam())) {
			byWorker.Options = append(byWorker.Options, option{id.String(), setUp.Workers[id].GetName()})
		}
	}
	for _, one := range []*field{byTeam, byWorker} {
		if !one.offers() {
			one.Value = ""
		}
	}
	return byTeam, byWorker
}
