package webui

import (
	"cmp"
	"errors"
	"slices"
	"strconv"

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
	r.page(pathIn+"/set-up", access.SeeSetUp, (*visit).showSetUp)
	r.section(pathIn+"/set-up", "nav_set_up", access.SeeSetUp)
	r.form(pathIn+"/set-up/deployment", access.EditSetUp, (*visit).editDeployment)
	r.form(pathIn+"/set-up/areas", access.EditSetUp, (*visit).editAreas)
	r.form(pathIn+"/set-up/ages", access.EditSetUp, (*visit).editAges)
	r.form(pathIn+"/set-up/words", access.EditSetUp, (*visit).editWords)
	r.form(pathIn+"/set-up/duty", access.EditSetUp, (*visit).editDuty)
	r.form(pathIn+"/set-up/emergency", access.EditSetUp, (*visit).editEmergency)
	r.form(pathIn+"/set-up/targets", access.EditSetUp, (*visit).editTargets)
	r.form(pathIn+"/set-up/import", access.EditSetUp, (*visit).chooseImport)
	r.page(pathIn+"/set-up/import/templates/:sort", access.EditSetUp, (*visit).importTemplate)
	r.form(pathIn+"/set-up/import/:shown", access.EditSetUp, (*visit).previewImport)
	r.form(pathIn+"/set-up/sites/:site", access.EditSetUp, (*visit).editSite)
	r.form(pathIn+"/set-up/teams/:team", access.EditSetUp, (*visit).editTeam)
	r.form(pathIn+"/set-up/workers/:worker", access.EditSetUp, (*visit).editWorker)
}

func (v *visit) toSetUp() string { return to(v.within.Syncing.Deployment(), "set-up") }

// setUpBody is what the page of the set-up shows. Where one adds something is empty for who may not.
type setUpBody struct {
	Tiles                    []tile
	NewSite, NewTeam, Import string
	Sites                    []siteRow
	Teams                    []teamRow
}

// tile is one part of the set-up: what it says, or what is said where it says nothing.
type tile struct {
	Title string
	// Edit is where one edits it; empty for who may not.
	Edit  string
	Lines []string
	None  string
}

type siteRow struct {
	Name, Place, Code, Edit string
	Planned                 bool
}

type teamRow struct{ Name, Site, People, Edit string }

// showSetUp shows what the deployment is set up with.
func (v *visit) showSetUp() error {
	body, edit := setUpBody{}, v.may(access.EditSetUp, access.Everyone)
	at := func(what string) string {
		if !edit {
			return ""
		}
		return v.To(v.toSetUp(), "/", what)
	}
	d := v.within.Syncing.SetUp().Deployment
	escalation := []string{}
	if minutes := d.GetEscalationMinutes(); minutes > 0 {
		escalation = append(escalation, v.N("escalates", int64(minutes)))
	}
	body.Tiles = []tile{
		{v.T("title_edit_deployment"), at("deployment"), append([]string{d.GetName(), v.dates(d), v.T("in_zone", d.GetTimeZone()), v.state(d)}, escalation...), ""},
		{v.T("title_edit_areas"), at("areas"), v.areasShown(), ""},
		{v.T("title_edit_ages"), at("ages"), []string{v.bandsShown()}, ""},
		{v.T("title_edit_words"), at("words"), v.wordsShown(), v.T("no_words")},
		{v.T("title_edit_duty"), at("duty"), v.dutyShown(), v.T("no_duty")},
		{v.T("title_edit_emergency"), at("emergency"), v.emergencyShown(), v.T("no_emergency")},
		{v.T("title_edit_targets"), at("targets"), v.targetsShown(), v.T("no_targets")},
	}
	body.NewSite, body.NewTeam, body.Import = at("sites/new"), at("teams/new"), at("import")
	body.Sites, body.Teams = v.siteRows(edit), v.teamRows(edit)
	return v.show("setup", &page{Title: v.T("title_setting"), Body: body})
}

// state is how far a deployment has come.
func (v *visit) state(d *recordv1.Deployment) string {
	state := d.GetState()
	if state == recordv1.DeploymentState_DEPLOYMENT_STATE_UNKNOWN {
		state = recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE
	}
	return choice(v.terms(), state)
}

func (v *visit) areasShown() (lines []string) {
	for _, o := range v.terms().Options(recordv1.ServiceArea(0).Descriptor()) {
		if o.Number != 0 {
			lines = append(lines, o.Label)
		}
	}
	return lines
}

func (v *visit) bandsShown() string {
	terms := v.terms()
	var bands []string
	for i := 1; i < len(terms.AgeBands()); i++ {
		bands = append(bands, terms.AgeBand(uint64(i)))
	}
	return v.List(bands)
}

func (v *visit) wordsShown() (lines []string) {
	for _, k := range nameable {
		if own := v.terms().KindLabel(k); own != v.Kind(k) {
			lines = append(lines, v.T("word_instead", own, v.Kind(k)))
		}
	}
	return lines
}

