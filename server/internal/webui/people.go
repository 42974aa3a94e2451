package webui

import (
	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// peopleBody is what the page of people shows.
type peopleBody struct {
	NewWorker string
	Workers   []workerRow
}

type workerRow struct {
	Name, Type, Role, Teams string
	External                bool
	Tablets                 string
	Account                 bool
	// Where one edits the worker, makes a code, invites to the web and takes that away; empty where the visitor may not.
	Edit, Code, Invite, Remove string
}

// idOf is an id that a record holds; zero when it holds none.
func idOf(b []byte) hlc.ID {
	if len(b) != len(hlc.ID{}) {
		return hlc.ID{}
	}
	return hlc.ID(b)
}

func peopleRoutes(r *router) {
	r.page(pathIn+"/people", access.SeeSetUp, (*visit).people)
	r.section(pathIn+"/people", "nav_people", access.SeeSetUp, pathIn+"/set-up/workers", pathIn+"/codes")
	r.form(pathIn+"/workers/:worker/account", access.SeeSetUp, (*visit).removeMember)
	r.deed(pathIn+"/workers/:worker/invitation", access.SeeSetUp, (*visit).inviteWorker)
}

func (v *visit) toPeople() string { return to(v.within.Syncing.Deployment(), "people") }

// people lists the workers.
func (v *visit) people() error {
	setUp, id := v.within.Syncing.SetUp(), v.within.Syncing.Deployment()
	tablets, err := v.allTablets()
	if err != nil {
		return err
	}
	inUse := map[hlc.ID]int64{}
	for _, t := range tablets {
		if t.RevokedAt == 0 {
			inUse[t.Worker]++
		}
	}
	members, err := v.members(id)
	if err != nil {
		return err
	}
	body := peopleBody{}
	edit := v.may(access.EditSetUp, hlc.ID{})
	if edit {
		body.NewWorker = v.To(to(id, "set-up/workers/new"))
	}
	terms := v.terms()
	for _, one := range setUp.WorkerIDs() {
		w := setUp.Workers[one]
		team := idOf(w.GetTeam())
		row := workerRow{Name: w.GetName(), Type: choice(terms, w.GetType()), Role: choice(terms, w.GetRole()),
			Teams: v.List(teamNames(setUp, v.within.Syncing.Person(one))), External: w.GetExternal(), Account: members[one]}
		if edit {
			row.Edit = v.To(to(id, "set-up/workers", one.String()))
		}
		if v.may(access.SeeDevices, team) {
			row.Tablets = v.N("tablets", inUse[one])
		}
		if v.mayTablet(access.EnrolTablet, one) == nil {
			row.Code = v.To(to(id, "workers", one.String(), "code"))
		}
		if v.mayInvite(one, members) == nil && !members[one] {
			row.Invite = v.To(to(id, "workers", one.String(), "invitation"))
		}
		if members[one] && one != v.person.Worker && v.may(access.InviteWorker, team) {
			row.Remove = v.To(to(id, "workers", one.String(), "account"))
		}
		body.Workers = append(body.Workers, row)
	}
	return v.show("people", &page{Title: v.T("title_people"), Body: body})
}

// teamNames are the names of the teams that a person has.
func teamNames(setUp *syncing.SetUp, p access.Person) (names []string) {
	for _, team := range p.Teams() {
		names = append(names, setUp.Teams[team].GetName())
	}
	return names
}

// members are the workers of a deployment who have an account.
func (v *visit) members(deployment hlc.ID) (map[hlc.ID]bool, error) {
	all, err := v.Accounts.Accounts(v.context())
	members := map[hlc.ID]bool{}
	for _, a := range all {
		if worker := a.In(deployment); worker != (hlc.ID{}) {
			members[worker] = true
		}
	}
	return members, err
}

// allTablets are all tablets of the deployment that the visitor may see.
func (v *visit) allTablets() (all []progress.Tablet, err error) {
	page := progress.Page[hlc.ID]{Limit: 200}
	for {
		tablets, next, err := v.within.Progress.Tablets(v.context(), page)
		if err != nil {
			return nil, err
		}
		for _, t := range tablets {
			if v.may(access.SeeDevices, t.Team.ID) {
				all = append(all, t)
			}
		}
		if next == (hlc.ID{}) {
			return all, nil
		}
		page.After = next
	}
}

// note writes an entry of the deployment's audit log for each of some subjects.
func (v *visit) note(a audit.Action, kind audit.Kind, ids ...hlc.ID) error {
	deployment := v.within.Syncing.Deployment()
	entries := make([]audit.Entry, 0, len(ids))
	for _, id := range ids {
		entries = append(entries, audit.Entry{Deployment: deployment, Actor: v.session.Actor(deployment), Action: a, Subject: audit.Subject{Kind: kind, ID: id}})
	}
	return v.Audit.WriteAll(v.context(), entries)
}

// mayInvite is the problem that the visitor has who may not invite a worker to the web.
func (v *visit) mayInvite(worker hlc.ID, members map[hlc.ID]bool) error {
	workers := v.within.Syncing.SetUp().Workers
	coordinates := func(id hlc.ID) bool { return workers[id].GetRole() == recordv1.Role_ROLE_COORDINATOR }
	first := coordinates(worker)
	for member := range members {
		first = first && !coordinates(member)
	}
	if first && v.may(access.InviteFirst, hlc.ID{}) {
		return nil
	}
	return v.must(access.InviteWorker, idOf(workers[worker].GetTeam()))
}

// inviteWorker makes the link with which a worker gets an account.
func (v *visit) inviteWorker() error {
	id, err := v.id("worker")
	if err != nil {
		return err
	}
	w := v.within.Syncing.SetUp().Workers[id]
	if w == nil {
		return problem.New(problem.NotFound)
	}
	deployment := v.within.Syncing.Deployment()
	members, err := v.members(deployment)
	if err != nil {
		return err
	}
	if err := v.mayInvite(id, members); err != nil {
		return err
	}
	return v.inviteAs(accounts.Membership{Deployment: deployment, Worker: id}, w.GetName(), v.toPeople())
}

// removeMember takes from an account what it may do in the deployment as a worker.
func (v *visit) removeMember() error {
	id, err := v.id("worker")
	if err != nil {
		return err
	}
	w := v.within.Syncing.SetUp().Workers[id]
	if w == nil {
		return problem.New(problem.NotFound)
	}
	if err := v.must(access.InviteWorker, idOf(w.GetTeam())); err != nil {
		return err
	}
	deployment := v.within.Syncing.Deployment()
	account, ok, err := v.Accounts.AccountOf(v.context(), accounts.Membership{Deployment: deployment, Worker: id})
	if err != nil {
		return err
	}
	if !ok || account.ID == v.session.Account.ID { // who locks themselves out can't undo it
		return problem.New(problem.NotFound)
	}
	f := v.form("submit_remove_member")
	f.Danger = true
	return v.sure(v.T("title_remove_member", w.GetName()), []string{v.T("remove_member_web", account.Login), v.T("remove_member_tablets"), v.T("remove_member_again")}, v.toPeople(), f, func() error {
		if err := v.Accounts.RemoveMembership(v.context(), v.session.Actor(deployment), account.ID, deployment); err != nil {
			return err
		}
		return v.done(v.toPeople(), "member_removed")
	})
}
