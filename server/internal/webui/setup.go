package webui

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

func setUpRoutes(r *router) {
	r.form(pathIn+"/set-up/sites/:site", access.EditSetUp, (*visit).editSite)
	r.form(pathIn+"/set-up/teams/:team", access.EditSetUp, (*visit).editTeam)
	r.form(pathIn+"/set-up/workers/:worker", access.EditSetUp, (*visit).editWorker)
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
	err := v.within.Syncing.ChangeSetUp(v.context(), v.person.Worker, syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: id, Message: m}, Cleared: cleared})
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
	return v.done(v.toPeople(), "saved")
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

// editSite edits or makes a site.
func (v *visit) editSite() error {
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

// editTeam edits or makes a team.
func (v *visit) editTeam() error {
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

// editWorker edits or makes a worker.
func (v *visit) editWorker() error {
	setUp := v.within.Syncing.SetUp()
	id, was, made, err := target(v, "worker", setUp.Workers)
	if err != nil {
		return err
	}
	terms, role, training := v.terms(), was.GetRole(), was.GetType()
	if made {
		role, training = recordv1.Role_ROLE_FIELD_WORKER, recordv1.WorkerType_WORKER_TYPE_VOLUNTEER
	}
	f := v.form("submit_save").add(
		&field{Name: "name", Required: true, Value: was.GetName(), Focus: true},
		&field{Name: "role", Sort: "select", Required: true, Value: terms.OptionOf(role.Descriptor(), role.Number()).Name, Options: choices(terms, role.Descriptor())},
		&field{Name: "team", Sort: "select", Value: chosen(was.GetTeam()), Options: options(setUp.Teams)},
		&field{Name: "supervises", Sort: "checks", Values: chosenAll(was.GetSupervises()), Options: options(setUp.Teams)},
		&field{Name: "external", Sort: "check", Value: map[bool]string{true: "on"}[was.GetExternal()]},
		&field{Name: "type", Sort: "select", Required: true, Value: terms.OptionOf(training.Descriptor(), training.Number()).Name, Options: choices(terms, training.Descriptor())})
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

// choices are the values of an enumeration but for the unknown one, in their order.
func choices(t *words.Terms, of protoreflect.EnumDescriptor) (list []option) {
	for _, o := range t.Options(of) {
		if o.Number != 0 {
			list = append(list, option{o.Name, o.Label})
		}
	}
	return list
}
