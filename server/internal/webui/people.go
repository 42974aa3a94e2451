package webui

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// peopleBody is what the page of people shows.
type peopleBody struct {
	NewWorker, NewTeam, NewSite string
	Workers                     []workerRow
	Teams                       []teamRow
	Sites                       []siteRow
}

type workerRow struct {
	Name, Type, Role, Teams string
	External                bool
	Tablets                 string
	Account                 bool
	// Where one edits the worker, makes a code and invites to the web; empty where the visitor may not.
	Edit, Code, Invite string
}

type teamRow struct{ Name, Site, People, Edit string }

type siteRow struct{ Name, Place, Edit string }

func enumName(prefix, name string) string { return strings.ToLower(strings.TrimPrefix(name, prefix)) }

// idOf is an id that a record holds; zero when it holds none.
func idOf(b []byte) hlc.ID {
	if len(b) != len(hlc.ID{}) {
		return hlc.ID{}
	}
	return hlc.ID(b)
}

func zoneKnown(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "" && name != "Local"
}

// people is the first page of a deployment: workers, teams and sites.
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
		body.NewWorker, body.NewTeam, body.NewSite = v.To(to(id, "workers/new")), v.To(to(id, "teams/new")), v.To(to(id, "sites/new"))
	}
	editAt := func(what string, one hlc.ID) string {
		if !edit {
			return ""
		}
		return v.To(to(id, what, one.String()))
	}
	size := map[hlc.ID]int64{}
	for _, one := range setUp.WorkerIDs() {
		w := setUp.Workers[one]
		team := idOf(w.GetTeam())
		size[team]++
		row := workerRow{Name: w.GetName(), Type: v.T("type_" + enumName("WORKER_TYPE_", w.GetType().String())), Role: v.role(w.GetRole()),
			Teams: v.List(teamNames(setUp, v.within.Syncing.Person(one))), External: w.GetExternal(), Account: members[one], Edit: editAt("workers", one)}
		if v.may(access.SeeDevices, team) {
			row.Tablets = v.N("tablets", inUse[one])
		}
		if v.mayTablet(access.EnrolTablet, one) == nil {
			row.Code = v.To(to(id, "workers", one.String(), "code"))
		}
		if v.mayInvite(one, members) == nil && !members[one] {
			row.Invite = v.To(to(id, "workers", one.String(), "invitation"))
		}
		body.Workers = append(body.Workers, row)
	}
	for team, t := range setUp.Teams {
		body.Teams = append(body.Teams, teamRow{t.GetName(), setUp.Sites[idOf(t.GetSite())].GetName(), v.N("people", size[team]), editAt("teams", team)})
	}
	for site, s := range setUp.Sites {
		body.Sites = append(body.Sites, siteRow{s.GetName(), s.GetPlace().GetCode(), editAt("sites", site)})
	}
	slices.SortFunc(body.Teams, func(a, b teamRow) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(body.Sites, func(a, b siteRow) int { return cmp.Compare(a.Name, b.Name) })
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

// target is the record that a form is about: that of the address, or a new one.
func target[M any](v *visit, name string, all map[hlc.ID]M) (id hlc.ID, was M, made bool, err error) {
	if v.Param(name) == "new" {
		id, err = v.within.Syncing.NewID()
		return id, was, true, err
	}
	if id, err = v.id(name); err != nil {
		return id, was, false, err
	}
	was, ok := all[id]
	if !ok {
		err = problem.New(problem.NotFound)
	}
	return id, was, false, err
}

// save changes a record of the set-up; what it can't hold is told at its field.
func (v *visit) save(id hlc.ID, m proto.Message, cleared []protowire.Number, f *form, fields map[protowire.Number]string, show func() error) error {
	err := v.within.Syncing.ChangeSetUp(v.context(), syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: id, Message: m}, Cleared: cleared})
	var wrong *record.Problem
	switch {
	case errors.As(err, &wrong):
		text := record.Message(wrong.Code, v.Lang())
		if name, ok := fields[wrong.Field]; ok {
			f.wrong(name, text)
		} else {
			f.Error = text
		}
		return show()
	case err != nil:
		return v.refused(err, f, nil, show)
	}
	if err := v.note(audit.SetUpChanged, audit.OfRecord, id); err != nil {
		return err
	}
	return v.done(to(v.within.Syncing.Deployment()), "saved")
}