func (v *visit) dutyShown() (lines []string) {
	setUp := v.within.Syncing.SetUp()
	for i, id := range setUp.Deployment.GetDutyList() {
		lines = append(lines, strconv.Itoa(i+1)+". "+setUp.Workers[idOf(id)].GetName())
	}
	return lines
}

func (v *visit) emergencyShown() (lines []string) {
	for _, n := range v.within.Syncing.SetUp().Deployment.GetEmergencyNumbers() {
		zh, en := n.GetLabelZh(), n.GetLabelEn()
		lines = append(lines, v.Labelled(v.Either(cmp.Or(en, zh), cmp.Or(zh, en)), n.GetNumber()))
	}
	return lines
}

func (v *visit) siteRows(edit bool) (rows []siteRow) {
	for id, s := range v.within.Syncing.SetUp().Sites {
		row := siteRow{Name: s.GetName(), Place: placePath(s.GetPlace()), Code: s.GetPlace().GetCode(), Planned: s.GetPlanned()}
		if edit {
			row.Edit = v.To(v.toSetUp(), "/sites/", id.String())
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b siteRow) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

func (v *visit) teamRows(edit bool) (rows []teamRow) {
	setUp, size := v.within.Syncing.SetUp(), map[hlc.ID]int64{}
	for _, w := range setUp.Workers {
		size[idOf(w.GetTeam())]++
	}
	for id, t := range setUp.Teams {
		row := teamRow{Name: t.GetName(), Site: setUp.Sites[idOf(t.GetSite())].GetName(), People: v.N("people", size[id])}
		if edit {
			row.Edit = v.To(v.toSetUp(), "/teams/", id.String())
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b teamRow) int { return cmp.Compare(a.Name, b.Name) })
	return rows
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

// setUpForm is a form about some fields of a record of the set-up. It carries what they said when it was shown, so that
// nobody overwrites what they did not see.
func (v *visit) setUpForm(was proto.Message, fields ...protowire.Number) *form {
	return v.form("submit_save").add(&field{Name: "seen", Label: "-", Sort: "hidden", Value: syncing.SeenIn(was, fields...).Digest})
}

// setUpEdit is what a form of the set-up makes of a record.
type setUpEdit struct {
	id hlc.ID
	// set says the form's fields; those that it leaves out are emptied.
	set    proto.Message
	fields []protowire.Number
	// at are the names of the form's fields by the numbers of the record's, to tell there what can't be held.
	at map[protowire.Number]string
	// then is where one is led when it is saved.
	then string
}

// save changes a record of the set-up; what it can't hold is told at its field.
func (v *visit) save(e setUpEdit, f *form, show func() error) error {
	change := syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: e.id, Message: e.set}, Seen: syncing.Seen{Fields: e.fields, Digest: f.value("seen")}}
	all := e.set.ProtoReflect().Descriptor().Fields()
	for _, n := range e.fields {
		if !e.set.ProtoReflect().Has(all.ByNumber(n)) {
			change.Cleared = append(change.Cleared, n)
		}
	}
	err := v.within.Syncing.ChangeSetUp(v.context(), v.person.Worker, change)
	if err != nil {
		return v.refusedRecord(err, f, e.at, show)
	}
	kind := audit.OfRecord
	if e.id == v.within.Syncing.Deployment() {
		kind = audit.OfDeployment
	}
	if err := v.note(audit.SetUpChanged, kind, e.id); err != nil {
		return err
	}
	return v.done(e.then, "saved")
}

// refusedRecord shows a form again with what a record can't hold, at the field that says it; other problems as refused does.
func (v *visit) refusedRecord(err error, f *form, at map[protowire.Number]string, show func() error) error {
	var wrong *record.Problem
	if !errors.As(err, &wrong) {
		return v.refused(err, f, nil, show)
	}
	text := record.Message(wrong.Code, v.Lang())
	if name, ok := at[wrong.Field]; ok {
		f.wrong(name, text)
	} else {
		f.Error = text
	}
	return show()
}

// Numbers of the fields that the forms set.
const (
	commonSite   protowire.Number = 1
	commonTeam   protowire.Number = 2
	commonAuthor protowire.Number = 3
	commonPlace  protowire.Number = 5
	namedName    protowire.Number = 16
)

// author says who changed a record.
func (v *visit) author() []byte { return v.person.Worker[:] }

// titleOf is the title of a form about a site, team or worker.
func (v *visit) titleOf(what string, made bool) string {
	if made {
		return v.T("new_" + what)
	}
	return v.T("edit_" + what)
}

// options are the records that one may choose from, by name.
func options[M interface{ GetName() string }](all map[hlc.ID]M) []option {
	list := make([]option, 0, len(all))
	for id, m := range all {
		list = append(list, option{id.String(), m.GetName()})
	}
	slices.SortFunc(list, func(a, b option) int { return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value)) })
	return list
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

// choices are the values of an enumeration but for the unknown one, in their order.
func choices(t *words.Terms, of protoreflect.EnumDescriptor) (list []option) {
	for _, o := range t.Options(of) {
		if o.Number != 0 {
			list = append(list, option{o.Name, o.Label})
		}
	}
	return list
}
