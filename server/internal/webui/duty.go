package webui

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// dutyRow is somebody on the duty list. Up and Down are empty for the first and the last.
type dutyRow struct {
	Turn               int
	Worker, Name, Role string
	// Unreached: there is neither a phone number nor an e-mail address.
	Unreached bool
	Up, Down  bool
}

// editDuty edits to whom a risk alert goes, one after the other. Each button does one step.
func (v *visit) editDuty() error {
	setUp := v.within.Syncing.SetUp()
	list := setUp.Deployment.GetDutyList()
	var absent []option
	for _, id := range setUp.WorkerIDs() {
		if w := setUp.Workers[id]; leads(w.GetRole()) && !slices.ContainsFunc(list, func(on []byte) bool { return idOf(on) == id }) {
			absent = append(absent, option{id.String(), v.List([]string{w.GetName(), choice(v.terms(), w.GetRole())})})
		}
	}
	f := v.setUpForm(setUp.Deployment, deploymentDuty).add(&field{Name: "worker", Label: v.T("field_on_duty"), Sort: "select", Options: absent})
	f.Submit = "submit_add"
	show := func() error {
		body := struct {
			Here, Seen, Back string
			Rows             []dutyRow
		}{v.To(v.toSetUp(), "/duty"), f.value("seen"), v.To(v.toSetUp()), v.dutyRows(list)}
		return v.show("duty", &page{Title: v.T("title_edit_duty"), Lead: []string{v.T("duty_lead")}, Form: f, Body: body})
	}
	if !v.posted() {
		return show()
	}
	do, worker := v.FormValue("do"), parsed(v.FormValue("worker"))
	if do == "" && !v.filled(f) {
		return show()
	}
	f.field("seen").Value = v.FormValue("seen")
	if do == "" && worker == (hlc.ID{}) {
		f.wrong("worker", v.T("wrong_missing"))
		return show()
	}
	changed, ok := stepped(list, worker, do)
	if !ok {
		return v.refused(problem.New(problem.ChangedMeanwhile), f, nil, show)
	}
	d := &recordv1.Deployment{DutyList: changed, Author: v.author()}
	return v.save(setUpEdit{id: v.within.Syncing.Deployment(), set: d, fields: []protowire.Number{deploymentDuty}, then: v.toSetUp() + "/duty"}, f, show)
}

func (v *visit) dutyRows(list [][]byte) (rows []dutyRow) {
	setUp := v.within.Syncing.SetUp()
	for i, id := range list {
		w := setUp.Workers[idOf(id)]
		rows = append(rows, dutyRow{Turn: i + 1, Worker: idOf(id).String(), Name: w.GetName(), Role: choice(v.terms(), w.GetRole()),
			Unreached: w.GetPhone() == "" && w.GetEmail() == "", Up: i > 0, Down: i < len(list)-1})
	}
	return rows
}

// leads reports whether a role is answerable for others: an alert goes to them.
func leads(r recordv1.Role) bool {
	return r == recordv1.Role_ROLE_TEAM_LEAD || r == recordv1.Role_ROLE_SUPERVISOR || r == recordv1.Role_ROLE_COORDINATOR
}

// stepped is the duty list after one step with a worker: up, down, off, or, when do is empty, on it at the end. It is false when
// the list does not have the worker as the step needs it.
func stepped(list [][]byte, worker hlc.ID, do string) ([][]byte, bool) {
	i := slices.IndexFunc(list, func(on []byte) bool { return idOf(on) == worker })
	list = slices.Clone(list)
	switch {
	case do == "" && i < 0:
		return append(list, worker[:]), true
	case do == "off" && i >= 0:
		return slices.Delete(list, i, i+1), true
	case do == "up" && i > 0:
		list[i-1], list[i] = list[i], list[i-1]
		return list, true
	case do == "down" && i >= 0 && i < len(list)-1:
		list[i+1], list[i] = list[i], list[i+1]
		return list, true
	default:
		return nil, false
	}
}