// note writes an entry of the deployment's audit log.
func (v *visit) note(a audit.Action, kind audit.Kind, id hlc.ID) error {
	deployment := v.within.Syncing.Deployment()
	return v.Audit.Write(v.context(), audit.Entry{Deployment: deployment, Actor: v.session.Actor(deployment), Action: a, Subject: audit.Subject{Kind: kind, ID: id}})
}

// Fields that the forms set.
const (
	commonSite  = 1
	commonTeam  = 2
	commonPlace = 5
	namedName   = 16

	workerSupervises = 23
	workerExternal   = 24
)

// edition is that of the place codes which people type.
const edition = 2023

// author says who changed a record.
func (v *visit) author() []byte { return v.person.Worker[:] }

// site edits or makes a site.
func (v *visit) site() error {
	id, was, made, err := target(v, "site", v.within.Syncing.SetUp().Sites)
	if err != nil {
		return err
	}
	f := v.form("submit_save").add(
		&field{Name: "name", Label: v.T("field_site_name"), Required: true, Value: was.GetName(), Focus: true},
		&field{Name: "place", Required: true, Value: was.GetPlace().GetCode(), Mode: "numeric"})
	show := func() error { return v.show("form", &page{Title: v.titleOf("site", made), Form: f}) }
	if !v.filled(f) {
		return show()
	}
	if !placeCode(f.value("place")) {
		f.wrong("place", v.T("wrong_place"))
		return show()
	}
	place := proto.CloneOf(was.GetPlace())
	if place == nil {
		place = &recordv1.Place{}
	}
	if place.GetCode() != f.value("place") {
		place = &recordv1.Place{Code: proto.String(f.value("place")), Edition: proto.Int32(edition)}
	}
	m := &recordv1.Site{Author: v.author(), Name: proto.String(f.value("name")), Place: place}
	return v.save(id, m, nil, f, map[protowire.Number]string{namedName: "name", commonPlace: "place"}, show)
}

func (v *visit) titleOf(what string, made bool) string {
	if made {
		return v.T("new_" + what)
	}
	return v.T("edit_" + what)
}

// options are what to choose from, by name.
func options[M interface{ GetName() string }](all map[hlc.ID]M) (list []option) {
	for id, m := range all {
		list = append(list, option{id.String(), m.GetName()})
	}
	slices.SortFunc(list, func(a, b option) int { return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value)) })
	return list
}

// team edits or makes a team.
func (v *visit) team() error {
	setUp := v.within.Syncing.SetUp()
	id, was, made, err := target(v, "team", setUp.Teams)
	if err != nil {
		return err
	}
	f := v.form("submit_save").add(
		&field{Name: "name", Label: v.T("field_team_name"), Required: true, Value: was.GetName(), Focus: true},
		&field{Name: "site", Sort: "select", Value: chosen(was.GetSite()), Options: options(setUp.Sites)})
	show := func() error { return v.show("form", &page{Title: v.titleOf("team", made), Form: f}) }
	if !v.filled(f) {
		return show()
	}
	m := &recordv1.Team{Author: v.author(), Name: proto.String(f.value("name"))}
	var cleared []protowire.Number
	if site := parsed(f.value("site")); site == (hlc.ID{}) {
		cleared = append(cleared, commonSite, commonPlace)
	} else if m.Site, m.Place = site[:], setUp.Sites[site].GetPlace(); m.Place == nil {
		cleared = append(cleared, commonPlace)
	}
	return v.save(id, m, cleared, f, map[protowire.Number]string{namedName: "name"}, show)
}

