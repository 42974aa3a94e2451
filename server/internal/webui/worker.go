package webui

import (
	"net/mail"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Numbers of the fields of a Worker.
const (
	workerType          protowire.Number = 17
	workerRole          protowire.Number = 18
	workerFrom          protowire.Number = 19
	workerTo            protowire.Number = 20
	workerQualification protowire.Number = 21
	workerPhone         protowire.Number = 22
	workerSupervises    protowire.Number = 23
	workerExternal      protowire.Number = 24
	workerEmail         protowire.Number = 25
)

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
	fields := []protowire.Number{commonTeam, namedName, workerType, workerRole, workerFrom, workerTo, workerQualification, workerPhone, workerSupervises, workerExternal, workerEmail}
	f := v.setUpForm(was, fields...).add(
		&field{Name: "name", Required: true, Value: was.GetName(), Focus: made},
		&field{Name: "role", Sort: "select", Required: true, Value: terms.OptionOf(role.Descriptor(), role.Number()).Name, Options: choices(terms, role.Descriptor())},
		&field{Name: "team", Sort: "select", Value: chosen(was.GetTeam()), Options: options(setUp.Teams)},
		&field{Name: "supervises", Sort: "checks", Values: chosenAll(was.GetSupervises()), Options: options(setUp.Teams)},
		&field{Name: "external", Sort: "check", Value: map[bool]string{true: "on"}[was.GetExternal()]},
		&field{Name: "type", Sort: "select", Required: true, Value: terms.OptionOf(training.Descriptor(), training.Number()).Name, Options: choices(terms, training.Descriptor())},
		&field{Name: "qualification", Sort: "select", Value: terms.OptionOf(was.GetQualification().Descriptor(), was.GetQualification().Number()).Name, Options: choices(terms, was.GetQualification().Descriptor())},
		&field{Name: "phone", Sort: "tel", Value: was.GetPhone()},
		&field{Name: "email", Sort: "email", Value: was.GetEmail()},
		&field{Name: "from", Label: v.T("field_works_from"), Sort: "date", Value: day(was.GetFromOn())},
		&field{Name: "to", Label: v.T("field_works_to"), Sort: "date", Value: day(was.GetToOn())})
	show := func() error {
		return v.show("form", &page{Title: v.titleOf("worker", made), Form: f, Links: []link{{To: v.To(v.toPeople()), Name: v.T("go_back")}}})
	}
	if !v.filled(f) {
		return show()
	}
	m := &recordv1.Worker{Author: v.author(), Name: proto.String(f.value("name")),
		Role:   recordv1.Role(recordv1.Role_value["ROLE_"+strings.ToUpper(f.value("role"))]).Enum(),
		Type:   recordv1.WorkerType(recordv1.WorkerType_value["WORKER_TYPE_"+strings.ToUpper(f.value("type"))]).Enum(),
		FromOn: v.dayOf(f, "from"), ToOn: v.dayOf(f, "to")}
	if named := f.value("qualification"); named != "" {
		m.Qualification = recordv1.Qualification(recordv1.Qualification_value["QUALIFICATION_"+strings.ToUpper(named)]).Enum()
	}
	if phone := f.value("phone"); phone != "" {
		m.Phone = &phone
	}
	if email := f.value("email"); email != "" {
		m.Email = &email
		if !emailAddress(email) {
			f.wrong("email", v.T("wrong_email"))
		}
	}
	if team := parsed(f.value("team")); team != (hlc.ID{}) {
		m.Team = team[:]
	}
	if m.GetRole() == recordv1.Role_ROLE_SUPERVISOR {
		for _, team := range f.field("supervises").Values {
			id := parsed(team)
			m.Supervises = append(m.Supervises, id[:])
		}
		if f.value("external") != "" {
			m.External = proto.Bool(true)
		}
	}
	if needsTeam(m) {
		f.wrong("team", v.T("wrong_no_team"))
	}
	if id == v.person.Worker && m.GetRole() != recordv1.Role_ROLE_COORDINATOR {
		f.wrong("role", v.T("wrong_own_role")) // who locks themselves out can't undo it
	}
	if !f.ok() {
		return show()
	}
	return v.save(setUpEdit{id: id, set: m, fields: fields, then: v.toPeople(),
		at: map[protowire.Number]string{namedName: "name", commonTeam: "team", workerPhone: "phone", workerEmail: "email", workerFrom: "from", workerTo: "to"}}, f, show)
}

// emailAddress reports whether a text is an e-mail address by itself, without a name.
func emailAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text
}

// needsTeam reports whether a worker lacks the team without which they can do nothing.
func needsTeam(m *recordv1.Worker) bool {
	role := m.GetRole()
	return len(m.GetTeam()) == 0 && (role == recordv1.Role_ROLE_FIELD_WORKER || role == recordv1.Role_ROLE_TEAM_LEAD)
}

// day is a day as a date field has it; empty for none.
func day(n int32) string {
	if n == 0 {
		return ""
	}
	return record.Date(n).String()
}

// dayOf is the day that a field says; nil when it says none.
func (v *visit) dayOf(f *form, name string) *int32 {
	if f.value(name) == "" {
		return nil
	}
	d, err := record.ParseDate(f.value(name))
	if err != nil || d == 0 {
		f.wrong(name, v.T("wrong_date"))
	}
	return proto.Int32(int32(d))
}
