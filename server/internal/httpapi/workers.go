package httpapi

import (
	"context"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

type workersBody struct {
	Workers []workerView `json:"workers" nullable:"false" doc:"In the order in which they were made."`
	Next    string       `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one."`
}

type workerView struct {
	ID            string       `json:"id" format:"uuid"`
	Name          string       `json:"name" example:"李娜"`
	Role          string       `json:"role" enum:"unknown,field_worker,team_lead,supervisor,coordinator"`
	Type          string       `json:"type" doc:"By training." example:"social_worker"`
	Qualification string       `json:"qualification" example:"assistant"`
	Team          namedView    `json:"team"`
	Supervises    []namedView  `json:"supervises" nullable:"false" doc:"Teams given to a supervisor, besides the own one."`
	External      bool         `json:"external" doc:"A supervisor from outside, who sees cases and never who the clients are."`
	Account       bool         `json:"account" doc:"Whether somebody signs in on the web as this worker."`
	From          string       `json:"from,omitempty" format:"date" doc:"First day of work."`
	To            string       `json:"to,omitempty" format:"date" doc:"Last day of work."`
	Contact       *contactView `json:"contact,omitempty" doc:"For who may edit the set-up; a token needs the scope manage for it."`
}

type contactView struct {
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
}

func (a *api) workers(ctx context.Context, in *struct {
	Scope
	Paging
}) (*answer[workersBody], error) {
	// Accounts come and go without the log's growing.
	return replyWhole(ctx, a, in.Scope, func(d *Deployment, _ string) (workersBody, error) {
		members, err := a.members(ctx, d.Syncing.Deployment())
		if err != nil {
			return workersBody{}, err
		}
		setUp, page, body := d.Syncing.SetUp(), in.page(), workersBody{Workers: []workerView{}}
		all := setUp.WorkerIDs()
		all = all[slices.Index(all, page.After)+1:]
		if len(all) > page.Limit {
			all = all[:page.Limit]
			body.Next = all[len(all)-1].String()
		}
		reached := callerOf(ctx).May(d, access.EditSetUp, access.Where{}) == nil
		for _, id := range all {
			body.Workers = append(body.Workers, viewWorker(setUp, id, members[id], reached))
		}
		return body, nil
	})
}

// members are the workers of a deployment as whom somebody signs in.
func (a *api) members(ctx context.Context, deployment hlc.ID) (map[hlc.ID]bool, error) {
	all, err := a.Accounts.Accounts(ctx)
	members := map[hlc.ID]bool{}
	for _, one := range all {
		members[one.In(deployment)] = true
	}
	return members, err
}

func viewWorker(s *syncing.SetUp, id hlc.ID, account, reached bool) workerView {
	w := s.Workers[id]
	v := workerView{ID: id.String(), Name: w.GetName(), Role: choiceText(w.GetRole()), Type: choiceText(w.GetType()), Qualification: choiceText(w.GetQualification()), Team: teamIn(s, idOf(w.GetTeam())),
		Supervises: []namedView{}, External: w.GetExternal(), Account: account, From: dateText(record.Date(w.GetFromOn())), To: dateText(record.Date(w.GetToOn()))}
	for _, team := range w.GetSupervises() {
		v.Supervises = append(v.Supervises, teamIn(s, idOf(team)))
	}
	if reached {
		v.Contact = &contactView{w.GetPhone(), w.GetEmail()}
	}
	return v
}