// chosen is the value of an option for an id that a record holds.
func chosen(id []byte) string {
	if idOf(id) == (hlc.ID{}) {
		return ""
	}
	return idOf(id).String()
}

func chosenAll(ids [][]byte) (values []string) {
	for _, id := range ids {
		values = append(values, chosen(id))
	}
	return values
}

// worker edits or makes a worker.
func (v *visit) worker() error {
	setUp := v.within.Syncing.SetUp()
	id, was, made, err := target(v, "worker", setUp.Workers)
	if err != nil {
		return err
	}
	role, training := was.GetRole(), was.GetType()
	if made {
		role, training = recordv1.Role_ROLE_FIELD_WORKER, recordv1.WorkerType_WORKER_TYPE_VOLUNTEER
	}
	f := v.form("submit_save").add(
		&field{Name: "name", Required: true, Value: was.GetName(), Focus: true},
		&field{Name: "role", Sort: "select", Required: true, Value: enumName("ROLE_", role.String()), Options: v.enumOptions("role_", "ROLE_", recordv1.Role_value)},
		&field{Name: "team", Sort: "select", Value: chosen(was.GetTeam()), Options: options(setUp.Teams)},
		&field{Name: "supervises", Sort: "checks", Values: chosenAll(was.GetSupervises()), Options: options(setUp.Teams)},
		&field{Name: "external", Sort: "check", Value: map[bool]string{true: "on"}[was.GetExternal()]},
		&field{Name: "type", Sort: "select", Required: true, Value: enumName("WORKER_TYPE_", training.String()), Options: v.enumOptions("type_", "WORKER_TYPE_", recordv1.WorkerType_value)})
	show := func() error { return v.show("form", &page{Title: v.titleOf("worker", made), Form: f}) }
	if !v.filled(f) {
		return show()
	}
	m := &recordv1.Worker{Author: v.author(), Name: proto.String(f.value("name")),
		Role: recordv1.Role(recordv1.Role_value["ROLE_"+strings.ToUpper(f.value("role"))]).Enum(),
		Type: recordv1.WorkerType(recordv1.WorkerType_value["WORKER_TYPE_"+strings.ToUpper(f.value("type"))]).Enum()}
	var cleared []protowire.Number
	if team := parsed(f.value("team")); team != (hlc.ID{}) {
		m.Team = team[:]
	} else {
		cleared = append(cleared, commonTeam)
	}
	if m.GetRole() == recordv1.Role_ROLE_SUPERVISOR {
		for _, team := range f.field("supervises").Values {
			id := parsed(team)
			m.Supervises = append(m.Supervises, id[:])
		}
		m.External = proto.Bool(f.value("external") != "")
	}
	if len(m.Supervises) == 0 {
		cleared = append(cleared, workerSupervises)
	}
	if m.External == nil {
		cleared = append(cleared, workerExternal)
	}
	if role := m.GetRole(); len(m.Team) == 0 && (role == recordv1.Role_ROLE_FIELD_WORKER || role == recordv1.Role_ROLE_TEAM_LEAD) {
		f.wrong("team", v.T("wrong_no_team"))
		return show()
	}
	if id == v.person.Worker && m.GetRole() != recordv1.Role_ROLE_COORDINATOR {
		f.wrong("role", v.T("wrong_own_role")) // who locks themselves out can't undo it
		return show()
	}
	return v.save(id, m, cleared, f, map[protowire.Number]string{namedName: "name", commonTeam: "team"}, show)
}

// enumOptions are the values of an enumeration but for the unknown one, in their order.
func (v *visit) enumOptions(messages, prefix string, values map[string]int32) (list []option) {
	names := make([]string, 0, len(values))
	for name, number := range values {
		if number != 0 {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(values[a], values[b]) })
	for _, name := range names {
		list = append(list, option{enumName(prefix, name), v.T(messages + enumName(prefix, name))})
	}
	return list
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
	return v.inviteAs(accounts.Membership{Deployment: deployment, Worker: id}, w.GetName(), to(deployment))
}
